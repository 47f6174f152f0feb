// What a record costs on its way to the disk: an ingest thread's part (grouped by log, compressed) and the committer's
// (index, source-seq, leaf, tree, tail chunk, one synced write). Blocks are sealed beside it, on the sealer's thread,
// as they fill.
//
// Time is the synced commit as a sender waits for it, CPU the committer's own. Argument: records in a commit.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>

#include "bench/lifelike.h"
#include "core/base/assert.h"
#include "parsers/engine_version.h"
#include "parsers/understand.h"
#include "storage/store/store.h"

namespace yushi {
namespace {

constexpr int64_t kReceived = 1'793'491'200'000'000'000;

struct OpenStore {
  std::string folder = "/tmp/commit-bench.XXXXXX";
  std::shared_ptr<const parsers::ParserSet> parsers = our_parsers();
  std::vector<std::shared_ptr<const storage::ParseContext>> contexts;
  std::unique_ptr<storage::Store> store;
  uint64_t seed = 0;

  OpenStore() {
    YUSHI_ASSERT(::mkdtemp(folder.data()), "no folder %s", folder.c_str());
    storage::StoreOptions options;
    options.data_dir = folder;
    options.node = "bench";
    options.reparse = {parsers::kParserEngine, [this](Batch& batch, const storage::ParseContext&) -> Result<void> {
                         parsers::Understander(parsers).understand(batch, {Zone::utc(), Charset::utf8}, false);
                         return {};
                       }};
    contexts.assign(2, std::make_shared<const storage::ParseContext>(
                           storage::ParseContext{parsers->digest(), "UTC", "utf-8", parsers::kParserEngine}));
    options.own_context = contexts[1];
    auto opened = storage::Store::open(std::move(options));
    YUSHI_ASSERT(opened, "%s", opened.error().message.c_str());
    store = std::move(*opened);
  }
  ~OpenStore() {
    YUSHI_ASSERT(store->seal_due(kReceived, true) && store->wait_sealed(), "sealing");
    store.reset();
    std::filesystem::remove_all(folder);
  }
  std::shared_ptr<Batch> next_batch(size_t records) { return lifelike_batch(parsers, SIZE_MAX, records, ++seed); }
};

void count(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["us_a_record"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)) / 1e6,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void prepare_batch(benchmark::State& state) {
  OpenStore open;
  auto batch = open.next_batch(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(storage::prepare(batch, open.contexts).groups.data());
  count(state);
}
BENCHMARK(prepare_batch)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void commit(benchmark::State& state) {
  OpenStore open;
  for (auto _ : state) {
    state.PauseTiming();
    auto prepared = storage::prepare(open.next_batch(static_cast<size_t>(state.range(0))), open.contexts);
    state.ResumeTiming();
    auto commit = open.store->begin();
    commit.append(std::move(prepared));
    auto finished = commit.finish();
    YUSHI_ASSERT(finished, "%s", finished.error().message.c_str());
  }
  count(state);
}
BENCHMARK(commit)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace yushi
