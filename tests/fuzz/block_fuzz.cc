// Reads blocks that nobody wrote. Checksums would stop nearly all of them at the door, so the input is taken three
// ways: as the bytes of a block, as the streams of one (sealed with right checksums), and as the bytes of a summary.
// The seed `two_contexts` is of the second kind: the streams of 60 records that two versions of the parsers understood.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/filter/filter.h"
#include "storage/block/block.h"
#include "storage/block/day_head.h"
#include "storage/block/sections.h"

namespace {

// Every view must be readable, every span inside its record.
void touch(const yushi::Batch& batch) {
  uint64_t sum = 0;
  for (auto& record : batch.records) {
    for (unsigned char c : record.raw) sum += c;
    if (record.message_begin + size_t{record.message_length} > record.raw.size()) std::abort();
    uint32_t pos = 0;
    for (auto& capture : record.captures) {
      if (capture.begin < pos || capture.end() > record.raw.size()) std::abort();
      pos = capture.end();
      sum += capture.field->name.size();
    }
    sum += record.origin->source.size();
    if (record.kind != nullptr) sum += record.kind->parser.size() + record.kind->constants.size();
  }
  volatile uint64_t seen = sum;
  (void)seen;
}

// Of a block that reads as a whole any rows read, and say the same.
void read_rows(yushi::storage::BlockReader& reader, const std::vector<std::string>& names, bool with_times,
               const std::vector<uint32_t>* places, const yushi::storage::DecodedBlock* whole) {
  auto rows = reader.read_rows(names, with_times, places);
  if (rows) touch(*rows->batch);
  if (!whole) return;
  if (!rows || rows->row_of.size() != (places ? places->size() : whole->batch->records.size())) std::abort();
  auto says = [&](const yushi::Record& record, const std::string& name) {
    yushi::Scratch scratch;
    std::string out;
    yushi::visit_field(
        record, yushi::find_field(name), name, scratch,
        [](void* context, const yushi::Value& value) { (*static_cast<std::string*>(context) += value.text) += ';'; },
        &out);
    return out;
  };
  for (size_t i = 0; i < rows->row_of.size(); ++i) {
    auto& want = whole->batch->records[places ? (*places)[i] : i];
    if (with_times && rows->event_ns[i] != want.event_ns) std::abort();
    for (auto& name : names)
      if (says(rows->batch->records[rows->row_of[i]], name) != says(want, name)) std::abort();
  }
}

// So does any record of it by itself.
void read_some(yushi::storage::BlockReader& reader, const std::vector<uint32_t>& places,
               const yushi::storage::DecodedBlock* whole) {
  auto some = reader.read_records(places);
  if (some) touch(**some);
  if (!whole) return;
  if (!some) std::abort();
  for (size_t i = 0; i < places.size(); ++i)
    if ((*some)->records[i].raw != whole->batch->records[places[i]].raw) std::abort();
}

// A literal that stands in a record may stand there.
void find_some(yushi::storage::BlockReader& reader, const yushi::storage::DecodedBlock* whole) {
  std::string literal = "1";
  if (whole && !whole->batch->records.empty())
    literal = whole->batch->records.back().raw.substr(whole->batch->records.back().raw.size() / 3, 9);
  for (const bool in_message : {false, true}) {
    auto places =
        reader.find_places([&](auto& form) { return form.has_literal(literal, /*folds=*/false, in_message); });
    if (!whole) continue;
    if (!places) std::abort();
    for (uint32_t i = 0; i < whole->batch->records.size(); ++i) {
      auto& record = whole->batch->records[i];
      const auto text = in_message ? record.message() : record.raw;
      if (text.find(literal) != text.npos && !std::binary_search(places->begin(), places->end(), i)) std::abort();
    }
  }
}

// What a filter asks of forms holds back no record that matches.
void find_matches(yushi::storage::BlockReader& reader, const yushi::storage::DecodedBlock& whole) {
  static const auto filters = [] {
    std::vector<yushi::Filter> out;
    for (const char* text : {"not user.name: root", "host.name: * and not source.ip: *", "log.syslog.severity.code < 4",
                             "not log.syslog.facility.name: kern", "not event.dataset: *",
                             "not (message: *1* or event.outcome: failure)", "event.category: * or yushi.part: 1"})
      out.push_back(*yushi::Filter::parse_kql(text, {}));
    return out;
  }();
  yushi::Scratch scratch;
  for (auto& filter : filters) {
    auto places = reader.find_places([&](auto& form) { return filter.may_match_form(form, scratch); });
    if (!places) std::abort();
    for (uint32_t i = 0; i < whole.batch->records.size(); ++i)
      if (!std::binary_search(places->begin(), places->end(), i) && filter.matches(whole.batch->records[i], scratch))
        std::abort();
  }
}

void read(std::string_view bytes) {
  auto whole = yushi::storage::read_block(bytes);
  if (whole) touch(*whole->batch);
  auto reader = yushi::storage::BlockReader::open(std::string(bytes));
  if (!reader && whole) std::abort();
  if (!reader) return;
  std::vector<uint32_t> places;
  const size_t count = whole ? whole->batch->records.size() : 8;
  for (uint32_t i = 1; i < count; i += 3) places.push_back(i);
  read_some(**reader, places, whole ? &*whole : nullptr);
  find_some(**reader, whole ? &*whole : nullptr);
  if (whole) find_matches(**reader, *whole);
  const std::vector<std::string> captured = {"source.ip", "user.name", "host.name"},
                                 told = {"log.syslog.priority", "event.outcome", "event.dataset", "user.name"};
  const yushi::storage::DecodedBlock* want = whole ? &*whole : nullptr;
  for (const bool with_times : {false, true}) {
    read_rows(**reader, captured, with_times, nullptr, want);
    read_rows(**reader, captured, with_times, &places, want);
    read_rows(**reader, told, with_times, &places, want);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  read(input);
  if (auto summary = yushi::storage::BlockSummary::decode(input)) (void)summary->encode();
  (void)yushi::storage::BlockSummary().decode_words(input);
  if (auto day = yushi::storage::DayHead::decode(input)) (void)day->encode();

  yushi::Reader in(input);
  yushi::storage::BlockCounts counts;
  counts.first_index = in.varint();
  counts.records = static_cast<uint32_t>(in.varint() % 4096);
  counts.raw_bytes = in.varint() % (1 << 20);
  counts.captures = in.varint() % (1 << 16);
  yushi::storage::SectionWriter sections(1);
  while (in.ok() && in.left() > 0) {
    auto kind = in.byte() % yushi::storage::kStreamKinds;
    sections.add(static_cast<yushi::storage::StreamKind>(kind), in.text());
  }
  const std::string block = sections.finish(counts);
  read(block);
  return 0;
}
