#include "detect/lists/peers.h"

#include <algorithm>

namespace yushi::detect {

Peers::Peers(const Lists& lists, std::string_view account)
    : lists_(&lists), entry_(lists.peer_groups.find(account)), account_(account) {}

bool Peers::has(std::string_view other) const {
  if (!any() || is_same_account(other, account_)) return false;
  const auto* entry = lists_->peer_groups.find(other);
  return entry && entry->group == entry_->group;
}

std::vector<std::string> Peers::names() const {
  if (!any()) return {};
  const auto at = lists_->members.find(entry_->group);
  if (at == lists_->members.end()) return {};
  auto out = at->second;
  std::erase_if(out, [&](const std::string& name) { return !has(name); });
  return out;
}

void Peers::add(uint64_t times) {
  if (times > 0) ++did_;
  if (times >= kTimesMin) ++wont_;
}

std::string Peers::words(Lang lang) const {
  if (!any()) return {};
  const std::string group = printable(entry_->group), wont = std::to_string(wont_), did = std::to_string(did_);
  if (lang == Lang::zh) {
    if (did_ == 0) return "；同组（" + group + "）也无人如此";
    return wont_ > 0 ? "；同组（" + group + "）有 " + wont + " 人惯常如此"
                     : "；同组（" + group + "）有 " + did + " 人曾如此";
  }
  if (did_ == 0) return "; nobody of group " + group + " did either";
  return wont_ > 0 ? "; " + wont + " of group " + group + (wont_ == 1 ? " is wont to" : " are wont to")
                   : "; " + did + " of group " + group + " did";
}

std::string Peers::numbers() const {
  if (!any()) return {};
  return " peers_wont=" + std::to_string(wont_) + " peers_did=" + std::to_string(did_) + " " +
         lists_->baseline("peer_groups", entry_->text);
}

}  // namespace yushi::detect
