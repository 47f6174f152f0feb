// The line of a program that stands as a value in the message of another: MESSAGE of the journal, `log` of Docker's
// files.
//
// A pattern with `message_of:` takes the value to the field `message`. It is understood as if that program had sent it
// by syslog, by another worker of the same set, and the record has the fields of both: of what a syslog header would
// say (time, host, program, pid) the outer message's word counts, of all else the inner one's; a product's parser also
// says which process it speaks of, as the audit system does. Private to parsers/, behind MessageMatcher.
//
// Who carries a line may know who wrote it (`written_by:`), as the journal has it from the kernel. Where that is none
// of the programs that write such lines (`writers:` of that program's parsers), the line is not believed: it is the
// outer message's text, and the record is marked.
//
// Threads  One owner. What is kept from message to message is rooms, and which kinds have met.
// Cost     That of the inner message, the copy of it, and a look-up of the two kinds.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "parsers/body/unescaped.h"
#include "parsers/message_matcher.h"

namespace yushi::parsers {

class InnerMessage {
 public:
  // Who knew a line, nullptr: nobody; and which programs write the lines of the program that it is said to be of.
  struct Known {
    const ParserDefinition* by = nullptr;
    const std::vector<std::string>* writers = nullptr;
    const ParserDefinition* disbelieved = nullptr;  // whose it says that it is
  };
  // Understands a record by all parsers but those with inner messages.
  using Parse = std::function<Known(Record&, const Zone&, Arena&, std::vector<Capture>&)>;
  explicit InnerMessage(Parse parse) : parse_(std::move(parse)) {}

  // job.captures from `before` on are those of `pattern`, which knew the message. False, and nothing changed, when
  // nobody knows what it holds.
  bool take(MatchJob& job, const PatternDefinition& pattern, size_t before);

 private:
  // Whether what carries the line knows of its writer nothing that speaks against what the line says.
  static bool is_confirmed(const MatchJob& job, const PatternDefinition& pattern, size_t before, const Known& known,
                           const Record& inner, const std::vector<Capture>& said);
  void put_back(Capture& capture, const Capture& message, uint32_t lead, bool is_escaped) const;
  const MessageKind* kind_of(const PatternDefinition& pattern, const MessageKind& outer, const MessageKind& inner);

  Parse parse_;
  Unescaped unescaped_;
  std::string text_;  // the program's name, a blank, its line
  std::vector<Capture> captures_, merged_;
  struct PairHash {
    size_t operator()(const std::pair<const MessageKind*, const MessageKind*>& pair) const {
      return reinterpret_cast<uintptr_t>(pair.first) * 31 + reinterpret_cast<uintptr_t>(pair.second);
    }
  };
  std::unordered_map<std::pair<const MessageKind*, const MessageKind*>, const MessageKind*, PairHash> known_kinds_;
};

}  // namespace yushi::parsers
