#include "detect/profiles.h"

#include <algorithm>

namespace yushi::detect {

uint64_t Profile::settle() {
  uint64_t out = detect::settle(parts_);
  for (auto& part : parts_) out += part->settle();
  return out;
}

void Profile::keep_within_bounds() {
  for (uint64_t bytes = settle(); bytes > kBytesMax; bytes = settle()) {
    std::vector<std::pair<uint64_t, size_t>> largest;
    for (size_t i = 0; i < parts_.size(); ++i) largest.emplace_back(parts_[i]->settle(), i);
    std::sort(largest.rbegin(), largest.rend());
    const auto gives = [&](bool much) {
      return std::any_of(largest.begin(), largest.end(),
                         [&](const auto& one) { return parts_[one.second]->give_up(much); });
    };
    if (gives(false) || gives(true)) continue;
    has_ ^= std::bit_floor(has_);
    parts_.pop_back();
  }
}

void Profiles::save(std::string& out) const {
  save_by_log(by_log_, out, [](const Profile&) {});
}

bool Profiles::load(Reader& in) {
  return load_by_log(by_log_, kAccountsMax, in, [](Profile&) {});
}

}  // namespace yushi::detect
