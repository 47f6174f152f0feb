#include "detect/behaviours/detectors.h"

#include <bit>

#include "core/base/assert.h"
#include "detect/behaviours/accounts.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/attempts.h"
#include "detect/behaviours/disabled.h"
#include "detect/behaviours/guessing.h"
#include "detect/behaviours/listed.h"
#include "detect/behaviours/new_commands.h"
#include "detect/behaviours/rights.h"
#include "detect/behaviours/root_hours.h"
#include "detect/behaviours/serials.h"
#include "detect/behaviours/service_accounts.h"
#include "detect/behaviours/services.h"
#include "detect/behaviours/short_lived.h"
#include "detect/behaviours/site.h"
#include "detect/behaviours/travel.h"
#include "detect/behaviours/unusual_commands.h"
#include "detect/behaviours/volumes.h"

namespace yushi::detect {
namespace {

template <class One>
std::unique_ptr<Detector> make(const Surroundings& surroundings) {
  return std::make_unique<One>(surroundings);
}

}  // namespace

std::vector<DetectorRow>& detector_table() {
  // All ask the accounts for what they were wont to before this login.
  static std::vector<DetectorRow> table{
      {"actors", "Which accounts stand behind the numbers of the audit system", 4, make<Actors>},
      {"attempts", "Brute force that ends in a success", 3, make<Attempts>},
      {"guessing", "Password guessing, fast, slow, spread over accounts or over addresses", 4, make<Guessing>},
      {"site", "Accounts that are new to all, hosts logged in to from elsewhere", 1, make<Site>},
      {"disabled-accounts", "Accounts that were disabled and are used", 1, make<Disabled>},
      {"short-lived-accounts", "Accounts that are made, used and deleted", 1, make<ShortLived>},
      {"service-accounts", "Accounts of services at which a person sits", 1, make<ServiceAccounts>},
      {"travel", "Accounts at two places between which nobody gets in the time", 4, make<Travel>},
      {"accounts", "From where, on which hosts and at which hours accounts log in", 2, make<Accounts>},
      {"root-hours", "At which hours accounts act as root", 1, make<RootHours>},
      {"services", "Services that were stopped and not started again", 1, make<Services>},
      {"volumes", "Many more files read or deleted than usual", 2, make<Volumes>},
      {"rights", "Accounts that get one right after the other", 3, make<Rights>},
      {"serials", "Gaps in the numbers of events", 3, make<Serials>},
      {"new-commands", "Programs that nobody of the site has run", 2, make<NewCommands>},
      {"unusual-commands", "Which commands accounts are wont to give, and in which order", 3, make<UnusualCommands>},
      {"listed", "What rests on the lists of the site, and changes without a ticket", 2, make<Listed>},
  };
  return table;
}

Detectors::Detectors(const DetectOptions& options, const Silence& silence, Profiles& profiles)
    : surroundings_{options, *this, silence, profiles} {
  const auto& table = detector_table();
  YUSHI_ASSERT(table.size() <= kDetectorsMax, "%zu detectors", table.size());
  for (const auto& row : table) running_.push_back({row, row.make(surroundings_)});
}

std::optional<size_t> Detectors::number_of(std::string_view id) const {
  for (size_t i = 0; i < running_.size(); ++i)
    if (running_[i].row.id == id) return i;
  return {};
}

size_t Detectors::number_of(const std::type_info& its_class) const {
  size_t i = 0;
  for (; i < size(); ++i) {
    const Detector& one = (*this)[i];
    if (typeid(one) == its_class) break;
  }
  return i;
}

std::vector<std::unique_ptr<Detector>> Detectors::make_all() const {
  std::vector<std::unique_ptr<Detector>> out;
  for (const auto& one : running_) out.push_back(one.row.make(surroundings_));
  return out;
}

void Detectors::replace(std::vector<std::unique_ptr<Detector>> all) {
  for (size_t i = 0; i < running_.size(); ++i) running_[i].detector = std::move(all[i]);
}

uint64_t Detectors::wanted_by(const EventKind& kind) const {
  uint64_t out = 0;
  for (size_t i = 0; i < running_.size(); ++i)
    if (running_[i].detector->wants(kind)) out |= uint64_t{1} << i;
  return out;
}

void Detectors::observe(const Event& event, uint64_t wanted_by, std::vector<Finding>& findings) {
  for (; wanted_by != 0; wanted_by &= wanted_by - 1)
    running_[static_cast<size_t>(std::countr_zero(wanted_by))].detector->observe(event, findings);
}

void Detectors::tick(const Tick& tick, std::vector<Finding>& findings) {
  for (auto& one : running_) one.detector->tick(tick, findings);
}

void Detectors::hold(Holdings& out) {
  for (auto& one : running_) one.detector->hold(out);
}

}  // namespace yushi::detect
