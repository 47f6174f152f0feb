#include "parsers/body/cef.h"

#include <array>

#include "parsers/body/pair_list.h"

namespace yushi::parsers {
namespace {

constexpr std::string_view kCefNames[] = {"cef.version", "cef.vendor", "cef.product", "cef.product_version",
                                          "cef.class",   "cef.name",   "cef.severity"};
constexpr std::string_view kLeefNames[] = {"leef.version", "leef.vendor", "leef.product", "leef.product_version",
                                           "leef.event_id"};
constexpr size_t kKeyBytesMax = 128;

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '[' || c == ']' || static_cast<unsigned char>(c) >= 0x80;
}

size_t behind_blanks(std::string_view text, size_t at, size_t end) {
  while (at < end && text[at] == ' ') ++at;
  return at;
}

void add(BodyPairs& pairs, std::string_view path, size_t begin, size_t end, bool escaped, size_t name_begin = 0,
         size_t name_length = 0) {
  BodyPair pair;
  pair.begin = static_cast<uint32_t>(begin);
  pair.length = static_cast<uint32_t>(end - begin);
  pair.name_begin = static_cast<uint32_t>(name_begin);
  pair.name_length = static_cast<uint32_t>(name_length);
  pair.escape = escaped ? Escape::backslash : Escape::none;
  pairs.add(path, pair);
}

// The parts between bars. The last of CEF may end with the text; false when there are too few.
bool read_header(std::string_view text, size_t* at, size_t end, std::span<const std::string_view> names, bool may_end,
                 BodyPairs& pairs) {
  for (size_t i = 0; i < names.size(); ++i) {
    bool escaped = false;
    size_t to = *at;
    for (; to < end && text[to] != '|'; ++to)
      if (text[to] == '\\' && to + 1 < end && (text[to + 1] == '|' || text[to + 1] == '\\')) {
        escaped = true;
        ++to;
      }
    const bool is_last = i + 1 == names.size();
    if (to >= end && (!is_last || !may_end)) return false;
    to = std::min(to, end);
    size_t from = behind_blanks(text, *at, to), last = to;
    while (last > from && text[last - 1] == ' ') --last;
    add(pairs, names[i], from, last, escaped);
    *at = to < end ? to + 1 : end;
  }
  return true;
}

// ` key=` at `at`, which is behind the blank: where the `=` stands, or 0.
size_t key_end(std::string_view text, size_t at, size_t end) {
  size_t to = at;
  const size_t limit = std::min(end, at + kKeyBytesMax);
  while (to < limit && is_key_byte(text[to])) ++to;
  return to > at && to < limit && text[to] == '=' ? to : 0;
}

}  // namespace

bool read_cef(std::string_view text, size_t begin, size_t end, BodyPairs& pairs) {
  pairs.begin(text);
  constexpr std::string_view kMark = "CEF:";
  if (!text.substr(begin, end - begin).starts_with(kMark)) return false;
  size_t at = begin + kMark.size();
  if (!read_header(text, &at, end, kCefNames, true, pairs)) {
    pairs.fail();
    return false;
  }
  at = behind_blanks(text, at, end);
  while (at < end) {
    size_t equals = key_end(text, at, end);
    if (equals == 0) {  // no pair: on to the next blank
      while (at < end && text[at] != ' ') ++at;
      at = behind_blanks(text, at, end);
      continue;
    }
    bool escaped = false;
    size_t to = equals + 1, next = end;
    for (; to < end; ++to) {
      if (text[to] == '\\' && to + 1 < end) {
        escaped |= text[to + 1] == '=' || text[to + 1] == '|' || text[to + 1] == '\\' || text[to + 1] == 'n' ||
                   text[to + 1] == 'r';
        ++to;
        continue;
      }
      if (text[to] != ' ' && text[to] != '\t') continue;
      size_t behind = to;
      while (behind < end && (text[behind] == ' ' || text[behind] == '\t')) ++behind;
      if (key_end(text, behind, end) != 0) {
        next = behind;
        break;
      }
    }
    to = std::min(to, end);
    const size_t from = std::min(behind_blanks(text, equals + 1, to), to);
    while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\t')) --to;
    add(pairs, text.substr(at, equals - at), from, to, escaped, at, equals - at);
    at = next;
  }
  return true;
}

bool read_leef(std::string_view text, size_t begin, size_t end, BodyPairs& pairs) {
  pairs.begin(text);
  constexpr std::string_view kMark = "LEEF:";
  if (!text.substr(begin, end - begin).starts_with(kMark)) return false;
  size_t at = begin + kMark.size();
  const bool is_second = text.substr(at, end - at).starts_with("2");
  if (!read_header(text, &at, end, kLeefNames, false, pairs)) {
    pairs.fail();
    return false;
  }
  char between = '\t';
  if (is_second)
    if (const size_t bar = text.substr(0, std::min(end, at + 6)).find('|', at); bar != std::string_view::npos) {
      auto named = text.substr(at, bar - at);
      if (named.size() == 1) {
        between = named[0];
      } else if (const auto x = named.find_first_of("xX"); x <= 1) {
        int code = 0;
        for (char c : named.substr(x + 1)) {
          const int digit = c >= '0' && c <= '9'                     ? c - '0'
                            : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                     : 0;
          code = code * 16 + digit;
        }
        if (code > 0 && code < 0x80) between = static_cast<char>(code);
      }
      at = bar + 1;
    }
  if (text.substr(at, end - at).find(between) == std::string_view::npos) between = ' ';
  while (at < end) {
    const size_t equals = key_end(text, at, end);
    size_t to = at, next = end;
    for (; to < end; ++to) {
      if (text[to] != between) continue;
      size_t behind = to + 1;
      while (behind < end && (text[behind] == between || text[behind] == ' ')) ++behind;
      if (between == ' ' && behind < end && key_end(text, behind, end) == 0) continue;
      next = behind;
      break;
    }
    if (equals != 0 && equals < to) {
      size_t last = to;
      while (last > equals + 1 && text[last - 1] == ' ') --last;
      add(pairs, text.substr(at, equals - at), std::min(behind_blanks(text, equals + 1, last), last), last, false, at,
          equals - at);
    }
    at = next;
  }
  return true;
}

}  // namespace yushi::parsers
