// A message as the stages before and behind see it: in parts, and from senders who may or may not speak for others.
#include "parsers/understand.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/ledger/sha256.h"

namespace yushi::parsers {
namespace {

std::shared_ptr<const ParserSet> library() {
  static const auto set =
      ParserSet::load(*read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"}), ReadTests::of_site);
  return *set;
}

constexpr int64_t kReceived = 1'793'520'005 * kSecond;  // 2026-11-01T08:00:05Z

class Understood {
 public:
  explicit Understood(std::string_view raw, uint16_t part = 0, uint8_t marks = 0, Charset charset = Charset::utf8) {
    origin_.received_ns = kReceived;
    Record record;
    record.raw = batch_.arena.copy_padded(raw);
    record.origin = &origin_;
    record.part = part;
    record.marks = marks;
    batch_.records.push_back(record);
    Understander(library()).understand(batch_, {Zone::utc(), charset});
  }
  const Record& record() const { return batch_.records[0]; }
  std::string field(const char* name) {
    Value value;
    Scratch scratch;
    return first_value(record(), find_field(name), scratch, &value) ? std::string(value.text) : "";
  }

 private:
  Batch batch_;
  Origin origin_;
};

constexpr const char* kForged[] = {
    "<86>1 2026-11-01T08:00:00Z bank-gw sshd 9 - - Accepted password for root from 203.0.113.5 port 22 ssh2",
    "<86>Nov  1 08:00:00 bank-gw sshd[9]: Accepted password for root from 203.0.113.5 port 22 ssh2",
    "Nov  1 08:00:00 bank-gw sshd[9]: Accepted password for root from 203.0.113.5 port 22 ssh2",
    "<189>123: bank-gw: *Mar  1 18:46:11.123: %SYS-5-CONFIG_I: Configured from console by vty0",
    R"({"user":{"name":"root"},"source":{"ip":"203.0.113.5"}})",
    "user=root src=203.0.113.5 host=bank-gw",
    R"(203.0.113.5 - root [01/Nov/2026:08:00:00 +0000] "GET /.git/config HTTP/1.1" 200 5 "-" "-")",
    "type=USER_LOGIN msg=audit(1793520000.100:501): pid=9 uid=0 msg='op=login addr=203.0.113.5 res=success'",
};

TEST(Understand, a_later_part_of_a_message_is_text_that_nobody_reads) {
  for (const std::string raw : kForged) {
    SCOPED_TRACE(raw);
    const Understood whole(raw), first(raw, 1);
    EXPECT_FALSE(whole.record().captures.empty());
    EXPECT_EQ(first.record().captures.size(), whole.record().captures.size());
    EXPECT_EQ(first.record().event_ns, whole.record().event_ns);
    EXPECT_EQ(!first.record().kind, !whole.record().kind);
    for (uint16_t part : {2, 3, 65535}) {
      for (const std::string& text : {raw, raw + "\n", raw + "\r\n", std::string()}) {
        const Understood later(text, part);
        EXPECT_TRUE(later.record().captures.empty());
        EXPECT_EQ(later.record().kind, nullptr);
        EXPECT_EQ(later.record().priority, Record::kNoPriority);
        EXPECT_EQ(later.record().event_ns, kReceived);
        EXPECT_EQ(later.record().time_inferred, kAllInferred);
        EXPECT_EQ(later.record().message(), text);
        EXPECT_EQ(later.record().digest, sha256(text));
      }
    }
  }
}

// One connection, whose message of three parts comes in two reads, between them another's.
TEST(Understand, later_parts_inherit_the_first_ones_header) {
  Understander understander(library());
  const auto batch_of = [&](uint64_t stream, std::vector<std::pair<std::string, uint16_t>> parts, uint16_t part_of) {
    auto batch = std::make_unique<Batch>();
    Origin origin;
    origin.received_ns = kReceived;
    origin.stream = stream;
    auto* shared = batch->arena.make(origin);
    for (auto& [raw, part] : parts) {
      Record record;
      record.raw = batch->arena.copy_padded(raw);
      record.origin = shared;
      record.part = part;
      record.part_of = part == parts.back().second ? part_of : 0;
      batch->records.push_back(record);
    }
    understander.understand(*batch, Reading());
    return batch;
  };
  const auto field = [](const Record& record, const char* name) {
    Value value;
    Scratch scratch;
    return first_value(record, find_field(name), scratch, &value) ? std::string(value.text) : "";
  };
  auto first = batch_of(1, {{"<86>1 2026-11-01T07:59:59.5Z db-01 backup 77 - - a long one", 1}, {"more of it", 2}}, 0);
  auto other = batch_of(2, {{"<13>1 2026-11-01T08:00:01Z web-01 app 1 - - another", 1}, {"its second", 2}}, 2);
  auto last = batch_of(1, {{"host=bank-gw the end", 3}}, 3);
  for (const Record* part : {&first->records[0], &first->records[1], &last->records[0]}) {
    EXPECT_EQ(field(*part, "host.name"), "db-01");
    EXPECT_EQ(field(*part, "process.name"), "backup");
    EXPECT_EQ(field(*part, "process.pid"), "77");
    EXPECT_EQ(part->priority, 86);
    EXPECT_EQ(part->event_ns, 1'793'519'999'500'000'000);
  }
  EXPECT_EQ(field(other->records[1], "host.name"), "web-01");
  // What comes after it is none of its parts.
  auto orphan = batch_of(1, {{"of a first part that nobody saw", 2}}, 2);
  EXPECT_EQ(field(orphan->records[0], "host.name"), "");
}

TEST(Understand, a_later_part_in_the_tenants_charset_is_text_too) {
  Understood later("<86>Nov  1 08:00:00 bank-gw sshd[9]: \xd3\xc3\xbb\xa7", 2, 0, Charset::gb18030);
  EXPECT_TRUE(later.record().captures.empty());
  EXPECT_EQ(later.field("message"), "<86>Nov  1 08:00:00 bank-gw sshd[9]: 用户");
}

// What another program says within a message: spans of raw, decoded where it is written with escapes.
TEST(Understand, a_message_within_a_message_is_that_of_its_program) {
  const std::string journal =
      R"({"_HOSTNAME":"web1","SYSLOG_IDENTIFIER":"sshd","_PID":"42","_UID":"0","PRIORITY":"4","__REALTIME_TIMESTAMP":"1793520001000000",)";
  Understood plain(journal + R"("MESSAGE":"Failed password for eve from 198.51.100.9 port 5 ssh2","_COMM":"sshd"})");
  EXPECT_EQ(plain.field("message"), "Failed password for eve from 198.51.100.9 port 5 ssh2");
  EXPECT_EQ(plain.field("user.name"), "eve");
  EXPECT_EQ(plain.field("source.ip"), "198.51.100.9");
  EXPECT_EQ(plain.field("host.name"), "web1");
  EXPECT_EQ(plain.field("process.pid"), "42");
  EXPECT_EQ(plain.field("user.id"), "");
  EXPECT_EQ(plain.field("log.level"), "warning");
  EXPECT_EQ(plain.field("event.dataset"), "sshd");
  EXPECT_EQ(plain.record().event_ns, 1'793'520'001 * kSecond);
  Understood escaped(journal + R"("MESSAGE":"Failed password for e\"v\u4e2de from 198.51.100.9 port 5 ssh2"})");
  EXPECT_EQ(escaped.field("user.name"), "e\"v中e");
  EXPECT_EQ(escaped.field("source.ip"), "198.51.100.9");
  // Behind a header, which has the last word.
  Understood sent("<38>1 2026-11-01T08:00:00Z gw - - - - " + journal +
                  R"("MESSAGE":"Failed password for eve from 198.51.100.9 port 5 ssh2"})");
  EXPECT_EQ(sent.field("user.name"), "eve");
  // A byte that is no text hides nothing, in the tenant's charset or out of it.
  Understood broken(journal + "\"MESSAGE\":\"Failed password for e\xffve from 198.51.100.9 port 5 ssh2\"}");
  EXPECT_EQ(broken.field("event.dataset"), "sshd");
  EXPECT_EQ(broken.field("source.ip"), "198.51.100.9");
  Understood chinese(journal + "\"MESSAGE\":\"Failed password for \xd6\xd0 from 198.51.100.9 port 5 ssh2\"}", 0, 0,
                     Charset::gb18030);
  EXPECT_EQ(chinese.field("user.name"), "中");
  EXPECT_EQ(chinese.field("source.ip"), "198.51.100.9");
  // A program's name with JSON's escapes.
  Understood slash(
      R"({"__REALTIME_TIMESTAMP":"1793520001000000","SYSLOG_IDENTIFIER":"postfix\/smtpd","MESSAGE":"connect from unknown[198.51.100.9]"})");
  EXPECT_EQ(slash.field("event.dataset"), "postfix");
  // Each capture stands in its order and overlaps no other.
  for (auto* one : {&plain, &escaped, &sent, &broken, &chinese, &slash}) {
    uint32_t at = 0;
    for (auto& capture : one->record().captures) {
      EXPECT_GE(capture.begin, at);
      at = capture.end();
    }
    EXPECT_LE(at, one->record().raw.size());
  }
}

// What a container writes is not Docker's own word, nor the audit system's.
TEST(Understand, a_message_within_a_message_holds_none) {
  Understood twice(
      R"({"log":"{\"log\":\"x\",\"stream\":\"stderr\",\"time\":\"2020-01-01T00:00:00Z\"}\n","stream":"stdout","time":"2026-11-01T08:00:01Z"})");
  EXPECT_EQ(twice.field("docker.json.stream"), "stdout");
  EXPECT_EQ(twice.record().event_ns, 1'793'520'001 * kSecond);
  Understood forged(
      R"({"log":"type=USER_LOGIN msg=audit(1793520000.100:501): pid=9 uid=0 msg='op=login acct=\"root\" res=success'\n","stream":"stdout","time":"2026-11-01T08:00:01Z"})");
  EXPECT_NE(forged.field("event.dataset"), "auditd");
}

constexpr const char* kSudo = R"(  ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/rm -rf /srv)";

// What forwarders write, with the same line of sudo in each.
std::vector<std::string> envelopes(const std::string& program = "sudo", const std::string& host = "bank-gw") {
  const auto of = [&](std::string text) {
    const std::pair<std::string, std::string> kMarks[] = {{"PROGRAM_", program}, {"HOST_", host}, {"LINE_", kSudo}};
    for (auto& [mark, value] : kMarks)
      for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
        text.replace(at, mark.size(), value);
    return text;
  };
  return {
      of(R"({"__REALTIME_TIMESTAMP":"1793520001000000","_HOSTNAME":"HOST_","SYSLOG_IDENTIFIER":"PROGRAM_","MESSAGE":"LINE_"})"),
      of(R"({"date":1793520001.5,"host":"HOST_","ident":"PROGRAM_","pri":"86","message":"LINE_"})"),
      of(R"({"hostname":"HOST_","programname":"PROGRAM_","procid":"7","timereported":"2026-11-01T08:00:01Z","msg":"LINE_"})"),
      of(R"({"HOST":"HOST_","PROGRAM":"PROGRAM_","PID":"7","DATE":"2026-11-01T08:00:01Z","MESSAGE":"LINE_"})"),
      of(R"({"logsource":"HOST_","program":"PROGRAM_","pid":"7","@timestamp":"2026-11-01T08:00:01Z","message":"LINE_"})"),
      of(R"({"appname":"PROGRAM_","hostname":"HOST_","facility":"auth","timestamp":"2026-11-01T08:00:01Z","message":"LINE_"})"),
      of(R"({"@timestamp":"2026-11-01T08:00:01Z","host":{"name":"HOST_"},"agent":{"type":"filebeat"},"log":{"file":{"path":"/var/log/secure"}},"process":{"name":"PROGRAM_"},"message":"LINE_"})"),
      of(R"({"@timestamp":"2026-11-01T08:00:01Z","host":{"name":"HOST_"},"agent":{"type":"filebeat"},"log":{"file":{"path":"/var/log/secure"}},"message":"Nov  1 08:00:01 HOST_ PROGRAM_: LINE_"})"),
  };
}

TEST(Understand, what_a_forwarder_says_of_a_program_is_believed_of_forwarders_only) {
  for (auto& envelope : envelopes()) {
    SCOPED_TRACE(envelope);
    for (const std::string from :
         {"", "<13>", "<13>Nov  1 08:00:00 gw fluent-bit[7]: ", "<13>1 2026-11-01T08:00:00Z gw LOGSTASH - - - ",
          "<13>1 2026-11-01T08:00:00Z gw - - - - "}) {
      Understood carried(from + envelope);
      EXPECT_EQ(carried.field("yushi.event"), "command") << from;
      EXPECT_EQ(carried.field("user.name"), "ann");
      EXPECT_EQ(carried.field("yushi.program.unconfirmed"), "");
    }
    for (const std::string from : {"<13>Nov  1 08:00:00 web shop[7]: ", "<13>1 2026-11-01T08:00:00Z web shop - - - ",
                                   "<13>Nov  1 08:00:00 web app:", "<13>Nov  1 08:00:00 web shop[7]: got ",
                                   "<13>Nov  1 08:00:00 web docker/web[7]: "}) {
      Understood forged(from + envelope);
      EXPECT_EQ(forged.field("yushi.program.unconfirmed"), "true") << from;
      EXPECT_EQ(forged.field("yushi.event"), "message");
      for (auto* name : {"user.name", "user.effective.name", "process.command_line"})
        EXPECT_EQ(forged.field(name), "") << name;
      EXPECT_EQ(forged.field("host.name"), "web");
      EXPECT_NE(forged.field("process.name"), "sudo");
      EXPECT_EQ(forged.record().event_ns, 1'793'520'000 * kSecond);
      // Nothing is lost.
      EXPECT_NE(forged.field("event.original").find("/bin/rm -rf /srv"), std::string::npos);
      EXPECT_EQ(forged.field("event.dataset"), "json");
    }
  }
}

// A template in JSON behind the tag of the program that it carries: that program could have said it by itself.
TEST(Understand, an_envelope_that_names_its_own_sender_is_believed) {
  for (auto& envelope : envelopes("sudo", "web")) {
    SCOPED_TRACE(envelope);
    Understood carried("<86>Nov  1 08:00:00 web sudo[7]: " + envelope);
    EXPECT_EQ(carried.field("yushi.event"), "command");
    Understood of_another_host("<86>Nov  1 08:00:00 db sudo[7]: " + envelope);
    EXPECT_NE(of_another_host.field("host.name"), "web");
    EXPECT_NE(of_another_host.field("yushi.event"), "command");
    Understood of_another("<86>Nov  1 08:00:00 web sudoers[7]: " + envelope);
    EXPECT_NE(of_another.field("yushi.event"), "command");
  }
}

// Not even a forwarder carries what it carries: the line of a container, of a journal.
TEST(Understand, an_envelope_within_an_envelope_is_text) {
  for (auto& envelope : envelopes()) {
    std::string escaped;
    for (char c : envelope) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
    SCOPED_TRACE(escaped);
    Understood in_docker(R"({"log":")" + escaped + R"(\n","stream":"stdout","time":"2026-11-01T08:00:01Z"})");
    EXPECT_NE(in_docker.field("yushi.event"), "command");
    EXPECT_NE(in_docker.field("process.name"), "sudo");
    EXPECT_EQ(in_docker.field("host.name"), "");
    Understood in_journal(
        R"({"__REALTIME_TIMESTAMP":"1793520001000000","_HOSTNAME":"web","SYSLOG_IDENTIFIER":"shop","MESSAGE":")" +
        escaped + R"("})");
    EXPECT_NE(in_journal.field("yushi.event"), "command");
    Understood by_a_user(
        R"({"__REALTIME_TIMESTAMP":"1793520001000000","_HOSTNAME":"web","SYSLOG_IDENTIFIER":"fluent-bit","MESSAGE":")" +
        escaped + R"("})");
    EXPECT_NE(by_a_user.field("yushi.event"), "command");
    EXPECT_NE(by_a_user.field("process.name"), "sudo");
    EXPECT_NE(in_journal.field("process.name"), "sudo");
    EXPECT_EQ(in_journal.field("host.name"), "web");
  }
}

// The kernel's word, by the journal, against the writer's own.
TEST(Understand, who_wrote_a_line_by_the_kernels_word_is_who_wrote_it) {
  const auto journal = [](const std::string& program, const std::string& fields, const std::string& message) {
    return Understood(R"({"__REALTIME_TIMESTAMP":"1793520001000000","_HOSTNAME":"web","SYSLOG_IDENTIFIER":")" +
                      program + R"(",)" + fields + R"("MESSAGE":")" + message + R"("})");
  };
  const auto event = [&](const std::string& program, const std::string& fields, const std::string& message) {
    auto one = journal(program, fields, message);
    return one.field("yushi.event") + (one.field("yushi.program.unconfirmed") == "true" ? " unconfirmed" : "") +
           (one.field("user.name").empty() ? "" : " of " + one.field("user.name"));
  };
  const std::string kAccepted = "Accepted password for ann from 203.0.113.5 port 22 ssh2",
                    kPam = "pam_unix(sudo:session): session opened for user root by ann(uid=0)",
                    kMade = "new user: name=eve, UID=1009, GID=1009, home=/home/eve, shell=/bin/sh";
  // As they are.
  EXPECT_EQ(event("sudo", R"("_COMM":"sudo","_EXE":"/usr/bin/sudo","_UID":"1007",)", kSudo), "command of ann");
  EXPECT_EQ(event("sudo", R"("_COMM":"sudo","_EXE":"/usr/bin/sudo-rs","_UID":"1007",)", kSudo), "command of ann");
  EXPECT_EQ(event("sudo", R"("_COMM":".sudo-wrapped","_EXE":"/nix/store/x/bin/.sudo-wrapped","_UID":"0",)", kSudo),
            "command of ann");
  EXPECT_EQ(event("sudo", R"("_COMM":"sudo",)", kSudo), "command of ann");
  EXPECT_EQ(event("sudo", "", kSudo), "command of ann");
  EXPECT_EQ(event("sudo", R"("_COMM":"sudo","_EXE":"/usr/bin/sudo","_UID":"1007",)", kPam), "session-opened of ann");
  EXPECT_EQ(
      event("sshd", R"("_COMM":"sshd-session","_EXE":"/usr/libexec/openssh/sshd-session","_UID":"0",)", kAccepted),
      "login of ann");
  EXPECT_EQ(event("sshd", R"~("_COMM":"sshd","_EXE":"/usr/sbin/sshd (deleted)","_UID":"0",)~", kAccepted),
            "login of ann");
  EXPECT_EQ(event("adduser", R"("_COMM":"adduser","_EXE":"/usr/bin/perl","_UID":"0",)", kMade),
            "account-created of eve");
  // By logger, by a file of one's own, by a script that calls itself so, by the journal's own protocol; and by root.
  for (const std::string by : {R"("_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"1007",)",
                               R"("_COMM":"sudo","_EXE":"/tmp/sudo","_UID":"1007",)",
                               R"("_COMM":"sudo","_EXE":"/home/eve/sudo","_UID":"1007",)",
                               R"("_COMM":"sudo","_EXE":"/usr/bin/python3.12","_UID":"1007",)",
                               R"("_TRANSPORT":"journal","_COMM":"systemd-cat","_UID":"1007",)",
                               R"("_COMM":"sudoedit2","_EXE":"/usr/bin/sudoedit2","_UID":"1007",)",
                               R"("_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"0",)", R"("_COMM":"logger",)"}) {
    EXPECT_EQ(event("sudo", by, kSudo), "message unconfirmed") << by;
    EXPECT_EQ(event("sudo", by, kPam), "message unconfirmed") << by;
  }
  EXPECT_EQ(event("sshd", R"("_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"1007",)", kAccepted),
            "message unconfirmed");
  EXPECT_EQ(event("useradd", R"("_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"1007",)", kMade),
            "message unconfirmed");
  // Whose it was is told.
  auto forged = journal(
      "sudo", R"("_COMM":"logger","_EXE":"/usr/bin/logger","_UID":"1007","_CMDLINE":"logger -t sudo x",)", kSudo);
  EXPECT_EQ(forged.field("user.id"), "1007");
  EXPECT_EQ(forged.field("process.executable"), "/usr/bin/logger");
  EXPECT_EQ(forged.field("process.command_line"), "logger -t sudo x");
  // What a shell tells is its user's own word: of root only root's.
  EXPECT_EQ(event("bash", R"("_COMM":"logger","_UID":"1007",)", "ann [1201]: rm -rf /srv"), "command of ann");
  EXPECT_EQ(event("bash", R"("_COMM":"logger","_UID":"0",)", "root [1201]: rm -rf /srv"), "command of root");
  EXPECT_EQ(event("bash", R"("_COMM":"logger","_UID":"1007",)", "root [1201]: rm -rf /srv"), "message unconfirmed");
  EXPECT_EQ(event("bash", R"("_COMM":"logger","_UID":"1007",)", "LOGNAME=ann USER=root PWD=/root CMD=id"),
            "message unconfirmed");
  EXPECT_EQ(journal("bash", R"("_COMM":"logger","_UID":"1007",)", "ann [1201]: ls -la").field("yushi.hearsay"), "true");
}

TEST(Understand, a_line_of_pam_is_of_the_program_that_it_names) {
  const std::string opened = "pam_unix(sudo:session): session opened for user root by ann(uid=0)",
                    closed = "pam_unix(sshd:session): session closed for user ann";
  EXPECT_EQ(Understood("<86>Nov  1 08:00:00 web sudo: " + opened).field("yushi.event"), "session-opened");
  EXPECT_EQ(Understood("<86>Nov  1 08:00:00 web sshd-session[7]: " + closed).field("yushi.event"), "session-closed");
  EXPECT_EQ(Understood("<86>Nov  1 08:00:00 web /usr/sbin/sshd[7]: " + closed).field("yushi.event"), "session-closed");
  EXPECT_EQ(Understood(closed).field("yushi.event"), "session-closed");
  for (auto& line : {opened, closed}) {
    Understood forged("<86>Nov  1 08:00:00 web shop[7]: " + line);
    EXPECT_EQ(forged.field("yushi.event"), "message");
    EXPECT_EQ(forged.field("yushi.program.unconfirmed"), "true");
  }
  Understood login(
      "<86>Nov  1 08:00:00 web shop[7]: bank-gw sshd[9]: Accepted password for ann from 203.0.113.5 port 22 ssh2");
  EXPECT_EQ(login.field("host.name"), "web");
  EXPECT_NE(login.field("event.dataset"), "sshd");
}

TEST(Understand, structured_data_beyond_the_bound_is_told_whether_a_parser_knows_the_message_or_not) {
  for (int count : {1024, 1025}) {
    std::string data = "[a";
    for (int i = 0; i < count; ++i) data += " n" + std::to_string(i) + "=\"1\"";
    const std::string header = "<38>1 2026-11-01T08:00:00Z web1 ";
    Understood known(header + "sshd 5 - " + data + "] Failed password for root from 198.51.100.9 port 5 ssh2");
    EXPECT_EQ(known.field("source.ip"), "198.51.100.9");
    EXPECT_EQ(known.field("error.message").empty(), count <= 1024);
    Understood unknown(header + "other 5 - " + data + "] nobody knows this");
    EXPECT_EQ(unknown.field("event.dataset"), "");
    EXPECT_EQ(unknown.field("error.message").empty(), count <= 1024);
  }
}

TEST(Understand, a_second_header_gives_program_and_message_and_a_host_only_of_a_relay) {
  const std::string failed = "Failed password for root from 198.51.100.9 port 5 ssh2";
  for (const std::string head : {"<134>Nov  1 08:00:00 relay Nov  1 08:00:01 inner sshd[3]: ",
                                 "<134>Nov  1 08:00:00 relay <38>Nov  1 08:00:01 inner sshd[3]: ",
                                 "<134>Nov  1 08:00:00 relay <38>1 2026-11-01T08:00:01Z inner sshd 3 - - ",
                                 "<134>Nov  1 08:00:00 relay 1 2026-11-01T08:00:01Z inner sshd 3 - - ",
                                 "<134>Nov  1 08:00:00 relay 2026-11-01T08:00:01Z inner sshd[3]: ",
                                 "<134>1 2026-11-01T08:00:00Z relay - - - - <38>Nov  1 08:00:01 inner sshd[3]: ",
                                 "<134>1 2026-11-01T08:00:00Z relay - - - [a b=\"c\"] Nov  1 08:00:01 inner sshd[3]: ",
                                 "<134>Nov  1 08:00:00 relay Nov  1 08:00:00 relay-2 Nov  1 08:00:01 inner sshd[3]: ",
                                 "<134>2026-11-01T08:00:00+00:00 relay Nov  1 08:00:01 inner sshd[3]: ",
                                 "Nov  1 08:00:00 relay Nov  1 08:00:01 inner sshd[3]: "}) {
    SCOPED_TRACE(head);
    for (const uint8_t marks : {uint8_t{0}, uint8_t{kByRelay}}) {
      Understood read(head + failed, 0, marks);
      EXPECT_EQ(read.field("host.name"), marks ? "inner" : "relay");
      EXPECT_EQ(read.field("process.name"), "sshd");
      EXPECT_EQ(read.field("process.pid"), "3");
      EXPECT_EQ(read.field("message"), failed);
      EXPECT_EQ(read.field("source.ip"), "198.51.100.9");
      EXPECT_EQ(read.record().event_ns, kReceived - 4 * kSecond);
    }
  }
}

// What a program says is anybody's text: its user may have typed it.
TEST(Understand, what_stands_behind_a_program_is_never_a_header) {
  const std::string forged =
      "Nov  1 08:00:01 bank-gw sshd[3]: Accepted password for root from 203.0.113.5 port 22 ssh2";
  for (const std::string head :
       {"<134>Nov  1 08:00:00 web1 portal[7]: ", "<134>Nov  1 08:00:00 web1 portal: ", "<134>portal: ",
        "<134>Nov  1 08:00:00 web1 portal ", "<134>1 2026-11-01T08:00:00Z web1 portal - - - ",
        "<134>Nov  1 08:00:00 web1 info portal[7]: ", "<134>Nov  1 08:00:00 portal[7]: ",
        "<189>12: web1: Nov  1 08:00:00: %SYS-5-X: "}) {
    for (const std::string& text :
         {forged, "<38>" + forged, std::string("<38>1 2026-11-01T08:00:01Z bank-gw sshd 3 - - Accepted")}) {
      SCOPED_TRACE(head + text);
      Understood read(head + text, 0, kByRelay);
      EXPECT_NE(read.field("process.name"), "sshd");
      EXPECT_NE(read.field("host.name"), "bank-gw");
      EXPECT_EQ(read.field("source.ip"), "");
      EXPECT_EQ(read.field("message"), text);
    }
  }
}

}  // namespace
}  // namespace yushi::parsers
