// Letters: their pace, their words, and the forms in which they go out.
#include "forward/route/route.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "forward/mail/mail.h"
#include "forward/route/words.h"
#include "forward/syslog/syslog.h"
#include "forward/webhook/webhook.h"

namespace yushi::forward {
namespace {

Alert alert_of_number(int number, Severity severity = Severity::medium) {
  Alert alert;
  alert.id = "00000000000000" + std::to_string(10 + number);
  alert.rule_id = "rule-1";
  alert.rule_name = "A log service was stopped";
  alert.severity = severity;
  alert.tenant = "finance";
  alert.reason = "rsyslog was stopped on web-01";
  alert.event_ns = alert.raised_ns = 1'792'800'000'123'456'789;
  alert.records = {{"finance", 7}};
  alert.fields = {{"user.name", "li.wei"}, {"host.name", "web-01"}};
  return alert;
}

// Letters of alerts that live as long as it.
struct Letters {
  std::vector<Alert> alerts;
  std::vector<std::string> jsons;
  Letter letter(bool is_brief = false) {
    Letter out;
    for (auto& alert : alerts) jsons.push_back(alert_to_json(alert));
    for (size_t i = 0; i < alerts.size(); ++i) out.items.push_back({&alerts[i], jsons[i]});
    out.is_brief = is_brief;
    return out;
  }
};

struct Brought {
  std::vector<std::vector<std::string>> letters;  // ids
  std::vector<bool> brief;
  std::deque<Courier::Fate::Kind> fates;  // of the next letters; then taken
};

class TestCourier final : public Courier {
 public:
  explicit TestCourier(Brought& brought) : brought_(brought) {}
  void begin(const Letter& letter) override {
    brought_.letters.emplace_back();
    for (auto& item : letter.items) brought_.letters.back().push_back(item.alert->id);
    brought_.brief.push_back(letter.is_brief);
  }
  std::optional<Fate> serve(int) override {
    if (brought_.fates.empty()) return Fate{Fate::Kind::taken, ""};
    const auto kind = brought_.fates.front();
    brought_.fates.pop_front();
    return Fate{kind, "the test wants it so"};
  }
  void give_up() override {}
  bool is_there(int) override { return true; }

 private:
  Brought& brought_;
};

class Listener final : public SinkListener {
 public:
  void on_report(uint64_t token, Outcome outcome, size_t, size_t) override {
    EXPECT_EQ(outcome, Outcome::delivered);
    delivered.push_back(token);
  }
  void on_error(std::string_view, Trouble trouble) override { troubles.push_back(trouble); }
  std::vector<uint64_t> delivered;
  std::vector<Trouble> troubles;
};

struct Route {
  Brought brought;
  Listener listener;
  std::unique_ptr<Sink> sink;
  explicit Route(unsigned letters_a_minute) {
    sink = make_route_sink(std::make_unique<TestCourier>(brought), letters_a_minute);
    EXPECT_TRUE(sink->begin({}, listener));
  }
  void send(int from, int to) {
    for (int i = from; i < to; ++i) {
      Message message;
      message.value = alert_to_json(alert_of_number(i));
      ASSERT_EQ(sink->send(Sink::What::alert, message, "ecs-json", static_cast<uint64_t>(i), false), Sink::Queued::yes);
    }
  }
  void serve(int times = 50) {
    for (int i = 0; i < times; ++i) sink->serve(0);
  }
};

TEST(Route, words_are_in_chinese_where_the_route_says_so) {
  Letters letters;
  for (int i = 0; i < 3; ++i) letters.alerts.push_back(alert_of_number(i, i == 1 ? Severity::critical : Severity::low));
  for (auto& alert : letters.alerts)
    alert.rule_name_zh = "日志服务停止", alert.reason_zh = "主机 web-01 上的 rsyslog 停止";
  // of a rule without Chinese
  letters.alerts[2].rule_id = "rule-2", letters.alerts[2].rule_name = "Other", letters.alerts[2].rule_name_zh = "";
  auto letter = letters.letter();
  letter.in_chinese = true;
  EXPECT_EQ(subject_of(letter), "[严重] 3 条告警：日志服务停止（2 条）等 2 条规则");
  letters.alerts[1].severity = Severity::low, letters.alerts[2].severity = Severity::high;
  EXPECT_EQ(subject_of(letter), "[高] 3 条告警：Other（1 条）等 2 条规则");
  letters.alerts[1].severity = Severity::critical, letters.alerts[2].severity = Severity::low;
  EXPECT_TRUE(text_of(letter, 4096)
                  .starts_with("3 条告警，告警时间 2026-10-24 00:00:00 UTC 至 2026-10-24 00:00:00 UTC\n\n"
                               "[严重] 日志服务停止：主机 web-01 上的 rsyslog 停止 ("))
      << text_of(letter, 4096);
  EXPECT_NE(text_of(letter, 4096).find("[低] Other：主机 web-01"), std::string::npos);
  letter.items.resize(1);
  EXPECT_EQ(subject_of(letter), "[低] 日志服务停止：li.wei，主机 web-01");
  EXPECT_EQ(
      text_of(letter, 4096),
      "[低] 日志服务停止\n主机 web-01 上的 rsyslog 停止\n\n租户 finance，账号 li.wei，主机 web-01\n事件时间 2026-10-24 "
      "00:00:00 UTC，告警时间 2026-10-24 00:00:00 UTC\n记录：finance/7\n告警 0000000000000010，规则 rule-1\nyushi "
      "alerts show 0000000000000010\n");
}

TEST(Route, few_alerts_go_one_a_letter_and_more_than_the_minute_has_letters_go_in_one) {
  Route route(3);
  route.send(0, 2);
  route.serve();
  EXPECT_EQ(route.brought.letters.size(), 2u);
  route.send(2, 10);
  EXPECT_FALSE(route.sink->holds_back());
  route.serve();
  ASSERT_EQ(route.brought.letters.size(), 3u);
  EXPECT_EQ(route.brought.letters[2].size(), 8u);
  EXPECT_EQ(route.listener.delivered, (std::vector<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  route.send(10, 11);  // the digest has taken what was left of the minute
  route.serve();
  EXPECT_EQ(route.brought.letters.size(), 3u);
  EXPECT_TRUE(route.sink->holds_back()) << "nobody is away";
}

TEST(Route, one_without_a_pace_sends_all_that_waits_at_once) {
  Route route(0);
  route.send(0, 60);
  route.serve();
  ASSERT_EQ(route.brought.letters.size(), 1u);
  EXPECT_EQ(route.brought.letters[0].size(), 60u);
  route.send(60, 61);
  route.serve();
  EXPECT_EQ(route.listener.delivered.size(), 61u);
}

TEST(Route, what_failed_is_not_reported_and_waits_before_it_is_tried_again) {
  Route route(3);
  route.brought.fates = {Courier::Fate::Kind::away};
  route.send(0, 1);
  route.serve();
  EXPECT_TRUE(route.listener.delivered.empty());
  EXPECT_EQ(route.listener.troubles, std::vector{SinkListener::Trouble::all_away});
  EXPECT_EQ(route.brought.letters.size(), 1u);
  EXPECT_FALSE(route.sink->holds_back()) << "somebody owes an answer";
  EXPECT_TRUE(route.sink->is_answered(0));  // then it is tried at once
  route.serve();
  EXPECT_EQ(route.listener.delivered, std::vector<uint64_t>{0});
}

TEST(Route, only_so_many_wait_in_it) {
  Route route(3);
  route.brought.fates = {Courier::Fate::Kind::away};
  Message message;
  message.value = alert_to_json(alert_of_number(1));
  uint64_t taken = 0;
  while (route.sink->send(Sink::What::alert, message, "ecs-json", taken, false) == Sink::Queued::yes)
    ASSERT_LT(++taken, 100'000u);
  EXPECT_LE(taken, kLetterAlertsMax);
}

TEST(Route, a_text_names_what_is_needed_and_obeys_nothing_in_it) {
  Letters one;
  one.alerts = {alert_of_number(1, Severity::high)};
  one.alerts[0].reason = "rsyslog was stopped\nby \x1b[2J root";
  const auto text = text_of(one.letter(), 10'000);
  for (auto* words : {"[high] A log service was stopped", "tenant finance", "account li.wei", "host web-01",
                      "finance/7", "yushi alerts show 0000000000000011"})
    EXPECT_NE(text.find(words), text.npos) << words << "\n" << text;
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_NE(text.find("stopped\\nby"), text.npos) << text;
  EXPECT_EQ(subject_of(one.letter()), "[high] A log service was stopped: li.wei on web-01");
}

TEST(Route, a_subject_names_who_did_it_and_not_to_whom) {
  const auto subject = [](const char* rule, const char* actor, const char* key,
                          std::vector<std::pair<std::string, std::string>> fields) {
    Letters one;
    one.alerts = {alert_of_number(1, Severity::high)};
    auto& alert = one.alerts[0];
    alert.rule_id = rule, alert.actor = actor, alert.key = key, alert.fields = std::move(fields);
    return subject_of(one.letter()).substr(std::string("[high] A log service was stopped").size());
  };
  EXPECT_EQ(subject("rights.password-of-another", "alice", "", {{"user.name", "bob"}, {"host.name", "web-01"}}),
            ": alice on web-01");
  EXPECT_EQ(subject("guessing.address", "bob", "203.0.113.0/24",
                    {{"user.name", "bob"}, {"source.ip", "203.0.113.9"}, {"event.outcome", "failure"}}),
            ": 203.0.113.0/24");
  EXPECT_EQ(subject("list.leaver", "", "",
                    {{"user.name", "bob"}, {"source.ip", "203.0.113.9"}, {"event.outcome", "failure"}}),
            ": 203.0.113.9");
  EXPECT_EQ(subject("list.leaver", "", "", {{"user.name", "bob"}, {"source.ip", "203.0.113.9"}}), ": bob");
  EXPECT_EQ(subject("guessing.account", "bob", "bob", {{"user.name", "bob"}, {"source.ip", "203.0.113.9"}}), ": bob");
  EXPECT_EQ(subject("silence.host", "", "web-01", {{"host.name", "web-01"}}), ": web-01");
  EXPECT_EQ(subject("x", "", "", {}), "");
}

TEST(Route, a_digest_begins_with_the_most_severe_and_says_how_many_it_leaves_out) {
  Letters many;
  for (int i = 0; i < 70; ++i) many.alerts.push_back(alert_of_number(i, i == 69 ? Severity::critical : Severity::low));
  many.alerts[69].rule_name = "审计被关闭";
  for (int i = 0; i < 70; ++i)
    for (auto& [name, value] : many.alerts[i].fields)
      if (name == "user.name") value = "user" + std::to_string(i);
  auto letter = many.letter();
  const auto text = text_of(letter, 100'000);
  EXPECT_LT(text.find("[critical]"), text.find("[low]"));
  EXPECT_NE(text.find("… and 20 more"), text.npos);
  EXPECT_EQ(subject_of(letter), "[critical] 70 alerts: 审计被关闭 (1) and 1 more rule");
  for (size_t bytes : {40u, 41u, 42u, 43u, 500u, 2048u}) {
    const auto cut = text_of(letter, bytes);
    EXPECT_LE(cut.size(), bytes);
    EXPECT_TRUE(is_utf8(cut));
  }
}

TEST(Route, a_digest_tells_alerts_of_one_rule_about_one_account_in_a_line) {
  Letters many;
  for (int i = 0; i < 60; ++i) {
    auto alert = alert_of_number(1000 + i, i == 30 ? Severity::high : Severity::low);
    alert.event_ns = (i + 1) * 60'000'000'000;
    for (auto& [name, value] : alert.fields)
      if (name == "host.name") value = "web-0" + std::to_string(i % 3);
    many.alerts.push_back(alert);
  }
  many.alerts[5].rule_id = "rule-2", many.alerts[5].rule_name = "Other";
  for (auto& [name, value] : many.alerts[7].fields)
    if (name == "user.name") value = "zhao";
  auto letter = many.letter();
  const auto text = text_of(letter, 100'000);
  EXPECT_EQ(std::count(text.begin(), text.end(), '['), 3) << text;
  EXPECT_NE(text.find("(" + many.alerts[30].id +
                      "), 58 times from 1970-01-01 00:01:00 UTC to 1970-01-01 01:00:00 UTC, "
                      "on 3 hosts\n"),
            text.npos)
      << text;
  EXPECT_EQ(text.find("more: "), text.npos) << "all of them are told";
  letter.in_chinese = true;
  EXPECT_NE(
      text_of(letter, 100'000).find("，共 58 次，1970-01-01 00:01:00 UTC 至 1970-01-01 01:00:00 UTC，涉及 3 台主机\n"),
      text.npos)
      << text_of(letter, 100'000);
}

TEST(Route, a_brief_letter_says_nothing_that_a_stranger_wrote) {
  Letters one;
  one.alerts = {alert_of_number(1)};
  one.alerts[0].reason = one.alerts[0].rule_name = "<script>";
  const auto letter = one.letter(true);
  for (auto& said : {text_of(letter, 1000), subject_of(letter), syslog_message(letter.items[0], true, "n"),
                     webhook_request(*webhook_format("json"), "/", "", letter, "n", 0).body})
    EXPECT_EQ(said.find("script"), said.npos) << said;
}

TEST(Route, a_subject_in_utf8_is_encoded_in_words_that_are_whole) {
  EXPECT_EQ(mail_header("Subject", "plain"), "Subject: plain\n");
  EXPECT_EQ(mail_header("Subject", "=?x?= is no word of ours"),
            "Subject: =?UTF-8?B?PT94Pz0gaXMgbm8gd29yZCBvZiBvdXJz?=\n");
  EXPECT_EQ(mail_header("Subject", "财务"), "Subject: =?UTF-8?B?6LSi5Yqh?=\n");
  EXPECT_EQ(mail_header("Subject", "a\nBcc: x@y"), "Subject: =?UTF-8?B?YQpCY2M6IHhAeQ==?=\n");
  std::string text;
  for (int i = 0; i < 40; ++i) text += "审";
  const auto header = mail_header("Subject", text);
  for (size_t begin = 0, end; begin < header.size(); begin = end + 1) {
    end = header.find('\n', begin);
    EXPECT_LE(end - begin, 76u + 9u);
  }
}

TEST(Route, chats_sign_as_they_say) {
  Letters one;
  one.alerts = {alert_of_number(1)};
  const auto letter = one.letter();
  // By `printf '1599360473000\nSECabc' | openssl dgst -sha256 -hmac SECabc -binary | base64`, and with the text as key
  // and nothing as message for Feishu.
  const auto dingtalk = webhook_request(*webhook_format("dingtalk"), "/robot/send?access_token=x", "SECabc", letter,
                                        "n", 1'599'360'473'000'000'000);
  EXPECT_EQ(dingtalk.target,
            "/robot/send?access_token=x&timestamp=1599360473000&sign=3SJkK5Fm70JVVkwmvZFkgdPlr53Kn2utLHLz9DzuOSc%3D");
  const auto feishu = nlohmann::json::parse(
      webhook_request(*webhook_format("feishu"), "/", "SECabc", letter, "n", 1'599'360'473'000'000'000).body);
  EXPECT_EQ(feishu["timestamp"], "1599360473");
  EXPECT_EQ(feishu["sign"], "KjJCRpeZcpDq6nFA4wlSAm5ZsE3Y8HuB1O1Sgv2Y9xA=");
}

TEST(Route, only_a_yes_is_a_yes) {
  const auto& json = *webhook_format("json");
  const auto& wecom = *webhook_format("wecom");
  const auto& feishu = *webhook_format("feishu");
  EXPECT_EQ(webhook_refusal(json, 204, ""), "");
  EXPECT_EQ(webhook_refusal(json, 302, ""), "answered 302");
  EXPECT_EQ(webhook_refusal(json, 500, "out\nof order"), "answered 500: out\\nof order");
  EXPECT_EQ(webhook_refusal(wecom, 200, R"({"errcode":0,"errmsg":"ok"})"), "");
  EXPECT_NE(webhook_refusal(wecom, 200, R"({"errcode":45009})"), "");
  EXPECT_NE(webhook_refusal(wecom, 200, "<html>a proxy's page</html>"), "");
  EXPECT_NE(webhook_refusal(wecom, 200, "[]"), "");
  EXPECT_EQ(webhook_refusal(feishu, 200, R"({"code":0,"msg":"success"})"), "");
  EXPECT_EQ(webhook_refusal(feishu, 200, R"({"StatusCode":0})"), "");
  EXPECT_NE(webhook_refusal(feishu, 200, R"({"code":9499})"), "");
}

TEST(Route, a_webhooks_url_is_taken_apart_or_refused) {
  const auto part = [](std::string_view url) {
    const auto target = webhook_target(url, {});
    return target ? std::string(target->link.tls ? "tls " : "") + target->link.host + " " + target->link.port + " " +
                        target->host + " " + target->target
                  : "refused";
  };
  EXPECT_EQ(part("https://h.example/a?b=c#d"), "tls h.example 443 h.example /a?b=c");
  EXPECT_EQ(part("http://h:8080"), "h 8080 h:8080 /");
  EXPECT_EQ(part("http://[::1]:80/x"), "::1 80 [::1]:80 /x");
  EXPECT_EQ(part("https://h?k"), "tls h 443 h /?k");
  for (auto* wrong : {"", "h/a", "ftp://h/", "https://", "https://:1/", "https://u:p@h/", "https://h:x/", "https://h:/",
                      "https://h/a b", "https://h/\r\nHost: g"})
    EXPECT_EQ(part(wrong), "refused") << wrong;
}

}  // namespace
}  // namespace yushi::forward
