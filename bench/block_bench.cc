// Blocks of lifelike lines, understood by our own parsers: bytes and CPU a record, to build and to read.
//
// Counters: ratio is raw : (block + filter), as the store keeps them.
#include <benchmark/benchmark.h>

#include <memory>

#include "bench/lifelike.h"
#include "core/base/assert.h"
#include "storage/block/block.h"

namespace yushi {
namespace {

constexpr size_t kRawBytes = 16 << 20;
constexpr size_t kRecords = 64 << 10;

struct Fixture {
  std::unique_ptr<Batch> batch = lifelike_batch(our_parsers(), kRawBytes, kRecords);
  std::vector<const Record*> records;
  storage::BlockHead context{"default", "log-01", {{{std::string(64, '0'), "UTC", "utf-8", 1}}, {}}};
  storage::SealedBlock sealed;
  size_t understood = 0;

  Fixture() {
    for (auto& record : batch->records) {
      records.push_back(&record);
      understood += record.kind != nullptr;
    }
    sealed = storage::build_block(context, records);
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
  state.counters["us_a_record"] = benchmark::Counter(records * static_cast<double>(state.iterations()) / 1e6,
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
  for (auto _ : state) benchmark::DoNotOptimize(storage::build_block(fixture.context, fixture.records).bytes.data());
  report(state);
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

void read(benchmark::State& state) {
  auto& fixture = Fixture::get();
  for (auto _ : state) {
    auto block = storage::read_block(fixture.sealed.bytes);
    YUSHI_ASSERT(block && block->batch->records.back().raw == fixture.records.back()->raw, "block does not come back");
    benchmark::DoNotOptimize(block->batch.get());
  }
  report(state);
}
BENCHMARK(read)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace yushi
