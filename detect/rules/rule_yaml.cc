#include "detect/rules/rule_yaml.h"

#include <charconv>
#include <cstdlib>

#include "core/config/yaml_place.h"
#include "detect/rules/rule_file.h"

namespace yushi::detect::rule_yaml {
namespace {

// YAML's core schema for plain scalars.
SigmaValue scalar(const YAML::Node& node) {
  SigmaValue value;
  value.text = node.Scalar();
  value.type = SigmaValue::Type::string;
  if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return value;
  const std::string& text = value.text;
  if (is_among(text, {"", "~", "null", "Null", "NULL"})) {
    value.type = SigmaValue::Type::null;
    return value;
  }
  if (is_among(text, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
    value.type = SigmaValue::Type::boolean;
    value.integer = text[0] == 't' || text[0] == 'T';
    return value;
  }
  const char* begin = text.data();
  const char* end = begin + text.size();
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
    base = text[1] == 'x' ? 16 : 8;
    begin += 2;
  } else if (text[0] == '+') {
    ++begin;
  }
  auto integer = std::from_chars(begin, end, value.integer, base);
  if (integer.ec == std::errc() && integer.ptr == end && begin != end) {
    value.type = SigmaValue::Type::integer;
    return value;
  }
  value.integer = 0;
  bool numeric = text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
                 text.find_first_of("0123456789") != std::string::npos;
  if (numeric) {
    char* stopped = nullptr;
    value.real = std::strtod(text.c_str(), &stopped);
    if (stopped == text.c_str() + text.size()) value.type = SigmaValue::Type::real;
  }
  return value;
}

}  // namespace

[[noreturn]] void stop(const YAML::Node& at, std::string message) {
  YAML::Mark mark = at.Mark();
  throw Stop{mark.line + 1, mark.column + 1, std::move(message), false};
}
[[noreturn]] void unsupported(const YAML::Node& at, std::string message) {
  YAML::Mark mark = at.Mark();
  throw Stop{mark.line + 1, mark.column + 1, std::move(message), true};
}

bool is_among(std::string_view text, std::initializer_list<std::string_view> words) {
  for (auto word : words)
    if (text == word) return true;
  return false;
}

SigmaValue convert(const YAML::Node& node, size_t& nodes, int depth) {
  if (++nodes > kNodesMax) stop(node, "more than 100000 nodes, aliases counted as often as they are used");
  if (depth > kDepthMax) stop(node, "nested deeper than 64");
  SigmaValue value;
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      value = scalar(node);
      break;
    case YAML::NodeType::Sequence:
      value.type = SigmaValue::Type::list;
      for (const auto& item : node) value.items.push_back(convert(item, nodes, depth + 1));
      break;
    case YAML::NodeType::Map:
      value.type = SigmaValue::Type::map;
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) stop(entry.first, "a key that is no text");
        for (const auto& known : value.entries)
          if (known.first == entry.first.Scalar()) stop(entry.first, "key '" + known.first + "' stands twice");
        value.entries.emplace_back(entry.first.Scalar(), convert(entry.second, nodes, depth + 1));
        value.entries.back().second.line = entry.first.Mark().line + 1;
        value.entries.back().second.column = entry.first.Mark().column + 1;
      }
      break;
    default:
      break;
  }
  value.line = node.Mark().line + 1;
  value.column = node.Mark().column + 1;
  return value;
}

YAML::Node get(const YAML::Node& map, const char* key) {
  if (!map.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& entry : map)
    if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
  return YAML::Node(YAML::NodeType::Undefined);
}
bool there(const YAML::Node& node) { return node.IsDefined() && !node.IsNull(); }

std::string text_of(const YAML::Node& map, const char* key, bool required) {
  YAML::Node node = get(map, key);
  if (!there(node)) {
    if (required) stop(map, std::string(key) + " is missing");
    return {};
  }
  if (!node.IsScalar()) stop(node, std::string(key) + " must be a text");
  return node.Scalar();
}

std::vector<std::string> texts_of(const YAML::Node& map, const char* key) {
  YAML::Node node = get(map, key);
  std::vector<std::string> out;
  if (!there(node)) return out;
  if (node.IsScalar()) return {node.Scalar()};
  if (!node.IsSequence()) stop(node, std::string(key) + " must be a list");
  for (const auto& item : node) {
    if (!item.IsScalar()) stop(item, std::string(key) + " must be a list of texts");
    out.push_back(item.Scalar());
  }
  return out;
}

void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known) {
  for (const auto& entry : map)
    if (!entry.first.IsScalar() || !is_among(entry.first.Scalar(), known))
      stop(entry.first, "unknown key '" + (entry.first.IsScalar() ? entry.first.Scalar() : std::string("?")) + "'");
}

uint64_t count_of(const YAML::Node& node) {
  uint64_t count = 0;
  std::string text = node.IsScalar() ? node.Scalar() : "";
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || count > 1'000'000)
    stop(node, "must be a whole number from 0 to 1000000");
  return count;
}

[[noreturn]] void stop_at_field(const LogSources& sources, const YAML::Node& at, size_t offset, const std::string& name,
                                const std::string& where) {
  YAML::Mark mark = place_within(at, offset);
  throw Stop{mark.line + 1, mark.column + 1,
             where + ": " + name + " is a field neither of ECS nor of a parser" + sources.own_field_suggestion(name),
             false};
}

bool may_be_named(std::string_view name) { return name == kActor || name == kDoer || may_be_field(name); }

std::vector<YAML::Node> load_documents(const std::string& text) {
  std::vector<YAML::Node> documents;
  size_t begin = 0, lines_before = 0;
  while (begin < text.size()) {
    size_t end = begin, lines = 0;
    do {
      end = text.find('\n', end);
      end = end == std::string::npos ? text.size() : end + 1;
      ++lines;
    } while (end < text.size() && text.compare(end, 3, "---") != 0);
    documents.push_back(YAML::Load(std::string(lines_before, '\n') + text.substr(begin, end - begin)));
    begin = end;
    lines_before += lines;
  }
  return documents;
}

}  // namespace yushi::detect::rule_yaml
