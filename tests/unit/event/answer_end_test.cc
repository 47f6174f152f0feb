// An answer's end is read as it was said, and no line of an answer is taken for it.
#include "core/event/answer_end.h"

#include <gtest/gtest.h>

namespace yushi {
namespace {

TEST(AnswerEnd, ComesBackAsItWasSaid) {
  AnswerEnd end;
  EXPECT_EQ(to_json(end), R"({"yushi.end":{"complete":true,"records":0,"blocks_read":0,"blocks":0,"missing":[]}})");
  EXPECT_EQ(answer_end_of(to_json(end)), end);
  end.records = 7;
  end.blocks_read = 2;
  end.blocks = 3;
  end.missing = {"block tax/65536: \"odd\"\n", "御史"};
  end.reason = "the time is up";
  end.notes = {"no record has user.nam"};
  end.node = "log-01";
  end.columns = {"user.name", "count()"};
  end.lines = 0;
  end.proved = ProofCounts{1, 2, 3, 4, 5};
  EXPECT_FALSE(end.complete());
  EXPECT_EQ(answer_end_of(to_json(end)), end);
}

TEST(AnswerEnd, WhatIsNotWholeIsNotCalledComplete) {
  for (auto line : {R"({"yushi.end":{"complete":false,"records":3}})",
                    R"({"yushi.end":{"complete":false,"records":3,"missing":[],"reason":""}})"}) {
    const auto end = answer_end_of(line);
    ASSERT_TRUE(end) << line;
    EXPECT_EQ(end->records, 3u);
    EXPECT_FALSE(end->complete());
  }
}

TEST(AnswerEnd, ALineOfTheAnswerIsNone) {
  for (auto line : {"", "{", R"({"yushi.end":)", R"({"yushi.end":7})", R"({"yushi.end":{}})",
                    R"({"yushi.end":{"complete":"yes","records":1}})", R"({"yushi.end":{"complete":true}})",
                    R"({"yushi.end":{"complete":true,"records":1},"user.name":"x"})",
                    R"({"yushi.end":{"complete":true,"records":1,"missing":"x"}})",
                    R"({"yushi":{"end":{"complete":true,"records":1}}})", R"({"yushi.notes":[]})"})
    EXPECT_FALSE(answer_end_of(line)) << line;
}

TEST(AnswerEnd, NotesOfAStreamAreALine) {
  const std::vector<std::string> notes = {"no record has user.nam", "\"x\""};
  EXPECT_EQ(notes_to_json(notes), R"({"yushi.notes":["no record has user.nam","\"x\""]})");
  EXPECT_EQ(notes_of(notes_to_json(notes)), notes);
  EXPECT_EQ(notes_to_json({}), R"({"yushi.notes":[]})");
  EXPECT_FALSE(notes_of(R"({"yushi.notes":{}})"));
  EXPECT_FALSE(notes_of(to_json(AnswerEnd())));
}

}  // namespace
}  // namespace yushi
