// What detectors remember of an account of a log: one profile, in which each of them has a part.
//
// All parts of an account have one key, one place in the order of use, and one bound in bytes. What is beyond it goes
// when bytes are counted (detect/memory/room.h): first what was tried on it, so that nobody who guesses drives out what
// it is known by; then the largest part gives up what of it was used longest ago, down to what it rests on; when none
// has more than that, one gives up much, or the last one goes.
//
// Known is an account that did something itself. One that was only named (in a command that would disable, make or
// favour it, in a request) is held apart, so that names that somebody invents drive out no known one; and what is tried
// on it stands elsewhere (detect/behaviours/attempts.h, detect/behaviours/guessing.h).
//
// Invariants  What goes depends on what is held at a tick alone, so that a replay forgets the same. The order of use is
//             part of the state.
// Memory      Per log kAccountsMax accounts that are known and as many that are only named, of either the one not seen
//             for longest goes; each Profile::kBytesMax, and its name.
// Threads     One owner.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "detect/memory/lru.h"
#include "detect/memory/places.h"
#include "detect/memory/room.h"
#include "detect/memory/state.h"

namespace yushi::detect {

// A part is a struct of the detector that has it. Bytes of it are counted as settle() does (detect/memory/lru.h); one
// that can do with less says `bool give_up(bool much)`: false when it has nothing to give. In the order of worth: where
// no part can give, the last goes.
enum class Part : uint8_t {
  logins,
  commands,
  root_hours,
  service,
  disabled,
  made,
  rights,
  volumes,
  travel,
  new_commands,
  changes,
  habits,
  attempts,
  guessed,
};

class Profile {
 public:
  static constexpr uint64_t kBytesMax = 3960;  // 4 KiB, but for the entry and a name of 64 bytes

  template <class Value>
  Value* find(Part part) const {
    Held* const held = at(part);
    return held ? &static_cast<HeldValue<Value>*>(held)->value : nullptr;
  }
  template <class Value>
  Value& use(Part part) {
    if (Value* value = find<Value>(part)) return *value;
    auto made = std::make_unique<HeldValue<Value>>();
    Value& out = made->value;
    parts_.insert(parts_.begin() + static_cast<ptrdiff_t>(place_of(part)), std::move(made));
    has_ |= bit_of(part);
    return out;
  }

  // On the heap.
  uint64_t settle();
  void keep_within_bounds();

 private:
  struct Held {
    virtual ~Held() = default;
    virtual uint64_t settle() = 0;
    virtual bool give_up(bool much) = 0;
  };
  template <class Value>
  struct HeldValue final : Held {
    uint64_t settle() override { return sizeof *this + kOfAllocation + detect::settle(value); }
    bool give_up(bool much) override {
      if constexpr (requires { value.give_up(much); }) return value.give_up(much);
      return false;
    }
    Value value{};
  };

  static uint32_t bit_of(Part part) { return uint32_t{1} << static_cast<int>(part); }
  size_t place_of(Part part) const { return static_cast<size_t>(std::popcount(has_ & (bit_of(part) - 1))); }
  Held* at(Part part) const { return (has_ & bit_of(part)) != 0 ? parts_[place_of(part)].get() : nullptr; }

  std::vector<std::unique_ptr<Held>> parts_;  // of the bits of has_
  uint32_t has_ = 0;
};

class Profiles {
 public:
  static constexpr size_t kAccountsMax = 4096;

  void hold(Holdings& out) {
    for (auto& [name, log] : by_log_)
      for (auto* accounts : {&log.known, &log.named}) out.push_back({name, Kept::accounts, accounts});
  }
  // Their names and order. What stands in them is saved by who has the parts, and loaded after it.
  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  template <class Value>
  friend class Parts;
  struct Log {
    LruMap<Profile> known{kAccountsMax}, named{kAccountsMax};  // an account stands in one of them
  };
  // Whether it says what others do to the account, or say of it.
  static bool is_named(Part part);
  Profile& use(std::string_view log, std::string_view name, Part part);
  // Of what is loaded: the order of use is known already.
  Profile& at_rest(std::string_view log, std::string_view name, Part part);

  ByLog<Log> by_log_;
};

// One detector's parts of all profiles.
template <class Value>
class Parts {
 public:
  Parts(Profiles& profiles, Part part) : profiles_(&profiles), part_(part) {}

  // Nobody has one.
  bool is_empty() const { return !any_; }
  // That of this account, whose profile is now the most recently used; nullptr, and no use, when there is none.
  Value* find(std::string_view log, std::string_view account) {
    auto* const of_log = any_ ? profiles_->by_log_.find(log) : nullptr;
    if (!of_log) return nullptr;
    const ShortName name(account);
    for (auto* accounts : {&of_log->known, &of_log->named})
      if (const Profile* profile = accounts->peek(name)) {
        Value* const value = profile->find<Value>(part_);
        if (value) accounts->find(name);
        return value;
      }
    return nullptr;
  }
  // The same without counting as a use.
  const Value* peek(std::string_view log, std::string_view account) const {
    const auto* of_log = std::as_const(profiles_->by_log_).find(log);
    if (!of_log) return nullptr;
    const ShortName name(account);
    const Profile* profile = of_log->known.peek(name);
    if (!profile) profile = of_log->named.peek(name);
    return profile ? profile->find<Value>(part_) : nullptr;
  }
  // Made empty when there was none.
  Value& use(std::string_view log, std::string_view account) {
    any_ = true;
    return profiles_->use(log, ShortName(account), part_).template use<Value>(part_);
  }
  // The same of what is tried: of a stranger, who is not known, it is one of `strangers`.
  Value* find(std::string_view log, std::string_view account, LruMap<Value>& strangers) {
    Value* const value = find(log, account);
    return value ? value : strangers.find(ShortName(account));
  }
  Value& use(std::string_view log, std::string_view account, LruMap<Value>& strangers) {
    const ShortName name(account);
    auto* const of_log = profiles_->by_log_.find(log);
    Profile* const profile = of_log ? of_log->known.find(name) : nullptr;
    if (!profile) return strangers.use(name);
    if (Value* known = profile->find<Value>(part_)) return *known;
    any_ = true;
    Value& value = profile->use<Value>(part_);
    if (Value* before = strangers.find(name)) {  // when it was one
      value = std::move(*before);
      strangers.erase(name);
    }
    return value;
  }
  // From the account that was used longest ago on.
  template <class Visit>
  void for_each(std::string_view log, Visit&& visit) const {  // visit(std::string_view account, const Value&)
    if (const auto* of_log = std::as_const(profiles_->by_log_).find(log)) visit_parts(*of_log, visit);
  }
  // Of all logs. `visit` may change it; that is no use of it.
  template <class Visit>
  void change_each(Visit&& visit) {  // bool visit(std::string_view log, std::string_view account, Value&)
    if (!any_) return;
    for (auto& [name, log] : profiles_->by_log_) {
      const auto change = [&, &log_name = name](std::string_view account, const Profile& profile) {
        Value* const value = profile.find<Value>(part_);
        return value && visit(std::string_view(log_name), account, *value);
      };
      log.known.change_each(change);
      if (Profiles::is_named(part_)) log.named.change_each(change);
    }
  }

  // As save_by_log() and load_by_log() of maps.
  template <class SaveValue>
  void save(std::string& out, SaveValue&& save_value) const {
    save_logs(profiles_->by_log_, out, [&](const Profiles::Log& log) {
      uint64_t count = 0;
      visit_parts(log, [&count](std::string_view, const Value&) { ++count; });
      put_varint(out, count);
      visit_parts(log, [&](std::string_view account, const Value& value) {
        put_text(out, account);
        save_value(value);
      });
    });
  }
  template <class LoadValue>
  bool load(Reader& in, LoadValue&& load_value) {
    for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
      const std::string_view log = in.text();
      for (uint64_t left = in.varint(); left > 0 && in.ok(); --left)
        if (!load_value_with(load_value, at_rest(log, in.text()))) return false;
    }
    return in.ok();
  }

 private:
  // Empty: damaged state may name an account twice.
  Value& at_rest(std::string_view log, std::string_view account) {
    any_ = true;
    return profiles_->at_rest(log, ShortName(account), part_).template use<Value>(part_) = Value();
  }
  template <class Visit>
  void visit_parts(const Profiles::Log& log, Visit&& visit) const {
    const auto visit_part = [&](std::string_view account, const Profile& profile) {
      if (const Value* value = profile.find<Value>(part_)) visit(account, *value);
    };
    log.known.for_each(visit_part);
    if (Profiles::is_named(part_)) log.named.for_each(visit_part);
  }

  Profiles* profiles_;
  Part part_;
  bool any_ = false;  // since it was made; most have no part where nobody is disabled, or made
};

}  // namespace yushi::detect
