// A newcomer reads this first: RawMessage, what we understood of it (Record), and where it came from (Origin).
//
// The path of a record: a framer cuts a RawMessage out of a connection's bytes; the header reader and the parsers add
// captures and a MessageKind, never copying the bytes; the committer adds index and source_seq; the block builder takes
// the captures out as columns. A record read back from a block or a tail chunk is the same Record again.
//
// Memory   A Record owns nothing: raw, captures and kind live in its Batch (or in what the Batch keeps alive).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/charset.h"
#include "core/record/field.h"

namespace yushi {

// As the leaf entry spells them (design 4.4). Never renumber: chunks and blocks store it.
enum class Transport : uint8_t { udp = 0, tcp, tls, relp, unix_socket, file, journald, http, kafka, internal };
std::string_view transport_name(Transport transport);  // "udp", "tcp", …, "unix", …

// A log's number, given by the store when it first hears of the log; it holds for this run, on disk logs go by name.
// 0 is `default`, 1 is `_audit`.
using LogId = uint32_t;

// What a later part of an over-long message takes from the first one, which alone has a header. Stored with the part,
// so that it is found by the same host though the first part may have gone.
struct PartHead {
  uint64_t first_seq = 0;               // source_seq of the first part; given at commit
  std::string_view host, program, pid;  // empty: the first part has none
  int64_t event_ns = 0;
  uint8_t event_digits = 9, time_inferred = 0;
  uint16_t priority = 0xffff;  // Record::kNoPriority: none
};

// What the messages of one read of one connection share.
struct Origin {
  int64_t received_ns = 0;   // Unix time of the read
  std::string_view source;   // percent-encoded, as in the leaf entry: sender's address without port
  std::string_view address;  // log.source.address
  Transport transport = Transport::tcp;
  LogId log_id = 0;     // where it goes
  uint64_t stream = 0;  // which connection: tells which parts are of one message. 0: of none. Not stored
  // Those below are filled by the committer, and by readers of the store.
  std::string_view log;   // name of the Merkle log, "<tenant>"
  std::string_view node;  // observer.name
  uint64_t commit = 0;    // commit number; orders records across logs
};

// How the bytes of a capture are to be read as a value.
// Blocks store it in three bits; never renumber.
enum class Escape : uint8_t {
  none = 0,
  json = 1,
  structured_data = 2,  // \" \\ \]
  hex = 3,              // auditd: 2F62696E
  lower = 4,            // meant in lower case (ASCII): TCP is tcp
  backslash = 5,        // CEF: \= \| \\ and \n \r \t
  quotes = 6,           // CSV: "" is a quote
  xml = 7,              // &lt; &#10;
};
constexpr Escape kEscapeLast = Escape::xml;

// A span of raw that is the value of a field.
struct Capture {
  uint32_t begin;        // offset in raw
  uint32_t length : 24;  // messages are at most 16 MiB - 1
  uint32_t escape : 8;   // Escape
  const Field* field;

  uint32_t end() const { return begin + length; }
};

// A field with a value that does not stand in the message: what a parser says of all messages of one pattern.
struct ConstantField {
  const Field* field;
  std::string value;  // a field may stand several times: a list
};

// What a parser's pattern says of every message that it matches. Owned by a parser set or a block reader.
struct MessageKind {
  std::string parser;   // "sshd"
  std::string pattern;  // "failed-password"
  std::string dataset;  // event.dataset
  std::vector<ConstantField> constants;
  // Each is a line of an event, which rules are asked of in its place (parsers/joiner.h).
  bool is_line = false;
};

// Bits of RawMessage::marks, stored with the record: what only the moment of receipt could tell. Whoever reads the
// message again goes by them.
enum Mark : uint8_t {
  kTruncated = 1,        // an unfinished last frame, or what the kernel cut
  kByRelay = 2,          // the sender may speak for other hosts: the host of a second header counts
  kHostUnconfirmed = 4,  // the header names another host than this sender did before
  // never stored: of a copy on its way out, in which secrets are hidden (core/filter/secret_mask.h)
  kMaskedSecrets = 128,
};

// One framed message exactly as it arrived. Never changed after.
struct RawMessage {
  std::string_view raw;
  const Origin* origin = nullptr;
  uint16_t part = 0, part_of = 0;  // of an over-long message, from 1; 0 for a whole one. From 2 on nobody reads it
  uint8_t marks = 0;
  const PartHead* part_head = nullptr;  // of a part from 2 on; none: its first part is not known
};

// A RawMessage plus what we understood of it. "Not understood" is kind == nullptr, not an error.
struct Record : RawMessage {
  int64_t event_ns = 0;                            // @timestamp, Unix ns
  std::span<const Capture> captures;               // ascending, not overlapping; the header's first, then the parser's
  const MessageKind* kind = nullptr;               // nullptr: no parser knew the message
  uint32_t message_begin = 0, message_length = 0;  // the `message` field within raw: header cut off, final CR cut off
  uint16_t priority = kNoPriority;                 // PRI
  uint8_t event_digits = 9;                        // of the fraction that the sender gave: 0..9 (receipt time: 9)
  uint8_t time_inferred = 0;                       // TimeInferred bits
  Charset charset = Charset::utf8;                 // of raw, all of it: charset_of(). Captures lie between characters
  std::array<uint8_t, 32> digest{};                // SHA-256 of raw, made on the ingest thread
  // Given at commit.
  uint64_t index = 0;  // leaf index in its log
  uint64_t source_seq = 0;
  // Of an event joined of several lines (parsers/joiner.h): the indexes of them all. Empty: a record, as it is stored.
  std::span<const uint64_t> lines = {};

  static constexpr uint16_t kNoPriority = 0xffff;
  std::string_view message() const { return raw.substr(message_begin, message_length); }
  std::string_view text(const Capture& capture) const { return raw.substr(capture.begin, capture.length); }
};

// A field's value. `text` views into the record, its kind, or the `scratch` given when it was read.
struct Value {
  enum class Type : uint8_t { string, integer, real, boolean, ip, date };
  Type type = Type::string;
  // always there, except date: the value as text; an address as format_ip() has it
  std::string_view text;
  int64_t integer = 0;  // integer, boolean, date (Unix ns)
  double real = 0;
  std::array<uint8_t, 16> address{};  // ip: IPv6, or IPv4 mapped (::ffff:a.b.c.d)
  std::string_view written;           // ip: as the message has it, where `text` is another form of it; else empty
};

// What a client sent in one record's request, decoded and judged once: who asks many questions of that record keeps it,
// and lends it to the Scratch (judge_request()).
struct OddRequest {
  struct Part {
    std::string decoded, plain;
    bool of_target = false;  // of path and parameters: yushi.url.plain has it
    bool sql = false, script = false, command = false;
  };
  const Record* record = nullptr;
  std::vector<Part> parts;
};

// Where among its captures and constants a record has fields of which names: who asks many questions of that record
// notes it, and lends it to the Scratch (note_fields()).
struct FieldPlaces {
  const Record* record = nullptr;
  // By a mix of the name: its first place, and one behind its last.
  std::array<uint16_t, 64> begin, end;

  static size_t mix(std::string_view name) {
    if (name.empty()) return 0;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(name[i]); };
    return (name.size() * 7 + byte(name.size() - 1) * 31u + byte(name.size() / 2)) % 64;
  }
};

// Room for values that do not stand in the record as they are (unescaped, formatted). Reuse it from record to record:
// what it gave out dies with clear().
class Scratch {
 public:
  char* allocate(size_t bytes);
  void clear() {
    next_ = 0;
    used_ = 0;
  }
  // Fields of its record's request are taken from there. nullptr, or it lives until another is lent.
  const OddRequest* odd_request = nullptr;
  // Its record's fields are found there; as above.
  const FieldPlaces* places = nullptr;

 private:
  std::vector<std::vector<char>> blocks_;
  size_t next_ = 0, used_ = 0;
};

// The text that a part of raw, cut out between characters, stands for.
std::string_view decode_part(const Record& record, std::string_view part, Scratch& scratch);
inline std::string_view text_of(const Record& record, std::string_view part, Scratch& scratch) {
  return record.charset == Charset::utf8 ? part : decode_part(record, part, scratch);
}

// Calls visit(const Field&, const Value&) for each field of the record, derived ones too (log.syslog.severity.name,
// organization.name, event.id …), lists as repeated calls, in no promised order. `event.original` is raw as text.
// An integer or ip capture whose text is no such value is left out.
template <class Visit>
void for_each_field(const Record& record, Scratch& scratch, Visit&& visit);

// Calls visit(const Value&) for each value of one field. `name` names a dynamic field; pass field->name otherwise.
// A parser's capture of a field takes the place of the header's (process.pid said twice has the later value).
// Cost: a scan over the captures and constants; no allocation for values that stand in the record.
void visit_field(const Record& record, const Field* field_or_null, std::string_view name, Scratch& scratch,
                 void (*visit)(void* context, const Value& value), void* context);

// False when the record has no value of `yushi.request.*` and `yushi.url.plain`, as nearly all have none: what was sent
// in a request holds nothing but names and values. Cost: a look at the bytes of its target, its referrer and its agent.
bool may_have_odd_request(const Record& record);

// All that `yushi.request.*` and `yushi.url.plain` have, at the cost of decoding it once.
void judge_request(const Record& record, Scratch& scratch, OddRequest* out);

// Cost: about that of one visit_field() of a field that is not there.
void note_fields(const Record& record, FieldPlaces* out);

// Whether the field is (also) told of a record without a capture or a constant: @timestamp, event.dataset, message …
bool is_derived_field(const Field& field);

// The names of those fields whose captures say, with what stands outside raw, all values of this one, itself among
// them. nullopt: all of raw is needed.
std::optional<std::vector<std::string>> fields_behind(std::string_view name);

// Beside its captures, kind and priority: what of a record tells the values of a field, where fields_behind() names the
// captures. Records that are alike in these have the same values of it.
enum class ToldBy : uint8_t { captures, time /* @timestamp */, origin, record /* its place in the log */ };
ToldBy told_by(std::string_view name);

// Whether a record's kind and priority say all that it says of the field, unless it has a capture of it.
bool is_told_by_kind(std::string_view name);

// The first value of a field, for detectors and key making; false when the record has none.
bool first_value(const Record& record, const Field* field, Scratch& scratch, Value* value);

// What the later parts of a message take from its first.
PartHead part_head_of(const Record& first, Arena& arena);

bool parse_ip(std::string_view text, std::array<uint8_t, 16>* address);  // IPv4, IPv6, with zone or brackets: no
// The one text of an address, however it was written: IPv4 (mapped ones too) in four numbers, IPv6 by RFC 5952. Gives
// the length.
constexpr size_t kIpTextMax = 39;
size_t format_ip(const std::array<uint8_t, 16>& address, char* out /* kIpTextMax */);
std::string_view facility_name(int code);  // RFC 5424 table 1: "kern", "user", …
std::string_view severity_name(int code);  // "Emergency" … "Debug", as ECS has them

namespace record_detail {
using VisitAny = void (*)(void* context, const Field& field, const Value& value);
void for_each_field(const Record& record, Scratch& scratch, VisitAny visit, void* context);
}  // namespace record_detail

template <class Visit>
void for_each_field(const Record& record, Scratch& scratch, Visit&& visit) {
  record_detail::for_each_field(
      record, scratch,
      [](void* context, const Field& field, const Value& value) {
        (*static_cast<std::remove_reference_t<Visit>*>(context))(field, value);
      },
      const_cast<void*>(static_cast<const void*>(&visit)));
}

}  // namespace yushi
