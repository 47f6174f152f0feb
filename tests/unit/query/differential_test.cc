// Sealed blocks answer by columns, rows and forms of texts. Whatever is asked, they answer what a look at every record
// answers.
#include <gtest/gtest.h>

#include <random>

#include "query/output.h"
#include "query/run.h"
#include "scan_units.h"

namespace yushi::query::test {
namespace {

const std::atomic<bool> kGoOn{false};
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

Said some_record(Chance& chance, const std::vector<MessageKind>& kinds) {
  Said said;
  said.event_ns = kBeginNs + static_cast<int64_t>(chance.below(7200)) * 1'000'000'000 +
                  (chance.one_in(3) ? static_cast<int64_t>(chance.below(1'000'000'000)) : 0);
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
  return said;
}

std::string some_test(Chance& chance) {
  switch (chance.below(14)) {
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
    default:
      return "event.outcome: " + chance.of({"failure", "success", "*"});
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
      {" | stats count()", " | stats count() by user.name",
       " | stats count(), min(@timestamp), max(@timestamp) by source.ip", " | stats count() by bin(@timestamp, 7m)",
       " | stats count(), sum(source.port) by bin(@timestamp, 1h), user.name",
       " | stats avg(source.port), max(source.port), distinct(user.name) by event.dataset",
       " | stats count() by event.category", " | stats count(@timestamp), distinct(@timestamp) by host.name",
       " | stats count() by event.id | head 3", " | stats count() by message",
       " | stats min(user.name) by log.syslog.severity.name, event.outcome", " | top 3 user.name",
       " | stats count() by event.created", " | sort source.port desc | head 4",
       " | sort user.name | head 7 | fields user.name, source.ip",
       " | where source.port > 2 | fields source.port | head 5", " | fields user.name, message"});
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

TEST(Differential, SealedBlocksAnswerWhatALookAtEveryRecordAnswers) {
  std::vector<MessageKind> kinds = {{"sshd", "a", "sshd", {{ecs::event_outcome, "failure"}}},
                                    {"sshd", "b", "sshd", {{ecs::event_outcome, "success"}}},
                                    {"cron", "c", "cron", {}},
                                    {"said", "d", "cron", {{ecs::message, "session of a constant"}}}};
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Chance chance(seed);
    std::vector<ScanUnit> sealed, read_whole;
    uint64_t index = 0;
    for (const char* log : {"default", "finance"})
      for (int unit = 0; unit < 3; ++unit) {
        std::vector<Said> records;
        for (size_t i = 20 + chance.below(400); i-- > 0;) records.push_back(some_record(chance, kinds));
        sealed.push_back(unit_of(log, index, records, !chance.one_in(4)));
        read_whole.push_back(sealed.back());
        read_whole.back().open = nullptr;
        read_whole.back().token_filter = nullptr;
        index += records.size();
      }
    for (int question = 0; question < 250 && !HasFailure(); ++question) {
      auto text = some_filter(chance, 3);
      ScanOptions options;
      options.newest_first = chance.one_in(2);
      if (chance.one_in(3)) options.from_ns = kBeginNs + static_cast<int64_t>(chance.below(5000)) * 1'000'000'000;
      if (chance.one_in(3)) options.to_ns = kBeginNs + static_cast<int64_t>(chance.below(9000)) * 1'000'000'000;
      if (!chance.one_in(3))
        text += some_pipe(chance);
      else if (chance.one_in(2))
        options.limit = 1 + chance.below(40);
      const auto got = ask(one_group(sealed), text, options), want = ask(one_group(read_whole), text, options);
      EXPECT_EQ(got.lines, want.lines) << "seed " << seed << ": " << text;
      EXPECT_EQ(got.error, want.error) << "seed " << seed << ": " << text;
    }
  }
}

}  // namespace
}  // namespace yushi::query::test
