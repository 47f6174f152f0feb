// What a ParserSet is inside: the parsers by name, and the routes to them.
#pragma once

#include <array>
#include <compare>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parsers/file/parser_definition.h"
#include "parsers/parser_set.h"

namespace yushi::parsers {

constexpr size_t kTransports = static_cast<size_t>(Transport::internal) + 1;

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class LoadedParsers : public ParserSet {
 public:
  using Route = std::vector<const ParserDefinition*>;
  using Routes = std::unordered_map<std::string, Route, TextHash, std::equal_to<>>;

  const std::string& digest() const override { return digest_; }
  const std::vector<ParserFile>& files() const override { return files_; }
  void count_on_from(const ParserSet& before) const override;

  // nullptr when there is none. `app` in lower case.
  const Route* by_app(std::string_view app) const { return find(by_app_, app); }
  const Route* by_app_last(std::string_view app) const { return find(by_app_last_, app); }
  const Route* by_tag(std::string_view tag) const { return find(by_tag_, tag); }
  const Route* by_dataset(std::string_view dataset) const { return find(by_dataset_, dataset); }
  const Route& any() const { return any_; }  // recognised by their shape alone, in order of file names
  // The patterns of those with any: true, in order, and whose they are.
  const PatternFilter& any_filter() const { return any_filter_; }
  struct AnyPattern {
    uint16_t parser;   // in any()
    uint16_t pattern;  // in its patterns; kAllPatterns: whatever of it may know the message
    auto operator<=>(const AnyPattern&) const = default;
  };
  static constexpr uint16_t kAllPatterns = 0xffff;
  AnyPattern any_pattern(uint16_t number) const { return any_patterns_[number]; }
  // the prefixes of the others, by number in any()
  const PatternFilter& any_by_prefix() const { return any_by_prefix_; }
  const Route& generic() const { return generic_; }  // asked last
  // generic ones that read the header's structured data: after all others
  const Route& of_parameters() const { return of_parameters_; }
  const std::vector<std::unique_ptr<ParserDefinition>>& parsers() const { return parsers_; }
  const ParserDefinition* find(std::string_view name) const {  // nullptr: none has this name
    for (auto& parser : parsers_)
      if (parser->name == name) return parser.get();
    return nullptr;
  }
  // Names by which bodies of products are recognised, and by their number (from 1) those whose names they are.
  const Dictionary* dictionary() const { return dictionary_.get(); }  // nullptr: no file has one
  const SignatureKeys& signature_keys() const { return signature_keys_; }
  const Route& by_signature_key(uint32_t number) const { return by_signature_key_[number - 1]; }

 private:
  friend class ParserSetBuilder;
  static const Route* find(const Routes& routes, std::string_view name) {
    auto at = routes.find(name);
    return at == routes.end() ? nullptr : &at->second;
  }

  std::string digest_;
  std::vector<ParserFile> files_;
  std::vector<std::unique_ptr<ParserDefinition>> parsers_;  // by file name
  Routes by_app_, by_app_last_, by_tag_, by_dataset_;
  SignatureKeys signature_keys_;
  std::vector<Route> by_signature_key_;
  std::shared_ptr<const Dictionary> dictionary_;
  Route any_, generic_, of_parameters_, by_file_;
  PatternFilter any_filter_, any_by_prefix_;
  std::vector<AnyPattern> any_patterns_;
  std::array<Route, kTransports> by_transport_;

 public:
  const Route& by_file() const { return by_file_; }  // those that name files
  const Route& by_transport(Transport transport) const { return by_transport_[static_cast<size_t>(transport)]; }
};

// Reads and checks; the set is nullptr when `problems` has something to say.
std::shared_ptr<const LoadedParsers> load_parsers(std::vector<ParserFile> files, Problems& problems,
                                                  ReadTests tests = ReadTests::all);

}  // namespace yushi::parsers
