#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "core/base/time_text.h"
#include "detect/words.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* pointer) {
  auto path = Json::json_pointer(pointer);
  if (!object.is_object() || !object.contains(path)) return {};
  auto& value = object.at(path);
  if (!value.is_array()) return value.is_string() ? value.get<std::string>() : value.dump();
  std::string out;
  for (auto& item : value)
    out += (out.empty() ? "" : ", ") + (item.is_string() ? item.get<std::string>() : item.dump());
  return out;
}

bool yes(const Json& object, const char* pointer) { return text(object, pointer) == "true"; }

const std::vector<std::string> kColumns = {"raised", "event time", "id", "severity", "tenant", "rule", "reason"};
// from here on it is marked that an event is older than its alert, or bears a time to come
constexpr int64_t kApartNs = 60 * kSecond;

// When it was raised is our clock, when it happened the sender's.
std::string event_time_text(const Json& alert, const Zone& zone) {
  auto text_of_event = text(alert, "/@timestamp");
  auto event = parse_time(text_of_event, 0, *Zone::utc()),
       raised = parse_time(text(alert, "/event/created"), 0, *Zone::utc());
  std::string shown = local_time_text(text_of_event, zone, false);
  if (!event || !raised) return shown;
  int64_t before_ns = raised->unix_ns - event->unix_ns;
  if (before_ns >= kApartNs) shown += " (" + detect::duration_text(before_ns) + " before)";
  if (before_ns <= -kApartNs) shown += " (" + detect::duration_text(-before_ns) + " after)";
  return shown;
}

std::vector<std::string> cells_of(const Json& alert, OutputKind kind, const Zone& zone) {
  auto raised = text(alert, "/event/created");
  auto severity = text(alert, "/yushi/alert/severity");
  if (yes(alert, "/yushi/alert/learning")) severity += " (learning)";
  bool table = kind == OutputKind::table;
  return {table ? local_time_text(raised, zone, false) : raised,
          table ? event_time_text(alert, zone) : text(alert, "/@timestamp"),
          text(alert, "/yushi/alert/id"),
          severity,
          text(alert, "/organization/name"),
          text(alert, "/rule/name"),
          text(alert, "/yushi/alert/reason")};
}

int list(const Options& options) {
  auto kind = output_kind(options.output, OutputKind::columns);
  auto zone = zone_of(options);
  const auto question = question_of("alerts", options);
  Out out;
  RowPrinter rows(out, kind, kColumns);
  return ask_store(options, question,
                   object_lines(out, kind, [&](const Json& alert) { rows.row(cells_of(alert, kind, *zone)); }),
                   [&](const AnswerEnd& end) {
                     rows.finish();
                     return end.records > 0 ? kExitFound : kExitNothing;
                   });
}

void print_alert(Out& out, const Json& alert, const Zone& zone) {
  std::string shown;
  auto say = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    shown += name;
    shown.append(name.size() < 12 ? 12 - name.size() : 1, ' ');
    append_printable(shown, value);
    shown.push_back('\n');
  };
  say("alert", text(alert, "/yushi/alert/id"));
  say("raised", local_time_text(text(alert, "/event/created"), zone));
  say("event time", event_time_text(alert, zone));
  say("severity", text(alert, "/yushi/alert/severity") + ", score " + text(alert, "/yushi/alert/score") +
                      (yes(alert, "/yushi/alert/learning") ? ", found while still learning" : ""));
  say("rule", text(alert, "/rule/name") + " (" + text(alert, "/rule/id") + ")");
  say("tenant", text(alert, "/organization/name"));
  say("reason", text(alert, "/yushi/alert/reason"));
  say("baseline", text(alert, "/yushi/alert/baseline"));
  say("tags", text(alert, "/tags"));
  say("rule digest", text(alert, "/yushi/alert/rule_digest"));
  say("records", text(alert, "/yushi/alert/records"));
  shown.push_back('\n');
  out.write(shown);
}

int show(const Options& options, const std::string& id) {
  auto kind = output_kind(options.output);
  auto zone = zone_of(options);
  Out out;
  LinePrinter printer(out, kind, kind, zone);
  bool first = true;
  const auto question = question_of("alerts/" + id, options);
  return ask_store(
      options, question,
      [&](std::string_view line) {
        bool is_alert = first;
        first = false;
        if (kind == OutputKind::json) return printer.line(line);
        if (!is_alert) return printer.line(line);
        auto alert = Json::parse(line, nullptr, false);
        if (kind == OutputKind::table) print_alert(out, alert, *zone);
        if (kind == OutputKind::csv) {  // a table of its own before that of the records
          RowPrinter rows(out, kind, kColumns);
          rows.row(cells_of(alert, kind, *zone));
          out.write("\n");
        }
        return out.good();
      },
      [&](const AnswerEnd&) {
        printer.finish();
        return kExitFound;
      });
}

}  // namespace

void add_alerts(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("alerts", "anomalies and rule hits, with the reason and the records behind each");
  command->footer("Examples: yushi alerts list --since today\n          yushi alerts show 3f2a9c0d1b4e5f60");
  auto options = std::make_shared<Options>();
  auto id = std::make_shared<std::string>();
  auto add_list_options = [&](CLI::App& to) {
    add_output_option(to, *options);
    add_place_options(to, *options);
  };
  auto* listing = add_question(*command, *options, "alerts");
  listing->footer("Example: yushi alerts list --since 7d -n 20");
  add_list_options(*listing);
  add_question_options(*command, *options, "alerts");
  add_list_options(*command);
  auto* showing = add_question(*command, *options, "alerts/{id}");
  showing->footer("Example: yushi alerts show 3f2a9c0d1b4e5f60");
  showing->add_option("id", *id, "as `alerts list` shows it")->required();
  showing->add_flag("--utc", options->utc, "times in UTC");
  add_output_option(*showing, *options);
  add_place_options(*showing, *options);
  command->require_subcommand(0, 1);
  command->callback([=, &chosen] {
    bool shows = showing->parsed();
    chosen = [=] { return shows ? show(*options, *id) : list(*options); };
  });
}

}  // namespace yushi::cli
