#include "parsers/key_values.h"

#include <array>
#include <functional>

#include "parsers/address.h"

namespace yushi {
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

bool is_hex(std::string_view text) {
  if (text.empty() || text.size() % 2 != 0) return false;
  for (char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'))) return false;
  return true;
}

struct Span {
  size_t begin, end, next;
  bool quoted = false, escaped = false;
};

// Did this name stand before in the message? `key` is a part of `text`.
bool is_second(KeyCounts& counts, std::string_view text, std::string_view key) {
  const KeyCounts::Seen now{counts.now, static_cast<uint32_t>(key.data() - text.data()), static_cast<uint32_t>(key.size())};
  const auto is_same = [&](const KeyCounts::Seen& seen) {
    return seen.length == now.length && text.substr(seen.begin, seen.length) == key;
  };
  for (size_t i = 0; i < counts.first_count; ++i)
    if (is_same(counts.first[i])) return true;
  if (counts.first_count < counts.first.size()) {
    counts.first[counts.first_count++] = now;
    return false;
  }
  const size_t mask = counts.more.size() - 1;
  for (size_t at = std::hash<std::string_view>()(key) & mask;; at = (at + 1) & mask) {
    auto& seen = counts.more[at];
    if (seen.stamp != counts.now) {
      seen = now;
      return false;
    }
    if (is_same(seen)) return true;
  }
}

// `escapes`: a backslash between double quotes takes the next sign's meaning away.
Span value_at(std::string_view text, size_t at, size_t end, bool nested, bool escapes) {
  if (at < end && text[at] == '"') {
    bool escaped = false;
    for (size_t to = at + 1; to < end; ++to) {
      if (text[to] == '"') return {at + 1, to, to + 1, true, escaped};
      if (escapes && text[to] == '\\' && to + 1 < end) {
        escaped = true;
        ++to;
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

size_t read_key_values(std::string_view text, size_t begin, size_t end, const KeyTable& keys, KeyCounts& counts,
                       Arena& arena, std::vector<Capture>& captures) {
  auto& targets = keys.targets();
  if (counts.stamp.size() < targets.size()) {
    counts.stamp.resize(targets.size(), 0);
    counts.count.resize(targets.size(), 0);
  }
  if (++counts.now == 0) {  // once in 4 billion messages
    std::fill(counts.stamp.begin(), counts.stamp.end(), 0);
    std::fill(counts.more.begin(), counts.more.end(), KeyCounts::Seen());
    counts.now = 1;
  }
  counts.first_count = 0;
  auto add = [&](size_t from, size_t to, Escape escape, const Field* field) {
    captures.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to - from), static_cast<uint32_t>(escape), field});
  };

  size_t pairs = 0;
  bool nested = false;  // inside auditd's msg='…'
  for (size_t at = begin; at < end;) {
    size_t equals;
    if (!key_at(text, at, end, &equals)) {
      // Not a pair: on to the end of this word, and to what may begin a key after it.
      size_t word = at;
      while (at < end && !(of(text[at]) & kBefore)) ++at;
      if (keys.has_words() && at > word)
        if (auto* field = keys.word(text.substr(word, at - word))) add(word, at, Escape::none, field);
      while (at < end && (of(text[at]) & kBefore)) ++at;
      continue;
    }
    if (pairs == kPairsMax) {
      counts.capped = true;
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
    at = value.next;
    while (at < end && (of(text[at]) & kBefore)) ++at;
    ++pairs;
    auto inner = text.substr(value.begin, value.end - value.begin);
    if (inner.empty() || (!value.quoted && keys.is_null(inner))) continue;

    const Field* field;
    bool is_address = false;
    auto escape = value.escaped ? Escape::json : Escape::none;
    auto found = keys.find(key);
    if (found == KeyTable::kNotFound) {
      if (is_second(counts, text, key)) continue;
      char* name = arena.allocate(keys.prefix().size() + key.size(), 1);
      std::memcpy(name, keys.prefix().data(), keys.prefix().size());
      std::memcpy(name + keys.prefix().size(), key.data(), key.size());
      field = arena.make(Field{{name, keys.prefix().size() + key.size()}, FieldType::keyword, kDynamicField, false});
    } else {
      auto& target = targets[found];
      if (counts.stamp[found] != counts.now) {
        counts.stamp[found] = counts.now;
        counts.count[found] = 0;
      }
      size_t nth = target.repeats ? 0 : counts.count[found];
      if (counts.count[found] < 255) ++counts.count[found];
      if (nth >= target.fields.size() || (value.quoted && inner == target.quoted_null)) continue;
      field = target.fields[nth];
      is_address = target.has_address && field->type == FieldType::ip;
      if (target.hex && !value.quoted && is_hex(inner)) escape = Escape::hex;
    }
    add(value.begin, value.end, escape, field);
    if (is_address) settle_address(inner, captures.back());
  }
  return pairs;
}

}  // namespace yushi
