#include "core/base/name.h"

#include <gtest/gtest.h>

#include <string>

namespace yushi {
namespace {

TEST(Name, IsPlainLowerCase) {
  for (auto* name : {"log-01.gov.example", "finance", "_audit", "7", "a_b"}) EXPECT_TRUE(is_name(name)) << name;
  for (auto* name : {"", "Finance", "a b", "a/b", "a:b", "a@2", "a+b", "財務"}) EXPECT_FALSE(is_name(name)) << name;
  EXPECT_TRUE(is_name(std::string(64, 'a')));
  EXPECT_FALSE(is_name(std::string(65, 'a')));
  EXPECT_FALSE(is_name({"a\0b", 3}));
  EXPECT_TRUE(is_parser_name(std::string(65, 'a')));
  EXPECT_FALSE(is_parser_name(""));
}

TEST(Name, OfATenantIsNoLogOfOurOwn) {
  EXPECT_TRUE(is_tenant_name("finance"));
  EXPECT_TRUE(is_tenant_name("default-2"));
  for (auto* name : {"", "default", "_audit", "_", "Finance"}) EXPECT_FALSE(is_tenant_name(name)) << name;
}

TEST(Name, OfASignerMayBeAnythingThatCutsNoNote) {
  for (auto* name : {"log-01/finance", "log-01/finance@2", "Witness.Example/W1", "見證"})
    EXPECT_TRUE(is_signer_name(name)) << name;
  for (auto* name : {"", "a b", "a+b", "a\n", "a\t", "a\x7f"}) EXPECT_FALSE(is_signer_name(name)) << name;
}

}  // namespace
}  // namespace yushi
