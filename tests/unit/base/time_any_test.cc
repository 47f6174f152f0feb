// Times as anybody writes them: tests/cases/time.txt, and what holds for any bytes.
#include "core/base/time_any.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>

namespace yushi {
namespace {

std::string utc_text(int64_t unix_ns) {
  char out[32];
  return {out, format_utc(unix_ns, out)};
}

std::string inferred_text(uint8_t inferred) {
  std::string out;
  for (auto [bit, word] : {std::pair{kYearInferred, " year"},
                           {kZoneInferred, " zone"},
                           {kDateInferred, " date"},
                           {kClockInferred, " clock"}})
    if (inferred & bit) out += word;
  return out;
}

const std::string kFile = YUSHI_SOURCE_DIR "/tests/cases/time.txt";
const int64_t kReceived = 1'795'852'800 * kSecond;  // 2026-11-28T08:00:00Z

TEST(TimeAny, each_case_of_the_file_is_read_as_it_says) {
  std::ifstream in(kFile);
  std::string line;
  std::shared_ptr<const Zone> zone = Zone::utc();
  int64_t received = kReceived;
  size_t cases = 0;
  for (int number = 1; std::getline(in, line); ++number) {
    SCOPED_TRACE(kFile + ":" + std::to_string(number));
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("zone: ")) {
      zone = Zone::find(line.substr(6)).value();
      continue;
    }
    if (line.starts_with("received: ")) {
      received = parse_time(line.substr(10), 0, *Zone::utc()).value().unix_ns;
      continue;
    }
    const auto arrow = line.rfind("=> ");
    ASSERT_NE(arrow, line.npos) << line;
    std::string text = line.substr(0, arrow), expected = line.substr(arrow + 3), got = "none";
    if (!text.empty() && text.back() == ' ') text.pop_back();
    if (text.starts_with("line:")) {
      text.erase(0, std::min<size_t>(6, text.size()));
      if (const auto found = find_leading_time(text, received, *zone))
        got = utc_text(found->time.unix_ns) + " @" + std::to_string(found->begin) + "+" + std::to_string(found->length);
    } else if (const auto time = parse_any_time(text, received, *zone)) {
      got = utc_text(time->unix_ns) + inferred_text(time->inferred);
    }
    EXPECT_EQ(got, expected) << text;
    ++cases;
  }
  EXPECT_GT(cases, 100u);
}

TEST(TimeAny, a_time_in_parts_is_read_together) {
  const auto utc = [](std::string_view date, std::string_view clock, std::string_view zone) -> std::string {
    const auto time = parse_time_parts(date, clock, zone, kReceived, *Zone::utc());
    return time ? utc_text(time->unix_ns) + inferred_text(time->inferred) : "none";
  };
  EXPECT_EQ(utc("2026-11-28", "10:20:30", "+0800"), "2026-11-28T02:20:30.000Z");
  EXPECT_EQ(utc("2026-11-28", "10:20:30", "CET"), "2026-11-28T09:20:30.000Z");
  EXPECT_EQ(utc("2026-2-26", "8:15:08 PM", ""), "2026-02-26T20:15:08.000Z zone");
  EXPECT_EQ(utc("04/19/20", "12:43:06", ""), "2020-04-19T12:43:06.000Z zone");
  EXPECT_EQ(utc("2026-11-28", "10:20:30", "local"), "2026-11-28T10:20:30.000Z zone");
  EXPECT_EQ(utc("2026-11-28", "", ""), "2026-11-28T00:00:00.000Z zone clock");
  EXPECT_EQ(utc("", "07:00:00", ""), "2026-11-28T07:00:00.000Z zone date");
  EXPECT_EQ(utc("", "", "+0800"), "none");
  EXPECT_EQ(utc("no", "such", "day"), "none");
  EXPECT_EQ(utc(std::string(200, '1'), "", ""), "none");
}

TEST(TimeAny, a_cut_or_a_changed_byte_is_read_within_its_bounds) {
  std::ifstream in(kFile);
  std::string line;
  std::mt19937_64 random(13);
  while (std::getline(in, line)) {
    const auto arrow = line.rfind("=> ");
    if (arrow == line.npos) continue;
    std::string text = line.substr(line.starts_with("line: ") ? 6 : 0, arrow);
    for (int i = 0; i < 200; ++i) {
      std::string changed = text.substr(0, random() % (text.size() + 1));
      if (!changed.empty()) changed[random() % changed.size()] = static_cast<char>(random());
      const std::string exact(changed.data(), changed.size());  // of its own size, for the address sanitizer
      const auto found = find_leading_time(exact, kReceived, *Zone::utc());
      if (found) {
        ASSERT_LE(found->begin + found->length, exact.size());
      }
      (void)parse_any_time(exact, kReceived, *Zone::utc());
      (void)parse_time_parts(exact, exact, exact, kReceived, *Zone::utc());
    }
  }
}

TEST(TimeAny, numbers_and_addresses_at_the_beginning_of_a_line_are_no_times) {
  std::mt19937_64 random(17);
  size_t read = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string line;
    for (int k = 0; k < 4; ++k) {
      std::string word = std::to_string(random() % 1'000'000'000'000'000 >> random() % 50);
      for (uint64_t dots = random() % 4; dots > 0; --dots) word += "." + std::to_string(random() % 256);
      line += word + " ";
    }
    // 1512345678.123, squid's time
    const bool is_epoch = line.size() > 14 && line.find('.') == 10 && line.find(' ') == 14;
    if (!is_epoch && find_leading_time(line, kReceived, *Zone::utc())) ++read;
  }
  EXPECT_LE(read, 2u);  // 20070128154913.217
}

}  // namespace
}  // namespace yushi
