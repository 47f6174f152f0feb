// How a function says that the world failed it: Result<T> is a value or an Error.
//
// Three kinds of trouble have three tools. A bug is an assert (assert.h). The world failing (disk, network, config,
// a damaged block) is a Result. Odd data from a sender is never an error: it is a Record that says so.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace yushi {

// A closed set; each says what the caller should do.
enum class Code : unsigned char {
  invalid,      // the caller's input is wrong: show the message to whoever wrote it
  not_found,    // there is no such thing: an answer, often not a failure
  refused,      // a rule forbids it (retention floor, size limit): do not retry
  corrupt,      // stored bytes contradict a hash or format: name the place, read no further there
  exhausted,    // a bound was met: slow down or raise the limit
  unavailable,  // the other side is away: retry later
  io,           // the system call failed: errno's words are in the message
};

// The message says what was being done, to what, and what to do now.
struct Error {
  Code code;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace yushi
