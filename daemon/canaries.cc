#include "daemon/canaries.h"

#include <nlohmann/json.hpp>

#include "detect/check.h"
#include "parsers/joiner.h"
#include "parsers/share_directory.h"
#include "query/listing.h"

namespace yushi::daemon {
namespace {

constexpr size_t kNamedMax = 20;

std::string line_of(const detect::Canary& canary) {
  nlohmann::ordered_json line = {
      {"id", canary.rule->id},           {"title", canary.rule->title},
      {"silent", canary.alerts.empty()}, {"reason", canary.alerts.empty() ? "" : canary.alerts.front().reason},
      {"path", canary.rule->path},       {"line", canary.rule->line}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Result<std::vector<std::string>> release_canaries(Pipeline& pipeline) {
  const auto loaded = pipeline.loaded();
  const auto files = YUSHI_TRY(detect::read_rule_directories({parsers::share_directory("sigma")}));
  const auto sources = YUSHI_TRY(detect::LogSources::load(files));
  parsers::Understander understander(loaded->parsers);
  const auto understand = [&](Batch& batch) {
    understander.understand(batch);
    parsers::join_lines(batch, loaded->parsers);
    batch.keep.push_back(loaded->parsers);
  };
  std::vector<std::string> lines, silent;
  // Not the rules that run themselves, but others of the same files: those count their hits.
  YUSHI_TRY(detect::release_canaries(loaded->rules->files(), *sources, understand, [&](const detect::Canary& canary) {
    lines.push_back(line_of(canary));
    if (canary.alerts.empty()) silent.push_back(canary.rule->title + " (" + canary.rule->id + ")");
    return true;
  }));
  const auto rules = lines.size();
  for (size_t i = 0; i < loaded->left_out.size(); ++i) {
    if (loaded->left_out_kinds[i] != "rule") continue;
    lines.push_back(query::left_out_line(loaded->left_out[i]));
    silent.push_back(loaded->left_out[i]);
  }
  std::string words = "canaries of " + std::to_string(rules) + " rules, tests and no acts of anybody: ";
  if (silent.empty()) {
    pipeline.tell_trouble("canaries", "Canaries of the rules", words + "all were told", Severity::informational, 1);
    return lines;
  }
  words += std::to_string(silent.size()) + " stay silent: ";
  for (size_t i = 0; i < std::min(silent.size(), kNamedMax); ++i) words += (i == 0 ? "" : "; ") + silent[i];
  if (silent.size() > kNamedMax) words += "; and " + std::to_string(silent.size() - kNamedMax) + " more";
  pipeline.tell_trouble("canaries", "Canaries of the rules", words, Severity::high, 60);
  return lines;
}

}  // namespace yushi::daemon
