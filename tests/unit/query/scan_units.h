// Units in memory for tests: records said as field -> value, cut into units with real summaries.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/scan/scan.h"
#include "storage/block/day_head.h"

namespace yushi::query::test {

inline const std::atomic<bool> kGoOn{false};

struct Said {
  int64_t event_ns = 0;
  std::string line;                                         // raw; the values of fields stand in it
  std::vector<std::pair<std::string, std::string>> fields;  // captured; several of one list field make a list
  size_t header = 0;                                        // bytes of the line before `message`
  const MessageKind* kind = nullptr;                        // lives longer
  size_t tail = 0;                                          // bytes behind `message`
  Charset charset = Charset::utf8;                          // of its tenant, then
  std::function<void(Record&, Batch&)> also = nullptr;      // what else is known of it
};

inline std::unique_ptr<Batch> batch_of(const std::string& log, uint64_t first_index, const std::vector<Said>& records) {
  auto batch = std::make_unique<Batch>();
  auto* origin = batch->arena.make(Origin{});
  origin->log = batch->arena.copy(log);
  origin->received_ns = 1;
  for (const Said& said : records) {
    auto line = said.line;
    std::vector<Capture> captures;
    for (const auto& [name, value] : said.fields) {
      line += ' ';
      Capture capture{};
      capture.begin = static_cast<uint32_t>(line.size());
      capture.length = static_cast<uint32_t>(value.size()) & 0xffffff;
      capture.field = find_field(name);
      if (!capture.field)
        capture.field = batch->arena.make(Field{batch->arena.copy(name), FieldType::keyword, kDynamicField, false});
      captures.push_back(capture);
      line += value;
    }
    Record record;
    record.raw = batch->arena.copy(line);
    record.origin = origin;
    record.event_ns = said.event_ns;
    record.message_begin = static_cast<uint32_t>(said.header);
    record.message_length = static_cast<uint32_t>(line.size() - said.header - said.tail);
    record.charset = charset_of(record.raw, said.charset);
    record.kind = said.kind;
    record.captures = batch->arena.copy(std::span<const Capture>(captures));
    record.index = first_index + batch->records.size();
    if (said.also) said.also(record, *batch);
    batch->records.push_back(record);
  }
  return batch;
}

inline ScanUnit unit_of(const std::string& log, uint64_t first_index, std::vector<Said> records, bool sealed = true) {
  ScanUnit out;
  out.log = log;
  auto batch = batch_of(log, first_index, records);
  if (sealed) {
    std::vector<const Record*> all;
    for (const Record& record : batch->records) all.push_back(&record);
    storage::BlockHead head{log, "node", {}};
    if (records.empty()) head.parsed.add(0, {});
    for (uint32_t i = 0; i < records.size(); ++i)
      head.parsed.add(i, {{}, "UTC", std::string(charset_name(records[i].charset)), 0});
    auto block = storage::build_block(head, all);
    out.summary = std::move(block.summary);
    out.token_filter = [filter = std::exchange(out.summary.token_filter, {})] { return filter; };
    out.open = [bytes = std::move(block.bytes)] { return storage::BlockReader::open(bytes); };
  } else {
    out.summary.first_index = first_index;
    out.summary.records = static_cast<uint32_t>(records.size());
    auto [low, high] = std::minmax_element(batch->records.begin(), batch->records.end(),
                                           [](auto& a, auto& b) { return a.event_ns < b.event_ns; });
    out.summary.event_times = {{low->event_ns, high->event_ns}};
  }
  out.read = [=]() -> Result<std::unique_ptr<Batch>> { return batch_of(log, first_index, records); };
  return out;
}

// With the times of its units, as a store day has them.
inline UnitGroup group_of(std::vector<ScanUnit> units, std::function<void()> on_open = {}) {
  storage::DayHead head;
  for (auto& unit : units) head.add(unit.summary);
  UnitGroup out{"the group", units.size(), head.event_times, {}};
  out.open = [units = std::move(units), on_open = std::move(on_open)]() -> Result<std::vector<ScanUnit>> {
    if (on_open) on_open();
    return units;
  };
  return out;
}
inline std::vector<UnitGroup> one_group(std::vector<ScanUnit> units) { return {group_of(std::move(units))}; }

}  // namespace yushi::query::test
