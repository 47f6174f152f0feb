#include "core/base/time_words.h"

#include <cstring>
#include <string_view>

#include "core/base/time_parts.h"

namespace yushi::time_words {
namespace {

using time_parts::is_alnum;
using time_parts::is_letter;

std::string_view word_at(const char* at, const char* end) {
  const char* from = at;
  while (at < end && is_letter(*at) && at - from < 12) ++at;
  return {from, static_cast<size_t>(at - from)};
}

// `word` is `name`, in any case, or its first three letters or more.
bool is_short_for(std::string_view word, std::string_view name) {
  if (word.size() < 3 || word.size() > name.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if ((word[i] | 0x20) != name[i]) return false;
  return word.size() == 3 || word.size() == name.size() || (word.size() == 4 && name[0] != 'a');  // Sept, Tues, June
}

struct Sign {
  std::string_view text;
  uint8_t value;
};

const char* one_of(const char* at, const char* end, const Sign* from, const Sign* to, uint8_t* value) {
  const std::string_view rest(at, static_cast<size_t>(end - at));
  for (; from < to; ++from)
    if (rest.starts_with(from->text)) {
      *value = from->value;
      return at + from->text.size();
    }
  return nullptr;
}
template <size_t N>
const char* one_of(const char* at, const char* end, const Sign (&signs)[N], uint8_t* value) {
  return one_of(at, end, signs, signs + N, value);
}

}  // namespace

bool is_sign(const char* at, const char* end, const char* sign) {
  return end - at >= 3 && std::memcmp(at, sign, 3) == 0;
}

const char* month(const char* at, const char* end, unsigned* month) {
  if (at == end) return nullptr;
  if (static_cast<unsigned char>(*at) >= 0x80) {
    // The longer ones first: 十一月 ends as 一月 does.
    static constexpr Sign kSigns[] = {{"十二月", 12}, {"十一月", 11}, {"十月", 10}, {"一月", 1},
                                      {"二月", 2},    {"三月", 3},    {"四月", 4},  {"五月", 5},
                                      {"六月", 6},    {"七月", 7},    {"八月", 8},  {"九月", 9}};
    uint8_t value;
    const char* after = one_of(at, end, kSigns, &value);
    if (after) *month = value;
    return after;
  }
  static constexpr std::string_view kNames[] = {"january", "february", "march",     "april",   "may",      "june",
                                                "july",    "august",   "september", "october", "november", "december"};
  const auto word = word_at(at, end);
  for (unsigned i = 0; i < 12; ++i)
    if (is_short_for(word, kNames[i])) {
      *month = i + 1;
      at += word.size();
      return at < end && *at == '.' ? at + 1 : at;
    }
  return nullptr;
}

const char* numeral(const char* at, const char* end, unsigned* number) {
  static constexpr Sign kDigits[] = {{"〇", 0}, {"○", 0},  {"零", 0}, {"一", 1}, {"二", 2}, {"三", 3}, {"四", 4},
                                     {"五", 5}, {"六", 6}, {"七", 7}, {"八", 8}, {"九", 9}, {"十", 10}};
  unsigned value = 0, signs = 0;
  bool has_ten = false, after_ten = false;
  uint8_t sign;
  for (const char* to; signs < 4 && (to = one_of(at, end, kDigits, &sign)); at = to, ++signs) {
    if (sign == 10) {
      if (has_ten || value > 9) return nullptr;
      has_ten = true;
      value = signs == 0 ? 10 : value * 10;
    } else if (has_ten) {
      if (after_ten) return nullptr;
      after_ten = true;
      value += sign;
    } else {
      value = value * 10 + sign;
    }
  }
  *number = value;
  return signs > 0 ? at : nullptr;
}

const char* weekday(const char* at, const char* end) {
  if (at == end) return nullptr;
  if (static_cast<unsigned char>(*at) >= 0x80) {
    static constexpr Sign kHeads[] = {{"星期", 0}, {"礼拜", 0}, {"周", 0}};
    static constexpr Sign kDays[] = {{"一", 1}, {"二", 2}, {"三", 3}, {"四", 4},
                                     {"五", 5}, {"六", 6}, {"日", 0}, {"天", 0}};
    uint8_t value;
    const char* after = one_of(at, end, kHeads, &value);
    return after ? one_of(after, end, kDays, &value) : nullptr;
  }
  static constexpr std::string_view kNames[] = {"sunday",   "monday", "tuesday", "wednesday",
                                                "thursday", "friday", "saturday"};
  const auto word = word_at(at, end);
  for (auto name : kNames)
    if (is_short_for(word, name)) {
      at += word.size();
      return at < end && *at == '.' ? at + 1 : at;
    }
  return nullptr;
}

const char* half_of_day(const char* at, const char* end, Half* half) {
  if (end - at < 2) return nullptr;
  if (static_cast<unsigned char>(*at) >= 0x80) {
    constexpr auto kAm = static_cast<uint8_t>(Half::am), kPm = static_cast<uint8_t>(Half::pm);
    static constexpr Sign kSigns[] = {
        {"上午", kAm}, {"下午", kPm}, {"凌晨", kAm}, {"早上", kAm},
        {"清晨", kAm}, {"傍晚", kPm}, {"晚上", kPm}, {"中午", static_cast<uint8_t>(Half::noon)}};
    uint8_t value;
    const char* after = one_of(at, end, kSigns, &value);
    if (after) *half = static_cast<Half>(value);
    return after;
  }
  const char first = static_cast<char>(*at | 0x20);
  if (first != 'a' && first != 'p') return nullptr;
  const bool dots = at[1] == '.';
  at += dots ? 2 : 1;
  if (at == end || (*at | 0x20) != 'm') return nullptr;
  ++at;
  if (dots && at < end && *at == '.') ++at;
  if (at < end && is_alnum(*at)) return nullptr;
  *half = first == 'a' ? Half::am : Half::pm;
  return at;
}

}  // namespace yushi::time_words
