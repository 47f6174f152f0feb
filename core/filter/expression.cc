#include "core/filter/expression.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <span>

#include "core/base/calendar.h"
#include "core/base/text.h"
#include "core/filter/filter.h"

namespace yushi {

struct Regex {
  Regex(std::string_view pattern, const re2::RE2::Options& options)
      : re2(re2::StringPiece(pattern.data(), pattern.size()), options) {}
  re2::RE2 re2;

  // Literals, in lower case, of which some must stand in a text that matches: which together, `needed` knows.
  struct Literals {
    re2::FilteredRE2 needed{kLiteralMin};
    std::vector<std::string> each;
  };
  static constexpr int kLiteralMin = 3;
  const Literals& literals() const {
    std::call_once(found_, [this] {
      int id;
      if (literals_.needed.Add(re2.pattern(), re2.options(), &id) == re2::RE2::NoError)
        literals_.needed.Compile(&literals_.each);
    });
    return literals_;
  }

 private:
  mutable std::once_flag found_;
  mutable Literals literals_;
};

namespace {

// Where RE2 has no room for its automaton each byte of a value may cost as many steps as the expression has.
constexpr int kRegexStepsMax = 8000;

// One question on its way through the values of a field.
struct Asking {
  const Expression& leaf;
  const Record& record;
  Scratch& scratch;
  bool yes = false;
  int32_t seen = 0;  // values so far
};

bool holds(Order order, std::strong_ordering comparison) {
  switch (order) {
    case Order::equal:
      return comparison == 0;
    case Order::less:
      return comparison < 0;
    case Order::less_or_equal:
      return comparison <= 0;
    case Order::greater:
      return comparison > 0;
    case Order::greater_or_equal:
      return comparison >= 0;
  }
  return false;
}

bool answer(const ExistsTest&, const Value&, const Asking&) { return true; }

bool answer(const WordsTest& test, const Value& value, const Asking& asking) {
  if (value.type == Value::Type::date) return false;
  for (const Phrase& phrase : test.any_of)
    if (phrase.found_in(value.text, asking.scratch)) return true;
  return false;
}

bool answer(const StringTest& test, const Value& value, const Asking& asking) {
  return value.type != Value::Type::date && test.pattern.matches(value.text, asking.scratch);
}

bool answer(const StringOrderTest& test, const Value& value, const Asking&) {
  return value.type == Value::Type::string && holds(test.order, value.text <=> std::string_view(test.operand));
}

bool answer(const NumberTest& test, const Value& value, const Asking&) {
  Number number;
  if (value.type == Value::Type::integer) {
    number.integer = value.integer;
  } else if (value.type == Value::Type::real) {
    number.is_integer = false;
    number.real = value.real;
  } else if (value.type != Value::Type::string || !test.reads_strings || !read_number(value.text, &number)) {
    return false;
  }
  return holds(test.order, compare_numbers(number, test.operand));
}

bool answer(const AddressTest& test, const Value& value, const Asking&) {
  std::array<uint8_t, 16> address = value.address;
  if (value.type != Value::Type::ip &&
      (value.type != Value::Type::string || !test.reads_strings || !parse_ip(value.text, &address)))
    return false;
  int bytes = test.prefix_bits / 8, bits = test.prefix_bits % 8;
  if (std::memcmp(address.data(), test.network.data(), static_cast<size_t>(bytes)) != 0) return false;
  if (bits == 0) return true;
  auto at = static_cast<size_t>(bytes);
  return ((address[at] ^ test.network[at]) >> (8 - bits)) == 0;
}

bool answer(const DateTest& test, const Value& value, const Asking& asking) {
  int64_t at = value.integer;
  if (value.type == Value::Type::string) {
    auto time = parse_time(value.text, asking.record.event_ns, *test.zone);
    if (!time) return false;
    at = time->unix_ns;
  } else if (value.type != Value::Type::date) {
    return false;
  }
  switch (test.order) {
    case Order::equal:
      return at >= test.from_ns && at <= test.to_ns;
    case Order::less:
      return at < test.from_ns;
    case Order::less_or_equal:
      return at <= test.to_ns;
    case Order::greater:
      return at > test.to_ns;
    case Order::greater_or_equal:
      return at >= test.from_ns;
  }
  return false;
}

int64_t part_of(int64_t at_ns, TimePart part) {
  const int64_t seconds = floor_div(at_ns, kSecond), days = floor_div(seconds, kDaySeconds);
  switch (part) {
    case TimePart::minute:
      return (seconds - days * kDaySeconds) / 60 % 60;
    case TimePart::hour:
      return (seconds - days * kDaySeconds) / 3600;
    case TimePart::day:
      return civil_from_days(days).day;
    case TimePart::month:
      return civil_from_days(days).month;
    case TimePart::year:
      return civil_from_days(days).year;
    case TimePart::week: {  // its Thursday says of which year it is, and the how many-th
      const int64_t thursday = days - (weekday_from_days(days) + 6) % 7 + 3;
      return (thursday - days_from_civil(civil_from_days(thursday).year, 1, 1)) / 7 + 1;
    }
  }
  return 0;
}

bool answer(const TimePartTest& test, const Value& value, const Asking& asking) {
  int64_t at_ns = value.integer;
  if (value.type == Value::Type::string) {
    auto time = parse_time(value.text, asking.record.event_ns, *Zone::utc());
    if (!time) return false;
    at_ns = time->unix_ns;
  } else if (value.type != Value::Type::date) {
    return false;
  }
  return holds(test.order, part_of(at_ns, test.part) <=> test.operand);
}

bool answer(const BooleanTest& test, const Value& value, const Asking&) {
  return value.type == Value::Type::boolean && (value.integer != 0) == test.operand;
}

bool answer(const RegexTest& test, const Value& value, const Asking&) {
  return value.type != Value::Type::date &&
         re2::RE2::PartialMatch(re2::StringPiece(value.text.data(), value.text.size()), test.regex->re2);
}

bool compare(SameFieldTest::How how, std::string_view value, std::string_view other) {
  switch (how) {
    case SameFieldTest::How::equals:
      return value == other;
    case SameFieldTest::How::contains:
      return value.find(other) != std::string_view::npos;
    case SameFieldTest::How::starts_with:
      return value.starts_with(other);
    case SameFieldTest::How::ends_with:
      return value.ends_with(other);
  }
  return false;
}

bool answer(const SameFieldTest& test, const Value& value, const Asking& asking) {
  struct Other {
    const SameFieldTest& test;
    std::string_view value;
    Scratch& scratch;
    bool yes;
  };
  auto fold = [&](std::string_view text, Scratch& scratch) {
    if (!test.folds) return text;
    char* to = scratch.allocate(folded_bytes_max(text.size()));
    return std::string_view(to, fold_into(text, to));
  };
  Other other{test, fold(value.text, asking.scratch), asking.scratch, false};
  visit_field(
      asking.record, test.other, test.other_name, asking.scratch,
      [](void* context, const Value& each) {
        auto& to = *static_cast<Other*>(context);
        std::string_view text = each.text;
        if (to.test.folds) {
          char* room = to.scratch.allocate(folded_bytes_max(text.size()));
          text = {room, fold_into(text, room)};
        }
        to.yes = to.yes || compare(to.test.how, to.value, text);
      },
      &other);
  return other.yes;
}

void ask(void* context, const Value& value) {
  auto& asking = *static_cast<Asking*>(context);
  if (asking.yes) return;
  if (asking.leaf.nth >= 0 && asking.seen++ != asking.leaf.nth) return;
  asking.yes = std::visit([&](const auto& test) { return answer(test, value, asking); }, asking.leaf.test);
}

// A list of values is one visit to the field: its values may have to be decoded, or made.
using Leaf = std::vector<Expression>::const_iterator;
Leaf end_of_list(Leaf at, Leaf end) {
  const auto is_of_list = [&](const Expression& one) {
    return one.kind == Expression::Kind::test && one.field == at->field && one.nth < 0;
  };
  if (!at->field || at->field->id == kDynamicField || at->field == ecs::event_original || !is_of_list(*at))
    return at + 1;
  return std::find_if_not(at + 1, end, is_of_list);
}
constexpr size_t kWorthALook = 4;  // patterns
bool any_holds(std::span<const Expression> leaves, const Record& record, Scratch& scratch) {
  struct AskingAny {
    std::span<const Expression> leaves;
    const Record& record;
    Scratch& scratch;
    bool yes;
  } asking{leaves, record, scratch, false};
  visit_field(
      record, leaves.front().field, leaves.front().name, scratch,
      [](void* context, const Value& value) {
        auto& to = *static_cast<AskingAny*>(context);
        const uint64_t bytes = to.leaves.size() < kWorthALook ? ~uint64_t{0} : StringPattern::bytes_of(value.text);
        for (size_t i = 0; i < to.leaves.size() && !to.yes; ++i) {
          const auto* string = std::get_if<StringTest>(&to.leaves[i].test);
          if (string && (string->pattern.bytes() & ~bytes)) continue;
          Asking one{to.leaves[i], to.record, to.scratch};
          ask(&one, value);
          to.yes = one.yes;
        }
      },
      &asking);
  return asking.yes;
}

// What a client sent has to be decoded first, and any field to be found.
size_t making(const Expression& test) {
  return test.name.starts_with("yushi.request.") || test.name.starts_with("yushi.url.") ? 40 : 10;
}

// What it takes to answer, roughly in nanoseconds. Texts that are looked for in one field in a row are looked for in one
// value, and dozens of them are cheaper than one regular expression: rules name them beside it so that it is seldom asked.
size_t cost(const Expression& expression) {
  if (expression.kind != Expression::Kind::test) {
    size_t sum = 0;
    const std::string* made = nullptr;
    for (const Expression& child : expression.children) {
      const bool is_made = made && child.kind == Expression::Kind::test && child.name == *made;
      sum += cost(child) - (is_made ? making(child) : 0);
      made = child.kind == Expression::Kind::test ? &child.name : nullptr;
    }
    return sum;
  }
  if (std::holds_alternative<RegexTest>(expression.test)) return making(expression) + 500;
  const bool is_of_text = std::holds_alternative<StringTest>(expression.test) ||
                          std::holds_alternative<WordsTest>(expression.test) ||
                          std::holds_alternative<SameFieldTest>(expression.test);
  return making(expression) + (is_of_text ? 4 : 2);
}

std::vector<uint64_t> required_tokens(const Expression& leaf) {
  if (is_outside_token_filter(leaf.name)) return {};
  if (auto* words = std::get_if<WordsTest>(&leaf.test)) {
    if (words->any_of.size() == 1) return words->any_of[0].certain_tokens();
    return {};  // Expression::of splits several phrases into leaves of their own
  }
  // A number, address or date is kept by value, so that its text in the rule says nothing of its text in raw.
  bool is_string = !leaf.field || leaf.field->type == FieldType::keyword || leaf.field->type == FieldType::text;
  if (auto* string = std::get_if<StringTest>(&leaf.test); string && is_string) return string->pattern.certain_tokens();
  if (auto* address = std::get_if<AddressTest>(&leaf.test); address && address->prefix_bits == 128 && leaf.field &&
                                                            leaf.field->type == FieldType::ip &&
                                                            is_fixed_field(*leaf.field))
    return {ip_hash(address->network)};
  return {};
}

}  // namespace

bool is_outside_token_filter(std::string_view name) {
  return name == "@timestamp" || name == "event.id" || name == "event.created" || name.starts_with("yushi.");
}

bool read_number(std::string_view text, Number* number) {
  if (text.empty()) return false;
  const char* end = text.data() + text.size();
  if (auto read = std::from_chars(text.data(), end, number->integer); read.ptr == end && read.ec == std::errc()) {
    number->is_integer = true;
    return true;
  }
  for (char c : text)
    if (!((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E')) return false;
  auto read = std::from_chars(text.data(), end, number->real);
  number->is_integer = false;
  return read.ptr == end && read.ec == std::errc();
}

std::strong_ordering compare_numbers(const Number& a, const Number& b) {
  if (a.is_integer && b.is_integer) return a.integer <=> b.integer;
  if (!a.is_integer && !b.is_integer) {
    if (std::isnan(a.real) || std::isnan(b.real)) return std::isnan(b.real) <=> std::isnan(a.real);
    return a.real < b.real   ? std::strong_ordering::less
           : a.real > b.real ? std::strong_ordering::greater
                             : std::strong_ordering::equal;
  }
  if (!a.is_integer) return 0 <=> compare_numbers(b, a);
  if (std::isnan(b.real)) return std::strong_ordering::greater;
  // 2^63 and beyond no integer reaches; below, the whole part fits and decides before the fraction does.
  if (b.real >= 0x1p63) return std::strong_ordering::less;
  if (b.real < -0x1p63) return std::strong_ordering::greater;
  double whole = std::floor(b.real);
  if (auto order = a.integer <=> static_cast<int64_t>(whole); order != 0) return order;
  return b.real > whole ? std::strong_ordering::less : std::strong_ordering::equal;
}

Expression Expression::nothing() {
  Expression expression;
  expression.kind = Kind::none;
  return expression;
}

Expression Expression::all_of(std::vector<Expression> children) {
  if (children.size() == 1) return std::move(children[0]);
  Expression expression;
  if (children.empty()) return expression;
  // What is told by a number or a short text comes before what takes a search.
  std::stable_sort(children.begin(), children.end(),
                   [](const Expression& a, const Expression& b) { return cost(a) < cost(b); });
  expression.kind = Kind::all_of;
  expression.children = std::move(children);
  return expression;
}

Expression Expression::any_of(std::vector<Expression> children) {
  if (children.size() == 1) return std::move(children[0]);
  if (children.empty()) return nothing();
  // All questions of a field stand together, so that one visit of it answers them.
  struct Placed {
    size_t place;
    Expression expression;
  };
  std::vector<Placed> parts;
  std::map<const Field*, size_t> places;
  const auto add = [&](Expression&& part) {
    const size_t place = parts.size();
    const bool is_grouped = part.kind == Kind::test && part.field;
    parts.push_back({is_grouped ? places.emplace(part.field, place).first->second : place, std::move(part)});
  };
  for (Expression& child : children) {
    if (child.kind != Kind::any_of) {
      add(std::move(child));
      continue;
    }
    for (Expression& part : child.children) add(std::move(part));
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Placed& a, const Placed& b) { return a.place < b.place; });
  Expression expression;
  expression.kind = Kind::any_of;
  for (Placed& part : parts) expression.children.push_back(std::move(part.expression));
  return expression;
}

Expression Expression::not_of(Expression child) {
  Expression expression;
  expression.kind = Kind::not_of;
  expression.children.push_back(std::move(child));
  return expression;
}

Expression Expression::of(std::string_view name, Test test) {
  if (auto* words = std::get_if<WordsTest>(&test); words && words->any_of.size() > 1) {
    std::vector<Expression> each;
    for (Phrase& phrase : words->any_of) {
      WordsTest one;
      one.any_of.push_back(std::move(phrase));
      each.push_back(of(name, std::move(one)));
    }
    return any_of(std::move(each));
  }
  Expression expression;
  expression.kind = Kind::test;
  expression.field = find_field(name);
  expression.name = name;
  expression.test = std::move(test);
  expression.tokens = required_tokens(expression);
  return expression;
}

Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern, bool folds, bool dot_newline,
                                                   bool multi_line) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  options.set_case_sensitive(!folds);
  options.set_dot_nl(dot_newline);
  std::string source = multi_line ? "(?m)" : "";
  source += pattern;
  auto regex = std::make_shared<const Regex>(source, options);
  if (regex->re2.ok() && regex->re2.ProgramSize() > kRegexStepsMax) {
    return fail(Code::invalid, "regular expression not supported: it is too large, " +
                                   std::to_string(regex->re2.ProgramSize()) + " steps of at most " +
                                   std::to_string(kRegexStepsMax) + "; make it shorter");
  }
  if (regex->re2.ok()) return std::shared_ptr<const Regex>(std::move(regex));
  const std::string& construct = regex->re2.error_arg();
  std::string what = regex->re2.error();
  // RE2 says "invalid perl operator: (?<" of what people know by other names.
  if (construct.starts_with("(?=") || construct.starts_with("(?!"))
    what = "look-ahead " + construct;
  else if (construct.starts_with("(?<=") || construct.starts_with("(?<!"))
    what = "look-behind " + construct;
  else if (construct.starts_with("(?<"))
    what = "look-behind or (?<name>…); a named group is (?P<name>…)";
  else if (construct.starts_with("(?>"))
    what = "atomic group " + construct;
  else if (construct.size() == 2 && construct[0] == '\\' && construct[1] >= '1' && construct[1] <= '9')
    what = "back-reference " + construct;
  // Broken in every dialect, or of one that RE2 does not speak?
  switch (regex->re2.error_code()) {
    case re2::RE2::ErrorMissingParen:
    case re2::RE2::ErrorMissingBracket:
    case re2::RE2::ErrorTrailingBackslash:
      return fail(Code::invalid, "regular expression is broken: " + what);
    default:
      return fail(Code::refused, "regular expression not supported: " + what);
  }
}

bool may_hold_in_text(const Expression& test, const HasLiteral& has_literal) {
  const bool in_message = test.field == ecs::message;
  if (!in_message && test.field != ecs::event_original) return true;
  if (auto* words = std::get_if<WordsTest>(&test.test))
    return std::any_of(words->any_of.begin(), words->any_of.end(),
                       [&](const Phrase& phrase) { return has_literal(phrase.longest_literal(), true, in_message); });
  if (auto* string = std::get_if<StringTest>(&test.test))
    return has_literal(string->pattern.longest_literal(), string->pattern.folds(), in_message);
  if (auto* regex = std::get_if<RegexTest>(&test.test)) {
    auto& literals = regex->regex->literals();
    if (literals.each.empty()) return true;
    std::vector<int> found, may_match;
    for (size_t i = 0; i < literals.each.size(); ++i)
      if (has_literal(literals.each[i], true, in_message)) found.push_back(static_cast<int>(i));
    literals.needed.AllPotentials(found, &may_match);
    return !may_match.empty();
  }
  return true;
}

bool evaluate(const Expression& expression, const Record& record, Scratch& scratch) {
  switch (expression.kind) {
    case Expression::Kind::all:
      return true;
    case Expression::Kind::none:
      return false;
    case Expression::Kind::all_of:
      for (const Expression& child : expression.children)
        if (!evaluate(child, record, scratch)) return false;
      return true;
    case Expression::Kind::any_of:
      for (auto at = expression.children.begin(); at != expression.children.end();) {
        const auto end = end_of_list(at, expression.children.end());
        if (end - at == 1 ? evaluate(*at, record, scratch) : any_holds({at, end}, record, scratch)) return true;
        at = end;
      }
      return false;
    case Expression::Kind::not_of:
      return !evaluate(expression.children[0], record, scratch);
    case Expression::Kind::test:
      break;
  }
  Asking asking{expression, record, scratch};
  if (expression.field == ecs::event_original) {
    Value value;
    value.text = text_of(record, record.raw, scratch);
    ask(&asking, value);
  } else {
    visit_field(record, expression.field, expression.name, scratch, ask, &asking);
  }
  return asking.yes;
}

bool evaluate_values(const Expression& expression, VisitNamed values, const void* context, Scratch& scratch) {
  auto holds_for = [&](const Expression& child) { return evaluate_values(child, values, context, scratch); };
  switch (expression.kind) {
    case Expression::Kind::all:
      return true;
    case Expression::Kind::none:
      return false;
    case Expression::Kind::all_of:
      return std::all_of(expression.children.begin(), expression.children.end(), holds_for);
    case Expression::Kind::any_of:
      return std::any_of(expression.children.begin(), expression.children.end(), holds_for);
    case Expression::Kind::not_of:
      return !holds_for(expression.children[0]);
    case Expression::Kind::test:
      break;
  }
  static const Record kNoRecord;
  Asking asking{expression, kNoRecord, scratch};
  values(context, expression.name, ask, &asking);
  return asking.yes;
}

}  // namespace yushi
