#include "detect/words.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "core/base/text.h"
#include "core/base/time_text.h"

namespace yushi::detect {
std::string printable(std::string_view value, size_t bytes_max) {
  bool utf8 = is_utf8(value);
  if (value.size() > bytes_max) {
    value = value.substr(0, bytes_max);
    // Not in the middle of a character.
    if (utf8)
      while (!value.empty() && !is_utf8(value)) value.remove_suffix(1);
  }
  std::string out(value);
  for (char& c : out) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) c = '?';
  }
  return out;
}

std::string hour_text(int hour) {
  char text[8];
  std::snprintf(text, sizeof text, "%02d:00", (hour + 24) % 24);
  return text;
}

std::string date_text(int64_t unix_ns) {
  char buffer[32];
  size_t length = format_utc(unix_ns, buffer);
  return std::string(buffer, std::min<size_t>(length, 10));
}

std::string time_text_utc(int64_t unix_ns) {
  char buffer[32];
  size_t length = format_utc(unix_ns, buffer);
  std::string out(buffer, std::min<size_t>(length, 19));
  if (out.size() > 10) out[10] = ' ';
  return out + " UTC";
}

std::string duration_text(int64_t ns, Lang lang) {
  struct Unit {
    int64_t ns;
    std::string_view en, zh;
  };
  static constexpr Unit kUnits[] = {{kDay, " d", " 天"}, {kHour, " h", " 小时"}, {kMinute, " min", " 分钟"}};
  const auto whole = [&](const Unit& unit) {
    return std::to_string(ns / unit.ns) + std::string(lang == Lang::zh ? unit.zh : unit.en);
  };
  for (const auto& unit : kUnits)
    if (ns >= unit.ns && ns % unit.ns == 0) return whole(unit);
  for (const auto& unit : kUnits)
    if (ns >= 2 * unit.ns) return whole(unit);
  return whole({kSecond, " s", " 秒"});
}

std::string within_text(int64_t ns, Lang lang) {
  if (ns <= kSecond) return lang == Lang::zh ? "1 秒" : "one second";
  int64_t unit = ns >= 2 * kDay ? kDay : ns >= 2 * kHour ? kHour : ns >= 2 * kMinute ? kMinute : kSecond;
  return duration_text((ns + unit - 1) / unit * unit, lang);
}

std::string number_text(uint64_t count, std::string_view one, std::string_view many) {
  std::string out = std::to_string(count) + " ";
  out += count == 1 ? one : many;
  return out;
}

std::string counts_text(std::vector<std::pair<std::string, uint64_t>> counts, Lang lang) {
  constexpr size_t kNamed = 3;
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  // "and 1 other (1)" is longer than its name.
  size_t named = counts.size() == kNamed + 1 ? kNamed + 1 : std::min(counts.size(), kNamed);
  uint64_t others = 0;
  for (size_t i = named; i < counts.size(); ++i) others += counts[i].second;
  std::string out;
  for (size_t i = 0; i < named; ++i) {
    const bool is_last = i + 1 == named && named == counts.size();
    if (i > 0) out += lang == Lang::zh ? "、" : is_last ? " and " : ", ";
    out += printable(counts[i].first, 128) + " (" + std::to_string(counts[i].second) + ")";
  }
  if (named == counts.size()) return out;
  if (lang == Lang::zh) {
    out += "，另有 " + std::to_string(counts.size() - named) + " 个 (" + std::to_string(others) + ")";
  } else {
    out += " and " + std::to_string(counts.size() - named) + " others (" + std::to_string(others) + ")";
  }
  return out;
}

std::optional<int64_t> parse_timespan(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end + 1 != text.data() + text.size() || number <= 0 || number > 100'000'000) return {};
  switch (*end) {
    case 's':
      return number * kSecond;
    case 'm':
      return number * kMinute;
    case 'h':
      return number <= 87'600 ? std::optional(number * kHour) : std::nullopt;
    case 'd':
      return number <= 3'650 ? std::optional(number * kDay) : std::nullopt;
    case 'w':
      return number <= 520 ? std::optional(number * 7 * kDay) : std::nullopt;
    case 'M':
      return number <= 120 ? std::optional(number * 30 * kDay) : std::nullopt;
    case 'y':
      return number <= 10 ? std::optional(number * 365 * kDay) : std::nullopt;
    default:
      return {};
  }
}

}  // namespace yushi::detect
