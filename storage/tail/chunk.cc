#include "storage/tail/chunk.h"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace yushi::storage {
namespace {

constexpr uint8_t kChunkVersion = 4;
constexpr uint8_t kZstdVersion = 3;  // its body is a zstd frame; all else is the same
// a group must fit into one block, also when messages are two bytes long
constexpr size_t kGroupRecordsMax = 32 << 10;
constexpr uint64_t kBodyBytesMax = 256u << 20;  // no commit makes a larger one; a damaged length must not allocate it

// The chunk is short-lived, so that LZ4 is enough: of a 128 KiB batch 0.40 µs and 83 bytes a message, where zstd's
// level -4 takes 0.55 µs and 79.
struct Compressor {
  std::vector<char> state = std::vector<char>(static_cast<size_t>(LZ4_sizeofState()));
  std::string staging, packed;  // kept: their memory is touched again and again
};

// What stands in a later part's head; the rest is in the chunk's.
void put_part_head(const PartHead& head, std::string& out) {
  put_text(out, head.host);
  put_text(out, head.program);
  put_text(out, head.pid);
  put_signed(out, head.event_ns);
  out.push_back(static_cast<char>(head.event_digits));
  out.push_back(static_cast<char>(head.time_inferred));
  put_varint(out, head.priority);
}

PartHead read_part_head(Reader& in, Arena& arena) {
  PartHead head;
  for (auto* text : {&head.host, &head.program, &head.pid}) *text = arena.copy(in.text());
  head.event_ns = in.signed_varint();
  head.event_digits = in.byte();
  head.time_inferred = in.byte();
  head.priority = static_cast<uint16_t>(in.varint());
  return head;
}

void compress(Compressor& c, std::string_view body, std::string& out) {
  YUSHI_ASSERT(body.size() <= kBodyBytesMax, "a chunk of %zu bytes", body.size());
  const auto size = static_cast<int>(body.size());
  const int bound = LZ4_compressBound(size);
  if (c.packed.size() < static_cast<size_t>(bound)) c.packed.resize(static_cast<size_t>(bound));
  const int packed = LZ4_compress_fast_extState(c.state.data(), body.data(), c.packed.data(), size, bound, 1);
  YUSHI_ASSERT(packed > 0, "LZ4 packs %d bytes into %d", size, packed);
  const auto n = static_cast<size_t>(packed);
  out.reserve(n + 4);  // the length of the body follows
  out.assign(c.packed.data(), n);
}

// Whether `packed` is just `size` bytes.
bool inflate(bool is_zstd, std::string_view packed, char* to, size_t size) {
  if (is_zstd) return ZSTD_decompress(to, size, packed.data(), packed.size()) == size;
  if (packed.size() > kBodyBytesMax * 2) return false;
  return LZ4_decompress_safe(packed.data(), to, static_cast<int>(packed.size()), static_cast<int>(size)) ==
         static_cast<int>(size);
}

uint32_t source_position(ChunkGroup& group, const Origin& origin) {
  for (uint32_t i = 0; i < group.sources.size(); ++i) {
    auto& s = group.sources[i];
    if (s.source == origin.source && s.address == origin.address && s.transport == origin.transport) return i;
  }
  group.sources.push_back({std::string(origin.source), std::string(origin.address), origin.transport, 0});
  return static_cast<uint32_t>(group.sources.size() - 1);
}

}  // namespace

PreparedBatch prepare(std::shared_ptr<Batch> batch, const std::vector<std::shared_ptr<const ParseContext>>& contexts) {
  thread_local Compressor compressor;
  PreparedBatch out;
  ChunkGroup* group = nullptr;
  const Origin* last_origin = nullptr;
  uint32_t last_source = 0;
  for (auto& record : batch->records) {
    bool full = group && group->records.size() >= kGroupRecordsMax;
    if (record.origin != last_origin || full) {
      last_origin = record.origin;
      auto log = record.origin->log_id;
      if (!group || group->log_id != log || full) {
        auto it = std::find_if(out.groups.begin(), out.groups.end(),
                               [&](auto& g) { return g.log_id == log && g.records.size() < kGroupRecordsMax; });
        if (it == out.groups.end()) {
          YUSHI_ASSERT(log < contexts.size(), "log %u of %zu", log, contexts.size());
          out.groups.emplace_back();
          it = out.groups.end() - 1;
          it->log_id = log;
          it->context = contexts[log];
          it->event_from_ns = it->event_to_ns = record.event_ns;
          it->records.reserve(std::min(batch->records.size(), kGroupRecordsMax));
        }
        group = &*it;
      }
      last_source = source_position(*group, *record.origin);
    }
    if (last_source != 0 || !group->source_of.empty()) {
      group->source_of.resize(group->records.size(), 0);  // all before were of the first source
      group->source_of.push_back(last_source);
    }
    if (auto sequence = sequence_number(record)) {
      group->numbered.push_back({static_cast<uint32_t>(group->records.size()), *sequence});
    }
    if (record.part > 1) group->later_parts.push_back(static_cast<uint32_t>(group->records.size()));
    group->records.push_back(&record);
    group->raw_bytes += record.raw.size();
    group->event_from_ns = std::min(group->event_from_ns, record.event_ns);
    group->event_to_ns = std::max(group->event_to_ns, record.event_ns);
  }
  for (auto& g : out.groups) {
    auto& staging = compressor.staging;
    staging.clear();
    int64_t received = 0;
    for (size_t i = 0; i < g.records.size(); ++i) {
      auto& r = *g.records[i];
      put_varint(staging, r.raw.size());
      if (!g.source_of.empty()) put_varint(staging, g.source_of[i]);
      put_signed(staging, r.origin->received_ns - received);
      received = r.origin->received_ns;
      put_varint(staging, r.part);
      if (r.part) put_varint(staging, r.part_of);
      if (r.part > 1) put_part_head(r.part_head ? *r.part_head : PartHead{}, staging);
      staging.push_back(static_cast<char>(r.marks));
    }
    for (auto* r : g.records) staging.append(r->raw);
    compress(compressor, staging, g.body);
    put_be32(g.body, static_cast<uint32_t>(staging.size()));
    out.raw_bytes += g.raw_bytes;
  }
  out.batch = std::move(batch);
  return out;
}

std::string finish_chunk(uint64_t commit, const ChunkGroup& group) {
  std::string out;
  out.reserve(group.body.size() + 256);
  out.push_back(static_cast<char>(kChunkVersion));
  put_varint(out, commit);
  put_varint(out, group.records.size());
  put_varint(out, group.raw_bytes);
  put_signed(out, group.event_from_ns);
  put_signed(out, group.event_to_ns - group.event_from_ns);
  put_text(out, group.context->parser_digest);
  put_text(out, group.context->timezone);
  put_text(out, group.context->charset);
  put_varint(out, group.context->engine);
  put_varint(out, group.sources.size());
  for (auto& s : group.sources) {
    put_text(out, s.source);
    put_text(out, s.address);
    out.push_back(static_cast<char>(s.transport));
    put_varint(out, s.first_seq);
  }
  put_text(out, {});  // sealed by no key
  put_varint(out, group.later_parts.size());
  for (auto i : group.later_parts) put_varint(out, group.records[i]->part_head->first_seq);
  out += group.body;
  return out;
}

Result<ChunkHead> ChunkHead::decode(uint64_t first_index, std::string_view bytes) {
  Reader in(bytes);
  ChunkHead head;
  auto version = in.byte();
  if (version != kChunkVersion && version != kZstdVersion) {
    return fail(Code::refused, "chunk of version " + std::to_string(version) + "; this yushi reads version " +
                                   std::to_string(kChunkVersion));
  }
  head.first_index = first_index;
  head.is_zstd = version == kZstdVersion;
  head.commit = in.varint();
  auto records = in.varint();
  head.raw_bytes = in.varint();
  head.event_from_ns = in.signed_varint();
  // Damaged bytes may hold any sum; it must wrap, not be undefined.
  head.event_to_ns =
      static_cast<int64_t>(static_cast<uint64_t>(head.event_from_ns) + static_cast<uint64_t>(in.signed_varint()));
  head.context.parser_digest = in.text();
  head.context.timezone = in.text();
  head.context.charset = in.text();
  auto engine = in.varint();
  head.context.engine = static_cast<uint32_t>(engine);
  auto sources = in.varint();
  if (!in.ok() || engine > UINT32_MAX || sources > in.left() || records > kBodyBytesMax)
    return fail(Code::corrupt, "chunk head is damaged");
  head.records = static_cast<uint32_t>(records);
  for (uint64_t i = 0; i < sources && in.ok(); ++i) {
    ChunkSource s;
    s.source = in.text();
    s.address = in.text();
    auto transport = in.byte();
    if (transport > static_cast<uint8_t>(Transport::internal)) return fail(Code::corrupt, "chunk head is damaged");
    s.transport = static_cast<Transport>(transport);
    s.first_seq = in.varint();
    head.sources.push_back(std::move(s));
  }
  if (auto key = in.text(); in.ok() && !key.empty()) {
    return fail(Code::refused,
                "chunk sealed by the key " + std::string(key) + "; this yushi has no keys to open sealed records with");
  }
  auto firsts = in.varint();
  if (firsts > in.left()) return fail(Code::corrupt, "chunk head is damaged");
  for (uint64_t i = 0; i < firsts && in.ok(); ++i) head.first_seqs.push_back(in.varint());
  head.body = in.take(in.left());
  if (!in.ok() || (records > 0 && sources == 0)) return fail(Code::corrupt, "chunk head is damaged");
  return head;
}

Result<std::unique_ptr<Batch>> read_chunk(const ChunkHead& head, std::string_view log, std::string_view node) {
  auto damaged = [&](const char* what) {
    return fail(Code::corrupt, "chunk at " + std::string(log) + "/" + std::to_string(head.first_index) + ": " + what);
  };
  if (head.body.size() < 4) return damaged("no body");
  auto packed = head.body.substr(0, head.body.size() - 4);
  uint64_t size = get_be32(head.body.data() + packed.size());
  if (size > kBodyBytesMax || size < head.records) return damaged("impossible length");
  auto batch = std::make_unique<Batch>();
  auto buffer = std::make_unique<char[]>(size + kRawPaddingBytes);
  if (!inflate(head.is_zstd, packed, buffer.get(), size)) return damaged("does not decompress");
  std::memset(buffer.get() + size, 0, kRawPaddingBytes);

  auto& arena = batch->arena;
  std::vector<uint64_t> next_seq;
  // `overflow` is one source with many addresses: they share one run of numbers.
  std::vector<size_t> run_of;
  for (size_t i = 0; i < head.sources.size(); ++i) {
    size_t first = 0;
    while (head.sources[first].source != head.sources[i].source) ++first;
    run_of.push_back(first);
  }
  std::vector<const Origin*> origins(head.sources.size(), nullptr);
  auto log_name = arena.copy(log), node_name = arena.copy(node);
  for (auto& s : head.sources) next_seq.push_back(s.first_seq);
  Reader in({buffer.get(), size});
  batch->records.resize(head.records);
  std::vector<uint64_t> lengths(head.records);
  uint64_t received = 0;
  size_t later = 0;
  for (uint32_t i = 0; i < head.records; ++i) {
    auto& r = batch->records[i];
    lengths[i] = in.varint();
    uint64_t source = head.sources.size() > 1 ? in.varint() : 0;
    received += static_cast<uint64_t>(in.signed_varint());
    r.part = static_cast<uint16_t>(in.varint());
    if (r.part) r.part_of = static_cast<uint16_t>(in.varint());
    if (r.part > 1) {
      if (later == head.first_seqs.size()) return damaged("its later parts are not those that its head says");
      auto part = read_part_head(in, arena);
      part.first_seq = head.first_seqs[later++];
      r.part_head = arena.make(part);
    }
    r.marks = in.byte();
    if (!in.ok() || source >= head.sources.size()) return damaged("record heads are damaged");
    auto*& origin = origins[source];
    if (!origin || origin->received_ns != static_cast<int64_t>(received)) {
      auto& s = head.sources[source];
      Origin o;
      o.received_ns = static_cast<int64_t>(received);
      o.source = arena.copy(s.source);
      o.address = arena.copy(s.address);
      o.transport = s.transport;
      o.log = log_name;
      o.node = node_name;
      o.commit = head.commit;
      origin = arena.make(o);
    }
    r.origin = origin;
    r.index = head.first_index + i;
    r.source_seq = next_seq[run_of[source]]++;
  }
  for (uint32_t i = 0; i < head.records; ++i) {
    batch->records[i].raw = in.take(lengths[i]);
    if (!in.ok()) return damaged("raw bytes are short");
  }
  if (in.left() != 0) return damaged("bytes left over");
  batch->bytes = size;
  batch->buffers.push_back(std::move(buffer));
  return batch;
}

}  // namespace yushi::storage
