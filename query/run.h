// Runs the stages of a pipe over what a scan finds: query -> table.
//
// A query without stages is a search for records: call scan() with it.
//
// Memory  What a table holds, up to ScanOptions::bytes_max: `exhausted`, never a table that is cut silently.
#pragma once

#include <atomic>
#include <vector>

#include "core/base/result.h"
#include "query/query.h"
#include "query/row.h"
#include "query/scan.h"

namespace yushi {

struct PipeAnswer {
  Table table;
  ScanReport report;
};

// ScanOptions::limit is applied to the rows at the end; order and newest_first are the stages' matter.
Result<PipeAnswer> run_pipe(const Query& query, const std::vector<ScanSegment>& segments, const ScanOptions& options,
                            const std::atomic<bool>& cancelled);

// The columns of records that pass stages without `fields`.
const std::vector<std::string>& default_columns();

}  // namespace yushi
