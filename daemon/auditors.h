// What is odd about who asks: the auditors' own use, judged by the questions that `_audit` keeps.
//
// Told are: a question about the asker himself; far more records taken on a day than on any day before; questions at an
// hour at which he never asks; a question of all tenants by who always named one.
//
// Memory   kAuditorsMax askers, 200 bytes each; the one who has not asked for longest goes.
// Threads  One owner, the committer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/event/own_record.h"
#include "detect/finding.h"
#include "detect/memory/state.h"

namespace yushi::daemon {

class Auditors {
 public:
  static constexpr size_t kAuditorsMax = 1024;
  static constexpr uint64_t kTakenMin = 10'000, kTakenTimes = 5, kTakenMinOfNew = 1'000'000;
  static constexpr uint32_t kQuestionsMin = 20, kDaysMin = 5;  // before hours and tenants are judged
  static constexpr int kDays = 14;

  // A question that was answered at this time; findings have no records yet.
  void observe(const QuestionAsked& asked, int64_t at_ns, std::vector<detect::Finding>& findings);

  void save(std::string& out) const;
  bool load(Reader& in);

 private:
  struct Auditor {
    int64_t first_day = 0, day = 0;
    uint32_t questions = 0, days = 0, of_all = 0;  // of_all: without a tenant
    uint32_t hours = 0;                            // bits, UTC, of the days before
    uint32_t hours_today = 0;
    uint64_t taken = 0;                          // records, of the day
    std::array<uint64_t, kDays> taken_before{};  // of each day, by the day's number
    bool told_taken = false;                     // today
  };
  detect::LruMap<Auditor> auditors_{kAuditorsMax};
};

}  // namespace yushi::daemon
