#include <algorithm>
#include <bit>
#include <charconv>

#include "storage/block/column.h"

namespace yushi::storage {

bool IntegerReader::open(Reader& header, SectionReader& sections, IntegerReader* out) {
  out->count_ = header.varint();
  auto form = header.byte();
  out->delta_ = form & 1;
  out->width_ = form >> 1;
  out->base_ = header.varint();
  if (!header.ok() || out->width_ > 8 || out->count_ > kBlockInflatedMax) return false;
  for (int p = 0; p < out->width_; ++p) {
    auto plane = sections.next();
    if (plane.size() != out->count_) return false;
    out->planes_[p] = plane.data();
  }
  return sections.ok();
}

bool IntegerReader::skip(Reader& header, SectionReader& sections) {
  header.varint();
  const auto width = header.byte() >> 1;
  header.varint();
  sections.skip(static_cast<size_t>(width));
  return header.ok() && width <= 8 && sections.ok();
}

bool RankReader::open(SectionReader& sections, size_t count, RankReader* out) {
  out->first_ = sections.next();
  out->second_ = sections.next();
  return sections.ok() && out->first_.size() == count;
}

bool ColumnReader::open_lengths(Reader& header, SectionReader& sections, Lengths* out) {
  auto form = header.byte();
  if (!header.ok() || form > 1) return false;
  out->constant = form == 0;
  if (out->constant)
    out->length = header.varint();
  else
    out->stream = Reader(sections.next());
  return header.ok() && sections.ok();
}

bool ColumnReader::open_constant(Reader& header) {
  mode_ = Mode::constant;
  auto text = header.text();
  if (!header.ok()) return false;
  entries_ = std::make_unique<char[]>(text.size() + kValueSlack);
  std::memcpy(entries_.get(), text.data(), text.size());
  constant_ = {entries_.get(), text.size()};
  return true;
}

// All that `plain` has: a dictionary's. Each stands somewhere in raw.
bool ColumnReader::read_entries(ColumnReader& plain, size_t count, size_t bytes_max) {
  const auto room = std::min(plain.bytes_bound_, bytes_max);
  size_t used = 0;
  entries_.reset(new char[room + kValueSlack]);
  ends_.reserve(count + 1);
  ends_.push_back(0);
  for (size_t i = 0; i < count; ++i) {
    auto length = plain.next_plain(entries_.get() + used, room - used);
    if (length == kDamaged) return false;
    used += length;
    ends_.push_back(static_cast<uint32_t>(used));
  }
  std::memset(entries_.get() + used, 0, kValueSlack);
  mode_ = Mode::dictionary;
  return true;
}

bool ColumnReader::open(Reader& header, SectionReader& sections, size_t count, size_t bytes_max, ColumnReader* out) {
  auto mode = header.byte();
  if (!header.ok() || mode > 2) return false;
  if (mode == 0) return out->open_constant(header);
  if (mode == 2) {
    out->mode_ = Mode::plain;
    return out->open_plain(header, sections, count);
  }
  auto entries = header.varint();
  if (!header.ok() || entries > count || entries > kDictionaryMax) return false;
  if (!RankReader::open(sections, count, &out->ranks_)) return false;
  ColumnReader plain;
  return plain.open_plain(header, sections, entries) && out->read_entries(plain, entries, bytes_max);
}

bool ColumnReader::open_values(Reader& header, SectionReader& sections, size_t count, size_t bytes_max,
                               ColumnReader* out, std::bitset<256>* bytes) {
  auto mode = header.byte();
  if (!header.ok() || mode > 2) return false;
  if (mode == 0) return out->open_constant(header);
  if (mode == 1) {
    auto entries = header.varint();
    if (!header.ok() || entries > count || entries > kDictionaryMax) return false;
    count = entries;
    sections.skip(2);
  } else {
    auto of_mask = header;
    const auto mask = of_mask.byte();
    if ((mask >> kClassText & 1) == 0) {
      std::string_view each = mask & (1 << kClassHex | 1 << kClassUuid) ? "0123456789abcdef-" : "0123456789";
      for (const char c : each) bytes->set(static_cast<unsigned char>(c));
      if (mask >> kClassIpv4 & 1) bytes->set('.');
      return of_mask.ok();
    }
  }
  ColumnReader plain;
  return plain.open_plain(header, sections, count) && out->read_entries(plain, count, bytes_max);
}

bool ColumnReader::open_plain(Reader& header, SectionReader& sections, size_t count) {
  auto mask = header.byte();
  if (!header.ok() || mask >= 1 << kClassCount || (mask == 0) != (count == 0)) return false;
  if ((mask & 3) == 3) return false;
  count_ = count;
  size_t counts[kClassCount] = {};
  if (std::popcount(mask) > 1) {
    classes_ = sections.next();
    if (classes_.size() != count) return false;
    for (char c : classes_) {
      auto n = static_cast<unsigned char>(c);
      if (n >= kClassCount || (mask >> n & 1) == 0) return false;
      ++counts[n];
    }
  } else if (mask != 0) {
    single_class_ = static_cast<uint8_t>(std::countr_zero(mask));
    counts[single_class_] = count;
  }
  bytes_bound_ = 0;
  if (mask & 3) {
    digits_padded_ = (mask & 2) != 0;
    if (digits_padded_ && !open_lengths(header, sections, &digits_lengths_)) return false;
    if (!IntegerReader::open(header, sections, &integers_)) return false;
    if (integers_.count() != counts[kClassInteger] + counts[kClassPadded]) return false;
    bytes_bound_ += integers_.count() * 20;
  }
  if (mask >> kClassIpv4 & 1) {
    address_count_ = header.varint();
    if (address_count_ != counts[kClassIpv4]) return false;
    for (auto& plane : addresses_) {
      auto stream = sections.next();
      if (stream.size() != address_count_) return false;
      plane = stream.data();
    }
    bytes_bound_ += address_count_ * 15;
  }
  if (mask >> kClassHex & 1) {
    if (!open_lengths(header, sections, &hex_lengths_)) return false;
    hex_ = sections.next();
    bytes_bound_ += hex_.size() * 2;
  }
  if (mask >> kClassUuid & 1) {
    uuid_ = sections.next();
    if (uuid_.size() != counts[kClassUuid] * 16) return false;
    bytes_bound_ += counts[kClassUuid] * 36;
  }
  if (mask >> kClassText & 1) {
    auto form = header.byte();
    if (form > 1) return false;
    text_lines_ = form == 0;
    if (!text_lines_ && !open_lengths(header, sections, &text_lengths_)) return false;
    text_ = sections.next();
    bytes_bound_ += text_.size();
  }
  return header.ok() && sections.ok();
}

bool ColumnReader::skip_lengths(Reader& header, SectionReader& sections) {
  const auto form = header.byte();
  if (form == 0)
    header.varint();
  else
    sections.skip(1);
  return header.ok() && form <= 1 && sections.ok();
}

bool ColumnReader::skip_plain(Reader& header, SectionReader& sections) {
  const auto mask = header.byte();
  if (!header.ok() || mask >= 1 << kClassCount || (mask & 3) == 3) return false;
  if (std::popcount(mask) > 1) sections.skip(1);
  if ((mask & 2) != 0 && !skip_lengths(header, sections)) return false;
  if ((mask & 3) != 0 && !IntegerReader::skip(header, sections)) return false;
  if (mask >> kClassIpv4 & 1) {
    header.varint();
    sections.skip(4);
  }
  if (mask >> kClassHex & 1) {
    if (!skip_lengths(header, sections)) return false;
    sections.skip(1);
  }
  if (mask >> kClassUuid & 1) sections.skip(1);
  if (mask >> kClassText & 1) {
    const auto form = header.byte();
    if (form > 1 || (form == 1 && !skip_lengths(header, sections))) return false;
    sections.skip(1);
  }
  return header.ok() && sections.ok();
}

bool ColumnReader::skip(Reader& header, SectionReader& sections) {
  const auto mode = header.byte();
  if (mode == 0) {
    header.text();
    return header.ok();
  }
  if (mode == 2) return skip_plain(header, sections);
  header.varint();
  sections.skip(2);
  return header.ok() && mode == 1 && skip_plain(header, sections);
}

namespace {
constexpr char kHexDigits[] = "0123456789abcdef";

char* put_byte(char* out, unsigned value) {
  if (value >= 100) {
    *out++ = static_cast<char>('0' + value / 100);
    value %= 100;
    *out++ = static_cast<char>('0' + value / 10);
  } else if (value >= 10) {
    *out++ = static_cast<char>('0' + value / 10);
  }
  *out++ = static_cast<char>('0' + value % 10);
  return out;
}
}  // namespace

size_t ColumnReader::next_plain(char* out, size_t room) {
  if (at_ == count_) return kDamaged;
  uint8_t c = single_class_ != 0xff ? single_class_ : static_cast<uint8_t>(classes_[at_]);
  ++at_;
  switch (c) {
    case kClassInteger: {
      uint64_t value;
      if (!integers_.next(&value)) return kDamaged;
      auto length = static_cast<size_t>(std::to_chars(out, out + 24, value).ptr - out);
      return length <= room ? length : kDamaged;
    }
    case kClassPadded: {
      uint64_t value;
      if (!integers_.next(&value)) return kDamaged;
      auto length = digits_lengths_.next();
      if (length > room || length > 19) return kDamaged;
      for (auto i = length; i > 0; --i, value /= 10) out[i - 1] = static_cast<char>('0' + value % 10);
      return length;
    }
    case kClassIpv4: {
      if (address_at_ == address_count_) return kDamaged;
      char* to = out;
      for (int p = 0; p < 4; ++p) {
        if (p > 0) *to++ = '.';
        to = put_byte(to, static_cast<unsigned char>(addresses_[p][address_at_]));
      }
      ++address_at_;
      auto length = static_cast<size_t>(to - out);
      return length <= room ? length : kDamaged;
    }
    case kClassHex: {
      auto length = hex_lengths_.next();
      if (length > hex_.size() || length * 2 > room) return kDamaged;
      for (size_t i = 0; i < length; ++i) {
        auto byte = static_cast<unsigned char>(hex_[i]);
        out[2 * i] = kHexDigits[byte >> 4];
        out[2 * i + 1] = kHexDigits[byte & 15];
      }
      hex_.remove_prefix(length);
      return length * 2;
    }
    case kClassUuid: {
      if (room < 36 || uuid_.size() < 16) return kDamaged;
      char* to = out;
      for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        auto byte = static_cast<unsigned char>(uuid_[i]);
        *to++ = kHexDigits[byte >> 4];
        *to++ = kHexDigits[byte & 15];
      }
      uuid_.remove_prefix(16);
      return 36;
    }
    case kClassText: {
      size_t length, taken;
      if (text_lines_) {
        auto end = static_cast<const char*>(std::memchr(text_.data(), '\n', text_.size()));
        if (end == nullptr) return kDamaged;
        length = static_cast<size_t>(end - text_.data());
        taken = length + 1;
      } else {
        taken = length = text_lengths_.next();
        if (length > text_.size()) return kDamaged;
      }
      if (length > room) return kDamaged;
      std::memcpy(out, text_.data(), length);
      text_.remove_prefix(taken);
      return length;
    }
  }
  return kDamaged;
}

bool ColumnReader::advance_plain(size_t values) {
  if (values > count_ - at_) return false;
  size_t of[kClassCount] = {};
  if (single_class_ != 0xff)
    of[single_class_] = values;
  else
    for (const char c : classes_.substr(at_, values)) ++of[static_cast<unsigned char>(c)];
  at_ += values;
  const auto drop = [](std::string_view& from, uint64_t bytes) {
    if (bytes > from.size()) return false;
    from.remove_prefix(bytes);
    return true;
  };
  if (of[kClassPadded] > 0) digits_lengths_.sum(of[kClassPadded]);
  if (of[kClassIpv4] > address_count_ - address_at_) return false;
  address_at_ += of[kClassIpv4];
  for (size_t i = 0; text_lines_ && i < of[kClassText]; ++i) {
    const auto end = text_.find('\n');
    if (end == text_.npos) return false;
    text_.remove_prefix(end + 1);
  }
  return integers_.advance(of[kClassInteger] + of[kClassPadded]) && drop(hex_, hex_lengths_.sum(of[kClassHex])) &&
         drop(uuid_, 16 * of[kClassUuid]) && (text_lines_ || drop(text_, text_lengths_.sum(of[kClassText])));
}

}  // namespace yushi::storage
