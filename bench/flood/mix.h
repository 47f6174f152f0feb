// Lifelike syslog traffic from a seed: the same seed gives the same bytes on every machine.
//
// Web access, sshd/sudo/su/cron/logind, auditd, iptables, mysql, Java and Kubernetes JSON lines of 200 hosts in 20
// units, written in the manner of real logs and made as hard to compress as they are: Zipf-distributed users, paths,
// agents and addresses, sessions that repeat themselves, and true entropy where real logs have it (times in
// microseconds, ports, byte counts, request ids).
//
// Threads  One owner at a time.
// Cost     About 1 µs a line.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yushi::flood {

// splitmix64: four operations a number, and any seed is a good one.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((next() >> 32) * n >> 32); }
  uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
  bool one_in(uint32_t n) { return below(n) == 0; }
  uint64_t exponential(double mean);

 private:
  uint64_t state_;
};

template <size_t N>
std::string_view pick(Random& random, const std::string_view (&words)[N]) {
  return words[random.below(N)];
}

// Ranks 0..n-1 with probability ~ 1 / (rank + 1)^s, drawn from a table in one step.
class Zipf {
 public:
  Zipf(uint32_t n, double s);
  uint32_t draw(Random& random) const { return table_[random.below(kSlots)]; }

 private:
  static constexpr uint32_t kSlots = 1 << 16;
  std::vector<uint32_t> table_;
};

struct MixOptions {
  uint64_t seed = 1;
  bool rfc3164 = false;
  uint64_t start_unix_us = 1'793'491'200'000'000;  // 2026-11-01T00:00:00Z
  double mean_gap_us = 17'280;                     // five million lines a day
};

class Mix {
 public:
  static constexpr uint32_t kHosts = 200;
  static constexpr uint32_t kUnits = 20;

  struct Line {
    uint32_t host;
    size_t begin, length;  // in the text that next_event() appended to; no newline belongs to it
  };

  explicit Mix(const MixOptions& options);

  // Appends the lines of one happening (a request, a login, the five records of one execve) to `text`, each with a
  // newline after it, and says where each of them stands in `lines`.
  void next_event(std::string& text, std::vector<Line>& lines);

  // One line of an application that names `token`: what a search test looks for.
  void needle(std::string_view token, std::string& text, std::vector<Line>& lines);

 private:
  enum class Role : uint8_t { web, app, database, firewall, kubernetes, bastion };
  struct Host {
    std::string name;
    Role role;
    uint32_t next_pid;
    uint32_t audit_serial;
    uint32_t session;
    uint64_t boot_us;
    std::array<uint32_t, 4> daemon_pids;  // long-running processes
    std::string mac;
  };
  struct Client {  // who asks web servers: people stay for some requests
    std::string address;
    uint16_t agent;
    uint16_t last_path;
    bool scanner;
  };

  void begin(uint32_t host, uint32_t priority, std::string_view app, uint32_t pid);
  void end();
  void pass_time(double mean_us);
  uint32_t new_pid(Host& host) { return host.next_pid += random_.between(1, 9); }
  uint32_t host_of(Role role);
  uint32_t any_host();

  void web_access();
  void ssh_login();
  void ssh_attack();
  void sudo();
  void su();
  void cron();
  void audit_exec();
  void audit_login();
  void firewall();
  void mysql();
  void java();
  void kubernetes();

  // Appending to text_.
  void put(std::string_view text) { text_->append(text); }
  void put(char c) { text_->push_back(c); }
  void number(uint64_t value);
  void padded(uint32_t value, int digits);
  void hex(uint32_t digits);
  void uuid();
  void private_address(uint32_t host);
  void desk_address(uint32_t user, bool at_home);
  void iso_time(uint64_t unix_us, int digits);
  void access_log_time();
  void path_and_query(Client& client);

  MixOptions options_;
  Random random_;
  uint64_t now_us_;
  std::string* text_ = nullptr;
  std::vector<Line>* lines_ = nullptr;
  Line line_{};
  std::vector<Host> hosts_;
  std::array<std::vector<uint32_t>, 6> hosts_by_role_;
  std::vector<Client> clients_;
  std::vector<uint32_t> recent_clients_;
  std::vector<std::string> paths_, users_, attackers_, pods_, statements_, loggers_, referers_, agents_, fingerprints_;
  Zipf client_zipf_, path_zipf_, agent_zipf_, user_zipf_, attacker_zipf_, pod_zipf_, statement_zipf_, logger_zipf_,
      host_zipf_;
  uint64_t civil_second_ = 0;  // the second that civil_ is the text of
  std::string civil_;
};

}  // namespace yushi::flood
