// Whose act a record tells of: the account behind it.
//
// Most records say it themselves (`user.name` acts: docs/events.md). What the kernel's audit tells was done by root may
// have been done by anybody who became root; it carries the number of the account that logged in (`auditd.auid`), which
// su and sudo do not change. The number's name on a host is learned from what tells both. What the audit system says
// (names beside the numbers, a session that sshd or login opened, an account that was made) always holds. Else it is
// what lines of syslog claim: PAM's and useradd's, and, since older PAM tells no number, logind's of the session in
// which it was done. Those anybody may write, and the audit system's too where they come by syslog: where two names are
// claimed within kClaimNs the number stands for nobody, and an alert says so. A session's number is another one's after
// the audit system has begun anew.
//
// What a shell's history says that root typed has a tag by default, the name that logged in: it counts where an account of
// that name has logged in.
//
// Rules ask for it as `actor`, in key, habit, group-by and reason. A number without a name is `uid 1001`.
//
// What a program that root ran says of what it did (useradd's `new user: name=svc`) names nobody who did it. Whose
// command it was tells what came just before on that host: `doer`, the one who ran a command as root there within
// kDoerNs. Nobody, when two did.
//
// Invariants  In commit order: a replay gives the same names.
// Memory      Per log kNamesMax numbers that the audit system names, as many that syslog does, and kSessionsMax
//             sessions. None goes that was claimed within kClaimNs: further ones are not taken, so that nobody drives out
//             what stands by writing much.
// Threads     One owner.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "detect/behaviours/detectors.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Actors final : public Detector {
 public:
  explicit Actors(const Surroundings& surroundings) : surroundings_(surroundings) {}

  static constexpr size_t kNamesMax = 16'384, kHostsMax = 4096, kSessionsMax = 8192;
  static constexpr int64_t kDoerNs = 10 * kSecond, kClaimNs = 30 * kDay;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;  // finds nothing

  // False when the record names nobody.
  bool of(const Record& record, Scratch& scratch, std::string* actor) const;
  // The same, found once for all that ask; empty: nobody.
  const std::string& of(const Event& event) const;
  // The names that are claimed for the record's number where it stands for nobody by that, as "lin, wu"; else empty.
  std::string claims_of(const Record& record) const;
  // Who ran a command as root just before, where the record tells; empty: nobody, or two did.
  std::string doer_of(const Record& record, Scratch& scratch) const;
  // Whether it tells whose login session it was, and it was somebody's.
  bool is_of_login(const Event& event) const;

  void hold(Holdings& out) override {
    for (auto& [log, map] : names_) out.push_back({log, Kept::passing, &map});
    for (auto& [log, map] : claims_) out.push_back({log, Kept::passing, &map});
    for (auto& [log, map] : began_) out.push_back({log, Kept::passing, &map});
    for (auto& [log, map] : sessions_) out.push_back({log, Kept::passing, &map});
    for (auto& [log, map] : doers_) out.push_back({log, Kept::passing, &map});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  void note_command(const Event& event, Scratch& scratch);
  // The fields of a dataset that say who logged in.
  struct LoginFields {
    std::string dataset;
    const Field *number = nullptr, *name = nullptr, *session = nullptr;
  };
  const LoginFields& login_fields(const std::string& dataset) const;
  std::string_view tag_of_history(const Record& record, Scratch& scratch) const;
  bool of_login(const Record& record, const LoginFields& fields, std::string_view number, Scratch& scratch,
                std::string* actor) const;

  // What somebody else may have written: the name that was claimed first, and the last other one.
  struct Claim {
    std::string name, other;
    int64_t at_ns = 0, other_ns = 0;  // when last
    auto parts() { return std::tie(name, other); }
    bool is_contested() const { return !other.empty() && std::abs(at_ns - other_ns) <= kClaimNs; }
  };
  using Claims = ByLog<LruMap<Claim>>;
  // `since_ns`: what was claimed before counts no more.
  static void claim(LruMap<Claim>& claims, const std::string& key, const std::string& name, int64_t at_ns,
                    int64_t since_ns = -kTimeMaxNs);
  // Of the record's number, by the audit system or else by syslog, or else of its session; nullptr: none.
  const Claim* claim_of(const Record& record, const LoginFields& fields, std::string_view host,
                        std::string_view number) const;

  const Surroundings& surroundings_;
  mutable std::array<LoginFields, 64> login_fields_;  // of some datasets
  Claims names_;                                      // "HOST NUMBER" -> name, by the audit system
  Claims claims_;                                     // "HOST NUMBER" -> name, by syslog
  Claims sessions_;                                   // "HOST SESSION" -> name, by syslog
  ByLog<LruMap<int64_t>> began_;                      // host -> when its audit system began last
  // Who ran a command as root on a host last.
  struct Doer {
    std::string name;
    int64_t at_ns = 0, others_ns = 0;  // when last, and when last another than he did
    auto parts() { return std::tie(name); }
  };
  ByLog<LruMap<Doer>> doers_;
};

}  // namespace yushi::detect
