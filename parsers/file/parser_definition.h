// One parser file as read: what it matches, its patterns compiled, its tests. docs/adding-a-parser.md is the manual.
//
// Threads  Immutable once the set is loaded.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/record/record.h"
#include "parsers/body/body_reader.h"
#include "parsers/file/dictionary.h"
#include "parsers/file/join_rule.h"
#include "parsers/file/key_table.h"
#include "parsers/file/row_table.h"
#include "parsers/parser_set.h"
#include "parsers/pattern/grok.h"
#include "parsers/pattern/pattern.h"
#include "parsers/pattern/pattern_filter.h"
#include "parsers/pattern/pattern_kinds.h"

namespace yushi::parsers {

ConstantField capped_message();  // error.message of a message with more fields than we take

// Where something stands in a parser file, from 1.
struct FilePosition {
  int line = 0, column = 0;
};

struct EventKind;
// A constant that depends on what was captured: res=failed -> event.outcome: failure. The first that holds is taken.
struct Variant {
  std::string name;
  struct Condition {
    const Field* field;
    std::vector<std::string> globs;  // any of them; `*` stands for any characters
    bool is_none_of = false;         // it has a value, and none of them
  };
  std::vector<Condition> conditions;  // all of them
  std::vector<ConstantField> fields;  // those of its kind too
  const EventKind* event = nullptr;   // nullptr: the pattern's
  FilePosition position;
};

struct PatternDefinition {
  std::string name;
  FilePosition position;
  bool whole = false;              // asked for the text of an event of several lines, and for no line
  Body extract = Body::none;       // the whole message is a body; none: grok
  std::optional<Pattern> pattern;  // grok only
  std::vector<RegexNode> tree;     // of it, while the set is loaded; none when only RE2 speaks it
  BodyShape shape;
  bool is_generic = false;                // its parser is
  std::vector<BodyCondition> conditions;  // on what stands in the body; all of them
  std::vector<CaptureTarget> captures;    // of group 1, 2 …
  std::vector<std::string> expressions;   // what each of them matches
  std::vector<const Field*> trusted;      // fields that nobody but the program fills
  std::shared_ptr<const KeyTable> keys;
  std::vector<ConstantField> constants;  // of the file and of the pattern, those of its kind of event too
  const EventKind* event = nullptr;      // nullptr: the file's, or none
  std::vector<std::shared_ptr<const ValueTable>> tables;
  std::shared_ptr<const Dictionary> dictionary;  // of generic parsers' bodies
  std::vector<Variant> variants;
  std::unique_ptr<PatternKinds> kinds;  // by combination, see kind_of()
  // Fields of which the first that is there names the program whose line the captured `message` is; none: it is no
  // program's.
  std::vector<const Field*> message_of;
  // Of these: fields of which the first that is there says which program wrote the line, by the word of who carries it;
  // and the one that has the number of the account that ran it. nullptr: nobody knows.
  std::vector<const Field*> written_by;
  const Field* written_by_id = nullptr;
  std::unique_ptr<InnerKinds> inner_kinds;  // there when message_of is

  // Without `capped` and `unconfirmed`. A pattern of more than kCombinationsMax is refused, and so the product fits.
  uint64_t combinations() const;
};

struct ParserTest {
  std::string line;         // of `lines:`, those joined by a line feed: they must be one event
  bool is_event = false;    // of several lines
  bool has_header = false;  // the line is a whole one: its syslog header is read first
  int64_t received_ns = 0;
  bool none = false;  // expect: none
  struct Expected {
    const Field* field;  // nullptr: a dynamic field of this name
    std::string name;
    std::vector<std::string> values;  // none: the field must be absent
    FilePosition position;
  };
  std::vector<Expected> expected;
  FilePosition position;
};

struct ParserDefinition {
  std::string name, about, dataset, format, path;
  std::vector<std::string> aliases;
  bool generic = false;
  // how often, of `message repeated 3 times: [ … ]`; nullptr: such a message is not unpacked
  const Field* repeated = nullptr;
  // The programs that write its lines. Where it is known that another one wrote a line, it is none of these.
  std::vector<std::string> writers;
  bool escapes = false;  // the program writes a quote or backslash that comes from outside with a backslash before it
  struct {
    std::vector<std::string> apps, tags, datasets, files, prefixes;
    // whose prefixes count, as do those of messages without a program; none: anybody's
    std::vector<std::string> prefix_apps;
    // the same of keys, and of any; in lower case
    std::vector<std::string> keys_apps, any_apps;
    std::vector<Transport> transports;
    std::vector<std::string> keys;  // any program's message whose body has all of these names
    bool any = false;
    // asked only for what no other parser knows and no body holds: one that knows any line of its programs
    bool last = false;
  } match;
  std::optional<JoinRule> join;  // nullopt: each line is an event
  std::vector<PatternDefinition> patterns;
  std::vector<ParserTest> tests;
  bool has_tests = true;  // false: they were not asked for
  FilePosition position;
  PatternFilter filter;                  // which of the patterns to ask, in file order
  std::vector<uint16_t> whole_patterns;  // in file order
  // Time in it, ns, by samples: written by all that measure; shared with the sets before and after this one.
  mutable std::shared_ptr<std::atomic<uint64_t>> cost_ns = std::make_shared<std::atomic<uint64_t>>(0);
};

// `over` takes the place of a field's values in `under`.
std::vector<ConstantField> merged(const std::vector<ConstantField>& under, const std::vector<ConstantField>& over);

// Kinds of messages that one file may have: tables' outcomes × variants, summed over its patterns.
constexpr uint64_t kCombinationsMax = 65'536;

// What became of one message: each table's way, the variant from 1 (0: none), whether it names a program that did not
// send it, and whether it has more fields than we take. Fold the ways in their order, then the rest.
struct Combination {
  uint32_t number = 0;
  void add(uint32_t way, uint32_t ways) { number = number * ways + way; }
};
const MessageKind* kind_of(const ParserDefinition& parser, const PatternDefinition& pattern, Combination combination);

// What parser files share, by name; what stands in its file wrongly is there as far as it is right.
struct SharedParts {
  std::map<std::string, std::shared_ptr<const RowTable>, std::less<>> tables;
  std::map<std::string, std::vector<std::string>, std::less<>> programs;  // lists of them
  GrokMacros macros;                                                      // a file's own take their place
};

struct Problems {
  std::vector<std::string> list;
  void add(const std::string& path, FilePosition at, const std::string& what) {
    list.push_back(path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what);
  }
};

// Reads one file; whatever is wrong goes to `problems`, and what could be read is returned all the same.
std::unique_ptr<ParserDefinition> read_parser_file(const ParserFile& file, const SharedParts& shared,
                                                   Problems& problems, bool with_tests);

// Of a generic parser: its bodies are read by the dictionary too.
void use_dictionary(ParserDefinition& parser, const std::shared_ptr<const Dictionary>& dictionary);

// Reads a shared table (`table: name`), a list of programs (`programs: name`) or macros (`macros:`) into `shared`.
void read_shared_file(const ParserFile& file, SharedParts& shared, Problems& problems);
// When all of them are read: macros lean on each other.
void check_shared_macros(const std::vector<ParserFile>& files, const SharedParts& shared, Problems& problems);

// What is matched of a message: senders put blanks around it. rsyslog's own RFC 5424 format sends one before it.
std::string_view matched_text(std::string_view message);

bool glob_matches(std::string_view glob, std::string_view text);  // `*` only

}  // namespace yushi::parsers
