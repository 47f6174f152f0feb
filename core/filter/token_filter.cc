#include "core/filter/token_filter.h"

#include <algorithm>
#include <bit>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace yushi {
namespace {

// Bytes: version, varint of hashes, varint of seed number, varint of log2(segment length), varint of segments, slots.
constexpr char kVersion = 1;
constexpr uint64_t kSegmentBitsMax = 18;

uint64_t mix(uint64_t hash, uint64_t seed) {
  hash += seed;
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  hash ^= hash >> 33;
  return hash;
}
uint64_t seed_of(uint64_t number) { return (number + 1) * 0x9e3779b97f4a7c15; }
uint8_t fingerprint(uint64_t mixed) { return static_cast<uint8_t>(mixed ^ mixed >> 32); }

struct Slots {
  uint32_t at[3];
};
// Three neighbouring segments, a slot in each.
Slots slots_of(uint64_t mixed, uint32_t segment_length, uint32_t segment_count_length) {
  uint32_t mask = segment_length - 1;
  auto h0 = static_cast<uint32_t>(static_cast<unsigned __int128>(mixed) * segment_count_length >> 64);
  uint32_t h1 = h0 + segment_length;
  uint32_t h2 = h1 + segment_length;
  h1 ^= static_cast<uint32_t>(mixed >> 18) & mask;
  h2 ^= static_cast<uint32_t>(mixed) & mask;
  return {{h0, h1, h2}};
}

// 2^floor(log(n)/log(3.33) + 2.25), without a logarithm whose last bit may differ from machine to machine.
uint32_t segment_bits(size_t hashes) {
  uint32_t bits = 2;
  double limit = 2.47;  // 3.33^0.75
  while (limit <= static_cast<double>(hashes) && bits < kSegmentBitsMax) {
    limit *= 3.33;
    ++bits;
  }
  return bits;
}

// Slots a hash, in 1/1000: what the paper has for its 0.875 + 0.25 ln(10^6)/ln(n), rounded up by powers of two.
uint64_t slots_per_1000(size_t hashes) {
  static constexpr uint16_t kTable[] = {2600, 2600, 2600, 2600, 2130, 1880, 1710, 1590, 1500, 1430,
                                        1375, 1330, 1291, 1259, 1231, 1208, 1187, 1168, 1152, 1137};
  auto bits = static_cast<size_t>(std::bit_width(hashes));
  return bits < std::size(kTable) ? kTable[bits] : 1125;
}

// Leaves each hash once, in no useful order. One pass deals them to small parts by their top bits, so that the second
// pass asks a table that lies in the nearest cache.
void remove_duplicates(std::vector<uint64_t>& hashes) {
  if (hashes.size() < 64) {
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    return;
  }
  uint32_t part_bits = 0;
  while ((hashes.size() >> part_bits) > 2048 && part_bits < 11) ++part_bits;
  const size_t parts = size_t{1} << part_bits;
  auto part_of = [&](uint64_t hash) { return part_bits == 0 ? 0 : hash >> (64 - part_bits); };
  std::vector<size_t> begin(parts + 1);
  for (uint64_t hash : hashes) ++begin[part_of(hash) + 1];
  size_t largest = 0;
  for (size_t i = 0; i < parts; ++i) {
    largest = std::max(largest, begin[i + 1]);
    begin[i + 1] += begin[i];
  }
  std::vector<uint64_t> dealt(hashes.size());
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  for (uint64_t hash : hashes) dealt[next[part_of(hash)]++] = hash;

  std::vector<uint64_t> table;
  std::vector<char> used;
  hashes.clear();
  for (size_t part = 0; part < parts; ++part) {
    size_t count = begin[part + 1] - begin[part];
    size_t capacity = std::bit_ceil(count * 2 + 1);
    table.resize(std::max(table.size(), capacity));
    used.assign(capacity, 0);
    for (size_t i = begin[part]; i < begin[part + 1]; ++i) {
      uint64_t hash = dealt[i];
      size_t slot = mix(hash, 0) & (capacity - 1);
      while (used[slot] && table[slot] != hash) slot = (slot + 1) & (capacity - 1);
      if (used[slot]) continue;
      used[slot] = 1;
      table[slot] = hash;
      hashes.push_back(hash);
    }
  }
}

// Peels hashes off: one that is alone in some slot can be settled last. False when a knot remains.
bool assign_slots(const std::vector<uint64_t>& hashes, uint64_t seed, uint32_t segment_length,
                  uint32_t segment_count_length, std::string& slots) {
  const size_t size = slots.size();
  std::vector<uint32_t> counts(size);    // hashes that own the slot
  std::vector<uint64_t> together(size);  // their exclusive or: the hash itself once it is alone
  for (uint64_t hash : hashes) {
    uint64_t mixed = mix(hash, seed);
    for (uint32_t at : slots_of(mixed, segment_length, segment_count_length).at) {
      ++counts[at];
      together[at] ^= mixed;
    }
  }
  std::vector<uint32_t> alone;
  alone.reserve(size);
  for (uint32_t at = 0; at < size; ++at)
    if (counts[at] == 1) alone.push_back(at);
  struct Settled {
    uint64_t mixed;
    uint32_t at;
  };
  std::vector<Settled> settled;
  settled.reserve(hashes.size());
  while (!alone.empty()) {
    uint32_t at = alone.back();
    alone.pop_back();
    if (counts[at] != 1) continue;
    uint64_t mixed = together[at];
    settled.push_back({mixed, at});
    for (uint32_t other : slots_of(mixed, segment_length, segment_count_length).at) {
      together[other] ^= mixed;
      if (--counts[other] == 1) alone.push_back(other);
    }
  }
  if (settled.size() != hashes.size()) return false;
  for (size_t i = settled.size(); i-- > 0;) {
    auto value = fingerprint(settled[i].mixed);
    for (uint32_t at : slots_of(settled[i].mixed, segment_length, segment_count_length).at)
      if (at != settled[i].at) value ^= static_cast<uint8_t>(slots[at]);
    slots[settled[i].at] = static_cast<char>(value);
  }
  return true;
}

}  // namespace

std::string build_token_filter(std::vector<uint64_t>& hashes) {
  std::string out(1, kVersion);
  if (hashes.empty()) {
    put_varint(out, 0);
    return out;
  }
  hashes.push_back(0);  // TokenGatherer cannot tell a first 0 from one it has seen
  remove_duplicates(hashes);
  const uint32_t bits = segment_bits(hashes.size());
  const uint32_t segment_length = uint32_t{1} << bits;
  for (uint64_t number = 0; number < 256; ++number) {
    // A knot is rare (less than one in ten); after four in a row the slots grow, so that this ends.
    uint64_t slots_wanted = hashes.size() * (slots_per_1000(hashes.size()) + 60 * (number / 4)) / 1000;
    uint64_t segments = std::max<uint64_t>((slots_wanted + segment_length - 1) / segment_length, 3) - 2;
    std::string slots((segments + 2) << bits, '\0');
    YUSHI_ASSERT(slots.size() < uint64_t{1} << 32, "%zu hashes in one token filter", hashes.size());
    auto segment_count_length = static_cast<uint32_t>(segments << bits);
    if (!assign_slots(hashes, seed_of(number), segment_length, segment_count_length, slots)) continue;
    put_varint(out, hashes.size());
    put_varint(out, number);
    put_varint(out, bits);
    put_varint(out, segments);
    out += slots;
    return out;
  }
  YUSHI_ASSERT(false, "no token filter for %zu hashes", hashes.size());
}

TokenFilter::TokenFilter(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.byte() != kVersion) return;
  uint64_t hashes = reader.varint();
  if (hashes == 0) {
    if (reader.ok() && reader.left() == 0) answer_ = Answer::never;
    return;
  }
  uint64_t number = reader.varint();
  uint64_t bits = reader.varint();
  uint64_t segments = reader.varint();
  if (!reader.ok() || bits > kSegmentBitsMax || segments == 0 || segments > uint64_t{1} << 31) return;
  if (reader.left() != (segments + 2) << bits || reader.left() >= uint64_t{1} << 32) return;
  slots_ = reader.take(reader.left());
  seed_ = seed_of(number);
  segment_length_ = uint32_t{1} << bits;
  segment_count_length_ = static_cast<uint32_t>(segments << bits);
  answer_ = Answer::look;
}

bool TokenFilter::may_contain(uint64_t hash) const {
  if (answer_ != Answer::look) return answer_ == Answer::always;
  uint64_t mixed = mix(hash, seed_);
  Slots slots = slots_of(mixed, segment_length_, segment_count_length_);
  uint8_t value = fingerprint(mixed);
  for (uint32_t at : slots.at) value ^= static_cast<uint8_t>(slots_[at]);
  return value == 0;
}

}  // namespace yushi
