// What `parsers test --hostile` has to find: parsers with a fault of each kind, and their mended form, which it leaves
// alone.
#include <gtest/gtest.h>

#include "parsers/authoring/check.h"

namespace yushi::parsers {
namespace {

// The failures of one parser with these patterns, tests and other lines.
std::vector<std::string> failures_of(const std::string& text) {
  auto set = ParserSet::load({{"p.yaml", "p.yaml", "name: p\nmatch: {app: [p]}\n" + text}});
  EXPECT_TRUE(set.has_value()) << set.error().message;
  if (!set) return {"not loaded"};
  auto report = run_hostile_tests(*set);
  EXPECT_GT(report.tests, 0u) << "nothing was tried";
  return report.failures;
}

std::string login(const std::string& grok, const std::string& more = {}) {
  return "patterns:\n  - {name: login, grok: '" + grok + "'" + more +
         "}\n"
         "tests:\n  - {line: 'login of ann from 10.0.0.1 port 22 refused', expect: {user.name: ann, source.ip: "
         "10.0.0.1}}\n"
         "  - {line: 'login refused', expect: none}\n";
}

TEST(Hostile, AnAddressThatAStrangerWritesIsFound) {
  auto failures = failures_of(login("login of %{DATA:user.name} from %{IP:source.ip}%{DATA}"));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_NE(failures[0].find("p.yaml:6:5: "), std::string::npos) << failures[0];
  EXPECT_NE(failures[0].find("user.name"), std::string::npos) << failures[0];
}

TEST(Hostile, ALineThatABlankHidesIsFound) {
  for (std::string macro : {"NOTSPACE", "WORD", "USER"})
    EXPECT_EQ(
        failures_of(login("login of %{" + macro + ":user.name} from %{IP:source.ip} port %{INT:source.port} refused"))
            .size(),
        1u)
        << macro;
}

TEST(Hostile, AGreedyNameBeforeAStrictEndIsClean) {
  EXPECT_EQ(failures_of(login("login of %{GREEDYDATA:user.name} from %{IP:source.ip} port %{INT:source.port} refused")),
            std::vector<std::string>());
}

TEST(Hostile, AnotherPatternThatTheTextReachesIsFound) {
  auto failures = failures_of(
      "patterns:\n"
      "  - {name: done, grok: '%{DATA:user.name} logged in'}\n"
      "  - {name: said, grok: 'client says %{GREEDYDATA:p.text}'}\n"
      "tests:\n"
      "  - {line: 'ann logged in', expect: {user.name: ann}}\n"
      "  - {line: 'client says hello', expect: {p.text: hello}}\n"
      "  - {line: 'x', expect: none}\n");
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_NE(failures[0].find("user.name is"), std::string::npos) << failures[0];
}

TEST(Hostile, ALineThatIsReadAsAnotherEventIsFound) {
  auto failures = failures_of(
      "patterns:\n"
      "  - {name: done, grok: '%{GREEDYDATA:p.text} done', fields: {event.outcome: success}}\n"
      "  - {name: failed, grok: '%{GREEDYDATA:p.text}', fields: {event.outcome: failure}}\n"
      "tests:\n"
      "  - {line: 'a done', expect: {event.outcome: success}}\n"
      "  - {line: 'a failed', expect: {event.outcome: failure}}\n");
  ASSERT_FALSE(failures.empty());
  EXPECT_NE(failures.back().find("the pattern is 'done'"), std::string::npos) << failures.back();
}

TEST(Hostile, ATrustedFieldIsLeftAlone) {
  const std::string grok =
      "login of %{NOTSPACE:user.name} from %{IP:source.ip} port %{INT:source.port} %{NOTSPACE:p.word}";
  EXPECT_EQ(failures_of(login(grok)).size(), 2u);
  auto failures = failures_of(login(grok, ", trusted: [user.name]"));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_NE(failures[0].find("p.word"), std::string::npos) << failures[0];
}

TEST(Hostile, TextBetweenQuotesIsWrittenAsTheProgramEscapesIt) {
  const std::string patterns =
      "patterns:\n  - {name: request, grok: '\"%{QUOTED:user_agent.original}\" %{INT:http.response.status_code}'}\n"
      "tests:\n  - {line: '\"curl\" 200', expect: {http.response.status_code: 200}}\n  - {line: 'x', expect: none}\n";
  EXPECT_EQ(failures_of(patterns).size(), 1u);
  EXPECT_EQ(failures_of("escapes: true\n" + patterns), std::vector<std::string>());
}

TEST(Hostile, PairsAreTriedInQuotesAndInHex) {
  EXPECT_EQ(
      failures_of(
          "keys: {name: {field: file.path, hex: true}, mode: p.mode}\n"
          "patterns:\n  - {name: path, grok: 'type=PATH %{KEYVALUES}'}\n"
          "tests:\n  - {line: 'type=PATH name=\"/etc/x\" mode=0644', expect: {file.path: /etc/x, p.mode: '0644'}}\n"
          "  - {line: 'x', expect: none}\n"),
      std::vector<std::string>());
}

}  // namespace
}  // namespace yushi::parsers
