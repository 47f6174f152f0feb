// What one record costs the ledger: digest of raw, leaf, and the growth of the tree.
#include <benchmark/benchmark.h>

#include "core/ledger/entry.h"
#include "core/ledger/merkle.h"

namespace yushi {
namespace {

void digest(benchmark::State& state) {
  std::string raw(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256(raw));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(digest)->Arg(64)->Arg(280)->Arg(1 << 20);

void leaf_and_tree(benchmark::State& state) {
  Hash raw_digest = sha256("raw");
  CompactRange range;
  std::string entry;
  uint64_t seq = 0;
  for (auto _ : state) {
    make_entry_head({1793491200123456789, "10.0.0.1", seq++, "tcp", 0, 0, 0, false, false, false, "10.0.0.1"}, entry);
    append_digest(raw_digest, entry);
    range.append(leaf_hash(entry));
  }
  benchmark::DoNotOptimize(range.root());
}
BENCHMARK(leaf_and_tree);

}  // namespace
}  // namespace yushi
