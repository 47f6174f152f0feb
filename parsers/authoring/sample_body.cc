#include "parsers/authoring/sample_body.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <simdjson.h>

namespace yushi::parsers {
namespace {

constexpr size_t kKeysMax = 512;
constexpr size_t kSampleDepthMax = 8;
constexpr size_t kAlwaysMax = 3;
constexpr size_t kColumnsMin = 5;
constexpr size_t kPairsMin = 3;

class Keys {
 public:
  void begin() { seen_.clear(); }
  void add(const std::string& key, const std::string& value) {
    if (!seen_.insert(key).second) return;
    ++counts_[key];
    for (auto& [name, first] : out_.keys)
      if (name == key) {
        if (first.empty()) first = value;
        return;
      }
    if (out_.keys.size() < kKeysMax) out_.keys.emplace_back(key, value);
  }
  SampleBody take(SampleBody::Kind kind, size_t messages) {
    for (auto& [name, first] : out_.keys)
      if (counts_[name] == messages && out_.always.size() < kAlwaysMax) out_.always.push_back(name);
    out_.kind = kind;
    return std::move(out_);
  }

 private:
  SampleBody out_{};
  std::set<std::string> seen_;  // of this message
  std::map<std::string, size_t> counts_;
};

void walk(simdjson::dom::element element, const std::string& path, size_t depth, Keys& keys) {
  if (element.is_object() && depth < kSampleDepthMax) {
    for (auto [key, value] : simdjson::dom::object(element))
      walk(value, path.empty() ? std::string(key) : path + "." + std::string(key), depth + 1, keys);
  } else if (element.is_array() && depth < kSampleDepthMax) {
    for (auto value : simdjson::dom::array(element)) walk(value, path, depth + 1, keys);
  } else {
    std::string_view text;
    keys.add(path, element.get(text) == simdjson::SUCCESS ? std::string(text)
                   : element.is_null()                    ? ""
                                                          : simdjson::minify(element));
  }
}

std::optional<SampleBody> json_of(const std::vector<std::string>& messages) {
  Keys keys;
  simdjson::dom::parser parser;
  for (auto& message : messages) {
    simdjson::dom::element element;
    if (message[0] != '{' || parser.parse(message).get(element) != simdjson::SUCCESS || !element.is_object())
      return std::nullopt;
    keys.begin();
    walk(element, "", 0, keys);
  }
  return keys.take(SampleBody::Kind::json, messages.size());
}

bool is_of_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || static_cast<unsigned char>(c) >= 0x80;
}

// From the first byte to the last nothing but pairs, blanks and signs between them.
bool read_pairs(const std::string& message, Keys& keys) {
  size_t at = 0, pairs = 0;
  while (at < message.size()) {
    if (std::string_view(" ,;|\t").find(message[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    size_t equals = at;
    while (equals < message.size() && is_of_key(message[equals])) ++equals;
    if (equals == at || equals == message.size() || message[equals] != '=') return false;
    size_t begin = equals + 1, end = begin;
    if (begin < message.size() && message[begin] == '"') {
      end = message.find('"', ++begin);
      if (end == std::string::npos) return false;
    } else {
      end = std::min(message.find_first_of(" ,;|\t", begin), message.size());
    }
    keys.add(message.substr(at, equals - at), message.substr(begin, end - begin));
    at = end + (end < message.size());
    ++pairs;
  }
  return pairs >= kPairsMin;
}

std::optional<SampleBody> pairs_of(const std::vector<std::string>& messages) {
  Keys keys;
  for (auto& message : messages) {
    keys.begin();
    if (!read_pairs(message, keys)) return std::nullopt;
  }
  return keys.take(SampleBody::Kind::key_value, messages.size());
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == separator && !quoted)
      out.emplace_back();
    else
      out.back().push_back(c);
  }
  return out;
}

std::optional<SampleBody> csv_of(const std::vector<std::string>& messages) {
  for (char separator : std::string(",;|\t^~")) {
    const auto first = split(messages[0], separator);
    if (first.size() < kColumnsMin || messages.size() < 2) continue;
    const bool alike = std::all_of(messages.begin(), messages.end(),
                                   [&](auto& message) { return split(message, separator).size() == first.size(); });
    if (!alike) continue;
    SampleBody out{SampleBody::Kind::csv, {}, {}, separator};
    const auto second = split(messages[1], separator);
    // A first line of names, which differ from each other and have no digit.
    const bool has_names = std::set<std::string>(first.begin(), first.end()).size() == first.size() &&
                           std::all_of(first.begin(), first.end(), [](auto& cell) {
                             return !cell.empty() && cell.find_first_of("0123456789") == cell.npos;
                           });
    for (size_t i = 0; i < first.size(); ++i)
      out.keys.emplace_back(has_names ? first[i] : "column_" + std::to_string(i + 1), has_names ? second[i] : first[i]);
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SampleBody> body_of(const std::vector<std::string>& messages) {
  if (messages.empty()) return std::nullopt;
  if (auto json = json_of(messages)) return json;
  if (auto pairs = pairs_of(messages)) return pairs;
  return csv_of(messages);
}

}  // namespace yushi::parsers
