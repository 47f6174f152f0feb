// Alerts to stories: who reads them sees one incident, its steps in ATT&CK's order and what they are together.
#include "query/answers/stories.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "core/base/time_text.h"
#include "core/event/attack.h"

namespace yushi::query {
namespace {

Alert alert(std::string id, std::string story, const std::string& tactic, int64_t minute,
            Severity severity = Severity::medium) {
  Alert out;
  out.id = std::move(id);
  out.story = std::move(story);
  out.story_subject = "203.0.113.9";
  out.rule_id = "rule of " + tactic;
  out.rule_name = "Rule";
  out.rule_name_zh = "规则";
  out.reason = "why " + out.id;
  out.tenant = "default";
  out.severity = severity;
  out.score = 50;
  out.tags = {"attack." + tactic, "attack.t1110"};
  out.event_ns = out.raised_ns = minute * kMinute;
  out.records = {{"default", static_cast<uint64_t>(minute)}};
  out.fields = {{"host.name", "web-01"}, {"user.name", "alice"}, {"source.ip", "203.0.113.9"}};
  return out;
}

TEST(StoryBook, alerts_of_a_story_are_one_with_its_steps_in_the_order_of_attack) {
  StoryBook book;
  EXPECT_TRUE(book.add(alert("a", "a", "credential-access", 1)));
  EXPECT_TRUE(book.add(alert("b", "a", "initial-access", 2, Severity::high)));
  EXPECT_TRUE(book.add(alert("c", "a", "initial-access", 3)));
  EXPECT_TRUE(book.add(alert("d", "d", "impact", 4)));
  ASSERT_EQ(book.stories().size(), 2u);
  const Story* story = book.find("a");
  ASSERT_TRUE(story);
  EXPECT_EQ(story->severity(), Severity::high);
  EXPECT_EQ(story->risk(), 60u);
  const auto steps = story->in_attack_order();
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(tactic_at(*steps[0]->tactic).name, "Initial Access");
  EXPECT_EQ(steps[0]->alerts, 2u);
  EXPECT_EQ(steps[0]->reason, "why b");
  EXPECT_EQ(steps[0]->first_ns, 2 * kMinute);
  EXPECT_EQ(steps[0]->last_ns, 3 * kMinute);
  EXPECT_EQ(tactic_at(*steps[1]->tactic).name_zh, "凭据访问");
  EXPECT_EQ(story->records.size(), 3u);
}

TEST(StoryBook, what_was_folded_counts_as_hits) {
  StoryBook book;
  auto first = alert("a", "a", "impact", 1), more = alert("b", "a", "impact", 2);
  more.summary = true;
  more.folded = 41;
  book.add(first);
  book.add(more);
  EXPECT_EQ(book.find("a")->hits, 42u);
  EXPECT_EQ(book.find("a")->alerts, 2u);
}

TEST(StoryBook, stories_that_turn_out_to_be_one_are_one_from_their_beginning) {
  StoryBook book;
  book.add(alert("a", "a", "credential-access", 2));
  book.add(alert("b", "b", "execution", 1, Severity::high));
  book.add(alert("c", "c", "impact", 3));
  auto joins = alert("d", "a", "persistence", 4);
  joins.story_joins = {"b", "c"};
  book.add(joins);
  book.add(alert("e", "b", "discovery", 5));  // raised by who did not know of it yet
  ASSERT_EQ(book.stories().size(), 1u);
  const Story* story = book.find("c");
  ASSERT_TRUE(story);
  EXPECT_EQ(story->id, "a");
  EXPECT_EQ(story->first_ns, kMinute);
  EXPECT_EQ(story->alerts, 5u);
  EXPECT_EQ(story->severity(), Severity::critical);
  EXPECT_EQ(story->alert_ids.size(), 5u);
}

TEST(StoryBook, a_story_that_joins_itself_or_in_a_ring_ends) {
  StoryBook book;
  auto a = alert("a", "a", "impact", 1), b = alert("b", "b", "impact", 2);
  a.story_joins = {"a", "b"};
  b.story_joins = {"a"};
  book.add(a);
  book.add(b);
  ASSERT_EQ(book.stories().size(), 1u);
  EXPECT_EQ(book.find("b")->alerts, 2u);
}

TEST(StoryBook, an_alert_of_no_story_is_one_by_itself) {
  StoryBook book;
  auto old = alert("a", "", "impact", 1);
  old.story_subject.clear();
  book.add(old);
  ASSERT_EQ(book.stories().size(), 1u);
  EXPECT_EQ(book.find("a")->subject, "alice");
}

TEST(StoryBook, what_is_learned_raises_nothing) {
  StoryBook book;
  auto learned = alert("a", "a", "impact", 1, Severity::critical);
  learned.learning = true;
  book.add(learned);
  EXPECT_EQ(book.find("a")->severity(), Severity::informational);
  EXPECT_EQ(book.find("a")->risk(), 0u);
}

TEST(StoryBook, as_json_it_has_both_languages_and_the_places_of_its_records) {
  StoryBook book;
  auto one = alert("a", "a", "impact", 1);
  one.reason_zh = "原因";
  book.add(one);
  const auto json = story_json(*book.find("a"), true);
  EXPECT_EQ(json["steps"][0]["tactic"]["name_zh"], "影响");
  EXPECT_EQ(json["steps"][0]["rule"]["name_zh"], "规则");
  EXPECT_EQ(json["steps"][0]["reason_zh"], "原因");
  EXPECT_EQ(json["records"], nlohmann::ordered_json({"default/1"}));
  EXPECT_EQ(json["open"], true);
}

TEST(Tactics, several_tactics_together_are_worse_than_each) {
  EXPECT_EQ(severity_of_steps(Severity::medium, 0b11), Severity::medium);
  EXPECT_EQ(severity_of_steps(Severity::medium, 0b111), Severity::high);
  EXPECT_EQ(severity_of_steps(Severity::low, 0b1111), Severity::high);
  EXPECT_EQ(severity_of_steps(Severity::critical, 0b1111), Severity::critical);
  EXPECT_EQ(tactic_of({"attack.t1110", "attack.credential_access"}), tactic_of_tag("attack.credential-access"));
  EXPECT_FALSE(tactic_of({"attack.t1110", "car.2013-02-003"}));
}

}  // namespace
}  // namespace yushi::query
