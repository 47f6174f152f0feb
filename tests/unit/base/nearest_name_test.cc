#include "core/base/nearest_name.h"

#include <gtest/gtest.h>

namespace yushi {
namespace {

std::string nearest(std::string_view misspelt, std::initializer_list<std::string_view> names) {
  NearestName nearest(misspelt);
  for (auto name : names) nearest.offer(name);
  return nearest.name();
}

TEST(NearestName, the_least_edits_win_and_too_many_are_none) {
  EXPECT_EQ(nearest("user.nam", {"user.id", "user.name", "host.name"}), "user.name");
  EXPECT_EQ(nearest("usre.name", {"host.name", "user.name"}), "user.name");
  EXPECT_EQ(nearest("contians", {"contains", "cidr"}), "contains");
  EXPECT_EQ(nearest("User.Name", {"user.name"}), "user.name");
  EXPECT_EQ(nearest("nosuch", {"message", "source.ip", "tags"}), "");
  EXPECT_EQ(nearest("user.name", {"user.name"}), "");  // itself is not meant
  EXPECT_EQ(nearest("", {"a"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest(std::string(300, 'a'), {"a"}), "");
}

TEST(NearestName, an_object_means_its_name) {
  EXPECT_EQ(nearest("user", {"users", "user.id", "user.name", "use"}), "user.name");
  EXPECT_EQ(nearest("Host", {"host.name", "hosts"}), "host.name");
}

TEST(NearestName, of_equally_near_ones_the_preferred_wins_then_the_alphabet) {
  EXPECT_EQ(nearest("abcx", {"abcz", "abcy"}), "abcy");
  NearestName preferring("abcx");
  preferring.offer("abcy");
  preferring.offer("abcz", true);
  preferring.offer("abca");
  EXPECT_EQ(preferring.suggestion(), "; did you mean abcz?");
  EXPECT_EQ(NearestName("a").suggestion(), "");
}

}  // namespace
}  // namespace yushi
