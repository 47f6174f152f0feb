#include "core/filter/needle.h"

#include <algorithm>
#include <cstring>

#include "core/base/text.h"
#include "core/base/text_tables.h"

namespace yushi {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// How common a byte is in log text, roughly; only speed depends on it.
int commonness(char c) {
  static constexpr std::string_view kByRank[] = {"jqxz", "kvwy_b", "fghmpu", "cdl", "nirsoa23456789", "te01./-:=", " "};
  for (size_t rank = 0; rank < std::size(kByRank); ++rank)
    if (kByRank[rank].find(lower(c)) != std::string_view::npos) return static_cast<int>(rank) + 1;
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0xe3 && byte <= 0xe9 ? 5 : byte >= 0x80 ? 3 : 1;  // lead bytes of Chinese text repeat
}

}  // namespace

Needle::Needle(std::string text, bool folds) : text_(std::move(text)), folds_(folds) {
  int best = 100;
  for (size_t i = 0; i < text_.size(); ++i) {
    int rank = commonness(text_[i]);
    if (rank < best) {
      best = rank;
      rare_ = i;
    }
  }
  if (text_.empty()) return;
  lower_ = upper_ = text_[rare_];
  if (!folds_) return;
  if (lower_ >= 'a' && lower_ <= 'z') upper_ = static_cast<char>(lower_ - 0x20);
  has_k_ = text_.find('k') != std::string::npos;
  has_s_ = text_.find('s') != std::string::npos;
  for (size_t at = 0; at < text_.size();) {
    CodePoint point = decode_utf8(text_, at);
    if (point.length > 1 && text_tables::token_class(point.code) != 2) odd_letters_ = true;
    at += point.length == 0 ? 1 : point.length;
  }
}

bool Needle::must_fold(std::string_view hay) const {
  if (!folds_) return false;
  if (odd_letters_) return true;
  return (has_s_ && hay.find("\xc5\xbf") != std::string_view::npos) ||
         (has_k_ && hay.find("\xe2\x84\xaa") != std::string_view::npos);
}

bool Needle::stands_at(std::string_view hay, size_t at) const {
  if (at > hay.size() || hay.size() - at < text_.size()) return false;
  const char* p = hay.data() + at;
  if (!folds_) return text_.empty() || std::memcmp(p, text_.data(), text_.size()) == 0;
  for (size_t i = 0; i < text_.size(); ++i)
    if (lower(p[i]) != text_[i]) return false;
  return true;
}

size_t Needle::find(std::string_view hay, size_t from) const {
  if (from > hay.size() || hay.size() - from < text_.size()) return kNone;
  if (text_.empty()) return from;
  const char* at = hay.data() + from + rare_;
  const char* end = hay.data() + hay.size() - (text_.size() - 1 - rare_);
  auto next = [&](char c) {
    const void* found = std::memchr(at, c, static_cast<size_t>(end - at));
    return found ? static_cast<const char*>(found) : end;
  };
  const char* next_lower = next(lower_);
  const char* next_upper = upper_ == lower_ ? end : next(upper_);
  for (;;) {
    const char* here = std::min(next_lower, next_upper);
    if (here == end) return kNone;
    auto start = static_cast<size_t>(here - hay.data()) - rare_;
    if (stands_at(hay, start)) return start;
    at = here + 1;
    if (at == end) return kNone;
    if (next_lower < at) next_lower = next(lower_);
    if (next_upper < at) next_upper = next(upper_);
  }
}

}  // namespace yushi
