#include "cli/file_commands.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "parsers/file/share_directory.h"

namespace yushi::cli {

CLI::App* add_file_commands(CLI::App& app, Chosen& chosen, const FileCommands& commands) {
  auto* command = app.add_subcommand(commands.name, commands.help);
  command->footer(commands.example);
  command->require_subcommand(1);
  auto options = std::make_shared<FilesOptions>();
  auto add = [&](const char* name, const FileCommand& one) {
    auto* sub = command->add_subcommand(name, one.help);
    sub->footer(one.example);
    sub->add_option("path", options->paths, "files or folders (default: our own)");
    if (commands.takes_parsers)
      sub->add_option("--parsers", options->parsers, "folders with parsers of your own, whose fields the rules name")
          ->type_name("DIR");
    sub->callback([options, &chosen, run = one.run] { chosen = [options, run] { return run(*options); }; });
    return sub;
  };
  auto* list = add("list", commands.list);
  list->add_option("--server", options->server, "unix:PATH of the daemon's socket (default: as for other commands)");
  list->add_option("-o,--output", options->output, "table, raw, json or csv")
      ->check(CLI::IsMember({"table", "raw", "json", "csv"}));
  add("check", commands.check);
  auto* test = add("test", commands.test);
  if (commands.hostile_help) test->add_flag("--hostile", options->hostile, commands.hostile_help);
  return command;
}

namespace {

// Who names a daemon wants no other answer; else it is asked where it answers.
bool asks_daemon(const FilesOptions& options) {
  if (!options.paths.empty()) return false;
  const auto* named = std::getenv("YUSHI_SERVER");
  return !options.server.empty() || (named && *named) || make_asker({}, {}).has_value();
}

}  // namespace

std::string cell_of(const nlohmann::ordered_json& said, const char* name) {
  using Json = nlohmann::ordered_json;
  const auto text = [](const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  const auto found = said.find(name);
  if (found == said.end() || found->is_null()) return {};
  if (!found->is_array()) return text(*found);
  std::string out;
  for (auto& each : *found) out += (out.empty() ? "" : ", ") + text(each);
  return out;
}

int list_lines(const FilesOptions& options, const ListShown& shown,
               const std::function<Result<void>(const query::LineSink&)>& of_files) {
  const bool asks = asks_daemon(options);
  const auto kind = output_kind(options.output, OutputKind::columns);
  const auto zone = local_zone();
  auto columns = shown.columns;
  if (asks) columns.insert(columns.end(), {"hits", "last hit", "cost ms"});
  columns.push_back("file");
  Out out;
  RowPrinter rows(out, kind, columns);
  std::string left_out, exceptions;
  const auto show = object_lines(out, kind, [&](const nlohmann::ordered_json& said) {
    const auto text = [&](const char* name) { return cell_of(said, name); };
    if (said.contains("left_out")) {
      left_out += text("left_out") + ": " + text("reason") + "\n";
      return;
    }
    if (said.contains("exception")) {
      const auto when = text("when"), reason = text("reason"), last = text("last_use");
      // A line, whatever line breaks stand in its texts.
      append_printable(exceptions, "exception for " + text("exception") + (when.empty() ? "" : " when " + when) +
                                       ", of " + text("owner") + " until " + text("until") +
                                       (text("ended") == "true" ? " (ended)" : "") +
                                       (reason.empty() ? "" : ": " + reason) + "; used " + text("uses") + " times" +
                                       (last.empty() ? "" : ", last " + last) + " (" + text("place") + ")");
      exceptions += "\n";
      return;
    }
    auto cells = shown.cells(said);
    if (asks) {
      auto last_hit = text("last_hit");
      if (kind == OutputKind::table && !last_hit.empty()) last_hit = local_time_text(last_hit, *zone, false);
      cells.insert(cells.end() - 1, {text("hits"), last_hit, text("cost_ms")});
    }
    rows.row(std::move(cells));
  });
  const auto finish = [&] {
    rows.finish();
    out.text(exceptions);
    out.text(left_out);
    return kExitFound;
  };
  if (asks) {
    Options place;
    place.server = options.server;
    return ask_store(place, {shown.question, {}}, show, [&](const AnswerEnd&) { return finish(); });
  }
  if (auto listed = of_files(show); !listed) return report(listed.error());
  return finish();
}

Result<std::shared_ptr<const parsers::ParserSet>> load_parsers(const std::vector<std::string>& folders) {
  std::vector<std::string> all = {parsers::share_directory("parsers")};
  all.insert(all.end(), folders.begin(), folders.end());
  return parsers::ParserSet::load(YUSHI_TRY(parsers::read_parser_directories(all)), parsers::ReadTests::of_site);
}

}  // namespace yushi::cli
