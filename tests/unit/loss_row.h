// Rows of docs/loss.md: the test that shows one prints it, by shows_loss("udp-burst").
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace yushi::test {

// Fails where the row is not there, or names another test.
inline void shows_loss(const std::string& name) {
  std::ifstream document(YUSHI_SOURCE_DIR "/docs/loss.md");
  for (std::string line; std::getline(document, line);) {
    if (!line.starts_with("| " + name + " |")) continue;
    const std::string running = testing::UnitTest::GetInstance()->current_test_info()->name();
    EXPECT_NE(line.find("::" + running + "` |"), std::string::npos)
        << "docs/loss.md: " << name << " names another test";
    std::printf("loss %s\n", line.substr(2, line.rfind(" | `") - 2).c_str());
    return;
  }
  ADD_FAILURE() << "docs/loss.md has no row " << name;
}

}  // namespace yushi::test
