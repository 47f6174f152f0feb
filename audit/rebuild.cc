#include "audit/rebuild.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "audit/binding.h"
#include "audit/verify.h"
#include "core/base/bytes.h"
#include "core/event/alert.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/log_roots.h"
#include "storage/block/block.h"
#include "storage/db/keys.h"
#include "storage/read/heads.h"
#include "storage/read/kept.h"
#include "storage/read/summaries.h"
#include "storage/read/view.h"
#include "storage/tail/chunk.h"
#include "storage/tail/tree_tiles.h"

namespace yushi::audit {
namespace {

namespace fs = std::filesystem;
namespace keys = storage::keys;
using storage::Database;
using storage::Family;
using storage::StoreView;

constexpr size_t kWriteBytes = 4 << 20;

// What a log comes to at some size: all of it is derived from its records.
struct Derived {
  CompactRange tree;
  storage::TreeTiles tiles;
  std::map<std::string, storage::SourceState> sources;
};

class Rebuilder {
 public:
  Rebuilder(const RepairOptions& options, const Error& damage)
      : options_(options), damage_(damage), folder_(options.data_dir + "/repair") {}

  Result<RepairReport> run() {
    auto held = YUSHI_TRY(Database::lock(options_.data_dir + "/store"));
    left_ = YUSHI_TRY(Database::salvage(options_.data_dir + "/store", damage_));
    copy_ = YUSHI_TRY(Database::open(options_.copy_dir + "/store", Database::Mode::read_only));
    key_ = YUSHI_TRY(SigningKey::load(options_.key_path));
    heads_ = YUSHI_TRY(storage::read_heads(options_.data_dir + "/heads"));
    std::error_code failed;
    fs::remove_all(folder_, failed);  // of a repair that was cut short
    if (!failed) fs::create_directory(folder_, failed);
    if (failed) return fail(Code::io, "making " + folder_ + ": " + failed.message());
    auto made = make();
    made_.reset();
    if (!made) {
      fs::remove_all(folder_, failed);
      return fail(made.error().code, "what is left of " + options_.data_dir +
                                         "/store and the copy make no store: " + made.error().message +
                                         ". Nothing was changed; `yushi --store` reads what is "
                                         "whole of each");
    }
    YUSHI_TRY(take_its_place());
    // Of what a WAL had nothing else tells.
    for (auto& what : left_->damage())
      if (what.find(".log: ") != what.npos) report_.missing.push_back("what stood there: " + what);
    return std::move(report_);
  }

 private:
  Result<void> make() {
    made_ = YUSHI_TRY(Database::open(folder_ + "/store", Database::Mode::read_write));
    YUSHI_TRY(take_names());
    for (auto& log : YUSHI_TRY(logs())) YUSHI_TRY(take_records(log));
    YUSHI_TRY(take_notes());
    YUSHI_TRY(derive());
    YUSHI_TRY(take_kept());
    YUSHI_TRY(made_->flush());
    return hold_to_heads();
  }

  // ------------------------------------------------------------------------------------------- what is taken as it is

  // Of two values of one key the damaged store's is the newer one.
  Result<void> take_all(Family from_copy, Family from_left, Family to, std::string_view prefix) {
    storage::Write write;
    auto put = [&](std::string_view key, std::string_view value) {
      write.put(to, key, value);
      return true;
    };
    YUSHI_TRY(copy_->scan(from_copy, prefix, put));
    YUSHI_TRY(left_->scan(from_left, prefix, put));
    return made_->write(write, "taking what stands beside the records");
  }

  Result<void> take_names() {
    auto ours = YUSHI_TRY(left_->get(left_->families().meta, "node"));
    auto theirs = YUSHI_TRY(copy_->get(copy_->families().meta, "node"));
    if (ours && theirs && *ours != *theirs)
      return fail(Code::invalid, "the copy is of node " + *theirs + ", the store of " + *ours);
    YUSHI_TRY(take_all(copy_->families().meta, left_->families().meta, made_->families().meta, ""));
    node_ = YUSHI_TRY(made_->get(made_->families().meta, "node")).value_or("");
    auto rotations = YUSHI_TRY(made_->get(made_->families().meta, keys::kRotations));
    keys_ = YUSHI_TRY(KeyRing::make(node_, key_.public_bytes(), rotations.value_or("")));
    return {};
  }

  Result<std::set<std::string>> logs() {
    std::set<std::string> out;
    for (auto& [log, note] : heads_) out.insert(log);
    auto add = [&](std::string_view key, std::string_view) {
      out.emplace(key.substr(4));
      return true;
    };
    YUSHI_TRY(copy_->scan(copy_->families().state, "log/", add));
    YUSHI_TRY(left_->scan(left_->families().state, "log/", add));
    return out;
  }

  struct Place {
    Family family;
    uint32_t day, days;
    const Database* database;
  };

  // The block of either store that is whole, the damaged one's first.
  Result<void> take_records(const std::string& log) {
    std::map<uint64_t, std::vector<Place>> blocks;  // by first index
    uint32_t longest = 0;                           // for those whose days nothing tells
    for (auto* database : {left_.get(), copy_.get()})
      for (auto& [day, days, family] : database->blocks_families()) longest = std::max(longest, days);
    if (longest == 0) longest = kSixMonths;
    auto prefix = keys::of_log(log);
    for (auto& [day, days, family] : left_->blocks_families())
      for (auto& key : left_->salvaged_keys(family))
        if (key.size() == prefix.size() + 8 && key.starts_with(prefix))
          blocks[keys::index_of(key)].push_back({family, day, days ? days : longest, left_.get()});
    for (auto& [day, days, family] : copy_->blocks_families()) {
      const Place place{family, day, days, copy_.get()};
      YUSHI_TRY(copy_->scan(copy_->families().filters, keys::summaries(day, log), [&](std::string_view key, auto) {
        blocks[keys::index_of(key)].push_back(place);
        return true;
      }));
    }
    uint64_t next = 0;
    for (auto& [first, places] : blocks) {
      if (first != next) break;
      uint32_t records = 0;
      for (size_t i = 0; i < places.size() && records == 0; ++i)
        records = YUSHI_TRY(take_block(log, first, places[i], places));
      if (records == 0) break;
      next += records;
    }
    return take_tail(log, next);
  }

  // 0: it is not whole there.
  Result<uint32_t> take_block(const std::string& log, uint64_t first, const Place& from,
                              const std::vector<Place>& places) {
    if (options_.progress && !options_.progress(log, first, first))
      return fail(Code::unavailable, "the repair was ended before it was done");
    auto key = keys::record(log, first);
    auto bytes = from.database->get(from.family, key);
    if (!bytes || !*bytes) return 0;
    auto block = storage::read_block(**bytes);
    if (!block || block->batch->records.empty() || block->context.log != log) return 0;
    if (block->batch->records.front().index != first) return 0;
    std::vector<const Record*> records;
    for (auto& record : block->batch->records) records.push_back(&record);
    // Where a table of the damaged store is gone the copy may know the day.
    auto known = std::find_if(places.begin(), places.end(), [](auto& place) { return place.day != 0; });
    auto day = known != places.end() ? known->day : static_cast<uint32_t>(records.back()->origin->received_ns / kDay);
    auto days = known != places.end() ? known->days : from.days;
    storage::Write write;
    write.put(YUSHI_TRY(made_->blocks_family(day, days)), key, **bytes);
    YUSHI_TRY(storage::add_summary(write, *made_, day, log, storage::build_block(block->context, records).summary));
    YUSHI_TRY(made_->write(write, "taking block " + at(log, first)));
    if (from.database == copy_.get()) {
      report_.segments += 1;
      report_.records += records.size();
    }
    return static_cast<uint32_t>(records.size());
  }

  Result<void> take_tail(const std::string& log, uint64_t next) {
    storage::Write write;
    for (bool found = true; found;) {
      found = false;
      for (auto* database : {left_.get(), copy_.get()}) {
        auto key = keys::record(log, next);
        auto bytes = YUSHI_TRY(database->get(database->families().tail, key));
        if (!bytes) continue;
        auto head = storage::ChunkHead::decode(next, *bytes);
        if (!head || head->records == 0 || !storage::read_chunk(*head, log, node_)) continue;
        write.put(made_->families().tail, key, *bytes);
        if (write.bytes() > kWriteBytes) {
          YUSHI_TRY(made_->write(write, "taking the tail of log " + log));
          write = storage::Write();
        }
        if (database == copy_.get()) {
          report_.segments += 1;
          report_.records += head->records;
        }
        next += head->records;
        found = true;
        break;
      }
    }
    return made_->write(write, "taking the tail of log " + log);
  }

  Result<void> take_notes() {
    auto &copied = copy_->families(), &left = left_->families();
    YUSHI_TRY(take_all(copied.state, left.state, made_->families().state, "checkpoint/"));
    storage::Write write;
    for (auto& [log, note] : heads_) {
      auto checkpoint = YUSHI_TRY(keys_.open(note, node_ + "/" + log));
      write.put(made_->families().state, keys::checkpoint(log, checkpoint.size), note);
    }
    return made_->write(write, "taking the checkpoints");
  }

  // ------------------------------------------------------------------------------------------------ what is derived

  Result<void> derive() {
    auto view = YUSHI_TRY(StoreView::open(made_, options_.reparse(made_)));
    CommitChain chain(key_);
    auto audit_note = YUSHI_TRY(view->newest_checkpoint(kAuditLog));
    chain.begin(audit_note ? *audit_note : "node " + node_);
    std::map<std::string, Derived> signed_part, whole;
    std::map<uint64_t, std::map<std::string_view, std::string>> moved;  // behind the signed part, by commit
    auto all = YUSHI_TRY(logs());
    for (auto& log : all) {
      auto note = YUSHI_TRY(view->newest_checkpoint(log));
      const uint64_t size = note ? YUSHI_TRY(keys_.open(*note, node_ + "/" + log)).size : 0;
      auto& now = whole[log];
      uint64_t commit = 0;
      for (auto& segment : YUSHI_TRY(view->segments(log))) {
        auto batch = YUSHI_TRY(view->read(segment));
        for (auto& record : batch->records) {
          if (now.tree.size() == size) signed_part[log] = now;
          add(now, log, record);
          if (now.tree.size() <= size) continue;
          if (commit != 0 && record.origin->commit != commit) moved[commit][log] = edge_;
          commit = record.origin->commit;
          edge_ = now.tree.encode();
        }
        if (tiles_.bytes() > kWriteBytes) YUSHI_TRY(put_tiles());
      }
      if (commit != 0) moved[commit][log] = edge_;
      if (now.tree.size() < size)
        return fail(Code::corrupt, "records " + at(log, now.tree.size()) + " to " + at(log, size - 1) +
                                       " were signed and are in neither");
      if (now.tree.size() == size) signed_part[log] = now;
      storage::Write write;
      write.put(made_->families().state, keys::signed_tree(log), signed_part[log].tree.encode());
      if (note) YUSHI_TRY(made_->write(write, "taking the trees"));
    }
    for (auto& [commit, edges] : moved) chain.add(commit, edges);
    auto stored = YUSHI_TRY(left_->get(left_->families().state, keys::kChain));
    if (!moved.empty() && (!stored || *stored != as_bytes(chain.code()))) {
      // Some of them are lost, or are not what this node wrote: no code proves any.
      chain.begin(audit_note ? *audit_note : "node " + node_);
      YUSHI_TRY(leave_out(*view, signed_part, whole));
    }
    storage::Write write;
    for (auto& [log, derived] : whole) YUSHI_TRY(put(log, derived, write));
    std::string number;
    put_varint(number, commit_);
    write.put(made_->families().state, "commit", number);
    write.put(made_->families().state, keys::kChain, as_bytes(chain.code()));
    return made_->write(write, "taking what is derived");
  }

  void add(Derived& to, const std::string& log, const Record& record) {
    to.tree.append(storage::leaf_of(record), [&](int level, uint64_t index, const Hash& hash) {
      to.tiles.add(level, index, hash, [&](int tile_level, uint64_t tile, const std::string& hashes) {
        tiles_.put(made_->families().tree, keys::tile(log, tile_level, tile), hashes);
      });
    });
    auto& source = to.sources[std::string(record.origin->source)];
    source.add(record);
    if (auto sequence = storage::sequence_number(record)) source.losses.take(*sequence);
    commit_ = std::max(commit_, record.origin->commit);
    if (log != kAuditLog || record.raw.find("\"alert\"") == record.raw.npos) return;
    if (auto alert = alert_of(record.raw)) alerts_.emplace_back(record.index, storage::AlertEntry::of(*alert).encode());
    if (auto own = own_record_of(record.raw))
      if (auto* act = std::get_if<AlertAct>(&own->about))
        alerts_.emplace_back(record.index, storage::AlertActEntry::of(*act).encode());
  }

  // The records behind the newest checkpoints.
  Result<void> leave_out(const StoreView& view, std::map<std::string, Derived>& signed_part,
                         std::map<std::string, Derived>& whole) {
    storage::Write write;
    for (auto& [log, derived] : whole) {
      auto& kept = signed_part[log];
      const auto from = kept.tree.size(), to = derived.tree.size();
      if (from == to) continue;
      if (auto segment = YUSHI_TRY(view.segment_at(log, from)); segment && segment->sealed)
        return fail(Code::corrupt, "records from " + at(log, from) +
                                       " on are in blocks, but not signed, and no code "
                                       "proves them");
      write.erase_range(made_->families().tail, keys::record(log, from), keys::record(log, to));
      report_.missing.push_back("records " + at(log, from) + " to " + at(log, to - 1) +
                                ", behind the newest checkpoint: nothing proves them, since some beside them are lost");
      derived = kept;
    }
    std::erase_if(alerts_, [&](auto& alert) { return alert.first >= whole[kAuditLog].tree.size(); });
    return made_->write(write, "leaving out what nothing proves");
  }

  Result<void> put(const std::string& log, Derived& derived, storage::Write& write) {
    if (derived.tree.size() == 0) return {};
    auto& families = made_->families();
    write.put(families.state, keys::log_state(log), derived.tree.encode());
    for (auto& [source, state] : derived.sources) write.put(families.state, keys::source(log, source), state.encode());
    derived.tiles.flush([&](int level, uint64_t tile, const std::string& hashes) {
      tiles_.put(families.tree, keys::tile(log, level, tile), hashes);
    });
    YUSHI_TRY(put_tiles());
    if (log != kAuditLog) return {};
    for (auto& [index, entry] : alerts_) write.put(families.alerts, keys::alert(index), entry);
    return {};
  }

  Result<void> put_tiles() {
    YUSHI_TRY(made_->write(tiles_, "taking the trees"));
    tiles_ = storage::Write();
    return {};
  }

  // -------------------------------------------------------------------------------------- what was kept for others

  // By name, the code over them among them; nothing where it does not hold.
  using Kept = std::map<std::string, std::string>;
  Result<std::optional<Kept>> kept_of(const Database& from) {
    auto family = from.families().state;
    auto code = YUSHI_TRY(from.get(family, keys::kKept));
    auto names = code ? storage::decode_kept(*code, key_) : storage::KeptStates();
    if (!code || !names) return std::nullopt;
    Kept out;
    for (auto& [name, digest] : *names) {
      auto value = YUSHI_TRY(from.get(family, name));
      if (!value || sha256(*value) != digest) return std::nullopt;
      out[name] = std::move(*value);
    }
    out[keys::kKept] = std::move(*code);
    return out;
  }

  Result<void> take_kept() {
    auto kept = YUSHI_TRY(kept_of(*left_));
    // Names are only ever added: with fewer, what is left is of before the copy.
    if (auto copied = YUSHI_TRY(kept_of(*copy_)); copied && (!kept || kept->size() < copied->size())) {
      kept = std::move(copied);
      report_.missing.push_back(
          "cursors and what the detectors know: those of the copy are taken, so forwarders send again what came since, "
          "and detectors see it again");
    }
    if (!kept) {
      report_.missing.push_back("cursors and what the detectors know: forwarders and detectors begin anew");
      kept.emplace()[keys::kKept] = storage::encode_kept({}, key_);
    }
    storage::Write write;
    for (auto& [name, value] : *kept) write.put(made_->families().state, name, value);
    return made_->write(write, "taking what is kept for others");
  }

  // ------------------------------------------------------------------------------------------------------- the proof

  Result<void> hold_to_heads() {
    Disk disk;
    YUSHI_TRY(storage::write_heads(folder_ + "/heads", heads_, disk));
    auto view = YUSHI_TRY(StoreView::open(made_, options_.reparse(made_)));
    VerifyOptions options;
    options.public_key = key_.public_bytes();
    options.key_rotations = YUSHI_TRY(view->key_rotations());
    options.heads_path = folder_ + "/heads";
    options.key_path = options_.key_path;
    const auto report = YUSHI_TRY(verify_store(*view, options, [&](std::string_view log, uint64_t done, uint64_t size) {
      return !options_.progress || options_.progress(log, done, size);
    }));
    for (auto& flaw : report.flaws)
      if (flaw.contradiction) return fail(Code::corrupt, flaw.place + ": " + flaw.what);
    return {};
  }

  Result<void> take_its_place() {
    std::error_code failed;
    const auto folder = options_.data_dir + "/store";
    report_.set_aside = folder + ".damaged";
    for (int i = 2; fs::exists(report_.set_aside, failed); ++i)
      report_.set_aside = folder + ".damaged-" + std::to_string(i);
    fs::rename(folder, report_.set_aside, failed);
    if (!failed) fs::rename(folder_ + "/store", folder, failed);
    if (failed)
      return fail(Code::io, "putting " + folder_ + "/store in the place of " + folder + ": " + failed.message());
    fs::remove_all(folder_, failed);
    return {};
  }

  static constexpr uint32_t kSixMonths = 184;  // what the law asks for

  const RepairOptions& options_;
  const Error& damage_;
  const std::string folder_;  // holds what is made until it takes the store's place
  std::unique_ptr<Database> left_, copy_;
  std::shared_ptr<Database> made_;
  SigningKey key_;
  KeyRing keys_;
  storage::Heads heads_;
  std::string node_, edge_;
  uint64_t commit_ = 0;
  std::vector<std::pair<uint64_t, std::string>> alerts_;  // index in `_audit`, entry
  storage::Write tiles_;
  RepairReport report_;
};

}  // namespace

Result<RepairReport> rebuild_store(const RepairOptions& options, const Error& damage) {
  return Rebuilder(options, damage).run();
}

}  // namespace yushi::audit
