// Grok: `%{IP:source.ip}` -> a regular expression with numbered groups, and what each group is called.
//
// %{NAME} stands for a macro; %{NAME:field} captures it; %{NAME:field:hex} says how the value is written (hex, json,
// lower) %{KEYVALUES}, %{JSON}, %{CEF}, %{LEEF}, %{CSV}, %{XML} and %{NAMES} are groups too, of no field: their text is
// a body. All else is RE2's syntax, but plain groups must be (?:…): captures come from %{…} only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/record.h"
#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

struct GrokCapture {
  std::string field;
  Escape escape = Escape::none;
  Body body = Body::none;  // then `field` is the group's name
  std::string regex;       // what it matches
};

struct GrokPattern {
  std::string regex;
  std::vector<GrokCapture> captures;  // of group 1, 2 …
};

using GrokMacros = std::map<std::string, std::string, std::less<>>;

const GrokMacros& built_in_macros();

// `own` are the file's macros, which may use the built-in ones and each other.
// Errors: invalid for an unknown or circular macro, a capture inside a capture or inside a repetition, a bare group.
Result<GrokPattern> expand_grok(std::string_view grok, const GrokMacros& own);

}  // namespace yushi::parsers
