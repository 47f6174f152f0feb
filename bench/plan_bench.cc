// What it costs to plan a question, and to open a store, by what the store knows of its blocks alone: a store of made
// up summaries, of 20 logs and 180 store days, without the blocks.
//
//   plan_bench                                             some 2,000 blocks of 4 store days
//   plan_bench --blocks=1200000 --folder=/tmp/plan         78 billion records; the folder is filled once, and stays
//
// A plan is done when the first unit can be read. peak_MiB is that of the process: of a folder that was filled before,
// it is that of planning or opening. Of caches that the kernel has, nothing is said: what is read was written a moment
// ago.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/event/own_record.h"
#include "core/ledger/log_roots.h"
#include "query/answers/answer_scan.h"
#include "query/scan/unit_queue.h"
#include "storage/db/keys.h"
#include "storage/read/salvage.h"
#include "storage/read/summaries.h"
#include "storage/store/store.h"
#include "storage/tail/leaf.h"

namespace yushi {
namespace {

constexpr int64_t kFirstDay = 20'600;
constexpr size_t kLogs = 20;
constexpr uint32_t kRecords = 64 << 10;  // in a block
constexpr uint32_t kRetentionDays = 184;

uint64_t blocks_wanted = 2'000;
std::string folder;
int64_t days() { return blocks_wanted < 100'000 ? 4 : 180; }

template <class T>
T must(Result<T>&& result) {
  YUSHI_ASSERT(result, "%s", result.error().message.c_str());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string log_name(size_t i) { return "tenant" + std::to_string(i); }

storage::StoreOptions store_options() {
  storage::StoreOptions options;
  options.data_dir = folder;
  options.node = "bench";
  options.reparse = {1, [](Batch&, const storage::ParseContext&) { return Result<void>(); }};
  options.own_context =
      std::make_shared<const storage::ParseContext>(storage::ParseContext{std::string(64, '0'), "UTC", "utf-8", 1});
  return options;
}

// Of a tree whose stored hashes are all the same: a complete subtree of so many of them.
Hash subtree_of(uint64_t hashes) {
  Hash one;
  one.fill('x');
  CompactRange range;
  while (hashes-- > 0) range.append(one);
  return range.root();
}

// Of a day: most records are of it, some senders are hours late, and one lives in another year.
storage::BlockSummary made_up_block(std::mt19937_64& random, uint64_t first, int64_t from_ns, int64_t to_ns) {
  storage::BlockSummary out;
  out.first_index = first;
  out.records = kRecords;
  out.raw_bytes = uint64_t{kRecords} * 281;
  out.received_from_ns = from_ns;
  out.received_to_ns = to_ns;
  if (random() % 3 == 0) out.event_times.push_back({from_ns - 2000 * kDay, to_ns - 2000 * kDay});
  if (random() % 3 == 0) out.event_times.push_back({from_ns - 3 * 3600 * kSecond, from_ns - 2 * 3600 * kSecond});
  out.event_times.push_back({from_ns - 10 * kSecond, to_ns});
  for (int i = 0; i < 50; ++i) out.sources.push_back("10.0." + std::to_string(i / 10) + "." + std::to_string(100 + i));
  out.token_filter.resize(1024);  // of real blocks it has 10,000 to 50,000 bytes, which no plan reads
  return out;
}

// The record of `_audit` that binds the logs, as a signature leaves it in the tail.
void put_audit(storage::Write& write, storage::Database& database, const LogRootMap& roots, const SigningKey& key,
               storage::Heads& heads) {
  OwnRecord own;
  own.action = "log-roots";
  own.about = LogRoots{to_base64(as_bytes(root_over(roots))), roots.size(), false, {}};
  std::shared_ptr<Batch> batch = storage::own_batch({to_json(own)});
  auto& record = batch->records[0];
  auto origin = *record.origin;
  origin.commit = 1;
  record.origin = &origin;
  CompactRange tree;
  tree.append(storage::leaf_of(record));
  const auto context = store_options().own_context;
  auto prepared = storage::prepare(batch, {context, context});
  auto& families = database.families();
  write.put(families.tail, storage::keys::record(kAuditLog, 0), storage::finish_chunk(1, prepared.groups[0]));
  write.put(families.state, storage::keys::log_state(kAuditLog), tree.encode());
  write.put(families.state, storage::keys::signed_tree(kAuditLog), tree.encode());
  auto& note = heads[kAuditLog] = must(key.sign({std::string("bench/") + kAuditLog, 1, tree.root()}));
  write.put(families.state, storage::keys::checkpoint(kAuditLog, 1), note);
  CommitChain chain(key);
  chain.begin(note);
  write.put(families.state, storage::keys::kChain, as_bytes(chain.code()));
  write.put(families.state, storage::keys::kKept, storage::encode_kept({}, key));
  write.put(families.state, "commit", std::string(1, '\1'));
}

void fill() {
  must(storage::Store::open(store_options())).reset();  // names, key, an empty `heads`
  auto key = must(SigningKey::load(folder + "/keys/node.pem"));
  auto database = must(storage::Database::open(folder + "/store", storage::Database::Mode::read_write));
  std::mt19937_64 random(1);
  auto filters = database->families().filters;
  const auto a_day = std::max<uint64_t>(1, blocks_wanted / static_cast<uint64_t>(days()) / kLogs);
  for (int64_t day = kFirstDay; day < kFirstDay + days(); ++day) {
    const auto store_day = static_cast<uint32_t>(day);
    must(database->blocks_family(store_day, kRetentionDays));
    storage::Write write;
    for (size_t log = 0; log < kLogs; ++log) {
      storage::DayHead head;
      for (uint64_t i = 0; i < a_day; ++i) {
        const auto from = day * kDay + static_cast<int64_t>(i) * kDay / static_cast<int64_t>(a_day);
        const auto first = (static_cast<uint64_t>(day - kFirstDay) * a_day + i) * kRecords;
        auto block = made_up_block(random, first, from, from + kDay / static_cast<int64_t>(a_day));
        storage::put_summary(write, *database, store_day, log_name(log), block);
        head.add(block);
      }
      write.put(filters, storage::keys::day_head(log_name(log), store_day), head.encode());
    }
    must(database->write(write, "filling"));
  }
  storage::Write write;
  LogRootMap roots;
  storage::Heads heads;
  auto& families = database->families();
  const uint64_t size = static_cast<uint64_t>(days()) * a_day * kRecords;
  for (size_t i = 0; i < kLogs; ++i) {
    const auto log = log_name(i);
    auto put_tile = [&](int level, uint64_t tile) {
      const auto hashes = std::min<uint64_t>(256, (size >> (8 * level)) - tile * 256);
      write.put(families.tree, storage::keys::tile(log, level, tile), std::string(hashes * 32, 'x'));
    };
    auto tree = must(CompactRange::at(size, [&](int level, uint64_t index) -> Result<Hash> {
      put_tile(level / 8, (index << (level % 8)) / 256);
      return subtree_of(uint64_t{1} << (level % 8));
    }));
    roots[log] = {size, tree.root()};
    write.put(families.state, storage::keys::log_state(log), tree.encode());
    write.put(families.state, storage::keys::signed_tree(log), tree.encode());
    auto& note = heads[log] = must(key.sign({"bench/" + log, size, tree.root()}));
    write.put(families.state, storage::keys::checkpoint(log, size), note);
    for (int level = 1; size >> (8 * level); ++level)
      if (const auto hashes = size >> (8 * level); hashes % 256) put_tile(level, hashes / 256);
  }
  put_audit(write, *database, roots, key, heads);
  must(database->write(write, "filling"));
  must(database->flush());
  Disk disk;
  must(storage::write_heads(folder + "/heads", heads, disk));
}

double peak_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

std::shared_ptr<const storage::StoreView> open_view() {
  static const std::shared_ptr<const storage::Database> database = must(storage::open_or_salvage(folder + "/store"));
  return must(storage::StoreView::open(database, store_options().reparse));
}

// Opens the groups that come before the first unit, and reads of that what a search asks first.
void plan(benchmark::State& state, int64_t from_ns, int64_t to_ns) {
  auto view = open_view();
  uint64_t blocks = 0;
  for (auto _ : state) {
    auto plan = must(query::plan_scan(*view, must(view->logs())));
    YUSHI_ASSERT(plan.missing.empty(), "%s", plan.missing.front().c_str());
    query::UnitQueue queue(plan.groups, from_ns, to_ns, /*newest_first=*/true);
    queue.begin();
    while (queue.front().is_group()) must(queue.open_front());
    benchmark::DoNotOptimize(queue.front().unit().token_filter().size());
    blocks = 0;
    for (auto& group : plan.groups) blocks += group.units;
  }
  state.counters["blocks"] = static_cast<double>(blocks);
  state.counters["peak_MiB"] = peak_mib();
}

void plan_newest(benchmark::State& state) { plan(state, INT64_MIN, INT64_MAX); }
void plan_hour(benchmark::State& state) {
  const auto from = (kFirstDay + days() / 2) * kDay + 9 * 3600 * kSecond;
  plan(state, from, from + 3600 * kSecond);
}

void open_store(benchmark::State& state) {
  for (auto _ : state) must(storage::Store::open(store_options())).reset();
  state.counters["peak_MiB"] = peak_mib();
}

void open_to_read(benchmark::State& state) {
  for (auto _ : state) must(storage::open_or_salvage(folder + "/store")).reset();
  state.counters["peak_MiB"] = peak_mib();
}

}  // namespace
}  // namespace yushi

int main(int argc, char** argv) {
  using namespace yushi;
  std::string kept;
  int left = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--blocks="))
      blocks_wanted = std::strtoull(argv[i] + 9, nullptr, 10);
    else if (word.starts_with("--folder="))
      kept = word.substr(9);
    else
      argv[left++] = argv[i];
  }
  std::string own = "/tmp/plan-bench.XXXXXX";
  folder = kept.empty() ? std::string(::mkdtemp(own.data())) : kept;
  if (kept.empty() || !std::filesystem::exists(folder)) fill();
  benchmark::RegisterBenchmark("open_store", open_store)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("open_to_read", open_to_read)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("plan_newest", plan_newest)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("plan_hour", plan_hour)->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&left, argv);
  benchmark::RunSpecifiedBenchmarks();
  if (kept.empty()) std::filesystem::remove_all(folder);
}
