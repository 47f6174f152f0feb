#include "daemon/minute_book.h"

#include <nlohmann/json.hpp>

#include "core/base/time_text.h"

namespace yushi::daemon {
namespace {

constexpr size_t kRecordBytesMax = 32 << 10;

// By Note::Kind; also the names in the record.
constexpr const char* kKindNames[] = {"connections_opened",
                                      "connections_closed",
                                      "connections_refused",
                                      "connections_displaced",
                                      "bytes",
                                      "messages",
                                      "empty_lines",
                                      "frame_resyncs",
                                      "over_long",
                                      "truncated",
                                      "hosts_unconfirmed",
                                      "kernel_drops",
                                      "source_drops",
                                      "input_up",
                                      "input_down"};

nlohmann::ordered_json begin_record(const char* action, int64_t from_ns, int64_t to_ns, std::string message) {
  nlohmann::ordered_json record;
  record["@timestamp"] = utc_text(to_ns);
  record["message"] = std::move(message);
  record["event"] = {{"kind", "metric"}, {"action", action}, {"category", {"host"}}, {"provider", "yushid"}};
  if (from_ns != 0) record["event"]["start"] = utc_text(from_ns);
  record["event"]["end"] = utc_text(to_ns);
  return record;
}

// Names may hold any bytes; without `replace` one that is no UTF-8 would throw.
std::string text_of(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void MinuteBook::count(const storage::PreparedBatch& prepared) {
  for (auto& note : prepared.batch->notes) {
    auto kind = static_cast<size_t>(note.kind);
    auto& row = note.source.empty() ? inputs_[std::string(note.input)] : rows_[{note.tenant, std::string(note.source)}];
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
    for (auto& source : group.sources) rows.push_back(&rows_[{group.tenant, source.source}]);
    for (size_t i = 0; i < group.records.size(); ++i) {
      auto& row = *rows[group.source_of.empty() ? 0 : group.source_of[i]];
      row.committed.records += 1;
      row.committed.bytes += group.records[i]->raw.size();
    }
  }
}

void MinuteBook::resume(std::map<Key, Committed> unbooked) {
  resumed_ = true;
  for (auto& [key, committed] : unbooked) before_crash_[key].committed = committed;
}

std::vector<std::string> MinuteBook::close_minute(int64_t from_ns, int64_t to_ns, uint64_t commit) {
  std::vector<std::string> out;
  uint64_t committed = 0, before_crash = 0;
  for (auto& [key, row] : rows_) committed += row.committed.records;
  for (auto& [key, row] : before_crash_) before_crash += row.committed.records;
  committed += before_crash;
  int64_t lasted_ns = from_ns != 0 ? to_ns - from_ns : 0;
  bool gap = lasted_ns > (resumed_ ? kSecond : 90 * kSecond);
  auto gap_seconds = lasted_ns / kSecond - (resumed_ ? 0 : 60);

  auto node =
      begin_record("ledger-node", from_ns, to_ns,
                   std::to_string(committed) + " records committed, " + std::to_string(inputs_up_.size()) +
                       " inputs up, " + std::to_string(connections_open_) + " connections open" +
                       (gap ? ", after a gap of " + std::to_string(gap_seconds) + " s" : "") +
                       (before_crash ? ", " + std::to_string(before_crash) + " of the records before a crash" : ""));
  auto& ledger = node["yushi"]["ledger"];
  ledger = {
      {"commit", commit}, {"committed", committed}, {"connections_open", connections_open_}, {"inputs_up", inputs_up_}};
  for (auto& [name, row] : inputs_) {
    for (size_t kind = 0; kind < kKinds; ++kind) {
      if (row.notes[kind]) ledger["inputs"][name][kKindNames[kind]] = row.notes[kind];
    }
  }
  if (gap) ledger["gap_seconds"] = gap_seconds;
  if (before_crash) ledger["committed_before_crash"] = before_crash;
  out.push_back(text_of(node));

  put_sources(out, before_crash_, from_ns, to_ns, true);
  put_sources(out, rows_, from_ns, to_ns, false);
  rows_.clear();
  before_crash_.clear();
  inputs_.clear();
  resumed_ = false;
  return out;
}

void MinuteBook::put_sources(std::vector<std::string>& out, const std::map<Key, Row>& rows, int64_t from_ns,
                             int64_t to_ns, bool before_crash) const {
  auto row_of = rows.begin();
  while (row_of != rows.end()) {
    auto tenant = row_of->first.first;
    auto& name = tenants_[tenant];
    auto record = begin_record("ledger-sources", from_ns, to_ns,
                               before_crash ? "what was committed of each source of tenant " + name + " before a crash"
                                            : "what each source of tenant " + name + " sent");
    record["yushi"]["tenant"] = name;
    if (before_crash) record["yushi"]["ledger"]["before_crash"] = true;
    auto& sources = record["yushi"]["ledger"]["sources"];
    size_t bytes = 0;
    for (; row_of != rows.end() && row_of->first.first == tenant && bytes < kRecordBytesMax; ++row_of) {
      auto& row = row_of->second;
      nlohmann::ordered_json source = {{"source", row_of->first.second},
                                       {"committed", row.committed.records},
                                       {"committed_bytes", row.committed.bytes}};
      for (size_t kind = 0; kind < kKinds; ++kind) {
        if (row.notes[kind]) source[kKindNames[kind]] = row.notes[kind];
      }
      bytes += text_of(source).size() + 1;
      sources.push_back(std::move(source));
    }
    out.push_back(text_of(record));
  }
}

}  // namespace yushi::daemon
