// One message against one parser: asks its patterns, takes what they capture, and settles it.
//
// Private to parsers/, between the choice of a parser (parser_worker.cc) and the record. From a match come the record's
// kind and its captures: places in raw, addresses and times read, tables and variants looked up.
//
// Threads  One owner. What is kept from message to message is rooms, and the last time that was read.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/body/body_reader.h"
#include "parsers/body/body_shape.h"
#include "parsers/body/pair_mapper.h"
#include "parsers/decoded_text.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {

// One `a=b` in a sentence is no key=value message; one column is no table.
constexpr size_t kPairsMin = 2;

// The message that is tried, and what is known of it so far.
struct MatchJob {
  Record& record;
  const Zone& zone;
  Arena& arena;
  std::vector<Capture>& captures;
  bool is_header_capped;
  std::string_view whole;  // the message, decoded where it had to be
  std::string_view text;   // what the patterns see of it: matched_text()
  uint32_t begin = 0;      // where the message stands in raw
  bool is_decoded = false;
  std::optional<ShapedBody> shape = {};  // of `text`, once somebody asked
  size_t shape_of_bytes = 0;             // text's length then: what the text is changes while it is tried
  uint32_t measured_one_in = 0;  // the time in each parser is taken, and stands for so many messages; 0: it is not
  // Its sender is none of those that carry other programs' messages (`keys_app:`): a body that names another program or
  // host than the header is not believed.
  bool is_of_no_carrier = false;
  const ParserDefinition* disbelieved = nullptr;  // whose message it would be
  // What it says of a program is not believed: it is read as names and values, and the record says so.
  bool is_unconfirmed = false;
};

// What stands in rsyslog's `message repeated 3 times: [ … ]`; empty when `text` is no such message.
std::string_view repeated_message(std::string_view text);

class InnerMessage;

class MessageMatcher {
 public:
  // Who understands what stands in the message of another program; nullptr: nobody, and patterns with `message_of:`
  // know nothing.
  void set_inner(InnerMessage* inner) { inner_ = inner; }
  bool has_inner() const { return inner_ != nullptr; }
  // The message as the record says where it stands. False when it is too long to be decoded.
  bool set_text(MatchJob& job);

  // True when a pattern knows the message: then the record has its kind and the captures are appended; else nothing has
  // changed. try_parser() asks also for what a repeated message holds, and for the message with the blanks around it.
  bool try_parser(MatchJob& job, const ParserDefinition& parser);
  bool try_pattern(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern);

  // The time with which the message begins, where neither header nor parser told one.
  void take_leading_time(MatchJob& job);

  static ShapedBody shape_in(MatchJob& job);
  BodyReader& body() { return body_; }

  const ParserDefinition* last_parser() const { return last_parser_; }  // that knew a message
  void set_last_parser(const ParserDefinition* parser) { last_parser_ = parser; }
  uint64_t capped() const { return capped_; }  // messages with more fields than are taken
  void set_capped(uint64_t count) { capped_ = count; }

  // From now on each pattern that is asked is told there; nullptr: no more.
  void tell_asked(std::vector<AskedPattern>* asked) { asked_ = asked; }
  bool tells_asked() const { return asked_ != nullptr; }

 private:
  bool ask_parser(MatchJob& job, const ParserDefinition& parser);
  bool ask_pattern(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern);
  bool try_repeated(MatchJob& job, const ParserDefinition& parser);
  bool try_patterns(MatchJob& job, const ParserDefinition& parser);
  bool try_aloud(MatchJob& job, const ParserDefinition& parser);
  bool take_groups(MatchJob& job, const PatternDefinition& pattern, bool* is_capped);
  bool take_whole_body(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern,
                       bool* is_capped);
  static bool take_structured_data(MatchJob& job, const KeyTable& keys, size_t header);
  bool infer_structured_data(MatchJob& job, const PatternDefinition& pattern);
  bool take_body(MatchJob& job, const PatternDefinition& pattern, Body form, size_t begin, size_t end, size_t pairs_min,
                 bool* is_capped);
  void finish(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern, size_t before,
              bool is_capped);
  static bool is_of(const Capture& capture, const Field* field);
  bool names_its_sender(const MatchJob& job, size_t before);
  uint32_t way_of_dictionary(const Dictionary& dictionary, const ValueTable& table) const;
  uint32_t way_of(const MatchJob& job, const ValueTable& table, size_t before) const;
  static bool holds(const MatchJob& job, const Variant& variant, size_t before);
  bool take_time(MatchJob& job, std::string_view text);

  MatchStack stack_;
  std::array<uint32_t, 2 * Pattern::kGroupsMax> spans_;
  PatternFilter::Found found_;
  BodyReader body_;
  PairMapper mapper_;
  DecodedText decoded_;
  std::vector<Capture> merged_;
  uint64_t capped_ = 0;
  std::vector<AskedPattern>* asked_ = nullptr;
  const ParserDefinition* last_parser_ = nullptr;
  InnerMessage* inner_ = nullptr;

  // The last time read: the lines of a busy web server share their second.
  std::string last_time_text_;
  TimeText last_time_;
  const Zone* last_zone_ = nullptr;
};

}  // namespace yushi::parsers
