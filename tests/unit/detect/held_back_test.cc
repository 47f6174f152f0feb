// What is found and not raised because somebody said so: for whom it holds, how long, and that it is counted.
#include <filesystem>
#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "../source_file.h"
#include "detect/alerts/exceptions.h"
#include "detect/finding.h"
#include "events.h"

namespace yushi::detect {
namespace {

constexpr const char* kRule = R"(
title: Root login
id: root
logsource: {product: yushi}
detection:
  s: {event.outcome: success}
  condition: s
yushi: {key: [host.name], fold: 1s}
)";
const int64_t kBegin = at("2026-11-01T08:00:00Z");

// An engine of one rule, and what it is shown.
class HeldBackTest : public ::testing::Test {
 protected:
  std::vector<Alert> shown(const std::vector<Line>& lines) {
    auto alerts = observe(*engine_, rules_, committer_, lines);
    std::erase_if(alerts, [](auto& alert) { return alert.rule_id != "root"; });
    return alerts;
  }
  std::vector<OwnRecord> ticked(int64_t at_ns) {
    std::vector<Alert> alerts;
    engine_->tick(1, at_ns, alerts);
    return engine_->take_told();
  }
  static AlertAct usual(const Alert& alert, int64_t until_ns) {
    AlertAct act;
    act.kind = AlertAct::Kind::acknowledged;
    act.id = alert.id;
    act.index = 7;
    act.usual_until = utc_text(until_ns);
    act.log = "default";
    act.rule = alert.rule_id;
    act.key = alert.key;
    act.account = alert.field("user.name");
    act.host = alert.field("host.name");
    act.address = alert.field("source.ip");
    return act;
  }
  void except(const std::string& text) {
    auto set = ExceptionSet::load({{"e.yaml", "e.yaml", text}});
    ASSERT_TRUE(set) << set.error().message;
    exceptions_ = *set;
    engine_->except(exceptions_);
  }

  std::shared_ptr<const RuleSet> rules_ = rules_of(kRule);
  std::unique_ptr<Engine> engine_ = std::make_unique<Engine>(rules_, DetectOptions());
  std::shared_ptr<const ExceptionSet> exceptions_;
  Committer committer_;
};

TEST_F(HeldBackTest, what_is_acknowledged_as_usual_is_no_news_for_the_same_account_host_and_address) {
  const auto first = shown({login(kBegin, "root", "10.0.0.5")});
  ASSERT_EQ(first.size(), 1u);
  engine_->teach(usual(first[0], kBegin + kDay));
  EXPECT_TRUE(shown({login(kBegin + kMinute, "root", "10.0.0.5")}).empty());
  EXPECT_EQ(shown({login(kBegin + 2 * kMinute, "bob", "10.0.0.5")}).size(), 1u) << "the rule's key is the host alone";
  EXPECT_EQ(shown({login(kBegin + 3 * kMinute, "root", "203.0.113.9")}).size(), 1u);
  EXPECT_EQ(shown({login(kBegin + 4 * kMinute, "root", "10.0.0.5", "db-01")}).size(), 1u);
  Line elsewhere = login(kBegin + 5 * kMinute, "root", "10.0.0.5");
  elsewhere.log = "finance";
  EXPECT_EQ(shown({elsewhere}).size(), 1u) << "another tenant's";
}

TEST_F(HeldBackTest, what_is_usual_is_counted_and_ends_by_itself) {
  const auto first = shown({login(kBegin, "root", "10.0.0.5")});
  engine_->teach(usual(first[0], kBegin + 2 * kHour));
  EXPECT_TRUE(ticked(kBegin + kMinute).empty());
  shown({login(kBegin + 2 * kMinute, "root", "10.0.0.5")});
  auto told = ticked(kBegin + 3 * kMinute);
  ASSERT_EQ(told.size(), 1u) << "the first is told at once";
  EXPECT_EQ(told[0].action, "alert-held-back");
  EXPECT_EQ(std::get<AlertAct>(told[0].about).held_back, 1u);
  EXPECT_EQ(std::get<AlertAct>(told[0].about).id, first[0].id);
  shown({login(kBegin + 4 * kMinute, "root", "10.0.0.5"), login(kBegin + 5 * kMinute, "root", "10.0.0.5")});
  EXPECT_TRUE(ticked(kBegin + 6 * kMinute).empty()) << "the others once an hour";
  told = ticked(kBegin + kHour + kMinute);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(std::get<AlertAct>(told[0].about).held_back, 3u);
  EXPECT_EQ(shown({login(kBegin + 2 * kHour, "root", "10.0.0.5")}).size(), 1u) << "it is over";
  told = ticked(kBegin + 2 * kHour);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].message.find("is news again"), std::string::npos) << told[0].message;
  EXPECT_TRUE(ticked(kBegin + 4 * kHour).empty());
}

TEST_F(HeldBackTest, another_act_on_the_alert_ends_what_was_usual) {
  const auto first = shown({login(kBegin, "root", "10.0.0.5")});
  engine_->teach(usual(first[0], kBegin + kDay));
  EXPECT_TRUE(shown({login(kBegin + kMinute, "root", "10.0.0.5")}).empty());
  AlertAct act;
  act.kind = AlertAct::Kind::taken;
  act.id = "of another alert";
  engine_->teach(act);
  EXPECT_TRUE(shown({login(kBegin + 2 * kMinute, "root", "10.0.0.5")}).empty());
  act.id = first[0].id;
  engine_->teach(act);
  EXPECT_EQ(shown({login(kBegin + 3 * kMinute, "root", "10.0.0.5")}).size(), 1u);
  const auto told = ticked(kBegin + 4 * kMinute);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].message.find("is news again"), std::string::npos) << told[0].message;
}

TEST_F(HeldBackTest, a_saved_state_goes_on_counting) {
  const auto first = shown({login(kBegin, "root", "10.0.0.5")});
  engine_->teach(usual(first[0], kBegin + kDay));
  shown({login(kBegin + kMinute, "root", "10.0.0.5")});
  const auto state = engine_->save();
  engine_ = std::make_unique<Engine>(rules_, DetectOptions());
  ASSERT_TRUE(engine_->load(state));
  EXPECT_EQ(engine_->save(), state);
  EXPECT_TRUE(shown({login(kBegin + 2 * kMinute, "root", "10.0.0.5")}).empty());
  const auto told = ticked(kBegin + 3 * kMinute);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(std::get<AlertAct>(told[0].about).held_back, 2u);
}

TEST_F(HeldBackTest, an_exception_holds_where_its_filter_says_and_until_its_end) {
  except("- {rule: root, when: 'user.name: backup and source.ip: 10.0.0.0/8', owner: li.wei, until: 2026-11-01}\n");
  EXPECT_TRUE(shown({login(kBegin, "backup", "10.0.0.5")}).empty());
  EXPECT_EQ(shown({login(kBegin + kMinute, "root", "10.0.0.5")}).size(), 1u);
  EXPECT_EQ(shown({login(kBegin + 2 * kMinute, "backup", "203.0.113.9")}).size(), 1u);
  auto told = ticked(kBegin + 3 * kMinute);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].action, "exception-used");
  EXPECT_EQ(std::get<ExceptionUse>(told[0].about).uses, 1u);
  EXPECT_EQ(std::get<ExceptionUse>(told[0].about).owner, "li.wei");
  EXPECT_EQ(exceptions_->uses_of(exceptions_->all()[0]).count, 1u);

  EXPECT_TRUE(shown({login(at("2026-11-01T23:59:59Z"), "backup", "10.0.0.5", "h1")}).empty()) << "all of its last day";
  EXPECT_EQ(shown({login(at("2026-11-02T00:00:00Z"), "backup", "10.0.0.5", "h2")}).size(), 1u);
  told = ticked(at("2026-11-02T00:00:01Z"));
  ASSERT_EQ(told.size(), 2u) << "what was used since, and its end";
  EXPECT_EQ(std::get<ExceptionUse>(told[0].about).uses_in_all, 2u);
  EXPECT_EQ(told[1].action, "exception-ended");
  EXPECT_TRUE(ticked(at("2026-11-02T00:00:02Z")).empty());
}

TEST_F(HeldBackTest, a_taken_away_exception_is_told_to_its_last_use) {
  except("- {rule: root, owner: li.wei, until: 2027-01-31}\n");
  EXPECT_TRUE(shown({login(kBegin, "root", "10.0.0.5")}).empty());
  except("");
  EXPECT_EQ(shown({login(kBegin + kMinute, "root", "10.0.0.5")}).size(), 1u);
  const auto told = ticked(kBegin + 2 * kMinute);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(std::get<ExceptionUse>(told[0].about).uses, 1u);
}

// What a tick found has no record, but says itself whom it is about.
TEST_F(HeldBackTest, an_exception_holds_for_what_no_record_raised) {
  Line stop = login(kBegin, "lin", "10.0.0.5");
  stop.constants = {{"yushi.event", "command"}};
  stop.values = {{"host.name", "web-01"}, {"user.name", "lin"}, {"process.command_line", "systemctl stop rsyslog"}};
  Line later = login(kBegin + 10 * kMinute, "lin", "10.0.0.5");
  const auto told = [&](const std::string& when) {
    engine_ = std::make_unique<Engine>(rules_, DetectOptions());
    except("- {rule: service.logging-left-stopped, when: '" + when + "', owner: li.wei, until: 2027-01-31}\n");
    std::vector<Alert> alerts;
    shown({stop, later});
    engine_->tick(1, later.at_ns, alerts);
    return of_rule(alerts, "service.logging-left-stopped").size();
  };
  EXPECT_EQ(told("host.name: web-01"), 0u);
  EXPECT_EQ(exceptions_->uses_of(exceptions_->all()[0]).count, 1u);
  EXPECT_EQ(told("host.name: web-* and user.name: lin and organization.name: default"), 0u);
  EXPECT_EQ(told("host.name: web-02"), 1u);
  EXPECT_EQ(told("user.name: zhou"), 1u);
}

TEST_F(HeldBackTest, an_exception_holds_for_the_group_of_a_window_that_is_over) {
  rules_ = rules_of(R"(
title: Login
name: login
id: login
logsource: {product: yushi}
detection:
  s: {event.outcome: success}
  condition: s
---
title: Few logins
id: few
correlation: {type: event_count, rules: [login], group-by: [user.name, host.name], timespan: 10m, condition: {lte: 2}}
)");
  const auto told = [&](const std::string& when) {
    engine_ = std::make_unique<Engine>(rules_, DetectOptions());
    except("- {rule: few, when: '" + when + "', owner: li.wei, until: 2027-01-31}\n");
    shown({login(kBegin, "lin", "10.0.0.5")});
    std::vector<Alert> alerts;
    engine_->close_windows(alerts);
    return of_rule(alerts, "few").size();
  };
  EXPECT_EQ(told("user.name: lin and host.name: web-01"), 0u);
  EXPECT_EQ(told("user.name: lin and host.name: web-02"), 1u);
}

TEST(Exceptions, a_name_that_nothing_has_is_told_with_its_place_and_a_near_one) {
  auto set = ExceptionSet::load({{"e.yaml", "/etc/e.yaml",
                                  "- {rule: baseline.first-host, owner: li, until: 2199-01-01}\n"
                                  "- {rule: baseline.frist-host, owner: li, until: 2199-01-01}\n"
                                  "- {rule: 9c0e3a2b, owner: li, until: 2199-01-01}\n"
                                  "- {rule: 9c0e3a2c, owner: li, until: 2199-01-01}\n"
                                  "- {rule: yushid.canaries, owner: li, until: 2199-01-01}\n"}});
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ((*set)->unknown({"9c0e3a2b"}),
            (std::vector<std::string>{
                "/etc/e.yaml:2:3: rule: no rule that runs here and no finding is called baseline.frist-host; did you "
                "mean baseline.first-host?; the exception holds for nothing",
                "/etc/e.yaml:4:3: rule: no rule that runs here and no finding is called 9c0e3a2c; did you mean "
                "9c0e3a2b?; the exception holds for nothing",
                "/etc/e.yaml:5:3: rule: of yushid.canaries, which yushid tells by itself, nothing is excepted; the "
                "exception holds for nothing"}));
}

TEST(Exceptions, all_findings_are_known_by_name) {
  std::set<std::string> in_source;
  for (const auto& file : std::filesystem::recursive_directory_iterator(YUSHI_SOURCE_DIR "/detect")) {
    if (file.path().extension() != ".cc") continue;
    const auto text = test::source_file(std::filesystem::relative(file.path(), YUSHI_SOURCE_DIR).string());
    static const std::regex kKind(R"((?:FindingKind|Way) k\w+\{\{?\s*"([^"]+)\")");
    for (std::sregex_iterator at(text.begin(), text.end(), kKind), end; at != end; ++at) in_source.insert((*at)[1]);
  }
  EXPECT_EQ(in_source, std::set<std::string>(finding_names().begin(), finding_names().end()));
}

TEST(Exceptions, what_is_wrong_is_named_with_its_place_and_key) {
  our_parser_set();
  const auto problem = [](const std::string& text) {
    auto set = ExceptionSet::load({{"e.yaml", "/etc/e.yaml", text}});
    return set ? std::string("none") : set.error().message;
  };
  const auto says = [&](const std::string& text, const std::string& what) {
    const auto said = problem(text);
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  EXPECT_EQ(problem(""), "none");
  says("- {rule: a, until: 2027-01-01}", "/etc/e.yaml:1:3: owner: is missing");
  says("- {rule: a, owner: li}", "/etc/e.yaml:1:3: until: is missing");
  says("- {owner: li, until: 2027-01-01}", "/etc/e.yaml:1:3: rule: is missing");
  says("- {rule: a, owner: li, until: soon}", "/etc/e.yaml:1:31: until: \"soon\" is no date");
  says("- {rule: a, owner: li, until: '2027-01-01T08:00:00'}", "until:");
  says("- {rule: a, owner: li, until: 2027-01-01, when: 'user.name: ('}", "/etc/e.yaml:1:49: when: ");
  says("- {rule: a, owner: li, until: 2027-01-01, when: 'user.nmae: x'}", "user.nmae is a field neither");
  says("- {rule: a, owner: li, until: 2027-01-01, colour: red}", "colour: unknown key");
  says("rule: a", "must be a list");
  says("- [", "/etc/e.yaml:");
}

}  // namespace
}  // namespace yushi::detect
