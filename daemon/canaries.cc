#include "daemon/canaries.h"

#include <nlohmann/json.hpp>

#include "detect/rules/check.h"
#include "parsers/file/share_directory.h"
#include "parsers/joiner.h"
#include "query/listing.h"

namespace yushi::daemon {
namespace {

constexpr detect::FindingKind kCanaries{"yushid.canaries", "Canaries of the rules", 1, "", "规则自检"};
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
  OwnWords words{"canaries of " + std::to_string(rules) + " rules, tests and no acts of anybody: ",
                 "对 " + std::to_string(rules) + " 条规则进行了自检（测试数据，并非任何人的操作）："};
  if (silent.empty()) {
    pipeline.tell_trouble(kCanaries, {words.en + "all were told", words.zh + "全部正常告警"}, Severity::informational,
                          1);
    return lines;
  }
  std::string names;
  for (size_t i = 0; i < std::min(silent.size(), kNamedMax); ++i) names += (i == 0 ? "" : "; ") + silent[i];
  words.en += std::to_string(silent.size()) + " stay silent: " + names;
  words.zh += std::to_string(silent.size()) + " 条未告警：" + names;
  if (const auto more = silent.size() - std::min(silent.size(), kNamedMax); more > 0) {
    words.en += "; and " + std::to_string(more) + " more";
    words.zh += "；另有 " + std::to_string(more) + " 条";
  }
  pipeline.tell_trouble(kCanaries, std::move(words), Severity::high, 60);
  return lines;
}

}  // namespace yushi::daemon
