// The baselines of administrators: from where, on which hosts and at which hours each account of a log is wont to log
// in.
//
// Where a bastion tells to which host it let somebody in, that is a login there, and from no address. Who shows a key
// or token with each act (a cloud, Kubernetes, a database whose connections are not logged) never logs in: what he does
// from an address is a login when it is the first there within kSittingNs.
//
// Each successful login is first judged against what stands here, then added to it. Findings: first login from a source
// address, first login on a host, a login at an hour at which the account is practically never there, the first login
// after months; and an account that comes from the desks of several others within a day.
//
// Few false alarms: a place is odd only against a usual that exists, so nothing is told of an account with a short
// history or of one whose habit is to come from (to log in on) ever new places, and one account raises a few findings
// of a kind a day, no more. Of what weighs little nothing is told before the account has been seen for two working
// weeks, nor what the site knows well: a further host of who goes to many, one that very many come to, an hour at which
// most others work. What its peers are wont to do (detect/lists/peers.h) is no odd thing for an account either: a new
// network weighs less, and of an address, a host or an hour nothing is told.
//
// Invariants  Integers only, in commit order, no clock: a replay gives the same findings.
// Memory      A part of the profiles of accounts (detect/memory/profiles.h), with the addresses and hosts that fill two
//             Places (detect/memory/places.h), or as many as there is room for.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/lists/peers.h"
#include "detect/memory/places.h"
#include "detect/memory/profiles.h"

namespace yushi::detect {

class Accounts final : public Detector {
 public:
  explicit Accounts(const Surroundings& surroundings)
      : surroundings_(surroundings), accounts_(surroundings.profiles, Part::logins) {}

  // An hour is unusual when under 1 in kHourOneIn logins fell into it or within kHoursAround; asked only of an account
  // with so many logins on so many days.
  static constexpr int kHoursAround = 2;
  static constexpr uint32_t kHourOneIn = 100;
  static constexpr uint32_t kHourLoginsMin = 20;
  static constexpr uint32_t kHourDaysMin = 5;
  // An account that logs in after so many days is waking; one that came often, by the days on which it did, earlier.
  static constexpr int64_t kDormantDays = 60, kDormantDaysOften = 20;
  static constexpr int64_t kOften = 5;  // so many times its mean pause
  // A new address of a known network is told when it is that of so many others at most (a bastion's is everybody's), or
  // the third of that network within kMovesNs.
  static constexpr size_t kOwnersMax = 2;
  static constexpr int64_t kJobHoursMax = 3;
  static constexpr uint32_t kJobDaysMin = 7;
  static constexpr int64_t kMovesNs = 2 * kHour;
  // Findings of one kind that one account raises on a day of the tenant's zone; further ones are only counted. A thief
  // must not hide behind the network that the account's owner was new in this morning.
  static constexpr uint32_t kToldADay = 1;
  static constexpr uint32_t kNewNetworksToldADay = 4;
  // It is known when it first logged in so many days ago: two working weeks.
  static constexpr int64_t kKnownDays = 12;
  // A further host is no news of who goes to so many, where so many others go; of who goes nearly everywhere; of a host
  // to which a quarter of the site's people come, so many at least. It is of who goes to few, and where it is the third
  // new one of his last logins, whatever it is.
  static constexpr size_t kFewHosts = 3, kManyHosts = 7, kAllHosts = 16;
  static constexpr size_t kVisitorsOfMany = 3, kVisitorsMin = 4;
  // A host that is itself new to the site, but for one of which nobody had heard before that login, is a first for all
  // who come to it, and no news of those who come from where they always do.
  static constexpr int64_t kHeardOfNs = kHour, kYoungNs = 72 * kHour;
  static constexpr int kFanOut = 3;
  static constexpr uint32_t kFanOutLogins = (1u << 12) - 1;  // bits of Novelty::news
  // An hour at which half of the site's people work, so many at least, is no odd one.
  static constexpr size_t kWorkersMin = 4;
  static constexpr uint32_t kWorkOneIn = 20;
  // An account that comes within a day from the desks of so many others is shared by them.
  static constexpr size_t kDesks = 3;
  static constexpr int32_t kDesksMinutes = 24 * 60;
  // Two lines about one login (sshd and auditd both tell of it): the same account and host within this time, and the
  // same address or another teller (one may give a name, the other an address). Asked of the last kRecentMax logins.
  static constexpr int64_t kSameLoginNs = 3 * kSecond;
  static constexpr size_t kRecentMax = 4;
  // Two acts with a key from one address. Asked of the last kActsMax addresses: jobs come from many in turn.
  static constexpr int64_t kSittingNs = kHour;
  static constexpr size_t kActsMax = 64;

  bool wants(const EventKind& kind) const override {
    return kind.login != EventKind::Login::none || kind.is_of_bastion || kind.shows_key;
  }
  void observe(const Event& event, std::vector<Finding>& findings) override;

  // True when the account has never logged in from this address, be it that it has never logged in at all.
  bool is_new_source(std::string_view log, std::string_view user, std::string_view source) const;

  // Of its last logins; an act with a key, whose hour is not judged, is none here.
  bool has_logged_in(std::string_view log, std::string_view user, int64_t from_ns, int64_t until_ns) const;

  // True when at this hour half of the site's people work, this one aside.
  bool is_common_hour(std::string_view log, std::string_view user, int hour) const;

  // True when it is one of the hours at which this account is wont to log in.
  bool works_at(std::string_view log, std::string_view user, int hour) const;

  // True of an account with so few logins that nothing is told of its places.
  bool hardly_knows(std::string_view log, std::string_view user) const;

  // True when the account has logged in.
  bool knows(std::string_view log, std::string_view user) const;

  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Told {
    int32_t day = 0;
    uint32_t count = 0;   // on that day
    uint32_t unsaid = 0;  // counted only, since the last finding that was told
  };
  enum Kind : size_t { kNewNetwork, kNewSource, kNewHost, kHourOfDay, kKinds };
  struct Recent {
    int64_t at_ns = 0;
    uint32_t source = 0, host = 0, teller = 0;  // hashes; an act with a key has no teller
    bool is_act() const { return teller == 0; }
  };
  // A login from another's desk: an address from which somebody comes for the most part, and hardly anybody else.
  struct Borrowed {
    int32_t minute = 0;              // since the epoch
    uint32_t source = 0, owner = 0;  // hashes
  };
  struct Account {
    int64_t first_ns = 0;  // event time of its first record
    uint64_t logins = 0;
    uint32_t days = 0;  // distinct days with logins, as far as they came in order
    int32_t last_day = 0;
    uint16_t hours[24] = {};     // halved, all of them, when one has no room for more
    std::vector<Recent> recent;  // the newest last; of logins and of acts each so many
    Places sources, hosts;
    Novelty habits[kHourOfDay];  // of networks, addresses, hosts
    Told told[kKinds];
    std::array<Borrowed, kDesks - 1> borrowed{};  // the last ones of different owners, the newest last
    auto parts() { return std::tie(recent, sources, hosts); }
    bool give_up(bool much);
  };
  static constexpr size_t kPlacesMin = 4;  // of the addresses, and of the hosts, that are not given up

  // Whose address this is, of a network that the account knows.
  struct Neighbour {
    size_t owners = 0;
    std::string owner;  // one of them
    bool moves = false;
    bool is_of_job = false;  // the account is a job's, by the few hours at which it comes: jobs do not change desks
    bool is_odd() const { return moves || is_of_job || (owners > 0 && owners <= kOwnersMax); }
  };
  static bool is_told_already(const Account& account, const Recent& login);
  static void remember(Account& account, const Recent& login);
  struct More {
    std::string en, zh;
  };
  // False when the account has raised enough of this kind on this day. Else `more` says what went unsaid before.
  static bool may_tell(Account& account, Kind kind, int64_t day, More* more);
  static Finding source_finding(const Account& account, const LoginEvent& login, const Neighbour* neighbour);
  static Finding dormant_finding(const Account& account, const LoginEvent& login, int64_t days);
  static Finding host_finding(const Account& account, const LoginEvent& login);
  // Whose desk it is; empty: nobody's, its own, or that of more than kOwnersMax.
  std::string desk_owner(std::string_view log, const Account& account, std::string_view source) const;
  std::optional<Finding> shared_finding(std::string_view log, Account& account, const LoginEvent& login) const;
  Neighbour neighbour_of(std::string_view log, const Account& account, const LoginEvent& login) const;
  static bool is_known(const Account& account, int64_t day, int64_t at_ns, int64_t learning_ns);
  static bool is_person(const Account& account);
  static bool works_at(const Account& account, int hour);
  // Whether the site knows such a host of such an account: see kManyHosts.
  bool is_common_host(std::string_view log, const Account& account, const LoginEvent& login) const;
  bool is_common_hour(std::string_view log, const Account* account, int hour) const;
  static bool is_of_job(const Account& account);
  static bool comes_each_day(const Account& account);
  static bool is_dormant(const Account& account, int64_t day);
  // How often others of its group did what `times_of` counts in each.
  template <class TimesOf>
  Peers peers_of(std::string_view log, const LoginEvent& login, TimesOf&& times_of) const;
  static bool is_unusual_hour(const Account& account, int hour);
  static Finding hour_finding(const Account& account, const LoginEvent& login, int hour, const Zone& zone);
  static void save_account(const Account& account, std::string& out);
  static bool load_account(Account& account, Reader& in);

  const Surroundings& surroundings_;
  Parts<Account> accounts_;
};

}  // namespace yushi::detect
