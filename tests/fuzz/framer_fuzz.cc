// The framer on any bytes: messages, counts and trailers together are the input, and cutting the input changes nothing.
// The first bytes choose framing and cuts, so that the corpus can be the case files' inputs with three bytes before.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "core/base/assert.h"
#include "ingest/syslog/framer.h"

using namespace yushi;

namespace {

constexpr size_t kLimit = 256;

// What stands between two messages: trailers, and the count of the next frame.
bool is_between(std::string_view gap, bool counted) {
  while (!gap.empty() && (gap[0] == '\n' || (gap[0] == '\0' && !counted))) gap.remove_prefix(1);
  if (gap.empty()) return true;
  if (!counted || gap.size() < 2 || gap.size() > 8 || gap[0] == '0' || gap.back() != ' ') return false;
  for (char c : gap.substr(0, gap.size() - 1))
    if (c < '0' || c > '9') return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const auto framing = static_cast<ingest::Framing>(data[0] % 3);
  uint32_t seed = data[1] | data[2] << 8 | 1u << 16;
  const std::string_view input(reinterpret_cast<const char*>(data) + 3, size - 3);

  ingest::FrameCounts whole_counts, cut_counts;
  std::vector<Record> whole, cut;
  ingest::Framer framer(framing, kLimit);
  const size_t done = framer.feed(input, nullptr, whole, whole_counts);
  // Undecided yet: finish() decides, and either may be.
  const ingest::Framing decided = framer.framing();
  const auto is_trailer_or_count = [decided](std::string_view gap) {
    return (decided != ingest::Framing::octet_counted && is_between(gap, false)) ||
           (decided != ingest::Framing::newline && is_between(gap, true));
  };
  YUSHI_ASSERT(done <= input.size(), "%zu of %zu", done, input.size());
  framer.finish(input.substr(done), nullptr, whole, whole_counts);
  const char* at = input.data();
  for (const Record& record : whole) {
    if (record.raw.empty()) continue;
    YUSHI_ASSERT(record.raw.data() >= at, "messages overlap");
    YUSHI_ASSERT(is_trailer_or_count({at, static_cast<size_t>(record.raw.data() - at)}), "lost bytes");
    YUSHI_ASSERT(record.raw.size() <= kLimit, "%zu bytes", record.raw.size());
    at = record.raw.data() + record.raw.size();
  }
  YUSHI_ASSERT(is_trailer_or_count({at, static_cast<size_t>(input.data() + input.size() - at)}), "lost the end");

  std::vector<std::unique_ptr<char[]>> buffers;
  std::string rest;
  for (size_t from = 0; from < input.size();) {
    seed = seed * 1664525 + 1013904223;
    const size_t n = std::min<size_t>(1 + (seed >> 16) % 97, input.size() - from);
    rest.append(input.substr(from, n));
    from += n;
    buffers.push_back(std::make_unique<char[]>(rest.size()));
    std::memcpy(buffers.back().get(), rest.data(), rest.size());
    rest.erase(0, framer.feed({buffers.back().get(), rest.size()}, nullptr, cut, cut_counts));
  }
  framer.finish(rest, nullptr, cut, cut_counts);
  YUSHI_ASSERT(whole.size() == cut.size(), "%zu and %zu messages", whole.size(), cut.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    YUSHI_ASSERT(whole[i].raw == cut[i].raw && whole[i].part == cut[i].part && whole[i].part_of == cut[i].part_of &&
                     whole[i].marks == cut[i].marks,
                 "message %zu differs", i);
  }
  YUSHI_ASSERT(!std::memcmp(&whole_counts, &cut_counts, sizeof(ingest::FrameCounts)), "counts differ");
  return 0;
}
