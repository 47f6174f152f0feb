// Stateless rules and detectors per record: a kind without rules, web records against all our rules, ssh logins.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "detect/engine.h"
#include "parsers/understand.h"

namespace yushi {
namespace {

struct Prepared {
  std::shared_ptr<const RuleSet> rules;
  std::shared_ptr<const ParserSet> parsers;
  Batch batch;
};

void fill(Prepared& prepared, const std::string& line) {
  auto files = read_parser_directories({"parsers"});
  auto set = files ? ParserSet::load(std::move(*files)) : tl::unexpected(files.error());
  auto rule_files = read_rule_directories({"config/rules"});
  auto rules = rule_files ? RuleSet::load(std::move(*rule_files)) : tl::unexpected(rule_files.error());
  if (!set || !rules) std::abort();  // run it from the root of the tree
  prepared.parsers = *set;
  prepared.rules = *rules;
  Origin origin;
  origin.received_ns = 1793520000 * kSecond;
  origin.log = "default";
  for (uint64_t i = 0; i < 1000; ++i) {
    Record record;
    record.raw = prepared.batch.arena.copy(std::string_view(line));
    record.origin = prepared.batch.arena.make(origin);
    record.index = i;
    prepared.batch.records.push_back(record);
  }
  Understander(prepared.parsers).understand(prepared.batch, *Zone::utc());
}

const std::string kLines[] = {
    "<6>1 2026-11-01T08:00:00Z web-01 kernel - - - [ 203.8] DROP IN=eth0 OUT= SRC=203.0.113.7 DST=10.1.2.3 LEN=40 TTL=244 "
    "ID=1 PROTO=TCP SPT=4444 DPT=3389 SYN",
    "<190>1 2026-11-01T08:00:00Z web-01 nginx 7 - - 10.0.0.5 - - [01/Nov/2026:08:00:00 +0000] \"GET "
    "/shop/item/4711?colour=red&size=42 HTTP/1.1\" 200 6123 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64)\"",
    "<86>1 2026-11-01T08:00:00Z web-01 sshd 811 - - Accepted publickey for alice from 10.0.0.5 port 4242 ssh2",
};

void match(benchmark::State& state) {
  Prepared prepared;
  fill(prepared, kLines[state.range(0)]);
  Scratch scratch;
  std::vector<RuleHit> hits;
  for (auto _ : state) {
    hits.clear();
    prepared.rules->match(prepared.batch, scratch, hits);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * prepared.batch.records.size()));
}
BENCHMARK(match)->DenseRange(0, 2);

void observe(benchmark::State& state) {
  Prepared prepared;
  fill(prepared, kLines[state.range(0)]);
  Engine engine(prepared.rules, {});
  std::vector<Alert> alerts;
  for (auto _ : state) engine.observe(prepared.batch, alerts);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * prepared.batch.records.size()));
}
BENCHMARK(observe)->DenseRange(0, 2);

}  // namespace
}  // namespace yushi
