// Words in a row, as a text field is searched: `failed password`, `10.0.0.1`, `fail*`, `登录失败`.
//
// The text is a run of tokens (core/base/text.h), and the phrase must stand there as neighbouring tokens, whatever
// separates them. `*` in a word stands for characters inside one token.
//
// Cost  A phrase that begins with a word without `*` is looked for by bytes, and only what is found is looked at as
//       tokens: about 20 ns for a message without it. No allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/filter/needle.h"
#include "core/filter/string_pattern.h"

namespace yushi {

class Phrase {
 public:
  // A text whose `*` (where `is_wildcard[i]`, of the byte i; empty: nowhere) are wildcards. nullopt when no token is in
  // it.
  static std::optional<Phrase> of(std::string_view text, const std::vector<bool>& is_wildcard = {});

  bool found_in(std::string_view text, Scratch& scratch) const;
  std::vector<uint64_t> certain_tokens() const;
  const std::string& longest_literal() const { return longest_.text(); }  // folded; must stand in the text

 private:
  struct Word {
    Needle literal;                     // when there is no wildcard
    std::optional<StringPattern> glob;  // when there is
    bool is(std::string_view token, Scratch& scratch) const;
  };
  // Whether words_[from..] follow in `text` at or after `at`.
  bool goes_on(std::string_view text, size_t at, size_t from, Scratch& scratch) const;

  std::vector<Word> words_;
  Needle longest_;  // a literal that must stand somewhere in the text
};

}  // namespace yushi
