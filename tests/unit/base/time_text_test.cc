// Times as senders write them: what is read, what is refused, and that what is written back is what stood there.
#include "core/base/time_text.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "core/base/calendar.h"

namespace yushi {
namespace {

int64_t ns(const char* rfc3339) {
  auto time = parse_time(rfc3339, 0, *Zone::utc());
  EXPECT_TRUE(time) << rfc3339;
  return time ? time->unix_ns : 0;
}

std::string written(const TimeText& time) {
  char out[64];
  return {out, format_time(time, out)};
}

std::shared_ptr<const Zone> zone(const char* name) {
  auto found = Zone::find(name);
  EXPECT_TRUE(found) << name;
  return found ? *found : Zone::utc();
}

const int64_t kReceipt = 1'793'520'000 * kSecond;  // 2026-11-01T08:00:00Z

struct Spelling {
  const char* text;
  const char* utc;
  TimeForm form;
  uint8_t inferred = 0;
};

class Spellings : public testing::TestWithParam<Spelling> {};

TEST_P(Spellings, are_read_and_written_back) {
  const Spelling& spelling = GetParam();
  const auto time = parse_time(spelling.text, kReceipt, *Zone::utc());
  ASSERT_TRUE(time) << spelling.text;
  EXPECT_EQ(utc_text(time->unix_ns), spelling.utc) << spelling.text;
  EXPECT_EQ(time->form, spelling.form) << spelling.text;
  EXPECT_EQ(time->inferred, spelling.inferred) << spelling.text;
  EXPECT_EQ(written(*time), spelling.form == TimeForm::other ? "" : spelling.text);
}

constexpr uint8_t kZ = kZoneInferred, kYZ = kZoneInferred | kYearInferred;
constexpr auto k3339 = TimeForm::rfc3339, k3164 = TimeForm::rfc3164, kHttp = TimeForm::http_date,
               kEpoch = TimeForm::epoch, kOther = TimeForm::other;

INSTANTIATE_TEST_SUITE_P(All, Spellings,
                         testing::Values(
                             // RFC 3339 and its kin
                             Spelling{"2026-11-01T08:00:00Z", "2026-11-01T08:00:00.000Z", k3339},
                             Spelling{"2026-11-01t08:00:00z", "2026-11-01T08:00:00.000Z", k3339},
                             Spelling{"2026-11-01 08:00:00", "2026-11-01T08:00:00.000Z", k3339, kZ},
                             Spelling{"2026-11-01T08:00:00.1Z", "2026-11-01T08:00:00.100Z", k3339},
                             Spelling{"2026-11-01 08:00:00,123", "2026-11-01T08:00:00.123Z", k3339, kZ},
                             Spelling{"2026-11-01T08:00:00.123456Z", "2026-11-01T08:00:00.123456Z", k3339},
                             Spelling{"2026-11-01T08:00:00.123456789+08:00", "2026-11-01T00:00:00.123456789Z", k3339},
                             Spelling{"2026-11-01T08:00:00+0800", "2026-11-01T00:00:00.000Z", k3339},
                             Spelling{"2026-11-01 08:00:00.5-03", "2026-11-01T11:00:00.500Z", k3339},
                             Spelling{"2026-11-01T08:00:00-00:00", "2026-11-01T08:00:00.000Z", k3339},
                             Spelling{"2026-11-01T08:00:00+00:00", "2026-11-01T08:00:00.000Z", k3339},
                             Spelling{"2026-11-01 08:00:00.123 +0530", "2026-11-01T02:30:00.123Z", k3339},
                             Spelling{"2026-11-01 08:00:00.123 UTC", "2026-11-01T08:00:00.123Z", k3339},
                             Spelling{"2026/11/01 08:00:00", "2026-11-01T08:00:00.000Z", k3339, kZ},
                             Spelling{"2026-11-01 08:00:00 EST", "2026-11-01T13:00:00.000Z", kOther},
                             Spelling{"2026-11-01 08:00:00 +08:00", "2026-11-01T00:00:00.000Z", kOther},
                             Spelling{"2026-11-01T08:00:00.1234567891Z", "2026-11-01T08:00:00.123456789Z", kOther},
                             Spelling{"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999999Z", kOther},
                             Spelling{"20261101T080000Z", "2026-11-01T08:00:00.000Z", kOther},
                             // RFC 3164 and its dialects
                             Spelling{"Nov  1 08:00:00", "2026-11-01T08:00:00.000Z", k3164, kYZ},
                             Spelling{"Nov 01 08:00:00", "2026-11-01T08:00:00.000Z", k3164, kYZ},
                             Spelling{"Nov 1 08:00:00", "2026-11-01T08:00:00.000Z", k3164, kYZ},
                             Spelling{"Oct 31 08:00:00", "2026-10-31T08:00:00.000Z", k3164, kYZ},
                             Spelling{"Oct 31 08:00:00.123456", "2026-10-31T08:00:00.123456Z", k3164, kYZ},
                             Spelling{"Nov 1 2025 08:00:00", "2025-11-01T08:00:00.000Z", k3164, kZ},
                             Spelling{"2025 Nov 1 08:00:00", "2025-11-01T08:00:00.000Z", k3164, kZ},
                             Spelling{"2025 Nov 11 08:00:00.12", "2025-11-11T08:00:00.120Z", k3164, kZ},
                             Spelling{"Nov  1 08:00:00 2025", "2025-11-01T08:00:00.000Z", k3164, kZ},
                             Spelling{"*Nov  1 08:00:00.123", "2026-11-01T08:00:00.123Z", k3164, kYZ},
                             Spelling{".Nov  1 08:00:00.123", "2026-11-01T08:00:00.123Z", k3164, kYZ},
                             Spelling{"*Nov  1 2025 08:00:00.123 UTC", "2025-11-01T08:00:00.123Z", k3164},
                             Spelling{"Nov  1 08:00:00 UTC", "2026-11-01T08:00:00.000Z", k3164, kYearInferred},
                             Spelling{"Nov  1 08:00:00.000 GMT", "2026-11-01T08:00:00.000Z", k3164, kYearInferred},
                             Spelling{"Nov  1 08:00:00 CST", "2026-11-01T14:00:00.000Z", k3164, kYearInferred},
                             Spelling{"Nov  1 08:00:00 CET", "2026-11-01T07:00:00.000Z", kOther, kYearInferred},
                             Spelling{"Nov  1 2025 08:00:00 +0800", "2025-11-01T00:00:00.000Z", k3164},
                             Spelling{"Sun Nov  1 08:00:00 2026", "2026-11-01T08:00:00.000Z", k3164, kZ},
                             Spelling{"Sun Nov 01 08:00:00.123456 2026", "2026-11-01T08:00:00.123456Z", k3164, kZ},
                             Spelling{"Sun Nov  1 08:00:00 UTC 2026", "2026-11-01T08:00:00.000Z", kOther},
                             Spelling{"Mon Nov  1 08:00:00 2026", "2026-11-01T08:00:00.000Z", kOther,
                                      kZ},  // it was a Sunday
                             Spelling{"NOV  1 08:00:00", "2026-11-01T08:00:00.000Z", kOther, kYZ},
                             Spelling{"Nov  1  8:00:00", "2026-11-01T08:00:00.000Z", kOther, kYZ},
                             Spelling{"Nov 1 8:00:00", "2026-11-01T08:00:00.000Z", kOther, kYZ},
                             Spelling{"Nov  1 8:00:00", "2026-11-01T08:00:00.000Z", kOther, kYZ},
                             // web servers and others
                             Spelling{"01/Nov/2026:08:00:00 +0800", "2026-11-01T00:00:00.000Z", kHttp},
                             Spelling{"01/Nov/2026:08:00:00 -0000", "2026-11-01T08:00:00.000Z", kHttp},
                             Spelling{"01-Nov-2026 08:00:00.123", "2026-11-01T08:00:00.123Z", kHttp, kZ},
                             Spelling{"01 Nov 2026 08:00:00.123", "2026-11-01T08:00:00.123Z", kHttp, kZ},
                             Spelling{"Sun, 01 Nov 2026 08:00:00 GMT", "2026-11-01T08:00:00.000Z", kOther},
                             Spelling{"1364481363", "2013-03-28T14:36:03.000Z", kEpoch},
                             Spelling{"1364481363.243", "2013-03-28T14:36:03.243Z", kEpoch},
                             Spelling{"1364481363243", "2013-03-28T14:36:03.243Z", kEpoch},
                             Spelling{"1364481363243123", "2013-03-28T14:36:03.243123Z", kEpoch},
                             Spelling{"1364481363243123456", "2013-03-28T14:36:03.243123456Z", kEpoch},
                             Spelling{"11/01/2026:08:00:00 GMT", "2026-11-01T08:00:00.000Z", kOther},
                             Spelling{"11/01/2026:08:00:00", "2026-11-01T08:00:00.000Z", kOther, kZ},
                             Spelling{"28/10/2026:08:00:00 CET", "2026-10-28T07:00:00.000Z", kOther},
                             Spelling{"261101  8:00:00", "2026-11-01T08:00:00.000Z", kOther, kZ},
                             Spelling{"261101 18:00:00", "2026-11-01T18:00:00.000Z", kOther, kZ},
                             Spelling{"17/06/09 20:10:40", "2017-06-09T20:10:40.000Z", kOther, kZ}));

TEST(TimeText, what_is_impossible_is_not_a_time) {
  for (const char* text : {"2026-02-30T08:00:00Z",
                           "2026-13-01T08:00:00Z",
                           "2026-00-01T08:00:00Z",
                           "2026-11-00T08:00:00Z",
                           "2026-11-31T08:00:00Z",
                           "2026-11-01T25:00:00Z",
                           "2026-11-01T24:00:00Z",
                           "2026-11-01T08:60:00Z",
                           "2026-11-01T08:00:61Z",
                           "2025-02-29T08:00:00Z",
                           "1900-02-29T08:00:00Z",
                           "0001-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "2026-11-01",
                           "2026-11-01T08:00",
                           "2026/11-01 08:00:00",
                           "2026-11-01_08:00:00",
                           "Feb 30 08:00:00",
                           "Nov 31 08:00:00",
                           "Nov  0 08:00:00",
                           "Nov 32 08:00:00",
                           "Foo  1 08:00:00",
                           "Nov  1 24:00:00",
                           "Nov  1 08:00",
                           "Nov   1 08:00:00",
                           "Nov 1",
                           "Feb 29 2025 08:00:00",
                           "32/Nov/2026:08:00:00",
                           "31/Nov/2026:08:00:00 +0000",
                           "01/Nov-2026:08:00:00",
                           "0364481363",
                           "13644813631",
                           "136448136",
                           "",
                           " ",
                           "2026-11-01T08:00:001Z",
                           "Nov  1 08:00:000",
                           "*",
                           "*Nov",
                           "....................",
                           "*2026 08:00:00 xxxxxxxxxx"})
    EXPECT_FALSE(parse_time(text, kReceipt, *Zone::utc())) << text;
}

TEST(TimeText, a_year_that_64_bits_of_ns_cannot_hold_is_a_time_of_no_instant) {
  const std::pair<const char*, size_t> cases[] = {
      {"9999-12-31T23:59:59Z host", 20}, {"0001-01-01T00:00:00Z host", 20}, {"0000-02-29T00:00:00.5+08:00 host", 27},
      {"1677-12-31 23:59:59 host", 19},  {"2262-01-01T00:00:00", 19},       {"99991231T235959Z host", 16}};
  for (auto& [text, length] : cases) {
    const auto read = read_time(text, kReceipt, *Zone::utc());
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->length, length) << text;
    EXPECT_EQ(read->time.form, TimeForm::none) << text;
    EXPECT_FALSE(parse_time(std::string_view(text, length), kReceipt, *Zone::utc())) << text;
  }
  for (const char* text : {"9999-02-29T00:00:00Z", "0001-13-01T00:00:00Z", "9999-12-31T24:00:00Z"})
    EXPECT_FALSE(read_time(text, kReceipt, *Zone::utc())) << text;
  for (const char* text : {"1678-01-01T00:00:00Z", "2261-12-31T23:59:59.999999999Z"})
    EXPECT_TRUE(parse_time(text, kReceipt, *Zone::utc())) << text;
}

TEST(TimeText, a_time_ends_where_it_ends) {
  const std::pair<const char*, size_t> cases[] = {{"2026-11-01T08:00:00Z host", 20},
                                                  {"2026-11-01 08:00:00 host", 19},
                                                  {"2026-11-01 08:00:00.123 [main]", 23},
                                                  {"2026-11-01 08:00:00, host", 19},
                                                  {"2026-11-01 08:00:00-foo", 19},
                                                  {"2026-11-01 08:00:00 -5 foo", 19},
                                                  {"Nov  1 08:00:00 host app:", 15},
                                                  {"Nov  1 08:00:00: host", 15},
                                                  {"Nov  1 08:00:00 2026 host", 20},
                                                  {"Nov  1 08:00:00 2026host", 15},
                                                  {"Nov  1 08:00:00 2001:db8::7 x", 15},
                                                  {"Nov  1 08:00:00 UTC: %SYS", 19},
                                                  {"Nov  1 08:00:00 UTCx", 15},
                                                  {"Nov  1 08:00:00 WEB host", 15},
                                                  {"Nov  1 08:00:00 CST-web1 x", 15},
                                                  {"1364481363.243:24287): x", 14},
                                                  {"1364481363,5", 10},
                                                  {"2026-11-01T08:00:00Zulu", 19}};
  for (const auto& [text, length] : cases) {
    const auto read = read_time(text, kReceipt, *Zone::utc());
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->length, length) << text;
  }
}

TEST(TimeText, a_missing_year_is_the_latest_that_is_not_more_than_two_days_ahead_of_receipt) {
  const auto year = [](const char* text, const char* receipt) {
    const auto time = parse_time(text, ns(receipt), *Zone::utc());
    return time ? utc_text(time->unix_ns).substr(0, 10) : "none";
  };
  EXPECT_EQ(year("Dec 31 23:59:59", "2027-01-01T00:00:05Z"), "2026-12-31");
  EXPECT_EQ(year("Jan  1 00:00:01", "2026-12-31T23:59:58Z"), "2027-01-01");
  EXPECT_EQ(year("Jun 15 12:00:00", "2026-12-01T00:00:00Z"), "2026-06-15");
  EXPECT_EQ(year("May 15 12:00:00", "2026-12-01T00:00:00Z"), "2026-05-15");
  EXPECT_EQ(year("Dec 10 12:00:00", "2026-11-28T00:00:00Z"), "2025-12-10");
  EXPECT_EQ(year("Nov 29 23:59:59", "2026-11-28T00:00:00Z"), "2026-11-29");
  EXPECT_EQ(year("Nov 30 00:00:00", "2026-11-28T00:00:00Z"), "2026-11-30");
  EXPECT_EQ(year("Nov 30 00:00:01", "2026-11-28T00:00:00Z"), "2025-11-30");
  EXPECT_EQ(year("Jan  2 12:00:00", "2026-12-31T13:00:00Z"), "2027-01-02");
  EXPECT_EQ(year("Jan  3 12:00:00", "2026-12-31T13:00:00Z").substr(0, 4), "2026");
  // With a zone, of the message or the tenant's, it is the instant that counts.
  EXPECT_EQ(year("Nov 30 07:59:59 +0800", "2026-11-28T00:00:00Z"), "2026-11-29");
  EXPECT_EQ(year("Nov 30 00:00:00 -0800", "2026-11-28T00:00:00Z"), "2025-11-30");
  EXPECT_EQ(year("Feb 29 12:00:00", "2024-03-01T00:00:00Z"), "2024-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2026-02-01T00:00:00Z"), "2024-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2026-11-01T00:00:00Z"), "2024-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2028-02-27T13:00:00Z"), "2028-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2028-02-27T11:00:00Z"), "2024-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2100-02-28T00:00:00Z"), "2096-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "2100-03-02T00:00:00Z"), "2096-02-29");
  EXPECT_EQ(year("Feb 29 12:00:00", "1904-02-01T00:00:00Z"), "1896-02-29");
}

TEST(TimeText, a_missing_zone_is_the_tenants) {
  const auto shanghai = zone("Asia/Shanghai"), berlin = zone("Europe/Berlin"), chicago = zone("America/Chicago");
  const auto utc = [](const char* text, const Zone& where) {
    return utc_text(parse_time(text, kReceipt, where)->unix_ns);
  };
  EXPECT_EQ(utc("2026-11-01 08:00:00", *shanghai), "2026-11-01T00:00:00.000Z");
  EXPECT_EQ(utc("2026-07-01 08:00:00", *berlin), "2026-07-01T06:00:00.000Z");
  EXPECT_EQ(utc("2026-12-01 08:00:00", *berlin), "2026-12-01T07:00:00.000Z");
  EXPECT_EQ(utc("2026-10-25 02:30:00", *berlin), "2026-10-25T00:30:00.000Z");  // comes twice: the first
  EXPECT_EQ(utc("Nov  1 08:00:00 CST", *shanghai), "2026-11-01T00:00:00.000Z");
  EXPECT_EQ(utc("Nov  1 08:00:00 CST", *chicago), "2026-11-01T14:00:00.000Z");
  EXPECT_EQ(parse_time("2026-11-01 08:00:00", kReceipt, *shanghai)->zone_minutes, 480);
}

TEST(Zone, an_unknown_name_is_not_found_and_says_so) {
  const auto found = Zone::find("Asia/Nowhere");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::not_found);
  EXPECT_NE(found.error().message.find("Asia/Nowhere"), std::string::npos);
}

TEST(Zone, offsets_are_those_of_the_tz_database_at_random_instants) {
  std::mt19937_64 random(7);
  for (const char* name : {"Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran",
                           "Pacific/Apia", "Africa/Casablanca", "UTC", "America/Caracas"}) {
    const auto* known = date::locate_zone(name);
    const auto ours = zone(name);
    EXPECT_EQ(ours->name(), name);
    for (int i = 0; i < 20'000; ++i) {
      const int64_t at = static_cast<int64_t>(random() % 6'200'000'000) - 2'200'000'000;
      const auto info = known->get_info(date::sys_seconds(std::chrono::seconds(at)));
      ASSERT_EQ(ours->offset_seconds_at(at), info.offset.count()) << name << " " << at;
      const auto local = known->get_info(date::local_seconds(std::chrono::seconds(at)));
      if (local.result == date::local_info::nonexistent) continue;
      ASSERT_EQ(ours->offset_seconds_at_local(at), local.first.offset.count()) << name << " local " << at;
    }
  }
}

TEST(Calendar, agrees_with_date_for_every_day_of_eight_centuries) {
  for (int64_t day = -200'000; day < 150'000; ++day) {
    const date::year_month_day known{date::sys_days(date::days(day))};
    const CivilDate ours = civil_from_days(day);
    ASSERT_EQ(ours.year, static_cast<int>(known.year()));
    ASSERT_EQ(ours.month, static_cast<unsigned>(known.month()));
    ASSERT_EQ(ours.day, static_cast<unsigned>(known.day()));
    ASSERT_EQ(days_from_civil(ours.year, ours.month, ours.day), day);
    ASSERT_EQ(weekday_from_days(day), date::weekday(date::sys_days(date::days(day))).c_encoding());
  }
}

TEST(TimeText, random_instants_come_back_in_every_form_and_zone) {
  std::mt19937_64 random(11);
  const std::shared_ptr<const Zone> zones[] = {Zone::utc(), zone("Asia/Shanghai"), zone("America/St_Johns"),
                                               zone("Asia/Kathmandu"), zone("Europe/Berlin")};
  const uint64_t span = static_cast<uint64_t>(4'102'444'800) * kSecond;  // 1970 … 2100
  for (int i = 0; i < 200'000; ++i) {
    TimeText time;
    time.digits = static_cast<uint8_t>(random() % 10);
    int64_t unit = 1;
    for (int k = time.digits; k < 9; ++k) unit *= 10;
    time.unix_ns = static_cast<int64_t>(random() % span) / unit * unit;
    const Zone& where = *zones[random() % 5];
    time.zone_minutes = static_cast<int16_t>(where.offset_seconds_at(floor_div(time.unix_ns, kSecond)) / 60);
    time.form = static_cast<TimeForm>(1 + random() % 4);
    time.style = static_cast<uint8_t>(random());
    char out[64];
    const size_t length = format_time(time, out);
    ASSERT_LE(length, 48u);
    const std::string_view text(out, length);
    const auto read = parse_time(text, time.unix_ns, where);
    if (!read) continue;  // a style that no reader makes
    if (read->form == TimeForm::other) continue;
    ASSERT_EQ(written(*read), text);
    // Every style that the reader itself gives keeps the instant, but an hour that comes twice has two instants.
    if (read->style == time.style && read->form == time.form && read->digits == time.digits &&
        !(read->inferred & kZoneInferred) && read->zone_minutes == time.zone_minutes) {
      ASSERT_EQ(read->unix_ns, time.unix_ns) << text;
    }
  }
}

TEST(TimeText, format_utc_writes_3_6_or_9_digits_and_no_more_than_needed) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_text(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(utc_text(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(utc_text(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(utc_text(1'500'000'000), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(utc_text(1'500'001'000), "1970-01-01T00:00:01.500001Z");
  EXPECT_EQ(utc_text(1'500'001'001), "1970-01-01T00:00:01.500001001Z");
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const auto at = static_cast<int64_t>(random());
    const auto known = date::format("%FT%TZ", date::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(at)));
    std::string ours = utc_text(at);
    ours.pop_back();
    while (ours.size() < known.size() - 1) ours += '0';
    ASSERT_EQ(ours + "Z", known);
    ASSERT_EQ(ns(utc_text(at / 3).c_str()), at / 3);
  }
}

TEST(TimeText, damaged_styles_write_nothing_out_of_bounds) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200'000; ++i) {
    TimeText time;
    time.unix_ns = static_cast<int64_t>(random());
    time.form = static_cast<TimeForm>(random());
    time.digits = static_cast<uint8_t>(random() % 12);
    time.style = static_cast<uint8_t>(random());
    time.zone_minutes = static_cast<int16_t>(random());
    char out[64];
    ASSERT_LE(format_time(time, out), 48u);
  }
}

}  // namespace
}  // namespace yushi
