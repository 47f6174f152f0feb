// Whether what an alert was raised for gives that alert again, bit for bit: nobody is accused by a black box.
//
//   a rule without a memory   the alert's records alone, by the rule of the digest that the alert names
//   anything else             the alert's log from its first record to the alert's commit, with the acknowledgements
//                             that taught and the lists that were read meanwhile; ticks are made of the receipt of
//                             records, since when they were is not stored
//
// The second way is as today's rules and detectors would have judged from the beginning: rules that were loaded later,
// an exception, or another `detect.learning` can lead to another baseline. What was compared stands in AlertCheck::how.
//
// Errors   Of reading the store. What cannot be judged is no error but an outcome.
// Threads  Any; each call has all of its own.
// Cost     The second way reads the log.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>

#include "core/base/result.h"
#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "judge/event_judge.h"
#include "storage/read/view.h"

namespace yushi::judge {

struct Judging {
  std::shared_ptr<const parsers::ParserSet> parsers;
  std::shared_ptr<const detect::RuleSet> rules;
  ZoneOfLog zone_of;
  detect::DetectOptions options = {};
  std::shared_ptr<const detect::Lists> lists = {};  // where the store does not say what they were then
};

Result<AlertCheck> recheck(const storage::StoreView& view, const Alert& alert, uint64_t audit_index, const Judging& by,
                           const std::atomic<bool>& over);

// The acts that teach, and those that end it, from this index of `_audit` on, in their order: each with its commit. Of
// what cannot be read `failed` is told.
Result<std::vector<std::pair<uint64_t, AlertAct>>> read_taught(const storage::StoreView& view, uint64_t from,
                                                               const std::function<void(const Error&)>& failed);

}  // namespace yushi::judge
