// What is told of fields that no record has: never more than was looked at.
#include "query/scan/field_watch.h"

#include <gtest/gtest.h>

#include "core/filter/when.h"
#include "query/pipe/run.h"
#include "scan_units.h"

namespace yushi::query::test {
namespace {

using Notes = std::vector<std::string>;
std::vector<Said> records() {
  return {{1'000, "one root from", {{"user.name", "root"}, {"source.ip", "192.0.2.1"}}},
          {2'000, "two alice by", {{"user.name", "alice"}, {"json.user", "x"}}},
          {3'000, "three", {{"http.response.bytes", "12"}}}};
}

struct Store {
  explicit Store(size_t cut = 1) {
    auto all = records();
    for (size_t at = 0; at < all.size(); at += cut) {
      std::vector<Said> some(all.begin() + static_cast<ptrdiff_t>(at),
                             all.begin() + static_cast<ptrdiff_t>(std::min(at + cut, all.size())));
      units.push_back(unit_of("default", at, some));
      units.back().open = [this, open = units.back().open] {
        ++opened;
        return open();
      };
    }
  }
  Notes notes(const std::string& text, ScanOptions options = {}, std::string place = {}) {
    auto query = Query::parse(text, {});
    EXPECT_TRUE(query) << query.error().message;
    if (!query) return {};
    FieldWatch watch(*query, options, std::move(place));
    auto groups = one_group(units);
    watch.watch(groups);
    uint64_t found = 0;
    if (query->is_plain()) {
      auto report = scan(
          groups, query->filter, options, [](const Record&, Scratch&, std::string&) {}, [](ScanHit&&) { return true; },
          kGoOn);
      EXPECT_TRUE(report);
      found = report->records_found;
    } else {
      auto answer = run_pipe(*query, groups, options, kGoOn);
      EXPECT_TRUE(answer);
      found = answer->table.rows.size();
    }
    return watch.notes(groups, found == 0, kGoOn);
  }
  std::vector<ScanUnit> units;
  size_t opened = 0;
};

Notes notes(const std::string& text, ScanOptions options = {}, std::string place = {}) {
  return Store().notes(text, options, std::move(place));
}

TEST(FieldWatch, AMisspeltNameIsToldWithTheOneThatWasMeant) {
  const Notes told = {"no record has the field user.nam; did you mean user.name?"};
  for (const char* text :
       {"user.nam: root", "user.nam: zzz", "user.nam: *", "not user.nam: root", "root or user.nam: x",
        "user.nam: root | stats count()", "* | fields user.nam", "* | stats sum(user.nam)",
        "* | stats count() by user.nam", "* | sort user.nam", "* | where user.nam: x",
        "* | head 1 | where user.nam > 5", "* | top 5 user.nam", "user.nam ~ /x/"})
    EXPECT_EQ(notes(text), told) << text;
  EXPECT_EQ(notes("usr.name: root"), Notes{"no record has the field usr.name; did you mean user.name?"});
  EXPECT_EQ(notes("json.usre: x"), Notes{"no record has the field json.usre; did you mean json.user?"});
  EXPECT_EQ(notes("nosuch: x"), Notes{"no record has the field nosuch"});
  EXPECT_EQ(notes("Source.IP: *"), Notes{"no record has the field Source.IP; did you mean source.ip?"});
}

TEST(FieldWatch, AFieldThatIsThereIsNotToldHoweverLittleWasRead) {
  for (const char* text : {"user.name: nobody", "source.ip: 203.0.113.9", "zzz and user.name: x", "json.user: y",
                           "* | fields user.name", "zzz | stats count() by json.user", "message: zzz", "event.id: x",
                           "@timestamp < 1970-01-01 and @timestamp > 1969-01-01"})
    EXPECT_EQ(notes(text), Notes{}) << text;
}

TEST(FieldWatch, AKnownFieldThatNoRecordHasIsToldOnlyWhereItExplainsTheAnswer) {
  EXPECT_EQ(notes("user.email: x"), Notes{"no record has the field user.email"});
  EXPECT_EQ(notes("* | fields user.email"), Notes{"no record has the field user.email"});
  EXPECT_EQ(notes("* | stats count() by user.email"), Notes{"no record has the field user.email"});
  EXPECT_EQ(notes("user.name: root and not user.email: x"), Notes{});
  EXPECT_EQ(notes("user.name: root and not user.emial: x").size(), 1u);
}

TEST(FieldWatch, TheNoteSpeaksOfTheTimeAndThePlaceThatWereAsked) {
  ScanOptions late;
  late.from_ns = 3'000;
  EXPECT_EQ(notes("user.name: root", late), Notes{"no record has the field user.name (in the time asked)"});
  EXPECT_EQ(notes("user.nam: root", {}, "tenant a"),
            Notes{"no record has the field user.nam (tenant a); did you mean user.name?"});
  late.from_ns = 4'000;  // no record at all: a known field is not to blame
  EXPECT_EQ(notes("user.name: root", late), Notes{});
  EXPECT_EQ(notes("user.nam: root", late),
            Notes{"no record has the field user.nam (in the time asked); did you mean user.name?"});
}

TEST(FieldWatch, WhatWasNotLookedAtIsNotSpokenOf) {
  Store store;
  store.units[0].open = [] { return Result<std::unique_ptr<storage::BlockReader>>(fail(Code::corrupt, "damaged")); };
  EXPECT_EQ(store.notes("user.nam: root"),
            Notes{"none of the 2 records looked at has the field user.nam; did you mean user.name?"});
  EXPECT_EQ(store.notes("source.ip: 192.0.2.1"), Notes{"none of the 2 records looked at has the field source.ip"});
}

TEST(FieldWatch, UnitsAreAskedForTheirNamesOnlyUntilTheFieldIsSeen) {
  Store store;
  EXPECT_EQ(store.notes("http.response.bytes: 99"), Notes{});
  EXPECT_EQ(store.opened, 3u);  // a number prunes nothing
  store.opened = 0;
  store.notes("user.name: root");
  EXPECT_EQ(store.opened, 1u);
}

TEST(FieldWatch, OnlyTheNewestDaysAreAskedForTheirNames) {
  std::vector<UnitGroup> days;
  size_t opened = 0, asked = 0;
  for (size_t day = 0; day < 40; ++day) {
    std::vector<ScanUnit> units;
    for (size_t i = 0; i < 10; ++i) {
      units.push_back(
          unit_of("default", day * 10 + i, {{static_cast<int64_t>(day * 10 + i), "x", {{"user.name", "root"}}}}));
      units.back().open = [&asked, open = units.back().open] {
        ++asked;
        return open();
      };
    }
    days.push_back(group_of(std::move(units), [&] { ++opened; }));
  }
  auto query = Query::parse("user.nam: zzz", {});
  FieldWatch watch(*query, {}, "");
  watch.watch(days);
  EXPECT_EQ(watch.notes(days, true, kGoOn),
            Notes{"none of the 64 records looked at has the field user.nam; did you mean user.name?"});
  EXPECT_EQ(asked, 64u);
  EXPECT_EQ(opened, 7u);
}

TEST(FieldWatch, ASumOfWhatIsNoNumberIsTold) {
  auto query = Query::parse("* | stats sum(user.name), avg(http.response.bytes), count()", {});
  Store store;
  auto answer = run_pipe(*query, one_group(store.units), {}, kGoOn);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->notes, Notes{"sum(user.name) is empty: no value of user.name is a number"});
}

}  // namespace
}  // namespace yushi::query::test
