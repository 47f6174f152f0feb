#include "parsers/understand.h"

#include "core/ledger/sha256.h"
#include "parsers/syslog_header.h"

namespace yushi {

void Understander::understand(Batch& batch, const Zone& zone, bool with_digest, std::string_view dataset) {
  for (Record& record : batch.records) {
    if (with_digest) record.digest = sha256(record.raw);
    understand_one(record, batch, zone, dataset);
  }
}

void Understander::understand(Batch& batch, std::span<const std::shared_ptr<const Zone>> zone_of_tenant) {
  for (Record& record : batch.records) {
    record.digest = sha256(record.raw);
    understand_one(record, batch, *zone_of_tenant[record.origin->tenant], {});
  }
}

void Understander::understand_one(Record& record, Batch& batch, const Zone& zone, std::string_view dataset) {
  captures_.clear();
  record.kind = nullptr;
  read_syslog_header(record, zone, batch.arena, captures_);
  worker_.parse(record, zone, batch.arena, captures_, dataset);
  record.captures = batch.arena.copy(std::span<const Capture>(captures_));
}

}  // namespace yushi
