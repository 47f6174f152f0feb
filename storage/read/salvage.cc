#include "storage/read/salvage.h"

#include <algorithm>
#include <bit>
#include <map>

#include "core/base/bytes.h"
#include "storage/block/block.h"
#include "storage/db/keys.h"
#include "storage/read/heads.h"
#include "storage/read/view.h"
#include "storage/tail/chunk.h"

namespace yushi::storage {
namespace {

std::string summary_of(uint64_t first_index, const Batch& batch) {
  BlockSummary summary;
  summary.first_index = first_index;
  summary.records = static_cast<uint32_t>(batch.records.size());
  TimeRange times{INT64_MAX, INT64_MIN};
  summary.received_from_ns = INT64_MAX;
  summary.received_to_ns = INT64_MIN;
  for (auto& record : batch.records) {
    summary.raw_bytes += record.raw.size();
    times.from_ns = std::min(times.from_ns, record.event_ns);
    times.to_ns = std::max(times.to_ns, record.event_ns);
    summary.received_from_ns = std::min(summary.received_from_ns, record.origin->received_ns);
    summary.received_to_ns = std::max(summary.received_to_ns, record.origin->received_ns);
  }
  summary.event_times = {times};
  return summary.encode();
}

std::string_view log_of(std::string_view key) { return key.substr(0, key.size() - 9); }

class Completion {
 public:
  explicit Completion(Database& database) : database_(database), families_(database.families()) {}

  Result<void> run() {
    YUSHI_TRY(add_summaries());
    YUSHI_TRY(add_names());
    return add_sizes();
  }

 private:
  Result<void> add_summaries() {
    for (auto& [day, days, family] : database_.blocks_families()) {
      for (auto& key : database_.salvaged_keys(family)) {
        auto place = keys::summary(day, log_of(key), keys::index_of(key));
        auto there = YUSHI_TRY(database_.get(families_.filters, place));
        if (there && BlockSummary::decode(*there)) continue;
        auto bytes = database_.get(family, key);
        if (!bytes || !*bytes) continue;
        auto block = read_block(**bytes);
        if (!block || block->batch->records.empty()) continue;
        database_.put_salvaged(families_.filters, place, summary_of(keys::index_of(key), *block->batch));
      }
    }
    return {};
  }

  Result<void> add_names() {
    if (!YUSHI_TRY(database_.get(families_.meta, "node"))) {
      // Each line of `heads` begins with it.
      auto folder = database_.directory();
      auto heads = read_heads(folder.substr(0, folder.rfind('/')) + "/heads");
      auto node = heads && !heads->empty() ? heads->begin()->second : std::string("unknown/");
      database_.put_salvaged(families_.meta, "node", node.substr(0, node.find('/')));
    }
    if (!YUSHI_TRY(database_.get(families_.meta, "format")))
      database_.put_salvaged(families_.meta, "format", kStoreFormat);
    return {};
  }

  Result<void> add_sizes() {
    std::map<std::string, uint64_t> ends;
    auto scanned =
        database_.scan(families_.filters, keys::kSummaries, [&](std::string_view key, std::string_view value) {
          if (!keys::is_summary(key)) return true;
          auto summary = BlockSummary::decode(value);
          auto& end = ends[std::string(keys::log_of_summary(key))];
          if (summary) end = std::max(end, summary->first_index + summary->records);
          return true;
        });
    YUSHI_TRY(scanned);
    scanned = database_.scan(families_.tail, "", [&](std::string_view key, std::string_view value) {
      auto chunk = ChunkHead::decode(keys::index_of(key), value);
      auto& end = ends[std::string(log_of(key))];
      if (chunk) end = std::max(end, keys::index_of(key) + chunk->records);
      return true;
    });
    YUSHI_TRY(scanned);
    if (ends.empty()) return fail(Code::not_found, "no record is left");
    for (auto& [log, end] : ends) {
      auto state = YUSHI_TRY(database_.get(families_.state, keys::log_state(log)));
      if (state && state->size() >= 8 && get_be64(state->data()) >= end) continue;
      std::string size;
      put_be64(size, end);
      database_.put_salvaged(families_.state, keys::log_state(log),
                             size + std::string(32 * static_cast<size_t>(std::popcount(end)), '\0'));
    }
    return {};
  }

  Database& database_;
  const Database::Families& families_;
};

}  // namespace

Result<std::shared_ptr<Database>> open_or_salvage(const std::string& directory) {
  auto opened = Database::open(directory, Database::Mode::read_only);
  if (opened) {
    // A table opens with a damaged block in it. What every question begins with must be there; of a block that loses
    // only its words the records are read all the same.
    auto& families = (*opened)->families();
    const std::pair<Family, std::string_view> needed[] = {{families.filters, keys::kSummaries},
                                                          {families.filters, keys::kDayHeads},
                                                          {families.tail, ""},
                                                          {families.state, ""},
                                                          {families.meta, ""}};
    for (auto& [family, prefix] : needed) {
      auto scanned = (*opened)->scan(family, prefix, [](std::string_view, std::string_view) { return true; });
      if (scanned) continue;
      opened = tl::unexpected(scanned.error());
      break;
    }
  }
  if (opened) return std::shared_ptr<Database>(std::move(*opened));
  auto salvaged = Database::salvage(directory, opened.error());
  if (!salvaged) return tl::unexpected(opened.error());
  std::shared_ptr<Database> database = std::move(*salvaged);
  if (!Completion(*database).run()) return tl::unexpected(opened.error());
  return database;
}

}  // namespace yushi::storage
