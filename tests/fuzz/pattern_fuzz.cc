// A pattern and a text: our matcher says what RE2 says, what it takes RE2 takes, and the filter misses none
// that matches. The input is lines: all but the last are patterns, the last is the text. A first byte below 0x20 has
// the patterns made from pieces, a byte a piece, so that most of them are patterns.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "parsers/decoded_text.h"
#include "parsers/pattern/pattern.h"
#include "parsers/pattern/pattern_filter.h"

namespace {

constexpr std::string_view kPieces[] = {"a",    "b",     "k",      "s",     " ",   "=",    "\n",  "中",  "é",   ".",
                                        "[ab]", "[^a]",  "[^ ]",   "[a-z]", "\\S", "\\w",  "\\d", "\\b", "\\B", "(",
                                        ")",    "(?:",   "(?i:",   "(?i)",  "|",   "*",    "+",   "?",   "*?",  "+?",
                                        "{2}",  "{1,3}", "{0,2}?", "ab",    "0",   "abcd", " kab"};

std::string from_pieces(std::string_view bytes) {
  std::string out;
  for (char c : bytes) out += kPieces[static_cast<unsigned char>(c) % std::size(kPieces)];
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  std::string_view input(reinterpret_cast<const char*>(data), std::min<size_t>(size, 2000));
  const bool in_pieces = !input.empty() && static_cast<unsigned char>(input[0]) < 0x20;
  if (in_pieces) input.remove_prefix(1);
  std::vector<parsers::Pattern> patterns;
  std::vector<std::vector<parsers::RegexNode>> trees;
  for (size_t end; patterns.size() < 8 && (end = input.find('\n')) != input.npos; input.remove_prefix(end + 1)) {
    const auto line = input.substr(0, end);
    trees.emplace_back();
    auto pattern = parsers::Pattern::compile(in_pieces ? from_pieces(line) : std::string(line), &trees.back());
    if (!pattern) {
      trees.pop_back();
      continue;
    }
    YUSHI_ASSERT(pattern->re2_problem().empty(), "RE2 does not take %s", pattern->regex().c_str());
    patterns.push_back(std::move(*pattern));
  }
  const auto text = in_pieces ? from_pieces(input) : std::string(input);
  if (!is_utf8(text)) return 0;
  parsers::PatternFilter::Found found;
  parsers::PatternFilter({trees.begin(), trees.end()}).search(text, found);
  parsers::MatchStack stack;
  uint32_t ours[2 * parsers::Pattern::kGroupsMax], theirs[2 * parsers::Pattern::kGroupsMax];
  for (size_t i = 0; i < patterns.size(); ++i) {
    const auto& pattern = patterns[i];
    const bool here = pattern.match(text, ours, stack), there = pattern.match_by_re2(text, theirs);
    YUSHI_ASSERT(here == there, "pattern %s text %s", pattern.regex().c_str(), text.c_str());
    if (!there) continue;
    YUSHI_ASSERT(std::equal(ours, ours + 2 * pattern.groups(), theirs), "groups of %s in %s", pattern.regex().c_str(),
                 text.c_str());
    YUSHI_ASSERT(found.may_match(static_cast<uint16_t>(i)), "no candidate: %s in %s", pattern.regex().c_str(),
                 text.c_str());
  }
  return 0;
}
