// Who answers the CLI's questions: a daemon over its socket, or a store opened here, read-only.
//
// Errors  unavailable: nobody answers there. Otherwise as query/questions.h has it. An answer that broke off is no
//         error: its end says that it is incomplete.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/event/answer_end.h"
#include "query/questions.h"

namespace yushi::cli {

class Asker {
 public:
  virtual ~Asker() = default;
  // Calls `sink` for each line.
  virtual Result<AnswerEnd> ask(const query::Question& question, const query::LineSink& sink) = 0;
  // Not, when the store did not open and only what is whole of it is read: then nothing holds it to a checkpoint.
  virtual bool is_whole() const { return true; }
};

// `server` is `unix:PATH`, or empty for the default order; a `store` that is not empty is opened instead.
Result<std::unique_ptr<Asker>> make_asker(const std::string& server, const std::string& store);

}  // namespace yushi::cli
