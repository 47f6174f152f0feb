#include "ingest/net/connections.h"

#include <algorithm>

namespace yushi::ingest {

Address Connections::holder_of(const Address& address) {
  constexpr std::array<uint8_t, 12> kIpv4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  Address holder = address;
  if (!std::equal(kIpv4.begin(), kIpv4.end(), address.begin())) std::fill(holder.begin() + 8, holder.end(), uint8_t{0});
  return holder;
}

std::shared_ptr<Connections::Place> Connections::admit(const Address& from, int64_t now_ns,
                                                       std::function<void()> displace) {
  std::function<void()> displaced;
  auto place = std::make_shared<Place>();
  {
    MutexLock lock(mutex_);
    const Address holder = holder_of(from);
    auto known = by_holder_.find(holder);
    const size_t held = known == by_holder_.end() ? 0 : known->second.size();
    if (held >= per_source_max_) return nullptr;
    if (open_ >= connections_max_ && !displace_one_of_more_than(held + 1, &displaced)) return nullptr;
    place->holder_ = holder;
    place->used(now_ns);
    if (held > 0) by_count_.erase({held, holder});
    by_count_.insert({held + 1, holder});
    by_holder_[holder].push_back({place, std::move(displace)});
    ++open_;
  }
  if (displaced) displaced();
  return place;
}

bool Connections::displace_one() {
  std::function<void()> displaced;
  {
    MutexLock lock(mutex_);
    if (!displace_one_of_more_than(1, &displaced)) return false;
  }
  displaced();
  return true;
}

bool Connections::displace_one_of_more_than(size_t held, std::function<void()>* displace) {
  if (by_count_.empty() || by_count_.rbegin()->first <= held || closing_ >= kClosingMax) return false;
  auto& places = by_holder_[by_count_.rbegin()->second];
  auto idle = std::min_element(places.begin(), places.end(), [](const Held& a, const Held& b) {
    return a.place->used_ns_.load(std::memory_order_relaxed) < b.place->used_ns_.load(std::memory_order_relaxed);
  });
  *displace = std::move(take(*idle->place)->displace);
  ++closing_;
  return true;
}

// nullopt: it was displaced before.
std::optional<Connections::Held> Connections::take(const Place& place) {
  auto at = by_holder_.find(place.holder_);
  if (at == by_holder_.end()) return std::nullopt;
  auto& places = at->second;
  auto here = std::find_if(places.begin(), places.end(), [&](const Held& one) { return one.place.get() == &place; });
  if (here == places.end()) return std::nullopt;
  by_count_.erase({places.size(), place.holder_});
  std::swap(*here, places.back());
  Held taken = std::move(places.back());
  places.pop_back();
  --open_;
  if (places.empty()) {
    by_holder_.erase(at);
  } else {
    by_count_.insert({places.size(), place.holder_});
  }
  return taken;
}

void Connections::leave(const Place& place) {
  std::optional<Held> taken;  // what its `displace` holds goes without the lock
  MutexLock lock(mutex_);
  taken = take(place);
  if (!taken) --closing_;
}

size_t Connections::open() const {
  MutexLock lock(mutex_);
  return open_ + closing_;
}

}  // namespace yushi::ingest
