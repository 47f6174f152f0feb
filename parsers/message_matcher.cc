#include "parsers/message_matcher.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/time_any.h"
#include "core/record/value.h"
#include "parsers/address.h"
#include "parsers/event_time_parts.h"
#include "parsers/inner_message.h"

namespace yushi::parsers {
namespace {

constexpr size_t kNamesMin = 2;

std::string_view behind_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// Behind the number that Solaris writes before its messages, "[ID 800047 auth.info] "; all of `text` when none stands
// there.
std::string_view behind_solaris_id(std::string_view text) {
  if (!text.starts_with("[ID ")) return text;
  const auto digits_end = text.find_first_not_of("0123456789", 4);
  if (digits_end == 4 || digits_end == std::string_view::npos || text[digits_end] != ' ') return text;
  const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.", digits_end + 1);
  if (end == std::string_view::npos || !text.substr(end).starts_with("] ")) return text;
  return text.substr(end + 2);
}

constexpr std::string_view kRepeatedBegin = "message repeated ", kRepeatedMiddle = " times: [";

// The number in `message repeated 3 times: [ … ]`; empty when `text` is no such message.
std::string_view repeated_times(std::string_view text) {
  if (!text.starts_with(kRepeatedBegin) || !text.ends_with(']')) return {};
  const auto end = text.find_first_not_of("0123456789", kRepeatedBegin.size());
  if (end == std::string_view::npos || !text.substr(end).starts_with(kRepeatedMiddle)) return {};
  return text.substr(kRepeatedBegin.size(), end - kRepeatedBegin.size());
}

template <class Ask>
bool measured(const MatchJob& job, const ParserDefinition& parser, Ask ask) {
  if (job.measured_one_in == 0) [[likely]]
    return ask();
  const int64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
  const bool is_known = ask();
  const auto cost_ns = static_cast<uint64_t>(clock_ns(CLOCK_MONOTONIC) - begun_ns);
  parser.cost_ns->fetch_add(cost_ns * job.measured_one_in, std::memory_order_relaxed);
  return is_known;
}

// Of structured data.
bool is_parameter(const Capture& capture) {
  return capture.field->id == kDynamicField && capture.field->name.starts_with(kStructuredDataPrefix);
}

}  // namespace

std::string_view matched_text(std::string_view message) {
  const auto is_end = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!message.empty() && is_end(message.back())) message.remove_suffix(1);
  return behind_blanks(behind_solaris_id(behind_blanks(message)));
}

std::string_view repeated_message(std::string_view text) {
  const auto times = repeated_times(text);
  if (times.empty()) return {};
  const auto begin = static_cast<size_t>(times.data() - text.data()) + times.size() + kRepeatedMiddle.size();
  text = behind_blanks(text.substr(begin, text.size() - begin - 1));
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool MessageMatcher::try_parser(MatchJob& job, const ParserDefinition& parser) {
  return measured(job, parser, [&] { return ask_parser(job, parser); });
}

bool MessageMatcher::try_pattern(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern) {
  return measured(job, parser, [&] { return ask_pattern(job, parser, pattern); });
}

bool MessageMatcher::ask_parser(MatchJob& job, const ParserDefinition& parser) {
  if (try_patterns(job, parser) || try_repeated(job, parser)) return true;
  if (job.text.size() == job.whole.size()) return false;
  // A pattern may ask for the blanks: those of a stack_ trace's "\tat org.example.Pay.run(Pay.java:5)".
  const auto text = std::exchange(job.text, job.whole);
  const bool known = try_patterns(job, parser);
  job.text = text;
  return known;
}

// What stands in rsyslog's `message repeated 3 times: [ … ]`.
bool MessageMatcher::try_repeated(MatchJob& job, const ParserDefinition& parser) {
  if (!parser.repeated) return false;
  const auto times = repeated_times(job.text);
  if (times.empty()) return false;
  const size_t before = job.captures.size();
  const auto whole_text = job.text;
  job.text = repeated_message(whole_text);
  const bool known = try_patterns(job, parser);
  job.text = whole_text;
  if (!known) return false;
  Capture count{static_cast<uint32_t>(times.data() - job.whole.data()), static_cast<uint32_t>(times.size()),
                static_cast<uint32_t>(Escape::none), parser.repeated};
  if (job.is_decoded) decoded_.put_back(count);
  count.begin += job.begin;
  job.captures.insert(job.captures.begin() + static_cast<ptrdiff_t>(before), count);
  return true;
}

bool MessageMatcher::try_patterns(MatchJob& job, const ParserDefinition& parser) {
  if (asked_) [[unlikely]]
    return try_aloud(job, parser);
  parser.filter.search(job.text, found_);
  return found_.any_of([&](uint16_t index) { return ask_pattern(job, parser, parser.patterns[index]); });
}

bool MessageMatcher::try_aloud(MatchJob& job, const ParserDefinition& parser) {
  const size_t told = asked_->size();
  for (auto& pattern : parser.patterns) {  // also those that the filter leaves out: they may have come far
    if (pattern.whole) continue;
    const bool matched = ask_pattern(job, parser, pattern);
    asked_->push_back({&parser, &pattern, std::string(job.text), matched});
    if (matched) return true;
  }
  if (asked_->size() == told) asked_->push_back({&parser, nullptr, std::string(job.text), false});
  return false;
}

bool MessageMatcher::ask_pattern(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern) {
  size_t before = job.captures.size();
  bool is_capped = false;
  if (pattern.extract == Body::none) {
    if (!pattern.pattern->match(job.text, spans_.data(), stack_)) return false;
    if (!take_groups(job, pattern, &is_capped)) {
      job.captures.resize(before);
      return false;
    }
  } else if (pattern.extract == Body::structured_data) {
    if (pattern.dictionary ? !infer_structured_data(job, pattern) : !take_structured_data(job, *pattern.keys, before))
      return false;
    before = job.captures.size();
  } else if (!take_whole_body(job, parser, pattern, &is_capped) ||
             (pattern.extract == Body::key_values && job.captures.size() == before)) {
    job.captures.resize(before);
    return false;
  }
  if (job.is_of_no_carrier && !names_its_sender(job, before)) [[unlikely]] {
    job.disbelieved = &parser;
    job.captures.resize(before);
    return false;
  }
  if (pattern.message_of.empty()) [[likely]] {
    finish(job, parser, pattern, before, is_capped);
    return true;
  }
  const Record asked = job.record;
  const auto capped_before = capped_;
  finish(job, parser, pattern, before, is_capped);
  if (inner_ && inner_->take(job, pattern, before)) return true;
  job.record = asked;
  job.captures.resize(before);
  capped_ = capped_before;
  return false;
}

// False when what should be a body is none, or another one than the pattern asks for.
bool MessageMatcher::take_groups(MatchJob& job, const PatternDefinition& pattern, bool* is_capped) {
  for (size_t i = 0; i < pattern.captures.size(); ++i) {
    uint32_t begin = spans_[2 * i], end = spans_[2 * i + 1];
    if (begin == PatternProgram::kUnset || begin == end) continue;
    auto& target = pattern.captures[i];
    if (target.field == nullptr) {
      if (!take_body(job, pattern, target.body, begin, end, 0, is_capped)) return false;
      continue;
    }
    job.captures.push_back({begin, end - begin, static_cast<uint32_t>(target.escape), target.field});
    if (target.is_address) settle_address(job.text.substr(begin, end - begin), job.captures.back());
  }
  return true;
}

// The form and the place of a body that a message of any program has are found by its shape.
bool MessageMatcher::take_whole_body(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern,
                                     bool* is_capped) {
  size_t begin = 0, end = job.text.size();
  if (parser.generic || !parser.match.keys.empty()) {
    const auto shape = shape_in(job);
    if (shape.form == pattern.extract)
      begin = shape.begin, end = shape.end;
    else if (parser.generic && pattern.extract != Body::key_values)
      return false;
  }
  if (!take_body(job, pattern, pattern.extract, begin, end, kPairsMin, is_capped)) return false;
  // A list with colons is a list of names when they are known ones: any sentence has colons.
  return !parser.generic || pattern.extract != Body::names || mapper_.inferred() >= kNamesMin;
}

// The header gave each parameter a field of its own: those that the parser knows get its fields.
bool MessageMatcher::take_structured_data(MatchJob& job, const KeyTable& keys, size_t header) {
  bool any = false;
  for (size_t i = 0; i < header; ++i) {
    auto& capture = job.captures[i];
    if (!is_parameter(capture) || capture.field->list) continue;
    const auto name = capture.field->name;
    const auto found = keys.find(name.substr(name.rfind('.') + 1));
    if (found == KeyTable::kNotFound) continue;
    any = true;
    auto& target = keys.targets()[found];
    const auto value = job.record.text(capture);
    if (value.empty() || target.fields.empty() || keys.is_null(value) || value == target.quoted_null ||
        !value_fits(value, target.fields[0]))
      continue;
    capture.field = target.fields[0];
    if (capture.field->type == FieldType::ip) settle_address(value, capture);
  }
  return any;
}

// The same where no parser knows the message: by the dictionary, as `meta.user` of a body. A parameter that it has not
// stays one.
bool MessageMatcher::infer_structured_data(MatchJob& job, const PatternDefinition& pattern) {
  auto& captures = job.captures;
  if (std::none_of(captures.begin(), captures.end(), is_parameter)) return false;
  auto& pairs = body_.pairs();
  body_.forget();
  pairs.begin(job.record.raw);
  for (auto& capture : captures) {
    if (!is_parameter(capture)) continue;
    const auto path = capture.field->name.substr(kStructuredDataPrefix.size());
    BodyPair pair;
    pair.begin = capture.begin;
    pair.length = capture.length;
    pair.escape = static_cast<Escape>(capture.escape);
    pair.in_list = capture.field->list;
    std::string_view first;
    pair.is_first = !pairs.find(path, &first);
    pairs.add(path, pair);
  }
  const size_t header = captures.size();
  PairMapper::Naming naming;
  naming.keys = pattern.keys.get();
  naming.dictionary = pattern.dictionary.get();
  mapper_.map(pairs, naming, job.arena, captures);
  merged_.clear();
  bool any = mapper_.inferred() > 0;
  size_t next = header;
  for (size_t i = 0; i < header; ++i) {
    const size_t kept = merged_.size();
    for (; next < captures.size() && captures[next].begin < captures[i].begin;) ++next;
    for (; is_parameter(captures[i]) && next < captures.size() && captures[next].end() <= captures[i].end(); ++next) {
      auto* field = captures[next].field;
      const bool is_known =
          field->id != kDynamicField && (field == ecs::timestamp ? take_time(job, job.record.text(captures[next]))
                                                                 : field->id > ecs::timestamp_zone->id);
      if (is_known) merged_.push_back(captures[next]);
    }
    any |= merged_.size() > kept;
    if (merged_.size() == kept) merged_.push_back(captures[i]);
  }
  captures.resize(header);
  if (any) captures.assign(merged_.begin(), merged_.end());
  return any;
}

ShapedBody MessageMatcher::shape_in(MatchJob& job) {
  if (!job.shape || job.shape_of_bytes != job.text.size()) {
    job.shape = shape_of(job.text);
    job.shape_of_bytes = job.text.size();
  }
  return *job.shape;
}

bool MessageMatcher::take_body(MatchJob& job, const PatternDefinition& pattern, Body form, size_t begin, size_t end,
                               size_t pairs_min, bool* is_capped) {
  if (!body_.read(form, job.text, begin, end, *pattern.keys, pattern.shape, pairs_min)) return false;
  for (auto& condition : pattern.conditions) {
    std::string_view value;
    if (!body_.pairs().find(condition.path, &value)) return false;
    if (std::none_of(condition.globs.begin(), condition.globs.end(),
                     [&](auto& glob) { return glob_matches(glob, value); }))
      return false;
  }
  PairMapper::Naming naming;
  naming.keys = pattern.keys.get();
  naming.is_ours = form == Body::json && job.record.origin->transport == Transport::internal;
  naming.has_ecs_names = naming.is_ours || (pattern.is_generic && form == Body::json && !job.is_unconfirmed);
  naming.has_labels = form == Body::cef;
  if (!naming.is_ours && body_.is_whole() && !job.is_unconfirmed) naming.dictionary = pattern.dictionary.get();
  mapper_.map(body_.pairs(), naming, job.arena, job.captures);
  *is_capped |= body_.pairs().is_capped();
  return true;
}

// From offsets in the text to offsets in raw; times; the kind.
void MessageMatcher::finish(MatchJob& job, const ParserDefinition& parser, const PatternDefinition& pattern,
                            size_t before, bool is_capped) {
  auto& record = job.record;
  is_capped |= job.is_header_capped;
  capped_ += is_capped;
  Combination combination;
  for (auto& table : pattern.tables)
    combination.add(
        table->of_dictionary == 0 ? way_of(job, *table, before) : way_of_dictionary(*pattern.dictionary, *table),
        table->ways());
  uint32_t variant = 0;
  for (uint32_t i = 0; i < pattern.variants.size() && variant == 0; ++i)
    if (holds(job, pattern.variants[i], before)) variant = i + 1;
  combination.add(variant, static_cast<uint32_t>(pattern.variants.size()) + 1);
  combination.add(job.is_unconfirmed, 2);
  combination.add(is_capped, 2);
  record.kind = kind_of(parser, pattern, combination);
  last_parser_ = &parser;
  const auto lead = static_cast<uint32_t>(job.text.data() - job.whole.data());
  size_t kept = before;
  EventTimeParts parts;
  for (size_t i = before; i < job.captures.size(); ++i) {
    Capture& capture = job.captures[i];  // in place: a copy would wait for what was written a moment ago
    if (capture.field == ecs::timestamp && !take_time(job, job.text.substr(capture.begin, capture.length)) &&
        !mapper_.keep_as_text(capture, job.arena))
      continue;
    parts.take(capture.field, job.text.substr(capture.begin, capture.length));
    capture.begin += lead;
    if (job.is_decoded) decoded_.put_back(capture);
    capture.begin += job.begin;
    if (capture.field == ecs::message && record.origin->transport == Transport::internal) {
      record.message_begin = capture.begin;  // our own records say their message in words
      record.message_length = capture.length;
      continue;
    }
    if (kept != i) job.captures[kept] = capture;
    ++kept;
  }
  job.captures.resize(kept);
  if (parts.any) parts.settle(job.record, job.zone);
}

// Does the body, mapped behind `before`, speak of the program and the host of the header? That its sender could have
// said without it: rsyslog's templates in JSON have the tag of whom they carry before them.
bool MessageMatcher::names_its_sender(const MatchJob& job, size_t before) {
  const auto says = [&](const Field* field, bool of_header, Scratch& scratch) -> std::string_view {
    for (size_t i = of_header ? before : job.captures.size(), end = of_header ? 0 : before; i-- > end;) {
      auto& capture = job.captures[i];
      if (capture.field != field) continue;
      if (of_header) return job.record.text(capture);
      return decode_escape(job.text.substr(capture.begin, capture.length), static_cast<Escape>(capture.escape),
                           scratch);
    }
    return {};
  };
  Scratch scratch;
  const auto program = says(ecs::process_name, true, scratch), named = says(ecs::process_name, false, scratch);
  // rsyslog calls `postfix` what writes as `postfix/smtpd`.
  if (named.empty() || (named != program && named != program.substr(0, program.find('/')))) return false;
  // A relay calls a host by its address or its full name.
  const auto host = says(ecs::host_name, true, scratch), of_host = says(ecs::host_name, false, scratch);
  std::array<uint8_t, 16> address;
  return of_host.empty() || host.empty() || parse_ip(host, &address) || parse_ip(of_host, &address) ||
         of_host.substr(0, of_host.find('.')) == host.substr(0, host.find('.'));
}

// A key of a body that no table of keys names has a field of its own, made for this message.
bool MessageMatcher::is_of(const Capture& capture, const Field* field) {
  return capture.field == field || (capture.field->id == kDynamicField && capture.field->name == field->name);
}

uint32_t MessageMatcher::way_of_dictionary(const Dictionary& dictionary, const ValueTable& table) const {
  const size_t number = table.of_dictionary - 1;
  return number < dictionary.words().size() ? mapper_.word_outcome(number) : mapper_.inferred() > 0 ? 1 : 0;
}

// What a table says of this message by the values of its fields: the pattern's, or else the header's.
uint32_t MessageMatcher::way_of(const MatchJob& job, const ValueTable& table, size_t before) const {
  std::array<char, ValueTable::kKeyBytesMax> joined;
  size_t size = 0;
  for (auto* field : table.by) {
    std::string_view value;
    for (size_t i = before; i < job.captures.size() && value.empty(); ++i)
      if (is_of(job.captures[i], field)) value = job.text.substr(job.captures[i].begin, job.captures[i].length);
    for (size_t i = 0; i < before && value.empty(); ++i)
      if (is_of(job.captures[i], field)) value = job.record.text(job.captures[i]);
    if (value.empty()) return RowTable::kNone;
    if (table.by.size() == 1) return table.way_of(value);
    if (size != 0 && size < joined.size()) joined[size++] = ' ';
    if (value.size() > joined.size() - size) return table.otherwise ? table.otherwise_way() : RowTable::kNone;
    std::copy(value.begin(), value.end(), joined.data() + size);
    size += value.size();
  }
  return table.way_of({joined.data(), size});
}

bool MessageMatcher::holds(const MatchJob& job, const Variant& variant, size_t before) {
  for (auto& condition : variant.conditions) {
    bool found = false, is_there = false;
    for (size_t i = 0; i < job.captures.size() && !found; ++i) {
      auto& capture = job.captures[i];
      if (!is_of(capture, condition.field)) continue;
      is_there = true;
      const auto text = i < before ? job.record.text(capture) : job.text.substr(capture.begin, capture.length);
      for (auto& glob : condition.globs) found |= glob_matches(glob, text);
    }
    if (condition.is_none_of ? !is_there || found : !found) return false;
  }
  return true;
}

bool MessageMatcher::take_time(MatchJob& job, std::string_view text) {
  auto& record = job.record;
  if (text != last_time_text_ || &job.zone != last_zone_) {
    auto time = parse_any_time(text, record.origin ? record.origin->received_ns : record.event_ns, job.zone);
    if (!time) return false;
    last_time_ = *time;
    last_zone_ = &job.zone;
    // An inferred year depends on when the message came: such a time is read anew for each message.
    if (time->inferred & (kYearInferred | kDateInferred))
      last_time_text_.clear();
    else
      last_time_text_.assign(text);
  }
  record.event_ns = last_time_.unix_ns;
  record.event_digits = last_time_.digits;
  record.time_inferred = last_time_.inferred;
  return true;
}

// The time with which the message begins, where neither header nor parser told one.
void MessageMatcher::take_leading_time(MatchJob& job) {
  auto& record = job.record;
  const auto found =
      find_leading_time(job.whole, record.origin ? record.origin->received_ns : record.event_ns, job.zone);
  if (!found) return;
  record.event_ns = found->time.unix_ns;
  record.event_digits = found->time.digits;
  record.time_inferred = found->time.inferred;
  Capture capture{found->begin, found->length, static_cast<uint32_t>(Escape::none), ecs::timestamp};
  if (job.is_decoded) decoded_.put_back(capture);
  capture.begin += job.begin;
  const auto behind = std::find_if(job.captures.begin(), job.captures.end(),
                                   [&](const Capture& other) { return other.end() > capture.begin; });
  if (behind == job.captures.end() || behind->begin >= capture.end()) job.captures.insert(behind, capture);
}

// False when the message is too long to be decoded.
bool MessageMatcher::set_text(MatchJob& job) {
  job.begin = job.record.message_begin;
  job.whole = job.record.message();
  job.is_decoded = !is_utf8(job.whole);
  const bool fits = !job.is_decoded || decoded_.decode(Charset::utf8, job.whole);
  if (job.is_decoded) job.whole = decoded_.text();
  job.text = matched_text(job.whole);
  return fits;
}

}  // namespace yushi::parsers
