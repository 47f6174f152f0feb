// What the index of alerts keeps of an alert, beside the place of its record in `_audit`: what a list of alerts is
// asked by, so that only the records are read which it shows. What was done to an alert stands in the same index under
// the place of its own record: so the states of all are known without reading one of them.
//
// Errors   decode(): corrupt.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"

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

struct AlertActEntry {
  AlertAct::Kind kind = AlertAct::Kind::taken;
  uint64_t alert = 0;  // its record's index in `_audit`
  int64_t usual_until_ns = 0;
  uint64_t held_back = 0;
  std::string by, closed_as;

  static AlertActEntry of(const AlertAct& act);
  static bool is_one(std::string_view bytes);  // by their version; else they are an AlertEntry
  std::string encode() const;
  static Result<AlertActEntry> decode(std::string_view bytes);
  bool operator==(const AlertActEntry&) const = default;
};

}  // namespace yushi::storage
