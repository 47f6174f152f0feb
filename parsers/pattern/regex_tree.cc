#include "parsers/pattern/regex_tree.h"

#include <utility>

namespace yushi::parsers {
namespace {

constexpr int kRegexDepthMax = 64;
constexpr int kRepeatMax = 1000;  // RE2's own bound

ByteSet range(unsigned char from, unsigned char to) {
  ByteSet set;
  for (unsigned c = from; c <= to; ++c) set.set(c);
  return set;
}

ByteSet digits() { return range('0', '9'); }
ByteSet word() { return range('0', '9') | range('a', 'z') | range('A', 'Z') | range('_', '_'); }
ByteSet blank() {
  ByteSet set;
  for (unsigned char c : {'\t', '\n', '\f', '\r', ' '}) set.set(c);
  return set;
}

class RegexReader {
 public:
  explicit RegexReader(std::string_view pattern) : text_(pattern) {}

  std::optional<RegexNode> read() {
    auto node = alternation(0);
    if (!node || at_ != text_.size()) return std::nullopt;
    return node;
  }

 private:
  bool more() const { return at_ < text_.size(); }
  bool next_is(char c) const { return more() && text_[at_] == c; }

  std::optional<RegexNode> alternation(int depth) {
    if (depth > kRegexDepthMax) return std::nullopt;
    std::vector<RegexNode> branches;
    do {
      auto branch = sequence(depth);
      if (!branch) return std::nullopt;
      branches.push_back(std::move(*branch));
    } while (next_is('|') && ++at_);
    if (branches.size() == 1) return std::move(branches[0]);
    RegexNode node;
    node.kind = RegexNode::Kind::alternation;
    node.children = std::move(branches);
    return node;
  }

  std::optional<RegexNode> sequence(int depth) {
    RegexNode node;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      auto part = repeated(depth);
      if (!part) return std::nullopt;
      auto& parts = node.children;
      if (part->kind == RegexNode::Kind::literal && !parts.empty() && parts.back().kind == RegexNode::Kind::literal)
        parts.back().text += part->text;
      else
        parts.push_back(std::move(*part));
    }
    return node;
  }

  std::optional<RegexNode> repeated(int depth) {
    auto part = atom(depth);
    if (!part) return std::nullopt;
    int min = 0, max = 0;
    if (!quantifier(&min, &max)) return part;
    if (max != RegexNode::kUnbounded && max < min) return std::nullopt;  // an error
    RegexNode node;
    node.kind = RegexNode::Kind::repeat;
    node.min = min;
    node.max = max;
    if (next_is('?')) {
      node.greedy = false;
      ++at_;
    }
    if (int low, high; quantifier(&low, &high)) return std::nullopt;  // x{2}{3}: leave it to RE2
    node.children.push_back(std::move(*part));
    return node;
  }

  bool quantifier(int* min, int* max) {
    if (!more()) return false;
    switch (text_[at_]) {
      case '?':
        *min = 0, *max = 1;
        break;
      case '*':
        *min = 0, *max = RegexNode::kUnbounded;
        break;
      case '+':
        *min = 1, *max = RegexNode::kUnbounded;
        break;
      case '{':
        return counted(min, max);
      default:
        return false;
    }
    ++at_;
    return true;
  }

  // {n}, {n,}, {n,m}; anything else after a brace is literal text, as in RE2.
  bool counted(int* min, int* max) {
    size_t at = at_ + 1;
    auto number = [&](int* value) {
      size_t begin = at;
      for (*value = 0; at < text_.size() && text_[at] >= '0' && text_[at] <= '9' && *value <= kRepeatMax; ++at)
        *value = *value * 10 + (text_[at] - '0');
      return at > begin;
    };
    if (!number(min)) return false;
    *max = *min;
    if (at < text_.size() && text_[at] == ',') {
      ++at;
      if (!number(max)) *max = RegexNode::kUnbounded;
    }
    if (at >= text_.size() || text_[at] != '}') return false;
    at_ = at + 1;
    return true;
  }

  std::optional<RegexNode> atom(int depth) {
    char c = text_[at_];
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return bracket();
      case '{':
        if (int low, high; counted(&low, &high)) return std::nullopt;  // nothing to repeat: an error
        break;
      case '\\': {
        if (const auto two = text_.substr(at_, 2); two == "\\b" || two == "\\B") {
          at_ += 2;
          RegexNode node;
          node.kind = RegexNode::Kind::boundary;
          node.negated = two[1] == 'B';
          return node;
        }
        ByteSet set;
        char literal;
        if (!escape(&set, &literal)) return std::nullopt;
        return set.any() ? folded(set) : folded(literal);
      }
      case '.':
        ++at_;
        return of_set(ByteSet().set());
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
        return std::nullopt;
      default:
        break;
    }
    if (static_cast<unsigned char>(c) >= 0x80) return atom_outside_ascii();
    ++at_;
    return folded(c);
  }

  // A whole UTF-8 character, so that a quantifier after it takes all of it.
  std::optional<RegexNode> atom_outside_ascii() {
    size_t length = 1;
    while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xc0) == 0x80) ++length;
    const auto character = text_.substr(at_, length);
    at_ += length;
    // Of the others nobody here knows the case; U+3000 to U+9FFF (Chinese, Japanese) and the wide forms of punctuation
    // have none.
    const bool has_no_case = length == 3 && ((character >= "\xe3\x80\x80" && character < "\xea") ||
                                             (character >= "\xef\xbc\x80" && character <= "\xef\xbc\xa0"));
    if (fold_ && !has_no_case) return std::nullopt;
    return of_text(std::string(character));
  }

  // What a letter or a class stands for: under (?i) both cases, and the letters outside of ASCII that fold to one of
  // them.
  std::optional<RegexNode> folded(char literal) {
    const auto byte = static_cast<unsigned char>(literal);
    if (!fold_ || !(range('a', 'z') | range('A', 'Z')).test(byte)) return of_text(std::string(1, literal));
    ByteSet set;
    set.set(byte);
    return folded(set);
  }

  std::optional<RegexNode> folded(ByteSet set) {
    if (!fold_) return of_set(set);
    for (unsigned char c = 'a'; c <= 'z'; ++c) {
      const auto upper = static_cast<unsigned char>(c - 32);
      if (set.test(c) || set.test(upper)) set.set(c).set(upper);
    }
    if (set.test(0x80)) {
      // The complement of a class with k or s in it has not all that is outside of ASCII.
      return set.test('k') && set.test('s') ? std::optional(of_set(set)) : std::nullopt;
    }
    RegexNode out;
    out.kind = RegexNode::Kind::alternation;
    if (set.test('k')) out.children.push_back(of_text("\u212a"));
    if (set.test('s')) out.children.push_back(of_text("\u017f"));
    if (out.children.empty()) return of_set(set);
    out.children.insert(out.children.begin(), of_set(set));
    return out;
  }

  std::optional<RegexNode> group(int depth) {
    ++at_;
    int number = 0;
    const bool folds_outside = fold_;
    if (next_is('?')) {
      ++at_;
      for (bool off = false;; ++at_) {
        if (text_[at_ - 1] == '-' && (next_is(':') || next_is(')'))) return std::nullopt;  // no flag behind it
        if (next_is(':')) break;
        if (next_is(')')) {  // (?i): to the end of the group around it
          ++at_;
          if (int low, high; quantifier(&low, &high)) return std::nullopt;  // nothing to repeat: an error
          return RegexNode();
        }
        if (next_is('-') && !off)
          off = true;
        else if (next_is('i'))
          fold_ = !off;
        else if (!next_is('s') || off)
          return std::nullopt;
      }
      ++at_;
    } else {
      number = ++groups_;
    }
    auto inner = alternation(depth + 1);
    fold_ = folds_outside;
    if (!inner || !next_is(')')) return std::nullopt;
    ++at_;
    if (number == 0) return inner;
    RegexNode node;
    node.kind = RegexNode::Kind::capture;
    node.group = number;
    node.children.push_back(std::move(*inner));
    return node;
  }

  // A backslash and what follows: a class (set) or one literal byte.
  bool escape(ByteSet* set, char* literal) {
    if (at_ + 1 >= text_.size()) return false;
    char c = text_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'd':
        *set = digits();
        return true;
      case 'D':
        *set = ~digits();
        return true;
      case 'w':
        *set = word();
        return true;
      case 'W':
        *set = ~word();
        return true;
      case 's':
        *set = blank();
        return true;
      case 'S':
        *set = ~blank();
        return true;
      case 't':
        *literal = '\t';
        return true;
      case 'n':
        *literal = '\n';
        return true;
      case 'r':
        *literal = '\r';
        return true;
      case 'f':
        *literal = '\f';
        return true;
      default:
        break;
    }
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || word().test(byte)) return false;  // \b, \x41, \pL …: leave them to RE2
    *literal = c;
    return true;
  }

  std::optional<RegexNode> bracket() {
    ++at_;
    bool negated = next_is('^');
    if (negated) ++at_;
    ByteSet set;
    std::vector<RegexNode> others;  // characters outside of ASCII
    for (bool first = true; !next_is(']') || first; first = false) {
      if (!more()) return std::nullopt;
      if (static_cast<unsigned char>(text_[at_]) >= 0x80) {
        auto other = atom_outside_ascii();
        if (!other || negated || next_is('-')) return std::nullopt;
        others.push_back(std::move(*other));
        continue;
      }
      ByteSet part;
      char low;
      if (!member(&part, &low)) return std::nullopt;
      if (part.none() && next_is('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        char high;
        ByteSet upper;
        if (!member(&upper, &high) || upper.any() || high < low) return std::nullopt;
        part = range(static_cast<unsigned char>(low), static_cast<unsigned char>(high));
      } else if (part.none()) {
        part.set(static_cast<unsigned char>(low));
      }
      set |= part;
    }
    ++at_;
    // [\S\n] is fine (all bytes >= 0x80 or none), but a mixture cannot come out of ASCII members.
    if (negated && fold_) {  // the complement of what the class stands for under (?i)
      for (unsigned char c = 'a'; c <= 'z'; ++c)
        if (set.test(c) || set.test(c - 32)) set.set(c).set(c - 32);
    }
    if (negated) set = ~set;
    if (others.empty()) return set.any() ? folded(set) : std::nullopt;
    if (set.any()) {
      auto inside = folded(set);
      if (!inside || set.test(0x80)) return std::nullopt;
      others.push_back(std::move(*inside));
    }
    if (others.size() == 1) return std::move(others[0]);
    RegexNode out;
    out.kind = RegexNode::Kind::alternation;
    out.children = std::move(others);
    return out;
  }

  bool member(ByteSet* set, char* literal) {
    char c = text_[at_];
    if (c == '\\') return escape(set, literal);
    if (c == '[' && at_ + 1 < text_.size() && text_[at_ + 1] == ':') return false;  // [:alpha:]
    *literal = c;
    ++at_;
    return true;
  }

  static RegexNode of_text(std::string text) {
    RegexNode node;
    node.kind = RegexNode::Kind::literal;
    node.text = std::move(text);
    return node;
  }
  static RegexNode of_set(const ByteSet& set) {
    RegexNode node;
    node.kind = RegexNode::Kind::set;
    node.set = set;
    return node;
  }

  std::string_view text_;
  size_t at_ = 0;
  int groups_ = 0;
  bool fold_ = false;  // under (?i)
};

}  // namespace

std::optional<RegexNode> read_regex(std::string_view pattern) { return RegexReader(pattern).read(); }

}  // namespace yushi::parsers
