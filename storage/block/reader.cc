#include <algorithm>
#include <utility>

#include "storage/block/block.h"
#include "storage/block/decoder.h"
#include "storage/block/shape_literals.h"

namespace yushi::storage {
namespace {

// Where the text of `message` stands: in that of the record's message, elsewhere in raw, or not as it is.
enum class MessageText : uint8_t { in_message, in_raw, nowhere };
MessageText message_text(const BlockLayout& layout, const ReadShape& shape) {
  auto out = MessageText::in_message;
  for (uint32_t i = 0; i < shape.slots; ++i) {
    auto& slot = layout.slots[shape.slots_at + i];
    if (!slot.field || slot.field->name != ecs::message->name) continue;
    if (slot.escape != Escape::none) return MessageText::nowhere;
    out = MessageText::in_raw;
  }
  const bool is_constant = shape.kind && std::any_of(shape.kind->constants.begin(), shape.kind->constants.end(),
                                                     [](auto& each) { return each.field->name == ecs::message->name; });
  return is_constant ? MessageText::nowhere : out;
}

// Whether records of the shape may have a value of the field that is not of their kind and the shape's priority.
bool has_capture(const BlockLayout& layout, const ReadShape& shape, std::string_view name) {
  if (shape.meta.flags != 0) return true;  // a part of a message has the host of the first, say
  const auto slots = layout.slots.begin() + shape.slots_at;
  return std::any_of(slots, slots + shape.slots, [&](auto& slot) { return slot.field && slot.field->name == name; });
}

// The reason why a section does not inflate tells more than what was missed of it.
template <class T>
Result<T> or_why(Result<T> read, const SectionReader& sections) {
  if (read || !sections.failure()) return read;
  return tl::unexpected<Error>(*sections.failure());
}

}  // namespace

Result<DecodedBlock> read_block(std::string_view bytes) {
  auto sections = YUSHI_TRY(SectionReader::open(bytes));
  auto layout = YUSHI_TRY(BlockLayout::read(sections));
  auto batch = YUSHI_TRY(BlockDecoder(layout, sections).read_records());
  return DecodedBlock{layout->head, std::move(batch)};
}

struct BlockReader::Open {
  explicit Open(std::string of) : bytes(std::move(of)) {}
  const std::string bytes;
  SectionReader sections;
  std::shared_ptr<const BlockLayout> layout;
};

BlockReader::BlockReader(std::string bytes) : open_(std::make_unique<Open>(std::move(bytes))) {}
BlockReader::~BlockReader() = default;

Result<std::unique_ptr<BlockReader>> BlockReader::open(std::string bytes) {
  std::unique_ptr<BlockReader> out(new BlockReader(std::move(bytes)));
  auto& open = *out->open_;
  open.sections = YUSHI_TRY(SectionReader::open(open.bytes, /*lazily=*/true));
  open.layout = YUSHI_TRY(BlockLayout::read(open.sections));
  return out;
}

uint32_t BlockReader::records() const { return open_->layout->counts.records; }

std::vector<std::string> BlockReader::field_names() const {
  std::vector<std::string> names;
  for (const Field* field : open_->layout->fields) names.emplace_back(field->name);
  return names;
}

Result<BlockRows> BlockReader::read_rows(const std::vector<std::string>& names, bool with_times,
                                         const std::vector<uint32_t>* places) {
  return or_why(BlockDecoder(open_->layout, open_->sections, places).read_rows(names, with_times), open_->sections);
}

Result<std::vector<uint32_t>> BlockReader::find_places(const std::function<bool(const RecordForm& form)>& may) {
  auto& layout = *open_->layout;
  ShapeLiterals literals(layout, open_->sections);
  std::vector<bool> may_match;  // by rank
  if (layout.has_explicit) may_match.push_back(true);
  for (auto& shape : layout.shapes) {
    const auto text = message_text(layout, shape);
    Record said;
    said.kind = shape.kind;
    said.priority = shape.meta.priority;
    may_match.push_back(may({
        [&](std::string_view literal, bool folds, bool in_message) {
          if (!layout.is_utf8 || (in_message && text == MessageText::nowhere)) return true;
          return literals.may_hold(shape, literal, folds, in_message && text == MessageText::in_message);
        },
        &said,
        [&](std::string_view name) { return has_capture(layout, shape, name); },
    }));
  }
  if (literals.failure()) return tl::unexpected<Error>(*literals.failure());
  open_->sections.go_to(layout.ranks_at);
  RankReader ranks;
  auto bad = [] { return damaged_block("its shapes are damaged"); };
  if (!RankReader::open(open_->sections, layout.counts.records, &ranks)) return bad();
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < layout.counts.records; ++i) {
    uint32_t rank;
    if (!ranks.next(&rank) || rank >= may_match.size()) return bad();
    if (may_match[rank]) places.push_back(i);
  }
  return places;
}

Result<std::unique_ptr<Batch>> BlockReader::read_records(const std::vector<uint32_t>& places) {
  return or_why(BlockDecoder(open_->layout, open_->sections, &places).read_records(), open_->sections);
}

}  // namespace yushi::storage
