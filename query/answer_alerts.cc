// The list of alerts, and one alert with the records behind it.
#include <algorithm>
#include <charconv>
#include <optional>

#include "core/record/ecs_json.h"
#include "query/answer.h"

namespace yushi {
namespace {

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

struct AlertLine {
  int64_t event_ns = 0;
  std::string id, tenant, json;
};

std::optional<AlertLine> read_alert(const std::string& json) {
  auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  auto text = [&](const char* pointer) { return parsed.value(nlohmann::json::json_pointer(pointer), std::string()); };
  AlertLine line;
  try {
    line.id = text("/yushi/alert/id");
    line.tenant = text("/organization/name");
    if (auto time = parse_time(text("/@timestamp"), 0, *Zone::utc())) line.event_ns = time->unix_ns;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // a name of ours with a value of another kind
  }
  line.json = json;
  return line;
}

}  // namespace

Result<void> answer_alerts(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"since", "until", "zone", "limit", "tenant", "reverse"}); !allowed) return allowed;
  auto clock = parameters.clock();
  if (!clock) return tl::unexpected(clock.error());
  auto times = parameters.times(*clock);
  if (!times) return tl::unexpected(times.error());
  auto limit = parameters.number("limit");
  if (!limit) return tl::unexpected(limit.error());
  auto reverse = parameters.flag("reverse");
  if (!reverse) return tl::unexpected(reverse.error());
  auto stored = asked.view.alerts();
  if (!stored) return tl::unexpected(stored.error());

  AnswerEnd end;
  std::vector<AlertLine> lines;
  auto tenant = parameters.text("tenant");
  for (auto& alert : *stored) {
    auto line = read_alert(alert.json);
    if (!line) {
      end.missing.push_back("alert _audit/" + std::to_string(alert.audit_index) + " is no alert any more");
      continue;
    }
    if (!tenant.empty() && line->tenant != tenant) continue;
    if (line->event_ns < times->from_ns || line->event_ns > times->to_ns) continue;
    lines.push_back(std::move(*line));
  }
  // Stored order is commit order, and stays among equal times.
  std::stable_sort(lines.begin(), lines.end(), [](auto& a, auto& b) { return a.event_ns < b.event_ns; });
  if (*limit && lines.size() > **limit) lines.erase(lines.begin(), lines.end() - static_cast<ptrdiff_t>(**limit));
  if (*reverse) std::reverse(lines.begin(), lines.end());
  for (auto& line : lines) {
    if (!asked.sink(line.json)) return {};
    ++end.records;
  }
  say_end(asked, end);
  return {};
}

Result<void> answer_alert(const Asked& asked, std::string_view id) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({}); !allowed) return allowed;
  auto stored = asked.view.alerts();
  if (!stored) return tl::unexpected(stored.error());
  for (auto& alert : *stored) {
    auto line = read_alert(alert.json);
    if (!line || line->id != id) continue;
    if (!asked.sink(line->json)) return {};
    AnswerEnd end;
    end.records = 1;
    auto parsed = nlohmann::json::parse(line->json, nullptr, false);
    auto records = parsed.value(nlohmann::json::json_pointer("/yushi/alert/records"), nlohmann::json::array());
    if (!records.is_array()) records = nlohmann::json::array({records});
    EcsJsonWriter writer;
    std::unique_ptr<Batch> batch;  // records of one alert mostly stand together
    std::optional<Segment> segment;
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
      writer.write(batch->records[index - segment->summary.first_index], JsonOptions{}, out);
      if (!asked.sink(out)) return {};
      ++end.records;
    }
    say_end(asked, end);
    return {};
  }
  return fail(Code::not_found, "no alert " + std::string(id));
}

}  // namespace yushi
