#include "detect/rules/rules.h"

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/filter/expression.h"
#include "core/filter/sigma.h"
#include "core/ledger/sha256.h"
#include "core/record/dataset.h"
#include "core/record/value.h"
#include "detect/alerts/alert_words.h"

namespace yushi::detect {
namespace {

namespace fs = std::filesystem;

constexpr size_t kProblemsMax = 100;

Result<void> read_directory(const std::string& directory, std::map<std::string, RuleFile>& files,
                            std::vector<FileLeftOut>& away, std::vector<FileLeftOut>& misnamed) {
  std::error_code error;
  if (!fs::exists(directory, error) && !error) return {};
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored)) continue;  // looked into
    if (!is_data_file_name(at->path().string(), true, misnamed)) continue;
    RuleFile file;
    file.path = at->path().string();
    file.name = at->path().lexically_relative(directory).generic_string();
    auto text = read_data_file(file.path);
    if (!text) {
      away.push_back({file.path, text.error().message});
      continue;
    }
    file.text = std::move(*text);
    files[file.name] = std::move(file);
  }
  if (error) return fail(Code::io, "reading rules in " + directory + ": " + error.message());
  return {};
}

std::string level_text(Severity severity) {
  constexpr const char* kLevels[] = {"informational", "low", "medium", "high", "critical"};
  return kLevels[static_cast<int>(severity)];
}

// The generic parsers know how a message is written, not what says it: it is judged as one that no parser knew.
bool is_only_a_form(std::string_view dataset) { return dataset == "kv" || dataset == "json"; }

const Field* url_decoded() {
  static const Field* const kField = find_field("yushi.url.decoded");
  return kField;
}

// Values that stand neither in raw nor among the constants of a kind, but come from where a record was taken. Of those
// outside the token filter, as its times, no literal is required at all.
bool asks_of_derived(const Expression& expression) {
  if (expression.kind == Expression::Kind::test) {
    for (std::string_view name : {"event.dataset", "observer.name", "organization.name", "log.source.address"})
      if (expression.name == name) return true;
    return expression.name.starts_with("log.syslog.");
  }
  return std::any_of(expression.children.begin(), expression.children.end(), asks_of_derived);
}

// The fields of records in whose values a literal stands that this field is asked for; none: it can stand anywhere.
std::vector<const Field*> fields_with_value_of(const Field* field) {
  static const Field* const kUrlOriginal = find_field("url.original");
  static const Field* const kUrlPath = find_field("url.path");
  static const Field* const kUrlQuery = find_field("url.query");
  static const Field* const kUrlFull = find_field("url.full");
  static const Field* const kExecutable = find_field("process.executable");
  // A dynamic field is compared by name; these stand for stretches of raw, and those of related.* in any field.
  if (!field || field->id == kDynamicField || field == ecs::message || field == ecs::event_original ||
      field->name.starts_with("related."))
    return {};
  // A name may have fields of several types: of versions of its parser, and as a list of a joined event.
  std::vector<const Field*> out;
  for (const Field* one : fields_named(field->name)) out.push_back(one);
  if (field == kUrlOriginal) out.insert(out.end(), {kUrlPath, kUrlQuery});  // the span over both
  // Parts of a URL may be derived of the whole one, and a program's name of its file.
  if (field->name.starts_with("url.") || field == url_decoded())
    out.insert(out.end(), {kUrlOriginal, kUrlFull, kUrlPath});
  if (field == ecs::process_name) out.push_back(kExecutable);
  return out;
}

// A value without the sign that begins an escape is written as it is meant, but for hex. A literal is looked for in any
// case.
bool is_written_otherwise(const Record& record, const Capture& capture) {
  auto escape = static_cast<Escape>(capture.escape);
  if (escape == Escape::none || escape == Escape::lower) return false;
  if (escape == Escape::hex) return true;
  const char sign = escape == Escape::quotes ? '"' : escape == Escape::xml ? '&' : '\\';
  return record.text(capture).find(sign) != std::string_view::npos;
}

void set_bit(std::vector<uint64_t>& bits, size_t at) {
  if (bits.size() <= at / 64) bits.resize(at / 64 + 1);
  bits[at / 64] |= uint64_t{1} << (at % 64);
}

}  // namespace

Result<std::vector<RuleFile>> read_rule_directories(const std::vector<std::string>& directories,
                                                    std::vector<FileLeftOut>* left_out) {
  std::map<std::string, RuleFile> files;
  std::vector<FileLeftOut> away, misnamed;
  for (const auto& directory : directories) YUSHI_TRY(read_directory(directory, files, away, misnamed));
  if (!away.empty() && !left_out) return fail(Code::io, away.front().why);
  if (left_out) {
    left_out->insert(left_out->end(), away.begin(), away.end());
    left_out->insert(left_out->end(), misnamed.begin(), misnamed.end());
  }
  std::vector<RuleFile> out;
  for (auto& [name, file] : files) out.push_back(std::move(file));
  return out;
}

std::vector<const RuleFile*> distinct_files(const std::vector<RuleFile>& files) {
  std::set<Hash> known;
  std::vector<const RuleFile*> out;
  for (const auto& file : files) {
    std::string text = file.text;
    std::erase(text, '\r');
    if (known.insert(sha256(text)).second) out.push_back(&file);
  }
  return out;
}

Result<std::shared_ptr<const RuleSet>> RuleSet::load(std::vector<RuleFile> files, const LogSources& sources) {
  return LoadedRules::load(std::move(files), sources);
}

Result<std::shared_ptr<const RuleSet>> LoadedRules::load(std::vector<RuleFile> files, const LogSources& sources) {
  std::map<std::string, size_t> last;
  for (size_t i = 0; i < files.size(); ++i) last[files[i].name] = i;
  auto set = std::shared_ptr<LoadedRules>(new LoadedRules);
  for (size_t i = 0; i < files.size(); ++i)
    if (last[files[i].name] == i) set->files_.push_back(std::move(files[i]));

  const Placeholders placeholders = placeholders_of(set->files_, sources);
  std::vector<RuleDocument> documents;
  std::string problems;
  size_t problem_count = 0;
  for (const RuleFile* file : distinct_files(set->files_)) {
    ParsedRuleFile parsed = parse_rule_file(*file, sources, placeholders);
    set->passed_over_.insert(set->passed_over_.end(), parsed.passed_over.begin(), parsed.passed_over.end());
    for (const auto& problem : parsed.problems) {
      if (problem.unsupported)
        set->unsupported_.push_back(problem.text());
      else if (++problem_count <= kProblemsMax)
        problems += (problems.empty() ? "" : "\n") + problem.text();
    }
    for (auto& document : parsed.documents) documents.push_back(std::move(document));
  }
  if (problem_count > kProblemsMax)
    problems += "\nand " + std::to_string(problem_count - kProblemsMax) + " more problems";
  if (problem_count > 0) return fail(Code::invalid, problems);
  set->link(documents, sources, placeholders);
  set->index();
  for (size_t i = 0; i < set->ids().size(); ++i) set->counts_.push_back(std::make_shared<Counts>());
  return std::shared_ptr<const RuleSet>(set);
}

void LoadedRules::link(std::vector<RuleDocument>& documents, const LogSources& sources,
                       const Placeholders& placeholders) {
  std::map<std::string, std::string> place_of_id;
  std::map<std::string, uint32_t> numbers;  // names and ids
  std::vector<CorrelationRule> waiting;
  std::vector<FilterRule> filters;
  for (auto& document : documents) {
    const RuleHead& head = document.head();
    std::string place = head.path + ":" + std::to_string(head.line);
    auto [known, is_new] = place_of_id.emplace(head.id, place);
    if (!is_new) {
      ++of_known_id_;
      unsupported_.push_back(place + ":1: id " + head.id + " is also that of " + known->second);
      continue;
    }
    if (document.filter) {
      filters.push_back(std::move(*document.filter));
      continue;
    }
    if (document.correlation) {
      waiting.push_back(std::move(*document.correlation));
      continue;
    }
    auto number = static_cast<uint32_t>(rules_.size());
    numbers.emplace(head.id, number);
    if (!head.name.empty()) numbers.emplace(head.name, number);
    rules_.push_back(std::move(*document.rule));
  }
  rules_.shrink_to_fit();
  rule_uses_.resize(rules_.size());
  link_filters(filters, numbers, sources, placeholders);

  // A correlation may use others: take those whose parts are all there, until no more can be taken.
  std::set<std::string> names_waiting;
  for (const auto& rule : waiting) {
    names_waiting.insert(rule.head.id);
    if (!rule.head.name.empty()) names_waiting.insert(rule.head.name);
  }
  std::set<uint32_t> silenced, kept;
  bool moved = true;
  while (moved && !waiting.empty()) {
    moved = false;
    for (size_t i = 0; i < waiting.size(); ++i) {
      std::vector<uint32_t> parts;
      for (const auto& name : waiting[i].rules)
        if (auto at = numbers.find(name); at != numbers.end()) parts.push_back(at->second);
      if (parts.size() < waiting[i].rules.size()) continue;
      Correlation linked;
      linked.rule = std::move(waiting[i]);
      linked.parts = std::move(parts);
      waiting.erase(waiting.begin() + static_cast<ptrdiff_t>(i));
      moved = true;
      auto number = static_cast<uint32_t>(correlations_.size());
      std::string unmapped;  // a field of Sigma's that is not just one of ours
      for (uint32_t part = 0; part < linked.parts.size(); ++part) {
        std::vector<std::string> fields;
        for (const auto& group : linked.rule.group_by) {
          std::string field = group;
          for (const auto& [alias, by_rule] : linked.rule.aliases)
            if (alias == group)
              for (const auto& [rule, name] : by_rule)
                if (rule == linked.rule.rules[part]) field = name;
          if (!map_field(sources, linked.parts[part], field)) unmapped = field;
          fields.push_back(std::move(field));
        }
        linked.group_fields.push_back(std::move(fields));
      }
      if (!linked.rule.value_field.empty() && !map_field(sources, linked.parts[0], linked.rule.value_field))
        unmapped = linked.rule.value_field;
      std::string why;
      if (!unmapped.empty()) why = "field " + unmapped + " is no field, or not one only, of the rules correlated";
      for (uint32_t part : linked.parts)
        if (part & kCorrelation && correlations_[part & ~kCorrelation].rule.waits)
          why = "'" + correlations_[part & ~kCorrelation].rule.head.id +
                "' is decided when its window is over, which cannot be a part of another";
      if (!why.empty()) {
        unsupported_.push_back(linked.rule.head.path + ":" + std::to_string(linked.rule.head.line) +
                               ":1: unsupported: " + why);
        break;
      }
      for (uint32_t part = 0; part < linked.parts.size(); ++part) {
        uint32_t used = linked.parts[part];
        if (used & kCorrelation) {
          correlation_uses_[used & ~kCorrelation].push_back({number, part});
        } else {
          rule_uses_[used].push_back({number, part});
        }
        (linked.rule.generate ? kept : silenced).insert(used);
      }
      linked.said_fields = said_fields(linked.rule);
      numbers.emplace(linked.rule.head.id, kCorrelation | number);
      if (!linked.rule.head.name.empty()) numbers.emplace(linked.rule.head.name, kCorrelation | number);
      correlations_.push_back(std::move(linked));
      correlation_uses_.emplace_back();
      break;
    }
  }
  auto raises = [&](uint32_t number) { return !silenced.contains(number) || kept.contains(number); };
  for (uint32_t i = 0; i < rules_.size(); ++i) raises_.push_back(raises(i));
  for (uint32_t i = 0; i < correlations_.size(); ++i) correlation_raises_.push_back(raises(kCorrelation | i));
  for (const auto& rule : waiting) {
    std::string place = rule.head.path + ":" + std::to_string(rule.head.line) + ":1: ";
    for (const auto& name : rule.rules) {
      if (numbers.contains(name)) continue;
      if (names_waiting.contains(name)) {
        unsupported_.push_back(place + "unsupported: correlation refers to '" + name +
                               "', which refers back to it or is not there");
        break;
      }
      // The rule may be one that we had to leave out as unsupported.
      unsupported_.push_back(place + "unsupported: correlation refers to rule '" + name + "', which is not loaded");
      break;
    }
  }
}

void LoadedRules::link_filters(const std::vector<FilterRule>& filters, const std::map<std::string, uint32_t>& numbers,
                               const LogSources& sources, const Placeholders& placeholders) {
  const auto takes = [](const std::string& filter, const std::string& rule) {
    return filter.empty() || filter == rule;
  };
  for (const auto& filter : filters) {
    const std::string place = filter.head.path + ":" + std::to_string(filter.head.line) + ":1: unsupported: ";
    std::vector<uint32_t> chosen;
    for (const auto& name : filter.rules) {
      if (auto at = numbers.find(name); at != numbers.end())
        chosen.push_back(at->second);
      else
        unsupported_.push_back(place + "filter of rule '" + name + "', which is not loaded");
    }
    if (filter.rules.empty())
      for (uint32_t i = 0; i < rules_.size(); ++i) chosen.push_back(i);
    for (uint32_t number : chosen) {
      SigmaRule& rule = rules_[number];
      if (!takes(filter.source.product, rule.source.product) || !takes(filter.source.category, rule.source.category) ||
          !takes(filter.source.service, rule.source.service))
        continue;
      auto filtered = with_filter(rule, filter, sources, placeholders);
      if (!filtered) {
        unsupported_.push_back(place + "filter of rule '" + rule.head.id + "': " + filtered.error().message);
        continue;
      }
      rule.filter = std::move(*filtered);
      rule.head.digest = to_hex(as_bytes(sha256(rule.head.digest + "\n" + filter.head.digest)));
    }
  }
}

// To the one field that holds it in the records of a part.
bool LoadedRules::map_field(const LogSources& sources, uint32_t part, std::string& field) const {
  if (field == kActor || may_be_field(field)) return true;
  if (part & kCorrelation) return false;
  auto fields = sources.find_field(rules_[part].scope, field);
  if (fields.size() != 1) return false;
  field = fields[0];
  return true;
}

std::string LoadedRules::used_by(uint32_t number) const {
  if (raises(number)) return {};
  const RuleHead& head = correlations_[uses(number).front().correlation].rule.head;
  return "'" + head.title + "' (" + head.id + ")";
}

const std::vector<LoadedRules::Use>& LoadedRules::uses(uint32_t number) const {
  return number & kCorrelation ? correlation_uses_[number & ~kCorrelation] : rule_uses_[number];
}

// What of it a record must have for the expression to hold.
LoadedRules::OfRequest LoadedRules::of_request(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::test:
      if (expression.name == "yushi.request.sql") return OfRequest::sql;
      if (expression.name == "yushi.request.script") return OfRequest::script;
      if (expression.name == "yushi.request.command") return OfRequest::command;
      return expression.name == "yushi.request.plain" || expression.name == "yushi.url.plain" ? OfRequest::plain
                                                                                              : OfRequest::nothing;
    case Expression::Kind::all_of: {
      OfRequest out = OfRequest::nothing;
      for (const auto& child : expression.children)
        if (const auto needs = of_request(child); needs != OfRequest::nothing && needs != OfRequest::plain)
          return needs;
        else if (needs == OfRequest::plain)
          out = needs;
      return out;
    }
    case Expression::Kind::any_of: {
      if (expression.children.empty()) return OfRequest::nothing;
      const OfRequest first = of_request(expression.children.front());
      bool same = true;
      for (const auto& child : expression.children) {
        const auto needs = of_request(child);
        if (needs == OfRequest::nothing) return needs;
        same &= needs == first;
      }
      return same ? first : OfRequest::plain;
    }
    default:
      return OfRequest::nothing;
  }
}

LoadedRules::Needs LoadedRules::needs_of(const Filter& filter) {
  Needs out;
  if (!asks_of_derived(filter.expression())) out.literals = required_literals(filter);
  for (auto& set : out.literals)
    if (!std::all_of(set.begin(), set.end(), [](const auto& one) { return LiteralSearch::can_search(one.text); }))
      set.clear();
  std::erase_if(out.literals, [](const auto& set) { return set.empty(); });
  out.literals.resize(kRequiredSetsMax);
  out.of_request = of_request(filter.expression());
  return out;
}

LoadedRules::Candidates LoadedRules::make_candidates(std::vector<uint32_t> rules) const {
  Candidates out;
  out.rules = std::move(rules);
  const size_t words = (out.rules.size() + 63) / 64;
  out.always.resize(kRequiredSetsMax * words);
  out.all.resize(out.always.size());
  for (uint32_t place = 0; place < out.rules.size(); ++place) {
    const Needs& needs = needs_[out.rules[place]];
    for (size_t set = 0; set < kRequiredSetsMax; ++set) {
      set_bit(out.all, set * words * 64 + place);
      if (!needs.literals[set].empty()) continue;
      if (set > 0 || needs.of_request == OfRequest::nothing) {
        set_bit(out.always, set * words * 64 + place);
        continue;
      }
      set_bit(out.of_requests[static_cast<size_t>(needs.of_request)], place);
      out.decodes_requests = true;
    }
  }
  make_zones(out);
  return out;
}

void LoadedRules::make_zones(Candidates& out) const {
  const auto for_each_literal = [&](auto&& visit) {
    for (uint32_t place = 0; place < out.rules.size(); ++place)
      for (size_t set = 0; set < kRequiredSetsMax; ++set)
        for (const auto& literal : needs_[out.rules[place]].literals[set])
          visit(literal, static_cast<uint32_t>(set * out.words() * 64 + place));
  };
  std::map<const Field*, std::vector<const Field*>> asked;  // where the values of each stand
  for_each_literal([&](const RequiredLiteral& literal, uint32_t) {
    const auto [one, is_new] = asked.try_emplace(literal.field);
    if (is_new) one->second = fields_with_value_of(literal.field);
  });

  std::vector<std::set<const Field*>> fields;  // of each zone: no field is in two
  bool anywhere = false;
  for (const auto& one : asked) {
    const auto& where = one.second;
    anywhere |= where.empty();
    if (where.empty()) continue;
    std::set<const Field*> zone(where.begin(), where.end());
    for (auto at = fields.begin(); at != fields.end();) {
      const bool shares = std::any_of(where.begin(), where.end(), [&](auto* field) { return at->contains(field); });
      if (shares) zone.merge(*at);
      at = shares ? fields.erase(at) : at + 1;
    }
    fields.push_back(std::move(zone));
  }
  for (; fields.size() >= Candidates::kZonesMax; fields.pop_back()) fields[fields.size() - 2].merge(fields.back());

  out.zones.resize(fields.size() + (anywhere ? 1 : 0));
  std::map<const Field*, size_t> zone_of;
  for (size_t i = 0; i < fields.size(); ++i) {
    for (const Field* field : fields[i]) {
      zone_of[field] = i;
      if (out.zones_of.size() <= field->id) out.zones_of.resize(field->id + 1u);
      out.zones_of[field->id] |= uint32_t{1} << i;
      if (!is_fixed_field(*field)) {
        out.zones_named[field->name] |= uint32_t{1} << i;
        out.named_sizes |= uint64_t{1} << field->name.size() % 64;
      }
      out.zones[i].of_request |= field->name.starts_with("url.");
      out.zones[i].of_decoded |= field == url_decoded();
      out.zones[i].of_plain |= field->name == "yushi.url.plain" || field->name == "yushi.request.plain";
    }
    out.decodes_requests |= out.zones[i].of_plain;
  }
  if (anywhere) out.zones.back().whole_raw = true;
  for_each_literal([&](const RequiredLiteral& literal, uint32_t group) {
    const auto& where = asked.at(literal.field);
    const size_t zone = where.empty() ? out.zones.size() - 1 : zone_of.at(where.front());
    // Where whole values are searched; a program's name is the end of its file.
    const bool is_value = !out.zones[zone].of_request && !out.zones[zone].whole_raw;
    out.zones[zone].literals.add(group, literal.text,
                                 is_value && literal.at_begin && literal.field != ecs::process_name,
                                 is_value && literal.at_end);
  });
  for (Zone& zone : out.zones) zone.literals.build();
}

void LoadedRules::index() {
  std::set<std::string> datasets, processes;
  for (const auto& rule : rules_) {
    needs_.push_back(needs_of(rule.filter));
    datasets.insert(rule.scope.datasets.begin(), rule.scope.datasets.end());
    processes.insert(rule.scope.processes.begin(), rule.scope.processes.end());
  }
  auto choose = [this](auto&& applies) {
    std::vector<uint32_t> chosen;
    for (uint32_t i = 0; i < rules_.size(); ++i)
      if (applies(rules_[i].scope)) chosen.push_back(i);
    return make_candidates(std::move(chosen));
  };
  auto holds = [](const std::vector<std::string>& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  for (const auto& dataset : datasets)
    by_dataset_.emplace(dataset, choose([&](const RuleScope& s) { return s.all || holds(s.datasets, dataset); }));
  for (const auto& process : processes)
    by_process_.emplace(process,
                        choose([&](const RuleScope& s) { return s.all || s.unknown || holds(s.processes, process); }));
  other_datasets_ = choose([](const RuleScope& s) { return s.all; });
  unparsed_ = choose([](const RuleScope& s) { return s.all || s.unknown; });
}

const LoadedRules::Candidates& LoadedRules::candidates_of(const MessageKind* kind) const {
  auto at = by_dataset_.find(kind->dataset);
  return at == by_dataset_.end() ? other_datasets_ : at->second;
}

const LoadedRules::Candidates& LoadedRules::of_kind(const Candidates& candidates, const MessageKind* kind) const {
  Record bare;
  Origin origin;
  bare.origin = &origin;
  bare.kind = kind;
  // What is the kind's alone.
  const RecordForm form{[](std::string_view, bool, bool) { return true; }, &bare,
                        [&](std::string_view field) {
                          return field != "yushi.event" && field != ecs::yushi_program_unconfirmed->name &&
                                 (!kind || may_have_field(*kind, field));
                        }};
  Scratch scratch;
  std::vector<uint32_t> possible;
  for (uint32_t rule : candidates.rules)
    if (rules_[rule].filter.may_match_form(form, scratch)) possible.push_back(rule);
  if (possible.size() == candidates.rules.size()) return candidates;
  MutexLock lock(by_rules_mutex_);
  auto& made = by_rules_[possible];
  if (!made) made = std::make_unique<const Candidates>(make_candidates(possible));
  return *made;
}

class LoadedRules::Matcher final : public RuleMatcher {
 public:
  Matcher(const LoadedRules& set, bool counts) : set_(set), counts_(counts) {}

  void match(const Batch& batch, Scratch& scratch, std::vector<RuleHit>& hits) override {
    if (set_.rules_.empty()) return;
    scratch_ = &scratch;
    hits_ = &hits;
    for (uint32_t i = 0; i < batch.records.size(); ++i) match(batch.records[i], i);
    scratch.odd_request = nullptr;
    scratch.places = nullptr;
  }

 private:
  void match(const Record& record, uint32_t position) {
    if (record.part > 1) return;  // no message, so none that no parser knew: parsers/understand.cc
    if (record.kind && record.kind->is_line) return;
    is_measured_ = counts_ && --until_measured_ == 0;
    if (is_measured_) until_measured_ = kMeasuredOneIn;
    const Known* known = &known_of(record.kind);
    if (known->by_program) known = &known_of_program(record);
    const Candidates& candidates = *known->candidates;
    if (candidates.rules.empty()) return;
    if (!known->all_possible) {
      found_.assign(known->possible.begin(), known->possible.end());
      if (search(candidates, record)) {
        keep_possible(found_);
        return ask_these(candidates, found_, record, position);
      }
    }
    ask_these(candidates, {candidates.all.data(), candidates.words()}, record, position);
  }

  // Of the bits for each of the sets that rules require one of, those of the rules that all sets let through.
  static void keep_possible(std::vector<uint64_t>& found) {
    const size_t words = found.size() / kRequiredSetsMax;
    for (size_t word = words; word < found.size(); ++word) found[word % words] &= found[word];
    found.resize(words);
  }

  struct Known {
    bool filled = false;
    bool by_program = false;    // what says it decides, not how it is written
    bool all_possible = false;  // the constants leave nothing to look for
    const MessageKind* kind = nullptr;
    const Candidates* candidates = nullptr;  // nullptr: by program
    std::vector<uint64_t> possible;          // as Candidates::always, with what the constants of the kind have
  };
  struct Program {
    std::string name;
    const Candidates* candidates = nullptr;
  };

  // Open addressing, at most half full: a record's kind is found at once.
  Known& known_of(const MessageKind* kind) {
    Known& known = slot_of(kind);
    if (known.filled) return known;
    if (++kinds_ * 2 > known_.size()) {
      auto old = std::exchange(known_, std::vector<Known>(known_.size() * 2));
      for (Known& one : old)
        if (one.filled) slot_of(one.kind) = std::move(one);
      return learn(slot_of(kind), kind);
    }
    return learn(known, kind);
  }

  Known& slot_of(const MessageKind* kind) {
    size_t at = (reinterpret_cast<uintptr_t>(kind) / alignof(MessageKind) * 0x9e3779b97f4a7c15u) >> 32;
    while (true) {
      Known& known = known_[at++ & (known_.size() - 1)];
      if (!known.filled || known.kind == kind) return known;
    }
  }

  Known& learn(Known& known, const MessageKind* kind) {
    known.filled = true;
    known.kind = kind;
    known.by_program = !kind || is_only_a_form(kind->dataset);
    if (!known.by_program) learn(known, set_.candidates_of(kind));
    return known;
  }

  void learn(Known& known, const Candidates& of_all_kinds) {
    const Candidates& candidates = set_.of_kind(of_all_kinds, known.kind);
    known.candidates = &candidates;
    known.possible = candidates.always;
    if (known.kind) search_constants(candidates, *known.kind, known.possible.data());
    std::vector<uint64_t> possible = known.possible;
    keep_possible(possible);
    known.all_possible = std::equal(possible.begin(), possible.end(), candidates.all.begin());
  }

  // What a parser says of all messages of one pattern does not stand in raw.
  static void search_constants(const Candidates& candidates, const MessageKind& kind, uint64_t* found) {
    for (const auto& constant : kind.constants) {
      if (LiteralSearch::folds_into_ascii(constant.value)) {
        for (size_t word = 0; word < candidates.always.size(); ++word) found[word] |= candidates.all[word];
        return;
      }
      for (const Zone& zone : candidates.zones) zone.literals.search(constant.value, found);
    }
  }

  // Of a record that no parser knew, or of which one knew only how it is written.
  const Known& known_of_program(const Record& record) {
    const Candidates& candidates = of_program(record);
    auto [at, is_new] = known_of_programs_.try_emplace({&candidates, record.kind});
    if (is_new) {
      at->second.kind = record.kind;
      learn(at->second, candidates);
    }
    return at->second;
  }

  const Candidates& of_program(const Record& record) {
    if (set_.by_process_.empty()) return set_.unparsed_;
    scratch_->clear();
    Value value;
    if (!first_value(record, ecs::process_name, *scratch_, &value)) return set_.unparsed_;
    std::string_view name = value.text;
    size_t mixed = name.empty()
                       ? 0
                       : name.size() * 31 + static_cast<uint8_t>(name.front()) * 7 + static_cast<uint8_t>(name.back());
    Program& program = programs_[mixed % programs_.size()];
    if (!program.candidates || program.name != name) {
      program.name = name;
      auto at = set_.by_process_.find(program.name);
      program.candidates = at == set_.by_process_.end() ? &set_.unparsed_ : &at->second;
    }
    return *program.candidates;
  }

  // Marks in found_ the rules whose literals stand in the record. False when a literal may stand there in another
  // spelling: then every rule must be asked.
  bool search(const Candidates& candidates, const Record& record) {
    if (candidates.decodes_requests && may_have_odd_request(record) && !search_request(candidates, record))
      return false;
    const size_t zones = candidates.zones.size();
    std::array<Stretch, Candidates::kZonesMax> stretches{};
    bool has_escapes = false;
    for (const Capture& capture : record.captures) {
      const uint32_t zones_with = candidates.zones_with(*capture.field);
      if (zones_with == 0) continue;
      if (is_written_otherwise(record, capture)) {
        // A literal may stand on both sides of the border between path and query.
        if (capture.field->name.starts_with("url.")) return false;
        scratch_->clear();
        const std::string_view meant = decode_escape(text_of(record, record.text(capture), *scratch_),
                                                     static_cast<Escape>(capture.escape), *scratch_);
        if (LiteralSearch::folds_into_ascii(meant)) return false;
        for (uint32_t bits = zones_with; bits; bits &= bits - 1)
          candidates.zones[static_cast<size_t>(std::countr_zero(bits))].literals.search(meant, found_.data());
      }
      for (uint32_t bits = zones_with; bits; bits &= bits - 1) {
        const auto i = static_cast<size_t>(std::countr_zero(bits));
        const Zone& zone = candidates.zones[i];
        if (zone.of_decoded) {
          const auto text = record.text(capture);
          has_escapes |= text.find('%') != text.npos || text.find('+') != text.npos;
        }
        Stretch& stretch = stretches[i];
        if (stretch.end > 0 && !zone.of_request) {
          if (!search(zone, record, stretch)) return false;
          stretch = {};
        }
        if (stretch.end == 0) stretch.begin = capture.begin;
        stretch.end = capture.end();
      }
    }
    for (size_t i = 0; i < zones; ++i) {
      const Zone& zone = candidates.zones[i];
      if (zone.whole_raw) stretches[i] = {0, record.raw.size()};
      if (stretches[i].end > 0 && !search(zone, record, stretches[i])) return false;
      if (!zone.of_decoded || !has_escapes) continue;
      if (Value decoded; first_value(record, url_decoded(), *scratch_, &decoded)) {
        if (LiteralSearch::folds_into_ascii(decoded.text)) return false;
        zone.literals.search(decoded.text, found_.data());
      }
    }
    return true;
  }

  // Of raw. One over all parts of a request's target: url.original is a span over url.path and url.query, or over the
  // path and its `?`.
  struct Stretch {
    size_t begin = 0, end = 0;
  };
  bool search(const Zone& zone, const Record& record, Stretch where) {
    scratch_->clear();
    const auto text =
        text_of(record, record.raw.substr(where.begin, where.end - where.begin + zone.of_request), *scratch_);
    if (LiteralSearch::folds_into_ascii(text)) return false;
    zone.literals.search(text, found_.data());
    return true;
  }

  // The same of what a client sent, decoded; the rules that are asked then need not decode it anew.
  bool search_request(const Candidates& candidates, const Record& record) {
    scratch_->clear();
    judge_request(record, *scratch_, &odd_);
    scratch_->odd_request = &odd_;
    bool may_fold = false, sql = false, script = false, command = false;
    for (const auto& part : odd_.parts) {
      may_fold |= LiteralSearch::folds_into_ascii(part.plain);
      for (const Zone& zone : candidates.zones)
        if (zone.of_plain) zone.literals.search(part.plain, found_.data());
      sql |= part.sql;
      script |= part.script;
      command |= part.command;
    }
    const auto add = [&](OfRequest what, bool has) {
      const auto& bits = candidates.of_requests[static_cast<size_t>(what)];
      for (size_t word = 0; has && word < bits.size(); ++word) found_[word] |= bits[word];
    };
    add(OfRequest::plain, !odd_.parts.empty());
    add(OfRequest::sql, sql);
    add(OfRequest::script, script);
    add(OfRequest::command, command);
    return !may_fold;
  }

  void ask_these(const Candidates& candidates, std::span<const uint64_t> places, const Record& record,
                 uint32_t position) {
    size_t asked = 0;
    for (const uint64_t bits : places) asked += static_cast<size_t>(std::popcount(bits));
    if (asked >= kAskedWithPlaces) {
      note_fields(record, &places_);
      scratch_->places = &places_;
    }
    for (size_t word = 0; word < places.size(); ++word)
      for (uint64_t bits = places[word]; bits; bits &= bits - 1)
        ask(candidates.rules[word * 64 + static_cast<size_t>(std::countr_zero(bits))], record, position);
  }
  void ask(uint32_t rule, const Record& record, uint32_t position) {
    scratch_->clear();
    const int64_t begun_ns = is_measured_ ? clock_ns(CLOCK_MONOTONIC) : 0;
    const bool is_hit = set_.rules_[rule].filter.matches(record, *scratch_);
    if (is_measured_) [[unlikely]] {
      const auto cost_ns = static_cast<uint64_t>(clock_ns(CLOCK_MONOTONIC) - begun_ns);
      set_.counts_[rule]->cost_ns.fetch_add(cost_ns * kMeasuredOneIn, std::memory_order_relaxed);
    }
    if (!is_hit) return;
    hits_->push_back({position, rule});
    if (counts_) set_.count(rule, record.origin->received_ns);
  }

  // Prime, so that no rhythm of senders hides from it.
  static constexpr uint32_t kMeasuredOneIn = 1021;
  static constexpr size_t kAskedWithPlaces = 3;

  const LoadedRules& set_;
  const bool counts_;
  uint32_t until_measured_ = 1;           // the first one is
  bool is_measured_ = false;              // the record that is asked for
  Scratch* scratch_ = nullptr;            // of the call of match() that runs
  std::vector<RuleHit>* hits_ = nullptr;  // as is this
  std::vector<Known> known_ = std::vector<Known>(128);
  size_t kinds_ = 0;
  std::array<Program, 16> programs_{};
  std::map<std::pair<const Candidates*, const MessageKind*>, Known> known_of_programs_;
  std::vector<uint64_t> found_;
  OddRequest odd_;      // of the last record that had one
  FieldPlaces places_;  // of the last record of which many rules were asked
};

std::unique_ptr<RuleMatcher> LoadedRules::matcher(bool counts) const {
  return std::make_unique<Matcher>(*this, counts);
}

std::vector<std::string> LoadedRules::ids() const {
  std::vector<std::string> out;
  for (auto& rule : rules_) out.push_back(rule.head.id);
  for (auto& correlation : correlations_) out.push_back(correlation.rule.head.id);
  return out;
}

void LoadedRules::count(uint32_t number, int64_t received_ns) const {
  auto& counts = *counts_[number & kCorrelation ? rules_.size() + (number & ~kCorrelation) : number];
  counts.hits.fetch_add(1, std::memory_order_relaxed);
  counts.last_ns.store(received_ns, std::memory_order_relaxed);
}

void LoadedRules::count_on_from(const RuleSet& before) const {
  auto& other = static_cast<const LoadedRules&>(before);  // there is one kind of RuleSet, and load() makes it
  const auto ours = ids(), theirs = other.ids();
  for (size_t i = 0; i < ours.size(); ++i) {
    const auto same = std::find(theirs.begin(), theirs.end(), ours[i]);
    if (same != theirs.end()) counts_[i] = other.counts_[static_cast<size_t>(same - theirs.begin())];
  }
}

void LoadedRules::forget_counts() const {
  for (auto& counts : counts_) {
    counts->hits = 0;
    counts->cost_ns = 0;
    counts->last_ns = 0;
  }
}

std::vector<RuleSummary> LoadedRules::list() const {
  std::vector<RuleSummary> out;
  auto add = [&](const RuleHead& head, uint32_t number) {
    auto& counts = *counts_[out.size()];
    out.push_back({head.id, head.title, level_text(head.severity), head.path, head.line, counts.hits, counts.last_ns,
                   counts.cost_ns, used_by(number)});
  };
  for (uint32_t i = 0; i < rules_.size(); ++i) add(rules_[i].head, i);
  for (uint32_t i = 0; i < correlations_.size(); ++i) add(correlations_[i].rule.head, kCorrelation | i);
  return out;
}

}  // namespace yushi::detect
