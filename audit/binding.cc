#include "audit/binding.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/name.h"
#include "core/base/time_text.h"

namespace yushi::audit {
namespace {

constexpr uint64_t kRecordsOfAHandover = 16;  // that record, and lists of roots of at most 3,584 logs
constexpr int64_t kRootsEvery = 24 * 60 * kMinute;
// What stands in the records that bind all else.
constexpr std::string_view kBinding[] = {"\"start\"", "\"log-context\"", "\"log-roots\"", "\"key-rotated\""};

std::string words(const std::string& parsers, const std::string& zone, const std::string& charset, uint32_t engine) {
  return "parsers " + parsers.substr(0, 12) + ", zone " + zone + ", charset " + charset + ", engine " +
         std::to_string(engine);
}

}  // namespace

std::string at(std::string_view log, uint64_t index) { return std::string(log) + "/" + std::to_string(index); }

void Binding::take(const Record& record) {
  // few are of these kinds, and to read JSON takes its time
  const bool wanted = std::any_of(std::begin(kBinding), std::end(kBinding),
                                  [&](auto word) { return record.raw.find(word) != record.raw.npos; });
  auto own = wanted ? own_record_of(record.raw) : std::nullopt;
  if (!own) return;
  if (auto* started = std::get_if<EngineStarted>(&own->about)) engines_.insert(started->engine);
  if (auto* told = std::get_if<LogContexts>(&own->about)) take_contexts(*told, told_);
  if (auto* roots = std::get_if<LogRoots>(&own->about)) take_roots(*roots, record);
  if (auto* rotated = std::get_if<KeyRotated>(&own->about)) {
    // One that was cut short is told of too, but did not come to hold: the store does not have it.
    if (auto old = from_base64(rotated->rotation.substr(0, rotated->rotation.find(' ')));
        old && key_rotations_.find(rotated->rotation) != std::string::npos)
      retired_.try_emplace(*old, record.index);
  }
}

// Each such record says the root over all logs as they were; the list of those that moved makes it again.
void Binding::take_roots(const LogRoots& said, const Record& record) {
  auto place = at(kAuditLog, record.index);
  for (auto& moved : said.moved) {
    LogRoot root{moved.size, {}};
    auto bytes = from_base64(moved.root);
    if (!bytes || bytes->size() != root.root.size())
      return contradict_(kAuditLog, place, "the root of log " + moved.log + " in it is none");
    std::copy(bytes->begin(), bytes->end(), reinterpret_cast<char*>(root.root.data()));
    bound_[moved.log] = root;
    auto& roots = bound_roots_[moved.log];
    auto day = record.origin->received_ns / kRootsEvery;
    if (roots.empty() || roots.back().day != day) roots.push_back({});
    roots.back() = {day, root, place};
  }
  last_roots_ = record.index;
  if (!said.more && to_base64(as_bytes(root_over(bound_))) != said.root) {
    contradict_(kAuditLog, place,
                "the root over all logs that this record says is not that of the logs that `_audit` names");
  }
}

void Binding::take_signed(const std::string& log, uint64_t size) {
  ++signed_logs_;
  if (log == kAuditLog) audit_signed_ = size;
}

void Binding::check_contexts(const std::string& log, const StoredContexts& stored) const {
  static const ToldContexts::mapped_type kNothing;
  auto of_log = told_.find(log);
  auto& told = of_log == told_.end() ? kNothing : of_log->second;
  stored.parsed.for_each_run(stored.records, [&](auto& how, uint32_t from, uint32_t to) {
    const auto end = stored.first + to;
    for (uint64_t index = stored.first + from; index < end;) {
      auto next = std::find_if(told.begin(), told.end(), [&](auto& one) { return one.first > index; });
      auto place = (stored.sealed ? "block " : "chunk ") + at(log, stored.first);
      if (next == told.begin()) {
        contradict_(log, place, "how its records were understood stands nowhere in `_audit`");
      } else if (auto& said = *std::prev(next); said.parsers != how.parser_digest || said.timezone != how.timezone ||
                                                said.charset != how.charset ||
                                                (said.engine != how.engine && !is_to_be_sealed_anew(stored, how))) {
        contradict_(log, place,
                    "says that its records from " + at(log, index) + " on were understood with " +
                        words(how.parser_digest, how.timezone, how.charset, how.engine) + "; `_audit` says with " +
                        words(said.parsers, said.timezone, said.charset, said.engine));
      }
      index = next == told.end() ? end : std::min(end, next->first);
    }
  });
}

// A crash may come after a start has said that its engine gives the fields of another one's tail anew, and before it
// sealed them: what the chunk says of the engine decides nothing.
bool Binding::is_to_be_sealed_anew(const StoredContexts& stored, const storage::ParseContext& how) const {
  return !stored.sealed && engines_.contains(how.engine);
}

void Binding::check_births(const std::vector<std::string>& logs, bool audit_is_whole, const KeyRing& keys) const {
  auto has = [&](const std::string& log) { return std::find(logs.begin(), logs.end(), log) != logs.end(); };
  if (!logs.empty() && !has(kAuditLog)) return contradict_(kAuditLog, "log _audit", "is gone");
  for (auto& log : logs) {
    auto told = told_.find(log);
    if (audit_is_whole && (told == told_.end() || told->second.empty() || told->second.front().first != 0))
      contradict_(log, "log " + log, "has no record of its birth in `_audit`: it was put in");
  }
  for (auto& [log, told] : told_) {
    if (!has(log)) contradict_(log, "log " + log, "was born, as `_audit` says, and is gone");
  }
  if (audit_is_whole && !logs.empty()) check_keys(keys);
}

void Binding::check_keys(const KeyRing& keys) const {
  for (size_t i = 1; i < keys.keys().size(); ++i) {
    if (!retired_.contains(keys.keys()[i]))
      contradict_(kAuditLog, "rotations in meta", "name a key of which `_audit` does not say that it handed over");
  }
  for (auto& old : old_signatures_) {
    // Its last signature covers the record that hands over, and the one of roots behind it.
    auto retired = retired_.find(old.key);
    if (retired != retired_.end() && old.size > retired->second + kRecordsOfAHandover)
      contradict_(kAuditLog, old.place,
                  "is signed by a key that had handed over at record " + at(kAuditLog, retired->second));
  }
  if (audit_signed_ == 0) {
    if (signed_logs_ > 0)
      contradict_(kAuditLog, "log _audit", "has no signed checkpoint, but others have: its were removed");
  } else if (last_roots_ + 1 < audit_signed_) {
    contradict_(kAuditLog, at(kAuditLog, audit_signed_ - 1),
                "the last signed record is not the one that says the root over all logs");
  }
}

}  // namespace yushi::audit
