// The sealed block: an immutable, compressed, columnar run of one log's records. FORMAT.md has its bytes.
//
// Records' captures are its columns; raw is rebuilt byte for byte from fixed text + values; nothing is stored twice.
// Everything that reading needs is inside: kinds, field names, sources.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/batch.h"
#include "storage/block/parse_context.h"

namespace yushi::storage {

// What stands above the records of a block.
struct BlockHead {
  std::string log;
  std::string node;
  ParseContexts parsed;  // at least one context
};

struct TimeRange {
  int64_t from_ns, to_ns;  // both inclusive
  bool operator==(const TimeRange&) const = default;
};

// Whether something of these times may lie in [from, to]. Of none nothing is known: it may.
bool overlaps(const std::vector<TimeRange>& times, int64_t from_ns, int64_t to_ns);

// What a search reads before it reads the block (column family `filters`): its head, by which time prunes, and only of
// what time leaves its words. In a store of before both are one entry.
struct BlockSummary {
  uint64_t first_index = 0;
  uint32_t records = 0;
  uint64_t raw_bytes = 0;
  int64_t received_from_ns = 0, received_to_ns = 0;
  std::vector<TimeRange> event_times;  // 1..8, disjoint, ascending, cut at the widest gaps
  // The words, which the head is without:
  std::vector<std::string> sources;  // distinct, sorted
  std::string token_filter;          // core/filter/token_filter.h: words of raw, and ip_hash of ip fields' values

  std::string encode() const;  // the head
  std::string encode_words() const;
  static Result<BlockSummary> decode(std::string_view bytes);  // a head, with its words where they are one entry
  Result<void> decode_words(std::string_view bytes);
};
// Of the words; a view into the bytes.
Result<std::string_view> token_filter_of(std::string_view words);

struct SealedBlock {
  std::string bytes;
  BlockSummary summary;
};

// Packs records, which must be of one log with consecutive indexes, ascending. Pure; any thread.
// The records' index, source_seq, origin (received, source, address, transport, commit), captures and kind must be
// filled.
SealedBlock build_block(const BlockHead& context, const std::vector<const Record*>& records);

// The whole block as a Batch with all of Record filled but `digest`; corrupt when the bytes contradict themselves.
struct DecodedBlock {
  BlockHead context;
  std::unique_ptr<Batch> batch;
};
Result<DecodedBlock> read_block(std::string_view bytes);

// For who asks for the fields of these names and for nothing else that stands in raw: of each record raw is no more
// than their captures' texts, one after the other, and `message` is empty; all else is as read_block() gives it. What
// holds nothing of them is not inflated. A record that cannot be read in part comes whole.
Result<DecodedBlock> read_block_fields(std::string_view bytes, const std::vector<std::string>& names);

// The records at these places alone, counted from 0 and ascending. invalid: there is none at one of them.
Result<DecodedBlock> read_block_records(std::string_view bytes, const std::vector<uint32_t>& places);

// The names of all fields that a record of the block has by a capture or by its kind, without inflating the records.
// Derived fields (is_derived_field) are not among them.
Result<std::vector<std::string>> read_block_field_names(std::string_view bytes);

}  // namespace yushi::storage
