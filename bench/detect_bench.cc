// Stateless rules and detectors per record: a kind without rules, web records against all our rules (of three sorts),
// ssh logins, and the lifelike mix of bench/flood as a whole (200 hosts, 8 tenants).
//
// YUSHI_MIX_RECORDS=500000 observes that many records once and prints which rules raised how many alerts.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "bench/flood/mix.h"
#include "detect/engine.h"
#include "parsers/understand.h"

namespace yushi {
namespace {

struct Prepared {
  std::shared_ptr<const detect::RuleSet> rules;
  std::shared_ptr<const parsers::ParserSet> parsers;
  Batch batch;
};

void load(Prepared& prepared) {
  auto files = parsers::read_parser_directories({"parsers/library"});
  auto set = files ? parsers::ParserSet::load(std::move(*files)) : tl::unexpected(files.error());
  auto rule_files = detect::read_rule_directories({"config/rules"});
  auto source_files = detect::read_rule_directories({"config/sigma"});
  auto sources = source_files ? detect::LogSources::load(*source_files) : tl::unexpected(source_files.error());
  if (!set || !rule_files || !sources) std::abort();
  auto rules = detect::RuleSet::load(std::move(*rule_files), **sources);
  if (!rules) std::abort();  // run it from the root of the tree
  prepared.parsers = *set;
  prepared.rules = *rules;
}

void fill(Prepared& prepared, const std::string& line) {
  load(prepared);
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
  parsers::Understander(prepared.parsers).understand(prepared.batch);
}

const std::string kLines[] = {
    "<6>1 2026-11-01T08:00:00Z web-01 kernel - - - [ 203.8] DROP IN=eth0 OUT= SRC=203.0.113.7 DST=10.1.2.3 LEN=40 "
    "TTL=244 "
    "ID=1 PROTO=TCP SPT=4444 DPT=3389 SYN",
    "<190>1 2026-11-01T08:00:00Z web-01 nginx 7 - - 10.0.0.5 - - [01/Nov/2026:08:00:00 +0000] \"GET "
    "/shop/item/4711?colour=red&size=42 HTTP/1.1\" 200 6123 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux "
    "x86_64)\"",
    "<86>1 2026-11-01T08:00:00Z web-01 sshd 811 - - Accepted publickey for alice from 10.0.0.5 port 4242 ssh2",
    // What somebody looks for, which is odd, and what an attacker sends.
    "<190>1 2026-11-01T08:00:00Z web-01 nginx 7 - - 10.0.0.5 - - [01/Nov/2026:08:00:00 +0000] \"GET "
    "/search?q=red+shoes+for+children&page=2 HTTP/1.1\" 200 6123 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux "
    "x86_64)\"",
    "<190>1 2026-11-01T08:00:00Z web-01 nginx 7 - - 10.0.0.5 - - [01/Nov/2026:08:00:00 +0000] \"GET "
    "/item?id=7%27/**/uNiOn%20SeLeCt%20null,concat(user(),0x3a,version())--+ HTTP/1.1\" 200 6123 \"-\" \"Mozilla/5.0 "
    "(X11; Linux x86_64)\"",
};

void match(benchmark::State& state) {
  Prepared prepared;
  fill(prepared, kLines[state.range(0)]);
  Scratch scratch;
  std::vector<RuleHit> hits;
  auto matcher = prepared.rules->matcher();
  for (auto _ : state) {
    hits.clear();
    matcher->match(prepared.batch, scratch, hits);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * prepared.batch.records.size()));
}
BENCHMARK(match)->DenseRange(0, 4);

void observe(benchmark::State& state) {
  Prepared prepared;
  fill(prepared, kLines[state.range(0)]);
  detect::Engine engine(prepared.rules, {});
  std::vector<Alert> alerts;
  for (auto _ : state) engine.observe(prepared.batch, alerts);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * prepared.batch.records.size()));
}
BENCHMARK(observe)->DenseRange(0, 2);

// Batches of some hundred records of one tenant, as ingest makes them.
class MixBatches {
 public:
  explicit MixBatches(const Prepared& prepared) : understander_(prepared.parsers), rules_(prepared.rules) {}

  std::unique_ptr<Batch> next() {
    for (;;) {
      text_.clear();
      lines_.clear();
      mix_.next_event(text_, lines_);
      size_t full = kTenants;
      for (const auto& line : lines_) {
        size_t tenant = line.host % kTenants;
        waiting_[tenant].push_back(text_.substr(line.begin, line.length));
        if (waiting_[tenant].size() >= kBatchRecords) full = tenant;
      }
      if (full < kTenants) return batch(full);
    }
  }

 private:
  static constexpr size_t kTenants = 8, kBatchRecords = 250;

  std::unique_ptr<Batch> batch(size_t tenant) {
    auto out = std::make_unique<Batch>();
    Origin origin;
    origin.received_ns = 1'793'491'200 * kSecond;
    origin.log = out->arena.copy("tenant-" + std::to_string(tenant));
    const Origin* kept = out->arena.make(origin);
    for (const auto& line : waiting_[tenant]) {
      Record record;
      record.raw = out->arena.copy(std::string_view(line));
      record.origin = kept;
      record.index = next_[tenant]++;
      out->records.push_back(record);
    }
    waiting_[tenant].clear();
    out->keep.push_back(rules_);
    understander_.understand(*out, {}, false);
    return out;
  }

  parsers::Understander understander_;
  std::shared_ptr<const detect::RuleSet> rules_;
  flood::Mix mix_{{}};
  std::string text_;
  std::vector<flood::Mix::Line> lines_;
  std::vector<std::string> waiting_[kTenants];
  uint64_t next_[kTenants] = {};
};

// One number for each dataset and one for all: what a record of the mix costs.
void match_mix(benchmark::State& state) {
  Prepared prepared;
  load(prepared);
  MixBatches batches(prepared);
  std::vector<std::unique_ptr<Batch>> mixed;
  size_t records = 0;
  for (int i = 0; i < 200; ++i) {
    mixed.push_back(batches.next());
    records += mixed.back()->records.size();
  }
  Scratch scratch;
  std::vector<RuleHit> hits;
  auto matcher = prepared.rules->matcher();
  // Ingest matches a batch right after parsing it, while it is in the cache: hence each batch some times in a row.
  constexpr int kTimes = 8;
  for (auto _ : state)
    for (const auto& batch : mixed)
      for (int i = 0; i < kTimes; ++i) {
        hits.clear();
        matcher->match(*batch, scratch, hits);
      }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * records * kTimes));
  if (!std::getenv("YUSHI_MIX_RECORDS")) return;
  std::map<std::string, Batch> by_pattern;
  for (const auto& batch : mixed)
    for (const auto& record : batch->records)
      by_pattern[record.kind ? record.kind->dataset + "/" + record.kind->pattern : "-"].records.push_back(record);
  for (auto& [pattern, batch] : by_pattern) {
    size_t count = batch.records.size();
    batch.records.resize(std::min<size_t>(batch.records.size(), 250));
    auto begin = std::clock();
    for (int i = 0; i < 200; ++i) {
      hits.clear();
      matcher->match(batch, scratch, hits);
    }
    double ns = static_cast<double>(std::clock() - begin) * 1e9 / CLOCKS_PER_SEC / 200;
    std::fprintf(stderr, "%6zu records, %7.0f ns each, %5.1f %% of all  %s\n", count,
                 ns / static_cast<double>(batch.records.size()),
                 100.0 * static_cast<double>(count) / static_cast<double>(records), pattern.c_str());
  }
}
BENCHMARK(match_mix)->Unit(benchmark::kMillisecond);

void observe_mix(benchmark::State& state) {
  Prepared prepared;
  load(prepared);
  MixBatches batches(prepared);
  detect::Engine engine(prepared.rules, {});
  const char* wanted = std::getenv("YUSHI_MIX_RECORDS");
  size_t wanted_records = wanted ? std::strtoull(wanted, nullptr, 10) : 50'000, records = 0;
  std::vector<Alert> alerts;
  std::vector<std::unique_ptr<Batch>> mixed;
  Scratch scratch;
  while (records < wanted_records) {
    mixed.push_back(batches.next());
    prepared.rules->match(*mixed.back(), scratch, mixed.back()->hits);
    records += mixed.back()->records.size();
  }
  for (auto _ : state)
    for (const auto& batch : mixed) engine.observe(*batch, alerts);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * records));
  state.counters["alerts"] = static_cast<double>(alerts.size());
  if (!wanted) return;
  std::map<std::string, size_t> by_name;
  for (const auto& alert : alerts) ++by_name[alert.rule_name + (alert.learning ? " (learning)" : "")];
  for (const auto& [name, count] : by_name) std::fprintf(stderr, "%6zu  %s\n", count, name.c_str());
  if (std::getenv("YUSHI_MIX_REASONS"))
    for (const auto& alert : alerts) std::fprintf(stderr, "%s\n", alert.reason.c_str());
}
BENCHMARK(observe_mix)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace yushi
