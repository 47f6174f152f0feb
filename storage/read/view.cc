#include "storage/read/view.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "storage/db/keys.h"
#include "storage/tail/chunk.h"

namespace yushi::storage {
namespace {

Result<Segment> chunk_segment(const std::string& log, uint64_t first, std::string_view bytes, uint32_t engine) {
  auto head = ChunkHead::decode(first, bytes);
  if (!head) return fail(Code::corrupt, "chunk " + log + "/" + std::to_string(first) + ": " + head.error().message);
  Segment s{log, {}, false, 0};
  s.summary.first_index = first;
  s.summary.records = head->records;
  s.summary.raw_bytes = head->raw_bytes;
  // Another engine may read other times than those that the chunk was written with: then they hold nothing back.
  s.summary.event_times = {head->context.engine == engine ? TimeRange{head->event_from_ns, head->event_to_ns}
                                                          : TimeRange{INT64_MIN, INT64_MAX}};
  return s;
}

}  // namespace

std::shared_ptr<const StoreView> StoreView::of(std::shared_ptr<const Database> database,
                                               std::shared_ptr<const OpenTail> open_tail, Reparse reparse,
                                               std::string node, std::string key_path) {
  std::shared_ptr<StoreView> view(new StoreView);
  view->snapshot_ = database->snapshot();
  view->database_ = std::move(database);
  view->open_tail_ = std::move(open_tail);
  view->reparse_ = std::move(reparse);
  view->node_ = std::move(node);
  view->key_path_ = std::move(key_path);
  return view;
}

Result<std::shared_ptr<const StoreView>> StoreView::open(std::shared_ptr<const Database> database, Reparse reparse) {
  std::shared_ptr<StoreView> view(new StoreView);
  view->snapshot_ = database->snapshot();
  view->database_ = std::move(database);
  view->key_path_ = std::filesystem::path(view->database_->directory()).parent_path() / "keys" / "node.pem";
  view->reparse_ = std::move(reparse);
  auto node = YUSHI_TRY(view->database_->get(view->database_->families().meta, "node", view->snapshot_.get()));
  if (!node)
    return fail(Code::corrupt, view->database_->directory() + " holds no node name: it is not a store of yushi");
  view->node_ = *node;
  auto format = YUSHI_TRY(view->database_->get(view->database_->families().meta, "format", view->snapshot_.get()));
  if (auto known = format ? *format : std::string("without a number"); known != kStoreFormat) {
    return fail(Code::refused, view->database_->directory() + " is a store of format " + known +
                                   "; this yushi reads format " + kStoreFormat +
                                   ": use the version that made it, or begin with an empty folder");
  }
  return view;
}

Result<std::string> StoreView::key_rotations() const {
  auto stored = YUSHI_TRY(database_->get(database_->families().meta, keys::kRotations, snapshot_.get()));
  return stored ? std::move(*stored) : std::string();
}

Result<std::string> StoreView::public_key() const {
  auto stored = YUSHI_TRY(database_->get(database_->families().meta, "public_key", snapshot_.get()));
  return stored ? std::move(*stored) : std::string();
}

Result<std::vector<std::string>> StoreView::logs() const {
  std::vector<std::string> out;
  YUSHI_TRY(database_->scan(
      database_->families().state, "log/",
      [&](std::string_view key, std::string_view) {
        out.emplace_back(key.substr(4));
        return true;
      },
      snapshot_.get()));
  return out;
}

Result<StoreView::LogHead> StoreView::head(const std::string& log) const {
  auto bytes = YUSHI_TRY(database_->get(database_->families().state, keys::log_state(log), snapshot_.get()));
  if (!bytes) return fail(Code::not_found, "no log " + log);
  auto tree = CompactRange::decode(*bytes);
  if (!tree) return fail(Code::corrupt, "log " + log + ": state: " + tree.error().message);
  return LogHead{tree->size(), tree->root(), *tree};
}

std::vector<uint32_t> StoreView::days() const {
  std::vector<uint32_t> out;
  for (auto& blocks : database_->blocks_families())
    if (out.empty() || out.back() != blocks.store_day) out.push_back(blocks.store_day);
  return out;
}

Result<std::map<uint32_t, DayHead>> StoreView::stored_days(const std::string& log) const {
  std::map<uint32_t, DayHead> out;
  const auto prefix = keys::day_heads(log);
  YUSHI_TRY(database_->scan(
      database_->families().filters, prefix,
      [&](std::string_view key, std::string_view value) {
        auto head = DayHead::decode(value);
        if (head && key.size() == prefix.size() + 4) out[keys::day_of_head(key)] = std::move(*head);
        return true;
      },
      snapshot_.get()));
  return out;
}

Result<LogOutline> StoreView::outline(const std::string& log) const {
  LogOutline out;
  auto state = YUSHI_TRY(database_->get(database_->families().state, keys::log_state(log), snapshot_.get()));
  const uint64_t size = state && state->size() >= 8 ? get_be64(state->data()) : 0;
  uint64_t sealed_to = 0, records = 0;
  auto add_up = [&] {
    sealed_to = records = 0;
    for (auto& [day, head] : out.days) {
      sealed_to = std::max(sealed_to, head.end);
      records += head.records;
    }
  };
  // A day that is missing is missed: all records are in one of them or in the tail. Of what was salvaged some may be
  // older than the blocks beside them.
  if (!database_->is_salvaged()) out.days = YUSHI_TRY(stored_days(log));
  add_up();
  out.tail = YUSHI_TRY(tail(log, sealed_to));
  for (auto& segment : out.tail) records += segment.summary.records;
  if (records == size && !database_->is_salvaged()) return out;
  out.is_stored = false;
  out.days.clear();
  for (auto day : days()) {
    for (auto& block : YUSHI_TRY(blocks(log, day))) out.days[day].add(block.summary);
  }
  add_up();
  out.tail = YUSHI_TRY(tail(log, sealed_to));
  return out;
}

Result<std::vector<Segment>> StoreView::blocks(const std::string& log, uint32_t store_day) const {
  std::vector<Segment> out;
  std::optional<Error> damaged;
  YUSHI_TRY(database_->scan(
      database_->families().filters, keys::summaries(store_day, log),
      [&](std::string_view key, std::string_view value) {
        auto summary = BlockSummary::decode(value);
        if (!summary) {
          damaged = Error{Code::corrupt, "summary of block " + log + "/" + std::to_string(keys::index_of(key)) + ": " +
                                             summary.error().message};
          return false;
        }
        summary->sources = {};
        summary->token_filter = {};
        out.push_back({log, std::move(*summary), true, store_day});
        return true;
      },
      snapshot_.get()));
  if (damaged) return tl::unexpected(*damaged);
  return out;
}

Result<std::vector<Segment>> StoreView::tail(const std::string& log, uint64_t sealed_to) const {
  std::vector<Segment> out;
  std::optional<Error> damaged;
  YUSHI_TRY(database_->scan(
      database_->families().tail, keys::of_log(log),
      [&](std::string_view key, std::string_view value) {
        auto segment = chunk_segment(log, keys::index_of(key), value, reparse_.engine);
        if (segment) {
          out.push_back(std::move(*segment));
        } else {
          damaged = segment.error();
        }
        return segment.has_value();
      },
      snapshot_.get(), keys::record(log, sealed_to)));
  if (damaged) return tl::unexpected(*damaged);
  return out;
}

Result<void> StoreView::each_segment(const std::string& log, uint64_t index,
                                     const std::function<bool(const Segment&)>& visit) const {
  auto outline = YUSHI_TRY(this->outline(log));
  std::vector<std::pair<uint64_t, uint32_t>> days;  // in the order of their records
  for (auto& [day, head] : outline.days) days.emplace_back(head.first_index, day);
  std::sort(days.begin(), days.end());
  for (size_t i = 0; i < days.size();) {
    std::vector<Segment> blocks;
    // A repair may have put blocks of one day between those of another.
    for (uint64_t end = 0; i < days.size() && (blocks.empty() || days[i].first < end); ++i) {
      const auto& head = outline.days.at(days[i].second);
      end = std::max(end, head.end);
      if (head.end <= index) continue;
      auto more = YUSHI_TRY(this->blocks(log, days[i].second));
      std::move(more.begin(), more.end(), std::back_inserter(blocks));
    }
    std::sort(blocks.begin(), blocks.end(),
              [](auto& a, auto& b) { return a.summary.first_index < b.summary.first_index; });
    for (auto& block : blocks)
      if (block.summary.first_index + block.summary.records > index && !visit(block)) return {};
  }
  for (auto& chunk : outline.tail)
    if (chunk.summary.first_index + chunk.summary.records > index && !visit(chunk)) return {};
  return {};
}

Result<std::vector<Segment>> StoreView::segments(const std::string& log, uint64_t index) const {
  std::vector<Segment> out;
  YUSHI_TRY(each_segment(log, index, [&](const Segment& segment) {
    out.push_back(segment);
    return true;
  }));
  return out;
}

Result<std::optional<Segment>> StoreView::block_at(const std::string& log, uint32_t store_day, uint64_t index) const {
  auto filters = database_->families().filters;
  // By their summaries: the families of blocks would read the block itself, which may be damaged.
  auto key = YUSHI_TRY(database_->key_at_or_before(filters, keys::summary(store_day, log, index), snapshot_.get()));
  if (!key || !key->starts_with(keys::summaries(store_day, log))) return std::nullopt;
  auto first = keys::index_of(*key);
  auto bytes = YUSHI_TRY(database_->get(filters, *key, snapshot_.get()));
  if (!bytes) return fail(Code::corrupt, "summary of block " + log + "/" + std::to_string(first) + " is gone");
  auto summary = BlockSummary::decode(*bytes);
  if (!summary)
    return fail(Code::corrupt,
                "summary of block " + log + "/" + std::to_string(first) + ": " + summary.error().message);
  if (index - first >= summary->records) return std::nullopt;
  summary->sources = {};
  summary->token_filter = {};
  return Segment{log, std::move(*summary), true, store_day};
}

Result<std::optional<Segment>> StoreView::segment_at(const std::string& log, uint64_t index) const {
  std::vector<uint32_t> others = days();
  if (!database_->is_salvaged()) {  // no block overlaps the tail, where most ask while a log grows
    if (auto chunk = YUSHI_TRY(chunk_at(log, index))) return chunk;
    for (auto& [day, head] : YUSHI_TRY(stored_days(log))) {
      if (index < head.first_index || index >= head.end) continue;
      if (auto block = YUSHI_TRY(block_at(log, day, index))) return block;
      std::erase(others, day);
    }
  }
  for (auto day : others)
    if (auto block = YUSHI_TRY(block_at(log, day, index))) return block;
  return chunk_at(log, index);
}

Result<std::optional<Segment>> StoreView::chunk_at(const std::string& log, uint64_t index) const {
  auto tail = database_->families().tail;
  auto key = YUSHI_TRY(database_->key_at_or_before(tail, keys::record(log, index), snapshot_.get()));
  if (!key || !key->starts_with(keys::of_log(log))) return std::nullopt;
  Result<std::optional<Segment>> out = std::nullopt;
  YUSHI_TRY(database_->scan(
      tail, *key,
      [&](std::string_view, std::string_view value) {  // where it lies: no more than its head is wanted
        const auto first = keys::index_of(*key);
        auto segment = chunk_segment(log, first, value, reparse_.engine);
        if (!segment)
          out = tl::unexpected(segment.error());
        else if (index - first < segment->summary.records)
          out = std::move(*segment);
        return false;
      },
      snapshot_.get()));
  return out;
}

Result<std::optional<Segment>> StoreView::newest_segment(const std::string& log) const {
  auto outline = YUSHI_TRY(this->outline(log));
  if (!outline.tail.empty()) return outline.tail.back();
  auto newest = std::max_element(outline.days.begin(), outline.days.end(),
                                 [](auto& a, auto& b) { return a.second.end < b.second.end; });
  if (newest == outline.days.end()) return std::nullopt;
  auto last = YUSHI_TRY(blocks(log, newest->first));
  return last.empty() ? std::nullopt : std::optional(std::move(last.back()));
}

Result<BlockSummary> StoreView::whole_summary(const Segment& segment) const {
  auto filters = database_->families().filters;
  const auto first = segment.summary.first_index;
  auto words = YUSHI_TRY(database_->get(filters, keys::words(segment.store_day, segment.log, first), snapshot_.get()));
  auto out = segment.summary;
  if (words) {
    YUSHI_TRY(out.decode_words(*words));
    return out;
  }
  // As stores of before have it: one entry.
  auto bytes =
      YUSHI_TRY(database_->get(filters, keys::summary(segment.store_day, segment.log, first), snapshot_.get()));
  if (!bytes) return out;
  return BlockSummary::decode(*bytes);
}

std::string StoreView::token_filter(const Segment& segment) const {
  if (!segment.sealed) return {};
  auto key = keys::words(segment.store_day, segment.log, segment.summary.first_index);
  if (auto words = database_->get(database_->families().filters, key, snapshot_.get()); words && *words)
    return std::string(token_filter_of(**words).value_or(std::string_view()));
  auto summary = whole_summary(segment);
  return summary ? std::move(summary->token_filter) : std::string();
}

Result<std::string> StoreView::block_bytes(const Segment& segment) const {
  auto key = keys::record(segment.log, segment.summary.first_index);
  for (auto& [day, days, family] : database_->blocks_families()) {
    if (day != segment.store_day) continue;
    auto bytes = YUSHI_TRY(database_->get(family, key, snapshot_.get()));
    if (bytes) return std::move(*bytes);
  }
  return fail(Code::corrupt, "block " + segment.log + "/" + std::to_string(segment.summary.first_index) +
                                 " of store day " + std::to_string(segment.store_day) + " is gone");
}

Result<DecodedBlock> StoreView::read_whole(const Segment& segment) const {
  auto place = segment.log + "/" + std::to_string(segment.summary.first_index);
  if (segment.sealed) {
    auto bytes = YUSHI_TRY(block_bytes(segment));
    auto block = read_block(bytes);
    if (!block) return fail(Code::corrupt, "block " + place + ": " + block.error().message);
    return block;
  }
  auto key = keys::record(segment.log, segment.summary.first_index);
  auto bytes = YUSHI_TRY(database_->get(database_->families().tail, key, snapshot_.get()));
  if (!bytes) return fail(Code::corrupt, "chunk " + place + " is gone");
  auto head = YUSHI_TRY(ChunkHead::decode(segment.summary.first_index, *bytes));
  auto batch = YUSHI_TRY(read_chunk(head, segment.log, node_));
  YUSHI_TRY(reparse_.parse(*batch, head.context));
  DecodedBlock out{{segment.log, node_, {}}, std::move(batch)};
  out.context.parsed.add(0, head.context);
  return out;
}

Result<std::unique_ptr<Batch>> StoreView::read(const Segment& segment) const {
  if (!segment.sealed && open_tail_)
    if (auto batch = open_tail_->read(segment.log, segment.summary.first_index)) return batch;
  auto whole = YUSHI_TRY(read_whole(segment));
  return std::move(whole.batch);
}

Result<std::unique_ptr<BlockReader>> StoreView::open_block(const Segment& segment) const {
  return BlockReader::open(YUSHI_TRY(block_bytes(segment)));
}

Result<std::vector<std::pair<std::string, SourceState>>> StoreView::sources(const std::string& log) const {
  std::vector<std::pair<std::string, SourceState>> out;
  std::optional<Error> damaged;
  auto prefix = keys::source(log, "");
  YUSHI_TRY(database_->scan(
      database_->families().state, prefix,
      [&](std::string_view key, std::string_view value) {
        std::string source(key.substr(prefix.size()));
        auto state = SourceState::decode(value);
        if (!state) {
          damaged = Error{Code::corrupt, "source " + source + " of log " + log + ": " + state.error().message};
          return false;
        }
        out.emplace_back(std::move(source), std::move(*state));
        return true;
      },
      snapshot_.get()));
  if (damaged) return tl::unexpected(*damaged);
  return out;
}

Result<std::vector<std::string>> StoreView::checkpoints(const std::string& log) const {
  std::vector<std::string> out;
  auto prefix = keys::checkpoint(log, 0);
  prefix.resize(prefix.size() - 8);
  YUSHI_TRY(database_->scan(
      database_->families().state, prefix,
      [&](std::string_view, std::string_view value) {
        out.emplace_back(value);
        return true;
      },
      snapshot_.get()));
  return out;
}

Result<std::optional<std::string>> StoreView::newest_checkpoint(const std::string& log) const {
  auto family = database_->families().state;
  auto newest = keys::checkpoint(log, UINT64_MAX);
  auto key = YUSHI_TRY(database_->key_at_or_before(family, newest, snapshot_.get()));
  if (!key || key->size() != newest.size() || key->compare(0, key->size() - 8, newest, 0, key->size() - 8) != 0)
    return std::nullopt;
  return database_->get(family, *key, snapshot_.get());
}

Result<void> StoreView::each_alert(uint64_t from_audit_index, bool newest_first, const VisitAlert& visit) const {
  return each_in_alerts(from_audit_index, newest_first, [&](uint64_t index, std::string_view value) {
    return AlertActEntry::is_one(value) || visit(index, AlertEntry::decode(value));
  });
}

Result<void> StoreView::each_alert_act(uint64_t from_audit_index, const VisitAlertAct& visit) const {
  return each_in_alerts(from_audit_index, false, [&](uint64_t index, std::string_view value) {
    return !AlertActEntry::is_one(value) || visit(index, AlertActEntry::decode(value));
  });
}

Result<void> StoreView::each_in_alerts(uint64_t from_audit_index, bool newest_first,
                                       const std::function<bool(uint64_t, std::string_view)>& visit) const {
  auto family = database_->families().alerts;
  bool strange = false;
  auto each = [&](std::string_view key, std::string_view value) {
    strange = key.size() != keys::alert(0).size();
    if (strange) return false;
    uint64_t index = keys::index_of(key);
    return index >= from_audit_index && visit(index, value);
  };
  YUSHI_TRY(newest_first ? database_->scan_back(family, each, snapshot_.get())
                         : database_->scan(family, "", each, snapshot_.get(), keys::alert(from_audit_index)));
  if (strange) return fail(Code::corrupt, "the index of alerts has a key that is no index of a record");
  return {};
}

Result<std::string> StoreView::tile(const std::string& log, int level, uint64_t index) const {
  auto bytes = YUSHI_TRY(database_->get(database_->families().tree, keys::tile(log, level, index), snapshot_.get()));
  if (!bytes || bytes->size() % 32 != 0) {
    return fail(Code::corrupt, "tree of log " + log + ": tile " + std::to_string(level) + "/" + std::to_string(index) +
                                   (bytes ? " is damaged" : " is gone"));
  }
  return std::move(*bytes);
}

Result<Hash> StoreView::subtree(const std::string& log, int level, uint64_t index) const {
  int below = level % 8;
  if (level >= 8) {
    // 2^below neighbours of the stored level, all of one tile.
    uint64_t first = index << below;
    auto hashes = YUSHI_TRY(tile(log, level / 8, first / 256));
    CompactRange range;
    for (uint64_t i = first % 256; i < first % 256 + (1u << below); ++i) {
      if ((i + 1) * 32 > hashes.size()) return fail(Code::corrupt, "tree of log " + log + ": tile is short");
      Hash hash;
      std::copy_n(hashes.data() + i * 32, 32, reinterpret_cast<char*>(hash.data()));
      range.append(hash);
    }
    return range.root();
  }
  CompactRange range;
  uint64_t from = index << level, to = (index + 1) << level;
  while (from < to) {
    auto segment = YUSHI_TRY(segment_at(log, from));
    if (!segment) return fail(Code::corrupt, "record " + log + "/" + std::to_string(from) + " is gone");
    auto batch = YUSHI_TRY(read(*segment));
    auto first = segment->summary.first_index;
    for (; from < to && from < first + batch->records.size(); ++from)
      range.append(leaf_of(batch->records[from - first]));
  }
  return range.root();
}

}  // namespace yushi::storage
