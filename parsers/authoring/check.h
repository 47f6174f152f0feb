// What `yushi parsers check|test|list` asks: are these files right, do their tests hold, what is loaded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parsers/parser_set.h"

namespace yushi::parsers {

// Everything that is wrong with the files, as `file:line:column: message`. Empty: ParserSet::load() takes them.
std::vector<std::string> check_parser_files(const std::vector<ParserFile>& files);

struct ParserTestReport {
  size_t tests = 0;
  std::vector<std::string> failures;  // `file:line:column: message`
  struct Case {
    std::string path;
    int line = 0;
    std::string outcome;  // "ok: pattern 'x'", "ok: not known", or the first failure's message
    bool failed = false;
  };
  std::vector<Case> cases;  // of the files named only
};

// Runs the tests inside the files: each line against its own parser, and each line against all other parsers, which
// must not know it unless both declare the same format or the other one is generic.
// With `paths` (ParserFile::path) those files are tested as in the whole run, the others' lines against them too, and
// their cases are named one by one.
ParserTestReport run_parser_tests(const std::shared_ptr<const ParserSet>& set,
                                  const std::vector<std::string>& paths = {});

// What the parser of this name gives of a line, as `expect` of a test would have it; nullopt: it does not know the
// line.
struct ParsedLine {
  std::string pattern;
  // What it captured, in the order of the line; times are left out.
  std::vector<std::pair<std::string, std::vector<std::string>>> fields;
};
std::optional<ParsedLine> parse_test_line(const std::shared_ptr<const ParserSet>& set, const std::string& parser,
                                          const std::string& line);

// `parsers test --hostile`: puts into each capture of each known line what a stranger may write there, and sees whether
// any other field or the event's meaning changes. What a capture from outside is, and how its text is written:
// hostile.cc. `tests` counts lines; of each capture of each line the first failure is told. Of the known lines one of
// `one_of` is taken.
ParserTestReport run_hostile_tests(const std::shared_ptr<const ParserSet>& set, size_t one_of = 1);

struct ParserListing {
  std::string name, dataset, path, about;
  std::vector<std::string> aliases, apps, kinds;  // kinds: the words of `event:` that its patterns give, sorted
  size_t patterns = 0, tests = 0;
  bool generic = false;
  uint64_t cost_ns = 0;  // time in it, by samples of those that measure
};
std::vector<ParserListing> list_parsers(const ParserSet& set);

// The lines that a parser must know, and those it must not: inputs of benches and of differential tests.
struct ParserSample {
  std::string parser, line;
  bool known = false;
};
std::vector<ParserSample> parser_samples(const ParserSet& set);

// Does our matcher say of `text` what RE2 alone says, for every pattern of the set? The words tell the first
// difference; empty when there is none.
std::string compare_with_re2(const ParserSet& set, std::string_view text, std::string_view name = {});

}  // namespace yushi::parsers
