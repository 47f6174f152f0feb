// Routes a message to the parsers that may know it, and matches it once.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/time_any.h"
#include "parsers/address.h"
#include "parsers/decoded_text.h"
#include "parsers/event_time_parts.h"
#include "parsers/body/body_reader.h"
#include "parsers/body/body_shape.h"
#include "parsers/body/pair_mapper.h"
#include "parsers/loaded_parsers.h"
#include "parsers/network_tag.h"

namespace yushi {
namespace {

constexpr size_t kAppBytesMax = 64;
constexpr size_t kNamesMin = 2;
constexpr size_t kPairsMin = 2;  // one `a=b` in a sentence is no key=value message; one column is no table

std::string_view behind_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// Behind the kernel's uptime, "[  301.250417] "; all of `text` when none stands there.
std::string_view behind_uptime(std::string_view text) {
  if (text.empty() || text[0] != '[') return text;
  const auto end = text.find_first_not_of(" 0123456789.", 1);
  return end != std::string_view::npos && text.substr(end).starts_with("] ") ? text.substr(end + 2) : text;
}

// Behind the number that Solaris writes before its messages, "[ID 800047 auth.info] "; all of `text` when none stands there.
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

// What it says was repeated; empty when `text` is no such message.
std::string_view repeated_message(std::string_view text) {
  const auto times = repeated_times(text);
  if (times.empty()) return {};
  const auto begin = static_cast<size_t>(times.data() - text.data()) + times.size() + kRepeatedMiddle.size();
  text = behind_blanks(text.substr(begin, text.size() - begin - 1));
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view matched_text(std::string_view message) {
  const auto is_end = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!message.empty() && is_end(message.back())) message.remove_suffix(1);
  return behind_blanks(behind_solaris_id(behind_blanks(message)));
}

struct ParserWorker::State {
  std::shared_ptr<const ParserSet> set;
  const LoadedParsers* parsers = nullptr;
  MatchStack stack;
  std::array<uint32_t, 2 * Pattern::kGroupsMax> spans;
  uint64_t capped = 0, ambiguous = 0;
  std::vector<AskedPattern>* asked = nullptr;
  BodyReader body;
  PairMapper mapper;
  DecodedText decoded;

  // The last time read: the lines of a busy web server share their second.
  std::string last_time_text;
  TimeText last_time;
  const Zone* last_zone = nullptr;

  // The last file's parsers.
  std::string last_file;
  LoadedParsers::Route last_file_route;

  // What one call to parse() works on.
  struct Job {
    Record& record;
    const Zone& zone;
    Arena& arena;
    std::vector<Capture>& captures;
    std::string_view whole;  // the message, decoded where it had to be
    std::string_view text;   // what the patterns see of it: matched_text()
    uint32_t begin;          // where the message stands in raw
    bool is_decoded;
    bool is_header_capped;
    std::optional<ShapedBody> shape;  // of `text`, once somebody asked
    size_t shape_of_bytes = 0;        // text's length then: what the text is changes while it is tried
  };

  bool try_route(Job& job, const LoadedParsers::Route& route) {
    for (auto* parser : route)
      if (try_parser(job, *parser)) return true;
    return false;
  }

  // Of all that are recognised by their shape those that can know the text, in the order of any(): first by the text's beginning.
  bool try_any(Job& job) {
    find_by_prefix(job);
    if (try_found(job)) return true;
    find_by_pattern(job);
    return try_found(job);
  }

  bool try_found(Job& job) {
    for (size_t i = 0; i < any_found_.size(); ++i) {
      const auto found = any_found_[i];
      auto& parser = *parsers->any()[found.parser];
      if (found.pattern != LoadedParsers::kAllPatterns) {
        if (try_pattern(job, parser, parser.patterns[found.pattern])) return true;
      } else if (begins_as(parser, job) && try_parser(job, parser)) {
        return true;
      }
    }
    return false;
  }

  void find_by_prefix(const Job& job) {
    any_found_.clear();
    parsers->any_by_prefix().search(behind_uptime(job.text), found_);
    found_.any_of([&](uint16_t number) {
      any_found_.push_back({number, LoadedParsers::kAllPatterns});
      return false;
    });
  }

  void find_by_pattern(const Job& job) {
    any_found_.clear();
    const auto take = [&](std::string_view text, bool is_as_it_stands) {
      parsers->any_filter().search(text, found_);
      found_.any_of([&](uint16_t number) {
        auto one = parsers->any_pattern(number);
        if (!is_as_it_stands || asked) one.pattern = LoadedParsers::kAllPatterns;
        any_found_.push_back(one);
        return false;
      });
    };
    take(job.text, true);
    // As try_parser() asks: for what a repeated message holds, and for the message with the blanks around it.
    if (const auto inner = repeated_message(job.text); !inner.empty()) take(inner, false);
    if (job.text.size() != job.whole.size()) take(job.whole, false);
    if (any_found_.size() < 2) return;
    std::sort(any_found_.begin(), any_found_.end());
    any_found_.erase(std::unique(any_found_.begin(), any_found_.end()), any_found_.end());
  }

  static bool begins_as(const ParserDefinition& parser, const Job& job) {
    auto& match = parser.match;
    if (match.any) return true;
    const auto words = behind_uptime(job.text);
    if (std::none_of(match.prefixes.begin(), match.prefixes.end(),
                     [&](const std::string& prefix) { return words.starts_with(prefix); })) {
      return false;
    }
    if (match.prefix_apps.empty()) return true;
    // Anybody's program may begin its message so.
    const auto* program = program_of(job.captures);
    return program == nullptr || std::find(match.prefix_apps.begin(), match.prefix_apps.end(), job.record.text(*program)) !=
                                     match.prefix_apps.end();
  }

  static const Capture* last_of(const std::vector<Capture>& captures, const Field* field) {
    const Capture* last = nullptr;
    for (auto& capture : captures)
      if (capture.field == field) last = &capture;
    return last;
  }
  static const Capture* program_of(const std::vector<Capture>& captures) { return last_of(captures, ecs::process_name); }

  bool try_parser(Job& job, const ParserDefinition& parser) {
    if (try_patterns(job, parser) || try_repeated(job, parser)) return true;
    if (job.text.size() == job.whole.size()) return false;
    // A pattern may ask for the blanks: those of a stack trace's "\tat org.example.Pay.run(Pay.java:5)".
    const auto text = std::exchange(job.text, job.whole);
    const bool known = try_patterns(job, parser);
    job.text = text;
    return known;
  }

  // What stands in rsyslog's `message repeated 3 times: [ … ]`.
  bool try_repeated(Job& job, const ParserDefinition& parser) {
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
    if (job.is_decoded) decoded.put_back(count);
    count.begin += job.begin;
    job.captures.insert(job.captures.begin() + static_cast<ptrdiff_t>(before), count);
    return true;
  }

  bool try_patterns(Job& job, const ParserDefinition& parser) {
    if (asked) [[unlikely]] return try_aloud(job, parser);
    parser.filter.search(job.text, found_);
    return found_.any_of([&](uint16_t index) { return try_pattern(job, parser, parser.patterns[index]); });
  }

  bool try_aloud(Job& job, const ParserDefinition& parser) {
    const size_t told = asked->size();
    for (auto& pattern : parser.patterns) {  // also those that the filter leaves out: they may have come far
      if (pattern.whole) continue;
      const bool matched = try_pattern(job, parser, pattern);
      asked->push_back({&parser, &pattern, std::string(job.text), matched});
      if (matched) return true;
    }
    if (asked->size() == told) asked->push_back({&parser, nullptr, std::string(job.text), false});
    return false;
  }

  bool try_pattern(Job& job, const ParserDefinition& parser, const PatternDefinition& pattern) {
    size_t before = job.captures.size();
    bool is_capped = false;
    if (pattern.extract == Body::none) {
      if (!pattern.pattern->match(job.text, spans.data(), stack)) return false;
      if (!take_groups(job, pattern, &is_capped)) {
        job.captures.resize(before);
        return false;
      }
    } else if (pattern.extract == Body::structured_data) {
      if (!take_structured_data(job, *pattern.keys, before)) return false;
    } else if (!take_whole_body(job, parser, pattern, &is_capped) || (pattern.extract == Body::key_values && job.captures.size() == before)) {
      job.captures.resize(before);
      return false;
    }
    finish(job, parser, pattern, before, is_capped);
    return true;
  }

  // False when what should be a body is none, or another one than the pattern asks for.
  bool take_groups(Job& job, const PatternDefinition& pattern, bool* is_capped) {
    for (size_t i = 0; i < pattern.captures.size(); ++i) {
      uint32_t begin = spans[2 * i], end = spans[2 * i + 1];
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
  bool take_whole_body(Job& job, const ParserDefinition& parser, const PatternDefinition& pattern, bool* is_capped) {
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
    return !parser.generic || pattern.extract != Body::names || mapper.inferred() >= kNamesMin;
  }

  // The header gave each parameter a field of its own: those that the parser knows get its fields.
  static bool take_structured_data(Job& job, const KeyTable& keys, size_t header) {
    bool any = false;
    for (size_t i = 0; i < header; ++i) {
      auto& capture = job.captures[i];
      const auto name = capture.field->name;
      if (capture.field->id != kDynamicField || capture.field->list || !name.starts_with(kStructuredDataPrefix)) continue;
      const auto found = keys.find(name.substr(name.rfind('.') + 1));
      if (found == KeyTable::kNotFound) continue;
      any = true;
      auto& target = keys.targets()[found];
      const auto value = job.record.text(capture);
      if (target.fields.empty() || keys.is_null(value) || value == target.quoted_null || !value_fits(value, target.fields[0])) continue;
      capture.field = target.fields[0];
      if (capture.field->type == FieldType::ip) settle_address(value, capture);
    }
    return any;
  }

  static ShapedBody shape_in(Job& job) {
    if (!job.shape || job.shape_of_bytes != job.text.size()) {
      job.shape = shape_of(job.text);
      job.shape_of_bytes = job.text.size();
    }
    return *job.shape;
  }

  bool take_body(Job& job, const PatternDefinition& pattern, Body form, size_t begin, size_t end, size_t pairs_min, bool* is_capped) {
    if (!body.read(form, job.text, begin, end, *pattern.keys, pattern.shape, pairs_min)) return false;
    for (auto& condition : pattern.conditions) {
      std::string_view value;
      if (!body.pairs().find(condition.path, &value)) return false;
      if (std::none_of(condition.globs.begin(), condition.globs.end(), [&](auto& glob) { return glob_matches(glob, value); })) return false;
    }
    PairMapper::Reading reading;
    reading.keys = pattern.keys.get();
    reading.is_ours = form == Body::json && job.record.origin->transport == Transport::internal;
    reading.has_ecs_names = reading.is_ours || (pattern.is_generic && form == Body::json);
    reading.has_labels = form == Body::cef;
    if (!reading.is_ours && body.is_whole()) reading.dictionary = pattern.dictionary.get();
    mapper.map(body.pairs(), reading, job.arena, job.captures);
    *is_capped |= body.pairs().is_capped();
    return true;
  }

  // From offsets in the text to offsets in raw; times; the kind.
  void finish(Job& job, const ParserDefinition& parser, const PatternDefinition& pattern, size_t before, bool is_capped) {
    auto& record = job.record;
    is_capped |= job.is_header_capped;
    capped += is_capped;
    Combination combination;
    for (auto& table : pattern.tables)
      combination.add(table->of_dictionary == 0 ? way_of(job, *table, before) : way_of_dictionary(*pattern.dictionary, *table), table->ways());
    uint32_t variant = 0;
    for (uint32_t i = 0; i < pattern.variants.size() && variant == 0; ++i)
      if (holds(job, pattern.variants[i], before)) variant = i + 1;
    combination.add(variant, static_cast<uint32_t>(pattern.variants.size()) + 1);
    combination.add(is_capped, 2);
    record.kind = kind_of(parser, pattern, combination);
    last_parser_ = &parser;
    const auto lead = static_cast<uint32_t>(job.text.data() - job.whole.data());
    size_t kept = before;
    EventTimeParts parts;
    for (size_t i = before; i < job.captures.size(); ++i) {
      Capture& capture = job.captures[i];  // in place: a copy would wait for what was written a moment ago
      if (capture.field == ecs::timestamp && !take_time(job, capture) && !mapper.keep_as_text(capture, job.arena)) continue;
      parts.take(capture.field, job.text.substr(capture.begin, capture.length));
      capture.begin += lead;
      if (job.is_decoded) decoded.put_back(capture);
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

  // A key of a body that no table of keys names has a field of its own, made for this message.
  static bool is_of(const Capture& capture, const Field* field) {
    return capture.field == field || (capture.field->id == kDynamicField && capture.field->name == field->name);
  }

  uint32_t way_of_dictionary(const Dictionary& dictionary, const ValueTable& table) const {
    const size_t number = table.of_dictionary - 1;
    return number < dictionary.words().size() ? mapper.word_outcome(number) : mapper.inferred() > 0 ? 1 : 0;
  }

  // What a table says of this message by the values of its fields: the pattern's, or else the header's.
  uint32_t way_of(const Job& job, const ValueTable& table, size_t before) const {
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

  bool holds(const Job& job, const Variant& variant, size_t before) const {
    for (auto& condition : variant.conditions) {
      bool found = false;
      for (size_t i = 0; i < job.captures.size() && !found; ++i) {
        auto& capture = job.captures[i];
        if (!is_of(capture, condition.field)) continue;
        const auto text = i < before ? job.record.text(capture) : job.text.substr(capture.begin, capture.length);
        for (auto& glob : condition.globs) found |= glob_matches(glob, text);
      }
      if (!found) return false;
    }
    return true;
  }

  bool take_time(Job& job, const Capture& capture) {
    auto text = job.text.substr(capture.begin, capture.length);
    auto& record = job.record;
    if (text != last_time_text || &job.zone != last_zone) {
      auto time = understand_time(text, record.origin ? record.origin->received_ns : record.event_ns, job.zone);
      if (!time) return false;
      last_time = *time;
      last_zone = &job.zone;
      // An inferred year depends on when the message came: such a time is read anew for each message.
      if (time->inferred & (kYearInferred | kDateInferred))
        last_time_text.clear();
      else
        last_time_text.assign(text);
    }
    record.event_ns = last_time.unix_ns;
    record.event_digits = last_time.digits;
    record.time_inferred = last_time.inferred;
    return true;
  }

  // The time with which the message begins, where neither header nor parser told one.
  void take_leading_time(Job& job) {
    auto& record = job.record;
    const auto found = find_leading_time(job.whole, record.origin ? record.origin->received_ns : record.event_ns, job.zone);
    if (!found) return;
    record.event_ns = found->time.unix_ns;
    record.event_digits = found->time.digits;
    record.time_inferred = found->time.inferred;
    Capture capture{found->begin, found->length, static_cast<uint32_t>(Escape::none), ecs::timestamp};
    if (job.is_decoded) decoded.put_back(capture);
    capture.begin += job.begin;
    const auto behind = std::find_if(job.captures.begin(), job.captures.end(),
                                     [&](const Capture& other) { return other.end() > capture.begin; });
    if (behind == job.captures.end() || behind->begin >= capture.end()) job.captures.insert(behind, capture);
  }

  const LoadedParsers::Route* route_of_app(const std::vector<Capture>& captures, const Record& record) const {
    if (const auto* name = program_of(captures))
      if (auto* route = route_of_name(record.text(*name))) return route;
    // A device's tag stands for a program: ASA of "%ASA-6-302013: ", DEVM of "%%--IPS/DEVM/4/SYSLOG: ".
    const auto* tag = last_of(captures, network_appname());
    if (!tag || tag->length > kAppBytesMax) return nullptr;
    std::array<char, kAppBytesMax> lower;
    const auto name = lower_case(record.text(*tag), lower);
    if (auto* route = parsers->by_tag(name)) return route;
    const auto slash = name.rfind('/');
    return slash == std::string_view::npos ? nullptr : parsers->by_tag(name.substr(slash + 1));
  }

  static std::string_view lower_case(std::string_view text, std::array<char, kAppBytesMax>& out) {
    for (size_t i = 0; i < text.size(); ++i)
      out[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    return {out.data(), text.size()};
  }

  const LoadedParsers::Route* route_of_name(std::string_view text) const {
    if (text.empty() || text.size() > kAppBytesMax) return nullptr;
    std::array<char, kAppBytesMax> lower;
    const auto app = lower_case(text, lower);
    if (auto* route = parsers->by_app(app)) return route;
    // /usr/sbin/cron, (systemd), postfix/smtpd
    if (app.front() == '(' && app.back() == ')' && app.size() > 2)
      if (auto* route = parsers->by_app(app.substr(1, app.size() - 2))) return route;
    if (auto slash = app.rfind('/'); slash != std::string_view::npos) {
      if (auto* route = parsers->by_app(app.substr(slash + 1))) return route;
      if (auto* route = parsers->by_app(app.substr(0, app.find('/')))) return route;
    }
    return nullptr;
  }

  // The header took the first name of a list for a tag: `time:1700000000;user:li`.
  bool try_with_tag(Job& job) {
    auto& record = job.record;
    if (job.captures.empty() || job.is_decoded) return false;
    const Capture tag = job.captures.back();
    if (tag.field != ecs::process_name || tag.end() + 1 != record.message_begin || record.raw[tag.end()] != ':') return false;
    const auto name = record.text(tag);
    if (!(parsers->dictionary() && parsers->dictionary()->find(name)) && !parsers->signature_keys().contains(std::string(name))) return false;
    const auto begin = record.message_begin;
    const auto move_to = [&](uint32_t to) {
      record.message_length = record.message_begin + record.message_length - to;
      record.message_begin = to;
      body.forget();
      job.shape.reset();
      set_text(job);
    };
    job.captures.pop_back();
    move_to(tag.begin);
    if (try_signatures(job) || try_route(job, parsers->generic())) return true;
    job.captures.push_back(tag);
    move_to(begin);
    return false;
  }

  // The products whose names all stand in the body; of several the one with most names, then by file name.
  bool try_signatures(Job& job) {
    if (parsers->signature_keys().empty()) return false;
    const auto shape = shape_in(job);
    static const KeyTable kNoKeys("", {}, {}, {});
    static const BodyShape kNoShape;
    if (shape.form == Body::none || !body.read(shape.form, job.text, shape.begin, shape.end, kNoKeys, kNoShape, kPairsMin)) return false;
    const auto& there = body.pairs().signature();
    if (there.empty()) return false;
    candidates_.clear();
    for (const uint32_t key : there)
      for (auto* parser : parsers->by_signature_key(key)) {
        auto at = std::find_if(candidates_.begin(), candidates_.end(), [&](auto& one) { return one.parser == parser; });
        if (at == candidates_.end()) at = candidates_.insert(at, {parser, 0});
        ++at->keys;
      }
    std::erase_if(candidates_, [](auto& one) { return one.keys < one.parser->match.keys.size(); });
    std::stable_sort(candidates_.begin(), candidates_.end(), [](auto& a, auto& b) {
      return a.keys != b.keys ? a.keys > b.keys : a.parser->path < b.parser->path;
    });
    return std::any_of(candidates_.begin(), candidates_.end(), [&](auto& one) { return try_parser(job, *one.parser); });
  }

  const LoadedParsers::Route* route_of_file(const Record& record) {
    if (!record.origin || record.origin->transport != Transport::file || parsers->by_file().empty()) return nullptr;
    if (record.origin->source != last_file) {
      last_file = record.origin->source;
      last_file_route.clear();
      for (auto* parser : parsers->by_file())
        for (auto& glob : parser->match.files)
          if (glob_matches(glob, last_file)) {
            last_file_route.push_back(parser);
            break;
          }
    }
    return &last_file_route;
  }

  // All of raw, as if there were no header: a line of a log file whose first words look like a header.
  // `route` nullptr: those of any().
  bool try_whole(Job& job, const LoadedParsers::Route* route) {
    auto& record = job.record;
    if (record.message_begin == 0 || record.priority != Record::kNoPriority) return false;
    auto begin = record.message_begin;
    auto event_ns = record.event_ns;
    auto digits = record.event_digits, inferred = record.time_inferred;
    header_.assign(job.captures.begin(), job.captures.end());
    job.captures.clear();
    body.forget();
    record.message_length += begin;
    record.message_begin = 0;
    if (record.origin) record.event_ns = record.origin->received_ns;
    record.event_digits = 9;
    record.time_inferred = kAllInferred;
    if (set_text(job) && (route ? try_route(job, *route) : try_any(job))) return true;
    record.message_begin = begin;
    record.message_length -= begin;
    record.event_ns = event_ns;
    record.event_digits = digits;
    record.time_inferred = inferred;
    job.captures.assign(header_.begin(), header_.end());
    body.forget();
    set_text(job);
    return false;
  }

  // False when the message is too long to be decoded.
  bool set_text(Job& job) {
    job.begin = job.record.message_begin;
    job.whole = job.record.message();
    job.is_decoded = !is_valid_utf8(job.whole);
    const bool fits = !job.is_decoded || decoded.decode(Charset::utf8, job.whole);
    if (job.is_decoded) job.whole = decoded.text();
    job.text = matched_text(job.whole);
    return fits;
  }

  void parse(Job& job, std::string_view dataset) {
    body.forget();
    header_captures_ = job.captures.size();
    if (!set_text(job)) return;
    if (!dataset.empty()) {
      auto* route = parsers->by_dataset(dataset);
      if (route && (try_route(job, *route) || try_whole(job, route))) return;
      return;
    }
    const bool is_by_name = try_named(job);
    if (!is_by_name && is_structured(job)) {
      find_by_prefix(job);
      if (try_found(job) || try_signatures(job) || try_route(job, parsers->generic())) return;
    }
    if (is_by_name || try_any(job) || try_whole(job, nullptr)) {
      if (--until_offered_ == 0) [[unlikely]] offer_to_others(job);
      return;
    }
    if (try_signatures(job) || try_with_tag(job)) return;
    try_route(job, parsers->generic());
  }

  // What is JSON or XML as a whole says by its names what it is, and is asked for no product's shape of a line.
  bool is_structured(Job& job) {
    if (!job.text.starts_with('{') && !job.text.starts_with('<')) return false;
    const auto form = shape_in(job).form;
    return form == Body::json || form == Body::xml;
  }

  // By what is known of the message beside its text.
  bool try_named(Job& job) {
    if (job.record.origin)
      if (auto& route = parsers->by_transport(job.record.origin->transport); !route.empty() && try_route(job, route)) return true;
    if (auto* route = route_of_file(job.record))
      if (try_route(job, *route) || try_whole(job, route)) return true;
    auto* route = route_of_app(job.captures, job.record);
    return route && try_route(job, *route);
  }

  // Would a parser that comes later in the order know this message too? To ask costs as much as the message itself, so of those
  // that were known one in kOfferedOneIn is offered: a claim that matters comes again and again. The number is prime, so
  // that no rhythm of senders hides from it.
  void offer_to_others(Job& job) {
    until_offered_ = kOfferedOneIn;
    const Record known = job.record;
    const auto* parser = last_parser_;
    const auto capped_before = capped;
    known_captures_.assign(job.captures.begin(), job.captures.end());
    // Those of the header stand in front; they are none when the whole line was read.
    const size_t header = known.message_begin == 0 ? 0 : header_captures_;
    bool claimed = false;
    const auto ask = [&](const ParserDefinition& other) {
      if (claimed || &other == parser || (!parser->format.empty() && parser->format == other.format)) return;
      job.captures.resize(header);
      body.forget();
      claimed = try_parser(job, other);
      job.record = known;
    };
    const auto ask_all = [&](const LoadedParsers::Route& route) {
      for (auto* other : route) ask(*other);
    };
    job.captures.resize(header);
    if (known.origin) ask_all(parsers->by_transport(known.origin->transport));
    if (auto* route = route_of_file(known)) ask_all(*route);
    if (auto* route = route_of_app(job.captures, known)) ask_all(*route);
    const auto ask_found = [&] {
      for (size_t i = 0; i < any_found_.size(); ++i) {
        if (i > 0 && any_found_[i].parser == any_found_[i - 1].parser) continue;
        job.captures.resize(header);
        if (auto& other = *parsers->any()[any_found_[i].parser]; begins_as(other, job)) ask(other);
      }
    };
    find_by_prefix(job);
    ask_found();
    find_by_pattern(job);
    ask_found();
    if (claimed) ambiguous += kOfferedOneIn;
    capped = capped_before;
    job.captures.assign(known_captures_.begin(), known_captures_.end());
  }

 private:
  struct Candidate {
    const ParserDefinition* parser;
    size_t keys;  // of its own that stand in the body
  };
  std::vector<Candidate> candidates_;  // of one message
  std::vector<Capture> header_;
  std::vector<LoadedParsers::AnyPattern> any_found_;
  PatternFilter::Found found_;
  static constexpr uint32_t kOfferedOneIn = 251;
  uint32_t until_offered_ = 1;  // the first one is
  const ParserDefinition* last_parser_ = nullptr;
  size_t header_captures_ = 0;
  std::vector<Capture> known_captures_;
};

ParserWorker::ParserWorker(std::shared_ptr<const ParserSet> set) : state_(std::make_unique<State>()) {
  // There is one kind of ParserSet, and load() makes it.
  state_->parsers = static_cast<const LoadedParsers*>(set.get());
  state_->body.pairs().set_signature_keys(&state_->parsers->signature_keys());
  state_->set = std::move(set);
}

ParserWorker::~ParserWorker() = default;

void ParserWorker::parse(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
                         std::string_view dataset, bool is_header_capped) {
  State::Job job{record, zone, arena, captures, {}, {}, 0, false, is_header_capped, {}, 0};
  record.kind = nullptr;
  state_->parse(job, dataset);
  if (record.time_inferred & kAllInferred) state_->take_leading_time(job);
  if (is_header_capped && !record.kind) [[unlikely]] {
    // No parser knows the message: what there is to say is of the header, and of no dataset.
    static const MessageKind kCapped{"syslog", "capped", {}, {capped_message()}};
    record.kind = &kCapped;
    ++state_->capped;
  }
}

bool ParserWorker::parse_whole(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
                               const ParserDefinition& parser) {
  if (parser.whole_patterns.empty()) return false;
  State::Job job{record, zone, arena, captures, {}, {}, 0, false, false, {}, 0};
  if (!state_->set_text(job)) return false;
  for (auto index : parser.whole_patterns)
    if (state_->try_pattern(job, parser, parser.patterns[index])) return true;
  return false;
}

void ParserWorker::tell_asked(std::vector<AskedPattern>* asked) { state_->asked = asked; }

uint64_t ParserWorker::capped() const { return state_->capped; }

uint64_t ParserWorker::ambiguous() const { return state_->ambiguous; }

const std::shared_ptr<const ParserSet>& ParserWorker::set() const { return state_->set; }

}  // namespace yushi
