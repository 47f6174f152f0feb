// A RELP session on any bytes: cutting the input changes neither messages nor answers, and nothing is answered that was
// not committed.
#include <cstring>
#include <memory>
#include <string>

#include "core/base/assert.h"
#include "ingest/relp/relp_session.h"

using namespace yushi;

namespace {

constexpr size_t kLimit = 64;

struct Told {
  std::string raws, replies;
  ingest::FrameCounts counts;
};

Told run(std::string_view input, uint32_t seed, bool cuts) {
  Told out;
  ingest::RelpSession session("fuzz", std::make_shared<ingest::RelpSenders>(), kLimit);
  std::vector<std::unique_ptr<char[]>> buffers;
  std::string rest;
  std::vector<Record> records;
  for (size_t from = 0; from < input.size() && !session.is_done();) {
    seed = seed * 1664525 + 1013904223;
    const size_t n = cuts ? std::min<size_t>(1 + (seed >> 16) % 37, input.size() - from) : input.size();
    rest.append(input.substr(from, n));
    from += n;
    buffers.push_back(std::make_unique<char[]>(rest.size()));
    std::memcpy(buffers.back().get(), rest.data(), rest.size());
    const size_t done = session.feed({buffers.back().get(), rest.size()}, nullptr, records, out.counts);
    YUSHI_ASSERT(done <= rest.size(), "%zu of %zu", done, rest.size());
    rest.erase(0, done);
    YUSHI_ASSERT(rest.size() <= 16 * 1024 + 128, "keeps %zu bytes", rest.size());
  }
  const bool is_done = session.is_done();
  session.take_replies(out.replies);
  const auto before = out.replies.size();
  session.committed(session.given());
  session.take_replies(out.replies);
  size_t acks = 0;
  for (size_t at = before; (at = out.replies.find(" rsp 6 200 OK\n", at)) != out.replies.npos; ++at) ++acks;
  YUSHI_ASSERT(acks == session.given(), "%zu acks of %zu", acks, static_cast<size_t>(session.given()));
  if (!is_done) session.finish(rest, nullptr, records, out.counts);
  for (auto& record : records) {
    YUSHI_ASSERT(record.raw.size() <= kLimit, "%zu bytes", record.raw.size());
    out.raws +=
        std::to_string(record.part) + "/" + std::to_string(record.part_of) + ":" + std::string(record.raw) + "\n";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = run(input, 1, false), cut = run(input, data[0] | data[1] << 8 | 1u << 16, true);
  YUSHI_ASSERT(whole.raws == cut.raws, "the messages differ");
  YUSHI_ASSERT(whole.replies == cut.replies, "the answers differ");
  YUSHI_ASSERT(!std::memcmp(&whole.counts, &cut.counts, sizeof(ingest::FrameCounts)), "the counts differ");
  return 0;
}
