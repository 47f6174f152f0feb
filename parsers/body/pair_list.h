// A body that as a whole is a list of pairs -> pairs: `a=1; b=2`, `a=1 msg=user logged in src=10.0.0.1`,
// `key:"v"; key2:"v2"`, `源IP：10.0.0.1，用户名：li`, `[user:li] [dst_ip:10.0.0.1]`.
//
// A value is quoted, or stands in brackets of its own, or runs to where the next pair begins: so a value has blanks
// where only the next key tells that it has ended. What stands between pairs is told from the first of them:
//   , ; |        (also ， ； 、) ends a value where a key follows, or nothing
//   blanks       the same; a comma or semicolon before them is no part of the value
//   tab ^ ~ $    end a value wherever they stand
//   ] [          `[key:value] [key:value]`
// A name before `=` has no blanks in it (but behind tab ^ ~ $), one before a colon may.
//
// Cost   One pass, and a look at the first two pairs.
#pragma once

#include <string>

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

// What stands between pairs, and between a name and its value. Empty: found in the text. Given ones hold as they are.
struct PairShape {
  std::string between, equals;
  bool is_given() const { return !between.empty() || !equals.empty(); }
};

// Returns how many pairs stood there; 0, and no pairs, when the text does not begin with one. Offsets count from text's
// beginning. Without `has_colons` a colon stands between a name and its value only before a quote (`key:"v"`), or where
// it is given.
size_t read_pair_list(std::string_view text, size_t begin, size_t end, const PairShape& shape, bool has_colons,
                      BodyPairs& pairs);

}  // namespace yushi::parsers
