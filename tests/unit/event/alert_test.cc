// An alert is ECS, and comes back from its record as it was raised.
#include "core/event/alert.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace yushi {
namespace {

using nlohmann::json;

Alert raised() {
  Alert alert;
  alert.id = "0123456789abcdef";
  alert.rule_id = "7a9a2f3c-5d1e-4b0a-8c55-0f4b1c2d3e4f";
  alert.rule_name = "Brute force that ends in a login";
  alert.severity = Severity::high;
  alert.score = 73;
  alert.tenant = "finance";
  alert.reason = "12 failures, then a success from 192.0.2.9";
  alert.event_ns = 1793491200'000000000;
  alert.raised_ns = 1793491201'000000000;
  alert.tags = {"attack.t1110", "attack.t1110.001", "attack.credential_access", "attack.g0016"};
  alert.records = {{"finance", 3}, {"finance", 9}};
  alert.fields = {{"user.name", "root"}, {"source.port", "4242"}, {"organization.name", "evil"}, {"sshd.method", "x"}};
  return alert;
}

TEST(AlertJson, IsEcsWithTheReasonTheRecordsAndAttack) {
  const Alert alert = raised();
  json object = json::parse(alert_to_json(alert));
  EXPECT_EQ(object["event"]["kind"], "alert");
  EXPECT_EQ(object["event"]["severity"], 4);
  EXPECT_EQ(object["@timestamp"], "2026-11-01T00:00:00.000Z");
  EXPECT_EQ(object["rule"]["id"], alert.rule_id);
  EXPECT_EQ(object["rule"]["uuid"], alert.rule_id);
  EXPECT_EQ(object["threat"]["technique"]["id"], json({"T1110"}));
  EXPECT_EQ(object["threat"]["technique"]["subtechnique"]["id"], json({"T1110.001"}));
  EXPECT_EQ(object["threat"]["tactic"]["name"], json({"Credential Access"}));
  EXPECT_EQ(object["tags"].size(), 4u);
  EXPECT_EQ(object["yushi"]["alert"]["records"], json({"finance/3", "finance/9"}));
  EXPECT_EQ(object["yushi"]["alert"]["score"], 73);
  EXPECT_EQ(object["yushi"]["alert"]["learning"], false);
  EXPECT_EQ(object["yushi"]["alert"]["severity"], "high");
  EXPECT_EQ(object["organization"]["name"], "finance");
  EXPECT_EQ(object["source"]["port"], 4242);
  EXPECT_EQ(object["sshd"]["method"], "x");
}

void expect_same(const Alert& a, const Alert& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.rule_id, b.rule_id);
  EXPECT_EQ(a.rule_name, b.rule_name);
  EXPECT_EQ(a.rule_digest, b.rule_digest);
  EXPECT_EQ(a.engine, b.engine);
  EXPECT_EQ(a.severity, b.severity);
  EXPECT_EQ(a.score, b.score);
  EXPECT_EQ(a.tenant, b.tenant);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.baseline, b.baseline);
  EXPECT_EQ(a.learning, b.learning);
  EXPECT_EQ(a.folded, b.folded);
  EXPECT_EQ(a.summary, b.summary);
  EXPECT_EQ(a.event_ns, b.event_ns);
  EXPECT_EQ(a.raised_ns, b.raised_ns);
  EXPECT_EQ(a.tags, b.tags);
  EXPECT_EQ(a.records, b.records);
}

TEST(AlertJson, ComesBackAsItWasRaised) {
  Alert alert = raised();
  alert.rule_digest = std::string(64, 'a');
  alert.engine = 7;
  alert.key = "192.0.2.9|root@web-1";
  alert.baseline = "days=30 logins=0";
  alert.reason = "\"odd\" \u5fa1\u53f2\n";
  alert.learning = alert.summary = true;
  alert.folded = 71;
  alert.event_ns += 123'456'789;
  // In the order of their names, as they stand in JSON.
  alert.fields = {{"event.category", "authentication"},
                  {"event.category", "session"},
                  {"http.request.bytes", "x"},
                  {"source.ip", "192.0.2.9"},
                  {"source.port", "4242"},
                  {"sshd.method", "7"},
                  {"user.name", "root"}};
  const auto text = alert_to_json(alert);
  const auto read = alert_of(text);
  ASSERT_TRUE(read) << text;
  expect_same(*read, alert);
  EXPECT_EQ(read->fields, alert.fields);
  EXPECT_EQ(alert_to_json(*read), text);
  EXPECT_EQ(read->field("source.port"), "4242");
  EXPECT_EQ(read->field("host.name"), "");

  // Without tags what a record says of threats is its own; the daemon's own alerts speak of no tenant.
  Alert bare;
  bare.id = "fedcba9876543210";
  bare.rule_id = "yushid.disk-full";
  bare.raised_ns = 1793491201'000000789;
  bare.fields = {{"threat.framework", "own"}, {"threat.technique.id", "T1"}};
  const auto again = alert_of(alert_to_json(bare));
  ASSERT_TRUE(again);
  expect_same(*again, bare);
  EXPECT_EQ(again->fields, bare.fields);
  bare.fields = {{"organization.name", "evil"}};
  EXPECT_EQ(alert_of(alert_to_json(bare))->tenant, "");
}

TEST(AlertJson, WhatIsOddComesBackAsItIsWritten) {
  Alert alert = raised();
  // Of a name that the alert says itself, no UTF-8, a number written another way, and the same value twice.
  alert.fields = {
      {"organization.name", "evil"}, {"rule.id", "evil"},     {"source.port", "04242"}, {"user.name", "\xff\"\\"},
      {"event.type", "start"},       {"event.type", "start"}, {"odd..name", "1"},       {"url.path", "/a\r\nb/3"},
      {"yushi.masked", "yes"}};
  const auto text = alert_to_json(alert);
  const auto read = alert_of(text);
  ASSERT_TRUE(read) << text;
  expect_same(*read, alert);
  EXPECT_EQ(alert_to_json(*read), text);
  EXPECT_EQ(read->field("user.name"), "\uFFFD\"\\");
  EXPECT_EQ(read->field("source.port"), "4242");
}

TEST(AlertJson, WhatIsNoAlertIsNone) {
  for (auto text : {"", "{", "[]", "7", "{}", R"({"yushi":{"alert":{"id":"3f2a"}}})",
                    R"({"event":{"kind":"event"},"yushi":{"alert":{"id":"3f2a"}}})",
                    R"({"event":{"kind":"alert"},"yushi":{"alert":{"id":""}}})",
                    R"({"event":{"kind":"alert"},"yushi":{"alert":{"id":7}}})",
                    R"({"message":"\"event\":{\"kind\":\"alert\"},\"yushi\":{\"alert\":{\"id\":\"x\"}}"})"})
    EXPECT_FALSE(alert_of(text)) << text;
  const auto odd =
      alert_of(R"({"@timestamp":7,"event":{"kind":"alert","created":[]},"rule":"x","tags":"a",)"
               R"("yushi":{"alert":{"id":"3f2a","score":"7","severity":"grave","records":["a","/1","b/2x","b/2"]}}})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->score, 0u);
  EXPECT_EQ(odd->severity, Severity::medium);
  EXPECT_EQ(odd->raised_ns, 0);
  EXPECT_EQ(odd->tags, std::vector<std::string>{"a"});
  EXPECT_EQ(odd->records, (std::vector<RecordId>{{"b", 2}}));
}

}  // namespace
}  // namespace yushi
