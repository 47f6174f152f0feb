#include "storage/tail/leaf.h"

#include "core/ledger/merkle.h"

namespace yushi::storage {

EntryHead entry_head_of(const Record& record) {
  auto& origin = *record.origin;
  EntryHead head;
  head.received_ns = origin.received_ns;
  head.source = origin.source;
  head.source_seq = record.source_seq;
  head.transport = transport_name(origin.transport);
  head.part = record.part;
  head.part_of = record.part_of;
  head.first_seq = record.part_head ? record.part_head->first_seq : record.source_seq;
  head.truncated = record.marks & kTruncated;
  head.by_relay = record.marks & kByRelay;
  head.host_unconfirmed = record.marks & kHostUnconfirmed;
  head.address = origin.address;
  return head;
}

Hash leaf_of(const Record& record) {
  thread_local std::string entry;
  make_entry_head(entry_head_of(record), entry);
  append_digest(sha256(record.raw), entry);
  return leaf_hash(entry);
}

}  // namespace yushi::storage
