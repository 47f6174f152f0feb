// The path of a record from deliver() into a real Store: order, back-pressure, reload, books and stop. Run under the
// thread sanitizer too.
#include "daemon/pipeline.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/clock.h"
#include "daemon/watchdog.h"
#include "detect/behaviours/detectors.h"
#include "query/scan/parser_versions.h"
#include "storage/read/record_reader.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::daemon {
using namespace storage::test;
namespace {

using Json = nlohmann::json;

const std::vector<std::string> kLogNames = {"default", "_audit", "finance", "health"};
constexpr LogId kTenants[] = {0, 2, 3};

// Of the second version the field has another value: which version understood a record can be seen from its fields.
constexpr const char* kOtherParser = R"(
name: sshd
match: {app: [sshd]}
fields: {event.category: [authentication]}
patterns:
  - name: failed-password
    grok: 'Failed password for %{USER:user.name} from %{IP:source.ip} port %{INT:source.port} ssh2'
    fields: {event.outcome: failure, event.action: second-version}
tests:
  - line: 'Failed password for root from 10.0.0.1 port 4242 ssh2'
    expect: {user.name: root, event.action: second-version}
  - {line: 'Failed passwords seen', expect: none}
)";

constexpr const char* kRule = R"(
title: A marked user failed
id: 00000000-0000-4000-8000-000000000001
logsource: {product: yushi, service: sshd}
detection:
  marked: {user.name: marked}
  condition: marked
level: high
)";

std::shared_ptr<const Loaded> load(const char* parser, std::vector<detect::RuleFile> rules) {
  auto loaded = std::make_shared<Loaded>();
  auto parsers = parsers::ParserSet::load({{"sshd.yaml", "sshd.yaml", parser}});
  EXPECT_TRUE(parsers) << parsers.error().message;
  loaded->parsers = *parsers;
  auto set = detect::RuleSet::load(std::move(rules));
  EXPECT_TRUE(set) << set.error().message;
  loaded->rules = *set;
  for (size_t i = 0; i < kLogNames.size(); ++i) {
    loaded->readings.emplace_back();
    loaded->contexts.push_back(std::make_shared<const storage::ParseContext>(
        storage::ParseContext{(*parsers)->digest(), "UTC", "utf-8", parsers::kParserEngine}));
  }
  return loaded;
}

struct Message {
  LogId log_id;
  std::string source, raw;
};

std::unique_ptr<Batch> batch_of(const std::vector<Message>& messages) {
  auto batch = std::make_unique<Batch>();
  for (auto& m : messages) {
    Origin origin;
    // the pipeline's own clock: a block of older records would be sealed for its age
    origin.received_ns = realtime_ns();
    origin.source = origin.address = batch->arena.copy(m.source);
    origin.log_id = m.log_id;
    Record record;
    record.raw = batch->arena.copy_padded(m.raw);
    record.origin = batch->arena.make(origin);
    batch->records.push_back(record);
    batch->bytes += m.raw.size();
    batch->notes.push_back({Note::Kind::messages, m.log_id, origin.source, "tcp", 1});
  }
  return batch;
}

std::string failed(const std::string& user, int number) {
  return "<38>1 2026-11-01T08:00:00.000123Z host sshd " + std::to_string(number) + " - - Failed password for " + user +
         " from 10.0.0.1 port 4242 ssh2";
}

// Tells each tick since a log's newest event of user `ticking`, by number.
class CountedTicks final : public detect::Detector {
 public:
  bool wants(const detect::EventKind&) const override { return true; }
  void observe(const detect::Event& event, std::vector<detect::Finding>&) override {
    if (event.record.raw.find("ticking") != std::string_view::npos)
      logs_[std::string(event.log)] = {event.record.index, 0};
  }
  void tick(const detect::Tick&, std::vector<detect::Finding>& findings) override {
    static constexpr detect::FindingKind kKind{"toy.tick", "A tick", 1, ""};
    for (auto& [log, seen] : logs_) {
      detect::Finding finding;
      finding.kind = &kKind;
      finding.log = log;
      finding.key = std::to_string(++seen.ticks);
      finding.records = {seen.index};
      findings.push_back(std::move(finding));
    }
  }
  void save(std::string& out) const override {
    put_varint(out, logs_.size());
    for (auto& [log, seen] : logs_) {
      put_text(out, log);
      put_varint(out, seen.index);
      put_varint(out, seen.ticks);
    }
  }
  bool load(Reader& in) override {
    for (auto left = in.varint(); left > 0 && in.ok(); --left) {
      auto& seen = logs_[std::string(in.text())];
      seen.index = in.varint();
      seen.ticks = in.varint();
    }
    return in.ok();
  }

 private:
  struct Seen {
    uint64_t index = 0, ticks = 0;
  };
  std::map<std::string, Seen> logs_;
};
const detect::AddDetector kCountedTicks{
    {"toy-ticks", "Each tick", 1, [](const detect::Surroundings&) -> std::unique_ptr<detect::Detector> {
       return std::make_unique<CountedTicks>();
     }}};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest() : first_(load(kParser, {})), second_(load(kOtherParser, {{"marked.yml", "marked.yml", kRule}})) {
    versions_->add(first_->parsers);
    versions_->add(second_->parsers);
  }

  storage::StoreOptions store_options() const {
    storage::StoreOptions out;
    out.data_dir = folder_.path();
    out.node = "log-01";
    out.reparse = versions_->as_function();
    out.own_context = first_->contexts.at(storage::kAuditLogId);
    return out;
  }

  void open(PipelineOptions options = {}) {
    auto opened = storage::Store::open(store_options());
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    for (auto log : kTenants) ASSERT_EQ(log, log == 0 ? LogId{0} : store_->log(kLogNames[log], 0).value());
    keep_version(*first_);
    options.ingest_threads = 2;
    if (options.disk_reserve_bytes == PipelineOptions().disk_reserve_bytes) options.disk_reserve_bytes = 0;
    if (options.commit_interval_ns == PipelineOptions().commit_interval_ns) options.commit_interval_ns = 1'000'000;
    pipeline_ = std::make_unique<Pipeline>(*store_, first_, options);
    pipeline_->on_failure = [](const Error& error) { ADD_FAILURE() << error.message; };
    pipeline_->call_on_commit([this] { commits_ += 1; });
    auto started = pipeline_->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  // As the daemon does on SIGHUP: the files first, then the switch.
  void reload(const std::shared_ptr<const Loaded>& loaded) {
    keep_version(*loaded);
    pipeline_->reload(loaded);
  }
  void keep_version(const Loaded& loaded) {
    auto kept = store_->keep_parsers(loaded.parsers->digest(), query::encode_parser_files(*loaded.parsers));
    ASSERT_TRUE(kept) << kept.error().message;
  }

  void stop_and_close() {
    auto stopped = pipeline_->stop();
    ASSERT_TRUE(stopped) << stopped.error().message;
    auto closed = store_->close(kReceived);
    ASSERT_TRUE(closed) << closed.error().message;
    pipeline_.reset();
    store_.reset();
  }

  // All records of a log, by calling visit in index order.
  template <class Visit>
  void read(const std::string& log, Visit visit) {
    auto view = storage::test::open_view(folder_.path(), versions_->as_function());
    ASSERT_TRUE(view) << view.error().message;
    auto segments = (*view)->segments(log);
    ASSERT_TRUE(segments) << segments.error().message;
    uint64_t next = 0;
    for (auto& segment : *segments) {
      auto batch = (*view)->read(segment);
      ASSERT_TRUE(batch) << batch.error().message;
      for (auto& record : (*batch)->records) {
        EXPECT_EQ(record.index, next++) << log;
        visit(record);
      }
    }
  }
  std::vector<Json> audit() {
    std::vector<Json> out;
    read("_audit", [&](const Record& record) { out.push_back(Json::parse(record.raw)); });
    return out;
  }
  // Each that is in the index of alerts, as its own record in `_audit` has it.
  std::vector<Alert> alerts() {
    std::vector<Alert> out;
    auto view = storage::test::open_view(folder_.path(), versions_->as_function());
    if (!view) ADD_FAILURE() << view.error().message;
    if (!view) return out;
    storage::RecordReader reader(**view);
    auto visited = (*view)->each_alert(0, false, [&](uint64_t index, auto& entry) {
      auto record = reader.read("_audit", index);
      auto alert = record ? alert_of((*record)->raw) : std::nullopt;
      EXPECT_TRUE(alert) << index;
      if (!alert) return true;
      EXPECT_TRUE(entry && *entry == storage::AlertEntry::of(*alert)) << index;
      out.push_back(std::move(*alert));
      return true;
    });
    EXPECT_TRUE(visited);
    return out;
  }
  // What all minutes together say was committed of each source is what stands in the logs; returned.
  std::map<std::string, uint64_t> expect_books_balance(std::map<std::string, uint64_t>* messages = nullptr) {
    std::map<std::string, uint64_t> committed, stored;
    uint64_t of_nodes = 0, all = 0;
    for (auto& record : audit()) {
      auto& ledger = record["yushi"]["ledger"];
      if (record["event"]["action"] == "ledger-node") of_nodes += ledger["committed"].get<uint64_t>();
      if (record["event"]["action"] != "ledger-sources") continue;
      auto tenant = record["yushi"]["tenant"].get<std::string>();
      if (tenant == "_audit") continue;
      for (auto& row : ledger["sources"]) {
        auto source = tenant + "/" + row["source"].get<std::string>();
        committed[source] += row["committed"].get<uint64_t>();
        if (messages) (*messages)[source] += row.value("messages", uint64_t{0});
      }
    }
    for (LogId tenant : kTenants) {
      read(kLogNames[tenant],
           [&](const Record& r) { stored[kLogNames[tenant] + "/" + std::string(r.origin->source)] += 1; });
    }
    for (auto& [source, records] : stored) all += records;
    EXPECT_EQ(committed, stored);
    EXPECT_EQ(of_nodes, all);
    return stored;
  }
  std::string contradictions_of_all() {
    auto view = storage::test::open_view(folder_.path(), versions_->as_function());
    auto key = SigningKey::load(folder_.path() + "/keys/node.pem");
    if (!view || !key) return "cannot be opened";
    audit::VerifyOptions options;
    options.public_key = key->public_bytes();
    options.heads_path = folder_.path() + "/heads";
    auto report = audit::verify_store(**view, options, [](auto, auto, auto) { return true; });
    if (!report) return report.error().message;
    std::string out;
    for (auto& flaw : report->flaws) out += flaw.log + " | " + flaw.place + " | " + flaw.what + "\n";
    return out;
  }

  Folder folder_;
  std::shared_ptr<const Loaded> first_, second_;
  std::shared_ptr<query::ParserVersions> versions_ = std::make_shared<query::ParserVersions>();
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<uint64_t> commits_{0};
};

// Two ingest threads; each has two connections of each tenant. A connection is known by its source.
constexpr int kConnections = 2;
std::string source_of(int thread, LogId tenant, int connection) {
  return "10." + std::to_string(thread) + "." + std::to_string(tenant) + "." + std::to_string(connection);
}

void send_rounds(Pipeline& pipeline, int thread, int rounds, int messages,
                 std::atomic<uint64_t>* most_in_flight = nullptr) {
  std::map<std::string, int> next;
  for (int round = 0; round < rounds; ++round) {
    for (LogId tenant : kTenants) {
      for (int connection = 0; connection < kConnections; ++connection) {
        auto source = source_of(thread, tenant, connection);
        std::vector<Message> batch;
        for (int i = 0; i < messages; ++i) {
          auto number = next[source]++;
          batch.push_back(
              {tenant, source, number % 5 ? failed("root", number) : "no header, number " + std::to_string(number)});
        }
        pipeline.deliver(static_cast<unsigned>(thread), batch_of(batch));
        if (most_in_flight) {
          uint64_t now = pipeline.counters().in_flight_bytes, most = *most_in_flight;
          while (now > most && !most_in_flight->compare_exchange_weak(most, now)) {
          }
        }
      }
    }
  }
}

// The records of each connection are all there, once, in the order in which they were delivered.
template <class Test>
void expect_all_in_order(Test& test, int numbers) {
  for (LogId tenant : kTenants) {
    std::map<std::string, int> next;
    test.read(kLogNames[tenant], [&](const Record& record) {
      std::string source(record.origin->source);
      auto number = next[source]++;
      EXPECT_EQ(record.source_seq, static_cast<uint64_t>(number)) << source;
      EXPECT_EQ(record.raw, number % 5 ? failed("root", number) : "no header, number " + std::to_string(number))
          << source;
    });
    ASSERT_EQ(next.size(), 2u * kConnections) << kLogNames[tenant];
    for (auto& [source, count] : next) EXPECT_EQ(count, numbers) << source;
  }
}

class InOrder : public PipelineTest {
 public:
  using PipelineTest::read;
};

TEST_F(InOrder, TwoThreadsDeliverForThreeTenantsAndEachConnectionKeepsItsOrder) {
  open();
  std::thread other([&] { send_rounds(*pipeline_, 1, 20, 30); });
  send_rounds(*pipeline_, 0, 20, 30);
  other.join();
  stop_and_close();
  expect_all_in_order(*this, 20 * 30);
  EXPECT_EQ(contradictions_of_all(), "");
  EXPECT_GT(commits_, 0u);
}

TEST_F(InOrder, ADatagramBatchOfSeveralTenantsGoesToTheLogOfEach) {
  open();
  std::vector<Message> mixed;
  for (int i = 0; i < 300; ++i)
    mixed.push_back({kTenants[i % 3], "10.0.0." + std::to_string(i % 2), std::to_string(i)});
  pipeline_->deliver(0, batch_of(mixed));
  stop_and_close();
  for (int t = 0; t < 3; ++t) {
    int expected = t;
    read(kLogNames[kTenants[t]], [&](const Record& record) {
      EXPECT_EQ(record.raw, std::to_string(expected));
      expected += 3;
    });
    EXPECT_EQ(expected, 300 + t);
  }
}

TEST_F(InOrder, ATinyLimitOfWhatIsInFlightSlowsDownAndLosesNothing) {
  PipelineOptions options;
  options.in_flight_bytes = 1;  // one batch at a time
  open(options);
  std::atomic<uint64_t> most{0};
  std::thread other([&] { send_rounds(*pipeline_, 1, 5, 10, &most); });
  send_rounds(*pipeline_, 0, 5, 10, &most);
  other.join();
  // No more than one batch was ever in flight: understood, one of ten records takes some tens of KB.
  EXPECT_LT(most, 200'000u);
  stop_and_close();
  expect_all_in_order(*this, 5 * 10);
  EXPECT_EQ(contradictions_of_all(), "");
}

TEST_F(InOrder, AReloadInBetweenLosesNothingAndEachRecordKeepsTheFieldsOfItsVersion) {
  open();
  std::atomic<bool> done{false};
  std::thread reloading([&] {
    for (int i = 0; !done; ++i) {
      reload(i % 2 ? first_ : second_);
      std::this_thread::yield();
    }
  });
  // What the API's threads do meanwhile.
  std::thread asking([&] {
    uint64_t seen = 0;
    while (!done) {
      pipeline_->tell(own_record("asked", "asked"));
      auto signed_now = pipeline_->sign_now();
      EXPECT_TRUE(signed_now) << signed_now.error().message;
      auto commit = pipeline_->wait_commit(seen, 20);
      EXPECT_GE(commit, seen);
      seen = commit;
    }
  });
  std::thread other([&] { send_rounds(*pipeline_, 1, 20, 20); });
  send_rounds(*pipeline_, 0, 20, 20);
  other.join();
  done = true;
  reloading.join();
  asking.join();
  EXPECT_EQ(store_->counters().blocks_sealed, 0u) << "a reload seals nothing";
  stop_and_close();
  expect_all_in_order(*this, 20 * 20);
  // verify parses each record again with the version that its block names, and compares the fields.
  EXPECT_EQ(contradictions_of_all(), "");
}

TEST_F(PipelineTest, AfterAReloadRecordsHaveTheFieldsOfTheNewVersion) {
  open();
  pipeline_->deliver(0, batch_of({{0, "10.0.0.1", failed("root", 0)}}));
  reload(second_);
  pipeline_->deliver(0, batch_of({{0, "10.0.0.1", failed("root", 1)}}));
  pipeline_->deliver(1, batch_of({{0, "10.0.0.2", failed("root", 2)}}));
  stop_and_close();
  std::vector<std::string> actions;
  Scratch scratch;
  read("default", [&](const Record& record) {
    std::string action = "none";
    for_each_field(record, scratch, [&](const Field& field, const Value& value) {
      if (field.name == "event.action") action = value.text;
    });
    actions.push_back(action);
  });
  EXPECT_EQ(actions, (std::vector<std::string>{"none", "second-version", "second-version"}));
}

TEST_F(PipelineTest, ARuleThatARecordMatchesGivesAnAlertInAuditThatNamesTheRecord) {
  open();
  pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("marked", 0)}}));
  // Committed under the first version: nothing there to match it with.
  auto committed = pipeline_->sign_now();
  ASSERT_TRUE(committed) << committed.error().message;
  reload(second_);
  pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("root", 1)}, {2, "10.0.0.1", failed("marked", 2)}}));
  stop_and_close();
  std::vector<Json> found;
  for (auto& record : audit()) {
    if (record["event"]["kind"] == "alert" && record["rule"]["id"] == "00000000-0000-4000-8000-000000000001")
      found.push_back(record);
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["yushi"]["alert"]["records"], Json::array({"finance/2"}));
  bool listed = false;
  for (auto& alert : alerts()) listed = listed || alert.rule_id == found[0]["rule"]["id"];
  EXPECT_TRUE(listed);
}

TEST_F(PipelineTest, TheBooksOfAllMinutesTogetherBalanceWithTheLogs) {
  open();
  std::thread other([&] { send_rounds(*pipeline_, 1, 10, 10); });
  send_rounds(*pipeline_, 0, 10, 10);
  other.join();
  stop_and_close();
  std::map<std::string, uint64_t> messages;
  auto stored = expect_books_balance(&messages);
  EXPECT_EQ(stored.size(), 12u);
  EXPECT_EQ(messages, stored);
}

TEST_F(PipelineTest, AMinuteThatACrashKeptFromBeingBookedIsBookedAtTheNextStart) {
  open();
  // the start has ended the minute before; what comes now falls into one that is open
  ASSERT_TRUE(pipeline_->sign_now());
  send_rounds(*pipeline_, 0, 3, 10);
  ASSERT_TRUE(pipeline_->sign_now());  // all of it is synced
  Folder crashed;
  std::filesystem::copy(folder_.path(), crashed.path(), std::filesystem::copy_options::recursive);
  stop_and_close();
  std::filesystem::remove_all(folder_.path());
  std::filesystem::copy(crashed.path(), folder_.path(), std::filesystem::copy_options::recursive);

  open();
  send_rounds(*pipeline_, 0, 2, 10);
  stop_and_close();
  open();  // after a clean stop nothing is left to be booked
  stop_and_close();
  expect_books_balance();
  int after_crash = 0;
  for (auto& record : audit()) {
    if (record["event"]["action"] == "ledger-sources")
      after_crash += record["yushi"]["ledger"].contains("before_crash");
  }
  EXPECT_EQ(after_crash, 3);  // one for each tenant
}

TEST_F(PipelineTest, EachMinuteBeginsWhereTheOneBeforeEndedOverARestartToo) {
  for (int run = 0; run < 2; ++run) {
    open();
    stop_and_close();
  }
  std::string end;
  int nodes = 0;
  for (auto& record : audit()) {
    if (record["event"]["action"] != "ledger-node") continue;
    EXPECT_EQ(record["event"].value("start", ""), end);
    end = record["event"]["end"];
    nodes += 1;
  }
  EXPECT_GE(nodes, 2);
}

TEST_F(PipelineTest, WhatWasToldIsInAuditAfterStop) {
  open();
  for (int i = 0; i < 10; ++i) pipeline_->tell(own_record("told", "told " + std::to_string(i)));
  stop_and_close();
  int next = 0;
  for (auto& record : audit()) {
    if (record["event"]["action"] == "told") {
      EXPECT_EQ(record["message"], "told " + std::to_string(next++));
    }
  }
  EXPECT_EQ(next, 10);
}

// As a later yushid leaves it: collecting goes on, and what is learned anew stands in `_audit`.
TEST_F(PipelineTest, ADetectorsStateOfALaterVersionIsLeftOutAndTold) {
  open();
  pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("root", 0)}}));
  stop_and_close();
  auto opened = storage::Store::open(store_options());
  ASSERT_TRUE(opened) << opened.error().message;
  auto state = (*opened)->read_state("detect-5");
  ASSERT_TRUE(state) << state.error().message;
  const auto version = state->find("yushi-detect-5");
  ASSERT_NE(version, std::string::npos);
  (*state)[version + 13] = '6';
  auto commit = (*opened)->begin();
  commit.put_state("detect-5", *state);
  auto written = commit.finish();
  ASSERT_TRUE(written) << written.error().message;
  ASSERT_TRUE((*opened)->close(kReceived));
  opened->reset();

  open();
  pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("root", 1)}}));
  stop_and_close();
  open();  // and is known from then on
  stop_and_close();
  int told = 0;
  for (auto& record : audit()) told += record["event"]["action"] == "detectors-learn-anew";
  EXPECT_EQ(told, 1);
  size_t records = 0;
  read("finance", [&](const Record&) { records += 1; });
  EXPECT_EQ(records, 2u);
}

// Which the saved state does not know, and of which no record tells.
TEST_F(PipelineTest, WhatATickFoundBeforeACrashIsKnownBehindIt) {
  open();
  pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("ticking", 0)}}));
  const auto wait_for_ticks = [&](uint64_t ticks) {
    const auto before = pipeline_->counters().alerts.load();
    for (int i = 0; i < 200 && pipeline_->counters().alerts < before + ticks; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_GE(pipeline_->counters().alerts, before + ticks);
  };
  wait_for_ticks(3);
  ASSERT_TRUE(pipeline_->sign_now());
  Folder crashed;
  std::filesystem::copy(folder_.path(), crashed.path(), std::filesystem::copy_options::recursive);
  stop_and_close();
  std::filesystem::remove_all(folder_.path());
  std::filesystem::copy(crashed.path(), folder_.path(), std::filesystem::copy_options::recursive);

  open();
  wait_for_ticks(2);
  stop_and_close();
  uint64_t next = 1;
  for (auto& alert : alerts()) {
    if (alert.rule_id != "toy.tick") continue;
    EXPECT_EQ(alert.key, std::to_string(next++)) << "each tick is told once";
    EXPECT_EQ(alert.records, (std::vector<RecordId>{{"finance", 0}}));
  }
  EXPECT_GE(next, 6u);
}

TEST_F(PipelineTest, StopWithNothingSentLeavesAStoreThatHolds) {
  open();
  stop_and_close();
  EXPECT_EQ(contradictions_of_all(), "");
  open();  // and goes on
  pipeline_->deliver(0, batch_of({{0, "10.0.0.1", "after a restart"}}));
  stop_and_close();
  int found = 0;
  read("default", [&](const Record& record) { found += record.raw == "after a restart"; });
  EXPECT_EQ(found, 1);
  EXPECT_EQ(contradictions_of_all(), "");
}

TEST_F(PipelineTest, OnAFullDiskTheStagesThatWaitAreNotTakenForHung) {
  PipelineOptions options;
  options.disk_reserve_bytes = uint64_t{1} << 62;
  options.in_flight_bytes = 1;
  open(options);
  std::thread input([&] {
    pipeline_->ingest_pulse(0).step();
    for (int i = 0; i < 2; ++i) pipeline_->deliver(0, batch_of({{0, "10.0.0.1", failed("root", i)}}));
    pipeline_->ingest_pulse(0).rest();
  });
  while (!pipeline_->counters().disk_full || pipeline_->counters().in_flight_bytes == 0) std::this_thread::yield();
  Watchdog watchdog;
  watchdog.watch("the committer", store_->pulse());
  watchdog.watch("the sealer", store_->sealer_pulse());
  watchdog.watch("ingest thread 0", pipeline_->ingest_pulse(0));
  for (int beats = 0; beats < 10;) beats += watchdog.stuck().empty();
  EXPECT_TRUE(pipeline_->ingest_pulse(0).rests()) << "the second batch waits for the first";
  EXPECT_EQ(store_->committed_size(0), 0u);
  ASSERT_TRUE(pipeline_->stop());
  input.join();
  stop_and_close();
}

TEST_F(PipelineTest, SendersBeyondTheLimitOfSourcesGiveOneAlertForEachTenant) {
  open();
  ASSERT_TRUE(pipeline_->sign_now());
  for (int i = 0; i < 3; ++i) {
    for (LogId tenant : {0u, 2u}) {
      auto batch = batch_of({{tenant, "10.0.0.1", failed("root", i)}, {tenant, "overflow", failed("root", i)}});
      for (auto& record : batch->records) const_cast<Origin*>(record.origin)->transport = Transport::udp;
      pipeline_->deliver(0, std::move(batch));
    }
    ASSERT_TRUE(pipeline_->sign_now());
  }
  stop_and_close();
  auto records = audit();
  std::set<std::string> tenants, ids;
  size_t found = 0;
  for (auto& alert : alerts()) {
    if (alert.rule_id != "yushid.source-overflow") continue;
    found += 1;
    tenants.insert(alert.tenant);
    ids.insert(alert.id);
    // What shows it is the daemon's own record of the moment.
    auto& record = alert.records.at(0);
    ASSERT_EQ(record.log, "_audit");
    EXPECT_EQ(records.at(record.index)["event"]["action"], "source-overflow");
  }
  EXPECT_EQ(found, 2u) << "one for each tenant, not for each batch";
  EXPECT_EQ(tenants, (std::set<std::string>{"default", "finance"}));
  EXPECT_EQ(ids.size(), 2u);
}

TEST_F(PipelineTest, WhatDetectorsForgotForWantOfRoomIsToldInAuditAndByAnAlert) {
  PipelineOptions options;
  options.detect.memory_bytes = 1;
  open(options);
  for (int i = 0; pipeline_->counters().detectors_forgot == 0; ++i) {
    pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("root", i)}}));
    ASSERT_TRUE(pipeline_->sign_now());
  }
  stop_and_close();
  size_t found = 0;
  for (auto& alert : alerts()) {
    if (alert.rule_id != "yushid.detectors-forgot") continue;
    found += 1;
    EXPECT_EQ(alert.tenant, "finance");
    EXPECT_EQ(alert.severity, Severity::low);
    EXPECT_EQ(audit().at(alert.records.at(0).index)["event"]["action"], "detectors-forgot");
  }
  EXPECT_EQ(found, 1u);
}

TEST_F(PipelineTest, SignAllSignsAllThatIsCommittedBeforeItsCall) {
  open();
  for (int i = 0; i < 20; ++i) {
    pipeline_->deliver(0, batch_of({{2, "10.0.0.1", failed("root", i)}}));
    uint64_t at_signing = 0;
    std::string note;
    auto done = pipeline_->sign_all([&] {
      at_signing = store_->committed_size(2);
      auto view = storage::StoreView::open(store_->database(), versions_->as_function());
      ASSERT_TRUE(view) << view.error().message;
      auto newest = (*view)->newest_checkpoint("finance");
      ASSERT_TRUE(newest && *newest);
      note = **newest;
    });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(at_signing, static_cast<uint64_t>(i + 1));
    EXPECT_NE(note.find("\n" + std::to_string(at_signing) + "\n"), std::string::npos) << note;
  }
  stop_and_close();
}

}  // namespace
}  // namespace yushi::daemon
