#include "parsers/file/join_rule.h"

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <set>

namespace yushi::parsers {

Result<LineTest> LineTest::compile(const std::string& regex) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto compiled = std::make_shared<const RE2>(regex, options);
  if (!compiled->ok()) return fail(Code::invalid, compiled->error());
  LineTest out;
  out.regex_ = std::move(compiled);
  return out;
}

bool LineTest::found_in(std::string_view line) const {
  return regex_ && RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *regex_);
}

bool JoinRule::goes_on(std::string_view last, std::string_view line) const {
  if (announces.found_in(last)) return true;
  if (first.given()) return !first.found_in(line);
  return follows.found_in(line);
}

namespace {

class RuleReader {
 public:
  explicit RuleReader(const JoinReading& reading) : reading_(reading) {}

  JoinRule read(const YAML::Node& node) {
    if (!node.IsMap()) {
      problem(node, "join must be a map with first, follows or by");
      return {};
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
      if (!seen.insert(key).second) problem(entry.first, "'" + key + "' stands twice in join");
      read(key, entry.first, entry.second);
    }
    const int ways = rule_.first.given() + rule_.follows.given() + rule_.by_fields();
    if (ways != 1) problem(node, "join needs one of first, follows and by");
    if (rule_.by_fields() && rule_.announces.given())
      problem(node, "lines that are joined by a field announce nothing");
    return std::move(rule_);
  }

 private:
  void problem(const YAML::Node& at, const std::string& what) { reading_.problem(at, what); }

  void read(const std::string& key, const YAML::Node& at, const YAML::Node& value) {
    if (key == "first") {
      test(value, rule_.first);
    } else if (key == "follows") {
      test(value, rule_.follows);
    } else if (key == "announces") {
      test(value, rule_.announces);
    } else if (key == "end") {
      test(value, rule_.end);
    } else if (key == "by") {
      for (auto& name : texts(value))
        if (auto* field = reading_.field(name, value)) rule_.by.push_back(field);
    } else if (key == "any") {
      rule_.any = value.IsScalar() && value.Scalar() == "true";
      if (!rule_.any) problem(value, "any is true or not there");
    } else if (key == "with") {
      rule_.with = texts(value);
    } else if (key == "collect") {
      if (!value.IsMap()) return problem(value, "collect must be a map of fields");
      for (const auto& entry : value) {
        auto names = texts(entry.second);
        auto* from = reading_.field(entry.first.Scalar(), entry.first);
        auto* to = names.size() == 1 ? reading_.field(names[0], entry.second) : nullptr;
        if (to == from && from && !from->list) {  // of an event the field itself is a list
          auto list = declare_field(from->name, from->type, true);
          if (!list || *list == from)
            return problem(entry.second, "'" + names[0] + "' cannot be a list; name a field of your own");
          to = *list;
        }
        if (to && !to->list) problem(entry.second, "'" + names[0] + "' takes several values: its type must be a list");
        if (from && to) rule_.collect.push_back({from, to});
      }
    } else if (key == "tables") {
      rule_.tables = reading_.tables(value);
    } else if (key == "words") {
      if (!value.IsMap() || value.size() < 1 || value.size() > 2)
        return problem(value,
                       "words is {list of words: field of their text}, and may name a field to take without words");
      auto entry = value.begin();
      rule_.words = reading_.field(entry->first.Scalar(), entry->first);
      rule_.text_of_words = reading_.field(entry->second.Scalar(), entry->second);
      if (++entry == value.end()) return;
      rule_.text_without_words = reading_.field(entry->first.Scalar(), entry->first);
      if (entry->second.Scalar() != value.begin()->second.Scalar())
        problem(entry->second, "both texts of words go to one field");
    } else if (key == "order") {
      read_order(value);
    } else {
      problem(
          at,
          "unknown key '" + key +
              "' in join; there are first, follows, announces, by, end, any, order, collect, tables, words and with");
    }
  }

  void read_order(const YAML::Node& node) {
    if (!node.IsSequence()) return problem(node, "order must be a list");
    for (const auto& item : node) {
      if (!item.IsMap() || item.size() != 1) {
        problem(item, "order has entries {field: values}");
        continue;
      }
      auto entry = *item.begin();
      if (auto* field = reading_.field(entry.first.Scalar(), entry.first))
        rule_.order.push_back({field, texts(entry.second)});
    }
  }

  void test(const YAML::Node& value, LineTest& out) {
    if (!value.IsScalar()) return problem(value, "an expression must be a text");
    auto expanded = reading_.expand(value.Scalar());
    auto compiled = expanded ? LineTest::compile(*expanded) : tl::unexpected(expanded.error());
    if (!compiled) return problem(value, compiled.error().message);
    out = std::move(*compiled);
  }

  std::vector<std::string> texts(const YAML::Node& node) {
    std::vector<std::string> out;
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) problem(node, "this must be a text or a list of texts");
    for (const auto& item : node) {
      if (item.IsScalar())
        out.push_back(item.Scalar());
      else
        problem(item, "this must be a text");
    }
    return out;
  }

  const JoinReading& reading_;
  JoinRule rule_;
};

}  // namespace

JoinRule read_join_rule(const YAML::Node& node, const JoinReading& reading) { return RuleReader(reading).read(node); }

}  // namespace yushi::parsers
