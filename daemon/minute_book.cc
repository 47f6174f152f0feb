#include "daemon/minute_book.h"

#include <nlohmann/json.hpp>

#include "core/base/time_text.h"

namespace yushi {
namespace {

constexpr size_t kRecordBytesMax = 32 << 10;

// By Note::Kind; also the names in the record.
constexpr const char* kKindNames[] = {"connections_opened", "connections_closed", "connections_refused", "bytes",
                                      "messages",           "empty_lines",        "frame_resyncs",       "over_long",
                                      "truncated",          "kernel_drops",       "input_up",            "input_down"};

std::string utc(int64_t unix_ns) {
  char text[32];
  return {text, format_utc(unix_ns, text)};
}

nlohmann::ordered_json begin_record(const char* action, int64_t from_ns, int64_t to_ns, std::string message) {
  nlohmann::ordered_json record;
  record["@timestamp"] = utc(to_ns);
  record["message"] = std::move(message);
  record["event"] = {{"kind", "metric"}, {"action", action}, {"category", {"host"}}, {"provider", "yushid"}};
  if (from_ns != 0) record["event"]["start"] = utc(from_ns);
  record["event"]["end"] = utc(to_ns);
  return record;
}

// Names may hold any bytes; without `replace` one that is no UTF-8 would throw.
std::string text_of(const nlohmann::ordered_json& json) { return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace); }

}  // namespace

void MinuteBook::count(const PreparedBatch& prepared) {
  for (auto& note : prepared.batch->notes) {
    auto kind = static_cast<size_t>(note.kind);
    auto& row = note.source.empty() ? inputs_[std::string(note.input)] : rows_[{note.tenant, std::string(note.source)}];
    row.notes[kind] += note.count;
    if (note.kind == Note::Kind::connection_opened) connections_open_ += static_cast<int64_t>(note.count);
    if (note.kind == Note::Kind::connection_closed) connections_open_ -= static_cast<int64_t>(note.count);
    if (note.kind == Note::Kind::kernel_drop) dropped_total_ += note.count;
    if (note.kind == Note::Kind::input_up) inputs_up_.insert(std::string(note.input));
    if (note.kind == Note::Kind::input_down) inputs_up_.erase(std::string(note.input));
  }
  for (auto& group : prepared.groups) {
    std::vector<Row*> rows;
    for (auto& source : group.sources) rows.push_back(&rows_[{group.tenant, source.source}]);
    for (size_t i = 0; i < group.records.size(); ++i) {
      auto& row = *rows[group.source_of.empty() ? 0 : group.source_of[i]];
      row.committed += 1;
      row.committed_bytes += group.records[i]->raw.size();
    }
  }
}

std::vector<std::string> MinuteBook::close_minute(int64_t from_ns, int64_t to_ns, uint64_t commit) {
  std::vector<std::string> out;
  uint64_t committed = 0;
  for (auto& [key, row] : rows_) committed += row.committed;

  auto node = begin_record("ledger-node", from_ns, to_ns,
                           std::to_string(committed) + " records committed, " + std::to_string(inputs_up_.size()) +
                               " inputs up, " + std::to_string(connections_open_) + " connections open");
  auto& ledger = node["yushi"]["ledger"];
  ledger = {{"commit", commit}, {"committed", committed}, {"connections_open", connections_open_}, {"inputs_up", inputs_up_}};
  for (auto& [name, row] : inputs_) {
    for (size_t kind = 0; kind < kKinds; ++kind) {
      if (row.notes[kind]) ledger["inputs"][name][kKindNames[kind]] = row.notes[kind];
    }
  }
  if (from_ns != 0 && to_ns - from_ns > 90 * kSecond) ledger["gap_seconds"] = (to_ns - from_ns) / kSecond - 60;
  out.push_back(text_of(node));

  auto row_of = rows_.begin();
  while (row_of != rows_.end()) {
    auto tenant = row_of->first.first;
    auto& name = tenants_[tenant];
    auto record = begin_record("ledger-sources", from_ns, to_ns, "what each source of tenant " + name + " sent");
    record["yushi"]["tenant"] = name;
    auto& sources = record["yushi"]["ledger"]["sources"];
    size_t bytes = 0;
    for (; row_of != rows_.end() && row_of->first.first == tenant && bytes < kRecordBytesMax; ++row_of) {
      nlohmann::ordered_json source = {{"source", row_of->first.second},
                                       {"committed", row_of->second.committed},
                                       {"committed_bytes", row_of->second.committed_bytes}};
      for (size_t kind = 0; kind < kKinds; ++kind) {
        if (row_of->second.notes[kind]) source[kKindNames[kind]] = row_of->second.notes[kind];
      }
      bytes += text_of(source).size() + 1;
      sources.push_back(std::move(source));
    }
    out.push_back(text_of(record));
  }
  rows_.clear();
  inputs_.clear();
  return out;
}

}  // namespace yushi
