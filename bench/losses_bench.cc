// What a sender's numbers cost: to find in a message, on an ingest thread; to count, on the committer.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "storage/tail/losses.h"

namespace yushi {
namespace {

void find(benchmark::State& state, const std::string& raw) {
  RawMessage message;
  message.raw = raw;
  for (auto _ : state) benchmark::DoNotOptimize(storage::sequence_number(message));
}
BENCHMARK_CAPTURE(find, json, R"({"message":"of no syslog sender"})");
BENCHMARK_CAPTURE(find, rfc3164,
                  "<86>Nov  1 08:00:00 web1 sshd[4242]: Failed password for root from 10.0.0.1 port 4242 ssh2");
BENCHMARK_CAPTURE(find, rfc5424_without, "<86>1 2026-11-01T08:00:00.125Z web1 sshd 4242 - - Failed password for root");
BENCHMARK_CAPTURE(
    find, rfc5424_other_data,
    "<86>1 2026-11-01T08:00:00.125Z web1 app 4242 - [origin ip=\"10.0.0.1\" software=\"app\" swVersion=\"4.2\"] said");
BENCHMARK_CAPTURE(find, rfc5424_numbered,
                  "<86>1 2026-11-01T08:00:00.125Z web1 app 4242 - [meta sequenceId=\"4711\"] said");
BENCHMARK_CAPTURE(find, ios, "<189>123: edge1: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by vty0");

void count(benchmark::State& state) {  // of a source with so many hosts, in turn
  storage::Losses losses;
  const auto hosts = static_cast<uint64_t>(state.range(0));
  uint64_t host = 0;
  uint32_t number = 1;
  for (auto _ : state) {
    losses.take({host, number});
    if (++host == hosts) host = 0, ++number;
  }
  benchmark::DoNotOptimize(losses.lost());
}
BENCHMARK(count)->Arg(1)->Arg(8)->Arg(64)->Arg(200);

}  // namespace
}  // namespace yushi
