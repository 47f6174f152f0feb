// Joined events in place of records: what `search --events` goes through.
//
// A unit of the scan is a sealed block here, or some chunks of the tail together. Reading it gives the events whose
// first line lies in it: what comes before it is read to know which lines belong to an earlier event, and what comes
// behind it until the last event is whole. No token filter holds it back, since the words of a question may stand in
// several lines.
//
// Memory   Beside the unit's segments the one before them and, while an event is open, those behind.
// Errors   Those of the store; the unit is then missing in the answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/parser_set.h"
#include "query/scan/scan.h"
#include "storage/read/view.h"

namespace yushi::query {

// What lines are joined by: the parsers of today, and the zone of a log's times that have none.
struct EventReading {
  std::shared_ptr<const parsers::ParserSet> parsers;
  std::function<std::shared_ptr<const Zone>(std::string_view log)> zone_of;
};
using EventReadingSource = std::function<Result<EventReading>()>;

// Of one log. The view must outlive the units.
Result<std::vector<UnitGroup>> event_groups(const storage::StoreView& view, const std::string& log,
                                            const EventReading& reading);

}  // namespace yushi::query
