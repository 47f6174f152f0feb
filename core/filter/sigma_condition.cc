#include "core/filter/sigma_condition.h"

#include <algorithm>

#include "core/filter/kql.h"
#include "core/filter/sigma.h"

namespace yushi {
namespace {

constexpr int kDepthMax = 64;
constexpr size_t kTextBytesMax = 64 << 10;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool same_word(std::string_view a, std::string_view lower_case) {
  if (a.size() != lower_case.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != (lower_case[i] | 0x20)) return false;
  return true;
}

bool pattern_takes(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, back = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      back = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++back;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

class ConditionReader {
 public:
  ConditionReader(std::string_view text, const std::vector<std::string>& names) : text_(text), names_(names) {}

  Result<SigmaCondition> read() {
    if (text_.size() > kTextBytesMax) return fail(Code::invalid, "condition: longer than 64 KiB");
    auto condition = YUSHI_TRY(read_or(0));
    if (peek() == "|") return refused_aggregation();
    if (auto word = peek(); !word.empty()) return error("`" + std::string(word) + "` has no place here");
    return condition;
  }

 private:
  using Read = Result<SigmaCondition>;

  tl::unexpected<Error> error(const std::string& what) {
    return tl::unexpected(query_error(text_, at_, "condition: " + what));
  }

  // Sigma v1's.
  tl::unexpected<Error> refused_aggregation() {
    auto out = error("aggregations after `|` are not supported: write a correlation rule");
    out.value().code = Code::refused;
    return out;
  }

  std::string_view peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    if (at_ == text_.size()) return {};
    size_t end = at_;
    if (text_[end] == '(' || text_[end] == ')' || text_[end] == '|') return text_.substr(at_, 1);
    while (end < text_.size() && !is_blank(text_[end]) && text_[end] != '(' && text_[end] != ')' && text_[end] != '|')
      ++end;
    return text_.substr(at_, end - at_);
  }
  bool take(std::string_view word) {
    if (!same_word(peek(), word)) return false;
    at_ += word.size();
    return true;
  }

  static SigmaCondition joined(SigmaCondition::Kind kind, std::vector<SigmaCondition> children) {
    if (children.size() == 1) return std::move(children[0]);
    SigmaCondition condition;
    condition.kind = kind;
    condition.children = std::move(children);
    return condition;
  }

  Read read_or(int depth) {
    std::vector<SigmaCondition> any;
    do {
      auto each = YUSHI_TRY(read_and(depth));
      any.push_back(std::move(each));
    } while (take("or"));
    return joined(SigmaCondition::Kind::any_of, std::move(any));
  }

  Read read_and(int depth) {
    std::vector<SigmaCondition> all;
    do {
      bool negated = false;
      while (take("not")) negated = !negated;
      auto each = YUSHI_TRY(read_term(depth));
      if (negated) {
        SigmaCondition condition;
        condition.kind = SigmaCondition::Kind::not_of;
        condition.children.push_back(std::move(each));
        each = std::move(condition);
      }
      all.push_back(std::move(each));
    } while (take("and"));
    return joined(SigmaCondition::Kind::all_of, std::move(all));
  }

  Read read_term(int depth) {
    std::string_view word = peek();
    if (word.empty()) return error("it ends where a name should stand");
    if (word == "|") return refused_aggregation();
    if (word == ")") return error("this `)` closes nothing");
    if (word == "(") {
      if (depth >= kDepthMax) return error("parentheses are nested deeper than 64");
      ++at_;
      auto inner = YUSHI_TRY(read_or(depth + 1));
      if (!take(")")) return error("a `)` is missing");
      return inner;
    }
    const size_t begin = at_;
    bool is_number = std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number || same_word(word, "all") || same_word(word, "any")) {
      at_ += word.size();
      if (take("of")) return read_some_of(word, is_number);
      at_ = begin;
    }
    if (same_word(word, "and") || same_word(word, "or") || same_word(word, "of"))
      return error("a name is missing before this word");
    if (std::find(names_.begin(), names_.end(), word) == names_.end())
      return error("no search identifier is named `" + std::string(word) + "`");
    at_ += word.size();
    SigmaCondition condition;
    condition.name = word;
    return condition;
  }

  Read read_some_of(std::string_view how_many, bool is_number) {
    std::string_view pattern = peek();
    SigmaCondition condition;
    condition.kind = SigmaCondition::Kind::some_of;
    for (const std::string& name : names_)
      if (!name.starts_with('_') && (same_word(pattern, "them") || pattern_takes(pattern, name)))
        condition.names.push_back(name);
    if (condition.names.empty()) return error("`" + std::string(pattern) + "` names no search identifier");
    at_ += pattern.size();
    if (is_number) {
      if (how_many.size() > 4) return error("more than there can be");
      for (char c : how_many) condition.count = condition.count * 10 + static_cast<size_t>(c - '0');
      if (condition.count == 0 || condition.count > condition.names.size())
        return error(std::string(how_many) + " of " + std::to_string(condition.names.size()) +
                     " identifiers can never be");
    } else {
      condition.count = same_word(how_many, "all") ? condition.names.size() : 1;
    }
    return condition;
  }

  std::string_view text_;
  const std::vector<std::string>& names_;
  size_t at_ = 0;
};

}  // namespace

Result<SigmaCondition> parse_sigma_condition(std::string_view text, const std::vector<std::string>& names) {
  return ConditionReader(text, names).read();
}

}  // namespace yushi
