#include "parsers/understand.h"

#include "core/ledger/sha256.h"
#include "parsers/syslog_header.h"

namespace yushi {

void Understander::understand(Batch& batch, const Zone& zone, bool with_digest) {
  for (Record& record : batch.records) {
    captures_.clear();
    record.kind = nullptr;
    read_syslog_header(record, zone, batch.arena, captures_);
    if (with_digest) record.digest = sha256(record.raw);
    worker_.parse(record, zone, batch.arena, captures_);
    record.captures = batch.arena.copy(std::span<const Capture>(captures_));
  }
}

}  // namespace yushi
