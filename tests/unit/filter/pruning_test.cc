// Random queries over random records: pruning never hides a match, and each fast search agrees with the slow obvious
// one.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "case_record.h"
#include "core/base/text.h"
#include "core/filter/filter.h"
#include "core/filter/phrase.h"
#include "core/filter/record_tokens.h"
#include "core/filter/sigma.h"

namespace yushi::test {
namespace {

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  size_t below(size_t n) { return random_() % n; }
  template <class T, size_t N>
  T of(const T (&items)[N]) {
    return items[below(N)];
  }

 private:
  std::mt19937_64 random_;
};

constexpr const char* kPieces[] = {"failed",   "Password", "root", "ROOT", "for",  "a", "b_c", "10", "0", "22",
                                   "0022",     "登录",     "败",   "K",    "ſ",    "s", "k",   "É",  "é", "\xc3",
                                   "\xe7\x99", "ms",       "123",  "x1",   "Ünal", "ὰ", "Σ",   "σ"};
constexpr const char* kGaps[] = {" ", "", "-", "=", ".", "/", ": ", "\t", "，", "\xff", "  "};

std::string random_text(Chance& chance, size_t pieces_max) {
  std::string out;
  for (size_t n = chance.below(pieces_max + 1); n-- > 0;) {
    out += chance.of(kPieces);
    out += chance.of(kGaps);
  }
  return out;
}

std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> out;
  for_each_token(text, [&](std::string_view token) { out.push_back(folded(token)); });
  return out;
}

// The definition, word for word: the phrase's tokens stand in the text in a row.
bool naive_phrase(const std::string& phrase, const std::string& text) {
  auto want = tokens_of(phrase), have = tokens_of(text);
  return std::search(have.begin(), have.end(), want.begin(), want.end()) != have.end();
}

TEST(Pruning, APhraseIsFoundExactlyWhereItsTokensStandInARow) {
  Chance chance(1);
  Scratch scratch;
  size_t found = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random_text(chance, 12), wanted = random_text(chance, 3);
    auto phrase = Phrase::of(wanted);
    ASSERT_EQ(phrase.has_value(), !tokens_of(wanted).empty()) << wanted;
    if (!phrase) continue;
    scratch.clear();
    bool is = phrase->found_in(text, scratch);
    ASSERT_EQ(is, naive_phrase(wanted, text)) << "`" << wanted << "` in `" << text << "`";
    found += is;
  }
  EXPECT_GT(found, 10'000u);
}

// `*` any run, `?` one character, over folded code points: by trying everything.
bool naive_glob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (size_t at = 0; at <= text.size();) {
      if (naive_glob(pattern.substr(1), text.substr(at))) return true;
      if (at == text.size()) break;
      ++at;
    }
    return false;
  }
  if (text.empty()) return false;
  if (pattern[0] == '?') {
    auto point = decode_utf8(text, 0);
    return naive_glob(pattern.substr(1), text.substr(point.length ? point.length : 1));
  }
  return pattern[0] == text[0] && naive_glob(pattern.substr(1), text.substr(1));
}

TEST(Pruning, AStringPatternIsTheGlobThatItIsWrittenAs) {
  Chance chance(2);
  Scratch scratch;
  size_t matched = 0;
  for (int i = 0; i < 100'000; ++i) {
    bool folds = chance.below(2);
    std::string text = random_text(chance, 4), glob;
    StringPattern pattern(folds);
    for (size_t n = chance.below(5); n-- > 0;) {
      switch (chance.below(4)) {
        case 0:
          glob += '*', pattern.add_any_run();
          break;
        case 1:
          if (is_utf8(text)) glob += '?', pattern.add_any_one();
          break;
        default: {
          std::string piece = chance.below(2) && !text.empty()
                                  ? text.substr(chance.below(text.size()), 1 + chance.below(4))
                                  : std::string(chance.of(kPieces));
          if (!is_utf8(piece)) break;  // halves of a character fold once they are joined: not this test's matter
          glob += folds ? folded(piece) : piece;
          pattern.add_literal(piece);
        }
      }
    }
    if (!is_utf8(text)) continue;
    pattern.finish();
    scratch.clear();
    bool is = pattern.matches(text, scratch);
    ASSERT_EQ(is, naive_glob(glob, folds ? folded(text) : text)) << "`" << glob << "` on `" << text << "`";
    matched += is;
    if (!is) continue;
    auto tokens = tokens_of(text);
    std::set<uint64_t> hashes;
    for (auto& token : tokens) hashes.insert(token_hash(token));
    for (uint64_t hash : pattern.certain_tokens())
      ASSERT_TRUE(hashes.count(hash)) << "`" << glob << "` on `" << text << "`";
  }
  EXPECT_GT(matched, 5'000u);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string random_query(Chance& chance, const std::string& line, int depth) {
  auto part = [&] {
    if (line.empty()) return std::string("x");
    size_t at = chance.below(line.size());
    return line.substr(at, 1 + chance.below(8));
  };
  static constexpr const char* kFields[] = {"user.name",   "message",       "host.name", "source.ip",
                                            "source.port", "event.outcome", "my.key",    "event.original"};
  if (depth > 0 && chance.below(3) == 0) {
    std::string a = random_query(chance, line, depth - 1), b = random_query(chance, line, depth - 1);
    switch (chance.below(3)) {
      case 0:
        return "(" + a + " and " + b + ")";
      case 1:
        return "(" + a + " or " + b + ")";
      default:
        return "not (" + a + ")";
    }
  }
  std::string field = chance.of(kFields);
  switch (chance.below(6)) {
    case 0:
      return quoted(part());
    case 1:
      return field + ": " + quoted(part());
    case 2:
      return field + ": *" + std::string(chance.of(kPieces)) + "*";
    case 3:
      return field + ": 10.0.0.1";
    case 4:
      return field + ": 22";
    default:
      return field + ": " + chance.of(kPieces);
  }
}

TEST(Pruning, NeverDropsARecordThatMatches) {
  Chance chance(3);
  Scratch scratch;
  size_t matched = 0, pruned = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string line = random_text(chance, 6) + "10.0.0.1 0022 " + random_text(chance, 4);
    CaseRecord made(line);
    made.capture("source.ip", "10.0.0.1");
    made.capture("source.port", "0022");
    for (const char* field : {"user.name", "host.name", "my.key"}) {
      size_t at = chance.below(line.size());
      made.capture(field, line.substr(at, 1 + chance.below(6)), static_cast<Escape>(chance.below(4)));
    }
    if (chance.below(2)) made.constant("event.outcome", chance.of(kPieces));
    std::vector<uint64_t> gathered;
    gather_record_tokens(made.record(), scratch, gathered);
    std::set<uint64_t> tokens(gathered.begin(), gathered.end());
    for (int k = 0; k < 8; ++k) {
      std::string query = random_query(chance, line, 2);
      auto filter = Filter::parse_kql(query, QueryClock{});
      if (!filter) continue;
      bool may = filter->may_match([&](uint64_t hash) { return tokens.count(hash) > 0; });
      bool is = filter->matches(made.record(), scratch);
      ASSERT_TRUE(may || !is) << query << "\n" << line;
      matched += is;
      pruned += !may;
    }
  }
  EXPECT_GT(matched, 10'000u);
  EXPECT_GT(pruned, 10'000u);
}

// Filters of blocks that an older build wrote are made anew by verify: what they hold is no matter of how we show it.
TEST(Pruning, AnAddressGivesTheWordsThatWereWrittenAndIsFoundByItsValue) {
  const std::string line = "from 2001:0DB8:0000::0001";
  CaseRecord made(line);
  made.capture("source.ip", "2001:0DB8:0000::0001");
  Scratch scratch;
  std::vector<uint64_t> gathered;
  gather_record_tokens(made.record(), scratch, gathered);
  std::set<uint64_t> tokens(gathered.begin(), gathered.end());
  auto may_match = [&](const char* query) {
    return Filter::parse_kql(query, QueryClock{})->may_match([&](uint64_t hash) { return tokens.count(hash) > 0; });
  };
  EXPECT_TRUE(may_match("source.ip: \"2001:db8::1\""));
  EXPECT_TRUE(may_match("0001"));
  EXPECT_FALSE(may_match("1"));
}

// Its block holds the words of one spelling, and no hash of an address.
TEST(Pruning, AKeywordThatHoldsAnAddressIsNotLookedForByTheWordsOfOneSpelling) {
  for (const char* field : {"host.name", "user.name", "json.peer"}) {
    for (const char* text : {"2001:db8::1", "\"2001:db8:0:0::1\""}) {
      CaseRecord made("peer 2001:0DB8::0001");
      made.capture(field, "2001:0DB8::0001");
      Scratch scratch;
      std::vector<uint64_t> tokens;
      gather_record_tokens(made.record(), scratch, tokens);
      auto filter = Filter::parse_kql(std::string(field) + ": " + text, QueryClock{});
      ASSERT_TRUE(filter) << filter.error().message;
      EXPECT_TRUE(filter->may_match([&](uint64_t hash) {
        return std::find(tokens.begin(), tokens.end(), hash) != tokens.end();
      })) << field;
      EXPECT_TRUE(filter->matches(made.record(), scratch)) << field << text;
    }
  }
}

TEST(Pruning, AWholeWordOfAFieldIsRequiredAndAPartOfOneIsNot) {
  auto requires_tokens = [](const char* query) {
    auto filter = Filter::parse_kql(query, QueryClock{});
    return !filter->may_match([](uint64_t) { return false; });
  };
  for (const char* query :
       {"root", "user.name: root", "\"failed password\"", "source.ip: 10.0.0.1", "user.name: \"a b\"", "url.path: /a/*",
        "a and b*", "a or b", "event.original: root", "my.key: x"})
    EXPECT_TRUE(requires_tokens(query)) << query;
  for (const char* query :
       {"roo*", "user.name: roo*", "user.name: *oo*", "not root", "source.ip: 10.0.0.0/8", "source.port: 22", "*",
        "user.name: *", "a* or b", "message ~ /root/", "event.id: finance/1", "@timestamp: 2026", "my.key: 7"})
    EXPECT_FALSE(requires_tokens(query)) << query;
}

}  // namespace
}  // namespace yushi::test
