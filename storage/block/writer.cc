#include <algorithm>
#include <map>

#include "storage/block/builder.h"

namespace yushi::storage {
namespace {

// Cuts the sorted times at the widest gaps.
std::vector<TimeRange> cut_times(std::vector<int64_t> times) {
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  std::vector<std::pair<uint64_t, size_t>> gaps;  // width, position of the time behind it
  for (size_t i = 1; i < times.size(); ++i) {
    auto width = static_cast<uint64_t>(times[i]) - static_cast<uint64_t>(times[i - 1]);
    if (width <= 1) continue;
    if (gaps.size() < kEventTimesMax - 1) {
      gaps.emplace_back(width, i);
      std::push_heap(gaps.begin(), gaps.end(), std::greater<>());
    } else if (width > gaps.front().first) {
      std::pop_heap(gaps.begin(), gaps.end(), std::greater<>());
      gaps.back() = {width, i};
      std::push_heap(gaps.begin(), gaps.end(), std::greater<>());
    }
  }
  std::sort(gaps.begin(), gaps.end(), [](auto& a, auto& b) { return a.second < b.second; });
  std::vector<TimeRange> ranges;
  size_t begin = 0;
  for (auto& gap : gaps) {
    ranges.push_back({times[begin], times[gap.second - 1]});
    begin = gap.second;
  }
  ranges.push_back({times[begin], times.back()});
  return ranges;
}

}  // namespace

void BlockBuilder::write_structure(std::string& out) {
  put_text(out, context_.log);
  put_text(out, context_.node);
  auto& parsed = context_.parsed;
  put_varint(out, parsed.contexts.size());
  for (auto& context : parsed.contexts) {
    put_text(out, context.parser_digest);
    put_text(out, context.timezone);
    put_text(out, context.charset);
    put_varint(out, context.engine);
  }
  put_varint(out, parsed.changes.size());
  uint32_t last = 0;
  for (auto& change : parsed.changes) {
    put_varint(out, change.record - last);
    put_varint(out, change.context);
    last = change.record;
  }
  put_varint(out, explicit_ ? 1 : 0);
  // Constants' fields may not be among the captures' yet.
  for (auto kind : kinds_)
    for (auto& constant : kind->constants) fields_.number(constant.field);
  put_varint(out, fields_.fields().size());
  for (auto field : fields_.fields()) {
    put_text(out, field->name);
    out.push_back(static_cast<char>(static_cast<unsigned>(field->type) << 2 | (field->list ? 2 : 0) |
                                    (field->id != kDynamicField ? 1 : 0)));
  }
  put_varint(out, kinds_.size());
  for (auto kind : kinds_) {
    put_text(out, kind->parser);
    put_text(out, kind->pattern);
    put_text(out, kind->dataset);
    put_varint(out, kind->constants.size());
    for (auto& constant : kind->constants) {
      put_varint(out, fields_.number(constant.field));
      put_text(out, constant.value);
    }
  }
  put_varint(out, splitter_.formats().size());
  for (auto& format : splitter_.formats()) {
    out.push_back(static_cast<char>(format.form));
    out.push_back(static_cast<char>(format.digits));
    out.push_back(static_cast<char>(format.style));
    put_signed(out, format.zone_minutes);
  }
}

void BlockBuilder::write_shapes(std::string& out) {
  std::string numbers, text;
  for (auto s : shape_by_rank_) {
    auto& shape = shapes_.shapes()[s];
    auto& meta = shape.meta;
    numbers.push_back(static_cast<char>(meta.flags));
    numbers.push_back(static_cast<char>(meta.digits));
    numbers.push_back(static_cast<char>(meta.inferred));
    numbers.push_back(static_cast<char>(meta.marks));
    numbers.push_back(static_cast<char>(meta.unit));
    put_varint(numbers, meta.kind);
    put_varint(numbers, meta.priority == Record::kNoPriority ? 0 : meta.priority + 1u);
    put_varint(numbers, meta.message_slot);
    put_varint(numbers, meta.message_fixed);
    put_varint(numbers, meta.tail);
    put_varint(numbers, shape.slots);
    auto slots = shapes_.slots(shape);
    auto column = column_of_slot_.data() + column_at_[s];
    size_t in_slots = 0;
    for (uint32_t i = 0; i < shape.slots; ++i) {
      auto& slot = slots[i];
      numbers.push_back(static_cast<char>((slot.escape & 4) << 5 | slot.kind << 2 | (slot.escape & 3)));
      put_varint(numbers, slot.fixed);
      in_slots += slot.fixed;
      auto kind = static_cast<SlotKind>(slot.kind);
      if (kind == SlotKind::fixed_capture) in_slots += slot.extra;
      if (kind != SlotKind::generic) put_varint(numbers, slot.number);
      if (kind == SlotKind::fixed_capture || kind == SlotKind::time || kind == SlotKind::time_same)
        put_varint(numbers, slot.extra);
      if (kind == SlotKind::generic || kind == SlotKind::capture || kind == SlotKind::time)
        put_varint(numbers, *column++);
    }
    put_varint(numbers, shape.fixed - in_slots);
    text.append(shapes_.fixed(shape));
  }
  put_varint(out, shape_by_rank_.size());
  sections_.add(StreamKind::structure, numbers);
  sections_.add(StreamKind::text, text);
  std::vector<uint16_t> ranks(records_.size());
  for (size_t i = 0; i < records_.size(); ++i) ranks[i] = rank_of_shape_[shape_of_[i]];
  columns_.write_ranks(ranks);
}

void BlockBuilder::write_origins(std::string& out) {
  std::map<std::tuple<std::string_view, std::string_view, uint8_t>, uint64_t> senders;
  std::vector<const Origin*> sender_list;
  std::map<std::string_view, uint64_t> next_seq;
  std::vector<uint64_t> lengths, received, commits, sender_of, seqs;
  const Origin* last = nullptr;
  uint64_t expected = 0;
  uint64_t* next = nullptr;
  for (auto record : records_) {
    auto origin = record->origin;
    if (last != nullptr && record->source_seq == expected &&
        (origin == last || (origin->received_ns == last->received_ns && origin->commit == last->commit &&
                            origin->transport == last->transport && origin->source == last->source &&
                            origin->address == last->address))) {
      ++lengths.back();
      *next = ++expected;
      continue;
    }
    auto [sender, new_sender] = senders.try_emplace(
        {origin->source, origin->address, static_cast<uint8_t>(origin->transport)}, sender_list.size());
    if (new_sender) sender_list.push_back(origin);
    next = &next_seq.try_emplace(origin->source, 0).first->second;
    lengths.push_back(1);
    received.push_back(static_cast<uint64_t>(origin->received_ns));
    commits.push_back(origin->commit);
    sender_of.push_back(sender->second);
    seqs.push_back(zigzag(static_cast<int64_t>(record->source_seq - *next)));
    *next = expected = record->source_seq + 1;
    last = origin;
  }
  put_varint(out, sender_list.size());
  for (auto origin : sender_list) {
    put_text(out, origin->source);
    put_text(out, origin->address);
    out.push_back(static_cast<char>(origin->transport));
    tokens_.text(origin->source);
    tokens_.value(origin->address, ecs::log_source_address, Escape::none);
    tokens_.text(transport_name(origin->transport));
  }
  columns_.write_integers(lengths, out);
  columns_.write_integers(received, out);
  columns_.write_integers(commits, out);
  columns_.write_integers(sender_of, out);
  columns_.write_integers(seqs, out);

  summary_.received_from_ns = INT64_MAX;
  summary_.received_to_ns = INT64_MIN;
  for (auto r : received) {
    summary_.received_from_ns = std::min(summary_.received_from_ns, static_cast<int64_t>(r));
    summary_.received_to_ns = std::max(summary_.received_to_ns, static_cast<int64_t>(r));
  }
  if (received.empty()) summary_.received_from_ns = summary_.received_to_ns = 0;
  for (auto& [source, seq] : next_seq) summary_.sources.emplace_back(source);
}

void BlockBuilder::write_times(std::string& out) {
  std::vector<uint64_t> times[kUnitReceived];
  std::vector<int64_t> all;
  all.reserve(records_.size());
  for (size_t i = 0; i < records_.size(); ++i) {
    auto ns = records_[i]->event_ns;
    all.push_back(ns);
    auto unit = is_explicit(i) ? uint8_t{kUnitNano} : shapes_.shapes()[shape_of_[i]].meta.unit;
    if (unit != kUnitReceived) times[unit].push_back(static_cast<uint64_t>(ns / kUnitNs[unit]));
  }
  for (auto& values : times) columns_.write_integers(values, out);
  summary_.event_times = cut_times(std::move(all));
}

void BlockBuilder::write_odd() {
  std::string out;
  for (size_t i = 0; i < records_.size(); ++i) {
    auto& record = *records_[i];
    auto flags = shapes_.shapes()[shape_of_[i]].meta.flags;
    if (is_explicit(i)) {
      put_varint(out, kind_number(record.kind));
      out.push_back(static_cast<char>(record.event_digits));
      out.push_back(static_cast<char>(record.time_inferred));
      out.push_back(static_cast<char>(record.marks));
      put_varint(out, record.captures.size());
      uint32_t pos = 0;
      for (auto& capture : record.captures) {
        put_varint(out, capture.begin - pos);
        put_varint(out, capture.length);
        put_varint(out, fields_.number(capture.field));
        out.push_back(static_cast<char>(capture.escape));
        pos = capture.end();
      }
      flags = kShapeHasPart | kShapeOddMessage | kShapeOddPriority;
    }
    if (flags & kShapeHasPart) {
      tokens_.text(std::to_string(record.part));
      tokens_.text(std::to_string(record.part_of));
      put_varint(out, record.part);
      put_varint(out, record.part_of);
      if (record.part > 1) {
        auto head = record.part_head ? *record.part_head : PartHead{};
        put_varint(out, record.source_seq - head.first_seq);
        for (auto text : {head.host, head.program, head.pid}) {
          put_text(out, text);
          tokens_.text(text);
        }
      }
    }
    if (flags & kShapeOddMessage) {
      put_varint(out, record.message_begin);
      put_varint(out, record.message_length);
    }
    if (flags & kShapeOddPriority) put_varint(out, record.priority == Record::kNoPriority ? 0 : record.priority + 1u);
  }
  sections_.add(StreamKind::structure, out);
}

void BlockBuilder::write_columns(std::string& out) {
  put_varint(out, column_list_.size());
  std::vector<uint64_t> differences;
  for (auto& column : column_list_) {
    auto values = grouped_.data() + column.at;
    put_varint(out, column.count);
    if (column.kind == Column::Kind::time) {
      differences.clear();
      for (size_t i = 0; i < column.count; ++i)
        differences.push_back(zigzag(static_cast<int64_t>(uint64_t{values[i].length} << 32 | values[i].at)));
      // The finest unit that all of them have.
      uint64_t scale = 1;
      while (scale < 1'000'000'000 && std::all_of(differences.begin(), differences.end(), [&](uint64_t d) {
               return unzigzag(d) % static_cast<int64_t>(scale * 1000) == 0;
             }))
        scale *= 1000;
      for (auto& d : differences) d = zigzag(unzigzag(d) / static_cast<int64_t>(scale));
      put_varint(out, scale);
      columns_.write_integers(differences, out);
      continue;
    }
    put_varint(out, 0);
    columns_.write(bytes_.get(), values, column.count, out);
    const Field* field = column.kind == Column::Kind::capture ? fields_.fields()[column.field] : nullptr;
    auto escape = static_cast<Escape>(column.escape);
    for (auto& value : columns_.distinct()) tokens_.value({bytes_.get() + value.at, value.length}, field, escape);
  }
}

}  // namespace yushi::storage
