// A recursive descent parser over bytes. Precedence, loosest first: or, and, not. Only parentheses recurse, 128 deep.
#include "core/filter/kql.h"

#include <algorithm>
#include <optional>

#include "core/base/display.h"
#include "core/base/text.h"
#include "core/filter/kql_value.h"

namespace yushi {
namespace {

constexpr size_t kQueryBytesMax = 64 << 10;
constexpr int kDepthMax = 128;
constexpr size_t kQuestionsMax = 4096;
constexpr size_t kRegexesMax = 64;
constexpr std::string_view kFreeField = "event.original";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_special(char c) { return std::string_view("():<>\"{}|").find(c) != std::string_view::npos; }

bool is_keyword(std::string_view word, std::string_view lower_case) {
  if (word.size() != lower_case.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if ((word[i] | 0x20) != lower_case[i]) return false;
  return true;
}
bool is_any_keyword(std::string_view word) {
  return is_keyword(word, "and") || is_keyword(word, "or") || is_keyword(word, "not");
}

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class KqlReader {
 public:
  KqlReader(std::string_view query, size_t from, const QueryClock& clock, const std::vector<KqlColumn>* columns)
      : query_(query), at_(from), clock_(clock), columns_(columns) {}

  Result<KqlFilter> read() {
    if (query_.size() > kQueryBytesMax) return fail(Code::invalid, "the query is longer than 64 KiB");
    skip_blanks();
    if (at_ == query_.size() || query_[at_] == '|') return KqlFilter{Expression::everything(), at_};
    auto filter = YUSHI_TRY(read_or(0, nullptr));
    skip_blanks();
    if (at_ < query_.size() && query_[at_] != '|') return unexpected_here();
    return KqlFilter{std::move(filter), at_};
  }

 private:
  using Read = Result<Expression>;

  tl::unexpected<Error> error(size_t at, std::string what) const {
    return tl::unexpected(query_error(query_, at, std::move(what)));
  }

  tl::unexpected<Error> unexpected_here() const {
    if (at_ >= query_.size()) return error(at_, "the query ends where a value should stand");
    char c = query_[at_];
    if (c == ')') return error(at_, "this `)` closes nothing");
    if (c == '{') return error(at_, "nested queries are not supported: write the field's full name, as in a.b: c");
    if (c == '"' || c == '(' || !is_special(c)) return error(at_, "`and` or `or` is missing here");
    return error(at_, std::string("`") + c + "` has no place here; put the text in \"quotes\" if you look for it");
  }

  void skip_blanks() {
    while (at_ < query_.size() && is_blank(query_[at_])) ++at_;
  }
  size_t after_blanks(size_t at) const {
    while (at < query_.size() && is_blank(query_[at])) ++at;
    return at;
  }

  // The unquoted word at `at`, raw, for telling keywords.
  std::string_view word_at(size_t at) const {
    size_t end = at;
    while (end < query_.size() && !is_blank(query_[end]) && !is_special(query_[end])) ++end;
    return query_.substr(at, end - at);
  }
  bool take_keyword(std::string_view keyword) {
    skip_blanks();
    std::string_view word = word_at(at_);
    if (!is_keyword(word, keyword)) return false;
    size_t next = after_blanks(at_ + word.size());
    if (next < query_.size() && query_[next] == ':') return false;  // a field of that name
    at_ += word.size();
    return true;
  }

  // `field` is set inside of `field: ( … )`.
  Read read_or(int depth, const KqlTarget* field) {
    std::vector<Expression> any;
    do {
      auto each = YUSHI_TRY(read_and(depth, field));
      any.push_back(std::move(each));
    } while (take_keyword("or"));
    return Expression::any_of(std::move(any));
  }

  Read read_and(int depth, const KqlTarget* field) {
    std::vector<Expression> all;
    do {
      bool negated = false;
      while (take_keyword("not")) negated = !negated;
      auto each = YUSHI_TRY(field ? read_listed_value(depth, *field) : read_clause(depth));
      all.push_back(negated ? Expression::not_of(std::move(each)) : std::move(each));
    } while (take_keyword("and"));
    return Expression::all_of(std::move(all));
  }

  Read read_parenthesis(int depth, const KqlTarget* field) {
    size_t open = at_;
    if (depth >= kDepthMax) return error(open, "parentheses are nested deeper than 128");
    ++at_;
    auto inner = YUSHI_TRY(read_or(depth + 1, field));
    skip_blanks();
    if (at_ < query_.size() && query_[at_] == ')') {
      ++at_;
      return inner;
    }
    if (at_ < query_.size() && query_[at_] != '|') return unexpected_here();
    return error(open, "this `(` is never closed");
  }

  Read read_clause(int depth) {
    skip_blanks();
    if (at_ >= query_.size()) return unexpected_here();
    if (query_[at_] == '(') return read_parenthesis(depth, nullptr);
    const size_t begin = at_;
    YUSHI_TRY(refuse_other_spellings(nullptr));
    KqlLiteral literal;
    if (auto column = column_spelled_here()) {
      at_ += column->text.size();
      literal = std::move(*column);
    } else {
      literal = YUSHI_TRY(query_[at_] == '"' ? read_quoted() : read_word(WordPlace::clause));
    }
    size_t next = after_blanks(at_);
    char c = next < query_.size() ? query_[next] : '\0';
    if (c == ':' || c == '<' || c == '>') {
      at_ = next;
      return read_field_clause(depth, literal, begin);
    }
    if (c == '~' && regex_follows(next)) {
      at_ = next + 1;
      return read_regex(literal, begin);
    }
    if (!literal.quoted && (c == '=' || (c == '!' && next + 1 < query_.size() && query_[next + 1] == '=')))
      return error(next, c == '=' ? "equality is written `field: value`" : "write `not field: value`");
    if (!literal.quoted) {
      if (auto word = word_of(literal); is_any_keyword(word))
        return error(begin, "a value is missing before this word");
      YUSHI_TRY(read_more_words(literal));
      if (literal.is_star()) return Expression::everything();
    }
    if (columns_)
      return error(begin, "rows have no message to look into: a word needs its column; there are " + column_list());
    return question(KqlTarget::of_field(kFreeField), Order::equal, false, literal);
  }

  // The name of a column that is no word, as `max(@timestamp)`, where a comparison follows it.
  std::optional<KqlLiteral> column_spelled_here() const {
    for (const KqlColumn& column : columns_ ? *columns_ : std::vector<KqlColumn>()) {
      size_t next = after_blanks(at_ + column.name.size());
      if (column.name.find('(') == std::string::npos || query_.substr(at_, column.name.size()) != column.name ||
          next >= query_.size() || std::string_view(":<>~").find(query_[next]) == std::string_view::npos)
        continue;
      KqlLiteral literal;
      literal.text = column.name;
      literal.wildcard.resize(column.name.size());
      literal.begin = at_;
      return literal;
    }
    return {};
  }

  std::string column_list() const {
    std::string out;
    for (const KqlColumn& column : *columns_) out += (out.empty() ? "" : ", ") + column.name;
    return out;
  }

  // What people write who know another language: it would be looked for as text, and not be found. `field` is what is
  // compared, nullptr where a clause begins.
  Result<void> refuse_other_spellings(const KqlTarget* field) const {
    const char first = query_[at_];
    const std::string name = field ? field->name : columns_ ? "column" : std::string(kFreeField);
    if (first == '\'') {
      for (size_t end = at_ + 1; end < query_.size(); ++end)
        if (query_[end] == '\'' && ends_value(end + 1))
          return error(at_, "a text stands in double quotes: " + (field ? name + ": " : "") + "\"" +
                                std::string(query_.substr(at_ + 1, end - at_ - 1)) + "\"");
    }
    for (std::string_view quote : {"“", "”", "‘", "’"})
      if (field && query_.substr(at_).starts_with(quote))
        return error(at_, "a text stands in plain double quotes, as in " + name + ": \"text\"");
    if (first != '/') return {};
    // A regular expression holds no `/` of its own, so a path of several folders is none.
    size_t end = at_ + 1;
    while (end < query_.size() && query_[end] != '/') end += query_[end] == '\\' ? 2 : 1;
    if (end >= query_.size() || end == at_ + 1) return {};
    std::string_view inside = query_.substr(at_ + 1, end - at_ - 1);
    size_t after = end + 1;
    while (after < query_.size() && (query_[after] == 'i' || query_[after] == 's')) ++after;
    bool has_words = std::any_of(inside.begin(), inside.end(), is_blank);
    for (std::string_view keyword : {" and ", " or ", " not "})
      if (inside.find(keyword) != inside.npos) return {};  // two paths
    bool is_regex = inside.find_first_of("\\^$[(+?|") != inside.npos || inside.find(".*") != inside.npos;
    bool may_be_text = has_words || after > end + 1 || !field || field->type == FieldType::text;
    if (!ends_value(after) || (may_be_text && !is_regex)) return {};
    std::string_view whole = query_.substr(at_, after - at_);
    return error(at_, "a regular expression is written " + name + " ~ " + std::string(whole) +
                          "; a text with these signs, " + name + ": \"" + std::string(whole) + "\"");
  }
  bool ends_value(size_t at) const {
    return at >= query_.size() || is_blank(query_[at]) || query_[at] == ')' || query_[at] == '|';
  }

  // As typed: `\and` is no keyword.
  std::string_view word_of(const KqlLiteral& literal) const { return word_at(literal.begin); }

  Result<KqlTarget> target(const KqlLiteral& literal) const {
    if (literal.has_wildcard())
      return error(literal.begin, "wildcards in a field's name are not supported: write the fields with `or`");
    if (literal.text.empty()) return error(literal.begin, "a field's name is missing");
    if (literal.text.size() > 1024) return error(literal.begin, "a field's name of more than 1024 bytes");
    if (!columns_) return KqlTarget::of_field(literal.text);
    auto column = find_column(*columns_, literal.text);
    if (column == columns_->end())
      return error(literal.begin, "there is no column `" + literal.text + "` here; there are " + column_list());
    return KqlTarget{column->name, column->type, true};
  }

  Read read_field_clause(int depth, const KqlLiteral& field_literal, size_t begin) {
    Order order = Order::equal;
    const bool is_range = query_[at_] != ':';
    const size_t sign = at_;
    if (is_range) {
      order = query_[at_] == '<' ? Order::less : Order::greater;
      ++at_;
      if (at_ < query_.size() && query_[at_] == '=') {
        order = order == Order::less ? Order::less_or_equal : Order::greater_or_equal;
        ++at_;
      }
    } else {
      ++at_;
    }
    skip_blanks();
    if (!is_range && field_literal.is_star()) {  // *:*
      if (at_ < query_.size() && query_[at_] == '*' && word_at(at_) == "*") {
        ++at_;
        return Expression::everything();
      }
      return error(begin, "any field is not asked by `*:`; a word alone is looked for in the whole message");
    }
    auto field = YUSHI_TRY(target(field_literal));
    if (at_ >= query_.size() || query_[at_] == '|' || query_[at_] == ')')
      return error(at_, "a value is missing after `" + field.name + std::string(query_.substr(sign, 1)) + "`");
    if (query_[at_] == '(' && !is_range) return read_parenthesis(depth, &field);
    if (query_[at_] == '(') return error(at_, "a comparison takes one value, not a list");
    if (query_[at_] == '<' || query_[at_] == '>')
      return error(at_, "a comparison is written without `:`, as in " + field.name + " >= 5");
    return read_value(field, order, is_range);
  }

  Read read_listed_value(int depth, const KqlTarget& field) {
    skip_blanks();
    if (at_ >= query_.size()) return unexpected_here();
    if (query_[at_] == '(') return read_parenthesis(depth, &field);
    return read_value(field, Order::equal, false);
  }

  Read read_value(const KqlTarget& field, Order order, bool is_range) {
    YUSHI_TRY(refuse_other_spellings(&field));
    auto literal = YUSHI_TRY(query_[at_] == '"' ? read_quoted() : read_word(WordPlace::value));
    if (!literal.quoted) {
      if (is_any_keyword(word_of(literal)))
        return error(literal.begin, "a value is missing before this word; in quotes it is a value");
      if (!is_range) YUSHI_TRY(read_more_words(literal));
    }
    return question(field, order, is_range, literal);
  }

  Read question(const KqlTarget& field, Order order, bool is_range, const KqlLiteral& literal) {
    auto made = kql_comparison(field, order, is_range, literal, clock_);
    if (!made) return error(literal.begin, made.error().message);
    questions_ += 1 + made->children.size();
    if (questions_ > kQuestionsMax) return error(literal.begin, "more than 4096 values in one query");
    return made;
  }

  enum class WordPlace { clause, value };

  // One unquoted word. In the place of a value a `:` may stand in it (10:20, fe80::1), but not at its end.
  Result<KqlLiteral> read_word(WordPlace place) {
    KqlLiteral literal;
    literal.begin = at_;
    while (at_ < query_.size()) {
      char c = query_[at_];
      if (is_blank(c)) break;
      if (c == ':' && place == WordPlace::value && at_ + 1 < query_.size() && !is_blank(query_[at_ + 1]) &&
          query_[at_ + 1] != '(' && query_[at_ + 1] != '"' && query_[at_ + 1] != ')') {
      } else if (is_special(c)) {
        break;
      } else if (c == '~' && place == WordPlace::clause && !literal.text.empty() && regex_follows(at_)) {
        break;
      } else if (c == '*') {
        literal.text += '*';
        literal.wildcard.push_back(true);
        ++at_;
        continue;
      } else if (c == '\\') {
        YUSHI_TRY(read_escape(literal.text));
        literal.wildcard.resize(literal.text.size());
        continue;
      }
      literal.text += c;
      literal.wildcard.push_back(false);
      ++at_;
    }
    if (literal.text.empty()) return unexpected_here();
    return literal;
  }

  // More words of the same value: `message: failed password`.
  Result<void> read_more_words(KqlLiteral& literal) {
    for (;;) {
      size_t next = after_blanks(at_);
      if (next >= query_.size()) return {};
      std::string_view word = word_at(next);
      if (is_any_keyword(word)) return {};
      if (is_special(query_[next])) {
        if (query_[next] == ':' || query_[next] == '<' || query_[next] == '>') {
          return error(literal.begin, "`and` or `or` is missing in this, or quotes around it");
        }
        return {};
      }
      size_t after = after_blanks(next + word.size());
      bool is_field = after < query_.size() && (query_[after] == ':' || query_[after] == '<' || query_[after] == '>');
      if (is_field || (after < query_.size() && query_[after] == '~' && regex_follows(after)))
        return error(next, "`and` or `or` is missing before `" + std::string(word) + "`");
      size_t gap = at_;
      at_ = next;
      auto more = YUSHI_TRY(read_word(WordPlace::clause));
      literal.text += query_.substr(gap, next - gap);
      literal.wildcard.resize(literal.text.size());
      literal.text += more.text;
      literal.wildcard.insert(literal.wildcard.end(), more.wildcard.begin(), more.wildcard.end());
    }
  }

  // At a backslash of an unquoted word.
  Result<void> read_escape(std::string& out) {
    const size_t begin = at_++;
    if (at_ < query_.size()) {
      char c = query_[at_];
      if (is_special(c) || c == '\\' || c == '*' || c == '~' || c == '/' || c == '?') {
        out += c;
        ++at_;
        return {};
      }
      for (std::string_view keyword : {"and", "or", "not"})
        if (is_keyword(query_.substr(at_, keyword.size()), keyword) && is_any_keyword(word_at(at_))) {
          out += query_.substr(at_, keyword.size());
          at_ += keyword.size();
          return {};
        }
      if (read_shared_escape(out)) return {};
    }
    return error(begin, "a backslash itself is written \\\\");
  }

  // After a backslash: \t \r \n \uXXXX, in words and in quotes alike.
  bool read_shared_escape(std::string& out) {
    if (at_ >= query_.size()) return false;
    char c = query_[at_];
    if (c == 't' || c == 'r' || c == 'n') {
      out += c == 't' ? '\t' : c == 'r' ? '\r' : '\n';
      ++at_;
      return true;
    }
    if (c != 'u') return false;
    uint32_t code = 0;
    for (size_t i = 1; i <= 4; ++i) {
      if (at_ + i >= query_.size()) return false;
      char digit = query_[at_ + i];
      if (digit >= '0' && digit <= '9')
        code = code << 4 | static_cast<uint32_t>(digit - '0');
      else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
        code = code << 4 | static_cast<uint32_t>((digit | 0x20) - 'a' + 10);
      else
        return false;
    }
    if (code >= 0xd800 && code < 0xe000) return false;
    append_utf8(out, code);
    at_ += 5;
    return true;
  }

  Result<KqlLiteral> read_quoted() {
    KqlLiteral literal;
    literal.begin = at_;
    literal.quoted = true;
    ++at_;
    while (at_ < query_.size() && query_[at_] != '"') {
      char c = query_[at_++];
      if (c == '\\' && at_ < query_.size()) {
        if (query_[at_] == '"' || query_[at_] == '\\') {
          literal.text += query_[at_++];
          continue;
        }
        if (read_shared_escape(literal.text)) continue;
      }
      literal.text += c;
    }
    if (at_ >= query_.size()) return error(literal.begin, "this quote is never closed");
    ++at_;
    literal.wildcard.resize(literal.text.size());
    return literal;
  }

  bool regex_follows(size_t tilde) const {
    size_t next = after_blanks(tilde + 1);
    return next < query_.size() && query_[next] == '/';
  }

  Read read_regex(const KqlLiteral& field_literal, size_t) {
    auto field = YUSHI_TRY(target(field_literal));
    skip_blanks();
    const size_t begin = at_++;
    std::string pattern;
    while (at_ < query_.size() && query_[at_] != '/') {
      if (query_[at_] == '\\' && at_ + 1 < query_.size()) {
        if (query_[at_ + 1] != '/') pattern += '\\';
        ++at_;
      }
      pattern += query_[at_++];
    }
    if (at_ >= query_.size()) return error(begin, "this `/` is never closed");
    ++at_;
    bool folds = false, dot_newline = false;
    while (at_ < query_.size() && !is_blank(query_[at_]) && !is_special(query_[at_])) {
      if (query_[at_] == 'i')
        folds = true;
      else if (query_[at_] == 's')
        dot_newline = true;
      else
        return error(at_, "after /…/ may stand `i` (any case) and `s` (`.` is also a newline)");
      ++at_;
    }
    if (++regexes_ > kRegexesMax) return error(begin, "more than 64 regular expressions in one query");
    auto regex = compile_regex(pattern, folds, dot_newline);
    if (!regex) return error(begin, regex.error().message);
    return Expression::of(field.name, RegexTest{*regex});
  }

  std::string_view query_;
  size_t at_;
  const QueryClock& clock_;
  const std::vector<KqlColumn>* const columns_;  // nullptr: it asks records
  size_t questions_ = 0;
  size_t regexes_ = 0;
};

}  // namespace

Error query_error(std::string_view query, size_t at, std::string what) {
  // A window around the place: a query may be longer than a terminal is wide.
  constexpr size_t kBefore = 60, kAfter = 40;
  auto to_border = [&](size_t i) {
    while (i > 0 && i < query.size() && (static_cast<unsigned char>(query[i]) & 0xc0) == 0x80) --i;
    return i;
  };
  size_t begin = at > kBefore ? to_border(at - kBefore) : 0;
  size_t end = query.size() - at > kAfter ? to_border(at + kAfter) : query.size();
  if (end < at) end = at;
  std::string before = begin > 0 ? "…" : "";
  append_printable(before, query.substr(begin, at - begin));
  std::string shown = before;
  append_printable(shown, query.substr(at, end - at));
  if (end < query.size()) shown += "…";
  what += "\n  " + shown + "\n  " + std::string(display_columns(before), ' ') + "^";
  return {Code::invalid, std::move(what)};
}

Result<KqlFilter> read_kql(std::string_view query, size_t from, const QueryClock& clock,
                           const std::vector<KqlColumn>* columns) {
  return KqlReader(query, from, clock, columns).read();
}

std::vector<KqlColumn>::const_iterator find_column(const std::vector<KqlColumn>& columns, std::string_view name) {
  auto named = [&](std::string_view other) {
    return std::find_if(columns.begin(), columns.end(), [&](const KqlColumn& column) { return column.name == other; });
  };
  auto found = named(name);
  return found != columns.end() ? found : named(std::string(name) + "()");
}

Result<Filter> Filter::parse_kql(std::string_view text, const QueryClock& clock) {
  auto filter = YUSHI_TRY(read_kql(text, 0, clock));
  if (filter.end < text.size())
    return tl::unexpected(
        query_error(text, filter.end, "pipes have no place in a filter; put `|` in \"quotes\" to look for it"));
  return from(std::make_shared<const Expression>(std::move(filter.expression)));
}

}  // namespace yushi
