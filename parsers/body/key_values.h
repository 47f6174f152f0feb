// key=value text in prose -> pairs: `pid=273 comm="systemd-update"`, `SRC=10.0.0.1`, auditd's msg='op=… res=…'.
//
// A key is a name that stands at the beginning or after a blank or one of , ; | ( [ { '; it may end in a number in
// brackets, as auditd's a1[0]. A value is quoted, or goes to the next blank, or to a comma, semicolon or bar that ends
// it. Free text between pairs is passed over. A body that is a list of pairs as a whole is read by pair_list.h.
//
// Cost   One pass.
#pragma once

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

// Offsets count from text's beginning. Returns how many pairs stood there. `keys` says which bare words have
// a meaning, and whether a backslash between quotes is a plain sign.
size_t read_key_values(std::string_view text, size_t begin, size_t end, const KeyTable& keys, BodyPairs& pairs);

}  // namespace yushi::parsers
