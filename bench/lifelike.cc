#include "bench/lifelike.h"

#include <map>
#include <string>
#include <vector>

#include "bench/flood/mix.h"
#include "core/base/assert.h"
#include "parsers/understand.h"

namespace yushi {

constexpr size_t kConnections = 8;
constexpr size_t kReadBytes = 64 << 10;  // what one read of one connection gives

std::shared_ptr<const parsers::ParserSet> our_parsers() {
  auto files = parsers::read_parser_directories({"parsers/library"});
  YUSHI_ASSERT(files, "%s", files.error().message.c_str());
  auto set = parsers::ParserSet::load(*files);
  YUSHI_ASSERT(set, "%s", set.error().message.c_str());
  return *set;
}

std::unique_ptr<Batch> lifelike_batch(const std::shared_ptr<const parsers::ParserSet>& parsers, size_t raw_bytes_max,
                                      size_t records_max, uint64_t seed) {
  auto batch = std::make_unique<Batch>();
  flood::Mix mix({.seed = seed});
  std::vector<std::string> waiting(kConnections);
  std::vector<flood::Mix::Line> lines;
  std::string text;
  std::map<size_t, uint64_t> seqs;
  size_t raw_bytes = 0;
  uint64_t commit = 1;
  int64_t now = 1'793'491'200'000'000'000;
  while (raw_bytes < raw_bytes_max && batch->records.size() < records_max) {
    text.clear();
    lines.clear();
    mix.next_event(text, lines);
    for (auto& line : lines) {
      auto connection = line.host % kConnections;
      waiting[connection].append(text, line.begin, line.length).push_back('\n');
      if (waiting[connection].size() < kReadBytes) continue;
      now += 300'000;
      auto origin = batch->arena.make(Origin{});
      origin->received_ns = now;
      origin->source = origin->address = batch->arena.copy("10.0.0." + std::to_string(connection));
      origin->commit = commit++ / 32;
      for (size_t at = 0; at < waiting[connection].size();) {
        auto end = waiting[connection].find('\n', at);
        if (raw_bytes < raw_bytes_max && batch->records.size() < records_max) {
          Record record;
          record.raw = batch->arena.copy(std::string_view(waiting[connection]).substr(at, end - at));
          record.origin = origin;
          record.index = batch->records.size();
          record.source_seq = seqs[connection]++;
          raw_bytes += record.raw.size();
          batch->records.push_back(record);
        }
        at = end + 1;
      }
      waiting[connection].clear();
    }
  }
  parsers::Understander(parsers).understand(*batch, {}, false);
  batch->keep.push_back(parsers);
  return batch;
}

}  // namespace yushi
