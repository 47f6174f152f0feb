// parsers check|test|new: parser files without a daemon. parsers list: those of a daemon, or files. parsers unknown:
// command_unknown.cc.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/file_commands.h"
#include "cli/output.h"
#include "parsers/authoring/check.h"
#include "parsers/authoring/new_parser.h"
#include "parsers/file/share_directory.h"
#include "query/listing.h"

namespace yushi::cli {
namespace {

// Ours, and over them the files of `paths`: one of the same name wins.
Result<std::vector<parsers::ParserFile>> all_files(const std::vector<std::string>& paths) {
  auto files = YUSHI_TRY(parsers::read_parser_directories({parsers::share_directory("parsers")}));
  auto more = YUSHI_TRY(read_paths(paths, parsers::read_parser_directories));
  for (auto& file : more) {
    std::erase_if(files, [&](const parsers::ParserFile& known) { return known.name == file.name; });
    files.push_back(std::move(file));
  }
  return files;
}

int print_problems(const std::vector<std::string>& problems, int code) {
  Out out;
  for (auto& problem : problems) out.text(problem);
  return problems.empty() ? kExitFound : code;
}

int check(const FilesOptions& options) {
  auto files = options.paths.empty() ? parsers::read_parser_directories({parsers::share_directory("parsers")})
                                     : read_paths(options.paths, parsers::read_parser_directories);
  if (!files) return report(files.error());
  const auto checked = files->size();
  // the shared tables of ours, on which a file may lean; theirs of the same name stand behind
  if (!options.paths.empty()) {
    auto ours = parsers::read_parser_directories({parsers::share_directory("parsers")});
    if (!ours) return report(ours.error());
    auto shared = parsers::shared_files(*ours);
    files->insert(files->begin(), shared.begin(), shared.end());
  }
  if (auto problems = parsers::check_parser_files(*files); !problems.empty())
    return print_problems(problems, kExitError);
  Out().write(std::to_string(checked) + " parser files: ok\n");
  return kExitFound;
}

int test(const FilesOptions& options) {
  auto files = all_files(options.paths);
  if (!files) return report(files.error());
  if (auto problems = parsers::check_parser_files(*files); !problems.empty())
    return print_problems(problems, kExitError);
  auto set = parsers::ParserSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto own = options.paths.empty() ? std::vector<parsers::ParserFile>()
                                   : *read_paths(options.paths, parsers::read_parser_directories);
  std::vector<std::string> paths;
  for (auto& file : own) paths.push_back(file.path);
  auto tested = options.hostile ? parsers::run_hostile_tests(*set) : parsers::run_parser_tests(*set, paths);
  {
    Out out;
    for (auto& each : tested.cases)
      if (!each.failed) out.text(each.path + ":" + std::to_string(each.line) + ": " + each.outcome + "\n");
  }
  print_problems(tested.failures, kExitNothing);
  const auto* what = options.hostile ? " hostile lines, " : tested.tests == 1 ? " test, " : " tests, ";
  Out().write(std::to_string(tested.tests) + what + std::to_string(tested.failures.size()) + " failed\n");
  return tested.failures.empty() ? kExitFound : kExitNothing;
}

int list(const FilesOptions& options) {
  const ListShown shown = {
      "parsers",
      {"parser", "vendor", "dataset", "patterns", "tests", "asked", "aliases", "kinds"},
      [](const nlohmann::ordered_json& parser) {
        std::vector<std::string> cells;
        for (auto* name : {"parser", "vendor", "dataset", "patterns", "tests", "generic", "aliases", "kinds", "path"})
          cells.push_back(cell_of(parser, name));
        cells[5] = cells[5] == "true" ? "last" : "by kind";
        return cells;
      }};
  return list_lines(options, shown, [&](const query::LineSink& sink) -> Result<void> {
    auto files = YUSHI_TRY(all_files(options.paths));
    auto set = YUSHI_TRY(parsers::ParserSet::load(std::move(files), parsers::ReadTests::of_site));
    for (auto& parser : parsers::list_parsers(*set))
      if (!sink(query::listed_line(parser, std::nullopt))) return {};
    return {};
  });
}

struct NewOptions {
  std::string name, from, out;
  std::vector<std::string> parsers;
};

constexpr size_t kSampleLinesMax = 200'000;
constexpr size_t kSampleBytesMax = 256 << 20;

int make_new(const NewOptions& options) {
  std::ifstream file;
  if (options.from != "-") {
    file.open(options.from, std::ios::binary);
    if (!file) return report(Error{Code::io, "opening " + options.from + ": " + std::strerror(errno)});
  }
  std::istream& in = file.is_open() ? static_cast<std::istream&>(file) : std::cin;
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (std::string line; bytes < kSampleBytesMax && lines.size() < kSampleLinesMax && std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    bytes += line.size();
    lines.push_back(std::move(line));
  }
  if (in.bad()) return report(Error{Code::io, "reading " + options.from + " failed"});
  auto known = all_files(options.parsers);
  if (!known) return report(known.error());
  auto made = parsers::make_parser(options.name, lines, *known);
  if (!made) return report(made.error());
  say_notes(made->notes);
  if (options.out.empty()) {
    Out().text(made->yaml);
    return kExitFound;
  }
  std::error_code ignored;
  if (std::filesystem::exists(options.out, ignored))
    return report(Error{Code::invalid, "--out " + options.out + ": the file is there already; name another one"});
  std::ofstream to(options.out, std::ios::binary);
  if (!(to << made->yaml) || !to.flush())
    return report(Error{Code::io, "writing " + options.out + ": " + std::strerror(errno)});
  return kExitFound;
}

void add_new(CLI::App& parsers, Chosen& chosen) {
  auto* command = parsers.add_subcommand("new", "a parser file made of sample lines, to go on with");
  command->footer("Example: yushi parsers new acmevpn --from sample.log --out acmevpn.yaml");
  auto options = std::make_shared<NewOptions>();
  command->add_option("name", options->name, "of the parser: letters a-z, digits, _ - .")->required();
  command->add_option("--from", options->from, "the sample, a line a message; - is stdin")
      ->type_name("FILE")
      ->required();
  command->add_option("--out", options->out, "where to write it (default: stdout); never over a file")
      ->type_name("FILE");
  command->add_option("--parsers", options->parsers, "files or folders of parsers beside which it will stand")
      ->type_name("DIR");
  command->callback([options, &chosen] { chosen = [options] { return make_new(*options); }; });
}

}  // namespace

void add_parsers(CLI::App& app, Chosen& chosen) {
  auto* command = add_file_commands(
      app, chosen,
      {"parsers",
       "parsers: what runs and what it knew, are files right, do their tests hold",
       "Example: yushi parsers test my-parsers/",
       {"the parsers that the daemon runs, with hits and costs; without one ours, and those of PATH; and what is left "
        "out",
        "Example: yushi parsers list -o json", list},
       {"every problem of the files, as file:line:column: message", "Example: yushi parsers check my-parsers/vpn.yaml",
        check},
       {"runs the tests inside the files; with PATH names each of theirs",
        "Example: yushi parsers test my-parsers/vpn.yaml", test},
       "puts quotes, blanks, addresses and whole lines where text from outside stands: no other field may change"});
  add_new(*command, chosen);
  add_unknown(*command, chosen);
}

}  // namespace yushi::cli
