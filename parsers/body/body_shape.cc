#include "parsers/body/body_shape.h"

#include <algorithm>

namespace yushi {
namespace {

constexpr size_t kLeadBytesMax = 256;
constexpr std::string_view kWideColon = "：";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_key_byte(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/' || c == '@'; }

size_t behind_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Nothing, one word, or what ends in a sign that parts.
bool is_lead(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return true;
  if (std::string_view(":;,|]>)}([{").find(text.back()) != std::string_view::npos) return true;
  return std::none_of(text.begin(), text.end(), is_blank);
}

// `CEF:0|`, in the message's lead.
size_t mark_in_lead(std::string_view text, std::string_view mark) {
  const auto at = text.substr(0, kLeadBytesMax).find(mark);
  if (at == std::string_view::npos || (at > 0 && is_letter(text[at - 1]))) return std::string_view::npos;
  const size_t digit = at + mark.size();
  return digit < text.size() && text[digit] >= '0' && text[digit] <= '9' ? at : std::string_view::npos;
}

ShapedBody of_colons(std::string_view text, size_t begin) {
  const auto head = text.substr(0, begin + kLeadBytesMax);
  const auto colon = std::min(head.find(':', begin), head.find(kWideColon, begin));
  if (colon == std::string_view::npos) return {};
  if (text[begin] == '[') return is_letter(text[std::min(begin + 1, text.size() - 1)]) ? ShapedBody{Body::names, begin} : ShapedBody{};
  if (!is_letter(text[begin])) return {};
  // A tag before the list: `fwlog: 日志类型：…`, where the next name follows at once.
  if (text[colon] == ':' && colon + 1 < text.size() && text[colon + 1] == ' ') {
    const size_t next = behind_blanks(text, colon + 1);
    size_t to = next;
    while (to < head.size() && is_key_byte(text[to]) && text.substr(to, kWideColon.size()) != kWideColon) ++to;
    if (to > next && is_letter(text[next]) && (text.substr(to).starts_with(':') || text.substr(to).starts_with(kWideColon)))
      return {Body::names, next};
  }
  return {Body::names, begin};
}

}  // namespace

ShapedBody shape_of(std::string_view text) {
  const size_t begin = behind_blanks(text, 0);
  if (begin == text.size()) return {};
  const auto head = text.substr(0, begin + kLeadBytesMax);
  if (const auto brace = head.find('{'); brace != std::string_view::npos && text.back() == '}') {
    const size_t next = behind_blanks(text, brace + 1);
    if (next < text.size() && (text[next] == '"' || text[next] == '}')) return {Body::json, brace};
  }
  if (const auto at = mark_in_lead(text, "CEF:"); at != std::string_view::npos) return {Body::cef, at};
  if (const auto at = mark_in_lead(text, "LEEF:"); at != std::string_view::npos) return {Body::leef, at};
  if (text[begin] == '<' && begin + 1 < text.size() && (is_letter(text[begin + 1]) || text[begin + 1] == '?') && text.back() == '>')
    return {Body::xml, begin};
  const auto equals = head.find('=', begin);
  if (equals == std::string_view::npos) return of_colons(text, begin);
  // `源IP = 10.0.0.1`: the name ends before the blanks.
  size_t key = equals;
  while (key > begin && text[key - 1] == ' ') --key;
  while (key > begin && is_key_byte(text[key - 1])) --key;
  while (key < equals && !is_letter(text[key])) ++key;
  if (key < equals && is_lead(text.substr(begin, key - begin))) {
    // A list of colons whose value has a `=` in it (a URL) begins with a colon.
    const auto colon = text.substr(begin, key - begin).find(':');
    if (colon != std::string_view::npos && text.substr(begin, key - begin).find_first_of(";,|$[") != std::string_view::npos)
      if (const auto named = of_colons(text, begin); named.form != Body::none) return named;
    return {Body::key_values, key};
  }
  if (const auto named = of_colons(text, begin); named.form != Body::none) return named;
  return {Body::key_values, 0};
}

}  // namespace yushi
