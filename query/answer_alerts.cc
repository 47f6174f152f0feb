// The list of alerts, and one alert with the records behind it.
#include <charconv>
#include <limits>
#include <optional>

#include "core/record/ecs_json.h"
#include "query/answer.h"

namespace yushi::query {
namespace {

constexpr size_t kMissingMax = 1000;

// "finance/4711": false when it is no record id.
bool split_id(std::string_view id, std::string* log, uint64_t* index) {
  auto slash = id.rfind('/');
  if (slash == id.npos || slash == 0) return false;
  auto digits = id.substr(slash + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *index);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  *log = id.substr(0, slash);
  return true;
}

// What stands behind `"name":"` in an alert's JSON; empty when nothing does. The JSON is ours: in a sender's text each
// quote has a backslash before it.
std::string_view text_after(std::string_view json, std::string_view name) {
  auto at = json.find(name);
  if (at == json.npos) return {};
  at += name.size();
  return json.substr(at, json.find('"', at) - at);
}

// Which alerts are asked for. Says so without parsing: 200,000 of them are a second's work then, not ten.
struct Wanted {
  Filter::Times raised;
  std::string tenant;  // empty: all

  // nullopt: it is no alert any more.
  std::optional<bool> holds(std::string_view json) const {
    auto time = parse_time(text_after(json, R"("created":")"), 0, *Zone::utc());
    if (!time) return std::nullopt;
    if (time->unix_ns < raised.from_ns || time->unix_ns > raised.to_ns) return false;
    return tenant.empty() || text_after(json, R"("organization":{"name":")") == tenant;
  }
};

// A clock that is set back between a record's receipt and its commit, or a batch held so long, must not hide an alert.
constexpr int64_t kRaisedSlackNs = 24 * 3600 * kSecond;

// No alert before this index of `_audit` was raised after `from_ns`: what raises one is received before it is written
// down. Blocks know when their records were received, the tail does not.
uint64_t first_index_of(const storage::StoreView& view, int64_t from_ns) {
  if (from_ns < std::numeric_limits<int64_t>::min() + kRaisedSlackNs) return 0;
  auto segments = view.segments("_audit");
  if (!segments) return 0;
  for (auto& segment : *segments)
    if (!segment.sealed || segment.summary.received_to_ns >= from_ns - kRaisedSlackNs)
      return segment.summary.first_index;
  return segments->empty() ? 0 : segments->back().summary.first_index;
}

}  // namespace

// In the order in which they were raised, which is that of the store. One at a time: no answer is held in memory.
Result<void> answer_alerts(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"since", "until", "zone", "limit", "tenant", "reverse"}); !allowed)
    return allowed;
  auto clock = YUSHI_TRY(parameters.clock());
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto reverse = YUSHI_TRY(parameters.flag("reverse"));

  const Wanted wanted{times, std::string(parameters.text("tenant"))};
  uint64_t left = limit.value_or(std::numeric_limits<uint64_t>::max());
  uint64_t from = first_index_of(asked.view, times.from_ns);
  if (limit && !reverse) {
    // The newest so many, the newest of them last: where do they begin?
    uint64_t found = 0, first = std::numeric_limits<uint64_t>::max();
    auto counted = asked.view.each_alert(from, true, [&](uint64_t index, std::string_view json) {
      if (found == left || asked.cancelled) return false;
      if (wanted.holds(json).value_or(false)) first = index, ++found;
      return true;
    });
    if (!counted) return counted;
    from = first;
  }
  AnswerEnd end;
  bool gone = false;
  SecretMask mask(asked.secrets);
  auto answered = asked.view.each_alert(from, reverse, [&](uint64_t index, std::string_view json) {
    if (end.records == left) return false;
    auto holds = wanted.holds(json);
    if (holds && !*holds) return !asked.cancelled;
    if (!holds || !nlohmann::json::accept(json)) {
      if (end.missing.size() < kMissingMax)
        end.missing.push_back("alert _audit/" + std::to_string(index) + " is no alert any more");
      return !asked.cancelled;
    }
    gone = !asked.sink(mask.mask(json));
    ++end.records;
    return !gone && !asked.cancelled;
  });
  if (!answered) return answered;
  if (!gone && !asked.cancelled) say_end(asked, end);
  return {};
}

Result<void> answer_alert(const Asked& asked, std::string_view id) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({}); !allowed) return allowed;
  nlohmann::json parsed;
  std::string json;
  const std::string quoted = '"' + std::string(id) + '"';
  auto looked = asked.view.each_alert(0, true, [&](uint64_t, std::string_view stored) {
    if (stored.find(quoted) == stored.npos) return !asked.cancelled;
    parsed = nlohmann::json::parse(stored, nullptr, false);
    auto known = parsed.is_object() ? parsed.value(nlohmann::json::json_pointer("/yushi/alert/id"), nlohmann::json())
                                    : nlohmann::json();
    if (!known.is_string() || known.get_ref<const std::string&>() != id) return !asked.cancelled;
    json = stored;
    return false;
  });
  if (!looked) return looked;
  if (asked.cancelled) return {};
  if (!json.empty()) {
    SecretMask mask(asked.secrets);
    if (!asked.sink(mask.mask(json))) return {};
    AnswerEnd end;
    end.records = 1;
    auto records = parsed.value(nlohmann::json::json_pointer("/yushi/alert/records"), nlohmann::json::array());
    if (!records.is_array()) records = nlohmann::json::array({records});
    EcsJsonWriter writer;
    std::unique_ptr<Batch> batch;  // records of one alert mostly stand together
    std::optional<storage::Segment> segment;
    for (auto& record_id : records) {
      if (asked.cancelled) return {};
      std::string log;
      uint64_t index = 0;
      if (!record_id.is_string() || !split_id(record_id.get_ref<const std::string&>(), &log, &index)) continue;
      auto name = log + "/" + std::to_string(index);
      auto holds = [&] {
        return segment && batch && segment->log == log && index >= segment->summary.first_index &&
               index - segment->summary.first_index < batch->records.size();
      };
      if (!holds()) {
        auto found = asked.view.segment_at(log, index);
        if (!found || !*found) {
          end.missing.push_back("record " + name + (found ? " is not in the store" : ": " + found.error().message));
          continue;
        }
        segment = std::move(**found);
        auto read = asked.view.read(*segment);
        if (!read) {
          end.missing.push_back("record " + name + ": " + read.error().message);
          batch.reset();
          continue;
        }
        batch = std::move(*read);
        end.blocks_read += segment->sealed;
      }
      if (!holds()) {
        end.missing.push_back("record " + name + " is not in its segment");
        continue;
      }
      std::string out;
      writer.write(mask.mask(batch->records[index - segment->summary.first_index]), JsonOptions{}, out);
      if (!asked.sink(out)) return {};
      ++end.records;
    }
    say_end(asked, end);
    return {};
  }
  return fail(Code::not_found, "no alert " + std::string(id));
}

}  // namespace yushi::query
