// The framer against tests/cases/framing and the framings of the data sets: whole, byte by byte, and at random cuts.
#include "ingest/syslog/framer.h"
#include "tests/unit/data_sets.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace yushi::ingest {
namespace {

using nlohmann::json;

struct Message {
  std::string raw;
  int part = 0, part_of = 0;
  bool truncated = false;
  bool operator==(const Message&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Message& m) {
  return out << '"' << m.raw.substr(0, 80) << "\" (" << m.raw.size() << " bytes) part " << m.part << '/' << m.part_of
             << (m.truncated ? " truncated" : "");
}

struct Framed {
  std::vector<Message> messages;
  FrameCounts counts;
};

// Plays the connection: what the framer left is given again, and memory around the bytes is not ours (for ASan).
template <class NextCut>
Framed frame(Framing framing, size_t limit, std::string_view input, NextCut&& next_cut,
             size_t release_over = SIZE_MAX) {
  Framed framed;
  Framer framer(framing, limit);
  Origin origin;
  std::string rest;
  std::vector<Record> records;
  auto take = [&] {
    for (const Record& record : records) {
      EXPECT_EQ(record.origin, &origin);
      framed.messages.push_back(
          {std::string(record.raw), record.part, record.part_of, (record.marks & kTruncated) != 0});
    }
    records.clear();
  };
  while (!input.empty()) {
    const size_t n = std::min<size_t>(next_cut(), input.size());
    rest.append(input.substr(0, n));
    input.remove_prefix(n);
    auto exact = std::make_unique<char[]>(rest.size());
    std::memcpy(exact.get(), rest.data(), rest.size());
    std::string_view bytes(exact.get(), rest.size());
    size_t done = framer.feed(bytes, &origin, records, framed.counts);
    EXPECT_LE(done, rest.size());
    EXPECT_LE(rest.size() - done, Framer::kPartsHeld * limit + 1);
    if (rest.size() - done > release_over) done += framer.release(bytes.substr(done), &origin, records, framed.counts);
    take();
    rest.erase(0, done);
  }
  framer.finish(rest, &origin, records, framed.counts);
  take();
  EXPECT_EQ(framed.counts.messages, framed.messages.size());
  return framed;
}

void expect_same_counts(const FrameCounts& a, const FrameCounts& b) {
  EXPECT_EQ(a.empty_lines, b.empty_lines);
  EXPECT_EQ(a.resyncs, b.resyncs);
  EXPECT_EQ(a.over_long, b.over_long);
  EXPECT_EQ(a.truncated, b.truncated);
}

Framed frame_all_ways(Framing framing, size_t limit, std::string_view input) {
  const Framed whole = frame(framing, limit, input, [] { return SIZE_MAX; });
  auto check = [&](const Framed& other) {
    EXPECT_EQ(whole.messages, other.messages);
    expect_same_counts(whole.counts, other.counts);
  };
  check(frame(framing, limit, input, [] { return size_t{1}; }));
  std::mt19937 random(7);
  for (int i = 0; i < 20; ++i) {
    check(frame(framing, limit, input, [&] { return size_t{1} + random() % (i < 10 ? 9 : 700); }));
  }
  return whole;
}

Framing framing_of(const std::string& name) {
  if (name == "octet-counted" || name == "octetcounting") return Framing::octet_counted;
  if (name == "newline" || name == "nontransparent") return Framing::newline;
  return Framing::automatic;
}

// Case files hold bytes as the code points 0 to 255.
std::string bytes_of(const json& value) {
  std::string out;
  if (value.is_array()) {
    for (const json& piece : value) {
      if (piece.is_string()) {
        out += bytes_of(piece);
      } else {
        for (int i = 0; i < piece[1].get<int>(); ++i) out += bytes_of(piece[0]);
      }
    }
    return out;
  }
  const std::string utf8 = value.get<std::string>();
  for (size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<unsigned char>(utf8[i]);
    if (c >= 0x80) c = static_cast<unsigned char>((c & 0x3) << 6 | (utf8[++i] & 0x3f));
    out += static_cast<char>(c);
  }
  return out;
}

std::vector<json> read_lines(const std::string& path) {
  std::vector<json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(json::parse(line));
  return lines;
}

std::vector<Message> messages_of(const json& list) {
  std::vector<Message> expected;
  for (const json& m : list) {
    Message message;
    message.raw = bytes_of(m.is_object() ? m["raw"] : m);
    if (m.is_object()) {
      message.truncated = m.value("truncated", false);
      if (m.contains("part")) message.part = m["part"][0], message.part_of = m["part"][1];
    }
    const int times = m.is_object() ? m.value("times", 1) : 1;
    for (int i = 0; i < times; ++i, ++message.part) expected.push_back(message);
  }
  return expected;
}

const std::string kCases = std::string(YUSHI_SOURCE_DIR) + "/tests/cases/framing/";

TEST(FramerTest, gives_the_messages_of_our_cases_however_the_input_is_cut) {
  const auto cases = read_lines(kCases + "framing.jsonl");
  ASSERT_GT(cases.size(), 40u);
  for (const json& c : cases) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto expected = messages_of(c["messages"]);
    const Framed got =
        frame_all_ways(framing_of(c.value("framing", "auto")), c.value("limit", 65536), bytes_of(c["input"]));
    EXPECT_EQ(got.messages, expected);
    EXPECT_EQ(got.counts.empty_lines, c.value("empty_lines", 0u));
    EXPECT_EQ(got.counts.resyncs, c.value("resyncs", 0u));
    EXPECT_EQ(got.counts.over_long, c.value("over_long", 0u));
    EXPECT_EQ(got.counts.truncated,
              std::count_if(expected.begin(), expected.end(), [](auto& m) { return m.truncated; }));
  }
}

// Between two pieces nothing comes for a while; `after` says how many messages there are then.
TEST(FramerTest, a_pause_gives_what_waits_for_the_next_byte_only) {
  const auto cases = read_lines(kCases + "pauses.jsonl");
  ASSERT_GT(cases.size(), 10u);
  for (const json& c : cases) {
    SCOPED_TRACE(c["name"].get<std::string>());
    Framer framer(Framing::automatic, c.value("limit", size_t{65536}));
    Origin origin;
    FrameCounts counts;
    std::vector<Record> records;
    std::vector<std::string> buffers;  // each piece with what was left before it; the messages view into them
    buffers.reserve(c["pieces"].size());
    std::string rest;
    for (size_t i = 0; i < c["pieces"].size(); ++i) {
      const std::string& bytes = buffers.emplace_back(rest + bytes_of(c["pieces"][i]));
      std::string_view left(bytes);
      left.remove_prefix(framer.feed(left, &origin, records, counts));
      if (framer.waits(left)) left.remove_prefix(framer.idle(left, &origin, records, counts));
      EXPECT_EQ(records.size(), c["after"][i].get<size_t>());
      rest = left;
    }
    framer.finish(rest, &origin, records, counts);
    std::vector<Message> got;
    for (auto& record : records)
      got.push_back({std::string(record.raw), record.part, record.part_of, (record.marks & kTruncated) != 0});
    EXPECT_EQ(got, messages_of(c["messages"]));
    EXPECT_EQ(counts.empty_lines, c.value("empty_lines", 0u));
    EXPECT_EQ(counts.over_long, c.value("over_long", 0u));
  }
}

TEST(FramerTest, a_line_without_end_never_begins_anew_as_part_1) {
  Framer framer(Framing::newline, 256);
  Origin origin;
  FrameCounts counts;
  std::vector<Record> records;
  std::string rest;
  for (size_t fed = 0; fed < 66'000 * 256; fed += 1 << 20) {
    rest.append(1 << 20, 'x');
    records.clear();
    rest.erase(0, framer.feed(rest, &origin, records, counts));
    for (auto& record : records) ASSERT_TRUE(record.part > 1 || fed == 0);
  }
  records.clear();
  framer.finish(rest, &origin, records, counts);
  EXPECT_EQ(records.back().part, 65535);
  EXPECT_EQ(records.back().part_of, 65535);
  EXPECT_EQ(counts.over_long, 1u);
}

void expect_framings(const std::filesystem::path& data) {
  const auto cases = read_lines(data / "syslog_cases/framings.jsonl");
  ASSERT_FALSE(cases.empty()) << data;
  std::set<std::string> differences;
  for (const json& d : read_lines(kCases + "differences.jsonl"))
    differences.insert(d["src"].get<std::string>() + " " + d["descr"].get<std::string>());
  for (const json& c : cases) {
    const std::string name = c["src"].get<std::string>() + " " + c.value("descr", "");
    for (const std::string& trailer : {std::string("\n"), std::string(1, '\0')}) {
      SCOPED_TRACE(name + (trailer[0] ? " LF" : " NUL"));
      std::string input = c["input_text"].get<std::string>();
      for (size_t at; (at = input.find("%[1]s")) != std::string::npos;) input.replace(at, 5, trailer);
      const Framed got = frame_all_ways(framing_of(c["framing"]), 65536, input);
      std::vector<Message> lines;
      if (c.contains("results")) {
        bool agrees = got.messages.size() == c["results"].size();
        for (size_t i = 0; agrees && i < got.messages.size(); ++i) {
          const json& m = c["results"][i]["message"];
          if (m.is_null()) continue;
          const std::string begin =
              "<" + std::to_string(m["priority"].get<int>()) + ">" + std::to_string(m["version"].get<int>()) + " ";
          agrees = got.messages[i].raw.starts_with(begin);
        }
        EXPECT_EQ(agrees, !differences.contains(name)) << testing::PrintToString(got.messages);
      } else {
        // rsyslog's streams: what they are joined to depends on its settings; we give the lines, all of them.
        std::istringstream stream(input);
        for (std::string line; std::getline(stream, line);)
          if (!line.empty()) lines.push_back({line, 0, 0, stream.eof()});
        EXPECT_EQ(got.messages, lines);
      }
    }
  }
}

TEST(FramerTest, gives_the_messages_of_our_own_framings) { expect_framings(test::kOwnData); }

TEST(FramerTest, agrees_with_the_published_framings_save_for_the_listed_differences) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  expect_framings(test::published_data());
}

TEST(FramerTest, loses_no_byte_when_unfinished_messages_are_let_go_early) {
  std::string line;
  for (int i = 0; i < 3000; ++i) line += static_cast<char>('a' + i % 26);
  for (const bool counted : {false, true}) {
    const std::string input = counted ? "3000 " + line + "3 end" : line + "\nend\n";
    for (size_t cut : {1, 7, 100, 1024}) {
      const Framed got = frame(
          counted ? Framing::octet_counted : Framing::newline, 256, input, [&] { return cut; }, 100);
      std::string joined;
      for (size_t i = 0; i + 1 < got.messages.size(); ++i) {
        EXPECT_EQ(got.messages[i].part, i + 1);
        EXPECT_LE(got.messages[i].raw.size(), 256u);
        joined += got.messages[i].raw;
      }
      EXPECT_EQ(joined, line);
      EXPECT_EQ(got.messages[got.messages.size() - 2].part_of, got.messages.size() - 1);
      EXPECT_EQ(got.messages.back(), (Message{"end"}));
      EXPECT_EQ(got.counts.over_long, 1u);
    }
  }
}

TEST(FramerTest, random_bytes_give_the_same_messages_however_they_are_cut) {
  std::mt19937 random(42);
  static constexpr std::string_view kPieces[] = {"\n",    "\n",         std::string_view("\0", 1),
                                                 "<13>",  "7 ",         "12 <",
                                                 "300 <", "0",          "99999999 ",
                                                 "x",     "some words", "\r\n",
                                                 " ",     "5000 "};
  for (int round = 0; round < 60; ++round) {
    std::string input;
    for (int i = 0; i < 60; ++i) {
      input += kPieces[random() % std::size(kPieces)];
      if (random() % 12 == 0) input.append(random() % 6000, 'l');
    }
    for (auto framing : {Framing::automatic, Framing::octet_counted, Framing::newline}) {
      const Framed whole = frame(framing, 256, input, [] { return SIZE_MAX; });
      for (int i = 0; i < 3; ++i) {
        const Framed cut = frame(framing, 256, input, [&] { return size_t{1} + random() % (i ? 40 : 4000); });
        ASSERT_EQ(whole.messages, cut.messages);
        expect_same_counts(whole.counts, cut.counts);
      }
    }
  }
}

TEST(FramerTest, a_datagram_is_taken_whole_and_an_empty_one_is_a_message) {
  std::vector<Record> records;
  FrameCounts counts;
  Origin origin;
  frame_datagram("<13>a\nb\n", 256, 0, &origin, records, counts);
  frame_datagram("", 256, 0, &origin, records, counts);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].raw, "<13>a\nb\n");
  EXPECT_EQ(records[1].raw, "");
  records.clear();
  const std::string big(513, 'x');
  frame_datagram(big, 256, 0, &origin, records, counts);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[2].raw.size(), 1u);
  EXPECT_EQ(records[2].part, 3);
  EXPECT_EQ(records[2].part_of, 3);
  EXPECT_EQ(counts.over_long, 1u);
}

}  // namespace
}  // namespace yushi::ingest
