#include "core/filter/kql_value.h"

#include <algorithm>

#include "core/filter/when.h"

namespace yushi {
namespace {

StringPattern pattern_of(const KqlLiteral& literal, bool folds) {
  StringPattern pattern(folds);
  for (size_t i = 0; i < literal.text.size(); ++i) {
    if (literal.wildcard[i])
      pattern.add_any_run();
    else
      pattern.add_literal(std::string_view(literal.text).substr(i, 1));
  }
  pattern.finish();
  return pattern;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Quoted text is one phrase; otherwise each word between blanks is, and any of them will do.
Result<Expression> text_question(std::string_view field, const KqlLiteral& literal) {
  WordsTest test;
  if (literal.quoted) {
    if (auto phrase = Phrase::of(literal.text)) test.any_of.push_back(std::move(*phrase));
  } else {
    for (size_t at = 0; at < literal.text.size();) {
      if (is_blank(literal.text[at])) {
        ++at;
        continue;
      }
      size_t end = at;
      while (end < literal.text.size() && !is_blank(literal.text[end])) ++end;
      std::vector<bool> wildcard(literal.wildcard.begin() + static_cast<ptrdiff_t>(at),
                                 literal.wildcard.begin() + static_cast<ptrdiff_t>(end));
      if (auto phrase = Phrase::of(std::string_view(literal.text).substr(at, end - at), wildcard))
        test.any_of.push_back(std::move(*phrase));
      at = end;
    }
  }
  if (test.any_of.empty())
    return fail(Code::invalid, "no letter or digit to look for; for signs write " + std::string(field) + " ~ /…/");
  return Expression::of(field, std::move(test));
}

// As text: only a network without quotes means its members.
bool is_quoted_network(const KqlLiteral& literal) {
  return literal.quoted && literal.text.find('/') != std::string::npos;
}

Result<Expression> keyword_question(std::string_view field, const KqlLiteral& literal) {
  Expression equal = Expression::of(field, StringTest{pattern_of(literal, false)});
  AddressTest network;
  // A keyword may hold an address too (log.source.address): it is compared by value, and a network means its members.
  if (literal.has_wildcard() || !read_network(literal.text, &network) || is_quoted_network(literal)) return equal;
  network.reads_strings = true;
  std::vector<Expression> either;
  either.push_back(std::move(equal));
  either.push_back(Expression::of(field, network));
  return Expression::any_of(std::move(either));
}

// Of a field that no table knows: whatever its values turn out to be.
Result<Expression> unknown_question(std::string_view field, const KqlLiteral& literal) {
  std::vector<Expression> either;
  either.push_back(Expression::of(field, StringTest{pattern_of(literal, false)}));
  if (!literal.has_wildcard()) {
    NumberTest number{Order::equal, {}, false};
    if (read_number(literal.text, &number.operand)) either.push_back(Expression::of(field, number));
    AddressTest network;
    if (read_network(literal.text, &network)) {
      network.reads_strings = !is_quoted_network(literal);
      either.push_back(Expression::of(field, network));
    }
    if (literal.text == "true" || literal.text == "false")
      either.push_back(Expression::of(field, BooleanTest{literal.text == "true"}));
  }
  return Expression::any_of(std::move(either));
}

tl::unexpected<Error> no_wildcard(std::string_view field, std::string_view kind) {
  return fail(Code::invalid, std::string(field) + " is " + std::string(kind) + ": `*` alone asks whether it is there");
}

}  // namespace

bool KqlLiteral::has_wildcard() const { return std::find(wildcard.begin(), wildcard.end(), true) != wildcard.end(); }
bool KqlLiteral::is_star() const {
  return !text.empty() && std::find(wildcard.begin(), wildcard.end(), false) == wildcard.end();
}

bool read_network(std::string_view text, AddressTest* test) {
  size_t slash = text.find('/');
  if (!parse_ip(text.substr(0, slash), &test->network)) return false;
  test->prefix_bits = 128;
  test->reads_strings = false;
  if (slash == std::string_view::npos) return true;
  bool is_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3) return false;
  int bits = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    bits = bits * 10 + (c - '0');
  }
  if (bits > (is_v4 ? 32 : 128)) return false;
  test->prefix_bits = is_v4 ? 96 + bits : bits;
  return true;
}

KqlTarget KqlTarget::of_field(std::string_view name) {
  const Field* field = find_field(name);
  // Another version of its parser may have given a declared one as text.
  return {std::string(name), field ? std::optional(field->type) : std::nullopt, field && !is_fixed_field(*field)};
}

Result<Expression> kql_comparison(const KqlTarget& target, Order order, bool is_range, const KqlLiteral& literal,
                                  const QueryClock& clock) {
  const std::string& name = target.name;
  const bool reads_strings = target.reads_strings;
  if (!is_range && literal.is_star()) return Expression::of(name, ExistsTest{});
  if (is_range && target.type == FieldType::text)
    return fail(Code::invalid, name + " is text: it has words, and no order to compare by");
  if (is_range && target.type == FieldType::boolean)
    return fail(Code::invalid, name + " is true or false; write " + name + ": true");
  if (is_range && literal.has_wildcard()) return fail(Code::invalid, "a wildcard has no place in a comparison");
  if (!target.type || target.type == FieldType::keyword) {
    if (!is_range) return target.type ? keyword_question(name, literal) : unknown_question(name, literal);
    NumberTest number{order, {}, true};
    if (!literal.quoted && read_number(literal.text, &number.operand)) return Expression::of(name, number);
    return Expression::of(name, StringOrderTest{order, literal.text});
  }
  switch (*target.type) {
    case FieldType::text:
      return text_question(name, literal);
    case FieldType::integer:
    case FieldType::real: {
      if (literal.has_wildcard()) return no_wildcard(name, "a number");
      NumberTest number{order, {}, reads_strings};
      if (!read_number(literal.text, &number.operand))
        return fail(Code::invalid, name + " is a number, and `" + literal.text + "` is none");
      return Expression::of(name, number);
    }
    case FieldType::ip: {
      if (literal.has_wildcard()) return fail(Code::invalid, name + " is an address: write a network as 10.0.0.0/8");
      if (is_range) return fail(Code::invalid, name + " is an address: write " + name + ": 10.0.0.0/8");
      AddressTest network;
      if (!read_network(literal.text, &network))
        return fail(Code::invalid, name + " is an address, and `" + literal.text + "` is none");
      network.reads_strings = reads_strings;
      return Expression::of(name, network);
    }
    case FieldType::date: {
      if (literal.has_wildcard()) return no_wildcard(name, "a date");
      auto when = YUSHI_TRY(parse_when(literal.text, clock));
      return Expression::of(name, DateTest{order, when.from_ns, when.to_ns, clock.zone});
    }
    case FieldType::boolean: {
      if (literal.text != "true" && literal.text != "false")
        return fail(Code::invalid, name + " is true or false, and `" + literal.text + "` is neither");
      return Expression::of(name, BooleanTest{literal.text == "true"});
    }
    case FieldType::keyword:
      break;
  }
  return Expression::nothing();
}

}  // namespace yushi
