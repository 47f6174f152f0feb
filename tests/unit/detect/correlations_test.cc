// Correlations: what hits within a span of event time say together.
#include "detect/rules/correlations.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-11-01T08:00:00Z");

// Base rules a, b, c: event.action is that letter; and a correlation with id `many`.
std::string with(const std::string& correlation, const std::string& more = "") {
  std::string text;
  for (char c : {'a', 'b', 'c'}) {
    std::string name(1, c);
    text += "title: Step " + name + "\nid: id-" + name + "\nname: " + name +
            "\nlogsource: {product: yushi}\ndetection:\n  s: {event.action: " + name + "}\n  condition: s\n---\n";
  }
  return text + "title: Many\nid: many\ncorrelation: " + correlation + "\nlevel: high\n" + more;
}
Line step(const std::string& action, int64_t seconds, const std::string& source = "10.0.0.1",
          const std::string& user = "root") {
  Line event;
  event.at_ns = kStart + seconds * kSecond;
  event.values = {{"event.action", action}, {"user.name", user}, {"source.ip", source}};
  return event;
}
size_t count(const std::string& rule, const std::vector<Line>& events) {
  auto all = alerts_of(events, {}, rules_of(rule));
  return of_rule(all, "many").size();
}

TEST(Correlations, an_event_count_fires_at_its_threshold_within_the_span_and_group) {
  std::string rule = with("{type: event_count, rules: [a], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}");
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 30), step("a", 60)}), 1u);
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 30), step("a", 61)}), 0u);
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 30), step("a", 40, "10.0.0.2")}), 0u);
  EXPECT_EQ(count(rule, {step("a", 0), step("b", 30), step("a", 40)}), 0u);
}

TEST(Correlations, an_address_is_one_group_and_one_value_however_it_is_written) {
  std::string grouped =
      with("{type: event_count, rules: [a], group-by: [source.ip], timespan: 1m, condition: {gte: 3}}");
  EXPECT_EQ(
      count(grouped, {step("a", 0, "192.0.2.7"), step("a", 1, "::ffff:192.0.2.7"), step("a", 2, "::FFFF:C000:207")}),
      1u);
  EXPECT_EQ(
      count(grouped, {step("a", 0, "2001:db8::1"), step("a", 1, "2001:DB8:0:0::1"), step("a", 2, "2001:db8:0::0:1")}),
      1u);
  std::string counted = with("{type: value_count, rules: [a], timespan: 1m, condition: {field: source.ip, gte: 2}}");
  EXPECT_EQ(count(counted, {step("a", 0, "192.0.2.7"), step("a", 1, "::ffff:192.0.2.7")}), 0u);
  EXPECT_EQ(count(counted, {step("a", 0, "192.0.2.7"), step("a", 1, "192.0.2.8")}), 1u);
}

TEST(Correlations, gt_means_one_more) {
  std::string rule = with("{type: event_count, rules: [a], timespan: 1m, condition: {gt: 2}}");
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 1)}), 0u);
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 1), step("a", 2)}), 1u);
}

TEST(Correlations, event_time_counts_and_not_arrival) {
  std::string rule = with("{type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}}");
  // The one in the middle comes last.
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 55), step("a", 30)}), 1u);
  // All arrive together, hours apart by their own clock.
  std::vector<Line> late = {step("a", 0), step("a", 3600), step("a", 7200)};
  for (auto& event : late) event.late_ns = kStart + 8000 * kSecond - event.at_ns;
  EXPECT_EQ(count(rule, late), 0u);
}

TEST(Correlations, an_alert_names_the_hits_of_its_window_and_its_count) {
  std::string rule = with("{type: event_count, rules: [a], group-by: [source.ip], timespan: 5m, condition: {gte: 3}}");
  auto all = alerts_of({step("a", 0), step("b", 5), step("a", 30), step("a", 60)}, {}, rules_of(rule));
  ASSERT_EQ(all.size(), 2u);  // b is no part of the correlation and speaks for itself
  auto found = of_rule(all, "many");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->reason, "Many: 3 within 1 min, limit 3 in 5 min (source.ip=10.0.0.1)");
  EXPECT_EQ(found[0]->baseline, "count=3 limit=3 timespan_s=300");
  ASSERT_EQ(found[0]->records.size(), 3u);
  EXPECT_EQ(found[0]->records[1].index, 2u);
}

TEST(Correlations, a_reason_tells_the_span_of_event_times_and_says_when_nobody_gave_them) {
  std::string rule = with("{type: event_count, rules: [a], group-by: [source.ip], timespan: 5m, condition: {gte: 3}}");
  auto said = [&](std::vector<int64_t> seconds, size_t of_receipt, int64_t replayed_seconds = 0) {
    std::vector<Line> events;
    for (int64_t s : seconds) events.push_back(step("a", s));
    for (size_t i = 0; i < of_receipt; ++i) events[i].inferred = kAllInferred;
    if (replayed_seconds > 0)
      for (auto& event : events) event.late_ns = kStart + replayed_seconds * kSecond - event.at_ns;
    auto all = alerts_of(events, {}, rules_of(rule));
    auto found = of_rule(all, "many");
    return found.size() == 1 ? found[0]->reason.substr(6) : "not told";
  };
  EXPECT_EQ(said({0, 0, 0}, 0), "3 within one second, limit 3 in 5 min (source.ip=10.0.0.1)");
  EXPECT_EQ(said({0, 40, 100}, 0), "3 within 100 s, limit 3 in 5 min (source.ip=10.0.0.1)");
  EXPECT_EQ(said({0, 40, 199}, 0), "3 within 4 min, limit 3 in 5 min (source.ip=10.0.0.1)");
  // The same log hours later.
  EXPECT_EQ(said({0, 40, 199}, 0, 20'000), "3 within 4 min, limit 3 in 5 min (source.ip=10.0.0.1)");
  EXPECT_EQ(said({0, 200, 400}, 0, 20'000), "not told");
  EXPECT_EQ(said({0, 0, 0}, 3), "3 within one second by time of receipt, limit 3 in 5 min (source.ip=10.0.0.1)");
  EXPECT_EQ(said({0, 2, 3}, 1), "3 within 3 s, partly by time of receipt, limit 3 in 5 min (source.ip=10.0.0.1)");
}

TEST(Correlations, base_rules_speak_only_when_generate_says_so) {
  std::string quiet = with("{type: event_count, rules: [a, b, c], timespan: 1m, condition: {gte: 30}}");
  EXPECT_TRUE(alerts_of({step("a", 0), step("b", 1)}, {}, rules_of(quiet)).empty());
  std::string loud = with("{type: event_count, rules: [a, b, c], timespan: 1m, condition: {gte: 30}, generate: true}");
  EXPECT_EQ(alerts_of({step("a", 0), step("b", 1)}, {}, rules_of(loud)).size(), 2u);
}

TEST(Correlations, a_value_count_counts_distinct_values) {
  std::string rule = with(
      "{type: value_count, rules: [a], group-by: [source.ip], timespan: 1m, condition: {gte: 3, field: user.name}}");
  std::vector<Line> same, different;
  for (int i = 0; i < 200; ++i) same.push_back(step("a", i % 50, "10.0.0.1", i % 2 ? "x" : "y"));
  EXPECT_EQ(count(rule, same), 0u);
  // A flood of two names does not push the third out.
  different = {step("a", 0, "10.0.0.1", "z")};
  for (int i = 0; i < 200; ++i) different.push_back(step("a", i % 50, "10.0.0.1", i % 2 ? "x" : "y"));
  EXPECT_EQ(count(rule, different), 1u);
}

TEST(Correlations, temporal_wants_each_and_ordered_wants_the_order) {
  std::string any = with("{type: temporal, rules: [a, b, c], group-by: [user.name], timespan: 1m}");
  std::string ordered = with("{type: temporal_ordered, rules: [a, b, c], group-by: [user.name], timespan: 1m}");
  std::vector<Line> right = {step("a", 0), step("b", 10), step("c", 20)};
  std::vector<Line> wrong = {step("b", 0), step("a", 10), step("c", 20)};
  std::vector<Line> missing = {step("a", 0), step("b", 10), step("b", 20)};
  std::vector<Line> slow = {step("a", 0), step("b", 10), step("c", 70)};
  std::vector<Line> elsewhere = {step("a", 0), step("b", 10), step("c", 20, "10.0.0.1", "alice")};
  EXPECT_EQ(count(any, right), 1u);
  EXPECT_EQ(count(any, wrong), 1u);
  EXPECT_EQ(count(ordered, right), 1u);
  EXPECT_EQ(count(ordered, wrong), 0u);
  for (const auto& rule : {any, ordered}) {
    EXPECT_EQ(count(rule, missing), 0u);
    EXPECT_EQ(count(rule, slow), 0u);
    EXPECT_EQ(count(rule, elsewhere), 0u);
  }
  // Arrival out of order does not matter, event time does.
  EXPECT_EQ(count(ordered, {right[2], right[0], right[1]}), 1u);
  EXPECT_EQ(count(ordered, {step("a", 0), step("b", 0), step("c", 0)}), 1u);
}

TEST(Correlations, a_reason_and_its_time_are_the_same_in_whatever_order_the_records_arrive) {
  std::string rule =
      with("{type: temporal_ordered, rules: [a, b], group-by: [user.name], timespan: 1m}",
           "yushi: {reason: '%{user.name} of %{group.name} on %{host.name}, %{timespan}, %{url.original}'}\n");
  Line first = step("a", 0), second = step("b", 10);
  first.values.emplace_back("host.name", "web1");
  first.values.emplace_back("group.name", "old");
  second.values.emplace_back("group.name", "wheel");
  const std::string reason = "root of wheel on web1, 10 s, ?";  // no record has url.original
  for (bool swapped : {false, true}) {
    std::vector<Line> events = {first, second};
    if (swapped) std::reverse(events.begin(), events.end());
    auto all = alerts_of(events, {}, rules_of(rule));
    auto found = of_rule(all, "many");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0]->reason, reason) << (swapped ? "swapped" : "in order");
    EXPECT_EQ(found[0]->event_ns, second.at_ns);
    // Saved between the two: the record that came first is known only by what was kept of it.
    auto rules = rules_of(rule);
    Committer committer;
    Engine before(rules, {}), after(rules, {});
    observe(before, rules, committer, {events[0]});
    ASSERT_TRUE(after.load(before.save()));
    auto later = observe(after, rules, committer, {events[1]});
    ASSERT_EQ(of_rule(later, "many").size(), 1u);
    EXPECT_EQ(of_rule(later, "many")[0]->reason, reason);
  }
}

TEST(Correlations, words_of_senders_are_kept_to_a_bound) {
  std::string reason, rule;
  Line first = step("a", 10), second = step("b", 20);
  for (int i = 0; i < 8; ++i) {
    auto name = "json.l" + std::to_string(i);
    reason += "%{" + name + "} ";
    first.values.emplace_back(name, std::string(10'000, 'x'));
  }
  auto rules = rules_of(with("{type: temporal, rules: [a, b], timespan: 1m}", "yushi: {reason: '" + reason + "'}\n"));
  Engine engine(rules, {});
  Committer committer;
  auto empty = engine.save().size();
  observe(engine, rules, committer, {first});
  EXPECT_LT(engine.save().size(), empty + Correlations::kHitWordsMax + 200);
  ASSERT_TRUE(engine.load(engine.save()));
  auto all = observe(engine, rules, committer, {second});
  ASSERT_EQ(of_rule(all, "many").size(), 1u);
  EXPECT_NE(of_rule(all, "many")[0]->reason.find("xxx"), std::string::npos);
}

TEST(Correlations, a_flood_of_one_step_does_not_push_the_first_step_out) {
  std::string ordered = with("{type: temporal_ordered, rules: [a, b, c], timespan: 10m}");
  std::vector<Line> events = {step("a", 0)};
  for (int i = 0; i < 300; ++i) events.push_back(step("b", 1 + i));
  events.push_back(step("c", 400));
  EXPECT_EQ(count(ordered, events), 1u);
}

TEST(Correlations, an_alias_takes_another_field_for_one_rule) {
  std::string rule = with(
      "{type: temporal_ordered, rules: [a, b], group-by: [who], timespan: 1m, aliases: {who: {a: source.ip, b: "
      "user.name}}}");
  EXPECT_EQ(count(rule, {step("a", 0, "10.0.0.1", "x"), step("b", 1, "10.0.0.9", "10.0.0.1")}), 1u);
  EXPECT_EQ(count(rule, {step("a", 0, "10.0.0.1", "x"), step("b", 1, "10.0.0.9", "y")}), 0u);
}

TEST(Correlations, a_correlation_may_be_a_part_of_another) {
  std::string rule = with("{type: temporal_ordered, rules: [burst, b], group-by: [source.ip], timespan: 10m}") +
                     "---\ntitle: Burst\nid: id-burst\nname: burst\ncorrelation: {type: event_count, rules: [a], "
                     "group-by: [source.ip], timespan: 1m, condition: {gte: 3}}\n";
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 1), step("a", 2), step("b", 3)}), 1u);
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 1), step("b", 3)}), 0u);
}

TEST(Correlations, tenants_are_never_counted_together) {
  std::string rule = with("{type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}}");
  auto other = step("a", 1);
  other.log = "finance";
  EXPECT_EQ(count(rule, {step("a", 0), other}), 0u);
}

TEST(Correlations, a_record_without_the_group_field_belongs_to_no_group) {
  std::string rule = with("{type: event_count, rules: [a], group-by: [url.path], timespan: 1m, condition: {gte: 2}}");
  EXPECT_EQ(count(rule, {step("a", 0), step("a", 1)}), 0u);
}

// What came when all windows were over.
std::vector<Alert> told_at_the_end(const std::string& rule, const std::vector<Line>& events) {
  auto rules = rules_of(rule);
  EXPECT_TRUE(rules->unsupported().empty()) << rules->unsupported()[0];
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, events);
  engine.close_windows(alerts);
  return alerts;
}
size_t count_at_the_end(const std::string& rule, const std::vector<Line>& events) {
  return of_rule(told_at_the_end(rule, events), "many").size();
}
Line sized(int64_t bytes, int64_t seconds) {
  auto event = step("a", seconds);
  event.values.emplace_back("source.bytes", std::to_string(bytes));
  return event;
}

TEST(Correlations, fewer_than_is_told_when_the_window_is_over) {
  std::string rule = with("{type: event_count, rules: [a], group-by: [source.ip], timespan: 1m, condition: {lt: 3}}");
  EXPECT_EQ(count(rule, {step("a", 0)}), 0u);
  EXPECT_EQ(count_at_the_end(rule, {step("a", 0)}), 1u);
  EXPECT_EQ(count_at_the_end(rule, {step("a", 0), step("a", 30)}), 1u);
  EXPECT_EQ(count_at_the_end(rule, {step("a", 0), step("a", 30), step("a", 60)}), 0u);
  // A window begins where the one before has ended.
  EXPECT_EQ(count_at_the_end(rule + "yushi: {fold: 1s}\n", {step("a", 0), step("a", 30), step("a", 60), step("a", 61)}),
            1u);
  EXPECT_EQ(count_at_the_end(rule, {step("a", 0), step("a", 1), step("a", 2, "10.0.0.2"), step("a", 3)}), 1u);
}

TEST(Correlations, several_limits_hold_at_once) {
  auto rule = [](const std::string& condition) {
    return with("{type: event_count, rules: [a], timespan: 1m, condition: " + condition + "}");
  };
  auto times = [](int64_t count) {
    std::vector<Line> events;
    for (int64_t i = 0; i < count; ++i) events.push_back(step("a", i));
    return events;
  };
  const std::vector<size_t> range = {0, 1, 1, 0};
  for (int64_t n = 1; n <= 4; ++n) {
    EXPECT_EQ(count_at_the_end(rule("{gte: 2, lte: 3}"), times(n)), range[static_cast<size_t>(n - 1)]) << n;
    EXPECT_EQ(count_at_the_end(rule("{gt: 1, lt: 4}"), times(n)), range[static_cast<size_t>(n - 1)]) << n;
    EXPECT_EQ(count_at_the_end(rule("{neq: 2}"), times(n)), n == 2 ? 0u : 1u) << n;
  }
  auto told = told_at_the_end(rule("{gte: 2, lte: 3}"), times(3));
  ASSERT_EQ(of_rule(told, "many").size(), 1u);
  EXPECT_EQ(of_rule(told, "many")[0]->reason, "Many: 3 within 2 s, limit ≥ 2 and ≤ 3 in 1 min");
  EXPECT_EQ(of_rule(told, "many")[0]->records.size(), 3u);
}

TEST(Correlations, numbers_are_summed_averaged_and_ranked) {
  auto fires = [](const std::string& type, const std::string& limit, std::vector<int64_t> values) {
    std::vector<Line> events;
    for (size_t i = 0; i < values.size(); ++i) events.push_back(sized(values[i], static_cast<int64_t>(i)));
    return count_at_the_end(
               with("{type: " + type + ", rules: [a], timespan: 1m, condition: {field: source.bytes, " + limit + "}}"),
               events) == 1;
  };
  EXPECT_TRUE(fires("value_sum", "gte: 100", {60, 40}));
  EXPECT_FALSE(fires("value_sum", "gte: 101", {60, 40}));
  EXPECT_TRUE(fires("value_sum", "lt: 101", {60, 40}));
  EXPECT_TRUE(fires("value_avg", "gte: 2.5", {1, 4}));
  EXPECT_FALSE(fires("value_avg", "gt: 2.5", {1, 4}));
  EXPECT_FALSE(fires("value_avg", "gte: 800", {900, 100}));  // though the first alone was over it
  EXPECT_TRUE(fires("value_median", "eq: 5", {1, 9, 5}));
  EXPECT_TRUE(fires("value_median", "eq: 3", {1, 9, 5, 1}));
  EXPECT_FALSE(fires("value_median", "gt: 3", {1, 9, 5, 1}));
  EXPECT_TRUE(fires("value_percentile", "percentile: 90, gte: 9", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_FALSE(fires("value_percentile", "percentile: 90, gt: 9", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_TRUE(fires("value_percentile", "percentile: 0, eq: 1", {3, 1, 2}));
  // What is no number is not counted.
  EXPECT_EQ(count_at_the_end(with("{type: value_sum, rules: [a], timespan: 1m, condition: {field: user.name, gte: 1}}"),
                             {step("a", 0)}),
            0u);
  // A sum that is reached is told at once.
  EXPECT_EQ(count(with("{type: value_sum, rules: [a], timespan: 1m, condition: {field: source.bytes, gte: 3}}"),
                  {sized(1, 0), sized(2, 1)}),
            1u);
}

TEST(Correlations, a_condition_over_rules_says_which_come_and_which_do_not) {
  auto rule = [](const std::string& condition) {
    return with("{type: temporal, rules: [a, b, c], group-by: [source.ip], timespan: 1m, condition: '" + condition +
                "'}");
  };
  EXPECT_EQ(count(rule("a and (b or c)"), {step("a", 0), step("c", 5)}), 1u);  // nothing can undo it: at once
  EXPECT_EQ(count(rule("a and (b or c)"), {step("b", 0), step("c", 5)}), 0u);
  EXPECT_EQ(count_at_the_end(rule("a and not b"), {step("a", 0)}), 1u);
  EXPECT_EQ(count_at_the_end(rule("a and not b"), {step("a", 0), step("b", 60)}), 0u);
  EXPECT_EQ(count_at_the_end(rule("a and not b"), {step("b", 0), step("a", 10)}), 0u);
  EXPECT_EQ(count_at_the_end(rule("a and not b"), {step("a", 0), step("b", 61)}), 1u);
  EXPECT_EQ(count_at_the_end(rule("a and not b"), {step("a", 0), step("b", 10, "10.0.0.2")}), 1u);
  EXPECT_EQ(count_at_the_end(rule("2 of them and not c"), {step("a", 0), step("b", 10)}), 1u);
}

TEST(Correlations, a_window_is_over_by_event_time_or_when_nothing_more_came_for_as_long) {
  auto rules =
      rules_of(with("{type: event_count, rules: [a], timespan: 1m, condition: {lt: 2}}", "yushi: {fold: 1s}\n"));
  Engine engine(rules, {});
  Committer committer;
  auto alerts = observe(engine, rules, committer, {step("a", 0)});
  engine.tick(1, kStart + 119 * kSecond, alerts);
  EXPECT_EQ(of_rule(alerts, "many").size(), 0u);  // a hit may be late by another span
  auto late = step("a", 30);
  late.late_ns = 89 * kSecond;
  for (auto& alert : observe(engine, rules, committer, {late})) alerts.push_back(alert);
  engine.tick(2, kStart + 500 * kSecond, alerts);
  EXPECT_EQ(of_rule(alerts, "many").size(), 0u);
  // An old log is read in: its own times say when a window is over.
  auto first = step("a", 1000), second = step("a", 2000), third = step("a", 1010);
  for (auto* event : {&first, &second, &third}) event->late_ns = kDay;
  alerts = observe(engine, rules, committer, {first, second, third});
  ASSERT_EQ(of_rule(alerts, "many").size(), 1u);  // and what belongs to a window that was told is too late
  EXPECT_EQ(of_rule(alerts, "many")[0]->event_ns, kStart + 1000 * kSecond);
}

TEST(Correlations, open_windows_are_part_of_the_state) {
  auto rules =
      rules_of(with("{type: temporal, rules: [a, b], group-by: [user.name], timespan: 1m, condition: a and not b}",
                    "yushi: {reason: '%{user.name} from %{source.ip}'}\n"));
  Engine before(rules, {});
  Committer committer;
  observe(before, rules, committer, {step("a", 0), step("a", 1, "10.0.0.7", "alice")});
  Engine after(rules, {});
  ASSERT_TRUE(after.load(before.save()));
  EXPECT_EQ(after.save(), before.save());
  auto alerts = observe(after, rules, committer, {step("b", 5)});
  after.tick(1, kStart + 300 * kSecond, alerts);
  auto found = of_rule(alerts, "many");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->reason, "alice from 10.0.0.7");
  EXPECT_EQ(found[0]->key, "user.name=alice");
  EXPECT_EQ(found[0]->raised_ns, kStart + 300 * kSecond);
  ASSERT_EQ(found[0]->records.size(), 1u);
  EXPECT_EQ(found[0]->records[0].index, 1u);
}

TEST(Correlations, what_is_not_done_is_listed_by_name) {
  for (const char* correlation :
       {"{type: event_count, rules: [a], timespan: 1m, condition: {lt: 1}}",
        "{type: event_count, rules: [a], timespan: 1m, condition: {gte: 10001}}",
        "{type: temporal_ordered, rules: [a, b], timespan: 1m, condition: a and b}",
        "{type: value_mode, rules: [a], timespan: 1m, condition: {field: user.name, gte: 1}}"})
    EXPECT_EQ(rules_of(with(correlation))->unsupported().size(), 1u) << correlation;
  for (const char* correlation :
       {"{type: event_count, rules: [a], timespan: 1m, condition: {gte: 0}}",
        "{type: value_avg, rules: [a], timespan: 1m, condition: {gte: 1}}",
        "{type: value_percentile, rules: [a], timespan: 1m, condition: {field: source.bytes, gte: 1}}",
        "{type: event_count, rules: [a], timespan: 1m, condition: {}}",
        "{type: temporal, rules: [a, b], timespan: 1m, condition: a and d}"})
    EXPECT_FALSE(RuleSet::load({RuleFile{"a.yml", "a.yml", with(correlation)}})) << correlation;
  // A whole of what is decided late would have nothing to go by.
  EXPECT_EQ(
      rules_of(
          with("{type: event_count, rules: [a], timespan: 1m, condition: {lt: 3}}",
               "---\ntitle: Chained\nid: chained\ncorrelation: {type: temporal, rules: [many, b], timespan: 1m}\n"))
          ->unsupported()
          .size(),
      1u);
}

TEST(Correlations, references_to_nothing_and_circles_are_listed) {
  EXPECT_EQ(rules_of(with("{type: temporal, rules: [a, nowhere], timespan: 1m}"))->unsupported().size(), 1u);
  std::string circle =
      "title: A\nid: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\n"
      "title: B\nid: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n";
  auto loaded = RuleSet::load({RuleFile{"a.yml", "a.yml", circle}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->unsupported().size(), 2u);
  EXPECT_TRUE((*loaded)->list().empty());
}

}  // namespace
}  // namespace yushi::detect
