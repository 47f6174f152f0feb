// Patterns and texts for the tests that compare our matcher with RE2.
#pragma once

#include <random>
#include <string>

namespace yushi::parsers {

// Patterns and texts from a seed, over a small alphabet so that they meet often.
class PatternGenerator {
 public:
  explicit PatternGenerator(uint32_t seed) : random_(seed) {}

  std::string pattern(int depth = 0) {
    std::string out;
    int parts = pick(1, 4);
    for (int i = 0; i < parts; ++i) out += part(depth);
    return out;
  }

  std::string text() {
    static const char* kPieces[] = {"a", "b",  " ", "c",      "ab", "\xc3\xa9", "\xe4\xb8\xad", "\n",
                                    "=", "aa", "A", "\u017f", "_",  "bcab",     "a=b c"};
    std::string out;
    for (int i = pick(0, 12); i > 0; --i) out += kPieces[pick(0, 14)];
    return out;
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  std::string part(int depth) {
    static const char* kAtoms[] = {"a",      "b",          " ",      "c",        "[ab]", "[^a]",     "[^ ]", ".",
                                   "\\S",    "\\w",        "ab",     "[^ab=]",   "=",    "\xc3\xa9", "\\b",  "\\B",
                                   "(?i:a)", "(?i:[a-z])", "(?i:s)", "(?i:\\w)", "bcab", "a=b c"};
    static const char* kQuantifiers[] = {"", "", "", "*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}", "{0,3}?"};
    if (depth < 3 && pick(0, 3) == 0) {
      std::string inner = pattern(depth + 1);
      for (int i = pick(0, 2); i > 0; --i) inner += "|" + pattern(depth + 1);
      if (captures_left_ > 0 && pick(0, 1) == 0) {
        --captures_left_;
        return "(" + inner + ")" + (pick(0, 2) == 0 ? "?" : "");
      }
      return "(?:" + inner + ")" + kQuantifiers[pick(0, 11)];
    }
    return std::string(kAtoms[pick(0, 21)]) + kQuantifiers[pick(0, 11)];
  }

  std::mt19937 random_;
  int captures_left_ = 6;
};

}  // namespace yushi::parsers
