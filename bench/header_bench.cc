// The header and the times in it: what a message costs before any parser sees it.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/base/time_text.h"
#include "parsers/header/syslog_header.h"

namespace yushi {
namespace {

const int64_t kReceivedNs = 1'793'520'000 * kSecond;

void read_header(benchmark::State& state, const std::string& raw) {
  const auto zone = *Zone::find("Asia/Shanghai");
  Origin origin;
  origin.received_ns = kReceivedNs;
  std::vector<Capture> captures;
  Arena arena;
  for (auto _ : state) {
    Record record;
    record.raw = raw;
    record.origin = &origin;
    captures.clear();
    parsers::read_syslog_header(record, *zone, arena, captures);
    benchmark::DoNotOptimize(record);
    benchmark::DoNotOptimize(captures.data());
    if (arena.bytes() > (8 << 20)) arena = Arena();
  }
  state.SetItemsProcessed(state.iterations());
}

void read_one_time(benchmark::State& state, const std::string& text) {
  const auto zone = *Zone::find("Asia/Shanghai");
  for (auto _ : state) {
    auto read = read_time(text, kReceivedNs, *zone);
    benchmark::DoNotOptimize(read);
  }
}

void format_one_time(benchmark::State& state, const std::string& text) {
  auto time = parse_time(text, kReceivedNs, *Zone::utc());
  char out[64];
  for (auto _ : state) {
    benchmark::DoNotOptimize(time);
    benchmark::DoNotOptimize(format_time(*time, out));
    benchmark::ClobberMemory();
  }
}

const std::string kRest =
    "Accepted publickey for deploy from 192.0.2.9 port 50022 ssh2: ED25519 SHA256:abcdefghijklmnopqrstuvwxyz";

BENCHMARK_CAPTURE(read_header, rfc5424,
                  "<38>1 2026-11-01T08:00:00.123456+08:00 web1.example.org sshd 4711 - - " + kRest);
BENCHMARK_CAPTURE(
    read_header, rfc5424_structured_data,
    "<38>1 2026-11-01T08:00:00.123456+08:00 web1.example.org sshd 4711 - [origin ip=\"192.0.2.1\" x=\"y\"] " + kRest);
BENCHMARK_CAPTURE(read_header, rfc3164, "<38>Nov  1 08:00:00 web1.example.org sshd[4711]: " + kRest);
BENCHMARK_CAPTURE(read_header, cisco, "<189>123: edge1: *Nov  1 18:46:11.123: %SYS-5-CONFIG_I: " + kRest);
BENCHMARK_CAPTURE(read_header, bare, kRest);
BENCHMARK_CAPTURE(read_one_time, rfc3339, std::string("2026-11-01T08:00:00.123456+08:00 web1"));
BENCHMARK_CAPTURE(read_one_time, rfc3164, std::string("Nov  1 08:00:00 web1"));
BENCHMARK_CAPTURE(read_one_time, http_date, std::string("01/Nov/2026:08:00:00 +0800]"));
BENCHMARK_CAPTURE(read_one_time, epoch, std::string("1793520000.123:42)"));
BENCHMARK_CAPTURE(format_one_time, rfc3339, std::string("2026-11-01T08:00:00.123456+08:00"));
BENCHMARK_CAPTURE(format_one_time, rfc3164, std::string("Nov  1 08:00:00"));

}  // namespace
}  // namespace yushi
