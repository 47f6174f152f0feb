// parsers check|test|list: parser files without a daemon.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"
#include "cli/output.h"
#include "core/record/ecs_json.h"
#include "parsers/check.h"
#include "parsers/share_directory.h"

namespace yushi {
namespace {

struct ParsersOptions {
  std::vector<std::string> paths;
  std::string output;
};

Result<std::vector<ParserFile>> read_paths(const std::vector<std::string>& paths) {
  std::vector<ParserFile> files;
  for (auto& path : paths) {
    if (std::filesystem::is_directory(path)) {
      auto some = read_parser_directories({path});
      if (!some) return some;
      files.insert(files.end(), some->begin(), some->end());
      continue;
    }
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    if (!in || !(text << in.rdbuf())) return fail(Code::io, "reading " + path + ": " + std::strerror(errno ? errno : EIO));
    files.push_back({std::filesystem::path(path).filename().string(), path, text.str()});
  }
  return files;
}

// Ours, and over them the files of `paths`: one of the same name wins.
Result<std::vector<ParserFile>> all_files(const std::vector<std::string>& paths) {
  auto files = read_parser_directories({share_directory("parsers")});
  if (!files) return files;
  auto more = read_paths(paths);
  if (!more) return more;
  for (auto& file : *more) {
    std::erase_if(*files, [&](const ParserFile& known) { return known.name == file.name; });
    files->push_back(std::move(file));
  }
  return files;
}

int print_problems(const std::vector<std::string>& problems, int code) {
  Out out;
  for (auto& problem : problems) out.write(problem + "\n");
  return problems.empty() ? kExitFound : code;
}

int check(const ParsersOptions& options) {
  auto files = options.paths.empty() ? read_parser_directories({share_directory("parsers")}) : read_paths(options.paths);
  if (!files) return report(files.error());
  if (auto problems = check_parser_files(*files); !problems.empty()) return print_problems(problems, kExitError);
  Out().write(std::to_string(files->size()) + " parser files: ok\n");
  return kExitFound;
}

int test(const ParsersOptions& options) {
  auto files = all_files(options.paths);
  if (!files) return report(files.error());
  if (auto problems = check_parser_files(*files); !problems.empty()) return print_problems(problems, kExitError);
  auto set = ParserSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto tested = run_parser_tests(*set);
  print_problems(tested.failures, kExitNothing);
  Out().write(std::to_string(tested.tests) + " tests, " + std::to_string(tested.failures.size()) + " failed\n");
  return tested.failures.empty() ? kExitFound : kExitNothing;
}

int list(const ParsersOptions& options) {
  auto files = all_files(options.paths);
  if (!files) return report(files.error());
  auto set = ParserSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto kind = output_kind(options.output);
  Out out;
  RowPrinter rows(out, kind, {"parser", "dataset", "patterns", "tests", "asked", "file"});
  for (auto& parser : list_parsers(**set)) {
    if (kind == OutputKind::json) {
      std::string line = "{\"parser\":";
      append_json_string(line, parser.name);
      line += ",\"dataset\":";
      append_json_string(line, parser.dataset);
      line += ",\"patterns\":" + std::to_string(parser.patterns) + ",\"tests\":" + std::to_string(parser.tests) +
              ",\"generic\":" + (parser.generic ? "true" : "false") + ",\"path\":";
      append_json_string(line, parser.path);
      out.write(line + "}\n");
    } else {
      rows.row({parser.name, parser.dataset, std::to_string(parser.patterns), std::to_string(parser.tests),
                parser.generic ? "last" : "by kind", parser.path});
    }
  }
  if (kind != OutputKind::json) rows.finish();
  return kExitFound;
}

}  // namespace

void add_parsers(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("parsers", "parser files: what is loaded, are they right, do their tests hold");
  command->footer("Example: yushi parsers test my-parsers/");
  command->require_subcommand(1);
  auto options = std::make_shared<ParsersOptions>();
  struct Named {
    const char *name, *help, *example;
    int (*run)(const ParsersOptions&);
  };
  constexpr Named kNamed[] = {
      {"list", "what is loaded, ours and those of PATH", "Example: yushi parsers list -o json", list},
      {"check", "every problem of the files, as file:line:column: message", "Example: yushi parsers check my-parsers/vpn.yaml", check},
      {"test", "runs the tests inside the files", "Example: yushi parsers test my-parsers/", test},
  };
  for (auto& named : kNamed) {
    auto* one = command->add_subcommand(named.name, named.help);
    one->footer(named.example);
    one->add_option("path", options->paths, "files or folders (default: our own)");
    if (named.run == list) {
      one->add_option("-o,--output", options->output, "table, raw, json or csv")->check(CLI::IsMember({"table", "raw", "json", "csv"}));
    }
    one->callback([options, &chosen, run = named.run] { chosen = [options, run] { return run(*options); }; });
  }
}

}  // namespace yushi
