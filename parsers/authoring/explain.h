// What `parse --explain` says of the parsers that a message was shown to: why each was asked, how far its patterns
// came.
//
// Threads  None kept.
#pragma once

#include <string>
#include <vector>

#include "core/record/record.h"
#include "parsers/parser_set.h"

namespace yushi::parsers {

// Lines, each with its end, indented by two. `asked` is what ParserWorker::tell_asked() gave for this record.
std::string explain_asked(const Record& record, const std::vector<AskedPattern>& asked);

// How far a pattern came on a text: its longest beginning that matches there.
struct PatternReach {
  size_t text_end = 0;  // bytes of the text that this beginning takes at most
  std::string wanted;   // the part of the pattern that did not follow
  bool begins = false;  // something of it matched
};
PatternReach reach_of(const std::string& regex, const std::vector<std::string>& fields, std::string_view text);

}  // namespace yushi::parsers
