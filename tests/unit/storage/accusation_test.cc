// What nobody tampered with: verify must not contradict it, and a start must take it up, wherever the last run ended.

#include <optional>

#include "core/base/clock.h"
#include "core/event/own_record.h"
#include "storage/read/cut_off.h"
#include "storage/store/log_state.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

// A block of `default`, and behind what is signed a tail.
void make_store(const std::string& path) {
  auto store = open_store(path);
  ASSERT_TRUE(store);
  commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
  commit(*store, {{line(0)}, {line(1), "10.0.0.2"}});
  ASSERT_TRUE(store->seal_due(kReceived, true));
  ASSERT_TRUE(store->wait_sealed());
  ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  commit(*store, {{line(2)}});
}

// The next version of the program, which reads other times.
Reparse next_engine() {
  return {parsers::kParserEngine + 1, [](Batch& batch, const ParseContext& context) -> Result<void> {
            YUSHI_TRY(understand_again.parse(batch, context));
            for (auto& record : batch.records) record.event_ns += kSecond;
            return {};
          }};
}

std::unique_ptr<Store> open_next(const std::string& path) {
  auto options = options_for(path);
  options.reparse = next_engine();
  options.own_context = std::make_shared<const ParseContext>(
      ParseContext{small_parsers()->digest(), "UTC", "utf-8", parsers::kParserEngine + 1});
  auto store = open_with_finance(options);
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

// Told and prepared by the next engine.
void commit_next(Store& store, const std::vector<Sent>& messages) {
  Version next;
  next.context.engine = parsers::kParserEngine + 1;
  auto batch = prepared(messages, kReceived, next);
  for (auto& group : batch.groups)
    for (auto* record : group.records) record->event_ns += kSecond;
  for (auto& group : batch.groups) group.event_from_ns += kSecond, group.event_to_ns += kSecond;
  auto commit = store.begin();
  commit.append(std::move(batch));
  ASSERT_TRUE(commit.finish());
}

std::string by_next_engine(const std::string& path) { return flaws(verify(path, {}, next_engine()), true); }

TEST(Accusation, AnotherEngineOverACrashAndEndedAnywhere) {
  for (int ended = 0; ended < 6; ++ended) {
    Folder folder;
    make_store(folder.path());
    EXPECT_EQ(by_next_engine(folder.path()), "") << "before its first start";
    {
      auto store = open_next(folder.path());
      ASSERT_TRUE(store);
      if (ended == 1) {  // sealed before anything else was committed
        ASSERT_TRUE(store->seal_due(kReceived));
        ASSERT_TRUE(store->wait_sealed());
      }
      if (ended >= 2) commit_next(*store, {{to_json(start_record(parsers::kParserEngine + 1)), "yushid", 1}});
      if (ended >= 3) commit_next(*store, {{line(3)}});  // and not sealed
      if (ended == 4) {
        ASSERT_TRUE(store->sign_checkpoints(kReceived + kMinute, 0));
      }
      if (ended == 5) {
        ASSERT_TRUE(store->close(kReceived + kMinute));
      }
    }
    EXPECT_EQ(by_next_engine(folder.path()), "") << "ended " << ended;
    {
      auto store = open_next(folder.path());
      ASSERT_TRUE(store) << "ended " << ended;
      commit_next(*store, {{to_json(start_record(parsers::kParserEngine + 1)), "yushid", 1}, {line(4)}});
      ASSERT_TRUE(store->close(kReceived + 2 * kMinute));
    }
    EXPECT_EQ(by_next_engine(folder.path()), "") << "closed, ended " << ended;
    EXPECT_EQ(contradictions(folder.path()), "") << "by the engine before, ended " << ended;
  }
}

TEST(Accusation, ATailThatWasNeverSealedIsReadByAnotherEngine) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}, {line(0)}});
    ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  }
  EXPECT_EQ(by_next_engine(folder.path()), "");
}

TEST(Accusation, SignedAtOnceAfterACrash) {
  for (bool close : {false, true}) {
    Folder folder;
    make_store(folder.path());
    {
      auto store = open_store(folder.path());
      if (close) {
        ASSERT_TRUE(store->close(kReceived + kMinute));
      } else {
        ASSERT_TRUE(store->sign_checkpoints(kReceived + kMinute, 0));
      }
    }
    EXPECT_EQ(contradictions(folder.path()), "");
    EXPECT_TRUE(open_store(folder.path()));
  }
}

TEST(Accusation, AViewThatIsOlderThanTheHeads) {
  Folder folder;
  make_store(folder.path());
  auto store = open_store(folder.path());
  auto heads = read_heads(folder.path() + "/heads");
  auto view = store->view();
  commit(*store, {{line(3)}, {line(4), "10.0.0.9", kFinance}});
  ASSERT_TRUE(store->sign_checkpoints(kReceived + kMinute, 0));
  VerifyOptions options;
  options.public_key = *view->public_key();
  options.heads_path = folder.path() + "/heads";
  options.heads = heads;
  EXPECT_EQ(flaws(audit::verify_store(*view, options, [](auto, auto, auto) { return true; }), true), "");
  EXPECT_TRUE(cut_off(options.heads_path, heads, *view).empty());
}

TEST(Accusation, TheStoreDayTurnsBeforeASignature) {
  Folder folder;
  make_store(folder.path());
  for (int day = 1; day < 4; ++day) {
    auto store = open_store(folder.path());
    commit(*store, {{line(day)}});
    const auto wall = realtime_ns() + 10 * kDay;
    ASSERT_TRUE(store->tick(1, wall));
    ASSERT_TRUE(store->tick(1 + kDay, wall));
    ASSERT_TRUE(store->sign_checkpoints(kReceived + day * kMinute, 0));
    commit(*store, {{line(day + 100)}});
    ASSERT_TRUE(store->tick(1 + 2 * kDay, wall));
    ASSERT_TRUE(store->sign_checkpoints(kReceived + day * kMinute + kSecond, 0));
    if (day == 2) {
      ASSERT_TRUE(store->close(kReceived + 10 * kMinute));
    }
    store.reset();
    EXPECT_EQ(contradictions(folder.path()), "") << day;
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  EXPECT_TRUE(open_store(folder.path()));
}

TEST(Accusation, ThreeHundredTenantsThatComeAndGo) {
  Folder folder;
  auto options = options_for(folder.path());
  auto send = [&](Store& store, int from, int to) {
    for (int i = from; i < to; ++i) {
      auto one = prepared({{line(i)}});
      one.groups[0].log_id = store.log("tenant-" + std::to_string(i), 0).value();
      auto commit = store.begin();
      commit.append(std::move(one));
      ASSERT_TRUE(commit.finish());
    }
  };
  {
    auto store = open_with_finance(options);
    ASSERT_TRUE(store) << store.error().message;
    commit(**store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
    send(**store, 0, 290);
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived, 0));
    send(**store, 280, 300);
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived + kMinute, 0));
    send(**store, 0, 3);
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  {
    auto store = open_store(folder.path());  // all taken out
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->sign_checkpoints(kReceived + 2 * kMinute, 0));
    commit(*store, {{line(1)}});
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  auto store = open_with_finance(options);
  ASSERT_TRUE(store) << store.error().message;
  send(**store, 5, 8);
  ASSERT_TRUE((*store)->close(kReceived + 3 * kMinute));
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Accusation, AClockThatGoesBackAndForth) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
    const int64_t offsets[] = {0, 3 * kDay, -2 * kDay, 0, kDay, -kDay};
    int n = 0;
    for (auto offset : offsets) {
      commit(*store, {{line(n++)}, {line(n++), "10.0.0.9", kFinance}}, kReceived + offset);
      ASSERT_TRUE(store->sign_checkpoints(kReceived + offset, 0));
      ASSERT_TRUE(store->seal_due(kReceived + offset, n % 4 == 0));
    }
    ASSERT_TRUE(store->wait_sealed());
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  EXPECT_TRUE(open_store(folder.path()));
}

// A part whose first one its reader does not know (too many were begun) claims none, and keeps its time.
TEST(Accusation, APartWhoseReaderForgotTheFirst) {
  Folder folder;
  make_store(folder.path());
  {
    auto store = open_store(folder.path());
    for (uint16_t part = 1; part < 4; ++part) {
      auto batch = std::make_shared<Batch>();
      Origin origin;
      origin.received_ns = kReceived + part;
      origin.source = origin.address = "10.0.0.1";
      origin.stream = 7;
      Record record;
      record.raw = batch->arena.copy(line(0) + std::string(64, ' '));
      record.raw.remove_suffix(64);
      record.origin = batch->arena.make(origin);
      record.part = part;
      batch->records.push_back(record);
      parsers::Understander reader(small_parsers());  // a new one for each
      const parsers::Reading reading[] = {{}};
      reader.understand(*batch, reading);
      auto commit = store->begin();
      commit.append(prepare(batch, {std::make_shared<const ParseContext>(Version{}.context)}));
      ASSERT_TRUE(commit.finish());
    }
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  auto store = open_store(folder.path());
  ASSERT_TRUE(store->close(kReceived + kMinute));
  EXPECT_EQ(contradictions(folder.path()), "");
}

// Fails the next rename of such a file, once.
class FailingRename : public Disk {
 public:
  void fail_next(std::string name) { name_ = std::move(name); }
  int fault(Call call, const std::string& path) override {
    if (call != Call::rename || name_.empty() || !path.ends_with(name_)) return 0;
    name_.clear();
    return EIO;
  }

 private:
  std::string name_;
};

TEST(Accusation, ARotationThatWasCutShortAndAnotherOne) {
  for (const char* rename : {"/heads", "/node.pem"}) {
    Folder folder;
    make_store(folder.path());
    {
      auto options = options_for(folder.path());
      auto disk = std::make_shared<FailingRename>();
      options.disk = disk;
      auto store = open_with_finance(options);
      ASSERT_TRUE(store) << store.error().message;
      disk->fail_next(rename);
      EXPECT_FALSE((*store)->rotate_key(kReceived + kMinute)) << rename;
    }
    EXPECT_EQ(contradictions(folder.path()), "") << rename;
    {
      auto store = open_store(folder.path());
      ASSERT_TRUE(store) << rename;
      for (int i = 0; i < 20; ++i) {
        commit(*store, {{line(i)}});
        ASSERT_TRUE(store->sign_checkpoints(kReceived + (2 + i) * kMinute, 0));
      }
      auto rotated = store->rotate_key(kReceived + 30 * kMinute);
      ASSERT_TRUE(rotated) << rotated.error().message;
      commit(*store, {{line(30)}});
    }
    EXPECT_EQ(contradictions(folder.path()), "") << rename;
    EXPECT_TRUE(open_store(folder.path())) << rename;
  }
}

TEST(Accusation, HeadsThatCouldNotBeWrittenForOneSignature) {
  Folder folder;
  make_store(folder.path());
  {
    auto options = options_for(folder.path());
    auto disk = std::make_shared<FailingRename>();
    options.disk = disk;
    auto store = open_with_finance(options);
    ASSERT_TRUE(store) << store.error().message;
    commit(**store, {{line(1), "10.0.0.9", kFinance}});
    disk->fail_next("/heads");
    EXPECT_FALSE((*store)->sign_checkpoints(kReceived + kMinute, 0));
    commit(**store, {{line(2), "10.0.0.9", kFinance}});
    (void)(*store)->sign_checkpoints(kReceived + 2 * kMinute, 0);
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  EXPECT_TRUE(open_store(folder.path()));
}

TEST(Accusation, ManyStartsEachCutShort) {
  Folder folder;
  make_store(folder.path());
  for (int i = 0; i < 25; ++i) {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store) << i;
    if (i % 5 != 0) commit(*store, {{line(i)}, {line(i), "10.0.0.9", i % 2 ? kFinance : LogId{0}}});
    if (i % 3 == 0) {
      ASSERT_TRUE(store->sign_checkpoints(kReceived + i * kMinute, 0));
    }
    if (i % 4 == 0) {
      ASSERT_TRUE(store->seal_due(kReceived, true));
    }
    if (i % 7 == 0) {
      ASSERT_TRUE(store->close(kReceived + i * kMinute));
    }
  }
  EXPECT_EQ(contradictions(folder.path()), "");
}

}  // namespace
}  // namespace yushi::storage::test
