// The words of times: months, weekdays, halves of a day, English and Chinese. Private to the time_*.cc.
#pragma once

#include <cstdint>

namespace yushi::time_words {

// Each gives the byte behind the word, or nullptr when none stands at `at`. A longer word is none: "Sunset", "Marked".

const char* month(const char* at, const char* end, unsigned* month);  // Nov, November, Sept., 11月, 十一月
const char* weekday(const char* at, const char* end);                 // Sun, Sunday, 星期日, 周日
const char* numeral(const char* at, const char* end, unsigned* number);  // 二十八, 十一, 二〇二六: four signs at most
enum class Half : uint8_t { none, am, pm, noon /* 中午: 12, 1, 2 o'clock */ };
const char* half_of_day(const char* at, const char* end, Half* half);  // AM, p.m., 上午, 下午, 晚上, 凌晨

// One Chinese sign of UTF-8 (three bytes), as "年".
bool is_sign(const char* at, const char* end, const char* sign);

}  // namespace yushi::time_words
