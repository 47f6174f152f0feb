// The loaded rules: which of them each record matches, found on the ingest threads.
//
// Invariants  The number of a rule (RuleHit::rule) is its place in rules().
// Threads     Immutable after load but for the candidates of kinds, which are made when a kind comes first and stay.
//             What a matcher learns is its own.
// Cost        A record of a kind without rules: one look into a small table. Otherwise one pass for the literals of the
//             rules that its kind can match, over the part of raw that holds the fields they speak of, then only those
//             rules of whose sets of required literals each has one there; what the kind's constants say is looked at
//             once a matcher. See bench/detect_bench.cc.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/mutex.h"
#include "core/filter/sigma.h"
#include "detect/rules/literal_search.h"
#include "detect/rules/rule_file.h"
#include "detect/rules/rule_set.h"

namespace yushi::detect {

// But those that say, line ends aside, word for word what one before them says: checkouts of rules have many twice,
// beside their tests too.
std::vector<const RuleFile*> distinct_files(const std::vector<RuleFile>& files);

class LoadedRules final : public RuleSet {
 public:
  // A correlation with its references found: rule numbers, or kCorrelation + number of a correlation.
  struct Correlation {
    CorrelationRule rule;
    std::vector<uint32_t> parts;                         // in the order of rule.rules
    std::vector<std::vector<std::string>> group_fields;  // [part][group-by]: field name
    std::vector<std::string> said_fields;                // that its reason names and that may differ within a group
  };
  static constexpr uint32_t kCorrelation = 1u << 31;

  static Result<std::shared_ptr<const RuleSet>> load(std::vector<RuleFile> files, const LogSources& sources);

  std::unique_ptr<RuleMatcher> matcher(bool counts = false) const override;
  void count_on_from(const RuleSet& before) const override;
  void forget_counts() const override;
  // Rule `number` (or kCorrelation + number) matched what was received then.
  void count(uint32_t number, int64_t received_ns) const;
  const std::vector<RuleFile>& files() const override { return files_; }
  std::vector<RuleSummary> list() const override;
  const std::vector<std::string>& unsupported() const override { return unsupported_; }
  const std::vector<std::string>& passed_over() const override { return passed_over_; }

  // Those left out that have another one's id.
  size_t of_known_id() const { return of_known_id_; }

  const std::vector<SigmaRule>& rules() const { return rules_; }
  const std::vector<Correlation>& correlations() const { return correlations_; }  // parts before wholes
  // False for a rule (or kCorrelation + number) that speaks only through the correlations that use it.
  bool raises(uint32_t number) const {
    return number & kCorrelation ? correlation_raises_[number & ~kCorrelation] : raises_[number];
  }
  // Of one for which raises() is false: the title of the first correlation that uses it.
  std::string used_by(uint32_t number) const;
  // The (correlation, part) pairs that rule `number` (or kCorrelation + number) feeds.
  struct Use {
    uint32_t correlation, part;
  };
  const std::vector<Use>& uses(uint32_t number) const;

 private:
  // What of a request a test asks of: what rules look for in the decoded request (all records have it that have one of
  // the others), or one kind of attack.
  enum class OfRequest : uint8_t { plain, sql, script, command, nothing };

  // What a record must have for a rule to match.
  struct Needs {
    std::vector<std::vector<RequiredLiteral>> literals;  // one of each set; kRequiredSetsMax sets
    OfRequest of_request = OfRequest::nothing;
  };
  static Needs needs_of(const Filter& filter);
  static OfRequest of_request(const Expression& expression);

  // Literals that stand in values of the same fields.
  struct Zone {
    LiteralSearch literals;   // group = number of the set that is required × 64 × words of a set of places + place
    bool whole_raw = false;   // they can stand anywhere
    bool of_request = false;  // of the request's target: a literal may stand across the border of path and query
    bool of_decoded = false;  // also where its escapes are undone
    bool of_plain = false;    // also in what a client sent, decoded
  };

  // The rules that some records are asked for: those of one dataset, program or kind.
  struct Candidates {
    static constexpr size_t kZonesMax = 32;

    std::vector<uint32_t> rules;  // ascending
    std::vector<Zone> zones;
    std::vector<uint32_t> zones_of;  // by FieldId: a bit for each zone
    // The same of parsers' own fields by name, since a body's key that no file names may be captured under it.
    std::unordered_map<std::string_view, uint32_t> zones_named;
    uint64_t named_sizes = 0;      // a bit for each length of their names
    std::vector<uint64_t> all;     // bits of the groups
    std::vector<uint64_t> always;  // of those that no search can rule out
    // Bits of the places that no search can rule out, but that an ordinary request can: by what it must have.
    std::array<std::vector<uint64_t>, 4> of_requests;
    bool decodes_requests = false;  // some of these, or literals of yushi.request.plain

    size_t words() const { return all.size() / kRequiredSetsMax; }  // of a set of places
    uint32_t zones_with(const Field& field) const {
      if (field.id != kDynamicField) return field.id < zones_of.size() ? zones_of[field.id] : 0;
      if (!(named_sizes >> (field.name.size() % 64) & 1)) return 0;
      const auto named = zones_named.find(field.name);
      return named == zones_named.end() ? 0 : named->second;
    }
  };
  class Matcher;

  LoadedRules() = default;
  void link(std::vector<RuleDocument>& documents, const LogSources& sources, const Placeholders& placeholders);
  void link_filters(const std::vector<FilterRule>& filters, const std::map<std::string, uint32_t>& numbers,
                    const LogSources& sources, const Placeholders& placeholders);
  bool map_field(const LogSources& sources, uint32_t part, std::string& field) const;
  void index();
  Candidates make_candidates(std::vector<uint32_t> rules) const;
  void make_zones(Candidates& out) const;
  const Candidates& candidates_of(const MessageKind* kind) const;
  // Those of them that a record of this kind (nullptr: that no parser knew) can match, whatever else it says.
  const Candidates& of_kind(const Candidates& candidates, const MessageKind* kind) const
      YUSHI_EXCLUDES(by_rules_mutex_);

  std::vector<RuleFile> files_;
  std::vector<SigmaRule> rules_;
  std::vector<Correlation> correlations_;
  std::vector<bool> raises_, correlation_raises_;
  std::vector<std::vector<Use>> rule_uses_, correlation_uses_;
  std::vector<std::string> unsupported_, passed_over_;
  size_t of_known_id_ = 0;
  std::unordered_map<std::string, Candidates> by_dataset_;
  Candidates other_datasets_;
  Candidates unparsed_;                                     // of any process that is not in the next
  std::unordered_map<std::string, Candidates> by_process_;  // records that no parser knew
  std::vector<Needs> needs_;                                // of each rule
  mutable Mutex by_rules_mutex_;
  // What of_kind() has made: many kinds can match the same rules.
  mutable std::map<std::vector<uint32_t>, std::unique_ptr<const Candidates>> by_rules_
      YUSHI_GUARDED_BY(by_rules_mutex_);
  // Written by all that count. Hits are few beside records, so nobody waits for a line of the cache.
  struct Counts {
    std::atomic<uint64_t> hits{0}, cost_ns{0};
    std::atomic<int64_t> last_ns{0};
  };
  std::vector<std::string> ids() const;  // of the rules, then of the correlations
  mutable std::vector<std::shared_ptr<Counts>>
      counts_;  // in that order; shared with the sets before and after this one
};

}  // namespace yushi::detect
