#include <fcntl.h>

#include <random>
#include <set>

#include "tests/unit/ingest/ingest_fixture.h"
#include "tests/unit/loss_row.h"

namespace yushi::ingest {
namespace {

using Kind = Note::Kind;

class TcpTest : public InputTest {};

TEST_F(TcpTest, newline_and_octet_counted_connections_give_their_messages) {
  start({});
  const int lines = connect_client();
  send_all(lines, "<13>one\n<13>two\n\n<13>thr");
  ::close(lines);
  sink_.wait_for(3);
  const int counted = connect_client();
  send_all(counted, "9 <13>a\nb\nc8 <13>ende");
  ::close(counted);
  const auto got = sink_.wait_for(5);
  EXPECT_EQ(raws(got), (std::vector<std::string>{"<13>one", "<13>two", "<13>thr", "<13>a\nb\nc", "<13>ende"}));
  EXPECT_EQ(got[2].marks, kTruncated);
  for (auto& r : got) {
    EXPECT_EQ(r.source, "127.0.0.1");
    EXPECT_EQ(r.address, "127.0.0.1");
    EXPECT_EQ(r.transport, Transport::tcp);
    EXPECT_GT(r.received_ns, 1'700'000'000'000'000'000);
  }
  sink_.wait_for_note(Kind::connection_closed, 2);
  EXPECT_EQ(sink_.note(Kind::messages), 5u);
  EXPECT_EQ(sink_.note(Kind::empty_line), 1u);
  EXPECT_EQ(sink_.note(Kind::truncated), 1u);
  EXPECT_EQ(sink_.note(Kind::connection_opened), 2u);
  EXPECT_EQ(sink_.note(Kind::bytes), 24u + 21u);
  EXPECT_EQ(input_->counts().messages, 5u);
  EXPECT_EQ(input_->name(), "tcp 127.0.0.1:" + std::to_string(input_->port()));
}

TEST_F(TcpTest, an_idle_connection_does_not_hold_back_a_message_that_is_all_there) {
  start({});
  const int nul = connect_client(), counted = connect_client();
  send_all(nul, std::string_view("<13>one\0", 8));
  EXPECT_EQ(sink_.wait_for(1).back().raw, "<13>one");
  send_all(counted, "7 <13>two");
  EXPECT_EQ(sink_.wait_for(2).back().raw, "<13>two");
  send_all(nul, std::string_view("<13>three\0", 10));
  EXPECT_EQ(sink_.wait_for(3).back().raw, "<13>three");
  ::close(nul);
  ::close(counted);
  sink_.wait_for_note(Kind::connection_closed, 2);
  EXPECT_EQ(sink_.note(Kind::bytes), 8u + 9u + 10u);
}

TEST_F(TcpTest, eight_connections_come_whole_and_in_order_and_are_dealt_to_all_threads) {
  start({});
  constexpr int kConnections = 8, kMessages = 20000;
  std::vector<std::thread> senders;
  size_t sent_bytes = 0;
  std::mutex mutex;
  for (int c = 0; c < kConnections; ++c) {
    const int fd = connect_client();
    senders.emplace_back([&, c, fd] {
      std::mt19937 random(static_cast<unsigned>(c));
      std::string bytes;
      for (int m = 0; m < kMessages; ++m) {
        std::string text =
            "<13>" + std::to_string(c) + " " + std::to_string(m) + " " + std::string(random() % 300, 'x');
        bytes += c % 2 ? std::to_string(text.size()) + " " + text : text + "\n";
      }
      for (size_t at = 0; at < bytes.size();) {
        const size_t n = std::min<size_t>(1 + random() % 100000, bytes.size() - at);
        send_all(fd, std::string_view(bytes).substr(at, n));
        at += n;
      }
      ::close(fd);
      std::lock_guard lock(mutex);
      sent_bytes += bytes.size();
    });
  }
  for (auto& sender : senders) sender.join();
  const auto got = sink_.wait_for(kConnections * kMessages);
  sink_.wait_for_note(Kind::connection_closed, kConnections);
  EXPECT_EQ(got.size(), static_cast<size_t>(kConnections * kMessages));
  std::vector<int> next(kConnections);
  std::set<unsigned> threads;
  for (auto& r : got) {
    int c, m;
    ASSERT_EQ(sscanf(r.raw.c_str(), "<13>%d %d ", &c, &m), 2);
    ASSERT_EQ(next[static_cast<size_t>(c)]++, m);
    threads.insert(r.thread);
  }
  EXPECT_EQ(threads.size(), static_cast<size_t>(kThreads));
  EXPECT_EQ(sink_.note(Kind::bytes), sent_bytes);
}

TEST_F(TcpTest, a_sender_of_one_byte_at_a_time_and_a_thousand_idle_connections_stop_nobody) {
  context_.connections = std::make_shared<Connections>(10'000, 2000);
  start({});
  std::vector<int> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(connect_client());
    if (i % 2) send_all(idle.back(), "<13>unfinished");
  }
  const int slow = connect_client();
  int on = 1;
  ::setsockopt(slow, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  const int busy = connect_client();
  const std::string text = "<13>slow " + std::string(200, 's') + "\n";
  for (char c : text) {
    send_all(slow, {&c, 1});
    send_all(busy, "<13>busy\n");
  }
  const auto got = sink_.wait_for(text.size() + 1);
  std::multiset<std::string> messages;
  for (auto& r : got) messages.insert(r.raw);
  EXPECT_EQ(messages.count("<13>busy"), text.size());
  EXPECT_EQ(messages.count(text.substr(0, text.size() - 1)), 1u);
  for (int fd : idle) ::close(fd);
  sink_.wait_for(text.size() + 1 + 500);
  EXPECT_EQ(sink_.note(Kind::truncated), 500u);
  ::close(slow);
  ::close(busy);
}

TEST_F(TcpTest, a_long_message_in_small_pieces_comes_whole_and_an_over_long_one_in_parts) {
  start({});
  const int fd = connect_client();
  const std::string whole = "<13>" + std::string(60000, 'w'), over_long = "<13>" + std::string(200000, 'o');
  const std::string bytes = whole + "\n" + over_long + "\n<13>end\n";
  for (size_t at = 0; at < bytes.size(); at += 1000) send_all(fd, std::string_view(bytes).substr(at, 1000));
  const auto got = sink_.wait_for(6);
  EXPECT_EQ(got[0].raw, whole);
  std::string joined;
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(got[static_cast<size_t>(i)].part, i);
    EXPECT_EQ(got[static_cast<size_t>(i)].part_of, 4);
    joined += got[static_cast<size_t>(i)].raw;
  }
  EXPECT_EQ(joined, over_long);
  EXPECT_EQ(got[5].raw, "<13>end");
  EXPECT_EQ(sink_.note(Kind::over_long), 1u);
  ::close(fd);
}

TEST_F(TcpTest, unfinished_messages_have_a_bound_together_and_lose_nothing) {
  SyslogSettings settings;
  settings.unfinished_bytes_max = 256 << 10;
  start(settings);
  constexpr int kConnections = 40;
  const std::string piece(20000, 'x');
  std::vector<int> fds;
  for (int i = 0; i < kConnections; ++i) fds.push_back(connect_client());
  for (int round = 0; round < 3; ++round) {
    for (int fd : fds) send_all(fd, piece);
    sink_.wait_for_note(Kind::over_long, 1);  // the first round is more than the bound
  }
  for (int fd : fds) {
    send_all(fd, "\n");
    ::close(fd);
  }
  sink_.wait_for_note(Kind::connection_closed, kConnections);
  EXPECT_EQ(sink_.bytes(), piece.size() * 3 * kConnections);
  EXPECT_EQ(sink_.note(Kind::truncated), 0u);
  test::shows_loss("tcp-unfinished");
}

TEST_F(TcpTest, stop_delivers_all_that_was_readable_also_of_connections_not_yet_accepted) {
  start({});
  constexpr int kConnections = 30;
  std::vector<int> fds;
  size_t sent = 0;
  sink_.block(true);  // so that much is still in the sockets when stop() comes
  const std::string line = "<13>" + std::string(96, 'l') + "\n";
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += line;
  bytes += "<13>unfinished";
  for (int i = 0; i < kConnections; ++i) {
    fds.push_back(connect_client());
    const ssize_t n = ::send(fds.back(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ASSERT_EQ(n, static_cast<ssize_t>(bytes.size()));
    ++sent;
  }
  std::thread stopper([&] { input_->stop(); });
  sink_.block(false);
  stopper.join();
  EXPECT_EQ(sink_.received().size(), sent * 1001);
  EXPECT_EQ(sink_.note(Kind::truncated), sent);
  EXPECT_EQ(sink_.note(Kind::connection_closed), sent);
  EXPECT_EQ(sink_.note(Kind::input_down), 1u);
  EXPECT_EQ(context_.connections->open(), 0u);
  char c;
  EXPECT_EQ(::recv(fds[0], &c, 1, 0), 0) << "the sender sees an orderly end, not a reset";
  for (int fd : fds) ::close(fd);
}

TEST_F(TcpTest, stop_ends_although_a_sender_goes_on) {
  start({});
  const int fd = connect_client();
  std::thread sender([&] {
    const std::string line = "<13>on and on\n";
    while (::send(fd, line.data(), line.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  sink_.keep(false);
  sink_.wait_for(1000);
  input_->stop();
  sender.join();
  EXPECT_EQ(sink_.note(Kind::connection_closed), 1u);
  ::close(fd);
}

TEST_F(TcpTest, a_sink_that_blocks_stops_reading_and_nothing_is_lost_after) {
  start({});
  sink_.block(true);
  const int fd = connect_client();
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  const std::string line = "<13>" + std::string(95, 'b') + "\n";
  std::string many;
  for (int i = 0; i < 1000; ++i) many += line;
  size_t sent = 0;
  // Until the kernel takes no more for a while: sender and receiver buffers are full and we do not read.
  for (int full = 0; full < 20;) {
    const size_t from = sent % many.size();
    const ssize_t n = ::send(fd, many.data() + from, many.size() - from, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<size_t>(n);
      full = 0;
      ASSERT_LT(sent, size_t{1} << 30) << "somebody reads without a bound";
    } else {
      ++full;
      usleep(10000);
    }
  }
  ::fcntl(fd, F_SETFL, 0);
  sink_.block(false);
  const size_t missing = (line.size() - sent % line.size()) % line.size();
  if (missing) send_all(fd, std::string_view(line).substr(line.size() - missing));
  ::close(fd);
  sink_.wait_for_note(Kind::connection_closed, 1);
  const auto got = sink_.received();
  EXPECT_EQ(got.size(), (sent + missing) / line.size());
  for (auto& r : got) ASSERT_EQ(r.raw, line.substr(0, line.size() - 1));
  test::shows_loss("tcp-slow-store");
}

TEST_F(TcpTest, connections_beyond_the_limit_are_refused_and_counted) {
  context_.connections = std::make_shared<Connections>(2, 2);
  start({});
  const int first = connect_client(), second = connect_client();
  send_all(first, "<13>1\n");
  send_all(second, "<13>2\n");
  sink_.wait_for(2);
  const int third = connect_client();
  char c;
  EXPECT_LE(::recv(third, &c, 1, 0), 0);
  sink_.wait_for_note(Kind::connection_refused, 1);
  EXPECT_EQ(sink_.note(Kind::connection_refused, "127.0.0.1"), 1u);
  ::close(first);
  sink_.wait_for_note(Kind::connection_closed, 1);
  const int fourth = connect_client();
  send_all(fourth, "<13>4\n");
  sink_.wait_for(3);
  for (int fd : {second, third, fourth}) ::close(fd);
  test::shows_loss("tcp-refused");
}

TEST_F(TcpTest, one_address_with_all_connections_shuts_nobody_out) {
  context_.connections = std::make_shared<Connections>(6, 6);
  start({});
  std::vector<int> greedy;
  for (int i = 0; i < 6; ++i) {
    greedy.push_back(connect_client());
    send_all(greedy.back(), "<13>greedy " + std::to_string(i) + "\n");
    sink_.wait_for(static_cast<size_t>(i) + 1);
  }
  size_t sent = 6;
  for (int i : {5, 4, 3, 2, 1}) {  // so that 0 is idle for longest, then 5 and 4
    send_all(greedy[static_cast<size_t>(i)], "<13>still here\n");
    sink_.wait_for(++sent);
  }
  std::vector<int> others;
  for (int i = 2; i <= 4; ++i) {
    others.push_back(connect_client(SOCK_STREAM, "127.0.0." + std::to_string(i)));
    send_all(others.back(), "<13>other\n");
    sink_.wait_for(++sent);
  }
  sink_.wait_for_note(Kind::connection_closed, 3);
  EXPECT_EQ(sink_.note(Kind::connection_displaced, "127.0.0.1"), 3u);
  EXPECT_EQ(sink_.note(Kind::connection_refused), 0u);
  EXPECT_EQ(input_->counts().connections_displaced, 3u);
  char c;
  for (int i : {0, 5, 4}) EXPECT_EQ(::recv(greedy[static_cast<size_t>(i)], &c, 1, MSG_DONTWAIT), 0) << i;
  for (int i : {1, 2, 3}) send_all(greedy[static_cast<size_t>(i)], "<13>at the end\n");
  sink_.wait_for(sent + 3);
  // Three hold one each, one holds three: a second one may still come, a third one of the same would only turn things
  // round.
  others.push_back(connect_client(SOCK_STREAM, "127.0.0.2"));
  sink_.wait_for_note(Kind::connection_displaced, 4);
  others.push_back(connect_client(SOCK_STREAM, "127.0.0.2"));
  sink_.wait_for_note(Kind::connection_refused, 1);
  for (auto* fds : {&greedy, &others})
    for (int fd : *fds) ::close(fd);
}

TEST_F(TcpTest, a_connection_that_has_to_go_keeps_what_it_sent) {
  context_.connections = std::make_shared<Connections>(2, 2);
  start({});
  const int first = connect_client(), second = connect_client();
  const std::string line = "<13>" + std::string(95, 'k') + "\n";
  send_all(second, line);
  sink_.wait_for(1);
  sink_.block(true);  // so that much is still in the socket when it has to go
  std::string many;
  constexpr int kLines = 500;  // what has arrived: a window's worth, and nothing that the sender still holds
  for (int i = 0; i < kLines; ++i) many += line;
  send_all(first, many + "<13>unfinished");
  const int other = connect_client(SOCK_STREAM, "127.0.0.2");
  send_all(other, "<13>other\n");
  sink_.block(false);
  sink_.wait_for_note(Kind::connection_displaced, 1);
  const int third = connect_client(SOCK_STREAM, "127.0.0.3");
  ::close(third);
  for (int fd : {first, second, other}) ::close(fd);
  const auto got = sink_.wait_for(1 + kLines + 2);
  EXPECT_EQ(std::count_if(got.begin(), got.end(), [&](auto& r) { return r.raw + "\n" == line; }), kLines + 1);
  EXPECT_EQ(sink_.note(Kind::truncated), 1u);
  test::shows_loss("tcp-displaced");
}

TEST_F(TcpTest, an_address_has_so_many_connections_and_no_more) {
  context_.connections = std::make_shared<Connections>(100, 3);
  start({});
  std::vector<int> fds;
  for (int i = 0; i < 5; ++i) fds.push_back(connect_client());
  sink_.wait_for_note(Kind::connection_refused, 2);
  EXPECT_EQ(sink_.note(Kind::connection_refused, "127.0.0.1"), 2u);
  fds.push_back(connect_client(SOCK_STREAM, "127.0.0.2"));
  send_all(fds.back(), "<13>other\n");
  sink_.wait_for(1);
  for (int fd : fds) ::close(fd);
}

Address address_of(const std::string& text) {
  auto address = parse_listen(text);
  EXPECT_TRUE(address) << text;
  return address->address();
}

TEST(Connections, the_addresses_of_one_ipv6_network_count_as_one) {
  Connections connections(100, 2);
  std::vector<std::shared_ptr<Connections::Place>> places;
  for (auto text : {"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:1"})
    places.push_back(connections.admit(address_of(text), 0, [] {}));
  EXPECT_EQ(connections.admit(address_of("[2001:db8:1:2::3]:1"), 0, [] {}), nullptr);
  EXPECT_NE(connections.admit(address_of("[2001:db8:1:3::3]:1"), 0, [] {}), nullptr);
  for (auto text : {"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"})
    EXPECT_NE(connections.admit(address_of(text), 0, [] {}), nullptr) << text;
}

TEST(Connections, for_want_of_descriptors_the_longest_idle_of_who_holds_most_goes) {
  Connections connections(100, 100);
  std::vector<int> displaced;
  auto admit = [&](const char* text, int64_t now, int number) {
    return connections.admit(address_of(text), now, [&displaced, number] { displaced.push_back(number); });
  };
  auto a = admit("192.0.2.1:1", 10, 1), b = admit("192.0.2.1:1", 20, 2), c = admit("192.0.2.2:1", 5, 3);
  a->used(30);
  EXPECT_TRUE(connections.displace_one());
  EXPECT_EQ(displaced, std::vector<int>{2});
  EXPECT_FALSE(connections.displace_one()) << "each has one";
  EXPECT_EQ(connections.open(), 3u) << "it is being closed";
  connections.leave(*b);
  EXPECT_EQ(connections.open(), 2u);
  connections.leave(*a);
  connections.leave(*c);
  EXPECT_EQ(connections.open(), 0u);
}

TEST_F(TcpTest, ipv4_senders_of_an_ipv6_socket_are_named_as_ipv4_and_have_their_tenant) {
  OriginMap tenants;
  ASSERT_TRUE(tenants.add("127.0.0.0/8", 7));
  context_.routing = std::make_shared<Routing>(tenants);
  SyslogSettings settings;
  settings.listen = "[::]:0";
  auto bound = bind_syslog(settings, kThreads);
  if (!bound) GTEST_SKIP() << "no IPv6 here";
  input_ = std::move(*bound);
  input_->start(context_);
  const int fd = connect_client();
  send_all(fd, "<13>one\n");
  const auto got = sink_.wait_for(1);
  EXPECT_EQ(got[0].source, "127.0.0.1");
  EXPECT_EQ(got[0].log_id, 7u);
  ::close(fd);
}

OriginMap all_to(LogId log) {
  OriginMap out;
  EXPECT_TRUE(out.add("127.0.0.0/8", log));
  return out;
}

// Its parts name the first one's number, which is of that log.
TEST_F(TcpTest, a_connection_that_another_tenant_has_now_goes_on_there_with_the_next_message) {
  auto routing = std::make_shared<Routing>(all_to(7));
  context_.routing = routing;
  start({});
  const int fd = connect_client();
  send_all(fd, "<13>one\n");
  sink_.wait_for(1);
  routing->take(all_to(8));
  constexpr size_t kPartBytes = 64 << 10, kParts = Framer::kPartsHeld + 4;
  send_all(fd, "<13>two\n" + std::string((kParts - 1) * kPartBytes, 'o'));
  sink_.wait_for(3);  // more than is held: its first part is given
  routing->take(all_to(9));
  send_all(fd, "o\n");
  EXPECT_EQ(sink_.wait_for(2 + kParts).back().part, int{kParts});
  send_all(fd, "<13>end\n");
  const auto got = sink_.wait_for(2 + kParts + 1);
  EXPECT_EQ(got.front().log_id, 7u);
  for (size_t i = 1; i < 2 + kParts; ++i) EXPECT_EQ(got[i].log_id, 8u) << i;
  EXPECT_EQ(got.back().raw, "<13>end");
  EXPECT_EQ(got.back().log_id, 9u);
  ::close(fd);
  sink_.wait_for_note(Kind::connection_closed, 3);
  EXPECT_EQ(sink_.note(Kind::connection_opened), 3u);  // each tenant's books have it come and go
}

TEST_F(TcpTest, who_connects_before_the_start_waits_and_is_heard) {
  bind({});
  const int fd = connect_client();
  send_all(fd, "<13>early\n");
  ::close(fd);
  EXPECT_EQ(input_->counts().messages, 0u);
  input_->start(context_);
  EXPECT_EQ(raws(sink_.wait_for(1)), std::vector<std::string>{"<13>early"});
  sink_.wait_for_note(Kind::connection_closed, 1);
}

TEST_F(TcpTest, an_input_that_never_started_gives_its_port_back) {
  bind({});
  SyslogSettings same;
  same.listen = "127.0.0.1:" + std::to_string(input_->port());
  ASSERT_FALSE(bind_syslog(same, kThreads));
  input_->stop();
  EXPECT_TRUE(bind_syslog(same, kThreads));
  EXPECT_EQ(sink_.note(Kind::input_up) + sink_.note(Kind::input_down), 0u);
}

TEST_F(TcpTest, an_address_in_use_or_malformed_is_an_error_that_names_it) {
  start({});
  for (const std::string& listen : {"127.0.0.1:" + std::to_string(input_->port()), std::string("127.0.0.1"),
                                    std::string("example.org:514"), std::string("127.0.0.1:70000")}) {
    SyslogSettings settings;
    settings.listen = listen;
    auto second = bind_syslog(settings, kThreads);
    ASSERT_FALSE(second) << listen;
    EXPECT_NE(second.error().message.find(listen), std::string::npos) << second.error().message;
  }
}

TEST_F(TcpTest, an_address_of_another_machine_is_an_error_of_its_own) {
  SyslogSettings settings;
  settings.listen = "192.0.2.1:5514";  // for documentation only: RFC 5737
  for (auto transport : {Transport::tcp, Transport::udp}) {
    settings.transport = transport;
    auto bound = bind_syslog(settings, kThreads);
    ASSERT_FALSE(bound);
    EXPECT_NE(bound.error().message.find("no such address"), std::string::npos) << bound.error().message;
  }
}

}  // namespace
}  // namespace yushi::ingest
