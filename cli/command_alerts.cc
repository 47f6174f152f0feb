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

const std::vector<std::string> kColumns = {"raised", "event time", "id",   "severity",
                                           "state",  "tenant",     "rule", "reason"},
                               kColumnsZh = {"告警时间", "事件时间", "编号", "级别", "状态", "租户", "规则", "原因"};

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

std::string state_word(const std::string& said, bool zh) {
  constexpr std::pair<std::string_view, const char*> kChinese[] = {{"new", "待处理"},       {"taken", "处理中"},
                                                                   {"closed", "已关闭"},    {"true", "属实"},
                                                                   {"false-alarm", "误报"}, {"accepted", "已接受"}};
  for (const auto& [english, chinese] : kChinese)
    if (zh && said == english) return chinese;
  return said;
}

// "closed as accepted by li.wei, 12 held back"
std::string state_text(const Json& alert, bool zh) {
  auto shown = state_word(text(alert, "/yushi/alert/state"), zh);
  if (const auto as = text(alert, "/yushi/alert/closed_as"); !as.empty())
    shown += (zh ? "：" : " as ") + state_word(as, zh);
  if (const auto by = text(alert, "/yushi/alert/state_by"); !by.empty()) shown += (zh ? "，处理人 " : " by ") + by;
  if (const auto held = text(alert, "/yushi/alert/held_back"); !held.empty())
    shown += zh ? "，另有 " + held + " 次未告警" : ", " + held + " held back";
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
          state_text(alert, zh && for_eyes(kind)),
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
    if (!value.empty()) append_named(shown, zh ? chinese : english, value, 12);
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
  say("state", "状态", state_text(alert, zh));
  if (const auto until = text(alert, "/yushi/alert/usual_until"); !until.empty())
    say("usual until", "视为正常至", local_time_text(until, zone, false));
  say("tenant", "租户", text(alert, "/organization/name"));
  say("by", "操作者", text(alert, "/yushi/alert/actor"));  // where it is not the account
  say("account", "账号", text(alert, "/user/name"));
  say("host", "主机", text(alert, "/host/name"));
  say("from", "来源", text(alert, "/source/ip"));
  say("reason", "原因", said_at(alert, "/yushi/alert/reason", zh));
  say("baseline", "基线", text(alert, "/yushi/alert/baseline"));
  if (const auto story = text(alert, "/yushi/alert/story/id"); !story.empty())
    say("story", "安全事件",
        story + (zh ? "，对象 " : ", about ") + text(alert, "/yushi/alert/story/subject") +
            (zh ? "，至此级别 " : ", so far ") + severity_word(text(alert, "/yushi/alert/story/severity"), zh));
  say("tags", "标签", text(alert, "/tags"));
  say("rule digest", "规则摘要", text(alert, "/yushi/alert/rule_digest"));
  say("records", "记录", text(alert, "/yushi/alert/records"));
  shown.push_back('\n');
  out.write(shown);
}

bool is_act(const Json& record) {
  return text(record, "/event/provider") == "yushid" && text(record, "/event/action").starts_with("alert-");
}

// "li.wei took alert …"
std::string act_words(const Json& act, const Zone& zone, bool zh) {
  if (!zh) return text(act, "/message");
  const auto action = text(act, "/event/action"), until = text(act, "/yushi/alert/usual_until");
  if (action == "alert-held-back")
    return "已确认为正常的同类情况累计 " + text(act, "/yushi/alert/held_back") + " 次未告警";
  const auto by = text(act, "/user/name");
  if (action == "alert-taken") return by + " 开始处理";
  const auto note = "：" + detect::printable(text(act, "/yushi/alert/note"));
  if (action == "alert-closed")
    return by + " 关闭（" + state_word(text(act, "/yushi/alert/closed_as"), zh) + "）" + note;
  return by + " 确认" + note +
         (until.empty() ? "" : "；同类情况在 " + local_time_text(until, zone, false) + " 之前视为正常");
}

// "2026-11-29 08:05:01  li.wei took alert …"
std::string act_text(const Json& act, const Zone& zone, bool zh) {
  return local_time_text(text(act, "/event/created"), zone, false) + "  " + act_words(act, zone, zh);
}

std::string history_line(const Json& act, const Zone& zone, bool zh) {
  return (zh ? "处理经过    " : "history     ") + act_text(act, zone, zh);
}

int show(const Options& options, const std::string& id) {
  auto kind = output_kind(options.output);
  auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  Out out;
  LinePrinter printer(out, kind, kind, zone);
  bool first = true, in_records = false, any_acts = false;
  const auto question = question_of("alerts/" + id, options);
  return ask_store(
      options, question,
      [&](std::string_view line) {
        bool is_alert = first;
        first = false;
        if (kind == OutputKind::json) return printer.line(line);
        const auto alert = Json::parse(line, nullptr, false);
        if (!is_alert && kind == OutputKind::table) {
          // The acts, then an empty line, then the records.
          const bool acts = !in_records && is_act(alert);
          if (acts) out.text(history_line(alert, *zone, zh));
          if (!acts && !std::exchange(in_records, true) && any_acts) out.write("\n");
          any_acts |= acts;
          if (acts) return out.good();
        }
        if (!is_alert) return printer.line(line);
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

// What is done to an alert: one line.
int act(const Options& options, const std::string& id, const std::string& what) {
  const auto kind = output_kind(options.output);
  const auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  Out out;
  return ask_store(options, question_of("alerts/" + id + "/" + what, options),
                   object_lines(out, kind,
                                [&](const Json& said) {
                                  const auto about = zh ? "告警 " + text(said, "/yushi/alert/id") + "：" : "";
                                  out.text(about + act_words(said, *zone, zh));
                                }),
                   [](const AnswerEnd&) { return kExitFound; });
}

// Of several each by itself: one that fails hinders none.
int act_on_each(const Options& options, const std::vector<std::string>& ids, const std::string& what) {
  int code = kExitFound;
  for (const auto& id : ids) {
    const int one = act(options, id, what);
    if (one == kExitFound || code == kExitBroken) continue;
    code = ids.size() == 1 || one == kExitBroken ? one : kExitNothing;
  }
  return code;
}

int verify(const Options& options, const std::string& id) {
  const auto kind = output_kind(options.output);
  const bool zh = is_chinese(options);
  Out out;
  std::string outcome;
  return ask_store(
      options, question_of("alerts/" + id + "/verify", options),
      [&](std::string_view line) {
        const auto said = Json::parse(line, nullptr, false);
        outcome = text(said, "/outcome");
        if (kind == OutputKind::json) {
          out.json(line);
          return out.good();
        }
        constexpr std::pair<const char*, const char*> kWords[] = {{"the same, bit for bit", "结果一致，逐位相同"},
                                                                  {"DIFFERS", "结果不一致"},
                                                                  {"cannot be recomputed", "无法重新判定"}};
        const auto& [english, chinese] = kWords[outcome == "same" ? 0 : outcome == "differs" ? 1 : 2];
        out.text(zh ? "告警 " + text(said, "/alert") + "：" + chinese + "；" + said_at(said, "/how", zh)
                    : "alert " + text(said, "/alert") + ": " + english + "; " + text(said, "/how"));
        if (said.contains("differences") && said["differences"].is_array())
          for (auto& each : said["differences"])
            if (each.is_string()) out.text("  " + each.get<std::string>());
        return out.good();
      },
      [&](const AnswerEnd&) {
        return outcome == "same" ? kExitFound : outcome == "differs" ? kExitNothing : kExitIncomplete;
      });
}

// ------------------------------------------------------------------------------------------------------------- export

std::string html_of(std::string_view given) {
  std::string printable_text, out;
  append_printable(printable_text, given);
  for (char c : printable_text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string raw_of(const Json& record) {
  auto raw = text(record, "/event/original");
  return raw.empty() ? text(record, "/message") : raw;
}

void write_html_head(Out& out, bool zh) {
  const std::string title = zh ? "告警及其证据" : "Alerts with their evidence";
  out.write("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + title +
            "</title>\n<style>\n"
            "body { font-family: sans-serif; max-width: 60em; margin: 2em auto; }\n"
            "h2 { border-top: 1px solid; padding-top: 1em; }\n"
            "th { text-align: left; vertical-align: top; padding-right: 1em; white-space: nowrap; }\n"
            "pre { white-space: pre-wrap; word-break: break-all; background: #f3f3f3; padding: 0.5em; }\n"
            "</style></head><body>\n<h1>" +
            title + "</h1>\n");
}

void write_html(Out& out, const Json& line, const Zone& zone, bool zh) {
  const auto& alert = line["alert"];
  std::string shown = "<h2>" + html_of(said_at(alert, "/yushi/alert/reason", zh)) + "</h2>\n<table>\n";
  const auto row = [&](const char* name, const char* chinese, const std::string& value) {
    if (!value.empty())
      shown += "<tr><th>" + std::string(zh ? chinese : name) + "</th><td>" + html_of(value) + "</td></tr>\n";
  };
  row("Alert", "告警", text(alert, "/yushi/alert/id"));
  row("Raised", "告警时间", local_time_text(text(alert, "/event/created"), zone));
  row("Happened", "事件时间", event_time_text(alert, zone, zh));
  row("Severity", "级别",
      severity_word(text(alert, "/yushi/alert/severity"), zh) + (zh ? "，分值 " : ", score ") +
          text(alert, "/yushi/alert/score"));
  row("State", "状态", state_text(alert, zh));
  row("Rule", "规则", rule_name(alert, zh) + " (" + text(alert, "/rule/id") + ")");
  row("Tenant", "租户", text(alert, "/organization/name"));
  row("By", "操作者", text(alert, "/yushi/alert/actor"));
  row("Account", "账号", text(alert, "/user/name"));
  row("Host", "主机", text(alert, "/host/name"));
  row("Address", "地址", text(alert, "/source/ip"));
  row("ATT&amp;CK", "ATT&amp;CK", text(alert, "/threat/technique/id"));
  row("Judged on", "判断依据", text(alert, "/yushi/alert/baseline"));
  row("Rule digest", "规则摘要", text(alert, "/yushi/alert/rule_digest"));
  shown += "</table>\n";
  if (!line["history"].empty()) {
    shown += std::string("<h3>") + (zh ? "处理经过" : "What was done") + "</h3>\n<ul>\n";
    for (auto& one : line["history"]) shown += "<li>" + html_of(act_text(one, zone, zh)) + "</li>\n";
    shown += "</ul>\n";
  }
  shown += std::string("<h3>") + (zh ? "原始日志" : "Records, as they came") + "</h3>\n";
  for (auto& record : line["records"]) {
    shown += "<p>" +
             html_of(text(record, "/event/id") + (zh ? "，接收时间 " : ", received ") +
                     local_time_text(text(record, "/event/created"), zone) + (zh ? "，来自 " : " from ") +
                     text(record, "/log/source/address")) +
             "</p>\n<pre>" + html_of(raw_of(record)) + "</pre>\n";
  }
  out.write(shown);
}

void write_text(Out& out, const Json& line, const Zone& zone, bool zh) {
  print_alert(out, line["alert"], zone, zh);
  for (auto& one : line["history"]) out.text(history_line(one, zone, zh));
  for (auto& record : line["records"])
    out.text((zh ? "记录        " : "record      ") + text(record, "/event/id") + "  " + raw_of(record));
  out.write("\n");
}

// A line for each record, with its alert before it; an alert without one has a line too.
void write_csv(Out& out, const Json& line, const Zone& zone) {
  auto cells = cells_of(line["alert"], OutputKind::csv, zone, false);
  std::string history;
  for (auto& one : line["history"])
    history += (history.empty() ? "" : "; ") + text(one, "/event/created") + " " + text(one, "/message");
  cells.push_back(history);
  if (line["records"].empty()) {
    cells.resize(cells.size() + 3);
    return out.csv(cells);
  }
  for (auto& record : line["records"]) {
    auto row = cells;
    row.insert(row.end(), {text(record, "/event/id"), text(record, "/event/created"), raw_of(record)});
    out.csv(row);
  }
}

int export_alerts(Options options, const std::string& form) {
  options.given["evidence"] = "1";
  const auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  Out out;
  if (form == "html") write_html_head(out, zh);
  if (form == "csv") {
    auto columns = kColumns;
    columns.insert(columns.end(), {"history", "record", "received", "raw"});
    out.csv(columns);
  }
  return ask_store(
      options, question_of("alerts", options),
      [&](std::string_view line) {
        if (form == "json") {
          out.json(line);
          return out.good();
        }
        const auto said = Json::parse(line, nullptr, false);
        for (const char* part : {"alert", "history", "records"})
          if (!said.is_object() || !said.contains(part)) return true;
        if (form == "html") write_html(out, said, *zone, zh);
        if (form == "csv") write_csv(out, said, *zone);
        if (form == "text") write_text(out, said, *zone, zh);
        return out.good();
      },
      [&](const AnswerEnd& end) {
        if (form == "html") out.write("</body></html>\n");
        return end.records > 0 ? kExitFound : kExitNothing;
      });
}

}  // namespace

void add_alerts(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("alerts", "anomalies and rule hits, with the reason and the records behind each");
  command->footer(
      "Examples: yushi alerts list --since today --state open\n          yushi alerts show 3f2a9c0d1b4e5f60\n"
      "          yushi alerts ack 3f2a --note 'the nightly backup' --usual 30d");
  auto options = std::make_shared<Options>();
  auto id = std::make_shared<std::string>();
  auto ids = std::make_shared<std::vector<std::string>>();
  auto form = std::make_shared<std::string>("json");
  add_listing(*command, *options, "alerts", "Example: yushi alerts list --since 7d -n 20 --state open");

  CLI::App* of_one[5];
  constexpr struct {
    const char *question, *footer;
    bool takes_several = false;
  } kOfOne[] = {
      {"alerts/{id}", "Example: yushi alerts show 3f2a9c0d1b4e5f60"},
      {"alerts/{id}/take", "Example: yushi alerts take 3f2a 4b1e", true},
      {"alerts/{id}/close", "Example: yushi alerts close 3f2a 4b1e --as false-alarm --note 'a test of ours'", true},
      {"alerts/{id}/ack", "Example: yushi alerts ack 3f2a --note 'the nightly backup' --usual 30d", true},
      {"alerts/{id}/verify", "Example: yushi alerts verify 3f2a --store /mnt/seized/yushi"}};
  for (size_t i = 0; i < std::size(kOfOne); ++i) {
    of_one[i] = add_question(*command, *options, kOfOne[i].question);
    of_one[i]->footer(kOfOne[i].footer);
    if (kOfOne[i].takes_several)
      of_one[i]->add_option("id", *ids, "as `alerts list` shows them, or the beginnings of them")->required();
    else
      of_one[i]->add_option("id", *id, "as `alerts list` shows it, or the beginning of it")->required();
    add_shown_options(*of_one[i], *options);
  }
  of_one[0]->add_flag("--utc", options->utc, "times in UTC");

  auto* exporting = command->add_subcommand(
      "export", "alerts with what was done to them and their records, for who is to read or keep them");
  exporting->footer(
      "Examples: yushi alerts export --since 30d --severity high -o html > alerts.html\n"
      "          yushi alerts export --rule guessing.address -o csv > alerts.csv");
  add_question_options(*exporting, *options, "alerts");
  exporting
      ->add_option("-o,--output", *form, "json (a line an alert), csv (a line a record), text or html (default: json)")
      ->check(CLI::IsMember({"json", "csv", "text", "html"}));
  add_lang_option(*exporting, *options);
  add_place_options(*exporting, *options);

  auto* showing = of_one[0];
  auto* taking = of_one[1];
  auto* closing = of_one[2];
  auto* acknowledging = of_one[3];
  auto* verifying = of_one[4];
  command->callback([=, &chosen] {
    if (showing->parsed())
      chosen = [=] { return show(*options, *id); };
    else if (taking->parsed())
      chosen = [=] { return act_on_each(*options, *ids, "take"); };
    else if (closing->parsed())
      chosen = [=] { return act_on_each(*options, *ids, "close"); };
    else if (acknowledging->parsed())
      chosen = [=] { return act_on_each(*options, *ids, "ack"); };
    else if (verifying->parsed())
      chosen = [=] { return verify(*options, *id); };
    else if (exporting->parsed())
      chosen = [=] { return export_alerts(*options, *form); };
    else
      chosen = [=] { return list(*options); };
  });
}

}  // namespace yushi::cli
