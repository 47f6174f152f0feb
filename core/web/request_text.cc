#include "core/web/request_text.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/base/byte_set.h"
#include "core/base/text.h"
#include "core/base/url_text.h"

namespace yushi {
namespace {

constexpr bool is_one_of(uint8_t byte, std::string_view signs) {
  return signs.find(static_cast<char>(byte)) != signs.npos;
}
constexpr bool is_odd_anywhere(uint8_t byte) { return byte < 0x20 || is_one_of(byte, "'\"<>`\\|${}"); }
constexpr bool is_odd_in_path(uint8_t byte) { return is_odd_anywhere(byte) || is_one_of(byte, "()[]^# "); }
constexpr bool is_odd_in_query(uint8_t byte) { return is_odd_in_path(byte) || is_one_of(byte, ":;+!*"); }
// What is odd in each, and what is by what stands behind it.
constexpr ByteSet kOfPath([](uint8_t byte) { return is_odd_in_path(byte) || is_one_of(byte, "%.?"); });
constexpr ByteSet kOfQuery([](uint8_t byte) { return is_odd_in_query(byte) || is_one_of(byte, "%."); });
constexpr ByteSet kOfHeader([](uint8_t byte) { return is_odd_anywhere(byte) || byte == '%'; });

unsigned hex(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const unsigned letter = static_cast<unsigned>((c | 0x20) - 'a');
  return letter < 6 ? letter + 10 : 16;
}

// The number of `digits_max` digits at most at `at`, of which there must be `digits_min`; `at` moves behind them.
// UINT32_MAX: none.
uint32_t number_at(std::string_view text, size_t& at, size_t digits_min, size_t digits_max, unsigned base) {
  uint32_t value = 0;
  size_t i = at;
  for (; i < text.size() && i - at < digits_max; ++i) {
    const unsigned digit = hex(text[i]);
    if (digit >= base) break;
    value = value * base + digit;
  }
  if (i - at < digits_min) return UINT32_MAX;
  at = i;
  return value;
}

// An escape of the byte or character at `at`, which begins with `%`: what it stands for is written, `at` moves on.
bool percent(std::string_view text, size_t& at, char*& to) {
  size_t i = at + 1;
  if (const auto byte = number_at(text, i, 2, 2, 16); byte != UINT32_MAX) {
    *to++ = static_cast<char>(byte);
  } else if (i < text.size() && (text[i] | 0x20) == 'u') {
    const auto code = number_at(text, ++i, 4, 4, 16);
    if (code == UINT32_MAX) return false;
    to += put_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, to);
  } else {
    return false;
  }
  at = i;
  return true;
}

// `\x27`, `\u0027`, `\u{27}`; `\"` and `\\`, as logs and JSON write them.
bool backslash(std::string_view text, size_t& at, char*& to) {
  if (at + 1 >= text.size()) return false;
  size_t i = at + 2;
  switch (text[at + 1]) {
    case 'x':
    case 'X': {
      const auto byte = number_at(text, i, 2, 2, 16);
      if (byte == UINT32_MAX) return false;
      *to++ = static_cast<char>(byte);
      break;
    }
    case 'u':
    case 'U': {
      const bool braced = i < text.size() && text[i] == '{';
      const auto code = braced ? number_at(text, ++i, 1, 6, 16) : number_at(text, i, 4, 4, 16);
      if (code == UINT32_MAX || code > 0x10ffff || (braced && (i >= text.size() || text[i++] != '}'))) return false;
      to += put_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, to);
      break;
    }
    case '"':
      *to++ = '"';
      break;
    default:
      return false;
  }
  at = i;
  return true;
}

// `&lt;`, `&#60;`, `&#x3c;`, also without the `;`.
bool entity(std::string_view text, size_t& at, char*& to) {
  size_t i = at + 1;
  if (i < text.size() && text[i] == '#') {
    const bool is_hex = ++i < text.size() && (text[i] | 0x20) == 'x';
    const auto code = is_hex ? number_at(text, ++i, 1, 7, 16) : number_at(text, i, 1, 7, 10);
    if (code == UINT32_MAX || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    to += put_utf8(code, to);
  } else {
    static constexpr std::pair<std::string_view, char> kNames[] = {
        {"lt;", '<'},       {"gt;", '>'},     {"quot;", '"'},   {"apos;", '\''}, {"amp;", '&'},
        {"lpar;", '('},     {"rpar;", ')'},   {"colon;", ':'},  {"sol;", '/'},   {"tab;", '\t'},
        {"newline;", '\n'}, {"equals;", '='}, {"semi;", ';'},   {"comma;", ','}, {"grave;", '`'},
        {"period;", '.'},   {"lbrace;", '{'}, {"rbrace;", '}'}, {"dollar;", '$'}};
    const auto rest = text.substr(i);
    for (auto& [name, sign] : kNames) {
      bool same = rest.size() >= name.size();
      for (size_t k = 0; same && k < name.size(); ++k) same = (rest[k] | 0x20) == (name[k] | 0x20);
      if (!same) continue;
      *to++ = sign;
      at = i + name.size();
      return true;
    }
    return false;
  }
  if (i < text.size() && text[i] == ';') ++i;
  at = i;
  return true;
}

// One round, in place: no escape is shorter than what it stands for.
size_t undo_escapes(std::string_view text, bool plus, char* out) {
  char* to = out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if ((c == '%' && percent(text, at, to)) || (c == '\\' && backslash(text, at, to)) ||
        (c == '&' && entity(text, at, to)))
      continue;
    *to++ = c == '+' && plus ? ' ' : c;
    ++at;
  }
  return static_cast<size_t>(to - out);
}

// Full-width signs and the letter that is taken for a quote as ASCII. Chinese punctuation stays, people write it.
uint32_t as_ascii(uint32_t code) {
  if (code == 0x2bc) return '\'';
  if (code < 0xff02 || code > 0xff5e) return code;
  for (uint32_t usual : {0xff08u, 0xff09u, 0xff0cu, 0xff1au, 0xff1bu, 0xff1fu})  // （ ） ， ： ； ？
    if (code == usual) return code;
  return code - 0xff00 + 0x20;
}

// In place.
size_t narrow(std::string_view text, char* out) {
  char* to = out;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte != 0xef && byte != 0xca) {
      *to++ = text[at++];
      continue;
    }
    const auto point = decode_utf8(text, at);
    at += point.length;
    to += put_utf8(as_ascii(point.code), to);
  }
  return static_cast<size_t>(to - out);
}

// The bytes of a blank or control at `at`; 0: none.
size_t blank_bytes(std::string_view text, size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte <= 0x20 || byte == 0x7f) return 1;
  const auto is = [&](std::string_view blank) { return text.substr(at, blank.size()) == blank; };
  if (byte == 0xc2 && (is("\xc2\xa0") || is("\xc2\x85"))) return 2;
  return byte == 0xe3 && is("\xe3\x80\x80") ? 3 : 0;
}

}  // namespace

bool is_odd_target(std::string_view target, bool in_query) {
  const auto next = [&](size_t from) { return (in_query ? kOfQuery : kOfPath).find(target, from); };
  for (size_t i = next(0); i < target.size(); i = next(i + 1)) {
    const char c = target[i];
    if (c == '?') {
      in_query = true;
    } else if (c == '.') {
      if (target.substr(i + 1).starts_with('.')) return true;
    } else if (c != '%') {
      return true;
    } else if (i + 1 < target.size()) {
      // Letters of other languages are written so by browsers. Of their bytes C0, C1 and A0, a blank to MySQL, EF of
      // full-width letters and CA of a letter like a quote are used to hide what is meant.
      const unsigned high = hex(target[i + 1]), low = i + 2 < target.size() ? hex(target[i + 2]) : 16;
      if (high < 8 || high > 15 || low > 15) return true;
      const unsigned byte = high * 16 + low;
      if (byte == 0xa0 || byte == 0xc0 || byte == 0xc1 || byte == 0xef || byte == 0xca || byte >= 0xf8) return true;
      i += 2;
    }
  }
  return false;
}

bool is_odd_header(std::string_view header) {
  for (size_t i = kOfHeader.find(header); i < header.size(); i = kOfHeader.find(header, i + 1)) {
    if (header[i] != '%') return true;
    if (i + 2 < header.size() && hex(header[i + 1]) < 8 && hex(header[i + 2]) < 16) return true;
  }
  return false;
}

size_t decode_request(std::string_view text, bool plus, char* out) {
  size_t size = text.copy(out, text.size());
  for (int round = 0; round < kDecodeRounds; ++round) {
    const size_t now = undo_escapes({out, size}, plus && round == 0, out);
    if (now == size && round > 0) break;
    size = now;
  }
  bool ascii = true;
  for (size_t i = 0; i < size; ++i) ascii &= static_cast<unsigned char>(out[i]) < 0x80;
  if (ascii) return size;
  size = mend_utf8(out, size, request_bytes_max(text.size()));
  return narrow({out, size}, out);
}

size_t plain_request(std::string_view decoded, char* out) {
  char* to = out;
  bool runs = false;  // in a comment that MySQL runs
  // Behind the last end of a comment none begins.
  const size_t last_end = decoded.rfind("*/");
  const auto blank = [&] {
    if (to == out || to[-1] != ' ') *to++ = ' ';
  };
  for (size_t at = 0; at < decoded.size();) {
    const char c = decoded[at];
    if (const auto bytes = blank_bytes(decoded, at)) {
      blank();
      at += bytes;
    } else if (c == '/' && decoded.substr(at, 3) == "/*!") {
      runs = true;
      blank();
      for (at += 3; at < decoded.size() && decoded[at] >= '0' && decoded[at] <= '9';) ++at;
    } else if (runs && c == '*' && decoded.substr(at, 2) == "*/") {
      runs = false;
      blank();
      at += 2;
    } else if (c == '/' && last_end != decoded.npos && at + 2 <= last_end && decoded[at + 1] == '*') {
      blank();
      at = decoded.find("*/", at + 2) + 2;
    } else {
      *to++ = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      ++at;
    }
  }
  return static_cast<size_t>(to - out);
}

}  // namespace yushi
