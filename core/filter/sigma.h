// A Sigma rule's `detection:` compiled to the same Filter that an auditor's query becomes.
//
// detect/ reads the YAML and hands the tree over as SigmaValue: core/ knows no YAML. What is here: search identifiers
// (maps, lists of maps, lists of keywords), field modifiers, wildcards and escapes, and the condition grammar. Log
// sources, correlations, levels and the rest of a rule are detect's.
//
//   map    all of its entries                      list of maps / of keywords    any of them
//   field with a list    any element; with |all every one
//   modifiers            contains startswith endswith all re (re|i re|m re|s) cidr gt gte lt lte neq exists cased
//                        windash base64 base64offset wide utf16 utf16le utf16be fieldref expand
//                        minute hour day week month year, in UTC (|hour|gte: 22)
//   values               `*` any characters, `?` one; `\*` `\?` `\\` escapes; null = the field is missing or empty
//   condition            and or not ( ) NAME, `1 of PATTERN`, `all of PATTERN`, `N of PATTERN`, `… of them`; a list =
//   any
//                        (`them` and a pattern leave out names that begin with `_`, as the specification has it)
//
// Plain strings fold case (simple folding); `re` does not unless |i; |cased does not. A number in the rule equals a
// field's value by its text or, on number fields, by value. On a list field, any element.
//
// Errors   refused, never an approximation: right Sigma that is not done here, as a modifier that needs what we have
//          not (|expand of a placeholder without a list), a field without a place in ECS, a regex that RE2 refuses (the
//          message names the construct: look-around, back-reference …), a condition that aggregates. invalid: wrong in
//          any Sigma, as a modifier that nobody knows or a condition that does not parse or names nothing. The message
//          begins with "LINE:COLUMN: " when the value has them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter.h"

namespace yushi {

struct SigmaEntry;

// A node of the rule's tree, as a YAML reader sees it: untagged plain scalars typed by YAML's core schema, quoted ones
// are strings. `text` is always there for scalars, as written (`007` stays `007`).
struct SigmaValue {
  enum class Type : uint8_t { null, boolean, integer, real, string, list, map };
  Type type = Type::null;
  std::string text;
  int64_t integer = 0;  // integer; boolean: 0 or 1
  double real = 0;
  std::vector<SigmaValue> items;    // list
  std::vector<SigmaEntry> entries;  // map, in the file's order
  int line = 0, column = 0;         // 1-based, of its key in a map; 0: not known
};

struct SigmaEntry {
  SigmaEntry(std::string key, SigmaValue value) : first(std::move(key)), second(std::move(value)) {}
  std::string first;
  SigmaValue second;
};

// Sigma's field names -> ours, by the rule's log source.
struct SigmaFields {
  // The fields that hold this Sigma field's value; several mean: any of them may hold it. Empty means that there is no
  // such field, which is an error of the rule. Names need not be interned: a dynamic field is compared by name.
  std::function<std::vector<std::string>(std::string_view sigma_field)> find;
  // Where keywords (values without a field) are looked for, as substrings.
  std::vector<std::string> keyword_fields = {"event.original"};
  // The error of a field that find() does not have; not there: it has no place here, and is refused.
  std::function<Error(std::string_view sigma_field)> missing = {};
  // What |expand puts in the place of %name%, any of them; nullptr: there is no list of this name, and it is refused.
  std::function<const std::vector<std::string>*(std::string_view name)> placeholder = {};
};

// `detection` is the map under `detection:`, with `condition`. `timeframe` in it is left to the caller.
Result<Filter> compile_sigma(const SigmaValue& detection, const SigmaFields& fields);

// `process.args[2]` is a list field and which of its values; other names, which may have brackets too, are as they are.
std::string_view without_place(std::string_view field, int32_t* nth = nullptr);

struct RequiredLiteral {
  std::string text;       // folded
  const Field* field;     // that is asked for it; nullptr: one that is known by name only
  bool at_begin, at_end;  // of its value
};
// Sets of literals: of each set at least one must stand in a value of its field, for the filter to match: in raw, in
// the decoded text of a capture with an Escape, in the decoded request (yushi.url.decoded, yushi.url.plain,
// yushi.request.plain), or in a constant of the record's kind. At most kRequiredSetsMax, the rarest first; none:
// nothing is known to be required. A prefilter over all rules asks these: it may err towards trying a rule, never the
// other way.
inline constexpr size_t kRequiredSetsMax = 3;
std::vector<std::vector<RequiredLiteral>> required_literals(const Filter& filter);

}  // namespace yushi
