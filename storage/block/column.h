// A column: the texts of one variable of many messages, kept as what they are (numbers, addresses, hex, words).
//
// Each value is text and comes back byte for byte; a type is only a shorter way to write it, chosen when all values are
// there. FORMAT.md has the bytes.
//
// Memory   Writing works on references into the block's copy of raw; scratch is kept from column to column. A reader
//          views into the sections, which must outlive it, and owns a dictionary's entries.
// Errors   A reader of damaged bytes says kDamaged, never more than `room` and never past its streams.
// Cost     One hash a value until a column shows that its values hardly repeat; see bench/block_bench.cc.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "storage/block/sections.h"

namespace yushi::storage {

// A value: where it stands in the bytes that all values of a block share.
struct ValueRef {
  uint32_t at, length;
};

// Readable bytes behind the end of those shared bytes, and behind the room that a reader writes to.
constexpr size_t kValueSlack = 64;
constexpr size_t kDictionaryMax = 192 + 64 * 256;

class ColumnWriter {
 public:
  // Which must outlive it.
  explicit ColumnWriter(SectionWriter& sections) : sections_(sections) {}

  // Writes one column: a few numbers into `header`, the rest as streams. distinct() then gives its different values, or
  // all of them when they hardly repeat.
  void write(const char* bytes, const ValueRef* values, size_t count, std::string& header);
  const std::vector<ValueRef>& distinct() const { return distinct_; }

  // Numbers that are no text, one for each record that has one: differences of times, lengths.
  void write_integers(const std::vector<uint64_t>& values, std::string& header);
  // Small numbers that repeat, the frequent ones small: shapes, entries of dictionaries. At most kDictionaryMax.
  void write_ranks(const std::vector<uint16_t>& ranks);

 private:
  struct Ends {
    uint64_t first, last;
  };
  struct Entry {
    ValueRef value;
    Ends ends;
    uint32_t hash;
    uint32_t count;
  };
  static Ends ends_of(const char* text, size_t length);
  bool collect(const char* bytes, const ValueRef* values, size_t count);
  bool dictionary_pays(const char* bytes, size_t count) const;
  void write_plain(const char* bytes, const ValueRef* values, size_t count, std::string& header);
  void write_lengths(const std::vector<uint32_t>& lengths, std::string& header);

  SectionWriter& sections_;
  std::vector<ValueRef> distinct_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> table_;
  std::vector<uint16_t> number_of_;  // of each value: its entry
  std::vector<uint8_t> class_of_;
  std::vector<uint64_t> integers_;
  std::string first_, second_;
};

// Numbers in the order in which write_integers() had them.
class IntegerReader {
 public:
  // Takes its part of the header and its streams. False: they are damaged.
  static bool open(Reader& header, SectionReader& sections, IntegerReader* out);
  static bool skip(Reader& header, SectionReader& sections);  // leaves its streams as they are
  // Damaged columns give kNone once they are at their end.
  bool next(uint64_t* value) {
    if (at_ == count_) return false;
    *value = value_at(at_++);
    if (delta_) *value = last_ += static_cast<uint64_t>(unzigzag(*value));
    return true;
  }
  // Moves on over so many.
  bool advance(size_t values) {
    if (values > count_ - at_) return false;
    const size_t end = at_ + values;
    for (size_t i = at_; delta_ && i < end; ++i) last_ += static_cast<uint64_t>(unzigzag(value_at(i)));
    at_ = end;
    return true;
  }
  size_t count() const { return count_; }

 private:
  uint64_t value_at(size_t at) const {
    const auto byte = [&](int plane) {
      return static_cast<uint64_t>(static_cast<unsigned char>(planes_[plane][at])) << (8 * plane);
    };
    switch (width_) {  // most are short
      case 0:
        return base_;
      case 1:
        return base_ + byte(0);
      case 2:
        return base_ + (byte(0) | byte(1));
      case 3:
        return base_ + (byte(0) | byte(1) | byte(2));
      default: {
        uint64_t value = 0;
        for (int plane = 0; plane < width_; ++plane) value |= byte(plane);
        return base_ + value;
      }
    }
  }

  const char* planes_[8] = {};
  uint64_t base_ = 0, last_ = 0;
  size_t at_ = 0, count_ = 0;
  int width_ = 0;
  bool delta_ = false;
};

// Numbers in the order in which write_ranks() had them. A call that answers false says: no more, or damaged.
class RankReader {
 public:
  static bool open(SectionReader& sections, size_t count, RankReader* out);
  bool next(uint32_t* rank) {
    if (at_ == first_.size()) return false;
    auto a = static_cast<unsigned char>(first_[at_++]);
    if (a < 192) {
      *rank = a;
      return true;
    }
    if (second_at_ == second_.size()) return false;
    *rank = 192 + ((static_cast<uint32_t>(a) - 192) << 8 | static_cast<unsigned char>(second_[second_at_++]));
    return true;
  }
  // Moves on over so many.
  bool advance(size_t ranks) {
    if (ranks > first_.size() - at_) return false;
    if (!second_.empty())
      for (const char c : first_.substr(at_, ranks)) second_at_ += static_cast<unsigned char>(c) >= 192;
    at_ += ranks;
    return second_at_ <= second_.size();
  }

 private:
  std::string_view first_, second_;
  size_t at_ = 0, second_at_ = 0;
};

// Texts in the order in which write() had them.
class ColumnReader {
 public:
  // `count` values at most, dictionaries of at most `bytes_max` bytes. False: the column is damaged, or larger.
  static bool open(Reader& header, SectionReader& sections, size_t count, size_t bytes_max, ColumnReader* out);

  // What values there are, without which is whose: out->text_of() of each, or for those that hardly repeat and are of
  // few kinds of bytes, what these are.
  static bool open_values(Reader& header, SectionReader& sections, size_t count, size_t bytes_max, ColumnReader* out,
                          std::bitset<256>* bytes);
  uint32_t codes() const { return static_cast<uint32_t>(ends_.empty() ? is_constant() && entries_ : ends_.size() - 1); }
  std::string_view text_of(uint32_t code) const {
    if (mode_ == Mode::constant) return constant_;
    return {entries_.get() + ends_[code], ends_[code + 1] - ends_[code]};
  }

  // Passes over one that nobody asks for: its streams are not looked at.
  static bool skip(Reader& header, SectionReader& sections);

  static constexpr size_t kDamaged = SIZE_MAX;
  // Writes the next value at `out`, where `room` + kValueSlack bytes may be written; returns its length, at most
  // `room`.
  size_t next(char* out, size_t room) {
    if (mode_ == Mode::plain) return next_plain(out, room);
    uint32_t code;
    return next_code(&code) ? put_code(code, out, room) : kDamaged;
  }
  // Whether equal values have one number, which stands for them; of a constant there is but one.
  bool has_codes() const { return mode_ != Mode::plain; }
  bool is_constant() const { return mode_ == Mode::constant; }
  bool next_code(uint32_t* code) {
    *code = 0;
    return mode_ == Mode::constant || (ranks_.next(code) && *code + 1 < ends_.size());
  }
  size_t put_code(uint32_t code, char* out, size_t room) const { return put(text_of(code), out, room); }
  // Moves on over so many values. False when the column is damaged.
  bool advance(size_t values) {
    if (mode_ == Mode::dictionary) return ranks_.advance(values);
    return mode_ == Mode::constant || advance_plain(values);
  }

 private:
  enum class Mode : uint8_t { constant, dictionary, plain };
  struct Lengths {
    bool constant = true;
    uint64_t length = 0;
    Reader stream{std::string_view()};
    uint64_t next() { return constant ? length : stream.varint(); }
    uint64_t sum(size_t values) {
      uint64_t sum = constant ? length * values : 0;
      for (size_t i = 0; i < values && !constant; ++i) sum += stream.varint();
      return sum;
    }
  };
  static size_t put(std::string_view value, char* out, size_t room) {
    if (value.size() > room) return kDamaged;
    if (value.size() <= 16) {
      std::memcpy(out, value.data(), 16);  // every entry has slack behind it
    } else {
      std::memcpy(out, value.data(), value.size());
    }
    return value.size();
  }
  static bool open_lengths(Reader& header, SectionReader& sections, Lengths* out);
  static bool skip_lengths(Reader& header, SectionReader& sections);
  static bool skip_plain(Reader& header, SectionReader& sections);
  bool open_constant(Reader& header);
  bool open_plain(Reader& header, SectionReader& sections, size_t count);
  bool read_entries(ColumnReader& plain, size_t count, size_t bytes_max);
  size_t next_plain(char* out, size_t room);
  bool advance_plain(size_t values);

  Mode mode_ = Mode::constant;
  std::string_view constant_;
  // dictionary
  std::unique_ptr<char[]> entries_;
  std::vector<uint32_t> ends_;
  RankReader ranks_;
  // plain
  uint8_t single_class_ = 0xff;
  std::string_view classes_;
  size_t at_ = 0, count_ = 0;
  IntegerReader integers_;
  Lengths digits_lengths_, hex_lengths_, text_lengths_;
  bool digits_padded_ = false, text_lines_ = false;
  const char* addresses_[4] = {};
  size_t address_at_ = 0, address_count_ = 0;
  size_t bytes_bound_ = 0;  // what all values together can take at most
  std::string_view hex_, uuid_, text_;
};

// The types of plain values, as bits of a mask and as numbers in the stream of classes.
enum ValueClass : uint8_t {
  kClassInteger = 0,
  kClassPadded,
  kClassIpv4,
  kClassHex,
  kClassUuid,
  kClassText,
  kClassCount
};

}  // namespace yushi::storage
