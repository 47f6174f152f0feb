#include "daemon/verdict.h"

#include <algorithm>

#include "core/base/time_text.h"
#include "core/base/units_text.h"
#include "daemon/data_files.h"

namespace yushi::daemon {
namespace {

constexpr int64_t kUnsignedMax = 3 * kMinute;  // checkpoints are signed each minute
constexpr int64_t kClockStepMin = 5 * kSecond;
// of a forwarder whose brokers are there: some seconds of full speed
constexpr uint64_t kBehindRecords = 1'000'000;
constexpr unsigned kNearReserve = 2;  // times the reserve

}  // namespace

std::vector<Trouble> troubles_of(const Watched& watched, int64_t now_ns) {
  std::vector<Trouble> out;
  auto warn = [&](std::string words) { out.push_back({false, std::move(words)}); };
  auto fail_with = [&](std::string words) { out.push_back({true, std::move(words)}); };
  auto& counters = watched.pipeline->counters();
  const auto reserve = watched.pipeline->disk_reserve_bytes();
  const auto free = disk_free_bytes(watched.store->options().data_dir);
  if (counters.disk_full) {
    fail_with("the disk is below its reserve: " + bytes_text(free) + " of " + bytes_text(reserve) +
              " are left, inputs have stopped, nothing is deleted; free space or add a disk");
  } else if (free < kNearReserve * reserve) {
    warn("the disk is nearly full: " + bytes_text(free) + " are left, and inputs stop at " + bytes_text(reserve) +
         "; free space or add a disk");
  }
  if (auto quiet_ns = now_ns - counters.round_ns; quiet_ns > kUnsignedMax) {
    fail_with("nothing was committed or signed for " + span_text(quiet_ns / kSecond) +
              "; look at the disk and at yushid's log");
  }
  if (auto behind_ns = counters.newest_ns - now_ns; behind_ns > kClockStepMin) {
    warn("the clock is " + span_text(behind_ns / kSecond) +
         " behind what it was when records were committed before; set it right");
  }
  if (now_ns - counters.kernel_dropped_ns < kMinute && counters.kernel_dropped_ns > 0) {
    warn("the kernel dropped datagrams within the last minute, " + count_text(counters.kernel_drops) +
         " since the start; raise net.core.rmem_max, or let senders use TCP");
  }
  if (now_ns - counters.source_dropped_ns < kMinute && counters.source_dropped_ns > 0) {
    warn("datagrams of sources that sent more than their share were dropped within the last minute, " +
         count_text(counters.source_drops) +
         " since the start; `_audit` names them each minute; let them send less, or use TCP");
  }
  for (auto& [number, forwarder] : watched.forwarders) {
    auto state = forwarder->state();
    auto lag = forwarder->lag();
    if (state.away_since_ns != 0) {
      warn("forwarder " + forwarder->name() + " has not been answered since " +
           utc_text(state.away_since_ns / kSecond * kSecond) + ", for " +
           span_text(std::max<int64_t>(0, now_ns - state.away_since_ns) / kSecond) + "; " + count_text(lag) +
           (forwarder->is_route() ? " alerts" : " records") + " wait in the store" +
           (state.last_error.empty() ? "" : "; the last error: " + state.last_error));
    } else if (lag > kBehindRecords) {
      warn("forwarder " + forwarder->name() + " is " + count_text(lag) + " records behind");
    }
  }
  const auto loaded = watched.pipeline->loaded();
  for (auto& what : loaded->left_out) warn(what);
  if (loaded->exceptions) {
    for (auto& one : loaded->exceptions->all()) {
      const auto words = exception_ended_words(one);
      const auto& told = loaded->left_out;
      if (one.until_ns <= now_ns && std::find(told.begin(), told.end(), words) == told.end()) warn(words);
    }
  }
  return out;
}

const char* verdict_of(const std::vector<Trouble>& troubles) {
  if (troubles.empty()) return "OK";
  return std::any_of(troubles.begin(), troubles.end(), [](auto& trouble) { return trouble.fails; }) ? "FAIL" : "WARN";
}

}  // namespace yushi::daemon
