#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/lang.h"
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

const std::vector<std::string> kColumns = {"raised", "event time", "id", "severity", "tenant", "rule", "reason"},
                               kColumnsZh = {"告警时间", "事件时间", "编号", "级别", "租户", "规则", "原因"};
std::string rule_name(const Json& alert, bool zh) {
  const auto chinese = zh ? text(alert, "/yushi/alert/rule_name_zh") : std::string();
  return chinese.empty() ? text(alert, "/rule/name") : chinese;
}

// from here on it is marked that an event is older than its alert, or bears a time to come
constexpr int64_t kApartNs = 60 * kSecond;

// When it was raised is our clock, when it happened the sender's.
std::string event_time_text(const Json& alert, const Zone& zone, bool zh) {
  const auto lang = zh ? detect::Lang::zh : detect::Lang::en;
  auto text_of_event = text(alert, "/@timestamp");
  auto event = parse_time(text_of_event, 0, *Zone::utc()),
       raised = parse_time(text(alert, "/event/created"), 0, *Zone::utc());
  std::string shown = local_time_text(text_of_event, zone, false);
  if (!event || !raised) return shown;
  int64_t before_ns = raised->unix_ns - event->unix_ns;
  if (before_ns >= kApartNs) shown += " (" + detect::duration_text(before_ns, lang) + (zh ? "前)" : " before)");
  if (before_ns <= -kApartNs) shown += " (" + detect::duration_text(-before_ns, lang) + (zh ? "后)" : " after)");
  return shown;
}

std::vector<std::string> cells_of(const Json& alert, OutputKind kind, const Zone& zone, bool zh) {
  auto raised = text(alert, "/event/created");
  auto severity = severity_word(text(alert, "/yushi/alert/severity"), zh && for_eyes(kind));
  if (yes(alert, "/yushi/alert/learning")) severity += zh ? "（学习期）" : " (learning)";
  bool table = kind == OutputKind::table;
  return {table ? local_time_text(raised, zone, false) : raised,
          table ? event_time_text(alert, zone, zh) : text(alert, "/@timestamp"),
          text(alert, "/yushi/alert/id"),
          severity,
          text(alert, "/organization/name"),
          rule_name(alert, zh),
          said_at(alert, "/yushi/alert/reason", zh)};
}

int list(const Options& options) {
  auto kind = output_kind(options.output, OutputKind::columns);
  auto zone = zone_of(options);
  const auto question = question_of("alerts", options);
  const bool zh = is_chinese(options);
  Out out;
  RowPrinter rows(out, kind, zh && for_eyes(kind) ? kColumnsZh : kColumns);
  return ask_store(options, question,
                   object_lines(out, kind, [&](const Json& alert) { rows.row(cells_of(alert, kind, *zone, zh)); }),
                   [&](const AnswerEnd& end) {
                     rows.finish();
                     return end.records > 0 ? kExitFound : kExitNothing;
                   });
}

void print_alert(Out& out, const Json& alert, const Zone& zone, bool zh) {
  std::string shown;
  auto say = [&](std::string_view english, std::string_view chinese, std::string_view value) {
    if (value.empty()) return;
    const auto name = zh ? chinese : english;
    const size_t columns = display_columns(name);
    shown += name;
    shown.append(columns < 12 ? 12 - columns : 1, ' ');
    append_printable(shown, value);
    shown.push_back('\n');
  };
  say("alert", "告警", text(alert, "/yushi/alert/id"));
  say("raised", "告警时间", local_time_text(text(alert, "/event/created"), zone));
  say("event time", "事件时间", event_time_text(alert, zone, zh));
  const bool learning = yes(alert, "/yushi/alert/learning");
  say("severity", "级别",
      severity_word(text(alert, "/yushi/alert/severity"), zh) + (zh ? "，分值 " : ", score ") +
          text(alert, "/yushi/alert/score") +
          (!learning ? ""
           : zh      ? "，学习期内发现"
                     : ", found while still learning"));
  say("rule", "规则", rule_name(alert, zh) + " (" + text(alert, "/rule/id") + ")");
  say("tenant", "租户", text(alert, "/organization/name"));
  say("reason", "原因", said_at(alert, "/yushi/alert/reason", zh));
  say("baseline", "基线", text(alert, "/yushi/alert/baseline"));
  if (const auto story = text(alert, "/yushi/alert/story/id"); !story.empty())
    say("story", "事件",
        story + (zh ? "，对象 " : ", about ") + text(alert, "/yushi/alert/story/subject") +
            (zh ? "，至此级别 " : ", so far ") + severity_word(text(alert, "/yushi/alert/story/severity"), zh));
  say("tags", "标签", text(alert, "/tags"));
  say("rule digest", "规则摘要", text(alert, "/yushi/alert/rule_digest"));
  say("records", "记录", text(alert, "/yushi/alert/records"));
  shown.push_back('\n');
  out.write(shown);
}

int show(const Options& options, const std::string& id) {
  auto kind = output_kind(options.output);
  auto zone = zone_of(options);
  const bool zh = is_chinese(options);
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
        if (kind == OutputKind::table) print_alert(out, alert, *zone, zh);
        if (kind == OutputKind::csv) {  // a table of its own before that of the records
          RowPrinter rows(out, kind, kColumns);
          rows.row(cells_of(alert, kind, *zone, zh));
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
    add_lang_option(to, *options);
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
  add_lang_option(*showing, *options);
  add_output_option(*showing, *options);
  add_place_options(*showing, *options);
  command->require_subcommand(0, 1);
  command->callback([=, &chosen] {
    bool shows = showing->parsed();
    chosen = [=] { return shows ? show(*options, *id) : list(*options); };
  });
}

}  // namespace yushi::cli
