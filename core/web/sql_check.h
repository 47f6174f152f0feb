// Whether a text that a client sent is SQL that continues a statement of the server's.
//
// The text is cut into tokens as a database would do it, three times: as it stands where a number is expected, and from
// behind its first `'` and first `"`, where it leaves a string. What is asked of the tokens is grammar, not words
// alone: a UNION with a SELECT that selects something, a condition with both its sides, a second statement, a string's
// end followed by a comment, a function that only attackers call. So "select a gift from our union" is no SQL.
//
// Threads  Pure.
// Cost     Linear; some 10 ns a token.
#pragma once

#include <string_view>

namespace yushi {

// `lowered`: decoded (request_text.h), ASCII in lower case.
bool is_sql_injection(std::string_view lowered);

}  // namespace yushi
