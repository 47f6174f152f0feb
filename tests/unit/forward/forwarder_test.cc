// The loop, by a source and a sink of the test's: what a sink reports, refuses and keeps, and what the loop makes of
// it.
#include "forward/forwarder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace yushi::forward {
namespace {

using namespace std::chrono_literals;

// Outlives what reads of it; guarded, since the forwarder's thread is another.
struct World {
  std::mutex mutex;
  uint64_t size = 0;                 // of the log `default`
  std::string stored;                // the store's cursor
  std::vector<std::string> there;    // what the sink has, by id
  std::vector<std::string> pending;  // since the last commit
  Cursor kept;                       // with it
  bool has_kept = false;
  int begins = 0, commits = 0;
  // Before a message is taken: whether the sink fails now.
  std::function<bool(const std::string& id)> fails = [](auto&) { return false; };
  std::function<bool(const Message&)> is_too_large = [](auto&) { return false; };
  bool refuses_commits = false;

  template <class F>
  auto with(F read) {
    std::lock_guard lock(mutex);
    return read();
  }
};

class Source final : public RecordSource {
 public:
  explicit Source(World& world) : world_(world) {}
  Result<std::vector<Head>> heads() override {
    std::lock_guard lock(world_.mutex);
    return std::vector<Head>{{"default", world_.size}};
  }
  Result<std::unique_ptr<Batch>> read(const std::string& log, uint64_t index) override {
    auto batch = std::make_unique<Batch>();
    Origin origin;
    origin.log = batch->arena.copy(log);
    origin.source = origin.address = "192.0.2.1";
    auto* shared = batch->arena.make(origin);
    for (uint64_t i = index; i < index + 10; ++i) {
      Record record;
      record.raw = batch->arena.copy_padded("number " + std::to_string(i));
      record.origin = shared;
      record.index = i;
      batch->records.push_back(record);
    }
    return batch;
  }
  Result<std::vector<AlertRecord>> alerts(uint64_t, size_t, const Filter&) override {
    return std::vector<AlertRecord>{};
  }
  uint64_t next_alert() override { return 0; }
  Result<std::vector<SignedNote>> notes() override { return std::vector<SignedNote>{}; }
  Result<std::string> load_cursor() override {
    std::lock_guard lock(world_.mutex);
    return world_.stored.empty() ? Result<std::string>(fail(Code::not_found, "none")) : world_.stored;
  }
  Result<void> save_cursor(const std::string& bytes) override {
    std::lock_guard lock(world_.mutex);
    world_.stored = bytes;
    return {};
  }

 private:
  World& world_;
};

class TestSink final : public Sink {
 public:
  TestSink(World& world, bool keeps_cursor) : world_(world), keeps_cursor_(keeps_cursor) {}
  Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override {
    std::lock_guard lock(world_.mutex);
    listener_ = &listener;
    ++world_.begins;
    return keeps_cursor_ && world_.has_kept ? world_.kept : stored;
  }
  Queued send(What, const Message& message, std::string_view, uint64_t token, bool alone) override {
    std::lock_guard lock(world_.mutex);
    if (world_.fails(message.id)) {
      listener_->on_error("the test wants it so", SinkListener::Trouble::fatal);
      return Queued::failed;
    }
    if (world_.is_too_large(message)) {
      reports_.push_back({token, alone ? SinkListener::Outcome::too_large : SinkListener::Outcome::failed, message});
      return Queued::yes;
    }
    (keeps_cursor_ ? world_.pending : world_.there).push_back(message.id + (message.truncated ? " cut" : ""));
    reports_.push_back({token, SinkListener::Outcome::delivered, message});
    return Queued::yes;
  }
  size_t alone_from_bytes() const override { return 1 << 20; }
  void serve(int) override {
    auto reports = std::move(reports_);
    reports_.clear();
    for (auto& each : reports)
      listener_->on_report(each.token, each.outcome, each.message.key.size(), each.message.value.size());
  }
  bool is_answered(int) override { return true; }
  bool keeps_cursor() const override { return keeps_cursor_; }
  Result<void> commit(const Cursor& cursor) override {
    std::lock_guard lock(world_.mutex);
    if (world_.refuses_commits) return fail(Code::io, "the test wants it so");
    if (++world_.commits % 2 == 1) return fail(Code::unavailable, "not yet");
    world_.there.insert(world_.there.end(), world_.pending.begin(), world_.pending.end());
    world_.pending.clear();
    world_.kept = cursor;
    world_.has_kept = true;
    return {};
  }
  void end() override {
    std::lock_guard lock(world_.mutex);
    world_.pending.clear();
    reports_.clear();
  }

 private:
  struct Report {
    uint64_t token;
    SinkListener::Outcome outcome;
    Message message;
  };
  World& world_;
  const bool keeps_cursor_;
  SinkListener* listener_ = nullptr;
  std::vector<Report> reports_;
};

class TestConfig final : public ForwarderConfig {
 public:
  Result<std::unique_ptr<Sink>> make_sink(const std::string&) const override {
    return fail(Code::invalid, "the test makes it");
  }
  std::string name() const override { return "test"; }
  std::vector<std::pair<const char*, std::string>> addresses() const override { return {}; }
};

struct Running {
  Running(World& world, bool keeps_cursor)
      : forwarder(std::make_shared<TestConfig>(), std::make_unique<TestSink>(world, keeps_cursor),
                  std::make_unique<Source>(world), {}) {
    forwarder.start();
  }
  Forwarder forwarder;
};

bool wait_until(const std::function<bool()>& holds) {
  for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

std::vector<std::string> ids(uint64_t count) {
  std::vector<std::string> out;
  for (uint64_t i = 0; i < count; ++i) out.push_back("default/" + std::to_string(i));
  return out;
}

TEST(Forwarder, ASinkThatKeepsTheCursorHasEachRecordOnceAlsoWhenItFailsInBetween) {
  World world;
  world.size = 95;
  world.fails = [failed = 0](auto& id) mutable { return (id == "default/7" || id == "default/63") && failed++ < 4; };
  Running running(world, true);
  EXPECT_TRUE(wait_until([&] { return running.forwarder.lag() == 0; }));
  running.forwarder.stop();
  EXPECT_EQ(world.there, ids(95));
  EXPECT_GT(world.begins, 1);
  EXPECT_EQ(Cursor::decode(world.stored).value(), world.kept);
}

TEST(Forwarder, WhatASinkKeepsIsTheTruthUnlessItIsOfAnotherStore) {
  for (bool other_store : {false, true}) {
    World world;
    world.size = 50;
    world.has_kept = true;
    world.kept.store = 17;
    world.kept.next = {{"default", 30}};
    Cursor stored;
    stored.store = other_store ? 18 : 17;
    stored.next = {{"default", 10}};
    world.stored = stored.encode();
    Running running(world, true);
    EXPECT_TRUE(wait_until([&] { return running.forwarder.lag() == 0; }));
    running.forwarder.stop();
    auto expected = ids(50);
    expected.erase(expected.begin(), expected.begin() + (other_store ? 10 : 30));
    EXPECT_EQ(world.there, expected);
  }
}

TEST(Forwarder, AStopCommitsWhatWasDelivered) {
  World world;
  world.size = 20;
  Running running(world, true);
  EXPECT_TRUE(wait_until([&] { return world.with([&] { return world.there.size() + world.pending.size() == 20; }); }));
  running.forwarder.stop();
  EXPECT_EQ(world.there, ids(20));
  EXPECT_EQ(world.kept.next, (std::map<std::string, uint64_t>{{"default", 20}}));
}

TEST(Forwarder, ASinkThatKeepsNoneIsSentEverythingAndTheStoreKnowsHowFar) {
  World world;
  world.size = 40;
  world.fails = [failed = 0](auto& id) mutable { return id == "default/25" && failed++ < 2; };
  {
    Running running(world, false);
    EXPECT_TRUE(wait_until([&] { return running.forwarder.lag() == 0; }));
    running.forwarder.stop();
  }
  world.size = 60;
  {
    Running running(world, false);
    EXPECT_TRUE(wait_until([&] { return running.forwarder.lag() == 0; }));
    running.forwarder.stop();
  }
  // The test's sink reports late, so what it had not reported comes again after it failed.
  auto once = world.there;
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  EXPECT_EQ(once.size(), 60u);
  EXPECT_EQ(std::count(world.there.begin(), world.there.end(), "default/39"), 1);
  EXPECT_EQ(world.commits, 0);
}

TEST(Forwarder, WhatASinkKeptBeforeAnotherKindWasSentToIsNotGoneBackTo) {
  World world;
  for (bool keeps_cursor : {true, false, true}) {
    world.with([&] { world.size += 30; });
    Running running(world, keeps_cursor);
    EXPECT_TRUE(wait_until([&] { return running.forwarder.lag() == 0; }));
    running.forwarder.stop();
  }
  EXPECT_EQ(world.there, ids(90));
}

TEST(Forwarder, AStoreThatKnowsLessThanTheSinkIsTold) {
  World world;
  world.size = 20;
  world.has_kept = true;
  world.kept.store = 17;
  world.kept.next = {{"default", 30}};
  Cursor stored;
  stored.store = 17;
  world.stored = stored.encode();
  Running running(world, true);
  EXPECT_TRUE(wait_until([&] {
    return running.forwarder.state().last_error.find("log default has 20 records, and 30 were sent before") !=
           std::string::npos;
  }));
  world.with([&] { world.size = 35; });
  EXPECT_TRUE(
      wait_until([&] { return running.forwarder.lag() == 0 && world.with([&] { return !world.there.empty(); }); }));
  running.forwarder.stop();
  EXPECT_EQ(world.there.size(), 5u);
  EXPECT_EQ(world.there.front(), "default/30");
}

// Each try sends what nobody will ever see: it must not be done without end and without a pause.
TEST(Forwarder, ASinkThatTakesMessagesAndNoCursorIsTriedEverMoreSlowly) {
  World world;
  world.size = 20;
  world.refuses_commits = true;
  const auto began = std::chrono::steady_clock::now();
  Running running(world, true);
  EXPECT_TRUE(wait_until([&] { return world.with([&] { return world.begins == 4; }); }));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 200ms + 400ms + 800ms + 3 * 500ms - 100ms);
  running.forwarder.stop();
  EXPECT_TRUE(world.there.empty());
}

TEST(Forwarder, WhatIsTooLargeIsSentAloneAndCutAndStaysInItsPlace) {
  World world;
  world.size = 30;
  world.is_too_large = [](const Message& message) {
    return (message.id == "default/5" || message.id == "default/6" || message.id == "default/20") && !message.truncated;
  };
  world.fails = [](auto&) { return false; };
  auto config = std::make_shared<TestConfig>();
  config->format = ForwardFormat::raw;
  struct AlwaysAlone final : Sink {  // as a client whose batches are small
    AlwaysAlone(World& world) : sink(world, true) {}
    Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override { return sink.begin(stored, listener); }
    Queued send(What what, const Message& message, std::string_view format, uint64_t token, bool alone) override {
      EXPECT_TRUE(alone);
      return sink.send(what, message, format, token, alone);
    }
    size_t alone_from_bytes() const override { return 0; }
    void serve(int milliseconds) override { sink.serve(milliseconds); }
    bool is_answered(int) override { return true; }
    bool keeps_cursor() const override { return true; }
    Result<void> commit(const Cursor& cursor) override { return sink.commit(cursor); }
    void end() override { sink.end(); }
    TestSink sink;
  };
  Forwarder forwarder(config, std::make_unique<AlwaysAlone>(world), std::make_unique<Source>(world), {});
  forwarder.start();
  EXPECT_TRUE(wait_until([&] { return forwarder.lag() == 0; }));
  forwarder.stop();
  auto expected = ids(30);
  for (auto i : {5, 6, 20}) expected[static_cast<size_t>(i)] += " cut";
  EXPECT_EQ(world.there, expected);
}

}  // namespace
}  // namespace yushi::forward
