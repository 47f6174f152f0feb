#include "detect/rules/log_source.h"

#include <algorithm>
#include <initializer_list>

#include <yaml-cpp/yaml.h>

#include "core/base/nearest_name.h"
#include "core/filter/sigma.h"
#include "core/record/dataset.h"
#include "core/record/field.h"
#include "detect/rules/rule_set.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kAny = "any";

// Then nothing is known of any name, and as with datasets each may be one.
bool is_any_parser_loaded() { return !may_be_dataset("no dataset"); }

constexpr std::string_view kOthers = "*";

// `PARSER/prefix.*`: where that parser puts the key of its bodies that has the name in the star's place.
std::vector<std::string> fields_of(std::string_view pattern, std::string_view name) {
  const size_t slash = pattern.find('/');
  return fields_of_key(pattern.substr(0, slash),
                       std::string(pattern.substr(slash + 1, pattern.size() - slash - 2)) + std::string(name));
}

// Of records of a dataset; of an empty one that no parser knew.
bool can_hold(const Expression& expression, std::string_view dataset) {
  const auto holds = [dataset](const Expression& child) { return can_hold(child, dataset); };
  const auto& children = expression.children;
  switch (expression.kind) {
    case Expression::Kind::none:
      return false;
    case Expression::Kind::all_of:
      return std::all_of(children.begin(), children.end(), holds);
    case Expression::Kind::any_of:
      return std::any_of(children.begin(), children.end(), holds);
    case Expression::Kind::test:
      return may_have_field(dataset, expression.name);
    default:  // that something is not there can be said of any
      return true;
  }
}

bool fits(std::string_view row, std::string_view given) { return row == kAny || row == given; }

}  // namespace

// One file after the other, into the tables.
class LogSources::Reading {
 public:
  explicit Reading(LogSources& into) : into_(into) {}

  void file(const RuleFile& file) {
    path_ = file.path;
    try {
      const YAML::Node root = YAML::Load(file.text);
      if (!root.IsMap()) return problem(root, "a file of log sources is a map with log_sources and fields");
      only_keys(root, {"log_sources", "fields", "placeholders"});
      if (const auto lists = root["placeholders"]) {
        if (!lists.IsMap()) return problem(lists, "placeholders is a map of lists");
        for (const auto& list : lists) {
          auto values = texts(list.second, [](const std::string&) { return std::string(); });
          if (!list.first.IsScalar() || !into_.placeholders_.emplace(list.first.Scalar(), std::move(values)).second)
            problem(list.first, "a list has a name of its own");
        }
      }
      if (const auto fields = root["fields"]) {
        if (!fields.IsMap()) return problem(fields, "fields is a map of tables");
        for (const auto& table : fields) read_table(table.first, table.second);
      }
      if (const auto sources = root["log_sources"]) {
        if (!sources.IsSequence()) return problem(sources, "log_sources is a list");
        for (const auto& source : sources) read_source(source);
      }
    } catch (const YAML::Exception& error) {
      problem(error.mark, error.msg);
    }
  }

  // After the last file: what `when` says is of fields, whose tables may stand in any.
  void finish() {
    for (const auto& [row, path, node] : whens_) {
      path_ = path;
      auto& scope = into_.rows_[row].scope;
      SigmaValue detection;
      detection.type = SigmaValue::Type::map;
      detection.entries.emplace_back("when", search_of(node, 0));
      SigmaValue condition;
      condition.type = SigmaValue::Type::string;
      condition.text = "when";
      detection.entries.emplace_back("condition", std::move(condition));
      SigmaFields fields;
      fields.find = [&, &scope_of_row = scope](std::string_view name) { return into_.find_field(scope_of_row, name); };
      auto filter = compile_sigma(detection, fields);
      if (filter)
        scope.when = std::make_shared<const Expression>(filter->expression());
      else
        problem(node, "when: " + filter.error().message);
    }
  }

  const std::string& problems() const { return problems_; }

 private:
  void problem(const YAML::Mark& at, const std::string& what) {
    problems_ += (problems_.empty() ? "" : "\n") + path_ + ":" + std::to_string(at.line + 1) + ":" +
                 std::to_string(at.column + 1) + ": " + what;
  }
  void problem(const YAML::Node& at, const std::string& what) { problem(at.Mark(), what); }

  void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
    for (const auto& entry : map) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      NearestName nearest(key);
      for (auto one : known) nearest.offer(one);
      problem(entry.first, "there is no key '" + key + "' here" + nearest.suggestion());
    }
  }

  // A text, or a list of them. `is_right` says why one is not, or nothing.
  template <class IsRight>
  std::vector<std::string> texts(const YAML::Node& node, IsRight&& is_right) {
    std::vector<std::string> out;
    const auto take = [&](const YAML::Node& one) {
      if (!one.IsScalar() || one.Scalar().empty()) return problem(one, "a name is missing");
      if (auto wrong = is_right(one.Scalar()); !wrong.empty()) return problem(one, wrong);
      out.push_back(one.Scalar());
    };
    if (node.IsSequence() && node.size() > 0)
      for (const auto& one : node) take(one);
    else
      take(node);
    return out;
  }

  // A search as in a rule's detection; all its values are texts.
  static SigmaValue search_of(const YAML::Node& node, int depth) {
    SigmaValue out;
    if (depth > 4 || !node.IsDefined() || node.IsNull()) return out;
    if (node.IsMap()) {
      out.type = SigmaValue::Type::map;
      for (const auto& entry : node)
        if (entry.first.IsScalar()) out.entries.emplace_back(entry.first.Scalar(), search_of(entry.second, depth + 1));
    } else if (node.IsSequence()) {
      out.type = SigmaValue::Type::list;
      for (const auto& item : node) out.items.push_back(search_of(item, depth + 1));
    } else {
      out.type = SigmaValue::Type::string;
      out.text = node.Scalar();
    }
    return out;
  }

  void read_table(const YAML::Node& name, const YAML::Node& table) {
    if (!name.IsScalar() || !table.IsMap()) return problem(name, "a table of fields is a map");
    auto& fields = into_.tables_[name.Scalar()];
    for (const auto& entry : table) {
      if (!entry.first.IsScalar()) {
        problem(entry.first, "a field of Sigma's is a name");
        continue;
      }
      const bool is_of_others = entry.first.Scalar() == kOthers;
      auto ours = texts(entry.second, [is_of_others](const std::string& field) -> std::string {
        const size_t slash = field.find('/');
        if (is_of_others && (slash == field.npos || !field.ends_with("*")))
          return field + " does not say whose keys they are, as in zeek/*";
        return may_be_field(is_of_others ? field.substr(0, slash) + ".x" : without_place(field)) ||
                       !is_any_parser_loaded()
                   ? std::string()
                   : field + " is a field neither of ECS nor of a parser" + yushi::field_suggestion(field);
      });
      if (!fields.emplace(entry.first.Scalar(), std::move(ours)).second)
        problem(entry.first, "field " + entry.first.Scalar() + " stands twice in table " + name.Scalar());
    }
  }

  void read_source(const YAML::Node& source) {
    if (!source.IsMap()) return problem(source, "a log source is a map");
    only_keys(source, {"product", "category", "service", "fields", "datasets", "programs", "unknown", "when"});
    const auto any_name = [](const std::string&) { return std::string(); };
    const auto word = [&](const char* key) {
      const auto node = source[key];
      auto words = node ? texts(node, any_name) : std::vector<std::string>();
      if (words.size() > 1) problem(node, std::string(key) + " is one name");
      return words.empty() ? std::string() : words.front();
    };
    Row row{word("product"), word("category"), word("service"), {}};
    row.scope.table = word("fields");
    if (row.scope.table.empty()) problem(source, "fields is missing: the table of field names");
    if (row.product.empty() && row.category.empty() && row.service.empty())
      problem(source, "one of product, category and service is needed");
    if (const auto node = source["datasets"])
      row.scope.datasets = texts(node, [](const std::string& name) {
        return may_be_dataset(name) ? std::string() : "no parser has dataset " + name + dataset_suggestion(name);
      });
    if (const auto node = source["programs"]) row.scope.processes = texts(node, any_name);
    if (const auto node = source["unknown"]) {
      if (node.Scalar() != "true" && node.Scalar() != "false") problem(node, "unknown is true or false");
      row.scope.unknown = node.Scalar() == "true";
    }
    if (const auto node = source["when"]) whens_.push_back({into_.rows_.size(), path_, node});
    for (const auto& before : into_.rows_)
      if (before.product == row.product && before.category == row.category && before.service == row.service)
        problem(source, "this log source stands above already, and is never asked for here");
    into_.rows_.push_back(std::move(row));
  }

  struct When {
    size_t row;
    std::string path;
    YAML::Node node;
  };

  LogSources& into_;
  std::vector<When> whens_;
  std::string path_, problems_;
};

Result<std::shared_ptr<const LogSources>> LogSources::load(const std::vector<RuleFile>& files,
                                                           const Placeholders& lists) {
  auto out = std::make_shared<LogSources>();
  Reading reading(*out);
  for (const auto& file : files) reading.file(file);
  reading.finish();
  if (!reading.problems().empty()) return fail(Code::invalid, reading.problems());
  for (const auto& [name, values] : lists) out->placeholders_[name] = values;
  return std::shared_ptr<const LogSources>(std::move(out));
}

std::optional<RuleScope> LogSources::find(std::string_view product, std::string_view category,
                                          std::string_view service) const {
  if (product == "yushi" && category.empty()) {
    RuleScope scope;
    scope.table = "yushi";
    if (service.empty()) {
      scope.all = true;
    } else {
      scope.datasets = {std::string(service)};
      scope.processes = scope.datasets;
    }
    return scope;
  }
  for (const Row& row : rows_)
    if (fits(row.product, product) && fits(row.category, category) && fits(row.service, service)) return row.scope;
  return {};
}

std::vector<std::string> LogSources::find_field(const RuleScope& scope, std::string_view sigma_field) const {
  if (auto table = tables_.find(scope.table); table != tables_.end())
    if (auto field = table->second.find(sigma_field); field != table->second.end()) return field->second;
  // ECS names, and those that a parser gives under its own name (`sshd.method`), stand for themselves.
  if (may_be_field(sigma_field)) return {std::string(sigma_field)};
  std::vector<std::string> out;
  if (auto table = tables_.find(scope.table); table != tables_.end())
    if (auto others = table->second.find(kOthers); others != table->second.end())
      for (const auto& pattern : others->second)
        for (auto& field : fields_of(pattern, sigma_field))
          if (std::find(out.begin(), out.end(), field) == out.end()) out.push_back(std::move(field));
  return out;
}

bool RuleScope::can_match(const Expression& expression) const {
  if (all || !is_any_parser_loaded()) return true;
  const auto holds = [&](const std::string& dataset) { return can_hold(expression, dataset); };
  return ((unknown || !processes.empty()) && holds("")) || std::any_of(datasets.begin(), datasets.end(), holds);
}

std::vector<std::string> RuleScope::fields_not_filled(const Expression& expression) const {
  std::vector<std::string> out;
  if (expression.kind == Expression::Kind::test && !can_match(expression)) out.push_back(expression.name);
  if (expression.kind == Expression::Kind::all_of || expression.kind == Expression::Kind::any_of)
    for (const auto& child : expression.children)
      for (auto& name : fields_not_filled(child))
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  return out;
}

bool LogSources::is_sigma_field(std::string_view name) const {
  return std::any_of(tables_.begin(), tables_.end(), [&](const auto& table) { return table.second.contains(name); });
}

std::string LogSources::own_field_suggestion(std::string_view name) const {
  for (const auto& [table, fields] : tables_)
    if (auto field = fields.find(name); field != fields.end()) return "; write " + field->second.front();
  return yushi::field_suggestion(name);
}

std::string LogSources::suggestion(const std::string& product, const std::string& category,
                                   const std::string& service) const {
  NearestName of_service(service), of_category(category), of_product(product);
  for (const Row& row : rows_) {
    if (row.service != kAny && find(product, category, row.service)) of_service.offer(row.service);
    if (row.category != kAny && find(product, row.category, service)) of_category.offer(row.category);
    if (row.product != kAny && find(row.product, category, service)) of_product.offer(row.product);
  }
  for (const auto& [word, nearest] :
       {std::pair(&service, &of_service), {&category, &of_category}, {&product, &of_product}})
    if (!word->empty() && !nearest->name().empty()) return nearest->suggestion();
  return {};
}

std::string LogSources::field_suggestion(const RuleScope& scope, std::string_view name) const {
  NearestName nearest(name);
  if (auto table = tables_.find(scope.table); table != tables_.end())
    for (const auto& [sigma, ours] : table->second) nearest.offer(sigma, true);
  for_each_field_name([&](std::string_view known) { nearest.offer(known); });
  return nearest.suggestion();
}

}  // namespace yushi::detect
