// Log lines of many kinds for tests that ask whether something holds of all of them.
//
// tests/data holds a frozen sample of our own, in the folders and forms of the published sets; tests always run on it.
// The published sets are not ours to hand on: where YUSHI_DATA names a folder with them, tests run on it in addition.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#if defined(__has_feature)
#define YUSHI_HAS_FEATURE(feature) __has_feature(feature)
#else
#define YUSHI_HAS_FEATURE(feature) 0
#endif

namespace yushi::test {

// One of so many is asked where a test compares answers over all lines of a set: an answer is no other under a
// sanitizer, and what a sanitizer looks for is there on a part of the lines too.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || YUSHI_HAS_FEATURE(address_sanitizer)
inline constexpr size_t kOneOf = 8;
#else
inline constexpr size_t kOneOf = 1;
#endif

inline const std::filesystem::path kOwnData = YUSHI_SOURCE_DIR "/tests/data";

// Empty where there are none.
inline std::filesystem::path published_data() {
  const char* given = std::getenv("YUSHI_DATA");
  std::filesystem::path folder = given ? given : YUSHI_SOURCE_DIR "/../shared/data/dev";
  return std::filesystem::is_directory(folder) ? folder : std::filesystem::path();
}

// The lines of our own sample, file by file.
inline std::vector<std::string> own_lines() {
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator(kOwnData / "logs")) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) out.push_back(line);
  }
  return out;
}

}  // namespace yushi::test

// scripts/test knows this reason for a skip.
#define YUSHI_SKIP_WITHOUT_PUBLISHED_DATA() \
  if (yushi::test::published_data().empty()) GTEST_SKIP() << "no published data sets (YUSHI_DATA)"
