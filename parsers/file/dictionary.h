// What products call the fields of ECS (srcip, 源IP, attacker_ip: source.ip), and what their words say (成功, denied:
// an outcome). For bodies that no product's parser claims; the file is parsers/library/names.yaml, a `names:` file.
//
// Names are compared without case, without `_`, `-`, `.`, blanks and a number in brackets behind them; of a nested name
// (content.srcip) the last part counts when the whole is unknown, and less than a name that stands less deep: what lies
// deep is often what somebody sent. Within the objects of `outside:` (headers, cookies …) nothing counts but what says
// itself that it came from outside.
//
// Threads  Immutable once read.
// Cost     A hash and a compare; whoever asks keeps the answer beside the name.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "parsers/file/key_table.h"
#include "parsers/file/row_table.h"

namespace yushi::parsers {

struct DictionaryEntry {
  KeyTarget target;              // without a field: only words count
  bool is_from_outside = false;  // the field is a client's own word: an agent, an address in the web
  bool is_text = false;          // a value may be of several words though nothing holds them together
  std::vector<uint32_t> words;   // which of words()
};

class Dictionary {
 public:
  static constexpr size_t kNameBytesMax = 128;  // longer ones are not in it

  struct Found {
    const DictionaryEntry* entry = nullptr;
    uint32_t depth = 0;  // 0: the whole name is known; else how deep the part stands that is
  };
  Found find(std::string_view path) const;
  bool is_null(std::string_view value) const;
  // What words say: the first value that is in one of these tables decides, of each table.
  const std::vector<std::shared_ptr<const RowTable>>& words() const { return words_; }

 private:
  friend class DictionaryReader;
  static std::string folded(std::string_view name);
  std::deque<DictionaryEntry> entries_;
  std::unordered_map<std::string, DictionaryEntry*> by_name_;
  std::vector<std::string> null_values_;
  std::unordered_set<std::string> outside_;  // folded names of objects
  std::vector<std::shared_ptr<const RowTable>> words_;
};

struct ParserFile;
struct Problems;
std::shared_ptr<const Dictionary> read_names_file(const ParserFile& file, Problems& problems);

}  // namespace yushi::parsers
