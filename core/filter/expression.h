// The tree that every filter compiles to, and its evaluator: KQL queries, Sigma rules and a forwarder's `select` alike.
//
// A leaf asks one question about the values of one field; on a list any value may answer it. Numbers, addresses and
// dates compare by value, strings by pattern, text by words.
//
// Invariants  Immutable once built. Depth and size were bounded by whoever parsed it.
// Threads     Any, each with a Scratch of its own.
// Cost        No allocation, virtual call or std::function in evaluate(), whatever the record.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/filter/filter.h"
#include "core/filter/phrase.h"
#include "core/filter/string_pattern.h"
#include "core/record/record.h"

namespace yushi {

enum class Order : uint8_t { equal, less, less_or_equal, greater, greater_or_equal };

struct Number {
  bool is_integer = true;
  int64_t integer = 0;
  double real = 0;
};
// Decimal: `-12`, `3.5`, `1e9`; nothing else. false when `text` is none.
bool read_number(std::string_view text, Number* number);
std::strong_ordering compare_numbers(const Number& a,
                                     const Number& b);  // by value, without rounding; a NaN is the least

// The questions. A value of a type that a question does not speak of answers no.
struct ExistsTest {};
struct WordsTest {  // text: any of these phrases stands in it
  std::vector<Phrase> any_of;
};
struct StringTest {  // any value but a date, by its text
  StringPattern pattern;
};
struct StringOrderTest {  // keyword: before or after in byte order
  Order order;
  std::string operand;
};
struct NumberTest {
  Order order;
  Number operand;
  bool reads_strings;  // a keyword that reads as a number counts as one
};
struct AddressTest {
  std::array<uint8_t, 16> network;
  int prefix_bits;     // 128: this address
  bool reads_strings;  // a keyword that reads as an address counts as one
};
struct DateTest {
  Order order;
  int64_t from_ns, to_ns;            // the span that the query's date names, both inclusive
  std::shared_ptr<const Zone> zone;  // of dates that stand as text without one
};
enum class TimePart : uint8_t { minute, hour, day, week, month, year };  // in UTC; the week is ISO 8601's
struct TimePartTest {                                                    // Sigma's |hour and its kin
  TimePart part;
  Order order;
  int64_t operand;
};
struct BooleanTest {
  bool operand;
};
struct Regex;  // RE2, and what it was made of
struct RegexTest {
  std::shared_ptr<const Regex> regex;
};
struct SameFieldTest {  // Sigma's |fieldref: the other field has a value that this one equals, begins with …
  enum class How : uint8_t { equals, contains, starts_with, ends_with } how;
  const Field* other;
  std::string other_name;
  bool folds;
};

using Test = std::variant<ExistsTest, WordsTest, StringTest, StringOrderTest, NumberTest, AddressTest, DateTest,
                          TimePartTest, BooleanTest, RegexTest, SameFieldTest>;

struct Expression {
  enum class Kind : uint8_t { all, none, all_of, any_of, not_of, test };
  Kind kind = Kind::all;
  std::vector<Expression> children;  // all_of, any_of; one of not_of
  // Of a test:
  const Field* field = nullptr;  // nullptr: known by name only
  std::string name;
  int32_t nth = -1;  // of the field's values only this one, from 0: Sigma's `process.args[2]`; -1: any
  Test test;
  std::vector<uint64_t> tokens;  // hashes that a matching record has for certain, in a block's token filter

  static Expression everything() { return {}; }
  static Expression nothing();
  static Expression all_of(std::vector<Expression> children);  // simplified: none is `everything`, one is itself
  static Expression any_of(std::vector<Expression> children);  // none is `nothing`
  static Expression not_of(Expression child);
  static Expression of(std::string_view name, Test test);  // fills field and tokens
};

// A pattern that RE2 takes; with the construct named invalid when it is broken, refused when it is right in another
// dialect. `folds`: (?i). `dot_newline`: (?s).
Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern, bool folds, bool dot_newline = false,
                                                   bool multi_line = false);

bool evaluate(const Expression& expression, const Record& record, Scratch& scratch);

// Whether a test can hold for a record whose text has the literals that has_literal() says; true of tests of other
// fields.
bool may_hold_in_text(const Expression& test, const HasLiteral& has_literal);

// The same over anything that can give the values of a field by name, such as a row of a table.
using VisitNamed = void (*)(const void* context, std::string_view name, void (*visit)(void*, const Value&),
                            void* visit_context);
bool evaluate_values(const Expression& expression, VisitNamed values, const void* context, Scratch& scratch);

// Fields whose words are not in a block's token filter (record_tokens.h): nothing can be required of it for them.
bool is_outside_token_filter(std::string_view field_name);

}  // namespace yushi
