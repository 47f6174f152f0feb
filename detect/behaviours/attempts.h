// Brute force that ends in a success: many failed logins, and then one that works.
//
// Two views of the same failures, each within kWindowNs of event time before the success:
//   by source    kSameAccountMin failures of this account from this address, or kSourceMin of any accounts from it
//   by account   kDistributedMin failures of this account from at least kSourcesMin other addresses, and the success
//                comes from an address that the account has never used (the usual administrator logs in all the while
//                somebody else tries his account). Of an account never seen before any address is one
// One attempt may be told in several lines (`Invalid user`, PAM, `Failed password`): lines are counted by the way they
// are told, and the most frequent way counts, so that two typing errors never look like six. A line that stands for
// several (`message repeated 5 times: [ Failed password …]`) counts as so many, kTriesMax at most.
//
// Invariants  Integers only, in commit order, no clock.
// Memory      Per log kKeysMax addresses and accounts that are not known (the one not seen for longest goes), each with
//             kTriesMax failures; of the others a part of their profiles (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Attempts final : public Detector {
 public:
  explicit Attempts(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::attempts) {}

  static constexpr int64_t kWindowNs = 10 * kMinute;
  static constexpr uint32_t kSameAccountMin = 5;
  static constexpr uint32_t kSourceMin = 10;
  static constexpr uint32_t kDistributedMin = 10;
  static constexpr uint32_t kSourcesMin = 3;
  static constexpr size_t kKeysMax = 4096;
  static constexpr size_t kTriesMin =
      15;  // that a profile does not give up: of the way told most, kDistributedMin and five of its own
  static constexpr size_t kTriesMax = 40;  // ten attempts that are told in up to four lines each

  bool wants(const EventKind& kind) const override { return kind.login != EventKind::Login::none; }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) {
      out.push_back({name, Kept::passing, &log.by_source});
      out.push_back({name, Kept::passing, &log.strangers});
    }
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Try {
    int64_t at_ns = 0;
    uint64_t other = 0;       // sure hash of the account (by source) or of the address (by account)
    int32_t since_first = 0;  // its record, from Key::first_index on
    uint32_t way : 31 = 0;    // hash of the way it was told
    uint32_t of_receipt : 1 = 0;
  };
  struct Key {
    uint64_t first_index = 0;
    std::vector<Try> tries;  // in commit order; those that one line told of one after the other
    auto parts() { return std::tie(tries); }
    uint64_t index_of(const Try& attempt) const {
      return first_index + static_cast<uint64_t>(int64_t{attempt.since_first});
    }
    bool give_up(bool much);
    // Of the record; others of more than 2^31 records ago are forgotten.
    int32_t place(uint64_t index);
  };
  using Keys = LruMap<Key>;
  struct Log {
    Keys by_source{kKeysMax}, strangers{kKeysMax};  // by account, of those that are not known
  };
  void failed(std::string_view log, const LoginEvent& login);
  // `new_source`: the account has never logged in from this address; it may never have logged in at all.
  void succeeded(std::string_view log, const LoginEvent& login, bool new_source, std::vector<Finding>& findings);
  static void add(Key& key, const LoginEvent& login, std::string_view other);
  static void save_key(const Key& key, std::string& out);
  static bool load_key(Key& key, Reader& in);

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  Parts<Key> accounts_;
};

}  // namespace yushi::detect
