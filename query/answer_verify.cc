// The whole store, proved again.
#include <filesystem>

#include "audit/verify.h"
#include "query/answer.h"

namespace yushi::query {

namespace {

// `remembered` is notes, each followed by an empty line; a note has an empty line of its own before its signature.
std::vector<std::string> split_notes(std::string_view text) {
  std::vector<std::string> notes;
  while (!text.empty()) {
    auto signature = text.find("\n\n");
    auto end = signature == text.npos ? text.npos : text.find("\n\n", signature + 2);
    notes.emplace_back(text.substr(0, end == text.npos ? end : end + 1));
    text.remove_prefix(end == text.npos ? text.size() : end + 2);
  }
  return notes;
}

}  // namespace

Result<void> answer_verify(const Asked& asked) {
  Parameters parameters(asked.question);
  if (auto allowed = parameters.allow({"remembered"}); !allowed) return allowed;
  audit::VerifyOptions options;
  auto key = YUSHI_TRY(node_public_key(asked.view));
  options.public_key = key;
  auto data_dir = std::filesystem::path(asked.view.database().directory()).parent_path();
  options.heads_path = (data_dir / "heads").string();
  options.key_path = asked.view.key_path();
  options.remembered = split_notes(parameters.text("remembered"));
  // What verifies for minutes says so: a line about once a second, and a chance to see that the asker left.
  auto report = audit::verify_store(asked.view, options, [&](std::string_view log, uint64_t done, uint64_t size) {
    nlohmann::ordered_json line;
    line["yushi.progress"] = {{"log", log}, {"done", done}, {"size", size}};
    return asked.say(line);
  });
  if (!report) {
    if (asked.cancelled) return {};
    return tl::unexpected(report.error());
  }
  AnswerEnd end;
  uint64_t contradictions = 0;
  for (auto& flaw : report->flaws) {
    contradictions += flaw.contradiction;
    if (!asked.say({{"kind", flaw.contradiction ? "contradiction" : "unproved"},
                    {"log", flaw.log},
                    {"place", flaw.place},
                    {"what", flaw.what}})) {
      return {};
    }
  }
  end.records = report->records;
  end.blocks_read = end.blocks = report->blocks;
  end.more["logs"] = report->logs;
  end.more["checkpoints"] = report->checkpoints;
  end.more["alerts"] = report->alerts;
  end.more["contradictions"] = contradictions;
  end.more["unproved"] = report->flaws.size() - contradictions;
  say_end(asked, end);
  return {};
}

}  // namespace yushi::query
