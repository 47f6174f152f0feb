// Reads date, clock and zone as elements, in the order in which they stand, with what may stand between them.
//
// Each element knows itself by its first bytes: a number by how many digits it has and what follows, a word by its
// name. The time ends behind the last element with which there is a date and a clock.
#include "core/base/time_elements.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base/time_parts.h"
#include "core/base/time_words.h"

namespace yushi::time_elements {
namespace {

using namespace time_parts;
using time_words::Half;
using time_words::is_sign;

// Behind the number of a day: 1st, 2nd, 3rd, 4th.
bool is_ordinal(std::string_view letters) {
  return letters == "st" || letters == "nd" || letters == "rd" || letters == "th";
}

class AnyTime {
 public:
  AnyTime(std::string_view text, Trust trust, int64_t near_unix_ns, const Zone& zone)
      : from_(text.data()),
        end_(from_ + std::min(text.size(), kTextMax)),
        near_(near_unix_ns),
        zone_(&zone),
        trust_(trust) {}

  // Behind the time; nullptr when none stands at the first byte.
  const char* read(TimeText* out) {
    const char* good = nullptr;
    const char* at = from_;
    AnyTime best = *this;
    for (int elements = 0; elements < 8; ++elements) {
      const char* next = element(elements == 0 ? at : behind_joint(at));
      if (!next) break;
      at = next;
      if (has_date_ && has_clock_ && ends_well(at)) {
        good = at;
        best = *this;
      }
    }
    if (!good && trust_ == Trust::whole && (has_date_ || has_clock_) && at == end_) {  // the one without the other
      good = at;
      best = *this;
    }
    if (!good || !best.settle(out)) return nullptr;
    return good;
  }

 private:
  // ------------------------------------------------------------------------------------------------ between elements

  const char* behind_joint(const char* at) const {
    const char* from = at;
    while (at < end_ && (*at == ' ' || *at == '\t') && at - from < 3) ++at;
    if (at < end_ && has_date_ != has_clock_) {  // between the two
      const bool number = end_ - at > 1 && is_digit(at[1]);
      switch (*at) {
        case 'T':
        case 't':
        case '-':
        case '_':
        case '/':
        case ':':
          if (number && at == from) return at + 1;
          break;
        case ',':
        case ';':
          if (at == no_joint_) break;
          ++at;
          while (at < end_ && *at == ' ') ++at;
          break;
        default:
          break;
      }
    } else if (at < end_ && *at == ',' && end_ - at > 1 && (at[1] == ' ' || at > from)) {
      ++at;
      while (at < end_ && *at == ' ') ++at;
    }
    return at;
  }

  bool ends_well(const char* at) const {
    if (at == end_) return true;
    if (is_alnum(*at)) return false;
    // 10.20.2030 1:2:3.4.5, 10:20:30:40
    if ((*at == '.' || *at == ':' || *at == '-' || *at == '/') && end_ - at > 1 && is_digit(at[1])) return false;
    return true;
  }

  // -------------------------------------------------------------------------------------------------------- elements

  // Behind the element at `at`, nullptr when there is none that is still wanted.
  const char* element(const char* at) {
    if (at >= end_) return nullptr;
    const auto c = static_cast<unsigned char>(*at);
    if (is_digit(*at)) {
      if (!has_clock_)
        if (const char* after = clock(at)) return after;
      if (!has_date_)
        if (const char* after = date(at)) return after;
      if (has_date_ && parts_.year < 0) return year(at);
      return nullptr;
    }
    if (c == '+' || c == '-') return has_clock_ && zone_text_.empty() && !parts_.has_zone ? offset(at) : nullptr;
    if (c == '(' || c == '[') return has_clock_ ? zone_in_brackets(at) : nullptr;
    if (!is_letter(*at) && c < 0x80) return nullptr;
    if (has_clock_ && half_ == Half::none)
      if (const char* after = time_words::half_of_day(at, end_, &half_)) return after;
    if (c >= 0x80 && !has_clock_)
      if (const char* after = time_words::half_of_day(at, end_, &half_)) return after;
    if (c >= 0x80 && !has_clock_)
      if (const char* after = clock_in_numerals(at)) return after;
    if (c >= 0x80 && !has_date_)
      if (const char* after = date_in_numerals(at)) return after;
    if (const char* after = time_words::weekday(at, end_); after && !has_weekday_) {
      has_weekday_ = true;
      return after < end_ && *after == '.' ? after + 1 : after;
    }
    if (!has_date_)
      if (const char* after = month_first(at)) return after;
    if (!has_clock_ || !zone_text_.empty()) return nullptr;
    if (!parts_.has_zone) return zone_name(at);
    // Go's "+0000 UTC": the offset has said it.
    const std::string_view rest(at, static_cast<size_t>(end_ - at));
    return zone_after_offset_++ == 0 && (rest.starts_with("UTC") || rest.starts_with("GMT")) ? at + 3 : nullptr;
  }

  static unsigned number(const char* at, const char* to) {
    unsigned value = 0;
    for (; at < to; ++at) value = value * 10 + static_cast<unsigned>(*at - '0');
    return value;
  }
  // Behind the digits at `at`, at most `most` of them; nullptr when there are none or more.
  const char* digits(const char* at, int most) const {
    const char* from = at;
    while (at < end_ && is_digit(*at)) ++at;
    return at > from && at - from <= most ? at : nullptr;
  }

  // 10:20:30.123, 9:30, 10时20分30秒, 10点20分; behind a date also 203518, 17-41-06 and 15.42.50.675872.
  const char* clock(const char* at) {
    const char* to = digits(at, 6);
    if (!to) return nullptr;
    if (to - at == 6 || to - at == 4) {  // 203518; never without a date before it, since 10 2030 is anything
      if (!has_date_ || (to - at == 4 && (trust_ == Trust::leading || parts_.year < 0))) return nullptr;
      if (to < end_ && *to == ':') return nullptr;
      Parts clock = parts_;
      clock.hour = two(at);
      clock.minute = two(at + 2);
      clock.second = to - at == 6 ? two(at + 4) : 0;
      if (!take_clock(clock)) return nullptr;
      return fraction(to);
    }
    if (to - at > 2 || to == end_) return nullptr;
    Parts clock = parts_;
    clock.hour = number(at, to);
    const bool hour_sign =
        is_sign(to, end_, "时") || is_sign(to, end_, "点") || is_sign(to, end_, "點") || is_sign(to, end_, "時");
    const char between = *to;
    const bool colon = between == ':';
    if (!hour_sign && !colon && !(has_date_ && (between == '.' || between == '-') && to - at == 2)) return nullptr;
    const char* minute = to + (hour_sign ? 3 : 1);
    if (colon && trust_ == Trust::whole && minute < end_ && *minute == ' ') ++minute;
    const char* minute_to = minute < end_ ? digits(minute, 2) : nullptr;
    if (!minute_to || (minute_to - minute != 2 && !hour_sign && !basic_date_)) return nullptr;
    clock.minute = number(minute, minute_to);
    at = minute_to;
    bool has_second = false;
    if (hour_sign) {
      if (is_sign(at, end_, "分")) at += 3;
      const char* second_to = at < end_ ? digits(at, 2) : nullptr;
      if (second_to) {
        clock.second = number(at, second_to);
        at = is_sign(second_to, end_, "秒") ? second_to + 3 : second_to;
        has_second = true;
      }
    } else if (end_ - at >= 2 && *at == between) {
      const char* second = at + 1;
      if (colon && trust_ == Trust::whole && *second == ' ') ++second;
      const char* second_to = second < end_ ? digits(second, 2) : nullptr;
      if (second_to && (second_to - second == 2 || basic_date_)) {  // 20261128-22:16:0:119
        clock.second = number(second, second_to);
        at = second_to;
        has_second = true;
      }
    }
    if (!has_second) {
      // 10:20 alone: a port, a score, a part of an address. Behind a date with a year it is a clock.
      if (!colon && !hour_sign) return nullptr;
      if (trust_ == Trust::leading && (six_digits_ || !(has_date_ && parts_.year >= 0)) && !hour_sign) return nullptr;
      if (!take_clock(clock)) return nullptr;
      return at;
    }
    if (!take_clock(clock)) return nullptr;
    return fraction(at);
  }

  bool take_clock(Parts& clock) {
    if (clock.hour > 23 || clock.minute > 59 || clock.second > 60) return false;
    if (clock.second == 60) {
      clock.second = 59;
      clock.leap = true;
    }
    parts_ = clock;
    return has_clock_ = true;
  }

  const char* fraction(const char* at) {
    if (at == end_) return at;
    bool comma;
    if (basic_date_ && *at == ':' && end_ - at > 1) {  // 20261128-22:15:29:6, of which 6 are ms
      const char* to = digits(at + 1, 3);
      if (!to || (to < end_ && *to == ':')) return at;
      parts_.ns = number(at + 1, to) * 1'000'000;
      parts_.digits = 3;
      return to;
    }
    const char* after = read_fraction(at, end_, parts_, &comma);
    // "10:20:30,5 users": what goes on behind a comma with one digit or two is the text's.
    if (comma && trust_ != Trust::whole && parts_.digits < 3) {
      parts_.ns = parts_.digits = 0;
      no_joint_ = at;
      return at;
    }
    return after;
  }

  const char* date(const char* at) {
    const char* to = digits(at, 14);
    if (!to) return nullptr;
    const auto count = to - at;
    if (count == 14 || count == 8) return basic_date(at, to);
    if (count == 6) {  // 161209 13:08:33, 081109 203518; behind a clock six digits are anything
      if (has_clock_ || end_ - to < 5 || *to != ' ') return nullptr;
      six_digits_ = true;
      return take_date(two_digit_year(two(at)), two(at + 2), two(at + 4)) ? to : nullptr;
    }
    if (to == end_) return nullptr;
    if (count == 4) {
      if (is_sign(to, end_, "年")) return chinese_date(at, to);
      if (*to == '-' || *to == '/' || *to == '.') return year_first(at, to);
      if (*to == ':') return colons_and_dash(at);
      if (*to == ' ' && to + 1 < end_ && is_letter(to[1])) return year_and_month(at, to);
      // 1215 04:15:13.816036, glog's; the clock with its fraction follows
      if (*to == ' ' && trust_ != Trust::leading && !has_clock_ && take_date(-1, two(at), two(at + 2))) return to;
      return nullptr;
    }
    if (count > 2) return nullptr;
    if (is_sign(to, end_, "月")) return chinese_month(-1, number(at, to), to + 3);
    if (*to == '-' || *to == '/' || *to == '.')
      if (const char* after = three_numbers(at, to)) return after;
    return day_and_month(at, to);
  }

  // 20261128, 20261128102030
  const char* basic_date(const char* at, const char* to) {
    const int year = four(at);
    if (year < 1970 || year > 2199 || !take_date(year, two(at + 4), two(at + 6))) return nullptr;
    basic_date_ = true;
    if (to - at == 8) return to;
    Parts clock = parts_;
    clock.hour = two(at + 8);
    clock.minute = two(at + 10);
    clock.second = two(at + 12);
    if (!take_clock(clock)) return nullptr;
    return fraction(to);
  }

  // 2026:11:28-10:20:30, Sophos UTM's. An address may begin so, but has no clock behind a dash.
  const char* colons_and_dash(const char* at) {
    if (end_ - at < 19 || at[7] != ':' || at[10] != '-' || at[13] != ':' || at[16] != ':') return nullptr;
    if (digits(at + 17, 2) != at + 19) return nullptr;  // without seconds it would not be known again by itself
    return take_date(four(at), two(at + 5), two(at + 8)) ? at + 10 : nullptr;
  }

  // 2026-11-28, 2026/1/2, 2026.01.02, 2026-332 (the day of the year), 2026-Nov-28
  const char* year_first(const char* at, const char* to) {
    const int year = four(at);
    const char between = *to;
    const char* month = to + 1;
    if (month < end_ && is_letter(*month)) {
      unsigned value;
      const char* after = time_words::month(month, end_, &value);
      if (!after || after == end_ || *after != between) return nullptr;
      const char* day_to = after + 1 < end_ ? digits(after + 1, 2) : nullptr;
      return day_to && take_date(year, value, number(after + 1, day_to)) ? day_to : nullptr;
    }
    const char* month_to = month < end_ ? digits(month, 3) : nullptr;
    if (!month_to) return nullptr;
    if (month_to - month == 3) {
      const unsigned day = number(month, month_to);
      if (between != '-' || year < kYearMin || day == 0 || day > (is_leap_year(year) ? 366u : 365u)) return nullptr;
      const auto date = civil_from_days(days_from_civil(year, 1, 1) + day - 1);
      return take_date(year, date.month, date.day) ? month_to : nullptr;
    }
    if (month_to == end_ || *month_to != between) return nullptr;
    const char* day = month_to + 1;
    const char* day_to = day;
    while (day_to < end_ && is_digit(*day_to) && day_to - day < 2) ++day_to;
    if (day_to == day) return nullptr;
    // 2026-01-0100:00:00, which wants its blank
    if (day_to < end_ && is_digit(*day_to) && !(end_ - day_to > 2 && day_to[2] == ':')) return nullptr;
    return take_date(year, number(month, month_to), number(day, day_to)) ? day_to : nullptr;
  }

  // 10/21/2021, 21.10.2021, 04/19/20, 26/11/01, 03-17: see docs/time.md for the order.
  const char* three_numbers(const char* at, const char* to) {
    const char between = *to;
    const unsigned a = number(at, to);
    const char* second = to + 1;
    const char* second_to = second < end_ ? digits(second, 2) : nullptr;
    if (!second_to || is_sign(second_to, end_, "月")) return nullptr;
    const unsigned b = number(second, second_to);
    const char* third = second_to + 1;
    const char* third_to = second_to < end_ && *second_to == between && third < end_ ? digits(third, 4) : nullptr;
    if (!third_to) {  // 03-17 16:13:38.811
      if (second_to < end_ && (*second_to == between || trust_ == Trust::leading) && !month_and_clock(at, second_to))
        return nullptr;
      if (second_to == end_ && trust_ != Trust::whole) return nullptr;
      return take_date(-1, a, b) || take_date(-1, b, a) ? second_to : nullptr;
    }
    const auto count = third_to - third;
    const unsigned c = number(third, third_to);
    if (third_to < end_ && *third_to == between) return nullptr;  // 10.20.20.30
    if (count == 4) {
      const bool month_leads = between == '/';
      if (take_date(static_cast<int>(c), month_leads ? a : b, month_leads ? b : a)) return third_to;
      return take_date(static_cast<int>(c), month_leads ? b : a, month_leads ? a : b) ? third_to : nullptr;
    }
    if (count != 2 || second_to - second != 2) return nullptr;
    // Of a year of two digits the first order that gives a date which is not ahead of receipt; then the first that
    // gives one.
    struct Order {
      unsigned year, month, day;
    };
    const Order year_leads{a, b, c}, month_leads{c, a, b}, day_leads{c, b, a};
    const Order slash[] = {month_leads, year_leads, day_leads}, java[] = {month_leads, day_leads, year_leads},
                dash[] = {year_leads, day_leads, month_leads}, dot[] = {day_leads, month_leads, year_leads};
    const auto& orders = between == '.'                            ? dot
                         : between == '-'                          ? dash
                         : has_milliseconds_behind_colon(third_to) ? java
                                                                   : slash;
    for (const bool may_be_ahead : {false, true})
      for (auto& order : orders)
        if (take_date(two_digit_year(order.year), order.month, order.day) && (may_be_ahead || !is_ahead()))
          return third_to;
    has_date_ = false;
    return nullptr;
  }

  // " 9:30:04:345", as Java's servers write it, whose dates go by the land: its day may lead, its year never does.
  bool has_milliseconds_behind_colon(const char* at) const {
    unsigned colons = 0;
    for (const char* to = at; to < end_ && to - at < 16; ++to)
      if (*to == ':')
        ++colons;
      else if (*to != ' ' && !is_digit(*to))
        break;
    return colons == 3;
  }

  // Android's `03-17 16:13:38.811`: two digits each, then a clock with a fraction.
  bool month_and_clock(const char* at, const char* to) const {
    return to - at == 5 && at[2] == '-' && end_ - to >= 13 && *to == ' ' && to[3] == ':' && to[6] == ':' &&
           to[9] == '.' && is_digit(to[10]) && is_digit(to[12]);
  }

  // 28 Nov 2026, 28-Nov-2026, 28/Nov/26, 30 May 10:03:19, 28. November 2026, 28-11月-26
  const char* day_and_month(const char* at, const char* to) {
    const unsigned day = number(at, to);
    const char between = *to;
    if (between != ' ' && between != '-' && between != '/' && between != '.' && !is_letter(between)) return nullptr;
    const char* word = is_letter(between) ? to : to + 1;
    if (between == '.' && word < end_ && *word == ' ') ++word;
    unsigned month;
    const char* after = nullptr;
    const char* number_to = word < end_ && is_digit(*word) ? digits(word, 2) : nullptr;
    if (number_to && is_sign(number_to, end_, "月")) {
      month = number(word, number_to);
      after = number_to + 3;
    } else {
      after = time_words::month(word, end_, &month);
    }
    if (!after) return nullptr;
    if (after < end_ &&
        (*after == between || *after == ' ' || *after == ',' || (is_letter(between) && is_digit(*after)))) {
      const char* year = is_digit(*after) ? after : after + 1;
      if (*after == ',' && year < end_ && *year == ' ') ++year;
      const char* year_to = year < end_ ? digits(year, 4) : nullptr;
      if (year_to && year_to - year == 4 && take_date(four(year), month, day)) return year_to;
      if (year_to && year_to - year == 2 && between != ' ' && *after == between &&
          take_date(two_digit_year(two(year)), month, day))
        return year_to;
    }
    return take_date(-1, month, day) ? after : nullptr;
  }

  // Nov 28, November 28th, 2026; Nov  1 2026, 十一月 28, 2026, 11月28日 is of chinese_month()
  const char* month_first(const char* at) {
    unsigned month;
    const char* after = time_words::month(at, end_, &month);
    if (!after) return nullptr;
    const char* day = after;
    while (day < end_ && (*day == ' ' || *day == '-' || *day == '/') && day - after < 3) ++day;
    if (day == after) return nullptr;
    const char* day_to = day < end_ ? digits(day, 2) : nullptr;
    if (!day_to) return nullptr;
    const unsigned value = number(day, day_to);
    if (end_ - day_to >= 2 && (end_ - day_to == 2 || !is_letter(day_to[2])) && is_ordinal({day_to, 2})) day_to += 2;
    const char* year = day_to;
    while (year < end_ && (*year == ' ' || *year == ',' || *year == '-' || *year == '/') && year - day_to < 2) ++year;
    if (const char* year_to = year > day_to && year < end_ ? digits(year, 4) : nullptr;
        year_to && year_to - year == 4 && (year_to == end_ || (!is_alnum(*year_to) && *year_to != '.')) &&
        four(year) >= 1970 && four(year) <= 2199 && take_date(four(year), month, value))
      return year_to;
    if (day_to < end_ && *day_to == ':') return nullptr;  // "May 10:20" has no day
    return take_date(-1, month, value) ? day_to : nullptr;
  }

  // 2026 Nov 28
  const char* year_and_month(const char* at, const char* to) {
    unsigned month;
    const char* after = time_words::month(to + 1, end_, &month);
    if (!after) return nullptr;
    while (after < end_ && *after == ' ') ++after;
    const char* day_to = after < end_ ? digits(after, 2) : nullptr;
    return day_to && take_date(four(at), month, number(after, day_to)) ? day_to : nullptr;
  }

  // 二〇二六年十一月二十八日, 十一月二十八日
  const char* date_in_numerals(const char* at) {
    int year = -1;
    unsigned month, day;
    const char* to = time_words::numeral(at, end_, &month);
    if (to && is_sign(to, end_, "年")) {
      if (month < 1000) return nullptr;
      year = static_cast<int>(month);
      to = time_words::numeral(to + 3, end_, &month);
    }
    if (!to || !is_sign(to, end_, "月")) return nullptr;
    to = time_words::numeral(to + 3, end_, &day);
    if (!to || (!is_sign(to, end_, "日") && !is_sign(to, end_, "号"))) return nullptr;
    return take_date(year, month, day) ? to + 3 : nullptr;
  }
  // 十时二十分三十秒, 十点二十分
  const char* clock_in_numerals(const char* at) {
    Parts clock = parts_;
    const char* to = time_words::numeral(at, end_, &clock.hour);
    if (!to ||
        !(is_sign(to, end_, "时") || is_sign(to, end_, "点") || is_sign(to, end_, "點") || is_sign(to, end_, "時")))
      return nullptr;
    to = time_words::numeral(to + 3, end_, &clock.minute);
    if (!to || !is_sign(to, end_, "分")) return nullptr;
    to += 3;
    if (const char* second = time_words::numeral(to, end_, &clock.second)) {
      if (!is_sign(second, end_, "秒")) return nullptr;
      to = second + 3;
    }
    return take_clock(clock) ? to : nullptr;
  }

  const char* chinese_date(const char* at, const char* to) {
    const char* month = to + 3;
    if (month < end_ && *month == ' ') ++month;
    const char* month_to = month < end_ ? digits(month, 2) : nullptr;
    if (!month_to || !is_sign(month_to, end_, "月")) return nullptr;
    return chinese_month(four(at), number(month, month_to), month_to + 3);
  }
  const char* chinese_month(int year, unsigned month, const char* day) {
    if (day < end_ && *day == ' ') ++day;
    const char* day_to = day < end_ ? digits(day, 2) : nullptr;
    if (!day_to) return nullptr;
    const bool sign = is_sign(day_to, end_, "日") || is_sign(day_to, end_, "号");
    return take_date(year, month, number(day, day_to)) ? day_to + (sign ? 3 : 0) : nullptr;
  }

  // A year behind the clock: "10:20:30 2026".
  const char* year(const char* at) {
    const int value = lone_year(at, end_);
    if (value < 0 || parts_.day > days_in_month(value, parts_.month)) return nullptr;
    parts_.year = value;
    return at + 4;
  }

  static int two_digit_year(unsigned year) { return static_cast<int>(year < 70 ? 2000 + year : 1900 + year); }

  bool take_date(int year, unsigned month, unsigned day) {
    if (month - 1 > 11 || day - 1 > 30) return false;
    if (year < 0 ? day > days_in_month(2000, month)
                 : year < kYearMin || year > kYearMax || day > days_in_month(year, month))
      return false;
    parts_.year = year;
    parts_.month = month;
    parts_.day = day;
    return has_date_ = true;
  }

  // Later than receipt: a date whose numbers were taken in the wrong order.
  bool is_ahead() const {
    return days_from_civil(parts_.year, parts_.month, parts_.day) * kDaySeconds >
           floor_div(near_ + kYearAheadMax, kSecond);
  }

  // ----------------------------------------------------------------------------------------------------------- zones

  const char* offset(const char* at) {
    Zone3339 kind;
    bool minus_zero;
    Parts zone = parts_;
    const char* after = read_offset(at, end_, zone, &kind, &minus_zero);
    if (!after) {  // GMT+8
      if (trust_ != Trust::whole || end_ - at < 2 || !is_digit(at[1])) return nullptr;
      const char* to = digits(at + 1, 2);
      if (!to || number(at + 1, to) > 14) return nullptr;
      zone.has_zone = true;
      zone.zone_minutes = static_cast<int>(number(at + 1, to)) * (*at == '-' ? -60 : 60);
      after = to;
    } else if (kind == kHourOnly && trust_ != Trust::whole && at > from_ && at[-1] == ' ') {
      return nullptr;  // "10:20:30 -01 …" is something else
    } else if (end_ - after > 2 && kind == kHourColonMinute && *after == ':' && is_digit(after[1]) &&
               is_digit(after[2])) {
      after += 3;  // +08:00:00
    }
    parts_ = zone;
    return after;
  }

  const char* zone_name(const char* at) {
    const char* to = at;
    bool slash = false;
    while (to < end_ && to - at < 40 &&
           (is_letter(*to) || *to == '/' || *to == '_' || (slash && (*to == '-' || *to == '+' || is_digit(*to))))) {
      slash |= *to == '/';
      ++to;
    }
    std::string_view name(at, static_cast<size_t>(to - at));
    if (!slash && to < end_ && (*to == '+' || *to == '-') && (name == "GMT" || name == "UTC")) {
      if (const char* after = hours_behind(to)) return after;
    }
    if (to < end_ && (is_digit(*to) || *to == '_' || *to == '-')) return nullptr;
    char upper[6];
    if (!slash) {
      // One or two letters are a zone where nothing else can be meant; three in small letters too.
      if (name.size() > 5 || name.empty()) return nullptr;
      const bool z = name == "Z" || name == "z";
      if (name.size() == 1 && !z) return nullptr;
      if (name.size() == 2 && trust_ == Trust::leading) return nullptr;
      for (size_t i = 0; i < name.size(); ++i) {
        if (trust_ != Trust::whole && !z && (name[i] & 0x20)) return nullptr;
        upper[i] = static_cast<char>(name[i] & ~0x20);
      }
      if (!zone_name_minutes({upper, name.size()}, 0, *zone_)) return nullptr;
    } else if (!Zone::known(name)) {
      return nullptr;
    }
    zone_text_ = name;
    return to;
  }

  // "+8", "+08:00" behind "GMT"
  const char* hours_behind(const char* at) {
    const auto trust = std::exchange(trust_, Trust::whole);
    const char* after = offset(at);
    trust_ = trust;
    return after;
  }

  // "(CST)", "[Asia/Shanghai]", behind an offset too, which then counts.
  const char* zone_in_brackets(const char* at) {
    const char close = *at == '(' ? ')' : ']';
    const char* to = at + 1;
    while (to < end_ && *to != close && to - at < 42) ++to;
    if (to == end_ || *to != close) return nullptr;
    AnyTime inner(*this);
    inner.end_ = to;
    const char* after = inner.zone_name(at + 1);
    if (after != to) return nullptr;
    if (!parts_.has_zone && zone_text_.empty()) {
      parts_ = inner.parts_;
      zone_text_ = inner.zone_text_;
    }
    return to + 1;
  }

  // ------------------------------------------------------------------------------------------------------ the result

  bool settle(TimeText* out) {
    uint8_t inferred = 0;
    if (half_ == Half::pm && parts_.hour < 12) parts_.hour += 12;
    if (half_ == Half::noon && parts_.hour < 3) parts_.hour += 12;
    if (half_ == Half::am && parts_.hour == 12) parts_.hour = 0;
    if (!has_clock_) inferred |= kClockInferred;
    const bool day_is_missing = !has_date_;
    if (day_is_missing) {
      inferred |= kDateInferred;
      take_day_of(floor_div(near_, kSecond) + zone_->offset_seconds_at(floor_div(near_, kSecond)));
    }
    if (!zone_text_.empty()) {
      if (parts_.year < 0 && !infer_year(parts_, near_, *zone_))
        return false;
      else if (parts_.year < 0)
        inferred |= kYearInferred;
      char upper[6];
      const bool slash = zone_text_.find('/') != zone_text_.npos;
      if (!slash)
        for (size_t i = 0; i < zone_text_.size(); ++i) upper[i] = static_cast<char>(zone_text_[i] & ~0x20);
      const auto minutes = zone_name_minutes(slash ? zone_text_ : std::string_view(upper, zone_text_.size()),
                                             local_seconds(parts_), *zone_);
      if (!minutes) return false;
      parts_.has_zone = true;
      parts_.zone_minutes = *minutes;
    }
    parts_.exact = false;
    if (!finish(parts_, TimeForm::other, near_, *zone_, *out)) return false;
    if (day_is_missing) {  // the day nearest to receipt
      if (out->unix_ns > near_ + kDaySeconds / 2 * kSecond) out->unix_ns -= kDaySeconds * kSecond;
      if (out->unix_ns < near_ - kDaySeconds / 2 * kSecond) out->unix_ns += kDaySeconds * kSecond;
    }
    out->inferred |= inferred;
    return true;
  }

  void take_day_of(int64_t local) {
    const auto date = civil_from_days(floor_div(local, kDaySeconds));
    parts_.year = date.year;
    parts_.month = date.month;
    parts_.day = date.day;
  }

  const char* from_;
  const char* end_;
  int64_t near_;
  const Zone* zone_;
  Trust trust_;
  Parts parts_;
  bool has_date_ = false, has_clock_ = false, has_weekday_ = false, basic_date_ = false, six_digits_ = false;
  int zone_after_offset_ = 0;
  const char* no_joint_ = nullptr;  // the comma behind a second that a parser's word would make a fraction's
  Half half_ = Half::none;
  std::string_view zone_text_;
};

}  // namespace

std::optional<ReadTime> read(std::string_view text, Trust trust, int64_t near_unix_ns, const Zone& zone) {
  ReadTime read;
  const char* after = AnyTime(text, trust, near_unix_ns, zone).read(&read.time);
  if (!after) return std::nullopt;
  read.length = static_cast<size_t>(after - text.data());
  return read;
}

}  // namespace yushi::time_elements
