// The keys of the store, all big-endian so that RocksDB's byte order is the order of records.
//
//   tail     log 00 first-index            -> one chunk (storage/tail/chunk.h)
//   blocks.* log 00 first-index            -> one sealed block (storage/block/block.h)
//   filters  store-day log 00 first-index  -> head of that block's BlockSummary
//            "words/" and the same         -> its words
//            "days/" log 00 store-day      -> DayHead
//   tree     log 00 level tile             -> up to 256 hashes; level 1 is of subtrees of 256 leaves, level 2 of 65,536
//            …
//   alerts   audit-index                   -> AlertEntry of the record `_audit/<audit-index>`, which is the alert,
//                                            or AlertActEntry where it is what was done to one
//   state    "log/" log                    -> LogState: size, tree edge
//            "source/" log 00 source       -> SourceState
//            "checkpoint/" log 00 size     -> signed note
//            "signed/" log                 -> the log's tree as the newest note has it
//            "cursor/" name, "detect-5", "ticks", "auditors", "books", "commit", "chain", "bound"
//   meta     "node", "format", "day", "public_key", "rotations", "parsers/" digest
//
// Log names match [a-z0-9_.:@-]+, so that 00 ends them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"

namespace yushi::storage::keys {

constexpr std::string_view kBlocks = "blocks.";
// Of a family of blocks, "blocks.20420.184": the store day, and the days to keep them.
inline std::optional<std::pair<uint32_t, uint32_t>> day_and_days(const std::string& family) {
  if (!family.starts_with(kBlocks)) return std::nullopt;
  char* end = nullptr;
  auto day = std::strtoul(family.c_str() + kBlocks.size(), &end, 10);
  auto days = *end == '.' ? std::strtoul(end + 1, nullptr, 10) : 0;
  return std::pair(static_cast<uint32_t>(day), static_cast<uint32_t>(days));
}

inline std::string of_log(std::string_view log) {
  std::string key(log);
  key.push_back('\0');
  return key;
}
inline std::string record(std::string_view log, uint64_t index) {
  auto key = of_log(log);
  put_be64(key, index);
  return key;
}
inline uint64_t index_of(std::string_view key) { return get_be64(key.data() + key.size() - 8); }

// In family `filters`. A store day begins with a zero byte for 40,000 years.
inline std::string summaries(uint32_t store_day, std::string_view log) {  // what those of a log and day begin with
  std::string key;
  put_be32(key, store_day);
  return key + of_log(log);
}
inline std::string summary(uint32_t store_day, std::string_view log, uint64_t first_index) {
  auto key = summaries(store_day, log);
  put_be64(key, first_index);
  return key;
}
constexpr std::string_view kSummaries("\0", 1);  // what all of them begin with
inline bool is_summary(std::string_view key) { return key.size() > 4 + 9 && key.starts_with(kSummaries); }
inline uint32_t day_of_summary(std::string_view key) { return get_be32(key.data()); }
inline std::string_view log_of_summary(std::string_view key) { return key.substr(4, key.size() - 4 - 9); }
inline std::string words(uint32_t store_day, std::string_view log, uint64_t first_index) {
  return "words/" + summary(store_day, log, first_index);
}
constexpr std::string_view kDayHeads = "days/";
inline std::string day_heads(std::string_view log) { return std::string(kDayHeads) + of_log(log); }
inline std::string day_head(std::string_view log, uint32_t store_day) {
  auto key = day_heads(log);
  put_be32(key, store_day);
  return key;
}
inline uint32_t day_of_head(std::string_view key) { return get_be32(key.data() + key.size() - 4); }

inline std::string tile(std::string_view log, int level, uint64_t tile_index) {
  auto key = of_log(log);
  key.push_back(static_cast<char>(level));
  put_be64(key, tile_index);
  return key;
}
inline std::string alert(uint64_t audit_index) {
  std::string key;
  put_be64(key, audit_index);
  return key;
}
inline std::string log_state(std::string_view log) { return "log/" + std::string(log); }
inline std::string source(std::string_view log, std::string_view source) {
  return "source/" + of_log(log) + std::string(source);
}
inline std::string checkpoint(std::string_view log, uint64_t size) { return "checkpoint/" + record(log, size); }
inline std::string cursor(std::string_view name) { return "cursor/" + std::string(name); }
inline std::string signed_tree(std::string_view log) { return "signed/" + std::string(log); }
constexpr const char* kBound = "bound";          // the root over all logs at the last signature, behind a code over it
constexpr const char* kRotations = "rotations";  // of the node's key, a line each
constexpr const char* kKept = "kept";            // the code over what is kept for others
constexpr const char* kChain = "chain";          // the code over the commits since the last signature
inline std::string parsers(std::string_view digest) { return "parsers/" + std::string(digest); }

}  // namespace yushi::storage::keys
