#include "daemon/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/base/time_text.h"

namespace yushi::daemon {
namespace {

// Of kMemoryDefault, in MiB.
constexpr uint64_t kInFlight = 96, kOpenBlocks = 104, kMemtables = 56, kParsers = 56, kDetectors = 64, kQuestions = 96,
                   kRest = 40;
constexpr uint64_t kWhole = kInFlight + kOpenBlocks + kMemtables + kParsers + kDetectors + kQuestions + kRest;
static_assert(kWhole << 20 == kMemoryDefault);

// Of the parts that are not set, as kWhole counts.
uint64_t unset(std::optional<uint64_t> in_flight, std::optional<uint64_t> questions) {
  return kWhole - (in_flight ? kInFlight : 0) - (questions ? kQuestions : 0);
}

}  // namespace

uint64_t memory_needed(std::optional<uint64_t> in_flight, std::optional<uint64_t> questions) {
  return in_flight.value_or(0) + questions.value_or(0) + kMemoryLeast / kWhole * unset(in_flight, questions);
}

std::optional<MemoryShares> share_memory(uint64_t memory, std::optional<uint64_t> in_flight,
                                         std::optional<uint64_t> questions) {
  if (memory < memory_needed(in_flight, questions)) return std::nullopt;
  const uint64_t left = memory - in_flight.value_or(0) - questions.value_or(0);
  const uint64_t of = unset(in_flight, questions);
  const auto share = [&](uint64_t part) { return left / of * part; };
  // More than its own share detectors do not need, however much memory there is.
  const uint64_t detectors = std::min(share(kDetectors), kDetectors << 20);
  return MemoryShares{in_flight.value_or(share(kInFlight)),
                      share(kOpenBlocks),
                      share(kMemtables),
                      share(kParsers),
                      detectors,
                      questions.value_or(share(kQuestions)),
                      share(kRest) + share(kDetectors) - detectors};
}

ProcessMemory process_memory() {
  // What is free is counted piece by piece, under the locks by which all threads allocate.
  constexpr int64_t kHeapEvery = 2 * kSecond;
  static Mutex mutex;
  static struct mallinfo2 heap;
  static int64_t asked_ns = -kHeapEvery;
  ProcessMemory out;
  {
    MutexLock lock(mutex);
    if (const auto now = clock_ns(CLOCK_MONOTONIC); now - asked_ns >= kHeapEvery) {
      heap = ::mallinfo2();
      asked_ns = now;
    }
    out.heap_free = heap.fordblks;
  }
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    unsigned long long whole = 0, resident = 0;
    if (std::fscanf(file, "%llu %llu", &whole, &resident) == 2)
      out.resident = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    std::fclose(file);
  }
  return out;
}

uint64_t heap_bytes_in_use() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

}  // namespace yushi::daemon
