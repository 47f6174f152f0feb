// BlockSummary <-> bytes. FORMAT.md: "Summary".
#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/bytes.h"
#include "storage/block/block.h"

namespace yushi::storage {
namespace {
constexpr uint8_t kSummaryVersion = 1;
constexpr size_t kEventTimesMax = 8;
}  // namespace

std::string BlockSummary::encode() const {
  std::string out(1, static_cast<char>(kSummaryVersion));
  put_varint(out, first_index);
  put_varint(out, records);
  put_varint(out, raw_bytes);
  put_signed(out, received_from_ns);
  put_varint(out, static_cast<uint64_t>(received_to_ns) - static_cast<uint64_t>(received_from_ns));
  put_varint(out, event_times.size());
  int64_t last = received_from_ns;
  for (auto& range : event_times) {
    put_signed(out, static_cast<int64_t>(static_cast<uint64_t>(range.from_ns) - static_cast<uint64_t>(last)));
    put_varint(out, static_cast<uint64_t>(range.to_ns) - static_cast<uint64_t>(range.from_ns));
    last = range.to_ns;
  }
  put_varint(out, sources.size());
  for (auto& source : sources) put_text(out, source);
  put_text(out, token_filter);
  put_be64(out, XXH3_64bits(out.data(), out.size()));
  return out;
}

Result<BlockSummary> BlockSummary::decode(std::string_view bytes) {
  auto damaged = [] {
    return fail(Code::corrupt,
                "reading the summary of a block: it is damaged; `yushi repair` brings it back from a copy");
  };
  if (bytes.empty()) return damaged();
  if (static_cast<uint8_t>(bytes[0]) != kSummaryVersion)
    return fail(Code::refused, "reading the summary of a block: its format version is " +
                                   std::to_string(static_cast<uint8_t>(bytes[0])) + ", this program knows " +
                                   std::to_string(kSummaryVersion) + "; use a newer yushi");
  if (bytes.size() < 9) return damaged();
  auto body = bytes.substr(0, bytes.size() - 8);
  if (XXH3_64bits(body.data(), body.size()) != get_be64(bytes.data() + body.size())) return damaged();
  Reader in(body.substr(1));
  BlockSummary out;
  out.first_index = in.varint();
  auto records = in.varint();
  out.records = static_cast<uint32_t>(records);
  out.raw_bytes = in.varint();
  out.received_from_ns = in.signed_varint();
  out.received_to_ns = static_cast<int64_t>(static_cast<uint64_t>(out.received_from_ns) + in.varint());
  auto ranges = in.varint();
  if (records > UINT32_MAX || ranges > kEventTimesMax) return damaged();
  auto last = static_cast<uint64_t>(out.received_from_ns);
  for (uint64_t i = 0; i < ranges; ++i) {
    auto from = last + static_cast<uint64_t>(in.signed_varint());
    last = from + in.varint();
    out.event_times.push_back({static_cast<int64_t>(from), static_cast<int64_t>(last)});
  }
  auto sources = in.varint();
  if (!in.ok() || sources > in.left()) return damaged();
  for (uint64_t i = 0; i < sources; ++i) out.sources.emplace_back(in.text());
  out.token_filter = in.text();
  if (!in.ok() || in.left() != 0) return damaged();
  return out;
}

}  // namespace yushi::storage
