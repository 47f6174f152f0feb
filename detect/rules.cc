#include "detect/rules.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/filter/expression.h"
#include "core/filter/sigma.h"

namespace yushi {
namespace {

namespace fs = std::filesystem;

// From this many rules on, one pass over raw costs less than asking each rule.
constexpr size_t kSearchFromRules = 3;
constexpr size_t kProblemsMax = 100;

Result<void> read_directory(const std::string& directory, std::map<std::string, RuleFile>& files) {
  std::error_code error;
  if (!fs::exists(directory, error)) return {};
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    auto extension = at->path().extension();
    if (extension != ".yml" && extension != ".yaml") continue;
    RuleFile file;
    file.path = at->path().string();
    file.name = at->path().lexically_relative(directory).generic_string();
    std::ifstream in(file.path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(Code::io, "reading rule file " + file.path + ": failed; check its permissions");
    file.text = std::move(text).str();
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

// Values that stand neither in raw nor among the constants of a kind, but come from where and when a record was taken.
bool asks_of_derived(const Expression& expression) {
  if (expression.kind == Expression::Kind::test) {
    for (std::string_view name : {"event.dataset", "observer.name", "organization.name", "log.source.address", "event.id",
                                  "event.created", "@timestamp"})
      if (expression.name == name) return true;
    return expression.name.starts_with("log.syslog.") || expression.name.starts_with("yushi.");
  }
  return std::any_of(expression.children.begin(), expression.children.end(), asks_of_derived);
}

std::vector<std::string> literals_of(const Filter& filter) {
  if (asks_of_derived(filter.expression())) return {};
  return required_value_literals(filter);
}

bool has_escapes(const Record& record) {
  for (const Capture& capture : record.captures)
    if (static_cast<Escape>(capture.escape) != Escape::none) return true;
  return false;
}

}  // namespace

Result<std::vector<RuleFile>> read_rule_directories(const std::vector<std::string>& directories) {
  std::map<std::string, RuleFile> files;
  for (const auto& directory : directories)
    if (auto read = read_directory(directory, files); !read) return tl::unexpected(read.error());
  std::vector<RuleFile> out;
  for (auto& [name, file] : files) out.push_back(std::move(file));
  return out;
}

Result<std::shared_ptr<const RuleSet>> RuleSet::load(std::vector<RuleFile> files) {
  return LoadedRules::load(std::move(files));
}

Result<std::shared_ptr<const RuleSet>> LoadedRules::load(std::vector<RuleFile> files) {
  std::map<std::string, size_t> last;
  for (size_t i = 0; i < files.size(); ++i) last[files[i].name] = i;
  auto set = std::shared_ptr<LoadedRules>(new LoadedRules);
  for (size_t i = 0; i < files.size(); ++i)
    if (last[files[i].name] == i) set->files_.push_back(std::move(files[i]));

  std::vector<RuleDocument> documents;
  std::string problems;
  size_t problem_count = 0;
  for (const auto& file : set->files_) {
    ParsedRuleFile parsed = parse_rule_file(file);
    for (const auto& problem : parsed.problems) {
      if (problem.unsupported) set->unsupported_.push_back(problem.text());
      else if (++problem_count <= kProblemsMax) problems += (problems.empty() ? "" : "\n") + problem.text();
    }
    for (auto& document : parsed.documents) documents.push_back(std::move(document));
  }
  if (problem_count > kProblemsMax)
    problems += "\nand " + std::to_string(problem_count - kProblemsMax) + " more problems";
  if (problem_count > 0) return fail(Code::invalid, problems);
  if (auto linked = set->link(documents); !linked) return tl::unexpected(linked.error());
  set->index();
  return std::shared_ptr<const RuleSet>(set);
}

Result<void> LoadedRules::link(std::vector<RuleDocument>& documents) {
  std::map<std::string, std::string> place_of_id;
  std::map<std::string, uint32_t> numbers;  // names and ids
  std::vector<CorrelationRule> waiting;
  for (auto& document : documents) {
    const RuleHead& head = document.head();
    std::string place = head.path + ":" + std::to_string(head.line);
    auto [known, is_new] = place_of_id.emplace(head.id, place);
    if (!is_new) return fail(Code::invalid, place + ":1: id " + head.id + " is also that of " + known->second);
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
      auto number = static_cast<uint32_t>(correlations_.size());
      for (uint32_t part = 0; part < linked.parts.size(); ++part) {
        std::vector<std::string> fields;
        for (const auto& group : linked.rule.group_by) {
          std::string field = group;
          for (const auto& [alias, by_rule] : linked.rule.aliases)
            if (alias == group)
              for (const auto& [rule, name] : by_rule)
                if (rule == linked.rule.rules[part]) field = name;
          fields.push_back(std::move(field));
        }
        linked.group_fields.push_back(std::move(fields));
        uint32_t used = linked.parts[part];
        if (used & kCorrelation) {
          correlation_uses_[used & ~kCorrelation].push_back({number, part});
        } else {
          rule_uses_[used].push_back({number, part});
        }
        (linked.rule.generate ? kept : silenced).insert(used);
      }
      numbers.emplace(linked.rule.head.id, kCorrelation | number);
      if (!linked.rule.head.name.empty()) numbers.emplace(linked.rule.head.name, kCorrelation | number);
      correlations_.push_back(std::move(linked));
      correlation_uses_.emplace_back();
      moved = true;
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
        return fail(Code::invalid, place + "correlation refers to '" + name + "', which refers back to it or is not there");
      }
      // The rule may be one that we had to leave out as unsupported.
      unsupported_.push_back(place + "unsupported: correlation refers to rule '" + name + "', which is not loaded");
      break;
    }
  }
  return {};
}

const std::vector<LoadedRules::Use>& LoadedRules::uses(uint32_t number) const {
  return number & kCorrelation ? correlation_uses_[number & ~kCorrelation] : rule_uses_[number];
}

LoadedRules::Candidates LoadedRules::make_candidates(std::vector<uint32_t> rules) const {
  Candidates out;
  out.rules = std::move(rules);
  for (uint32_t place = 0; place < out.rules.size(); ++place)
    out.literals.add(place, literals_of(rules_[out.rules[place]].filter));
  out.literals.build();
  out.worth_searching = out.rules.size() >= out.literals.always().size() + kSearchFromRules;
  return out;
}

void LoadedRules::index() {
  std::set<std::string> datasets, processes;
  for (const auto& rule : rules_) {
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
    by_process_.emplace(
        process, choose([&](const RuleScope& s) { return s.all || s.unknown || holds(s.processes, process); }));
  other_datasets_ = choose([](const RuleScope& s) { return s.all; });
  unparsed_ = choose([](const RuleScope& s) { return s.all || s.unknown; });
}

const LoadedRules::Candidates& LoadedRules::candidates_of(const MessageKind* kind) const {
  auto at = by_dataset_.find(kind->dataset);
  return at == by_dataset_.end() ? other_datasets_ : at->second;
}

void LoadedRules::match(const Batch& batch, Scratch& scratch, std::vector<RuleHit>& hits) const {
  if (rules_.empty()) return;
  // A batch has few kinds. Kept for this call only: a kind's memory may hold another one after a reload.
  struct Known {
    const MessageKind* kind;
    const Candidates* candidates;  // nullptr: by process
  };
  std::array<Known, 64> known{};
  std::vector<uint8_t> found;
  std::string process;
  for (uint32_t i = 0; i < batch.records.size(); ++i) {
    const Record& record = batch.records[i];
    const Candidates* candidates = nullptr;
    if (record.kind) {
      auto& slot = known[reinterpret_cast<uintptr_t>(record.kind) / 64 * 0x9e3779b97f4a7c15u >> 58];
      if (slot.kind != record.kind) slot = {record.kind, is_only_a_form(record.kind->dataset) ? nullptr : &candidates_of(record.kind)};
      candidates = slot.candidates;
    }
    if (!candidates) {
      candidates = &unparsed_;
      if (!by_process_.empty()) {
        scratch.clear();
        Value value;
        if (first_value(record, ecs::process_name, scratch, &value)) {
          process = value.text;
          if (auto at = by_process_.find(process); at != by_process_.end()) candidates = &at->second;
        }
      }
    }
    if (!candidates->rules.empty()) match_record(*candidates, record, i, scratch, found, hits);
  }
}

void LoadedRules::match_record(const Candidates& candidates, const Record& record, uint32_t position, Scratch& scratch,
                               std::vector<uint8_t>& found, std::vector<RuleHit>& hits) const {
  // A literal may stand in raw in another spelling when a value is escaped: then every rule is asked.
  bool search = candidates.worth_searching && !has_escapes(record) && !LiteralSearch::folds_into_ascii(record.raw);
  if (search) {
    found.assign(candidates.rules.size(), 0);
    for (uint32_t group : candidates.literals.always()) found[group] = 1;
    candidates.literals.search(record.raw, found.data());
    // What a parser says of all messages of one pattern does not stand in raw.
    if (record.kind)
      for (const auto& constant : record.kind->constants) candidates.literals.search(constant.value, found.data());
  }
  for (uint32_t place = 0; place < candidates.rules.size(); ++place) {
    if (search && !found[place]) continue;
    scratch.clear();
    uint32_t rule = candidates.rules[place];
    if (rules_[rule].filter.matches(record, scratch)) hits.push_back({position, rule});
  }
}

std::vector<RuleSummary> LoadedRules::list() const {
  std::vector<RuleSummary> out;
  auto add = [&out](const RuleHead& head) {
    out.push_back({head.id, head.title, level_text(head.severity), head.path, head.line});
  };
  for (const auto& rule : rules_) add(rule.head);
  for (const auto& correlation : correlations_) add(correlation.rule.head);
  return out;
}

}  // namespace yushi
