#include "parsers/body/pair_list.h"

#include <algorithm>
#include <array>
#include <utility>

namespace yushi::parsers {
namespace {

constexpr size_t kKeyBytesMax = 128;
constexpr int kUnclosedMax = 8;  // each is a look at the whole text
constexpr std::string_view kWideColon = "：", kWideComma = "，", kWideSemicolon = "；", kWideEnumeration = "、";

enum : uint8_t { kKeyFirst = 1, kKeyByte = 2, kBlank = 4, kSoft = 8, kHard = 16, kStop = 32 };

constexpr auto kBytes = [] {
  std::array<uint8_t, 256> out{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    if (letter) out[c] |= kKeyFirst;
    if (letter || (c >= '0' && c <= '9')) out[c] |= kKeyByte;
  }
  for (unsigned char c : {'.', '-', '/', '@', '(', ')'}) out[c] |= kKeyByte;
  for (unsigned char c : {' ', '\t', '\n', '\r'}) out[c] |= kBlank;
  for (unsigned char c : {',', ';', '|'}) out[c] |= kSoft;
  for (unsigned char c : {'\t', '^', '~', '$'}) out[c] |= kHard;
  // Where a value may end; the last two begin ， ； and 、.
  for (size_t c = 0; c < out.size(); ++c)
    if (out[c] & (kBlank | kSoft | kHard) || c == ']' || c == 0xef || c == 0xe3) out[c] |= kStop;
  return out;
}();

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
uint8_t of(char c) { return kBytes[static_cast<unsigned char>(c)]; }

class Reader {
 public:
  Reader(std::string_view text, size_t begin, size_t end, const PairShape& shape, bool has_colons, BodyPairs& pairs)
      : text_(text),
        at_(begin),
        end_(end),
        equals_(shape.equals),
        between_(shape.between),
        has_colons_(has_colons),
        pairs_(pairs) {}

  size_t read() {
    pairs_.begin(text_);
    skip_blanks();
    if (between_ == " ") {
      between_kind_ = Between::blank;
    } else if (!between_.empty()) {
      between_kind_ = Between::given;
    } else if (at_ < end_ && text_[at_] == '[') {
      between_kind_ = Between::brackets;
    }
    if (between_kind_ == Between::brackets) ++at_;
    if (!find_equals()) return 0;
    size_t count = 0;
    while (at_ < end_) {
      size_t key_end, value;
      if (!key_at(at_, &key_end, &value)) {
        if (count == 0) return 0;
        pass_over();
        continue;
      }
      if (count == BodyPairs::kPairsMax) {
        pairs_.set_capped();
        break;
      }
      ++count;
      take(at_, key_end, value);
    }
    return count;
  }

 private:
  enum class Between : uint8_t { unknown, soft, blank, hard, brackets, given };

  void skip_blanks() {
    while (at_ < end_ && (of(text_[at_]) & kBlank)) ++at_;
  }
  size_t behind_blanks(size_t at) const {
    while (at < end_ && (of(text_[at]) & kBlank)) ++at;
    return at;
  }
  bool stands(std::string_view what, size_t at) const {
    return at + what.size() <= end_ && text_[at] == what[0] &&
           (what.size() == 1 || text_.substr(at, what.size()) == what);
  }

  // The first pair says what stands between names and values: `=`, or a colon.
  bool find_equals() {
    size_t key_end, value;
    const bool is_given = !equals_.empty();
    for (std::string_view one : {std::string_view("="), kWideColon, std::string_view(":")}) {
      if (!is_given) equals_ = one;
      has_blank_names_ = between_kind_ == Between::given || (equals_ != "=" && between_kind_ != Between::blank);
      if (key_at(at_, &key_end, &value))
        return has_colons_ || is_given || one == "=" || (value < end_ && text_[value] == '"');
      if (is_given) break;
    }
    return false;
  }

  // Bytes of a sign that parts pairs, at `at`: 0 when there is none.
  size_t soft_at(size_t at) const {
    const char c = text_[at];
    if (of(c) & kSoft) return 1;
    return is_ascii(c) ? 0 : wide_soft_at(at);
  }

  size_t wide_soft_at(size_t at) const {
    for (auto wide : {kWideComma, kWideSemicolon, kWideEnumeration})
      if (stands(wide, at)) return wide.size();
    return 0;
  }

  // Of the sign that soft_at() found: `,` for 、 and ， too.
  char group_at(size_t at) const { return stands(kWideSemicolon, at) ? ';' : of(text_[at]) & kSoft ? text_[at] : ','; }

  // A name, blanks, the sign of equality, blanks: where the name ends and the value begins.
  bool key_at(size_t at, size_t* key_end, size_t* value) const {
    if (at >= end_ || !(of(text_[at]) & kKeyFirst) || (!is_ascii(text_[at]) && soft_at(at) != 0)) return false;
    const size_t limit = std::min(end_, at + kKeyBytesMax);
    size_t to = at + 1, last = to;  // `last` is behind the name's last sign
    const bool is_wide = equals_[0] == ':' || equals_ == kWideColon;
    for (; to < limit; ++to) {
      const char c = text_[to];
      if (c == equals_[0] && stands(equals_, to)) break;
      if ((of(c) & kKeyByte) && is_ascii(c)) [[likely]] {
        last = to + 1;
        continue;
      }
      if (is_wide && (stands(kWideColon, to) || c == ':')) break;
      if (c == ' ') {
        if (has_blank_names_) continue;
        // `源IP = 10.0.0.1`
        const size_t next = behind_blanks(to);
        if (!stands(equals_, next)) return false;
        to = next;
        break;
      }
      if (!(of(c) & kKeyByte)) return false;
      if (!is_ascii(c) && soft_at(to) != 0) return false;
      last = to + 1;
    }
    if (to >= limit) return false;
    const size_t length = text_[to] == equals_[0] ? equals_.size() : text_[to] == ':' ? 1 : kWideColon.size();
    *key_end = last;
    *value = to + length;
    return true;
  }

  // Does the next pair, or nothing, follow behind the sign that ends at `at`?
  bool pair_follows(size_t at) const {
    at = behind_blanks(at);
    size_t key_end, value;
    return at >= end_ || key_at(at, &key_end, &value);
  }

  // Does a value end at `at`? Then `*next` is where to go on.
  bool ends_at(size_t at, size_t* next) {
    const char c = text_[at];
    switch (between_kind_) {
      case Between::given:
        if (!stands(between_, at)) return false;
        *next = at + between_.size();
        return true;
      case Between::brackets: {
        if (c != ']') return false;
        const size_t to = behind_blanks(at + 1);
        if (to < end_ && text_[to] != '[') return false;
        *next = to < end_ ? to + 1 : to;
        return true;
      }
      case Between::hard:
        if (c != hard_) return false;
        *next = at + 1;
        return true;
      default:
        break;
    }
    if (of(c) & kHard && between_kind_ == Between::unknown) {
      if (!pair_follows(at + 1)) return false;
      between_kind_ = Between::hard;
      has_blank_names_ = true;
      hard_ = c;
      *next = at + 1;
      return true;
    }
    if (const size_t length = soft_at(at); length > 0) {
      // In a list of names a value may be a sentence: `; note: seen twice, reason: none; `. One kind of sign parts all.
      if (equals_ != "=" && soft_ != 0 && soft_ != group_at(at)) return false;
      if (!pair_follows(at + length)) return false;
      if (between_kind_ == Between::unknown) between_kind_ = Between::soft;
      if (soft_ == 0) soft_ = group_at(at);
      *next = at + length;
      return true;
    }
    if ((of(c) & kBlank) && between_kind_ != Between::soft) {
      // A name of several words behind a blank would begin in the value.
      const bool before = std::exchange(has_blank_names_, false);
      const bool follows = pair_follows(at);
      has_blank_names_ = before;
      if (!follows) return false;
      if (between_kind_ == Between::unknown) {
        between_kind_ = Between::blank;
        has_blank_names_ = false;
      }
      *next = at;
      return true;
    }
    return false;
  }

  // A closing quote or bracket ends a value only where the value may end.
  bool closes(size_t at, size_t* next) {
    if (at >= end_) return *next = at, true;
    if (between_kind_ == Between::brackets || between_kind_ == Between::given || between_kind_ == Between::hard) {
      const size_t to = between_kind_ == Between::hard ? at : behind_blanks(at);
      return to >= end_ ? (*next = to, true) : ends_at(to, next);
    }
    if (of(text_[at]) & (kBlank | kSoft | kHard) || soft_at(at) != 0) {
      if (!ends_at(at, next)) *next = at;
      return true;
    }
    return false;
  }

  bool quoted_at(size_t at, size_t* end, size_t* next, bool* escaped) {
    const char quote = text_[at];
    *escaped = false;
    if (unclosed_ == kUnclosedMax) return false;
    for (size_t to = at + 1; to < end_; ++to) {
      if (text_[to] == '\\' && quote == '"' && to + 1 < end_) {
        *escaped |= text_[to + 1] == '"' || text_[to + 1] == '\\';
        ++to;
      } else if (text_[to] == quote && closes(to + 1, next)) {
        *end = to;
        return true;
      }
    }
    ++unclosed_;
    return false;
  }

  // `{a=1, b=2}`, `[x; y]`: up to its own closing bracket.
  bool nested_at(size_t at, size_t* end, size_t* next) {
    constexpr int kDepthMax = 16;
    std::array<char, kDepthMax> open;
    int depth = 0;
    if (unclosed_ == kUnclosedMax) return false;
    ++unclosed_;
    for (size_t to = at; to < end_; ++to) {
      const char c = text_[to];
      if (c == '{' || c == '[') {
        if (depth == kDepthMax) return false;
        open[static_cast<size_t>(depth++)] = c == '{' ? '}' : ']';
      } else if (c == '}' || c == ']') {
        if (open[static_cast<size_t>(depth - 1)] != c) return false;
        if (--depth > 0) continue;
        if (!closes(to + 1, next)) return false;
        *end = to + 1;
        --unclosed_;
        return true;
      }
    }
    return false;
  }

  void take(size_t key, size_t key_end, size_t value) {
    if (between_kind_ != Between::blank && between_kind_ != Between::unknown) value = behind_spaces(value);
    // `a= b=2` has no value; `a: b` has one behind the blank.
    else if (equals_ != "=" || !pair_follows(value))
      value = behind_spaces(value);
    BodyPair pair;
    pair.name_begin = static_cast<uint32_t>(key);
    pair.name_length = static_cast<uint32_t>(key_end - key);
    size_t begin = value, end = value, next = end_;
    bool escaped = false;
    const char first = value < end_ ? text_[value] : '\0';
    if ((first == '"' || first == '\'') && quoted_at(value, &end, &next, &escaped)) {
      begin = value + 1;
      pair.quoted = true;
    } else if ((first != '{' && first != '[') || !nested_at(value, &end, &next)) {
      end = value;
      const bool is_given = between_kind_ == Between::given;
      while (end < end_ && !((is_given || (of(text_[end]) & kStop)) && ends_at(end, &next))) ++end;
      if (end >= end_) next = end_;
      while (end > begin && (of(text_[end - 1]) & (kBlank))) --end;
      // `ip=10.0.0.1, result=ok`, `a=1;;b=2`
      if (between_kind_ == Between::blank || between_kind_ == Between::soft)
        while (end > begin && (of(text_[end - 1]) & kSoft)) --end;
    }
    // Quotes as a word processor makes them.
    constexpr std::string_view kOpen = "“", kClose = "”";
    if (end - begin >= 2 * kClose.size() && text_.substr(0, end).ends_with(kClose) &&
        (stands(kOpen, begin) || stands(kClose, begin))) {
      begin += kOpen.size();
      end -= kClose.size();
      pair.quoted = true;
    }
    pair.begin = static_cast<uint32_t>(begin);
    pair.length = static_cast<uint32_t>(end - begin);
    pair.escape = escaped ? Escape::json : Escape::none;
    pair.is_open = !pair.quoted && (between_kind_ == Between::blank || between_kind_ == Between::unknown) &&
                   std::find(text_.begin() + static_cast<ptrdiff_t>(begin), text_.begin() + static_cast<ptrdiff_t>(end),
                             ' ') != text_.begin() + static_cast<ptrdiff_t>(end);
    pairs_.add(text_.substr(key, key_end - key), pair);
    at_ = next;
    skip_between();
  }

  size_t behind_spaces(size_t at) const {
    while (at < end_ && text_[at] == ' ') ++at;
    return at;
  }

  // Blanks, and separators with nothing between them.
  void skip_between() {
    for (;;) {
      skip_blanks();
      if (at_ >= end_) return;
      if (between_kind_ == Between::given) {
        if (!stands(between_, at_)) return;
        at_ += between_.size();
      } else if (between_kind_ == Between::hard) {
        if (text_[at_] != hard_) return;
        ++at_;
      } else {
        const size_t length = soft_at(at_);
        if (length == 0) return;
        at_ += length;
      }
    }
  }

  // Text that is no pair, up to where one may begin.
  void pass_over() {
    for (size_t next; at_ < end_; ++at_)
      if (ends_at(at_, &next)) {
        at_ = next;
        break;
      }
    skip_between();
  }

  std::string_view text_;
  size_t at_, end_;
  std::string_view equals_, between_;
  Between between_kind_ = Between::unknown;
  char hard_ = 0;
  char soft_ = 0;     // the first sign that parted two pairs, see group_at()
  int unclosed_ = 0;  // quotes and brackets that were read to the end of the text in vain
  bool has_blank_names_ = false;
  bool has_colons_;
  BodyPairs& pairs_;
};

}  // namespace

size_t read_pair_list(std::string_view text, size_t begin, size_t end, const PairShape& shape, bool has_colons,
                      BodyPairs& pairs) {
  const size_t count = Reader(text, begin, end, shape, has_colons, pairs).read();
  if (count == 0) pairs.fail();
  return count;
}

}  // namespace yushi::parsers
