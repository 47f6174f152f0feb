#include "core/filter/sigma.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "case_record.h"
#include "tests/unit/data_sets.h"

namespace yushi::test {
namespace {

SigmaValue to_sigma(const YAML::Node& node) {
  SigmaValue out;
  out.line = node.Mark().line + 1;
  if (node.IsMap()) {
    out.type = SigmaValue::Type::map;
    for (const auto& each : node) out.entries.emplace_back(each.first.as<std::string>(), to_sigma(each.second));
  } else if (node.IsSequence()) {
    out.type = SigmaValue::Type::list;
    for (const auto& each : node) out.items.push_back(to_sigma(each));
  } else if (node.IsScalar()) {
    out.text = node.Scalar();
    out.type = SigmaValue::Type::string;
    if (node.Tag() == "!") return out;  // quoted
    if (out.text == "true" || out.text == "false") {
      out.type = SigmaValue::Type::boolean;
      out.integer = out.text == "true";
    } else if (!out.text.empty() &&
               std::all_of(out.text.begin(), out.text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      out.type = SigmaValue::Type::integer;
      out.integer = std::strtoll(out.text.c_str(), nullptr, 10);
    }
  }
  return out;
}

const SigmaFields& fields() {
  static const SigmaFields fields{[](std::string_view name) -> std::vector<std::string> {
                                    if (name == "User") return {"user.name"};
                                    if (name == "Image") return {"process.executable"};
                                    if (name == "CommandLine") return {"process.command_line"};
                                    if (name == "Port") return {"source.port"};
                                    if (name == "Ip") return {"source.ip"};
                                    if (name == "AnyUser") return {"user.name", "user.target.name"};
                                    if (name == "Parent") return {"process.parent.executable"};
                                    return {};
                                  },
                                  {"event.original"}};
  return fields;
}

Result<Filter> compile(const std::string& yaml) { return compile_sigma(to_sigma(YAML::Load(yaml)), fields()); }

class Sigma : public testing::Test {
 protected:
  Sigma()
      : record_(
            "Jan 1 sudo: Root ran /usr/bin/Find -Exec sh port 0022 from 10.2.3.4 by powershell.exe /c C:\\Temp\\*x") {
    EXPECT_TRUE(record_.capture("user.name", "Root"));
    EXPECT_TRUE(record_.capture("process.executable", "/usr/bin/Find"));
    EXPECT_TRUE(record_.capture("source.port", "0022"));
    EXPECT_TRUE(record_.capture("source.ip", "10.2.3.4"));
    EXPECT_TRUE(record_.capture("process.command_line", "powershell.exe /c C:\\Temp\\*x"));
  }
  // One search and the condition `s`.
  bool matches(const std::string& search) { return matches_whole("s: " + search + "\ncondition: s"); }
  bool matches_whole(const std::string& yaml) {
    auto filter = compile(yaml);
    EXPECT_TRUE(filter) << yaml << "\n" << (filter ? "" : filter.error().message);
    Scratch scratch;
    return filter && filter->matches(record_.record(), scratch);
  }
  std::string error(const std::string& yaml) {
    auto filter = compile(yaml);
    EXPECT_FALSE(filter) << yaml;
    if (filter) return {};
    EXPECT_TRUE(filter.error().code == Code::invalid || filter.error().code == Code::refused);
    return filter.error().message;
  }
  CaseRecord record_;
};

TEST_F(Sigma, PlainStringsAreWholeValuesInAnyCase) {
  EXPECT_TRUE(matches("{User: root}"));
  EXPECT_TRUE(matches("{User: ROOT}"));
  EXPECT_FALSE(matches("{User: roo}"));
  EXPECT_FALSE(matches("{User|cased: root}"));
  EXPECT_TRUE(matches("{User|cased: Root}"));
  EXPECT_TRUE(matches("{AnyUser: root}"));
}

TEST_F(Sigma, MapsAreAllAndListsAreAny) {
  EXPECT_TRUE(matches("{User: root, Port: 22}"));
  EXPECT_FALSE(matches("{User: root, Port: 23}"));
  EXPECT_TRUE(matches("[{User: bob}, {Port: 22}]"));
  EXPECT_TRUE(matches("{User: [bob, root]}"));
  EXPECT_FALSE(matches("{CommandLine|contains|all: [powershell, cmd]}"));
  EXPECT_TRUE(matches("{CommandLine|contains|all: [PowerShell, temp]}"));
}

TEST_F(Sigma, ModifiersSayWhereTheStringStands) {
  EXPECT_TRUE(matches("{Image|endswith: /find}"));
  EXPECT_TRUE(matches("{Image|startswith: /USR}"));
  EXPECT_FALSE(matches("{Image|startswith: usr}"));
  EXPECT_TRUE(matches("{Image|contains: bin/f}"));
  EXPECT_TRUE(matches("{Image|contains: 'u?r*find'}"));
}

TEST_F(Sigma, WildcardsAndTheirEscapes) {
  EXPECT_TRUE(matches("{Image: '*/find'}"));
  EXPECT_TRUE(matches("{Image: '/usr/b?n/f??d'}"));
  EXPECT_FALSE(matches("{Image: '/usr/b?/find'}"));
  EXPECT_TRUE(matches("{CommandLine|endswith: '\\\\\\*x'}"));
  EXPECT_TRUE(matches("{CommandLine|contains: 'C:\\Temp'}"));
  EXPECT_FALSE(matches("{Image|contains: '\\*'}"));
}

TEST_F(Sigma, NumbersCompareByTextAndByValue) {
  EXPECT_TRUE(matches("{Port: 22}"));
  EXPECT_TRUE(matches("{Port: '0022'}"));
  EXPECT_TRUE(matches("{Port|gt: 21}"));
  EXPECT_TRUE(matches("{Port|lte: 22}"));
  EXPECT_FALSE(matches("{Port|lt: 22}"));
  EXPECT_TRUE(matches("{Port|gte: 22}"));
}

TEST_F(Sigma, NetworksHoldTheirAddresses) {
  EXPECT_TRUE(matches("{Ip|cidr: 10.0.0.0/8}"));
  EXPECT_FALSE(matches("{Ip|cidr: [192.168.0.0/16, 'fe80::/10']}"));
  EXPECT_TRUE(matches("{Ip: 10.2.3.4}"));
  EXPECT_TRUE(matches("{Ip|startswith: '10.2.'}"));
}

TEST_F(Sigma, RegularExpressionsMindCaseUnlessToldNot) {
  EXPECT_FALSE(matches("{Image|re: 'find$'}"));
  EXPECT_TRUE(matches("{Image|re|i: 'find$'}"));
  EXPECT_TRUE(matches("{Image|re: 'F.nd'}"));
}

TEST_F(Sigma, WhatRe2RefusesIsAnErrorThatNamesTheConstruct) {
  EXPECT_NE(error("s: {Image|re: 'a(?=b)'}\ncondition: s").find("look-ahead"), std::string::npos);
  EXPECT_NE(error("s: {Image|re: '(?<!b)a'}\ncondition: s").find("look-behind"), std::string::npos);
  EXPECT_NE(error("s: {Image|re: '(a)\\1'}\ncondition: s").find("back-reference"), std::string::npos);
  EXPECT_NE(error("s:\n  Image|re: '(?>a)'\ncondition: s").find("2: "), std::string::npos);
}

TEST_F(Sigma, NullIsAMissingOrEmptyField) {
  EXPECT_TRUE(matches("{Parent: null}"));
  EXPECT_FALSE(matches("{User: null}"));
  EXPECT_TRUE(matches("{User|exists: true}"));
  EXPECT_TRUE(matches("{Parent|exists: false}"));
  EXPECT_FALSE(matches("{AnyUser: null}"));
  EXPECT_FALSE(matches("{AnyUser|exists: false}"));
}

TEST_F(Sigma, KeywordsAreLookedForInTheWholeMessage) {
  EXPECT_TRUE(matches("[SUDO, nothing]"));
  EXPECT_TRUE(matches("['root ran*find']"));
  EXPECT_FALSE(matches("[nothing]"));
  EXPECT_TRUE(matches("{'|all': [sudo, find]}"));
  EXPECT_FALSE(matches("{'|all': [sudo, nothing]}"));
}

TEST_F(Sigma, OptionsMayBeginWithAnyDash) {
  EXPECT_TRUE(matches("{CommandLine|contains|windash: ' -c '}"));
  EXPECT_FALSE(matches("{CommandLine|contains: ' -c '}"));
  EXPECT_TRUE(matches("{CommandLine|windash|contains: 'exe /c'}"));
}

TEST_F(Sigma, EncodedStringsAreFoundAtEachAlignment) {
  for (const char* text : {"AGZvbw==", "Zm9v", "IGZvbw=="}) {  // foo behind nothing, one and two bytes
    CaseRecord record(std::string("run ") + text);
    record.capture("process.command_line", text);
    auto filter = compile("s: {CommandLine|base64offset|contains: 'foo'}\ncondition: s");
    ASSERT_TRUE(filter);
    Scratch scratch;
    EXPECT_TRUE(filter->matches(record.record(), scratch)) << text;
  }
}

TEST_F(Sigma, AnotherFieldMayBeTheOperand) {
  EXPECT_FALSE(matches("{User|fieldref: Image}"));
  EXPECT_TRUE(matches("{User|fieldref: AnyUser}"));
  EXPECT_TRUE(matches("{CommandLine|fieldref|startswith: CommandLine}"));
}

TEST_F(Sigma, ConditionsJoinSearches) {
  const std::string searches = "sel_a: {User: root}\nsel_b: {User: bob}\nflt: {Port: 1}\n_hidden: {User: bob}\n";
  auto holds = [&](const std::string& condition) { return matches_whole(searches + "condition: " + condition); };
  EXPECT_TRUE(holds("sel_a and not flt"));
  EXPECT_TRUE(holds("1 of sel_*"));
  EXPECT_FALSE(holds("all of sel_*"));
  EXPECT_TRUE(holds("sel_b or sel_a and not flt"));
  EXPECT_FALSE(holds("(sel_b or sel_a) and flt"));
  EXPECT_FALSE(holds("all of them"));
  EXPECT_TRUE(holds("1 of them"));
  EXPECT_TRUE(holds("any of sel_*"));
  EXPECT_FALSE(holds("2 of them"));
  EXPECT_TRUE(holds("not (sel_b AND flt) and NOT 1 of flt*"));
  EXPECT_TRUE(matches_whole(searches + "condition: [sel_b, sel_a]"));
}

TEST_F(Sigma, WrongRulesAreRefusedNotGuessedAt) {
  for (const char* yaml :
       {"s: {User: a}", "s: {User: a}\ncondition: t", "s: {User: a}\ncondition: s and", "s: {User: a}\ncondition: (s",
        "s: {User: a}\ncondition: 1 of x*", "s: {User: a}\ncondition: s | count() > 5",
        "s: {User|sounds: a}\ncondition: s", "s: {Nobody: a}\ncondition: s", "s: {Ip|cidr: x}\ncondition: s",
        "s: {Port|gt: x}\ncondition: s", "s: {}\ncondition: s", "s: []\ncondition: s", "s: {User: []}\ncondition: s",
        "s: {User: {a: b}}\ncondition: s", "s: {User: a}\ncondition: s s", "s: {User|contains|re: a}\ncondition: s",
        "s: {User|expand: '%a%'}\ncondition: s", "s: {User: a}\ncondition: 3 of them"})
    error(yaml);
}

TEST_F(Sigma, WhatIsWrongInAnySigmaIsToldFromWhatIsNotDoneHere) {
  auto code = [](const std::string& yaml) {
    auto filter = compile(yaml);
    EXPECT_FALSE(filter) << yaml;
    return filter ? Code::io : filter.error().code;
  };
  for (const char* yaml :
       {"s: {User|contians: a}\ncondition: s", "s: {User|contains|i: a}\ncondition: s", "s: {User: a}\ncondition: t",
        "s: {User: a}", "s: {User: a}\ncondition: s and", "s: {Image|re: '(a'}\ncondition: s", "s: []\ncondition: s",
        "s: {Port|gt: x}\ncondition: s", "s: {Nobody: a, User|contians: a}\ncondition: s",
        "s: {User|hour: x}\ncondition: s", "s: {User|hour|contains: 3}\ncondition: s"})
    EXPECT_EQ(code(yaml), Code::invalid) << yaml;
  for (const char* yaml : {"s: {User|expand: '%a%'}\ncondition: s", "s: {Nobody: a}\ncondition: s",
                           "s: {Image|re: 'a(?=b)'}\ncondition: s", "s: {User: a}\ncondition: s | count() > 5"})
    EXPECT_EQ(code(yaml), Code::refused) << yaml;
  EXPECT_NE(error("s: {User|contians: a}\ncondition: s").find("did you mean contains?"), std::string::npos);
}

TEST_F(Sigma, APartOfATimeIsANumberInUtc) {
  CaseRecord record("at 2021-01-03T22:07:59Z");
  record.capture("user.name", "2021-01-03T22:07:59Z");  // a time as text is read as one
  Scratch scratch;
  auto matches = [&](const std::string& search) {
    auto filter = compile_sigma(to_sigma(YAML::Load("s: " + search + "\ncondition: s")), SigmaFields{[](auto name) {
                                  return std::vector<std::string>{name == "User" ? "user.name" : std::string(name)};
                                }});
    return filter && filter->matches(record.record(), scratch);
  };
  const auto day = [](int days, int64_t seconds) { return (int64_t{days} * 86'400 + seconds) * 1'000'000'000; };
  record.record().event_ns = day(18'630, 22 * 3600 + 7 * 60 + 59);  // Sunday, 2021-01-03
  for (const char* field : {"'@timestamp", "'User"}) {
    auto holds = [&](const std::string& rest) { return matches("{" + std::string(field) + "|" + rest + "}"); };
    EXPECT_TRUE(holds("minute': 7"));
    EXPECT_FALSE(holds("minute': 8"));
    EXPECT_TRUE(holds("hour': [3, 22]"));
    EXPECT_FALSE(holds("hour': 6"));
    EXPECT_TRUE(holds("hour|gte': 22"));
    EXPECT_FALSE(holds("hour|gt': 22"));
    EXPECT_TRUE(holds("day': 3"));
    EXPECT_TRUE(holds("month': 1"));
    EXPECT_TRUE(holds("year': 2021"));
    EXPECT_TRUE(holds("week': 53"));  // ISO 8601: it belongs to the year before
    EXPECT_FALSE(holds("week': 1"));
  }
  record.record().event_ns = day(18'631, 0);  // Monday
  EXPECT_TRUE(matches("{'@timestamp|week': 1, '@timestamp|hour': 0}"));
  record.record().event_ns = day(-1, 86'399);  // before 1970
  EXPECT_TRUE(matches("{'@timestamp|hour': 23, '@timestamp|year': 1969, '@timestamp|week': 1}"));
  EXPECT_FALSE(matches("{'@timestamp|hour': 0}"));
}

TEST_F(Sigma, ExpandPutsEachTextOfItsListInThePlaceOfAPlaceholder) {
  const std::map<std::string, std::vector<std::string>, std::less<>> lists = {
      {"admins", {"alice", "adm_*"}}, {"ends", {"1", "2"}}, {"none", {}}};
  SigmaFields with = fields();
  with.placeholder = [&](std::string_view name) {
    auto list = lists.find(name);
    return list == lists.end() ? nullptr : &list->second;
  };
  CaseRecord record("user adm_2");
  record.capture("user.name", "adm_2");
  Scratch scratch;
  auto matches = [&](const std::string& search) {
    auto filter = compile_sigma(to_sigma(YAML::Load("s: " + search + "\ncondition: s")), with);
    EXPECT_TRUE(filter) << search << ": " << filter.error().message;
    return filter && filter->matches(record.record(), scratch);
  };
  EXPECT_TRUE(matches("{User|expand: '%admins%'}"));
  EXPECT_FALSE(matches("{User|expand: '%ends%'}"));
  EXPECT_TRUE(matches("{User|expand: 'adm_%ends%'}"));
  EXPECT_TRUE(matches("{User|expand: ['x', '%admins%']}"));
  EXPECT_TRUE(matches("{User|endswith|expand: '%ends%'}"));
  EXPECT_FALSE(matches("{User|expand|neq: '%admins%'}"));
  EXPECT_TRUE(matches("{User|expand|neq: '%ends%'}"));
  EXPECT_FALSE(matches("{User|expand: '%none%'}"));
  EXPECT_FALSE(matches("{User|expand: '100 %'}"));
  EXPECT_FALSE(matches("{User: '%admins%'}"));
  auto refused = compile_sigma(to_sigma(YAML::Load("s: {User|expand: '%nobody%'}\ncondition: s")), with);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
  EXPECT_NE(refused.error().message.find("no list for %nobody%"), std::string::npos) << refused.error().message;
}

TEST_F(Sigma, OneValueOfAListIsAskedByItsPlace) {
  SigmaFields by_place{[](std::string_view name) -> std::vector<std::string> {
    return {"process.args[" + std::string(name.substr(1)) + "]"};
  }};
  CaseRecord record("curl -o /tmp/x");
  for (const char* word : {"curl", "-o", "/tmp/x"}) record.capture("process.args", word);
  Scratch scratch;
  auto matches = [&](const std::string& search) {
    auto filter = compile_sigma(to_sigma(YAML::Load("s: " + search + "\ncondition: s")), by_place);
    return filter && filter->matches(record.record(), scratch);
  };
  EXPECT_TRUE(matches("{a0: curl, a2|startswith: /tmp}"));
  EXPECT_FALSE(matches("{a1: curl}"));
  EXPECT_FALSE(matches("{a0: '-o'}"));
  EXPECT_FALSE(matches("{a3|exists: true}"));
  EXPECT_TRUE(matches("{a3: null, a2|exists: true}"));
}

TEST_F(Sigma, AddressesAreEqualByValueHoweverTheyAreWritten) {
  CaseRecord record("from ::ffff:10.2.3.4 by sshd");
  record.capture("source.ip", "::ffff:10.2.3.4");
  for (const char* search :
       {"{Ip: 10.2.3.4}", "{Ip|startswith: '10.2.'}", "{Ip|re: '^10\\.'}", "{Ip|cidr: 10.0.0.0/8}"}) {
    auto filter = compile(std::string("s: ") + search + "\ncondition: s");
    ASSERT_TRUE(filter) << search;
    Scratch scratch;
    EXPECT_TRUE(filter->matches(record.record(), scratch)) << search;
  }
}

TEST_F(Sigma, AKeywordThatHoldsAnAddressIsEqualByValueToo) {
  CaseRecord record("peer 2001:DB8:0:0::1 of 2001:DB8::5");
  record.capture("process.executable", "2001:DB8:0:0::1");
  record.capture("user.name", "2001:DB8::5");
  auto matches = [&](const std::string& search) {
    auto filter = compile("s: " + search + "\ncondition: s");
    Scratch scratch;
    return filter && filter->matches(record.record(), scratch) && required_literals(*filter).empty();
  };
  EXPECT_TRUE(matches("{Image: '2001:db8::1'}"));
  EXPECT_TRUE(matches("{User: ['x', '2001:db8::5']}"));
  EXPECT_FALSE(matches("{Image: '2001:db8::2'}"));
  EXPECT_FALSE(matches("{Image|contains: '2001:db8::1'}"));
}

TEST_F(Sigma, RequiredLiteralsAreThoseOfWhichOneOfEachSetMustStand) {
  using Sets = std::vector<std::vector<std::string>>;
  auto literals = [&](const std::string& search) {
    Sets texts;
    for (const auto& set : required_literals(*compile("s: " + search + "\ncondition: s"))) {
      texts.emplace_back();
      for (const auto& literal : set) texts.back().push_back(literal.text);
    }
    return texts;
  };
  EXPECT_EQ(literals("{CommandLine|contains: [Mimikatz, Rubeus]}"), (Sets{{"mimikatz", "rubeus"}}));
  EXPECT_EQ(literals("{User: abc, CommandLine|contains: longer}"), (Sets{{"longer"}, {"abc"}}));
  EXPECT_EQ(literals("[{User: abc, CommandLine|contains: longer}, {User: other}]"),
            (Sets{{"longer", "other"}, {"abc", "other"}}));
  EXPECT_EQ(literals("{CommandLine|contains: [abc, x]}"), Sets{});
  EXPECT_EQ(literals("{User: abc, CommandLine|contains: [longer, x]}"), (Sets{{"abc"}}));
  EXPECT_EQ(literals("{Port: 4444}"), Sets{});
  EXPECT_EQ(literals("{CommandLine|contains|all: [one1, two22, three3, four444]}").size(), kRequiredSetsMax);
}

// Any field name will do here: what is asked is whether each published rule compiles, or is refused for its regex.
void expect_compiled_or_refused_by_name(const std::filesystem::path& data, size_t compiled_min) {
  SigmaFields any{[](std::string_view name) { return std::vector<std::string>{std::string(name)}; },
                  {"event.original"}};
  size_t compiled = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data / "sigma")) {
    if (entry.path().extension() != ".yml") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    std::vector<YAML::Node> documents;
    try {
      documents = YAML::LoadAll(text.str());
    } catch (const YAML::Exception&) {
      continue;
    }
    for (const YAML::Node& rule : documents) {
      if (!rule.IsMap() || !rule["detection"] || !rule["detection"].IsMap()) continue;
      auto filter = compile_sigma(to_sigma(rule["detection"]), any);
      if (filter) {
        ++compiled;
        continue;
      }
      const std::string& why = filter.error().message;
      bool named = why.find("regular expression not supported") != std::string::npos ||
                   why.find("aggregations after `|`") != std::string::npos ||
                   why.find("modifier |expand: there is no list for") != std::string::npos;
      // The set keeps rules in a folder of their own that no one can run as they are.
      EXPECT_TRUE(named || entry.path().string().find("/unsupported/") != std::string::npos)
          << entry.path() << ": " << why;
    }
  }
  EXPECT_GE(compiled, compiled_min);
  testing::Test::RecordProperty("compiled", static_cast<int>(compiled));
}

TEST_F(Sigma, RulesOfOurOwnCompileOrAreRefusedByName) { expect_compiled_or_refused_by_name(test::kOwnData, 6); }

TEST_F(Sigma, PublishedRulesCompileOrAreRefusedByName) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  expect_compiled_or_refused_by_name(test::published_data(), 2'000);
}

}  // namespace
}  // namespace yushi::test
