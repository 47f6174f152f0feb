// The time of an event that a message has in several captures, as `date=2026-11-28 time=10:20:30 tz="+0800"`.
//
// A pattern's captures are shown to take() one by one, as views into the text; settle() moves the record's time when
// there are parts of one. A zone may also belong to @timestamp, and a clock under the name of @timestamp to a date (so
// it is where a dictionary of names takes `time`). Private to parsers/.
#pragma once

#include <string_view>

#include "core/base/time_any.h"
#include "core/record/record.h"

namespace yushi::parsers {

struct EventTimeParts {
  bool any = false;

  void take(const Field* field, std::string_view text) {
    // The four stand first in the table of fields: all others are passed over at once.
    if (field->id > ecs::timestamp_zone->id || field->id == kDynamicField) [[likely]]
      return;
    if (field == ecs::timestamp) {
      if (whole.empty()) whole = text;
      return;
    }
    auto& part = field == ecs::timestamp_date ? date : field == ecs::timestamp_time ? clock : zone;
    if (part.empty()) part = text;
    any = true;
  }

  void settle(Record& record, const Zone& own) const {
    const int64_t near = record.origin ? record.origin->received_ns : record.event_ns;
    std::optional<TimeText> time;
    if (!date.empty() || !clock.empty()) time = parse_time_parts(date, clock.empty() ? whole : clock, zone, near, own);
    if (!time && !whole.empty()) time = parse_time_parts(whole, {}, zone, near, own);
    if (!time) return;
    record.event_ns = time->unix_ns;
    record.event_digits = time->digits;
    record.time_inferred = time->inferred;
  }

 private:
  std::string_view whole, date, clock, zone;
};

}  // namespace yushi::parsers
