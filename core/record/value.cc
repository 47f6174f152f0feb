#include "core/record/value.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/base/text.h"

namespace yushi {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The four digits at `at`, -1 when they are not there.
int hex4(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

// What is decoded is never longer than its text: \uXXXX is six bytes for at most three, a pair twelve for four.
std::string_view decode_json(std::string_view text, Scratch& scratch) {
  if (!std::memchr(text.data(), '\\', text.size())) return text;
  char* begin = scratch.allocate(text.size());
  char* out = begin;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *out++ = text[i];
      continue;
    }
    char c = text[++i];
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *out++ = c;
        break;
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        int unit = hex4(text, i + 1);
        if (unit < 0) {
          *out++ = '\\';
          *out++ = 'u';
          break;
        }
        i += 4;
        auto code = static_cast<uint32_t>(unit);
        if (unit >= 0xd800 && unit < 0xe000) {
          int low = unit < 0xdc00 && i + 2 < text.size() && text[i + 1] == '\\' && text[i + 2] == 'u'
                        ? hex4(text, i + 3)
                        : -1;
          if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<uint32_t>(low) - 0xdc00);
            i += 6;
          } else {
            code = 0xfffd;
          }
        }
        out += put_utf8(code, out);
        break;
      }
      default:
        *out++ = '\\';
        *out++ = c;
    }
  }
  return {begin, static_cast<size_t>(out - begin)};
}

std::string_view decode_structured_data(std::string_view text, Scratch& scratch) {
  if (!std::memchr(text.data(), '\\', text.size())) return text;
  char* begin = scratch.allocate(text.size());
  char* out = begin;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\' || text[i + 1] == ']'))
      ++i;
    *out++ = text[i];
  }
  return {begin, static_cast<size_t>(out - begin)};
}

std::string_view decode_hex(std::string_view text, Scratch& scratch) {
  if (text.size() % 2) return text;
  char* begin = scratch.allocate(text.size() / 2);
  char* out = begin;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return text;
    *out++ = static_cast<char>(high << 4 | low);
  }
  while (out > begin && out[-1] == '\0') --out;
  std::replace(begin, out, '\0', ' ');
  return {begin, static_cast<size_t>(out - begin)};
}

std::string_view decode_lower(std::string_view text, Scratch& scratch) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::none_of(text.begin(), text.end(), is_upper)) return text;
  char* out = scratch.allocate(text.size());
  std::transform(text.begin(), text.end(), out, [&](char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; });
  return {out, text.size()};
}

std::string_view decode_backslash(std::string_view text, Scratch& scratch) {
  if (!std::memchr(text.data(), '\\', text.size())) return text;
  char* begin = scratch.allocate(text.size());
  char* out = begin;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      *out++ = text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case '=':
      case '|':
      case '\\':
      case '"':
      case '\'':
        *out++ = c;
        break;
      default:
        *out++ = '\\';
        *out++ = c;
    }
  }
  return {begin, static_cast<size_t>(out - begin)};
}

std::string_view decode_quotes(std::string_view text, Scratch& scratch) {
  if (!std::memchr(text.data(), '"', text.size())) return text;
  char* begin = scratch.allocate(text.size());
  char* out = begin;
  for (size_t i = 0; i < text.size(); ++i) {
    *out++ = text[i];
    if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') ++i;
  }
  return {begin, static_cast<size_t>(out - begin)};
}

// The five names of XML and characters by number; any other `&` is text. An entity is longer than what it stands for.
std::string_view decode_xml(std::string_view text, Scratch& scratch) {
  if (!std::memchr(text.data(), '&', text.size())) return text;
  static constexpr std::pair<std::string_view, char> kNames[] = {
      {"lt;", '<'}, {"gt;", '>'}, {"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}};
  char* begin = scratch.allocate(text.size());
  char* out = begin;
  for (size_t i = 0; i < text.size(); ++i) {
    *out++ = text[i];
    if (text[i] != '&') continue;
    const auto rest = text.substr(i + 1);
    if (rest.starts_with('#')) {
      const bool is_hex = rest.size() > 1 && rest[1] == 'x';
      const char* from = rest.data() + (is_hex ? 2 : 1);
      uint32_t code = 0;
      const auto [end, error] = std::from_chars(from, rest.data() + rest.size(), code, is_hex ? 16 : 10);
      const auto used = static_cast<size_t>(end - rest.data());
      if (error != std::errc() || used >= rest.size() || *end != ';' || code == 0 || code > 0x10ffff ||
          (code >= 0xd800 && code < 0xe000))
        continue;
      --out;
      out += put_utf8(code, out);
      i += used + 1;
      continue;
    }
    for (auto& [name, c] : kNames)
      if (rest.starts_with(name)) {
        out[-1] = c;
        i += name.size();
        break;
      }
  }
  return {begin, static_cast<size_t>(out - begin)};
}

bool read_integer(std::string_view text, int64_t* value) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return false;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_real(std::string_view text, double* value) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return false;
  }
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*value);  // JSON has no NaN
}

bool equal_ascii_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

bool read_boolean(std::string_view text, int64_t* value) {
  if (text == "1" || equal_ascii_case(text, "true") || equal_ascii_case(text, "yes")) return *value = 1, true;
  if (text == "0" || equal_ascii_case(text, "false") || equal_ascii_case(text, "no")) return *value = 0, true;
  return false;
}

}  // namespace

std::string_view decode_escape(std::string_view text, Escape escape, Scratch& scratch) {
  if (escape == Escape::none || text.empty()) [[likely]]
    return text;
  switch (escape) {
    case Escape::json:
      return decode_json(text, scratch);
    case Escape::structured_data:
      return decode_structured_data(text, scratch);
    case Escape::hex:
      return decode_hex(text, scratch);
    case Escape::lower:
      return decode_lower(text, scratch);
    case Escape::backslash:
      return decode_backslash(text, scratch);
    case Escape::quotes:
      return decode_quotes(text, scratch);
    case Escape::xml:
      return decode_xml(text, scratch);
    default:
      return text;
  }
}

bool read_value(std::string_view text, FieldType type, Value* value) {
  value->text = text;
  switch (type) {
    case FieldType::integer:
      value->type = Value::Type::integer;
      return read_integer(text, &value->integer);
    case FieldType::real:
      value->type = Value::Type::real;
      return read_real(text, &value->real);
    case FieldType::boolean:
      value->type = Value::Type::boolean;
      return read_boolean(text, &value->integer);
    case FieldType::ip:
      value->type = Value::Type::ip;
      return parse_ip(text, &value->address);
    case FieldType::keyword:
    case FieldType::text:
    case FieldType::date:
      break;
  }
  value->type = Value::Type::string;
  return true;
}

bool parse_ip(std::string_view text, std::array<uint8_t, 16>* address) {
  // IPv4 by hand: most addresses are, and each filter on source.ip comes by here.
  uint32_t part = 0;
  int digits = 0, parts = 0;
  uint8_t bytes[4] = {};
  for (char c : text) {
    if (c >= '0' && c <= '9') {
      if (digits && part == 0) digits = 4;  // 010.0.0.1: octal or decimal? nobody knows
      part = part * 10 + static_cast<uint32_t>(c - '0');
      if (++digits > 3 || part > 255) break;  // no IPv4; may be IPv6
    } else if (c == '.' && digits && parts < 3) {
      bytes[parts++] = static_cast<uint8_t>(part);
      part = 0;
      digits = 0;
    } else {
      digits = 4;
      break;
    }
  }
  if (parts == 3 && digits >= 1 && digits <= 3 && part <= 255) {
    bytes[3] = static_cast<uint8_t>(part);
    address->fill(0);
    (*address)[10] = (*address)[11] = 0xff;
    std::copy(bytes, bytes + 4, address->begin() + 12);
    return true;
  }
  if (text.size() < 2 || text.size() > 45 || !std::memchr(text.data(), ':', text.size())) return false;
  if (std::memchr(text.data(), '\0', text.size())) return false;  // inet_pton would stop there
  char terminated[46];
  *std::copy(text.begin(), text.end(), terminated) = '\0';
  return inet_pton(AF_INET6, terminated, address->data()) == 1;
}

size_t format_ip(const std::array<uint8_t, 16>& address, char* out) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  char* at = out;
  if (std::equal(kMapped, kMapped + 12, address.begin())) {
    for (size_t i = 12; i < 16; ++i) {
      if (i > 12) *at++ = '.';
      at = std::to_chars(at, at + 3, address[i]).ptr;
    }
    return static_cast<size_t>(at - out);
  }
  uint32_t groups[8];
  for (size_t i = 0; i < 8; ++i) groups[i] = static_cast<uint32_t>(address[2 * i]) << 8 | address[2 * i + 1];
  // `::` stands for the longest run of zeros, the first of equal ones, and never for a single group.
  size_t gap = 8, gap_groups = 1;
  for (size_t i = 0; i < 8; ++i) {
    size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_groups) gap = i, gap_groups = end - i;
  }
  for (size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      *at++ = ':';
      if (i + gap_groups == 8) *at++ = ':';
      i += gap_groups - 1;
      continue;
    }
    if (i > 0) *at++ = ':';
    at = std::to_chars(at, at + 4, groups[i], 16).ptr;
  }
  return static_cast<size_t>(at - out);
}

}  // namespace yushi
