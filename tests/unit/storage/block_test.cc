#include "storage/block/block.h"
#include "storage/block/day_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <unordered_set>

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/filter/filter.h"
#include "core/filter/record_tokens.h"
#include "core/filter/token_filter.h"
#include "core/record/value.h"
#include "parsers/understand.h"
#include "storage/block/sections.h"
#include "storage/block/shape.h"
#include "tests/unit/data_sets.h"

namespace yushi::storage {
namespace {

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

const BlockHead kContext{"finance", "log-01", {{{std::string(64, 'a'), "Asia/Shanghai", "gb18030", 7}}, {}}};

void expect_equal_field(const Field& got, const Field& want) {
  EXPECT_EQ(got.name, want.name);
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.id, want.id);
  EXPECT_EQ(got.list, want.list);
}

// Everything but digest and tenant comes back.
void expect_equal(const Record& got, const Record& want) {
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

void expect_words(const SealedBlock& sealed, const std::vector<const Record*>& records) {
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

std::string said_of(const Record& record, const std::string& name) {
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
void expect_parts(const std::vector<const Record*>& records, BlockHead context, std::vector<std::string> names) {
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

SealedBlock expect_round_trip(const std::vector<const Record*>& records, const BlockHead& context = kContext) {
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

TEST(Block, AnEmptyBlockComesBack) { expect_round_trip({}); }

TEST(Block, OneRecordComesBack) {
  Records records;
  records.add("");
  expect_round_trip(records.pointers());
  records.add_line("session opened for user=root ip=10.0.0.1", 1);
  expect_round_trip(records.pointers());
}

TEST(Block, ALineWithCapturesInItsHeaderAndMessageComesBack) {
  Records records;
  for (size_t i = 0; i < 3000; ++i)
    records.add_line("login user=u" + std::to_string(i % 17) + " ip=10.1." + std::to_string(i % 7) + "." +
                         std::to_string(i % 255) + " took " + std::to_string(i * i) + " ms, id " +
                         std::to_string(i * 0x9e3779b97f4a7c15ull) + (i % 11 ? "" : "\r"),
                     i);
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LT(sealed.bytes.size(), sealed.summary.raw_bytes / 6);
}

TEST(Block, EveryTypeOfValueComesBackWithItsOddNeighbours) {
  Records records;
  std::vector<std::string> values = {"",
                                     "0",
                                     "00",
                                     "007",
                                     "7",
                                     "4294967296",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "9999999999999999999",
                                     "10.0.0.1",
                                     "010.0.0.1",
                                     "256.1.1.1",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "0.0.0.0",
                                     "255.255.255.255",
                                     "fe80::1",
                                     "deadbeef",
                                     "deadbee",
                                     "DEADBEEF",
                                     "12345678",
                                     "00000000000000000000",
                                     "0123456789abcdef0123456789abcdef",
                                     "123e4567-e89b-12d3-a456-426614174000",
                                     "123E4567-e89b-12d3-a456-426614174000",
                                     "123e4567-e89b-12d3-a456-42661417400",
                                     "-1",
                                     "+1",
                                     "1e9",
                                     "0x1f",
                                     "a",
                                     "\n",
                                     "x\ny",
                                     std::string("\0", 1),
                                     std::string("a\0b", 3),
                                     "\xff\xfe",
                                     "用户",
                                     "-",
                                     " ",
                                     "="};
  for (size_t n = 0; n < 3; ++n) {
    // Each alone many times over, then all of them mixed.
    for (auto& value : values) {
      for (size_t k = 0; k < (n == 1 ? 100 : 1); ++k) {
        auto raw = "v <" + value + "> end";
        records.add(raw, {Records::cut(3, value.size(), records.dynamic(n == 1 ? "same-" + value : "mixed"))});
      }
    }
  }
  std::mt19937_64 random(1);
  for (size_t k = 0; k < 5000; ++k) {
    auto& value = values[random() % values.size()];
    records.add("w " + value, {Records::cut(2, value.size(), ecs::source_ip)});
    auto number = std::to_string(random() >> random() % 64);
    records.add("n " + number, {Records::cut(2, number.size(), ecs::process_pid)});
  }
  expect_round_trip(records.pointers());
}

TEST(Block, AnyBytesWithAnyCapturesComeBack) {
  std::mt19937_64 random(2);
  const Field* fields[] = {ecs::source_ip, ecs::host_name, ecs::timestamp, ecs::syslog_priority, ecs::process_name};
  for (int round = 0; round < 30; ++round) {
    Records records;
    size_t alphabet = 1 + random() % 256;
    for (int i = 0; i < 300; ++i) {
      std::string raw(random() % 60, ' ');
      for (auto& c : raw) c = static_cast<char>(random() % alphabet + (alphabet < 200 ? '-' : 0));
      std::vector<Capture> captures;
      for (size_t at = 0; at <= raw.size();) {
        at += random() % 12;
        if (at > raw.size()) break;
        auto length = random() % (raw.size() - at + 1);
        if (random() % 2) length = std::min<size_t>(length, 3);
        auto field = random() % 4 ? fields[random() % 5] : records.dynamic("f" + std::to_string(random() % 3));
        captures.push_back(Records::cut(at, length, field, static_cast<Escape>(random() % 4)));
        at += length;
        if (captures.size() > 20) break;
      }
      auto& record = records.add(raw, captures);
      record.event_ns = static_cast<int64_t>(random()) >> (random() % 64);
      record.event_digits = static_cast<uint8_t>(random() % 10);
      record.time_inferred = static_cast<uint8_t>(random() % 8);
      record.marks = static_cast<uint8_t>(random() % 8);
      record.priority = random() % 2 ? Record::kNoPriority : static_cast<uint16_t>(random() % 192);
      record.message_begin = static_cast<uint32_t>(random() % (raw.size() + 1));
      record.message_length = static_cast<uint32_t>(random() % (raw.size() - record.message_begin + 1));
      if (random() % 9 == 0) record.part = 2, record.part_of = 3;
      if (random() % 9 == 0) record.source_seq = random();
      if (random() % 3 == 0) record.kind = records.kind();
    }
    expect_round_trip(records.pointers());
    if (HasFailure()) return;
  }
}

TEST(Block, WordsAreFoundWhereverTheyStand) {
  Records records;
  // A value inside a word, at its begin and end, two values side by side, empty ones, CJK on both sides.
  for (std::string_view raw : {"prefixVALUEsuffix", "用户root登录", "ab", "x1y2z3", "a-1b=c2", "éàü", "日本語 log"})
    for (size_t begin = 0; begin <= raw.size(); ++begin)
      for (size_t end = begin; end <= raw.size(); ++end)
        records.add(raw, {Records::cut(begin, end - begin, ecs::user_name), Records::cut(end, 0, ecs::host_name),
                          Records::cut(end, (raw.size() - end) / 2, ecs::process_pid)});
  expect_round_trip(records.pointers());
}

TEST(Block, EscapedValuesAreFoundByWhatTheyMean) {
  Records records;
  std::string raw = R"({"a":"caf\u00e9 b\nc"} [x y="q\"r"] 2F62696E2F6C73)";
  auto cut = [&](std::string_view text, std::string_view name, Escape escape) {
    return Records::cut(raw.find(text), text.size(), records.dynamic(name), escape);
  };
  const std::string more = R"(TCP x\=wall a""b l&#105; end)";
  auto cut_more = [&](std::string_view text, std::string_view name, Escape escape) {
    return Records::cut(more.find(text), text.size(), records.dynamic(name), escape);
  };
  records.add(raw, {cut(R"(caf\u00e9 b\nc)", "a", Escape::json), cut(R"(q\"r)", "y", Escape::structured_data),
                    cut("2F62696E2F6C73", "cmd", Escape::hex)});
  // Twice each, so that they are slots of a shape too.
  for (int i = 0; i < 3; ++i)
    records.add(more, {cut_more("TCP", "l", Escape::lower), cut_more(R"(x\=wall)", "b", Escape::backslash),
                       cut_more(R"(a""b)", "q", Escape::quotes), cut_more("l&#105;", "x", Escape::xml)});
  auto sealed = expect_round_trip(records.pointers());
  TokenFilter filter(sealed.summary.token_filter);
  EXPECT_TRUE(filter.may_contain(token_hash("café")));
  EXPECT_TRUE(filter.may_contain(token_hash("bin")));
  EXPECT_TRUE(filter.may_contain(token_hash("li")));
}

TEST(Block, MessagesThatShareNothingDoNotBlowIt) {
  Records records;
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    std::string raw;
    for (int w = 0; w < 12; ++w) {
      for (int c = 0; c < 5; ++c) raw.push_back(static_cast<char>('a' + random() % 26));
      raw.push_back(' ');
    }
    // Half of them with captures in places of their own.
    std::vector<Capture> captures;
    if (i % 2)
      for (int c = 0; c < 4; ++c)
        captures.push_back(Records::cut(c * 15 + random() % 8, random() % 7, records.dynamic(raw.substr(c, 3))));
    records.add(raw, captures);
  }
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LT(sealed.bytes.size(), sealed.summary.raw_bytes * 1.3);
}

TEST(Block, AFlippedByteIsSeen) {
  Records records;
  for (size_t i = 0; i < 50; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto sealed = expect_round_trip(records.pointers());
  for (size_t i = 0; i < sealed.bytes.size(); ++i) {
    auto bytes = sealed.bytes;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
    EXPECT_FALSE(read_block(bytes)) << i;
  }
  for (size_t i = 0; i < sealed.bytes.size(); ++i) {
    EXPECT_FALSE(read_block(std::string_view(sealed.bytes).substr(0, i)));
    EXPECT_FALSE(BlockReader::open(sealed.bytes.substr(0, i)));
  }
}

// Two versions of the parsers, changing sides a few times; also in the midst of what one read gave.
BlockHead two_contexts() {
  BlockHead context = kContext;
  auto first = context.parsed.contexts[0];
  auto second = ParseContext{std::string(64, 'b'), "UTC", "utf-8", 8};
  context.parsed = {};
  context.parsed.add(0, first);
  context.parsed.add(10, first);
  context.parsed.add(12, second);
  context.parsed.add(13, first);
  context.parsed.add(40, second);
  return context;
}

TEST(Block, RecordsOfTwoVersionsOfTheParsersComeBackEachWithItsOwn) {
  auto context = two_contexts();
  ASSERT_EQ(context.parsed.changes, (std::vector<ContextChange>{{12, 1}, {13, 0}, {40, 1}}));
  Records records;
  for (size_t i = 0; i < 100; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1 \xd5\xe2", i);
  auto charset = [](size_t i) { return i == 12 || i >= 40 ? Charset::utf8 : Charset::gb18030; };
  for (size_t i = 0; i < 100; ++i) records.records()[i].charset = charset(i);
  MessageKind same = *records.kind(), other = *records.kind();
  other.constants.pop_back();
  for (size_t i = 40; i < 100; ++i) records.records()[i].kind = i % 2 ? &same : &other;
  auto sealed = expect_round_trip(records.pointers(), context);
  auto read = read_block(sealed.bytes);
  ASSERT_TRUE(read);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(read->batch->records[i].charset, charset(i)) << i;
}

TEST(Block, AVersionThatChangesNothingCostsAboutItsName) {
  Records records;
  for (size_t i = 0; i < 1000; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto one = build_block(kContext, records.pointers());
  MessageKind same = *records.kind();
  for (size_t i = 40; i < 1000; ++i)
    if (records.records()[i].kind) records.records()[i].kind = &same;
  auto two = expect_round_trip(records.pointers(), two_contexts());
  EXPECT_LT(two.bytes.size(), one.bytes.size() + 100);
  EXPECT_EQ(two.summary.encode(), one.summary.encode());
}

// The block with another text in place of the part of its structure that says how its messages were understood.
std::string with_contexts(const SealedBlock& sealed, const std::string& before, const std::string& after) {
  auto sections = SectionReader::open(sealed.bytes);
  EXPECT_TRUE(sections);
  SectionWriter writer(1);
  while (sections->streams_left() > 0) {
    std::string stream(sections->next());
    if (sections->streams_left() == 0) {
      auto at = stream.find(before);
      EXPECT_NE(at, stream.npos);
      stream.replace(at, before.size(), after);
    }
    writer.add(StreamKind::structure, stream);
  }
  return writer.finish(sections->counts());
}

TEST(Block, VersionsThatCannotBeAreDamage) {
  struct Said {
    std::vector<uint64_t> engines;
    std::vector<std::pair<uint64_t, uint64_t>> changes;
    uint64_t contexts = 0;  // how many there are said to be; 0: as many as there are engines
    uint64_t changes_more = 0;
    bool none = false;
  };
  auto bytes = [](const Said& said) {
    std::string out;
    put_text(out, kContext.log);
    put_text(out, kContext.node);
    put_varint(out, said.none ? 0 : said.contexts ? said.contexts : said.engines.size());
    for (auto engine : said.engines) {
      put_text(out, kContext.parsed.contexts[0].parser_digest);
      put_text(out, kContext.parsed.contexts[0].timezone);
      put_text(out, kContext.parsed.contexts[0].charset);
      put_varint(out, engine);
    }
    put_varint(out, said.changes.size() + said.changes_more);
    for (auto& [distance, context] : said.changes) {
      put_varint(out, distance);
      put_varint(out, context);
    }
    return out;
  };
  Records records;
  for (size_t i = 0; i < 50; ++i) records.add_line("user=u" + std::to_string(i) + " ip=10.0.0.1", i);
  auto sealed = build_block(kContext, records.pointers());
  auto read = [&](const Said& said) { return read_block(with_contexts(sealed, bytes({{7}, {}}), bytes(said))); };

  auto good = read({{7, 8}, {{49, 1}}});
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->context.parsed.changes, (std::vector<ContextChange>{{49, 1}}));
  std::vector<uint64_t> most(kParseContextsMax, 7);
  EXPECT_TRUE(read({most, {}}));

  EXPECT_FALSE(read({{}, {}, 0, 0, true})) << "no context";
  EXPECT_FALSE(read({{7}, {}, kParseContextsMax + 1})) << "more contexts than a block may have";
  EXPECT_FALSE(read({{7}, {}, UINT64_MAX}));
  most.push_back(7);
  EXPECT_FALSE(read({most, {}}));
  EXPECT_FALSE(read({{uint64_t{1} << 32}, {}})) << "an engine of more than 32 bits";
  EXPECT_FALSE(read({{7, 8}, {{0, 1}}})) << "a change at the first record";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {0, 0}}})) << "two changes at one record";
  EXPECT_FALSE(read({{7, 8}, {{10, 0}}})) << "a change to what it is";
  EXPECT_FALSE(read({{7, 8}, {{10, 2}}})) << "a change to a context that is not there";
  EXPECT_FALSE(read({{7, 8}, {{50, 1}}})) << "a change behind the last record";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {40, 0}}}));
  EXPECT_FALSE(read({{7, 8}, {{UINT64_MAX, 1}}}));
  EXPECT_FALSE(read({{7, 8}, {{10, 1}, {UINT64_MAX - 5, 0}}}));
  EXPECT_FALSE(read({{7, 8}, {{10, 1}}, 0, 60})) << "more changes than records";
  EXPECT_FALSE(read({{7, 8}, {{10, 1}}, 0, UINT64_MAX - 1}));
}

// An empty capture where the message begins is of the header, which the kind's constants take the place of; behind any
// text it is the message's, which takes theirs.
TEST(Block, AnEmptyCaptureBeforeAllElseInTheMessageSaysTheSameInAPart) {
  Records records;
  auto* field = find_field("event.outcome");
  MessageKind kind = *records.kind();
  kind.constants = {{field, "success"}};
  for (size_t gap : {0, 1, 3}) {
    for (auto* value : {"", "failure"}) {
      for (int i = 0; i < 40; ++i) {
        const std::string raw = "head " + std::string(gap, '.') + value + ", no " + std::to_string(i);
        auto& record = records.add(raw, {Records::cut(5 + gap, std::string_view(value).size(), field)});
        record.message_begin = 5;
        record.message_length -= 5;
        record.kind = &kind;
      }
    }
    // The capture before it is empty too, and nothing stands around them.
    for (int i = 0; i < 40; ++i) {
      const std::string raw = "head " + std::string(i % 3, 'u') + " no " + std::to_string(i);
      const auto length = static_cast<size_t>(i % 3);
      auto& record = records.add(raw, {Records::cut(5, length, ecs::user_name), Records::cut(5 + length, 0, field)});
      record.message_begin = 5;
      record.message_length -= 5;
      record.kind = &kind;
    }
  }
  expect_round_trip(records.pointers());
}

TEST(Block, RecordsThatAreAlikeInWhatIsAskedAreOneRow) {
  Records records;
  for (size_t i = 0; i < 3000; ++i)
    records.add_line("login user=u" + std::to_string(i % 17) + " ip=10.1.0." + std::to_string(i % 5) + " id " +
                         std::to_string(i * 0x9e3779b97f4a7c15ull),
                     i);
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  const auto rows = [&](const std::vector<std::string>& names) {
    return (*reader)->read_rows(names, false)->batch->records.size();
  };
  const auto shapes = rows({});
  EXPECT_LE(shapes, 20u);
  EXPECT_LE(rows({"user"}), 17 * shapes);
  EXPECT_EQ(rows({"event.id"}), 3000u);
}

std::vector<std::string> texts_of(const Record& record, const std::string& name) {
  std::vector<std::string> out;
  Scratch scratch;
  visit_field(
      record, find_field(name), name, scratch,
      [](void* to, const Value& value) { static_cast<std::vector<std::string>*>(to)->emplace_back(value.text); }, &out);
  return out;
}

// Where nearly all differ they are not numbered any further, and say the same.
TEST(Block, RecordsThatAllDifferInManyFieldsAreRowsOfTheirOwn) {
  Records records;
  std::vector<std::string> names;
  for (int k = 0; k < 20; ++k) names.push_back("k" + std::string(1, static_cast<char>('a' + k)));
  std::mt19937_64 random(5);
  for (size_t i = 0; i < 1000; ++i) {
    std::string line;
    for (auto& name : names) line += name + "=v" + std::to_string(random() % 20) + " ";
    records.add_line(line, i);
  }
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  auto rows = (*reader)->read_rows(names, false);
  ASSERT_TRUE(rows);
  for (auto& name : names)
    for (size_t i = 0; i < 1000; ++i)
      ASSERT_EQ(texts_of(rows->batch->records[rows->row_of[i]], name), texts_of(records.records()[i], name)) << name;
}

// A search for so many words that looking for each in the forms of texts would take longer than looking at the records.
TEST(Block, WhoLooksForVeryManyLiteralsIsSentToTheRecords) {
  Records records;
  for (size_t i = 0; i < 2000; ++i) records.add_line("login of u" + std::to_string(i * 0x9e3779b97f4a7c15ull), i);
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  auto reader = BlockReader::open(build_block(context, records.pointers()).bytes);
  ASSERT_TRUE(reader);
  const auto places = [&](size_t literals) {
    return (*reader)
        ->find_places([&](auto& form) {
          for (size_t i = 0; i < literals; ++i)
            if (form.has_literal("nobody" + std::to_string(i), true, false)) return true;
          return false;
        })
        ->size();
  };
  EXPECT_EQ(places(20), 0u);
  EXPECT_EQ(places(100'000), 2000u);
}

// A column that is not there is damage before any room is made for what is known of it.
TEST(Block, AShapeThatNamesAColumnBeyondAllIsDamageInAPartToo) {
  Records records;
  auto* field = records.dynamic("taken");
  for (int i = 0; i < 50; ++i) records.add("a" + std::to_string(i), {Records::cut(1, i < 10 ? 1 : 2, field)});
  BlockHead context = kContext;
  context.parsed.contexts[0].charset = "utf-8";
  const auto sealed = build_block(context, records.pointers());
  ASSERT_TRUE((*BlockReader::open(sealed.bytes))->read_rows({"taken"}, true));
  for (uint64_t column : {uint64_t{UINT32_MAX}, uint64_t{UINT32_MAX} - 1, uint64_t{1} << 20}) {
    // Its only shape: `a`, then a capture of its only field.
    std::string numbers(5, '\0');
    for (uint64_t number : {0, 0, 0, 0, 0, 1}) put_varint(numbers, number);
    numbers += static_cast<char>(static_cast<int>(SlotKind::capture) << 2);
    for (uint64_t number : {uint64_t{1}, uint64_t{0}, column, uint64_t{0}}) put_varint(numbers, number);
    auto sections = SectionReader::open(sealed.bytes);
    ASSERT_TRUE(sections);
    SectionWriter writer(1);
    writer.add(StreamKind::structure, numbers);
    for (sections->skip(1); sections->streams_left() > 0;) writer.add(StreamKind::structure, sections->next());
    const auto bytes = writer.finish(sections->counts());
    EXPECT_FALSE(read_block(bytes)) << column;
    auto reader = BlockReader::open(bytes);
    EXPECT_FALSE(reader && (*reader)->read_rows({"taken"}, true)) << column;
  }
}

TEST(Block, AnUnknownVersionIsRefusedByName) {
  auto sealed = build_block(kContext, {});
  sealed.bytes[11] = 1;
  auto read = read_block(sealed.bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::refused);
}

TEST(Block, TheSummarySurvivesItsBytes) {
  Records records;
  for (size_t i = 0; i < 100; ++i) records.add_line("x", i);
  for (size_t i = 0; i < 100; ++i)
    records.records()[i].event_ns = i < 10   ? 0
                                    : i < 20 ? INT64_MAX - static_cast<int64_t>(i)
                                             : INT64_MIN + static_cast<int64_t>(i);
  auto sealed = expect_round_trip(records.pointers());
  EXPECT_LE(sealed.summary.event_times.size(), 8u);
  auto read = BlockSummary::decode(sealed.summary.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->token_filter, "");
  ASSERT_TRUE(read->decode_words(sealed.summary.encode_words()));
  EXPECT_EQ(read->records, 100u);
  EXPECT_EQ(read->sources, sealed.summary.sources);
  EXPECT_EQ(read->token_filter, sealed.summary.token_filter);
  EXPECT_EQ(read->received_to_ns, sealed.summary.received_to_ns);
  ASSERT_EQ(read->event_times.size(), sealed.summary.event_times.size());
  for (size_t i = 0; i < read->event_times.size(); ++i) {
    EXPECT_EQ(read->event_times[i].from_ns, sealed.summary.event_times[i].from_ns);
    EXPECT_EQ(read->event_times[i].to_ns, sealed.summary.event_times[i].to_ns);
  }
  DayHead day;
  day.add(sealed.summary);
  EXPECT_EQ(DayHead::decode(day.encode()).value(), day);
  const auto flipped = [](std::string bytes, size_t i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    return bytes;
  };
  for (size_t i = 0; i < sealed.summary.encode().size(); ++i)
    EXPECT_FALSE(BlockSummary::decode(flipped(sealed.summary.encode(), i))) << i;
  for (size_t i = 0; i < sealed.summary.encode_words().size(); ++i)
    EXPECT_FALSE(token_filter_of(flipped(sealed.summary.encode_words(), i))) << i;
  for (size_t i = 0; i < day.encode().size(); ++i) EXPECT_FALSE(DayHead::decode(flipped(day.encode(), i))) << i;
}

TEST(Block, TheHeadOfADayHoldsTheTimesOfItsBlocks) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    DayHead day;
    std::vector<BlockSummary> blocks;
    for (uint64_t i = 0; i < 40; ++i) {
      BlockSummary block;
      block.first_index = i * 10;
      block.records = 10;
      auto at = static_cast<int64_t>(random() % 1'000'000);
      for (auto ranges = 1 + random() % 8; ranges > 0; --ranges) {
        auto to = at + static_cast<int64_t>(random() % 1000);
        block.event_times.push_back({at, to});
        at = to + 1 + static_cast<int64_t>(random() % 100'000);
      }
      day.add(block);
      blocks.push_back(block);
      ASSERT_LE(day.event_times.size(), 8u);
      for (size_t k = 1; k < day.event_times.size(); ++k)
        ASSERT_LT(day.event_times[k - 1].to_ns, day.event_times[k].from_ns);
      for (auto& one : blocks)
        for (auto& range : one.event_times)
          ASSERT_TRUE(std::any_of(day.event_times.begin(), day.event_times.end(), [&](auto& held) {
            return held.from_ns <= range.from_ns && range.to_ns <= held.to_ns;
          }));
    }
    EXPECT_EQ(day.blocks, 40u);
    EXPECT_EQ(day.records, 400u);
    EXPECT_EQ(day.end, 400u);
    BlockSummary unknown;  // of no known time
    day.add(unknown);
    EXPECT_TRUE(overlaps(day.event_times, 5'000'000, 5'000'000));
  }
}

TEST(Block, TheSameRecordsGiveTheSameBytes) {
  Records records;
  for (size_t i = 0; i < 1000; ++i) records.add_line("user=u" + std::to_string(i % 50), i);
  auto a = build_block(kContext, records.pointers()), b = build_block(kContext, records.pointers());
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.summary.encode(), b.summary.encode());
}

// `count` lines, from the first one again where there are fewer.
void expect_lines_back(const std::vector<std::string>& lines, size_t count) {
  auto files = parsers::read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  auto set = parsers::ParserSet::load(*files);
  ASSERT_TRUE(set) << set.error().message;
  ASSERT_FALSE(lines.empty());
  parsers::Understander understander(*set);
  for (size_t done = 0; done < count && !testing::Test::HasFailure();) {
    Records records;
    std::vector<size_t> understood;
    size_t bytes = 0;
    while (done < count && records.records().size() < kBlockRecordsMax && bytes < 16 << 20) {
      auto& line = lines[done++ % lines.size()];
      // In turn behind a header of ours with our cut, behind it and understood, and as the data set has it.
      auto how = done / lines.size() % 3;
      if (how == 2)
        records.add(line);
      else
        records.add_line(line, done);
      if (how > 0) understood.push_back(records.records().size() - 1);
      bytes += line.size() + 60;
    }
    records.understand(understander, understood);
    auto sealed = expect_round_trip(records.pointers());
    std::printf("%zu records, raw %zu, block %zu, filter %zu\n", records.records().size(),
                static_cast<size_t>(sealed.summary.raw_bytes), sealed.bytes.size(), sealed.summary.token_filter.size());
  }
}

TEST(Block, LinesOfOurSampleComeBackAsParsersUnderstandThem) {
  const auto lines = test::own_lines();
  expect_lines_back(lines, 6 * lines.size());
}

TEST(Block, AHundredThousandLinesOfThePublishedDataSetsComeBackAsParsersUnderstandThem) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::recursive_directory_iterator(test::published_data())) {
    auto extension = entry.path().extension();
    if (entry.is_regular_file() &&
        (extension == ".log" || extension == ".18" || extension.string().starts_with(".2015")))
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> lines;
  for (auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  }
  expect_lines_back(lines, 100'000 / test::kOneOf);
}

}  // namespace
}  // namespace yushi::storage
