// A commit: numbers, leaves, tree, counters and chunks become one synced write.
#include <algorithm>
#include <chrono>

#include "core/base/clock.h"
#include "core/ledger/entry.h"
#include "storage/db/keys.h"
#include "storage/store/sealer.h"
#include "storage/store/store.h"

namespace yushi::storage {

struct Store::Commit::Pending {
  explicit Pending(size_t bytes) : out(bytes) {}
  Write out;
  std::vector<LogState*> touched;
  std::map<std::pair<LogState*, std::string_view>, SourceState*> moved;
  // for the sealer, once this commit is durable: they may hold its records
  std::vector<std::pair<LogState*, OpenBlock>> full;
  uint64_t records = 0, raw_bytes = 0;
};

Store::Commit::Commit(Store& store)
    : store_(store), number_(store.commit_ + 1), pending_(std::make_shared<Pending>(store.commit_bytes_)) {}

void Store::Commit::append(PreparedBatch&& prepared) {
  auto& families = store_.database_->families();
  thread_local std::string entry;
  for (auto& group : prepared.groups) {
    auto& log = store_.logs_[group.tenant];
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
      pending_->moved[{&log, it->first}] = &it->second;
    }
    auto put_tile = [&](int level, uint64_t tile, const std::string& hashes) {
      pending_->out.put(families.tree, keys::tile(log.name, level, tile), hashes);
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
    pending_->out.put(families.tail, keys::record(log.name, first), finish_chunk(number_, group));
    open.raw_bytes += group.raw_bytes;
    auto memory =
        prepared.batch->bytes + prepared.batch->arena.bytes() + prepared.batch->records.size() * sizeof(Record);
    open.memory_bytes += memory * group.records.size() / prepared.batch->records.size();
    open.batches.push_back(prepared.batch);
    if (std::find(pending_->touched.begin(), pending_->touched.end(), &log) == pending_->touched.end())
      pending_->touched.push_back(&log);
    pending_->records += group.records.size();
    pending_->raw_bytes += group.raw_bytes;
  }
}

void Store::Commit::add_alert(uint64_t audit_index, const Alert& alert) {
  pending_->out.put(store_.database_->families().alerts, keys::alert(audit_index), AlertEntry::of(alert).encode());
}

void Store::Commit::put_state(std::string_view name, std::string_view bytes) {
  pending_->out.put(store_.database_->families().state, name, bytes);
}

Result<void> Store::Commit::finish() {
  auto& families = store_.database_->families();
  for (auto* log : pending_->touched) {
    log->tiles.flush([&](int level, uint64_t tile, const std::string& hashes) {
      pending_->out.put(families.tree, keys::tile(log->name, level, tile), hashes);
    });
    pending_->out.put(families.state, keys::log_state(log->name), log->tree.encode());
  }
  for (auto& [key, state] : pending_->moved) {
    pending_->out.put(families.state, keys::source(key.first->name, key.second), state->encode());
  }
  std::string number;
  put_varint(number, number_);
  pending_->out.put(families.state, "commit", number);
  auto before = std::chrono::steady_clock::now();
  auto written = store_.database_->write(pending_->out, "committing");
  if (!written) return written;
  auto took = std::chrono::steady_clock::now() - before;
  store_.commit_ = number_;
  store_.commit_bytes_ = pending_->out.bytes();
  for (auto* log : pending_->touched)
    store_.committed_sizes_[static_cast<size_t>(log - store_.logs_.data())] = log->tree.size();
  auto& c = store_.counters_;
  c.commits += 1;
  c.records += pending_->records;
  c.raw_bytes += pending_->raw_bytes;
  c.sync_ns += static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
  for (auto& [log, block] : pending_->full) store_.hand_to_sealer(*log, std::move(block));
  return {};
}

}  // namespace yushi::storage
