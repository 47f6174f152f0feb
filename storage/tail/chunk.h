// The tail chunk: the records of one log in one batch, as they are durable before a block is sealed of them.
//
// A chunk keeps what cannot be derived: raw bytes and origin. Fields are parsed again, with the parser version that the
// chunk names, by the few who read the tail (a search, the forwarder, a restart): most chunks die unread under their
// block's seal, so the writer must not pay for readers.
//
//   ingest thread   prepare(): groups a batch by log and compresses each group's body
//   committer       finish_chunk(): puts the head before the body, with what only the commit knows
//   readers         ChunkHead::decode, read_chunk()
//
// FORMAT.md has the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/batch.h"
#include "storage/block/parse_context.h"
#include "storage/tail/losses.h"

namespace yushi::storage {

// One source within a group; its records take consecutive numbers in the order of the group.
struct ChunkSource {
  std::string source;
  std::string address;
  Transport transport = Transport::tcp;
  uint64_t first_seq = 0;  // given at commit
};

struct NumberedRecord {
  uint32_t record;  // position in ChunkGroup::records
  SequenceNumber sequence;
};

// The records of one log in one batch.
struct ChunkGroup {
  LogId log_id = 0;
  std::vector<Record*> records;     // in batch order
  std::vector<uint32_t> source_of;  // position in `sources`; empty when there is one source
  std::vector<ChunkSource> sources;
  std::vector<uint32_t> later_parts;     // positions of those that are parts from 2 on
  std::vector<NumberedRecord> numbered;  // those that their senders numbered, ascending
  std::shared_ptr<const ParseContext> context;
  int64_t event_from_ns = 0, event_to_ns = 0;
  std::string body;  // compressed
  uint64_t raw_bytes = 0;
};

struct PreparedBatch {
  std::shared_ptr<Batch> batch;
  std::vector<ChunkGroup> groups;
  uint64_t raw_bytes = 0;
};

// `contexts` is by LogId. Threads: any; compression contexts are per thread.
PreparedBatch prepare(std::shared_ptr<Batch> batch, const std::vector<std::shared_ptr<const ParseContext>>& contexts);

struct ChunkHead {
  uint64_t commit = 0;
  uint64_t first_index = 0;  // from the key
  uint32_t records = 0;
  int64_t event_from_ns = 0, event_to_ns = 0;
  uint64_t raw_bytes = 0;
  ParseContext context;
  std::vector<ChunkSource> sources;
  bool is_zstd = false;              // the body; else it is an LZ4 block
  std::vector<uint64_t> first_seqs;  // of the messages that the later parts among the records are of
  std::string_view body;

  static Result<ChunkHead> decode(uint64_t first_index, std::string_view bytes);  // views into bytes
};

std::string finish_chunk(uint64_t commit, const ChunkGroup& group);

// The records with all of RawMessage, Origin, index and source_seq filled; the rest is for the Understander.
Result<std::unique_ptr<Batch>> read_chunk(const ChunkHead& head, std::string_view log, std::string_view node);

}  // namespace yushi::storage
