#include "audit/verify.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "audit/binding.h"
#include "core/base/bytes.h"
#include "core/base/name.h"
#include "core/base/time_text.h"
#include "core/event/alert.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/key_ring.h"

namespace yushi::audit {
namespace {

class Verifier {
 public:
  Verifier(const storage::StoreView& view, const VerifyOptions& options) : view_(view), options_(options) {}

  Result<VerifyReport> run(const std::function<bool(std::string_view, uint64_t, uint64_t)>& progress) {
    if (auto sums = view_.database().verify_checksums(); !sums) contradiction("", "RocksDB", sums.error().message);
    verify_key();
    if (auto ring = KeyRing::make(view_.node(), options_.public_key, options_.key_rotations)) {
      keys_ = std::move(*ring);
    } else {
      contradiction("", "rotations in meta", ring.error().message);
      keys_ = *KeyRing::make(view_.node(), options_.public_key, "");
    }
    auto logs = YUSHI_TRY(view_.logs());
    // First what says under the tree which engines there were.
    std::stable_partition(logs.begin(), logs.end(), [](auto& log) { return log == kAuditLog; });
    if (!options_.heads_path.empty() && !logs.empty()) {
      if (auto heads = options_.heads ? *options_.heads : storage::read_heads(options_.heads_path)) {
        heads_ = std::move(*heads);
      } else {
        contradiction("", options_.heads_path, heads.error().message);
      }
    }
    for (auto& log : logs) {
      if (!verify_log(log, progress)) return fail(Code::unavailable, "verification was ended before it was done");
    }
    if (heads_) {
      for (auto& [log, note] : *heads_) {
        if (std::find(logs.begin(), logs.end(), log) == logs.end()) {
          contradiction(log, options_.heads_path, "names a log that the store does not have");
        }
      }
    }
    binding_.check_births(logs, unread_[kAuditLog].empty(), keys_);
    verify_alerts();
    return std::move(report_);
  }

 private:
  // A checkpoint of this log that must hold once the tree has its size.
  struct Claim {
    Checkpoint checkpoint;
    std::string place;
    bool is_signed = true;  // by itself; else by `_audit`
    bool is_remembered = false;
  };
  // Records that are in the log, but in a segment that cannot be read.
  struct Unread {
    uint64_t from, to;  // `to` not among them
    bool has(uint64_t index) const { return from <= index && index < to; }
  };

  void verify_key() {
    if (options_.key_path.empty()) return;
    auto key = SigningKey::load(options_.key_path);
    if (!key && key.error().code == Code::corrupt) contradiction("", options_.key_path, key.error().message);
    if (!key || options_.public_key.empty() || key->public_bytes() == options_.public_key) return;
    // A rotation that ended between the store's word and the file's name: the next start finishes it.
    auto next = SigningKey::load(options_.key_path + ".next");
    if (next && next->public_bytes() == options_.public_key &&
        KeyRing::leads(view_.node(), options_.key_rotations, key->public_bytes(), options_.public_key))
      return;
    contradiction("", options_.key_path, "is not the key that this store was signed with");
  }

  // What the tail keeps beside raw and origin is derived too.
  void verify_chunk(const storage::Segment& segment, const storage::DecodedBlock& block) {
    auto& records = block.batch->records;
    if (records.empty()) return;
    if (block.context.parsed.contexts.front().engine != view_.reparse().engine) {
      times_given_anew_ = true;
      return;
    }
    auto [least, most] =
        std::minmax_element(records.begin(), records.end(), [](auto& a, auto& b) { return a.event_ns < b.event_ns; });
    auto& said = segment.summary.event_times.front();
    uint64_t raw_bytes = 0;
    for (auto& record : records) raw_bytes += record.raw.size();
    if (said.from_ns != least->event_ns || said.to_ns != most->event_ns || segment.summary.raw_bytes != raw_bytes) {
      contradiction(segment.log, "chunk " + at(segment.log, segment.summary.first_index),
                    "the stored time range or count of bytes is not that of its records: a search would miss some");
    }
  }

  bool verify_log(const std::string& log, const std::function<bool(std::string_view, uint64_t, uint64_t)>& progress) {
    ++report_.logs;
    log_contradictions_ = log_unproved_ = 0;
    not_compared_.clear();
    times_given_anew_ = false;
    heads_of_parts_.clear();
    auto& unread = unread_[log];
    auto head = view_.head(log);
    if (!head) {
      contradiction(log, "state of log " + log, head.error().message);
      unread.push_back({0, UINT64_MAX});
      return true;
    }
    auto claims = claims_of(log);
    auto claim = claims.begin();
    auto check_claims = [&](const CompactRange& tree) {
      for (; claim != claims.end() && claim->checkpoint.size == tree.size(); ++claim) {
        ++report_.checkpoints;
        if (claim->checkpoint.root != tree.root()) {
          contradiction(log, claim->place,
                        "signed root at size " + std::to_string(tree.size()) +
                            " is not the root of the records that are there: a record up to " +
                            at(log, tree.size() ? tree.size() - 1 : 0) + " was changed, moved or removed");
        }
      }
    };
    auto segments = view_.segments(log);
    if (!segments) {
      contradiction(log, "segments of log " + log, segments.error().message);
      unread.push_back({0, UINT64_MAX});
      return true;
    }
    CompactRange tree;
    std::map<int, std::vector<Hash>> stored_levels;  // level 8, 16, … as recomputed
    std::map<std::string, storage::SourceState> sources;
    std::string tree_ends;                       // why the tree could not be followed to the end of the log
    std::map<std::string, size_t> unread_known;  // by source: how many of `unread` stood before its newest record
    int64_t signed_ns = 0;                       // receipt of the last record under a checkpoint
    std::vector<Binding::StoredContexts>
        contexts;  // compared at the end: of `_audit` a later record may say the first ones'
    uint64_t next = 0, commit = 0;
    std::map<uint32_t, storage::DayHead> days;
    check_claims(tree);
    for (auto& segment : *segments) {
      auto first = segment.summary.first_index;
      if (segment.sealed) days[segment.store_day].add(segment.summary);
      if (first != next) {
        contradiction(log, at(log, next),
                      first > next ? "records up to " + at(log, first - 1) + " are missing"
                                   : "the segment at " + at(log, first) + " overlaps the one before");
        if (first > next && tree_ends.empty()) tree_ends = "records from " + at(log, next) + " on are missing";
        next = first;
      }
      if (!progress(log, next, head->size)) return false;
      auto block = view_.read_whole(segment);
      if (!block) {
        contradiction(log, at(log, first), block.error().message);
        next = first + segment.summary.records;
        unread.push_back({first, next});
        if (tree_ends.empty()) tree_ends = unread_words(log, first);
        continue;
      }
      auto& records = block->batch->records;
      if (records.size() != segment.summary.records) {
        contradiction(log, at(log, first),
                      "holds " + std::to_string(records.size()) + " records, its summary says " +
                          std::to_string(segment.summary.records));
      }
      for (auto& record : records) {
        if (record.index != next)
          contradiction(log, at(log, next), "the record here says that it is " + at(log, record.index));
        std::string source_name(record.origin->source);
        auto& source = sources[source_name];
        // What the unread ones may have counted up since is not known, but they never count down, and each counts one.
        uint64_t hidden = 0;
        if (!unread.empty()) {
          auto& known = unread_known[source_name];
          for (; known < unread.size(); ++known) hidden += unread[known].to - unread[known].from;
        }
        if (record.source_seq < source.next_seq || record.source_seq - source.next_seq > hidden) {
          contradiction(log, at(log, next),
                        "source-seq of " + source_name + " is " + std::to_string(record.source_seq) + ", must be " +
                            std::to_string(source.next_seq) +
                            (hidden ? " or up to " + std::to_string(hidden) + " more" : ""));
        }
        source.add(record);
        if (record.origin->commit < commit)
          contradiction(log, at(log, next),
                        "is of commit " + std::to_string(record.origin->commit) + ", the record before it of " +
                            std::to_string(commit) + ": in answers over several logs it would stand elsewhere");
        commit = record.origin->commit;
        if (record.part != 0) [[unlikely]]
          verify_part(log, record);
        if (auto sequence = storage::sequence_number(record)) source.losses.take(*sequence);
        if (next == tree.size()) {
          tree.append(storage::leaf_of(record), [&](int level, uint64_t, const Hash& hash) {
            if (level > 0 && level % 8 == 0) stored_levels[level / 8].push_back(hash);
          });
          check_claims(tree);
          if (!claims.empty() && tree.size() == claims.back().checkpoint.size) signed_ns = record.origin->received_ns;
        }
        if (log == kAuditLog) {
          note_alert(record);
          if (record.origin->source == "yushid") binding_.take(record);
        }
        ++next;
        ++report_.records;
      }
      contexts.push_back(
          {segment.summary.first_index, static_cast<uint32_t>(records.size()), segment.sealed, block->context.parsed});
      if (segment.sealed)
        verify_block(segment, *block);
      else
        verify_chunk(segment, *block);
    }
    if (unread_[kAuditLog].empty()) {  // else said once, with the records that cannot be read
      for (auto& stored : contexts) binding_.check_contexts(log, stored);
    }
    if (next != head->size) {
      contradiction(log, at(log, next),
                    "the log ends here, but its tree has " + std::to_string(head->size) + " leaves");
    } else if (tree.size() == next && tree.root() != head->root) {
      contradiction(log, "state of log " + log, "the stored tree edge has another root than the records");
    }
    auto beyond = std::find_if(claim, claims.end(), [&](auto& one) { return one.checkpoint.size > next; });
    if (!tree_ends.empty()) {
      std::string what;
      if (claim != beyond) {
        what += "signed checkpoints of " + std::to_string(claim->checkpoint.size) + " to " +
                std::to_string(std::prev(beyond)->checkpoint.size) + " records, ";
      }
      what += "the tree from here on";
      if (!unread.empty()) what += ", order and counters of the sources of unread records";
      if (!unread.empty() && log == kAuditLog) what += ", alerts among them, births and contexts of all logs";
      unproved(log, at(log, tree.size()), "not checked because " + tree_ends + ": " + what);
      claim = beyond;
    }
    for (; claim != claims.end(); ++claim) {
      if (claim->is_remembered && options_.is_copy) {
        // The last of them says it all.
        if (std::next(claim) == claims.end())
          report_.behind.push_back("log " + log + ": this copy has " + std::to_string(next) + " of the " +
                                   std::to_string(claim->checkpoint.size) + " records that were seen since");
        continue;
      }
      contradiction(log, claim->place,
                    "speaks of " + std::to_string(claim->checkpoint.size) + " records, the log has " +
                        std::to_string(next) + ": its end was cut off, or the store was rolled back");
    }
    if (auto newest = std::find_if(claims.rbegin(), claims.rend(),
                                   [&](auto& one) { return one.is_signed && one.checkpoint.size <= next; });
        newest != claims.rend())
      binding_.take_signed(log, newest->checkpoint.size);
    if (claims.empty() && next > 0) unproved(log, "log " + log, "has no signed checkpoint");
    if (!claims.empty() && claims.back().checkpoint.size < next) {
      unproved(log, at(log, claims.back().checkpoint.size),
               "records from here on are unsigned: not covered by a checkpoint since " + utc_text(signed_ns));
    }
    for (auto& run : not_compared_) tell_not_compared(log, run);
    verify_days(log, days);
    verify_tiles(log, stored_levels, tree.size(), tree_ends.empty());
    verify_sources(log, sources, !unread.empty());
    return true;
  }

  // What a later part says that it inherits must be what the first one gives, while that is there.
  void verify_part(const std::string& log, const Record& record) {
    auto key = std::pair(std::string(record.origin->source),
                         record.part_head ? record.part_head->first_seq : record.source_seq);
    if (record.part == 1) {
      heads_of_parts_[key] = part_head_of(record, part_arena_);
      return;
    }
    auto first = heads_of_parts_.find(key);
    if (!record.part_head || first == heads_of_parts_.end()) return;
    const PartHead &said = *record.part_head, &is = first->second;
    if (said.host != is.host || said.program != is.program || said.pid != is.pid || said.event_ns != is.event_ns ||
        said.event_digits != is.event_digits || said.time_inferred != is.time_inferred || said.priority != is.priority)
      contradiction(log, at(log, record.index), "what this part says of its message is not what its first part says");
    if (record.part == record.part_of) heads_of_parts_.erase(first);
  }

  static std::string unread_words(const std::string& log, uint64_t first) {
    return "the segment at " + at(log, first) + " cannot be read";
  }

  std::vector<Claim> claims_of(const std::string& log) {
    std::vector<Claim> claims;
    auto origin = view_.node() + "/" + log;
    auto add = [&](const std::string& note, const std::string& place) {
      auto body = Checkpoint::parse_body(note);
      if (!body) return contradiction(log, place, body.error().message);
      if (body->origin != origin) {
        return contradiction(log, place, "is of origin " + body->origin + ", this log is " + origin);
      }
      if (options_.public_key.empty())
        return unproved(log, place, "the signature cannot be checked without the node's public key");
      size_t by = 0;
      auto opened = keys_.open(note, origin, &by);
      if (!opened) return contradiction(log, place, opened.error().message);
      // A key that has handed over signs nothing that is longer than `_audit` was then.
      if (log == kAuditLog && by > 0) binding_.take_old_signature(keys_.keys()[by], opened->size, place);
      claims.push_back({*opened, place});
    };
    auto notes = view_.checkpoints(log);
    if (!notes) {
      contradiction(log, "checkpoints of log " + log, notes.error().message);
      return claims;
    }
    for (auto& note : *notes) add(note, "a stored checkpoint of log " + log);
    if (heads_) {
      if (auto it = heads_->find(log); it != heads_->end()) {
        add(it->second, options_.heads_path);
        // A note is stored and synced before `heads` is written.
        if (std::find(notes->begin(), notes->end(), it->second) == notes->end()) {
          contradiction(log, options_.heads_path,
                        "the store does not hold the newest checkpoint: the end of its WAL was lost");
        }
      } else if (notes->size() > 1) {  // after its first checkpoint alone a crash may have come before `heads`
        contradiction(log, options_.heads_path, "has no line for log " + log);
      }
    }
    for (auto& note : options_.remembered) {
      if (!note.starts_with(origin + "\n")) continue;
      const auto count = claims.size();
      add(note, "a remembered checkpoint of log " + log);
      if (claims.size() > count) claims.back().is_remembered = true;
    }
    for (auto& bound : binding_.roots_of(log)) {
      claims.push_back(
          {{origin, bound.root.size, bound.root.root}, "record " + bound.place + ", which binds all logs,", false});
    }
    std::sort(claims.begin(), claims.end(), [](auto& a, auto& b) { return a.checkpoint.size < b.checkpoint.size; });
    return claims;
  }

  // Everything in a block beside raw and origin is derived: derive it again and compare.
  void verify_block(const storage::Segment& segment, const storage::DecodedBlock& block) {
    ++report_.blocks;
    auto place = "block " + at(segment.log, segment.summary.first_index);
    auto& context = block.context;
    auto& stored = *block.batch;
    if (context.log != segment.log || context.node != view_.node()) {
      return contradiction(segment.log, place, "says that it is of " + context.node + "/" + context.log);
    }
    std::vector<std::unique_ptr<Batch>> kept;
    std::vector<const Record*> rebuilt;
    std::optional<Error> failed;
    context.parsed.for_each_run(
        static_cast<uint32_t>(stored.records.size()), [&](auto& how, uint32_t from, uint32_t to) {
          if (failed) return;
          std::span<const Record> run(stored.records.data() + from, to - from);
          if (how.engine != view_.reparse().engine) {
            // What was stored stands in for what cannot be given again: the filter must at least be that of these
            // fields.
            note_not_compared(how.engine, segment.summary.first_index, run);
            for (auto& record : run) rebuilt.push_back(&record);
            return;
          }
          auto parsed = storage::parse_again(run, how, view_.reparse());
          if (!parsed) {
            failed = parsed.error();
            return;
          }
          auto& again = *kept.emplace_back(std::move(*parsed));
          for (size_t i = 0; i < again.records.size(); ++i) {
            if (auto field = first_difference(run[i], again.records[i]); !field.empty()) {
              contradiction(segment.log, at(segment.log, run[i].index),
                            "field " + field + " as stored is not what its parser gives for the raw message");
            }
            rebuilt.push_back(&again.records[i]);
          }
        });
    if (failed) return contradiction(segment.log, place, failed->message);
    auto said = view_.whole_summary(segment);
    if (!said) return contradiction(segment.log, place, said.error().message);
    auto summary = storage::build_block(context, rebuilt).summary;
    if (summary.encode() != said->encode() || summary.encode_words() != said->encode_words()) {
      auto what = summary.token_filter != said->token_filter ? "token filter"
                  : summary.sources != said->sources         ? "list of sources"
                  : summary.raw_bytes != said->raw_bytes     ? "count of bytes"
                                                             : "time ranges";
      contradiction(segment.log, place,
                    std::string("the stored ") + what + " is not that of its records: a search would miss some");
    }
  }

  // By them a search passes over all blocks of a day. One that is not there holds nothing back.
  void verify_days(const std::string& log, const std::map<uint32_t, storage::DayHead>& made) {
    auto stored = view_.stored_days(log);
    if (!stored) return contradiction(log, "heads of the days of log " + log, stored.error().message);
    for (auto& [day, head] : *stored) {
      auto of = made.find(day);
      if (of != made.end() && of->second == head) continue;
      contradiction(log, "head of store day " + std::to_string(day) + " of log " + log,
                    "is not that of its blocks: a search would miss some");
    }
  }

  // Consecutive records whose fields another engine gave.
  struct NotCompared {
    uint32_t engine;
    uint64_t from, to;  // records, `to` not among them
    uint64_t first_block, last_block;
  };

  void note_not_compared(uint32_t engine, uint64_t block, std::span<const Record> run) {
    auto from = run.front().index, to = run.back().index + 1;
    if (!not_compared_.empty() && not_compared_.back().engine == engine && not_compared_.back().to == from) {
      not_compared_.back().to = to;
      not_compared_.back().last_block = block;
    } else {
      not_compared_.push_back({engine, from, to, block, block});
    }
  }

  void tell_not_compared(const std::string& log, const NotCompared& run) {
    auto place = "block " + at(log, run.first_block);
    if (run.last_block != run.first_block) place += " to block " + at(log, run.last_block);
    auto engine = "parser engine " + std::to_string(run.engine);
    auto records = "records " + at(log, run.from) + " to " + at(log, run.to - 1);
    std::string began;
    if (!binding_.has_started(run.engine) && !unread_[kAuditLog].empty()) {
      began = ". Whether this engine was ever started here was not checked because " +
              unread_words(kAuditLog, unread_[kAuditLog].front().from);
    } else if (!binding_.has_started(run.engine)) {
      contradiction(log, place,
                    records + ": the block says that " + engine +
                        " gave their fields, but by `_audit` no such "
                        "one was ever started here");
    }
    unproved(log, place,
             records + ": " + engine + " gave their fields, this program has " +
                 std::to_string(view_.reparse().engine) +
                 " and cannot give them again: @timestamp, message, "
                 "event.dataset and all parsed fields were NOT compared with the raw messages; raw, origin, "
                 "order and filter were checked. A yushi with " +
                 engine + " can compare them" + began);
  }

  static bool is_same_field(const Field& a, const Field& b) {
    return a.name == b.name && a.type == b.type && a.list == b.list;
  }

  static std::string first_difference(const Record& stored, const Record& again) {
    if (stored.event_ns != again.event_ns || stored.event_digits != again.event_digits) return "@timestamp";
    if (stored.time_inferred != again.time_inferred) return "yushi.time.inferred";
    if (stored.priority != again.priority) return "log.syslog.priority";
    if (stored.message() != again.message() || stored.message_begin != again.message_begin) return "message";
    if (!stored.kind != !again.kind) return "event.dataset";
    if (stored.kind) {
      if (stored.kind->dataset != again.kind->dataset || stored.kind->parser != again.kind->parser ||
          stored.kind->pattern != again.kind->pattern) {
        return "event.dataset";
      }
      auto& a = stored.kind->constants;
      auto& b = again.kind->constants;
      for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
        if (i >= a.size()) return std::string(b[i].field->name);
        if (i >= b.size() || !is_same_field(*a[i].field, *b[i].field) || a[i].value != b[i].value)
          return std::string(a[i].field->name);
      }
    }
    for (size_t i = 0; i < std::max(stored.captures.size(), again.captures.size()); ++i) {
      if (i >= stored.captures.size()) return std::string(again.captures[i].field->name);
      auto& a = stored.captures[i];
      if (i >= again.captures.size()) return std::string(a.field->name);
      auto& b = again.captures[i];
      // Where they part, the one that begins earlier is the one that the other lacks.
      if (a.begin != b.begin) return std::string((a.begin < b.begin ? a : b).field->name);
      if (a.length != b.length || a.escape != b.escape || !is_same_field(*a.field, *b.field))
        return std::string(b.field->name);
    }
    return {};
  }

  // `whole`: `levels` are those of all records; else of the first `size`, and behind them a tile may hold more.
  void verify_tiles(const std::string& log, const std::map<int, std::vector<Hash>>& levels, uint64_t size, bool whole) {
    for (auto& [level, hashes] : levels) {
      for (uint64_t index = 0; index * 256 < hashes.size(); ++index) {
        auto tile = view_.tile(log, level, index);
        if (!tile) {
          contradiction(log, "tree of log " + log, tile.error().message);
          continue;
        }
        auto count = std::min<uint64_t>(256, hashes.size() - index * 256);
        bool fits = whole ? tile->size() == count * 32 : tile->size() >= count * 32;
        if (!fits || std::memcmp(tile->data(), hashes[index * 256].data(), count * 32) != 0) {
          contradiction(log, "tree of log " + log,
                        "tile " + std::to_string(level) + "/" + std::to_string(index) +
                            " is not that of the records (" + std::to_string(size) + ")");
        }
      }
    }
  }

  // `some_unread`: the counters must be at least what was counted.
  void verify_sources(const std::string& log, const std::map<std::string, storage::SourceState>& counted,
                      bool some_unread) {
    auto stored = view_.sources(log);
    if (!stored) return contradiction(log, "sources of log " + log, stored.error().message);
    std::map<std::string, storage::SourceState> by_name(stored->begin(), stored->end());
    for (auto& [source, state] : counted) {
      auto it = by_name.find(source);
      auto place = "source " + source + " of log " + log;
      if (it == by_name.end()) {
        contradiction(log, place, "has records, but its counters are gone");
      } else if (some_unread ? it->second.next_seq < state.next_seq || it->second.raw_bytes < state.raw_bytes
                             : it->second.next_seq != state.next_seq || it->second.raw_bytes != state.raw_bytes) {
        contradiction(log, place,
                      "counters say " + std::to_string(it->second.next_seq) + " records and " +
                          std::to_string(it->second.raw_bytes) + " bytes; there are " + std::to_string(state.next_seq) +
                          " and " + std::to_string(state.raw_bytes));
      }
      if (it == by_name.end()) continue;
      auto& said = it->second;
      if (!some_unread) {
        auto differs = said.first_received_ns != state.first_received_ns                 ? "first receipt"
                       : said.last_received_ns != state.last_received_ns                 ? "last receipt"
                       : said.last_event_ns != state.last_event_ns && !times_given_anew_ ? "last event time"
                       : said.address != state.address                                   ? "address"
                                                                                         : nullptr;
        if (differs)
          contradiction(log, place, std::string("the ") + differs + " in its counters is not that of its records");
      }
      if (some_unread ? (said.transports | state.transports) != said.transports : said.transports != state.transports) {
        contradiction(log, place, "the transports that it was seen on are not those of its records");
      }
      // The numbers in unread records may have told of losses, and may have made up for some.
      if (!some_unread && said.losses != state.losses) {
        contradiction(log, place,
                      "counters say that " + std::to_string(said.losses.lost()) + " messages were lost; its records' " +
                          "numbers tell of " + std::to_string(state.losses.lost()) +
                          (said.losses.lost() == state.losses.lost() ? ", but of others" : ""));
      }
    }
    if (some_unread) return;
    for (auto& [source, state] : by_name) {
      if (!counted.contains(source))
        contradiction(log, "source " + source + " of log " + log, "has counters, but no record");
    }
  }

  // What the index of alerts must say of this record of `_audit`.
  void note_alert(const Record& record) {
    if (record.raw.find("\"alert\"") == record.raw.npos) return;  // few have it, and to read JSON takes its time
    if (auto alert = alert_of(record.raw)) alerts_.emplace(record.index, storage::AlertEntry::of(*alert));
    if (auto own = own_record_of(record.raw))
      if (auto* act = std::get_if<AlertAct>(&own->about)) acts_.emplace(record.index, storage::AlertActEntry::of(*act));
  }

  void verify_alerts() {
    std::set<uint64_t> listed, listed_acts;
    auto read = view_.each_alert(0, false, [&](uint64_t index, const Result<storage::AlertEntry>& entry) {
      ++report_.alerts;
      listed.insert(index);
      verify_entry(index, entry, alerts_, "no alert",
                   "the index of alerts says another time, severity, id or tenant than this alert");
      return true;
    });
    if (read) {
      read = view_.each_alert_act(0, [&](uint64_t index, const Result<storage::AlertActEntry>& entry) {
        listed_acts.insert(index);
        verify_entry(index, entry, acts_, "nothing that was done to one",
                     "the index of alerts says another state than this record, or of another alert");
        return true;
      });
    }
    if (!read) return contradiction(kAuditLog, "index of alerts", read.error().message);
    for (auto& [index, alert] : alerts_) {
      if (!listed.contains(index))
        contradiction(kAuditLog, at(kAuditLog, index), "this alert is gone from the index of alerts");
    }
    for (auto& [index, act] : acts_) {
      if (!listed_acts.contains(index)) {
        contradiction(kAuditLog, at(kAuditLog, index),
                      "what this record says was done to an alert is gone from the index of alerts");
      }
    }
  }

  template <class Entry>
  void verify_entry(uint64_t index, const Result<Entry>& entry, const std::map<uint64_t, Entry>& by_record,
                    const std::string& is_none, const std::string& is_other) {
    const auto& unread = unread_[kAuditLog];
    const auto place = at(kAuditLog, index);
    const auto found = by_record.find(index);
    if (!entry) {
      contradiction(kAuditLog, place, entry.error().message);
    } else if (found == by_record.end()) {
      if (std::none_of(unread.begin(), unread.end(), [&](auto& one) { return one.has(index); }))
        contradiction(kAuditLog, place, "is in the index of alerts, but is " + is_none);
    } else if (*entry != found->second) {
      contradiction(kAuditLog, place, is_other);
    }
  }

  void contradiction(const std::string& log, const std::string& place, std::string what) {
    add({log, place, std::move(what), true});
  }
  void unproved(const std::string& log, const std::string& place, std::string what) {
    add({log, place, std::move(what), false});
  }
  void add(Flaw flaw) {
    // What could not be proved must not leave a contradiction without a place.
    auto& here = flaw.contradiction ? log_contradictions_ : log_unproved_;
    auto& all = flaw.contradiction ? contradictions_ : unproved_;
    if (++here <= VerifyReport::kFlawsMax / 10 && ++all <= VerifyReport::kFlawsMax / 2) {
      report_.flaws.push_back(std::move(flaw));
    }
  }

  const storage::StoreView& view_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::optional<storage::Heads> heads_;
  std::map<std::string, std::vector<Unread>> unread_;  // by log
  KeyRing keys_;
  Binding binding_{options_.key_rotations,
                   [this](auto& log, auto& place, std::string what) { contradiction(log, place, std::move(what)); }};
  std::map<std::pair<std::string, uint64_t>, PartHead> heads_of_parts_;  // by source and first_seq
  Arena part_arena_;
  std::map<uint64_t, storage::AlertEntry> alerts_;  // by index in `_audit`, of the records there
  std::map<uint64_t, storage::AlertActEntry> acts_;
  std::vector<NotCompared> not_compared_;  // of this log
  bool times_given_anew_ = false;          // of this log: a chunk's times were another engine's at commit
  size_t contradictions_ = 0, unproved_ = 0;
  size_t log_contradictions_ = 0, log_unproved_ = 0;
};

}  // namespace

Result<VerifyReport> verify_store(const storage::StoreView& view, const VerifyOptions& options,
                                  const std::function<bool(std::string_view, uint64_t, uint64_t)>& progress) {
  return Verifier(view, options).run(progress);
}

}  // namespace yushi::audit
