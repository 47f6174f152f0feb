// BlockSummary, DayHead <-> bytes. FORMAT.md: "Summary".
#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/bytes.h"
#include "storage/block/block.h"
#include "storage/block/day_head.h"

namespace yushi::storage {
namespace {

constexpr uint8_t kSummaryVersion = 1, kWordsVersion = 1, kDayVersion = 1;

void put_checksum(std::string& out) { put_be64(out, XXH3_64bits(out.data(), out.size())); }

tl::unexpected<Error> damaged(const char* what) {
  return fail(Code::corrupt,
              std::string("reading ") + what + ": it is damaged; `yushi repair` brings it back from a copy");
}

constexpr const char *kSummary = "the summary of a block", *kDayHead = "the head of a day";

// What stands between version and checksum.
Result<std::string_view> body_of(std::string_view bytes, uint8_t version, const char* what) {
  if (bytes.empty()) return damaged(what);
  if (static_cast<uint8_t>(bytes[0]) != version)
    return fail(Code::refused, std::string("reading ") + what + ": its format version is " +
                                   std::to_string(static_cast<uint8_t>(bytes[0])) + ", this program knows " +
                                   std::to_string(version) + "; use a newer yushi");
  if (bytes.size() < 9) return damaged(what);
  auto body = bytes.substr(0, bytes.size() - 8);
  if (XXH3_64bits(body.data(), body.size()) != get_be64(bytes.data() + body.size())) return damaged(what);
  return body.substr(1);
}

void put_times(std::string& out, const std::vector<TimeRange>& times, int64_t last) {
  put_varint(out, times.size());
  for (auto& range : times) {
    put_signed(out, static_cast<int64_t>(static_cast<uint64_t>(range.from_ns) - static_cast<uint64_t>(last)));
    put_varint(out, static_cast<uint64_t>(range.to_ns) - static_cast<uint64_t>(range.from_ns));
    last = range.to_ns;
  }
}

// False when there are more than there can be.
bool read_times(Reader& in, std::vector<TimeRange>& times, int64_t before) {
  auto ranges = in.varint();
  if (ranges > kEventTimesMax) return false;
  auto last = static_cast<uint64_t>(before);
  for (uint64_t i = 0; i < ranges; ++i) {
    auto from = last + static_cast<uint64_t>(in.signed_varint());
    last = from + in.varint();
    times.push_back({static_cast<int64_t>(from), static_cast<int64_t>(last)});
  }
  return true;
}

// What a block and the blocks of a day have alike.
template <class Of>
void put_spans(std::string& out, const Of& of) {
  put_varint(out, of.raw_bytes);
  put_signed(out, of.received_from_ns);
  put_varint(out, static_cast<uint64_t>(of.received_to_ns) - static_cast<uint64_t>(of.received_from_ns));
  put_times(out, of.event_times, of.received_from_ns);
}

template <class Of>
bool read_spans(Reader& in, Of& of) {
  of.raw_bytes = in.varint();
  of.received_from_ns = in.signed_varint();
  of.received_to_ns = static_cast<int64_t>(static_cast<uint64_t>(of.received_from_ns) + in.varint());
  return read_times(in, of.event_times, of.received_from_ns);
}

}  // namespace

bool overlaps(const std::vector<TimeRange>& times, int64_t from_ns, int64_t to_ns) {
  return times.empty() || std::any_of(times.begin(), times.end(), [&](const TimeRange& range) {
           return range.from_ns <= to_ns && range.to_ns >= from_ns;
         });
}

std::string BlockSummary::encode() const {
  std::string out(1, static_cast<char>(kSummaryVersion));
  put_varint(out, first_index);
  put_varint(out, records);
  put_spans(out, *this);
  put_varint(out, 0);  // sources
  put_text(out, {});   // token filter
  put_checksum(out);
  return out;
}

std::string BlockSummary::encode_words() const {
  std::string out(1, static_cast<char>(kWordsVersion));
  put_varint(out, sources.size());
  for (auto& source : sources) put_text(out, source);
  put_text(out, token_filter);
  put_checksum(out);
  return out;
}

Result<BlockSummary> BlockSummary::decode(std::string_view bytes) {
  Reader in(YUSHI_TRY(body_of(bytes, kSummaryVersion, kSummary)));
  BlockSummary out;
  out.first_index = in.varint();
  auto records = in.varint();
  out.records = static_cast<uint32_t>(records);
  if (records > UINT32_MAX || !read_spans(in, out)) return damaged(kSummary);
  auto sources = in.varint();
  if (!in.ok() || sources > in.left()) return damaged(kSummary);
  for (uint64_t i = 0; i < sources; ++i) out.sources.emplace_back(in.text());
  out.token_filter = in.text();
  if (!in.ok() || in.left() != 0) return damaged(kSummary);
  return out;
}

Result<void> BlockSummary::decode_words(std::string_view bytes) {
  token_filter = YUSHI_TRY(token_filter_of(bytes));
  sources.clear();
  Reader in(bytes.substr(1));
  for (auto left = in.varint(); left > 0; --left) sources.emplace_back(in.text());
  return {};
}

Result<std::string_view> token_filter_of(std::string_view words) {
  Reader in(YUSHI_TRY(body_of(words, kWordsVersion, kSummary)));
  auto sources = in.varint();
  if (!in.ok() || sources > in.left()) return damaged(kSummary);
  for (uint64_t i = 0; i < sources; ++i) (void)in.text();
  auto filter = in.text();
  if (!in.ok() || in.left() != 0) return damaged(kSummary);
  return filter;
}

void DayHead::add(const BlockSummary& block) {
  const bool is_first = blocks == 0;
  const auto block_end = block.first_index + block.records;
  first_index = is_first ? block.first_index : std::min(first_index, block.first_index);
  end = is_first ? block_end : std::max(end, block_end);
  received_from_ns = is_first ? block.received_from_ns : std::min(received_from_ns, block.received_from_ns);
  received_to_ns = is_first ? block.received_to_ns : std::max(received_to_ns, block.received_to_ns);
  blocks += 1;
  records += block.records;
  raw_bytes += block.raw_bytes;
  if (block.event_times.empty() || (!is_first && event_times.empty())) {
    event_times.clear();  // not known of all is not known
    return;
  }
  event_times.insert(event_times.end(), block.event_times.begin(), block.event_times.end());
  std::sort(event_times.begin(), event_times.end(), [](auto& a, auto& b) { return a.from_ns < b.from_ns; });
  // What overlaps is one; then what is nearest to each other, until they are few.
  auto gap = [&](size_t i) {
    return static_cast<uint64_t>(event_times[i + 1].from_ns) - static_cast<uint64_t>(event_times[i].to_ns);
  };
  auto join = [&](size_t i) {
    event_times[i].to_ns = std::max(event_times[i].to_ns, event_times[i + 1].to_ns);
    event_times.erase(event_times.begin() + static_cast<ptrdiff_t>(i) + 1);
  };
  for (size_t i = 0; i + 1 < event_times.size();)
    event_times[i + 1].from_ns <= event_times[i].to_ns ? join(i) : void(++i);
  while (event_times.size() > kEventTimesMax) {
    size_t narrowest = 0;
    for (size_t i = 1; i + 1 < event_times.size(); ++i)
      if (gap(i) < gap(narrowest)) narrowest = i;
    join(narrowest);
  }
}

std::string DayHead::encode() const {
  std::string out(1, static_cast<char>(kDayVersion));
  put_varint(out, first_index);
  put_varint(out, end - first_index);
  put_varint(out, blocks);
  put_varint(out, records);
  put_spans(out, *this);
  put_checksum(out);
  return out;
}

Result<DayHead> DayHead::decode(std::string_view bytes) {
  Reader in(YUSHI_TRY(body_of(bytes, kDayVersion, kDayHead)));
  DayHead out;
  out.first_index = in.varint();
  out.end = out.first_index + in.varint();
  out.blocks = in.varint();
  out.records = in.varint();
  if (!read_spans(in, out) || !in.ok() || in.left() != 0 || out.end < out.first_index) return damaged(kDayHead);
  return out;
}

}  // namespace yushi::storage
