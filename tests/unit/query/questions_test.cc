// The table of questions: what it refuses, and that each answer asks its permit for what it reads.
#include "query/questions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/event/alert.h"
#include "query/answers/answer.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::query {
namespace {

namespace stores = storage::test;

// A question of a program that is not ours: an answer, and a line in the table.
Result<AnswerEnd> answer_toy(const Permit& permit, const Asked& asked) {
  AnswerEnd end;
  for (auto& log : YUSHI_TRY(asked.parameters.logs(permit, asked.view))) {
    if (!asked.say({{"toy", log}, {"colour", std::string(asked.parameters.text("colour"))}})) return asked.so_far();
    ++end.records;
  }
  return end;
}
const bool kToyIsThere = [] {
  question_kinds().push_back({"toy",
                              "toy",
                              "the logs, in a colour",
                              Right::status,
                              Effort::little,
                              {{"colour", ParameterKind::text, "any", "--colour", true}},
                              answer_toy});
  return true;
}();

constexpr const char* kAlertId = "0123456789abcdef";

class QuestionsTest : public ::testing::Test {
 protected:
  // `default` and `finance` with a line and an alert each, signed.
  void SetUp() override {
    store_ = stores::open_store(folder_.path());
    ASSERT_NE(store_, nullptr);
    stores::commit(*store_, {{stores::line(1)}, {"<13>a line of finance", "192.0.2.8", stores::kFinance}});
    for (auto [tenant, id] : {std::pair("finance", kAlertId), std::pair("default", "fedcba9876543210")}) {
      Alert alert;
      alert.id = id;
      alert.tenant = tenant;
      alert.raised_ns = stores::kReceived;
      alert.records = {{tenant, 0}};
      auto commit = store_->begin();
      commit.add_alert(store_->log_size(1), alert);
      commit.append(stores::prepared({{alert_to_json(alert), "yushid", 1}}));
      ASSERT_TRUE(commit.finish());
    }
    ASSERT_TRUE(store_->sign_checkpoints(stores::kReceived, 0));
    means_.events = [] { return EventReading{stores::small_parsers(), [](std::string_view) { return Zone::utc(); }}; };
    means_.prove = [](auto&, auto, auto&) { return AnswerEnd(); };
    means_.status = [] { return std::string(R"({"verdict":"OK: finance is well"})"); };
    means_.back_up = [](auto&) { return 2; };
    means_.act = [](auto record) { return to_json(record); };
    means_.canaries = []() -> Result<std::vector<std::string>> {
      return std::vector<std::string>{R"({"silent":false})"};
    };
    means_.recheck = [](auto&, auto&, uint64_t, auto&) { return AlertCheck(); };
    means_.remembered = [](const std::string&, auto sees) { return uint64_t{sees("finance") ? 700u : 300u}; };
    means_.rules = means_.parsers = [] { return Listing{{R"({"hits":1,"of":"finance"})"}, 0}; };
  }

  // Names a question's parameters so that it is answered.
  static Question ask(const QuestionKind& kind) {
    const std::map<std::string_view, std::string> values = {
        {"log", "default"}, {"from", "1"},    {"to", "1"},    {"id", "default/0"}, {"dir", "/a/copy"},
        {"colour", "red"},  {"note", "seen"}, {"as", "true"}, {"query", "*"},      {"account", "lin"}};
    Question question{std::string(kind.name), {}};
    if (const auto brace = question.name.find("{id}"); brace != question.name.npos)
      question.name.replace(brace, 4, kAlertId);
    for (auto& parameter : kind.parameters)
      if (parameter.is_required) question.parameters[std::string(parameter.name)] = values.at(parameter.name);
    return question;
  }

  Result<AnswerEnd> answered(const Permit& permit, const Question& question) {
    QueryPool pool(64 << 20, 1);
    Budget budget(pool);
    lines_.clear();
    return answer(
        permit, *store_->view(), question, means_,
        [&](std::string_view line) {
          lines_.append(line).push_back('\n');
          return true;
        },
        budget);
  }

  uint64_t index_of(std::string_view id) const {
    uint64_t found = 0;
    EXPECT_TRUE(store_->view()->each_alert(0, false, [&](uint64_t index, auto& entry) {
      if (entry && entry->id == id) found = index;
      return true;
    }));
    return found;
  }

  stores::Folder folder_;
  std::unique_ptr<storage::Store> store_;
  Means means_;
  std::string lines_;
};

TEST_F(QuestionsTest, each_answer_asks_its_permit_for_what_it_reads) {
  QueryPool pool(64 << 20, 1);
  for (auto& kind : question_kinds()) {
    const auto question = ask(kind);
    std::string_view id;
    ASSERT_EQ(find_kind(question.name, &id), &kind);
    size_t asked = 0;
    const Permit permit("auditor", {}, [&](std::string_view) {
      ++asked;
      return true;
    });
    Budget budget(pool);
    const Parameters parameters(question);
    const LineSink sink = [](std::string_view) { return true; };
    const uint64_t lines = 0;
    const auto view = store_->view();
    // Not by answer(), which asks for the right.
    (void)kind.answer(permit,
                      {*view, question, id, parameters, sink, budget.over(), budget, means_, means_.secrets, lines});
    EXPECT_GT(asked, 0u) << kind.name << " does not ask its permit: give it to Parameters::logs(), or ask see_log()";
  }
}

TEST_F(QuestionsTest, who_may_see_one_tenant_hears_nothing_of_another) {
  const Permit permit("auditor", {}, [](std::string_view tenant) { return tenant == "default"; });
  for (auto& kind : question_kinds()) {
    (void)answered(permit, ask(kind));
    EXPECT_EQ(lines_.find("finance"), std::string::npos) << kind.name << " says " << lines_;
    if (!kind.parameter("tenant") && !kind.parameter("log")) continue;
    auto question = ask(kind);
    question.parameters[kind.parameter("tenant") ? "tenant" : "log"] = "finance";
    auto end = answered(permit, question);
    EXPECT_EQ(lines_, "") << kind.name;
    ASSERT_FALSE(end) << kind.name;
    EXPECT_EQ(end.error().code, Code::refused) << kind.name << ": " << end.error().message;
  }
  for (auto* whole : {"verify", "backup", "rules", "parsers"}) {
    auto end = answered(permit, ask(*find_kind(whole)));
    ASSERT_FALSE(end) << whole;
    EXPECT_EQ(end.error().code, Code::refused);
  }
}

TEST_F(QuestionsTest, a_right_that_is_not_given_refuses_the_question) {
  for (auto& kind : question_kinds()) {
    const Permit permit("auditor", [&](Right right) { return right == kind.right ? "not you" : ""; });
    auto end = answered(permit, ask(kind));
    ASSERT_FALSE(end) << kind.name;
    EXPECT_EQ(end.error().code, Code::refused) << kind.name;
    EXPECT_EQ(lines_, "");
  }
  const Permit permit("auditor", [](Right right) { return right == Right::secrets ? "not these" : ""; });
  EXPECT_TRUE(answered(permit, {"search", {{"query", "*"}}}));
  EXPECT_EQ(answered(permit, {"search", {{"query", "*"}, {"secrets", "1"}}}).error().code, Code::refused);
}

TEST_F(QuestionsTest, the_table_refuses_what_a_question_does_not_know_and_what_it_lacks) {
  const Permit all;
  for (auto& kind : question_kinds()) {
    auto question = ask(kind);
    EXPECT_TRUE(answered(all, question)) << kind.name;
    question.parameters["no_such_parameter"] = "1";
    auto unknown = answered(all, question);
    ASSERT_FALSE(unknown) << kind.name;
    EXPECT_EQ(unknown.error().code, Code::invalid);
    for (auto& parameter : kind.parameters) {
      if (parameter.kind == ParameterKind::number || parameter.kind == ParameterKind::flag) {
        question = ask(kind);
        question.parameters[std::string(parameter.name)] = "perhaps";
        EXPECT_FALSE(answered(all, question)) << kind.name << " takes " << parameter.name << "=perhaps";
      }
      if (!parameter.is_required) continue;
      question = ask(kind);
      question.parameters.erase(std::string(parameter.name));
      auto lacking = answered(all, question);
      ASSERT_FALSE(lacking) << kind.name << " without " << parameter.name;
      EXPECT_NE(lacking.error().message.find("needs `" + std::string(parameter.name)), std::string::npos);
    }
  }
  EXPECT_EQ(answered(all, {"searches", {}}).error().code, Code::not_found);
}

TEST_F(QuestionsTest, an_alert_is_open_until_it_is_closed_and_says_by_whom) {
  const Permit all;
  const auto state = [&] {
    EXPECT_TRUE(answered(all, {"alerts/0123", {}}));
    const auto at = lines_.find("\"state\":");
    return lines_.substr(at, lines_.find_first_of("}", at) - at);
  };
  const auto act = [&](AlertAct::Kind kind, const std::string& closed_as) {
    AlertAct done;
    done.kind = kind;
    done.user = "li.wei";
    done.id = kAlertId;
    done.index = index_of(kAlertId);
    done.closed_as = closed_as;
    auto record = own_record(std::string(AlertAct::action(kind)), "an act");
    record.about = done;
    auto commit = store_->begin();
    commit.add_alert_act(store_->log_size(1), done);
    commit.append(stores::prepared({{to_json(record), "yushid", 1}}));
    ASSERT_TRUE(commit.finish());
  };
  const auto of_state = [&](const char* wanted) {
    auto end = answered(all, {"alerts", {{"state", wanted}}});
    return end ? end->records : 99;
  };
  EXPECT_EQ(state(), "\"state\":\"new\"");
  act(AlertAct::Kind::taken, "");
  EXPECT_EQ(state(), "\"state\":\"taken\",\"state_by\":\"li.wei\"");
  EXPECT_NE(lines_.find("alert-taken"), std::string::npos) << "its history: " << lines_;
  EXPECT_EQ(of_state("taken"), 1u);
  EXPECT_EQ(of_state("new"), 1u);
  EXPECT_EQ(of_state("open"), 2u);
  act(AlertAct::Kind::closed, "false-alarm");
  EXPECT_EQ(state(), "\"state\":\"closed\",\"state_by\":\"li.wei\",\"closed_as\":\"false-alarm\"");
  EXPECT_EQ(of_state("open"), 1u);
  EXPECT_EQ(of_state("closed"), 1u);
  act(AlertAct::Kind::taken, "");
  EXPECT_EQ(of_state("closed"), 0u) << "who takes a closed alert opens it again";
  EXPECT_FALSE(answered(all, {"alerts", {{"state", "perhaps"}}}));
}

TEST_F(QuestionsTest, an_act_says_why_and_what_it_teaches) {
  const Permit permit("li.wei");
  std::vector<OwnRecord> written;
  means_.act = [&](auto record) {
    written.push_back(record);
    return to_json(record);
  };
  EXPECT_FALSE(answered(permit, {"alerts/0123/close", {{"as", "perhaps"}, {"note", "so"}}}));
  EXPECT_FALSE(answered(permit, {"alerts/0123/close", {{"as", "true"}}})) << "without a note";
  EXPECT_FALSE(answered(permit, {"alerts/0123/ack", {{"note", "so"}, {"usual", "400d"}}}));
  EXPECT_FALSE(answered(permit, {"alerts/4711/take", {}}));
  EXPECT_TRUE(written.empty());
  ASSERT_TRUE(answered(permit, {"alerts/0123/ack", {{"note", "the backup"}, {"usual", "30d"}}}));
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].action, "alert-acknowledged");
  EXPECT_NE(written[0].message.find("li.wei acknowledged alert 0123456789abcdef: the backup"), std::string::npos);
  const auto& act = std::get<AlertAct>(written[0].about);
  EXPECT_EQ(act.log, "finance");
  EXPECT_EQ(act.closed_as, "accepted");
  EXPECT_GT(act.usual_until_ns(), 0);
  means_.act = {};
  EXPECT_EQ(answered(permit, {"alerts/0123/take", {}}).error().code, Code::unavailable) << "a store is only read";
}

TEST_F(QuestionsTest, with_its_evidence_an_alert_is_one_line) {
  ASSERT_TRUE(answered(Permit(), {"alerts", {{"evidence", "1"}, {"tenant", "finance"}}}));
  EXPECT_TRUE(lines_.starts_with("{\"alert\":{")) << lines_;
  EXPECT_NE(lines_.find("\"history\":[],\"records\":[{"), std::string::npos) << lines_;
  EXPECT_NE(lines_.find("a line of finance"), std::string::npos);
}

TEST_F(QuestionsTest, a_question_is_added_by_an_answer_and_a_line) {
  ASSERT_TRUE(answered(Permit(), {"toy", {{"colour", "red"}}}));
  EXPECT_EQ(lines_, "{\"toy\":\"default\",\"colour\":\"red\"}\n{\"toy\":\"finance\",\"colour\":\"red\"}\n");
  EXPECT_FALSE(answered(Permit(), {"toy", {}}));
}

}  // namespace
}  // namespace yushi::query
