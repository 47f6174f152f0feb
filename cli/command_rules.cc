// rules check|test: rule files without a daemon. rules list: those of a daemon, or files.
#include <nlohmann/json.hpp>

#include "cli/file_commands.h"
#include "cli/output.h"
#include "detect/rules/check.h"
#include "detect/words.h"
#include "parsers/file/share_directory.h"
#include "parsers/joiner.h"
#include "parsers/understand.h"
#include "query/listing.h"

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

int check(const FilesOptions& options) {
  auto files = files_of(options.paths);
  if (!files) return report(files.error());
  if (auto parsers = load_parsers(options.parsers); !parsers) return report(parsers.error());
  auto sources = load_log_sources();
  if (!sources) return report(sources.error());
  auto checked = detect::check_rule_files(*files, **sources);
  Out out;
  for (auto& problem : checked.problems) out.text(problem.text());
  for (auto& document : checked.passed_over) out.text(document);
  using detect::number_text;
  std::string said = number_text(files->size(), "file", "files") + ": " + number_text(checked.rules, "rule", "rules") +
                     ", " + number_text(checked.correlations, "correlation", "correlations") + ", " +
                     (checked.filters > 0 ? number_text(checked.filters, "filter", "filters") + ", " : "") +
                     number_text(checked.tests, "test", "tests");
  if (!checked.ok()) said += ": wrong";
  if (checked.cannot_run > 0) said += "; " + std::to_string(checked.cannot_run) + " cannot run";
  if (checked.of_known_id > 0)
    said += "; " + number_text(checked.of_known_id, "is", "are") + " left out, of an id that another one has";
  if (checked.repeated > 0)
    said += "; " + number_text(checked.repeated, "file says", "files say") + " what another one says";
  if (!checked.passed_over.empty())
    said += "; " + number_text(checked.passed_over.size(), "document is no rule", "documents are no rules");
  out.write(said + "\n");
  // A rule that cannot run guards nothing, however right it is.
  return !checked.ok() ? kExitError : checked.problems.empty() ? kExitFound : kExitNothing;
}

int test(const FilesOptions& options) {
  auto files = files_of(options.paths);
  if (!files) return report(files.error());
  auto parsers = load_parsers(options.parsers);
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
  out.write(detect::number_text(tested->passed + tested->failures.size(), "test", "tests") + ", " +
            std::to_string(tested->failures.size()) + " failed\n");
  return tested->failures.empty() && tested->unsupported.empty() ? kExitFound : kExitNothing;
}

Result<void> list_files(const FilesOptions& options, const query::LineSink& sink) {
  auto files = YUSHI_TRY(files_of(options.paths));
  YUSHI_TRY(load_parsers(options.parsers));
  auto sources = YUSHI_TRY(load_log_sources());
  auto set = YUSHI_TRY(detect::RuleSet::load(std::move(files), *sources));
  for (auto& rule : set->list()) {
    const query::ListedRule listed{rule.id, rule.title, rule.level, rule.path, rule.line};
    if (!sink(query::listed_line(listed, std::nullopt))) return {};
  }
  for (auto& words : set->unsupported()) sink(query::left_out_line(words));
  return {};
}

int list(const FilesOptions& options) {
  const ListShown shown = {"rules", {"level", "title", "id"}, [](const nlohmann::ordered_json& rule) {
                             return std::vector<std::string>{cell_of(rule, "level"), cell_of(rule, "title"),
                                                             cell_of(rule, "id"),
                                                             cell_of(rule, "path") + ":" + cell_of(rule, "line")};
                           }};
  return list_lines(options, shown, [&](const query::LineSink& sink) { return list_files(options, sink); });
}

int canary(const Options& options) {
  const auto kind = output_kind(options.output, OutputKind::columns);
  Out out;
  RowPrinter rows(out, kind, {"silent rule", "id", "file"});
  std::string left_out;
  size_t released = 0, silent = 0, wrong = 0, run = 0;
  const auto see = [&](const nlohmann::ordered_json& said) {
    if (said.contains("left_out")) {
      left_out += cell_of(said, "left_out") + ": " + cell_of(said, "reason") + "\n";
      ++wrong;
      return;
    }
    if (said.contains("rules")) {
      run = said.value("rules", uint64_t{0});
      return;
    }
    ++released;
    if (said.value("silent", false) && ++silent > 0)
      rows.row({cell_of(said, "title"), cell_of(said, "id"), cell_of(said, "path") + ":" + cell_of(said, "line")});
  };
  const auto show = [&](std::string_view line) {
    if (kind == OutputKind::json) out.json(line);
    if (auto said = nlohmann::ordered_json::parse(line, nullptr, false); said.is_object()) see(said);
    return out.good();
  };
  return ask_store(options, {"rules/canary", {}}, show, [&](const AnswerEnd&) {
    if (kind != OutputKind::json) {
      rows.finish();
      out.text(left_out);
      out.text(detect::number_text(released, "canary", "canaries") + " of " +
               detect::number_text(run, "rule that runs", "rules that run") + "; " +
               detect::number_text(silent, "rule stays", "rules stay") + " silent" +
               (wrong == 0 ? "" : ", " + detect::number_text(wrong, "file is", "files are") + " wrong") + "\n");
    }
    return silent == 0 && wrong == 0 ? kExitFound : kExitNothing;
  });
}

void add_canary(CLI::App& rules, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(rules, *options, "rules/canary");
  command->footer(
      "Example: yushi rules canary\n\nThe lines are of no tenant, come into no log and teach no habit. Ends 1 when a "
      "rule stays silent, or a file of rules is wrong.");
  command->add_option("--server", options->server, "unix:PATH of the daemon's socket");
  add_output_option(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return canary(*options); }; });
}

}  // namespace

void add_rules(CLI::App& app, Chosen& chosen) {
  auto* rules = add_file_commands(
      app, chosen,
      {"rules",
       "rules: what runs and what it found, are files right, do their tests hold",
       "Example: yushi rules test my-rules/",
       {"the rules that the daemon runs, with hits and costs; without one ours, or those of PATH; and what is left out",
        "Example: yushi rules list -o json", list},
       {"what is wrong with the files, as path:line:column: message", "Example: yushi rules check my-rules/", check},
       {"runs the tests inside the files", "Example: yushi rules test my-rules/vpn.yml", test},
       nullptr,
       true});
  add_canary(*rules, chosen);
}

}  // namespace yushi::cli
