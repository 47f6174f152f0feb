#include "parsers/joiner.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/record/value.h"

namespace yushi::parsers {
namespace {

constexpr int64_t kWaitNs = 2'000'000'000;
constexpr size_t kEventBytesMax = 256 << 10;
constexpr size_t kMergedKindsMax = 65'536;
constexpr size_t kSourcesMax = 16'384;                        // of a log, whose last event is remembered
constexpr size_t kTellersMax = 1024;                          // of a log, with nothing open, of which the room is kept
constexpr size_t kSpareMax = 4096, kSpareBytesMax = 8 << 10;  // closed events whose memory the next ones take

// The header's words that tell one writer from another.
bool tells_writer(const Field* field) {
  return field == ecs::host_name || field == ecs::process_name || field == ecs::process_pid;
}

void append_part(std::string& key, std::string_view part) {
  key += part;
  key.push_back('\0');
}

// Of the sender, and of who writes on that machine. Records without a header have one writer a source.
template <class Take>
void for_each_writer_part(const Record& record, Take take) {
  take(record.origin->source);
  for (auto& capture : record.captures) {
    if (capture.end() > record.message_begin) break;
    if (tells_writer(capture.field)) take(record.text(capture));
  }
}

// The first eight bytes of a text, and its last eight where it is longer: enough to tell names apart.
uint64_t hash_on(uint64_t hash, std::string_view text) {
  const auto load = [](const char* at, auto word) {
    std::memcpy(&word, at, sizeof word);
    return uint64_t{word};
  };
  uint64_t first = 0, last = 0;
  const size_t size = text.size();
  if (size >= 8) {
    first = load(text.data(), uint64_t{});
    last = load(text.data() + size - 8, uint64_t{});
  } else if (size >= 4) {
    first = load(text.data(), uint32_t{}) << 32 | load(text.data() + size - 4, uint32_t{});
  } else {
    for (char c : text) first = first << 8 | static_cast<unsigned char>(c);
  }
  hash = (hash ^ first ^ last * 31 ^ size) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

// Of equal writers it is equal.
uint64_t writer_hash(const Record& record) {
  uint64_t hash = 0;
  for_each_writer_part(record, [&hash](std::string_view part) { hash = hash_on(hash, part); });
  return hash;
}

// Of who tells of events by this rule on one machine, whichever of its processes.
uint64_t teller_hash(const Record& record, const JoinRule& rule) {
  uint64_t hash = hash_on(reinterpret_cast<uintptr_t>(&rule), record.origin->source);
  for (auto& capture : record.captures)
    if (capture.field == ecs::host_name) return hash_on(hash, record.text(capture));
  return hash;
}

bool same_constants(const MessageKind& a, const MessageKind& b) {
  return a.dataset == b.dataset &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](auto& x, auto& y) { return x.field == y.field && x.value == y.value; });
}

Record copy_of(const Record& record, Arena& arena) {
  Record out = record;
  out.raw = arena.copy(record.raw);
  auto captures = arena.copy(record.captures);
  for (auto& capture : captures) {
    if (capture.field->id != kDynamicField) continue;
    Field field = *capture.field;
    field.name = arena.copy(field.name);
    capture.field = arena.make(field);
  }
  out.captures = captures;
  return out;
}

}  // namespace

Joiner::Joiner(std::shared_ptr<const ParserSet> set, JoinerOptions options)
    : set_(std::move(set)), parsers_(static_cast<const LoadedParsers&>(*set_)), options_(options), worker_(set_) {
  for (auto& parser : parsers_.parsers())
    if (parser->join) rules_.emplace(parser->name, &*parser->join);
  for (auto& parser : parsers_.parsers())
    if (!any_ && parser->join && parser->join->any) any_ = &*parser->join;
}
Joiner::~Joiner() = default;

void Joiner::begin() {
  seen_.fill({});
  last_origin_ = nullptr;
  last_key_ = nullptr;
}

Joiner::Seen Joiner::look_at(const MessageKind* kind) const {
  const auto own = rules_.find(kind->parser);
  const auto* known = parsers_.find(kind->parser);
  Seen out{kind, own == rules_.end() ? nullptr : own->second, nullptr, false, known && known->generic};
  if (out.rule) return out;
  // A line in another program's message (inner_message.h): the audit system's are joined in the journal too. Lines that
  // only follow each other are not, since what carries them may mix several writers.
  for (auto& [parser, rule] : rules_)
    if (rule->by_fields() && InnerKinds::carries(*kind, parser)) out.rule = rule, out.is_carried = true;
  return out;
}

Joiner::Seen& Joiner::seen(const MessageKind* kind) {
  auto& at = seen_[reinterpret_cast<uintptr_t>(kind) / 64 * 0x9e3779b97f4a7c15u >> 56];
  if (at.kind != kind) at = look_at(kind);
  return at;
}

const JoinRule* Joiner::rule_of(const Record& record) {
  if (record.kind)
    if (const auto* rule = seen(record.kind).rule) return rule;
  return record.origin->transport == Transport::file ? any_ : nullptr;
}

const MessageKind* Joiner::intern(const MessageKind* kind) {
  auto& at = seen(kind);
  if (at.mine) return at.mine;
  auto& list = kinds_[kind->parser + '\0' + kind->pattern];
  auto same = std::find_if(list.begin(), list.end(), [&](auto& one) { return same_constants(*one, *kind); });
  if (same == list.end()) {
    same = list.insert(list.end(), std::make_unique<MessageKind>(*kind));
    (*same)->is_line = false;
  }
  return at.mine = same->get();
}

Joiner::Log& Joiner::log_of(const Record& record) {
  if (record.origin == last_origin_) return *last_log_;
  auto at = logs_.find(record.origin->log);
  if (at == logs_.end()) at = logs_.emplace(std::string(record.origin->log), Log()).first;
  last_origin_ = record.origin;
  last_log_ = &at->second;
  last_key_ = nullptr;
  advance(*last_log_, record.origin->received_ns);
  return *last_log_;
}

void Joiner::advance(Log& log, int64_t received_ns) {
  if (!options_.by_receipt || received_ns <= log.clock_ns) return;
  log.clock_ns = received_ns;
  for (size_t i = 0; i < log.ended.size();) {
    if (log.ended[i]->deadline_ns < received_ns)
      close(log, *log.ended[i]);  // takes it out
    else
      ++i;
  }
  while (!log.events.empty() && log.events.front().deadline_ns < received_ns) close(log, log.events.front());
}

void Joiner::advance(int64_t received_ns) {
  for (auto& [name, log] : logs_) advance(log, received_ns);
}

void Joiner::close_all() {
  for (auto& [name, log] : logs_)
    while (!log.events.empty()) close(log, log.events.front());
}

size_t Joiner::open() const {
  size_t count = 0;
  for (auto& [name, log] : logs_) count += log.events.size();
  return count;
}

int64_t Joiner::waits_since() const {
  return waiting_.empty() ? std::numeric_limits<int64_t>::max() : waiting_.begin()->first;
}

uint64_t Joiner::oldest_open() const {
  uint64_t oldest = std::numeric_limits<uint64_t>::max();
  for (auto& [name, log] : logs_)
    if (!log.events.empty()) oldest = std::min(oldest, log.events.front().batch->records.front().index);
  return oldest;
}

bool Joiner::add(const Record& record, const std::shared_ptr<const Zone>& zone) {
  Log& log = log_of(record);
  if (record.part > 1) [[unlikely]]
    return false;
  const JoinRule* rule = rule_of(record);
  if (!rule) {
    if (log.in_sequence == 0) [[likely]]
      return false;
    if (record.message_begin > 0 && !log.has(writer_hash(record))) [[likely]]
      return false;
  }
  if (rule) close_before(log, record, *rule);
  if (rule && rule->by_fields() && add_by(log, record, *rule, zone)) return true;
  if (add_in_sequence(log, record, rule, zone)) return true;
  if (!rule || !rule->by_fields()) return false;
  // It has none of the fields: an event of its own.
  make_writer_key(record);
  if (auto* event = open(log, record, *rule, zone, key_.hash)) close(log, *event);
  return true;
}

bool Joiner::Log::has(uint64_t hash) {
  // Another's event is told by the mark: the event itself lies far away.
  if ((marks[hash % 4096] & mark_of(hash)) == 0) return false;
  for (auto* event = place(hash); event; event = event->next)
    if (event->key.hash == hash) return true;
  return false;
}

Joiner::Open* Joiner::Log::find(const Key& key) {
  auto* event = place(key.hash);
  while (event && event->key != key) event = event->next;
  return event;
}

// By the lines' own time.
void Joiner::close_before(Log& log, const Record& record, const JoinRule& rule) {
  if (!options_.by_receipt || (record.time_inferred & kAllInferred) != 0) return;
  const auto at = log.of_teller.find(teller_hash(record, rule));
  if (at == log.of_teller.end()) return;
  for (size_t i = 0; i < at->second.size();) {
    Open& event = *at->second[i];
    const Record& first = event.batch->records.front();
    // Which lines follow each other says their rule.
    const bool is_own = !rule.by_fields() && event.writer == writer_hash(record);
    const bool is_over =
        !is_own && (first.time_inferred & kAllInferred) == 0 &&
        first.event_ns<record.event_ns&& static_cast<uint64_t>(record.event_ns) - static_cast<uint64_t>(first.event_ns)>
            kWaitNs;
    const bool is_last = at->second.size() == 1;
    if (is_over)
      close(log, event);  // takes it out
    else
      ++i;
    if (is_over && is_last) return;  // and with it the list
  }
}

void Joiner::Log::add(Open& event) {
  event.teller = teller_hash(event.batch->records.front(), *event.rule);
  auto& of_teller_here = of_teller[event.teller];
  of_teller_here.insert(std::upper_bound(of_teller_here.begin(), of_teller_here.end(), &event,
                                         [](auto* a, auto* b) {
                                           return a->batch->records.front().index < b->batch->records.front().index;
                                         }),
                        &event);
  in_sequence += !event.rule->by_fields();
  event.next = std::exchange(place(event.key.hash), &event);
  marks[event.key.hash % 4096] |= mark_of(event.key.hash);
}

void Joiner::Log::remove(Open& event) {
  const auto of_this = of_teller.find(event.teller);
  std::erase(of_this->second, &event);
  if (of_this->second.empty() && of_teller.size() > kTellersMax) of_teller.erase(of_this);
  auto** at = &place(event.key.hash);
  while (*at != &event) at = &(*at)->next;
  *at = event.next;
  auto& marks_there = marks[event.key.hash % 4096];
  marks_there = 0;
  for (auto* left = place(event.key.hash); left; left = left->next) marks_there |= mark_of(left->key.hash);
  in_sequence -= !event.rule->by_fields();
}

void Joiner::make_writer_key(const Record& record) {
  key_.text.clear();
  // Where the message of what carries it begins is not known any more; of whom it is say the rule's fields.
  if (record.kind && seen(record.kind).is_carried) {
    key_.hash = 0;
    const auto take = [&](std::string_view part) {
      append_part(key_.text, part);
      key_.hash = hash_on(key_.hash, part);
    };
    take(record.origin->source);
    const auto host = std::find_if(record.captures.begin(), record.captures.end(),
                                   [](const Capture& one) { return one.field == ecs::host_name; });
    if (host != record.captures.end()) take(record.text(*host));
    return;
  }
  for_each_writer_part(record, [&](std::string_view part) { append_part(key_.text, part); });
  key_.hash = writer_hash(record);
}

// False when the record has none of the rule's fields.
bool Joiner::add_fields_to_key(const Record& record, const JoinRule& rule) {
  append_part(key_.text, record.kind->parser);
  bool any = false;
  for (auto* field : rule.by) {
    scratch_.clear();
    Value value;
    const bool has = first_value(record, field, scratch_, &value);
    const auto text = has ? value.text : std::string_view();
    any |= has;
    append_part(key_.text, text);
    key_.hash = hash_on(key_.hash, text);
  }
  return any;
}

bool Joiner::add_by(Log& log, const Record& record, const JoinRule& rule, const std::shared_ptr<const Zone>& zone) {
  make_writer_key(record);
  const uint64_t writer = key_.hash;
  const size_t writer_size = key_.text.size();
  if (!add_fields_to_key(record, rule)) return false;
  // The line after an end mark may be a second one.
  for (size_t i = 0; i < log.ended.size();) {
    auto& ended = *log.ended[i];
    if (ended.writer == writer && ended.key != key_ &&
        ended.key.text.starts_with(std::string_view(key_.text).substr(0, writer_size)))
      close(log, ended);
    else
      ++i;
  }
  if (auto* event = log.find(key_)) {
    if (append(log, *event, record)) return true;
    close(log, *event);
  }
  open(log, record, rule, zone, writer);
  return true;
}

// Where a line of the record's source goes on that has no header; nullptr: nowhere yet.
Joiner::Key* Joiner::last_key(Log& log, const Record& record, bool to_write) {
  if (last_key_) return last_key_;
  const std::string source(record.origin->source);
  auto at = log.last_key.find(source);
  if (at == log.last_key.end()) {
    if (!to_write) return nullptr;
    if (log.last_key.size() >= kSourcesMax) log.last_key.clear();
    at = log.last_key.emplace(source, Key()).first;
  }
  return last_key_ = &at->second;
}

// A relay hands on what many say: a line without a header that another product's parser knows is no more of this event,
// nor is an object of JSON.
bool Joiner::is_of_another(const Record& record, const Open& event) {
  const auto* first = event.batch->records.front().kind;
  if (record.message_begin > 0 || record.origin->transport == Transport::file || !record.kind || !first) return false;
  if (record.kind->parser == first->parser) return false;
  if (seen(record.kind).is_generic && !record.message().starts_with('{')) return false;
  const auto& with = event.rule->with;
  return std::find(with.begin(), with.end(), record.kind->parser) == with.end();
}

bool Joiner::add_in_sequence(Log& log, const Record& record, const JoinRule* rule,
                             const std::shared_ptr<const Zone>& zone) {
  const bool has_header = record.message_begin > 0;
  const auto* last = has_header ? nullptr : last_key(log, record, false);
  if (last)
    key_ = *last;
  else
    make_writer_key(record);
  auto* event = log.find(key_);
  if (event && is_of_another(record, *event)) {
    if (!rule) return false;
    make_writer_key(record);
    event = log.find(key_);
    if (event && is_of_another(record, *event)) {
      close(log, *event);
      event = nullptr;
    }
  }
  if (event) {
    const auto text = line_text(record);
    if ((event->rule == any_ && has_header) || !event->rule->goes_on(event->last, text)) {
      close(log, *event);
    } else if (append(log, *event, record)) {
      return true;
    } else {
      rule = event->rule;  // what is left of an event that was cut
      close(log, *event);
    }
  }
  if (!rule || rule->by_fields()) return false;
  *last_key(log, record, true) = key_;
  open(log, record, *rule, zone, key_.hash);
  return true;
}

// What the expressions of a rule are asked about: the message, with its blanks but without its end.
std::string_view Joiner::line_text(const Record& record) {
  auto text = record.message();
  if (record.charset != Charset::utf8) {
    scratch_.clear();
    text_ = text_of(record, text, scratch_);
    text = text_;
  }
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

// An event of key_.
Joiner::Open* Joiner::open(Log& log, const Record& record, const JoinRule& rule,
                           const std::shared_ptr<const Zone>& zone, uint64_t writer) {
  if (log.events.size() >= options_.open_max || log.bytes + record.raw.size() > options_.open_bytes_max) {
    if (!log.events.empty()) {
      ++cut_;
      close(log, log.events.front());
    }
  }
  Open& event = new_event(log);
  event.rule = &rule;
  event.zone = zone;
  event.key = key_;
  event.deadline_ns = std::max(log.clock_ns, record.origin->received_ns) + kWaitNs;
  event.writer = writer;
  append(log, event, record);
  log.add(event);
  // A first line that ends an event is one by itself.
  if (!rule.end.found_in(event.last)) return &event;
  close(log, event);
  return nullptr;
}

Joiner::Open& Joiner::new_event(Log& log) {
  if (spare_.empty()) {
    log.events.emplace_back();
  } else {
    auto spare = spare_.begin();
    if (spare->batch.use_count() > 1 && spare_.size() > 1) ++spare;  // what this very line closed was not yet taken
    log.events.splice(log.events.end(), spare_, spare);
  }
  Open& event = log.events.back();
  event.self = std::prev(log.events.end());
  event.bytes = event.missing = 0;
  event.has_ended = false;
  if (!event.batch || event.batch.use_count() > 1) {
    event.batch = std::make_shared<Batch>();
  } else {
    event.batch->arena.clear(kSpareBytesMax);
    event.batch->records.clear();
  }
  return event;
}

void Joiner::drop(Log& log, Open& event) {
  log.bytes -= event.bytes;
  if (event.rule && event.rule->by_fields() && !event.batch->records.empty()) {
    const auto waits = waiting_.find(event.batch->records.front().origin->received_ns);
    if (--waits->second == 0) waiting_.erase(waits);
  }
  if (spare_.size() < kSpareMax)
    spare_.splice(spare_.begin(), log.events, event.self);
  else
    log.events.erase(event.self);
}

// False when the event has no room for it.
bool Joiner::append(Log& log, Open& event, const Record& record) {
  auto& lines = event.batch->records;
  if (!lines.empty() && (lines.size() >= options_.lines_max || event.bytes + record.raw.size() > kEventBytesMax)) {
    ++cut_;
    return false;
  }
  hold(log, event, record);
  if (lines.size() > 1 && event.rule->end.found_in(event.last)) {
    if (!event.rule->by_fields()) {
      close(log, event);
    } else if (!event.has_ended) {
      event.has_ended = true;
      event.deadline_ns = std::max(log.clock_ns, record.origin->received_ns);
      log.ended.push_back(&event);
    }
  }
  return true;
}

// A copy of the line.
void Joiner::hold(Log& log, Open& event, const Record& record) {
  auto& lines = event.batch->records;
  auto& arena = event.batch->arena;
  lines.push_back(copy_of(record, arena));
  Record& line = lines.back();
  if (record.kind) line.kind = intern(record.kind);
  if (lines.size() > 1) {
    line.origin = lines.front().origin;
  } else {
    Origin origin = *record.origin;
    for (auto* text : {&origin.source, &origin.address, &origin.log, &origin.node}) *text = arena.copy(*text);
    line.origin = arena.make(origin);
    if (event.rule->by_fields()) ++waiting_[origin.received_ns];
  }
  event.last = line.charset == Charset::utf8 ? line_text(line) : arena.copy(line_text(line));
  event.bytes += record.raw.size();
  log.bytes += record.raw.size();
}

void Joiner::close(Log& log, Open& event) {
  if (event.missing == 0) {  // else some of its lines are gone, or their parser
    if (event.has_ended) std::erase(log.ended, &event);
    log.remove(event);
    give(event);
  }
  drop(log, event);
}

void Joiner::give(Open& event) {
  auto& lines = event.batch->records;
  auto& given = closed_.emplace_back(JoinedEvent{event.batch, lines.front()});
  const auto has_words = [&] {
    return event.rule->words && std::any_of(lines[0].captures.begin(), lines[0].captures.end(),
                                            [&](auto& capture) { return capture.field == event.rule->words; });
  };
  auto& record = given.record;
  if (lines.size() > 1 || has_words())
    record = join(event);
  else if (record.kind && !event.rule->tables.empty())
    record.kind = merged({record.kind}, *event.rule, false, ways_of(record, *event.rule));
  auto* indexes = reinterpret_cast<uint64_t*>(event.batch->arena.allocate(lines.size() * sizeof(uint64_t)));
  for (size_t i = 0; i < lines.size(); ++i) indexes[i] = lines[i].index;
  record.lines = {indexes, lines.size()};
}

void join_lines(Batch& batch, std::shared_ptr<const ParserSet> set) {
  auto joiner = std::make_shared<Joiner>(std::move(set));
  std::vector<Record> events;
  const auto take = [&] {
    for (auto& event : joiner->closed()) {
      events.push_back(event.record);
      batch.keep.push_back(std::move(event.owner));
    }
    joiner->closed().clear();
  };
  for (auto& record : batch.records) {
    const bool is_line = joiner->add(record, Zone::utc());
    take();
    if (!is_line) events.push_back(record);
  }
  joiner->close_all();
  take();
  batch.records = std::move(events);
  batch.keep.push_back(std::move(joiner));
}

// ---------------------------------------------------------------------------------------------------- over a restart

void Joiner::save(std::string& out) const {
  put_varint(out, open());
  for (auto& [name, log] : logs_)
    for (auto& event : log.events) {
      put_text(out, name);
      put_signed(out, event.deadline_ns);
      put_varint(out, event.batch->records.size());
      for (auto& line : event.batch->records) put_varint(out, line.index);
    }
}

bool Joiner::load(Reader& in) {
  const auto count = in.varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::string name(in.text());
    auto& log = logs_[name];
    const auto deadline_ns = in.signed_varint();
    const auto lines = in.varint();
    if (!in.ok() || lines > options_.lines_max || log.events.size() >= options_.open_max) return false;
    Open& event = new_event(log);
    event.rule = nullptr;
    event.deadline_ns = deadline_ns;
    event.missing = lines;
    for (uint64_t k = 0; k < lines; ++k) wanted_.emplace(std::pair(name, in.varint()), &event);
  }
  return in.ok();
}

uint64_t Joiner::wanted_from(std::string_view log) const {
  auto at = wanted_.lower_bound({std::string(log), 0});
  return at == wanted_.end() || at->first.first != log ? std::numeric_limits<uint64_t>::max() : at->first.second;
}

void Joiner::restore(const Record& record, const std::shared_ptr<const Zone>& zone) {
  auto wanted = wanted_.find({std::string(record.origin->log), record.index});
  if (wanted == wanted_.end()) return;
  Open& event = *wanted->second;
  wanted_.erase(wanted);
  auto& log = logs_[std::string(record.origin->log)];
  const bool is_first = event.batch->records.empty();
  if (is_first) {
    event.rule = rule_of(record);
    event.zone = zone;
    if (!event.rule) return;
    make_writer_key(record);
    event.writer = key_.hash;
    if (!event.rule->by_fields())
      log.last_key[std::string(record.origin->source)] = key_;
    else if (!add_fields_to_key(record, *event.rule))
      event.rule = nullptr;
    event.key = key_;
  }
  if (!event.rule) return;
  hold(log, event, record);
  if (--event.missing > 0) return;
  log.add(event);
  if (event.rule->by_fields() && event.batch->records.size() > 1 && event.rule->end.found_in(event.last)) {
    event.has_ended = true;
    log.ended.push_back(&event);
  }
}

void Joiner::restored() {
  wanted_.clear();
  for (auto& [name, log] : logs_)
    for (auto at = log.events.begin(); at != log.events.end();) {
      auto& event = *at++;
      if (event.missing > 0) drop(log, event);
    }
}

// -------------------------------------------------------------------------------------------- putting lines together

namespace {

bool same_field(const Field* a, const Field* b) {
  return a == b || (a->id == kDynamicField && b->id == kDynamicField && a->name == b->name);
}

// The place of a line among those whose fields are put together.
size_t rank(const Record& line, const JoinRule& rule, Scratch& scratch) {
  for (size_t i = 0; i < rule.order.size(); ++i) {
    scratch.clear();
    Value value;
    if (!first_value(line, rule.order[i].field, scratch, &value)) continue;
    for (auto& glob : rule.order[i].globs)
      if (glob_matches(glob, value.text)) return i;
  }
  return rule.order.size();
}

// The text of several lines, and where each capture of theirs stands in it. All of it is UTF-8.
class JoinedText {
 public:
  explicit JoinedText(Scratch& scratch) : scratch_(scratch) {}

  // Appends raw from `begin` to `end` of the line; `captures` within become those of the joined text.
  void append(const Record& line, uint32_t begin, uint32_t end, std::vector<Capture>& captures) {
    uint32_t at = begin;
    for (auto& capture : line.captures) {
      if (capture.begin < at || capture.end() > end) continue;
      put(line, at, capture.begin);
      Capture moved = capture;
      moved.begin = size();
      put(line, capture.begin, capture.end());
      moved.length = (size() - moved.begin) & 0xffffff;
      captures.push_back(moved);
      at = capture.end();
    }
    put(line, at, end);
  }
  void append(char c) { text_.push_back(c); }
  uint32_t size() const { return static_cast<uint32_t>(text_.size()); }
  const std::string& text() const { return text_; }

 private:
  void put(const Record& line, uint32_t begin, uint32_t end) {
    scratch_.clear();
    text_ += text_of(line, line.raw.substr(begin, end - begin), scratch_);
  }
  Scratch& scratch_;
  std::string text_;
};

}  // namespace

namespace {

// The name of the key that a value belongs to, and which piece of it: `a1[0]=`, `a1[1]="`. Empty: it is no piece.
std::string_view name_of_piece(std::string_view text, uint32_t begin) {
  auto before = text.substr(0, begin);
  if (before.ends_with('"')) before.remove_suffix(1);
  if (!before.ends_with("]=")) return {};
  const auto open = before.rfind('[');
  if (open == std::string_view::npos) return {};
  const auto name = before.find_last_of(" \t", open);
  return before.substr(name == std::string_view::npos ? 0 : name + 1,
                       open - (name == std::string_view::npos ? 0 : name + 1));
}

// How many words without a letter, of which no capture tells, stand in the text between two words or behind the last:
// `a1=""`, `"sh","","x"`.
size_t empty_words(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at + 2 < text.size(); ++at) {
    if (text[at] == '\n' || (text[at] == ']' && text[at + 1] != '=')) break;  // the list is over
    if ((text[at] == '=' || text[at] == ',') && text[at + 1] == '"' && text[at + 2] == '"') ++count;
  }
  return count;
}

// Appends the words of all lines, each whole, and their text, behind the text of the lines; takes their captures out of
// `captures` and gives the new ones.
std::vector<Capture> put_words(JoinedText& text, std::vector<std::vector<Capture>>& captures, const JoinRule& rule) {
  std::vector<std::string> words;
  std::string last;  // name of the piece before
  Scratch scratch;
  std::string line;  // of no words: another field's text
  for (auto& of_line : captures) {
    uint32_t behind = 0;  // the capture before
    bool has_words = false;
    const auto take_empty_words = [&](uint32_t to) {
      if (behind == 0) return;
      const std::string_view all = text.text();
      words.resize(words.size() + empty_words(all.substr(behind, to - behind)));
    };
    for (auto& capture : of_line) {
      if (rule.text_without_words && capture.field == rule.text_without_words) {
        scratch.clear();
        line = decode_escape(std::string_view(text.text()).substr(capture.begin, capture.length),
                             static_cast<Escape>(capture.escape), scratch);
      }
      if (capture.field != rule.words) {
        if (!has_words) behind = capture.end();
        continue;
      }
      take_empty_words(capture.begin);
      behind = capture.end();
      has_words = true;
      scratch.clear();
      const std::string_view all = text.text();
      const auto name = name_of_piece(all, capture.begin);
      const auto value =
          decode_escape(all.substr(capture.begin, capture.length), static_cast<Escape>(capture.escape), scratch);
      if (!name.empty() && name == last && !words.empty())
        words.back() += value;
      else
        words.emplace_back(value);
      last = name;
    }
    if (has_words) take_empty_words(text.size());
    std::erase_if(of_line, [&](auto& capture) { return capture.field == rule.words; });
  }
  std::vector<Capture> out;
  const auto put = [&](std::string_view value, const Field* field) {
    text.append('\0');
    out.push_back(
        {text.size(), static_cast<uint32_t>(value.size()) & 0xffffff, static_cast<uint32_t>(Escape::none), field});
    for (char c : value) text.append(c);
  };
  if (!words.empty()) line.clear();
  for (auto& word : words) {
    put(word, rule.words);
    line += (&word == words.data() ? "" : " ") + word;
  }
  if (!line.empty()) put(line, rule.text_of_words);
  return out;
}

// Adds the different values that the lines have in the fields that the rule collects.
void collect(std::vector<Capture>& all, const std::vector<std::vector<Capture>>& captures,
             const std::vector<size_t>& order, std::string_view raw, const JoinRule& rule) {
  for (auto& collected : rule.collect) {
    if (collected.in_place()) std::erase_if(all, [&](auto& one) { return same_field(one.field, collected.from); });
    std::vector<std::string_view> values;
    for (auto i : order)
      for (auto& capture : captures[i]) {
        const auto text = raw.substr(capture.begin, capture.length);
        if (!same_field(capture.field, collected.from) || std::find(values.begin(), values.end(), text) != values.end())
          continue;
        values.push_back(text);
        all.push_back(capture);
        all.back().field = collected.to;
      }
  }
  std::stable_sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
}

}  // namespace

Record Joiner::join(Open& event) {
  auto& lines = event.batch->records;
  auto& arena = event.batch->arena;
  const JoinRule& rule = *event.rule;
  Record out = lines.front();
  const uint32_t first_end = out.message_begin + out.message_length;

  JoinedText text(scratch_);
  std::vector<std::vector<Capture>> captures(lines.size());
  uint32_t message_begin = 0;
  {
    std::vector<Capture> header;
    text.append(lines[0], 0, out.message_begin, header);
    message_begin = text.size();
    captures[0] = std::move(header);
    text.append(lines[0], out.message_begin, first_end, captures[0]);
  }
  const uint32_t first_length = text.size();
  for (size_t i = 1; i < lines.size(); ++i) {
    text.append('\n');
    text.append(lines[i], lines[i].message_begin, lines[i].message_begin + lines[i].message_length, captures[i]);
  }
  const uint32_t end = text.size();
  std::vector<Capture> words;
  if (rule.words) words = put_words(text, captures, rule);
  out.raw = arena.copy_padded(text.text());
  out.charset = Charset::utf8;
  out.message_begin = message_begin;
  out.message_length = end - message_begin;

  std::vector<Capture> all;
  for (auto& capture : captures[0])
    if (capture.end() <= message_begin) all.push_back(capture);
  const size_t header = all.size();
  if (const auto* parser = lines[0].kind ? parsers_.find(lines[0].kind->parser) : nullptr;
      parser && worker_.parse_whole(out, *event.zone, arena, all, *parser)) {
    out.captures = arena.copy(std::span<const Capture>(all));
    return out;
  }
  all.resize(header);

  // Fields of which lines, and in which order.
  std::vector<size_t> order;
  const auto counts = [&](const MessageKind* kind) {
    return kind && ((lines[0].kind && kind->parser == lines[0].kind->parser) ||
                    std::find(rule.with.begin(), rule.with.end(), kind->parser) != rule.with.end());
  };
  for (size_t i = 0; i < lines.size(); ++i)
    if (i == 0 || counts(lines[i].kind)) order.push_back(i);
  std::vector<size_t> ranks(lines.size());
  for (auto i : order) ranks[i] = rank(lines[i], rule, scratch_);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ranks[a] < ranks[b]; });

  std::vector<const Field*> said;
  std::vector<const MessageKind*> kinds;
  const auto is_said = [&](const Field* field) {
    return std::any_of(said.begin(), said.end(), [&](auto* one) { return same_field(one, field); });
  };
  std::vector<Capture> kept;
  for (auto i : order) {
    const auto* kind = lines[i].kind;
    std::vector<const Field*> here;
    for (auto& capture : captures[i]) {
      if (capture.end() <= message_begin) continue;
      if (capture.field == ecs::message && i != 0) continue;
      if (!capture.field->list && is_said(capture.field)) continue;
      kept.push_back(capture);
      if (i == 0 && capture.field == ecs::message && capture.end() == first_length)
        kept.back().length = (end - capture.begin) & 0xffffff;
      here.push_back(capture.field);
    }
    if (kind) {
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
      for (auto& constant : kind->constants) here.push_back(constant.field);
    }
    said.insert(said.end(), here.begin(), here.end());
  }
  kept.insert(kept.end(), words.begin(), words.end());
  std::stable_sort(kept.begin(), kept.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  all.insert(all.end(), kept.begin(), kept.end());
  out.captures = all;
  if (!kinds.empty()) {
    // The tables go by the values of the line that leads, before lists are made of them.
    out.kind = merged(kinds, rule, false, {});
    out.kind = merged(kinds, rule, !rule.collect.empty(), ways_of(out, rule));
  }
  collect(all, captures, order, out.raw, rule);
  out.captures = arena.copy(std::span<const Capture>(all));
  for (auto i : order) {  // a first line without a time, as a slow log may have
    if (!(out.time_inferred & kAllInferred)) break;
    out.event_ns = lines[i].event_ns;
    out.event_digits = lines[i].event_digits;
    out.time_inferred = lines[i].time_inferred;
  }
  return out;
}

// The first kind, with the constants of the others whose fields it does not have.
const MessageKind* Joiner::merged(const std::vector<const MessageKind*>& kinds, const JoinRule& rule, bool collects,
                                  const std::vector<uint32_t>& ways) {
  if (kinds.size() == 1 && !collects && ways.empty()) return kinds[0];
  MergedKey key{kinds, collects, ways};
  if (auto at = merged_.find(key); at != merged_.end()) return at->second.get();
  if (merged_.size() >= kMergedKindsMax) return kinds[0];
  auto out = std::make_unique<MessageKind>(*kinds[0]);
  for (size_t i = 1; i < kinds.size(); ++i) {
    const size_t before = out->constants.size();
    for (auto& constant : kinds[i]->constants) {
      const auto end = out->constants.begin() + static_cast<ptrdiff_t>(before);
      if (std::none_of(out->constants.begin(), end, [&](auto& one) { return one.field == constant.field; }))
        out->constants.push_back(constant);
    }
  }
  const auto take_out = [&](const Field* field) {
    std::erase_if(out->constants, [&](auto& one) { return one.field == field; });
  };
  for (auto& collected : rule.collect) {
    if (!collects) break;
    if (collected.in_place()) take_out(collected.from);
    for (auto* kind : kinds)
      for (auto& constant : kind->constants)
        if (constant.field == collected.from) out->constants.push_back({collected.to, constant.value});
  }
  for (size_t i = 0; i < ways.size(); ++i) {
    const auto* said = rule.tables[i]->constants(ways[i]);
    if (!said) continue;
    for (auto& over : *said) take_out(over.field);
    out->constants.insert(out->constants.end(), said->begin(), said->end());
  }
  return merged_.emplace(std::move(key), std::move(out)).first->second.get();
}

// What the rule's tables say to the fields of the event; empty: nothing.
std::vector<uint32_t> Joiner::ways_of(const Record& record, const JoinRule& rule) {
  std::vector<uint32_t> ways(rule.tables.size(), RowTable::kNone);
  bool any = false;
  for (size_t i = 0; i < ways.size(); ++i) {
    auto& table = *rule.tables[i];
    std::string key;
    bool has_all = true;
    for (auto* field : table.by) {
      scratch_.clear();
      Value value;
      has_all = has_all && first_value(record, field, scratch_, &value);
      key += (field == table.by[0] ? "" : " ") + std::string(value.text);
    }
    if (has_all) ways[i] = table.way_of(key);
    any |= ways[i] != RowTable::kNone;
  }
  if (!any) ways.clear();
  return ways;
}

}  // namespace yushi::parsers
