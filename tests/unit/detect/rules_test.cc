// Rule files: what they match, what is listed as unsupported, what is an error and where.
#include "detect/rules/rules.h"

#include <random>

#include <gtest/gtest.h>

#include "detect/rules/check.h"
#include "events.h"

namespace yushi::detect {
namespace {

std::string rule(const std::string& detection, const std::string& source = "{product: yushi}") {
  return "title: T\nid: r1\nlogsource: " + source + "\ndetection:\n" + detection +
         "\nlevel: high\ntags: [attack.t1110]\n";
}

size_t hits(const std::string& text, const std::vector<Line>& events) {
  auto rules = rules_of(text);
  Committer committer;
  auto batch = committer.batch(events);
  Scratch scratch;
  std::vector<RuleHit> found;
  rules->match(*batch, scratch, found);
  return found.size();
}

Line said(std::vector<std::pair<std::string, std::string>> values, std::string dataset = "sshd") {
  Line event;
  event.at_ns = at("2026-11-01T08:00:00Z");
  event.dataset = std::move(dataset);
  event.values = std::move(values);
  return event;
}

TEST(Rules, a_rule_matches_fields_of_the_datasets_of_its_log_source) {
  std::string text = rule("  s: {user.name: root}\n  condition: s", "{product: linux, service: sshd}");
  EXPECT_EQ(hits(text, {said({{"user.name", "root"}})}), 1u);
  EXPECT_EQ(hits(text, {said({{"user.name", "rooty"}})}), 0u);
  EXPECT_EQ(hits(text, {said({{"user.name", "root"}}, "nginx.access")}), 0u);
}

TEST(Rules, all_that_is_wrong_with_a_rule_is_told_at_once_in_the_order_of_its_lines) {
  const std::string text =
      "title: T\nid: r1\nlevel: hgh\nlogsource: {product: linux, service: sshd}\ndetection:\n"
      "  s: {user.nam: x}\n  condition: s\n"
      "yushi:\n  habt: [actor]\n  key: [usr.name]\n  fold: 1x\n  tests:\n    - {line: a}\n";
  const auto check = check_rule_files({{"a.yml", "a.yml", text}}, our_log_sources());
  std::vector<int> lines;
  for (const auto& problem : check.problems) lines.push_back(problem.line);
  EXPECT_EQ(lines, (std::vector<int>{3, 6, 9, 10, 11, 13}));
  EXPECT_FALSE(check.ok());
}

TEST(Rules, a_log_source_also_means_processes_whose_lines_no_parser_knew) {
  std::string text = rule("  s: ['Rootkit*FOUND']\n  condition: s", "{product: linux, service: clamav}");
  EXPECT_EQ(hits(text, {said({{"process.name", "clamd"}, {"message", "/tmp/x: Rootkit.A FOUND"}}, "")}), 1u);
  EXPECT_EQ(hits(text, {said({{"process.name", "other"}, {"message", "/tmp/x: Rootkit.A FOUND"}}, "")}), 0u);
}

TEST(Rules, no_rule_is_asked_about_a_later_part_of_a_message) {
  auto rules = rules_of(rule("  s: ['Rootkit*FOUND']\n  condition: s", "{product: yushi}"));
  Committer committer;
  auto batch = committer.batch(
      {said({{"message", "/tmp/x: Rootkit.A FOUND"}}, ""), said({{"message", "/tmp/x: Rootkit.A FOUND"}}, "")});
  batch->records[0].part = 1;
  batch->records[1].part = 2;
  Scratch scratch;
  std::vector<RuleHit> found;
  rules->match(*batch, scratch, found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].record, 0u);
}

TEST(Rules, two_records_of_one_batch_may_both_hit_several_rules) {
  std::string text =
      rule("  s: {user.name: root}\n  condition: s") +
      "---\ntitle: U\nid: r2\nlogsource: {product: yushi}\ndetection:\n  s: {source.ip|cidr: 10.0.0.0/8}\n"
      "  condition: s\n";
  EXPECT_EQ(hits(text, {said({{"user.name", "root"}, {"source.ip", "10.0.0.1"}}), said({{"user.name", "root"}})}), 3u);
}

TEST(Rules, a_matcher_that_has_seen_hundreds_of_kinds_hits_what_a_new_one_hits) {
  auto rules =
      rules_of(rule("  s: {event.outcome: failure, user.name|contains: oot}\n  condition: s",
                    "{product: linux, service: sshd}") +
               "---\ntitle: U\nid: r2\nlogsource: {product: yushi}\ndetection:\n  s: {event.outcome: success}\n"
               "  condition: s\n---\ntitle: V\nid: r3\nlogsource: {product: linux, service: clamav}\n"
               "detection:\n  s: {user.name: root}\n  condition: s\n");
  auto matcher = rules->matcher();
  Committer committer;
  Scratch scratch;
  size_t found = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 400; ++i) {
      std::vector<Line> events;
      for (int kind : {i, i / 2, 0}) {
        auto event = said({{"user.name", kind % 3 ? "root" : "alice"}, {"process.name", i % 2 ? "clamd" : "other"}},
                          kind % 5 == 0   ? ""
                          : kind % 5 == 1 ? "nginx.access"
                                          : "sshd");
        event.pattern = "kind-" + std::to_string(kind);
        event.constants = {{"event.outcome", kind % 2 ? "failure" : "success"}};
        events.push_back(std::move(event));
      }
      auto batch = committer.batch(events);
      std::vector<RuleHit> remembered, anew;
      matcher->match(*batch, scratch, remembered);
      rules->match(*batch, scratch, anew);
      auto pairs = [](const std::vector<RuleHit>& hits) {
        std::vector<std::pair<uint32_t, uint32_t>> out;
        for (const auto& hit : hits) out.emplace_back(hit.record, hit.rule);
        return out;
      };
      ASSERT_EQ(pairs(remembered), pairs(anew)) << "batch " << i;
      found += anew.size();
    }
  }
  EXPECT_GT(found, 1000u);
}

TEST(Rules, a_rule_sees_the_text_of_a_message_in_its_tenants_charset) {
  const std::string failed = "\xb5\xc7\xc2\xbc\xca\xa7\xb0\xdc", name = "\x8f\x88\x83\x7c\x96\x7c",
                    admin = "\xba\xf3\xcc\xa8";
  Line event = said({{"user.name", name}, {"message", failed + ": " + name}, {"url.path", "/" + admin + "/login"}});
  for (auto* detection :
       {"  s: {message|contains: 登录失败}\n  condition: s", "  s: {user.name: 張億東}\n  condition: s",
        "  s: {user.name|endswith: 東}\n  condition: s", "  s: {url.path|contains: /后台/}\n  condition: s",
        "  s: {message|re: '失败: .億東$'}\n  condition: s", "  s: [登录失败]\n  condition: s"}) {
    event.charset = Charset::gb18030;
    EXPECT_EQ(hits(rule(detection), {event}), 1u) << detection;
    event.charset = Charset::utf8;
    EXPECT_EQ(hits(rule(detection), {event}), 0u) << detection;
  }
  event.charset = Charset::gb18030;
  for (auto* detection :
       {"  s: {user.name|contains: '|'}\n  condition: s", "  s: {message|contains: 登录成功}\n  condition: s"})
    EXPECT_EQ(hits(rule(detection), {event}), 0u) << detection;
}

// The prefilter may only ever leave out what cannot match.
TEST(Rules, many_rules_together_hit_what_each_alone_hits) {
  std::vector<std::string> detections = {
      "  s: {url.original|contains: 'UNION SELECT'}\n  condition: s",
      "  s: {url.original|contains: ['<script', 'onerror=']}\n  condition: s",
      "  s: {url.original|contains: '../'}\n  condition: s",
      "  s: {url.original|endswith: '.bak'}\n  condition: s",
      "  s: {event.outcome: failure}\n  condition: s",
      "  s: {url.original|re: '(?i)etc/(passwd|shadow)'}\n  condition: s",
      "  s: {url.original|contains|all: [sleep, '(']}\n  condition: s",
      "  s: {user.name: null}\n  f: {url.original|contains: admin}\n  condition: s and not f",
      "  s: {url.original|contains: '密码'}\n  condition: s",
  };
  std::vector<Line> events;
  for (const char* url :
       {"/", "/a?id=1 union select 2", "/x?q=<SCRIPT>", "/..//../etc/passwd", "/index.php.BAK", "/?q=SLEEP(5)",
        "/admin", "/?q=密码", "/onerror=1", "", "ONERROR=", "/a/\xff\xfe../b", "/?\xe2\x84\xaa=1", "/etc/sHadow"}) {
    for (bool failed : {false, true}) {
      auto event = said({{"url.original", url}}, "nginx.access");
      if (failed) event.constants = {{"event.outcome", "failure"}};
      events.push_back(event);
    }
  }
  size_t alone = 0;
  std::string together;
  for (size_t i = 0; i < detections.size(); ++i) {
    std::string text = rule(detections[i]);
    alone += hits(text, events);
    text.replace(text.find("id: r1"), 6, "id: r" + std::to_string(i + 10));
    together += "---\n" + text;
  }
  EXPECT_GT(alone, 20u);
  EXPECT_EQ(hits(together, events), alone);
}

// Trying every rule by itself, with no other rule beside it to search for, is the plain truth; a thousand odd records.
void compare_search_with_asking_every_rule(uint32_t seed, const std::vector<std::string>& fields) {
  std::mt19937 random(seed);
  auto one_of = [&](const std::vector<std::string>& list) { return list[random() % list.size()]; };
  std::vector<std::string> words = {"union",  "select", "<script",         "%27",         "../",  "etc/passwd",
                                    "kind",   "risk",   "\xe2\x84\xaaind", "ri\xc5\xbfk", "密码", "源码.zip",
                                    "a",      "?x=",    "SELECT",          "path?",       "sshd", "\xff\xfe",
                                    "failure"};
  std::vector<std::string> texts;
  std::string together;
  for (int i = 0; i < 150; ++i) {
    auto quoted = [](std::string text) { return "'" + text + "'"; };
    auto leaf = [&] {
      std::vector<std::string> odd = {"\xff\xfe"};
      std::string word = one_of(words);
      if (word == odd[0]) word = "plain";
      const char* how[] = {"|contains", "|startswith", "|endswith", "", "|contains|cased"};
      return one_of(fields) + how[random() % 5] + ": " + quoted(word);
    };
    std::string text =
        rule("  s: {" + leaf() + "}\n  t: {" + leaf() + "}\n  u: {event.outcome: failure}\n  condition: " +
             one_of({"s", "s or t", "s and t", "s and not t", "(s or t) and u", "s or u"}));
    if (!rules_of(text)->unsupported().empty()) continue;
    texts.push_back(text);
    text.replace(text.find("id: r1"), 6, "id: r" + std::to_string(i + 10));
    together += "---\n" + text;
  }
  ASSERT_GT(texts.size(), 50u);
  std::vector<Line> events;
  for (int i = 0; i < 1000; ++i) {
    auto text = [&] {
      std::string out;
      for (unsigned n = random() % 4; n > 0; --n) out += one_of(words) + (random() % 2 ? "" : "/");
      return out;
    };
    std::vector<std::pair<std::string, std::string>> values;
    for (const char* name :
         {"host.name", "url.path", "user.name", "url.original", "message", "json.dynamic", "process.executable"})
      if (random() % 2) values.emplace_back(name, text());
    // Of a dataset that no parser gives: its records may have any field.
    auto event = said(values, random() % 3 ? "shop.access" : random() % 2 ? "kv" : "");
    if (random() % 3 == 0) event.constants = {{"event.outcome", "failure"}, {"event.action", text()}};
    events.push_back(event);
  }
  Committer committer;
  auto batch = committer.batch(events);
  // Path and query as parsers capture them: the whole target is a span over both, the `?` between them in no capture.
  std::vector<std::string> kept;
  kept.reserve(batch->records.size());
  for (auto& record : batch->records) {
    if (random() % 2) continue;
    kept.push_back("GET " + one_of(words) + one_of({"?", "?x=1", ""}) + " HTTP/1.1 " + std::string(record.raw));
    record.raw = kept.back();
    size_t end = record.raw.find_first_of("? ", 4);
    std::vector<Capture> captures = {{4, static_cast<uint32_t>(end - 4), 0, find_field("url.path")}};
    size_t blank = record.raw.find(' ', 4);
    if (record.raw[end] == '?' && blank > end + 1)
      captures.push_back(
          {static_cast<uint32_t>(end + 1), static_cast<uint32_t>(blank - end - 1), 0, find_field("url.query")});
    record.captures = batch->arena.copy(std::span<const Capture>(captures));
    record.message_length = static_cast<uint32_t>(record.raw.size());
    if (random() % 8 == 0) const_cast<Capture&>(record.captures[0]).escape = static_cast<uint8_t>(Escape::json);
  }
  Scratch scratch;
  std::vector<RuleHit> hits;
  auto all = rules_of(together);
  all->match(*batch, scratch, hits);
  // The truth: each rule's filter asked of each record that its scope (any) covers.
  const auto& loaded = dynamic_cast<const LoadedRules&>(*all);
  std::vector<std::pair<uint32_t, uint32_t>> fast, plain;
  for (const auto& hit : hits) fast.emplace_back(hit.record, hit.rule);
  for (uint32_t i = 0; i < batch->records.size(); ++i)
    for (uint32_t r = 0; r < loaded.rules().size(); ++r) {
      scratch.clear();
      if (loaded.rules()[r].filter.matches(batch->records[i], scratch)) plain.emplace_back(i, r);
    }
  EXPECT_GT(plain.size(), 1000u);
  EXPECT_EQ(fast, plain);
}
TEST(Rules, the_search_for_literals_changes_no_hit) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    compare_search_with_asking_every_rule(seed, {"url.original", "url.path", "url.query", "user.name"});
    compare_search_with_asking_every_rule(seed, {"url.original"});
    compare_search_with_asking_every_rule(seed,
                                          {"user.name", "host.name", "process.name", "json.dynamic", "event.action"});
    compare_search_with_asking_every_rule(seed, {"url.path", "message", "event.original", "user.name", "json.unknown"});
  }
}

TEST(Rules, a_hit_becomes_an_alert_with_the_rules_words) {
  std::string text = rule("  s: {user.name: root}\n  condition: s") +
                     "yushi:\n  key: [host.name]\n  reason: '%{user.name} from %{source.ip} on %{host.name}'\n";
  auto alerts = alerts_of({login(at("2026-11-01T08:00:00Z"), "root", "10.0.0.1")}, {}, rules_of(text));
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].reason, "root from 10.0.0.1 on web-01");
  EXPECT_EQ(alerts[0].key, "host.name=web-01");
  EXPECT_EQ(alerts[0].rule_id, "r1");
  EXPECT_EQ(alerts[0].severity, Severity::high);
  EXPECT_EQ(alerts[0].tags, std::vector<std::string>{"attack.t1110"});
  EXPECT_EQ(alerts[0].rule_digest.size(), 64u);
  EXPECT_FALSE(alerts[0].learning);
}

TEST(Rules, what_rests_on_a_weak_word_says_so_and_weighs_less) {
  const auto text = [](const std::string& level) {
    return "title: T\nid: r1\nlevel: " + level +
           "\nlogsource: {product: yushi}\ndetection:\n  s: {user.name: root}\n  condition: s\n"
           "yushi: {key: [user.name], reason: 'it was %{user.name}'}\n";
  };
  const auto told = [&](const std::string& level, const std::string& mark) {
    auto event = said({{"user.name", "root"}});
    event.pattern = "weak " + mark;
    if (!mark.empty()) event.constants = {{mark, "true"}};
    const auto alerts = alerts_of({event}, {}, rules_of(text(level)));
    EXPECT_EQ(alerts.size(), 1u);
    return alerts.empty() ? Alert() : alerts[0];
  };
  EXPECT_EQ(told("critical", "").severity, Severity::critical);
  EXPECT_EQ(told("critical", "").reason, "it was root");
  EXPECT_EQ(told("critical", "yushi.hearsay").severity, Severity::high);
  EXPECT_NE(told("high", "yushi.hearsay").reason.find("by the word of a shell's user alone"), std::string::npos);
  EXPECT_EQ(told("high", "yushi.inferred").severity, Severity::medium);
  EXPECT_NE(told("high", "yushi.inferred").reason.find("inferred"), std::string::npos);
  EXPECT_EQ(told("low", "yushi.inferred").severity, Severity::low);
  EXPECT_LT(told("high", "yushi.inferred").score, told("high", "").score);
  // Whom a text names that another program wrote is not accused.
  EXPECT_EQ(told("high", "yushi.program.unconfirmed").field("user.name"), "");
  EXPECT_EQ(told("high", "").field("user.name"), "root");
}

TEST(Rules, repeated_alerts_fold_into_one_until_the_window_ends) {
  std::string text = rule("  s: {user.name: root}\n  condition: s") + "yushi: {fold: 10m}\n";
  std::vector<Line> events;
  for (int minute : {0, 1, 5, 9, 11})
    events.push_back(login(at("2026-11-01T08:00:00Z") + minute * kMinute, "root", "10.0.0.1"));
  events.push_back(login(events[1].at_ns, "root", "10.0.0.2"));
  auto all = alerts_of(events, {}, rules_of(text));
  auto found = of_rule(all, "r1");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NE(found[1]->reason.find("3 repetitions of the alert before, of 2026-11-01 08:00:00 UTC"), std::string::npos)
      << found[1]->reason;
  EXPECT_NE(found[0]->id, found[1]->id);
}

TEST(Rules, what_is_more_than_we_do_is_listed_with_its_place_and_left_out) {
  struct Case {
    std::string text, construct;
  };
  std::vector<Case> cases = {
      {rule("  s:\n    user.name|re: '(?=a)b'\n  condition: s"), "test.yml:6:"},
      {rule("  s: {user.name: a}\n  condition: s", "{product: vax, service: vms}"), "product vax, service vms"},
      {rule("  s: {NoSuchField: a}\n  condition: s"), "NoSuchField"},
      {rule("  s: {user.name|expand: '%admins%'}\n  condition: s"), "expand"},
      {rule("  s: {user.name: a}\n  condition: s\n  timeframe: 5m"), "timeframe"},
      {rule("  s: {user.name: a}\n  condition: s | count() > 5"), "unsupported"},
  };
  for (const auto& one : cases) {
    auto loaded = RuleSet::load({RuleFile{"test.yml", "test.yml", one.text}}, our_log_sources());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ((*loaded)->unsupported().size(), 1u) << one.text;
    EXPECT_NE((*loaded)->unsupported()[0].find(one.construct), std::string::npos) << (*loaded)->unsupported()[0];
    EXPECT_EQ((*loaded)->unsupported()[0].find("test.yml:"), 0u);
    EXPECT_TRUE((*loaded)->list().empty());
  }
}

TEST(Rules, a_name_that_no_record_can_have_is_an_error_at_its_place) {
  const std::string good = rule("  s: {user.name: a}\n  condition: s");
  const std::string counted =
      "---\ntitle: C\nid: c1\ncorrelation:\n  type: value_count\n  rules: [r1]\n  group-by: [GROUP]\n"
      "  timespan: 5m\n  condition: {gte: 3, field: VALUE}\nyushi: {reason: 'WORDS'}\n";
  auto correlation = [&](const char* group, const char* value, const char* words) {
    std::string text = good + counted;
    for (auto [mark, with] : {std::pair("GROUP", group), {"VALUE", value}, {"WORDS", words}})
      text.replace(text.find(mark), 5, with);
    return text;
  };
  const std::pair<std::string, const char*> cases[] = {
      {rule("  s:\n    user.name: a\n    user.nam|contains: b\n  condition: s"),
       "test.yml:7:5: field user.nam is neither of ECS nor of a parser; did you mean user.name?"},
      {rule("  s: {user.name|fieldref: host.nam}\n  condition: s"), "test.yml:5:7: field host.nam"},
      {good + "yushi: {key: [host.name, usr.name]}\n", "test.yml:9:26: key: usr.name"},
      {good + "yushi: {reason: 'by %{user.name} of %{user.nam}'}\n", "test.yml:9:39: reason: user.nam"},
      {good + "yushi: {reason: 'in %{count}'}\n", "reason: count"},
      {good + "yushi: {reason: 'ran %{CommandLine}'}\n",
       "CommandLine is a field neither of ECS nor of a parser; write process.command_line"},
      {correlation("user.nam", "source.ip", "%{count}"), "test.yml:15:14: group-by: user.nam"},
      {correlation("user.name", "sorce.ip", "%{count}"), "test.yml:17:30: condition.field: sorce.ip"},
      {correlation("user.name", "source.ip", "%{since} %{host.nam}"), "reason: host.nam"},
  };
  for (const auto& [text, place] : cases) {
    auto loaded = RuleSet::load({RuleFile{"test.yml", "test.yml", text}}, our_log_sources());
    ASSERT_FALSE(loaded) << text;
    EXPECT_NE(loaded.error().message.find(place), std::string::npos) << place << " in\n" << loaded.error().message;
  }
  EXPECT_TRUE(RuleSet::load(
      {RuleFile{"test.yml", "test.yml", correlation("user.name", "json.any", "%{count} %{timespan} %{user.name}")}}));
}

TEST(Rules, a_misspelt_modifier_is_an_error_with_what_was_meant) {
  auto loaded = RuleSet::load({RuleFile{"a.yml", "a.yml", rule("  s: {user.name|contians: a}\n  condition: s")}});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("a.yml:5:7: Sigma has no modifier |contians; did you mean contains?"),
            std::string::npos)
      << loaded.error().message;
}

TEST(Rules, a_correlation_groups_by_the_field_that_a_name_of_sigmas_stands_for) {
  std::string text = rule("  s: {COMMAND|contains: rm}\n  condition: s", "{product: linux, service: sudo}") +
                     "---\ntitle: C\nid: c1\ncorrelation:\n  type: event_count\n  rules: [r1]\n  group-by: [USER]\n"
                     "  timespan: 5m\n  condition: {gte: 2}\n";
  auto rules = rules_of(text);
  EXPECT_TRUE(rules->unsupported().empty());
  std::vector<Line> events;
  for (const char* user : {"alice", "root", "root"})
    events.push_back(
        said({{"user.effective.name", user}, {"process.command_line", "rm x"}, {"host.name", "h"}}, "sudo"));
  auto all = alerts_of(events, {}, rules);
  auto found = of_rule(all, "c1");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->key, "USER=root");
  // Of several fields it would have to be said which.
  EXPECT_EQ(
      rules_of(rule("  s: {pam_rhost: x}\n  condition: s", "{product: linux, service: auth}") +
               "---\ntitle: C\nid: c1\ncorrelation:\n  type: event_count\n  rules: [r1]\n  group-by: [pam_rhost]\n"
               "  timespan: 5m\n  condition: {gte: 2}\n")
          ->unsupported()
          .size(),
      1u);
}

TEST(Rules, what_is_wrong_is_an_error_with_every_place) {
  auto loaded = RuleSet::load(
      {RuleFile{"a.yml", "a.yml", "title: A\nlogsource: {product: yushi}\n"},
       RuleFile{"b.yml", "b.yml", "title: B\n  bad indent: [\n"},
       RuleFile{"c.yml", "c.yml", rule("  s: {user.name: a}\n  condition: s") + "yushi: {fold: soon}\n"}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::invalid);
  for (const char* place : {"a.yml:1:1: detection is missing", "b.yml:2:", "c.yml:9:15: 'soon'"})
    EXPECT_NE(loaded.error().message.find(place), std::string::npos) << place << " in\n" << loaded.error().message;
}

TEST(Rules, of_two_rules_of_one_id_the_first_runs_and_the_other_is_listed) {
  std::string text = rule("  s: {user.name: a}\n  condition: s");
  auto both = RuleSet::load({RuleFile{"a.yml", "a.yml", text}, RuleFile{"b.yml", "b.yml", text + "status: test\n"}});
  ASSERT_TRUE(both);
  ASSERT_EQ((*both)->unsupported().size(), 1u);
  EXPECT_EQ((*both)->unsupported()[0], "b.yml:1:1: id r1 is also that of a.yml:1");
  EXPECT_EQ((*both)->list().size(), 1u);
  // The later file of one name takes the place of the earlier.
  auto loaded = RuleSet::load({RuleFile{"a.yml", "a.yml", text}, RuleFile{"a.yml", "b/a.yml", text}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->list().at(0).path, "b/a.yml");
}

TEST(Rules, one_that_stands_in_two_files_word_for_word_runs_once_without_a_word) {
  const std::string text = rule("  s: {user.name: a}\n  condition: s");
  std::string other_ends;
  for (char c : text) other_ends += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::vector<RuleFile> files = {{"regression/r.yml", "regression/r.yml", text},
                                       {"rules/a.yml", "rules/a.yml", other_ends},
                                       {"rules/info.yml", "rules/info.yml", "id: x\n"},
                                       {"rules/z.yml", "rules/z.yml", text + "status: test\n"}};
  auto loaded = RuleSet::load(files, our_log_sources());
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->list().size(), 1u);
  ASSERT_EQ((*loaded)->unsupported().size(), 1u);
  EXPECT_EQ((*loaded)->unsupported()[0], "rules/z.yml:1:1: id r1 is also that of regression/r.yml:1");
  const auto check = check_rule_files(files, our_log_sources());
  EXPECT_EQ(check.rules, 1u);
  EXPECT_EQ(check.repeated, 1u);
  EXPECT_EQ(check.of_known_id, 1u);
  EXPECT_EQ(check.cannot_run, 0u);
  EXPECT_EQ(check.passed_over.size(), 1u);
}

TEST(Rules, a_rule_that_speaks_through_a_correlation_alone_says_so) {
  const std::string text =
      rule("  s: {user.name: a}\n  condition: s") +
      "yushi: {tests: [{name: a, lines: ['<38>1 %T h x - - - y'], expect: {alerts: 1}}]}\n---\ntitle: Many\nid: c1\n"
      "correlation: {type: event_count, rules: [r1], group-by: [user.name], timespan: 5m, condition: {gte: 2}}\n";
  const auto rules = rules_of(text);
  EXPECT_EQ(rules->list()[0].used_by, "'Many' (c1)");
  EXPECT_EQ(rules->list()[1].used_by, "");
  const auto tested = run_rule_tests({{"a.yml", "a.yml", text}}, our_log_sources(), [](Batch&) {});
  ASSERT_TRUE(tested);
  ASSERT_EQ(tested->failures.size(), 1u);
  EXPECT_NE(tested->failures[0].find("none came; it raises nothing by itself, since the correlation 'Many' (c1) uses "
                                     "it without `generate: true`"),
            std::string::npos)
      << tested->failures[0];
  const auto generating = rules_of(text.substr(0, text.rfind('}')) + ", generate: true}\n");
  EXPECT_EQ(generating->list()[0].used_by, "");
}

TEST(Rules, a_log_source_without_a_place_here_names_a_near_one) {
  const auto told = [](const std::string& source) {
    const auto rules = rules_of(rule("  s: {user.name: a}\n  condition: s", source));
    return rules->unsupported().empty() ? std::string() : rules->unsupported()[0];
  };
  EXPECT_TRUE(told("{product: linux, service: ssdh}").ends_with("has no datasets here; did you mean sshd?"));
  EXPECT_TRUE(told("{product: lniux, service: sshd}").ends_with("; did you mean linux?"));
  EXPECT_TRUE(told("{product: linux, service: no_such_thing}").ends_with("has no datasets here"));
  const auto qualys = rules_of(rule("  s: {event.category: host}\n  condition: s", "{product: qualys}"));
  ASSERT_EQ(qualys->unsupported().size(), 1u);
  EXPECT_NE(qualys->unsupported()[0].find(
                "log source (product qualys) has no parser here, so that nothing fills event.category"),
            std::string::npos)
      << qualys->unsupported()[0];
}

TEST(Rules, a_file_that_refers_to_itself_or_explodes_is_refused) {
  std::string bomb = "title: T\nlogsource: {product: yushi}\ndetection:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += std::string("  ") + c + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += (i ? ", *" : "*") + std::string(1, static_cast<char>(c - 1));
    bomb += "]\n";
  }
  EXPECT_FALSE(RuleSet::load({RuleFile{"a.yml", "a.yml", bomb + "  condition: a\n"}}));
  EXPECT_FALSE(RuleSet::load({RuleFile{"a.yml", "a.yml", "title: &t [*t]\n"}}));
}

TEST(Rules, check_lists_a_correlation_whose_rule_is_not_there) {
  auto check = check_rule_files(
      {RuleFile{"a.yml", "a.yml",
                "title: C\nid: c1\ncorrelation: {type: event_count, rules: [nobody], group-by: [user.name], "
                "timespan: 5m, condition: {gte: 2}}\n"}},
      {});
  ASSERT_EQ(check.problems.size(), 1u);
  EXPECT_TRUE(check.ok());
  EXPECT_EQ(check.problems[0].text().find("a.yml:1:1: unsupported: correlation refers to rule 'nobody'"), 0u);
}

TEST(Rules, check_lists_problems_before_what_is_unsupported) {
  auto check = check_rule_files({RuleFile{"a.yml", "a.yml", rule("  s: {Nope: a}\n  condition: s")},
                                 RuleFile{"b.yml", "b.yml", "title: B\nlogsource: {product: yushi}\n"},
                                 RuleFile{"c.yml", "c.yml", rule("  s: {user.name: a}\n  condition: s")}},
                                {});
  ASSERT_EQ(check.problems.size(), 2u);
  EXPECT_EQ(check.problems[0].path, "b.yml");
  EXPECT_TRUE(check.problems[1].unsupported);
  EXPECT_EQ(check.rules, 1u);
  EXPECT_FALSE(check.ok());
}

std::string filter_rule(const std::string& body, const std::string& source = "{product: yushi}") {
  return "---\ntitle: F\nid: f1\nlogsource: " + source + "\nfilter:\n" + body;
}

TEST(Rules, a_filter_is_added_to_the_conditions_of_its_rules) {
  const std::string base = rule("  s: {user.name: root}\n  condition: s");
  const auto root = [](std::string from) { return said({{"user.name", "root"}, {"source.ip", std::move(from)}}); };
  const std::vector<Line> both = {root("10.0.0.1"), root("10.0.0.2")};
  EXPECT_EQ(hits(base, both), 2u);
  const std::string known = "  k: {source.ip: 10.0.0.1}\n  condition: not k\n";
  EXPECT_EQ(hits(base + filter_rule("  rules: [r1]\n" + known), both), 1u);
  EXPECT_EQ(hits(base + filter_rule("  rules: any\n" + known), both), 1u);
  EXPECT_EQ(hits(base + filter_rule("  rules: [r1]\n  k: {source.ip: 10.0.0.1}\n  condition: k\n"), both), 1u);
  // Of another log source it is not for this rule.
  EXPECT_EQ(hits(base + filter_rule("  rules: any\n" + known, "{product: linux}"), both), 2u);
  // Another judgement has another digest.
  auto raised = [&](const std::string& text) { return alerts_of(both, {}, rules_of(text)).at(0).rule_digest; };
  EXPECT_NE(raised(base), raised(base + filter_rule("  rules: [r1]\n" + known)));
}

TEST(Rules, a_filter_that_cannot_run_is_listed_and_its_rule_runs_without_it) {
  const std::string base = rule("  s: {user.name: root}\n  condition: s");
  for (const auto& [body, told] :
       {std::pair<std::string, std::string>{"  rules: [nobody]\n  k: {user.name: a}\n  condition: not k\n",
                                            "filter of rule 'nobody', which is not loaded"},
        {"  rules: [r1]\n  k: {NoSuchField: a}\n  condition: not k\n", "NoSuchField"}}) {
    auto loaded = rules_of(base + filter_rule(body));
    ASSERT_EQ(loaded->unsupported().size(), 1u);
    EXPECT_NE(loaded->unsupported()[0].find(told), std::string::npos) << loaded->unsupported()[0];
    EXPECT_EQ(loaded->list().size(), 1u);
  }
  EXPECT_FALSE(
      RuleSet::load({RuleFile{"a.yml", "a.yml", base + filter_rule("  k: {user.name: a}\n  condition: k\n")}}));
}

TEST(Rules, a_document_of_placeholders_gives_lists_for_expand) {
  const std::string text = rule("  s: {user.name|expand: '%admins%'}\n  condition: s");
  const std::vector<Line> events = {said({{"user.name", "alice"}}), said({{"user.name", "bob"}})};
  EXPECT_EQ(hits(text + "---\nplaceholders: {admins: [alice, 'adm_*']}\n", events), 1u);
  EXPECT_EQ(rules_of(text + "---\nplaceholders: {others: [alice]}\n")->unsupported().size(), 1u);
  // From any file of the folders.
  auto loaded =
      RuleSet::load({RuleFile{"a.yml", "a.yml", text}, RuleFile{"z.yml", "z.yml", "placeholders: {admins: bob}\n"}},
                    our_log_sources());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE((*loaded)->unsupported().empty());
  EXPECT_TRUE((*loaded)->passed_over().empty());
  EXPECT_FALSE(RuleSet::load({RuleFile{"z.yml", "z.yml", "placeholders: {admins: [[a]]}\n"}}));
}

TEST(Rules, what_is_no_rule_is_passed_over_and_the_others_run) {
  auto loaded =
      RuleSet::load({RuleFile{"a.yml", "a.yml", rule("  s: {user.name: a}\n  condition: s")},
                     RuleFile{"info.yml", "info.yml", "id: x\nregression_tests_info: [{name: y}]\n"},
                     RuleFile{"list.yml", "list.yml", "- a\n- b\n"}, RuleFile{"empty.yml", "empty.yml", "# nothing\n"}},
                    our_log_sources());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->list().size(), 1u);
  EXPECT_EQ((*loaded)->passed_over().size(), 3u);
  EXPECT_TRUE((*loaded)->unsupported().empty());
  auto check = check_rule_files((*loaded)->files(), our_log_sources());
  EXPECT_TRUE(check.problems.empty());
  EXPECT_EQ(check.passed_over.size(), 3u);
}

TEST(Rules, a_rule_whose_fields_no_parser_of_its_datasets_fills_is_listed_with_them) {
  auto told = [](const std::string& text) {
    auto loaded = rules_of(text);
    return loaded->unsupported().empty() ? std::string() : loaded->unsupported()[0];
  };
  EXPECT_NE(told(rule("  s: {process.parent.executable: a}\n  condition: s", "{product: yushi, service: sudo}"))
                .find("no parser of sudo fills process.parent.executable"),
            std::string::npos);
  // One way to a yes is enough, what is said not to be there needs no parser, and any message has a text.
  for (const char* detection :
       {"  s: [{process.parent.executable: a}, {user.name: b}]\n  condition: s",
        "  s: {user.name: b}\n  f: {process.parent.executable: a}\n  condition: s and not f",
        "  s: {user.name: b, process.parent.executable: null}\n  condition: s", "  s: [some text]\n  condition: s",
        "  s: {user.name: b, host.name: c, log.syslog.severity.code: 3}\n  condition: s"})
    EXPECT_EQ(told(rule(detection, "{product: yushi, service: sudo}")), "") << detection;
  // Both fields are filled, but by no one parser.
  EXPECT_NE(
      told("title: T\nid: r1\nlogsource: {product: linux, service: su}\ndetection: {s: {su.tty: a, pam.module: b}, "
           "condition: s}\n")
          .find("filled by no one parser of su, pam"),
      std::string::npos);
}

TEST(Rules, only_those_records_of_a_log_source_are_meant_that_it_names) {
  const std::string text =
      rule("  s: {Image|endswith: /curl}\n  condition: s", "{product: linux, category: process_creation}");
  auto curl = said({{"process.executable", "/usr/bin/curl"}}, "auditd");
  curl.constants = {{"yushi.event", "process-started"}};
  EXPECT_EQ(hits(text, {curl}), 1u);
  curl.constants = {{"yushi.event", "connection"}};
  curl.pattern = "other";
  EXPECT_EQ(hits(text, {curl}), 0u);
}

}  // namespace
}  // namespace yushi::detect
