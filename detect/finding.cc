#include "detect/finding.h"

namespace yushi::detect {

std::span<const std::string_view> finding_names() {
  static constexpr std::string_view kNames[] = {
      "account.disabled-used",
      "account.service-logs-in",
      "account.shared",
      "account.short-lived",
      "account.two-places",
      "baseline.change-at-unusual-hour",
      "baseline.commands-of-nobody",
      "baseline.dormant-account",
      "baseline.first-host",
      "baseline.first-source-address",
      "baseline.host-from-elsewhere",
      "baseline.new-account",
      "baseline.root-at-unusual-hour",
      "baseline.unusual-commands",
      "baseline.unusual-hour",
      "bruteforce.success",
      "guessing.account",
      "guessing.address",
      "list.change",
      "list.denied",
      "list.leaver",
      "list.no-administrator",
      "list.provider-staff",
      "list.round-the-bastion",
      "list.service-account",
      "rights.password-of-another",
      "rights.slow-growth",
      "sequence.events-missing",
      "service.left-stopped",
      "service.log-service-stopped",
      "service.logging-left-stopped",
      "silence.far-below",
      "silence.host",
      "volume.deleted",
      "volume.read",
      "volume.resources-deleted",
  };
  return kNames;
}

}  // namespace yushi::detect
