#include "storage/store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/time_text.h"
#include "core/ledger/entry.h"
#include "storage/keys.h"
#include "storage/sealer.h"
#include "storage/view.h"

namespace yushi::storage {
namespace {

constexpr uint64_t kBlockRecordsMax = 64 << 10;
constexpr uint64_t kBlockBytesMax = 16 << 20;
constexpr uint64_t kSmallBlockBytes = 1 << 20;
constexpr int64_t kDay = 24 * 60 * kMinute;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string_view::npos;
}

// An empty store beside heads with lines is a deleted store, not a new one.
Result<void> refuse_to_begin_anew(const std::string& data_dir) {
  auto path = data_dir + "/heads";
  auto heads = read_heads(path);
  if (heads ? heads->empty() : heads.error().code == Code::not_found) return {};
  return fail(Code::corrupt, path +
                                 " names logs, but the store beside it is empty: it was deleted or replaced; put "
                                 "the store back, or move the whole folder aside to begin a new one");
}

}  // namespace

// -------------------------------------------------------------------------------------------------------------- open

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  if (!is_name(options.node.empty() ? options.fallback_node : options.node)) {
    return fail(Code::invalid, "node: \"" + options.node + "\" must match [a-z0-9_.-]{1,64}");
  }
  auto retentions = options.log_retention_days;
  std::erase(retentions, 0u);
  retentions.push_back(options.retention_days);
  if (auto least = *std::min_element(retentions.begin(), retentions.end()); least < kRetentionFloorDays) {
    return fail(Code::refused, "retention.days: " + std::to_string(least) + " is under the legal floor of " +
                                   std::to_string(kRetentionFloorDays) + "; remove the line or raise it");
  }
  if (options.key_dir.empty()) options.key_dir = options.data_dir + "/keys";
  std::error_code made;
  auto folder = options.data_dir + "/store";
  if (!std::filesystem::exists(folder, made) || std::filesystem::is_empty(folder, made)) {
    // nothing is made
    YUSHI_TRY(refuse_to_begin_anew(options.data_dir));
  }
  made.clear();
  std::filesystem::create_directories(options.data_dir, made);
  if (!made) std::filesystem::create_directories(options.key_dir, made);
  if (made) return fail(Code::io, "making " + options.data_dir + ": " + made.message());
  ::chmod(options.key_dir.c_str(), 0700);

  auto database = YUSHI_TRY(Database::open(folder, Database::Mode::read_write));
  std::unique_ptr<Store> store(new Store);
  store->options_ = std::move(options);
  store->database_ = std::move(database);
  auto loaded = store->load();
  if (!loaded) return tl::unexpected(loaded.error());
  return store;
}

Result<void> Store::load() {
  auto& families = database_->families();
  auto node = YUSHI_TRY(database_->get(families.meta, "node"));
  bool fresh = !node;
  if (options_.node.empty()) options_.node = fresh ? options_.fallback_node : *node;
  if (options_.opened) options_.opened(database_);
  auto key_path = options_.key_dir + "/node.pem";
  if (fresh) {
    if (auto begin = refuse_to_begin_anew(options_.data_dir); !begin) return begin;
    // `heads` is made before the store has its name, so that from then on a missing file is always a removed one.
    auto heads_path = options_.data_dir + "/heads";
    if (auto written = write_heads(heads_path, {}); !written) return written;
    if (!std::filesystem::exists(key_path)) {
      auto key = YUSHI_TRY(SigningKey::generate());
      auto saved = key.save(key_path);
      if (!saved) return saved;
    }
    std::string day;
    put_varint(day, static_cast<uint64_t>(realtime_ns() / kDay));
    put_varint(day, 0);
    rocksdb::WriteBatch batch;
    batch.Put(families.meta, "node", options_.node);
    batch.Put(families.meta, "format", kStoreFormat);
    batch.Put(families.meta, "day", day);
    auto written = database_->write(batch, "making a new store");
    if (!written) return written;
  } else if (*node != options_.node) {
    return fail(Code::invalid, "node: \"" + options_.node + "\" in the config, but this store was made by node \"" +
                                   *node + "\"; the name is part of every checkpoint and cannot change");
  }
  auto key = YUSHI_TRY(SigningKey::load(key_path));
  key_ = std::move(key);
  // Readers without the key folder find the public half here; whoever puts in another key is told at once.
  auto known_key = YUSHI_TRY(database_->get(families.meta, "public_key"));
  if (known_key && *known_key != key_.public_bytes()) {
    return fail(Code::corrupt, key_path + " is not the key that this store was signed with; put the old one back");
  }
  if (!known_key) {
    rocksdb::WriteBatch batch;
    batch.Put(families.meta, "public_key", key_.public_bytes());
    if (auto written = database_->write(batch, "keeping the public key"); !written) return written;
  }

  auto day = YUSHI_TRY(database_->get(families.meta, "day"));
  Reader in(day ? std::string_view(*day) : std::string_view());  // a view into `day`, never into a copy that is gone
  store_day_ = static_cast<uint32_t>(in.varint());
  day_ran_ns_ = static_cast<int64_t>(in.varint());
  if (!in.ok()) return fail(Code::corrupt, "the store day in `meta` is damaged");
  seal_day_ = store_day_;

  auto commit = YUSHI_TRY(database_->get(families.state, "commit"));
  if (commit) commit_ = Reader(*commit).varint();

  sealer_ = std::make_unique<Sealer>(database_, counters_, options_.node, seal_day_, pulse_);
  auto view = YUSHI_TRY(StoreView::open(database_, options_.reparse));
  if (auto taken = take_up_logs_without_a_tenant(*view); !taken) return taken;
  logs_.resize(options_.logs.size());
  committed_sizes_ = std::make_unique<std::atomic<uint64_t>[]>(logs_.size());
  for (size_t i = 0; i < logs_.size(); ++i) {
    logs_[i].name = options_.logs[i];
    auto loaded = load_log(*view, logs_[i]);
    if (!loaded) return loaded;
    committed_sizes_[i] = logs_[i].tree.size();
  }
  return compare_with_heads(*view);
}

// Their tenants were taken out of the config. Nothing comes in any more, but what is there is sealed, signed and kept
// as before. How long such a tenant wanted its records kept is not known here: the longest of all holds.
Result<void> Store::take_up_logs_without_a_tenant(const StoreView& view) {
  auto known = YUSHI_TRY(view.logs());
  auto& days = options_.log_retention_days;
  uint32_t longest = options_.retention_days;
  for (auto of_log : days) longest = std::max(longest, of_log);
  for (auto* family : database_->blocks_families()) {
    auto name = family->GetName();
    longest = std::max(longest, static_cast<uint32_t>(std::strtoul(name.c_str() + name.rfind('.') + 1, nullptr, 10)));
  }
  for (auto& log : known) {
    if (std::find(options_.logs.begin(), options_.logs.end(), log) != options_.logs.end()) continue;
    days.resize(options_.logs.size());
    options_.logs.push_back(log);
    days.push_back(longest);
  }
  return {};
}

Result<void> Store::load_log(const StoreView& view, LogState& log) {
  auto head = view.head(log.name);
  if (!head) {
    if (head.error().code == Code::not_found) return {};
    return tl::unexpected(head.error());
  }
  log.tree = head->tree;
  for (int level = 1; (head->size >> (8 * level)) > 0; ++level) {
    uint64_t hashes = head->size >> (8 * level);
    if (hashes % 256 == 0) continue;
    auto tile = YUSHI_TRY(view.tile(log.name, level, hashes / 256));
    if (tile.size() != hashes % 256 * 32)
      return fail(Code::corrupt, "tree of log " + log.name + ": newest tile has another size");
    log.tiles.restore(level, hashes / 256, std::move(tile));
  }
  auto sources = YUSHI_TRY(view.sources(log.name));
  for (auto& [source, state] : sources) log.sources.emplace(source, state);
  auto newest = YUSHI_TRY(view.newest_checkpoint(log.name));
  if (newest) {
    auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(*newest));
    log.checkpoint_size = checkpoint.size;
    heads_[log.name] = *newest;
  }

  auto segments = YUSHI_TRY(view.segments(log.name));
  uint64_t next = segments.empty() ? 0 : segments.front().summary.first_index;
  for (auto& segment : segments) {
    if (segment.summary.first_index != next) {
      return fail(Code::corrupt, "log " + log.name + ": records " + std::to_string(next) + " to " +
                                     std::to_string(segment.summary.first_index) +
                                     " are gone; `yushi verify` tells more");
    }
    next += segment.summary.records;
    if (segment.sealed) continue;
    auto bytes =
        YUSHI_TRY(database_->get(database_->families().tail, keys::record(log.name, segment.summary.first_index)));
    auto chunk = YUSHI_TRY(ChunkHead::decode(segment.summary.first_index, *bytes));
    auto read = YUSHI_TRY(view.read(segment));
    std::shared_ptr<Batch> batch = std::move(read);
    if (batch->records.empty()) continue;
    auto& open = log.open;
    if (!open.records.empty() &&
        (open.parsed.full() || open.records.size() + batch->records.size() > kBlockRecordsMax ||
         open.raw_bytes + segment.summary.raw_bytes > kBlockBytesMax)) {
      hand_to_sealer(log, std::exchange(log.open, OpenBlock{}));
    }
    if (open.records.empty()) {
      open.first_index = segment.summary.first_index;
      open.opened_ns = batch->records[0].origin->received_ns;
    }
    if (auto now = options_.reparse.engine; chunk.context.engine != now) {
      // What a crash left under another version of the program: its fields are given anew, once, and put down at the
      // first chance under the engine that gave them.
      auto& tails = other_engines_;
      if (tails.empty() || tails.back().log != log.name || tails.back().engine != chunk.context.engine)
        tails.push_back({log.name, chunk.context.engine, segment.summary.first_index, 0});
      tails.back().records += batch->records.size();
      chunk.context.engine = now;
      open.due = true;
    }
    open.parsed.add(static_cast<uint32_t>(open.records.size()), chunk.context);
    for (auto& record : batch->records) open.records.push_back(&record);
    open.raw_bytes += segment.summary.raw_bytes;
    open.memory_bytes += batch->bytes + batch->arena.bytes() + batch->records.size() * sizeof(Record);
    open.batches.push_back(std::move(batch));
  }
  if (next != head->size) {
    return fail(Code::corrupt, "log " + log.name + " has records up to " + std::to_string(next) +
                                   ", but its tree has " + std::to_string(head->size) +
                                   " leaves; `yushi verify` tells more");
  }
  return {};
}

Result<void> Store::compare_with_heads(const StoreView& view) {
  auto path = options_.data_dir + "/heads";
  auto heads = read_heads(path);
  if (!heads) {
    if (heads.error().code == Code::not_found) {
      return fail(Code::corrupt,
                  path + " is gone: put it back from a backup; without it a shortened store cannot be told");
    }
    return tl::unexpected(heads.error());
  }
  for (auto& [log, note] : heads_) {
    if (heads->contains(log)) continue;
    // Only a crash between a log's very first checkpoint and `heads` leaves it without a line.
    auto notes = YUSHI_TRY(view.checkpoints(log));
    if (notes.size() > 1)
      return fail(Code::corrupt,
                  path + " has no line for log " + log + ", which was signed: put it back from a backup");
  }
  for (auto& [log, note] : *heads) {
    auto origin = options_.node + "/" + log;
    auto signed_head = open_note(note, key_.verifier_line(origin));
    if (!signed_head) {
      return fail(Code::corrupt, path + ": the line of log " + log +
                                     " is not signed by this node's key: " + signed_head.error().message);
    }
    auto head = view.head(log);
    uint64_t size = head ? head->size : 0;
    if (size < signed_head->size) {
      return fail(Code::corrupt, "log " + log + " is shorter than its signed checkpoint: " + std::to_string(size) +
                                     " of " + std::to_string(signed_head->size) +
                                     " records; the store was rolled back, or its WAL was "
                                     "cut or deleted; not continuing it");
    }
    auto root = root_at(signed_head->size,
                        [&view, &log = log](int level, uint64_t index) { return view.subtree(log, level, index); });
    if (!root) return tl::unexpected(root.error());
    if (*root != signed_head->root) {
      return fail(Code::corrupt, "log " + log + ": the root at size " + std::to_string(signed_head->size) +
                                     " is not the signed one: records were changed; `yushi verify` names the place");
    }
    // A note is stored and synced before `heads` is written; a crash between the two leaves the stored one newer.
    auto stored = YUSHI_TRY(database_->get(database_->families().state, keys::checkpoint(log, signed_head->size)));
    if (!stored || *stored != note) {
      return fail(Code::corrupt, "log " + log + ": the store does not hold the checkpoint of size " +
                                     std::to_string(signed_head->size) + " that " + path +
                                     " names: the end of its WAL was cut or damaged; not continuing it");
    }
  }
  // What a crash kept from it. A second crash at the same place would leave a log signed twice without a line.
  if (*heads == heads_) return {};
  return write_heads(path, heads_);
}

Store::~Store() = default;

// ------------------------------------------------------------------------------------------------------------ commit

struct Store::Commit::Write {
  explicit Write(size_t bytes) : batch(bytes) {}
  rocksdb::WriteBatch batch;
  std::vector<LogState*> touched;
  std::map<std::pair<LogState*, std::string_view>, SourceState*> moved;
  // for the sealer, once this commit is durable: they may hold its records
  std::vector<std::pair<LogState*, OpenBlock>> full;
  uint64_t records = 0, raw_bytes = 0;
};

Store::Commit::Commit(Store& store)
    : store_(store), number_(store.commit_ + 1), write_(std::make_shared<Write>(store.commit_bytes_)) {}

void Store::Commit::append(PreparedBatch&& prepared) {
  auto& families = store_.database_->families();
  thread_local std::string entry;
  for (auto& group : prepared.groups) {
    auto& log = store_.logs_[group.tenant];
    auto& open = log.open;
    if (!open.records.empty() && (open.parsed.full() || open.records.size() + group.records.size() > kBlockRecordsMax ||
                                  open.raw_bytes + group.raw_bytes > kBlockBytesMax)) {
      write_->full.emplace_back(&log, std::exchange(open, OpenBlock{}));
    }
    uint64_t first = log.tree.size();
    if (open.records.empty()) {
      open.first_index = first;
      open.opened_ns = group.records[0]->origin->received_ns;
    }
    open.parsed.add(static_cast<uint32_t>(open.records.size()), *group.context);
    std::vector<SourceState*> states;
    for (auto& source : group.sources) {
      auto it = log.sources.find(source.source);
      if (it == log.sources.end()) {
        it = log.sources.emplace(source.source, SourceState{}).first;
        it->second.first_received_ns = group.records[0]->origin->received_ns;
      }
      it->second.address = source.address;
      it->second.mark_seen_on(source.transport);
      states.push_back(&it->second);
      write_->moved[{&log, it->first}] = &it->second;
    }
    auto put_tile = [&](int level, uint64_t tile, const std::string& hashes) {
      write_->batch.Put(families.tree, keys::tile(log.name, level, tile), hashes);
    };
    for (size_t i = 0; i < group.sources.size(); ++i) group.sources[i].first_seq = states[i]->next_seq;
    const Origin* last_origin = nullptr;
    for (size_t i = 0; i < group.records.size(); ++i) {
      auto& record = *group.records[i];
      auto& state = *states[group.source_of.empty() ? 0 : group.source_of[i]];
      record.index = first + i;
      record.source_seq = state.next_seq++;
      state.raw_bytes += record.raw.size();
      state.last_event_ns = record.event_ns;
      if (record.origin != last_origin) {
        last_origin = record.origin;
        // the batch is ours now, and this is where its log is known
        auto& origin = const_cast<Origin&>(*record.origin);
        origin.log = log.name;
        origin.node = store_.options_.node;
        origin.commit = number_;
        state.last_received_ns = origin.received_ns;
      }
      make_entry(record.origin->received_ns, record.origin->source, record.source_seq,
                 transport_name(record.origin->transport), record.digest, entry);
      log.tree.append(leaf_hash(entry), [&](int level, uint64_t index, const Hash& hash) {
        log.tiles.add(level, index, hash, put_tile);
      });
      open.records.push_back(&record);
    }
    for (auto& numbered : group.numbered) {
      states[group.source_of.empty() ? 0 : group.source_of[numbered.record]]->losses.take(numbered.sequence);
    }
    for (auto* state : states)
      state->last_received_ns = std::max(state->last_received_ns, group.records.back()->origin->received_ns);
    write_->batch.Put(families.tail, keys::record(log.name, first), finish_chunk(number_, group));
    open.raw_bytes += group.raw_bytes;
    auto memory =
        prepared.batch->bytes + prepared.batch->arena.bytes() + prepared.batch->records.size() * sizeof(Record);
    open.memory_bytes += memory * group.records.size() / prepared.batch->records.size();
    open.batches.push_back(prepared.batch);
    if (std::find(write_->touched.begin(), write_->touched.end(), &log) == write_->touched.end())
      write_->touched.push_back(&log);
    write_->records += group.records.size();
    write_->raw_bytes += group.raw_bytes;
  }
}

void Store::Commit::add_alert(uint64_t audit_index, std::string_view json) {
  write_->batch.Put(store_.database_->families().alerts, keys::alert(audit_index), slice(json));
}

void Store::Commit::put_state(std::string_view name, std::string_view bytes) {
  write_->batch.Put(store_.database_->families().state, slice(name), slice(bytes));
}

Result<void> Store::Commit::finish() {
  auto& families = store_.database_->families();
  for (auto* log : write_->touched) {
    log->tiles.flush([&](int level, uint64_t tile, const std::string& hashes) {
      write_->batch.Put(families.tree, keys::tile(log->name, level, tile), hashes);
    });
    write_->batch.Put(families.state, keys::log_state(log->name), log->tree.encode());
  }
  for (auto& [key, state] : write_->moved) {
    write_->batch.Put(families.state, keys::source(key.first->name, key.second), state->encode());
  }
  std::string number;
  put_varint(number, number_);
  write_->batch.Put(families.state, "commit", number);
  auto before = std::chrono::steady_clock::now();
  auto written = store_.database_->write(write_->batch, "committing");
  if (!written) return written;
  auto took = std::chrono::steady_clock::now() - before;
  store_.commit_ = number_;
  store_.commit_bytes_ = write_->batch.GetDataSize();
  for (auto* log : write_->touched)
    store_.committed_sizes_[static_cast<size_t>(log - store_.logs_.data())] = log->tree.size();
  auto& c = store_.counters_;
  c.commits += 1;
  c.records += write_->records;
  c.raw_bytes += write_->raw_bytes;
  c.sync_ns += static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  for (auto& [log, block] : write_->full) store_.hand_to_sealer(*log, std::move(block));
  return {};
}

// -------------------------------------------------------------------------------------------------------------- seal

void Store::hand_to_sealer(const LogState& log, OpenBlock block) {
  sealer_->add({log.name, retention_of(log), std::move(block)});
}

uint32_t Store::retention_of(const LogState& log) const {
  auto tenant = static_cast<size_t>(&log - logs_.data());
  auto& days = options_.log_retention_days;
  return tenant < days.size() && days[tenant] ? days[tenant] : options_.retention_days;
}

Result<void> Store::seal_due(int64_t now_ns, bool all) {
  if (auto failed = sealer_->failed()) return tl::unexpected(*failed);
  size_t total = 0;
  for (auto& log : logs_) {
    auto& open = log.open;
    if (open.records.empty()) continue;
    if (now_ns < open.opened_ns) open.opened_ns = now_ns;  // the clock was set back
    int64_t age = now_ns - open.opened_ns;
    bool due = all || open.due || open.raw_bytes >= kBlockBytesMax || open.records.size() >= kBlockRecordsMax ||
               age >= (open.raw_bytes >= kSmallBlockBytes ? 10 * kMinute : kDay);
    if (due) {
      hand_to_sealer(log, std::exchange(log.open, OpenBlock{}));
    } else {
      total += open.memory_bytes;
    }
  }
  while (total > options_.open_bytes_max) {
    auto fullest = std::max_element(logs_.begin(), logs_.end(),
                                    [](auto& a, auto& b) { return a.open.memory_bytes < b.open.memory_bytes; });
    total -= fullest->open.memory_bytes;
    hand_to_sealer(*fullest, std::exchange(fullest->open, OpenBlock{}));
  }
  counters_.open_bytes = total;
  return {};
}

const Pulse& Store::sealer_pulse() const { return sealer_->pulse(); }

Result<void> Store::wait_sealed() { return sealer_->wait(); }

// ------------------------------------------------------------------------------------------------------- checkpoints

Result<void> Store::sign_checkpoints(int64_t now_ns, int64_t at_least_ns) {
  rocksdb::WriteBatch batch;
  bool any = false;
  std::vector<std::pair<LogState*, std::string>> notes;
  for (auto& log : logs_) {
    if (log.tree.size() == log.checkpoint_size) continue;
    // A checkpoint from the future is due: the clock was set back, and nothing must stay unsigned until it has caught
    // up.
    if (now_ns >= log.checkpoint_ns && now_ns - log.checkpoint_ns < at_least_ns) continue;
    Checkpoint checkpoint{options_.node + "/" + log.name, log.tree.size(), log.tree.root()};
    auto note = YUSHI_TRY(key_.sign(checkpoint));
    batch.Put(database_->families().state, keys::checkpoint(log.name, checkpoint.size), note);
    notes.emplace_back(&log, std::move(note));
    any = true;
  }
  if (!any) return {};
  auto written = database_->write(batch, "storing checkpoints");
  if (!written) return written;
  for (auto& [log, note] : notes) {
    log->checkpoint_size = log->tree.size();
    log->checkpoint_ns = now_ns;
    heads_[log->name] = std::move(note);
  }
  return write_heads(options_.data_dir + "/heads", heads_);
}

Result<void> Store::tick(int64_t boottime_ns, int64_t wall_ns) {
  if (boottime_ns_ != 0 && boottime_ns > boottime_ns_) day_ran_ns_ += boottime_ns - boottime_ns_;
  boottime_ns_ = boottime_ns;
  bool turned = false;
  while (day_ran_ns_ >= kDay && store_day_ < static_cast<uint64_t>(wall_ns / kDay)) {
    day_ran_ns_ -= kDay;
    ++store_day_;
    turned = true;
  }
  if (day_ran_ns_ > kDay) day_ran_ns_ = kDay;  // the wall clock is behind: wait for it
  if (!turned && boottime_ns - day_saved_ns_ < kMinute) return {};
  day_saved_ns_ = boottime_ns;
  std::string day;
  put_varint(day, store_day_);
  put_varint(day, static_cast<uint64_t>(day_ran_ns_));
  rocksdb::WriteBatch batch;
  batch.Put(database_->families().meta, "day", day);
  auto written = database_->write(batch, "counting the store day");
  if (written) seal_day_ = store_day_;
  return written;
}

Result<void> Store::keep_parsers(const std::string& digest, std::string_view encoded_files) {
  auto there = YUSHI_TRY(database_->get(database_->families().meta, keys::parsers(digest)));
  if (there) return {};
  rocksdb::WriteBatch batch;
  batch.Put(database_->families().meta, keys::parsers(digest), slice(encoded_files));
  return database_->write(batch, "keeping the parser files");
}

Result<void> Store::close(int64_t now_ns) {
  auto sealed = seal_due(now_ns, true);
  if (sealed) sealed = wait_sealed();
  if (!sealed) return sealed;
  auto checked = sign_checkpoints(now_ns, 0);
  if (!checked) return checked;
  day_saved_ns_ = 0;
  auto ticked = tick(boottime_ns_, now_ns);
  if (!ticked) return ticked;
  return database_->flush();
}

void Store::for_each_source(const std::function<void(TenantId, const std::string&, const SourceState&)>& visit) const {
  for (size_t tenant = 0; tenant < logs_.size(); ++tenant) {
    for (auto& [source, state] : logs_[tenant].sources) visit(static_cast<TenantId>(tenant), source, state);
  }
}

Result<std::string> Store::read_state(std::string_view name) const {
  auto bytes = YUSHI_TRY(database_->get(database_->families().state, name));
  if (!bytes) return fail(Code::not_found, "no state " + std::string(name));
  return std::move(*bytes);
}

Result<void> Store::write_state(std::string_view name, std::string_view bytes) {
  rocksdb::WriteBatch batch;
  batch.Put(database_->families().state, slice(name), slice(bytes));
  return database_->write(batch, "storing " + std::string(name));
}

}  // namespace yushi::storage
