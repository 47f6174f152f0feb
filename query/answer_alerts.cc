// The list of alerts, and one alert with the records behind it: found in the index of alerts, read from `_audit`.
#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/name.h"
#include "core/event/alert.h"
#include "core/record/ecs_json.h"
#include "query/alert_reading.h"
#include "query/answer.h"
#include "storage/read/record_reader.h"

namespace yushi::query {
namespace {

using storage::AlertEntry;

constexpr size_t kMissingMax = 1000;

bool is_in_any_case(std::string_view part, std::string_view whole) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::search(whole.begin(), whole.end(), part.begin(), part.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != whole.end();
}

// Whether an alert speaks of this account, host or address: its record does, or what it folds on ("actor=lin
// host.name=web-01", "lin from 10.0.0.5").
bool is_about(const Alert& alert, std::string_view name) {
  if (alert.actor == name) return true;
  for (const char* field : {"user.name", "host.name", "source.ip"})
    if (alert.field(field) == name) return true;
  for (std::string_view left = alert.key; !left.empty();) {
    auto word = left.substr(0, left.find(' '));
    left.remove_prefix(std::min(left.size(), word.size() + 1));
    if (word == name ||
        (word.ends_with(name) && word.size() > name.size() && word[word.size() - name.size() - 1] == '='))
      return true;
  }
  return false;
}

// Which alerts are asked for. Of times, tenants and severities the index says so: 200,000 of them are a moment's work.
struct Wanted {
  Filter::Times raised;
  std::string tenant;  // empty: all
  Severity least = Severity::informational;
  std::string_view rule, about;  // empty: any
  const Permit& permit;

  bool holds(const AlertEntry& entry) const {
    if (entry.raised_ns < raised.from_ns || entry.raised_ns > raised.to_ns || entry.severity < least) return false;
    return (tenant.empty() || entry.tenant == tenant) && permit.sees_tenant(entry.tenant);
  }
  bool reads() const { return !rule.empty() || !about.empty(); }
  bool holds(const Alert& alert) const {
    return (rule.empty() || alert.rule_id == rule || is_in_any_case(rule, alert.rule_name)) &&
           (about.empty() || is_about(alert, about));
  }
};

}  // namespace

Result<Severity> least_severity(const Parameters& parameters) {
  const auto given = parameters.text("severity");
  if (given.empty()) return Severity::informational;
  for (auto severity : {Severity::informational, Severity::low, Severity::medium, Severity::high, Severity::critical})
    if (severity_text(severity) == given) return severity;
  return fail(Code::invalid,
              "severity: '" + std::string(given) + "' is none of informational, low, medium, high, critical");
}

Result<Alert> read_alert(storage::RecordReader& reader, uint64_t index, std::string_view* raw) {
  auto* record = YUSHI_TRY(reader.read(kAuditLog, index));
  *raw = record->raw;
  auto alert = alert_of(record->raw);
  if (!alert) return fail(Code::corrupt, "alert _audit/" + std::to_string(index) + " is no alert any more");
  return std::move(*alert);
}

namespace {
// A clock that is set back between a record's receipt and its commit, or a batch held so long, must not hide an alert.
constexpr int64_t kRaisedSlackNs = 24 * 3600 * kSecond;
}  // namespace

// What raises an alert is received before it is written down. Blocks know when their records were received, the tail
// does not.
uint64_t first_index_of(const storage::StoreView& view, int64_t from_ns) {
  if (from_ns < std::numeric_limits<int64_t>::min() + kRaisedSlackNs) return 0;
  auto outline = view.outline(kAuditLog);
  if (!outline) return 0;
  auto index = std::numeric_limits<uint64_t>::max();
  uint64_t end = 0;
  for (auto& [day, of_day] : outline->days) {
    if (of_day.received_to_ns >= from_ns - kRaisedSlackNs) index = std::min(index, of_day.first_index);
    end = std::max(end, of_day.end);
  }
  return std::min(index, end);  // the tail begins there
}

// In the order in which they were raised, which is that of the store. One at a time: no answer is held in memory.
Result<AnswerEnd> answer_alerts(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto reverse = YUSHI_TRY(parameters.flag("reverse"));

  const auto least = YUSHI_TRY(least_severity(parameters));
  const Wanted wanted{
      times, std::string(parameters.text("tenant")), least, parameters.text("rule"), parameters.text("about"), permit};
  if (!wanted.tenant.empty()) YUSHI_TRY(permit.see_tenant(wanted.tenant));
  uint64_t left = limit.value_or(std::numeric_limits<uint64_t>::max());
  uint64_t from = first_index_of(asked.view, times.from_ns);
  storage::RecordReader reader(asked.view);
  if (limit && !reverse) {
    // The newest so many, the newest of them last: where do they begin?
    uint64_t found = 0, first = std::numeric_limits<uint64_t>::max();
    YUSHI_TRY(asked.view.each_alert(from, true, [&](uint64_t index, auto& entry) {
      if (found == left || asked.cancelled) return false;
      if (!entry || !wanted.holds(*entry)) return true;
      if (wanted.reads()) {
        std::string_view raw;
        const auto alert = read_alert(reader, index, &raw);
        if (!alert || !wanted.holds(*alert)) return true;
      }
      first = index, ++found;
      return true;
    }));
    from = first;
  }
  AnswerEnd end;
  bool gone = false;
  SecretMask mask(asked.secrets);
  const auto miss = [&](std::string what) {
    if (end.missing.size() < kMissingMax) end.missing.push_back(std::move(what));
  };
  YUSHI_TRY(asked.view.each_alert(from, reverse, [&](uint64_t index, auto& entry) {
    if (end.records == left) return false;
    if (!entry) {
      miss("alert _audit/" + std::to_string(index) + ": " + entry.error().message);
    } else if (wanted.holds(*entry)) {
      std::string_view raw;
      if (auto alert = read_alert(reader, index, &raw); !alert) {
        miss(alert.error().message);
      } else if (wanted.holds(*alert)) {
        gone = !asked.sink(mask.mask(raw));
        ++end.records;
      }
    }
    return !gone && !asked.cancelled;
  }));
  end.blocks = end.blocks_read = reader.blocks_read();
  return gone || asked.cancelled ? asked.so_far() : end;
}

Result<std::optional<uint64_t>> find_alert(const Permit& permit, const Asked& asked) {
  std::optional<uint64_t> index;
  uint64_t alike = 0;
  bool whole = false;
  YUSHI_TRY(asked.view.each_alert(0, true, [&](uint64_t each, auto& entry) {
    if (entry && entry->id.starts_with(asked.id) && permit.sees_tenant(entry->tenant)) {
      index = each;
      ++alike;
      whole = entry->id == asked.id;
    }
    return !whole && !asked.cancelled;
  }));
  if (asked.cancelled) return std::optional<uint64_t>();
  if (!index) return fail(Code::not_found, "no alert " + std::string(asked.id));
  if (!whole && alike > 1)
    return fail(Code::invalid,
                std::to_string(alike) + " alerts begin with " + std::string(asked.id) + ": give more of it");
  return index;
}

Result<AnswerEnd> answer_alert(const Permit& permit, const Asked& asked) {
  const auto index = YUSHI_TRY(find_alert(permit, asked));
  if (!index) return asked.so_far();
  storage::RecordReader reader(asked.view);
  std::string_view raw;
  const auto alert = YUSHI_TRY(read_alert(reader, *index, &raw));
  SecretMask mask(asked.secrets);
  if (!asked.sink(mask.mask(raw))) return asked.so_far();
  AnswerEnd end;
  end.records = 1;
  EcsJsonWriter writer;
  for (auto& [log, place] : alert.records) {
    if (asked.cancelled) return asked.so_far();
    if (!permit.sees_log(log)) continue;
    auto record = reader.read(log, place);
    if (!record) {
      end.missing.push_back(record.error().message);
      continue;
    }
    std::string out;
    writer.write(mask.mask(**record), JsonOptions{}, out);
    if (!asked.sink(out)) return asked.so_far();
    ++end.records;
  }
  end.blocks = end.blocks_read = reader.blocks_read();
  return end;
}

}  // namespace yushi::query
