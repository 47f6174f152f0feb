// What every reader of a body (JSON, key=value, CEF, LEEF, CSV, XML, lists of names) gives: pairs of a name and a span
// of the text, in the order of the text. pair_mapper.h makes captures of them by a table of keys.
//
// Names come again from message to message: each is kept once, with what was found out about it (its ECS field, its
// place in the table that was asked last), in a cache of fixed size. Messages of a stranger push out old names; they
// fill nothing.
//
// Threads  Belongs to one thread.
// Cost     3 to 5 ns a pair; no allocation once the names are known.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/record/record.h"

namespace yushi::parsers {

class KeyTable;
struct DictionaryEntry;

// The names by which products are recognised (`match: keys:`), each with a number from 1.
using SignatureKeys = std::unordered_map<std::string, uint32_t>;

// The forms that a body may have. `none`: text for grok. That of structured_data stands in the header.
enum class Body : uint8_t { none, json, key_values, cef, leef, csv, xml, names, structured_data };

struct BodyName {
  std::string path;  // "a.b" of {"a":{"b":…}}
  uint64_t hash = 0;
  uint64_t read = 0;                // the last reading that met it
  uint32_t first = 0;               // its first pair there; kNoPair: the name of an object or list
  const Field* ecs = nullptr;       // the fixed field of this very name
  bool held_back = false;           // a name that we give ourselves: no sender speaks for us
  const KeyTable* table = nullptr;  // the table that was asked last, and its answer
  uint32_t target = 0;
  const DictionaryEntry* entry = nullptr;  // of the dictionary, once it was asked
  uint32_t entry_depth = 0;
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
  BodyName* name = nullptr;        // nullptr: a bare word with a meaning
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
  static constexpr size_t kSlots = 4096;                 // a power of two
  static constexpr size_t kInternedMax = 2 * kPairsMax;  // names of pairs, of objects and of lists
  static_assert(kSlots >= 2 * kInternedMax);
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

namespace body_detail {

template <class Word>
inline uint64_t word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Words of eight bytes, the last of which overlaps the one before; names are short, and are hashed once a pair.
inline uint64_t hash_of(std::string_view text) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
  const char* at = text.data();
  size_t bytes = text.size();
  uint64_t hash = bytes * kOdd;
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 29;
  };
  for (; bytes > 8; at += 8, bytes -= 8) mix(word_at<uint64_t>(at));
  if (text.size() >= 8)
    mix(word_at<uint64_t>(text.data() + text.size() - 8));
  else if (bytes >= 4)
    mix(word_at<uint32_t>(at) | word_at<uint32_t>(at + bytes - 4) << 32);
  else if (bytes > 0)
    mix(static_cast<uint64_t>(static_cast<unsigned char>(at[0])) |
        static_cast<uint64_t>(static_cast<unsigned char>(at[bytes / 2])) << 8 |
        static_cast<uint64_t>(static_cast<unsigned char>(at[bytes - 1])) << 16);
  return hash ^ hash >> 32;
}

// Of names with one hash; a call of memcmp() costs more than the words.
inline bool is_same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const size_t bytes = a.size();
  if (bytes > 32) return a == b;
  if (bytes < 4) return bytes == 0 || (a[0] == b[0] && a[bytes / 2] == b[bytes / 2] && a[bytes - 1] == b[bytes - 1]);
  if (bytes < 8)
    return word_at<uint32_t>(a.data()) == word_at<uint32_t>(b.data()) &&
           word_at<uint32_t>(a.data() + bytes - 4) == word_at<uint32_t>(b.data() + bytes - 4);
  for (size_t at = 0; at + 8 < bytes; at += 8)
    if (word_at<uint64_t>(a.data() + at) != word_at<uint64_t>(b.data() + at)) return false;
  return word_at<uint64_t>(a.data() + bytes - 8) == word_at<uint64_t>(b.data() + bytes - 8);
}

}  // namespace body_detail

// A name of this body keeps its place until the next is read: two that meet there lie side by side.
inline BodyName* BodyPairs::intern(std::string_view path) {
  const uint64_t hash = body_detail::hash_of(path);
  size_t at = hash % kSlots;
  while (names_[at].read == reads_ && (names_[at].hash != hash || !body_detail::is_same(names_[at].path, path)))
    at = (at + 1) % kSlots;
  BodyName& slot = names_[at];
  if (slot.read == reads_) return &slot;
  if (interned_ == kInternedMax) return nullptr;
  ++interned_;
  if (slot.hash != hash || !body_detail::is_same(slot.path, path)) fill(slot, path, hash);
  slot.read = reads_;
  slot.first = kNoPair;
  if (slot.signature != 0) signature_.push_back(slot.signature);
  return &slot;
}

inline void BodyPairs::add(std::string_view path, const BodyPair& pair) {
  if (path.empty()) return;
  auto* name = list_.size() < kPairsMax && path.size() <= kNameBytesMax ? intern(path) : nullptr;
  if (!name) {
    capped_ |= pair.length > 0;
    return;
  }
  if (name->first == kNoPair) name->first = static_cast<uint32_t>(list_.size());
  list_.push_back(pair);
  list_.back().name = name;
}

}  // namespace yushi::parsers
