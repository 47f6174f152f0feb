#include "core/filter/string_pattern.h"

#include <algorithm>

#include "core/base/charset.h"
#include "core/base/text.h"
#include "core/base/text_tables.h"
#include "core/filter/token_filter.h"

namespace yushi {
namespace {

uint64_t bit_of(char c) {
  const auto lower = static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return uint64_t{1} << (lower & 63);
}

}  // namespace

StringPattern StringPattern::exactly(std::string_view text, bool folds) {
  StringPattern pattern(folds);
  pattern.add_literal(text);
  pattern.finish();
  return pattern;
}

void StringPattern::add_literal(std::string_view text) { pending_.append(text); }

void StringPattern::add_any_one() {
  finish();
  stretches_.back().push_back({});
  ++bytes_min_;
}

void StringPattern::add_any_run() {
  finish();
  if (stretches_.size() == 1 || !stretches_.back().empty()) stretches_.emplace_back();  // `**` is `*`
}

void StringPattern::finish() {
  if (pending_.empty()) return;
  stretches_.back().push_back({Needle(folds_ ? folded(pending_) : pending_, folds_)});
  const Needle& literal = stretches_.back().back().literal;
  is_simple_ = is_simple_ && literal.is_simple();
  for (char c : literal.text()) bytes_ |= bit_of(c);
  bytes_min_ += literal.text().size();
  pending_.clear();
}

uint64_t StringPattern::bytes_of(std::string_view value) {
  if (!is_ascii(value)) return ~uint64_t{0};  // letters may fold into others
  uint64_t out = 0;
  for (char c : value) out |= bit_of(c);
  return out;
}

StringPattern::Longest StringPattern::longest() const {
  Longest longest;
  for (const Stretch& stretch : stretches_)
    for (const Part& part : stretch)
      if (part.literal.text().size() > longest.text.size())
        longest = {part.literal.text(), &part == stretches_.front().data(),
                   &stretch == &stretches_.back() && &part == &stretch.back()};
  return longest;
}

size_t StringPattern::match_at(const Stretch& stretch, std::string_view value, size_t at) const {
  for (const Part& part : stretch) {
    if (is_any(part)) {
      if (at >= value.size()) return Needle::kNone;
      CodePoint point = decode_utf8(value, at);
      at += point.length == 0 ? 1 : point.length;
    } else {
      if (!part.literal.stands_at(value, at)) return Needle::kNone;
      at += part.literal.text().size();
    }
  }
  return at;
}

// The classic: first and last stretch are anchored, those between are taken at their leftmost place, which never spoils
// a match further right.
bool StringPattern::match(std::string_view value) const {
  size_t at = match_at(stretches_.front(), value, 0);
  if (at == Needle::kNone) return false;
  if (stretches_.size() == 1) return at == value.size();
  for (size_t i = 1; i + 1 < stretches_.size(); ++i) {
    const Stretch& stretch = stretches_[i];
    if (is_literal(stretch)) {
      if (stretch.empty()) continue;
      size_t found = stretch[0].literal.find(value, at);
      if (found == Needle::kNone) return false;
      at = found + stretch[0].literal.text().size();
      continue;
    }
    size_t end = Needle::kNone;
    for (; at <= value.size() && end == Needle::kNone; ++at) end = match_at(stretch, value, at);
    if (end == Needle::kNone) return false;
    at = end;
  }
  const Stretch& last = stretches_.back();
  if (last.empty()) return true;
  if (is_literal(last)) {
    size_t length = last[0].literal.text().size();
    return value.size() - at >= length && last[0].literal.stands_at(value, value.size() - length);
  }
  for (; at <= value.size(); ++at)
    if (match_at(last, value, at) == value.size()) return true;
  return false;
}

bool StringPattern::matches(std::string_view value, Scratch& scratch) const {
  // A pattern of thousands of pieces is not tried on each word.
  if ((folds_ ? folded_bytes_max(value.size()) : value.size()) < bytes_min_) return false;
  if (is_simple_ && match(value)) return true;
  if (!folds_ || is_ascii(value)) return false;
  bool must_fold = false;
  for (const Stretch& stretch : stretches_)
    for (const Part& part : stretch) must_fold = must_fold || part.literal.must_fold(value);
  if (!must_fold) return false;
  char* to = scratch.allocate(folded_bytes_max(value.size()));
  return match({to, fold_into(value, to)});
}

std::vector<uint64_t> StringPattern::certain_tokens() const {
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < stretches_.size(); ++i) {
    const Stretch& stretch = stretches_[i];
    for (size_t k = 0; k < stretch.size(); ++k) {
      const std::string& text = stretch[k].literal.text();
      if (text.empty() || !is_utf8(text)) continue;  // a cut character could complete one of the value's
      bool open_left = i != 0 || k != 0;
      bool open_right = i + 1 != stretches_.size() || k + 1 != stretch.size();
      for_each_token(text, [&](std::string_view token) {
        size_t begin = static_cast<size_t>(token.data() - text.data());
        size_t end = begin + token.size();
        // A CJK character is a token whatever stands beside it; a word at an open end may be part of a longer one.
        CodePoint first = decode_utf8(token, 0);
        bool alone = token.size() == first.length && text_tables::token_class(first.code) == 2;
        if (!alone && ((open_left && begin == 0) || (open_right && end == text.size()))) return;
        if (is_in_token_filter(token)) hashes.push_back(token_hash(token));
      });
    }
  }
  return hashes;
}

}  // namespace yushi
