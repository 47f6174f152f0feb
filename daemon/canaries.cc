#include "daemon/canaries.h"

#include <nlohmann/json.hpp>

#include "detect/rules/check.h"
#include "detect/words.h"
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

void name_first_of(const std::vector<std::string>& all, OwnWords& words) {
  std::string names;
  for (size_t i = 0; i < std::min(all.size(), kNamedMax); ++i) names += (i == 0 ? "" : "; ") + all[i];
  words.en += names;
  words.zh += names;
  if (const auto more = all.size() - std::min(all.size(), kNamedMax); more > 0) {
    words.en += "; and " + std::to_string(more) + " more";
    words.zh += "；另有 " + std::to_string(more) + " 条";
  }
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
  std::vector<std::string> lines, silent, wrong;
  // Not the rules that run themselves, but others of the same files: those count their hits.
  YUSHI_TRY(detect::release_canaries(loaded->rules->files(), *sources, understand, [&](const detect::Canary& canary) {
    lines.push_back(line_of(canary));
    if (canary.alerts.empty()) silent.push_back(canary.rule->title + " (" + canary.rule->id + ")");
    return true;
  }));
  const auto rules = detect::number_text(lines.size(), "rule", "rules");
  const auto run = std::to_string(loaded->rules->list().size());
  OwnWords words{"canaries of " + rules + " of " + run + " that run, tests and no acts of anybody: ",
                 "对运行中的 " + run + " 条规则里的 " + std::to_string(lines.size()) +
                     " 条进行了自检（测试数据，并非任何人的操作）："};
  lines.push_back(nlohmann::ordered_json({{"rules", loaded->rules->list().size()}}).dump());
  for (size_t i = 0; i < loaded->left_out.size(); ++i) {
    if (loaded->left_out_kinds[i] != "rule") continue;
    lines.push_back(query::left_out_line(loaded->left_out[i]));
    wrong.push_back(loaded->left_out[i]);
  }
  if (silent.empty() && wrong.empty()) {
    pipeline.tell_trouble(kCanaries, {words.en + "all were told", words.zh + "全部正常告警"}, Severity::informational,
                          1);
    return lines;
  }
  if (!silent.empty()) {
    words.en += std::to_string(silent.size()) + (silent.size() == 1 ? " stays" : " stay") + " silent: ";
    words.zh += std::to_string(silent.size()) + " 条未告警：";
    name_first_of(silent, words);
  }
  if (!wrong.empty()) {
    words.en += (silent.empty() ? "" : "; ") + detect::number_text(wrong.size(), "file is", "files are") + " wrong: ";
    words.zh += (silent.empty() ? "" : "；") + std::to_string(wrong.size()) + " 个规则文件有误，未加载：";
    name_first_of(wrong, words);
  }
  pipeline.tell_trouble(kCanaries, std::move(words), Severity::high, 60);
  return lines;
}

}  // namespace yushi::daemon
