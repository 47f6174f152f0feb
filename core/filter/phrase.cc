#include "core/filter/phrase.h"

#include "core/base/text.h"
#include "core/base/text_tables.h"
#include "core/filter/token_filter.h"

namespace yushi {
namespace {

// Splits a run of word characters and wildcards: each CJK character alone, what is between them as words. Wildcards
// that touch a CJK character and nothing else stand for characters inside a one-character token: for none.
struct Piece {
  size_t begin, end;
};
std::vector<Piece> pieces_of(std::string_view text, const std::vector<bool>& is_wildcard) {
  auto wildcard = [&](size_t i) { return i < is_wildcard.size() && is_wildcard[i]; };
  std::vector<Piece> pieces;
  size_t at = 0;
  while (at < text.size()) {
    if (!wildcard(at) && !is_word_byte(text[at])) {
      ++at;
      continue;
    }
    size_t begin = at;
    bool only_wildcards = true, touches_single = false;
    while (at < text.size()) {
      if (wildcard(at)) {
        ++at;
        continue;
      }
      if (!is_word_byte(text[at])) break;
      CodePoint point = decode_utf8(text, at);
      int token_class = point.length == 0 ? 0 : point.length == 1 ? 1 : text_tables::token_class(point.code);
      touches_single = token_class == 2;
      if (token_class != 1) break;
      only_wildcards = false;
      at += point.length;
    }
    if (at > begin) {
      bool after_single = !pieces.empty() && pieces.back().end == begin && begin > 0 && !wildcard(begin - 1) &&
                          static_cast<unsigned char>(text[begin - 1]) >= 0x80;
      if (!only_wildcards || !(touches_single || after_single)) pieces.push_back({begin, at});
      if (!touches_single) continue;
    }
    if (touches_single) {
      size_t length = decode_utf8(text, at).length;
      pieces.push_back({at, at + length});
      at += length;
    } else {
      CodePoint point = decode_utf8(text, at);
      at += point.length == 0 ? 1 : point.length;
    }
  }
  return pieces;
}

bool equals_folded(std::string_view token, const Needle& word, Scratch& scratch) {
  if (token.size() == word.text().size() && word.is_simple() && word.stands_at(token, 0)) return true;
  if (!word.must_fold(token)) return false;
  char* to = scratch.allocate(folded_bytes_max(token.size()));
  return std::string_view(to, fold_into(token, to)) == word.text();
}

}  // namespace

std::optional<Phrase> Phrase::of(std::string_view text, const std::vector<bool>& is_wildcard) {
  Phrase phrase;
  std::string longest;
  for (Piece piece : pieces_of(text, is_wildcard)) {
    Word word;
    bool wild = false;
    for (size_t i = piece.begin; i < piece.end; ++i) wild = wild || (i < is_wildcard.size() && is_wildcard[i]);
    if (wild) {
      StringPattern glob(true);
      for (size_t i = piece.begin; i < piece.end; ++i) {
        if (i < is_wildcard.size() && is_wildcard[i])
          glob.add_any_run();
        else
          glob.add_literal(text.substr(i, 1));
      }
      glob.finish();
      if (glob.longest_literal().size() > longest.size()) longest = glob.longest_literal();
      word.glob = std::move(glob);
    } else {
      word.literal = Needle(folded(text.substr(piece.begin, piece.end - piece.begin)), true);
      if (word.literal.text().size() > longest.size()) longest = word.literal.text();
    }
    phrase.words_.push_back(std::move(word));
  }
  if (phrase.words_.empty()) return std::nullopt;
  phrase.longest_ = Needle(std::move(longest), true);
  return phrase;
}

bool Phrase::Word::is(std::string_view token, Scratch& scratch) const {
  return glob ? glob->matches(token, scratch) : equals_folded(token, literal, scratch);
}

bool Phrase::goes_on(std::string_view text, size_t at, size_t from, Scratch& scratch) const {
  for (size_t i = from; i < words_.size(); ++i) {
    std::string_view token = token_from(text, at);
    if (token.empty() || !words_[i].is(token, scratch)) return false;
    at = static_cast<size_t>(token.data() - text.data()) + token.size();
  }
  return true;
}

bool Phrase::found_in(std::string_view text, Scratch& scratch) const {
  const Word& first = words_.front();
  if (!first.glob && !first.literal.must_fold(text)) {
    size_t length = first.literal.text().size();
    for (size_t at = 0; (at = first.literal.find(text, at)) != Needle::kNone; ++at)
      if (is_token_border(text, at) && is_token_border(text, at + length) && goes_on(text, at + length, 1, scratch))
        return true;
    return false;
  }
  if (!longest_.must_fold(text) && longest_.find(text, 0) == Needle::kNone) return false;
  for (size_t at = 0;;) {
    std::string_view token = token_from(text, at);
    if (token.empty()) return false;
    at = static_cast<size_t>(token.data() - text.data()) + token.size();
    if (first.is(token, scratch) && goes_on(text, at, 1, scratch)) return true;
  }
}

std::vector<uint64_t> Phrase::certain_tokens() const {
  std::vector<uint64_t> hashes;
  for (const Word& word : words_)
    if (!word.glob && is_in_token_filter(word.literal.text())) hashes.push_back(token_hash(word.literal.text()));
  return hashes;
}

}  // namespace yushi
