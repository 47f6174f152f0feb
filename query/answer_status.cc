// What the store holds: of each log, and of each source.
#include <algorithm>

#include "query/answer.h"

namespace yushi::query {

Result<void> answer_status(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"tenant"}); !allowed) return allowed;
  std::vector<std::string> logs;
  auto named = YUSHI_TRY(parameters.text("tenant").empty() ? asked.view.logs() : parameters.logs(asked.view));
  AnswerEnd end;
  for (auto& log : named) {
    auto head = YUSHI_TRY(asked.view.head(log));
    uint64_t blocks = 0, tail = 0, raw_bytes = 0;
    auto segments = asked.view.segments(log);
    if (segments) {
      for (auto& segment : *segments) {
        raw_bytes += segment.summary.raw_bytes;
        if (segment.sealed)
          ++blocks;
        else
          tail += segment.summary.records;
      }
    } else {
      end.missing.push_back("log " + log + ": " + segments.error().message);
    }
    if (!asked.say({{"log", log},
                    {"records", head.size},
                    {"blocks", blocks},
                    {"tail_records", tail},
                    {"raw_bytes", raw_bytes}})) {
      return {};
    }
    end.records += 1;
    end.blocks += blocks;
  }
  end.more["node"] = asked.view.node();
  say_end(asked, end);
  return {};
}

Result<void> answer_sources(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"tenant", "zone"}); !allowed) return allowed;
  auto clock = YUSHI_TRY(parameters.clock());
  auto logs = YUSHI_TRY(parameters.logs(asked.view));
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
      if (!asked.say(line)) return {};
      ++end.records;
    }
  }
  say_end(asked, end);
  return {};
}

}  // namespace yushi::query
