#include "detect/log_source.h"

#include <algorithm>
#include <initializer_list>

#include <yaml-cpp/yaml.h>

#include "core/base/nearest_name.h"
#include "core/record/dataset.h"
#include "core/record/field.h"
#include "detect/engine.h"

namespace yushi::detect {
namespace {

constexpr std::string_view kAny = "any";

// Then nothing is known of any name, and as with datasets each may be one.
bool is_any_parser_loaded() { return !may_be_dataset("no dataset"); }

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
      only_keys(root, {"log_sources", "fields"});
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

  void read_table(const YAML::Node& name, const YAML::Node& table) {
    if (!name.IsScalar() || !table.IsMap()) return problem(name, "a table of fields is a map");
    auto& fields = into_.tables_[name.Scalar()];
    for (const auto& entry : table) {
      if (!entry.first.IsScalar()) {
        problem(entry.first, "a field of Sigma's is a name");
        continue;
      }
      auto ours = texts(entry.second, [](const std::string& field) {
        return may_be_field(field) || !is_any_parser_loaded()
                   ? std::string()
                   : field + " is a field neither of ECS nor of a parser" + yushi::field_suggestion(field);
      });
      if (!fields.emplace(entry.first.Scalar(), std::move(ours)).second)
        problem(entry.first, "field " + entry.first.Scalar() + " stands twice in table " + name.Scalar());
    }
  }

  void read_source(const YAML::Node& source) {
    if (!source.IsMap()) return problem(source, "a log source is a map");
    only_keys(source, {"product", "category", "service", "fields", "datasets", "programs", "unknown"});
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
    for (const auto& before : into_.rows_)
      if (before.product == row.product && before.category == row.category && before.service == row.service)
        problem(source, "this log source stands above already, and is never asked for here");
    into_.rows_.push_back(std::move(row));
  }

  LogSources& into_;
  std::string path_, problems_;
};

Result<std::shared_ptr<const LogSources>> LogSources::load(const std::vector<RuleFile>& files) {
  auto out = std::make_shared<LogSources>();
  Reading reading(*out);
  for (const auto& file : files) reading.file(file);
  if (!reading.problems().empty()) return fail(Code::invalid, reading.problems());
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
  return {};
}

bool LogSources::is_sigma_field(std::string_view name) const {
  return std::any_of(tables_.begin(), tables_.end(), [&](const auto& table) { return table.second.contains(name); });
}

std::string LogSources::own_field_suggestion(std::string_view name) const {
  for (const auto& [table, fields] : tables_)
    if (auto field = fields.find(name); field != fields.end()) return "; write " + field->second.front();
  return yushi::field_suggestion(name);
}

std::string LogSources::field_suggestion(const RuleScope& scope, std::string_view name) const {
  NearestName nearest(name);
  if (auto table = tables_.find(scope.table); table != tables_.end())
    for (const auto& [sigma, ours] : table->second) nearest.offer(sigma, true);
  for_each_field_name([&](std::string_view known) { nearest.offer(known); });
  return nearest.suggestion();
}

}  // namespace yushi::detect
