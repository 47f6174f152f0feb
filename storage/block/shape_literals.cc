#include "storage/block/shape_literals.h"

#include "core/filter/needle.h"

namespace yushi::storage {
namespace {

constexpr std::string_view kWordsOfTimes[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                              "Sep", "Oct", "Nov", "Dec", "Sun", "Mon", "Tue", "Wed",
                                              "Thu", "Fri", "Sat", "UTC", "GMT", "CST"};
constexpr std::string_view kBytesOfTimes = "0123456789-/: .,+*TtZz";

}  // namespace

ShapeLiterals::Literal& ShapeLiterals::known(std::string_view text, bool folds) {
  auto [at, is_new] = literals_.try_emplace({std::string(text), folds});
  auto& literal = at->second;
  if (!is_new) return literal;
  steps_ += 8 * sizeof(Literal);  // so that very many of them take no memory either
  literal.folds = folds;
  literal.is_anywhere = text.empty() || !Needle(std::string(text), folds).is_simple();
  for (size_t i = 0; i < std::min(text.size(), kLengthMax); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const State bit = State{1} << i;
    literal.byte[c] |= bit;
    if (folds && c >= 'a' && c <= 'z') literal.byte[c - 32] |= bit;
    if (folds && (c == 'k' || c == 's')) literal.kelvin_or_long_s |= bit;
    literal.whole = bit;
  }
  return literal;
}

// A character outside ASCII is lost on an ASCII literal, but for the two that fold into a letter of it: they are taken
// where they begin, and their other bytes leave all as it is.
ShapeLiterals::State ShapeLiterals::step(const Literal& literal, State state, unsigned char byte) {
  const State next = state << 1 | 1;
  State to = next & literal.byte[byte];
  if (literal.folds && byte >= 0x80) to |= byte >= 0xc0 ? next & literal.kelvin_or_long_s : state;
  return to | (state & literal.whole);
}

ShapeLiterals::State ShapeLiterals::over(const Literal& literal, State state, std::string_view text) {
  steps_ += text.size() + 1;
  for (const char c : text) state = step(literal, state, static_cast<unsigned char>(c));
  return state;
}

ShapeLiterals::State ShapeLiterals::over_any(const Literal& literal, State state, const Bytes& bytes) {
  State of_bytes = 0;
  for (size_t c = 0; c < bytes.size(); ++c)
    if (bytes[c]) of_bytes |= literal.byte[c];
  for (State before = ~state; state != before;) {
    before = state;
    state |= (state << 1 | 1) & of_bytes;
  }
  return state;
}

ShapeLiterals::State ShapeLiterals::over_time(Literal& literal, State state) {
  auto [at, is_new] = literal.behind_times.try_emplace(state);
  if (!is_new) return at->second;
  Bytes bytes;
  for (const char c : kBytesOfTimes) bytes.set(static_cast<unsigned char>(c));
  State to = state;
  for (State before = ~to; to != before;) {
    before = to;
    to = over_any(literal, to, bytes);
    for (auto word : kWordsOfTimes) to |= over(literal, to, word);
  }
  return at->second = to;
}

const ShapeLiterals::Values* ShapeLiterals::values(uint32_t column) {
  auto [at, is_new] = values_.try_emplace(column);
  if (!is_new) return at->second.get();
  auto& place = layout_.columns[column];
  auto values = std::make_unique<Values>();
  auto header = place.at.go_to(sections_);
  if (!ColumnReader::open_values(header, sections_, place.values, layout_.counts.raw_bytes + 1, &values->texts,
                                 &values->bytes)) {
    failure_ =
        sections_.failure().value_or(damaged_block("its column " + std::to_string(column) + " is damaged").value());
    return nullptr;
  }
  return (at->second = std::move(values)).get();
}

ShapeLiterals::State ShapeLiterals::over_column(Literal& literal, State state, uint32_t column) {
  auto [at, is_new] = literal.behind_columns[column].try_emplace(state);
  if (!is_new) return at->second;
  const auto* of = values(column);
  if (!of) return at->second = literal.whole;
  State to = of->bytes.any() ? over_any(literal, state, of->bytes) : 0;
  for (uint32_t i = 0; i < of->texts.codes() && !(to & literal.whole); ++i) {
    if (steps_ > steps_max_) return at->second = literal.whole;
    to |= over(literal, state, of->texts.text_of(i));
  }
  return at->second = to;
}

bool ShapeLiterals::may_hold(const ReadShape& shape, std::string_view text, bool folds, bool in_message) {
  steps_ += kStepsOfCall + shape.slots;
  if (steps_ > steps_max_) return true;
  auto& literal = known(text, folds);
  const bool is_odd = (shape.meta.flags & kShapeOddMessage) != 0;
  if (literal.is_anywhere) return true;
  State state = 0;
  const char* fixed = shape.fixed;
  auto slot = layout_.slots.data() + shape.slots_at;
  for (uint32_t k = 0; k <= shape.slots; ++k, ++slot) {
    const bool is_last = k == shape.slots;
    const uint32_t length = is_last ? shape.rest : slot->fixed;
    const bool begins_here = in_message && !is_odd && k == shape.meta.message_slot;
    const uint32_t before = begins_here ? shape.meta.message_fixed : 0;
    if (begins_here) state = 0;
    state = over(literal, state, {fixed + before, length - before});
    if (state & literal.whole && (!in_message || is_odd || k >= shape.meta.message_slot)) return true;
    if (is_last) break;
    fixed += length + slot->fixed_capture;
    // What stands before the message is not looked into.
    if (in_message && !is_odd && k < shape.meta.message_slot) continue;
    switch (slot->kind) {
      case SlotKind::fixed_capture:
        state = over(literal, state, {slot->text, slot->fixed_capture});
        break;
      case SlotKind::time:
      case SlotKind::time_same:
        state = over_time(literal, state);
        break;
      case SlotKind::generic:
      case SlotKind::capture:
        state = over_column(literal, state, slot->column);
        break;
    }
    if (state & literal.whole) return true;
  }
  return false;
}

}  // namespace yushi::storage
