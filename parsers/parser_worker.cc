// Chooses the parsers that may know a message, in their order; a MessageMatcher asks each.
#include <algorithm>
#include <array>

#include "parsers/header/network_tag.h"
#include "parsers/inner_message.h"
#include "parsers/message_matcher.h"

namespace yushi::parsers {
namespace {

constexpr size_t kAppBytesMax = 64;

// Behind the kernel's uptime, "[  301.250417] "; all of `text` when none stands there.
std::string_view behind_uptime(std::string_view text) {
  if (text.empty() || text[0] != '[') return text;
  const auto end = text.find_first_not_of(" 0123456789.", 1);
  return end != std::string_view::npos && text.substr(end).starts_with("] ") ? text.substr(end + 2) : text;
}

}  // namespace

struct ParserWorker::State {
  std::shared_ptr<const ParserSet> set;
  const LoadedParsers* parsers = nullptr;
  MessageMatcher matcher;
  std::unique_ptr<InnerMessage> inner_message;
  uint64_t ambiguous = 0;
  const ParserDefinition* disbelieved = nullptr;  // whose message the last one would have been

  // The last file's parsers.
  std::string last_file;
  LoadedParsers::Route last_file_route;

  using Job = MatchJob;

  bool try_route(Job& job, const LoadedParsers::Route& route) {
    for (auto* parser : route)
      if (matcher.try_parser(job, *parser)) return true;
    return false;
  }

  // Of all that are recognised by their shape those that can know the text, in the order of any(): first by the text's
  // beginning.
  bool try_any(Job& job) { return try_prefix(job) || try_pattern(job); }
  bool try_prefix(Job& job) {
    find_by_prefix(job);
    return try_found(job);
  }
  bool try_pattern(Job& job) {
    find_by_pattern(job);
    return try_found(job);
  }

  bool try_found(Job& job) {
    for (size_t i = 0; i < any_found_.size(); ++i) {
      const auto found = any_found_[i];
      auto& parser = *parsers->any()[found.parser];
      if (is_of_no_carrier(parser.match.any_apps, program_of(job.captures), job.record)) continue;
      if (found.pattern != LoadedParsers::kAllPatterns) {
        if (matcher.try_pattern(job, parser, parser.patterns[found.pattern])) return true;
      } else if (begins_as(parser, job) && matcher.try_parser(job, parser)) {
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
        if (!is_as_it_stands || matcher.tells_asked()) one.pattern = LoadedParsers::kAllPatterns;
        any_found_.push_back(one);
        return false;
      });
    };
    take(job.text, true);
    // As matcher.try_parser() asks: for what a repeated message holds, and for the message with the blanks around it.
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
    return program == nullptr || std::find(match.prefix_apps.begin(), match.prefix_apps.end(),
                                           job.record.text(*program)) != match.prefix_apps.end();
  }

  // What is known of a line of this program.
  InnerMessage::Known known_of(const Record& record, std::string_view program) const {
    if (!record.kind) return {};
    InnerMessage::Known out{matcher.last_parser(), nullptr, disbelieved};
    if (!out.by->writers.empty()) {
      out.writers = &out.by->writers;
    } else if (auto* route = route_of_name(program, [&](std::string_view app) { return parsers->by_app(app); })) {
      for (auto* parser : *route)
        if (!out.writers && !parser->writers.empty()) out.writers = &parser->writers;
    }
    return out;
  }

  static const Capture* last_of(const std::vector<Capture>& captures, const Field* field) {
    const Capture* last = nullptr;
    for (auto& capture : captures)
      if (capture.field == field) last = &capture;
    return last;
  }
  static const Capture* program_of(const std::vector<Capture>& captures) {
    return last_of(captures, ecs::process_name);
  }

  const LoadedParsers::Route* route_of_app(const std::vector<Capture>& captures, const Record& record) const {
    if (const auto* name = program_of(captures))
      if (auto* route = route_of_name(record.text(*name), [&](std::string_view app) { return parsers->by_app(app); }))
        return route;
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

  // Does the header name a program that is none of these? Exactly by its name: `docker/web` is what web says, and no
  // daemon of Docker.
  static bool is_of_no_carrier(const std::vector<std::string>& carriers, const Capture* program, const Record& record) {
    if (carriers.empty() || !program) return false;
    const auto text = record.text(*program);
    std::array<char, kAppBytesMax> lower;
    return text.size() > kAppBytesMax ||
           std::find(carriers.begin(), carriers.end(), lower_case(text, lower)) == carriers.end();
  }

  // `find` gives the route of a name in lower case, or nullptr.
  template <class Find>
  static const LoadedParsers::Route* route_of_name(std::string_view text, Find&& find) {
    if (text.empty() || text.size() > kAppBytesMax) return nullptr;
    std::array<char, kAppBytesMax> lower;
    const auto app = lower_case(text, lower);
    if (auto* route = find(app)) return route;
    // /usr/sbin/cron, (systemd), postfix/smtpd
    if (app.front() == '(' && app.back() == ')' && app.size() > 2)
      if (auto* route = find(app.substr(1, app.size() - 2))) return route;
    if (auto slash = app.rfind('/'); slash != std::string_view::npos) {
      if (auto* route = find(app.substr(slash + 1))) return route;
      if (auto* route = find(app.substr(0, app.find('/')))) return route;
    }
    return nullptr;
  }

  // Of the parsers that know any line of their programs: they are asked when no body wants the message.
  const LoadedParsers::Route* last_route(const Job& job) const {
    const auto* name = program_of(job.captures);
    return name ? route_of_name(job.record.text(*name), [&](std::string_view app) { return parsers->by_app_last(app); })
                : nullptr;
  }

  // The header took the first name of a list for a tag: `time:1700000000;user:li`.
  bool try_with_tag(Job& job) {
    auto& record = job.record;
    if (job.captures.empty() || job.is_decoded) return false;
    const Capture tag = job.captures.back();
    if (tag.field != ecs::process_name || tag.end() + 1 != record.message_begin || record.raw[tag.end()] != ':')
      return false;
    const auto name = record.text(tag);
    if (!(parsers->dictionary() && parsers->dictionary()->find(name).entry) &&
        !parsers->signature_keys().contains(std::string(name)))
      return false;
    const auto begin = record.message_begin;
    const auto move_to = [&](uint32_t to) {
      record.message_length = record.message_begin + record.message_length - to;
      record.message_begin = to;
      matcher.body().forget();
      job.shape.reset();
      matcher.set_text(job);
    };
    job.captures.pop_back();
    move_to(tag.begin);
    // JSON behind a tag is what that program says.
    const bool is_list = matcher.shape_in(job).form != Body::json;
    if ((is_list && try_signatures(job)) || try_route(job, parsers->generic())) return true;
    job.captures.push_back(tag);
    move_to(begin);
    return false;
  }

  // The products whose names all stand in the body; of several the one with most names, then by file name.
  bool try_signatures(Job& job) {
    if (parsers->signature_keys().empty()) return false;
    const auto shape = matcher.shape_in(job);
    if (shape.form == Body::none || !read_shaped(job, shape)) return false;
    const auto& there = matcher.body().pairs().signature();
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
    const auto* program = program_of(job.captures);
    const bool is_known = std::any_of(candidates_.begin(), candidates_.end(), [&](auto& one) {
      auto& carriers = one.parser->match.keys_apps;
      // What is carried carries nothing in turn.
      job.is_of_no_carrier =
          is_of_no_carrier(carriers, program, job.record) || (!matcher.has_inner() && !carriers.empty());
      return matcher.try_parser(job, *one.parser);
    });
    job.is_of_no_carrier = false;
    job.is_unconfirmed |= !is_known && job.disbelieved;
    if (job.is_unconfirmed) disbelieved = job.disbelieved;
    return is_known;
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
    matcher.body().forget();
    record.message_length += begin;
    record.message_begin = 0;
    if (record.origin) record.event_ns = record.origin->received_ns;
    record.event_digits = 9;
    record.time_inferred = kAllInferred;
    if (matcher.set_text(job) && (route ? try_route(job, *route) : try_any(job))) return true;
    record.message_begin = begin;
    record.message_length -= begin;
    record.event_ns = event_ns;
    record.event_digits = digits;
    record.time_inferred = inferred;
    job.captures.assign(header_.begin(), header_.end());
    matcher.body().forget();
    matcher.set_text(job);
    return false;
  }

  void parse(Job& job, std::string_view dataset) {
    if (until_measured_ != 0 && --until_measured_ == 0) [[unlikely]] {
      until_measured_ = kMeasuredOneIn;
      job.measured_one_in = kMeasuredOneIn;
    }
    disbelieved = nullptr;
    matcher.body().forget();
    header_captures_ = job.captures.size();
    if (!matcher.set_text(job)) return;
    if (!dataset.empty()) {
      auto* route = parsers->by_dataset(dataset);
      if (route && (try_route(job, *route) || try_whole(job, route))) return;
      return;
    }
    const bool is_known = try_named(job) || try_prefix(job);
    if (!is_known && is_structured(job) && (try_signatures(job) || try_route(job, parsers->generic()))) return;
    if (is_known || try_last(job) || try_pattern(job) || try_whole(job, nullptr)) {
      if (--until_offered_ == 0) [[unlikely]]
        offer_to_others(job);
      return;
    }
    if (try_signatures(job) || try_with_tag(job) || try_route(job, parsers->generic())) return;
    if (auto* last = last_route(job); last && try_route(job, *last)) return;
    try_route(job, parsers->of_parameters());
  }

  // What is JSON or XML as a whole says by its names what it is, and is asked for no product's shape of a line.
  bool is_structured(Job& job) {
    if (!job.text.starts_with('{') && !job.text.starts_with('<')) return false;
    const auto form = matcher.shape_in(job).form;
    return form == Body::json || form == Body::xml;
  }

  // Is the message as a whole a body? Pairs within a sentence are none.
  bool is_body(Job& job) {
    const auto shape = matcher.shape_in(job);
    if (shape.form != Body::key_values) return shape.form != Body::none && shape.form != Body::names;
    return read_shaped(job, shape) && matcher.body().is_whole();
  }

  // By no parser's keys.
  bool read_shaped(const Job& job, const ShapedBody& shape) {
    static const KeyTable kNoKeys("", {}, {}, {});
    static const BodyShape kNoShape;
    return matcher.body().read(shape.form, job.text, shape.begin, shape.end, kNoKeys, kNoShape, kPairsMin);
  }

  // By what is known of the message beside its text.
  bool try_named(Job& job) {
    if (job.record.origin)
      if (auto& route = parsers->by_transport(job.record.origin->transport); !route.empty() && try_route(job, route))
        return true;
    if (auto* route = route_of_file(job.record))
      if (try_route(job, *route) || try_whole(job, route)) return true;
    auto* route = route_of_app(job.captures, job.record);
    return route && try_route(job, *route);
  }

  // Of a program that is known the lines without a body need not be asked for anybody's shape.
  bool try_last(Job& job) {
    auto* last = last_route(job);
    return last && !is_body(job) && try_route(job, *last);
  }

  // Would a parser that comes later in the order know this message too? To ask costs as much as the message itself, so
  // of those that were known one in kOfferedOneIn is offered: a claim that matters comes again and again. The number is
  // prime, so that no rhythm of senders hides from it.
  void offer_to_others(Job& job) {
    until_offered_ = kOfferedOneIn;
    job.measured_one_in = 0;  // nobody would have asked them
    const Record known = job.record;
    const auto* parser = matcher.last_parser();
    const auto capped_before = matcher.capped();
    known_captures_.assign(job.captures.begin(), job.captures.end());
    // Those of the header stand in front; they are none when the whole line was read.
    const size_t header = known.message_begin == 0 ? 0 : header_captures_;
    bool claimed = false;
    const auto ask = [&](const ParserDefinition& other) {
      if (claimed || &other == parser || (!parser->format.empty() && parser->format == other.format)) return;
      job.captures.resize(header);
      matcher.body().forget();
      claimed = matcher.try_parser(job, other);
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
        if (auto& other = *parsers->any()[any_found_[i].parser];
            begins_as(other, job) && !is_of_no_carrier(other.match.any_apps, program_of(job.captures), job.record))
          ask(other);
      }
    };
    find_by_prefix(job);
    ask_found();
    find_by_pattern(job);
    ask_found();
    if (claimed) ambiguous += kOfferedOneIn;
    matcher.set_capped(capped_before);
    matcher.set_last_parser(parser);
    job.captures.assign(known_captures_.begin(), known_captures_.end());
  }

  void measure() { until_measured_ = 1; }  // the first one is

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
  static constexpr uint32_t kMeasuredOneIn = 1021;  // prime, too
  uint32_t until_measured_ = 0;                     // 0: none is
  uint32_t until_offered_ = 1;                      // the first one is
  size_t header_captures_ = 0;
  std::vector<Capture> known_captures_;
};

ParserWorker::ParserWorker(std::shared_ptr<const ParserSet> set) : state_(std::make_unique<State>()) {
  // There is one kind of ParserSet, and load() makes it.
  state_->parsers = static_cast<const LoadedParsers*>(set.get());
  state_->matcher.body().pairs().set_signature_keys(&state_->parsers->signature_keys());
  state_->set = std::move(set);
  // Made when the first message comes that holds another. An inner message holds none.
  state_->inner_message = std::make_unique<InnerMessage>(
      [of = state_->set, worker = std::shared_ptr<ParserWorker>()](Record& record, const Zone& zone, Arena& arena,
                                                                   std::vector<Capture>& captures) mutable {
        if (!worker) {
          worker = std::make_shared<ParserWorker>(of);
          worker->state_->matcher.set_inner(nullptr);
        }
        const std::string_view program = record.text(captures.front());
        worker->parse(record, zone, arena, captures);
        return worker->state_->known_of(record, program);
      });
  state_->matcher.set_inner(state_->inner_message.get());
}

ParserWorker::~ParserWorker() = default;

void ParserWorker::measure() { state_->measure(); }

void ParserWorker::parse(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
                         std::string_view dataset, bool is_header_capped) {
  State::Job job{record, zone, arena, captures, is_header_capped, {}, {}};
  record.kind = nullptr;
  state_->parse(job, dataset);
  if (record.time_inferred & kAllInferred) state_->matcher.take_leading_time(job);
  if (is_header_capped && !record.kind) [[unlikely]] {
    // No parser knows the message: what there is to say is of the header, and of no dataset.
    static const MessageKind kCapped{"syslog", "capped", {}, {capped_message()}};
    record.kind = &kCapped;
    state_->matcher.set_capped(state_->matcher.capped() + 1);
  }
}

bool ParserWorker::parse_whole(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
                               const ParserDefinition& parser) {
  if (parser.whole_patterns.empty()) return false;
  State::Job job{record, zone, arena, captures, false, {}, {}};
  if (!state_->matcher.set_text(job)) return false;
  for (auto index : parser.whole_patterns)
    if (state_->matcher.try_pattern(job, parser, parser.patterns[index])) return true;
  return false;
}

void ParserWorker::tell_asked(std::vector<AskedPattern>* asked) { state_->matcher.tell_asked(asked); }

uint64_t ParserWorker::capped() const { return state_->matcher.capped(); }

uint64_t ParserWorker::ambiguous() const { return state_->ambiguous; }

}  // namespace yushi::parsers
