// Rows as programs and people read them: one flat JSON object a row, and bars of a histogram.
//
// Invariants  Nothing of a log's text reaches a terminal from bars as it is (core/base/display.h). Columns are aligned
//             by display width, so that Chinese text keeps them straight.
//             JSON carries the values as they are, for programs, and is always valid UTF-8.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/base/time_text.h"
#include "query/pipe/row.h"

namespace yushi::query {

struct TableStyle {
  size_t columns_max = ~size_t{0};                 // of the terminal; what is wider is cut, ending in `…`
  std::shared_ptr<const Zone> zone = Zone::utc();  // of the times shown
};

// {"f1":1,"f2":["a","b"]}; a missing cell is left out. No newline.
std::string render_json_row(const Table& table, const Row& row);
// A table of Query::histogram(): a line and a bar for each span, empty ones between the first and the last too, of
// which more than 24 in a row are one line (at most 10,000 lines).
std::string render_bars(const Table& table, int64_t every_ns, const TableStyle& style);

// 2026-11-01 08:00:00.123+08:00: as many digits as lose nothing, in groups of three.
std::string time_in_zone(int64_t unix_ns, const Zone& zone);
// 1,234,567
std::string grouped(uint64_t number);

}  // namespace yushi::query
