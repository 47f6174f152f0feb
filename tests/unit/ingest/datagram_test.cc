// UDP and unix datagram inputs.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "tests/unit/ingest/ingest_fixture.h"
#include "tests/unit/loss_row.h"

namespace yushi::ingest {
namespace {

using Kind = Note::Kind;

class DatagramTest : public InputTest {
 protected:
  static SyslogSettings udp() {
    SyslogSettings settings;
    settings.transport = Transport::udp;
    return settings;
  }
  static SyslogSettings unix_socket() {
    SyslogSettings settings;
    settings.transport = Transport::unix_socket;
    settings.path = (std::filesystem::temp_directory_path() / ("yushi test " + std::to_string(::getpid()))).string();
    ::unlink(settings.path.c_str());
    return settings;
  }
  static int unix_client(const std::string& path) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << strerror(errno);
    return fd;
  }
};

TEST_F(DatagramTest, a_datagram_is_one_message_whole_an_empty_one_too) {
  start(udp());
  const int fd = connect_client(SOCK_DGRAM);
  const std::string odd("<13>a\nb\0c\n", 10), big = "<13>" + std::string(65000, 'x');
  for (const std::string& datagram : {odd, std::string(), big}) {
    ASSERT_EQ(::send(fd, datagram.data(), datagram.size(), 0), static_cast<ssize_t>(datagram.size()));
  }
  const auto got = sink_.wait_for(3);
  EXPECT_EQ(raws(got), (std::vector<std::string>{odd, "", big}));
  EXPECT_EQ(got[0].source, "127.0.0.1");
  EXPECT_EQ(got[0].transport, Transport::udp);
  EXPECT_EQ(sink_.note(Kind::messages, "127.0.0.1"), 3u);
  EXPECT_EQ(sink_.note(Kind::bytes, "127.0.0.1"), odd.size() + big.size());
  EXPECT_EQ(input_->name(), "udp 127.0.0.1:" + std::to_string(input_->port()));
  ::close(fd);
}

TEST_F(DatagramTest, a_sender_that_another_tenant_has_now_is_booked_there) {
  auto routing = std::make_shared<Routing>();
  context_.routing = routing;
  start(udp());
  const int fd = connect_client(SOCK_DGRAM);
  for (LogId log = 0; log < 3; ++log) {
    ASSERT_EQ(::send(fd, "<13>x", 5, 0), 5);
    EXPECT_EQ(sink_.wait_for(log + 1).back().log_id, log);
    OriginMap next;
    ASSERT_TRUE(next.add("127.0.0.0/8", log + 1));
    routing->take(std::move(next));
  }
  ::close(fd);
}

TEST_F(DatagramTest, what_arrived_and_what_the_kernel_dropped_is_what_was_sent) {
  SyslogSettings settings = udp();
  settings.receive_buffer_bytes = 4096;
  start(settings);
  sink_.block(true);
  constexpr uint64_t kSent = 2000;
  const int fd = connect_client(SOCK_DGRAM);
  const std::string datagram = "<13>" + std::string(500, 'u');
  for (uint64_t i = 0; i < kSent; ++i) {
    ASSERT_EQ(::send(fd, datagram.data(), datagram.size(), 0), static_cast<ssize_t>(datagram.size()));
  }
  sink_.block(false);
  input_->stop();
  EXPECT_GT(sink_.note(Kind::kernel_drop), 0u);
  EXPECT_EQ(sink_.received().size() + sink_.note(Kind::kernel_drop) + sink_.note(Kind::source_drop), kSent);
  EXPECT_EQ(input_->counts().kernel_drops, sink_.note(Kind::kernel_drop));
  ::close(fd);
  test::shows_loss("udp-burst");
}

// The pipeline takes nothing for a while: what a flood sends then is dropped and counted under its name, the others' is
// kept.
TEST_F(DatagramTest, a_source_that_floods_costs_the_others_nothing) {
  SyslogSettings settings = udp();
  settings.staged_bytes_max = 200 * 1000;
  start(settings);
  sink_.say_full(true);
  const int flood = connect_client(SOCK_DGRAM, "127.0.0.9");
  std::vector<int> others;
  for (int i = 1; i <= 4; ++i) others.push_back(connect_client(SOCK_DGRAM, "127.0.0." + std::to_string(i)));
  const std::string datagram = "<13>" + std::string(196, 'f');
  constexpr uint64_t kFlood = 4000, kOthers = 4 * 40;
  for (uint64_t n = 0; n < kFlood; ++n) {
    ASSERT_EQ(::send(flood, datagram.data(), datagram.size(), 0), static_cast<ssize_t>(datagram.size()));
    for (int fd : others) {
      if (n % 100 != 0) break;
      ASSERT_EQ(::send(fd, "<13>other", 9, 0), 9);
    }
    if (n % 100 == 50) usleep(1000);
  }
  sink_.say_full(false);
  input_->stop();
  const auto got = sink_.received();
  const auto of_others =
      static_cast<uint64_t>(std::count_if(got.begin(), got.end(), [](auto& r) { return r.raw == "<13>other"; }));
  EXPECT_EQ(sink_.note(Kind::kernel_drop), 0u);
  EXPECT_EQ(of_others, kOthers);
  EXPECT_GT(sink_.note(Kind::source_drop), 0u);
  EXPECT_EQ(sink_.note(Kind::source_drop), sink_.note(Kind::source_drop, "127.0.0.9"));
  EXPECT_EQ(input_->counts().source_drops, sink_.note(Kind::source_drop));
  EXPECT_EQ(got.size() + sink_.note(Kind::source_drop), kFlood + kOthers);
  ::close(flood);
  for (int fd : others) ::close(fd);
  test::shows_loss("udp-flood");
}

TEST_F(DatagramTest, a_burst_of_many_senders_comes_whole_and_in_order_for_each) {
  start(udp());
  constexpr int kSenders = 16, kMessages = 1000;
  std::vector<int> fds;
  for (int s = 0; s < kSenders; ++s) fds.push_back(connect_client(SOCK_DGRAM));
  for (int m = 0; m < kMessages; ++m) {
    for (int s = 0; s < kSenders; ++s) {
      const std::string text = "<13>" + std::to_string(s) + " " + std::to_string(m);
      ASSERT_GT(::send(fds[static_cast<size_t>(s)], text.data(), text.size(), 0), 0);
    }
  }
  input_->stop();
  const auto got = sink_.received();
  ASSERT_EQ(got.size() + sink_.note(Kind::kernel_drop) + sink_.note(Kind::source_drop),
            static_cast<size_t>(kSenders * kMessages));
  std::vector<int> last(kSenders, -1);
  for (auto& r : got) {
    int s, m;
    ASSERT_EQ(sscanf(r.raw.c_str(), "<13>%d %d", &s, &m), 2);
    ASSERT_GT(m, last[static_cast<size_t>(s)]);
    last[static_cast<size_t>(s)] = m;
  }
  for (int fd : fds) ::close(fd);
}

TEST_F(DatagramTest, sources_beyond_the_limit_are_overflow_and_keep_their_address) {
  context_.sources = std::make_shared<SourceLimit>(2);
  SyslogSettings settings = udp();
  settings.listen = "0.0.0.0:0";
  start(settings);
  std::vector<int> fds;
  for (int i = 1; i <= 4; ++i) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    auto from = parse_listen("127.0.0." + std::to_string(i) + ":0");
    ASSERT_EQ(::bind(fd, from->get(), from->length), 0);
    auto to = parse_listen("127.0.0.1:" + std::to_string(input_->port()));
    ASSERT_EQ(::connect(fd, to->get(), to->length), 0);
    for (int n = 0; n < 2; ++n) {
      ASSERT_EQ(::send(fd, "<13>x", 5, 0), 5);
      sink_.wait_for(static_cast<size_t>(i * 2 - 1 + n));
    }
    ::close(fd);
  }
  const auto got = sink_.wait_for(8);
  std::set<std::string> sources, addresses;
  for (auto& r : got) sources.insert(r.source), addresses.insert(r.address);
  EXPECT_EQ(sources, (std::set<std::string>{"127.0.0.1", "127.0.0.2", "overflow"}));
  EXPECT_EQ(addresses.size(), 4u);
  EXPECT_EQ(sink_.note(Kind::messages, "overflow"), 4u);
}

TEST_F(DatagramTest, what_comes_before_the_start_waits_for_it) {
  bind(udp());
  const int fd = connect_client(SOCK_DGRAM);
  ASSERT_EQ(::send(fd, "<13>udp", 7, 0), 7);
  ::close(fd);
  input_->start(context_);
  EXPECT_EQ(sink_.wait_for(1)[0].raw, "<13>udp");
  input_->stop();

  const SyslogSettings local = unix_socket();
  bind(local);
  const int client = unix_client(local.path);
  ASSERT_EQ(::send(client, "<13>unix", 8, 0), 8);
  ::close(client);
  input_->start(context_);
  EXPECT_EQ(sink_.wait_for(2)[1].raw, "<13>unix");
}

TEST_F(DatagramTest, what_the_kernel_drops_before_the_start_is_counted) {
  SyslogSettings settings = udp();
  settings.receive_buffer_bytes = 4096;
  bind(settings);
  const int fd = connect_client(SOCK_DGRAM);
  const std::string datagram(1000, 'x');
  constexpr uint64_t kSent = 200;
  for (uint64_t i = 0; i < kSent; ++i) ASSERT_EQ(::send(fd, datagram.data(), datagram.size(), 0), 1000);
  ::close(fd);
  input_->start(context_);
  input_->stop();
  EXPECT_GT(sink_.note(Kind::kernel_drop), 0u);
  EXPECT_EQ(sink_.received().size() + sink_.note(Kind::kernel_drop), kSent);
  test::shows_loss("udp-before-start");
}

TEST_F(DatagramTest, an_input_that_never_started_leaves_no_file_behind) {
  const SyslogSettings settings = unix_socket();
  bind(settings);
  struct stat there;
  ASSERT_EQ(::stat(settings.path.c_str(), &there), 0);
  input_.reset();
  EXPECT_NE(::stat(settings.path.c_str(), &there), 0);
}

TEST_F(DatagramTest, a_udp_port_in_use_is_refused_although_it_could_be_shared) {
  start(udp());
  SyslogSettings settings = udp();
  settings.listen = "127.0.0.1:" + std::to_string(input_->port());
  auto second = bind_syslog(settings, kThreads);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::io);
}

TEST_F(DatagramTest, a_unix_socket_takes_datagrams_of_any_size_and_is_gone_after_stop) {
  const SyslogSettings settings = unix_socket();
  start(settings);
  struct stat there;
  ASSERT_EQ(::stat(settings.path.c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777u, 0666u);
  const int fd = unix_client(settings.path);
  const std::string big(150000, 'y');
  ASSERT_EQ(::send(fd, "<13>one\n", 8, 0), 8);
  ASSERT_EQ(::send(fd, "", 0, 0), 0);
  ASSERT_EQ(::send(fd, big.data(), big.size(), 0), static_cast<ssize_t>(big.size())) << strerror(errno);
  const auto got = sink_.wait_for(5);
  EXPECT_EQ(got[0].raw, "<13>one\n");
  EXPECT_EQ(got[1].raw, "");
  EXPECT_EQ(got[2].raw + got[3].raw + got[4].raw, big);
  EXPECT_EQ(got[4].part, 3);
  EXPECT_EQ(got[4].part_of, 3);
  std::string encoded = "unix:" + settings.path;
  encoded.replace(encoded.find(' '), 1, "%20");
  encoded.replace(encoded.find(' '), 1, "%20");
  EXPECT_EQ(got[0].source, encoded);
  EXPECT_EQ(got[0].address, "unix:" + settings.path);
  EXPECT_EQ(got[0].transport, Transport::unix_socket);
  input_->stop();
  EXPECT_NE(::stat(settings.path.c_str(), &there), 0);
  ::close(fd);
  test::shows_loss("unix-over-long");
}

TEST_F(DatagramTest, a_unix_socket_file_is_replaced_only_when_nobody_listens) {
  const SyslogSettings settings = unix_socket();
  start(settings);
  auto second = bind_syslog(settings, kThreads);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::refused);
  input_->stop();

  const int dead = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, settings.path.c_str());
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  start(settings);
  input_->stop();

  ::close(::open(settings.path.c_str(), O_CREAT | O_WRONLY, 0600));
  auto over_file = bind_syslog(settings, kThreads);
  ASSERT_FALSE(over_file);
  EXPECT_EQ(over_file.error().code, Code::refused);
  struct stat there;
  EXPECT_EQ(::stat(settings.path.c_str(), &there), 0);
  ::unlink(settings.path.c_str());
}

}  // namespace
}  // namespace yushi::ingest
