// Records to make blocks of, and what must be true of each block.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/filter/record_tokens.h"
#include "core/filter/token_filter.h"
#include "core/record/batch.h"
#include "core/record/value.h"
#include "parsers/understand.h"
#include "storage/block/block.h"

namespace yushi::storage {

// Records that own their bytes, with captures cut by a few lines of our own.
class Records {
 public:
  Records() {
    for (int i = 0; i < 5; ++i) {
      auto origin = origins_.emplace_back(std::make_unique<Origin>()).get();
      origin->received_ns = 1'790'000'000'123'456'789 + i * 1'000'000;
      origin->source = batch_.arena.copy("10.0.0." + std::to_string(i % 3));
      origin->address = origin->source;
      origin->transport = i % 2 ? Transport::tcp : Transport::udp;
      origin->commit = 100 + static_cast<uint64_t>(i / 2);
    }
    kind_.parser = "demo";
    kind_.pattern = "line";
    kind_.dataset = "demo.log";
    kind_.constants = {{find_field("event.category"), "authentication"}, {find_field("event.category"), "host"}};
  }

  Record& add(std::string_view raw, std::vector<Capture> captures = {}) {
    Record record;
    record.raw = batch_.arena.copy(raw);
    record.captures = batch_.arena.copy(std::span<const Capture>(captures));
    record.index = 1000 + batch_.records.size();
    auto origin = origins_[batch_.records.size() / 7 % origins_.size()].get();
    record.origin = origin;
    record.source_seq = 50 + seqs_[std::string(origin->source)]++;
    record.event_ns = origin->received_ns;
    record.message_length = static_cast<uint32_t>(raw.size());
    batch_.records.push_back(record);
    return batch_.records.back();
  }

  // A line behind an RFC 5424 header, with the header's captures and, where there are some, `key=value` ones.
  void add_line(std::string_view line, size_t n) {
    char time[40];
    int64_t event_ns = 1'790'000'000'000'000'000 + static_cast<int64_t>(n) * 7'654'000;
    TimeText form;
    form.unix_ns = event_ns;
    form.form = TimeForm::rfc3339;
    form.digits = 6;
    form.zone_minutes = 480;
    auto parsed = parse_time("2026-11-01T08:00:00.123456+08:00", event_ns, *Zone::utc());
    if (parsed) form.style = parsed->style;
    auto length = format_time(form, time);
    std::string raw = "<" + std::to_string(n % 3 ? 86 : 30) + ">1 ";
    std::vector<Capture> captures{cut(1, 2, ecs::syslog_priority), cut(4, 1, ecs::syslog_version)};
    captures[1].begin = 4;
    captures.push_back(cut(raw.size(), length, ecs::timestamp));
    captures[1] = cut(raw.size() - 2, 1, ecs::syslog_version);
    raw.append(time, length);
    raw += ' ';
    auto host = "host-" + std::to_string(n * 7919 % 200);
    captures.push_back(cut(raw.size(), host.size(), ecs::host_name));
    raw += host + " app" + std::to_string(n % 5) + " ";
    captures.push_back(cut(raw.size() - 5, 4, ecs::process_name));
    auto pid = std::to_string(n * 31 % 40000);
    captures.push_back(cut(raw.size(), pid.size(), ecs::process_pid));
    raw += pid + " - - ";
    auto message = raw.size();
    for (size_t at = 0; (at = line.find('=', at)) != line.npos; ++at) {
      auto end = std::min(line.find_first_of(" ,;\"", at + 1), line.size());
      auto key = at;
      while (key > 0 && isalpha(static_cast<unsigned char>(line[key - 1]))) --key;
      if (key == at || message + key < captures.back().end()) continue;
      auto name = line.substr(key, at - key);
      auto field = name == "ip" || name == "rhost" || name == "SRC" ? ecs::source_ip : dynamic(name);
      captures.push_back(cut(message + at + 1, end - at - 1, field));
      at = end - 1;
    }
    raw += line;
    auto& record = add(raw, captures);
    record.event_ns = event_ns;
    record.event_digits = 6;
    record.priority = n % 3 ? 86 : 30;
    record.message_begin = static_cast<uint32_t>(message);
    record.message_length = static_cast<uint32_t>(line.size());
    if (record.message_length > 0 && line.back() == '\r') --record.message_length;
    if (n % 2) record.kind = &kind_;
  }

  static Capture cut(size_t begin, size_t length, const Field* field, Escape escape = Escape::none) {
    return {static_cast<uint32_t>(begin), static_cast<uint32_t>(length) & 0xffffff, static_cast<uint8_t>(escape),
            field};
  }
  const Field* dynamic(std::string_view name) {
    return batch_.arena.make(Field{batch_.arena.copy(name), FieldType::keyword, kDynamicField, false});
  }
  std::vector<const Record*> pointers() const {
    std::vector<const Record*> out;
    for (auto& record : batch_.records) out.push_back(&record);
    return out;
  }
  std::vector<Record>& records() { return batch_.records; }
  void understand(parsers::Understander& understander, const std::vector<size_t>& which) {
    std::vector<Record> some;
    for (auto i : which) some.push_back(batch_.records[i]);
    std::swap(some, batch_.records);
    understander.understand(batch_, {}, false);
    std::swap(some, batch_.records);
    for (size_t k = 0; k < which.size(); ++k) batch_.records[which[k]] = some[k];
  }
  const MessageKind* kind() const { return &kind_; }

 private:
  Batch batch_;
  std::vector<std::unique_ptr<Origin>> origins_;
  std::map<std::string, uint64_t> seqs_;
  MessageKind kind_;
};

inline const BlockHead kContext{"finance", "log-01", {{{std::string(64, 'a'), "Asia/Shanghai", "gb18030", 7}}, {}}};

inline void expect_equal_field(const Field& got, const Field& want) {
  EXPECT_EQ(got.name, want.name);
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.id, want.id);
  EXPECT_EQ(got.list, want.list);
}

// Everything but digest and tenant comes back.
inline void expect_equal(const Record& got, const Record& want) {
  ASSERT_EQ(got.raw, want.raw);
  ASSERT_EQ(got.index, want.index);
  ASSERT_EQ(got.source_seq, want.source_seq);
  ASSERT_EQ(got.event_ns, want.event_ns);
  ASSERT_EQ(got.event_digits, want.event_digits);
  ASSERT_EQ(got.time_inferred, want.time_inferred);
  ASSERT_EQ(got.priority, want.priority);
  ASSERT_EQ(got.message(), want.message());
  ASSERT_EQ(got.message_begin, want.message_begin);
  ASSERT_EQ(got.part, want.part);
  ASSERT_EQ(got.part_of, want.part_of);
  ASSERT_EQ(got.marks, want.marks);
  ASSERT_EQ(got.origin->received_ns, want.origin->received_ns);
  ASSERT_EQ(got.origin->source, want.origin->source);
  ASSERT_EQ(got.origin->address, want.origin->address);
  ASSERT_EQ(got.origin->transport, want.origin->transport);
  ASSERT_EQ(got.origin->commit, want.origin->commit);
  ASSERT_EQ(got.origin->log, kContext.log);
  ASSERT_EQ(got.origin->node, kContext.node);
  ASSERT_EQ(got.kind == nullptr, want.kind == nullptr);
  if (got.kind) {
    ASSERT_EQ(got.kind->parser, want.kind->parser);
    ASSERT_EQ(got.kind->pattern, want.kind->pattern);
    ASSERT_EQ(got.kind->dataset, want.kind->dataset);
    ASSERT_EQ(got.kind->constants.size(), want.kind->constants.size());
    for (size_t i = 0; i < got.kind->constants.size(); ++i) {
      expect_equal_field(*got.kind->constants[i].field, *want.kind->constants[i].field);
      ASSERT_EQ(got.kind->constants[i].value, want.kind->constants[i].value);
    }
  }
  ASSERT_EQ(got.captures.size(), want.captures.size());
  for (size_t i = 0; i < got.captures.size(); ++i) {
    ASSERT_EQ(got.captures[i].begin, want.captures[i].begin);
    ASSERT_EQ(got.captures[i].length, want.captures[i].length);
    ASSERT_EQ(got.captures[i].escape, want.captures[i].escape);
    expect_equal_field(*got.captures[i].field, *want.captures[i].field);
  }
}

inline void expect_words(const SealedBlock& sealed, const std::vector<const Record*>& records) {
  TokenFilter filter(sealed.summary.token_filter);
  Scratch scratch;
  std::vector<uint64_t> hashes;
  size_t missing = 0;
  auto words = [&](std::string_view text) {
    for_each_token(text, [&](std::string_view token) {
      if (is_in_token_filter(token) && !filter.may_contain(token_hash(token)) && ++missing < 10)
        ADD_FAILURE() << "the word `" << token << "` of `" << text << "` is not in the filter";
    });
  };
  for (auto record : records) {
    words(record->raw);
    for (auto& capture : record->captures) {
      words(record->text(capture));
      words(decode_escape(record->text(capture), static_cast<Escape>(capture.escape), scratch));
      scratch.clear();
    }
    // What filters may ask for: the plain statement of the contract.
    hashes.clear();
    gather_record_tokens(*record, scratch, hashes);
    scratch.clear();
    for (auto hash : hashes) {
      if (filter.may_contain(hash) || ++missing > 5) continue;
      for_each_field(*record, scratch, [&](const Field& field, const Value& value) {
        bool there = !(value.type == Value::Type::ip) || filter.may_contain(ip_hash(value.address));
        for_each_token(value.text, [&](std::string_view token) {
          there &= !is_in_token_filter(token) || filter.may_contain(token_hash(token));
        });
        if (!there) ADD_FAILURE() << field.name << " is not in the filter: " << value.text;
      });
    }
  }
  EXPECT_EQ(missing, 0u);
}

inline std::string said_of(const Record& record, const std::string& name) {
  Scratch scratch;
  std::string out;
  visit_field(
      record, find_field(name), name, scratch,
      [](void* context, const Value& value) {
        auto& said = *static_cast<std::string*>(context);
        said += std::to_string(static_cast<int>(value.type)) + ":" + std::string(value.text) + ":" +
                std::to_string(value.type == Value::Type::date ? value.integer : 0) + ";";
      },
      &out);
  return out;
}

// Read in part, each field says what it says in the whole record, whatever else is asked for.
inline void expect_parts(const std::vector<const Record*>& records, BlockHead context, std::vector<std::string> names) {
  for (auto& how : context.parsed.contexts) how.charset = "utf-8";
  const auto sealed = build_block(context, records);
  auto whole = read_block(sealed.bytes);
  ASSERT_TRUE(whole) << whole.error().message;
  for (auto* derived :
       {"@timestamp", "event.dataset", "log.source.address", "process.name", "log.syslog.severity.name", "event.id",
        "event.created", "yushi.truncated", "yushi.part", "host.name", "event.category", "no.such.field"})
    names.emplace_back(derived);
  std::mt19937 random(names.size());
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < records.size(); ++i)
    if (random() % 5 == 0) places.push_back(i);
  auto reader = BlockReader::open(sealed.bytes);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->records(), records.size());
  auto some = (*reader)->read_records(places);
  ASSERT_TRUE(some) << some.error().message;
  ASSERT_EQ((*some)->records.size(), places.size());
  for (size_t i = 0; i < places.size(); ++i) expect_equal((*some)->records[i], *records[places[i]]);
  EXPECT_FALSE((*reader)->read_records({static_cast<uint32_t>(records.size())}));
  for (int round = 0; round < 12 && !testing::Test::HasFailure(); ++round) {
    std::shuffle(names.begin(), names.end(), random);
    const std::vector<std::string> asked(names.begin(), names.begin() + std::min<ptrdiff_t>(1 + round % 4, 4));
    std::vector<std::string> wanted;
    for (auto& name : asked) {
      auto behind = fields_behind(name);
      if (behind) wanted.insert(wanted.end(), behind->begin(), behind->end());
    }
    const bool of_some = round % 3 == 0;
    auto rows = (*reader)->read_rows(wanted, true, of_some ? &places : nullptr);
    ASSERT_TRUE(rows) << rows.error().message;
    ASSERT_EQ(rows->row_of.size(), of_some ? places.size() : records.size());
    ASSERT_EQ(rows->event_ns.size(), rows->row_of.size());
    for (size_t i = 0; i < rows->row_of.size(); ++i) {
      ASSERT_LT(rows->row_of[i], rows->batch->records.size());
      auto &got = rows->batch->records[rows->row_of[i]], &want = whole->batch->records[of_some ? places[i] : i];
      ASSERT_EQ(rows->event_ns[i], want.event_ns);
      for (auto& name : asked) {
        if (!fields_behind(name)) continue;
        ASSERT_EQ(said_of(got, name), said_of(want, name)) << name << " of " << want.raw;
      }
    }
    auto timeless = (*reader)->read_rows(wanted, false, of_some ? &places : nullptr);
    ASSERT_TRUE(timeless) << timeless.error().message;
    EXPECT_EQ(timeless->row_of, rows->row_of);
  }
}

inline SealedBlock expect_round_trip(const std::vector<const Record*>& records, const BlockHead& context = kContext) {
  auto sealed = build_block(context, records);
  expect_words(sealed, records);
  EXPECT_EQ(sealed.summary.records, records.size());
  auto read = read_block(sealed.bytes);
  EXPECT_TRUE(read) << read.error().message;
  if (!read) return sealed;
  EXPECT_EQ(read->context.log, kContext.log);
  EXPECT_EQ(read->context.node, kContext.node);
  EXPECT_EQ(read->context.parsed.contexts, context.parsed.contexts);
  EXPECT_EQ(read->context.parsed.changes, context.parsed.changes);
  EXPECT_EQ(read->batch->records.size(), records.size());
  if (read->batch->records.size() != records.size()) return sealed;
  for (size_t i = 0; i < records.size() && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    expect_equal(read->batch->records[i], *records[i]);
  }
  std::set<std::string> names, said;
  auto reader = BlockReader::open(sealed.bytes);
  EXPECT_TRUE(reader) << reader.error().message;
  if (reader)
    for (auto& name : (*reader)->field_names()) names.insert(name);
  for (auto record : records) {
    for (auto& capture : record->captures) said.emplace(capture.field->name);
    if (record->kind)
      for (auto& constant : record->kind->constants) said.emplace(constant.field->name);
  }
  EXPECT_EQ(names, said);
  expect_parts(records, context, {said.begin(), said.end()});
  for (auto record : records) {
    bool inside = false;
    for (auto& range : sealed.summary.event_times)
      inside |= record->event_ns >= range.from_ns && record->event_ns <= range.to_ns;
    EXPECT_TRUE(inside);
  }
  return sealed;
}

}  // namespace yushi::storage
