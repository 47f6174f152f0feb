// The kinds of lines, each written as its program writes it.
#include "flood/mix.h"
#include "flood/mix_words.h"

namespace yushi::flood {
namespace {

// Syslog priorities, facility * 8 + severity.
constexpr uint32_t kKernel = 4, kUser = 14, kDaemon = 30, kAuth = 86, kAuthFailed = 85, kCron = 78, kLocalAudit = 134,
                   kWeb = 190, kUserWarning = 12, kUserError = 11;

}  // namespace

void Mix::needle(std::string_view token, std::string& text, std::vector<Line>& lines) {
  text_ = &text;
  lines_ = &lines;
  uint32_t host = host_of(Role::app);
  begin(host, kUser, "portal", hosts_[host].daemon_pids[0]);
  put("[http-worker-"), number(random_.between(1, 32)), put("] INFO gov.pay.OrderService - order settled, token ");
  put(token), put(" amount "), number(random_.below(90'000));
  end();
}

void Mix::path_and_query(Client& client) {
  if (client.scanner) {
    put(pick(random_, kScannedPaths));
    return;
  }
  if (!random_.one_in(3)) client.last_path = static_cast<uint16_t>(path_zipf_.draw(random_));
  const auto& path = paths_[client.last_path];
  put(path);
  if (path.starts_with("/static")) return;
  if (path.starts_with("/api")) put('/'), number(100'000 + random_.below(900'000));
  if (random_.one_in(5)) put("?page="), number(random_.between(1, 40)), put("&size=20");
  if (random_.one_in(9)) put("?q="), put(pick(random_, kNouns)), put('+'), put(pick(random_, kNouns));
}

void Mix::web_access() {
  uint32_t host = host_of(Role::web);
  bool nginx = host % 3 != 0;
  // Three of four requests come from somebody who asked something a moment ago.
  uint32_t slot = random_.below(static_cast<uint32_t>(recent_clients_.size()));
  if (random_.one_in(4)) recent_clients_[slot] = client_zipf_.draw(random_);
  Client& client = clients_[recent_clients_[slot]];
  begin(host, kWeb, nginx ? "nginx" : "apache2", hosts_[host].daemon_pids[nginx ? random_.below(4) : 0]);
  put(client.address), put(" - ");
  if (random_.one_in(12))
    put(users_[user_zipf_.draw(random_)]);
  else
    put('-');
  put(' '), access_log_time(), put(" \"");
  bool post = random_.one_in(7);
  put(post ? "POST " : "GET ");
  path_and_query(client);
  put(random_.one_in(3) ? " HTTP/2.0\" " : " HTTP/1.1\" ");
  uint32_t d = random_.below(100);
  put(client.scanner ? "404"
      : d < 82       ? "200"
      : d < 88       ? "304"
      : d < 92       ? "302"
      : d < 97       ? "404"
      : d < 99       ? "403"
                     : "500");
  put(' ');
  if (random_.one_in(3))  // a static answer: the size goes with the path
    number(1'000 + client.last_path * 37u % 60'000);
  else
    number(180 + random_.exponential(9'000));
  put(" \"");
  if (random_.one_in(3))
    put('-');
  else
    put(referers_[host % kUnits]), put(paths_[client.last_path / 4]), put("?from=portal&lang=zh-CN");
  put("\" \""), put(agents_[client.agent]), put('"');
  if (nginx) {
    put(' '), put("0."), padded(static_cast<uint32_t>(random_.exponential(60)) % 1000, 3);
    if (host % 3 == 1) put(' '), hex(32);  // $request_id
  }
  end();
}

void Mix::ssh_login() {
  uint32_t host = any_host();
  Host& at = hosts_[host];
  uint32_t pid = new_pid(at), port = random_.between(32'768, 60'999), session = ++at.session;
  uint32_t who = user_zipf_.draw(random_);
  const auto& user = users_[who];
  begin(host, kAuth, "sshd", pid);
  bool key = !random_.one_in(3);
  put(key ? "Accepted publickey for " : "Accepted password for "), put(user), put(" from ");
  bool at_home = who % 4 == 0 && random_.one_in(12);
  desk_address(who, at_home), put(" port "), number(port), put(" ssh2");
  if (key) put(": ED25519 SHA256:"), put(fingerprints_[who]);
  end();
  begin(host, kAuth, "sshd", pid);
  put("pam_unix(sshd:session): session opened for user "), put(user), put("(uid="), number(1000 + user.size());
  put(") by (uid=0)"), end();
  begin(host, 38, "systemd-logind", at.daemon_pids[1]);
  put("New session "), number(session), put(" of user "), put(user), put('.'), end();
  begin(host, kAuth, "sshd", pid);
  if (random_.one_in(2))
    put("pam_unix(sshd:session): session closed for user "), put(user);
  else
    put("Received disconnect from "), desk_address(who, at_home), put(" port "), number(port),
        put(":11: disconnected by user");
  end();
}

void Mix::ssh_attack() {
  uint32_t host = any_host();
  const auto& from = attackers_[attacker_zipf_.draw(random_)];
  for (uint32_t n = random_.between(1, 4); n > 0; --n) {
    uint32_t pid = new_pid(hosts_[host]), port = random_.between(32'768, 60'999);
    auto user = pick(random_, kGuessedUsers);
    if (!random_.one_in(3)) {
      begin(host, kAuth, "sshd", pid);
      put("Invalid user "), put(user), put(" from "), put(from), put(" port "), number(port), end();
    }
    begin(host, kAuthFailed, "sshd", pid);
    put("Failed password for invalid user "), put(user), put(" from "), put(from), put(" port "), number(port);
    put(" ssh2"), end();
    begin(host, kAuth, "sshd", pid);
    put("Connection closed by invalid user "), put(user), put(' '), put(from), put(" port "), number(port);
    put(" [preauth]"), end();
    pass_time(900'000.0 / 16);
  }
}

void Mix::sudo() {
  uint32_t host = any_host();
  const auto& user = users_[user_zipf_.draw(random_)];
  begin(host, kAuthFailed, "sudo", 0);
  put("  "), put(user), put(" : TTY=pts/"), number(random_.below(6)), put(" ; PWD=/home/"), put(user);
  put(" ; USER=root ; COMMAND="), put(pick(random_, kCommands)), end();
  begin(host, kAuth, "sudo", 0);
  put("pam_unix(sudo:session): session opened for user root(uid=0) by "), put(user), put("(uid=");
  number(1000 + user.size()), put(')'), end();
  begin(host, kAuth, "sudo", 0);
  put("pam_unix(sudo:session): session closed for user root"), end();
}

void Mix::su() {
  uint32_t host = any_host(), pid = new_pid(hosts_[host]);
  const auto& user = users_[user_zipf_.draw(random_)];
  begin(host, kAuthFailed, "su", pid);
  put(random_.one_in(6) ? "FAILED SU (to root) " : "(to root) "), put(user), put(" on pts/"), number(random_.below(6));
  end();
  begin(host, kAuth, "su", pid);
  put("pam_unix(su:session): session opened for user root(uid=0) by "), put(user), put("(uid="), number(1000);
  put(')'), end();
}

void Mix::cron() {
  uint32_t host = any_host(), pid = new_pid(hosts_[host]);
  auto user = random_.one_in(3) ? std::string_view("www-data") : std::string_view("root");
  begin(host, kAuth, "CRON", pid);
  put("pam_unix(cron:session): session opened for user "), put(user), put("(uid=0) by (uid=0)"), end();
  begin(host, kCron, "CRON", pid + 1);
  put('('), put(user), put(") CMD ("), put(pick(random_, kCronJobs)), put(')'), end();
  begin(host, kAuth, "CRON", pid);
  put("pam_unix(cron:session): session closed for user "), put(user), end();
}

void Mix::audit_exec() {
  uint32_t host = any_host();
  Host& at = hosts_[host];
  uint32_t pid = new_pid(at), serial = at.audit_serial += random_.between(1, 3), parent = at.daemon_pids[3];
  uint32_t uid = 1000 + random_.below(30);
  auto program = pick(random_, kExecutables);
  auto stamp = [&](std::string_view type) {
    begin(host, kLocalAudit, "audit", 0);
    put("type="), put(type), put(" msg=audit("), number(now_us_ / 1'000'000), put('.');
    padded(static_cast<uint32_t>(now_us_ / 1000 % 1000), 3), put(':'), number(serial), put("): ");
  };
  stamp("SYSCALL");
  put("arch=c000003e syscall=59 success=yes exit=0 a0=55"), hex(10), put(" a1=55"), hex(10), put(" a2=55"), hex(10);
  put(" a3=8 items=2 ppid="), number(parent), put(" pid="), number(pid), put(" auid="), number(uid);
  put(" uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts"), number(random_.below(4)), put(" ses=");
  number(at.session), put(" comm=\""), put(program), put("\" exe=\"/usr/bin/"), put(program),
      put("\" subj=unconfined key=\"");
  put(pick(random_, kAuditKeys)), put('"'), end();
  stamp("EXECVE");
  put("argc=2 a0=\""), put(program), put("\" a1=\"/srv/"), put(pick(random_, kNouns)), put('/');
  put(pick(random_, kTables)), put('"'), end();
  stamp("CWD");
  put("cwd=\"/home/"), put(users_[12 + uid % 30]), put('"'), end();
  stamp("PATH");
  put("item=0 name=\"/usr/bin/"), put(program), put("\" inode="), number(130'000 + program.size() * 977 + host % 7);
  put(" dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0"), end();
  stamp("PROCTITLE");
  put("proctitle=");
  for (char c : program) put("0123456789ABCDEF"[c >> 4 & 15]), put("0123456789ABCDEF"[c & 15]);
  put("002F737276"), end();
}

void Mix::audit_login() {
  uint32_t host = any_host();
  Host& at = hosts_[host];
  uint32_t pid = new_pid(at), uid = 1000 + random_.below(30);
  uint32_t who = 12 + uid % 30;
  const auto& user = users_[who];
  bool good = !random_.one_in(5);
  for (auto type : {"USER_AUTH", "USER_ACCT", "CRED_ACQ"}) {
    begin(host, kLocalAudit, "audit", 0);
    put("type="), put(type), put(" msg=audit("), number(now_us_ / 1'000'000), put('.');
    padded(static_cast<uint32_t>(now_us_ / 1000 % 1000), 3), put(':'), number(++at.audit_serial), put("): pid=");
    number(pid), put(" uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:");
    put(type[0] == 'C' ? "setcred" : type[5] == 'A' && type[6] == 'U' ? "authentication" : "accounting");
    put(" grantors=pam_unix acct=\""), put(user), put("\" exe=\"/usr/sbin/sshd\" hostname=");
    desk_address(who, false), put(" addr="), desk_address(who, false), put(" terminal=ssh res=");
    put(good ? "success'" : "failed'"), end();
    if (!good) break;
  }
}

void Mix::firewall() {
  uint32_t host = host_of(Role::firewall);
  Host& at = hosts_[host];
  begin(host, kKernel, "kernel", 0);
  uint64_t up = now_us_ - at.boot_us;
  static constexpr uint32_t kPorts[] = {22, 23, 80, 443, 445, 1433, 3306, 3389, 5555, 6379, 8080, 9200};
  put('['), number(up / 1'000'000), put('.'), padded(static_cast<uint32_t>(up % 1'000'000), 6), put("] ");
  put(random_.one_in(4) ? "[UFW AUDIT] IN=eth0 OUT=eth1 MAC=" : "[UFW BLOCK] IN=eth0 OUT= MAC="), put(at.mac);
  put(" SRC="), put(attackers_[attacker_zipf_.draw(random_)]), put(" DST="), private_address(host);
  put(" LEN="), number(random_.one_in(3) ? 60 : 40), put(" TOS=0x00 PREC=0x00 TTL="), number(random_.between(40, 60));
  put(" ID="), number(random_.below(65'536)), put(random_.one_in(3) ? " DF PROTO=TCP SPT=" : " PROTO=TCP SPT=");
  number(random_.between(1024, 65'535)), put(" DPT="), number(kPorts[random_.below(12)]), put(" WINDOW=");
  number(random_.one_in(2) ? 1024 : 65'535), put(" RES=0x00 SYN URGP=0"), end();
}

void Mix::mysql() {
  uint32_t host = host_of(Role::database);
  begin(host, kDaemon, "mysqld", hosts_[host].daemon_pids[0]);
  iso_time(now_us_, 6), put("Z "), number(random_.between(8, 4000));
  uint32_t d = random_.below(10);
  if (d < 5) {
    put(" [Note] [MY-010926] [Server] Access denied for user '"), put(users_[user_zipf_.draw(random_)]), put("'@'");
    private_address(host), put("' (using password: YES)");
  } else if (d < 7) {
    put(" [Warning] [MY-010055] [Server] IP address '"), private_address(host);
    put("' could not be resolved: Name or service not known");
  } else {
    put(" [Note] Slow query: "), put(statements_[statement_zipf_.draw(random_)]), number(random_.below(5'000'000));
    put(" /* "), number(random_.below(9)), put('.'), padded(random_.below(1'000'000), 6), put(" s, rows ");
    number(random_.exponential(3000)), put(" */");
  }
  end();
}

void Mix::java() {
  uint32_t host = host_of(Role::app);
  uint32_t pid = hosts_[host].daemon_pids[0];
  uint32_t d = random_.below(100);
  bool error = d < 3, warning = d < 12;
  const auto& logger = loggers_[logger_zipf_.draw(random_)];
  auto open = [&] { begin(host, error ? kUserError : warning ? kUserWarning : kUser, "portal", pid); };
  open();
  iso_time(now_us_, 3), put(error ? " ERROR [" : warning ? " WARN  [" : " INFO  ["), put("http-nio-8080-exec-");
  number(random_.between(1, 64)), put("] "), put(logger);
  if (error) {
    put(" - request failed, id="), uuid(),
        put(": java.sql.SQLTransientConnectionException: pool timed out after 30000ms");
    end();
    for (int depth = 0; depth < 5; ++depth) {
      open();
      const auto& frame = loggers_[(logger.size() * 31 + static_cast<size_t>(depth) * 17) % 200];
      put("\tat "), put(frame), put(".handle("), put(std::string_view(frame).substr(frame.rfind('.') + 1));
      put(".java:"), number(40 + frame.size() * 3 + static_cast<size_t>(depth)), put(')'), end();
    }
    return;
  }
  if (warning)
    put(" - slow call to "), put(pick(random_, kServices)), put(" took "), number(1000 + random_.exponential(900)),
        put(" ms");
  else if (d < 60)
    put(" - completed order="), number(4'000'000 + random_.below(1'000'000)), put(" user="),
        put(users_[user_zipf_.draw(random_)]), put(" in "), number(random_.exponential(80)), put(" ms, request "),
        uuid();
  else
    put(" - cache "), put(pick(random_, kTables)), put(" hit ratio 0."), padded(random_.between(700, 999), 3),
        put(", size "), number(random_.exponential(50'000));
  end();
}

void Mix::kubernetes() {
  uint32_t host = host_of(Role::kubernetes);
  uint32_t pod = pod_zipf_.draw(random_);
  auto service = std::string_view(pods_[pod]).substr(0, pods_[pod].find('-'));
  begin(host, kUser, service, 1);
  uint32_t d = random_.below(100);
  put("{\"ts\":\""), iso_time(now_us_, 3), put("Z\",\"level\":\""), put(d < 90 ? "info" : d < 97 ? "warn" : "error");
  put("\",\"logger\":\"http\",\"caller\":\"server/handler.go:"), number(40 + pod), put("\",\"msg\":\"");
  put(d < 90 ? "request completed" : d < 97 ? "upstream retry" : "upstream timed out");
  put("\",\"kubernetes\":{\"namespace\":\""), put(kNamespaces[pod % 5]), put("\",\"pod\":\""), put(pods_[pod]);
  put("\",\"container\":\""), put(service), put("\",\"node\":\""), put(hosts_[host].name);
  put("\",\"labels\":{\"app\":\""), put(service), put("\",\"tier\":\"backend\",\"version\":\"v2."), number(pod % 9);
  put(".1\"}},\"http\":{\"method\":\""), put(random_.one_in(4) ? "POST" : "GET"), put("\",\"path\":\"");
  put(paths_[path_zipf_.draw(random_)]), put("\",\"status\":"), number(d < 90 ? 200 : 503), put(",\"bytes\":");
  number(100 + random_.exponential(4000)), put("},\"trace_id\":\""), hex(16), put("\",\"duration_ms\":");
  number(random_.exponential(40)), put('.'), padded(random_.below(1000), 3), put('}');
  end();
}

}  // namespace yushi::flood
