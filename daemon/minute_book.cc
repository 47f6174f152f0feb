#include "daemon/minute_book.h"

#include <algorithm>

#include "core/base/time_text.h"

namespace yushi::daemon {
namespace {

constexpr size_t kRecordBytesMax = 32 << 10;
// What a source takes in one, about: with its name, and for each count that is not 0.
constexpr size_t kSourceBytes = 60, kCountBytes = 24;

static_assert(kCountNames.size() == static_cast<size_t>(Note::Kind::input_down) + 1);

OwnRecord minute_record(const char* action, int64_t from_ns, int64_t to_ns, std::string message) {
  auto out = own_record(action, std::move(message));
  out.from_ns = from_ns;
  out.to_ns = to_ns;
  return out;
}

}  // namespace

void MinuteBook::count(const storage::PreparedBatch& prepared) {
  for (auto& note : prepared.batch->notes) {
    auto kind = static_cast<size_t>(note.kind);
    auto& row = note.source.empty() ? inputs_[std::string(note.input)] : rows_[{note.log_id, std::string(note.source)}];
    row.notes[kind] += note.count;
    if (note.kind == Note::Kind::connection_opened) connections_open_ += static_cast<int64_t>(note.count);
    if (note.kind == Note::Kind::connection_closed) connections_open_ -= static_cast<int64_t>(note.count);
    if (note.kind == Note::Kind::kernel_drop) kernel_drops_ += note.count;
    if (note.kind == Note::Kind::source_drop) source_drops_ += note.count;
    if (note.kind == Note::Kind::input_up) inputs_up_.insert(std::string(note.input));
    if (note.kind == Note::Kind::input_down) inputs_up_.erase(std::string(note.input));
  }
  for (auto& group : prepared.groups) {
    std::vector<Row*> rows;
    for (auto& source : group.sources) rows.push_back(&rows_[{group.log_id, source.source}]);
    if (group.source_of.empty()) {
      rows[0]->committed.records += group.records.size();
      rows[0]->committed.bytes += group.raw_bytes;
      continue;
    }
    for (size_t i = 0; i < group.records.size(); ++i) {
      auto& row = *rows[group.source_of[i]];
      row.committed.records += 1;
      row.committed.bytes += group.records[i]->raw.size();
    }
  }
}

void MinuteBook::resume(std::map<Key, Committed> unbooked) {
  resumed_ = true;
  for (auto& [key, committed] : unbooked) before_crash_[key].committed = committed;
}

std::vector<OwnRecord> MinuteBook::close_minute(int64_t from_ns, int64_t to_ns, uint64_t commit,
                                                const storage::KnownLogs& logs) {
  std::vector<OwnRecord> out;
  NodeMinute minute;
  minute.commit = commit;
  for (auto& [key, row] : rows_) minute.committed += row.committed.records;
  for (auto& [key, row] : before_crash_) minute.committed_before_crash += row.committed.records;
  minute.committed += minute.committed_before_crash;
  minute.connections_open = connections_open_;
  minute.inputs_up.assign(inputs_up_.begin(), inputs_up_.end());
  for (auto& [name, row] : inputs_) minute.inputs[name] = row.notes;
  const int64_t lasted_ns = from_ns != 0 ? to_ns - from_ns : 0;
  const bool gap = lasted_ns > (resumed_ ? kSecond : 90 * kSecond);
  if (gap) minute.gap_seconds = static_cast<uint64_t>(lasted_ns / kSecond - (resumed_ ? 0 : 60));

  auto& node = out.emplace_back(
      minute_record("ledger-node", from_ns, to_ns,
                    std::to_string(minute.committed) + " records committed, " + std::to_string(inputs_up_.size()) +
                        " inputs up, " + std::to_string(connections_open_) + " connections open" +
                        (gap ? ", after a gap of " + std::to_string(minute.gap_seconds) + " s" : "") +
                        (minute.committed_before_crash != 0
                             ? ", " + std::to_string(minute.committed_before_crash) + " of the records before a crash"
                             : "")));
  node.about = std::move(minute);

  const auto put_sources = [&](const std::map<Key, Row>& rows, bool before_crash) {
    for (auto row_of = rows.begin(); row_of != rows.end();) {
      const auto log = row_of->first.first;
      SourcesMinute said;
      said.tenant = logs[log]->name;
      said.before_crash = before_crash;
      for (size_t bytes = 0; row_of != rows.end() && row_of->first.first == log && bytes < kRecordBytesMax; ++row_of) {
        auto& row = row_of->second;
        said.sources.push_back({row_of->first.second, row.committed.records, row.committed.bytes, row.notes});
        const auto counted =
            std::count_if(row.notes.begin(), row.notes.end(), [](uint64_t count) { return count != 0; });
        bytes += kSourceBytes + row_of->first.second.size() + static_cast<size_t>(counted) * kCountBytes;
      }
      auto& record = out.emplace_back(
          minute_record("ledger-sources", from_ns, to_ns,
                        before_crash ? "what was committed of each source of tenant " + said.tenant + " before a crash"
                                     : "what each source of tenant " + said.tenant + " sent"));
      record.about = std::move(said);
    }
  };
  put_sources(before_crash_, true);
  put_sources(rows_, false);
  rows_.clear();
  before_crash_.clear();
  inputs_.clear();
  resumed_ = false;
  return out;
}

}  // namespace yushi::daemon
