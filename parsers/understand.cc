#include "parsers/understand.h"

#include "core/ledger/sha256.h"
#include "parsers/header/syslog_header.h"

namespace yushi::parsers {

void Understander::understand(Batch& batch, const Reading& reading, bool with_digest, std::string_view dataset) {
  for (Record& record : batch.records) {
    if (with_digest) record.digest = sha256(record.raw);
    understand_one(record, batch, reading, dataset);
  }
}

void Understander::understand(Batch& batch, std::span<const Reading> reading_of_log) {
  for (Record& record : batch.records) {
    record.digest = sha256(record.raw);
    understand_one(record, batch, reading_of_log[record.origin->log_id], {});
  }
}

// A later part begins wherever the one before was full: what stands there is the rest of somebody's message, and
// whoever wrote the message chose it. A header in it would be his invention, and a parser would believe him.
void Understander::leave_unread(Record& record) {
  record.captures = {};
  record.kind = nullptr;
  record.message_begin = 0;
  record.message_length = static_cast<uint32_t>(record.raw.size());
  auto& head = *record.part_head;
  record.priority = head.priority;
  record.event_ns = head.event_ns;
  record.event_digits = head.event_digits;
  record.time_inferred = head.time_inferred;
}

// Read back, a part brings its head. Live, the parts of a connection come one behind the other, if in several batches.
void Understander::take_head(Record& record, Batch& batch) {
  if (record.part_head) return;
  auto first = first_parts_.find(record.origin->stream);
  if (first == first_parts_.end()) {
    PartHead none;
    none.first_seq = UINT64_MAX;  // the committer must not name one either, of which this part says nothing
    none.event_ns = record.origin->received_ns;
    none.time_inferred = kAllInferred;
    record.part_head = batch.arena.make(none);
    return;
  }
  auto head = first->second.head;
  for (auto* text : {&head.host, &head.program, &head.pid}) *text = batch.arena.copy(*text);
  record.part_head = batch.arena.make(head);
  if (record.part == record.part_of) first_parts_.erase(first);
}

void Understander::go_on_from(Understander& before) { first_parts_ = std::move(before.first_parts_); }

void Understander::keep_head(const Record& record) {
  if (first_parts_.size() > kFirstPartsMax) first_parts_.clear();  // what never ended; bounds memory
  auto& kept = first_parts_[record.origin->stream];
  kept.arena = std::make_unique<Arena>();
  kept.head = part_head_of(record, *kept.arena);
}

void Understander::understand_one(Record& record, Batch& batch, const Reading& reading, std::string_view dataset) {
  captures_.clear();
  record.charset = charset_of(record.raw, reading.charset);
  if (record.part > 1) [[unlikely]] {
    take_head(record, batch);
    return leave_unread(record);
  }
  if (record.charset == Charset::utf8 || !decoded_.decode(record.charset, record.raw)) [[likely]] {
    read(record, batch, reading, dataset);
  } else {
    auto raw = record.raw;
    record.raw = decoded_.text();
    read(record, batch, reading, dataset);
    auto end = decoded_.offset(record.message_begin + record.message_length);
    record.message_begin = decoded_.offset(record.message_begin);
    record.message_length = end - record.message_begin;
    for (Capture& capture : captures_) decoded_.put_back(capture);
    record.raw = raw;
  }
  record.captures = batch.arena.copy(std::span<const Capture>(captures_));
  if (record.part == 1 && record.part_of != 1) [[unlikely]]
    keep_head(record);
}

void Understander::read(Record& record, Batch& batch, const Reading& reading, std::string_view dataset) {
  record.kind = nullptr;
  const bool is_capped = read_syslog_header(record, *reading.zone, batch.arena, captures_);
  worker_.parse(record, *reading.zone, batch.arena, captures_, dataset, is_capped);
}

}  // namespace yushi::parsers
