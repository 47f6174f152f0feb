// parsers check|test|list: parser files without a daemon.
#include <nlohmann/json.hpp>

#include "cli/file_commands.h"
#include "cli/output.h"
#include "parsers/check.h"
#include "parsers/share_directory.h"

namespace yushi {
namespace {

// Ours, and over them the files of `paths`: one of the same name wins.
Result<std::vector<ParserFile>> all_files(const std::vector<std::string>& paths) {
  auto files = read_parser_directories({share_directory("parsers")});
  if (!files) return files;
  auto more = read_paths(paths, read_parser_directories);
  if (!more) return more;
  for (auto& file : *more) {
    std::erase_if(*files, [&](const ParserFile& known) { return known.name == file.name; });
    files->push_back(std::move(file));
  }
  return files;
}

int print_problems(const std::vector<std::string>& problems, int code) {
  Out out;
  for (auto& problem : problems) out.text(problem);
  return problems.empty() ? kExitFound : code;
}

int check(const FilesOptions& options) {
  auto files = options.paths.empty() ? read_parser_directories({share_directory("parsers")})
                                     : read_paths(options.paths, read_parser_directories);
  if (!files) return report(files.error());
  const auto checked = files->size();
  if (!options.paths.empty()) {  // the shared tables of ours, on which a file may lean; theirs of the same name stand behind
    auto ours = read_parser_directories({share_directory("parsers")});
    if (!ours) return report(ours.error());
    auto shared = shared_files(*ours);
    files->insert(files->begin(), shared.begin(), shared.end());
  }
  if (auto problems = check_parser_files(*files); !problems.empty()) return print_problems(problems, kExitError);
  Out().write(std::to_string(checked) + " parser files: ok\n");
  return kExitFound;
}

int test(const FilesOptions& options) {
  auto files = all_files(options.paths);
  if (!files) return report(files.error());
  if (auto problems = check_parser_files(*files); !problems.empty()) return print_problems(problems, kExitError);
  auto set = ParserSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto tested = options.hostile ? run_hostile_tests(*set) : run_parser_tests(*set);
  print_problems(tested.failures, kExitNothing);
  Out().write(std::to_string(tested.tests) + (options.hostile ? " hostile lines, " : " tests, ") +
              std::to_string(tested.failures.size()) + " failed\n");
  return tested.failures.empty() ? kExitFound : kExitNothing;
}

int list(const FilesOptions& options) {
  auto files = all_files(options.paths);
  if (!files) return report(files.error());
  auto set = ParserSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto kind = output_kind(options.output, OutputKind::columns);
  Out out;
  RowPrinter rows(out, kind, {"parser", "dataset", "patterns", "tests", "asked", "file"});
  for (auto& parser : list_parsers(**set)) {
    if (kind == OutputKind::json) {
      out.json(json_of({{"parser", parser.name}, {"dataset", parser.dataset}, {"patterns", parser.patterns},
                        {"tests", parser.tests}, {"generic", parser.generic}, {"path", parser.path}}));
    } else {
      rows.row({parser.name, parser.dataset, std::to_string(parser.patterns), std::to_string(parser.tests),
                parser.generic ? "last" : "by kind", parser.path});
    }
  }
  rows.finish();
  return kExitFound;
}

}  // namespace

void add_parsers(CLI::App& app, Chosen& chosen) {
  add_file_commands(
      app, chosen,
      {"parsers",
       "parser files: what is loaded, are they right, do their tests hold",
       "Example: yushi parsers test my-parsers/",
       {"what is loaded, ours and those of PATH", "Example: yushi parsers list -o json", list},
       {"every problem of the files, as file:line:column: message", "Example: yushi parsers check my-parsers/vpn.yaml", check},
       {"runs the tests inside the files", "Example: yushi parsers test --hostile my-parsers/", test},
       "puts quotes, blanks, addresses and whole lines where text from outside stands: no other field may change"});
}

}  // namespace yushi
