#include "storage/read/summaries.h"

#include "storage/block/day_head.h"
#include "storage/db/keys.h"

namespace yushi::storage {

void put_summary(Write& write, const Database& database, uint32_t store_day, const std::string& log,
                 const BlockSummary& summary) {
  auto& families = database.families();
  write.put(families.filters, keys::summary(store_day, log, summary.first_index), summary.encode());
  write.put(families.filters, keys::words(store_day, log, summary.first_index), summary.encode_words());
}

Result<void> add_summary(Write& write, const Database& database, uint32_t store_day, const std::string& log,
                         const BlockSummary& summary) {
  auto key = keys::day_head(log, store_day);
  auto stored = YUSHI_TRY(database.get(database.families().filters, key));
  DayHead head;
  if (stored) head = YUSHI_TRY(DayHead::decode(*stored));
  head.add(summary);
  write.put(database.families().filters, key, head.encode());
  put_summary(write, database, store_day, log, summary);
  return {};
}

}  // namespace yushi::storage
