// Where Sigma rules look: what the files say, and what is wrong with one.
#include "detect/rules/log_source.h"

#include <gtest/gtest.h>

#include "events.h"

namespace yushi::detect {
namespace {

Result<std::shared_ptr<const LogSources>> load(const std::string& text) {
  return LogSources::load({RuleFile{"a.yaml", "sigma/a.yaml", text}});
}

TEST(LogSources, the_first_line_that_fits_answers_and_a_word_that_is_not_there_is_empty) {
  auto sources = load(
      "log_sources:\n"
      "  - {product: linux, service: sshd, fields: one, datasets: [sshd], programs: [sshd]}\n"
      "  - {product: any, category: webserver, fields: two, datasets: [nginx.access], unknown: true}\n"
      "fields:\n"
      "  one: {pam_rhost: [source.ip, source.domain]}\n"
      "  two: {c-ip: source.ip}\n");
  ASSERT_TRUE(sources) << sources.error().message;
  auto sshd = (*sources)->find("linux", "", "sshd");
  ASSERT_TRUE(sshd);
  EXPECT_EQ(sshd->datasets, std::vector<std::string>{"sshd"});
  EXPECT_EQ(sshd->processes, std::vector<std::string>{"sshd"});
  EXPECT_FALSE(sshd->unknown);
  EXPECT_EQ((*sources)->find_field(*sshd, "pam_rhost"), (std::vector<std::string>{"source.ip", "source.domain"}));
  EXPECT_TRUE((*sources)->find_field(*sshd, "c-ip").empty());
  EXPECT_EQ((*sources)->find_field(*sshd, "user.name"), std::vector<std::string>{"user.name"});
  auto web = (*sources)->find("whatever", "webserver", "");
  ASSERT_TRUE(web);
  EXPECT_TRUE(web->unknown);
  EXPECT_FALSE((*sources)->find("linux", "webserver", "sshd"));
  EXPECT_FALSE((*sources)->find("linux", "", ""));
  EXPECT_TRUE((*sources)->find("yushi", "", "")->all);
}

TEST(LogSources, other_names_are_keys_of_a_parsers_bodies_wherever_it_puts_them) {
  our_parser_set();
  auto sources = load(
      "log_sources: [{product: aws, fields: one, datasets: [aws.cloudtrail]}]\n"
      "fields: {one: {src_ip: source.ip, '*': aws.cloudtrail/*}}\n");
  ASSERT_TRUE(sources) << sources.error().message;
  auto aws = (*sources)->find("aws", "", "");
  using Names = std::vector<std::string>;
  EXPECT_EQ((*sources)->find_field(*aws, "src_ip"), Names{"source.ip"});
  EXPECT_EQ((*sources)->find_field(*aws, "eventName"), Names{"event.action"});
  EXPECT_EQ((*sources)->find_field(*aws, "requestParameters.maxResults"),
            Names{"aws.cloudtrail.requestParameters.maxResults"});
}

TEST(LogSources, when_is_a_search_over_the_names_of_its_table) {
  auto sources = load(
      "log_sources: [{product: a, fields: one, datasets: [sshd], when: [{Code: [1, 2]}, {user.name: root}]}]\n"
      "fields: {one: {Code: event.code}}\n"
      "placeholders: {admins: [alice]}\n");
  ASSERT_TRUE(sources) << sources.error().message;
  ASSERT_TRUE((*sources)->find("a", "", "")->when);
  EXPECT_EQ((*sources)->find("a", "", "")->when->kind, Expression::Kind::any_of);
  EXPECT_EQ((*sources)->placeholders().at("admins"), std::vector<std::string>{"alice"});
}

TEST(LogSources, what_is_wrong_is_told_with_its_place) {
  struct Case {
    std::string text, told;
  };
  for (const Case& one : {
           Case{"log_sources: [\n", "sigma/a.yaml:2:1: "},
           Case{"- a\n", "sigma/a.yaml:1:1: a file of log sources is a map"},
           Case{"log_source: []\n", "sigma/a.yaml:1:1: there is no key 'log_source' here; did you mean log_sources?"},
           Case{"log_sources:\n  - {product: linux, fields: a, dataset: [b]}\n",
                "sigma/a.yaml:2:33: there is no key 'dataset' here; did you mean datasets?"},
           Case{"log_sources:\n  - {product: linux}\n", "sigma/a.yaml:2:5: fields is missing"},
           Case{"log_sources:\n  - {fields: a}\n", "sigma/a.yaml:2:5: one of product, category and service"},
           Case{"log_sources:\n  - {product: a, fields: a}\n  - {product: a, fields: b}\n",
                "sigma/a.yaml:3:5: this log source stands above already"},
           Case{"log_sources:\n  - {product: a, fields: a, unknown: maybe}\n", "sigma/a.yaml:2:38: unknown is"},
           Case{"log_sources:\n  - {product: [a, b], fields: a}\n", "sigma/a.yaml:2:15: product is one name"},
           Case{"log_sources:\n  - {product: a, fields: a, when: {Nothing: b}}\n", "sigma/a.yaml:2:35: when: "},
           Case{"fields:\n  one: {'*': sshd}\n", "sigma/a.yaml:2:14: sshd does not say whose keys"},
           Case{"placeholders: [a]\n", "sigma/a.yaml:1:15: placeholders is a map of lists"},
           Case{"fields:\n  one: {a: [b, [c]]}\n", "sigma/a.yaml:2:16: a name is missing"},
           Case{"fields:\n  one: {a: []}\n", "sigma/a.yaml:2:12: a name is missing"},
       }) {
    auto sources = load(one.text);
    ASSERT_FALSE(sources) << one.text;
    EXPECT_EQ(sources.error().code, Code::invalid);
    EXPECT_NE(sources.error().message.find(one.told), std::string::npos) << one.text << sources.error().message;
  }
}

}  // namespace
}  // namespace yushi::detect
