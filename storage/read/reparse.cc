#include "storage/read/reparse.h"

namespace yushi::storage {

Result<std::unique_ptr<Batch>> parse_again(std::span<const Record> records, const ParseContext& how,
                                           const Reparse& reparse) {
  auto again = std::make_unique<Batch>();
  for (auto& record : records) {
    Record fresh;
    static_cast<RawMessage&>(fresh) = record;
    fresh.raw = again->arena.copy_padded(record.raw);
    fresh.index = record.index;
    fresh.source_seq = record.source_seq;
    again->records.push_back(fresh);
  }
  YUSHI_TRY(reparse.parse(*again, how));
  return again;
}

}  // namespace yushi::storage
