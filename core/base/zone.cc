// Zone: IANA zones by the system's tz database, unrolled once into a table, so that no message searches the database.
#include <date/tz.h>

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/calendar.h"
#include "core/base/mutex.h"
#include "core/base/time_text.h"

namespace yushi {
namespace {

// All offsets from 1900 to 2100; outside, the first and the last one hold.
constexpr int64_t kFirst = days_from_civil(1900, 1, 1) * kDaySeconds;
constexpr int64_t kLast = days_from_civil(2100, 1, 1) * kDaySeconds;
// 2^22 s are 48.5 days: a bucket seldom holds more than one transition, and a zone costs 6 KiB of starts.
constexpr int kBucketShift = 22;

class TableZone final : public Zone {
 public:
  struct Span {
    int64_t end;     // Unix seconds, exclusive
    int64_t offset;  // seconds east of UTC
  };

  TableZone(std::string name, std::vector<Span> spans) : name_(std::move(name)), spans_(std::move(spans)) {
    spans_.back().end = INT64_MAX;
    size_t span = 0;
    for (int64_t start = kFirst; start < kLast; start += int64_t{1} << kBucketShift) {
      // A local time may be a day away from UTC: start looking at the span of two days before.
      while (spans_[span].end <= start - 2 * kDaySeconds) ++span;
      starts_.push_back(static_cast<uint16_t>(span));
    }
  }

  std::string_view name() const override { return name_; }

  int64_t offset_seconds_at(int64_t unix_seconds) const override { return span_at(unix_seconds)->offset; }

  int64_t offset_began_at(int64_t unix_seconds) const override {
    const Span* span = span_at(unix_seconds);
    return span == spans_.data() ? INT64_MIN : span[-1].end;
  }

  int64_t offset_seconds_at_local(int64_t local_seconds) const override {
    const Span* span = first(local_seconds);
    while (span->end != INT64_MAX && local_seconds >= span->end + std::max(span->offset, span[1].offset)) ++span;
    return span->offset;
  }

 private:
  const Span* span_at(int64_t unix_seconds) const {
    const Span* span = first(unix_seconds);
    while (unix_seconds >= span->end) ++span;
    return span;
  }

  // Of a time on either clock: the span that holds it, or one before.
  const Span* first(int64_t seconds) const {
    const int64_t clamped = std::clamp(seconds, kFirst, kLast - 1);
    return &spans_[starts_[static_cast<size_t>((clamped - kFirst) >> kBucketShift)]];
  }

  std::string name_;
  std::vector<Span> spans_;
  std::vector<uint16_t> starts_;  // by time bucket: the first span that can hold it
};

}  // namespace

std::shared_ptr<const Zone> Zone::utc() {
  static const std::shared_ptr<const Zone> kUtc =
      std::make_shared<TableZone>("UTC", std::vector<TableZone::Span>{{INT64_MAX, 0}});
  return kUtc;
}

const Zone* Zone::known(std::string_view iana_name) {
  // The names alone first: an unknown one would cost an exception, and a stranger may write as many as he likes.
  static const std::set<std::string, std::less<>> names = [] {
    std::set<std::string, std::less<>> out;
    try {
      for (auto& zone : date::get_tzdb().zones) out.insert(zone.name());
    } catch (const std::exception&) {  // no tz database on this system: no names
    }
    return out;
  }();
  if (!names.contains(iana_name)) return nullptr;
  thread_local std::string last_name;
  thread_local const Zone* last = nullptr;
  if (!last || last_name != iana_name) {
    const auto found = find(iana_name);
    last = found ? found->get() : nullptr;
    last_name = iana_name;
  }
  return last;
}

Result<std::shared_ptr<const Zone>> Zone::find(std::string_view iana_name) {
  if (iana_name == "UTC") return utc();
  static Mutex mutex;
  static std::map<std::string, std::shared_ptr<const Zone>, std::less<>> known YUSHI_GUARDED_BY(mutex);
  MutexLock lock(mutex);
  if (auto it = known.find(iana_name); it != known.end()) return it->second;
  try {
    const date::time_zone* zone = date::locate_zone(std::string(iana_name));
    std::vector<TableZone::Span> spans;
    for (int64_t at = kFirst; at < kLast;) {
      const auto info = zone->get_info(date::sys_seconds(std::chrono::seconds(at)));
      const int64_t end = info.end.time_since_epoch().count();
      if (!spans.empty() && spans.back().offset == info.offset.count())
        spans.back().end = end;
      else
        spans.push_back({end, info.offset.count()});
      if (end <= at) break;
      at = end;
    }
    std::shared_ptr<const Zone> made = std::make_shared<TableZone>(std::string(iana_name), std::move(spans));
    known.emplace(std::string(iana_name), made);
    return made;
  } catch (const std::exception& error) {
    return fail(Code::not_found, "time zone " + std::string(iana_name) +
                                     ": not in this system's tz database (install tzdata, or write a name such as "
                                     "Asia/Shanghai): " +
                                     error.what());
  }
}

}  // namespace yushi
