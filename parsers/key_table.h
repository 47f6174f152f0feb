// Which fields the keys of a key=value text go to: `pid` -> process.pid.
//
// Threads  Immutable once built.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/field.h"

namespace yushi {

struct KeyTarget {
  std::string key;                   // "a*": every key that begins with "a" and is not named itself; "a*_len" ends so too
  std::vector<const Field*> fields;  // of the first, second … time the key stands; empty: leave it out
  bool hex = false;                  // an unquoted value is written in hex (auditd)
  std::string quoted_null;           // says nothing between quotes too; empty: what stands between quotes is a value
  bool repeats = false;              // "a*": fields[0] each time
  bool has_address = false;          // one of the fields is of type ip
  std::string ending;                // what stands behind the `*`
};

class KeyTable {
 public:
  // `prefix` + key is the name of a dynamic field for a key that is not in the table.
  KeyTable(std::string prefix, std::vector<KeyTarget> targets, std::vector<std::string> null_values,
           std::vector<std::pair<std::string, const Field*>> words);

  static constexpr uint32_t kNotFound = 0xffff'ffff;
  uint32_t find(std::string_view key) const;  // position in targets()
  const std::vector<KeyTarget>& targets() const { return targets_; }
  const std::string& prefix() const { return prefix_; }
  bool is_null(std::string_view value) const;
  // auditd's way: what is not plain is in hex, and so a backslash between quotes is a plain sign.
  bool has_hex() const { return has_hex_; }
  bool has_words() const { return !words_.empty(); }
  const Field* word(std::string_view text) const;  // bare words with a meaning (TCP flags); nullptr: none

 private:
  static uint32_t hash(std::string_view key);
  std::string prefix_;
  std::vector<KeyTarget> targets_;
  std::vector<uint32_t> slots_;  // open addressing over the whole names; a power of two
  std::vector<uint32_t> wildcards_;
  bool has_hex_ = false;
  std::vector<std::string> null_values_;
  std::vector<std::pair<std::string, const Field*>> words_;
};

}  // namespace yushi
