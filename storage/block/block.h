// The sealed block: an immutable, compressed, columnar run of one log's records. FORMAT.md has its bytes.
//
// Records' captures are its columns; raw is rebuilt byte for byte from fixed text + values; nothing is stored twice.
// Everything that reading needs is inside: kinds, field names, sources.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter.h"
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

constexpr size_t kEventTimesMax = 8;

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

// What is asked of each record of a block, once for all that are alike in it.
struct BlockRows {
  std::unique_ptr<Batch> batch;   // records that differ: the first of each kind
  std::vector<uint32_t> row_of;   // of each record that was read, by place: which of them it is like
  std::vector<int64_t> event_ns;  // likewise, if asked; what stands in `batch` is that of the first alone
};

// An open block, for who does not need all of it. A section is inflated when something in it is asked for.
//
// Memory   Holds the block's bytes and what was inflated. What it gave out lives on without it.
// Threads  One owner at a time.
// Errors   corrupt when the bytes that are needed contradict themselves; invalid: there is no record at a place.
class BlockReader {
 public:
  static Result<std::unique_ptr<BlockReader>> open(std::string bytes);
  ~BlockReader();

  uint32_t records() const;
  // The names of all fields that a record of the block has by a capture or by its kind. Derived fields
  // (is_derived_field) are not among them.
  std::vector<std::string> field_names() const;
  // For who asks for the fields of these names and for nothing else that stands in raw: of each row raw is no more than
  // their captures' texts, one after the other, and `message` is empty. Names of derived fields stand for what tells
  // them (told_by()): all else of a row, its kind and priority too, is that of its first record. `places`: of these
  // records alone, counted from 0 and ascending.
  Result<BlockRows> read_rows(const std::vector<std::string>& names, bool with_times,
                              const std::vector<uint32_t>* places = nullptr);
  // The places of the records whose form may be as is asked.
  Result<std::vector<uint32_t>> find_places(const std::function<bool(const RecordForm& form)>& may);
  // The records at these places, whole.
  Result<std::unique_ptr<Batch>> read_records(const std::vector<uint32_t>& places);

 private:
  BlockReader(std::string bytes);
  struct Open;
  std::unique_ptr<Open> open_;
};

}  // namespace yushi::storage
