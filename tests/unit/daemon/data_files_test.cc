// Users' parser and rule files: a wrong one is left out and named, the rest is loaded.
#include "daemon/data_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace yushi::daemon {
namespace {

namespace fs = std::filesystem;

std::string parser(const std::string& name, const std::string& action = "one") {
  return "name: " + name + "\nmatch: {app: [" + name + "]}\npatterns:\n  - name: p\n    grok: 'order %{INT:" + name +
         ".order} by %{USER:user.name}'\n    fields: {event.action: " + action +
         "}\ntests:\n  - {line: 'order 7 by root', expect: {user.name: root}}\n  - {line: 'no order', expect: none}\n";
}
std::string rule(const std::string& id, const std::string& search = "{user.name: root}") {
  return "title: T\nid: " + id + "\nlogsource: {product: yushi}\ndetection:\n  s: " + search + "\n  condition: s\n";
}
const std::string kBroken = "name: shop\npatterns:\n  - name: x\n    grok: '%{NOPE:foo'\n";

class DataFiles : public testing::Test {
 protected:
  DataFiles() {
    char name[] = "/tmp/yushi-data-files-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    for (auto* each : {"parsers", "rules"}) fs::create_directory(folder_ + "/" + each);
    make_share();
    config_.parser_dirs = {folder_ + "/parsers"};
    config_.rule_dirs = {folder_ + "/rules"};
    auto ours = load_data_files(Config{}, nullptr);
    EXPECT_TRUE(ours) << ours.error().message;
    if (ours) our_files_ = (*ours)->parsers->files().size(), our_rules_ = (*ours)->rules->list().size();
  }
  ~DataFiles() override {
    ::unsetenv("YUSHI_SHARE");
    fs::remove_all(folder_);
  }

  // A package of few files, as each of these tests loads it many times.
  void make_share() {
    const std::string share = folder_ + "/share", source = YUSHI_SOURCE_DIR;
    for (auto* each : {"/parsers", "/rules", "/sigma"}) fs::create_directories(share + each);
    write("share/sigma/none.yaml", "log_sources: []\n");
    fs::create_directory_symlink(source + "/config/secrets", share + "/secrets");
    auto files = parsers::read_parser_directories({source + "/parsers/library"});
    ASSERT_TRUE(files) << files.error().message;
    const std::set<std::string> own = {"sshd.yaml", "nginx_access.yaml", "auditd.yaml", "json.yaml"};
    for (auto& file : *files)
      if (own.contains(file.name) || parsers::is_shared_file(file)) write("share/parsers/" + file.name, file.text);
    write("share/rules/ours.yml", rule("ours"));
    ::setenv("YUSHI_SHARE", share.c_str(), 1);
  }

  void write(const std::string& path, const std::string& text) {
    std::ofstream(folder_ + "/" + path, std::ios::binary) << text;
  }
  std::shared_ptr<const Loaded> load(const std::shared_ptr<const Loaded>& before = nullptr) {
    auto loaded = load_data_files(config_, before.get());
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *loaded : nullptr;
  }
  static std::string text_of(const Loaded& loaded, const std::string& name) {
    for (auto& file : loaded.parsers->files())
      if (file.name == name) return file.text;
    return {};
  }
  static bool runs(const Loaded& loaded, const std::string& id) {
    auto rules = loaded.rules->list();
    return std::any_of(rules.begin(), rules.end(), [&](auto& rule) { return rule.id == id; });
  }
  bool is_told(const std::vector<std::string>& told, const std::string& path, const std::string& what) {
    return std::any_of(told.begin(), told.end(), [&](auto& line) {
      return line.find(folder_ + "/" + path) != line.npos && line.find(what) != line.npos;
    });
  }

  std::string folder_;
  Config config_;
  size_t our_files_ = 0, our_rules_ = 0;
};

TEST_F(DataFiles, AWrongFileIsLeftOutWithItsPlaceAndTheRestIsLoaded) {
  write("parsers/good.yaml", parser("good"));
  write("parsers/shop.yaml", kBroken);
  write("parsers/noise.yaml", "name: \"open\n");
  write("rules/good.yml", rule("good-1"));
  write("rules/typo.yml", rule("typo-1", "{user.name|contians: x}"));
  write("rules/field.yml", rule("field-1", "{user.nam: x}"));
  write("rules/later.yml", rule("later-1", "{user.name|expand: '%a%'}"));
  auto loaded = load();
  EXPECT_EQ(loaded->parsers->files().size(), our_files_ + 1);
  EXPECT_EQ(loaded->rules->list().size(), our_rules_ + 1);
  EXPECT_TRUE(runs(*loaded, "good-1"));
  EXPECT_EQ(loaded->left_out.size(), 4u);
  EXPECT_TRUE(is_told(loaded->left_out, "parsers/shop.yaml:", "the file is left out"));
  EXPECT_TRUE(is_told(loaded->left_out, "parsers/noise.yaml:1:", "the file is left out"));
  EXPECT_TRUE(is_told(loaded->left_out, "rules/typo.yml:5:7: ", "did you mean contains?; the file is left out"));
  EXPECT_TRUE(is_told(loaded->left_out, "rules/field.yml:5:7: ", "did you mean user.name?; the file is left out"));
  EXPECT_TRUE(is_told(loaded->rules->unsupported(), "rules/later.yml:5:7: ", "unsupported: modifier |expand"));
  ASSERT_EQ(loaded->cannot_run.size(), 1u);
  EXPECT_EQ(loaded->cannot_run[0].find("1 rule in " + folder_ + "/rules cannot run here: "), 0u);
  for (auto& line : loaded->left_out) EXPECT_EQ(line.find('\n'), line.npos) << line;

  auto problems = check_data_files(config_);
  for (auto* path : {"parsers/shop.yaml:4:", "parsers/noise.yaml:", "rules/typo.yml:5:7:", "rules/field.yml:5:7:"})
    EXPECT_TRUE(is_told(problems, path, "")) << path;
}

TEST_F(DataFiles, ARuleThatIsRightAndCannotRunHereIsNoMistake) {
  write("rules/good.yml", rule("good-1"));
  write("rules/later.yml", rule("later-1", "{user.name|expand: '%a%'}"));
  write("rules/other.yml", rule("good-1", "{user.name: other}"));
  EXPECT_TRUE(load()->left_out.empty());
  std::vector<std::string> told;
  EXPECT_TRUE(check_data_files(config_, &told).empty());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].find("2 rules in " + folder_ + "/rules cannot run here: "), 0u);
}

TEST_F(DataFiles, ATenantThatNobodyHasIsNamed) {
  config_.tenants.emplace_back().name = "finance";
  auto& list = config_.lists["leavers"];
  for (auto* tenants : {"finance,default", "fin*", "finanz"}) {
    detect::WrittenEntry entry;
    entry.fields["account"] = {"wang", ""};
    entry.fields["tenants"] = {tenants, ""};
    list.entries.push_back(entry);
  }
  const std::string wanted =
      "list leavers: tenants: no tenant is called finanz; did you mean finance?; for it the list holds nowhere";
  EXPECT_EQ(load()->left_out, std::vector{wanted});
  EXPECT_EQ(check_data_files(config_), std::vector{wanted});
}

TEST_F(DataFiles, TheCheckNamesEachExceptionThatHoldsForNothing) {
  write("rules/pair.yml", rule("part-1") +
                              "---\ntitle: Many\nid: many-1\ncorrelation: {type: event_count, rules: "
                              "[part-1], group-by: [user.name], timespan: 5m, condition: {gte: 2}}\n");
  write("exceptions.yaml",
        "- {rule: list.leaver, owner: li, until: 2020-01-01}\n"
        "- {rule: no-such-rule, owner: li, until: 2120-01-01}\n"
        "- {rule: part-1, owner: li, until: 2120-01-01}\n"
        "- {rule: many-1, owner: li, until: soon}\n"
        "- {rule: many-1, owner: li, until: 2120-01-01}\n");
  config_.exception_files = {folder_ + "/exceptions.yaml"};
  const auto problems = check_data_files(config_);
  EXPECT_EQ(problems.size(), 4u);
  EXPECT_TRUE(is_told(problems, "exceptions.yaml:1:", "ended, 2020-01-01"));
  EXPECT_TRUE(is_told(problems, "exceptions.yaml:2:", "no rule that runs here and no finding is called no-such-rule"));
  EXPECT_TRUE(is_told(problems, "exceptions.yaml:3:", "through the correlation 'Many' (many-1)"));
  EXPECT_TRUE(is_told(problems, "exceptions.yaml:4:", "\"soon\" is no date"));
}

TEST_F(DataFiles, AtAReloadTheVersionOfBeforeStaysInThePlaceOfAWrongOne) {
  write("parsers/shop.yaml", parser("shop"));
  write("rules/shop.yml", rule("shop-1", "{shop.order: 7}"));
  auto before = load();
  EXPECT_TRUE(before->left_out.empty()) << before->left_out.front();
  write("parsers/shop.yaml", kBroken);
  write("parsers/more.yaml", parser("more"));
  write("rules/shop.yml", rule("shop-1", "{shop.order|gte: x}"));
  auto loaded = load(before);
  EXPECT_EQ(text_of(*loaded, "shop.yaml"), parser("shop"));
  EXPECT_EQ(text_of(*loaded, "more.yaml"), parser("more"));
  EXPECT_TRUE(runs(*loaded, "shop-1"));
  EXPECT_TRUE(is_told(loaded->left_out, "parsers/shop.yaml:", "its version of before stays"));
  EXPECT_TRUE(is_told(loaded->left_out, "rules/shop.yml:", "its version of before stays"));
  // Also at the next, and until it is right or gone.
  EXPECT_EQ(text_of(*load(loaded), "shop.yaml"), parser("shop"));
  write("parsers/shop.yaml", parser("shop", "two"));
  write("rules/shop.yml", rule("shop-1", "{shop.order: 8}"));
  loaded = load(loaded);
  EXPECT_TRUE(loaded->left_out.empty());
  EXPECT_EQ(text_of(*loaded, "shop.yaml"), parser("shop", "two"));
  fs::remove(folder_ + "/parsers/shop.yaml");
  EXPECT_EQ(text_of(*load(loaded), "shop.yaml"), "");
}

// Records that wait to be sealed keep what they were read by: a reload an hour must not cost its memory each time.
TEST_F(DataFiles, AReloadThatFindsTheSameParsersGoesOnWithThem) {
  write("parsers/shop.yaml", parser("shop"));
  auto first = load(), same = load(first);
  ASSERT_TRUE(first && same);
  EXPECT_EQ(first->parsers, same->parsers);
  write("parsers/shop.yaml", parser("shop", "two"));
  auto other = load(same);
  ASSERT_TRUE(other);
  EXPECT_NE(other->parsers, same->parsers);
  EXPECT_EQ(text_of(*other, "shop.yaml"), parser("shop", "two"));
}

TEST_F(DataFiles, WhatIsNoFileOfOursIsNamedAndNeverWaitedFor) {
  for (std::string in : {"parsers/", "rules/"}) {
    ASSERT_EQ(::mkfifo((folder_ + "/" + in + "pipe.yaml").c_str(), 0600), 0);
    fs::create_symlink("nowhere", folder_ + "/" + in + "dangling.yaml");
    fs::create_symlink("loop.yaml", folder_ + "/" + in + "loop.yaml");
    write(in + "large.yaml",
          "# " + std::string(1 << 20, 'x') + "\n" + (in == "rules/" ? rule("large") : parser("large")));
    write(in + "CAPITAL.YML", "x: y\n");
    write(in + "notes.txt", "x: y\n");
  }
  fs::create_directory(folder_ + "/parsers/folder.yaml");
  write("linked", parser("linked"));
  fs::create_symlink("../linked", folder_ + "/parsers/linked.yaml");
  write("parsers/other.yml", parser("other"));
  write("rules/good.yml", rule("good-1"));
  auto loaded = load();
  EXPECT_EQ(text_of(*loaded, "linked.yaml"), parser("linked"));
  EXPECT_TRUE(runs(*loaded, "good-1") && !runs(*loaded, "large"));
  const auto checked = check_data_files(config_);
  for (auto* told : {&loaded->left_out, &checked}) {
    for (std::string in : {"parsers/", "rules/"}) {
      EXPECT_TRUE(is_told(*told, in + "pipe.yaml", "is no regular file"));
      EXPECT_TRUE(is_told(*told, in + "dangling.yaml", "cannot be read"));
      EXPECT_TRUE(is_told(*told, in + "loop.yaml", "cannot be read"));
      EXPECT_TRUE(is_told(*told, in + "large.yaml", "more than 1 MiB"));
      EXPECT_TRUE(is_told(*told, in + "CAPITAL.YML", "is not taken"));
    }
    EXPECT_TRUE(is_told(*told, "parsers/folder.yaml", "is no regular file"));
    EXPECT_TRUE(is_told(*told, "parsers/other.yml", "let its name end in .yaml"));
    EXPECT_EQ(told->size(), 12u);
  }
}

TEST_F(DataFiles, ADatasetThatNoParserHasIsWrongAndOneOfAUsersParserIsNot) {
  write("parsers/shop.yaml", parser("shop"));
  auto of = [](const std::string& service) {
    auto text = rule(service);
    return text.replace(text.find("product: yushi"), 14, "product: yushi, service: " + service);
  };
  for (auto* service : {"sshdd", "shop", "sshd-session", "nginx.access"})
    write(std::string("rules/") + service + ".yml", of(service));
  auto loaded = load();
  EXPECT_EQ(loaded->left_out.size(), 1u);
  EXPECT_TRUE(is_told(loaded->left_out, "rules/sshdd.yml:3:", "did you mean sshd?"));
  EXPECT_TRUE(runs(*loaded, "shop") && runs(*loaded, "sshd-session") && runs(*loaded, "nginx.access"));
}

TEST_F(DataFiles, TheCheckGoesOnWithTheGoodFilesAndBlamesTheUsers) {
  fs::create_symlink("nowhere", folder_ + "/parsers/dangling.yaml");
  write("parsers/aaa.yaml", parser("sshd"));
  write("parsers/shop.yaml", parser("shop"));
  write("rules/shop.yml", rule("shop-1", "{shop.order|gte: 7}"));
  fs::create_symlink("nowhere", folder_ + "/rules/dangling.yml");
  write("rules/typo.yml", rule("typo-1", "{user.nam: x}"));
  auto checked = check_data_files(config_);
  EXPECT_EQ(checked.size(), 4u) << checked.back();
  EXPECT_TRUE(is_told(checked, "parsers/aaa.yaml:1:", "sshd.yaml is named 'sshd' too"));
  for (auto* path : {"parsers/dangling.yaml", "rules/dangling.yml", "rules/typo.yml:5:"})
    EXPECT_TRUE(is_told(checked, path, ""));
}

TEST_F(DataFiles, OursIsBackWhereTheirsOfTheSameNameIsWrong) {
  auto ours = text_of(*load(), "sshd.yaml");
  ASSERT_FALSE(ours.empty());
  write("parsers/sshd.yaml", "name: sshd\npatterns: 7\n");
  auto loaded = load();
  EXPECT_EQ(text_of(*loaded, "sshd.yaml"), ours);
  EXPECT_TRUE(is_told(loaded->left_out, "parsers/sshd.yaml:", "the file is left out"));
}

TEST_F(DataFiles, OfTwoThatCannotStandTogetherOneIsTaken) {
  write("parsers/aaa.yaml", parser("sshd"));
  write("rules/a.yml", rule("twice"));
  write("rules/b.yml", rule("twice", "{user.name: other}"));
  write("rules/c.yml", rule("once"));
  auto loaded = load();
  EXPECT_EQ(text_of(*loaded, "aaa.yaml"), "");
  EXPECT_FALSE(text_of(*loaded, "sshd.yaml").empty());
  EXPECT_TRUE(runs(*loaded, "twice") && runs(*loaded, "once"));
  EXPECT_TRUE(is_told(loaded->left_out, "parsers/aaa.yaml", "the file is left out"));
  EXPECT_TRUE(is_told(loaded->rules->unsupported(), "rules/b.yml:1:1: id twice", "is also that of"));
  EXPECT_EQ(loaded->left_out.size(), 1u);
}

TEST_F(DataFiles, AFolderThatIsAwayKeepsWhatRan) {
  write("parsers/shop.yaml", parser("shop"));
  auto before = load();
  fs::rename(folder_ + "/parsers", folder_ + "/elsewhere");
  auto loaded = load(before);
  EXPECT_EQ(text_of(*loaded, "shop.yaml"), parser("shop"));
  EXPECT_TRUE(is_told(loaded->left_out, "parsers", "its files of before stay"));
}

TEST_F(DataFiles, ASelectThatNothingCanMatchIsAProblemWithItsPlace) {
  write("parsers/shop.yaml", parser("shop"));
  write("yushi.yaml",
        "parsers: [" + folder_ +
            "/parsers]\nforward:\n  - brokers: k\n    select: 'shop.order: 7 or usre.name: x and json.any: y'\n"
            "  - {brokers: l, select: \"auditd.AUID: a and not nosuch: b and labels.site: c\"}\n  - {brokers: m, "
            "select: needle}\n");
  auto config = load_config(folder_ + "/yushi.yaml");
  ASSERT_TRUE(config) << config.error().message;
  auto problems = check_data_files(*config);
  ASSERT_EQ(problems.size(), 2u) << problems.front();
  EXPECT_TRUE(problems[0].starts_with(folder_ + "/yushi.yaml:4:31: forward.select: usre.name is")) << problems[0];
  EXPECT_TRUE(problems[0].ends_with("did you mean user.name?")) << problems[0];
  EXPECT_TRUE(problems[1].starts_with(folder_ + "/yushi.yaml:5:50: forward.select: nosuch is")) << problems[1];
}

}  // namespace
}  // namespace yushi::daemon
