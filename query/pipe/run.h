// Runs the stages of a pipe over what a scan finds: query -> table.
//
// A query without stages is a search for records: call scan() with it.
//
// Memory  What a table holds, up to ScanOptions::bytes_max: `exhausted`, never a table that is cut silently.
#pragma once

#include <atomic>
#include <vector>

#include "core/base/result.h"
#include "core/filter/secret_mask.h"
#include "query/pipe/query.h"
#include "query/pipe/row.h"
#include "query/scan/scan.h"

namespace yushi::query {

struct PipeAnswer {
  Table table;
  ScanReport report;
  std::vector<std::string> notes;  // of columns that are empty, in words
};

// ScanOptions::limit is applied to the rows at the end: where they ascend in time the newest stay, else the first ones.
// Order is the stages' matter; newest_first is not looked at. `secrets` are hidden in what the rows are made of; the
// filter sees the records as they are.
Result<PipeAnswer> run_pipe(const Query& query, const std::vector<UnitGroup>& groups, const ScanOptions& options,
                            const std::atomic<bool>& cancelled,
                            const std::shared_ptr<const SecretRules>& secrets = nullptr);

// The columns of records that pass stages without `fields`.
const std::vector<std::string>& default_columns();

}  // namespace yushi::query
