// The YAML of a rule file: its documents, its values with their places, and how the reading of one part ends where
// something is wrong. Of the files that read rules alone.
//
// Errors  A Stop, or yaml-cpp's exception, which Stops::attempt() gathers; none leaves parse_rule_file().
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "core/filter/sigma.h"
#include "detect/rules/log_source.h"

namespace yushi::detect::rule_yaml {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kNodesMax = 100'000;
constexpr int kDepthMax = 64;

// Ends the reading of one part of a document.
struct Stop {
  int line, column;
  std::string message;
  bool unsupported;
};

// Of a document: each part is read, so that all that is wrong is told at once.
class Stops {
 public:
  template <class Part>
  void attempt(const Part& part) {
    try {
      part();
    } catch (const Stop& stopped) {
      all_.push_back(stopped);
    } catch (const YAML::Exception& error) {
      all_.push_back({error.mark.line + 1, error.mark.column + 1, error.msg, false});
    }
  }
  bool empty() const { return all_.empty(); }
  std::vector<Stop> in_order() && {
    std::stable_sort(all_.begin(), all_.end(),
                     [](auto& a, auto& b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
    return std::move(all_);
  }

 private:
  std::vector<Stop> all_;
};

[[noreturn]] void stop(const YAML::Node& at, std::string message);
// Right, but not done here.
[[noreturn]] void unsupported(const YAML::Node& at, std::string message);
// A name that no field has; `offset`: of it in the text of `at`.
[[noreturn]] void stop_at_field(const LogSources& sources, const YAML::Node& at, size_t offset, const std::string& name,
                                const std::string& where);

// The documents of a file, cut at lines that begin with `---`. yaml-cpp's own LoadAll never ends on some broken files
// (one that begins with a comma). Each document is loaded behind as many line feeds as stand before it, so that its
// marks are those of the file.
std::vector<YAML::Node> load_documents(const std::string& text);

// By YAML's core schema. Counts `nodes` and stops beyond kNodesMax and kDepthMax, and at a key that stands twice.
SigmaValue convert(const YAML::Node& node, size_t& nodes, int depth);

// The value of `key`, which may be missing (an undefined node). yaml-cpp's operator[] compares keys by conversion and
// is happy with maps only.
YAML::Node get(const YAML::Node& map, const char* key);
bool there(const YAML::Node& node);
std::string text_of(const YAML::Node& map, const char* key, bool required = false);
// Of a text that one.
std::vector<std::string> texts_of(const YAML::Node& map, const char* key);
uint64_t count_of(const YAML::Node& node);  // 0 to 1,000,000
void only_keys(const YAML::Node& map, std::initializer_list<std::string_view> known);
bool is_among(std::string_view text, std::initializer_list<std::string_view> words);
// As a field in key, habit, group-by and reason.
bool may_be_named(std::string_view name);

}  // namespace yushi::detect::rule_yaml
