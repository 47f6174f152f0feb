// What TimeText::style means for each TimeForm. Private to the time_*.cc; blocks store the numbers, so never give one a
// new meaning: add, or use TimeForm::other.
#pragma once

#include <cstdint>

namespace yushi::time_style {

// TimeForm::rfc3339: bit fields.
//   bits 0-1  what stands between date and time    bit 2     comma before the fraction, not a dot
//   bits 3-5  Zone3339                             bit 6     2026/11/01, not 2026-11-01
//   bit 7     the zone's sign is `-` although it is zero
enum Between : uint8_t { kUpperT = 0, kLowerT = 1, kBlank = 2 };
constexpr uint8_t kComma = 1 << 2;
enum Zone3339 : uint8_t {
  kNoZone = 0 << 3,
  kUpperZ = 1 << 3,
  kLowerZ = 2 << 3,
  kHourColonMinute = 3 << 3,  // +08:00
  kHourMinute = 4 << 3,       // +0800
  kHourOnly = 5 << 3,         // +08
  kBlankHourMinute = 6 << 3,  // " +0800"
  kBlankUtc = 7 << 3,         // " UTC"
};
constexpr uint8_t kZoneMask = 7 << 3;
constexpr uint8_t kSlashes = 1 << 6;
constexpr uint8_t kMinusZero = 1 << 7;

// TimeForm::rfc3164: a number in mixed radix, day + 3 * (year + 4 * (lead + 4 * zone)), at most 239.
enum Day3164 : uint8_t { kDayBlank = 0 /* "Nov  1", and every day of two digits */, kDayZero = 1, kDayShort = 2 };
enum Year3164 : uint8_t { kYearNone = 0, kYearFirst = 1, kYearAfterDay = 2, kYearLast = 3 };
enum Lead3164 : uint8_t { kLeadNone = 0, kLeadStar = 1, kLeadDot = 2, kLeadWeekday = 3 };
enum Zone3164 : uint8_t { kZoneNone = 0, kZoneUtc = 1, kZoneGmt = 2, kZoneCst = 3, kZoneNumber = 4 /* " +0800" */ };

constexpr uint8_t pack3164(unsigned day, unsigned year, unsigned lead, unsigned zone) {
  return static_cast<uint8_t>(day + 3 * (year + 4 * (lead + 4 * zone)));
}

// TimeForm::http_date: bit fields.
//   bits 0-1  between day, month and year: / - blank     bit 2     blank before the time, not `:`
//   bits 3-4  0 no zone, 1 " +0800", 2 " -0000"
enum DateMark : uint8_t { kSlash = 0, kDash = 1, kDateBlank = 2 };
constexpr uint8_t kBlankTime = 1 << 2;
enum ZoneHttp : uint8_t { kHttpNoZone = 0 << 3, kHttpZone = 1 << 3, kHttpMinusZero = 2 << 3 };

// TimeForm::epoch: how many digits of the fraction stand in the integer: 0 seconds, 3 ms, 6 µs, 9 ns.

constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr char kWeekdays[] = "SunMonTueWedThuFriSat";

}  // namespace yushi::time_style
