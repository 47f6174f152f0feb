// search and hist: records in the order (@timestamp, log, index), or the rows of a pipe.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <map>
#include <thread>

#include "core/record/ecs_json.h"
#include "query/answers/answer.h"
#include "query/answers/answer_scan.h"
#include "query/output.h"
#include "query/pipe/query.h"
#include "query/pipe/run.h"
#include "query/scan/arrivals.h"
#include "query/scan/field_watch.h"
#include "query/scan/scan.h"

namespace yushi::query {
namespace {

// From which index on a log is asked: "log=index,log=index,".
Result<std::map<std::string, uint64_t>> read_after(std::string_view text) {
  std::map<std::string, uint64_t> out;
  while (!text.empty()) {
    auto comma = text.find(',');
    auto part = text.substr(0, comma);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
    if (part.empty()) continue;
    auto equals = part.rfind('=');
    uint64_t index = 0;
    auto digits = equals == part.npos ? std::string_view() : part.substr(equals + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
      return fail(Code::invalid, "after: \"" + std::string(part) + "\" is not LOG=INDEX");
    }
    out[std::string(part.substr(0, equals))] = index;
  }
  return out;
}

Result<ScanPlan> plan_event_scan(const Asked& asked, const std::vector<std::string>& logs) {
  if (!asked.means.events) return fail(Code::unavailable, "nobody says what joins lines to events");
  auto reading = YUSHI_TRY(asked.means.events());
  ScanPlan out;
  for (auto& log : logs) {
    auto all = event_groups(asked.view, log, reading);
    if (!all)
      out.missing.push_back("log " + log + ": " + all.error().message);
    else
      std::move(all->begin(), all->end(), std::back_inserter(out.groups));
  }
  return out;
}

Result<JsonOptions> json_options(std::string_view fields) {
  JsonOptions options;
  while (!fields.empty()) {
    const auto name = fields.substr(0, fields.find(','));
    fields.remove_prefix(std::min(fields.size(), name.size() + 1));
    const Field* field = find_field(name);
    if (!field) return fail(Code::invalid, "fields: no field is named \"" + std::string(name) + "\"");
    if (std::find(options.fields.begin(), options.fields.end(), field) == options.fields.end())
      options.fields.push_back(field);
  }
  return options;
}

void render_record(const Asked& asked, const JsonOptions& json, const Record& record, std::string& out) {
  thread_local EcsJsonWriter writer;
  thread_local SecretMask mask(nullptr);
  if (mask.rules() != asked.secrets) mask = SecretMask(asked.secrets);
  writer.write(mask.mask(record), json, out);
}

// What has come since, in commit order: follow goes by arrival, not by event time.
Result<AnswerEnd> answer_arrived(const Asked& asked, const Query& query, const std::vector<std::string>& logs,
                                 const std::map<std::string, uint64_t>& after, const JsonOptions& json,
                                 const ScanOptions& options) {
  Arrivals arrivals(asked.view, query.filter, options, asked.budget.pool().share(), asked.cancelled);
  for (auto& log : logs) {
    auto from = after.find(log);
    arrivals.add(log, from == after.end() ? 0 : from->second);
  }
  asked.budget.on_stall = [&] { arrivals.let_go(); };
  AnswerEnd end;
  std::string line;
  while (auto* record = arrivals.next()) {
    line.clear();
    render_record(asked, json, *record, line);
    if (!asked.sink(line)) return asked.so_far();
    ++end.records;
  }
  if (asked.cancelled) return asked.so_far();
  end.blocks = arrivals.blocks();
  end.blocks_read = arrivals.blocks_read();
  end.missing = arrivals.missing();
  return end;
}

Result<AnswerEnd> answer_records(const Asked& asked, const Query& query, const JsonOptions& json, const ScanPlan& found,
                                 FieldWatch& watch, ScanOptions options, bool reverse, bool limited) {
  const size_t share = asked.budget.lease(asked.budget.pool().bytes() / 4);
  options.bytes_max = share / 2;
  // The N newest, shown oldest first: they are found from the newest end, and turned round. Where they are too long to
  // be held until then, the first of them is remembered, and found again from the other end.
  bool turned = limited && !reverse;
  options.newest_first = reverse || limited;
  std::vector<std::string> held;
  size_t held_bytes = 0;
  std::atomic<bool> is_held{true};
  std::optional<RecordKey> oldest;
  auto render = [&](const Record& record, Scratch&, std::string& out) {
    if (is_held) render_record(asked, json, record, out);
  };
  auto give = [&](ScanHit&& hit) { return asked.sink(hit.rendered); };
  auto hold = [&](ScanHit&& hit) {
    held_bytes += hit.rendered.size() + sizeof(std::string);
    if (held_bytes > share / 2) {
      is_held = false;
      held = {};
    }
    if (is_held) held.push_back(std::move(hit.rendered));
    oldest = std::move(hit.key);
    return true;
  };
  auto report = YUSHI_TRY(
      scan(found.groups, query.filter, options, render, turned ? TakeHit(hold) : TakeHit(give), asked.cancelled));
  if (turned && !is_held && !asked.cancelled) {
    is_held = true;
    options.newest_first = false;
    options.begin = oldest;
    options.limit = report.records_found;
    report = YUSHI_TRY(scan(found.groups, query.filter, options, render, give, asked.cancelled));
  }
  for (auto line = held.rbegin(); line != held.rend(); ++line) {
    if (!asked.sink(*line)) return asked.so_far();
  }
  if (asked.cancelled) return asked.so_far();
  auto end = end_of(report, found.missing);
  end.notes = watch.notes(found.groups, end.records == 0, asked.cancelled);
  return end;
}

Result<AnswerEnd> answer_rows(const Asked& asked, const Query& query, const ScanPlan& found, FieldWatch& watch,
                              ScanOptions options, bool reverse) {
  options.bytes_max = asked.budget.lease(asked.budget.pool().bytes() / 2);
  auto answered = YUSHI_TRY(run_pipe(query, found.groups, options, asked.cancelled, asked.secrets));
  if (asked.cancelled) return asked.so_far();
  if (reverse) std::reverse(answered.table.rows.begin(), answered.table.rows.end());
  for (auto& row : answered.table.rows) {
    if (!asked.sink(render_json_row(answered.table, row))) return asked.so_far();
  }
  auto end = end_of(answered.report, found.missing);
  end.records = answered.table.rows.size();
  end.columns = answered.table.columns;
  end.notes = watch.notes(found.groups, answered.report.records_found == 0 || end.records == 0, asked.cancelled);
  end.notes.insert(end.notes.end(), answered.notes.begin(), answered.notes.end());
  return end;
}

std::string place_of(const Parameters& parameters) {
  auto tenant = parameters.text("tenant");
  return tenant.empty() ? std::string() : "tenant " + std::string(tenant);
}

}  // namespace

Result<AnswerEnd> answer_search(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto query = YUSHI_TRY(Query::parse(parameters.text("query"), clock));
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto reverse = YUSHI_TRY(parameters.flag("reverse"));
  auto events = YUSHI_TRY(parameters.flag("events"));
  auto after = YUSHI_TRY(read_after(parameters.text("after")));
  auto json = YUSHI_TRY(json_options(parameters.text("fields")));
  auto logs = YUSHI_TRY(parameters.logs(permit, asked.view));
  if (!json.fields.empty() && !query.is_plain())
    return fail(Code::invalid, "fields: the rows of a pipe have columns of their own");
  if (reverse && !query.ascends_in_time()) {
    return fail(Code::invalid,
                "reverse: the rows of this pipe are not in the order of time; turn them round with `sort`");
  }
  bool follows = asked.question.parameters.contains("after");
  if (events && (follows || asked.question.parameters.contains("follow"))) {
    return fail(Code::invalid, "events are joined of what is stored; what comes is followed line by line");
  }
  if ((follows || asked.question.parameters.contains("follow")) && !query.is_plain()) {
    return fail(Code::invalid, "a pipe cannot be followed; ask for records");
  }
  if (!follows && asked.question.parameters.contains("follow") && times.to_ns < clock.now_ns) {
    return fail(Code::invalid,
                "until " + std::string(parameters.text("until")) + " is past; nothing that comes can be before it");
  }

  auto options = scan_options(asked, times, limit);
  if (follows) return answer_arrived(asked, query, logs, after, json, options);
  auto found = YUSHI_TRY(events ? plan_event_scan(asked, logs) : plan_scan(asked.view, logs));
  FieldWatch watch(query, options, place_of(parameters));
  watch.watch(found.groups);
  if (query.is_plain()) return answer_records(asked, query, json, found, watch, options, reverse, limit.has_value());
  return answer_rows(asked, query, found, watch, options, reverse);
}

Result<AnswerEnd> answer_hist(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto every = parameters.text("every");
  auto query =
      YUSHI_TRY(Query::histogram(parameters.text("query"), every.empty() ? "1h" : every, parameters.text("by"), clock));
  auto times = YUSHI_TRY(parameters.times(clock));
  auto limit = YUSHI_TRY(parameters.number("limit"));
  auto logs = YUSHI_TRY(parameters.logs(permit, asked.view));
  auto found = YUSHI_TRY(plan_scan(asked.view, logs));
  auto options = scan_options(asked, times, limit);
  FieldWatch watch(query, options, place_of(parameters));
  watch.watch(found.groups);
  return answer_rows(asked, query, found, watch, options, false);
}

}  // namespace yushi::query
