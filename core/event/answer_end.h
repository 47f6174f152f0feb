// How an answer ends: how much was found and read, what is missing, which bound it met.
//
// A question is answered line by line, and by this beside the lines. Where an answer leaves the process it is the last
// of them, {"yushi.end":{"complete":true,"records":N,"blocks_read":R,"blocks":B,"missing":[…], …}}; by HTTP nobody else
// knows whether a stream broke off.
//
// Errors   Encoding never fails. What is no end decodes to nullopt.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yushi {

// What `verify` went through.
struct ProofCounts {
  uint64_t logs = 0, checkpoints = 0, alerts = 0, contradictions = 0, unproved = 0;
  bool operator==(const ProofCounts&) const = default;
};

struct AnswerEnd {
  uint64_t records = 0, blocks_read = 0, blocks = 0;
  std::vector<std::string> missing;   // what could not be read, in words
  std::string reason;                 // which bound cut the answer short; empty: none
  std::vector<std::string> notes;     // what the asker should know of the question: a field that no record has
  std::string node;                   // of `checkpoint` and `status`
  std::vector<std::string> columns;   // of the rows of a pipe
  std::optional<uint64_t> lines;      // of `parsers/unknown`: that the forms were found in
  std::optional<ProofCounts> proved;  // of `verify`

  bool complete() const { return missing.empty() && reason.empty(); }
  bool operator==(const AnswerEnd&) const = default;
};

std::string to_json(const AnswerEnd& end);  // one line
std::optional<AnswerEnd> answer_end_of(std::string_view line);

// The notes of a stream, which has no end that could hold them: {"yushi.notes":[…]}.
std::string notes_to_json(const std::vector<std::string>& notes);  // one line
std::optional<std::vector<std::string>> notes_of(std::string_view line);

}  // namespace yushi
