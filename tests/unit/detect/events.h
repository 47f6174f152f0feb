// Records made by hand, as parsers would give them: tests of detectors need no parser.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/time_text.h"
#include "core/event/attack.h"
#include "core/record/batch.h"
#include "detect/engine.h"
#include "parsers/parser_set.h"

namespace yushi::detect {

inline int64_t at(std::string_view time) {
  auto read = parse_time(time, 0, *Zone::utc());
  if (!read) std::abort();
  return read->unix_ns;
}

// What one record says, before it is in a batch.
struct Line {
  int64_t at_ns = 0;
  std::string pattern = "accepted";
  std::string dataset = "sshd";
  std::vector<std::pair<std::string, std::string>> constants;
  std::vector<std::pair<std::string, std::string>> values;
  std::string log = "default";
  int64_t late_ns = 0;  // receipt after event
  std::string sender = "192.0.2.1";
  uint8_t inferred = 0;             // TimeInferred bits
  Charset charset = Charset::utf8;  // of the tenant
};

inline Line login(int64_t at_ns, std::string user, std::string source, std::string host = "web-01") {
  Line event;
  event.at_ns = at_ns;
  event.constants = {{"event.category", "authentication"}, {"event.outcome", "success"}};
  event.values = {{"host.name", std::move(host)}, {"user.name", std::move(user)}, {"source.ip", std::move(source)}};
  return event;
}
inline Line failed_login(int64_t at_ns, std::string user, std::string source, std::string pattern = "failed") {
  Line event = login(at_ns, std::move(user), std::move(source));
  event.pattern = std::move(pattern);
  event.constants[1].second = "failure";
  return event;
}

// Kinds live as long as the test: a kind is known by its address.
inline const MessageKind* kind_of(const Line& event) {
  static std::map<std::string, std::unique_ptr<MessageKind>> kinds;
  std::string key = event.dataset + "\n" + event.pattern;
  for (const auto& [name, value] : event.constants) key += "\n" + name + "=" + value;
  auto& kind = kinds[key];
  if (!kind) {
    kind = std::make_unique<MessageKind>();
    kind->parser = event.dataset;
    kind->pattern = event.pattern;
    kind->dataset = event.dataset;
    for (const auto& [name, value] : event.constants) kind->constants.push_back({find_field(name), value});
  }
  return kind.get();
}

// Gives out indexes log by log, as the committer does.
class Committer {
 public:
  std::unique_ptr<Batch> batch(const std::vector<Line>& events) {
    auto batch = std::make_unique<Batch>();
    for (const auto& event : events) add(*batch, event);
    return batch;
  }

 private:
  void add(Batch& batch, const Line& event) {
    std::string raw;
    std::vector<Capture> captures;
    for (const auto& [name, value] : event.values) {
      const Field* field = find_field(name);
      if (!field) {
        auto declared = declare_field(name, FieldType::keyword);
        if (!declared) std::abort();
        field = *declared;
      }
      raw += name + "=";
      captures.push_back({static_cast<uint32_t>(raw.size()), static_cast<uint32_t>(value.size()), 0, field});
      raw += value + " ";
    }
    Origin origin;
    origin.received_ns = event.at_ns + event.late_ns;
    origin.source = origin.address = batch.arena.copy(std::string_view(event.sender));
    origin.log = batch.arena.copy(std::string_view(event.log));
    origin.node = "test";
    Record record;
    record.raw = batch.arena.copy(std::string_view(raw));
    record.charset = charset_of(record.raw, event.charset);
    record.message_length = static_cast<uint32_t>(raw.size());
    record.origin = batch.arena.make(origin);
    record.event_ns = event.at_ns;
    record.time_inferred = event.inferred;
    record.captures = batch.arena.copy(std::span<const Capture>(captures));
    record.kind = event.dataset.empty() ? nullptr : kind_of(event);
    record.index = next_[event.log]++;
    batch.records.push_back(record);
  }
  std::map<std::string, uint64_t> next_;
};

// Ours. Datasets and fields are known once they are loaded: before that nothing is held to them.
inline const std::shared_ptr<const parsers::ParserSet>& our_parser_set() {
  static const auto kSet = [] {
    auto files = parsers::read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
    auto loaded = files ? parsers::ParserSet::load(std::move(*files), parsers::ReadTests::of_site)
                        : tl::unexpected(files.error());
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      std::abort();
    }
    return *loaded;
  }();
  return kSet;
}

// Where Sigma rules look, by our own files.
inline const LogSources& our_log_sources() {
  static const auto kSources = [] {
    our_parser_set();
    auto files = read_rule_directories({YUSHI_SOURCE_DIR "/config/sigma"});
    auto loaded = files ? LogSources::load(*files) : tl::unexpected(files.error());
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      std::abort();
    }
    return *loaded;
  }();
  return *kSources;
}
inline std::shared_ptr<const RuleSet> rules_of(const std::string& text) {
  auto loaded = RuleSet::load({RuleFile{"test.yml", "test.yml", text}}, our_log_sources());
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    std::abort();
  }
  return *loaded;
}
inline std::shared_ptr<const RuleSet> no_rules() {
  auto loaded = RuleSet::load({});
  if (!loaded) std::abort();
  return *loaded;
}

// What every alert of a detector says, whichever test it comes from: so a new one cannot forget its Chinese.
inline void expect_complete(const Alert& alert, const RuleSet& rules) {
  EXPECT_FALSE(alert.reason_zh.empty()) << alert.rule_id << ": " << alert.reason;
  EXPECT_TRUE(alert.summary || !alert.story.empty()) << alert.rule_id << ": " << alert.reason;
  const auto list = rules.list();
  if (std::any_of(list.begin(), list.end(), [&](const auto& rule) { return rule.id == alert.rule_id; })) return;
  EXPECT_FALSE(alert.rule_name_zh.empty()) << alert.rule_id << " has no title in Chinese (FindingKind::title_zh)";
  EXPECT_NE(alert.reason_zh, alert.reason) << alert.rule_id;
  EXPECT_TRUE(tactic_of(alert.tags)) << alert.rule_id << " has no tactic (FindingKind::tactic)";
}

// Matches and observes the events in batches of `cut`.
inline std::vector<Alert> observe(Engine& engine, const std::shared_ptr<const RuleSet>& rules, Committer& committer,
                                  const std::vector<Line>& events, size_t cut = 1000) {
  std::vector<Alert> alerts;
  Scratch scratch;
  for (size_t from = 0; from < events.size(); from += cut) {
    auto first = events.begin() + static_cast<ptrdiff_t>(from);
    auto last = events.begin() + static_cast<ptrdiff_t>(std::min(events.size(), from + cut));
    auto batch = committer.batch(std::vector<Line>(first, last));
    rules->match(*batch, scratch, batch->hits);
    batch->keep.push_back(rules);
    engine.observe(*batch, alerts);
  }
  for (const auto& alert : alerts) expect_complete(alert, *rules);
  return alerts;
}

inline std::vector<Alert> alerts_of(const std::vector<Line>& events, DetectOptions options = {},
                                    std::shared_ptr<const RuleSet> rules = no_rules(), size_t cut = 1000) {
  Engine engine(rules, std::move(options));
  Committer committer;
  return observe(engine, rules, committer, events, cut);
}

inline std::vector<const Alert*> of_rule(const std::vector<Alert>& alerts, std::string_view rule) {
  std::vector<const Alert*> out;
  for (const auto& alert : alerts)
    if (alert.rule_id == rule) out.push_back(&alert);
  return out;
}

}  // namespace yushi::detect
