// rules check|test|list: rule files without a daemon.
#include <nlohmann/json.hpp>

#include "cli/file_commands.h"
#include "cli/output.h"
#include "detect/check.h"
#include "parsers/joiner.h"
#include "parsers/share_directory.h"
#include "parsers/understand.h"

namespace yushi::cli {
namespace {

Result<std::vector<detect::RuleFile>> files_of(const std::vector<std::string>& paths) {
  if (paths.empty()) return detect::read_rule_directories({parsers::share_directory("rules")});
  return read_paths(paths, detect::read_rule_directories);
}

// Where Sigma rules look, by our own files.
Result<std::shared_ptr<const detect::LogSources>> load_log_sources() {
  return detect::LogSources::load(YUSHI_TRY(detect::read_rule_directories({parsers::share_directory("sigma")})));
}

// Ours and those of --parsers: rules name their fields, and a test's lines are parsed by them.
Result<std::shared_ptr<const parsers::ParserSet>> load_parsers(const FilesOptions& options) {
  std::vector<std::string> folders = {parsers::share_directory("parsers")};
  folders.insert(folders.end(), options.parsers.begin(), options.parsers.end());
  auto files = YUSHI_TRY(parsers::read_parser_directories(folders));
  return parsers::ParserSet::load(std::move(files));
}

int check(const FilesOptions& options) {
  auto files = files_of(options.paths);
  if (!files) return report(files.error());
  if (auto parsers = load_parsers(options); !parsers) return report(parsers.error());
  auto sources = load_log_sources();
  if (!sources) return report(sources.error());
  auto checked = detect::check_rule_files(*files, **sources);
  Out out;
  for (auto& problem : checked.problems) out.text(problem.text());
  out.write(std::to_string(files->size()) + " files: " + std::to_string(checked.rules) + " rules, " +
            std::to_string(checked.correlations) + " correlations, " + std::to_string(checked.tests) + " tests" +
            (!checked.ok()              ? ": wrong"
             : checked.problems.empty() ? ""
                                        : "; " + std::to_string(checked.problems.size()) + " cannot run") +
            "\n");
  // A rule that cannot run guards nothing, however right it is.
  return !checked.ok() ? kExitError : checked.problems.empty() ? kExitFound : kExitNothing;
}

int test(const FilesOptions& options) {
  auto files = files_of(options.paths);
  if (!files) return report(files.error());
  auto parsers = load_parsers(options);
  if (!parsers) return report(parsers.error());
  parsers::Understander understander(*parsers);
  auto sources = load_log_sources();
  if (!sources) return report(sources.error());
  auto tested = detect::run_rule_tests(*files, **sources, [&](Batch& batch) {
    understander.understand(batch);
    parsers::join_lines(batch, *parsers);
    batch.keep.push_back(*parsers);
  });
  if (!tested) return report(tested.error());
  Out out;
  for (auto& failure : tested->failures) out.text(failure);
  for (auto& rule : tested->unsupported) out.text(rule);
  for (auto& lacking : tested->lacking) out.text(lacking + ": has no test that raises it, or none that must not");
  out.write(std::to_string(tested->passed) + " tests, " + std::to_string(tested->failures.size()) + " failed\n");
  return tested->failures.empty() && tested->unsupported.empty() ? kExitFound : kExitNothing;
}

int list(const FilesOptions& options) {
  auto files = files_of(options.paths);
  if (!files) return report(files.error());
  if (auto parsers = load_parsers(options); !parsers) return report(parsers.error());
  auto sources = load_log_sources();
  if (!sources) return report(sources.error());
  auto set = detect::RuleSet::load(std::move(*files), **sources);
  if (!set) return report(set.error());
  auto kind = output_kind(options.output, OutputKind::columns);
  Out out;
  RowPrinter rows(out, kind, {"level", "title", "id", "file"});
  for (auto& rule : (*set)->list()) {
    if (kind == OutputKind::json) {
      out.json(json_of(
          {{"id", rule.id}, {"title", rule.title}, {"level", rule.level}, {"path", rule.path}, {"line", rule.line}}));
    } else {
      rows.row({rule.level, rule.title, rule.id, rule.path + ":" + std::to_string(rule.line)});
    }
  }
  rows.finish();
  for (auto& words : (*set)->unsupported()) {
    if (kind == OutputKind::json)
      out.json(json_of({{"unsupported", words}}));
    else
      out.text(words);
  }
  return kExitFound;
}

}  // namespace

void add_rules(CLI::App& app, Chosen& chosen) {
  add_file_commands(
      app, chosen,
      {"rules",
       "rule files: what is loaded, are they right, do their tests hold",
       "Example: yushi rules test my-rules/",
       {"the rules of PATH, or ours; unsupported ones with the reason", "Example: yushi rules list -o json", list},
       {"every problem of the files, as path:line:column: message", "Example: yushi rules check my-rules/", check},
       {"runs the tests inside the files", "Example: yushi rules test my-rules/vpn.yml", test},
       nullptr,
       true});
}

}  // namespace yushi::cli
