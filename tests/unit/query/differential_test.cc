// Sealed blocks answer by columns, rows and forms of texts. Whatever is asked, they answer what a look at every record
// answers.
#include <gtest/gtest.h>

#include <random>

#include "query/output.h"
#include "query/pipe/run.h"
#include "scan_units.h"
#include "tests/unit/data_sets.h"

namespace yushi::query::test {
namespace {

constexpr int64_t kBeginNs = 1'793'491'200'000'000'000;  // 2026-11-01

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  size_t below(size_t n) { return random_() % n; }
  bool one_in(size_t n) { return below(n) == 0; }
  std::string of(std::initializer_list<const char*> texts) { return texts.begin()[below(texts.size())]; }
  std::string number(size_t n) { return std::to_string(below(n)); }

 private:
  std::mt19937_64 random_;
};

std::string some_word(Chance& chance) {
  return chance.of({"Failed",
                    "password",
                    "accepted",
                    "session",
                    "SESSION",
                    "\u017fe\u017f\u017fion",
                    "opened",
                    "root",
                    "\u212aernel",
                    "kernel",
                    "\u5bc6\u7801\u9519\u8bef",
                    "Stra\u00dfe",
                    "\u00c4rger",
                    "x=1",
                    "[7]",
                    "\xff\xfe",
                    "Nov  1 08:00:00",
                    "a-b-c",
                    "sess",
                    "ion"});
}

std::string some_trace(Chance& chance) {
  const auto digits = [&](const char* form, size_t n) {
    char text[48];
    snprintf(text, sizeof text, form, static_cast<unsigned>(chance.below(n)));
    return std::string(text);
  };
  switch (chance.below(4)) {
    case 0:
      return digits("%08x", 5000);
    case 1:
      return digits("%05u", 400);
    case 2:
      return digits("0f8fad5b-d9cb-469f-a165-7086%08x", 1 << 30);
    default:
      return digits("x%u", 1 << 20);
  }
}

Said some_record(Chance& chance, const std::vector<MessageKind>& kinds) {
  Said said;
  said.event_ns = kBeginNs + static_cast<int64_t>(chance.below(7200)) * 1'000'000'000 +
                  (chance.one_in(3) ? static_cast<int64_t>(chance.below(1'000'000'000)) : 0);
  if (chance.one_in(40)) said.event_ns += static_cast<int64_t>(chance.below(700)) * 86'400'000'000'000;
  said.line = "<34>" + chance.of({"web-01", "web-02", "db-01"}) + " ";
  said.header = said.line.size();
  if (chance.one_in(3)) said.line += "session " + chance.of({"opened", "closed"}) + " for user ";
  for (size_t i = chance.below(4); i-- > 0;) said.line += some_word(chance) + " ";
  if (chance.one_in(2)) said.line += "id " + chance.number(1'000'000);
  if (!chance.one_in(3)) said.fields.push_back({"user.name", chance.of({"root", "alice", "Bob", "r00t"})});
  if (!chance.one_in(3)) said.fields.push_back({"source.ip", "10.0." + chance.number(2) + "." + chance.number(9)});
  if (chance.one_in(2)) said.fields.push_back({"source.port", chance.number(chance.one_in(2) ? 4 : 60'000)});
  if (chance.one_in(4)) said.fields.push_back({"json.note", some_word(chance)});
  if (chance.one_in(5)) said.fields.push_back({"message", some_word(chance)});
  if (chance.one_in(5)) said.fields.push_back({"event.category", chance.of({"iam", "session"})});
  if (chance.one_in(5)) said.fields.push_back({"event.category", chance.of({"iam", "file"})});
  if (!chance.one_in(4)) said.kind = &kinds[chance.below(kinds.size())];
  // Values of more kinds than names and numbers; of some there are more than fit into a byte.
  if (chance.one_in(2)) said.fields.push_back({"json.code", chance.number(300)});
  if (chance.one_in(3)) said.fields.push_back({chance.of({"json.trace", "json.span"}), some_trace(chance)});
  // What a kind or a priority says too.
  if (chance.one_in(12)) said.fields.push_back({"event.outcome", chance.of({"failure", "unknown"})});
  if (chance.one_in(12)) said.fields.push_back({"log.syslog.severity.name", chance.of({"error", "debug"})});
  if (chance.one_in(16)) said.fields.push_back({"log.syslog.priority", chance.of({"7", "no"})});
  if (chance.one_in(16)) said.fields.push_back({"event.dataset", chance.of({"cron", "none"})});
  const auto priority = chance.below(12);
  said.also = [priority](Record& record, Batch&) {
    if (priority < 8) record.priority = static_cast<uint16_t>(priority * 17);
  };
  return said;
}

// What few records have: what stands in no capture, what was written in escapes, what is no UTF-8.
Said some_odd_record(Chance& chance, const std::vector<MessageKind>& kinds, Charset charset) {
  auto said = some_record(chance, kinds);
  said.charset = charset;
  if (chance.one_in(6)) said.line += "\xc3\xdc\xc2\xeb ";  // GB 18030
  if (chance.one_in(6)) said.fields.push_back({"user.name", chance.of({"\xc3\xdc\xc2\xeb", "al\xff", "\u5bc6"})});
  if (chance.one_in(4)) said.fields.push_back({"event.start", chance.of({"Oct 31 08:00:00", "2026-11-01T08:00:00Z"})});
  if (chance.one_in(4)) said.fields.push_back({"process.executable", chance.of({"/usr/sbin/sshd", "/bin/su"})});
  if (chance.one_in(6)) said.fields.push_back({"process.name", chance.of({"su", "sudo", ""})});
  if (chance.one_in(5)) said.fields.push_back({"host.name", chance.of({"h1", "H2"})});
  if (chance.one_in(6)) said.fields.push_back({"url.original", chance.of({"/a?b=%41", "http://h.example/x.php"})});
  if (chance.one_in(6)) said.fields.push_back({"source.ip", chance.of({"fe80::1", "FE80:0::1", "none", ""})});
  if (chance.one_in(8)) said.fields.push_back({"json.note", chance.of({"7", "07", "7.0", ""})});
  if (chance.one_in(8)) said.tail = 1;
  const auto seed = chance.below(1 << 30);
  said.also = [seed, before = said.also](Record& record, Batch& batch) {
    Chance of(seed);
    before(record, batch);
    auto captures = std::vector<Capture>(record.captures.begin(), record.captures.end());
    for (Capture& capture : captures) {
      if (of.one_in(8)) capture.escape = static_cast<uint32_t>(of.below(static_cast<size_t>(kEscapeLast) + 1));
      if (capture.field->name == "json.note" && of.one_in(2))
        capture.field = batch.arena.make(Field{"json.note", FieldType::integer, kDynamicField, of.one_in(2)});
    }
    record.captures = batch.arena.copy(std::span<const Capture>(captures));
    auto* origin = batch.arena.make(Origin(*record.origin));
    origin->address = of.one_in(2) ? "192.0.2.1" : "192.0.2.2";
    origin->transport = of.one_in(2) ? Transport::tcp : Transport::udp;
    origin->received_ns = kBeginNs + static_cast<int64_t>(of.below(3)) * 1'000'000'000;
    if (of.one_in(2)) record.origin = origin;
    if (of.one_in(5)) record.event_ns = record.origin->received_ns;
    if (of.one_in(3)) record.priority = static_cast<uint16_t>(of.below(192));
    if (of.one_in(8)) record.marks = kTruncated;
    if (of.one_in(8)) record.marks = kHostUnconfirmed;
    if (of.one_in(8)) record.time_inferred = kYearInferred;
    if (of.one_in(9)) {
      record.part = 1;
      record.part_of = 3;
    } else if (of.one_in(9)) {
      record.part = 2;
      record.part_of = 3;
      record.message_begin = 0;
      record.message_length = static_cast<uint32_t>(record.raw.size());
      PartHead head;
      head.host = of.one_in(2) ? "web-01" : "";
      head.program = "sshd";
      head.event_ns = record.event_ns;
      head.priority = record.priority;
      record.part_head = of.one_in(3) ? nullptr : batch.arena.make(head);
    }
    if (of.one_in(12)) record.message_begin = static_cast<uint32_t>(of.below(record.raw.size()));
    if (of.one_in(12)) record.message_begin = record.message_length = 0;
    record.message_length =
        std::min(record.message_length, static_cast<uint32_t>(record.raw.size() - record.message_begin));
  };
  return said;
}

std::string some_test(Chance& chance) {
  switch (chance.below(27)) {
    case 0:
      return "user.name: " + chance.of({"root", "ALICE", "*o*", "r*t", "nobody", "*"});
    case 1:
      return "source.ip: " + chance.of({"10.0.0.0/29", "10.0.1.3", "10.0.0.0/8", "192.0.2.1"});
    case 2:
      return "source.port " + chance.of({">", "<", ">=", "<="}) + " " + chance.number(5);
    case 3:
      return chance.of({"session", "SESSION", "kernel", "failed", "root", "\u5bc6\u7801", "stra\u00dfe", "08"});
    case 4:
      return "\"" + chance.of({"session opened", "opened for user", "user root", "failed", "sess ion", "web-01"}) +
             "\"";
    case 5:
      return chance.of({"*ession*", "*ailed*", "sess*", "*el", "*\u9519*", "*r\u00e4*", "*rger*", "*7*", "*77*", "99*",
                        "12*", "*.1.*", "*01t08*"});
    case 6:
      return "message: " + chance.of({"*ession*", "session", "kernel", "\"for user\"", "iam", "web*"});
    case 7:
      return "message ~ /" +
             chance.of({"session (opened|closed) for", "(?i)SESSION", "for user [^ ]* ?r", "^id", "kernel|password",
                        "\u5bc6\u7801", "id [0-9]+", "."}) +
             "/";
    case 8:
      return "event.original ~ /" + chance.of({"^<34>web", "db-01 session", "root$", "08:00"}) + "/";
    case 9:
      return "event.dataset: " + chance.of({"sshd", "cron", "none"});
    case 10:
      return "@timestamp " + chance.of({"<", ">="}) + " \"2026-11-01T0" + chance.number(2) + ":" + chance.number(5) +
             "0:00Z\"";
    case 11:
      return "event.category: " + chance.of({"iam", "session", "*"});
    case 12:
      return "event.id: " + chance.of({"\"default/7\"", "\"default/100\"", "*"});
    case 13:
      return "event.start " + chance.of({"<", ">="}) + " \"2026-11-01T08:00:00Z\"";
    case 14:
      return "process.name: " + chance.of({"sshd", "su*", "su", "*"});
    case 15:
      return "log.source.address: " + chance.of({"192.0.2.1", "*"}) + " or yushi.transport: udp";
    case 16:
      return chance.of({"yushi.part >= 2", "yushi.truncated: true", "yushi.host_unconfirmed: true",
                        "yushi.time.inferred: year", "log.syslog.severity.name: err*", "log.syslog.priority > 100",
                        "host.name: web*", "related.user: root", "related.ip: \"fe80::1\"", "yushi.url.decoded: *A",
                        "url.domain: *", "yushi.raw_base64: *", "event.created > \"2026-11-01T08:00:01Z\""});
    case 17:
      return "json.note: " + chance.of({"7", "\"07\"", "*", "7.0"});
    case 18:
      return chance.of({"message: *\ufffd*", "message ~ /\ufffd\ufffd/", "*\u5bc6\u7801*", "user.name: \u5bc6*",
                        "message ~ /(?i)KERNEL/", "message ~ /(?i)S{2}ion/", "*ssion*", "message ~ /^$/",
                        "message ~ //", "message ~ /(session|)/", "message ~ /\\bfor\\b/",
                        "event.original ~ /\\x{212a}ernel/", "message ~ /(?i)stra\u00dfe/", "*tra?e*", "?ession",
                        "message: ?ession*", "message ~ /sess.*(root|ice)$/", "message ~ /[^a-z]ession/"});
    case 19:
      return "message: " + chance.of({"(session or kernel)", "(id and session)", "\"session *\"", "*"});
    case 20:
      return "event.original: " + chance.of({"*session*", "root", "\"db-01\""});
    case 21:
      return chance.of({"log.syslog.severity.code <= 3", "log.syslog.severity.name: (error or debug)",
                        "log.syslog.facility.code > 4", "log.syslog.facility.name: auth*", "log.syslog.priority: *",
                        "log.syslog.priority < 60", "log.syslog.severity.name ~ /^(err|warn)/"});
    case 22:
      return "event.category: " + chance.of({"(iam and file)", "configuration", "conf*", "(session or file)"});
    case 23:
      return chance.of({"event.action: *", "event.action: ran", "event.action ~ /^r/", "json.fixed: 7",
                        "json.fixed > 6", "json.fixed: *", "source.port: 22", "source.ip: \"10.9.0.0/16\"",
                        "json.none: *", "json.none: x", "event.start: *", "event.start < \"2026-10-01T00:00:00Z\""});
    case 24:
      return chance.of({"json.code > 150", "json.code: 7", "json.code: 29*", "json.trace: 0000*",
                        "json.trace ~ /^x[0-4]/", "json.span: *f8fad*", "json.span > json.code", "json.span: *",
                        "json.trace: 0012?"});
    case 25:
      return "host.name: " + chance.of({"web-01", "H2", "*"});
    default:
      return "event.outcome: " + chance.of({"failure", "success", "unknown", "*"});
  }
}

std::string some_filter(Chance& chance, int depth) {
  if (depth == 0 || chance.one_in(3)) return some_test(chance);
  const auto left = some_filter(chance, depth - 1), right = some_filter(chance, depth - 1);
  switch (chance.below(4)) {
    case 0:
      return "(" + left + " or " + right + ")";
    case 1:
      return "not " + (left.starts_with("not") ? "(" + left + ")" : left);
    default:
      return "(" + left + " and " + right + ")";
  }
}

std::string some_pipe(Chance& chance) {
  return chance.of(
      {" | stats count()",
       " | stats count() by user.name",
       " | stats count(), min(@timestamp), max(@timestamp) by source.ip",
       " | stats count() by bin(@timestamp, 7m)",
       " | stats count(), sum(source.port) by bin(@timestamp, 1h), user.name",
       " | stats avg(source.port), max(source.port), distinct(user.name) by event.dataset",
       " | stats count() by event.category",
       " | stats count(@timestamp), distinct(@timestamp) by host.name",
       " | stats count() by event.id | head 3",
       " | stats count() by message",
       " | stats min(user.name) by log.syslog.severity.name, event.outcome",
       " | top 3 user.name",
       " | stats count() by event.created",
       " | stats count() by yushi.part, log.source.address",
       " | stats count(), max(@timestamp) by process.name, bin(@timestamp, 1d)",
       " | stats min(event.start), max(event.start), count(event.start) by yushi.transport",
       " | stats count(), min(json.note), distinct(json.note), sum(json.note) by json.note",
       " | stats count(), min(@timestamp) by yushi.time.inferred, yushi.truncated, log.syslog.priority",
       " | stats distinct(source.ip), min(source.ip), max(event.id) by source.ip, bin(@timestamp, 13s)",
       " | stats count() by related.user",
       " | stats count() by host.name | sort host.name | head 3",
       " | sort @timestamp desc, user.name | head 6 | fields @timestamp, event.id, json.note",
       " | sort event.start | fields event.start, process.name",
       " | head 5 | fields yushi.part, host.name, event.id",
       " | fields message, user.name | sort message | head 4",
       " | sort source.port desc | head 4",
       " | sort user.name | head 7 | fields user.name, source.ip",
       " | where source.port > 2 | fields source.port | head 5",
       " | stats count() by event.category, event.outcome",
       " | stats count(), distinct(json.trace), min(json.span) by json.code | head 50",
       " | stats count(), max(json.code) by json.trace, user.name | sort count() desc, json.trace | head 20",
       " | stats distinct(json.code), max(@timestamp) by json.span, event.dataset | head 30",
       " | stats count(), max(event.category), min(log.syslog.severity.name) by event.action, json.fixed",
       " | stats count() by json.fixed, log.syslog.facility.name | sort json.fixed | head 9",
       " | stats min(event.start), max(event.start)",
       " | stats count() by bin(event.start, 1d), event.outcome",
       " | stats distinct(event.category), sum(source.port), avg(log.syslog.severity.code) by event.dataset",
       " | stats count(), min(user.name), max(source.ip) by host.name",
       " | fields event.category, event.outcome, log.syslog.priority, json.fixed, user.name | head 30",
       " | sort event.category, event.id | head 8 | fields event.category, event.action, event.start",
       " | fields user.name, message"});
}

struct Answer {
  std::vector<std::string> lines;
  std::string error;
  bool operator==(const Answer&) const = default;
};

Answer ask(const std::vector<UnitGroup>& groups, const std::string& text, const ScanOptions& options) {
  Answer out;
  auto query = Query::parse(text, QueryClock{});
  EXPECT_TRUE(query) << text << "\n" << query.error().message;
  if (!query) return out;
  if (query->is_plain()) {
    auto report = scan(
        groups, query->filter, options,
        [](const Record& record, Scratch&, std::string& to) {
          to = std::to_string(record.event_ns) + std::string(record.raw);
        },
        [&](ScanHit&& hit) {
          out.lines.push_back(std::to_string(hit.key.index) + hit.rendered);
          return true;
        },
        kGoOn);
    EXPECT_TRUE(report && report->is_complete()) << text;
    return out;
  }
  auto answer = run_pipe(*query, groups, options, kGoOn);
  if (!answer) {
    out.error = answer.error().message;
    return out;
  }
  EXPECT_TRUE(answer->report.is_complete()) << text;
  for (auto& row : answer->table.rows) out.lines.push_back(render_json_row(answer->table, row));
  return out;
}

class Differential : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Differential, testing::Range<uint64_t>(1, 7));

// A question's memory is looked after in some of them as well as in all.
constexpr size_t kQuestions = yushi::test::kOneOf == 1 ? 250 : 80;

TEST_P(Differential, SealedBlocksAnswerWhatALookAtEveryRecordAnswers) {
  const Field fixed{"json.fixed", FieldType::integer, kDynamicField, false};
  std::vector<MessageKind> kinds = {{"sshd", "a", "sshd", {{ecs::event_outcome, "failure"}}},
                                    {"sshd", "b", "sshd", {{ecs::event_outcome, "success"}}},
                                    {"cron", "c", "cron", {}},
                                    {"said", "d", "cron", {{ecs::message, "session of a constant"}}},
                                    {"audit",
                                     "e",
                                     "",
                                     {{ecs::event_category, "iam"},
                                      {ecs::event_category, "configuration"},
                                      {find_field("event.action"), "ran"},
                                      {ecs::event_outcome, "success"}}},
                                    {"audit",
                                     "f",
                                     "none",
                                     {{find_field("user.name"), "root"},
                                      {find_field("source.ip"), "10.9.1.1"},
                                      {find_field("source.port"), "22"},
                                      {&fixed, "7"}}}};
  const uint64_t seed = GetParam();
  Chance chance(seed);
  const bool is_odd = seed % 2 == 0;
  std::vector<ScanUnit> sealed, read_whole;
  uint64_t index = 0;
  for (const char* log : {"default", "finance"})
    for (int unit = 0; unit < 3; ++unit) {
      std::vector<Said> records;
      const size_t count = 20 + chance.below(chance.one_in(8) ? 3000 : 400);
      // The tenant's charset may have changed within a block.
      const size_t gb_from = chance.one_in(4) ? chance.below(count) : count;
      for (size_t i = 0; i < count; ++i)
        records.push_back(is_odd ? some_odd_record(chance, kinds, i < gb_from ? Charset::utf8 : Charset::gb18030)
                                 : some_record(chance, kinds));
      sealed.push_back(unit_of(log, index, records, !chance.one_in(4)));
      read_whole.push_back(sealed.back());
      read_whole.back().open = nullptr;
      read_whole.back().token_filter = nullptr;
      index += records.size();
    }
  for (size_t question = 0; question < kQuestions && !HasFailure(); ++question) {
    auto text = some_filter(chance, 3);
    ScanOptions options;
    options.newest_first = chance.one_in(2);
    if (chance.one_in(3)) options.from_ns = kBeginNs + static_cast<int64_t>(chance.below(5000)) * 1'000'000'000;
    if (chance.one_in(3)) options.to_ns = kBeginNs + static_cast<int64_t>(chance.below(9000)) * 1'000'000'000;
    if (!chance.one_in(3))
      text += some_pipe(chance);
    else if (chance.one_in(2))
      options.limit = 1 + chance.below(40);
    const bool is_plain = text.find(" | ") == text.npos;
    if (is_plain && chance.one_in(3))
      options.begin = RecordKey{kBeginNs + static_cast<int64_t>(chance.below(7200)) * 1'000'000'000,
                                chance.of({"default", "finance"}), chance.below(index + 1)};
    const auto want = ask(one_group(read_whole), text, options);
    // Then with less room than what waits needs.
    if (is_plain && chance.one_in(2)) options.bytes_max = (index * 8) << chance.below(6);
    const auto got = ask(one_group(sealed), text, options);
    EXPECT_EQ(got.lines, want.lines) << "seed " << seed << ": " << text;
    EXPECT_EQ(got.error, want.error) << "seed " << seed << ": " << text;
  }
}

}  // namespace
}  // namespace yushi::query::test
