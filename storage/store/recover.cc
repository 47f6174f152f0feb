// Opening a store: made anew, or taken up where the last run left it, and held to what was signed.
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/name.h"
#include "storage/block/day_head.h"
#include "storage/db/keys.h"
#include "storage/store/sealer.h"
#include "storage/store/store.h"
#include "storage/tail/leaf.h"

namespace yushi::storage {
namespace {

// An empty store beside heads with lines is a deleted store, not a new one.
Result<void> refuse_to_begin_anew(const std::string& data_dir) {
  auto path = data_dir + "/heads";
  auto heads = read_heads(path);
  if (heads ? heads->empty() : heads.error().code == Code::not_found) return {};
  return fail(Code::corrupt, path +
                                 " names logs, but the store beside it is empty: it was deleted or replaced; put "
                                 "the store back, or move the whole folder aside to begin a new one");
}

// A first start that was cut short leaves files that RocksDB does not open. Before there is `heads` nothing can have
// been stored, and a file with records is not empty.
Result<bool> begin_anew(const std::string& data_dir) {
  namespace fs = std::filesystem;
  const auto folder = data_dir + "/store";
  std::error_code error;
  if (fs::exists(data_dir + "/heads", error) || error || !fs::is_directory(folder, error)) return false;
  bool is_something = false;
  for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
    is_something = true;
    auto name = file->path().filename().native();
    bool holds_records = name.ends_with(".log") || name.ends_with(".sst") || name.ends_with(".blob");
    bool is_known = holds_records || name.ends_with(".dbtmp") || name == "CURRENT" || name == "IDENTITY" ||
                    name == "LOCK" || name.starts_with("LOG") || name.starts_with("MANIFEST-") ||
                    name.starts_with("OPTIONS-");
    if (!is_known || (holds_records && (file->file_size(error) > 0 || error))) return false;
  }
  if (error) return fail(Code::io, "looking into " + folder + ": " + error.message());
  if (!is_something) return false;
  YUSHI_TRY(Database::take_away(folder));
  return true;
}

Result<std::optional<OwnRecord>> own_record_at(const StoreView& view, uint64_t index) {
  auto segment = YUSHI_TRY(view.segment_at(kAuditLog, index));
  if (!segment) return std::nullopt;
  auto batch = YUSHI_TRY(view.read(*segment));
  auto at = index - segment->summary.first_index;
  return at < batch->records.size() ? own_record_of(batch->records[at].raw) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  YUSHI_ASSERT(options.own_context, "nothing says how records of our own are understood");
  if (!is_name(options.node.empty() ? options.fallback_node : options.node)) {
    return fail(Code::invalid, "node: \"" + options.node + "\" must match " + kNameRule);
  }
  YUSHI_TRY(check_retention(options.retention_days));
  if (options.key_dir.empty()) options.key_dir = options.data_dir + "/keys";
  std::error_code made;
  auto folder = options.data_dir + "/store";
  auto anew = YUSHI_TRY(begin_anew(options.data_dir));
  if (!std::filesystem::exists(folder, made) || std::filesystem::is_empty(folder, made)) {
    // nothing is made
    YUSHI_TRY(refuse_to_begin_anew(options.data_dir));
  }
  made.clear();
  std::filesystem::create_directories(options.data_dir, made);
  if (!made) std::filesystem::create_directories(options.key_dir, made);
  if (made) return fail(Code::io, "making " + options.data_dir + ": " + made.message());
  ::chmod(options.key_dir.c_str(), 0700);

  auto database = YUSHI_TRY(Database::open(folder, Database::Mode::read_write, options.disk, options.memtable_bytes));
  std::unique_ptr<Store> store(new Store);
  if (anew) {
    store->findings_.push_back("a first start was cut short before anything was stored: its leftovers in " + folder +
                               " were taken away, and the store is begun anew");
  }
  store->options_ = std::move(options);
  store->database_ = std::move(database);
  YUSHI_TRY(store->load());
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
    YUSHI_TRY(refuse_to_begin_anew(options_.data_dir));
    // `heads` is made before the store has its name, so that from then on a missing file is always a removed one.
    YUSHI_TRY(write_heads(options_.data_dir + "/heads", {}, *options_.disk));
    if (!std::filesystem::exists(key_path)) {
      auto key = YUSHI_TRY(SigningKey::generate());
      YUSHI_TRY(key.save(key_path, *options_.disk));
    }
    std::string day;
    put_varint(day, static_cast<uint64_t>(realtime_ns() / kDay));
    put_varint(day, 0);
    Write write;
    write.put(families.meta, "node", options_.node);
    write.put(families.meta, "format", kStoreFormat);
    write.put(families.meta, "day", day);
    YUSHI_TRY(database_->write(write, "making a new store"));
  } else if (*node != options_.node) {
    return fail(Code::invalid, "node: \"" + options_.node + "\" in the config, but this store was made by node \"" +
                                   *node + "\"; the name is part of every checkpoint and cannot change");
  }
  YUSHI_TRY(load_key(key_path));
  auto day = YUSHI_TRY(database_->get(families.meta, "day"));
  Reader in(day ? std::string_view(*day) : std::string_view());  // a view into `day`, never into a copy that is gone
  store_day_ = static_cast<uint32_t>(in.varint());
  day_ran_ns_ = static_cast<int64_t>(in.varint());
  if (!in.ok()) return fail(Code::corrupt, "the store day in `meta` is damaged");
  seal_day_ = store_day_;

  auto commit = YUSHI_TRY(database_->get(families.state, "commit"));
  if (commit) commit_ = Reader(*commit).varint();
  YUSHI_TRY(load_states());

  sealer_ = std::make_unique<Sealer>(database_, *open_tail_, counters_, options_.node, seal_day_, pulse_);
  auto view = YUSHI_TRY(StoreView::open(database_, options_.reparse));
  auto stored = YUSHI_TRY(view->logs());
  for (auto* own : {kDefaultLog, kAuditLog}) {
    YUSHI_TRY(log(own, 0));
  }
  for (auto& name : stored) (void)know(name);
  take_up_logs();
  Write anew;
  for (auto& log : logs_) {
    YUSHI_TRY(load_log(*view, log, anew));
    log.known->records = log.tree.size();
  }
  YUSHI_TRY(compare_with_heads(*view));
  YUSHI_TRY(check_what_binds(*view));
  YUSHI_TRY(check_chain(*view));
  YUSHI_TRY(check_contexts_to_tell(*view));
  return anew.bytes() > Write().bytes() ? database_->write(anew, "keeping the heads of days") : Result<void>();
}

Result<void> Store::load_key(const std::string& path) {
  auto& families = database_->families();
  auto known = YUSHI_TRY(database_->get(families.meta, "public_key"));
  auto rotations = YUSHI_TRY(database_->get(families.meta, keys::kRotations));
  // A rotation that ended between the store's word and the file's name. Without the old key's word nothing takes its
  // place.
  auto next = SigningKey::load(next_key_path(path)), now = SigningKey::load(path);
  if (known && next && now && next->public_bytes() == *known &&
      KeyRing::leads(options_.node, rotations.value_or(""), now->public_bytes(), *known)) {
    if (int error = options_.disk->rename(next_key_path(path), path); error != 0)
      return fail(Code::io, "putting the new key in its place, " + path + ": " + std::strerror(error));
  }
  key_ = YUSHI_TRY(SigningKey::load(path));
  chain_ = CommitChain(key_);
  // Readers without the key folder find the public half here; whoever puts in another key is told at once.
  if (known && *known != key_.public_bytes())
    return fail(Code::corrupt, path + " is not the key that this store was signed with; put the old one back");
  keys_ = YUSHI_TRY(KeyRing::make(options_.node, key_.public_bytes(), rotations.value_or("")));
  if (known) return {};
  Write write;
  write.put(families.meta, "public_key", key_.public_bytes());
  return database_->write(write, "keeping the public key");
}

Result<void> Store::load_log(const StoreView& view, LogState& log, Write& anew) {
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

  uint64_t next = 0;
  std::vector<Segment> tail;
  std::map<uint32_t, DayHead> days;
  std::optional<uint64_t> behind_gap;
  bool is_first = true;
  YUSHI_TRY(view.each_segment(log.name, 0, [&](const Segment& segment) {
    const auto first = segment.summary.first_index;
    if (std::exchange(is_first, false)) next = first;
    if (first != next) behind_gap = first;
    if (behind_gap) return false;
    next += segment.summary.records;
    segment.sealed ? days[segment.store_day].add(segment.summary) : tail.push_back(segment);
    return true;
  }));
  if (behind_gap)
    return fail(Code::corrupt, "log " + log.name + ": records " + std::to_string(next) + " to " +
                                   std::to_string(*behind_gap) + " are gone; `yushi verify` tells more");
  YUSHI_TRY(keep_days(view, log.name, days, anew));
  for (auto& segment : tail) {
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
      // When `_audit` has its context, and log() has said how long it is kept.
      to_seal_when_told_.emplace_back(&log, std::exchange(log.open, OpenBlock{}));
    }
    if (open.records.empty()) {
      open.first_index = segment.summary.first_index;
      open.opened_ns = batch->records[0].origin->received_ns;
    }
    open.newest_ns = batch->records.back().origin->received_ns;
    auto& tails = other_engines_;
    if (auto now = options_.reparse.engine; chunk.context.engine != now) {
      // What a crash left under another version of the program: its fields are given anew, once, and put down at the
      // first chance under the engine that gave them.
      if (tails.empty() || tails.back().log != log.name || tails.back().engine != chunk.context.engine)
        tails.push_back({log.name, chunk.context.engine, segment.summary.first_index, 0});
      tails.back().records += batch->records.size();
      chunk.context.engine = now;
      open.due = true;
    }
    if (!tails.empty() && tails.back().log == log.name) {
      // The counters had the other engine's times; what came behind is newer.
      for (auto& record : batch->records) {
        auto source = log.sources.find(record.origin->source);
        if (source == log.sources.end()) continue;
        source->second.last_event_ns = record.event_ns;
        to_write_.insert({&log, source->first});
      }
    }
    auto& tell = contexts_to_tell_;
    if (open.due || (!tell.empty() && tell.back().log == log.name)) {
      auto& how = chunk.context;
      LogContext context{log.name,  segment.summary.first_index, how.parser_digest, how.timezone, how.charset,
                         how.engine};
      bool known = false;
      if (!tell.empty()) {
        auto before = tell.back();
        before.first = context.first;
        known = before == context;
      }
      if (!known) tell.push_back(std::move(context));
    }
    open.parsed.add(static_cast<uint32_t>(open.records.size()), chunk.context);
    std::vector<const Record*> records;
    for (auto& record : batch->records) records.push_back(&record);
    open.records.insert(open.records.end(), records.begin(), records.end());
    open_tail_->add(log.name, batch, std::move(records));
    open.raw_bytes += segment.summary.raw_bytes;
    open.memory_bytes += memory_of(*batch);
    open.batches.push_back(std::move(batch));
  }
  if (next != head->size) {
    return fail(Code::corrupt, "log " + log.name + " has records up to " + std::to_string(next) +
                                   ", but its tree has " + std::to_string(head->size) +
                                   " leaves; `yushi verify` tells more");
  }
  return {};
}

// A store of before has no heads of its days; here they are made, and where one is not that of its blocks.
Result<void> Store::keep_days(const StoreView& view, const std::string& log, const std::map<uint32_t, DayHead>& days,
                              Write& anew) {
  auto filters = database_->families().filters;
  auto stored = YUSHI_TRY(view.stored_days(log));
  for (auto& [day, head] : days)
    if (auto of = stored.find(day); of == stored.end() || of->second != head)
      anew.put(filters, keys::day_head(log, day), head.encode());
  for (auto& [day, head] : stored) {
    auto made = days.find(day);
    if (made != days.end() && made->second == head) continue;
    if (made == days.end()) anew.erase(filters, keys::day_head(log, day));
    found("what the store said of the blocks of log " + log + " of store day " + std::to_string(day) +
          ", by which searches pass over them, was not so: it was made again");
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
    auto signed_head = keys_.open(note, origin);
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
    auto tree = YUSHI_TRY(signed_tree(view, log, signed_head->size, signed_head->root));
    if (tree.root() != signed_head->root) {
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
  return write_heads(path, heads_, *options_.disk);
}

// The root tells whether it is the one that was signed, wherever it comes from. A damaged block keeps its last records
// from us; collecting goes on without.
Result<CompactRange> Store::signed_tree(const StoreView& view, const std::string& log, uint64_t size,
                                        const Hash& root) {
  auto tree = CompactRange::at(size, [&](int level, uint64_t index) { return view.subtree(log, level, index); });
  if (tree) return tree;
  auto kept = YUSHI_TRY(database_->get(database_->families().state, keys::signed_tree(log)));
  auto edge = kept ? CompactRange::decode(*kept) : tl::unexpected(tree.error());
  if (!edge || edge->size() != size || edge->root() != root) return tree;
  found("log " + log + " goes on behind records that cannot be read: " + tree.error().message +
        "; `yushi repair` brings them back from a copy of the store");
  return edge;
}

void Store::found(std::string what) {
  if (std::find(findings_.begin(), findings_.end(), what) == findings_.end()) findings_.push_back(std::move(what));
}

Hash Store::code_of_bound(const std::string& audit_note, const std::string& root) const {
  return key_.derive("yushi bound logs\n" + audit_note + root);
}

// All logs were signed together, and the last record of `_audit` that was says so: a log that is not as it was then, is
// gone or was never there, does not fit it. Nothing is signed over that.
Result<void> Store::check_what_binds(const StoreView& view) {
  auto refused = [](const std::string& what) {
    return fail(Code::corrupt, what + "; `yushi verify` tells more. Not continuing it");
  };
  auto audit = heads_.find(kAuditLog);
  if (audit == heads_.end()) {
    if (heads_.empty()) return {};
    return refused("log " + heads_.begin()->first + " was signed, but not " + kAuditLog +
                   ", which always is with it: its checkpoints were removed");
  }
  auto note = keys_.open(audit->second, options_.node + "/" + kAuditLog);
  if (!note) return refused(std::string("the newest checkpoint of log ") + kAuditLog + ": " + note.error().message);
  auto place = std::string(kAuditLog) + "/" + std::to_string(note->size - 1);
  auto segment = note->size == 0 ? std::nullopt : YUSHI_TRY(view.segment_at(kAuditLog, note->size - 1));
  if (!segment) return refused("record " + place + " is gone");
  std::optional<OwnRecord> own;
  if (auto batch = view.read(*segment)) {
    auto& records = (*batch)->records;
    auto at = note->size - 1 - segment->summary.first_index;
    if (at < records.size()) own = own_record_of(records[at].raw);
    if (at < records.size() && records[at].origin->commit > commit_)
      return refused("record " + place + " is of commit " + std::to_string(records[at].origin->commit) +
                     ", but `commit` in `state` is " + std::to_string(commit_) + ": it was put back");
  } else {
    // The block is damaged; `state` has the root too, under a code that only the node can make.
    auto kept = YUSHI_TRY(database_->get(database_->families().state, keys::kBound)).value_or("");
    auto root = kept.substr(std::min(kept.size(), sizeof(Hash)));
    if (kept != std::string(as_bytes(code_of_bound(audit->second, root))) + root) return tl::unexpected(batch.error());
    found("record " + place + ", which binds the logs, cannot be read: " + batch.error().message +
          "; `yushi repair` brings them back from a copy of the store");
    own.emplace();
    own->about = LogRoots{to_base64(root), 0, false, {}};
  }
  auto* said = own ? std::get_if<LogRoots>(&own->about) : nullptr;
  if (!said) return refused("record " + place + ", the last that was signed, does not say the root over all logs");
  for (auto& [log, signed_note] : heads_) {
    if (log == kAuditLog) continue;
    auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(signed_note));
    bound_[log] = {checkpoint.size, checkpoint.root};
  }
  if (to_base64(as_bytes(root_over(bound_))) == said->root) return {};
  // Which logs moved stands in the records before it.
  for (auto index = note->size - 1; index-- > 0;) {
    auto before = YUSHI_TRY(own_record_at(view, index));
    auto* listed = before ? std::get_if<LogRoots>(&before->about) : nullptr;
    if (!listed || !listed->more) break;
    for (auto& moved : listed->moved) {
      auto it = bound_.find(moved.log);
      if (it == bound_.end() || it->second.size != moved.size || to_base64(as_bytes(it->second.root)) != moved.root)
        return refused("log " + moved.log + " was signed with " + std::to_string(moved.size) + " records, as record " +
                       std::string(kAuditLog) + "/" + std::to_string(index) + " says, but " +
                       (it == bound_.end() ? "has no checkpoint: it was removed"
                                           : "its newest checkpoint is of " + std::to_string(it->second.size) +
                                                 " records: it was cut back or rewritten"));
    }
  }
  return refused("the checkpoints of " + std::to_string(bound_.size()) + " logs are not those of the " +
                 std::to_string(said->logs) + " logs that record " + place +
                 " binds: one of them was cut back, rewritten, removed or put in");
}

// How the records of another engine's tail were understood stands in their chunks, which are under no hash. It is told
// anew only as `_audit` has it: else whoever edits a chunk would have his context signed. Reads all of `_audit`, after
// a crash under another version of the program.
Result<void> Store::check_contexts_to_tell(const StoreView& view) {
  if (contexts_to_tell_.empty()) return {};
  ToldContexts told;
  for (auto& segment : YUSHI_TRY(view.segments(kAuditLog))) {
    auto batch = view.read(segment);
    if (!batch) {
      found("how records were understood was not compared with the records of `_audit` that cannot be read: " +
            batch.error().message);
      continue;
    }
    for (auto& record : (*batch)->records) {
      if (record.raw.find("\"log-context\"") == record.raw.npos) continue;
      auto own = own_record_of(record.raw);
      auto* said = own ? std::get_if<LogContexts>(&own->about) : nullptr;
      if (said) take_contexts(*said, told);
    }
  }
  for (size_t i = 0; i < contexts_to_tell_.size(); ++i) {
    auto& tells = contexts_to_tell_[i];
    auto end = i + 1 < contexts_to_tell_.size() && contexts_to_tell_[i + 1].log == tells.log
                   ? contexts_to_tell_[i + 1].first
                   : UINT64_MAX;
    auto& of_log = told[tells.log];
    for (size_t k = 0; k < of_log.size(); ++k) {
      auto& said = of_log[k];
      if (said.first >= end || (k + 1 < of_log.size() && of_log[k + 1].first <= tells.first)) continue;
      if (said.parsers == tells.parsers && said.timezone == tells.timezone && said.charset == tells.charset) continue;
      return fail(Code::corrupt, "log " + tells.log + ": the chunks from record " + std::to_string(tells.first) +
                                     " on say that they were understood in another way than `_audit` says; "
                                     "`yushi verify` tells more. Not continuing it");
    }
  }
  return {};
}

// What came after the last signature is chained by a key that only the node has. Who writes there without it is found
// here, before it is signed; that the end was cut off is not.
Result<void> Store::check_chain(const StoreView& view) {
  auto audit = heads_.find(kAuditLog);
  chain_.begin(audit == heads_.end() ? "node " + options_.node : audit->second);
  std::map<uint64_t, std::map<std::string_view, std::string>> moved;  // by commit
  for (auto& log : logs_) {
    const auto size = log.checkpoint_size;
    auto range = size == log.tree.size() ? log.tree : CompactRange();
    if (auto it = heads_.find(log.name); it != heads_.end()) {
      auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(it->second));
      if (size != log.tree.size()) range = YUSHI_TRY(signed_tree(view, log.name, size, checkpoint.root));
      if (range.root() != checkpoint.root)
        return fail(Code::corrupt, "log " + log.name + ": the root at size " + std::to_string(size) +
                                       " is not the signed one: records were changed; `yushi verify` names the place");
    }
    while (range.size() < log.tree.size()) {
      auto segment = YUSHI_TRY(view.segment_at(log.name, range.size()));
      if (!segment) return fail(Code::corrupt, "record " + log.name + "/" + std::to_string(range.size()) + " is gone");
      auto batch = YUSHI_TRY(view.read(*segment));
      uint64_t commit = 0;
      for (auto i = range.size() - segment->summary.first_index; i < batch->records.size(); ++i) {
        auto& record = batch->records[i];
        if (record.origin->commit != commit && commit != 0) moved[commit][log.name] = range.encode();
        commit = record.origin->commit;
        range.append(leaf_of(record));
      }
      moved[commit][log.name] = range.encode();
    }
  }
  for (auto& [commit, edges] : moved) chain_.add(commit, edges);
  auto stored = YUSHI_TRY(database_->get(database_->families().state, keys::kChain));
  if (!stored && heads_.empty() && moved.empty()) return {};  // nothing was ever committed
  if (stored && *stored == as_bytes(chain_.code())) {
    // Numbers that come again would break the chain at the next crash.
    if (moved.empty() || moved.rbegin()->first <= commit_) return {};
    return fail(Code::corrupt, "`commit` in `state` is " + std::to_string(commit_) + ", but there is a commit " +
                                   std::to_string(moved.rbegin()->first) + ": it was put back; not continuing it");
  }
  std::string from;
  for (auto& log : logs_) {
    if (log.tree.size() == log.checkpoint_size) continue;
    from += (from.empty() ? "" : ", ") + log.name + "/" + std::to_string(log.checkpoint_size);
  }
  return fail(Code::corrupt, "the records behind the newest checkpoints (from " + (from.empty() ? "none" : from) +
                                 " on) are not those that this node committed: somebody wrote or removed some; not "
                                 "signing them. `yushi verify` tells more");
}

}  // namespace yushi::storage
