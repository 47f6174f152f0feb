// What every reader of a body (JSON, key=value, CEF, LEEF, CSV, XML, lists of names) gives: pairs of a name and a span of
// the text, in the order of the text. pair_mapper.h makes captures of them by a table of keys.
//
// Names come again from message to message: each is kept once, with what was found out about it (its ECS field, its place
// in the table that was asked last), in a cache of fixed size. Messages of a stranger push out old names; they fill nothing.
//
// Threads  Belongs to one thread.
// Cost     3 to 5 ns a pair; no allocation once the names are known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/record/record.h"

namespace yushi {

class KeyTable;
struct DictionaryEntry;

// The names by which products are recognised (`match: keys:`), each with a number from 1.
using SignatureKeys = std::unordered_map<std::string, uint32_t>;

// The forms that a body may have. `none`: text for grok.
enum class Body : uint8_t { none, json, key_values, cef, leef, csv, xml, names };

struct BodyName {
  std::string path;  // "a.b" of {"a":{"b":…}}
  uint64_t hash = 0;
  uint64_t read = 0;             // the last reading that met it
  uint32_t first = 0;            // its first pair there; kNoPair: the name of an object or list
  const Field* ecs = nullptr;    // the fixed field of this very name
  bool held_back = false;        // a name that we give ourselves: no sender speaks for us
  const KeyTable* table = nullptr;  // the table that was asked last, and its answer
  uint32_t target = 0;
  const DictionaryEntry* entry = nullptr;  // of the dictionary, once it was asked
  bool is_entry_known = false;
  uint32_t signature = 0;  // 0: no product is recognised by it
  // Of one mapping (pair_mapper.h).
  uint64_t mapping = 0;
  uint32_t times = 0;              // how often the name stood there
  bool in_list = false;            // the first stood in a list
  const Field* field = nullptr;    // where the last went
  const Field* dynamic = nullptr;  // the field made for it there
};

struct BodyPair {
  BodyName* name = nullptr;  // nullptr: a bare word with a meaning
  uint32_t begin = 0, length = 0;  // of the value; a name without a value is there too
  uint32_t name_begin = 0, name_length = 0;
  Escape escape = Escape::none;
  FieldType type = FieldType::keyword;
  bool quoted = false;    // between quotes where values may stand without
  bool in_list = false;   // one of a list's values
  bool is_first = false;  // the first of every list around it
  bool is_open = false;   // of several words that only the next name ends
};

class BodyPairs {
 public:
  // Of one body; a hostile message cannot make more.
  static constexpr size_t kPairsMax = 1024;
  static constexpr size_t kNameBytesMax = 256;
  static constexpr uint32_t kNoPair = 0xffff'ffff;

  BodyPairs();

  void set_signature_keys(const SignatureKeys* keys) { signature_keys_ = keys; }
  void begin(std::string_view text);
  // Beyond the bounds nothing is added, and is_capped() says so. An empty path adds nothing.
  void add(std::string_view path, const BodyPair& pair);
  void add_word(size_t begin, size_t end);
  void note(std::string_view path);  // the name of an object or a list: it is there, without a value of its own
  void set_capped() { capped_ = true; }
  void fail();  // what was added is no body

  // Numbers of the signature keys that stand in the body.
  const std::vector<uint32_t>& signature() const { return signature_; }
  std::string_view text() const { return text_; }
  std::vector<BodyPair>& list() { return list_; }
  bool is_capped() const { return capped_; }
  std::string_view value(const BodyPair& pair) const { return text_.substr(pair.begin, pair.length); }
  // Whether the name stands in the body read last, and its first value as written.
  bool find(std::string_view path, std::string_view* value) const;

 private:
  BodyName* intern(std::string_view path);
  void fill(BodyName& slot, std::string_view path, uint64_t hash) const;

  std::string_view text_;
  std::vector<BodyPair> list_;
  std::vector<uint32_t> signature_;
  const SignatureKeys* signature_keys_ = nullptr;
  bool capped_ = false;
  uint64_t reads_ = 0;
  size_t interned_ = 0;                // in this reading
  std::unique_ptr<BodyName[]> names_;  // open addressing by hash
};

}  // namespace yushi
