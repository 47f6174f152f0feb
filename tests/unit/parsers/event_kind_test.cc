// The kinds of events: the table in docs/events.md is the one in the code, and a parser file is held to it.
#include "parsers/file/event_kind.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "parsers/authoring/check.h"

namespace yushi::parsers {
namespace {

const std::string kPath = YUSHI_SOURCE_DIR "/docs/events.md";
constexpr std::string_view kHead =
    "| kind | event.category | event.type | needs | what it is |\n|---|---|---|---|---|\n";

std::string spaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (char c : text) {
    if (from.find(c) != std::string_view::npos)
      out += to;
    else
      out += c;
  }
  return out;
}

std::string table() {
  std::string out(kHead);
  for (auto& kind : event_kinds())
    out += "| `" + std::string(kind.name) + "` | " + spaced(kind.categories, " ", ", ") + " | " +
           spaced(kind.types, " ", ", ") + " | " + spaced(spaced(kind.needs, " ", "; "), "|", " or ") + " | " +
           std::string(kind.about) + " |\n";
  return out;
}

TEST(EventKinds, TheDocsHaveTheTableOfTheCode) {
  std::stringstream text;
  text << std::ifstream(kPath).rdbuf();
  const auto docs = text.str();
  const auto begin = docs.find(kHead);
  ASSERT_NE(begin, std::string::npos);
  const auto end = std::min(docs.find("\n\n", begin), docs.size() - 1) + 1;
  if (std::getenv("YUSHI_REWRITE"))
    std::ofstream(kPath) << docs.substr(0, begin) << table() << docs.substr(end);
  else
    EXPECT_EQ(docs.substr(begin, end - begin), table()) << "YUSHI_REWRITE=1 writes docs/events.md anew";
}

TEST(EventKinds, NamesStandOnceAndNeedFieldsThatThereAre) {
  std::set<std::string_view> names;
  for (auto& kind : event_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    std::istringstream needs(spaced(kind.needs, "|", " "));
    for (std::string field; needs >> field;) EXPECT_NE(find_field(field), nullptr) << kind.name << " needs " << field;
    for (auto& constant : constants_of(kind)) EXPECT_NE(constant.field, nullptr);
  }
}

std::vector<std::string> problems(const std::string& body) {
  return check_parser_files({{"shop.yaml", "shop.yaml", "name: shop\nmatch: {app: [shop]}\n" + body}});
}

TEST(EventKinds, CategoryTypeAndActionFollowUnlessTheFileSaysOtherwise) {
  const std::string text =
      "name: shop\nmatch: {app: [shop]}\nfields: {event.category: [web]}\nevent: message\npatterns:\n"
      "  - {name: in, grok: 'in %{WORD:user.name} %{WORD:shop.how}', event: login, fields: {event.outcome: success, "
      "event.action: shop-login},\n"
      "     variants: [{name: out, when: {shop.how: bye}, event: logout}]}\n"
      "  - {name: other, grok: 'other %{WORD:shop.what}'}\n"
      "tests:\n"
      "  - {line: 'in ann x', expect: {event.category: authentication, event.type: start, event.action: shop-login, "
      "yushi.event: login}}\n"
      "  - {line: 'in ann bye', expect: {event.category: authentication, event.type: end, event.action: logout, "
      "yushi.event: logout, event.outcome: success}}\n"
      "  - {line: 'other x', expect: {event.category: web, event.type: info, event.action: , yushi.event: message}}\n"
      "  - {line: 'nothing', expect: none}\n";
  auto set = ParserSet::load({{"shop.yaml", "shop.yaml", text}});
  ASSERT_TRUE(set) << set.error().message;
  auto report = run_parser_tests(*set);
  EXPECT_TRUE(report.failures.empty()) << report.failures.front();
}

TEST(EventKinds, AKindWithoutItsFieldsIsRefusedAtItsPlace) {
  auto list = problems(
      "patterns:\n  - {name: in, grok: 'in %{WORD:shop.x}', event: login, fields: {event.outcome: success}}\ntests: "
      "[{line: in ann, expect: {shop.x: ann}}]\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0].starts_with("shop.yaml:4:5: the kind 'login' needs one of user.name|")) << list[0];
  list = problems(
      "patterns:\n  - {name: in, grok: 'in %{WORD:user.name}', event: login}\ntests: [{line: in ann, expect: "
      "{user.name: ann}}]\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_TRUE(list[0].find("needs event.outcome,") != std::string::npos) << list[0];
}

TEST(EventKinds, AMisspeltKindIsNamed) {
  auto list = problems(
      "patterns:\n  - {name: in, grok: 'in %{WORD:user.name}', event: logn}\ntests: [{line: in ann, expect: "
      "{user.name: ann}}]\n");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0], "shop.yaml:4:53: 'logn' is no kind of event; did you mean login?; docs/events.md has them all");
}

}  // namespace
}  // namespace yushi::parsers
