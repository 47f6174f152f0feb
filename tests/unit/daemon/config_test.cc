// The config file: what is taken over, and that everything wrong is named with file, line and column.
#include "daemon/config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "forward/kafka/kafka.h"

namespace yushi::daemon {
namespace {

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    char name[] = "/tmp/yushi-config-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(path(), std::ios::binary) << text;
  }
  ~ConfigFile() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/yushi.yaml"; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

Config good(const std::string& text) {
  ConfigFile file(text);
  auto config = load_config(file.path());
  EXPECT_TRUE(config) << text << "\n" << config.error().message;
  return config ? *config : Config{};
}

const forward::KafkaSettings& kafka(const forward::ForwarderConfig& config) {
  return dynamic_cast<const forward::KafkaConfig&>(config).settings;
}

// The problems without the file's path: "2:3: limits.message_bites: …", one a line.
std::string problems(const std::string& text) {
  ConfigFile file(text);
  auto config = load_config(file.path());
  if (config) return "";
  EXPECT_EQ(config.error().code, Code::invalid) << text;
  std::string out;
  auto& message = config.error().message;
  for (size_t at = 0; at < message.size();) {
    auto end = std::min(message.find('\n', at), message.size());
    auto line = message.substr(at, end - at);
    EXPECT_TRUE(line.starts_with(file.path() + ":")) << text << "\n" << line;
    out += line.substr(std::min(line.size(), file.path().size() + 1)) + "\n";
    at = end + 1;
  }
  return out;
}

TEST(Config, EachWrongConfigIsNamedWithItsLineAndColumnAndKey) {
  const struct {
    const char* text;   // with an @ before the place that must be named
    const char* named;  // stands in the problem's line
  } kCases[] = {
      // What is not known.
      {"@nodee: log-01", "nodee"},
      {"node: log-01\nlimits:\n  @message_bites: 65536", "limits.message_bites"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: \"127.0.0.1:1\", @frame: auto}", "inputs.frame"},
      {"tenants:\n  - name: finance\n    match: {@net: [10.0.0.0/8]}", "tenants.match.net"},
      {"commit: {interval: 50ms, @byte: 4MiB}", "commit.byte"},
      {"keys: {@folder: /k}", "keys.folder"},
      {"detect: {@learn: 14d}", "detect.learn"},
      {"api: {@sock: /s}", "api.sock"},
      {"forward:\n  - {brokers: \"k:9092\", @topics: t}", "forward.topics"},
      {"retention: {@years: 1}", "retention.years"},
      {"node: a\ndata_dir: /d\n@node: b", "node"},
      // Wrong types.
      {"@just words", "map"},
      {"@- node: a", "map"},
      {"node: @[a]", "node"},
      {"node: @{a: b}", "node"},
      {"data_dir: @\"\"", "data_dir"},
      {"data_dir: @5", "data_dir"},
      {"keys: {dir: @1e3}", "keys.dir"},
      {"api: {socket: @7}", "api.socket"},
      {"inputs: @5", "inputs"},
      {"inputs:\n  @type: syslog", "inputs"},
      {"inputs: [@tcp]", "inputs"},
      {"limits: @65536", "limits"},
      {"limits: {connections: @many}", "limits.connections"},
      {"limits: {connections: @[1]}", "limits.connections"},
      {"limits: {connections: @-5}", "limits.connections"},
      {"limits: {connections: @1.5}", "limits.connections"},
      {"parsers: @/etc/yushi/parsers", "parsers"},
      {"parsers: [@[/etc/yushi/parsers]]", "parsers"},
      {"tenants: @{name: finance}", "tenants"},
      {"retention: @184", "retention"},
      {"detect: {rules: @/r}", "detect.rules"},
      {"api: @/run/yushi.sock", "api"},
      // Out of range, or with a unit that is none.
      {"limits: {message_bytes: @479}", "limits.message_bytes"},
      {"limits: {message_bytes: @9MiB}", "limits.message_bytes"},
      {"limits: {message_bytes: @64KB}", "limits.message_bytes"},
      {"limits: {connections: @0}", "limits.connections"},
      {"limits: {connections_per_source: @0}", "limits.connections_per_source"},
      {"limits: {in_flight_bytes: @15MiB}", "limits.in_flight_bytes"},
      {"limits: {in_flight_bytes: @99999999999999999999GiB}", "limits.in_flight_bytes"},
      {"limits: {in_flight_bytes: @18446744073709551615GiB}", "limits.in_flight_bytes"},
      {"limits: {sources: @1000001}", "limits.sources"},
      {"limits: {query_bytes: @1MiB}", "limits.query_bytes"},
      {"limits: {memory: @255MiB}", "limits.memory"},
      {"limits:\n  memory: 512MiB\n  in_flight_bytes: @305MiB", "limits.in_flight_bytes"},
      {"limits: {in_flight_bytes: 100MiB, query_bytes: @300MiB}", "limits.query_bytes"},
      {"limits: {memory: 256MiB, in_flight_bytes: @49MiB}", "limits.in_flight_bytes"},
      {"seal: {quiet: @10}", "seal.quiet"},
      {"seal: {quiet: @0s}", "seal.quiet"},
      {"limits: {query_seconds: @0}", "limits.query_seconds"},
      {"api: {listen: @\"0.0.0.0:9600\"}", "loopback"},
      {"api: {listen: @\"192.0.2.1:9600\"}", "loopback"},
      {"api: {listen: @\"[::]:9600\"}", "loopback"},
      {"api: {listen: @nonsense}", "api.listen"},
      {"api: {mode: @\"0666\"}", "api.mode"},
      {"api: {mode: @\"0604\"}", "api.mode"},
      {"api: {group: @no-such-group}", "api.group"},
      {"commit: {interval: @50}", "commit.interval"},
      {"commit: {interval: @11s}", "commit.interval"},
      {"commit: {bytes: @1}", "commit.bytes"},
      {"detect: {learning: @367d}", "detect.learning"},
      {"node: @Log-01", "node"},
      {"node: @café", "node"},
      // The legal floor holds for the node and for each tenant.
      {"retention: {days: @183}", "retention.days"},
      {"retention: {days: @0}", "retention.days"},
      {"retention: {days: @36501}", "retention.days"},
      {"retention: {preset: mlps, days: @400}", "retention.days"},
      {"tenants:\n  - {name: finance, retention: {days: @400, preset: cii}}", "retention.days"},
      {"retention: {preset: @forever}", "retention.preset"},
      {"tenants:\n  - {name: finance, retention: {days: @90}}", "retention.days"},
      // A tenant behind networks that take all of its own.
      {"tenants:\n  - {name: a, match: {cidr: [\"10.1.0.0/16\"]}}\n  - {name: b, match: {cidr: @[\"10.1.2.0/24\"]}}",
       "tenants.match.cidr: b never"},
      {"tenants:\n  - {name: a, match: {cidr: [\"10.1.0.0/17\"]}}\n  - {name: c, match: {cidr: [\"10.1.128.0/17\"]}}\n"
       "  - {name: b, match: {cidr: @[\"10.1.0.0/16\"]}}",
       "as of a"},
      {"tenants:\n  - {name: a, match: {cidr: [\"10.1.0.0/16\"]}}\n  - {name: b, match: {cidr: "
       "@[\"::ffff:10.1.2.0/120\", \"10.1.9.9\"]}}",
       "b never"},
      // Inputs.
      {"inputs:\n  - @{type: syslog, transport: udp}", "inputs.listen"},
      {"inputs:\n  - @{type: relp}", "inputs.listen"},
      {"inputs:\n  - {type: relp, listen: @\"514\"}", "inputs.listen"},
      {"inputs:\n  - {type: relp, listen: \"127.0.0.1:1\", @transport: tcp}", "inputs.transport"},
      {"inputs:\n  - @{type: syslog, transport: tls, listen: \"127.0.0.1:1\"}", "inputs.tls"},
      {"inputs:\n  - {type: syslog, transport: tls, listen: \"127.0.0.1:1\", tls: @{key: k}}", "inputs.tls.cert"},
      {"inputs:\n  - {type: syslog, transport: tls, listen: \"127.0.0.1:1\", tls: @{cert: c}}", "inputs.tls.key"},
      {"inputs:\n  - {type: relp, listen: \"127.0.0.1:1\", tls: {cert: c, key: k, crl: @r}}", "inputs.tls.crl"},
      {"inputs:\n  - {type: relp, listen: \"127.0.0.1:1\", tls: {cert: c, key: k, @ca: r}}", "inputs.tls.ca"},
      {"inputs:\n  - {type: relp, listen: \"127.0.0.1:1\"}\n"
       "  - {type: syslog, transport: tcp, listen: @\"127.0.0.1:1\"}",
       "inputs.listen"},
      {"tenants: [{name: a, match: {cert_cn: @[\"a*b\"]}}]", "tenants.match.cert_cn"},
      {"inputs:\n  - @{type: syslog, transport: unix}", "inputs.path"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: @\"514\"}", "inputs.listen"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: @\"127.0.0.1:99999\"}", "inputs.listen"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: @\"127.0.0.1:\"}", "inputs.listen"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: \"127.0.0.1:1\", framing: @lines}", "inputs.framing"},
      {"inputs:\n  - {type: syslog, transport: @pigeon, listen: \"127.0.0.1:1\"}", "inputs.transport"},
      {"inputs:\n  - {type: @pigeon, listen: \"127.0.0.1:1\"}", "inputs.type"},
      {"inputs:\n  - @{transport: tcp, listen: \"127.0.0.1:1\"}", "inputs.type"},
      {"inputs: @[]", "inputs"},
      {"inputs:\n  - {type: syslog, transport: udp, listen: \"127.0.0.1:1\", framing: @auto}", "inputs.framing"},
      {"inputs:\n  - {type: syslog, transport: unix, path: /s, framing: @newline}", "inputs.framing"},
      {"inputs:\n  - {type: syslog, transport: unix, path: /s, listen: @\"127.0.0.1:1\"}", "inputs.listen"},
      {"inputs:\n  - {type: syslog, transport: udp, listen: \"127.0.0.1:1\", path: @/s}", "inputs.path"},
      {"inputs:\n  - {type: syslog, transport: udp, listen: @[a]}", "inputs.listen"},
      {"inputs:\n  - {type: @[syslog], transport: udp, listen: \"127.0.0.1:1\"}", "inputs.type"},
      {"inputs:\n  - {type: syslog, transport: @\"\", listen: \"127.0.0.1:1\"}", "inputs.transport"},
      {"inputs:\n  - {type: syslog, transport: tcp, listen: \"127.0.0.1:1\"}\n"
       "  - {type: syslog, transport: tcp, listen: @\"localhost:1\"}",
       "inputs.listen"},
      {"inputs:\n  - {type: syslog, transport: unix, path: /a/s}\n"
       "  - {type: syslog, transport: unix, path: @/a/./s}",
       "inputs.path"},
      // Folders that are not there.
      {"parsers: [/tmp, @/no/such/folder]", "/no/such/folder"},
      {"detect: {rules: [@/no/such/folder]}", "/no/such/folder"},
      {"parsers: [@/dev/null]", "parsers"},
      // Tenants.
      {"tenants:\n  - @{match: {cidr: [10.0.0.0/8]}}", "tenants.name"},
      {"tenants:\n  - {name: @_finance}", "tenants.name"},
      {"tenants:\n  - {name: @default}", "tenants.name"},
      {"tenants:\n  - {name: @Finance}", "tenants.name"},
      {"tenants:\n  - {name: a}\n  - {name: b}\n  - {name: @a}", "tenants.name"},
      {"tenants:\n  - {name: a, match: {cidr: [@10.0.0.0/33]}}", "tenants.match.cidr"},
      {"tenants:\n  - {name: a, match: {cidr: [10.0.0.0/8, @10.0.0.1/8]}}", "tenants.match.cidr"},
      {"relays: [10.0.0.5, @relay.example]", "relays"},
      {"relays: [@10.0.0.1/8]", "relays"},
      {"relays: ['2001:db8::/32', @'2001:db8::/129']", "relays"},
      {"relays: @10.0.0.5", "relays"},
      {"tenants:\n  - {name: a, timezone: @Mars/Olympus}", "tenants.timezone"},
      {"tenants:\n  - {name: a, charset: @ebcdic}", "tenants.charset"},
      // Forwarders.
      {"forward:\n  - @{type: kafka}", "forward.brokers"},
      {"forward:\n  - {brokers: @[k]}", "forward.brokers"},
      {"forward:\n  - {brokers: \"k:9092\", topic: @\"a topic\"}", "forward.topic"},
      {"forward:\n  - {brokers: \"k:9092\", topic: @..}", "forward.topic"},
      {"forward:\n  - {brokers: \"k:9092\", alerts_topic: @a/b}", "forward.alerts_topic"},
      {"forward:\n  - {type: @carrier, brokers: \"k:9092\"}", "forward.type"},
      {"forward:\n  - {brokers: \"k:9092\", format: @xml}", "forward.format"},
      {"forward:\n  - {brokers: \"k:9092\", select: @\"user.name: (root\"}", "forward.select"},
      {"forward:\n  - {brokers: \"k:9092\", delivery: @perhaps}", "forward.delivery"},
      {"forward:\n  - {brokers: \"k:9092\", properties: @ssl}", "forward.properties"},
      {"forward:\n  - {brokers: \"k:9092\", properties: @{acks: 0}}", "forward.properties.acks"},
      {"forward:\n  - {brokers: \"k:9092\", properties: @{ssl.unheard.of: x}}", "forward.properties.ssl.unheard.of"},
      {"forward:\n  - {brokers: \"k:9092\", properties: @{security.protocol: tls}}",
       "forward.properties.security.protocol"},
      {"forward:\n  - {brokers: \"k:9092\", properties: @{security.protocol: ssl, ssl.ca.location: /nowhere/ca.pem}}",
       "forward.properties.ssl.ca.location"},
      {"forward:\n  - {brokers: \"k:9092\"}\n  - @{brokers: \"k:9092\"}", "forward.topic"},
      {"forward:\n  - {brokers: \"k:9092\", topic: t}\n  - {brokers: \"k:9092\", topic: @t}", "forward.topic"},
      {"forward:\n  - {brokers: \"k:9092\", alerts_topic: a}\n  - {brokers: \"k:9092\", topic: t, alerts_topic: @a}",
       "forward.alerts_topic"},
      {"forward:\n  - {brokers: \"k:9092\", cursors_topic: @c}", "forward.cursors_topic"},
      {"forward:\n  - {brokers: \"k:9092\", delivery: exactly-once, cursors_topic: @a/b}", "forward.cursors_topic"},
      // What README.md says is not there: refused, never taken and ignored.
      {"inputs:\n  - {type: syslog, transport: tcp, listen: \"127.0.0.1:1\", tls: @{cert: c, key: k}}", "inputs.tls"},
      {"api: {listen: @\"0.0.0.0:8443\"}", "api.listen"},
  };
  for (auto& c : kCases) {
    std::string text = c.text;
    auto at = text.find('@');
    ASSERT_NE(at, text.npos) << text;
    text.erase(at, 1);
    auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
    auto column = at - (text.substr(0, at).rfind('\n') + 1) + 1;  // npos + 1 is 0: the first line
    auto found = problems(text);
    EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << c.text << "\n" << found;
    EXPECT_TRUE(found.starts_with(std::to_string(line) + ":" + std::to_string(column) + ": ")) << c.text << "\n"
                                                                                               << found;
    EXPECT_NE(found.find(c.named), std::string::npos) << c.text << "\n" << found;
  }
}

TEST(Config, EachAlertIsForwardedOnceUnlessSeveralForwardersNameATopicForThem) {
  auto alerts_topics = [](const std::string& text) {
    std::vector<std::string> out;
    for (auto& forwarder : good("forward:\n" + text).forwarders)
      out.push_back(forwarder->sends_alerts ? kafka(*forwarder).alerts_topic : "");
    return out;
  };
  using Topics = std::vector<std::string>;
  EXPECT_EQ(alerts_topics("  - {brokers: k}\n"), Topics{"yushi.alerts"});
  EXPECT_EQ(alerts_topics("  - {brokers: k}\n  - {brokers: k, topic: t}\n"), (Topics{"yushi.alerts", ""}));
  EXPECT_EQ(alerts_topics("  - {brokers: k}\n  - {brokers: l, topic: t}\n"), (Topics{"yushi.alerts", ""}));
  EXPECT_EQ(alerts_topics("  - {brokers: k}\n  - {brokers: k, topic: t, alerts_topic: a}\n"), (Topics{"", "a"}));
  EXPECT_EQ(alerts_topics("  - {brokers: k, alerts_topic: a}\n  - {brokers: l, alerts_topic: a}\n"),
            (Topics{"a", "a"}));
}

TEST(Config, WhatIsNoYamlIsNamedWithItsLineAndColumn) {
  for (auto* text : {"node: [a", "node: a\n\tdata_dir: /d", "node: \"open", "a: b: c", "inputs: *nothing", "? [",
                     "%YAML 9.9\n--- {", "node: !!binary [", "}", "- a\nb: c"}) {
    auto found = problems(text);
    ASSERT_FALSE(found.empty()) << text;
    size_t line = 0, column = 0;
    EXPECT_EQ(std::sscanf(found.c_str(), "%zu:%zu: ", &line, &column), 2) << text << "\n" << found;
    EXPECT_GE(line, 1u) << text << "\n" << found;
    EXPECT_GE(column, 1u) << text << "\n" << found;
  }
}

TEST(Config, AllProblemsAreNamedAtOnce) {
  auto found =
      problems("nodee: a\nlimits: {connections: 0, sources: x}\nretention: {days: 1}\ninputs: [{type: relp}]\n");
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 5) << found;
}

TEST(Config, EachKeyIsTakenOver) {
  auto config = good(R"(node: log-01.gov.example
data_dir: /d
inputs:
  - {type: syslog, transport: udp, listen: "0.0.0.0:514"}
  - {type: syslog, transport: tcp, listen: "[::1]:601", framing: octet-counted}
  - {type: syslog, transport: unix, path: /run/log.sock}
tenants:
  - {name: finance, match: {cidr: ["10.1.0.0/16", "2001:db8::/32"]}, timezone: Asia/Shanghai, charset: gb18030, retention: {days: 400}}
  - {name: health.a_b-c}
relays: ["10.0.0.5", "10.1.0.0/16"]
parsers: [/tmp]
limits: {message_bytes: 8MiB, connections: 7, memory: 2GiB, in_flight_bytes: 1GiB, sources: 9, query_bytes: 8MiB, query_seconds: 7}
seal: {quiet: 30s}
commit: {interval: 1s, bytes: 64KiB}
keys: {dir: /k}
retention: {preset: cii}
forward:
  - {type: kafka, brokers: "k1:9092,k2:9092", topic: t, alerts_topic: a, format: raw, select: "user.name: root", delivery: exactly-once,
     cursors_topic: c, secrets: shown,
     properties: {security.protocol: sasl_plaintext, sasl.mechanism: PLAIN, sasl.username: y, sasl.password: 1}}
detect: {rules: [/dev, /tmp], learning: 36h}
api: {socket: /s, group: root, mode: "0600", listen: "[::1]:9600"}
)");
  EXPECT_EQ(config.node, "log-01.gov.example");
  EXPECT_EQ(config.data_dir, "/d");
  ASSERT_EQ(config.inputs.size(), 3u);
  EXPECT_EQ(config.inputs[0]->address(), "udp 0.0.0.0:514");
  EXPECT_TRUE(config.inputs[1]->address().starts_with("tcp "));
  EXPECT_EQ(config.inputs[2]->address(), "unix /run/log.sock");
  ASSERT_EQ(config.tenants.size(), 2u);
  EXPECT_EQ(config.tenants[0].name, "finance");
  EXPECT_EQ(config.relays, (std::vector<std::string>{"10.0.0.5", "10.1.0.0/16"}));
  EXPECT_EQ(config.tenants[0].cidrs, (std::vector<std::string>{"10.1.0.0/16", "2001:db8::/32"}));
  EXPECT_EQ(config.tenants[0].timezone, "Asia/Shanghai");
  EXPECT_EQ(config.tenants[0].charset, "gb18030");
  EXPECT_EQ(config.tenants[0].retention_days, 400u);
  EXPECT_EQ(config.tenants[1].name, "health.a_b-c");
  EXPECT_EQ(config.tenants[1].retention_days, 0u);
  EXPECT_EQ(config.parser_dirs, std::vector<std::string>{"/tmp"});
  EXPECT_EQ(config.message_bytes, 8u << 20);
  EXPECT_EQ(config.connections, 7u);
  EXPECT_EQ(config.memory.in_flight, 1u << 30);
  EXPECT_EQ(config.sources, 9u);
  EXPECT_EQ(config.memory.questions, 8u << 20);
  EXPECT_EQ(config.seal_quiet_ns, int64_t{30} * 1'000'000'000);
  EXPECT_EQ(config.query_seconds, 7u);
  EXPECT_EQ(config.api_group, "root");
  EXPECT_EQ(config.api_mode, 0600u);
  EXPECT_EQ(config.api_listen, "[::1]:9600");
  EXPECT_EQ(good("api: {group: root}\n").api_mode, 0660u);
  EXPECT_EQ(config.commit_interval_ns, 1'000'000'000);
  EXPECT_EQ(config.commit_bytes, 64u << 10);
  EXPECT_EQ(config.key_dir, "/k");
  EXPECT_EQ(config.retention_days, 366u);
  ASSERT_EQ(config.forwarders.size(), 1u);
  auto& forwarder = *config.forwarders[0];
  EXPECT_EQ(forwarder.name(), "k1:9092,k2:9092/t");
  EXPECT_EQ(forwarder.format, forward::ForwardFormat::raw);
  EXPECT_EQ(forwarder.select_fields, (forward::KafkaProperties{{"user.name", forwarder.select_fields.at(0).second}}));
  EXPECT_TRUE(forwarder.shows_secrets);
  EXPECT_TRUE(forwarder.sends_alerts && forwarder.sends_checkpoints);
  EXPECT_EQ(kafka(forwarder).brokers, "k1:9092,k2:9092");
  EXPECT_EQ(kafka(forwarder).topic, "t");
  EXPECT_EQ(kafka(forwarder).alerts_topic, "a");
  EXPECT_EQ(kafka(forwarder).checkpoints_topic, "yushi.checkpoints");
  EXPECT_EQ(kafka(forwarder).cursors_topic, "c");
  EXPECT_TRUE(kafka(forwarder).exactly_once);
  EXPECT_EQ(kafka(forwarder).properties, (forward::KafkaProperties{{"security.protocol", "sasl_plaintext"},
                                                                   {"sasl.mechanism", "PLAIN"},
                                                                   {"sasl.username", "y"},
                                                                   {"sasl.password", "1"}}));
  EXPECT_EQ(config.rule_dirs, (std::vector<std::string>{"/dev", "/tmp"}));
  EXPECT_EQ(config.learning_ns, int64_t{36} * 3600 * 1'000'000'000);
  EXPECT_EQ(config.api_socket, "/s");
}

TEST(Config, AProblemSaysWhatWouldBeRight) {
  const struct {
    const char* text;
    std::vector<const char*> said;
  } kCases[] = {
      {"inputs: [tcp]", {": inputs: must be a map"}},
      {"just words", {": the config: must be a map"}},
      {"limits: {message_bytes: 1}", {"1 is out of range", "from 480 to 8MiB"}},
      {"limits: {in_flight_bytes: 99999999999999999999GiB}", {"out of range", "from 16MiB to 1024GiB"}},
      {"limits: {memory: 512MiB, in_flight_bytes: 400MiB}",
       {"leaves too little of limits.memory, 512MiB,", "which needs 208MiB", "raise limits.memory to 608MiB"}},
      {"limits: {connections: -1}", {"\"-1\" must be a whole number;", "from 1 to 1000000"}},
      {"limits: {message_bytes: 64KB}",
       {"a whole number, alone or with one of GiB, KiB, MiB behind it", "from 480 to 8MiB"}},
      {"commit: {interval: 50}", {"a whole number with one of d, h, m, ms, s behind it", "from 1ms to 10s"}},
      {"detect: {learning: 367d}", {"from 0 to 366d"}},
      {"retention: {days: 90}", {"90 is out of range", "from 184 to 36500", "legal floor"}},
      {"tenants: [{name: _a}]", {"[a-z0-9_.-]{1,64}", "begin with _"}},
  };
  for (auto& c : kCases) {
    auto found = problems(c.text);
    for (auto* said : c.said) EXPECT_NE(found.find(said), std::string::npos) << c.text << "\n" << found;
  }
}

TEST(Config, EachPartOfTheMemoryFollowsFromOneNumberAndWhatIsSetTakesFromTheOthers) {
  constexpr uint64_t kMiB = 1 << 20;
  const auto parts = [](const std::string& text) {
    auto memory = good(text).memory;
    std::vector<uint64_t> out = {memory.in_flight, memory.open_blocks, memory.memtables, memory.parsers,
                                 memory.detectors, memory.questions,   memory.rest};
    for (auto& bytes : out) bytes /= kMiB;
    return out;
  };
  EXPECT_EQ(parts(""), (std::vector<uint64_t>{96, 104, 56, 56, 64, 96, 40}));
  // Detectors have no use for more than that.
  EXPECT_EQ(parts("limits: {memory: 1GiB}"), (std::vector<uint64_t>{192, 208, 112, 112, 64, 192, 144}));
  EXPECT_EQ(parts("limits: {memory: 256MiB}"), (std::vector<uint64_t>{48, 52, 28, 28, 32, 48, 20}));
  // As the example config had them before there was one number.
  EXPECT_EQ(parts("limits: {in_flight_bytes: 256MiB, query_bytes: 96MiB}"),
            (std::vector<uint64_t>{256, 52, 28, 28, 32, 96, 20}));
  EXPECT_EQ(parts("limits: {memory: 1GiB, query_bytes: 608MiB}"),
            (std::vector<uint64_t>{96, 104, 56, 56, 64, 608, 40}));
}

TEST(Config, AnInputKnowsThePlaceOfItsAddress) {
  auto config = good(
      "inputs:\n  - {type: syslog, transport: tcp, listen: \"127.0.0.1:0\"}\n"
      "  - type: syslog\n    transport: unix\n    path: /run/log.sock\n");
  auto place = [&](size_t i) { return config.inputs[i]->place.substr(config.inputs[i]->place.find(':')); };
  EXPECT_EQ(place(0), ":2:44: inputs.listen");
  EXPECT_EQ(place(1), ":5:11: inputs.path");
}

TEST(Config, OneAddressMayStandForEachTransportAndAFreePortManyTimes) {
  auto config = good(R"(inputs:
  - {type: syslog, transport: tcp, listen: "127.0.0.1:514"}
  - {type: syslog, transport: udp, listen: "127.0.0.1:514"}
  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}
  - {type: syslog, transport: tcp, listen: "127.0.0.1:0"}
)");
  EXPECT_EQ(config.inputs.size(), 4u);
  EXPECT_EQ(good("data_dir: \"5\"\n").data_dir, "5");
}

TEST(Config, AnEmptyFileGivesTheSafeDefaults) {
  for (auto* text : {"", "# nothing but a comment\n", "---\n", "node: log-01\n"}) {
    auto config = good(text);
    EXPECT_EQ(config.retention_days, 184u) << text;
    EXPECT_TRUE(config.forwarders.empty()) << text;
    ASSERT_EQ(config.inputs.size(), 2u) << text;
    EXPECT_EQ(config.inputs[0]->address(), "tcp 127.0.0.1:5514") << text;
    EXPECT_EQ(config.inputs[1]->address(), "udp 127.0.0.1:5514") << text;
  }
}

TEST(Config, TheCommentedExampleIsRight) {
  auto config = load_config(YUSHI_SOURCE_DIR "/config/yushi.yaml");
  EXPECT_TRUE(config) << config.error().message;
}

TEST(Config, AFileThatCannotBeReadIsNoEmptyConfig) {
  ConfigFile file("");
  auto absent = load_config(file.folder() + "/absent.yaml");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::io);
  EXPECT_NE(absent.error().message.find(file.folder() + "/absent.yaml"), std::string::npos);
  auto folder = load_config(file.folder());
  ASSERT_FALSE(folder) << "a folder was taken for an empty config";
  EXPECT_EQ(folder.error().code, Code::io);
}

}  // namespace
}  // namespace yushi::daemon
