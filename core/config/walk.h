// Reads a config file: each part of it by who knows what it means, every problem kept with its place.
//
// A part gets a node and a Walk, and says what each key is by a Reader. Problems are gathered, all of them, so that a
// user mends a file once: an unknown key, a key that stands twice and a value of another type are problems too.
//
// Threads  One owner.
#pragma once

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace yushi {

std::string with_unit(uint64_t value,
                      const std::map<std::string, uint64_t>& units);  // "64KiB": in the largest that fits

inline const std::map<std::string, uint64_t> kSizes = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
inline const std::map<std::string, uint64_t> kTimes = {{"ms", 1'000'000},
                                                       {"s", 1'000'000'000},
                                                       {"m", 60'000'000'000},
                                                       {"h", 3'600'000'000'000},
                                                       {"d", 86'400'000'000'000}};

class Walk {
 public:
  explicit Walk(std::string path) : path_(std::move(path)) {}

  void problem(const YAML::Node& at, const std::string& what) { problem(at.Mark(), what); }
  void problem(const YAML::Mark& mark, const std::string& what) { problems_ += place_text(mark) + ": " + what + "\n"; }
  std::string place_text(const YAML::Mark& mark) const {
    return path_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  }

  using Reader = std::function<void(const YAML::Node&)>;
  // Calls the reader of each key; a key without one is a problem.
  void map(const YAML::Node& node, const std::string& where, const std::map<std::string, Reader>& readers) {
    if (!node.IsMap()) {
      return problem(
          node, (where.empty() ? "the config" : where.substr(0, where.size() - 1)) + ": must be a map, key: value");
    }
    std::set<std::string> seen;
    for (auto pair : node) {
      auto key = pair.first.as<std::string>("");
      auto it = readers.find(key);
      if (!seen.insert(key).second) {
        problem(pair.first, where + key + ": stands twice; remove one");
      } else if (it == readers.end()) {
        std::string known;
        for (auto& [name, unused] : readers) known += (known.empty() ? "" : ", ") + name;
        problem(pair.first, where + key + ": unknown key; known here: " + known);
      } else {
        it->second(pair.second);
      }
    }
  }
  void list(const YAML::Node& node, const std::string& where, const Reader& reader) {
    if (!node.IsSequence()) return problem(node, where + ": must be a list");
    for (auto item : node) reader(item);
  }
  Reader text(std::string where, std::string& out, std::set<std::string> allowed = {}) {
    return [this, where, &out, allowed](const YAML::Node& node) {
      if (!node.IsScalar() || node.Scalar().empty()) return problem(node, where + ": must be a text");
      out = node.Scalar();
      if (!allowed.empty() && !allowed.contains(out)) {
        std::string known;
        for (auto& name : allowed) known += (known.empty() ? "" : ", ") + name;
        problem(node, where + ": \"" + out + "\" is none of: " + known);
      }
    };
  }
  // A number is no path: it stands where something else was meant, or needs quotes.
  Reader path(std::string where, std::string& out) {
    return [this, where, &out](const YAML::Node& node) {
      double number;
      if (node.IsScalar() && node.Tag() == "?" && YAML::convert<double>::decode(node, number)) {
        return problem(node,
                       where + ": " + node.Scalar() + " is a number, not a path; put a path of that name in quotes");
      }
      text(where, out)(node);
    };
  }
  Reader folders(std::string where, std::vector<std::string>& out) {
    return [this, where, &out](const YAML::Node& node) {
      texts(where, out)(node);
      if (!node.IsSequence()) return;
      for (auto item : node) {
        std::error_code ignored;
        if (item.IsScalar() && !std::filesystem::is_directory(item.Scalar(), ignored)) {
          problem(item, where + ": there is no folder \"" + item.Scalar() +
                            "\", or it may not be read; make it or remove it here");
        }
      }
    };
  }
  // Files that are made when they are written first. Where they lie may not be there yet: a mount that is away must not
  // keep yushid from collecting.
  Reader files(std::string where, std::vector<std::string>& out) {
    return [this, where, &out](const YAML::Node& node) {
      texts(where, out)(node);
      if (!node.IsSequence()) return;
      for (auto item : node) {
        if (item.IsScalar() && !item.Scalar().starts_with('/'))
          problem(item, where + ": \"" + item.Scalar() + "\" must be an absolute path");
      }
    };
  }
  Reader texts(std::string where, std::vector<std::string>& out) {
    return [this, where, &out](const YAML::Node& node) {
      list(node, where, [&](const YAML::Node& item) {
        if (!item.IsScalar()) return problem(item, where + ": must be a list of texts");
        out.push_back(item.Scalar());
      });
    };
  }
  // A number with a unit of `units`; "" is a unit too when bare numbers are allowed. `why` explains the range.
  template <class T>
  Reader number(std::string where, T& out, std::map<std::string, uint64_t> units, uint64_t least, uint64_t most,
                std::string why = "") {
    return [this, where, &out, units, least, most, why](const YAML::Node& node) {
      auto text = node.IsScalar() ? node.Scalar() : "";
      uint64_t value = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      auto unit = units.find(text.substr(static_cast<size_t>(end - text.data())));
      auto range = "from " + with_unit(least, units) + " to " + with_unit(most, units) + why;
      if (error == std::errc::invalid_argument || unit == units.end()) {
        std::string known;
        for (auto& [name, unused] : units) {
          if (!name.empty()) known += (known.empty() ? "" : ", ") + name;
        }
        if (!known.empty())
          known = (units.contains("") ? ", alone or with one of " : " with one of ") + known + " behind it";
        return problem(node, where + ": \"" + text + "\" must be a whole number" + known + "; " + range);
      }
      if (error != std::errc() || value > most / unit->second || value * unit->second < least) {
        return problem(node, where + ": " + text + " is out of range; " + range);
      }
      out = static_cast<T>(value * unit->second);
    };
  }
  // Where to point for a key of a map: its value, or the map when the key is missing.
  static YAML::Mark place(const YAML::Node& map, const char* key) {
    auto value = map[key];
    return value ? value.Mark() : map.Mark();
  }
  const std::string& problems() const { return problems_; }

 private:
  std::string path_;
  std::string problems_;
};

}  // namespace yushi
