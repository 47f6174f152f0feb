// A commit: numbers, leaves, tree, counters and chunks become one synced write, together with what binds them: the
// records of `_audit` that say how the messages are understood, and the code that chains commits up to the next
// signature.
#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/name.h"
#include "storage/db/keys.h"
#include "storage/store/sealer.h"
#include "storage/store/store.h"
#include "storage/tail/leaf.h"

namespace yushi::storage {

struct Store::Commit::Pending {
  explicit Pending(size_t bytes) : out(bytes) {}
  Write out;
  std::vector<LogState*> touched;
  std::map<std::pair<LogState*, std::string_view>, SourceState*> moved;
  std::vector<LogContext> contexts;  // that hold from records of this commit on, and stand in no record yet
  // for the sealer, once this commit is durable: they may hold its records
  std::vector<std::pair<LogState*, OpenBlock>> full;
  // for the open tail, once it is durable: the chunks of this commit
  struct Chunk {
    LogState* log;
    std::shared_ptr<const Batch> batch;
    std::vector<const Record*> records;
  };
  std::vector<Chunk> chunks;
  std::string chain_begins;            // the note of `_audit`, when this commit signs
  std::map<std::string, Hash> states;  // that it writes
  uint64_t records = 0, raw_bytes = 0;
};

Store::Commit::Commit(Store& store)
    : store_(store), number_(store.commit_ + 1), pending_(std::make_shared<Pending>(store.commit_bytes_)) {
  store.take_up_logs();
  pending_->contexts.swap(store.contexts_to_tell_);
  pending_->full.swap(store.to_seal_when_told_);
  for (auto& [log, source] : std::exchange(store.to_write_, {}))
    pending_->moved[{log, source}] = &log->sources.find(source)->second;
}

namespace {

// Puts what records have in the arena of their batch into another one, side by side: parsing leaves room between, and
// makes the name of a dynamic field anew for each message. That is 500 bytes a message that wait for their block, for
// some 50 ns.
class Packer {
 public:
  explicit Packer(Arena& arena) : arena_(arena) {}

  void pack(Record& record) {
    if (record.origin != before_) {
      before_ = record.origin;
      Origin origin = *before_;
      origin.source = arena_.copy(origin.source);
      origin.address = before_->address == before_->source ? origin.source : arena_.copy(origin.address);
      origin_ = arena_.make(origin);
    }
    record.origin = origin_;
    if (record.part_head != nullptr) {
      PartHead head = *record.part_head;
      for (auto* text : {&head.host, &head.program, &head.pid}) *text = arena_.copy(*text);
      record.part_head = arena_.make(head);
    }
    const auto captures = arena_.copy(record.captures);
    for (auto& capture : captures)
      if (capture.field->id == kDynamicField) capture.field = packed(*capture.field);
    record.captures = captures;
  }

 private:
  const Field* packed(const Field& field) {
    const auto& name = field.name;
    const size_t mixed = name.empty() ? 0 : name.size() * 7 + uint8_t(name.back()) * 3 + uint8_t(name[name.size() / 2]);
    auto& known = recent_[mixed % recent_.size()];
    if (known == nullptr || known->name != name || known->type != field.type || known->list != field.list) {
      Field copied = field;
      copied.name = arena_.copy(name);
      known = arena_.make(copied);
    }
    return known;
  }

  Arena& arena_;
  const Origin* before_ = nullptr;
  const Origin* origin_ = nullptr;
  std::array<const Field*, 128> recent_{};
};

// The records of `group` in a batch of their own.
std::shared_ptr<Batch> copy_of(const ChunkGroup& group, const Batch& from) {
  auto batch = std::make_shared<Batch>();
  batch->keep = from.keep;
  batch->records.reserve(group.records.size());
  Packer packer(batch->arena);
  for (auto* record : group.records) {
    auto& to = batch->records.emplace_back(*record);
    to.raw = batch->arena.copy_padded(record->raw);
    packer.pack(to);
  }
  return batch;
}

// Where raw lies in one buffer, as after one read of a connection. Its notes are booked by now; they name what lies in
// the arena.
void pack(Batch& batch) {
  constexpr size_t kWorthPacking = 16 << 10;
  if (batch.buffers.size() != 1 || batch.arena.bytes() < kWorthPacking) return;
  const char* begin = batch.buffers[0].get();
  const char* end = begin + batch.bytes;
  for (auto& record : batch.records)
    if (record.raw.data() < begin || record.raw.data() + record.raw.size() > end) return;
  Arena packed;
  Packer packer(packed);
  for (auto& record : batch.records) packer.pack(record);
  batch.notes.clear();
  batch.arena = std::move(packed);
}

}  // namespace

void Store::Commit::append(PreparedBatch&& prepared) {
  auto& groups = prepared.groups;
  const auto& batch = prepared.batch;
  const bool is_shared =
      std::any_of(groups.begin(), groups.end(), [&](auto& group) { return group.log_id != groups[0].log_id; });
  if (!is_shared) pack(*batch);
  for (auto& group : groups) {
    append(group, batch);
    // A batch is held until the last of its logs is sealed, which may be a day later: who has a small part of it is
    // given a copy of that, and holds no others.
    auto& open = store_.logs_[group.log_id].open;
    const auto count = group.records.size();
    auto held = batch;
    if (is_shared && 2 * count < batch->records.size()) {
      held = copy_of(group, *batch);
      for (size_t i = 0; i < count; ++i) open.records[open.records.size() - count + i] = &held->records[i];
    }
    open.memory_bytes += is_shared ? memory_of(*held) : memory_of(*batch) * count / batch->records.size();
    pending_->chunks.push_back(
        {&store_.logs_[group.log_id], held, {open.records.end() - static_cast<ptrdiff_t>(count), open.records.end()}});
    open.batches.push_back(std::move(held));
  }
}

void Store::Commit::append(ChunkGroup& group, const std::shared_ptr<Batch>& batch) {
  auto& families = store_.database_->families();
  thread_local std::string entry;
  YUSHI_ASSERT(group.log_id < store_.logs_.size(), "log %u came to be known after begin()", group.log_id);
  auto& log = store_.logs_[group.log_id];
  auto& open = log.open;
  if (!open.records.empty() && (open.parsed.full() || open.records.size() + group.records.size() > kBlockRecordsMax ||
                                open.raw_bytes + group.raw_bytes > kBlockBytesMax)) {
    pending_->full.emplace_back(&log, std::exchange(open, OpenBlock{}));
  }
  uint64_t first = log.tree.size();
  if (open.records.empty()) {
    open.first_index = first;
    open.opened_ns = group.records[0]->origin->received_ns;
  }
  open.newest_ns = group.records.back()->origin->received_ns;
  open.parsed.add(static_cast<uint32_t>(open.records.size()), *group.context);
  tell_context(log, first, group.context);
  std::vector<SourceState*> states;
  for (auto& source : group.sources) {
    auto it = log.sources.try_emplace(source.source).first;
    states.push_back(&it->second);
    pending_->moved[{&log, it->first}] = &it->second;
    source.first_seq = it->second.next_seq;
  }
  auto put_tile = [&](int level, uint64_t tile, const std::string& hashes) {
    pending_->out.put(families.tree, keys::tile(log.name, level, tile), hashes);
  };
  const Origin* last_origin = nullptr;
  for (size_t i = 0; i < group.records.size(); ++i) {
    auto& record = *group.records[i];
    auto& state = *states[group.source_of.empty() ? 0 : group.source_of[i]];
    record.index = first + i;
    record.source_seq = state.next_seq;
    if (record.origin != last_origin) {
      last_origin = record.origin;
      // the batch is ours now, and this is where its log is known
      auto& origin = const_cast<Origin&>(*record.origin);
      origin.log = log.name;
      origin.node = store_.options_.node;
      origin.commit = number_;
    }
    state.add(record);
    if (record.part != 0) [[unlikely]]
      store_.number_part(record, i > 0 ? group.records[i - 1] : nullptr, batch->arena);
    make_entry_head(entry_head_of(record), entry);
    append_digest(record.digest, entry);
    log.tree.append(leaf_hash(entry),
                    [&](int level, uint64_t index, const Hash& hash) { log.tiles.add(level, index, hash, put_tile); });
    open.records.push_back(&record);
  }
  for (auto& numbered : group.numbered) {
    const auto source = group.source_of.empty() ? 0 : group.source_of[numbered.record];
    auto& losses = states[source]->losses;
    const uint64_t before = losses.lost();
    losses.take(numbered.sequence);
    if (losses.lost() == before) continue;
    const Record& record = *group.records[numbered.record];
    Scratch scratch;
    Value host;
    const bool has_host = first_value(record, ecs::host_name, scratch, &host);
    losses_.push_back({group.log_id, group.sources[source].source, before, losses.lost(), record.event_ns,
                       has_host ? std::string(host.text) : std::string()});
  }
  pending_->out.put(families.tail, keys::record(log.name, first), finish_chunk(number_, group));
  open.raw_bytes += group.raw_bytes;
  if (std::exchange(log.touched_by, number_) != number_) pending_->touched.push_back(&log);
  pending_->records += group.records.size();
  pending_->raw_bytes += group.raw_bytes;
}

// The parts of a message name the first one's number. Those of one connection come in order, if in several commits.
void Store::number_part(Record& record, const Record* before, Arena& arena) {
  auto stream = record.origin->stream;
  if (record.part == 1) {
    if (stream != 0 && record.part_of != 1) first_parts_[stream] = record.source_seq;
    return;
  }
  // It may be the reader's already, with what it inherits.
  if (record.part_head == nullptr) record.part_head = arena.make(PartHead{});
  auto& first_seq = const_cast<PartHead*>(record.part_head)->first_seq;
  const bool inherits = first_seq != UINT64_MAX;
  first_seq = record.source_seq;
  if (!inherits) return;  // its first part is not known any more: whatever it says of itself, it names none
  if (auto known = first_parts_.find(stream); known != first_parts_.end()) {
    first_seq = known->second;
    if (record.part == record.part_of) first_parts_.erase(known);
  } else if (before && before->origin == record.origin && before->part + 1 == record.part) {
    first_seq = before->part_head ? before->part_head->first_seq : before->source_seq;
  }
}

void Store::Commit::tell_context(LogState& log, uint64_t first, const std::shared_ptr<const ParseContext>& context) {
  if (log.told_day == store_.store_day_ && (log.told == context || (log.told && *log.told == *context))) return;
  pending_->contexts.push_back(
      {log.name, first, context->parser_digest, context->timezone, context->charset, context->engine});
  log.told = context;
  log.told_day = store_.store_day_;
}

// Whoever reads the log must be able to trust what stands beside it: so this comes with the commit itself.
void Store::Commit::append_contexts() {
  constexpr size_t kContextsMax = 64;  // of a record
  while (!pending_->contexts.empty()) {
    auto& all = pending_->contexts;
    auto count = std::min(all.size(), kContextsMax);
    auto record = own_record("log-context",
                             "how the messages of " + std::to_string(count) + " log(s) are understood from here on");
    record.about = LogContexts{{all.begin(), all.begin() + static_cast<ptrdiff_t>(count)}};
    all.erase(all.begin(), all.begin() + static_cast<ptrdiff_t>(count));
    append_own(record);
  }
}

const std::shared_ptr<const ParseContext>& Store::Commit::audit_context() const {
  auto& audit = store_.logs_[kAuditLogId];
  return audit.told ? audit.told : store_.options_.own_context;
}

std::unique_ptr<Batch> own_batch(const std::vector<std::string>& jsons) {
  auto batch = std::make_unique<Batch>();
  Origin origin;
  origin.received_ns = realtime_ns();
  origin.source = origin.address = "yushid";
  origin.transport = Transport::internal;
  origin.log_id = kAuditLogId;
  auto* shared = batch->arena.make(origin);
  for (auto& json : jsons) {
    Record record;
    record.raw = batch->arena.copy_padded(json);
    record.origin = shared;
    batch->records.push_back(record);
  }
  return batch;
}

void Store::Commit::append_own(const OwnRecord& own) {
  std::shared_ptr<Batch> batch = own_batch({to_json(own)});
  auto& record = batch->records[0];
  record.digest = sha256(record.raw);
  auto& how = audit_context();
  auto understood = store_.options_.reparse.parse(*batch, *how);
  YUSHI_ASSERT(understood.has_value(), "understanding a record of our own: %s", understood.error().message.c_str());
  std::vector<std::shared_ptr<const ParseContext>> contexts(kAuditLogId + 1, how);
  append(prepare(std::move(batch), contexts));
}

void Store::Commit::add_alert(uint64_t audit_index, const Alert& alert) {
  pending_->out.put(store_.database_->families().alerts, keys::alert(audit_index), AlertEntry::of(alert).encode());
}

void Store::Commit::add_alert_act(uint64_t audit_index, const AlertAct& act) {
  pending_->out.put(store_.database_->families().alerts, keys::alert(audit_index), AlertActEntry::of(act).encode());
}

void Store::Commit::put_state(std::string_view name, std::string_view bytes) {
  pending_->out.put(store_.database_->families().state, name, bytes);
  pending_->states[std::string(name)] = sha256(bytes);
}

Result<void> Store::Commit::finish() {
  append_contexts();
  return write();
}

Result<void> Store::Commit::write() {
  auto& families = store_.database_->families();
  std::map<std::string_view, std::string> edges;
  for (auto* log : pending_->touched) {
    log->tiles.flush([&](int level, uint64_t tile, const std::string& hashes) {
      pending_->out.put(families.tree, keys::tile(log->name, level, tile), hashes);
    });
    auto& edge = edges[log->name] = log->tree.encode();
    pending_->out.put(families.state, keys::log_state(log->name), edge);
  }
  for (auto& [key, state] : pending_->moved) {
    pending_->out.put(families.state, keys::source(key.first->name, key.second), state->encode());
  }
  if (!pending_->chain_begins.empty()) {
    store_.chain_.begin(pending_->chain_begins);
  } else if (!edges.empty()) {
    store_.chain_.add(number_, edges);
  }
  pending_->out.put(families.state, keys::kChain, as_bytes(store_.chain_.code()));
  std::string number;
  put_varint(number, number_);
  pending_->out.put(families.state, "commit", number);
  auto before = std::chrono::steady_clock::now();
  {
    MutexLock lock(store_.states_mutex_);
    for (auto& [name, digest] : pending_->states) store_.states_[name] = digest;
    // Also when nothing is kept: from the first commit on a store without it is one from which it was taken.
    if (!pending_->states.empty() || store_.commit_ == 0)
      pending_->out.put(families.state, keys::kKept, encode_kept(store_.states_, store_.key_));
    YUSHI_TRY(store_.database_->write(pending_->out, "committing"));
  }
  auto took = std::chrono::steady_clock::now() - before;
  store_.commit_ = number_;
  store_.commit_bytes_ = pending_->out.bytes();
  store_.untidy_bytes_ += store_.commit_bytes_;
  for (auto* log : pending_->touched) log->known->records = log->tree.size();
  auto& c = store_.counters_;
  c.commits += 1;
  c.records += pending_->records;
  c.raw_bytes += pending_->raw_bytes;
  c.sync_ns += static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  for (auto& [log, batch, records] : pending_->chunks)
    store_.open_tail_->add(log->name, std::move(batch), std::move(records));
  for (auto& [log, block] : pending_->full) store_.hand_to_sealer(*log, std::move(block));
  return {};
}

// --------------------------------------------------------------------------------------------------------------- sign

// Signed together, so that no log stands for itself: the others, then the record that binds them, then `_audit`.
Result<void> Store::Commit::sign(int64_t now_ns) {
  // The record of roots is to be the last: what is to be told of `_audit` itself comes before it.
  auto& audit = store_.logs_[kAuditLogId];
  tell_context(audit, audit.tree.size(), audit_context());
  append_contexts();
  auto& families = store_.database_->families();
  LogRootMap roots;
  for (auto& log : store_.logs_)
    if (&log != &store_.logs_[kAuditLogId] && log.tree.size() > 0) roots[log.name] = {log.tree.size(), log.tree.root()};
  append_roots(roots);
  std::vector<std::pair<LogState*, std::string>> notes;
  for (auto& log : store_.logs_) {
    if (log.tree.size() == log.checkpoint_size) continue;
    Checkpoint checkpoint{store_.options_.node + "/" + log.name, log.tree.size(), log.tree.root()};
    auto note = YUSHI_TRY(store_.key_.sign(checkpoint));
    pending_->out.put(families.state, keys::checkpoint(log.name, checkpoint.size), note);
    pending_->out.put(families.state, keys::signed_tree(log.name), log.tree.encode());
    if (log.name == kAuditLog) pending_->chain_begins = note;
    notes.emplace_back(&log, std::move(note));
  }
  auto bound = std::string(as_bytes(root_over(roots)));
  auto code = store_.code_of_bound(pending_->chain_begins, bound);
  pending_->out.put(families.state, keys::kBound, std::string(as_bytes(code)) + bound);
  YUSHI_TRY(write());
  for (auto& [log, note] : notes) {
    log->checkpoint_size = log->tree.size();
    store_.heads_[log->name] = std::move(note);
  }
  store_.bound_ = std::move(roots);
  store_.signed_ns_ = now_ns;
  return {};
}

void Store::Commit::append_roots(const LogRootMap& roots) {
  // The last record says the root alone: a unit is shown it without the names of the others.
  constexpr size_t kLogsMax = 256;  // of a record
  const bool all = store_.roots_day_ != store_.store_day_;
  store_.roots_day_ = store_.store_day_;
  LogRoots about{to_base64(as_bytes(root_over(roots))), roots.size(), false, {}};
  auto tell = [&](bool more) {
    about.more = more;
    auto record = own_record("log-roots", "the root over " + std::to_string(roots.size()) + " log(s)");
    record.about = std::exchange(about, LogRoots{about.root, about.logs, false, {}});
    append_own(record);
  };
  for (auto& [name, log] : roots) {
    auto bound = store_.bound_.find(name);
    if (!all && bound != store_.bound_.end() && bound->second == log) continue;
    if (about.moved.size() == kLogsMax) tell(true);
    about.moved.push_back({name, log.size, to_base64(as_bytes(log.root))});
  }
  if (!about.moved.empty()) tell(true);
  tell(false);
}

}  // namespace yushi::storage
