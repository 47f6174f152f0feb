// `yushi who`: what is usual for an account, a host or an address, what was odd about it, and what it did last; who has
// the greatest risk, and who is privileged by what he does. Made of ordinary questions, so it says of a daemon's store
// and of a copy the same.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "cli/command.h"
#include "cli/lang.h"
#include "cli/output.h"
#include "cli/remembered.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "core/event/alert.h"
#include "core/record/record.h"
#include "detect/words.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

// What a story weighs halves in so many days.
constexpr double kHalfLifeDays = 7, kDayNs = 86'400e9;
constexpr int kWeeksShown = 4;
constexpr size_t kStoriesShown = 10, kNamesShown = 5, kCommandBytes = 60;
constexpr int kActsShown = 10, kTopShown = 10;

// Whose members can become root, or read what is root's.
constexpr const char* kAdminGroups =
    "(root or wheel or sudo or admin or adm or docker or lxd or libvirt or disk or shadow or sudoers or Administrators "
    "or \"Domain Admins\")";

std::string text(const Json& object, const char* pointer) {
  const auto path = Json::json_pointer(pointer);
  if (!object.is_object() || !object.contains(path)) return {};
  const auto& value = object.at(path);
  return value.is_string() ? value.get<std::string>() : value.dump();
}
int64_t now_ns_of_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
int64_t number(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_number() ? object[name].get<int64_t>() : 0;
}

// Asks one question after the other; the first that fails, or comes back incomplete, decides the exit code.
class Questions {
 public:
  Questions(const Options& options, Asker& asker) : options_(options), asker_(asker) {}

  std::vector<Json> ask(query::Question question) {
    std::vector<Json> out;
    if (code_ != kExitFound) return out;
    auto end = asker_.ask(question, [&](std::string_view line) {
      if (auto row = Json::parse(line, nullptr, false); row.is_object()) out.push_back(std::move(row));
      return true;
    });
    if (end) end->notes.clear();  // of fields that nobody but us asked for
    code_ = end ? report(*end, kExitFound) : report(end.error());
    return out;
  }
  std::vector<Json> search(const std::string& query, const char* limit = nullptr) {
    auto question = question_of("search", options_);
    question.parameters["query"] = query;
    if (limit) question.parameters["limit"] = limit;
    return ask(std::move(question));
  }
  // Of `alerts` or `stories`, about whom.
  std::vector<Json> about(const char* kind, const std::string& whom) {
    auto question = question_of(kind, options_);
    if (!whom.empty()) question.parameters["about"] = whom;
    return ask(std::move(question));
  }
  // What a copy of a store cannot say is no failure.
  std::optional<int64_t> bytes_remembered_of(const std::string& account) {
    auto question = question_of("remembered", options_);
    question.parameters.erase("since");
    question.parameters.erase("until");
    question.parameters["account"] = account;
    std::optional<int64_t> out;
    auto end = asker_.ask(question, [&](std::string_view line) {
      if (auto row = Json::parse(line, nullptr, false); row.is_object()) out = number(row, "bytes");
      return true;
    });
    return end ? out : std::nullopt;
  }
  int code() const { return code_; }

 private:
  const Options& options_;
  Asker& asker_;
  int code_ = kExitFound;
};

// A value as KQL takes it whole, whatever stands in it.
std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// A story weighs what its steps do together (its `risk`), less the longer ago its last one was; nothing before that.
double risk_of(const Json& story, int64_t now_ns) {
  const auto raised = parse_time(text(story, "/raised"), 0, *Zone::utc());
  const double days = raised ? static_cast<double>(now_ns - raised->unix_ns) / kDayNs : 0;
  return days < 0 ? 0 : story.value("risk", 0.0) * std::exp2(-days / kHalfLifeDays);
}
// Of all stories of one: the gravest whole, the next by half and so on, so that small ones weigh little beside it, however many.
double risk_of_all(std::vector<double> risks) {
  std::sort(risks.begin(), risks.end(), std::greater<>());
  double sum = 0, weight = 1;
  for (const double risk : risks) sum += risk * std::exchange(weight, weight / 2);
  return sum;
}
int64_t risk_of(const std::vector<Json>& stories, int64_t now_ns) {
  std::vector<double> risks;
  for (const auto& story : stories) risks.push_back(risk_of(story, now_ns));
  return std::llround(risk_of_all(std::move(risks)));
}

// Its worst step.
std::string worst_of(const Json& story, bool zh) {
  std::string out;
  std::optional<Severity> worst;
  for (const auto& step : story["steps"])
    if (const auto severity = severity_of(step.value("severity", "")); !worst || severity > worst) {
      worst = severity;
      out = said_at(step, "/rule/name", zh);
    }
  return out;
}

std::string most(const std::vector<Json>& rows, const std::string& field, bool zh) {
  std::vector<std::pair<std::string, uint64_t>> counts;
  for (const auto& row : rows) {
    if (!row.contains(field) || row[field].is_null()) continue;
    auto name = row[field].is_string() ? row[field].get<std::string>() : row[field].dump();
    if (name.size() > kCommandBytes) name = detect::printable(name, kCommandBytes) + "…";
    counts.emplace_back(std::move(name), static_cast<uint64_t>(number(row, "count()")));
  }
  std::string out;
  for (size_t i = 0; i < counts.size() && i < kNamesShown; ++i)
    out += (out.empty() ? "" : ", ") + counts[i].first + " (" + std::to_string(counts[i].second) + ")";
  if (counts.size() > kNamesShown) {
    const auto others = counts.size() - kNamesShown;
    out += zh ? "，另有 " + std::to_string(others) + " 个" : " and " + detect::number_text(others, "other", "others");
  }
  return !out.empty() ? out : zh ? "无" : "nothing";
}

std::string hours_of(const std::vector<Json>& rows, const Zone& zone, bool zh) {
  uint64_t hours[24] = {}, all = 0;
  for (const auto& row : rows)
    for (const auto& [name, value] : row.items()) {
      if (!name.starts_with("bin(") || !value.is_string()) continue;
      const auto when = parse_time(value.get<std::string>(), 0, *Zone::utc());
      if (!when) continue;
      const int64_t second = when->unix_ns / kSecond;
      const int64_t local = second + zone.offset_seconds_at(second);
      hours[(local % 86'400 + 86'400) % 86'400 / 3600] += static_cast<uint64_t>(number(row, "count()"));
      all += static_cast<uint64_t>(number(row, "count()"));
    }
  if (all == 0) return zh ? "无" : "nothing";
  std::vector<std::pair<std::string, uint64_t>> counts;
  for (int hour = 0; hour < 24; ++hour) {
    char clock[8];
    std::snprintf(clock, sizeof clock, "%02d:00", hour);
    if (hours[hour] > 0) counts.emplace_back(clock, hours[hour]);
  }
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (size_t i = 0; i < counts.size() && i < kNamesShown; ++i)
    out += (out.empty() ? "" : ", ") + counts[i].first + " (" + std::to_string(counts[i].second) + ")";
  return out;
}

struct Kind {
  const char *name, *zh;
  const char* field;
};
constexpr Kind kKinds[] = {
    {"address", "地址", "source.ip"}, {"account", "账号", "user.name"}, {"host", "主机", "host.name"}};

// An address by its form; else a host when no record names such an account.
Kind kind_of(Questions& questions, const std::string& name) {
  std::array<uint8_t, 16> address;
  if (parse_ip(name, &address)) return kKinds[0];
  for (const auto& kind : {kKinds[1], kKinds[2]}) {
    const auto rows = questions.search(std::string(kind.field) + ": " + quoted(name) + " | stats count()");
    if (!rows.empty() && number(rows[0], "count()") > 0) return kind;
  }
  return kKinds[1];
}

// Rights are what somebody makes use of, whatever a list says.
struct Privilege {
  int64_t as_root = 0, root_logins = 0;
  std::vector<std::string> groups;
  std::string last;

  bool any() const { return as_root > 0 || root_logins > 0 || !groups.empty(); }
  std::string words(bool zh) const {
    std::string out;
    const auto add = [&](const std::string& what) { out += (out.empty() ? "" : zh ? "；" : "; ") + what; };
    const auto times = [&](int64_t count) {
      return detect::number_text(static_cast<uint64_t>(count), "time", "times");
    };
    if (as_root > 0)
      add(zh ? "以 root 身份操作 " + std::to_string(as_root) + " 次" : "acted as root " + times(as_root));
    if (root_logins > 0)
      add(zh ? "以 root 直接登录 " + std::to_string(root_logins) + " 次" : "logged in as root " + times(root_logins));
    for (const auto& group : groups) add(zh ? "被加入组 " + group : "put into group " + group);
    return out;
  }
  Json json() const { return {{"as_root", as_root}, {"root_logins", root_logins}, {"groups", groups}, {"last", last}}; }
};

// By account, of one or of all.
std::map<std::string, Privilege> privileges(Questions& questions, const std::string& only) {
  const std::string its = only.empty() ? "" : " and user.name: " + quoted(only);
  std::map<std::string, Privilege> out;
  const auto each = [&](const std::string& query, const char* name, const auto& take) {
    for (const auto& row : questions.search(query)) {
      const auto who = row.value(name, Json());
      if (!who.is_string()) continue;
      Privilege& privilege = out[who.get<std::string>()];
      take(privilege, row);
      privilege.last = std::max(privilege.last, text(row, "/max(@timestamp)"));
    }
  };
  each(
      "yushi.event: (command or privilege-used) and user.effective.name: root and not user.name: root and not "
      "event.outcome: failure" +
          its + " | stats count(), max(@timestamp) by user.name",
      "user.name", [](Privilege& to, const Json& row) { to.as_root = number(row, "count()"); });
  if (only.empty() || only == "root")
    each(
        "user.name: root and yushi.event: login and event.outcome: success and source.ip: * | stats count(), "
        "max(@timestamp) by user.name",
        "user.name", [](Privilege& to, const Json& row) { to.root_logins = number(row, "count()"); });
  for (const char* name : {"user.target.name", "user.name"}) {
    const bool is_target = name == std::string("user.target.name");
    each("yushi.event: privilege-granted and group.name: " + std::string(kAdminGroups) +
             (is_target ? "" : " and not user.target.name: *") +
             (only.empty() ? "" : " and " + std::string(name) + ": " + quoted(only)) +
             " | stats count(), max(@timestamp) by " + name + ", group.name",
         name, [](Privilege& to, const Json& row) {
           const auto group = text(row, "/group.name");
           if (!group.empty() && std::find(to.groups.begin(), to.groups.end(), group) == to.groups.end())
             to.groups.push_back(group);
         });
  }
  return out;
}

// The addresses that an alert names and from which nobody has logged in for longer than a day: what came from there is
// odd, and not usual.
std::set<std::string> odd_sources_of(Questions& questions, const std::vector<Json>& alerts, const std::string& logins) {
  std::set<std::string> named, out;
  for (const auto& alert : alerts)
    if (auto source = text(alert, "/source/ip"); !source.empty()) named.insert(std::move(source));
  if (named.empty()) return out;
  for (const auto& row : questions.search(logins + " | stats count(), min(@timestamp), max(@timestamp) by source.ip")) {
    const auto first = parse_time(text(row, "/min(@timestamp)"), 0, *Zone::utc()),
               last = parse_time(text(row, "/max(@timestamp)"), 0, *Zone::utc());
    const auto source = text(row, "/source.ip");
    if (named.contains(source) && first && last && static_cast<double>(last->unix_ns - first->unix_ns) < kDayNs)
      out.insert(source);
  }
  return out;
}

int who(const Options& options, const std::string& name) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  Questions questions(options, **asker);
  const auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  const Kind kind = kind_of(questions, name);
  const std::string its = std::string(kind.field) + ": " + quoted(name);
  const std::string logins = its + " and event.category: authentication and event.outcome: success";
  const auto by = [&](const std::string& which, const std::string& field) {
    return questions.search(which + " | stats count() by " + field + " | sort count() desc");
  };

  Json out;
  out["name"] = name;
  out["kind"] = kind.name;
  const auto seen = questions.search(its + " | stats count(), min(@timestamp), max(@timestamp)");
  const int64_t records = seen.empty() ? 0 : number(seen[0], "count()");
  if (questions.code() == kExitFound && records == 0) {
    std::fprintf(stderr, "yushi: no record names %s (--since %s)\n", detect::printable(name).c_str(),
                 options.text("since").c_str());
    return kExitNothing;
  }
  out["records"] = records;
  out["first"] = seen.empty() ? "" : text(seen[0], "/min(@timestamp)");
  out["last"] = seen.empty() ? "" : text(seen[0], "/max(@timestamp)");
  struct Line {
    std::string label, label_zh, value;
  };
  const auto hours = questions.search(logins + " | stats count() by bin(@timestamp, 1h)");
  // Those of whoever asks, as all times here are; the detectors count those of the log's zone.
  std::vector<Line> lines{
      {"hours", "时段",
       hours_of(hours, *zone, zh) + (zh ? "（时区 " : ", in zone ") + std::string(zone->name()) + (zh ? "）" : "")}};
  Json all_usual;
  std::vector<Json> odd_sources;
  const auto usual = [&](const char* label, const char* label_zh, const std::string& which, const char* field,
                         const std::set<std::string>& told_of = {}) {
    if (field == std::string(kind.field)) return;
    auto rows = by(which, field);
    std::erase_if(rows, [&](const Json& row) {
      const bool is_odd = told_of.contains(text(row, ("/" + std::string(field)).c_str()));
      if (is_odd) odd_sources.push_back(row);
      return is_odd;
    });
    lines.push_back({label, label_zh, most(rows, field, zh)});
    all_usual[label] = rows;
  };
  usual("accounts", "账号", logins, "user.name");
  const auto alerts = questions.about("alerts", name);
  usual("sources", "来源", logins, "source.ip", odd_sources_of(questions, alerts, logins));
  usual("hosts", "主机", logins, "host.name");
  if (kind.name != std::string("address")) {
    usual("commands", "命令", its + " and yushi.event: (command or process-started)", "process.command_line");
    usual("acts as", "切换身份", its + " and yushi.event: (privilege-used or command)", "user.effective.name");
    all_usual["rights"] = std::exchange(all_usual["acts as"], nullptr);
    all_usual.erase("acts as");
  }
  Privilege privilege;
  if (kind.name == std::string("account")) privilege = privileges(questions, name)[name];
  std::optional<int64_t> remembered;
  if (kind.name == std::string("account")) remembered = questions.bytes_remembered_of(name);
  const auto stories = questions.about("stories", name);
  const auto acts =
      questions.search(its + " and yushi.event: * and not yushi.event: (session-opened or session-closed or job-run)",
                       std::to_string(kActsShown).c_str());
  if (questions.code() != kExitFound) return questions.code();

  const int64_t now_ns = now_ns_of_clock();
  // Now, a week ago, two weeks ago …
  std::vector<int64_t> risk;
  for (int weeks = 0; weeks < kWeeksShown; ++weeks)
    risk.push_back(risk_of(stories, now_ns - static_cast<int64_t>(weeks * 7 * kDayNs)));
  out["usual"] = std::move(all_usual);
  out["odd_sources"] = odd_sources;
  out["privileged"] = privilege.any() ? privilege.json() : Json(nullptr);
  out["remembered_bytes"] = remembered ? Json(*remembered) : Json(nullptr);
  out["risk"] = risk;
  out["stories"] = stories;
  out["alerts"] = alerts;
  out["acts"] = acts;

  Out screen;
  if (output_kind(options.output) == OutputKind::json) {
    screen.json(json_of(out));
  } else {
    std::string shown;
    const auto say = [&](std::string_view label, std::string_view value) { append_named(shown, label, value, 18); };
    const auto span = [&](const Json& of, const char* first, const char* last) {
      return local_time_text(of.value(first, ""), *zone, false) + (zh ? " 至 " : " to ") +
             local_time_text(of.value(last, ""), *zone, false);
    };
    say(zh ? kind.zh : kind.name,
        name + ", " +
            (zh ? std::to_string(records) + " 条记录，"
                : detect::number_text(static_cast<uint64_t>(records), "record", "records") + " from ") +
            span(out, "first", "last"));
    say(zh ? "常态" : "usual", zh ? "登录情况，按次数从多到少" : "logins, most frequent first");
    for (const auto& line : lines) say("  " + (zh ? line.label_zh : line.label), line.value);
    if (privilege.any()) say(zh ? "特权账号" : "privileged", privilege.words(zh));
    if (remembered)
      say(zh ? "检测器记忆" : "remembered",
          zh ? std::to_string(*remembered) + " 字节，用于判断该账号的常态"
             : detect::number_text(static_cast<uint64_t>(*remembered), "byte", "bytes") +
                   " by the detectors, of what is usual for it");
    std::string weeks;
    for (int64_t one : risk) weeks += (weeks.empty() ? "" : ", ") + std::to_string(one);
    say(zh ? "异常" : "odd",
        zh ? std::to_string(stories.size()) + " 起安全事件，" + std::to_string(alerts.size()) +
                 " 条告警；当前及前几周的风险：" + weeks + "（最严重的安全事件全计，其余依次减半；每 7 天减半）"
           : detect::number_text(stories.size(), "story", "stories") + ", " +
                 detect::number_text(alerts.size(), "alert", "alerts") + "; risk now and in the weeks before: " +
                 weeks + " (of its stories the gravest whole, each next by half; halved each 7 days)");
    if (!odd_sources.empty()) say(zh ? "  来源" : "  sources", most(odd_sources, "source.ip", zh));
    for (size_t i = stories.size() > kStoriesShown ? stories.size() - kStoriesShown : 0; i < stories.size(); ++i) {
      const auto& story = stories[i];
      const auto others = story["steps"].size() - 1;
      std::string steps = worst_of(story, zh);
      if (others > 0)
        steps += zh ? " 等 " + std::to_string(others + 1) + " 个步骤"
                    : " and " + detect::number_text(others, "other step", "other steps");
      say("  " + severity_word(text(story, "/severity"), zh) +
              (story.value("open", false) ? zh ? "（未结束）" : " (open)" : ""),
          span(story, "first", "last") + "  " + text(story, "/id").substr(0, 8) + "  " + text(story, "/subject") +
              (zh ? "：" : ": ") + steps);
    }
    say(zh ? "最近操作" : "last acts", "");
    for (const auto& act : acts)
      say("  " + text(act, "/yushi/event") +
              (text(act, "/event/outcome") != "failure" ? ""
               : zh                                     ? "（失败）"
                                                        : " (failed)"),
          local_time_text(text(act, "/@timestamp"), *zone, false) + "  " + text(act, "/host/name") + "  " +
              detect::printable(text(act, "/message"), 160));
    screen.write(shown);
  }
  screen.flush();
  return (*asker)->is_whole() ? hold_to_remembered(**asker, !options.store.empty()) : kExitFound;
}

// The rows of a ranking, then what the checkpoints say.
int finish(Out& out, RowPrinter& rows, const Options& options, Asker& asker, bool any) {
  rows.finish();
  out.flush();
  const int held = asker.is_whole() ? hold_to_remembered(asker, !options.store.empty()) : kExitFound;
  return held != kExitFound ? held : any ? kExitFound : kExitNothing;
}

int top(const Options& options) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  Questions questions(options, **asker);
  const bool zh = is_chinese(options);
  struct Subject {
    double risk = 0;
    std::vector<double> risks;
    uint64_t stories = 0, open = 0, alerts = 0;
    double worst = -1;
    std::string severity, rule, rule_shown;
  };
  std::map<std::string, Subject> subjects;
  const int64_t now_ns = now_ns_of_clock();
  for (const auto& story : questions.about("stories", "")) {
    auto& subject = subjects[text(story, "/subject")];
    const double risk = risk_of(story, now_ns);
    subject.risks.push_back(risk);
    ++subject.stories;
    subject.open += story.value("open", false);
    subject.alerts += story.value("alerts", uint64_t{0});
    if (risk <= subject.worst) continue;
    subject.worst = risk;
    subject.severity = text(story, "/severity");
    subject.rule = worst_of(story, false);
    subject.rule_shown = worst_of(story, zh);
  }
  if (questions.code() != kExitFound) return questions.code();
  std::vector<std::pair<std::string, Subject>> ranked(subjects.begin(), subjects.end());
  for (auto& [name, subject] : ranked) subject.risk = risk_of_all(std::move(subject.risks));
  std::stable_sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) { return a.second.risk > b.second.risk; });
  if (ranked.size() > kTopShown) ranked.resize(kTopShown);
  const auto kind = output_kind(options.output, OutputKind::columns);
  const bool zh_eyes = zh && for_eyes(kind);
  Out out;
  RowPrinter rows(out, kind,
                  zh_eyes ? std::vector<std::string>{"对象", "风险", "安全事件", "未结束", "告警", "级别", "最严重"}
                          : std::vector<std::string>{"who", "risk", "stories", "open", "alerts", "severity", "worst"});
  for (const auto& [name, subject] : ranked) {
    const auto risk = std::llround(subject.risk);
    if (kind == OutputKind::json)
      out.json(json_of({{"name", name},
                        {"risk", risk},
                        {"stories", subject.stories},
                        {"open", subject.open},
                        {"alerts", subject.alerts},
                        {"severity", subject.severity},
                        {"worst", subject.rule}}));
    else
      rows.row({name, std::to_string(risk), std::to_string(subject.stories), std::to_string(subject.open),
                std::to_string(subject.alerts), severity_word(subject.severity, zh_eyes), subject.rule_shown});
  }
  return finish(out, rows, options, **asker, !ranked.empty());
}

int privileged(const Options& options) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  Questions questions(options, **asker);
  const auto all = privileges(questions, "");
  if (questions.code() != kExitFound) return questions.code();
  const auto kind = output_kind(options.output, OutputKind::columns);
  const auto zone = zone_of(options);
  const bool zh = is_chinese(options);
  Out out;
  RowPrinter rows(out, kind,
                  zh && for_eyes(kind) ? std::vector<std::string>{"账号", "最近", "依据"}
                                       : std::vector<std::string>{"who", "last", "why"});
  for (const auto& [name, privilege] : all) {
    Json line{{"name", name}};
    line.update(privilege.json());
    if (kind == OutputKind::json)
      out.json(json_of(line));
    else
      rows.row({name, kind == OutputKind::table ? local_time_text(privilege.last, *zone, false) : privilege.last,
                privilege.words(zh)});
  }
  return finish(out, rows, options, **asker, !all.empty());
}

}  // namespace

void add_who(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("who", "what is usual for an account, a host or an address, and what was odd");
  command->footer(
      "Examples: yushi who li.wei --since 30d\n          yushi who --top\n          yushi who --privileged");
  auto options = std::make_shared<Options>();
  auto name = std::make_shared<std::string>();
  auto ranks = std::make_shared<bool>(false), lists = std::make_shared<bool>(false);
  command->add_option("name", *name, "an account, a host or an address");
  command->add_flag("--top", *ranks, "those with the greatest risk, by their stories");
  command->add_flag("--privileged", *lists,
                    "the accounts that act as root, log in as root or came into an administrators' group");
  for (const char* parameter : {"since", "until", "tenant"})
    command->add_option_function<std::string>(
        std::string("--") + parameter,
        [options, parameter](const std::string& value) { options->given[parameter] = value; },
        std::string(query::find_kind("alerts")->parameter(parameter)->words));
  command->add_flag("--utc", options->utc, "times in UTC");
  add_shown_options(*command, *options);
  command->callback([=, &chosen] {
    if (!name->empty() + *ranks + *lists != 1) {
      chosen = [] {
        return report(Error{Code::invalid, "who wants a name, --top or --privileged; see `yushi who --help`"});
      };
      return;
    }
    if (options->text("since").empty()) options->given["since"] = "30d";
    chosen = [=] { return *ranks ? top(*options) : *lists ? privileged(*options) : who(*options, *name); };
  });
}

}  // namespace yushi::cli
