// What the store holds: of each log, and of each source.
#include <algorithm>

#include "query/answers/answer.h"

namespace yushi::query {

Result<AnswerEnd> answer_status(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  if (asked.means.status && permit.sees_all() && !asked.sink(asked.means.status())) return asked.so_far();
  auto named = YUSHI_TRY(parameters.logs(permit, asked.view, true));
  AnswerEnd end;
  for (auto& log : named) {
    auto head = YUSHI_TRY(asked.view.head(log));
    uint64_t blocks = 0, tail = 0, raw_bytes = 0;
    auto outline = asked.view.outline(log);
    if (outline) {
      for (auto& [day, of_day] : outline->days) {
        blocks += of_day.blocks;
        raw_bytes += of_day.raw_bytes;
      }
      for (auto& chunk : outline->tail) {
        tail += chunk.summary.records;
        raw_bytes += chunk.summary.raw_bytes;
      }
    } else {
      end.missing.push_back("log " + log + ": " + outline.error().message);
    }
    if (!asked.say({{"log", log},
                    {"records", head.size},
                    {"blocks", blocks},
                    {"tail_records", tail},
                    {"raw_bytes", raw_bytes}})) {
      return asked.so_far();
    }
    end.records += 1;
    end.blocks += blocks;
  }
  end.node = asked.view.node();
  return end;
}

Result<AnswerEnd> answer_sources(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  auto clock = YUSHI_TRY(parameters.clock());
  auto logs = YUSHI_TRY(parameters.logs(permit, asked.view));
  AnswerEnd end;
  for (auto& log : logs) {
    auto sources = asked.view.sources(log);
    if (!sources) {
      end.missing.push_back(sources.error().message);
      continue;
    }
    for (auto& [source, state] : *sources) {
      auto transports = nlohmann::ordered_json::array();
      for (unsigned bit = 0; bit < storage::SourceState::kTransports; ++bit) {
        auto transport = static_cast<Transport>(bit);
        if (state.seen_on(transport)) transports.push_back(transport_name(transport));
      }
      auto seen_ns = std::max(kMinute, state.last_received_ns - state.first_received_ns);
      nlohmann::ordered_json line = {
          {"tenant", log},
          {"source", source},
          {"address", state.address},
          {"transports", std::move(transports)},
          {"first_seen", utc_text(state.first_received_ns)},
          {"last_seen", utc_text(state.last_received_ns)},
          {"records", state.next_seq},
          {"bytes", state.raw_bytes},
          {"silent_seconds", std::max<int64_t>(0, (clock.now_ns - state.last_received_ns) / kSecond)},
          // Event time of the newest record against its receipt: positive when the sender's clock is ahead.
          {"clock_skew_seconds",
           static_cast<double>((state.last_event_ns - state.last_received_ns) / 1'000'000) / 1000},
          // Two records within a few microseconds say nothing of a rate: it is taken over a minute at least.
          {"records_per_second", static_cast<double>(state.next_seq) * 1e9 / static_cast<double>(seen_ns)},
          // By the numbers that senders give their messages; of one that gives none nothing is known.
          {"losses", state.losses.known() ? nlohmann::ordered_json(state.losses.lost()) : nlohmann::ordered_json()}};
      if (!asked.say(line)) return asked.so_far();
      ++end.records;
    }
  }
  return end;
}

}  // namespace yushi::query
