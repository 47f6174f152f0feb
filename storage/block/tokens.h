// The words of a block, for its token filter: each word once for each shape and each different value, not for each
// record.
//
// Exactness is the point: a word of raw that is missing here is a record that a search does not find. A word that
// straddles the border of a value is taken from raw; block_records.h of the tests compares with the words of all raws.
//
// Memory   A hash for each different word.
// Threads  One owner.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/filter/token_filter.h"
#include "core/record/record.h"

namespace yushi::storage {

class BlockTokens {
 public:
  void text(std::string_view bytes) {
    for_each_token(bytes, [&](std::string_view token) {
      if (is_in_token_filter(token)) gatherer_.add(token_hash(token));
    });
  }
  // A value of a field (nullptr: of none): its words, those of what it stands for, and its address.
  void value(std::string_view bytes, const Field* field, Escape escape);
  // The words of `raw` that lie on both sides of `border`.
  void border(std::string_view raw, size_t at) {
    if (at > 0 && at < raw.size() && is_word_byte(raw[at - 1]) && is_word_byte(raw[at])) straddling(raw, at);
  }
  // The words at the ends of `message` that are only part of a word of raw.
  void message(const Record& record) {
    auto cut = [&](size_t at) {
      return at > 0 && at < record.raw.size() && is_word_byte(record.raw[at - 1]) && is_word_byte(record.raw[at]);
    };
    if (cut(record.message_begin) || cut(size_t{record.message_begin} + record.message_length)) text(record.message());
  }
  // All words of a record whose raw is not UTF-8 but of its tenant's charset: what is cut out of raw may begin or end
  // within a character, so that its own words say nothing.
  void decoded(const Record& record);
  void priority(uint16_t priority);
  std::string filter() { return build_token_filter(gatherer_.hashes()); }

 private:
  void straddling(std::string_view raw, size_t at);
  TokenGatherer gatherer_;
  Scratch scratch_;
  std::vector<uint64_t> hashes_;  // reused
};

}  // namespace yushi::storage
