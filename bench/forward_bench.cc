// What a forwarder does to a lifelike record before a sink has it: hides secrets, makes key, headers and value.
#include <benchmark/benchmark.h>

#include "bench/lifelike.h"
#include "core/base/assert.h"
#include "core/filter/secret_mask.h"
#include "forward/message.h"

namespace yushi {
namespace {

Batch& lines() {
  static const auto batch = [] {
    auto made = lifelike_batch(our_parsers(), 1 << 30, 10'000);
    for (auto& record : made->records) {
      auto origin = made->arena.make(*record.origin);
      origin->log = "unit-7";
      origin->node = "log-01";
      record.origin = origin;
    }
    return made;
  }();
  return *batch;
}

void mask(benchmark::State& state) {
  auto files = read_secret_directories({"config/secrets"});
  YUSHI_ASSERT(files, "%s", files.error().message.c_str());
  auto rules = SecretRules::load(std::move(*files));
  YUSHI_ASSERT(rules, "%s", rules.error().message.c_str());
  SecretMask mask(*rules);
  auto& records = lines().records;
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(&mask.mask(records[i++ % records.size()]));
}
BENCHMARK(mask);

void make(benchmark::State& state, forward::ForwardFormat format) {
  forward::MessageMaker maker(format);
  forward::Message message;
  auto& records = lines().records;
  size_t i = 0, bytes = 0;
  for (auto _ : state) {
    maker.make(records[i++ % records.size()], SIZE_MAX, message);
    bytes += message.value.size();
  }
  state.counters["bytes"] = static_cast<double>(bytes) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(make, raw, forward::ForwardFormat::raw);
BENCHMARK_CAPTURE(make, ecs_json, forward::ForwardFormat::ecs_json);

}  // namespace
}  // namespace yushi
