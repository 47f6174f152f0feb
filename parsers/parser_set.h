// All loaded parsers, compiled: routes a message by app name to a short list of patterns and matches it once.
//
// Second step of understanding, after the header. A parser is one YAML file with its test cases inside
// (docs/adding-a-parser.md).
//
// Invariants  The same files give the same digest and the same answers, for ever: stored records name the digest.
// Threads     A ParserSet is immutable and shared. A ParserWorker has caches and belongs to one thread.
// Errors      load() names file, line and column of everything that is wrong, not only of the first.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/data_file.h"
#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/record/record.h"

namespace yushi::parsers {

struct ParserFile {
  std::string name;  // "sshd.yaml"; of two with one name the later wins
  std::string path;  // for messages; not part of the digest
  std::string text;
};

// Every *.yaml of each directory and the folders in it, sorted by base name; later directories win. io when a directory
// cannot be read, or when a file cannot be taken (read_data_file, or its base name stands twice in one directory); with
// `left_out` such a file is put there instead, and so is a *.yml, which is not taken.
Result<std::vector<ParserFile>> read_parser_directories(const std::vector<std::string>& directories,
                                                        std::vector<FileLeftOut>* left_out = nullptr);

// Is the file a shared table (`table:` is its first key), which others lean on, and no parser?
bool is_shared_file(const ParserFile& file);
bool is_names_file(const ParserFile& file);                                  // of the shared ones, the dictionary
bool is_macros_file(const ParserFile& file);                                 // and those with macros
std::vector<ParserFile> shared_files(const std::vector<ParserFile>& files);  // those of `files`

struct ParserDefinition;

// Whose tests a load reads, a third of the library's text and of the time that it takes; a pattern that none of a file's
// tests reaches is an error of that file. The package's own were run when it was made, those of the store's versions when
// they came into use.
enum class ReadTests { all, of_site, none };  // of_site: of what is not of the package's folder

class ParserSet {
 public:
  static Result<std::shared_ptr<const ParserSet>> load(std::vector<ParserFile> files, ReadTests tests = ReadTests::all);
  virtual ~ParserSet() = default;
  virtual const std::string& digest() const = 0;  // 64 hex digits, over names and texts of the files
  virtual const std::vector<ParserFile>& files() const = 0;
  // Costs of parsers that were in `before` too, by their names, go on from there. Before anybody parses.
  virtual void count_on_from(const ParserSet& before) const = 0;
};

// The datasets of our parsers that know a message by its form alone, whatever product wrote it.
std::span<const std::string_view> generic_datasets();

struct ParserDefinition;
struct PatternDefinition;

// That a pattern was tried, for `parse --explain`.
struct AskedPattern {
  const ParserDefinition* parser;
  const PatternDefinition* pattern;  // nullptr: the parser was asked, and none of its patterns can begin with this byte
  std::string text;                  // what it was tried on
  bool matched;
};

class ParserWorker {
 public:
  explicit ParserWorker(std::shared_ptr<const ParserSet> set);
  ~ParserWorker();
  // Tries the parsers of this message's app name, then the generic ones. On a match sets record.kind, appends the
  // pattern's captures to `captures` (the header's stand there already) and, where the pattern captures @timestamp,
  // moves event_ns. `dataset` pins a parser by name (bare lines of a file); empty means: by app name.
  // `is_header_capped`, as read_syslog_header() says it, is told as when a parser takes no more.
  void parse(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
             std::string_view dataset = {}, bool is_header_capped = false);
  // The same for a record that is several lines joined: only the patterns of `parser` that are `whole: true` are asked.
  // False when none knows it; the record is then as before.
  bool parse_whole(Record& record, const Zone& zone, Arena& arena, std::vector<Capture>& captures,
                   const ParserDefinition& parser);
  // Messages so far that a second parser would have known too, and the written order decided. An estimate: of the known
  // messages one in 251 is offered to the others.
  uint64_t ambiguous() const;
  // From now on the time in each parser is added to its cost (list_parsers), by samples.
  void measure();
  // From now on appends to `asked` what it tries; nullptr: no more.
  void tell_asked(std::vector<AskedPattern>* asked);
  uint64_t capped() const;  // messages so far that had more fields than we take; their error.message says so

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yushi::parsers
