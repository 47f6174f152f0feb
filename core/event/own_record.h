// What the daemon says of itself in the log `_audit`: a struct for each kind of record, and one way to JSON and back.
//
// The books, the API and the daemon's steps fill them; the pipeline encodes them when it commits, and from then on they
// are records like any other: ECS JSON, found by any question. `verify` reads them back as structs. Alerts are records
// of `_audit` too, and have their own struct (core/event/alert.h).
//
// Which event.kind, category and type go with an action stands in one table (own_record.cc), and which name each member
// has in one list for both directions.
//
// Errors   Encoding never fails: bytes that are no UTF-8 become U+FFFD. What is none of ours decodes to nullopt.
// Threads  Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace yushi {

// What an input or a source counted in a minute, each by its name in the record; only what is not 0 is said.
constexpr std::array<std::string_view, 17> kCountNames = {"connections_opened",
                                                          "connections_closed",
                                                          "connections_refused",
                                                          "connections_displaced",
                                                          "bytes",
                                                          "messages",
                                                          "empty_lines",
                                                          "frame_resyncs",
                                                          "over_long",
                                                          "truncated",
                                                          "possible_doubles",
                                                          "handshakes_failed",
                                                          "hosts_unconfirmed",
                                                          "kernel_drops",
                                                          "source_drops",
                                                          "input_up",
                                                          "input_down"};
using Counts = std::array<uint64_t, kCountNames.size()>;  // by batch.h's Note::Kind

// `start`: which parser engine gives the fields from here on.
struct EngineStarted {
  uint32_t engine = 0;
};

// `log-context`: from which record on a log's messages are understood how. Later ones take the place of earlier ones
// for all records from theirs on. The one from record 0 on is a log's birth: it is in the commit that first writes the
// log.
struct LogContext {
  std::string log;
  uint64_t first = 0;
  std::string parsers;  // digest of the parser files
  std::string timezone, charset;
  uint32_t engine = 0;
  bool operator==(const LogContext&) const = default;
};
struct LogContexts {
  std::vector<LogContext> contexts;
};

// What was told, by log, ascending by first record; `contexts` are told after it.
using ToldContexts = std::map<std::string, std::vector<LogContext>>;
void take_contexts(const LogContexts& contexts, ToldContexts& told);

// `log-roots`: the last record of `_audit` under each of its checkpoints (core/ledger/log_roots.h).
struct MovedLog {
  std::string log;
  uint64_t size = 0;
  std::string root;  // base64
};
struct LogRoots {
  std::string root;  // base64, over all logs but `_audit`
  uint64_t logs = 0;
  bool more = false;            // the next record goes on; the last one has the root and no list
  std::vector<MovedLog> moved;  // since the signature before; once a store day all of them
};

// `key-rotated`: who signs from here on (core/ledger/key_ring.h).
struct KeyRotated {
  std::string rotation;
};

// `ledger-node`: the minute of the whole node.
struct NodeMinute {
  uint64_t commit = 0, committed = 0;
  int64_t connections_open = 0;
  std::vector<std::string> inputs_up;
  std::map<std::string, Counts> inputs;
  uint64_t gap_seconds = 0;  // that nobody listened before it
  uint64_t committed_before_crash = 0;
};

// `ledger-sources`: the minute of sources of one tenant.
struct SourceMinute {
  std::string source;
  uint64_t committed = 0, committed_bytes = 0;
  Counts counts{};
};
struct SourcesMinute {
  std::string tenant;
  bool before_crash = false;  // only what was committed is known
  std::vector<SourceMinute> sources;
};

// `api-…`: who asked what, and how much was answered.
struct QuestionAsked {
  std::string user, user_id;
  std::string login_id, login_user;  // as which the session began; empty: not known
  std::string tenant;
  std::string question;                           // empty: proofs alone
  std::map<std::string, std::string> parameters;  // of the question
  std::optional<uint64_t> lines;
  std::string error;
  std::map<std::string, uint64_t> proofs;  // asked for with it: how many, by name
};

// `alert-…`: what became of an alert. Its state is what the last act but `alert-held-back` says.
struct AlertAct {
  enum class Kind : uint8_t { taken, closed, acknowledged, held_back };
  static std::string_view action(Kind kind);  // "alert-taken"

  Kind kind = Kind::taken;  // which the action says
  std::string user, user_id;
  std::string login_id, login_user;  // as of QuestionAsked
  std::string tenant;
  std::string id;      // of the alert
  uint64_t index = 0;  // of its record in `_audit`
  std::string closed_as, note;
  // Of an acknowledgement that teaches: what is usual until then. What the alert says of account, host and address.
  std::string usual_until;  // RFC 3339; empty: it teaches nothing
  std::string log, rule, key, account, host, address;
  uint64_t held_back = 0;  // in all, since it was acknowledged

  int64_t usual_until_ns() const;  // 0: it teaches nothing
};
// nullopt for an action that is no act.
std::optional<AlertAct::Kind> alert_act_of(std::string_view action);

// `exception-…`: used since it was told last; ended.
struct ExceptionUse {
  std::string rule, when, owner, until, reason, place;
  uint64_t uses = 0, uses_in_all = 0;
};

// `lists-read`: what is other in the site's lists from this commit on, as detect::list_changes() writes it.
struct ListsRead {
  std::optional<std::string> changes;  // nullopt: more than a record should hold
};

struct OwnRecord {
  std::string action;   // event.action
  std::string message;  // in words
  std::string reason;   // event.reason
  std::optional<bool> succeeded;
  std::vector<std::string> more_types;  // event.type, beside those of the action
  int64_t from_ns = 0, to_ns = 0;       // of a minute; from_ns 0: the first of its store
  std::variant<std::monostate, EngineStarted, LogContexts, LogRoots, KeyRotated, NodeMinute, SourcesMinute,
               QuestionAsked, AlertAct, ExceptionUse, ListsRead>
      about;
};

OwnRecord own_record(std::string action, std::string message);
// What each start commits to `_audit` before anything else. Under the tree it says which engines there were, so that
// nobody can call an edited column that of an engine which this program is not.
OwnRecord start_record(uint32_t engine);

std::string to_json(const OwnRecord& record);  // one line, in ASCII
// nullopt: no JSON, or not said by yushid. A member that has another type than it should keeps its default.
std::optional<OwnRecord> own_record_of(std::string_view json);

}  // namespace yushi
