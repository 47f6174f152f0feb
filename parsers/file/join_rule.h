// `join:` of a parser file: which lines are one event. docs/adding-a-parser.md is the manual, parsers/joiner.h does it.
//
// Threads  Immutable once read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/record.h"
#include "parsers/file/row_table.h"

namespace re2 {
class RE2;
}
namespace YAML {
class Node;
}

namespace yushi::parsers {

// Whether an expression of RE2 is found in a line; one that was not given is found in none.
class LineTest {
 public:
  static Result<LineTest> compile(const std::string& regex);  // invalid with RE2's own words
  bool given() const { return regex_ != nullptr; }
  bool found_in(std::string_view line) const;

 private:
  std::shared_ptr<const re2::RE2> regex_;
};

struct JoinRule {
  // A line known by this parser begins an event. Which later ones of the same log, source and program belong to it:
  LineTest first;                // all but those that match this: a line of this kind begins an event
  LineTest follows;              // those that match this
  LineTest announces;            // whatever comes next, after a line that matches this
  std::vector<const Field*> by;  // those with the same values here, whatever stands between them
  LineTest end;                  // this line is the event's last; a first line that matches it is alone
  // A line of a log file that no parser with a rule of its own knows begins an event too.
  bool any = false;

  // How their fields become the event's: lines that meet the first of these stand before those that meet the second,
  // and so on; of lines that meet none the earlier one. A field's value is that of the line that has it first.
  struct Precedence {
    const Field* field;
    std::vector<std::string> globs;
  };
  std::vector<Precedence> order;
  // All different values that the lines have in one field, as a list in another one, or in that field itself: `to` is
  // then the field of the same name that is a list.
  struct Collected {
    const Field* from;
    const Field* to;
    bool in_place() const { return from->name == to->name; }
  };
  std::vector<Collected> collect;
  // Constants by values of the event's fields; they take the place of its lines' own.
  std::vector<std::shared_ptr<const ValueTable>> tables;
  // A list of words, as of a command: `a1[0]=… a1[1]=…` are one word in pieces, which the event has whole; and the
  // field that has all words as one text. nullptr: there is none.
  const Field* words = nullptr;
  const Field* text_of_words = nullptr;
  const Field* text_without_words = nullptr;  // what is taken for that text in an event that has no words
  std::vector<std::string> with;              // other parsers whose fields count where they know a line

  bool by_fields() const { return !by.empty(); }
  // Does `line` go on with an event whose last line so far is `last`?
  bool goes_on(std::string_view last, std::string_view line) const;
};

// How the parser file is read around it: names of fields, macros in expressions, and where problems go.
struct JoinReading {
  std::function<const Field*(const std::string& name, const YAML::Node& at)> field;
  std::function<Result<std::string>(const std::string& regex)> expand;
  std::function<std::vector<std::shared_ptr<const ValueTable>>(const YAML::Node& node)> tables;
  std::function<void(const YAML::Node& at, const std::string& what)> problem;
};
JoinRule read_join_rule(const YAML::Node& node, const JoinReading& reading);

}  // namespace yushi::parsers
