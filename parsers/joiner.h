// Lines -> events: auditd's records of one serial, a stack trace, an entry of a slow log become one record.
//
// The committer hands its records here before the detectors see them; `yushi parse --events` and `yushi search
// --events` do the same with lines of a file and of the store. Which lines belong together stands in the parser files
// (join_rule.h).
//
// What is stored does not change: a record's fields come from its own bytes. A joined event is derived, a Record that
// no store has: raw is the first line with the messages of the others behind it, joined by line feeds; captures and
// kind are put together of all its lines (or given anew by a pattern that is `whole: true`); `lines` has their indexes.
// In a joined record captures may overlap: `message` goes on over all lines.
//
// Order     Lines are joined in commit order within one (log, source, host, program); a line without a header goes on
//           with its source's last event, unless another product's parser knows it. The clock is the lines' own
//           receipt, and of each log by itself: the same commits give the same events, also log by log, and when a tick
//           comes changes nothing but how soon an event is given. A line of the same kind from the same host that
//           happened 2 s later closes an event as well: an old log may come faster than receipt tells.
// Memory    Bounded: lines and bytes of one event, open events and their bytes of one log. What meets a bound is cut:
//           it is given as it is, counted, and its next line begins another event.
// Threads   One owner.
// Cost      A record without a rule: one look into a small table of kinds, and a key where its source has an event
//           open.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/bytes.h"
#include "core/record/batch.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {

struct JoinerOptions {
  bool by_receipt = true;  // an event ends 2 s after its first line came; false: lines of a file, which were all there
  size_t lines_max = 64;
  // Of a log: events open at once, and the bytes that they hold.
  size_t open_max = 1024;
  size_t open_bytes_max = 16 << 20;

  static JoinerOptions of_file() { return {false, 1024, 1024, 64 << 20}; }
};

struct JoinedEvent {
  std::shared_ptr<const Batch> owner;  // of what `record` views into, together with the Joiner
  Record record;                       // index is that of the first line
};

class Joiner {
 public:
  explicit Joiner(std::shared_ptr<const ParserSet> set, JoinerOptions options = {});
  ~Joiner();

  // Records of another batch follow: what was remembered of the last one's kinds and origins by address is forgotten.
  void begin();
  // True: the record is a line of an event that closed() gives, now or later. False: it is an event by itself, and is
  // not kept. The record has captures and origin->log; `zone` is for times that a whole event has.
  bool add(const Record& record, const std::shared_ptr<const Zone>& zone);
  // What is not longer waited for at this time of receipt is closed.
  void advance(int64_t received_ns);
  void close_all();
  // Closed since the caller last emptied it, in the order in which they closed.
  std::vector<JoinedEvent>& closed() { return closed_; }

  // The open events as they are now, by the indexes of their lines. load() takes them over into a new Joiner: it waits
  // for those records, which restore() is given in ascending order, before any that came later; what then still lacks a
  // line is dropped by restored(). False: the bytes are not ours.
  void save(std::string& out) const;
  bool load(Reader& in);
  // the first record that restore() waits for; the largest number: none
  uint64_t wanted_from(std::string_view log) const;
  void restore(const Record& record, const std::shared_ptr<const Zone>& zone);
  void restored();

  size_t open() const;
  // Receipt time of the first line of the oldest open event that is joined by fields; INT64_MAX: none is open.
  int64_t waits_since() const;
  uint64_t cut() const { return cut_; }
  // Index of the first line of the oldest open event; the largest number when none is open. Of a single log only.
  uint64_t oldest_open() const;

 private:
  struct Key {
    std::string text;
    uint64_t hash = 0;

    bool operator==(const Key&) const = default;
  };
  struct Open {
    size_t missing = 0;            // lines that restore() still waits for
    std::shared_ptr<Batch> batch;  // its lines, kinds interned
    const JoinRule* rule = nullptr;
    std::shared_ptr<const Zone> zone;
    Key key;
    uint64_t writer = 0;   // hash of who wrote its lines; the key's too where lines follow each other
    Open* next = nullptr;  // in Log::places
    uint64_t teller = 0;   // hash of sender, host and rule
    std::list<Open>::iterator self;
    std::string_view last;  // text of the last line
    int64_t deadline_ns = 0;
    size_t bytes = 0;
    bool has_ended = false;  // by its end mark; it waits for one more line of its serial
  };
  using Events = std::list<Open>;  // in the order of their first lines
  struct Log {
    int64_t clock_ns = INT64_MIN;
    Events events;
    // By hash, so that a record of a writer without an open event, as most are, is told by one look.
    std::array<Open*, 4096> places{};
    std::array<uint16_t, 4096> marks{};  // of each place: 1 << m for each of its events, m = mark_of(its hash)
    std::unordered_map<std::string, Key> last_key;  // by source: where a line without a header goes on
    std::vector<Open*> ended;
    std::unordered_map<uint64_t, std::vector<Open*>> of_teller;  // by Open::teller, in the order of their first lines
    size_t in_sequence = 0;                                      // open events whose rule is not `by`
    size_t bytes = 0;

    Open*& place(uint64_t hash) { return places[hash % 4096]; }
    static uint16_t mark_of(uint64_t hash) { return static_cast<uint16_t>(1u << (hash >> 60)); }
    bool has(uint64_t hash);
    Open* find(const Key& key);
    void add(Open& event);
    void remove(Open& event);
  };

  struct Seen {
    const MessageKind* kind = nullptr;
    const JoinRule* rule = nullptr;
    const MessageKind* mine = nullptr;  // interned; nullptr: not yet
    bool is_carried = false;            // in another program's message, whose parser has no rule
    bool is_generic = false;            // known by its form alone
  };
  Seen look_at(const MessageKind* kind) const;
  Seen& seen(const MessageKind* kind);
  const JoinRule* rule_of(const Record& record);
  const MessageKind* intern(const MessageKind* kind);
  void make_writer_key(const Record& record);
  bool add_fields_to_key(const Record& record, const JoinRule& rule);
  Key* last_key(Log& log, const Record& record, bool to_write);
  const MessageKind* merged(const std::vector<const MessageKind*>& kinds, const JoinRule& rule, bool collects,
                            const std::vector<uint32_t>& ways);
  std::vector<uint32_t> ways_of(const Record& record, const JoinRule& rule);
  Log& log_of(const Record& record);
  void advance(Log& log, int64_t received_ns);
  bool add_by(Log& log, const Record& record, const JoinRule& rule, const std::shared_ptr<const Zone>& zone);
  bool is_of_another(const Record& record, const Open& event);
  bool add_in_sequence(Log& log, const Record& record, const JoinRule* rule, const std::shared_ptr<const Zone>& zone);
  Open* open(Log& log, const Record& record, const JoinRule& rule, const std::shared_ptr<const Zone>& zone,
             uint64_t writer);
  Open& new_event(Log& log);
  void drop(Log& log, Open& event);
  void hold(Log& log, Open& event, const Record& record);
  bool append(Log& log, Open& event, const Record& record);
  void close(Log& log, Open& event);
  void close_before(Log& log, const Record& record, const JoinRule& rule);
  void give(Open& event);
  Record join(Open& event);
  std::string_view line_text(const Record& record);

  std::shared_ptr<const ParserSet> set_;
  const LoadedParsers& parsers_;
  const JoinerOptions options_;
  const JoinRule* any_ = nullptr;  // of lines of a log file that no parser with a rule knows
  ParserWorker worker_;
  std::map<std::string, Log, std::less<>> logs_;
  std::map<int64_t, size_t> waiting_;  // open events that are joined by fields: how many, by receipt of the first line
  Events spare_;                       // with the memory that they had
  std::vector<JoinedEvent> closed_;
  uint64_t cut_ = 0;

  // Kinds of the lines of events, by parser and pattern: copies, since those of stored batches die with them.
  std::unordered_map<std::string, std::vector<std::unique_ptr<MessageKind>>> kinds_;
  std::unordered_map<std::string_view, const JoinRule*> rules_;  // by the parser's name
  std::map<std::pair<std::string, uint64_t>, Open*> wanted_;     // by log and index: lines that restore() waits for
  // By the kinds of the lines, whether values are collected, and what the rule's tables say.
  struct MergedKey {
    std::vector<const MessageKind*> kinds;
    bool collects;
    std::vector<uint32_t> ways;
    auto operator<=>(const MergedKey&) const = default;
  };
  std::map<MergedKey, std::unique_ptr<MessageKind>> merged_;
  std::array<Seen, 256> seen_{};
  const Origin* last_origin_ = nullptr;
  Log* last_log_ = nullptr;
  Key* last_key_ = nullptr;  // in last_log_, of last_origin_'s source
  Key key_;                  // of the record at hand
  Scratch scratch_;
  std::string text_;
};

// Puts events in the place of the lines of a batch that is all there is, as detectors are shown them. Its records have
// an index and origin->log.
void join_lines(Batch& batch, std::shared_ptr<const ParserSet> set);

}  // namespace yushi::parsers
