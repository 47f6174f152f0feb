// Who answers the CLI's questions: a daemon over its socket, or a store opened here, read-only.
//
// Errors  unavailable: nobody answers there. Otherwise as query/questions.h has it. An answer that broke off is no
//         error: its Ending says that it is incomplete.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "query/questions.h"

namespace yushi::cli {

// What the last line of an answer said.
struct Ending {
  bool complete = false;
  uint64_t records = 0, blocks_read = 0, blocks = 0;
  std::vector<std::string> missing, notes;
  std::string reason;  // which bound cut the answer short
  std::string node;    // checkpoint and status tell it
  std::string json;    // the line itself
};

class Asker {
 public:
  virtual ~Asker() = default;
  // Calls `sink` for each line but the last.
  virtual Result<Ending> ask(const query::Question& question, const query::LineSink& sink) = 0;
};

// `server` is `unix:PATH`, or empty for the default order; a `store` that is not empty is opened instead.
Result<std::unique_ptr<Asker>> make_asker(const std::string& server, const std::string& store);

// Takes lines, hands on all but the last one of the answer, which it reads.
class EndingReader {
 public:
  explicit EndingReader(const query::LineSink& sink) : sink_(sink) {}
  bool take(std::string_view line);
  Ending finish();

 private:
  const query::LineSink& sink_;
  Ending ending_;
  bool ended_ = false, stopped_ = false;
};

}  // namespace yushi::cli
