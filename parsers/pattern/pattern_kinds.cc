#include "parsers/pattern/pattern_kinds.h"

#include <algorithm>

#include "parsers/file/parser_definition.h"

namespace yushi::parsers {

PatternKinds::~PatternKinds() {
  for (uint32_t i = 0; i < pages_of(combinations_); ++i) {
    auto* page = pages_[i].load(std::memory_order_relaxed);
    if (page == nullptr) continue;
    for (auto& kind : *page) delete kind.load(std::memory_order_relaxed);
    delete page;
  }
}

const MessageKind* PatternKinds::publish(uint32_t combination, std::unique_ptr<const MessageKind> kind) const {
  auto& place = pages_[combination / kPageKinds];
  auto* page = place.load(std::memory_order_acquire);
  if (page == nullptr) {
    auto made = std::make_unique<Page>();
    if (place.compare_exchange_strong(page, made.get(), std::memory_order_acq_rel)) page = made.release();
  }
  const MessageKind* there = nullptr;
  if ((*page)[combination % kPageKinds].compare_exchange_strong(there, kind.get(), std::memory_order_acq_rel))
    return kind.release();
  return there;
}

bool PatternKinds::has(const MessageKind* kind) const {
  for (uint32_t i = 0; i < pages_of(combinations_); ++i)
    if (auto* page = pages_[i].load(std::memory_order_acquire))
      for (auto& one : *page)
        if (one.load(std::memory_order_acquire) == kind) return true;
  return false;
}

namespace {

MessageKind make_kind(const ParserDefinition& parser, const PatternDefinition& pattern, uint32_t number) {
  const bool is_capped = number % 2 != 0, is_unconfirmed = number / 2 % 2 != 0;
  number /= 4;
  const auto variants = static_cast<uint32_t>(pattern.variants.size()) + 1;
  const auto variant = number % variants;
  number /= variants;
  std::vector<uint32_t> ways(pattern.tables.size());
  for (size_t i = ways.size(); i-- > 0; number /= pattern.tables[i]->ways())
    ways[i] = number % pattern.tables[i]->ways();

  MessageKind out{parser.name, pattern.name, parser.dataset, pattern.constants,
                  parser.join && parser.join->by_fields()};
  for (size_t i = 0; i < ways.size(); ++i)
    if (auto* constants = pattern.tables[i]->constants(ways[i])) out.constants = merged(out.constants, *constants);
  if (variant != 0) {
    out.pattern += "/" + pattern.variants[variant - 1].name;
    out.constants = merged(out.constants, pattern.variants[variant - 1].fields);
  }
  if (is_unconfirmed) {
    out.pattern += "/unconfirmed";
    out.constants.push_back({ecs::yushi_program_unconfirmed, "true"});
  }
  if (is_capped) {
    out.pattern += "/capped";
    out.constants.push_back(capped_message());
  }
  return out;
}

// Of the outer message's constants those that say what happened are the inner one's to say.
bool is_of_event(const ConstantField& constant) {
  return constant.field == ecs::yushi_event || constant.field->name.starts_with("event.");
}

std::vector<ConstantField> of_both(const MessageKind& outer, const MessageKind& inner) {
  std::vector<ConstantField> under;
  for (auto& constant : outer.constants)
    if (!is_of_event(constant)) under.push_back(constant);
  return merged(under, inner.constants);
}

}  // namespace

std::vector<ConstantField> merged(const std::vector<ConstantField>& under, const std::vector<ConstantField>& over) {
  std::vector<ConstantField> out;
  for (auto& constant : under)
    if (std::none_of(over.begin(), over.end(), [&](auto& other) { return other.field == constant.field; }))
      out.push_back(constant);
  out.insert(out.end(), over.begin(), over.end());
  return out;
}

const MessageKind* InnerKinds::get(const MessageKind& outer, const MessageKind& inner) {
  MutexLock lock(mutex_);
  if (auto known = kinds_.find({&outer, &inner}); known != kinds_.end()) return known->second.get();
  if (kinds_.size() == kKindsMax) return &inner;
  // The parser is the outer one: that the lines are joined and counted by.
  MessageKind made{outer.parser, outer.pattern + "/" + inner.parser + "/" + inner.pattern, inner.dataset,
                   of_both(outer, inner), outer.is_line};
  return (kinds_[{&outer, &inner}] = std::make_unique<const MessageKind>(std::move(made))).get();
}

bool InnerKinds::carries(const MessageKind& kind, std::string_view parser) {
  const std::string_view pattern = kind.pattern;
  for (size_t at = pattern.find('/'); at != pattern.npos; at = pattern.find('/', at + 1))
    if (pattern.substr(at + 1).starts_with(parser) && pattern.substr(at + 1 + parser.size()).starts_with('/'))
      return true;
  return false;
}

void use_dictionary(ParserDefinition& parser, const std::shared_ptr<const Dictionary>& dictionary) {
  for (auto& pattern : parser.patterns) {
    if (pattern.extract == Body::none) continue;
    pattern.dictionary = dictionary;
    const auto add = [&](std::shared_ptr<const RowTable> rows, size_t number) {
      auto table = std::make_shared<ValueTable>();
      table->rows = std::move(rows);
      table->of_dictionary = static_cast<uint32_t>(number);
      pattern.tables.push_back(std::move(table));
    };
    for (size_t i = 0; i < dictionary->words().size(); ++i) add(dictionary->words()[i], i + 1);
    auto inferred = std::make_shared<RowTable>();
    inferred->add("true", {{find_field("yushi.inferred"), "true"}});
    add(std::move(inferred), dictionary->words().size() + 1);
    pattern.kinds = std::make_unique<PatternKinds>(static_cast<uint32_t>(pattern.combinations() * 4));
  }
}

uint64_t PatternDefinition::combinations() const {
  uint64_t out = variants.size() + 1;
  for (auto& table : tables) out = std::min(out * table->ways(), kCombinationsMax + 1);
  return out;
}

const MessageKind* kind_of(const ParserDefinition& parser, const PatternDefinition& pattern, Combination combination) {
  return pattern.kinds->get(combination.number, [&](uint32_t number) { return make_kind(parser, pattern, number); });
}

}  // namespace yushi::parsers
