#include "parsers/parser_set.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "core/record/dataset.h"
#include "parsers/file/share_directory.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {

Result<std::vector<ParserFile>> read_parser_directories(const std::vector<std::string>& directories,
                                                        std::vector<FileLeftOut>* left_out) {
  namespace fs = std::filesystem;
  std::map<std::string, ParserFile> by_name;
  std::vector<FileLeftOut> away, misnamed;
  for (auto& directory : directories) {
    std::error_code error;
    std::map<std::string, std::string> met;  // names of this directory, and where
    fs::recursive_directory_iterator at(directory, error), end;
    for (; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      auto path = at->path().string(), name = at->path().filename().string();
      if (at->is_directory(ignored) && !at->is_symlink(ignored) && !name.ends_with(".yaml")) continue;  // looked into
      if (!is_data_file_name(path, false, misnamed)) continue;
      if (at->is_directory(ignored)) at.disable_recursion_pending();
      if (auto [other, is_new] = met.emplace(name, path); !is_new) {
        // Which of them is met first is the file system's whim: neither may win by it.
        away.push_back({path, path + ": " + other->second +
                                  " has this name too, and a name stands for one parser; rename one of them"});
        continue;
      }
      auto text = read_data_file(path);
      if (text)
        by_name[name] = {name, path, std::move(*text)};
      else
        away.push_back({path, text.error().message});
    }
    if (error) return fail(Code::io, "reading the parsers of " + directory + ": " + error.message());
  }
  if (!away.empty() && !left_out) return fail(Code::io, away.front().why);
  if (left_out) {
    left_out->insert(left_out->end(), away.begin(), away.end());
    left_out->insert(left_out->end(), misnamed.begin(), misnamed.end());
  }
  std::vector<ParserFile> out;
  for (auto& [name, file] : by_name) out.push_back(std::move(file));
  return out;
}

std::span<const std::string_view> generic_datasets() {
  static constexpr std::string_view kNames[] = {"json", "key-value", "kv", "cef", "leef", "csv", "xml", "names"};
  return kNames;
}

namespace {

// The first line that says something begins with this key.
bool begins_with_key(const ParserFile& file, std::string_view key) {
  std::string_view text = file.text;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin != std::string_view::npos && line[begin] != '#' && line != "---" && line[begin] != '%')
      return line.starts_with(key);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace

bool is_names_file(const ParserFile& file) { return begins_with_key(file, "names:"); }

bool is_macros_file(const ParserFile& file) { return begins_with_key(file, "macros:"); }

bool is_shared_file(const ParserFile& file) {
  return is_names_file(file) || begins_with_key(file, "table:") || begins_with_key(file, "programs:") ||
         is_macros_file(file);
}

std::vector<ParserFile> shared_files(const std::vector<ParserFile>& files) {
  std::vector<ParserFile> out;
  std::copy_if(files.begin(), files.end(), std::back_inserter(out), is_shared_file);
  return out;
}

void LoadedParsers::count_on_from(const ParserSet& before) const {
  for (auto& parser : parsers_) {
    // There is one kind of ParserSet, and load() makes it.
    if (auto* same = static_cast<const LoadedParsers&>(before).find(parser->name)) parser->cost_ns = same->cost_ns;
  }
}

class ParserSetBuilder {
 public:
  ParserSetBuilder(std::vector<ParserFile> files, Problems& problems, ReadTests tests)
      : problems_(problems), tests_(tests) {
    std::map<std::string, ParserFile> by_name;
    for (size_t i = 0; i < files.size(); ++i) {
      given_[files[i].name] = i;
      by_name[files[i].name] = std::move(files[i]);
    }
    for (auto& [name, file] : by_name) set_->files_.push_back(std::move(file));
  }

  std::shared_ptr<const LoadedParsers> build() {
    std::string digested;
    SharedParts shared;
    for (auto& file : set_->files_) {
      put_text(digested, file.name);
      put_text(digested, file.text);
      if (is_names_file(file))
        read_dictionary(file);
      else if (is_shared_file(file))
        read_shared_file(file, shared, problems_);
    }
    if (problems_.list.empty()) check_shared_macros(set_->files_, shared, problems_);
    for (auto& file : set_->files_) {
      if (is_shared_file(file)) continue;
      set_->parsers_.push_back(read_parser_file(file, shared, problems_, reads_tests(file)));
      auto& parser = *set_->parsers_.back();
      check_name(parser, given_[file.name]);
      if (parser.generic && set_->dictionary_) {
        use_dictionary(parser, set_->dictionary_);
        for (auto& pattern : parser.patterns)
          if (pattern.combinations() > kCombinationsMax)
            problems_.add(file.path, pattern.position,
                          "the pattern and the dictionary's lists of words make more than 65,536 combinations; join "
                          "lists of names.yaml");
      }
    }
    set_->digest_ = to_hex(as_bytes(sha256(digested)));
    for (auto& parser : set_->parsers_) route(*parser);
    make_any();
    for (auto& parser : set_->parsers_) add_signature(*parser);
    if (problems_.list.empty()) check_patterns_are_tested();
    return problems_.list.empty() ? std::move(set_) : nullptr;
  }

 private:
  bool reads_tests(const ParserFile& file) const {
    return tests_ == ReadTests::all || (tests_ == ReadTests::of_site && !file.path.starts_with(package_));
  }

  void read_dictionary(const ParserFile& file) {
    if (set_->dictionary_)
      return problems_.add(file.path, {1, 1}, "there is a dictionary already; put the names into one file");
    set_->dictionary_ = read_names_file(file, problems_);
  }

  void add_signature(const ParserDefinition& parser) {
    for (auto& key : parser.match.keys) {
      auto [at, is_new] =
          set_->signature_keys_.try_emplace(key, static_cast<uint32_t>(set_->by_signature_key_.size() + 1));
      if (is_new) set_->by_signature_key_.emplace_back();
      set_->by_signature_key_[at->second - 1].push_back(&parser);
    }
  }

  // Of two parsers with one name the file that was given later is the wrong one: ours are given first.
  void check_name(const ParserDefinition& parser, size_t given) {
    auto [at, is_new] = named_.emplace(parser.name, Named{&parser, given});
    if (is_new) return;
    Named other = at->second, one{&parser, given};
    if (other.given > one.given) std::swap(other, one);
    problems_.add(
        one.parser->path, one.parser->position,
        "the parser of " + other.parser->path + " is named '" + parser.name + "' too; give this one another name");
    at->second = other;
  }

  // Which fields the records of this parser can have, for rules that need one (core/record/dataset.h).
  static void declare_fields(const ParserDefinition& parser) {
    const auto& dataset = parser.dataset.empty() ? parser.name : parser.dataset;
    // Any name of a body, and of the dictionary, though another parser names its dataset too.
    if (parser.generic) return declare_dataset_field(dataset, "*");
    const bool carries = std::any_of(parser.patterns.begin(), parser.patterns.end(),
                                     [](auto& pattern) { return !pattern.message_of.empty(); });
    const auto declare_name = [&](std::string_view name_or_prefix) {
      declare_dataset_field(dataset, name_or_prefix);
      if (carries) declare_carrier_field(parser.name, name_or_prefix);
    };
    const auto declare = [&](const Field* field) {
      if (field) declare_name(field->name);
    };
    const auto constants = [&](const std::vector<ConstantField>& list) {
      for (auto& constant : list) declare(constant.field);
    };
    const auto tables = [&](const std::vector<std::shared_ptr<const ValueTable>>& list) {
      for (auto& table : list) {
        for (uint32_t way = 1; way < table->ways(); ++way)
          if (auto* of_way = table->constants(way)) constants(*of_way);
      }
    };
    std::map<std::string, std::set<std::string>> keys;
    std::map<std::string, size_t> patterns_with;
    size_t patterns_with_keys = 0;
    declare(parser.repeated);
    for (auto& pattern : parser.patterns) {
      for (auto& capture : pattern.captures) declare(capture.field);
      constants(pattern.constants);
      tables(pattern.tables);
      for (auto& variant : pattern.variants) constants(variant.fields);
      if (!pattern.written_by.empty() || pattern.written_by_id) declare(ecs::yushi_program_unconfirmed);
      if (!pattern.keys) continue;
      declare_name(pattern.keys->prefix());
      ++patterns_with_keys;
      for (auto& target : pattern.keys->targets()) {
        const auto take = [&](const Field* field) {
          declare(field);
          if (field) keys[target.key].emplace(field->name);
        };
        for (auto* field : target.fields) take(field);
        for (auto& cut : target.patterns)
          for (auto& capture : cut->captures) take(capture.field);
        ++patterns_with[target.key];
      }
    }
    for (auto& [key, fields] : keys) {
      if (patterns_with[key] < patterns_with_keys) fields.insert(parser.name + "." + key);
      declare_parser_key(parser.name, key, {fields.begin(), fields.end()});
    }
    if (!parser.join) return;
    for (auto& collected : parser.join->collect) declare(collected.to);
    declare(parser.join->text_of_words);
    if (!parser.join->with.empty()) declare_dataset_field(dataset, "*");  // the others' fields
    tables(parser.join->tables);
  }

  void route(const ParserDefinition& parser) {
    std::vector<std::string> names = parser.aliases;
    names.push_back(parser.name);
    names.insert(names.end(), parser.match.datasets.begin(), parser.match.datasets.end());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (auto& name : names) set_->by_dataset_[name].push_back(&parser);
    for (auto& name : names) declare_dataset(name);
    for (auto& app : parser.match.apps) declare_dataset(app);
    declare_fields(parser);
    if (!parser.dataset.empty()) declare_dataset(parser.dataset);
    if (parser.generic) {
      const bool is_of_parameters = std::all_of(parser.patterns.begin(), parser.patterns.end(),
                                                [](auto& pattern) { return pattern.extract == Body::structured_data; });
      (is_of_parameters ? set_->of_parameters_ : set_->generic_).push_back(&parser);
      return;
    }
    const auto add = [&](LoadedParsers::Routes& routes, std::string name) {
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      auto& list = routes[name];
      if (std::find(list.begin(), list.end(), &parser) == list.end()) list.push_back(&parser);
    };
    for (auto& app : parser.match.apps) add(parser.match.last ? set_->by_app_last_ : set_->by_app_, app);
    for (auto& tag : parser.match.tags) add(set_->by_tag_, tag);
    if (parser.match.any || !parser.match.prefixes.empty()) set_->any_.push_back(&parser);
    if (!parser.match.files.empty()) set_->by_file_.push_back(&parser);
    for (auto transport : parser.match.transports)
      set_->by_transport_[static_cast<size_t>(transport)].push_back(&parser);
  }

  // One search over the patterns of all parsers that are recognised by shape, and one over the prefixes, which stand
  // behind an uptime too.
  void make_any() {
    std::vector<std::span<const RegexNode>> patterns;
    std::vector<std::vector<RegexNode>> prefixes;
    for (size_t i = 0; i < set_->any_.size(); ++i) {
      auto& parser = *set_->any_[i];
      auto& of_prefixes = prefixes.emplace_back();
      if (!parser.match.any) {
        for (auto& prefix : parser.match.prefixes) of_prefixes.push_back(begins_with(prefix));
        continue;
      }
      of_prefixes.push_back(PatternFilter::no_text());
      for (size_t k = 0; k < parser.patterns.size(); ++k) {
        auto& pattern = parser.patterns[k];
        if (pattern.whole || set_->any_patterns_.size() == UINT16_MAX) continue;
        patterns.emplace_back(pattern.tree);
        set_->any_patterns_.push_back({static_cast<uint16_t>(i), static_cast<uint16_t>(k)});
      }
    }
    if (set_->any_patterns_.size() == UINT16_MAX)
      problems_.add(set_->any_.back()->path, {1, 1}, "the parsers with any: true have more than 65,534 patterns");
    set_->any_filter_ = PatternFilter(patterns);
    set_->any_by_prefix_ = PatternFilter({prefixes.begin(), prefixes.end()});
    for (auto& parser : set_->parsers_)
      for (auto& pattern : parser->patterns) std::vector<RegexNode>().swap(pattern.tree);
  }

  static RegexNode begins_with(const std::string& prefix) {
    RegexNode out, text, rest, all;
    text.kind = RegexNode::Kind::literal;
    text.text = prefix;
    all.kind = RegexNode::Kind::set;
    all.set.set();
    rest.kind = RegexNode::Kind::repeat;
    rest.children.push_back(std::move(all));
    if (!prefix.empty()) out.children.push_back(std::move(text));
    out.children.push_back(std::move(rest));
    return out;
  }

  // A pattern that no test of its file reaches is dead or untested: both are mistakes.
  void check_patterns_are_tested() {
    MatchStack stack;
    uint32_t spans[2 * Pattern::kGroupsMax];
    for (auto& parser : set_->parsers_) {
      if (!parser->has_tests) continue;
      std::set<const PatternDefinition*> reached;
      for (auto& test : parser->tests) {
        if (test.none) continue;
        for (auto& pattern : parser->patterns)
          if (pattern.whole == test.is_event &&
              (!pattern.pattern || pattern.pattern->match(matched_text(test.line), spans, stack) ||
               pattern.pattern->match(test.line, spans, stack))) {
            reached.insert(&pattern);
            if (pattern.pattern && pattern.conditions.empty() && pattern.message_of.empty()) break;
          }
      }
      for (auto& pattern : parser->patterns)
        if (!reached.contains(&pattern))
          problems_.add(parser->path, pattern.position, "no test reaches the pattern '" + pattern.name + "'");
    }
  }

  Problems& problems_;
  ReadTests tests_;
  const std::string package_ = share_directory("parsers") + "/";
  std::shared_ptr<LoadedParsers> set_ = std::make_shared<LoadedParsers>();
  struct Named {
    const ParserDefinition* parser;
    size_t given;  // its file's place among those that load() was given
  };
  std::map<std::string, Named> named_;   // by the parser's name
  std::map<std::string, size_t> given_;  // by the file's name
};

std::shared_ptr<const LoadedParsers> load_parsers(std::vector<ParserFile> files, Problems& problems, ReadTests tests) {
  return ParserSetBuilder(std::move(files), problems, tests).build();
}

Result<std::shared_ptr<const ParserSet>> ParserSet::load(std::vector<ParserFile> files, ReadTests tests) {
  Problems problems;
  auto set = load_parsers(std::move(files), problems, tests);
  if (set) return set;
  std::string message;
  for (auto& problem : problems.list) message += (message.empty() ? "" : "\n") + problem;
  return fail(Code::invalid, message);
}

}  // namespace yushi::parsers
