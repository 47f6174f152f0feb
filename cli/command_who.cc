// `yushi who`: what is usual for an account, a host or an address, what was odd about it, and what it did last. Made of
// ordinary questions, so it says of a daemon's store and of a copy the same.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/remembered.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "core/record/record.h"
#include "detect/words.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

// What an alert weighs halves in so many days.
constexpr double kHalfLifeDays = 7, kDayNs = 86'400e9;
constexpr int kWeeksShown = 4;
constexpr size_t kAlertsShown = 10, kNamesShown = 5, kCommandBytes = 60;
constexpr int kActsShown = 10, kTopShown = 10;

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
    code_ = end ? report(*end, kExitFound) : report(end.error());
    return out;
  }
  std::vector<Json> search(const std::string& query, const char* limit = nullptr) {
    auto question = question_of("search", options_);
    question.parameters["query"] = query;
    if (limit) question.parameters["limit"] = limit;
    return ask(std::move(question));
  }
  std::vector<Json> alerts(const std::string& about) {
    auto question = question_of("alerts", options_);
    if (!about.empty()) question.parameters["about"] = about;
    return ask(std::move(question));
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

// Each weighs its score, less the longer ago it was raised; nothing before that.
double risk_of(const Json& alert, int64_t now_ns) {
  const auto raised = parse_time(text(alert, "/event/created"), 0, *Zone::utc());
  const auto score = alert.value(Json::json_pointer("/yushi/alert/score"), 0.0);
  const double days = raised ? static_cast<double>(now_ns - raised->unix_ns) / kDayNs : 0;
  return days < 0 ? 0 : score * std::exp2(-days / kHalfLifeDays);
}
int64_t risk_of(const std::vector<Json>& alerts, int64_t now_ns) {
  double sum = 0;
  for (const auto& alert : alerts) sum += risk_of(alert, now_ns);
  return std::llround(sum);
}

std::string most(const std::vector<Json>& rows, const std::string& field) {
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
  if (counts.size() > kNamesShown) out += " and " + std::to_string(counts.size() - kNamesShown) + " others";
  return out.empty() ? "nothing" : out;
}

std::string hours_of(const std::vector<Json>& rows, const Zone& zone) {
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
  if (all == 0) return "nothing";
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
  const char* name;
  const char* field;
};
constexpr Kind kKinds[] = {{"address", "source.ip"}, {"account", "user.name"}, {"host", "host.name"}};

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

int who(const Options& options, const std::string& name) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  Questions questions(options, **asker);
  const auto zone = zone_of(options);
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
    std::fprintf(stderr, "yushi: no record names %s\n", detect::printable(name).c_str());
    return kExitNothing;
  }
  out["records"] = records;
  out["first"] = seen.empty() ? "" : text(seen[0], "/min(@timestamp)");
  out["last"] = seen.empty() ? "" : text(seen[0], "/max(@timestamp)");
  const auto hours = questions.search(logins + " | stats count() by bin(@timestamp, 1h)");
  const std::pair<const char*, const char*> usual[] = {
      {"accounts", "user.name"}, {"sources", "source.ip"}, {"hosts", "host.name"}};
  std::vector<std::pair<std::string, std::string>> lines{{"hours", hours_of(hours, *zone)}};
  Json all_usual;
  for (const auto& [label, field] : usual) {
    if (field == std::string(kind.field)) continue;
    const auto rows = by(logins, field);
    all_usual[label] = rows;
    lines.emplace_back(label, most(rows, field));
  }
  if (kind.name != std::string("address")) {
    const auto commands = by(its + " and yushi.event: (command or process-started)", "process.command_line");
    const auto rights = by(its + " and yushi.event: (privilege-used or command)", "user.effective.name");
    all_usual["commands"] = commands;
    all_usual["rights"] = rights;
    lines.emplace_back("commands", most(commands, "process.command_line"));
    lines.emplace_back("acts as", most(rights, "user.effective.name"));
  }
  const auto alerts = questions.alerts(name);
  const auto acts =
      questions.search(its + " and yushi.event: * and not yushi.event: (session-opened or session-closed or job-run)",
                       std::to_string(kActsShown).c_str());
  if (questions.code() != kExitFound) return questions.code();

  const int64_t now_ns = now_ns_of_clock();
  // Now, a week ago, two weeks ago …
  std::vector<int64_t> risk;
  for (int weeks = 0; weeks < kWeeksShown; ++weeks)
    risk.push_back(risk_of(alerts, now_ns - static_cast<int64_t>(weeks * 7 * kDayNs)));
  out["usual"] = std::move(all_usual);
  out["risk"] = risk;
  out["alerts"] = alerts;
  out["acts"] = acts;

  Out screen;
  if (output_kind(options.output) == OutputKind::json) {
    screen.json(json_of(out));
  } else {
    std::string shown;
    const auto say = [&](std::string_view label, std::string_view value) {
      shown += label;
      shown.append(label.size() < 18 ? 18 - label.size() : 1, ' ');
      append_printable(shown, value);
      shown += '\n';
    };
    say(kind.name, name + ", " + detect::number_text(static_cast<uint64_t>(records), "record", "records") + " from " +
                       local_time_text(out["first"].get<std::string>(), *zone, false) + " to " +
                       local_time_text(out["last"].get<std::string>(), *zone, false));
    say("usual", "logins, most frequent first");
    for (const auto& [label, value] : lines) say("  " + label, value);
    std::string weeks;
    for (int64_t one : risk) weeks += (weeks.empty() ? "" : ", ") + std::to_string(one);
    say("odd", detect::number_text(alerts.size(), "alert", "alerts") + "; risk now and in the weeks before: " + weeks +
                   " (their scores, halved each 7 days)");
    for (size_t i = alerts.size() > kAlertsShown ? alerts.size() - kAlertsShown : 0; i < alerts.size(); ++i)
      say("  " + text(alerts[i], "/yushi/alert/severity"),
          local_time_text(text(alerts[i], "/@timestamp"), *zone, false) + "  " +
              text(alerts[i], "/yushi/alert/id").substr(0, 8) + "  " + text(alerts[i], "/yushi/alert/reason"));
    say("last acts", "");
    for (const auto& act : acts)
      say("  " + text(act, "/yushi/event"), local_time_text(text(act, "/@timestamp"), *zone, false) + "  " +
                                                text(act, "/host/name") + "  " +
                                                detect::printable(text(act, "/message"), 160));
    screen.write(shown);
  }
  screen.flush();
  return (*asker)->is_whole() ? hold_to_remembered(**asker, !options.store.empty()) : kExitFound;
}

// Whom an alert is about, for a ranking: the account, else the address, else the host.
std::string subject_of(const Json& alert) {
  const auto key = text(alert, "/yushi/alert/key");
  if (const auto at = key.find("actor="); at != key.npos) return key.substr(at + 6, key.find(' ', at) - at - 6);
  for (const char* field : {"/user/name", "/source/ip", "/host/name"})
    if (auto value = text(alert, field); !value.empty()) return value;
  return key;
}

int top(const Options& options) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  Questions questions(options, **asker);
  struct Subject {
    double risk = 0;
    uint64_t alerts = 0;
    double worst = -1;
    std::string rule;
  };
  std::map<std::string, Subject> subjects;
  const int64_t now_ns = now_ns_of_clock();
  for (const auto& alert : questions.alerts("")) {
    auto& subject = subjects[subject_of(alert)];
    const double risk = risk_of(alert, now_ns);
    subject.risk += risk;
    ++subject.alerts;
    if (risk > subject.worst) subject.worst = risk, subject.rule = text(alert, "/rule/name");
  }
  if (questions.code() != kExitFound) return questions.code();
  std::vector<std::pair<std::string, Subject>> ranked(subjects.begin(), subjects.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) { return a.second.risk > b.second.risk; });
  if (ranked.size() > kTopShown) ranked.resize(kTopShown);
  const auto kind = output_kind(options.output, OutputKind::columns);
  Out out;
  RowPrinter rows(out, kind, {"who", "risk", "alerts", "worst"});
  for (const auto& [name, subject] : ranked) {
    const auto risk = std::llround(subject.risk);
    if (kind == OutputKind::json)
      out.json(json_of({{"name", name}, {"risk", risk}, {"alerts", subject.alerts}, {"worst", subject.rule}}));
    else
      rows.row({name, std::to_string(risk), std::to_string(subject.alerts), subject.rule});
  }
  rows.finish();
  out.flush();
  const int held = (*asker)->is_whole() ? hold_to_remembered(**asker, !options.store.empty()) : kExitFound;
  return held != kExitFound ? held : ranked.empty() ? kExitNothing : kExitFound;
}

}  // namespace

void add_who(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("who", "what is usual for an account, a host or an address, and what was odd");
  command->footer("Examples: yushi who li.wei --since 30d\n          yushi who --top");
  auto options = std::make_shared<Options>();
  auto name = std::make_shared<std::string>();
  auto ranks = std::make_shared<bool>(false);
  command->add_option("name", *name, "an account, a host or an address");
  command->add_flag("--top", *ranks, "those with the greatest risk, by the alerts about them");
  for (const char* parameter : {"since", "until", "tenant"})
    command->add_option_function<std::string>(
        std::string("--") + parameter,
        [options, parameter](const std::string& value) { options->given[parameter] = value; },
        std::string(query::find_kind("alerts")->parameter(parameter)->words));
  command->add_flag("--utc", options->utc, "times in UTC");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([=, &chosen] {
    if (name->empty() == !*ranks) {
      chosen = [] { return report(Error{Code::invalid, "who wants a name, or --top; see `yushi who --help`"}); };
      return;
    }
    if (options->text("since").empty()) options->given["since"] = "30d";
    chosen = [=] { return *ranks ? top(*options) : who(*options, *name); };
  });
}

}  // namespace yushi::cli
