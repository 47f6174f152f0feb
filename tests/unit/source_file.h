// A file of the source tree, for tests that read cases or documents.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace yushi::test {

inline std::string source_file(const std::string& path) {
  std::ifstream file(std::string(YUSHI_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file.good()) << path;
  return text.str();
}

}  // namespace yushi::test
