// A compiled yes/no question about a Record: what an auditor types (KQL), what a forwarder selects, what a Sigma rule
// says.
//
// One expression tree and one evaluator for all of them. docs/query.md is the contract.
//
// Threads  Immutable after parse; any thread may evaluate, each with a Scratch of its own.
// Errors   invalid, with the offending text and a caret under the place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/time_text.h"
#include "core/record/record.h"

namespace yushi {

struct Expression;  // core/filter/expression.h

// Times in a query without a zone are in `zone`; `today`, `7d` count back from `now_ns`.
struct QueryClock {
  int64_t now_ns = 0;
  std::shared_ptr<const Zone> zone = Zone::utc();
};

// Whether this literal may stand in the text of some records, or in their `message`: in any case when it folds, and is
// then in folded form. May err towards true.
using HasLiteral = std::function<bool(std::string_view literal, bool folds, bool in_message)>;

// What is known of records before they are put together: of some that have one form of text, one kind and one priority.
struct RecordForm {
  HasLiteral has_literal;
  const Record* without_captures;  // their kind and priority
  std::function<bool(std::string_view field)> has_capture;
};

class Filter {
 public:
  // KQL with our additions (`field ~ /re2/`); `*` and the empty text match all.
  static Result<Filter> parse_kql(std::string_view text, const QueryClock& clock);
  static Filter from(std::shared_ptr<const Expression> expression);

  bool matches(const Record& record, Scratch& scratch) const;

  // False only when no record whose tokens all answer true to `has_token` can match. `has_token` is asked token_hash()
  // of words of raw, and ip_hash() of addresses that stand in ip fields; it may err towards true.
  bool may_match(const std::function<bool(uint64_t)>& has_token) const;

  // False only when no record of the form can match.
  bool may_match_form(const RecordForm& form, Scratch& scratch) const;

  // The event times that a match can have, Unix ns, both inclusive: what `@timestamp >= …` in the filter leaves.
  struct Times {
    int64_t from_ns, to_ns;
  };
  Times times() const;

  const Expression& expression() const { return *expression_; }

 private:
  explicit Filter(std::shared_ptr<const Expression> expression) : expression_(std::move(expression)) {}
  std::shared_ptr<const Expression> expression_;
};

// What a block's token filter holds beside the words: each distinct value of its ip fields.
uint64_t ip_hash(const std::array<uint8_t, 16>& address);

}  // namespace yushi
