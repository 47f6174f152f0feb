#include "ingest/net/delivery.h"

namespace yushi::ingest {

void AtomicCounts::add(Note::Kind kind, uint64_t count) {
  counts_[static_cast<size_t>(kind)].fetch_add(count, std::memory_order_relaxed);
}

InputCounts AtomicCounts::read() const {
  const auto of = [this](Note::Kind kind) {
    return counts_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  };
  InputCounts out;
  out.bytes = of(Note::Kind::bytes);
  out.messages = of(Note::Kind::messages);
  out.empty_lines = of(Note::Kind::empty_line);
  out.resyncs = of(Note::Kind::frame_resync);
  out.over_long = of(Note::Kind::over_long);
  out.truncated = of(Note::Kind::truncated);
  out.possible_doubles = of(Note::Kind::possible_double);
  out.handshakes_failed = of(Note::Kind::handshake_failed);
  out.connections_opened = of(Note::Kind::connection_opened);
  out.connections_closed = of(Note::Kind::connection_closed);
  out.connections_refused = of(Note::Kind::connection_refused);
  out.connections_displaced = of(Note::Kind::connection_displaced);
  out.kernel_drops = of(Note::Kind::kernel_drop);
  out.source_drops = of(Note::Kind::source_drop);
  return out;
}

Batch& Delivery::batch() {
  if (!batch_) {
    batch_ = std::make_unique<Batch>();
    input_in_batch_ = {};
  }
  return *batch_;
}

void Delivery::own(std::unique_ptr<char[]> buffer, size_t bytes) {
  batch().buffers.push_back(std::move(buffer));
  batch().bytes += bytes;
}

std::string_view Delivery::input_name() {
  if (input_in_batch_.empty()) input_in_batch_ = batch().arena.copy(input_);
  return input_in_batch_;
}

void Delivery::note(Note::Kind kind, LogId log, std::string_view source, uint64_t count) {
  if (count == 0) return;
  tally_.add(kind, count);
  Batch& to = batch();
  to.notes.push_back({kind, log, to.arena.copy(source), input_name(), count});
}

void Delivery::note(const FrameCounts& counts, LogId log, std::string_view source) {
  note(Note::Kind::messages, log, source, counts.messages);
  note(Note::Kind::empty_line, log, source, counts.empty_lines);
  note(Note::Kind::frame_resync, log, source, counts.resyncs);
  note(Note::Kind::over_long, log, source, counts.over_long);
  note(Note::Kind::truncated, log, source, counts.truncated);
  note(Note::Kind::possible_double, log, source, counts.possible_doubles);
}

void Delivery::note_later(Note::Kind kind, LogId log, std::string_view source, uint64_t count) {
  if (count == 0) return;
  tally_.add(kind, count);
  if (later_.size() >= kLaterMax) {
    source = {};
    for (LaterNote& note : later_) {
      if (note.kind != kind || note.log_id != log || !note.source.empty()) continue;
      note.count += count;
      return;
    }
  } else if (!later_.empty() && later_.back().kind == kind && later_.back().log_id == log &&
             later_.back().source == source) {
    later_.back().count += count;
    return;
  }
  later_.push_back({kind, log, std::string(source), count});
}

void Delivery::deliver() {
  Batch& to = batch();
  for (const LaterNote& note : later_) {
    to.notes.push_back({note.kind, note.log_id, to.arena.copy(note.source), input_name(), note.count});
  }
  later_.clear();
  const auto before = std::chrono::steady_clock::now();
  sink_.deliver(thread_, std::move(batch_));
  time_in_sink_ += std::chrono::steady_clock::now() - before;
}

bool Delivery::flush() {
  const bool any = !later_.empty() || (batch_ && (!batch_->records.empty() || !batch_->notes.empty()));
  if (any) deliver();
  return any;
}

}  // namespace yushi::ingest
