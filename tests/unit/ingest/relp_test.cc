// RELP's frames: what is a message, what is answered and when, what comes again.
#include "ingest/relp/relp_session.h"

#include <gtest/gtest.h>

namespace yushi::ingest {
namespace {

class Relp : public testing::Test {
 protected:
  std::shared_ptr<RelpSenders> senders = std::make_shared<RelpSenders>();
  std::unique_ptr<RelpSession> session = std::make_unique<RelpSession>("10.0.0.1", senders, 64);
  std::vector<Record> records;
  FrameCounts counts;
  std::vector<std::unique_ptr<std::string>> kept;

  // How many bytes it is done with.
  size_t feed(std::string bytes) {
    kept.push_back(std::make_unique<std::string>(std::move(bytes)));
    return session->feed(*kept.back(), nullptr, records, counts);
  }
  std::string replies() {
    std::string out;
    session->take_replies(out);
    return out;
  }
  void open() {
    feed("1 open 31 relp_version=0\ncommands=syslog\n\n");
    EXPECT_EQ(replies(), "1 rsp 59 200 OK\nrelp_version=0\nrelp_software=yushid\ncommands=syslog\n\n");
  }
};

TEST_F(Relp, AMessageIsAnsweredWhenItIsCommittedAndInItsTurn) {
  open();
  feed("2 syslog 5 first\n3 syslog 0\n4 syslog 6 a\nlast\n");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].raw, "first");
  EXPECT_EQ(records[1].raw, "");
  EXPECT_EQ(records[2].raw, "a\nlast");
  EXPECT_EQ(session->given(), 3u);
  EXPECT_EQ(replies(), "");
  session->committed(2);
  EXPECT_EQ(replies(), "2 rsp 6 200 OK\n3 rsp 6 200 OK\n");
  session->committed(3);
  EXPECT_EQ(replies(), "4 rsp 6 200 OK\n");
}

TEST_F(Relp, WhatIsNotAllThereYetIsGivenAgain) {
  open();
  EXPECT_EQ(feed("2 sysl"), 0u);
  EXPECT_EQ(feed("2 syslog 5 fir"), 11u);
  EXPECT_EQ(feed("fir"), 0u);
  EXPECT_EQ(feed("first\n"), 6u);
  EXPECT_EQ(records.size(), 1u);
}

TEST_F(Relp, AFrameThatComesAgainIsNoSecondRecord) {
  open();
  feed("2 syslog 3 one\n");
  feed("2 syslog 3 one\n");
  EXPECT_EQ(records.size(), 1u);
  EXPECT_EQ(replies(), "");  // it is answered when it is committed, once
  session->committed(1);
  EXPECT_EQ(replies(), "2 rsp 6 200 OK\n");
  feed("2 syslog 3 one\n");
  EXPECT_EQ(replies(), "2 rsp 6 200 OK\n");
  EXPECT_EQ(records.size(), 1u);
}

TEST_F(Relp, NumbersBeginAnewBehindTheGreatest) {
  open();
  feed("999999999 syslog 3 one\n1 syslog 3 two\n");
  EXPECT_EQ(records.size(), 2u);
}

TEST_F(Relp, WhatComesAgainOverANewConnectionIsKeptAndCounted) {
  open();
  feed("2 syslog 3 one\n3 syslog 3 two\n");
  session = std::make_unique<RelpSession>("10.0.0.1", senders, 64);
  open();
  feed("2 syslog 3 two\n3 syslog 5 three\n");
  EXPECT_EQ(records.size(), 4u);
  EXPECT_EQ(counts.possible_doubles, 1u);
  session = std::make_unique<RelpSession>("10.0.0.2", senders, 64);
  open();
  feed("2 syslog 3 two\n");
  EXPECT_EQ(counts.possible_doubles, 1u);
}

TEST_F(Relp, AMessageOverTheLimitIsPartsAndOneAnswer) {
  open();
  feed("2 syslog 150 " + std::string(150, 'x') + "\n");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].raw.size(), 64u);
  EXPECT_EQ(records[2].raw.size(), 22u);
  EXPECT_EQ(records[2].part, 3);
  EXPECT_EQ(records[2].part_of, 3);
  EXPECT_EQ(session->given(), 1u);
  EXPECT_EQ(counts.over_long, 1u);
}

TEST_F(Relp, CloseIsAnsweredAndEndsIt) {
  open();
  feed("2 close 0\n3 syslog 3 one\n");
  EXPECT_EQ(replies(), "2 rsp 0\n0 serverclose 0\n");
  EXPECT_TRUE(session->is_done());
  EXPECT_TRUE(records.empty());
}

TEST_F(Relp, WhatIsNoFrameEndsItAndIsNotAnswered) {
  for (const char* bytes : {"<13>syslog\n", "2 syslog 3 one", "x syslog 3 one\n", "2 SYSLOG 3 one\n",
                            "2 syslog 3 onetwo\n", "2 syslog 3onetwo\n", "1234567890 syslog 3 one\n",
                            "2 syslog 1234567890 one\n", "2 abcdefghijklmnopqrstuvwxyzabcdefgh 0\n"}) {
    const bool opens = std::string_view(bytes) != "2 syslog 3 one";
    records.clear();
    counts = {};
    session = std::make_unique<RelpSession>("10.0.0.1", senders, 64);
    if (opens) open();
    feed(bytes);
    if (!opens) feed("2 syslog 3 one\n");
    EXPECT_TRUE(session->is_done()) << bytes;
    EXPECT_EQ(counts.resyncs, 1u) << bytes;
    EXPECT_TRUE(records.empty()) << bytes;
    EXPECT_EQ(replies(), "") << bytes;
  }
}

}  // namespace
}  // namespace yushi::ingest
