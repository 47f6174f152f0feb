// What the peers of an account do: those that the list `peer_groups` puts into one group with it
// (detect/lists/lists.h).
//
// What is new of an account weighs less where at least kWontMin others of its group are wont to do it, who did it
// kTimesMin times and more: one helper makes no habit of a group. Every finding that asks says what was answered.
//
// Groups are not learned: who happens to do the same things as somebody else is no peer of his, and who wanted to pass
// as one would only have to do as he does.
//
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/lists/lists.h"
#include "detect/words.h"

namespace yushi::detect {

class Peers {
 public:
  static constexpr size_t kWontMin = 2;
  static constexpr uint64_t kTimesMin = 3;

  // Of nobody.
  Peers() = default;
  // `lists` must outlive it.
  Peers(const Lists& lists, std::string_view account);

  bool any() const { return entry_ != nullptr; }
  // Whether this is another account of the group.
  bool has(std::string_view other) const;
  // Others of the group, as far as the list has them without `*`.
  std::vector<std::string> names() const;

  // Another one did it so many times.
  void add(uint64_t times);

  bool are_wont() const { return wont_ >= kWontMin; }
  // "; nobody of group dba did either", "; 2 of group dba are wont to": to be put behind a reason. Empty without a
  // group.
  std::string words(Lang lang) const;
  std::string numbers() const;  // for the baseline, with a blank before it

 private:
  const Lists* lists_ = nullptr;
  const AccountList::Entry* entry_ = nullptr;
  std::string account_;
  size_t did_ = 0, wont_ = 0;
};

}  // namespace yushi::detect
