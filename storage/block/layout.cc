#include "storage/block/layout.h"

#include <algorithm>
#include <map>

namespace yushi::storage {
namespace {

constexpr size_t kFieldsMax = 1 << 20;
constexpr size_t kKindsMax = 1 << 16;

}  // namespace

tl::unexpected<Error> damaged_block(const std::string& what) {
  return fail(Code::corrupt, "reading a block: " + what + "; `yushi repair` brings it back from a copy");
}

// How the records were understood, and where among them that changes.
bool BlockLayout::read_contexts(Reader& in) {
  auto& parsed = head.parsed;
  auto contexts = in.varint();
  if (!in.ok() || contexts == 0 || contexts > kParseContextsMax) return false;
  for (uint64_t i = 0; i < contexts; ++i) {
    ParseContext context;
    context.parser_digest = in.text();
    context.timezone = in.text();
    context.charset = in.text();
    auto engine = in.varint();
    if (!in.ok() || engine > UINT32_MAX) return false;
    context.engine = static_cast<uint32_t>(engine);
    parsed.contexts.push_back(std::move(context));
  }
  auto changes = in.varint();
  if (!in.ok() || changes > counts.records || changes > in.left()) return false;
  uint64_t record = 0;
  uint32_t now = 0;
  for (uint64_t i = 0; i < changes; ++i) {
    auto distance = in.varint();
    auto context = in.varint();
    if (!in.ok() || distance == 0 || distance >= counts.records - record || context >= contexts || context == now)
      return false;
    record += distance;
    now = static_cast<uint32_t>(context);
    parsed.changes.push_back({static_cast<uint32_t>(record), now});
  }
  return true;
}

Result<void> BlockLayout::read_fields_and_kinds(Reader& in) {
  head.log = in.text();
  head.node = in.text();
  if (!read_contexts(in)) return damaged_block("how its messages were understood is damaged");
  has_explicit = in.varint() != 0;
  auto count = in.varint();
  if (!in.ok() || count > kFieldsMax || count > in.left()) return damaged_block("the count of its fields cannot be");
  fields.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    auto name = in.text();
    auto form = in.byte();
    auto type = form >> 2;
    if (!in.ok() || type > static_cast<int>(FieldType::date)) return damaged_block("its fields are damaged");
    auto field_type = static_cast<FieldType>(type);
    bool list = (form & 2) != 0;
    const Field* field = nullptr;
    if (form & 1) {
      if (auto declared = declare_field(name, field_type, list)) field = *declared;
      // A record's fields are those that it had at commit, whatever today's table of ECS says.
      if (field != nullptr && (field->type != field_type || field->list != list)) field = nullptr;
    }
    if (field == nullptr) field = arena.make(Field{arena.copy(name), field_type, kDynamicField, list});
    fields.push_back(field);
  }
  count = in.varint();
  if (!in.ok() || count > kKindsMax || count > in.left())
    return damaged_block("the count of its parsers' patterns cannot be");
  kinds.resize(count);
  for (auto& kind : kinds) {
    kind.parser = in.text();
    kind.pattern = in.text();
    kind.dataset = in.text();
    auto constants = in.varint();
    if (!in.ok() || constants > in.left()) return damaged_block("its parsers' patterns are damaged");
    for (uint64_t i = 0; i < constants; ++i) {
      auto field = in.varint();
      if (field >= fields.size()) return damaged_block("its parsers' patterns name a field that is not there");
      kind.constants.push_back({fields[field], std::string(in.text())});
    }
  }
  count = in.varint();
  if (!in.ok() || count > kTimeFormatsMax) return damaged_block("its formats of times are damaged");
  for (uint64_t i = 0; i < count; ++i) {
    TimeFormat format;
    format.form = static_cast<TimeForm>(in.byte());
    format.digits = in.byte();
    format.style = in.byte();
    auto zone = in.signed_varint();
    if (!in.ok() || format.form > TimeForm::other || format.digits > 9 || zone < INT16_MIN || zone > INT16_MAX)
      return damaged_block("its formats of times are damaged");
    format.zone_minutes = static_cast<int16_t>(zone);
    formats.push_back(format);
  }
  return {};
}

Result<void> BlockLayout::read_shapes(Reader& in, SectionReader& sections) {
  auto bad = [] { return damaged_block("its shapes are damaged"); };
  auto count = in.varint();
  Reader numbers(sections.next());
  auto text = sections.next();
  if (!in.ok() || count > kDictionaryMax || count > numbers.left()) return bad();
  shapes.resize(count);
  for (auto& shape : shapes) {
    auto& meta = shape.meta;
    meta.flags = numbers.byte();
    meta.digits = numbers.byte();
    meta.inferred = numbers.byte();
    meta.marks = numbers.byte();
    meta.unit = numbers.byte();
    auto kind = numbers.varint();
    auto priority = numbers.varint();
    auto message_slot = numbers.varint();
    auto message_fixed = numbers.varint();
    auto tail = numbers.varint();
    auto slot_count = numbers.varint();
    if (!numbers.ok() || (meta.flags & kShapeExplicit) || meta.unit >= kTimeUnits || kind > kinds.size() ||
        priority > 0xffff || message_slot > slot_count || message_fixed > text.size() || slot_count > numbers.left() ||
        tail > kBlockRawBytesMax)
      return bad();
    shape.kind = kind == 0 ? nullptr : &kinds[kind - 1];
    meta.priority = priority == 0 ? Record::kNoPriority : static_cast<uint16_t>(priority - 1);
    meta.message_slot = static_cast<uint32_t>(message_slot);
    meta.message_fixed = static_cast<uint32_t>(message_fixed);
    meta.tail = static_cast<uint32_t>(tail);
    shape.fixed = text.data();
    shape.slots_at = static_cast<uint32_t>(slots.size());
    shape.slots = static_cast<uint32_t>(slot_count);
    uint32_t in_slot_text = 0;  // the fixed text between message_slot and the next one must reach as far as said
    for (uint64_t i = 0; i < slot_count; ++i) {
      ReadSlot slot{};
      auto form = numbers.byte();
      const int kind_of_slot = form >> 2 & 31;
      if (kind_of_slot > static_cast<int>(SlotKind::time)) return bad();
      slot.kind = static_cast<SlotKind>(kind_of_slot);
      slot.escape = static_cast<Escape>((form & 3) | (form >> 5 & 4));
      auto fixed = numbers.varint();
      if (fixed > text.size()) return bad();
      text.remove_prefix(fixed);
      slot.fixed = static_cast<uint32_t>(fixed);
      if (i == message_slot) in_slot_text = slot.fixed;
      if (slot.kind != SlotKind::generic) {
        auto field = numbers.varint();
        if (field >= fields.size()) return bad();
        slot.field = fields[field];
        slot.field_number = static_cast<uint32_t>(field);
        ++shape.captures;
      }
      if (slot.kind == SlotKind::fixed_capture) {
        auto length = numbers.varint();
        if (length > text.size()) return bad();
        slot.text = text.data();
        text.remove_prefix(length);
        slot.fixed_capture = static_cast<uint32_t>(length);
      } else if (slot.kind == SlotKind::time || slot.kind == SlotKind::time_same) {
        auto format = numbers.varint();
        if (format >= formats.size()) return bad();
        slot.format = static_cast<uint32_t>(format);
      }
      if (has_column(slot)) {
        auto column = numbers.varint();
        if (column >= in.left()) return bad();        // each has bytes there
        slot.column = static_cast<uint32_t>(column);  // checked when the columns are there
      }
      slots.push_back(slot);
    }
    auto rest = numbers.varint();
    if (!numbers.ok() || rest > text.size()) return bad();
    text.remove_prefix(rest);
    shape.rest = static_cast<uint32_t>(rest);
    if (message_slot == slot_count) in_slot_text = shape.rest;
    if (message_fixed > in_slot_text) return bad();
  }
  if (numbers.left() != 0 || !text.empty()) return bad();
  ranks_at = sections.at();
  sections.skip(2);
  return {};
}

Result<void> BlockLayout::read_origins(Reader& in, SectionReader& sections) {
  auto bad = [] { return damaged_block("its origins are damaged"); };
  auto log = arena.copy(head.log);
  auto node = arena.copy(head.node);
  auto count = in.varint();
  if (!in.ok() || count > counts.records || count > in.left()) return bad();
  struct Sender {
    Origin origin;
    uint64_t* next_seq;
  };
  std::vector<Sender> senders;
  std::map<std::string_view, uint64_t> next_seq;
  for (uint64_t i = 0; i < count; ++i) {
    Sender sender{};
    sender.origin.source = arena.copy(in.text());
    sender.origin.address = arena.copy(in.text());
    auto transport = in.byte();
    if (!in.ok() || transport > static_cast<uint8_t>(Transport::internal)) return bad();
    sender.origin.transport = static_cast<Transport>(transport);
    sender.origin.log = log;
    sender.origin.node = node;
    sender.next_seq = &next_seq.try_emplace(sender.origin.source, 0).first->second;
    senders.push_back(sender);
  }
  IntegerReader lengths, received, commits, sender_of, seqs;
  for (auto reader : {&lengths, &received, &commits, &sender_of, &seqs})
    if (!IntegerReader::open(in, sections, reader)) return bad();
  if (lengths.count() > counts.records) return bad();
  uint64_t total = 0, length;
  auto& parsed = head.parsed;
  auto change = parsed.changes.begin();
  std::vector<Charset> charsets;
  for (auto& context : parsed.contexts) {
    auto charset = find_charset(context.charset);
    if (!charset) return damaged_block("the charset `" + context.charset + "` is none that this version knows");
    charsets.push_back(*charset);
    is_utf8 = is_utf8 && *charset == Charset::utf8;
  }
  uint32_t context = 0;
  runs.reserve(lengths.count() + parsed.changes.size());
  while (lengths.next(&length)) {
    uint64_t ns, commit, sender, seq;
    if (length == 0 || length > counts.records - total || !received.next(&ns) || !commits.next(&commit) ||
        !sender_of.next(&sender) || sender >= senders.size() || !seqs.next(&seq))
      return bad();
    auto origin = senders[sender].origin;
    origin.received_ns = static_cast<int64_t>(ns);
    origin.commit = commit;
    auto& next = *senders[sender].next_seq;
    next += static_cast<uint64_t>(unzigzag(seq));
    // A run that goes on over a change is two: their texts may be of two charsets.
    while (length > 0) {
      if (change != parsed.changes.end() && change->record == total) context = change++->context;
      auto here = change == parsed.changes.end() ? length : std::min<uint64_t>(length, change->record - total);
      runs.push_back({here, arena.make(origin), next, charsets[context]});
      next += here;
      total += here;
      length -= here;
    }
  }
  if (total != counts.records) return bad();
  return {};
}

Result<void> BlockLayout::find_columns(Reader& in, SectionReader& sections) {
  for (int unit = 0; unit < kUnitReceived; ++unit) {
    times.push_back({in, sections.at()});
    if (!IntegerReader::skip(in, sections)) return damaged_block("its times are damaged");
  }
  odd_at = sections.at();
  sections.skip(1);
  auto count = in.varint();
  if (!in.ok() || count > in.left()) return damaged_block("the count of its columns cannot be");
  columns.reserve(count);
  // Each value is a capture, or a message without a shape, or has a byte of raw.
  const uint64_t values_max = counts.captures + counts.raw_bytes + counts.records;
  for (uint64_t i = 0; i < count; ++i) {
    auto values = in.varint();
    auto scale = in.varint();
    bool good = in.ok() && scale <= 1'000'000'000'000 && values <= values_max;
    columns.push_back({{in, sections.at()}, values, static_cast<int64_t>(scale)});
    good = good && (scale != 0 ? IntegerReader::skip(in, sections) : ColumnReader::skip(in, sections));
    if (!good) return damaged_block("its column " + std::to_string(i) + " is damaged");
  }
  if (in.left() != 0 || sections.streams_left() != 1) return damaged_block("it holds more than its columns");
  for (auto& slot : slots) {
    if (!has_column(slot)) continue;
    if (slot.column >= columns.size() || (columns[slot.column].scale != 0) != (slot.kind == SlotKind::time))
      return damaged_block("a shape names a column that is not there");
  }
  if (has_explicit && (columns.empty() || columns.back().scale != 0))
    return damaged_block("its messages without a shape are not there");
  return {};
}

Result<std::shared_ptr<const BlockLayout>> BlockLayout::read(SectionReader& sections) {
  auto out = std::make_shared<BlockLayout>();
  out->counts = sections.counts();
  Reader in(sections.last());
  auto done = out->read_fields_and_kinds(in);
  if (done) done = out->read_shapes(in, sections);
  if (done) done = out->read_origins(in, sections);
  if (done) done = out->find_columns(in, sections);
  if (!done) return tl::unexpected<Error>(sections.failure().value_or(done.error()));
  return out;
}

}  // namespace yushi::storage
