// What stands around a time: a whole text with its wrapping, parts of one, what leads a line. The time itself is read
// in core/base/time_elements.cc.
#include "core/base/time_any.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/time_elements.h"
#include "core/base/time_parts.h"

namespace yushi {
namespace {

using namespace time_parts;
using time_elements::kTextMax;
using time_elements::Trust;

std::string_view without_wrapping(std::string_view text) {
  constexpr std::string_view kOpen = " \t\"'[(<", kClose = " \t\"'])>,;|";
  while (!text.empty() && kOpen.find(text.front()) != kOpen.npos) text.remove_prefix(1);
  // "(CST)" and "[Asia/Shanghai]" are of the time.
  while (!text.empty() && kClose.find(text.back()) != kClose.npos) {
    const char open = text.back() == ')' ? '(' : text.back() == ']' ? '[' : 0;
    if (open && text.find(open) != text.npos) break;
    text.remove_suffix(1);
  }
  return text;
}

std::optional<TimeText> read_whole(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  const auto read = time_elements::read(text, Trust::whole, near_unix_ns, zone);
  return read && read->length == text.size() ? std::optional(read->time) : std::nullopt;
}

bool is_level(std::string_view word) {
  for (std::string_view level :
       {"INFO", "WARN", "WARNING", "ERROR", "DEBUG", "FATAL", "TRACE", "SEVERE", "NOTICE", "CRITICAL"})
    if (word == level) return true;
  return false;
}

std::string_view word_of(std::string_view text) {
  return text.substr(0, std::min(text.find_first_of(" \t"), text.size()));
}

// HDFS' "081109 203518 148 INFO …": two numbers of six digits are a time where a level stands two words on.
bool has_level_behind(std::string_view rest) {
  for (int words = 0; words < 3; ++words) {
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    const auto word = word_of(rest);
    if (is_level(word)) return true;
    rest.remove_prefix(word.size());
  }
  return false;
}

// TAI64N of daemontools and runit: "@" and 24 hex digits.
std::optional<ReadTime> read_tai64n(std::string_view text) {
  if (text.size() < 25 || !text.starts_with("@4000000")) return std::nullopt;
  uint64_t seconds = 0, ns = 0;
  for (size_t i = 1; i < 25; ++i) {
    const char c = text[i];
    const unsigned digit = is_digit(c)            ? static_cast<unsigned>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                                                  : 99;
    if (digit == 99) return std::nullopt;
    (i <= 16 ? seconds : ns) = (i <= 16 ? seconds : ns) * 16 + digit;
  }
  // The label of 1970 is 2^62, and TAI was ten seconds ahead then; daemontools counts no leap seconds.
  seconds -= (uint64_t{1} << 62) + 10;
  if (ns >= kSecond || seconds > static_cast<uint64_t>(INT64_MAX / kSecond - 1) ||
      (text.size() > 25 && is_alnum(text[25])))
    return std::nullopt;
  ReadTime read{};
  read.time.unix_ns = static_cast<int64_t>(seconds) * kSecond + static_cast<int64_t>(ns);
  read.time.form = TimeForm::other;
  read.time.digits = 9;
  read.length = 25;
  return read;
}

// A number that begins a line is a time when it has a fraction of milliseconds or better, when a date that agrees
// stands behind it ("1117838570 2005.06.03"), or when it is in ms, µs or ns and of the year before receipt.
std::optional<ReadTime> read_leading_epoch(std::string_view text, bool labelled, int64_t near_unix_ns,
                                           const Zone& zone) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits < 10) return std::nullopt;
  auto read = read_epoch(text.data(), text.data() + text.size());
  if (!read || (read->length < text.size() && text[read->length] != ' ' && text[read->length] != '\t' &&
                text[read->length] != ',' && text[read->length] != ']' && text[read->length] != '|'))
    return std::nullopt;
  const int64_t at = read->time.unix_ns;
  if (at > near_unix_ns + kYearAheadMax) return std::nullopt;
  if (digits == 10 && read->time.digits >= 3 && !labelled) return read;
  if (digits > 10) {
    auto behind = text.substr(read->length);
    const bool word = behind.size() > 1 && !is_digit(behind[1]);
    return word && !labelled && at > near_unix_ns - 366 * kDaySeconds * kSecond ? read : std::nullopt;
  }
  const auto behind = text.substr(read->length);
  if (behind.size() < 11 || behind[0] != ' ' || !is_digit(behind[1])) return std::nullopt;
  const auto date = read_whole(behind.substr(1, 10), near_unix_ns, zone);
  // In seconds: a date of 1705 is further away than ns can say.
  if (!date || std::abs(at / kSecond - date->unix_ns / kSecond) > 2 * kDaySeconds) return std::nullopt;
  return read;
}

}  // namespace

std::optional<TimeText> parse_any_time(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  text = without_wrapping(text);
  if (text.size() < 4 || text.size() > kTextMax) return std::nullopt;
  if (auto time = parse_time(text, near_unix_ns, zone)) return time;
  if (is_digit(text[0]) && text.size() >= 10) {
    // "1490386367764.0", a number of ms with a fraction
    const auto dot = text.find('.');
    if (dot == 13 || dot == 16)
      if (text.find_first_not_of("0123456789", dot + 1) == text.npos)
        if (auto time = parse_time(text.substr(0, dot), near_unix_ns, zone)) {
          time->form = TimeForm::other;
          return time;
        }
  }
  if (text[0] == '@') {
    auto read = read_tai64n(text);
    return read && read->length == text.size() ? std::optional(read->time) : std::nullopt;
  }
  return read_whole(text, near_unix_ns, zone);
}

std::optional<TimeText> parse_time_parts(std::string_view date, std::string_view clock, std::string_view zone_text,
                                         int64_t near_unix_ns, const Zone& zone) {
  date = without_wrapping(date);
  clock = without_wrapping(clock);
  zone_text = without_wrapping(zone_text);
  if (date.empty() && clock.empty()) return std::nullopt;
  char joined[kTextMax];
  size_t size = 0;
  for (auto part : {date, clock, zone_text}) {
    if (part.empty()) continue;
    if (size + part.size() + 1 > sizeof joined) return std::nullopt;
    if (size) joined[size++] = ' ';
    size += part.copy(joined + size, part.size());
  }
  if (auto time = parse_any_time({joined, size}, near_unix_ns, zone)) return time;
  // A zone that nobody knows ("local", "0") says nothing.
  if (zone_text.empty() || size == zone_text.size()) return std::nullopt;
  return parse_any_time({joined, size - zone_text.size() - 1}, near_unix_ns, zone);
}

std::optional<ReadTime> read_any_time(std::string_view text, int64_t near_unix_ns, const Zone& zone) {
  return time_elements::read(text, Trust::leading, near_unix_ns, zone);
}

std::optional<LeadingTime> find_leading_time(std::string_view line, int64_t near_unix_ns, const Zone& zone) {
  std::string_view text = line;
  const auto skip = [&](size_t bytes) { text.remove_prefix(bytes); };
  const auto blanks = [&] {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) skip(1);
  };
  blanks();
  if (!text.empty() && text.front() == '<') {  // a PRI that is none
    const auto close = text.substr(0, 6).find('>');
    if (close == text.npos || close == 1 || text.find_first_not_of("0123456789", 1) != close) return std::nullopt;
    skip(close + 1);
    blanks();
  }
  if (text.starts_with("- ")) skip(2);
  bool bracketed = false;
  while (!text.empty() && (text.front() == '[' || text.front() == '(' || text.front() == '"' || text.front() == '\'')) {
    skip(1);
    bracketed = true;
  }
  if (text.size() < 10) return std::nullopt;
  const auto c = static_cast<unsigned char>(text.front());
  const auto found = [&](const ReadTime& read) {
    return LeadingTime{read.time, static_cast<uint32_t>(text.data() - line.data()), static_cast<uint32_t>(read.length)};
  };
  if (c == '@') {
    const auto read = read_tai64n(text);
    return read ? std::optional(found(*read)) : std::nullopt;
  }
  if (is_digit(text.front())) {
    if (const auto read = read_leading_epoch(text, false, near_unix_ns, zone)) return found(*read);
  } else if (c < 0x80) {
    if (!is_letter(text.front())) return std::nullopt;
    // glog's "I1128 04:15:13.816036"
    const bool glog = std::string_view("IWEFD").find(text.front()) != std::string_view::npos && text.size() > 20 &&
                      is_digit(text[1]) && is_digit(text[4]) && text[5] == ' ' && text[8] == ':' && text[14] == '.';
    if (glog) {
      skip(1);
      bracketed = true;
    } else if (const auto word = word_of(text); is_level(word)) {  // "INFO  [main] 2026-11-28 15:16:10,134 …"
      skip(word.size());
      blanks();
      if (text.starts_with('[')) {
        const auto close = text.substr(0, 80).find("] ");
        if (close == text.npos) return std::nullopt;
        skip(close + 2);
        blanks();
      }
      if (text.size() < 10 || !is_digit(text.front())) return std::nullopt;
    } else if (word.size() < 16 && text.size() > word.size() + 22 && text[word.size() + 1] == '1') {
      // "KERNPAN 1118536327 2005.06.11 …": a label, then an epoch and its date
      const auto whole = text;
      skip(word.size() + 1);
      if (const auto read = read_leading_epoch(text, true, near_unix_ns, zone)) return found(*read);
      text = whole;
    }
  }
  const auto read = time_elements::read(text, bracketed ? Trust::bracketed : Trust::leading, near_unix_ns, zone);
  if (!read) return std::nullopt;
  if (read->length == 13 && is_digit(text[5]) && text[6] == ' ' && is_digit(text[12]) &&
      !has_level_behind(text.substr(13)))
    return std::nullopt;
  return found(*read);
}

}  // namespace yushi
