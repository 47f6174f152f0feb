// Whether a text that a client sent is HTML or JavaScript that would run in the page of who gets to see it.
//
// Tags are read as a browser's tokenizer does: what follows `<`, its attributes, handlers and addresses that run, and
// what ends an element whose content is text; a tag that only formats (`<b>`, `<a href=/x>`) is none. The same
// where the text leaves a quoted attribute (`" onload=…`). Of script without a tag only calls that attacks make are
// known (`alert(1)`, `document.cookie`, `javascript:` …).
//
// Threads  Pure.
// Cost     Linear: of a tag kTagBytesMax bytes are read.
#pragma once

#include <string_view>

namespace yushi {

// `lowered`: decoded (request_text.h), ASCII in lower case.
bool is_script_injection(std::string_view lowered);

}  // namespace yushi
