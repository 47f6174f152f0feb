// What the readers of parser files and of shared tables have in common: maps, lists and texts of YAML, and where a
// problem stands.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "parsers/file/event_kind.h"
#include "parsers/file/parser_definition.h"

namespace yushi::parsers {

class YamlReader {
 protected:
  YamlReader(const ParserFile& file, Problems& problems) : file_(file), text_(file.text), problems_(problems) {}

  static FilePosition place(const YAML::Node& node) {
    auto mark = node.Mark();
    return {mark.line + 1, mark.column + 1};
  }

  void problem(FilePosition at, const std::string& what) { problems_.add(file_.path, at, what); }
  void problem(const YAML::Node& node, const std::string& what) { problem(place(node), what); }

  // Calls read(root); what is no map and no YAML is a problem, `what` in words.
  template <class Read>
  void with_root(const char* what, Read&& read) {
    constexpr size_t kFileBytesMax = 4 << 20;
    if (file_.text.size() > kFileBytesMax) return problem({1, 1}, "the file is larger than 4 MiB");
    try {
      auto root = YAML::Load(std::string(text_));
      if (root.IsMap())
        read(root);
      else
        problem({1, 1}, what);
    } catch (const YAML::Exception& error) {
      problem({std::max(0, error.mark.line) + 1, std::max(0, error.mark.column) + 1}, error.msg);
    }
  }

  // Calls visit(key, key's node, value) for each entry; duplicate keys are problems.
  template <class Visit>
  void each(const YAML::Node& map, const char* what, Visit&& visit) {
    if (!map.IsMap()) return problem(map, std::string(what) + " must be a map");
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        problem(entry.first, std::string("a key of ") + what + " must be a plain name");
        continue;
      }
      const auto& key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        problem(entry.first, "'" + key + "' stands twice in " + what);
        continue;
      }
      visit(key, entry.first, entry.second);
    }
  }

  bool text(const YAML::Node& node, const char* what, std::string* out) {
    if (!node.IsScalar()) {
      problem(node, std::string(what) + " must be a text");
      return false;
    }
    *out = node.Scalar();
    return true;
  }

  bool flag(const YAML::Node& node, const char* what) {
    if (node.IsScalar() && node.Scalar() == "true") return true;
    if (!node.IsScalar() || node.Scalar() != "false") problem(node, std::string(what) + " must be true or false");
    return false;
  }

  std::vector<std::string> texts(const YAML::Node& node, const char* what) {
    std::vector<std::string> out;
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) {
      problem(node, std::string(what) + " must be a text or a list of texts");
      return out;
    }
    for (const auto& item : node)
      if (std::string one; text(item, what, &one)) out.push_back(one);
    return out;
  }

  // The field of this name, if this file may speak of it; else nullptr and a problem.
  // What each record has from us: a line that says otherwise would speak for us.
  static bool is_ours(std::string_view name) {
    for (std::string_view ours :
         {"event.id", "event.created", "event.ingested", "event.original", "event.dataset", "organization.name",
          "observer.name", "log.source.address", "yushi.tenant", "yushi.raw_base64"})
      if (name == ours) return true;
    return false;
  }
  virtual const Field* field(const std::string& name, const YAML::Node& at) = 0;

  std::vector<ConstantField> read_constants(const YAML::Node& node, const char* what) {
    std::vector<ConstantField> out;
    each(node, what, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      add_constant(key, at, value, out);
    });
    return out;
  }

  void add_constant(const std::string& name, const YAML::Node& at, const YAML::Node& value,
                    std::vector<ConstantField>& out) {
    auto* to = field(name, at);
    for (auto& one : texts(value, "a field's value"))
      if (to) out.push_back({to, one});
  }

  // The kind's constants go into `fields`, under what stands there.
  const EventKind* read_event(const YAML::Node& node, std::vector<ConstantField>& fields) {
    std::string name;
    if (!text(node, "event", &name)) return nullptr;
    const auto* kind = find_event_kind(name);
    if (!kind)
      problem(node,
              "'" + name + "' is no kind of event" + event_kind_suggestion(name) + "; docs/events.md has them all");
    else
      fields = merged(constants_of(*kind), fields);
    return kind;
  }

  // A key's `grok:`: patterns that cut its value again.
  void read_value_patterns(const YAML::Node& node, const GrokMacros& macros, KeyTarget& target) {
    for (auto& grok : texts(node, "grok"))
      if (auto made = read_value_pattern(grok, macros, node)) target.patterns.push_back(std::move(made));
  }

  std::shared_ptr<const ValuePattern> read_value_pattern(const std::string& grok, const GrokMacros& macros,
                                                         const YAML::Node& at) {
    auto expanded = expand_grok(grok, macros);
    if (!expanded) return problem(at, expanded.error().message), nullptr;
    std::vector<CaptureTarget> captures;
    for (auto& capture : expanded->captures) {
      if (capture.body != Body::none)
        return problem(at, "a key's value is cut into fields, not into bodies: no %{" + capture.field + "}"), nullptr;
      auto* to = field(capture.field, at);
      if (!to) return nullptr;
      captures.push_back({to, capture.escape, to->type == FieldType::ip});
    }
    auto compiled = Pattern::compile(expanded->regex);
    if (!compiled) return problem(at, compiled.error().message), nullptr;
    if (compiled->groups() != static_cast<int>(captures.size()))
      return problem(at, "the pattern has groups that are no captures"), nullptr;
    return std::make_shared<const ValuePattern>(ValuePattern{std::move(*compiled), std::move(captures)});
  }

  // Of a table's row: fields, and a kind of event.
  std::vector<ConstantField> read_row(const YAML::Node& node, const char* what) {
    std::vector<ConstantField> out;
    each(node, what, [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key != "event") add_constant(key, at, value, out);
    });
    if (node.IsMap() && node["event"]) read_event(node["event"], out);
    return out;
  }

  std::shared_ptr<const RowTable> read_rows(const YAML::Node& node) {
    auto out = std::make_shared<RowTable>();
    each(node, "rows", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key.size() > ValueTable::kKeyBytesMax) return problem(at, "a row's value has at most 256 bytes");
      if (!out->add(key, read_row(value, "a row")))
        problem(at, "'" + key + "' stands twice in rows; case does not count");
    });
    return out;
  }

  ~YamlReader() = default;

  const ParserFile& file_;
  std::string_view text_;  // what is read of it
  Problems& problems_;
};

}  // namespace yushi::parsers
