// Which form a message's body has, and where it begins: by its first signs, before anything is read.
//
// A body may stand behind a short lead: `@cee:`, a tag, `policy_detail: `, `[ALERT] `, and JSON before a few bytes of
// rubbish. Pairs inside of prose are no body: what stands before them must be one word that is none of a sentence
// (`RUN_INFO`), or end in a sign that parts (`:`, `;`, `]`, `>` …).
//
// Cost  20 to 100 ns.
#pragma once

#include <string_view>

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

struct ShapedBody {
  Body form = Body::none;
  size_t begin = 0, end = 0;
};

// A guess: the reader of the form has the last word.
ShapedBody shape_of(std::string_view text);

}  // namespace yushi::parsers
