#include "parsers/body/csv.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace yushi::parsers {
namespace {

constexpr std::string_view kSeparators = ",;|\t^~";

char find_separator(std::string_view text) {
  std::array<size_t, kSeparators.size()> counts{};
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (const auto which = kSeparators.find(c); which != std::string_view::npos) ++counts[which];
  }
  return kSeparators[static_cast<size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin())];
}

}  // namespace

size_t read_csv(std::string_view text, size_t begin, size_t end, const CsvShape& shape, BodyPairs& pairs) {
  pairs.begin(text);
  const char found = shape.separator.empty() ? find_separator(text.substr(begin, end - begin)) : '\0';
  const std::string_view separator =
      shape.separator.empty() ? std::string_view(&found, 1) : std::string_view(shape.separator);
  const auto separates = [&](size_t at) {
    return text.substr(at, separator.size()) == separator && at + separator.size() <= end;
  };
  const auto is_blank = [&](char c) { return (c == ' ' || c == '\t') && separator.find(c) == std::string_view::npos; };
  size_t count = 0;
  for (size_t at = begin;;) {
    if (count == BodyPairs::kPairsMax) {
      pairs.set_capped();
      break;
    }
    size_t from = at;
    while (from < end && is_blank(text[from])) ++from;
    size_t to = from, next = end;
    bool escaped = false, quoted = false;
    if (from < end && text[from] == '"') {
      for (size_t close = from + 1; close < end && !quoted; ++close) {
        if (text[close] != '"') continue;
        if (close + 1 < end && text[close + 1] == '"') {
          escaped = true;
          ++close;
          continue;
        }
        size_t behind = close + 1;
        while (behind < end && is_blank(text[behind])) ++behind;
        if (behind < end && !separates(behind)) break;
        quoted = true;
        ++from;
        to = close;
        next = behind;
      }
    }
    if (!quoted) {
      escaped = false;
      while (to < end && !separates(to)) ++to;
      next = to;
      while (to > from && is_blank(text[to - 1])) --to;
    }
    std::array<char, 24> number;
    std::string_view name;
    if (count < shape.columns.size()) {
      name = shape.columns[count];
    } else {
      constexpr std::string_view kColumn = "column_";
      kColumn.copy(number.data(), kColumn.size());
      const auto last = std::to_chars(number.data() + kColumn.size(), number.data() + number.size(), count + 1).ptr;
      name = {number.data(), static_cast<size_t>(last - number.data())};
    }
    BodyPair pair;
    pair.begin = static_cast<uint32_t>(from);
    pair.length = static_cast<uint32_t>(to - from);
    pair.escape = escaped ? Escape::quotes : Escape::none;
    pairs.add(name, pair);
    ++count;
    if (next >= end) break;
    at = next + separator.size();
  }
  return count;
}

}  // namespace yushi::parsers
