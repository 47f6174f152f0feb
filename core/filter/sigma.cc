#include "core/filter/sigma.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/nearest_name.h"
#include "core/base/text.h"
#include "core/filter/expression.h"
#include "core/filter/kql_value.h"
#include "core/filter/sigma_condition.h"
#include "core/filter/sigma_string.h"

namespace yushi {
namespace {

constexpr int kDepthMax = 32;
constexpr size_t kLiteralBytesMin = 3;
constexpr size_t kExpandedMax = 10'000;  // values that |expand makes of one

// The modifiers of one `field|modifier|modifier`.
struct Modifiers {
  enum class How {
    equals,
    contains,
    starts_with,
    ends_with,
    regex,
    network,
    order,
    exists,
    same_field
  } how = How::equals;
  enum class Coding { none, base64, base64offset } coding = Coding::none;
  enum class Wide { none, le, be, mark } wide = Wide::none;
  Order order = Order::equal;
  SameFieldTest::How same = SameFieldTest::How::equals;
  bool all = false, negated = false, cased = false, windash = false;
  bool fold_regex = false, multi_line = false, dot_newline = false;
  bool expand = false;
  std::optional<TimePart> part;
};

struct TimePartName {
  std::string_view word;
  TimePart part;
};
constexpr TimePartName kTimeParts[] = {{"minute", TimePart::minute}, {"hour", TimePart::hour},
                                       {"day", TimePart::day},       {"week", TimePart::week},
                                       {"month", TimePart::month},   {"year", TimePart::year}};

std::string place_text(const SigmaValue& at) {
  if (at.line == 0) return {};
  return std::to_string(at.line) + ":" + (at.column > 0 ? std::to_string(at.column) + ":" : "") + " ";
}

Expression leaf(std::string_view name, Test test) {
  int32_t nth = -1;
  auto out = Expression::of(without_place(name, &nth), std::move(test));
  out.nth = nth;
  return out;
}

class Compiler {
 public:
  Compiler(const SigmaFields& fields) : fields_(fields) {}

  Result<Expression> search(const SigmaValue& value, int depth) {
    if (depth > kDepthMax) return error(value, "lists and maps are nested deeper than 32");
    switch (value.type) {
      case SigmaValue::Type::map: {
        if (value.entries.empty()) return error(value, "an empty search says nothing");
        std::vector<Expression> all;
        for (const auto& [key, entry] : value.entries) {
          auto each = YUSHI_TRY(field_entry(key, entry));
          all.push_back(std::move(each));
        }
        return Expression::all_of(std::move(all));
      }
      case SigmaValue::Type::list: {
        if (value.items.empty()) return error(value, "an empty search says nothing");
        std::vector<Expression> any;
        for (const SigmaValue& item : value.items) {
          auto each = YUSHI_TRY(search(item, depth + 1));
          any.push_back(std::move(each));
        }
        return Expression::any_of(std::move(any));
      }
      default: {
        Modifiers keyword;
        keyword.how = Modifiers::How::contains;
        return question(value, fields_.keyword_fields, keyword);
      }
    }
  }

  // The first modifier that is wrong, before anything else of the rule is said to be not done here.
  Result<void> check_modifiers(const SigmaValue& value, int depth) const {
    if (depth > kDepthMax) return {};
    for (const auto& [key, entry] : value.entries) {
      if (auto read = modifiers(key, entry); !read && read.error().code == Code::invalid)
        return tl::unexpected(read.error());
      YUSHI_TRY(check_modifiers(entry, depth + 1));
    }
    for (const SigmaValue& item : value.items) YUSHI_TRY(check_modifiers(item, depth + 1));
    return {};
  }

 private:
  tl::unexpected<Error> error(const SigmaValue& at, const std::string& what, Code code = Code::invalid) const {
    return fail(code, place_text(at) + what);
  }
  // Right, but not done here.
  tl::unexpected<Error> refused(const SigmaValue& at, const std::string& what) const {
    return error(at, what, Code::refused);
  }
  tl::unexpected<Error> no_field(const SigmaValue& at, const std::string& name) const {
    if (!fields_.missing) return refused(at, "field " + name + " has no place among the fields of this log source");
    Error missing = fields_.missing(name);
    return error(at, missing.message, missing.code);
  }

  static std::string unknown_modifier(std::string_view word) {
    static constexpr std::string_view kSubModifiers[] = {"i", "ignorecase", "m", "multiline", "s", "dotall"};
    if (std::find(std::begin(kSubModifiers), std::end(kSubModifiers), word) != std::end(kSubModifiers))
      return "modifier |" + std::string(word) + " stands behind |re only";
    NearestName nearest(word);
    for (std::string_view known : {"contains", "startswith", "endswith",     "re",       "cidr",  "gt",      "gte",
                                   "lt",       "lte",        "exists",       "fieldref", "all",   "neq",     "cased",
                                   "windash",  "base64",     "base64offset", "wide",     "utf16", "utf16le", "utf16be"})
      nearest.offer(known);
    nearest.offer("expand");
    for (const auto& known : kTimeParts) nearest.offer(known.word);
    return "Sigma has no modifier |" + std::string(word) + nearest.suggestion();
  }

  Result<Modifiers> modifiers(std::string_view key, const SigmaValue& at) const {
    Modifiers out;
    bool is_regex = false, is_same_field = false;
    int hows = 0;  // modifiers that say how to compare: only |fieldref goes with another
    for (size_t bar = key.find('|'); bar != std::string_view::npos;) {
      size_t next = key.find('|', bar + 1);
      std::string_view word = key.substr(bar + 1, next == std::string_view::npos ? next : next - bar - 1);
      bar = next;
      using How = Modifiers::How;
      static constexpr std::string_view kHows[] = {"contains", "startswith", "endswith", "re",  "cidr",
                                                   "gt",       "gte",        "lt",       "lte", "exists"};
      hows += std::find(std::begin(kHows), std::end(kHows), word) != std::end(kHows);
      if (word == "contains")
        out.how = How::contains;
      else if (word == "startswith")
        out.how = How::starts_with;
      else if (word == "endswith")
        out.how = How::ends_with;
      else if (word == "re")
        out.how = How::regex, is_regex = true;
      else if (is_regex && (word == "i" || word == "ignorecase"))
        out.fold_regex = true;
      else if (is_regex && (word == "m" || word == "multiline"))
        out.multi_line = true;
      else if (is_regex && (word == "s" || word == "dotall"))
        out.dot_newline = true;
      else if (word == "cidr")
        out.how = How::network;
      else if (word == "gt")
        out.how = How::order, out.order = Order::greater;
      else if (word == "gte")
        out.how = How::order, out.order = Order::greater_or_equal;
      else if (word == "lt")
        out.how = How::order, out.order = Order::less;
      else if (word == "lte")
        out.how = How::order, out.order = Order::less_or_equal;
      else if (word == "exists")
        out.how = How::exists;
      else if (word == "fieldref")
        is_same_field = true;
      else if (word == "all")
        out.all = true;
      else if (word == "neq")
        out.negated = true;
      else if (word == "cased")
        out.cased = true;
      else if (word == "windash")
        out.windash = true;
      else if (word == "base64")
        out.coding = Modifiers::Coding::base64;
      else if (word == "base64offset")
        out.coding = Modifiers::Coding::base64offset;
      else if (word == "wide" || word == "utf16le")
        out.wide = Modifiers::Wide::le;
      else if (word == "utf16be")
        out.wide = Modifiers::Wide::be;
      else if (word == "utf16")
        out.wide = Modifiers::Wide::mark;
      else if (word == "expand")
        out.expand = true;
      else if (auto known = std::find_if(std::begin(kTimeParts), std::end(kTimeParts),
                                         [&](const auto& one) { return one.word == word; });
               known != std::end(kTimeParts))
        out.part = known->part;
      else
        return error(at, unknown_modifier(word));
    }
    if (out.part && out.how != Modifiers::How::equals && out.how != Modifiers::How::order)
      return error(at, "`" + std::string(key) + "`: a part of a time is a number");
    if (hows > 1) return error(at, "`" + std::string(key) + "` compares in two ways at once");
    if (is_same_field) {
      switch (out.how) {
        case Modifiers::How::equals:
          break;
        case Modifiers::How::contains:
          out.same = SameFieldTest::How::contains;
          break;
        case Modifiers::How::starts_with:
          out.same = SameFieldTest::How::starts_with;
          break;
        case Modifiers::How::ends_with:
          out.same = SameFieldTest::How::ends_with;
          break;
        default:
          return error(at, "`" + std::string(key) + "`: |fieldref compares as text only");
      }
      out.how = Modifiers::How::same_field;
    }
    return out;
  }

  Result<Expression> field_entry(std::string_view key, const SigmaValue& value) {
    auto how = YUSHI_TRY(modifiers(key, value));
    std::string name(key.substr(0, key.find('|')));
    std::vector<std::string> names;
    if (name.empty()) {  // '|all': keywords
      names = fields_.keyword_fields;
      if (how.how == Modifiers::How::equals) how.how = Modifiers::How::contains;
    } else {
      names = fields_.find(name);
      if (names.empty()) return no_field(value, name);
    }
    if (value.type == SigmaValue::Type::map) return error(value, "field " + name + ": a map is no value");
    if (value.type != SigmaValue::Type::list) return question(value, names, how);
    if (value.items.empty()) return error(value, "field " + name + ": an empty list matches nothing");
    std::vector<Expression> each;
    for (const SigmaValue& item : value.items) {
      if (item.type == SigmaValue::Type::list || item.type == SigmaValue::Type::map)
        return error(item, "field " + name + ": a list in a list is no value");
      auto one = YUSHI_TRY(question(item, names, how));
      each.push_back(std::move(one));
    }
    return how.all ? Expression::all_of(std::move(each)) : Expression::any_of(std::move(each));
  }

  // The value with each %placeholder% replaced by each text of its list.
  Result<std::vector<SigmaValue>> expanded(const SigmaValue& value) const {
    std::vector<std::string> texts = {""};
    std::string_view left = value.text;
    while (!left.empty()) {
      const size_t open = left.find('%'), close = open == left.npos ? open : left.find('%', open + 1);
      const auto name = close == left.npos ? std::string_view() : left.substr(open + 1, close - open - 1);
      const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '-' || c == '.';
      });
      const size_t end = is_name ? close + 1 : open == left.npos ? left.size() : open + 1;
      for (auto& text : texts) text += left.substr(0, is_name ? open : end);
      left.remove_prefix(end);
      if (!is_name) continue;
      const auto* list = fields_.placeholder ? fields_.placeholder(name) : nullptr;
      if (!list)
        return refused(value, "modifier |expand: there is no list for %" + std::string(name) +
                                  "%; a file of a rule folder may give it: `placeholders: {" + std::string(name) +
                                  ": […]}`");
      if (texts.size() * list->size() > kExpandedMax)
        return refused(value, "modifier |expand: more than " + std::to_string(kExpandedMax) + " values");
      std::vector<std::string> longer;
      for (const auto& text : texts)
        for (const auto& item : *list) longer.push_back(text + item);
      texts = std::move(longer);
    }
    std::vector<SigmaValue> out;
    for (auto& text : texts) {
      out.push_back(value);
      out.back().text = std::move(text);
    }
    return out;
  }

  // One value against the fields that may hold it.
  Result<Expression> question(const SigmaValue& value, const std::vector<std::string>& names, const Modifiers& how) {
    std::vector<Expression> any;
    if (how.expand) {
      Modifiers each = how;
      each.expand = each.negated = false;
      const auto values = YUSHI_TRY(expanded(value));
      for (const SigmaValue& one : values) {
        auto question_of_one = YUSHI_TRY(question(one, names, each));
        any.push_back(std::move(question_of_one));
      }
      auto joined = Expression::any_of(std::move(any));
      return how.negated ? Expression::not_of(std::move(joined)) : std::move(joined);
    }
    for (const std::string& name : names) {
      auto each = YUSHI_TRY(question(value, name, how));
      any.push_back(std::move(each));
    }
    // Missing, and not existing, must hold for each of the fields.
    bool each_of_them =
        value.type == SigmaValue::Type::null ||
        (how.how == Modifiers::How::exists && value.type == SigmaValue::Type::boolean && value.integer == 0);
    auto joined = each_of_them ? Expression::all_of(std::move(any)) : Expression::any_of(std::move(any));
    return how.negated ? Expression::not_of(std::move(joined)) : std::move(joined);
  }

  Result<Expression> question(const SigmaValue& value, const std::string& name, const Modifiers& how) {
    if (how.part) {
      Number number;
      if (!read_number(value.text, &number) || !number.is_integer)
        return error(value, "`" + value.text + "` is no whole number");
      return leaf(name, TimePartTest{*how.part, how.order, number.integer});
    }
    switch (how.how) {
      case Modifiers::How::exists: {
        if (value.type != SigmaValue::Type::boolean) return error(value, "|exists takes true or false");
        auto exists = leaf(name, ExistsTest{});
        return value.integer != 0 ? std::move(exists) : Expression::not_of(std::move(exists));
      }
      case Modifiers::How::regex: {
        auto regex = compile_regex(value.text, how.fold_regex, how.dot_newline, how.multi_line);
        if (!regex) return error(value, regex.error().message, regex.error().code);
        return leaf(name, RegexTest{*regex});
      }
      case Modifiers::How::network: {
        AddressTest test;
        if (!read_network(value.text, &test)) return error(value, "`" + value.text + "` is no network");
        test.reads_strings = true;
        return leaf(name, test);
      }
      case Modifiers::How::order: {
        NumberTest test{how.order, {}, true};
        if (!read_number(value.text, &test.operand)) return error(value, "`" + value.text + "` is no number");
        return leaf(name, test);
      }
      case Modifiers::How::same_field: {
        std::vector<Expression> any;
        for (const std::string& other : fields_.find(value.text))
          any.push_back(leaf(name, SameFieldTest{how.same, find_field(other), other, !how.cased}));
        if (any.empty()) return no_field(value, value.text);
        return Expression::any_of(std::move(any));
      }
      default:
        break;
    }
    if (value.type == SigmaValue::Type::null) {
      std::vector<Expression> either;
      either.push_back(Expression::not_of(leaf(name, ExistsTest{})));
      either.push_back(leaf(name, StringTest{StringPattern::exactly("", false)}));
      return Expression::any_of(std::move(either));
    }
    if (value.type == SigmaValue::Type::boolean && how.how == Modifiers::How::equals) {
      std::vector<Expression> either;
      either.push_back(leaf(name, BooleanTest{value.integer != 0}));
      either.push_back(leaf(name, StringTest{StringPattern::exactly(value.integer ? "true" : "false", true)}));
      return Expression::any_of(std::move(either));
    }
    auto strings = YUSHI_TRY(strings_of(value, how));
    std::vector<Expression> any;
    for (const SigmaString& string : strings) {
      bool open_begin = how.how == Modifiers::How::contains || how.how == Modifiers::How::ends_with;
      bool open_end = how.how == Modifiers::How::contains || how.how == Modifiers::How::starts_with;
      any.push_back(leaf(name, StringTest{string.pattern(!how.cased, open_begin, open_end)}));
      if (how.how != Modifiers::How::equals || string.has_wildcard()) continue;
      const Field* field = find_field(without_place(name));
      NumberTest number{Order::equal, {}, false};
      bool may_be_number = !field || field->type == FieldType::integer || field->type == FieldType::real;
      if (may_be_number && read_number(string.text(), &number.operand)) any.push_back(leaf(name, number));
      AddressTest address;
      bool may_be_address = !field || field->type == FieldType::ip || field->type == FieldType::keyword;
      if (may_be_address && read_network(string.text(), &address) && address.prefix_bits == 128) {
        address.reads_strings = true;
        any.push_back(leaf(name, address));
      }
    }
    return Expression::any_of(std::move(any));
  }

  // The strings of which a value must be, hold or begin with one.
  Result<std::vector<SigmaString>> strings_of(const SigmaValue& value, const Modifiers& how) const {
    auto string =
        value.type == SigmaValue::Type::string ? SigmaString::parse(value.text) : SigmaString::literal(value.text);
    if (how.windash) {
      auto variants = windash_variants(string);
      if (!variants) return refused(value, variants.error().message);
      return *variants;
    }
    if (how.wide == Modifiers::Wide::none && how.coding == Modifiers::Coding::none)
      return std::vector<SigmaString>{std::move(string)};
    if (string.has_wildcard()) return error(value, "a wildcard cannot be encoded");
    std::string bytes = string.text();
    if (how.wide != Modifiers::Wide::none)
      bytes = utf16_bytes(bytes, how.wide == Modifiers::Wide::be, how.wide == Modifiers::Wide::mark);
    std::vector<SigmaString> out;
    if (how.coding == Modifiers::Coding::base64offset) {
      for (const std::string& each : base64_alignments(bytes)) out.push_back(SigmaString::literal(each));
      if (out.empty()) return error(value, "too short for |base64offset");
    } else {
      out.push_back(SigmaString::literal(how.coding == Modifiers::Coding::base64 ? to_base64(bytes) : bytes));
    }
    return out;
  }

  const SigmaFields& fields_;
};

using Searches = std::map<std::string, Expression>;

// k of the names: any combination of k.
Result<Expression> some_of(const SigmaCondition& condition, const Searches& searches) {
  const size_t n = condition.names.size(), k = condition.count;
  std::vector<Expression> each;
  for (const std::string& name : condition.names) each.push_back(searches.at(name));
  if (k == n) return Expression::all_of(std::move(each));
  if (k == 1) return Expression::any_of(std::move(each));
  if (n > 12) return fail(Code::refused, "condition: more than 12 identifiers under `" + std::to_string(k) + " of`");
  std::vector<Expression> any;
  for (uint32_t chosen = 0; chosen < uint32_t{1} << n; ++chosen) {
    if (static_cast<size_t>(std::popcount(chosen)) != k) continue;
    std::vector<Expression> all;
    for (size_t i = 0; i < n; ++i)
      if (chosen >> i & 1) all.push_back(each[i]);
    any.push_back(Expression::all_of(std::move(all)));
  }
  return Expression::any_of(std::move(any));
}

Result<Expression> of_condition(const SigmaCondition& condition, const Searches& searches) {
  switch (condition.kind) {
    case SigmaCondition::Kind::name:
      return searches.at(condition.name);
    case SigmaCondition::Kind::some_of:
      return some_of(condition, searches);
    case SigmaCondition::Kind::not_of: {
      auto inner = YUSHI_TRY(of_condition(condition.children[0], searches));
      return Expression::not_of(std::move(inner));
    }
    default:
      break;
  }
  std::vector<Expression> children;
  for (const SigmaCondition& child : condition.children) {
    auto each = YUSHI_TRY(of_condition(child, searches));
    children.push_back(std::move(each));
  }
  return condition.kind == SigmaCondition::Kind::all_of ? Expression::all_of(std::move(children))
                                                        : Expression::any_of(std::move(children));
}

// A kind of event stands in no text: who looks for it looks among the constants of kinds, and has mostly left out what
// needs another. So it counts as the shortest.
size_t shortest_of(const std::vector<RequiredLiteral>& literals) {
  size_t shortest = ~size_t{0};
  for (const auto& literal : literals)
    shortest = std::min(shortest, literal.field == ecs::yushi_event ? 0 : literal.text.size());
  return shortest;
}

// Sets of literals, of each of which one must stand in a record. The first ones are the rarest, as far as one can tell:
// those whose shortest literal is longest.
using Required = std::vector<std::vector<RequiredLiteral>>;
Required required_by(const Expression& expression) {
  Required out;
  switch (expression.kind) {
    case Expression::Kind::any_of: {
      // Whichever part holds, one of its first literals stands there, and one of its second ones, if it has such.
      std::vector<Required> parts;
      size_t most = 0;
      for (const Expression& child : expression.children) {
        parts.push_back(required_by(child));
        if (parts.back().empty()) return {};
        most = std::max(most, parts.back().size());
      }
      for (size_t nth = 0; nth < most; ++nth) {
        std::vector<RequiredLiteral>& literals = out.emplace_back();
        for (const Required& part : parts) {
          const auto& of_part = part[std::min(nth, part.size() - 1)];
          literals.insert(literals.end(), of_part.begin(), of_part.end());
        }
      }
      return out;
    }
    case Expression::Kind::all_of: {
      for (const Expression& child : expression.children)
        for (auto& literals : required_by(child)) out.push_back(std::move(literals));
      std::stable_sort(out.begin(), out.end(),
                       [](const auto& a, const auto& b) { return shortest_of(a) > shortest_of(b); });
      if (out.size() > kRequiredSetsMax) out.resize(kRequiredSetsMax);
      return out;
    }
    case Expression::Kind::test: {
      auto* test = std::get_if<StringTest>(&expression.test);
      // The decoded request stands in no record's raw; whoever looks for these literals looks in it, too.
      const bool is_of_request = expression.name == "yushi.url.decoded" || expression.name == "yushi.url.plain" ||
                                 expression.name == "yushi.request.plain";
      const bool is_text = !expression.field || expression.field->type == FieldType::keyword ||
                           expression.field->type == FieldType::text;
      const bool is_of_kind = expression.field == ecs::yushi_event;
      if (!test || !is_text || (!is_of_request && !is_of_kind && is_outside_token_filter(expression.name))) return {};
      const auto longest = test->pattern.longest();
      std::string literal = folded(longest.text);
      if (literal.size() >= kLiteralBytesMin)
        out.push_back({{std::move(literal), expression.field, longest.at_begin, longest.at_end}});
      return out;
    }
    default:
      return {};
  }
}

}  // namespace

std::string_view without_place(std::string_view field, int32_t* nth) {
  const size_t open = field.rfind('[');
  if (open == field.npos || !field.ends_with(']')) return field;
  const Field* list = find_field(field.substr(0, open));
  int32_t place = 0;
  const char* end = field.data() + field.size() - 1;
  auto read = std::from_chars(field.data() + open + 1, end, place);
  if (!list || !list->list || read.ec != std::errc() || read.ptr != end || place < 0) return field;
  if (nth) *nth = place;
  return field.substr(0, open);
}

Result<Filter> compile_sigma(const SigmaValue& detection, const SigmaFields& fields) {
  auto error = [](const SigmaValue& at, const std::string& what, Code code = Code::invalid) {
    return fail(code, place_text(at) + what);
  };
  if (detection.type != SigmaValue::Type::map) return error(detection, "detection is no map");
  const SigmaValue* condition = nullptr;
  std::vector<std::string> names;
  Searches searches;
  Compiler compiler(fields);
  for (const auto& [key, value] : detection.entries) YUSHI_TRY(compiler.check_modifiers(value, 0));
  for (const auto& [key, value] : detection.entries) {
    if (key == "condition") {
      condition = &value;
      continue;
    }
    if (key == "timeframe") continue;
    auto search = YUSHI_TRY(compiler.search(value, 0));
    names.push_back(key);
    searches.insert_or_assign(key, std::move(search));
  }
  if (!condition) return error(detection, "detection has no condition");
  std::vector<const SigmaValue*> conditions;
  if (condition->type == SigmaValue::Type::list)
    for (const SigmaValue& item : condition->items) conditions.push_back(&item);
  else
    conditions.push_back(condition);
  std::vector<Expression> any;
  for (const SigmaValue* each : conditions) {
    if (each->type != SigmaValue::Type::string) return error(*each, "condition is no text");
    auto parsed = parse_sigma_condition(each->text, names);
    if (!parsed) return error(*each, parsed.error().message, parsed.error().code);
    auto expression = of_condition(*parsed, searches);
    if (!expression) return error(*each, expression.error().message, expression.error().code);
    any.push_back(std::move(*expression));
  }
  if (any.empty()) return error(*condition, "condition is empty");
  return Filter::from(std::make_shared<const Expression>(Expression::any_of(std::move(any))));
}

std::vector<std::vector<RequiredLiteral>> required_literals(const Filter& filter) {
  return required_by(filter.expression());
}

}  // namespace yushi
