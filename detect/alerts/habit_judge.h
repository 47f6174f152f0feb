// Whether a rule's hit is news: against the habit that the rule names (detect/memory/habits.h), the hours at which its
// account works (detect/behaviours/accounts.h), and what its peers do (detect/lists/peers.h).
//
// Threads  One owner. What it is given must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/event/alert.h"
#include "core/record/record.h"
#include "detect/alerts/alert_words.h"
#include "detect/behaviours/detectors.h"
#include "detect/engine.h"
#include "detect/lists/peers.h"
#include "detect/memory/habits.h"
#include "detect/rules/rules.h"

namespace yushi::detect {

class HabitJudge {
 public:
  struct Judged {
    bool is_news = true;
    std::optional<Habits::Known> known;  // none: the rule names no habit
    Peers peers;

    // Puts what was known into the alert; of what the account's peers are wont to do it is a level lower.
    void say(Alert& alert) const;
  };

  HabitJudge(Habits& habits, const Detectors& detectors, const DetectOptions& options, FieldTexts& fields)
      : habits_(habits), detectors_(detectors), options_(options), fields_(fields) {}

  // The hit counts for those that come after it.
  Judged judge(const RuleHead& head, const Record& record, int64_t at_ns);

 private:
  void look_at_hour(const RuleHead& head, const Record& record, const std::string& account, int64_t at_ns,
                    Habits::Known& usual) const;

  Habits& habits_;
  const Detectors& detectors_;
  const DetectOptions& options_;
  FieldTexts& fields_;
};

}  // namespace yushi::detect
