#include "ingest/net/origin_map.h"

#include <gtest/gtest.h>

#include "core/record/record.h"

namespace yushi::ingest {
namespace {

LogId find(const OriginMap& map, std::string_view text) {
  Address address;
  EXPECT_TRUE(parse_ip(text, &address)) << text;
  return map.find(address);
}

TEST(OriginMapTest, the_first_network_that_matches_wins_and_the_rest_is_default) {
  OriginMap map;
  ASSERT_TRUE(map.add("10.1.2.0/24", 2));
  ASSERT_TRUE(map.add("10.1.0.0/16", 3));
  ASSERT_TRUE(map.add("10.1.9.9", 4));  // behind a wider one: never found
  ASSERT_TRUE(map.add("2001:db8::/32", 5));
  ASSERT_TRUE(map.add("10.1.2.0/24", 6));
  EXPECT_EQ(find(map, "10.1.2.3"), 2);
  EXPECT_EQ(find(map, "10.1.3.3"), 3);
  EXPECT_EQ(find(map, "10.1.9.9"), 3);
  EXPECT_EQ(find(map, "10.2.0.1"), 0);
  EXPECT_EQ(find(map, "2001:db8:1::1"), 5);
  EXPECT_EQ(find(map, "2001:db9::1"), 0);
}

TEST(OriginMapTest, ipv4_networks_match_mapped_addresses_and_whole_families_can_be_named) {
  OriginMap map;
  ASSERT_TRUE(map.add("::ffff:192.0.2.0/120", 2));
  ASSERT_TRUE(map.add("0.0.0.0/0", 3));
  ASSERT_TRUE(map.add("::/0", 4));
  EXPECT_EQ(find(map, "192.0.2.7"), 2);
  EXPECT_EQ(find(map, "::ffff:192.0.2.7"), 2);
  EXPECT_EQ(find(map, "192.0.3.7"), 3);
  EXPECT_EQ(find(map, "::1"), 4);
}

TEST(OriginMapTest, a_network_is_covered_when_those_before_leave_none_of_its_addresses) {
  OriginMap map;
  ASSERT_TRUE(map.add("10.1.0.0/16", 2));
  ASSERT_TRUE(map.add("10.2.0.0/17", 3));
  ASSERT_TRUE(map.add("2001:db8::/32", 4));
  EXPECT_TRUE(map.covers("10.1.2.0/24"));
  EXPECT_TRUE(map.covers("10.1.0.0/16"));
  EXPECT_TRUE(map.covers("10.1.9.9"));
  EXPECT_TRUE(map.covers("::ffff:10.1.2.0/120"));
  EXPECT_TRUE(map.covers("2001:db8:1::/48"));
  EXPECT_FALSE(map.covers("10.0.0.0/8"));
  EXPECT_FALSE(map.covers("10.2.0.0/16"));
  EXPECT_FALSE(map.covers("10.3.0.0/16"));
  EXPECT_FALSE(map.covers("::/0"));
  EXPECT_FALSE(map.covers("nonsense"));
  ASSERT_TRUE(map.add("10.2.128.0/17", 5));
  EXPECT_TRUE(map.covers("10.2.0.0/16"));
  EXPECT_TRUE(map.covers("10.2.127.0/24"));
  OriginMap all;
  ASSERT_TRUE(all.add("0.0.0.0/0", 2));
  EXPECT_TRUE(all.covers("10.0.0.0/8"));
  EXPECT_FALSE(all.covers("2001:db8::/32"));
}

TEST(OriginMapTest, what_is_no_network_is_refused_by_name) {
  OriginMap map;
  for (const char* bad :
       {"", "10.1.0.0/33", "10.1.0.0/", "10.1.0.0/x", "10.1.0.1/16", "::1/129", "host/8", "10.1/16"}) {
    auto added = map.add(bad, 1);
    ASSERT_FALSE(added) << bad;
    EXPECT_EQ(added.error().code, Code::invalid);
    EXPECT_NE(added.error().message.find(bad), std::string::npos);
  }
}

}  // namespace
}  // namespace yushi::ingest
