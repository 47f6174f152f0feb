// Text -> Value: how a capture's bytes are decoded (Escape) and read as its field's type.
//
// Errors  None: text that is no value of the type is left out by the caller (read_value gives false).
#pragma once

#include <string_view>

#include "core/record/record.h"

namespace yushi {

// The bytes that `text` stands for. Text without escapes is returned as it is; else it is written into `scratch`.
//   json             \n \t \uXXXX …; a surrogate without its other half becomes U+FFFD, an unknown escape stays
//   structured_data  \" \\ \] ; any other backslash stays (RFC 5424 section 6.3.3)
//   hex              pairs of digits; a NUL between words (auditd's proctitle) becomes a blank; other text stays
std::string_view decode_escape(std::string_view text, Escape escape, Scratch& scratch);

// Reads `text` as a value of `type`; its text stays `text`, also that of an address. False when it is none: an integer
// that is not decimal or does not fit 64 bits, an address that is none, a boolean other than true/false/yes/no/1/0.
// Every text is a keyword, a text and a date (a date stays text: its zone is not known here).
bool read_value(std::string_view text, FieldType type, Value* value);

}  // namespace yushi
