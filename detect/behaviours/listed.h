// What rests on the site's lists (detect/lists/lists.h): what somebody who has left does, a service account at a
// keyboard, a login round the bastion, root without being an administrator, a change outside the window or without
// leave, the provider's staff at a unit's machines, what is on a deny list. A list is no habit: nothing here has to be
// learned, and nothing is `learning`.
//
// Leave for a change is a ticket: of the list, or of records (`change-approved`, docs/events.md). One that its
// requester approved is none. Where tickets come by records alone, a change without one is told where they are usual:
// of the last 32 days of accounts with changes three of four had one.
//
// Invariants  In commit order, no clock, no file: each finding's baseline has the entry and its list's digest.
// Memory      Per log kTicketsMax tickets, the one not used for longest goes; a part of the profiles of accounts with
//             changes (detect/memory/profiles.h).
// Threads     One owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/behaviours/detectors.h"
#include "detect/lists/lists.h"
#include "detect/memory/places.h"
#include "detect/memory/profiles.h"
#include "detect/memory/state.h"

namespace yushi::detect {

class Listed final : public Detector {
 public:
  explicit Listed(const Surroundings& surroundings)
      : surroundings_(surroundings), days_(surroundings.profiles, Part::changes) {}

  static constexpr size_t kTicketsMax = 4096;

  bool wants(const EventKind& kind) const override;
  void observe(const Event& event, std::vector<Finding>& findings) override;

  void hold(Holdings& out) override {
    for (auto& [name, log] : by_log_) out.push_back({name, Kept::passing, &log.tickets});
  }
  void save(std::string& out) const override;
  bool load(Reader& in) override;

 private:
  struct Log {
    LruMap<Ticket> tickets{kTicketsMax};
    Novelty without;  // changes without a ticket, one an account and day
  };
  struct Act;  // an event, and what is asked of it more than once
  void take_ticket(const Event& event, Log& log) const;
  const Ticket* ticket_of(Act& act, const Log& log, bool* self_approved) const;
  void judge_addresses(Act& act, std::vector<Finding>& findings) const;
  void judge_called_addresses(Act& act, std::vector<Finding>& findings) const;
  void judge_login(Act& act, std::vector<Finding>& findings) const;
  void judge_leaver(Act& act, std::string_view account, bool is_login, bool failed,
                    std::vector<Finding>& findings) const;
  void judge_bastion(Act& act, std::vector<Finding>& findings) const;
  void judge_service_account(Act& act, std::vector<Finding>& findings) const;
  void judge_becoming_root(Act& act, std::vector<Finding>& findings) const;
  void judge_provider(Act& act, const Log& log, std::vector<Finding>& findings) const;
  void judge_change(Act& act, Log& log, std::vector<Finding>& findings);

  const Surroundings& surroundings_;
  ByLog<Log> by_log_;
  Parts<int64_t> days_;  // of accounts: the last one with a change
};

}  // namespace yushi::detect
