#include "parsers/body/key_values.h"

#include <array>

#include "parsers/file/key_table.h"

namespace yushi::parsers {
namespace {

enum : uint8_t { kKeyFirst = 1, kKeyByte = 2, kBefore = 4, kBlank = 8 };

constexpr auto kBytes = [] {
  std::array<uint8_t, 256> out{};
  for (int c = 0; c < 256; ++c) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter) out[c] |= kKeyFirst;
    if (letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/' || c == '@') out[c] |= kKeyByte;
  }
  for (unsigned char c : {' ', '\t', '\n', '\r', '\x1d'}) out[c] |= kBefore | kBlank;  // 1d: auditd's enriched part
  for (unsigned char c : {',', ';', '|', '(', '[', '{', '\'', ']', ')'}) out[c] |= kBefore;
  return out;
}();

uint8_t of(char c) { return kBytes[static_cast<unsigned char>(c)]; }

constexpr size_t kKeyBytesMax = 128;

// Is `at` the first byte of a `key=`?
bool key_at(std::string_view text, size_t at, size_t end, size_t* equals) {
  if (at >= end || !(of(text[at]) & kKeyFirst)) return false;
  size_t to = at + 1;
  size_t limit = end < at + kKeyBytesMax ? end : at + kKeyBytesMax;
  while (to < limit && (of(text[to]) & kKeyByte)) ++to;
  if (to < limit && text[to] == '[') {
    const size_t open = to++;
    while (to < limit && text[to] >= '0' && text[to] <= '9') ++to;
    if (to == open + 1 || to == limit || text[to++] != ']') return false;
  }
  *equals = to;
  return to < limit && text[to] == '=';
}

struct Span {
  size_t begin, end, next;
  bool quoted = false, escaped = false;
};

// `escapes`: a backslash between double quotes takes the next sign's meaning away.
Span value_at(std::string_view text, size_t at, size_t end, bool nested, bool escapes) {
  if (at < end && text[at] == '"') {
    bool escaped = false;
    for (size_t to = at + 1; to < end; ++to) {
      if (text[to] == '"') return {at + 1, to, to + 1, true, escaped};
      if (escapes && text[to] == '\\' && to + 1 < end) {
        escaped |= text[++to] == '"' || text[to] == '\\';
      }
    }
  } else if (at < end && text[at] == '\'' && !nested) {
    auto to = text.substr(0, end).find('\'', at + 1);
    if (to != std::string_view::npos) return {at + 1, to, to + 1, true, false};
  }
  size_t to = at;
  for (; to < end; ++to) {
    char c = text[to];
    if (of(c) & kBlank) break;
    if (nested && c == '\'') break;
    if (c == ',' || c == ';' || c == '|') {
      size_t equals;
      if (to + 1 == end || (of(text[to + 1]) & kBlank) || key_at(text, to + 1, end, &equals)) break;
    }
    // `(uid=0)`, `[id=5]`: the closing bracket is not of the value, unless it was opened there.
    if ((c == ')' || c == ']' || c == '}') && (to + 1 == end || (of(text[to + 1]) & kBefore))) {
      char open = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (text.substr(at, to - at).find(open) == std::string_view::npos) break;
    }
  }
  return {at, to, to, false, false};
}

}  // namespace

size_t read_key_values(std::string_view text, size_t begin, size_t end, const KeyTable& keys, BodyPairs& pairs) {
  pairs.begin(text);
  size_t count = 0;
  bool nested = false;  // inside auditd's msg='…'
  for (size_t at = begin; at < end;) {
    size_t equals;
    if (!key_at(text, at, end, &equals)) {
      // Not a pair: on to the end of this word, and to what may begin a key after it.
      size_t word = at;
      while (at < end && !(of(text[at]) & kBefore)) ++at;
      if (keys.has_words() && at > word && keys.word(text.substr(word, at - word))) pairs.add_word(word, at);
      while (at < end && (of(text[at]) & kBefore)) ++at;
      continue;
    }
    if (count == BodyPairs::kPairsMax) {
      pairs.set_capped();
      break;
    }
    auto key = text.substr(at, equals - at);
    if (key == "msg" && equals + 1 < end && text[equals + 1] == '\'' && !nested) {
      nested = true;
      at = equals + 2;
      while (at < end && (of(text[at]) & kBefore)) ++at;
      continue;
    }
    auto value = value_at(text, equals + 1, end, nested, !keys.has_hex());
    BodyPair pair;
    pair.begin = static_cast<uint32_t>(value.begin);
    pair.length = static_cast<uint32_t>(value.end - value.begin);
    pair.name_begin = static_cast<uint32_t>(at);
    pair.name_length = static_cast<uint32_t>(key.size());
    pair.escape = value.escaped ? Escape::json : Escape::none;
    pair.quoted = value.quoted;
    pairs.add(key, pair);
    at = value.next;
    while (at < end && (of(text[at]) & kBefore)) ++at;
    ++count;
  }
  return count;
}

}  // namespace yushi::parsers
