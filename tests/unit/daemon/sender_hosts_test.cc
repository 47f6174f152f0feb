// Which hosts a sender may name.
#include "daemon/sender_hosts.h"

#include <gtest/gtest.h>

#include "core/base/time_text.h"
#include "ingest/net/source_limit.h"

namespace yushi::daemon {
namespace {

constexpr int64_t kNow = 1'793'520'000 * kSecond;

storage::KnownLogs known_logs(const std::vector<std::string>& names) {
  storage::KnownLogs out;
  for (auto& name : names) out.push_back(std::make_shared<storage::KnownLog>(name));
  return out;
}

const storage::KnownLogs kTwoLogs = known_logs({"default", "_audit", "finance"});

class SenderHostsTest : public testing::Test {
 protected:
  // Whether each record, whose header names the next of `hosts`, is marked.
  std::vector<bool> marks(const std::string& address, const std::vector<std::string>& hosts, int64_t at = kNow,
                          LogId log = 0, const std::string& source = "") {
    Batch batch;
    Origin origin;
    origin.received_ns = at;
    origin.address = batch.arena.copy(address);
    origin.source = batch.arena.copy(source.empty() ? address : source);
    origin.log_id = log;
    auto* shared = batch.arena.make(origin);
    for (auto& host : hosts) {
      Record record;
      record.raw = batch.arena.copy(host + " text");
      record.origin = shared;
      const Capture capture{0, static_cast<uint32_t>(host.size()), 0, ecs::host_name};
      if (!host.empty()) record.captures = batch.arena.copy(std::span<const Capture>(&capture, 1));
      record.message_begin = static_cast<uint32_t>(host.size()) + 1;
      record.message_length = 4;
      batch.records.push_back(record);
    }
    SenderHosts::mark_relays(batch, relays_);
    hosts_->judge(batch);
    uint64_t noted = 0;
    for (auto& note : batch.notes) {
      EXPECT_EQ(note.kind, Note::Kind::host_unconfirmed);
      EXPECT_EQ(note.source, origin.source);
      noted += note.count;
    }
    std::vector<bool> out;
    for (auto& record : batch.records) out.push_back(record.marks & kHostUnconfirmed);
    EXPECT_EQ(noted, static_cast<uint64_t>(std::count(out.begin(), out.end(), true)));
    return out;
  }
  void relays(std::initializer_list<const char*> networks, size_t senders_max = 1000) {
    relays_ = {};
    for (auto* network : networks) ASSERT_TRUE(relays_.add(network, 1));
    hosts_ = std::make_unique<SenderHosts>(senders_max);
  }

  ingest::OriginMap relays_;
  std::unique_ptr<SenderHosts> hosts_ = std::make_unique<SenderHosts>(1000);
};

using Marks = std::vector<bool>;

TEST_F(SenderHostsTest, another_host_than_the_first_one_is_marked_and_counted) {
  EXPECT_EQ(marks("192.0.2.1", {"web1", "web1", "bank-gw", "web1", "bank-gw"}),
            (Marks{false, false, true, false, true}));
  EXPECT_EQ(marks("192.0.2.1", {"bank-gw", "web1"}), (Marks{true, false}));
  EXPECT_EQ(marks("192.0.2.2", {"bank-gw", "web1"}), (Marks{false, true}));
  EXPECT_EQ(hosts_->unconfirmed(), 4u);
}

TEST_F(SenderHostsTest, tenants_know_their_own_senders) {
  EXPECT_EQ(marks("192.0.2.1", {"web1"}), Marks{false});
  EXPECT_EQ(marks("192.0.2.1", {"db1"}, kNow, 2), Marks{false});
}

TEST_F(SenderHostsTest, a_relay_speaks_for_anybody) {
  relays({"10.0.0.5", "10.1.0.0/16", "2001:db8::/32"});
  for (auto* address : {"10.0.0.5", "10.1.255.255", "2001:db8::7"})
    EXPECT_EQ(marks(address, {"a", "b", "c"}), (Marks{false, false, false})) << address;
  for (auto* address : {"10.0.0.6", "10.2.0.1", "2001:db9::7", "unix:/run/log.sock", "127.0.0.1"})
    EXPECT_EQ(marks(address, {"a", "b", "c"}), (Marks{false, true, true})) << address;
}

TEST_F(SenderHostsTest, a_name_may_be_cut_at_a_dot_and_be_written_in_any_case) {
  EXPECT_EQ(marks("192.0.2.1", {"web1", "WEB1", "web1.example", "web1", "Web1.Example"}),
            (Marks{false, false, false, false, false}));
  EXPECT_EQ(marks("192.0.2.1", {"web1.other", "web", "web11", "web1.example.org"}), (Marks{true, true, true, false}));
  EXPECT_EQ(marks("192.0.2.9", {"10.0.0.1", "10.0", "10.0.0.10", "10.0.0.1.5"}), (Marks{false, true, true, false}));
}

TEST_F(SenderHostsTest, no_host_localhost_and_its_own_address_say_nothing) {
  EXPECT_EQ(marks("192.0.2.1", {"", "localhost", "localhost.localdomain", "192.0.2.1", "web1", "db1"}),
            (Marks{false, false, false, false, false, true}));
  EXPECT_EQ(marks("192.0.2.1", {"localhost", "192.0.2.1", "192.0.2.2", "localhosts"}),
            (Marks{false, false, true, true}));
  EXPECT_EQ(marks("192.0.2.1", {"localhost.evil", "LocalHost.LocalDomain", "localhost4.localdomain4",
                                "localhost6.localdomain6", "localhost.localdomain6"}),
            (Marks{true, false, false, false, false}));
}

// What a body says where the header named no host, and what a parser makes of it.
TEST_F(SenderHostsTest, the_host_that_a_parser_took_is_judged_as_a_headers) {
  Batch batch;
  Origin origin;
  origin.received_ns = kNow;
  origin.address = origin.source = "192.0.2.1";
  const std::string_view raw = R"(web1 x bank w\u0065b1)";
  const auto add = [&](std::initializer_list<Capture> captures) {
    Record record;
    record.raw = raw;
    record.origin = &origin;
    record.message_begin = 5;
    record.captures = batch.arena.copy(std::span<const Capture>(captures.begin(), captures.size()));
    batch.records.push_back(record);
  };
  const Capture header{0, 4, 0, ecs::host_name}, bank{7, 4, 0, ecs::host_name};
  const Capture escaped{12, 9, static_cast<uint32_t>(Escape::json), ecs::host_name};
  add({header});
  add({bank});
  add({escaped});
  add({header, bank});
  hosts_->judge(batch);
  Marks out;
  for (auto& record : batch.records) out.push_back(record.marks & kHostUnconfirmed);
  EXPECT_EQ(out, (Marks{false, true, false, true}));
  EXPECT_EQ(hosts_->unconfirmed(), 2u);
}

TEST_F(SenderHostsTest, a_name_not_heard_for_a_day_is_given_up) {
  marks("192.0.2.1", {"web1"});
  EXPECT_EQ(marks("192.0.2.1", {"web2"}, kNow + 20 * kHour), Marks{true});
  marks("192.0.2.1", {"web1"}, kNow + 23 * kHour);
  EXPECT_EQ(marks("192.0.2.1", {"web2"}, kNow + 46 * kHour), Marks{true});
  EXPECT_EQ(marks("192.0.2.1", {"web2", "web1"}, kNow + 48 * kHour), (Marks{false, true}));
}

TEST_F(SenderHostsTest, there_is_room_for_so_many_and_those_silent_for_a_day_make_some) {
  relays({}, 2);
  EXPECT_EQ(marks("192.0.2.1", {"a"}), Marks{false});
  EXPECT_EQ(marks("192.0.2.2", {"b"}), Marks{false});
  EXPECT_EQ(marks("192.0.2.3", {"c", "c"}), (Marks{true, true}));
  EXPECT_EQ(marks("192.0.2.2", {"b", "x"}, kNow + 24 * kHour), (Marks{false, true}));
  EXPECT_EQ(marks("192.0.2.3", {"c", "d"}, kNow + 25 * kHour), (Marks{false, true}));
  EXPECT_EQ(marks("192.0.2.1", {"a"}, kNow + 25 * kHour), Marks{true});
}

TEST_F(SenderHostsTest, the_senders_booked_together_are_known_by_nobody) {
  EXPECT_EQ(marks("192.0.2.1", {"a", ""}, kNow, 0, std::string(ingest::SourceLimit::kOverflow)), (Marks{true, false}));
}

TEST_F(SenderHostsTest, what_is_known_comes_back_after_a_restart) {
  marks("192.0.2.1", {"web1"});
  marks("192.0.2.2", {"db1"}, kNow, 2);
  const auto state = hosts_->save(kTwoLogs);
  EXPECT_FALSE(state.empty());
  EXPECT_TRUE(hosts_->save(kTwoLogs).empty());  // nothing new
  marks("192.0.2.1", {"web1", "other"});
  EXPECT_TRUE(hosts_->save(kTwoLogs).empty());

  // Two days later, with another number for the log, and another log gone.
  const auto later = kNow + 48 * kHour;
  const auto logs = known_logs({"default", "_audit", "health", "finance"});
  relays({});
  ASSERT_TRUE(hosts_->load(state, logs, later));
  EXPECT_EQ(marks("192.0.2.1", {"other", "web1"}, later), (Marks{true, false}));
  EXPECT_EQ(marks("192.0.2.2", {"other", "db1"}, later, 3), (Marks{true, false}));
  relays({});
  ASSERT_TRUE(hosts_->load(state, known_logs({"default", "_audit"}), later));
  EXPECT_EQ(marks("192.0.2.1", {"other"}, later), Marks{true});

  for (size_t cut = 0; cut < state.size(); ++cut)
    EXPECT_FALSE(hosts_->load(state.substr(0, cut), kTwoLogs, later)) << cut;
  EXPECT_FALSE(hosts_->load(state + "x", kTwoLogs, later));
}

// A reload makes a log known while the committer saves by the logs of before.
TEST_F(SenderHostsTest, a_log_made_since_the_logs_were_asked_for_is_saved_the_next_time) {
  marks("192.0.2.1", {"web1"});
  marks("192.0.2.2", {"db1"}, kNow, 2);
  const auto before = known_logs({"default", "_audit"}), after = known_logs({"default", "_audit", "finance"});
  const auto early = hosts_->save(before), whole = hosts_->save(after);
  EXPECT_TRUE(hosts_->save(after).empty());

  relays({});
  ASSERT_TRUE(hosts_->load(early, after, kNow));
  EXPECT_EQ(marks("192.0.2.1", {"other"}), Marks{true});
  relays({});
  ASSERT_TRUE(hosts_->load(whole, after, kNow));
  EXPECT_EQ(marks("192.0.2.1", {"other"}), Marks{true});
  EXPECT_EQ(marks("192.0.2.2", {"other"}, kNow, 2), Marks{true});
}

}  // namespace
}  // namespace yushi::daemon
