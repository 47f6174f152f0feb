// A record as detectors see it: what kind of event its message tells of (docs/events.md), and when it counts.
//
// No product is named here, nor in a detector: kinds, categories, actions and outcomes are what parsers say of all of
// them.
//
// Memory   Views into the record and its kind.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time_text.h"
#include "core/record/record.h"
#include "detect/memory/lru.h"

namespace yushi::detect {

// What all messages of one kind say of what happened.
struct EventKind {
  // Which of the lines about a login this is.
  enum class Login : uint8_t {
    none,
    whole,     // it says by itself that somebody got in, or did not
    failure,   // a step: only that somebody did not
    admitted,  // a step: the account is good; of a program that lets people in somebody got in, else nothing
  };

  const MessageKind* message = nullptr;
  std::string_view name;    // yushi.event: "login"; empty: the parser says none
  std::string_view action;  // event.action and event.outcome; empty: not the same for all of them
  std::string_view outcome;
  Login login = Login::none;
  // Of a login: the way it is told, the same for a line and for one that says it came several times; and the field that
  // says how often.
  std::string_view way;
  const Field* repeated = nullptr;
  // The parser's own fields, where it has them. Of who tells of login sessions the number and the name of the account
  // that logged in, and the number that the teller gave the event (`sequence`).
  const Field *login_number = nullptr, *login_name = nullptr, *serial = nullptr;
  // What is counted by itself where one teller has several such counters: a channel of Windows' events.
  const Field* counted_in = nullptr;
  // The number of a login session, by who opens it.
  const Field* session = nullptr;
  const Field *terminal = nullptr, *method = nullptr, *logon_type = nullptr;

  bool is_of_bastion = false;  // a session that a bastion opened, on the host of destination.domain
  // An act for which a key or token is shown, as to a cloud, to Kubernetes, or to a database whose connections are not
  // logged: nothing else tells that its account was let in, and from where.
  bool shows_key = false;
  bool is_of_who_is_in = false;  // where it does not say whether it succeeded: it is told only of who was let in
  bool is_on_a_host = false;     // of a cluster or a cloud it is no matter which machine answers
  bool is_of_cloud = false;      // its parser names the provider; the record's host only carries its log

  bool has_category(std::string_view category) const;
  bool is_command() const { return name == "command" || name == "process-started"; }
};
EventKind event_kind_of(const MessageKind& kind);

// A login or an attempt to log in.
struct LoginEvent {
  int64_t at_ns = 0;        // CountedTime
  bool of_receipt = false;  // which is the receipt's: the record has no time of its own
  uint64_t index = 0;
  bool success = false;
  std::string_view user;    // empty when the record has none
  std::string_view source;  // source.ip as text, or the name; empty when the record has none
  std::string_view host;    // empty when the record has none
  std::string_view way;     // of the message, to tell two lines of one attempt from two attempts
  uint64_t times = 1;       // a line may stand for several attempts: `message repeated 5 times: [ Failed password …]`
  std::string_view teller;  // event.dataset: two programs may tell of one login
  bool by_act = false;      // EventKind::shows_key: there is one for each act
};

// When a record counts, bounded (detect/finding.h).
struct CountedTime {
  int64_t at_ns = 0;        // event time, or the receipt's where the sender's clock is not believed
  bool of_receipt = false;  // the record has no time of its own, or none to be believed
};
CountedTime counted_time(const Record& record);

// The same on the clocks of a tenant.
struct LocalTime {
  int64_t seconds, day;  // since 1970-01-01 there
  int hour;              // of that day
};
LocalTime local_time(int64_t at_ns, const Zone& zone);

// The first value of a field, its first bytes; empty: there is none, or no such field. A view into the record or into
// `scratch`, which it clears.
std::string_view first_text(const Record& record, const Field* field, Scratch& scratch,
                            size_t bytes_max = std::string::npos);
// The same, to be kept.
std::string kept_text(const Record& record, const Field* field, size_t bytes_max = kNameBytesMax);

struct Event {
  const Record& record;
  const EventKind& kind;
  std::string_view log;
  CountedTime counted;
  std::string_view host;  // host.name; empty when the record has none
  // Of a kind with a `login`, when the record says with what outcome, and of a success who and from where; of an act
  // for which a key is shown when it says these and that it was not refused.
  const LoginEvent* login = nullptr;
  // Whose act it is, once somebody asked (detect/behaviours/actors.h).
  mutable std::optional<std::string> actor = {};
};
// host.name; empty when the record has none. May view into `scratch`, which it clears.
std::string_view host_of(const Record& record, Scratch& scratch);
// Programs that open a session for who was let in, and only for him.
bool lets_people_in(std::string_view executable);
// Views into `scratch` too.
std::optional<LoginEvent> login_of(const Event& event, Scratch& scratch);

}  // namespace yushi::detect
