// One parser file as read: what it matches, its patterns compiled, its tests. docs/adding-a-parser.md is the manual.
//
// Threads  Immutable once the set is loaded.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/record/record.h"
#include "parsers/grok.h"
#include "parsers/key_table.h"
#include "parsers/parser_set.h"
#include "parsers/pattern.h"

namespace yushi {

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
  };
  std::vector<Condition> conditions;  // all of them
  std::vector<ConstantField> fields;  // those of its kind too
  const EventKind* event = nullptr;   // nullptr: the pattern's
  FilePosition position;
};

enum class Extract : uint8_t { grok, json, key_value };

struct CaptureTarget {
  const Field* field;  // nullptr: the group holds key=value pairs (%{KEYVALUES})
  Escape escape;
  bool is_address = false;  // the field is of type ip
};

struct PatternDefinition {
  std::string name;
  FilePosition position;
  Extract extract = Extract::grok;
  std::optional<Pattern> pattern;       // grok only
  std::vector<CaptureTarget> captures;  // of group 1, 2 …
  std::vector<std::string> expressions; // what each of them matches
  std::vector<const Field*> trusted;    // fields that nobody but the program fills
  std::shared_ptr<const KeyTable> keys;
  std::vector<ConstantField> own_fields;
  const EventKind* event = nullptr;  // nullptr: the file's, or none
  std::vector<Variant> variants;
  std::vector<MessageKind> kinds;   // [0] when no variant holds, [1 + i] of variant i
  std::vector<MessageKind> capped;  // the same for messages with more fields than we take
};

struct ParserTest {
  std::string line;
  int64_t received_ns = 0;
  bool none = false;  // expect: none
  struct Expected {
    const Field* field;               // nullptr: a dynamic field of this name
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
  const Field* repeated = nullptr;  // how often, of `message repeated 3 times: [ … ]`; nullptr: such a message is not unpacked
  bool escapes = false;  // the program writes a quote or backslash that comes from outside with a backslash before it
  struct {
    std::vector<std::string> apps, datasets, files, prefixes;
    std::bitset<256> prefix_bytes;         // with which a message of one of the prefixes begins
    std::vector<std::string> prefix_apps;  // whose prefixes count, as do those of messages without a program; none: anybody's
    std::vector<Transport> transports;
    bool any = false;
  } match;
  std::vector<PatternDefinition> patterns;
  std::vector<ParserTest> tests;
  FilePosition position;
  // Patterns that can begin with this byte, in file order; [256] for the empty message.
  std::array<std::vector<uint16_t>, 257> by_first_byte;
};

struct Problems {
  std::vector<std::string> list;
  void add(const std::string& path, FilePosition at, const std::string& what) {
    list.push_back(path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what);
  }
};

// Reads one file; whatever is wrong goes to `problems`, and what could be read is returned all the same.
std::unique_ptr<ParserDefinition> read_parser_file(const ParserFile& file, Problems& problems);

// What is matched of a message: senders put blanks around it. rsyslog's own RFC 5424 format sends one before it.
std::string_view matched_text(std::string_view message);

bool glob_matches(std::string_view glob, std::string_view text);  // `*` only

}  // namespace yushi
