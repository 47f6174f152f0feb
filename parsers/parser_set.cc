#include "parsers/parser_set.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "parsers/loaded_parsers.h"

namespace yushi {

Result<std::vector<ParserFile>> read_parser_directories(const std::vector<std::string>& directories,
                                                        std::vector<std::string>* unreadable) {
  namespace fs = std::filesystem;
  std::map<std::string, ParserFile> by_name;
  for (auto& directory : directories) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    if (error) return fail(Code::io, "reading the parsers of " + directory + ": " + error.message());
    for (const auto& entry : entries) {
      if (entry.path().extension() != ".yaml") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      if (!in && unreadable) {
        unreadable->push_back(entry.path().string());
        continue;
      }
      if (!in) return fail(Code::io, "reading " + entry.path().string() + ": " + std::strerror(errno));
      auto name = entry.path().filename().string();
      by_name[name] = {name, entry.path().string(), text.str()};
    }
  }
  std::vector<ParserFile> out;
  for (auto& [name, file] : by_name) out.push_back(std::move(file));
  return out;
}

class ParserSetBuilder {
 public:
  ParserSetBuilder(std::vector<ParserFile> files, Problems& problems) : problems_(problems) {
    std::map<std::string, ParserFile> by_name;
    for (auto& file : files) by_name[file.name] = std::move(file);
    for (auto& [name, file] : by_name) set_->files_.push_back(std::move(file));
  }

  std::shared_ptr<const LoadedParsers> build() {
    std::string digested;
    for (auto& file : set_->files_) {
      put_text(digested, file.name);
      put_text(digested, file.text);
      set_->parsers_.push_back(read_parser_file(file, problems_));
    }
    set_->digest_ = to_hex(as_bytes(sha256(digested)));
    for (auto& parser : set_->parsers_) route(*parser);
    if (problems_.list.empty()) check_patterns_are_tested();
    return problems_.list.empty() ? std::move(set_) : nullptr;
  }

 private:
  void route(const ParserDefinition& parser) {
    std::vector<std::string> names = parser.aliases;
    names.push_back(parser.name);
    names.insert(names.end(), parser.match.datasets.begin(), parser.match.datasets.end());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (auto& name : names) set_->by_dataset_[name].push_back(&parser);
    if (!names_.insert(parser.name).second)
      problems_.add(parser.path, parser.position, "another file's parser is named '" + parser.name + "' too");
    if (parser.generic) {
      set_->generic_.push_back(&parser);
      return;
    }
    for (auto app : parser.match.apps) {
      std::transform(app.begin(), app.end(), app.begin(), [](unsigned char c) { return std::tolower(c); });
      auto& list = set_->by_app_[app];
      if (std::find(list.begin(), list.end(), &parser) == list.end()) list.push_back(&parser);
    }
    if (parser.match.any || !parser.match.prefixes.empty()) set_->any_.push_back(&parser);
    if (!parser.match.files.empty()) set_->by_file_.push_back(&parser);
    for (auto transport : parser.match.transports) set_->by_transport_[static_cast<size_t>(transport)].push_back(&parser);
  }

  // A pattern that no test of its file reaches is dead or untested: both are mistakes.
  void check_patterns_are_tested() {
    MatchStack stack;
    uint32_t spans[2 * Pattern::kGroupsMax];
    for (auto& parser : set_->parsers_) {
      std::set<const PatternDefinition*> reached;
      for (auto& test : parser->tests) {
        if (test.none) continue;
        for (auto& pattern : parser->patterns)
          if (!pattern.pattern || pattern.pattern->match(matched_text(test.line), spans, stack) ||
              pattern.pattern->match(test.line, spans, stack)) {
            reached.insert(&pattern);
            if (pattern.pattern) break;
          }
      }
      for (auto& pattern : parser->patterns)
        if (!reached.contains(&pattern))
          problems_.add(parser->path, pattern.position, "no test reaches the pattern '" + pattern.name + "'");
    }
  }

  Problems& problems_;
  std::shared_ptr<LoadedParsers> set_ = std::make_shared<LoadedParsers>();
  std::set<std::string> names_;
};

std::shared_ptr<const LoadedParsers> load_parsers(std::vector<ParserFile> files, Problems& problems) {
  return ParserSetBuilder(std::move(files), problems).build();
}

Result<std::shared_ptr<const ParserSet>> ParserSet::load(std::vector<ParserFile> files) {
  Problems problems;
  auto set = load_parsers(std::move(files), problems);
  if (set) return set;
  std::string message;
  for (auto& problem : problems.list) message += (message.empty() ? "" : "\n") + problem;
  return fail(Code::invalid, message);
}

}  // namespace yushi
