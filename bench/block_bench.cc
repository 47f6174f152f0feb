// Blocks of lifelike lines, understood by our own parsers: bytes and CPU a record, to build and to read.
//
// Counters: ratio is raw : (block + filter), as the store keeps them.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "bench/flood/mix.h"
#include "core/base/assert.h"
#include "parsers/understand.h"
#include "storage/block.h"

namespace yushi {
namespace {

constexpr size_t kRawBytes = 16 << 20;
constexpr size_t kRecords = 64 << 10;
constexpr size_t kConnections = 8;
constexpr size_t kReadBytes = 64 << 10;  // what one read of one connection gives

// One block's worth of records, in the order in which a committer sees reads of eight connections.
std::unique_ptr<Batch> lifelike_batch() {
  auto files = read_parser_directories({"parsers"});
  YUSHI_ASSERT(files, "%s", files.error().message.c_str());
  auto set = ParserSet::load(*files);
  YUSHI_ASSERT(set, "%s", set.error().message.c_str());
  auto batch = std::make_unique<Batch>();
  flood::Mix mix({});
  std::vector<std::string> waiting(kConnections);
  std::vector<flood::Mix::Line> lines;
  std::string text;
  std::map<size_t, uint64_t> seqs;
  size_t raw_bytes = 0;
  uint64_t commit = 1;
  int64_t now = 1'793'491'200'000'000'000;
  while (raw_bytes < kRawBytes && batch->records.size() < kRecords) {
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
        if (raw_bytes < kRawBytes && batch->records.size() < kRecords) {
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
  Understander(*set).understand(*batch, {}, false);
  batch->keep.push_back(*set);
  return batch;
}

struct Fixture {
  std::unique_ptr<Batch> batch = lifelike_batch();
  std::vector<const Record*> records;
  BlockContext context{"default", "log-01", {{{std::string(64, '0'), "UTC", "utf-8", 1}}, {}}};
  SealedBlock sealed;
  size_t understood = 0;

  Fixture() {
    for (auto& record : batch->records) {
      records.push_back(&record);
      understood += record.kind != nullptr;
    }
    sealed = build_block(context, records);
  }
  static Fixture& get() {
    static Fixture fixture;
    return fixture;
  }
};

void report(benchmark::State& state) {
  auto& fixture = Fixture::get();
  auto& summary = fixture.sealed.summary;
  auto records = static_cast<double>(fixture.records.size());
  auto raw = static_cast<double>(summary.raw_bytes);
  state.counters["us_a_record"] =
      benchmark::Counter(records * static_cast<double>(state.iterations()) / 1e6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["records"] = records;
  state.counters["understood"] = static_cast<double>(fixture.understood) / records;
  state.counters["bytes_raw"] = raw / records;
  state.counters["bytes_block"] = static_cast<double>(fixture.sealed.bytes.size()) / records;
  state.counters["bytes_filter"] = static_cast<double>(summary.token_filter.size()) / records;
  state.counters["ratio"] = raw / static_cast<double>(fixture.sealed.bytes.size() + summary.token_filter.size());
}

void build(benchmark::State& state) {
  auto& fixture = Fixture::get();
  for (auto _ : state) benchmark::DoNotOptimize(build_block(fixture.context, fixture.records).bytes.data());
  report(state);
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

void read(benchmark::State& state) {
  auto& fixture = Fixture::get();
  for (auto _ : state) {
    auto block = read_block(fixture.sealed.bytes);
    YUSHI_ASSERT(block && block->batch->records.back().raw == fixture.records.back()->raw, "block does not come back");
    benchmark::DoNotOptimize(block->batch.get());
  }
  report(state);
}
BENCHMARK(read)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace yushi
