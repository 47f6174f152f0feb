// Whether a text that a client sent would run a program where a server hands it to a shell, of Unix or of Windows.
//
// The text is read as a shell reads it: where a command can begin (behind `;` `|` `&`, in `$( )` and backquotes, at the
// start), and with the quotes, backslashes, carets and empty expansions taken out that hide a name (`c''at`, `w\get`,
// `ca$@t`). A name that is also a word of English counts only with an argument that is none.
//
// Threads  Pure.
// Cost     Linear: of a word kWordBytesMax bytes are looked at.
#pragma once

#include <string_view>

namespace yushi {

// `lowered`: decoded (request_text.h), ASCII in lower case.
bool is_command_injection(std::string_view lowered);

}  // namespace yushi
