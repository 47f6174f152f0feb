// Password guessing that has not come to anything yet. What ends in a success is detect/behaviours/attempts.h.
//
// Failed logins of whatever product, by address and by account, in event time:
//   from an address   kFastMin within kFastNs; kAccountsMin accounts within an hour (spraying); kSlowMin within a day,
//   from
//                     a private address, on one account or two, kSlowInsideMin
//   on an account     kAccountMin within two hours of the clock from at least kAddressesMin addresses within an hour
// One attempt may be told in several lines; as in attempts.h the way of telling that counts most is what counts.
//
// One story each: an address is told once a day and counted on (detect/alerts/folds.h); when kTogetherMin addresses of
// one network were told on a day, all others of it are one alert more.
//
// Invariants  Integers only, in commit order, no clock.
// Memory      Per log kKeysMax addresses, accounts and networks, the one not seen for longest goes; addresses with
//             kWaysMax ways of telling and the names that fill Places (detect/memory/places.h), accounts with half a
//             KiB, those that are known in their profiles (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/places.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"
#include "detect/words.h"

namespace yushi::detect {

class Guessing final : public Detector {
 public:
  explicit Guessing(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::guessed) {}

  static constexpr size_t kFastMin = 12;
  static constexpr int64_t kFastNs = 5 * kMinute;
  static constexpr size_t kAccountsMin = 12;
  static constexpr uint64_t kSlowMin = 48;
  static constexpr uint64_t kSlowInsideMin = 24;  // inside there is no weather of the Internet
  static constexpr size_t kSlowInsideAccounts = 2;
  static constexpr uint64_t kAccountMin = 30;
  static constexpr size_t kAddressesMin = 10, kAddressesMax = 16;
  static constexpr size_t kTogetherMin = 3;
  static constexpr size_t kKeysMax = 2048;
  static constexpr size_t kWaysMax = 3;
  static constexpr size_t kShownMax = 6;  // records that show that an account is guessed at

  bool wants(const EventKind& kind) const override { return kind.login != EventKind::Login::none; }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::passing, &log.by_source});
      out.push_back({name, Kept::passing, &log.strangers});
      out.push_back({name, Kept::passing, &log.networks});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Try {
    int64_t at_ns = 0;
    uint64_t index = 0;
  };
  // The tries of one way of telling.
  struct Way {
    uint64_t way = 0;
    int64_t last_hour = 0;
    std::array<uint16_t, 24> hours{};  // tries in the hour of the day n; of the 24 up to last_hour
    std::vector<Try> newest;           // up to kFastMin, as they came
    // Between the first and the last of them in event time, in whatever order they came: a late one is of its moment.
    int64_t newest_span_ns() const;
    uint64_t unsaid = 0;  // tries since the last finding
    uint64_t of_last_hours(int count) const;
    auto parts() { return std::tie(newest); }
  };
  struct Key {
    std::vector<Way> ways;
    Places others;  // whom an address tried; by seconds of event time
    auto parts() { return std::tie(ways, others); }
  };
  // What is tried on an account.
  struct Tried {
    struct Way {
      uint32_t way = 0;
      int32_t hour = 0;
      uint16_t tries = 0, tries_before = 0;  // in that hour, and in the one before it
      uint16_t unsaid = 0;                   // since the last finding
      uint16_t shown_size = 0;
      std::array<uint64_t, kShownMax> shown{};  // the newest records
    };
    struct Address {
      std::array<uint32_t, 2> hash{};  // sure
      uint32_t second = 0;             // of event time, when it tried last
    };
    std::vector<Way> ways;
    std::vector<Address> addresses;
    auto parts() { return std::tie(ways, addresses); }
  };
  struct Network {
    int64_t day = 0;
    std::vector<std::string> told;  // addresses of it, on that day
    auto parts() { return std::tie(told); }
  };
  struct Log {
    LruMap<Key> by_source{kKeysMax};
    LruMap<Tried> strangers{kKeysMax};  // by account, of those that are not known
    LruMap<Network> networks{kKeysMax};
  };

  // The way of telling that counts most, after this one was added.
  static Way& add(Key& key, const LoginEvent& login, std::string_view other);
  static size_t others_of_the_hour(const Key& key, int64_t at_ns);
  static std::string names_of(const Key& key, Lang lang);
  // What the alerts of this address fold on: itself, or its network.
  static std::string story_of(Log& log, const LoginEvent& login);
  void judge_source(Log& log, std::string_view log_name, Key& key, Way& way, const LoginEvent& login,
                    std::vector<Finding>& findings) const;
  static Tried::Way& add(Tried& tried, const LoginEvent& login);
  static void judge_account(const Tried& tried, Tried::Way& way, const LoginEvent& login,
                            std::vector<Finding>& findings);
  static void save_key(const Key& key, std::string& out);
  static bool load_key(Key& key, Reader& in);
  static void save_tried(const Tried& tried, std::string& out);
  static bool load_tried(Tried& tried, Reader& in);

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  Parts<Tried> accounts_;
};

}  // namespace yushi::detect
