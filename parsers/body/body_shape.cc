#include "parsers/body/body_shape.h"

#include <algorithm>

namespace yushi::parsers {
namespace {

constexpr size_t kLeadBytesMax = 256;
constexpr size_t kTrailBytesMax = 16;
constexpr std::string_view kWideColon = "：";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_key_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/' || c == '@';
}

size_t behind_blanks(std::string_view text, size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Nothing, one word that is no word of a sentence, or what ends in a sign that parts.
bool is_lead(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return true;
  if (std::string_view(":;,|]>)}([{").find(text.back()) != std::string_view::npos) return true;
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::any_of(text.begin(), text.end(), is_blank)) return false;
  return text.find_first_of("_0123456789") != std::string_view::npos ||
         std::all_of(text.begin(), text.end(), is_capital);
}

// `CEF:0|`, in the message's lead.
size_t mark_in_lead(std::string_view text, std::string_view mark) {
  const auto at = text.substr(0, kLeadBytesMax).find(mark);
  if (at == std::string_view::npos || (at > 0 && is_letter(text[at - 1]))) return std::string_view::npos;
  const size_t digit = behind_blanks(text, at + mark.size());
  return digit < text.size() && text[digit] >= '0' && text[digit] <= '9' ? at : std::string_view::npos;
}

// `{"…}`, or a list of objects.
ShapedBody of_json(std::string_view text, size_t begin) {
  size_t close = text.size();
  const size_t trail = close - std::min(close - begin, kTrailBytesMax);
  while (close > trail && text[close - 1] != '}' && text[close - 1] != ']') --close;
  if (close == trail) return {};
  const bool is_list = text[close - 1] == ']';
  const char open = is_list ? '[' : '{';
  const auto head = text.substr(0, begin + kLeadBytesMax);
  for (size_t at = head.find(open, begin); at != std::string_view::npos; at = head.find(open, at + 1)) {
    size_t next = behind_blanks(text, at + 1);
    if (is_list && next < close && text[next] == '{')
      next = behind_blanks(text, next + 1);
    else if (is_list)
      continue;
    if (next + 1 < close && text[next] == '"') return {Body::json, at, close};
  }
  return {};
}

ShapedBody of_colons(std::string_view text, size_t begin) {
  const auto head = text.substr(0, begin + kLeadBytesMax);
  const auto colon = std::min(head.find(':', begin), head.find(kWideColon, begin));
  if (colon == std::string_view::npos) return {};
  if (text[begin] == '[')
    return is_letter(text[std::min(begin + 1, text.size() - 1)]) ? ShapedBody{Body::names, begin, text.size()}
                                                                 : ShapedBody{};
  if (!is_letter(text[begin])) return {};
  // A tag before the list: `fwlog: 日志类型：…`, where the next name follows at once.
  if (text[colon] == ':' && colon + 1 < text.size() && text[colon + 1] == ' ') {
    const size_t next = behind_blanks(text, colon + 1);
    size_t to = next;
    while (to < head.size() && is_key_byte(text[to]) && text.substr(to, kWideColon.size()) != kWideColon) ++to;
    if (to > next && is_letter(text[next]) &&
        (text.substr(to).starts_with(':') || text.substr(to).starts_with(kWideColon)))
      return {Body::names, next, text.size()};
  }
  return {Body::names, begin, text.size()};
}

}  // namespace

ShapedBody shape_of(std::string_view text) {
  size_t begin = behind_blanks(text, 0);
  // A priority that the header did not take for one.
  if (text.substr(begin).starts_with('<'))
    if (const auto to = text.find_first_not_of("0123456789", begin + 1);
        to != std::string_view::npos && to > begin + 1 && text[to] == '>')
      begin = behind_blanks(text, to + 1);
  if (begin >= text.size()) return {};
  const size_t end = text.size();
  if (const auto json = of_json(text, begin); json.form != Body::none) return json;
  if (text.find('|') != std::string_view::npos) {
    if (const auto at = mark_in_lead(text, "CEF:"); at != std::string_view::npos) return {Body::cef, at, end};
    if (const auto at = mark_in_lead(text, "LEEF:"); at != std::string_view::npos) return {Body::leef, at, end};
  }
  if (text[begin] == '<' && begin + 1 < text.size() && (is_letter(text[begin + 1]) || text[begin + 1] == '?') &&
      text.back() == '>')
    return {Body::xml, begin, end};
  const auto equals = text.substr(0, begin + kLeadBytesMax).find('=', begin);
  if (equals == std::string_view::npos) return of_colons(text, begin);
  // `源IP = 10.0.0.1`: the name ends before the blanks.
  size_t key = equals;
  while (key > begin && text[key - 1] == ' ') --key;
  while (key > begin && is_key_byte(text[key - 1])) --key;
  while (key < equals && !is_letter(text[key])) ++key;
  const auto lead = text.substr(begin, key - begin);
  // A list of colons may have a `=` in a value, behind some of its own signs; `tag: a=1` is none.
  const auto last = lead.find_last_not_of(' ');
  const bool is_of_colons =
      last != std::string_view::npos && lead[last] != ':' && lead.find(':') != std::string_view::npos;
  if (key < equals && is_lead(lead) && !(is_of_colons && lead.find_first_of(";,|$") != std::string_view::npos))
    return {Body::key_values, key, end};
  if (const auto named = of_colons(text, begin); named.form != Body::none) return named;
  return {Body::key_values, 0, end};
}

}  // namespace yushi::parsers
