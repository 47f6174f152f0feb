#include "enrich/user_agents.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/base/mutex.h"

namespace yushi::enrich {
namespace {

constexpr size_t kTextMax = 1024;  // bytes; a longer user agent is cut
constexpr size_t kKeptMax = 2048;  // texts with their answers
constexpr int kGroupsMax = 10;

// What a rule gives: each part is its own text with $1 … $9 put in, or else the group of its place.
struct Rule {
  std::array<std::string, 5> parts;
};

// One of the file's three lists.
class RuleList {
 public:
  // `keys`: the replacements, in the order of the groups that they stand for. False when there is no such list.
  bool read(const YAML::Node& list, std::initializer_list<const char*> keys) {
    if (!list.IsSequence()) return false;
    for (const auto& node : list) {
      if (!node["regex"]) continue;
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_case_sensitive(!(node["regex_flag"] && node["regex_flag"].Scalar() == "i"));
      options.set_max_mem(1 << 20);
      int id;
      if (filtered_.Add(node["regex"].Scalar(), options, &id) != re2::RE2::NoError) continue;
      Rule rule;
      size_t at = 0;
      for (auto* key : keys) rule.parts[at++] = node[key] ? node[key].Scalar() : std::string();
      rules_.push_back(std::move(rule));
    }
    if (rules_.empty()) return false;
    filtered_.Compile(&atoms_);
    return true;
  }

  // The parts of the first rule that fits; empty ones where none does.
  std::array<std::string, 5> match(const std::string& text, const std::string& lower) const {
    std::array<std::string, 5> out;
    std::vector<int> atoms;
    for (size_t i = 0; i < atoms_.size(); ++i)
      if (lower.find(atoms_[i]) != std::string::npos) atoms.push_back(static_cast<int>(i));
    const int first = filtered_.FirstMatch(text, atoms);
    if (first < 0) return out;
    const auto& regex = filtered_.GetRE2(first);
    re2::StringPiece groups[kGroupsMax];
    const int count = std::min(kGroupsMax, regex.NumberOfCapturingGroups() + 1);
    if (!regex.Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups, count)) return out;
    const auto& rule = rules_[static_cast<size_t>(first)];
    for (size_t part = 0; part < out.size(); ++part) {
      if (rule.parts[part].empty()) {
        if (static_cast<int>(part) + 1 < count) out[part] = std::string(groups[part + 1]);
        continue;
      }
      for (size_t i = 0; i < rule.parts[part].size(); ++i) {
        const char c = rule.parts[part][i];
        const int group = c == '$' && i + 1 < rule.parts[part].size() ? rule.parts[part][i + 1] - '0' : -1;
        if (group < 1 || group > 9) {
          out[part] += c;
          continue;
        }
        if (group < count) out[part] += std::string(groups[group]);
        ++i;
      }
    }
    for (auto& part : out) {  // "$1 " of an empty group
      while (part.ends_with(' ')) part.pop_back();
      while (part.starts_with(' ')) part.erase(0, 1);
    }
    return out;
  }

 private:
  re2::FilteredRE2 filtered_{3};
  std::vector<Rule> rules_;
  std::vector<std::string> atoms_;
};

struct Agent {
  std::string name, version, system, system_version, device;
};

class UserAgents final : public Lookups {
 public:
  Result<void> open(const std::string& path) {
    try {
      const auto root = YAML::LoadFile(path);
      if (agents_.read(root["user_agent_parsers"],
                       {"family_replacement", "v1_replacement", "v2_replacement", "v3_replacement"}) &&
          systems_.read(root["os_parsers"],
                        {"os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement"}) &&
          devices_.read(root["device_parsers"], {"device_replacement"}))
        return {};
      return fail(Code::invalid,
                  path +
                      ": this is no uap-core rule file: user_agent_parsers, os_parsers or device_parsers is missing; "
                      "name the regexes.yaml of the package uap-core");
    } catch (const YAML::BadFile&) {
      return fail(Code::io, path + ": cannot be read; name the regexes.yaml of the package uap-core");
    } catch (const YAML::Exception& error) {
      return fail(Code::invalid, path + ":" + std::to_string(error.mark.line + 1) + ":" +
                                     std::to_string(error.mark.column + 1) + ": " + error.msg);
    }
  }

  void look_up(const Field& field, const Value& value, Scratch& scratch, std::vector<Found>& out) const override {
    static const Field* const kOriginal = find_field("user_agent.original");
    static const Field* const kFields[] = {find_field("user_agent.name"), find_field("user_agent.version"),
                                           find_field("user_agent.os.name"), find_field("user_agent.os.version"),
                                           find_field("user_agent.device.name")};
    if (&field != kOriginal || value.text.empty()) return;
    std::string text(value.text.substr(0, kTextMax));
    // IIS writes a blank as +; an agent of several words has blanks otherwise.
    if (text.find(' ') == text.npos) std::replace(text.begin(), text.end(), '+', ' ');
    const auto agent = of(std::move(text));
    const std::string* parts[] = {&agent->name, &agent->version, &agent->system, &agent->system_version,
                                  &agent->device};
    for (size_t i = 0; i < std::size(kFields); ++i) {
      if (parts[i]->empty() || !kFields[i]) continue;
      Value found;
      char* at = scratch.allocate(parts[i]->size());
      found.text = {at, parts[i]->copy(at, parts[i]->size())};
      out.push_back({kFields[i], found});
    }
  }

 private:
  std::shared_ptr<const Agent> of(std::string text) const {
    {
      MutexLock lock(mutex_);
      if (auto known = known_.find(text); known != known_.end()) return known->second;
    }
    std::string lower = text;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    auto agent = std::make_shared<Agent>();
    const auto version = [](const std::array<std::string, 5>& parts) {
      std::string out;
      for (size_t i = 1; i <= 3 && !parts[i].empty(); ++i) out += (i > 1 ? "." : "") + parts[i];
      return out;
    };
    const auto name = agents_.match(text, lower), system = systems_.match(text, lower),
               device = devices_.match(text, lower);
    agent->name = name[0];
    agent->version = version(name);
    agent->system = system[0];
    agent->system_version = version(system);
    agent->device = device[0];
    MutexLock lock(mutex_);
    if (known_.size() >= kKeptMax) known_.clear();
    known_.emplace(std::move(text), agent);
    return agent;
  }

  RuleList agents_, systems_, devices_;
  mutable Mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Agent>> known_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<const Lookups>> open_user_agents(const std::string& path) {
  auto out = std::make_unique<UserAgents>();
  YUSHI_TRY(out->open(path));
  return std::unique_ptr<const Lookups>(std::move(out));
}

}  // namespace yushi::enrich
