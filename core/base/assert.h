// Asserts that stay on in release. A bug stops the daemon at once: the store is crash-safe, a wrong record is for ever.
#pragma once

#include <cstdio>
#include <cstdlib>

#define YUSHI_ASSERT(condition, ...)                                                          \
  do {                                                                                        \
    if (!(condition)) [[unlikely]] {                                                          \
      std::fprintf(stderr, "%s:%d: assertion `%s' failed: ", __FILE__, __LINE__, #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                                      \
      std::fputc('\n', stderr);                                                               \
      std::abort();                                                                           \
    }                                                                                         \
  } while (0)
