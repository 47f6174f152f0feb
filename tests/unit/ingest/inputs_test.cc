// What every kind of input promises, whoever it is: this test walks the table, and a kind without a sample fails it.
#include "ingest/inputs.h"

#include <map>

#include "tests/unit/ingest/ingest_fixture.h"

namespace yushi::ingest {
namespace {

// An entry of the config on a free port, what a sender says so that one message is heard, and its transport.
struct Sample {
  std::string entry;
  std::string said;
  Transport transport;
};

const std::multimap<std::string_view, Sample>& samples() {
  static const std::multimap<std::string_view, Sample> out = {
      {"syslog", {"{type: syslog, transport: tcp, listen: \"127.0.0.1:0\"}", "<13>hello\n", Transport::tcp}},
      {"relp",
       {"{type: relp, listen: \"127.0.0.1:0\"}", "1 open 31 relp_version=0\ncommands=syslog\n\n2 syslog 9 <13>hello\n",
        Transport::relp}},
  };
  return out;
}

class InputsTest : public InputTest {
 protected:
  std::unique_ptr<InputConfig> read(const std::string& entry, std::string* problems) {
    Walk walk("yushi.yaml");
    auto config = read_input(walk, YAML::Load(entry));
    *problems = walk.problems();
    return config;
  }
};

TEST_F(InputsTest, EachKindHasASample) {
  for (auto& kind : input_kinds()) EXPECT_TRUE(samples().contains(kind.type)) << kind.type;
}

TEST_F(InputsTest, EachKindReadsItsSettingsAndRefusesWhatItDoesNotKnow) {
  for (auto& [type, sample] : samples()) {
    std::string problems;
    EXPECT_TRUE(read(sample.entry, &problems)) << type;
    EXPECT_EQ(problems, "") << type;
    auto wrong = sample.entry;
    wrong.insert(wrong.size() - 1, ", nonsense: 1");
    (void)read(wrong, &problems);
    EXPECT_NE(problems.find("inputs.nonsense: unknown key"), std::string::npos) << type << ": " << problems;
  }
}

TEST_F(InputsTest, EachKindIsBoundBeforeItReadsAndGivesWhatItHearsUntilItIsStopped) {
  for (auto& [type, sample] : samples()) {
    std::string problems;
    auto config = read(sample.entry, &problems);
    ASSERT_TRUE(config) << type;
    auto bound = config->bind({kThreads, 64 << 10});
    ASSERT_TRUE(bound) << type << ": " << bound.error().message;
    input_ = std::move(*bound);
    EXPECT_NE(input_->name(), "") << type;
    const auto up = sink_.note(Note::Kind::input_up), down = sink_.note(Note::Kind::input_down);
    const auto before = sink_.note(Note::Kind::messages);
    const int fd = connect_client();  // waits in the kernel
    send_all(fd, sample.said);
    input_->start(context_);
    sink_.wait_for_note(Note::Kind::messages, before + 1);
    EXPECT_EQ(sink_.note(Note::Kind::input_up), up + 1) << type;
    EXPECT_EQ(input_->counts().messages, 1u) << type;
    input_->stop();
    ::close(fd);
    EXPECT_EQ(sink_.note(Note::Kind::input_down), down + 1) << type;
    auto heard = sink_.wait_for(1);
    EXPECT_EQ(heard.back().raw, "<13>hello") << type;
    EXPECT_EQ(heard.back().source, "127.0.0.1") << type;
    EXPECT_EQ(heard.back().transport, sample.transport) << type;
    input_.reset();
  }
}

TEST_F(InputsTest, EachKindMayBeStoppedWithoutAStartAndGivesItsAddressBack) {
  for (auto& [type, sample] : samples()) {
    std::string problems;
    auto config = read(sample.entry, &problems);
    ASSERT_TRUE(config) << type;
    for (int i = 0; i < 2; ++i) {
      auto bound = config->bind({kThreads, 64 << 10});
      ASSERT_TRUE(bound) << type << ": " << bound.error().message;
      (*bound)->stop();
    }
  }
}

TEST_F(InputsTest, AKindThatIsNoneIsNamedWithThoseThatAre) {
  std::string problems;
  EXPECT_FALSE(read("{type: pigeon}", &problems));
  EXPECT_NE(problems.find("use one of: syslog, relp"), std::string::npos) << problems;
}

}  // namespace
}  // namespace yushi::ingest
