#include "daemon/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>

namespace yushi::daemon {
namespace {

// Of kMemoryDefault, in MiB.
constexpr uint64_t kInFlight = 96, kOpenBlocks = 128, kMemtables = 64, kParsers = 64, kQuestions = 96, kRest = 64;
constexpr uint64_t kWhole = kInFlight + kOpenBlocks + kMemtables + kParsers + kQuestions + kRest;
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
  return MemoryShares{in_flight.value_or(share(kInFlight)), share(kOpenBlocks), share(kMemtables), share(kParsers),
                      questions.value_or(share(kQuestions)), share(kRest)};
}

ProcessMemory process_memory() {
  ProcessMemory out;
  const auto heap = ::mallinfo2();
  out.heap_in_use = heap.uordblks + heap.hblkhd;
  out.heap_free = heap.fordblks;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    unsigned long long whole = 0, resident = 0;
    if (std::fscanf(file, "%llu %llu", &whole, &resident) == 2)
      out.resident = resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    std::fclose(file);
  }
  return out;
}

}  // namespace yushi::daemon
