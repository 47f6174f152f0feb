#include "core/event/attack.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "core/base/assert.h"

namespace yushi {
namespace {

constexpr Tactic kMatrix[] = {
    {"reconnaissance", "TA0043", "Reconnaissance", "侦察"},
    {"resource-development", "TA0042", "Resource Development", "资源准备"},
    {"initial-access", "TA0001", "Initial Access", "初始访问"},
    {"execution", "TA0002", "Execution", "执行"},
    {"persistence", "TA0003", "Persistence", "持久化"},
    {"privilege-escalation", "TA0004", "Privilege Escalation", "权限提升"},
    {"defense-evasion", "TA0005", "Defense Evasion", "防御规避"},
    {"credential-access", "TA0006", "Credential Access", "凭据访问"},
    {"discovery", "TA0007", "Discovery", "发现"},
    {"lateral-movement", "TA0008", "Lateral Movement", "横向移动"},
    {"collection", "TA0009", "Collection", "收集"},
    {"command-and-control", "TA0011", "Command and Control", "命令与控制"},
    {"exfiltration", "TA0010", "Exfiltration", "数据渗出"},
    {"impact", "TA0040", "Impact", "影响"},
};
static_assert(std::size(kMatrix) == kTactics);

}  // namespace

const Tactic& tactic_at(size_t place) {
  YUSHI_ASSERT(place < kTactics, "tactic %zu", place);
  return kMatrix[place];
}

std::optional<size_t> tactic_of_tag(std::string_view tag) {
  constexpr std::string_view kAttack = "attack.";
  if (!tag.starts_with(kAttack)) return std::nullopt;
  std::string dashed(tag.substr(kAttack.size()));
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  for (size_t place = 0; place < kTactics; ++place)
    if (dashed == kMatrix[place].tag) return place;
  return std::nullopt;
}

std::optional<size_t> tactic_of(const std::vector<std::string>& tags) {
  for (const auto& tag : tags)
    if (auto place = tactic_of_tag(tag)) return place;
  return std::nullopt;
}

Severity severity_of_steps(Severity worst, uint32_t tactics) {
  const int count = std::popcount(tactics), up = count >= 4 ? 2 : count == 3 ? 1 : 0;
  return static_cast<Severity>(std::min(static_cast<int>(worst) + up, static_cast<int>(Severity::critical)));
}

}  // namespace yushi
