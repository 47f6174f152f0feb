#include "detect/rules/check.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/time_text.h"
#include "detect/rules/rules.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kReceivedDefault = "2026-11-01T03:00:00Z";
constexpr uint64_t kRepeatMax = 10'000;

struct Steps {
  uint64_t times = 1;
  int64_t apart_ns = 0;
  std::string_view line;
};

// Reads the `+90s ` or `12x5s ` before a line.
Steps read_steps(std::string_view line) {
  Steps steps{1, 0, line};
  size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return steps;
  std::string_view word = line.substr(0, blank);
  if (word.starts_with('+')) {
    auto span = parse_timespan(word.substr(1));
    if (span) steps = {1, *span, line.substr(blank + 1)};
    return steps;
  }
  size_t x = word.find('x');
  if (x == std::string_view::npos) return steps;
  uint64_t times = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + x, times);
  auto span = parse_timespan(word.substr(x + 1));
  if (error == std::errc() && end == word.data() + x && x > 0 && times > 0 && times <= kRepeatMax && span)
    steps = {times, *span, line.substr(blank + 1)};
  return steps;
}

std::string with_time(std::string_view line, int64_t received_ns) {
  char time[32];
  size_t length = format_utc(received_ns, time);
  std::string out;
  for (size_t at = 0; at < line.size();) {
    size_t mark = line.find("%T", at);
    out.append(line.substr(at, mark == std::string_view::npos ? mark : mark - at));
    if (mark == std::string_view::npos) break;
    out.append(time, length);
    at = mark + 2;
  }
  return out;
}

std::string told(const std::vector<const Alert*>& alerts) {
  if (alerts.empty()) return "none came";
  std::string out = number_text(alerts.size(), "alert", "alerts") + " came: " + alerts.front()->reason;
  return out;
}

}  // namespace

RuleCheck check_rule_files(const std::vector<RuleFile>& files, const LogSources& sources) {
  RuleCheck out;
  const auto placeholders = placeholders_of(files, sources);
  const auto distinct = distinct_files(files);
  out.repeated = files.size() - distinct.size();
  for (const RuleFile* file : distinct) {
    ParsedRuleFile parsed = parse_rule_file(*file, sources, placeholders);
    out.passed_over.insert(out.passed_over.end(), parsed.passed_over.begin(), parsed.passed_over.end());
    for (auto& problem : parsed.problems) out.problems.push_back(std::move(problem));
    for (const auto& document : parsed.documents) {
      ++(document.rule ? out.rules : document.correlation ? out.correlations : out.filters);
      out.tests += document.tests.size();
    }
  }
  std::stable_partition(out.problems.begin(), out.problems.end(), [](const auto& p) { return !p.unsupported; });
  // What only shows when they are put together: double ids, references that lead nowhere.
  if (out.ok()) {
    auto loaded = RuleSet::load(files, sources);
    if (!loaded) {
      out.problems.insert(out.problems.begin(), RuleProblem{{}, 0, 0, loaded.error().message, false});
    } else {
      const auto& set = static_cast<const LoadedRules&>(**loaded);
      out.rules = set.rules().size();
      out.correlations = set.correlations().size();
      out.of_known_id = set.of_known_id();
      for (const auto& words : set.unsupported())
        if (std::none_of(out.problems.begin(), out.problems.end(),
                         [&](const auto& known) { return known.text() == words; }))
          out.problems.push_back({{}, 0, 0, words, true});
    }
  }
  out.cannot_run = static_cast<size_t>(std::count_if(out.problems.begin(), out.problems.end(),
                                                     [](const auto& problem) { return problem.unsupported; })) -
                   out.of_known_id;
  return out;
}

Result<std::vector<Alert>> alerts_of_lines(std::shared_ptr<const RuleSet> rules, const DetectOptions& options,
                                           const std::string& received, const std::vector<std::string>& lines,
                                           const ParseBatch& parse) {
  std::string_view first = received.empty() ? kReceivedDefault : std::string_view(received);
  auto start = parse_time(first, 0, *Zone::utc());
  if (!start || start->form != TimeForm::rfc3339)
    return fail(Code::invalid, "received: '" + received + "' is no time such as " + std::string(kReceivedDefault));
  int64_t now_ns = start->unix_ns;
  Batch batch;
  for (const auto& written : lines) {
    Steps steps = read_steps(written);
    for (uint64_t i = 0; i < steps.times; ++i) {
      now_ns += steps.apart_ns;
      Origin origin;
      origin.received_ns = now_ns;
      origin.source = origin.address = "192.0.2.1";
      origin.log = "test";
      origin.node = "test";
      Record record;
      record.raw = batch.arena.copy(std::string_view(with_time(steps.line, now_ns)));
      record.origin = batch.arena.make(origin);
      record.index = record.source_seq = batch.records.size();
      batch.records.push_back(record);
    }
  }
  parse(batch);
  Scratch scratch;
  rules->match(batch, scratch, batch.hits);
  batch.keep.push_back(rules);
  Engine engine(rules, options);
  std::vector<Alert> alerts;
  engine.observe(batch, alerts);
  engine.close_windows(alerts);
  return alerts;
}

Result<RuleTestReport> run_rule_tests(const std::vector<RuleFile>& files, const LogSources& sources,
                                      const ParseBatch& parse) {
  auto rules = YUSHI_TRY(RuleSet::load(files, sources));
  const auto& loaded = static_cast<const LoadedRules&>(*rules);
  const auto all = loaded.list();
  RuleTestReport report;
  report.unsupported = loaded.unsupported();
  const auto placeholders = placeholders_of(loaded.files(), sources);
  for (const RuleFile* file : distinct_files(loaded.files())) {
    for (const auto& document : parse_rule_file(*file, sources, placeholders).documents) {
      const RuleHead& head = document.head();
      const auto listed = std::find_if(all.begin(), all.end(), [&](const auto& rule) { return rule.id == head.id; });
      const std::string why_silent = listed == all.end() || listed->used_by.empty()
                                         ? ""
                                         : "; it raises nothing by itself, since the correlation " + listed->used_by +
                                               " uses it without `generate: true`";
      bool positive = false, negative = false;
      for (const auto& test : document.tests) {
        (test.any ? positive : negative) = true;
        std::string place = head.path + ":" + std::to_string(test.line) + ": " + head.title +
                            (test.name.empty() ? "" : ", " + test.name) + ": ";
        auto alerts = alerts_of_lines(rules, {}, test.received, test.lines, parse);
        if (!alerts) return fail(Code::invalid, place + alerts.error().message);
        std::vector<const Alert*> mine;
        for (const auto& alert : *alerts)
          if (alert.rule_id == head.id) mine.push_back(&alert);
        std::string wrong;
        if (test.any && mine.empty()) wrong = "expected an alert, ";
        if (!test.any && !mine.empty()) wrong = "expected none, ";
        if (test.alerts && *test.alerts != mine.size()) wrong = "expected " + std::to_string(*test.alerts) + ", ";
        if (wrong.empty() && !test.reason.empty() && mine.front()->reason.find(test.reason) == std::string::npos)
          wrong = "expected a reason with '" + test.reason + "', ";
        if (wrong.empty())
          ++report.passed;
        else
          report.failures.push_back(place + wrong + told(mine) + (mine.empty() ? why_silent : ""));
      }
      if (why_silent.empty() && !document.filter && !(positive && negative))
        report.lacking.push_back(head.path + ":" + std::to_string(head.line) + ": " + head.title + ": has no " +
                                 (positive   ? "negative"
                                  : negative ? "positive"
                                             : "positive and no negative") +
                                 " test");
    }
  }
  return report;
}

Result<void> release_canaries(const std::vector<RuleFile>& files, const LogSources& sources, const ParseBatch& parse,
                              const std::function<bool(const Canary&)>& told) {
  auto rules = YUSHI_TRY(RuleSet::load(files, sources));
  const auto& loaded = static_cast<const LoadedRules&>(*rules);
  std::set<std::string_view> raises;
  for (uint32_t i = 0; i < loaded.rules().size(); ++i)
    if (loaded.raises(i)) raises.insert(loaded.rules()[i].head.id);
  for (uint32_t i = 0; i < loaded.correlations().size(); ++i)
    if (loaded.raises(LoadedRules::kCorrelation + i)) raises.insert(loaded.correlations()[i].rule.head.id);
  const auto placeholders = placeholders_of(loaded.files(), sources);
  for (const RuleFile* file : distinct_files(loaded.files())) {
    for (const auto& document : parse_rule_file(*file, sources, placeholders).documents) {
      const auto test =
          std::find_if(document.tests.begin(), document.tests.end(), [](const auto& each) { return each.any; });
      if (test == document.tests.end() || !raises.contains(document.head().id)) continue;
      auto alerts = YUSHI_TRY(alerts_of_lines(rules, {}, test->received, test->lines, parse));
      std::erase_if(alerts, [&](const Alert& alert) { return alert.rule_id != document.head().id; });
      if (!told({&document.head(), std::move(alerts)})) return {};
    }
  }
  return {};
}

}  // namespace yushi::detect
