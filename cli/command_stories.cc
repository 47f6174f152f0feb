// `yushi stories`: incidents instead of single alerts.
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/lang.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/display.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(const Json& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name.get<std::string>();
  return out;
}

std::string tactics_of(const Json& story, bool zh) {
  std::string out, last;
  for (const auto& step : story["steps"]) {
    const auto tactic = said_at(step, "/tactic/name", zh);
    if (!tactic.empty() && tactic != last) out += (out.empty() ? "" : " → ") + tactic;
    last = tactic;
  }
  return out;
}

int list(const Options& options) {
  const auto kind = output_kind(options.output, OutputKind::columns);
  const auto zone = zone_of(options);
  const bool is_table = kind == OutputKind::table, zh = is_chinese(options), zh_eyes = zh && for_eyes(kind);
  Out out;
  RowPrinter rows(
      out, kind,
      zh_eyes ? std::vector<std::string>{"开始", "最近", "编号", "级别", "对象", "告警", "主机", "步骤"}
              : std::vector<std::string>{"first", "last", "id", "severity", "about", "alerts", "hosts", "steps"});
  const auto time = [&](const Json& story, const char* name) {
    const auto text = story.value(name, "");
    return is_table ? local_time_text(text, *zone, false) : text;
  };
  return ask_store(
      options, question_of("stories", options),
      object_lines(out, kind,
                   [&](const Json& story) {
                     rows.row({time(story, "first"), time(story, "last"), story.value("id", ""),
                               severity_word(story.value("severity", ""), zh_eyes), story.value("subject", ""),
                               std::to_string(story.value("alerts", uint64_t{0})), joined(story["hosts"]),
                               tactics_of(story, zh)});
                   }),
      [&](const AnswerEnd& end) {
        rows.finish();
        return end.records > 0 ? kExitFound : kExitNothing;
      });
}

void print_story(Out& out, const Json& story, const Zone& zone, bool zh) {
  std::string shown;
  const auto say = [&](std::string_view english, std::string_view chinese, std::string_view value) {
    if (!value.empty()) append_named(shown, zh ? chinese : english, value, 12);
  };
  const auto time = [&](const Json& of, const char* name) { return local_time_text(of.value(name, ""), zone, false); };
  say("story", "安全事件", story.value("id", ""));
  say("about", "对象", story.value("subject", ""));
  say("severity", "级别",
      severity_word(story.value("severity", ""), zh) + (zh ? "，风险 " : ", risk ") +
          std::to_string(story.value("risk", 0)) +
          (story.value("open", false) ? (zh ? "，仍在继续" : ", still open") : ""));
  say("time", "时间", time(story, "first") + (zh ? " 至 " : " to ") + time(story, "last"));
  say("tenant", "租户", story.value("tenant", ""));
  say("hosts", "主机", joined(story["hosts"]));
  say("accounts", "账号", joined(story["accounts"]));
  say("addresses", "地址", joined(story["addresses"]));
  say("alerts", "告警", std::to_string(story.value("alerts", uint64_t{0})));
  say("steps", "步骤", zh ? "按 ATT&CK 战术顺序" : "in ATT&CK's order");
  for (const auto& step : story["steps"]) {
    const auto first = time(step, "first"), last = time(step, "last");
    auto tactic = said_at(step, "/tactic/name", zh);
    if (tactic.empty()) tactic = zh ? "其他" : "Other";
    const std::string comma = zh ? "，" : ", ";
    std::string line = "  " + tactic + (zh ? "：" : ": ") + said_at(step, "/rule/name", zh) + comma +
                       severity_word(step.value("severity", ""), zh) + comma + first +
                       (first == last ? "" : (zh ? " 至 " : " to ") + last);
    if (const auto hits = step.value("hits", uint64_t{0}); hits != 1)
      line += zh ? "，" + std::to_string(hits) + " 次" : ", " + std::to_string(hits) + " times";
    append_printable(shown, line);
    shown += "\n    ";
    append_printable(shown, said_at(step, "/reason", zh));
    shown += '\n';
  }
  say("all alerts", "全部告警", joined(story["alert_ids"]));
  shown.push_back('\n');
  out.write(shown);
}

int show(const Options& options, const std::string& id) {
  const auto kind = output_kind(options.output);
  const auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  Out out;
  LinePrinter printer(out, kind, kind, zone);
  bool first = true;
  return ask_store(
      options, question_of("stories/" + id, options),
      [&](std::string_view line) {
        const bool is_story = std::exchange(first, false);
        if (!is_story) return printer.line(line);
        if (kind == OutputKind::json) {
          out.json(line);
        } else if (kind == OutputKind::table) {
          if (auto story = Json::parse(line, nullptr, false); story.is_object()) print_story(out, story, *zone, zh);
        }
        return out.good();
      },
      [&](const AnswerEnd&) {
        printer.finish();
        return kExitFound;
      });
}

}  // namespace

void add_stories(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("stories", "incidents: alerts that belong together, step by step");
  command->footer("Examples: yushi stories list --since 7d\n          yushi stories show 3f2a9c0d --lang zh");
  auto options = std::make_shared<Options>();
  auto id = std::make_shared<std::string>();
  add_listing(*command, *options, "stories", "Example: yushi stories list --severity high");
  auto* showing = add_question(*command, *options, "stories/{id}");
  showing->footer("Example: yushi stories show 3f2a9c0d");
  showing->add_option("id", *id, "as `stories list` shows it, or the beginning of it; of a name `yushi who NAME` tells")
      ->required();
  showing->add_flag("--utc", options->utc, "times in UTC");
  add_shown_options(*showing, *options);
  command->callback([=, &chosen] {
    const bool shows = showing->parsed();
    chosen = [=] { return shows ? show(*options, *id) : list(*options); };
  });
}

}  // namespace yushi::cli
