#include "detect/memory/profiles.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace yushi::detect {

uint64_t Profile::settle() {
  uint64_t out = detect::settle(parts_);
  for (auto& part : parts_) out += part->settle();
  return out;
}

void Profile::keep_within_bounds() {
  if (settle() <= kBytesMax) return;
  std::vector<uint64_t> bytes;  // of each part
  for (auto& part : parts_) bytes.push_back(part->settle());
  while (std::accumulate(bytes.begin(), bytes.end(), detect::settle(parts_)) > kBytesMax) {
    const size_t tries_from = place_of(Part::attempts);
    std::vector<std::tuple<bool, uint64_t, size_t>> largest;  // what was tried first
    for (size_t i = 0; i < parts_.size(); ++i) largest.emplace_back(i >= tries_from, bytes[i], i);
    std::sort(largest.rbegin(), largest.rend());
    const auto gives = [&](bool much) {
      const auto giver = std::find_if(largest.begin(), largest.end(),
                                      [&](const auto& one) { return parts_[std::get<2>(one)]->give_up(much); });
      if (giver == largest.end()) return false;
      bytes[std::get<2>(*giver)] = parts_[std::get<2>(*giver)]->settle();
      return true;
    };
    if (gives(false) || gives(true)) continue;
    has_ ^= std::bit_floor(has_);
    parts_.pop_back();
    bytes.pop_back();
  }
}

bool Profiles::is_named(Part part) {
  return part == Part::disabled || part == Part::made || part == Part::rights || part == Part::volumes ||
         part == Part::habits;
}

Profile& Profiles::use(std::string_view log, std::string_view name, Part part) {
  auto& [known, named] = by_log_.use(log);
  if (Profile* profile = known.find(name)) return *profile;
  if (is_named(part)) return named.use(name);
  Profile& out = known.use(name);
  if (Profile* before = named.find(name)) {  // when it was only named
    out = std::move(*before);
    named.erase(name);
  }
  return out;
}

Profile& Profiles::at_rest(std::string_view log, std::string_view name, Part part) {
  auto& [known, named] = by_log_.use(log);
  Profile* profile = known.at_rest(name);
  if (!profile && is_named(part)) profile = named.at_rest(name);
  return profile ? *profile : use(log, name, part);
}

void Profiles::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    for (auto* accounts : {&log.known, &log.named}) save_entries(*accounts, out, [](const Profile&) {});
  });
}

bool Profiles::load(Reader& in) {
  return load_logs(by_log_, in, [&in](Log& log) {
    return load_entries(log.known, in, [](Profile&) {}) && load_entries(log.named, in, [](Profile&) {});
  });
}

}  // namespace yushi::detect
