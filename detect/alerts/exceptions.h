// Exceptions: what a rule or detector finds and nobody is to be told of, for a time and in somebody's name.
//
//   - rule: baseline.first-host                 # a rule's id, or a finding's name
//     when: 'user.name: backup and host.name: db-*'   # a filter as in a question; without it: all that the rule finds
//     owner: li.wei
//     until: 2027-01-31                         # the end of that day in UTC, or a time with its zone
//     reason: moves the archive until the new disks are there
//
// What it keeps from being raised is counted, and told in `_audit` (detect/alerts/held_back.h). A correlation goes on
// with what is excepted of its parts. Load them after the parsers, whose fields a `when` may name.
//
// Threads  Immutable but for the counts, which any thread may read.
// Errors   invalid: every problem of every file, one a line as `path:line:column: message`.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/data_file.h"
#include "core/base/result.h"
#include "core/filter/filter.h"

namespace yushi::detect {

struct ExceptionFile {
  std::string name, path, text;
};
// The files themselves. Like read_rule_directories(): one that cannot be taken goes to `left_out` or fails.
Result<std::vector<ExceptionFile>> read_exception_files(const std::vector<std::string>& paths,
                                                        std::vector<FileLeftOut>* left_out = nullptr);

struct Exception {
  std::string rule, when, owner, until, reason;
  std::string place;     // path:line:column
  std::string digest;    // of all that it says
  int64_t until_ns = 0;  // from then on it counts no more
  std::optional<Filter> filter;

  std::string words() const;  // "the exception of li.wei for RULE (PLACE)"
};

class ExceptionSet {
 public:
  static constexpr size_t kExceptionsMax = 4096;

  static Result<std::shared_ptr<const ExceptionSet>> load(std::vector<ExceptionFile> files);
  // The same without those that are wrong: what is, a line each, goes to `wrong`.
  static std::shared_ptr<const ExceptionSet> right_ones(std::vector<ExceptionFile> files, std::string& wrong);

  const std::vector<ExceptionFile>& files() const { return files_; }
  const std::vector<Exception>& all() const { return all_; }
  const Exception* find(std::string_view digest) const;
  bool knows(std::string_view rule) const { return by_rule_.find(rule) != by_rule_.end(); }
  // The first that holds for what this rule finds, received then. The record is that which raised it, with what the
  // alert says beside it (with_facts()).
  const Exception* holding(std::string_view rule, const Record& record, int64_t received_ns, Scratch& scratch) const;
  // Those that hold for nothing, since nothing that can be excepted has such a name: each with its place and a near
  // name. `rules` are the ids of those that run.
  std::vector<std::string> unknown(const std::vector<std::string>& rules) const;

  // Uses since the daemon's start.
  void count(const Exception& used, int64_t received_ns) const;
  void count_on_from(const ExceptionSet& before) const;
  struct Uses {
    uint64_t count = 0;
    int64_t last_ns = 0;
  };
  Uses uses_of(const Exception& exception) const;

 private:
  struct Counts {
    std::atomic<uint64_t> count{0};
    std::atomic<int64_t> last_ns{0};
  };
  std::vector<ExceptionFile> files_;
  std::vector<Exception> all_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_rule_;
  std::map<std::string, size_t, std::less<>> by_digest_;
  mutable std::vector<std::shared_ptr<Counts>> counts_;  // shared with the sets before and after this one
};

}  // namespace yushi::detect
