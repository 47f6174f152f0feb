#include <algorithm>
#include <bit>
#include <cmath>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/assert.h"
#include "storage/block/column.h"

namespace yushi::storage {
namespace {

enum Seen : uint8_t { kDigit = 1, kHexLetter = 2, kDot = 4, kDash = 8, kOther = 16 };

constexpr auto kSeen = [] {
  std::array<uint8_t, 256> table{};
  for (int i = 0; i < 256; ++i) table[i] = kOther;
  for (int c = '0'; c <= '9'; ++c) table[c] = kDigit;
  for (int c = 'a'; c <= 'f'; ++c) table[c] = kHexLetter;
  table['.'] = kDot;
  table['-'] = kDash;
  return table;
}();

uint8_t look(const char* text, size_t length) {
  uint8_t seen = 0;
  for (size_t i = 0; i < length; ++i) {
    seen |= kSeen[static_cast<unsigned char>(text[i])];
    if (seen & kOther) break;
  }
  return seen;
}

// Dotted decimal just as it would be written back.
bool is_ipv4(const char* text, size_t length, uint8_t* address) {
  if (length < 7 || length > 15) return false;
  size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at >= length || text[at++] != '.')) return false;
    unsigned value = 0;
    size_t begin = at;
    while (at < length && at - begin < 3 && text[at] >= '0' && text[at] <= '9') value = value * 10 + (text[at++] - '0');
    if (at == begin || value > 255 || (text[begin] == '0' && at - begin > 1)) return false;
    address[part] = static_cast<uint8_t>(value);
  }
  return at == length;
}

bool is_uuid_layout(const char* text, size_t length) {
  if (length != 36) return false;
  for (size_t i = 0; i < 36; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if ((text[i] == '-') != dash) return false;
  }
  return true;
}

uint8_t nibble(char c) { return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

uint64_t to_number(const char* text, size_t length) {
  uint64_t value = 0;
  for (size_t i = 0; i < length; ++i) value = value * 10 + static_cast<uint64_t>(text[i] - '0');
  return value;
}

constexpr size_t kHexMin = 8;
constexpr size_t kDigitsMax = 19;

uint8_t classify(const char* text, size_t length, bool padded) {
  if (length == 0) return kClassText;
  auto seen = look(text, length);
  if (seen & kOther) return kClassText;
  if (seen == kDigit && length <= kDigitsMax) {
    if (padded) return kClassPadded;
    return text[0] == '0' && length > 1 ? kClassText : kClassInteger;
  }
  uint8_t address[4];
  if (seen == (kDigit | kDot)) return is_ipv4(text, length, address) ? kClassIpv4 : kClassText;
  if ((seen & (kDot | kDash)) == 0) return length >= kHexMin && length % 2 == 0 ? kClassHex : kClassText;
  if ((seen & kDot) == 0 && is_uuid_layout(text, length)) return kClassUuid;
  return kClassText;
}

}  // namespace

// A value's first and last bytes as two numbers: with the length they are all of a value of at most 16 bytes.
ColumnWriter::Ends ColumnWriter::ends_of(const char* text, size_t length) {
  Ends ends;
  std::memcpy(&ends.first, text, 8);  // there is slack behind the last value
  if (length >= 8) {
    std::memcpy(&ends.last, text + length - 8, 8);
  } else {
    if constexpr (std::endian::native == std::endian::little)
      ends.first &= (uint64_t{1} << 8 * length) - 1;
    else
      ends.first = length == 0 ? 0 : ends.first >> 8 * (8 - length);
    ends.last = 0;
  }
  return ends;
}

namespace {
uint32_t hash_of(uint64_t first, uint64_t last, size_t length) {
  auto product =
      static_cast<unsigned __int128>(first ^ 0xa0761d6478bd642f ^ length << 56) * (last ^ 0xe7037ed1a0b428db);
  auto mixed = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  return static_cast<uint32_t>(mixed ^ mixed >> 32);
}
}  // namespace

// Finds the different values; false when they hardly repeat (a dictionary would cost more than it saves).
bool ColumnWriter::collect(const char* bytes, const ValueRef* values, size_t count) {
  entries_.clear();
  number_of_.resize(count);
  size_t slots = 256;
  table_.assign(slots, 0);
  for (size_t i = 0; i < count; ++i) {
    auto& value = values[i];
    const char* text = bytes + value.at;
    auto ends = ends_of(text, value.length);
    auto hash = value.length <= 16 ? hash_of(ends.first, ends.last, value.length)
                                   : static_cast<uint32_t>(XXH3_64bits(text, value.length));
    size_t slot = hash & (slots - 1);
    uint32_t found = 0;
    while ((found = table_[slot]) != 0) {
      auto& entry = entries_[found - 1];
      if (entry.ends.first == ends.first && entry.ends.last == ends.last && entry.value.length == value.length &&
          (value.length <= 16 || std::memcmp(bytes + entry.value.at, text, value.length) == 0))
        break;
      slot = (slot + 1) & (slots - 1);
    }
    if (found != 0) {
      number_of_[i] = static_cast<uint16_t>(found - 1);
      ++entries_[found - 1].count;
      continue;
    }
    if (entries_.size() == kDictionaryMax) return false;
    if (i >= 2048 && entries_.size() > i - i / 8) return false;
    number_of_[i] = static_cast<uint16_t>(entries_.size());
    entries_.push_back({value, ends, hash, 1});
    table_[slot] = static_cast<uint32_t>(entries_.size());
    if (entries_.size() * 2 > slots) {
      slots *= 4;
      table_.assign(slots, 0);
      for (size_t e = 0; e < entries_.size(); ++e) {
        size_t to = entries_[e].hash & (slots - 1);
        while (table_[to] != 0) to = (to + 1) & (slots - 1);
        table_[to] = static_cast<uint32_t>(e + 1);
      }
    }
  }
  return true;
}

// Compares bits: entries once and a rank for each value, against each value as it is.
bool ColumnWriter::dictionary_pays(const char* bytes, size_t count) const {
  double rank_bits = 0, entry_bits = 0, plain_bits = 0;
  double all = std::log2(static_cast<double>(count));
  for (auto& entry : entries_) {
    double c = entry.count;
    rank_bits += c * (all - (entry.count == 1 ? 0 : std::log2(c)));
    const char* text = bytes + entry.value.at;
    double length = entry.value.length, own, again;
    auto seen = look(text, entry.value.length);
    if (seen == kDigit && entry.value.length <= kDigitsMax) {
      own = again = length * 3.32;            // numbers cost the same each time
      if (entries_.size() > 256) own *= 0.8;  // the entries of a dictionary are sorted
    } else if ((seen & kOther) == 0) {
      own = seen == (kDigit | kDot) ? 26 : length * 4;
      again = std::min(own, 26.0);
    } else {
      own = length * 3 + 4;         // as zstd leaves text
      again = std::min(own, 26.0);  // a match
    }
    entry_bits += own;
    plain_bits += own + (c - 1) * again;
  }
  return rank_bits + entry_bits < plain_bits;
}

void ColumnWriter::write(const char* bytes, const ValueRef* values, size_t count, std::string& header) {
  distinct_.clear();
  bool repeats = collect(bytes, values, count);
  if (repeats) {
    for (auto& entry : entries_) distinct_.push_back(entry.value);
    if (entries_.size() == 1) {
      header.push_back(0);
      put_text(header, {bytes + values[0].at, values[0].length});
      return;
    }
    if (count >= 8 && dictionary_pays(bytes, count)) {
      // Frequent entries first; among equals by value, so that neighbours are alike.
      struct Order {
        uint32_t count;
        uint32_t number;
        uint64_t prefix;
      };
      std::vector<Order> order(entries_.size());
      for (size_t e = 0; e < entries_.size(); ++e) {
        auto& entry = entries_[e];
        uint64_t prefix = 0;
        const char* text = bytes + entry.value.at;
        if (look(text, entry.value.length) == kDigit && entry.value.length <= kDigitsMax)
          prefix = to_number(text, entry.value.length);
        else
          prefix = get_be64(text);
        order[e] = {entry.count, static_cast<uint32_t>(e), prefix};
      }
      std::sort(order.begin(), order.end(), [](const Order& a, const Order& b) {
        if (a.count != b.count) return a.count > b.count;
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        return a.number < b.number;
      });
      std::vector<uint16_t> rank_of(entries_.size());
      for (size_t rank = 0; rank < order.size(); ++rank) {
        rank_of[order[rank].number] = static_cast<uint16_t>(rank);
        distinct_[rank] = entries_[order[rank].number].value;
      }
      header.push_back(1);
      put_varint(header, distinct_.size());
      std::vector<uint16_t> ranks(count);
      for (size_t i = 0; i < count; ++i) ranks[i] = rank_of[number_of_[i]];
      write_ranks(ranks);
      write_plain(bytes, distinct_.data(), distinct_.size(), header);
      return;
    }
  } else {
    distinct_.assign(values, values + count);
  }
  header.push_back(2);
  write_plain(bytes, values, count, header);
}

void ColumnWriter::write_ranks(const std::vector<uint16_t>& ranks) {
  std::string a, b;
  a.reserve(ranks.size());
  for (auto rank : ranks) {
    YUSHI_ASSERT(rank < kDictionaryMax, "rank %u", rank);
    if (rank < 192) {
      a.push_back(static_cast<char>(rank));
    } else {
      unsigned rest = rank - 192u;
      a.push_back(static_cast<char>(192 + (rest >> 8)));
      b.push_back(static_cast<char>(rest & 0xff));
    }
  }
  sections_.add(StreamKind::indexes, a);
  sections_.add(StreamKind::indexes, b);
}

void ColumnWriter::write_integers(const std::vector<uint64_t>& values, std::string& header) {
  uint64_t min = UINT64_MAX, delta_min = UINT64_MAX;
  for (auto v : values) min = std::min(min, v);
  uint64_t last = 0, max = 0, delta_max = 0;
  uint64_t bits = 0, delta_bits = 0;
  for (auto v : values) {
    auto d = zigzag(static_cast<int64_t>(v - last));
    last = v;
    max = std::max(max, v - min);
    delta_max = std::max(delta_max, d);
    delta_min = std::min(delta_min, d);
    bits += static_cast<uint64_t>(std::bit_width(v - min));
    delta_bits += static_cast<uint64_t>(std::bit_width(d));
  }
  bool delta = delta_bits + values.size() / 8 < bits;
  uint64_t base = values.empty() ? 0 : delta ? delta_min : min;
  auto widest = values.empty() ? 0 : delta ? delta_max - delta_min : max;
  int width = (std::bit_width(widest) + 7) / 8;
  put_varint(header, values.size());
  header.push_back(static_cast<char>(width << 1 | (delta ? 1 : 0)));
  put_varint(header, base);
  std::string planes[8];
  for (int p = 0; p < width; ++p) planes[p].resize(values.size());
  last = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    uint64_t v = values[i];
    if (delta) {
      auto d = zigzag(static_cast<int64_t>(v - last));
      last = v;
      v = d;
    }
    v -= base;
    for (int p = 0; p < width; ++p, v >>= 8) planes[p][i] = static_cast<char>(v);
  }
  for (int p = 0; p < width; ++p) sections_.add(StreamKind::numbers, planes[p]);
}

void ColumnWriter::write_lengths(const std::vector<uint32_t>& lengths, std::string& header) {
  bool same = std::all_of(lengths.begin(), lengths.end(), [&](uint32_t l) { return l == lengths[0]; });
  header.push_back(same ? 0 : 1);
  if (same) {
    put_varint(header, lengths.empty() ? 0 : lengths[0]);
    return;
  }
  std::string stream;
  for (auto length : lengths) put_varint(stream, length);
  sections_.add(StreamKind::indexes, stream);
}

void ColumnWriter::write_plain(const char* bytes, const ValueRef* values, size_t count, std::string& header) {
  // Digits that begin with zero anywhere make all digits of the column padded ones: they are alike, only luck differs.
  bool padded = false;
  for (size_t i = 0; i < count && !padded; ++i) {
    const char* text = bytes + values[i].at;
    auto length = values[i].length;
    padded = length > 1 && length <= kDigitsMax && text[0] == '0' && look(text, length) == kDigit;
  }
  class_of_.resize(count);
  size_t counts[kClassCount] = {};
  for (size_t i = 0; i < count; ++i) ++counts[class_of_[i] = classify(bytes + values[i].at, values[i].length, padded)];
  // Hex words that happen to have no letter.
  if (counts[kClassHex] > counts[kClassInteger] + counts[kClassPadded]) {
    for (size_t i = 0; i < count; ++i) {
      auto& c = class_of_[i];
      if ((c == kClassInteger || c == kClassPadded) && values[i].length >= kHexMin && values[i].length % 2 == 0) {
        --counts[c];
        ++counts[c = kClassHex];
      }
    }
  }
  uint8_t mask = 0;
  for (int c = 0; c < kClassCount; ++c)
    if (counts[c] > 0) mask |= static_cast<uint8_t>(1 << c);
  header.push_back(static_cast<char>(mask));
  if (std::popcount(mask) > 1)
    sections_.add(StreamKind::indexes, {reinterpret_cast<const char*>(class_of_.data()), count});

  std::vector<uint32_t> lengths;
  if (counts[kClassInteger] + counts[kClassPadded] > 0) {
    integers_.clear();
    for (size_t i = 0; i < count; ++i) {
      if (class_of_[i] > kClassPadded) continue;
      integers_.push_back(to_number(bytes + values[i].at, values[i].length));
      if (padded) lengths.push_back(values[i].length);
    }
    if (padded) write_lengths(lengths, header);
    write_integers(integers_, header);
  }
  if (auto n = counts[kClassIpv4]) {
    std::string planes[4];
    for (auto& plane : planes) plane.reserve(n);
    for (size_t i = 0; i < count; ++i) {
      if (class_of_[i] != kClassIpv4) continue;
      uint8_t address[4];
      is_ipv4(bytes + values[i].at, values[i].length, address);
      for (int p = 0; p < 4; ++p) planes[p].push_back(static_cast<char>(address[p]));
    }
    put_varint(header, n);
    for (auto& plane : planes) sections_.add(StreamKind::binary, plane);
  }
  if (counts[kClassHex] > 0) {
    std::string stream;
    lengths.clear();
    for (size_t i = 0; i < count; ++i) {
      if (class_of_[i] != kClassHex) continue;
      const char* text = bytes + values[i].at;
      for (uint32_t k = 0; k < values[i].length; k += 2)
        stream.push_back(static_cast<char>(nibble(text[k]) << 4 | nibble(text[k + 1])));
      lengths.push_back(values[i].length / 2);
    }
    write_lengths(lengths, header);
    sections_.add(StreamKind::binary, stream);
  }
  if (counts[kClassUuid] > 0) {
    std::string stream;
    for (size_t i = 0; i < count; ++i) {
      if (class_of_[i] != kClassUuid) continue;
      const char* text = bytes + values[i].at;
      for (uint32_t k = 0; k < 36; k += 2) {
        if (text[k] == '-') ++k;
        stream.push_back(static_cast<char>(nibble(text[k]) << 4 | nibble(text[k + 1])));
      }
    }
    sections_.add(StreamKind::binary, stream);
  }
  if (counts[kClassText] > 0) {
    // One a line, unless a value has a line of its own.
    std::string stream;
    bool lines = true;
    for (size_t i = 0; i < count && lines; ++i) {
      if (class_of_[i] != kClassText) continue;
      auto length = values[i].length;
      stream.append(bytes + values[i].at, length);
      stream.push_back('\n');
      lines = length == 0 || std::memchr(bytes + values[i].at, '\n', length) == nullptr;
    }
    header.push_back(lines ? 0 : 1);
    if (!lines) {
      stream.clear();
      lengths.clear();
      for (size_t i = 0; i < count; ++i) {
        if (class_of_[i] != kClassText) continue;
        stream.append(bytes + values[i].at, values[i].length);
        lengths.push_back(values[i].length);
      }
      write_lengths(lengths, header);
    }
    sections_.add(StreamKind::text, stream);
  }
}

}  // namespace yushi::storage
