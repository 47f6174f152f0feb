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

namespace result_detail {
template <class T>
T value_of(Result<T>&& result) {
  return std::move(*result);
}
inline void value_of(Result<void>&&) {}
}  // namespace result_detail

}  // namespace yushi

// The value of a Result; where there is none, its error is what this function returns:
//   auto head = YUSHI_TRY(read_head(path));
//   YUSHI_TRY(write_head(path, head));
// The value is moved out. GCC's and Clang's statement expression is what lets it stand within one.
#define YUSHI_TRY(...)                                                         \
  ({                                                                           \
    auto yushi_tried = (__VA_ARGS__);                                          \
    if (!yushi_tried) return ::tl::unexpected(std::move(yushi_tried).error()); \
    ::yushi::result_detail::value_of(std::move(yushi_tried));                  \
  })
