// What the index of alerts keeps of an alert, beside the place of its record in `_audit`: what a list of alerts is
// asked by, so that only the records are read which it shows.
//
// Errors   decode(): corrupt.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/event/alert.h"

namespace yushi::storage {

struct AlertEntry {
  int64_t raised_ns = 0;
  Severity severity = Severity::medium;
  std::string id, tenant;

  static AlertEntry of(const Alert& alert) { return {alert.raised_ns, alert.severity, alert.id, alert.tenant}; }
  std::string encode() const;
  static Result<AlertEntry> decode(std::string_view bytes);
  bool operator==(const AlertEntry&) const = default;
};

}  // namespace yushi::storage
