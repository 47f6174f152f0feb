// Which fields the names of a body's pairs go to: `pid` -> process.pid, `userIdentity.userName` -> user.name.
//
// Threads  Immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"
#include "parsers/body/body_pairs.h"
#include "parsers/pattern/pattern.h"

namespace yushi::parsers {

// Where a group of a pattern goes.
struct CaptureTarget {
  const Field* field;  // nullptr: the group holds a body
  Escape escape;
  bool is_address = false;  // the field is of type ip
  Body body = Body::none;
};

// One of the patterns by which a key's value is cut again.
struct ValuePattern {
  Pattern pattern;
  std::vector<CaptureTarget> captures;
};

struct KeyTarget {
  // "a*": every key that begins with "a" and is not named itself; "a*_len" ends so too
  std::string key;
  // "a[0].b": of the values of a list the first only
  std::vector<const Field*> fields;  // of the first, second … time the key stands; empty: leave it out
  // the first that fits the value; none fits: as without them
  std::vector<std::shared_ptr<const ValuePattern>> patterns;
  bool hex = false;          // an unquoted value is written in hex (auditd)
  bool lower = false;        // meant in lower case
  char split = '\0';         // parts the values of a list; 0: one value
  std::string quoted_null;   // says nothing between quotes too; empty: what stands between quotes is a value
  bool repeats = false;      // "a*": fields[0] each time
  bool has_address = false;  // one of the fields is of type ip
  std::string ending;        // what stands behind the `*`
  // Does one of the patterns give a field for which is_it() holds?
  template <class IsIt>
  bool cuts_out(IsIt&& is_it) const {
    for (auto& one : patterns)
      for (auto& to : one->captures)
        if (is_it(to.field)) return true;
    return false;
  }
  bool is_plain() const { return patterns.empty() && !lower && split == '\0'; }
};

class KeyTable {
 public:
  // `prefix` + key is the name of a dynamic field for a key that is not in the table.
  KeyTable(std::string prefix, std::vector<KeyTarget> targets, std::vector<std::string> null_values,
           std::vector<std::pair<std::string, const Field*>> words);

  static constexpr uint32_t kNotFound = 0xffff'ffff;
  uint32_t find(std::string_view key) const;  // position in targets()
  // The same for the first value of a list, `a[0]`; where there is none, that of find().
  uint32_t find_first(std::string_view key) const;
  bool has_firsts() const { return !firsts_.empty(); }
  const std::vector<KeyTarget>& targets() const { return targets_; }
  const std::string& prefix() const { return prefix_; }
  bool is_null(std::string_view value) const { return !null_values_.empty() && is_listed_null(value); }
  // auditd's way: what is not plain is in hex, and so a backslash between quotes is a plain sign.
  bool has_hex() const { return has_hex_; }
  bool has_words() const { return !words_.empty(); }
  const Field* word(std::string_view text) const;  // bare words with a meaning (TCP flags); nullptr: none

 private:
  static uint32_t hash(std::string_view key);
  bool is_listed_null(std::string_view value) const;
  std::string prefix_;
  std::vector<KeyTarget> targets_;
  std::vector<uint32_t> slots_;  // open addressing over the whole names; a power of two
  std::vector<uint32_t> wildcards_;
  std::vector<uint32_t> firsts_;  // of the keys with [0], which stands in them no more
  bool has_hex_ = false;
  std::vector<std::string> null_values_;
  std::vector<std::pair<std::string, const Field*>> words_;
};

}  // namespace yushi::parsers
