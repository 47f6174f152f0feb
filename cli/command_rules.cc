// rules check|test|list: rule files without a daemon.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"
#include "cli/output.h"
#include "core/record/ecs_json.h"
#include "detect/check.h"
#include "parsers/share_directory.h"
#include "parsers/understand.h"

namespace yushi {
namespace {

struct RulesOptions {
  std::vector<std::string> paths;
  std::string output;
};

Result<std::vector<RuleFile>> read_paths(const std::vector<std::string>& paths) {
  if (paths.empty()) return read_rule_directories({share_directory("rules")});
  std::vector<RuleFile> files;
  for (auto& path : paths) {
    if (std::filesystem::is_directory(path)) {
      auto some = read_rule_directories({path});
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

int check(const RulesOptions& options) {
  auto files = read_paths(options.paths);
  if (!files) return report(files.error());
  auto checked = check_rule_files(*files);
  Out out;
  for (auto& problem : checked.problems) out.write(problem.text() + "\n");
  out.write(std::to_string(files->size()) + " files: " + std::to_string(checked.rules) + " rules, " +
            std::to_string(checked.correlations) + " correlations, " + std::to_string(checked.tests) + " tests" +
            (checked.ok() ? "" : ": wrong") + "\n");
  return checked.ok() ? kExitFound : kExitError;
}

int test(const RulesOptions& options) {
  auto files = read_paths(options.paths);
  if (!files) return report(files.error());
  auto parser_files = read_parser_directories({share_directory("parsers")});
  if (!parser_files) return report(parser_files.error());
  auto parsers = ParserSet::load(std::move(*parser_files));
  if (!parsers) return report(parsers.error());
  Understander understander(*parsers);
  auto tested = run_rule_tests(*files, [&](Batch& batch) {
    understander.understand(batch, *Zone::utc());
    batch.keep.push_back(*parsers);
  });
  if (!tested) return report(tested.error());
  Out out;
  for (auto& failure : tested->failures) out.write(failure + "\n");
  for (auto& lacking : tested->lacking) out.write(lacking + ": has no test that raises it, or none that must not\n");
  out.write(std::to_string(tested->passed) + " tests passed, " + std::to_string(tested->failures.size()) + " failed\n");
  return tested->failures.empty() ? kExitFound : kExitNothing;
}

int list(const RulesOptions& options) {
  auto files = read_paths(options.paths);
  if (!files) return report(files.error());
  auto set = RuleSet::load(std::move(*files));
  if (!set) return report(set.error());
  auto kind = output_kind(options.output);
  Out out;
  RowPrinter rows(out, kind, {"level", "title", "id", "file"});
  for (auto& rule : (*set)->list()) {
    if (kind == OutputKind::json) {
      std::string line = "{\"id\":";
      append_json_string(line, rule.id);
      line += ",\"title\":";
      append_json_string(line, rule.title);
      line += ",\"level\":";
      append_json_string(line, rule.level);
      line += ",\"path\":";
      append_json_string(line, rule.path);
      out.write(line + ",\"line\":" + std::to_string(rule.line) + "}\n");
    } else {
      rows.row({rule.level, rule.title, rule.id, rule.path + ":" + std::to_string(rule.line)});
    }
  }
  if (kind == OutputKind::json) {
    for (auto& words : (*set)->unsupported()) {
      std::string line = "{\"unsupported\":";
      append_json_string(line, words);
      out.write(line + "}\n");
    }
    return kExitFound;
  }
  rows.finish();
  for (auto& words : (*set)->unsupported()) out.write(words + "\n");
  return kExitFound;
}

}  // namespace

void add_rules(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("rules", "rule files: what is loaded, are they right, do their tests hold");
  command->footer("Example: yushi rules test my-rules/");
  command->require_subcommand(1);
  auto options = std::make_shared<RulesOptions>();
  struct Named {
    const char *name, *help, *example;
    int (*run)(const RulesOptions&);
  };
  constexpr Named kNamed[] = {
      {"list", "the rules of PATH, or ours; unsupported ones with the reason", "Example: yushi rules list -o json", list},
      {"check", "every problem of the files, as path:line:column: message", "Example: yushi rules check my-rules/", check},
      {"test", "runs the tests inside the files", "Example: yushi rules test my-rules/vpn.yml", test},
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
