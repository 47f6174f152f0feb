// One ingest thread's side of one input: builds batches, writes what happened into their notes, hands them to the sink.
//
// Threads  Its ingest thread only, but for the AtomicCounts, which all threads of the input add to and anyone reads.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "ingest/input.h"
#include "ingest/net/protocol.h"

namespace yushi::ingest {

// InputCounts that several threads add to.
class AtomicCounts {
 public:
  void add(Note::Kind kind, uint64_t count);
  InputCounts read() const;

 private:
  std::atomic<uint64_t> counts_[static_cast<size_t>(Note::Kind::input_down) + 1] = {};
};

class Delivery {
 public:
  Delivery(unsigned ingest_thread, BatchSink& sink, AtomicCounts& tally)
      : thread_(ingest_thread), sink_(sink), tally_(tally) {}

  void set_input(std::string name) { input_ = std::move(name); }

  // The batch in the making, made when there is none.
  Batch& batch();

  // Hands `buffer`, of `bytes` bytes, to the batch that views into it.
  void own(std::unique_ptr<char[]> buffer, size_t bytes);

  // A note that travels with the batch in the making. Zero counts are left out.
  void note(Note::Kind kind, LogId log, std::string_view source, uint64_t count);
  void note(const FrameCounts& counts, LogId log, std::string_view source);

  // A note that need not travel at once: it goes with the next batch, or with flush(). Equal neighbours become one.
  void note_later(Note::Kind kind, LogId log, std::string_view source, uint64_t count);

  void deliver();  // blocks while the sink does
  bool flush();    // delivers if there is anything to deliver; whether there was

  std::chrono::nanoseconds time_in_sink() const { return time_in_sink_; }

 private:
  struct LaterNote {
    Note::Kind kind;
    LogId log_id;
    std::string source;
    uint64_t count;
  };
  static constexpr size_t kLaterMax = 4096;  // beyond, sources are left out of later notes

  std::string_view input_name();

  const unsigned thread_;
  BatchSink& sink_;
  AtomicCounts& tally_;
  std::string input_;
  std::string_view input_in_batch_;
  std::unique_ptr<Batch> batch_;
  std::vector<LaterNote> later_;
  std::chrono::nanoseconds time_in_sink_{0};
};

// How long stop() goes on reading from a sender that goes on sending, and how it waits for the second "empty".
constexpr std::chrono::seconds kStopReadingAfter{2};
constexpr std::chrono::milliseconds kStopPause{5};
// How long it waits for the commit of what an acknowledging sender gave.
constexpr std::chrono::seconds kStopWaitingForAck{5};

}  // namespace yushi::ingest
