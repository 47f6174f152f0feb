#include "detect/alerts/exceptions.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "core/base/bytes.h"
#include "core/base/nearest_name.h"
#include "core/base/time_text.h"
#include "core/config/walk.h"
#include "core/filter/expression.h"
#include "core/ledger/sha256.h"
#include "core/record/field.h"
#include "detect/finding.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

// A day is over at its end. nullopt: it is no time, or one without a zone.
std::optional<int64_t> end_of(const std::string& until) {
  const auto time = parse_time(until.size() == 10 ? until + "T00:00:00Z" : until, 0, *Zone::utc());
  if (!time || time->form != TimeForm::rfc3339 || time->inferred != 0) return std::nullopt;
  return time->unix_ns + (until.size() == 10 ? kDay : 0);
}

std::string digest_of(const Exception& one) {
  std::string text;
  for (const auto* part : {&one.rule, &one.when, &one.owner, &one.until, &one.reason}) put_text(text, *part);
  return std::string(as_bytes(sha256(text)).substr(0, 16));
}

// A misspelt field would hold for nothing, without a word.
void check_fields(Walk& walk, const YAML::Node& node, const Expression& expression) {
  for (const auto& child : expression.children) check_fields(walk, node, child);
  if (expression.kind != Expression::Kind::test || may_be_field(expression.name)) return;
  walk.problem(node, "when: " + expression.name + " is a field neither of ECS nor of a parser, so nothing can have it" +
                         field_suggestion(expression.name));
}

void read_exception(Walk& walk, const YAML::Node& node, std::vector<Exception>& out) {
  const auto problems_before = walk.problems().size();
  Exception one;
  one.place = walk.place_text(node.Mark());
  walk.map(node, "exception.",
           {{"rule", walk.text("rule", one.rule)},
            {"when", walk.text("when", one.when)},
            {"owner", walk.text("owner", one.owner)},
            {"until", walk.text("until", one.until)},
            {"reason", walk.text("reason", one.reason)}});
  if (!node.IsMap()) return;
  const auto lacks = [&](const char* key, const char* why) {
    if (!node[key]) walk.problem(node, std::string(key) + ": is missing; " + why);
  };
  lacks("rule", "an exception is from one rule, by its id, or from one finding of a detector, by its name");
  lacks("owner", "somebody answers for an exception");
  lacks("until", "an exception ends; give a date");
  if (const auto until = end_of(one.until)) {
    one.until_ns = *until;
  } else if (!one.until.empty()) {
    walk.problem(node["until"], "until: \"" + one.until +
                                    "\" is no date like 2027-01-31, nor a time with its zone like "
                                    "2027-01-31T18:00:00+08:00");
  }
  if (!one.when.empty()) {
    auto filter = Filter::parse_kql(one.when, {});
    if (filter) {
      check_fields(walk, node["when"], filter->expression());
      one.filter = std::move(*filter);
    } else {
      std::string words = filter.error().message;
      for (size_t at = 0; (at = words.find('\n', at)) != words.npos; at += 3) words.replace(at, 1, "\n  ");
      walk.problem(node["when"], "when: " + words);
    }
  }
  one.digest = digest_of(one);
  if (walk.problems().size() == problems_before) out.push_back(std::move(one));
}

}  // namespace

Result<std::vector<ExceptionFile>> read_exception_files(const std::vector<std::string>& paths,
                                                        std::vector<FileLeftOut>* left_out) {
  std::vector<ExceptionFile> files;
  for (const auto& path : paths) {
    if (path.empty()) continue;
    auto text = read_data_file(path);
    if (text) {
      files.push_back({std::filesystem::path(path).filename().string(), path, std::move(*text)});
    } else if (left_out) {
      left_out->push_back({path, text.error().message});
    } else {
      return tl::unexpected(text.error());
    }
  }
  return files;
}

std::string Exception::words() const { return "the exception of " + owner + " for " + rule + " (" + place + ")"; }

Result<std::shared_ptr<const ExceptionSet>> ExceptionSet::load(std::vector<ExceptionFile> files) {
  std::string wrong;
  auto set = right_ones(std::move(files), wrong);
  if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
  return set;
}

std::shared_ptr<const ExceptionSet> ExceptionSet::right_ones(std::vector<ExceptionFile> files, std::string& wrong) {
  auto set = std::make_shared<ExceptionSet>();
  for (const auto& file : files) {
    Walk walk(file.path);
    try {
      const auto root = YAML::Load(file.text);
      if (!root.IsNull())
        walk.list(root, "exceptions", [&](const YAML::Node& node) { read_exception(walk, node, set->all_); });
    } catch (const YAML::Exception& error) {
      walk.problem(error.mark, error.msg);
    }
    wrong += walk.problems();
    if (set->all_.size() > kExceptionsMax) {
      wrong += file.path + ":1:1: more than " + std::to_string(kExceptionsMax) + " exceptions in all\n";
      break;
    }
  }
  if (!wrong.empty()) wrong.pop_back();
  set->files_ = std::move(files);
  for (size_t i = 0; i < set->all_.size(); ++i) {
    set->by_rule_[set->all_[i].rule].push_back(i);
    set->by_digest_.try_emplace(set->all_[i].digest, i);
    set->counts_.push_back(std::make_shared<Counts>());
  }
  return set;
}

const Exception* ExceptionSet::find(std::string_view digest) const {
  const auto at = by_digest_.find(digest);
  return at == by_digest_.end() ? nullptr : &all_[at->second];
}

const Exception* ExceptionSet::holding(std::string_view rule, const Record& record, int64_t received_ns,
                                       Scratch& scratch) const {
  const auto of_rule = by_rule_.find(rule);
  if (of_rule == by_rule_.end()) return nullptr;
  for (const auto i : of_rule->second) {
    const auto& one = all_[i];
    if (received_ns >= one.until_ns) continue;
    if (!one.filter) return &one;
    scratch.clear();
    if (one.filter->matches(record, scratch)) return &one;
  }
  return nullptr;
}

std::vector<std::string> ExceptionSet::unknown(const std::vector<std::string>& rules) const {
  const auto findings = finding_names();
  std::vector<std::string> out;
  for (const auto& one : all_) {
    if (std::find(rules.begin(), rules.end(), one.rule) != rules.end() ||
        std::find(findings.begin(), findings.end(), one.rule) != findings.end())
      continue;
    NearestName nearest(one.rule);
    for (const auto& id : rules) nearest.offer(id);
    for (auto name : findings) nearest.offer(name);
    const bool is_own =
        one.rule.starts_with("yushid.") || one.rule.starts_with("auditor.") || one.rule == "sequence.messages-missing";
    out.push_back(
        one.place + ": rule: " +
        (is_own ? "of " + printable(one.rule) + ", which yushid tells by itself, nothing is excepted"
                : "no rule that runs here and no finding is called " + printable(one.rule) + nearest.suggestion()) +
        "; the exception holds for nothing");
  }
  return out;
}

void ExceptionSet::count(const Exception& used, int64_t received_ns) const {
  auto& counts = *counts_[static_cast<size_t>(&used - all_.data())];
  ++counts.count;
  counts.last_ns = received_ns;
}

void ExceptionSet::count_on_from(const ExceptionSet& before) const {
  for (size_t i = 0; i < all_.size(); ++i)
    if (const auto at = before.by_digest_.find(all_[i].digest); at != before.by_digest_.end())
      counts_[i] = before.counts_[at->second];
}

ExceptionSet::Uses ExceptionSet::uses_of(const Exception& exception) const {
  const auto& counts = *counts_[static_cast<size_t>(&exception - all_.data())];
  return {counts.count, counts.last_ns};
}

}  // namespace yushi::detect
