#include "audit/answer_verify.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "audit/verify.h"

namespace yushi::audit {
namespace {

using Json = nlohmann::ordered_json;

// A note has an empty line of its own before its signature.
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

Result<AnswerEnd> answer_verify(const storage::StoreView& view, const Result<storage::Heads>& heads,
                                std::string_view remembered, bool is_copy,
                                const std::function<bool(std::string_view line)>& say) {
  const auto say_json = [&](const Json& line) {
    return say(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  };
  VerifyOptions options;
  options.public_key = YUSHI_TRY(view.public_key());
  options.key_rotations = YUSHI_TRY(view.key_rotations());
  auto data_dir = std::filesystem::path(view.database().directory()).parent_path();
  options.heads_path = (data_dir / "heads").string();
  options.heads = heads;
  options.key_path = view.key_path();
  options.remembered = split_notes(remembered);
  options.is_copy = is_copy;
  const auto report = YUSHI_TRY(verify_store(view, options, [&](std::string_view log, uint64_t done, uint64_t size) {
    return say_json({{"yushi.progress", {{"log", log}, {"done", done}, {"size", size}}}});
  }));
  AnswerEnd end;
  end.missing = report.behind;
  end.records = report.records;
  end.blocks_read = end.blocks = report.blocks;
  auto& proved = end.proved.emplace();
  proved.logs = report.logs;
  proved.checkpoints = report.checkpoints;
  proved.alerts = report.alerts;
  for (auto& flaw : report.flaws) {
    ++(flaw.contradiction ? proved.contradictions : proved.unproved);
    if (!say_json({{"kind", flaw.contradiction ? "contradiction" : "unproved"},
                   {"log", flaw.log},
                   {"place", flaw.place},
                   {"what", flaw.what}})) {
      return fail(Code::unavailable, "verification was ended before all was told");
    }
  }
  return end;
}

}  // namespace yushi::audit
