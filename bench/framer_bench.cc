// Framing 256 KiB of messages of 281 bytes, as one read of a busy connection gives them.
#include <string>

#include <benchmark/benchmark.h>

#include "ingest/syslog/framer.h"

namespace {

using namespace yushi;

void frame(benchmark::State& state, ingest::Framing framing) {
  std::string message = "<165>1 2026-11-01T08:00:00.003Z web-01.example app 4242 ID47 - ";
  message.resize(281, 'x');
  std::string input;
  while (input.size() < (256 << 10)) {
    input += framing == ingest::Framing::newline ? message + "\n" : std::to_string(message.size()) + " " + message;
  }
  std::vector<Record> records;
  ingest::FrameCounts counts;
  ingest::Framer framer(ingest::Framing::automatic, 64 << 10);
  for (auto _ : state) {
    records.clear();
    benchmark::DoNotOptimize(framer.feed(input, nullptr, records, counts));
  }
  state.SetItemsProcessed(static_cast<int64_t>(counts.messages));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * input.size()));
}

BENCHMARK_CAPTURE(frame, newline, ingest::Framing::newline);
BENCHMARK_CAPTURE(frame, octet_counted, ingest::Framing::octet_counted);

}  // namespace
