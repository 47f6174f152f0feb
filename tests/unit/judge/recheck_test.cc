// An alert is judged again from what is stored: the same comes of the same records, another of others, and what cannot
// be judged is said to be so.
#include "judge/recheck.h"
#include "detect/lists/list_changes.h"

#include <gtest/gtest.h>

#include "detect/lists/lists.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::judge {
namespace {

namespace stores = storage::test;

constexpr const char* kRules = R"(
title: A failure
id: failed
logsource: {product: yushi, service: sshd}
detection:
  s: {event.outcome: failure}
  condition: s
---
title: Failures
id: many
correlation: {type: event_count, rules: [failed], group-by: [source.ip], timespan: 30m, condition: {gte: 3}, generate: true}
)";

std::shared_ptr<const detect::RuleSet> rules_of(const std::string& text) {
  stores::small_parsers();
  auto loaded = detect::RuleSet::load({{"test.yml", "test.yml", text}});
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded ? *loaded : nullptr;
}

std::string failure(const std::string& user, int second) {
  return "<38>1 2026-11-01T08:00:" + std::to_string(10 + second) + ".000Z web-01 sshd 811 - - Failed password for " +
         user + " from 10.0.0.9 port 4242 ssh2";
}

// Commits lines as a daemon does, and its alerts with them, each in the commit of its record.
class Judged {
 public:
  explicit Judged(std::shared_ptr<const detect::RuleSet> rules) : rules_(std::move(rules)) {
    store_ = stores::open_store(folder_.path());
    judging_ = {stores::small_parsers(), rules_, [](std::string_view) { return Zone::utc(); }};
    judge_ = std::make_unique<EventJudge>(judging_.parsers, rules_, judging_.options, judging_.zone_of);
  }

  void send(const std::string& line, bool judges = true) {
    const auto received = stores::kReceived + kSecond * sent_++;
    auto commit = store_->begin();
    auto prepared = stores::prepared({{line}}, received);
    auto batch = prepared.batch;
    commit.append(std::move(prepared));
    std::vector<Alert> alerts;
    if (judges) {
      rules_->match(*batch, scratch_, batch->hits);
      judge_->observe(*batch, alerts);
      batch->hits.clear();
    }
    for (auto& alert : alerts) {
      commit.add_alert(store_->log_size(1), alert);
      places_.emplace_back(alert, store_->log_size(1));
      commit.append(stores::prepared({{alert_to_json(alert), "yushid", 1}}, received));
    }
    ASSERT_TRUE(commit.finish());
  }
  // The site's lists are others from now on. Without `whole` the record tells of it in words alone, as of very long
  // lists.
  void read_lists(const std::string& text, bool whole = true) {
    auto record = own_record("lists-read", "lists were read");
    auto& about = record.about.emplace<ListsRead>();
    if (whole) about.changes = detect::list_changes(lists_, text);
    lists_ = text;
    auto commit = store_->begin();
    commit.append(stores::prepared({{to_json(record), "yushid", 1}}, stores::kReceived + kSecond * sent_++));
    ASSERT_TRUE(commit.finish());
    judging_.lists = detect::Lists::of_text(text);
    judge_->use(judging_.lists);
  }
  const std::pair<Alert, uint64_t>& last(const std::string& rule) const {
    for (auto at = places_.rbegin(); at != places_.rend(); ++at)
      if (at->first.rule_id == rule) return *at;
    ADD_FAILURE() << "no alert of " << rule;
    abort();
  }
  AlertCheck check(const Alert& alert, uint64_t index) { return check(alert, index, judging_); }
  AlertCheck check(const Alert& alert, uint64_t index, const Judging& by) {
    const std::atomic<bool> over{false};
    auto checked = recheck(*store_->view(), alert, index, by, over);
    EXPECT_TRUE(checked) << checked.error().message;
    return checked.value_or(AlertCheck());
  }
  Judging judging_;

 private:
  stores::Folder folder_;
  std::shared_ptr<const detect::RuleSet> rules_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<EventJudge> judge_;
  std::vector<std::pair<Alert, uint64_t>> places_;
  Scratch scratch_;
  std::string lists_;
  int64_t sent_ = 0;
};

using Outcome = AlertCheck::Outcome;

TEST(Recheck, the_same_comes_of_the_same_records) {
  Judged store(rules_of(kRules));
  for (int i = 0; i < 5; ++i) store.send(failure("root", i));
  for (const char* rule : {"failed", "many"}) {
    auto& [alert, index] = store.last(rule);
    const auto checked = store.check(alert, index);
    EXPECT_EQ(checked.outcome, Outcome::same) << rule << ": " << checked.how;
  }
}

TEST(Recheck, of_a_rule_without_a_memory_its_records_are_enough) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  auto& [alert, index] = store.last("failed");
  EXPECT_NE(store.check(alert, index).how.find("its 1 record by the rule of digest"), std::string::npos);
  EXPECT_NE(store.check(alert, index + 1000).how.find("its 1 record"), std::string::npos);
}

TEST(Recheck, a_step_of_a_story_comes_of_its_own_records) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  store.send(failure("lin", 1));  // from the same address
  auto& [alert, index] = store.last("failed");
  ASSERT_NE(alert.story, alert.id);
  const auto checked = store.check(alert, index);
  EXPECT_EQ(checked.outcome, Outcome::same) << checked.how;
}

TEST(Recheck, a_record_that_was_changed_gives_another_alert_or_none) {
  Judged was(rules_of(kRules));
  for (int i = 0; i < 3; ++i) was.send(failure("root", i));
  auto& [single, single_index] = was.last("failed");
  auto& [many, many_index] = was.last("many");

  Judged now(rules_of(kRules));  // the same store, but for the name in its records
  for (int i = 0; i < 3; ++i) now.send(failure("mallory", i));
  auto checked = now.check(single, single_index);
  EXPECT_EQ(checked.outcome, Outcome::differs);
  ASSERT_FALSE(checked.differences.empty());

  Judged quiet(rules_of(kRules));  // one of the three is something else
  quiet.send(failure("root", 0));
  quiet.send("<38>1 2026-11-01T08:00:11.000Z web-01 sshd 811 - - Failed passwords seen");
  quiet.send(failure("root", 2));
  quiet.send(failure("root", 3));
  checked = quiet.check(many, quiet.last("failed").second);
  EXPECT_EQ(checked.outcome, Outcome::differs) << checked.how;
}

TEST(Recheck, an_alert_that_says_something_else_differs_there) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  auto [alert, index] = store.last("failed");
  alert.severity = Severity::critical;
  alert.fields.emplace_back("user.email", "li@example.com");
  const auto checked = store.check(alert, index);
  EXPECT_EQ(checked.outcome, Outcome::differs);
  ASSERT_EQ(checked.differences.size(), 2u);
  EXPECT_EQ(checked.differences[0], "severity: the alert says \"critical\", judged again it is \"medium\"");
}

TEST(Recheck, an_upgrade_accuses_nobody) {
  Judged store(rules_of(kRules));
  for (int i = 0; i < 5; ++i) store.send(failure("root", i));
  for (const char* rule : {"failed", "many"}) {
    auto [alert, index] = store.last(rule);
    alert.engine += 1;
    EXPECT_EQ(store.check(alert, index).outcome, Outcome::same) << rule;
    alert.reason += " as it was put then";
    const auto checked = store.check(alert, index);
    EXPECT_EQ(checked.outcome, Outcome::unknown) << rule;
    EXPECT_NE(checked.how.find("it was judged by version "), std::string::npos) << checked.how;
  }
}

TEST(Recheck, what_cannot_be_judged_is_said_to_be_so) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  auto& [alert, index] = store.last("failed");
  auto other = store.judging_;
  other.rules = rules_of(std::string("# changed\n") + kRules);
  auto checked = store.check(alert, index, other);
  EXPECT_EQ(checked.outcome, Outcome::unknown);
  EXPECT_NE(checked.how.find("the rule was changed since"), std::string::npos) << checked.how;
  other.rules =
      rules_of("title: x\nid: x\nlogsource: {product: yushi}\ndetection: {s: {user.name: x}, condition: s}\n");
  EXPECT_NE(store.check(alert, index, other).how.find("no rule failed is here"), std::string::npos);
  auto away = alert;
  away.records[0].index = 4711;
  EXPECT_EQ(store.check(away, index).outcome, Outcome::unknown);
  away.summary = true;
  EXPECT_EQ(store.check(away, index).outcome, Outcome::unknown);
  away.records.clear();
  EXPECT_EQ(store.check(away, index).outcome, Outcome::unknown);
}

TEST(Recheck, an_alert_that_rests_on_a_list_is_judged_by_the_list_of_then) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  store.read_lists("leavers root\n");
  store.send(failure("root", 1));
  const auto [alert, index] = store.last("list.leaver");
  store.read_lists("leavers wang\n");
  const auto checked = store.check(alert, index);
  EXPECT_EQ(checked.outcome, Outcome::same) << checked.how;
  EXPECT_NE(checked.how.find("the lists of then"), std::string::npos);
  // Also by who has none, as a store without a daemon.
  auto without = store.judging_;
  without.lists = nullptr;
  EXPECT_EQ(store.check(alert, index, without).outcome, Outcome::same);
}

TEST(Recheck, where_the_store_does_not_say_what_a_list_was_its_alert_cannot_be_judged) {
  Judged store(rules_of(kRules));
  store.read_lists("leavers root\n", false);
  store.send(failure("root", 1));
  const auto [alert, index] = store.last("list.leaver");
  EXPECT_EQ(store.check(alert, index).outcome, Outcome::same);  // it is the same now
  store.read_lists("leavers wang\n", false);
  const auto checked = store.check(alert, index);
  EXPECT_EQ(checked.outcome, Outcome::unknown);
  EXPECT_NE(checked.how.find("a list of the site"), std::string::npos);
}

TEST(Recheck, repetitions_that_were_folded_are_not_held_against_an_alert) {
  Judged store(rules_of(kRules));
  store.send(failure("root", 0));
  for (int i = 0; i < 3; ++i) store.send(failure("root", i));
  store.send(
      "<38>1 2026-11-01T12:00:00.000Z web-01 sshd 811 - - Failed password for root from 10.0.0.9 port 4242 ssh2");
  auto& [alert, index] = store.last("failed");
  ASSERT_EQ(alert.folded, 3u);
  const auto checked = store.check(alert, index);
  EXPECT_EQ(checked.outcome, Outcome::same) << checked.how;
  EXPECT_NE(checked.how.find("repetitions"), std::string::npos);
}

}  // namespace
}  // namespace yushi::judge
