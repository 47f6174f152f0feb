// Tokens, token filters and filters over lifelike messages of about 280 bytes.
#include <benchmark/benchmark.h>

#include <random>

#include "core/base/text.h"
#include "core/filter/filter.h"
#include "core/filter/token_filter.h"

namespace yushi {
namespace {

const std::string kLine =
    "<134>1 2026-11-01T08:00:00.123456+08:00 web17.gov.example nginx 2231 - - 10.12.33.7 - alice [01/Nov/2026:08:00:00 "
    "+0800] \"GET /portal/api/v2/documents/8841?id=77&view=full HTTP/1.1\" 200 5123 "
    "\"https://portal.gov.example/list\" "
    "\"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/118.0\" 0.042";

void cut_tokens(benchmark::State& state) {
  size_t tokens = 0;
  for (auto _ : state) {
    tokens = 0;
    for_each_token(kLine, [&](std::string_view token) {
      benchmark::DoNotOptimize(token.data());
      ++tokens;
    });
  }
  state.counters["tokens"] = static_cast<double>(tokens);
}
BENCHMARK(cut_tokens);

void cut_and_hash_tokens(benchmark::State& state) {
  for (auto _ : state) {
    uint64_t all = 0;
    for_each_token(kLine, [&](std::string_view token) { all ^= token_hash(token); });
    benchmark::DoNotOptimize(all);
  }
}
BENCHMARK(cut_and_hash_tokens);

void hash_token(benchmark::State& state) {
  static constexpr std::string_view kTokens[] = {"GET", "portal", "documents", "10", "Firefox", "a1b2c3d4e5f60718293a"};
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(token_hash(kTokens[i++ % std::size(kTokens)]));
}
BENCHMARK(hash_token);

void build_filter(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> distinct(static_cast<size_t>(state.range(0)));
  for (auto& hash : distinct) hash = random();
  std::vector<uint64_t> hashes = distinct;
  hashes.insert(hashes.end(), distinct.begin(), distinct.end());
  for (auto _ : state) {
    auto copy = hashes;
    auto bytes = build_token_filter(copy);
    state.counters["bits_a_hash"] = static_cast<double>(bytes.size()) * 8 / static_cast<double>(distinct.size());
  }
  state.counters["ns_a_hash"] =
      benchmark::Counter(static_cast<double>(distinct.size()) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(build_filter)->Arg(1'000)->Arg(100'000)->Arg(500'000);

void ask_filter(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> hashes(200'000);
  for (auto& hash : hashes) hash = random();
  auto bytes = build_token_filter(hashes);
  TokenFilter filter(bytes);
  for (auto _ : state) benchmark::DoNotOptimize(filter.may_contain(random()));
}
BENCHMARK(ask_filter);

void match(benchmark::State& state, const char* query) {
  auto filter = Filter::parse_kql(query, QueryClock{});
  Record record;
  record.raw = kLine;
  record.message_begin = 70;
  record.message_length = static_cast<uint32_t>(kLine.size()) - 70;
  Origin origin;
  record.origin = &origin;
  Capture captures[4]{};
  const char* const texts[] = {"web17.gov.example", "nginx", "10.12.33.7", "alice"};
  const char* const names[] = {"host.name", "process.name", "source.ip", "user.name"};
  for (size_t i = 0; i < 4; ++i) {
    captures[i].begin = static_cast<uint32_t>(kLine.find(texts[i]));
    captures[i].length = static_cast<uint32_t>(std::string_view(texts[i]).size()) & 0xffffff;
    captures[i].field = find_field(names[i]);
  }
  record.captures = captures;
  Scratch scratch;
  for (auto _ : state) benchmark::DoNotOptimize(filter->matches(record, scratch));
}
BENCHMARK_CAPTURE(match, absent_word, "needle");
BENCHMARK_CAPTURE(match, present_word, "firefox");
BENCHMARK_CAPTURE(match, absent_phrase, "\"failed password\"");
BENCHMARK_CAPTURE(match, wildcard, "need*");
BENCHMARK_CAPTURE(match, keyword, "user.name: bob");
BENCHMARK_CAPTURE(match, network, "source.ip: 10.0.0.0/8");
BENCHMARK_CAPTURE(match, regex, "message ~ /GET \\/admin/");

void parse_query(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(
        Filter::parse_kql("user.name: root and source.ip: 10.0.0.0/8 and not event.outcome: success", QueryClock{}));
}
BENCHMARK(parse_query);

}  // namespace
}  // namespace yushi
