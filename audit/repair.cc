#include "audit/repair.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "audit/rebuild.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/merkle.h"
#include "storage/db/keys.h"
#include "storage/read/cut_off.h"
#include "storage/read/summaries.h"
#include "storage/read/view.h"

namespace yushi::audit {
namespace {

using storage::Database;
using storage::Segment;
using storage::StoreView;

std::string range_words(const Segment& segment) {
  auto first = segment.summary.first_index;
  return "records " + segment.log + "/" + std::to_string(first) + " to " + segment.log + "/" +
         std::to_string(first + segment.summary.records - 1);
}

// Puts the blocks of one log back that cannot be read.
class LogMender {
 public:
  LogMender(Database& database, const StoreView& store, const StoreView& copy, const KeyRing& keys, std::string log)
      : database_(database), store_(store), copy_(copy), keys_(keys), log_(std::move(log)) {}

  // An error is one of what stands beside the blocks: mending does not help.
  Result<void> run(const RepairOptions& options, RepairReport* report) {
    auto segments = YUSHI_TRY(store_.segments(log_));
    std::vector<const Segment*> unread;
    for (auto& segment : segments) {
      auto done = segment.summary.first_index;
      if (options.progress && !options.progress(log_, done, done + segment.summary.records))
        return fail(Code::unavailable, "the repair was ended before it was done");
      auto read = store_.read_whole(segment);
      if (read && read->batch->records.size() == segment.summary.records) continue;
      if (!segment.sealed) return tl::unexpected(read ? Error{Code::corrupt, range_words(segment)} : read.error());
      unread.push_back(&segment);
    }
    if (unread.empty()) return {};
    for (auto* segment : unread) take_candidate(*segment, report);
    if (auto proved = prove_tree(); !proved) {
      for (auto& [first, one] : candidates_)
        report->missing.push_back(range_words(one.segment) +
                                  ": the tree that would prove them does not hold: " + proved.error().message);
      return {};
    }
    for (auto& [first, one] : candidates_) {
      if (auto holds = prove(one); !holds) {
        report->missing.push_back(range_words(one.segment) + ": " + holds.error().message);
        continue;
      }
      YUSHI_TRY(put(one));
      report->segments += 1;
      report->records += one.segment.summary.records;
    }
    return {};
  }

  const std::set<uint32_t>& days() const { return days_; }  // of the blocks that are back

 private:
  struct Candidate {
    Segment segment;  // as the store has it
    storage::SealedBlock block;
    std::vector<Hash> leaves;
  };

  void take_candidate(const Segment& segment, RepairReport* report) {
    auto missing = [&](const std::string& why) { report->missing.push_back(range_words(segment) + ": " + why); };
    auto theirs = copy_.segment_at(log_, segment.summary.first_index);
    if (!theirs) return missing("the copy: " + theirs.error().message);
    if (!*theirs || !(*theirs)->sealed || (*theirs)->summary.first_index != segment.summary.first_index ||
        (*theirs)->summary.records != segment.summary.records)
      return missing("the copy was made before this block; what it has of them `yushi --store` reads there");
    auto read = copy_.read_whole(**theirs);
    if (!read) return missing("the copy: " + read.error().message);
    Candidate one{segment, {}, {}};
    for (auto& record : read->batch->records) one.leaves.push_back(storage::leaf_of(record));
    auto block = again(*read, segment.summary.first_index);
    if (!block) return missing("the copy: " + block.error().message);
    one.block = std::move(*block);
    candidates_.emplace(segment.summary.first_index, std::move(one));
  }

  // What is derived comes from raw, not from the copy, but where another engine gave the fields.
  Result<storage::SealedBlock> again(const storage::DecodedBlock& read, uint64_t first) {
    auto& records = read.batch->records;
    std::vector<std::unique_ptr<Batch>> kept;
    std::vector<const Record*> again;
    std::optional<Error> failed;
    read.context.parsed.for_each_run(static_cast<uint32_t>(records.size()), [&](auto& how, uint32_t from, uint32_t to) {
      if (failed) return;
      const std::span<const Record> run(records.data() + from, to - from);
      if (how.engine != store_.reparse().engine) {
        for (auto& record : run) again.push_back(&record);
        return;
      }
      auto parsed = storage::parse_again(run, how, store_.reparse());
      if (!parsed) {
        failed = parsed.error();
        return;
      }
      for (auto& record : kept.emplace_back(std::move(*parsed))->records) {
        record.index = first + again.size();
        again.push_back(&record);
      }
    });
    if (failed) return tl::unexpected(*failed);
    return storage::build_block({log_, store_.node(), read.context.parsed}, again);
  }

  Result<Hash> leaf(uint64_t index) {
    auto behind = candidates_.upper_bound(index);
    if (behind != candidates_.begin()) {
      auto& [first, one] = *std::prev(behind);
      if (index < first + one.leaves.size()) return one.leaves[index - first];
    }
    if (!neighbour_ || index < neighbour_first_ || index >= neighbour_first_ + neighbour_->records.size()) {
      auto segment = YUSHI_TRY(store_.segment_at(log_, index));
      if (!segment) return fail(Code::corrupt, "record " + log_ + "/" + std::to_string(index) + " is gone");
      neighbour_ = YUSHI_TRY(store_.read(*segment));
      neighbour_first_ = segment->summary.first_index;
    }
    if (index - neighbour_first_ >= neighbour_->records.size())
      return fail(Code::corrupt, "record " + log_ + "/" + std::to_string(index) + " is gone");
    return storage::leaf_of(neighbour_->records[index - neighbour_first_]);
  }

  // Only the lowest stored level is taken for its word; the root of them all is the signed one, or they are not true.
  Result<Hash> node(int level, uint64_t index) {
    constexpr int kStored = 8;
    if (level == 0) return leaf(index);
    if (level == kStored) {
      auto tile = YUSHI_TRY(store_.tile(log_, 1, index / 256));
      if (tile.size() < (index % 256 + 1) * 32) return fail(Code::corrupt, "tree of log " + log_ + ": tile is short");
      Hash hash;
      std::copy_n(tile.data() + index % 256 * 32, 32, reinterpret_cast<char*>(hash.data()));
      return hash;
    }
    return computed(level, index);
  }
  Result<Hash> computed(int level, uint64_t index) {
    auto left = YUSHI_TRY(node(level - 1, 2 * index));
    return node_hash(left, YUSHI_TRY(node(level - 1, 2 * index + 1)));
  }

  Result<void> prove_tree() {
    auto note = YUSHI_TRY(store_.newest_checkpoint(log_));
    if (!note) return fail(Code::corrupt, "log " + log_ + " has no signed checkpoint");
    auto checkpoint = YUSHI_TRY(keys_.open(*note, store_.node() + "/" + log_));
    signed_ = checkpoint.size;
    auto root = YUSHI_TRY(root_at(signed_, [&](int level, uint64_t index) { return node(level, index); }));
    if (root == checkpoint.root) return {};
    return fail(Code::corrupt, "the root at size " + std::to_string(signed_) + " is not the signed one");
  }

  // All that is not under a stored hash has been under the root.
  Result<void> prove(const Candidate& one) {
    const auto first = one.segment.summary.first_index, end = first + one.leaves.size();
    if (end > signed_) return fail(Code::corrupt, "they are not signed yet, and nothing proves them");
    for (auto group = first / 256; group * 256 < end && (group + 1) * 256 <= signed_; ++group) {
      auto made = YUSHI_TRY(computed(8, group));
      if (made != YUSHI_TRY(node(8, group)))
        return fail(Code::corrupt, "those of the copy are not the ones that were signed");
    }
    return {};
  }

  Result<void> put(const Candidate& one) {
    const auto first = one.segment.summary.first_index;
    const auto day = one.segment.store_day;
    const auto key = storage::keys::record(log_, first);
    for (auto& blocks : database_.blocks_families()) {
      if (blocks.store_day != day) continue;
      auto there = database_.get(blocks.family, key);
      if (there && !*there) continue;  // of another number of days to keep
      storage::Write write;
      write.put(blocks.family, key, one.block.bytes);
      storage::put_summary(write, database_, day, log_, one.block.summary);
      write.erase(database_.families().filters, storage::keys::day_head(log_, day));  // the next start makes it again
      days_.insert(day);
      return database_.write(write, "putting back block " + log_ + "/" + std::to_string(first));
    }
    return fail(Code::corrupt, "block " + log_ + "/" + std::to_string(first) + " of store day " + std::to_string(day) +
                                   " has no family of blocks any more");
  }

  Database& database_;
  const StoreView &store_, &copy_;
  const KeyRing& keys_;
  const std::string log_;
  std::map<uint64_t, Candidate> candidates_;  // by first index
  uint64_t signed_ = 0;                       // records under the newest note
  std::unique_ptr<Batch> neighbour_;          // that is read well, at the edge of one that is not
  uint64_t neighbour_first_ = 0;
  std::set<uint32_t> days_;
};

Result<KeyRing> keys_of(const RepairOptions& options, const StoreView& store) {
  auto known = YUSHI_TRY(store.public_key());
  if (auto key = SigningKey::load(options.key_path)) known = key->public_bytes();
  return KeyRing::make(store.node(), known, YUSHI_TRY(store.key_rotations()));
}

Result<void> mend(const RepairOptions& options, const std::shared_ptr<Database>& database,
                  const std::shared_ptr<Database>& copied, RepairReport* report) {
  auto store = YUSHI_TRY(StoreView::open(database, options.reparse(database)));
  auto copy = YUSHI_TRY(StoreView::open(copied, options.reparse(copied)));
  if (copy->node() != store->node())
    return fail(Code::invalid, options.copy_dir + " is a store of node " + copy->node() + ", this one is of " +
                                   store->node() + "; give a copy of the same");
  auto keys = YUSHI_TRY(keys_of(options, *store));
  std::set<uint32_t> days;
  for (auto& log : YUSHI_TRY(store->logs())) {
    LogMender mender(*database, *store, *copy, keys, log);
    YUSHI_TRY(mender.run(options, report));
    days.insert(mender.days().begin(), mender.days().end());
  }
  if (!report->missing.empty()) return {};
  // One whose end was cut off opens, and looks whole.
  auto heads_path = options.data_dir + "/heads";
  auto cut = storage::cut_off(heads_path, storage::read_heads(heads_path), *store);
  if (!cut.empty()) return fail(Code::corrupt, cut.front());
  store.reset();  // its snapshot keeps what is to go
  // The damaged file still holds other blocks.
  for (auto& blocks : database->blocks_families())
    if (days.contains(blocks.store_day)) YUSHI_TRY(database->rewrite(blocks.family));
  return {};
}

}  // namespace

Result<RepairReport> repair_store(const RepairOptions& options) {
  RepairReport report;
  std::error_code ignored;
  if (std::filesystem::equivalent(options.data_dir, options.copy_dir, ignored))
    return fail(Code::invalid, options.copy_dir + " is the damaged store itself; give a copy of it");
  auto copied = Database::open(options.copy_dir + "/store", Database::Mode::read_only);
  if (!copied)
    return fail(copied.error().code, "the copy cannot be read: " + copied.error().message + "; give another one");
  std::shared_ptr<Database> copy = std::move(*copied);
  const auto folder = options.data_dir + "/store";
  std::optional<Error> damage;
  {
    auto opened = Database::open(folder, Database::Mode::read_write);
    if (!opened && opened.error().code == Code::unavailable) return tl::unexpected(opened.error());
    if (!opened) {
      damage = opened.error();
    } else {
      std::shared_ptr<Database> database = std::move(*opened);
      auto mended = mend(options, database, copy, &report);
      if (mended && report.missing.empty()) mended = database->verify_checksums();
      if (!mended && (mended.error().code == Code::unavailable || mended.error().code == Code::invalid))
        return tl::unexpected(mended.error());
      if (!mended) damage = mended.error();
    }
  }
  if (!damage) return report;
  copy.reset();
  return rebuild_store(options, *damage);
}

}  // namespace yushi::audit
