// Fails the n-th open, write, sync, rename and read of a store's life, for n = 1, 2, 3 … until it has no n-th: from the
// first start through commits, seals and signatures to the stop. What finish() told is there after the next start.
#include <cerrno>
#include <chrono>
#include <thread>

#include "core/base/clock.h"
#include "tests/unit/data_sets.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

class FailingDisk : public Disk {
 public:
  FailingDisk(Call call, int error, int64_t from, int64_t count)
      : call_(call), error_(error), from_(from), count_(count) {}
  int fault(Call call, const std::string&) override {
    if (call != call_) return 0;
    auto n = ++calls_;
    return n >= from_ && n < from_ + count_ ? error_ : 0;
  }
  bool has_failed() const { return calls_ >= from_; }

 private:
  const Call call_;
  const int error_;
  const int64_t from_, count_;
  std::atomic<int64_t> calls_{0};
};

constexpr int kRounds = 3, kOfARound = 20;

Result<void> live(const StoreOptions& options, uint64_t& told) {
  auto store = YUSHI_TRY(open_with_finance(options));
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Sent> messages;
    for (int i = 0; i < kOfARound; ++i) messages.push_back({line(round * kOfARound + i)});
    auto commit = store->begin();
    commit.append(prepared(messages));
    YUSHI_TRY(commit.finish());
    told += kOfARound;
    if (round == 1) {
      YUSHI_TRY(store->seal_due(kReceived, true));
      YUSHI_TRY(store->wait_sealed());
    }
    YUSHI_TRY(store->sign_checkpoints(kReceived + round, 0));
  }
  return store->close(kReceived);
}

void expect_taken_up(const std::string& data_dir, uint64_t told, const std::string& what) {
  {
    auto store = open_with_finance(options_for(data_dir));
    ASSERT_TRUE(store) << what << ": " << store.error().message;
    EXPECT_GE((*store)->committed_size(0), told) << what;
    commit(**store, {{line(0)}});
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived + kRounds, 0)) << what;
  }
  EXPECT_EQ(contradictions(data_dir), "") << what;
}

struct Kind {
  const char* name;
  Disk::Call call;
  int error;
  int64_t count;  // of calls that fail
};

class NthCall : public testing::TestWithParam<Kind> {};

TEST_P(NthCall, LosesNothingThatWasToldAndIsTakenUpByTheNextStart) {
  auto& kind = GetParam();
  // Without the sanitizers each call fails once; under them, where a life takes seconds, one of three.
  constexpr int64_t kStep = yushi::test::kOneOf > 1 ? 3 : 1;
  int64_t n = 1;
  for (bool failed = true; failed; n += kStep) {
    Folder folder(std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp");  // hundreds of lives of some 50 syncs
    auto disk = std::make_shared<FailingDisk>(kind.call, kind.error, n, kind.count);
    auto options = options_for(folder.path());
    options.disk = disk;
    uint64_t told = 0;
    auto lived = live(options, told);
    failed = disk->has_failed();
    auto what = std::string(kind.name) + " " + std::to_string(n) + (lived ? "" : " (" + lived.error().message + ")");
    if (!lived) {
      EXPECT_NE(lived.error().message.find(folder.path()), std::string::npos) << what;
    }
    expect_taken_up(folder.path(), told, what);
    if (HasFatalFailure()) return;
  }
  RecordProperty("calls", std::to_string(n - 1 - kStep));
  EXPECT_GT(n, 3) << "nothing was made to fail";
}

INSTANTIATE_TEST_SUITE_P(
    Of, NthCall,
    testing::Values(Kind{"open", Disk::Call::open, EIO, 1}, Kind{"write", Disk::Call::write, EIO, 1},
                    Kind{"writes_from_there_on", Disk::Call::write, EIO, INT32_MAX},
                    Kind{"write_without_room", Disk::Call::write, ENOSPC, 1}, Kind{"sync", Disk::Call::sync, EIO, 1},
                    Kind{"rename", Disk::Call::rename, EIO, 1}, Kind{"read", Disk::Call::read, EIO, 1}),
    [](auto& kind) { return std::string(kind.param.name); });

// No room for any write while it is full.
class FullDisk : public Disk {
 public:
  int fault(Call call, const std::string&) override { return is_full && call == Call::write ? ENOSPC : 0; }
  std::atomic<bool> is_full{false};
};

TEST(FullDisk, IsWaitedForAndTheSameCommitGoesOnWithRoom) {
  Folder folder;
  auto disk = std::make_shared<FullDisk>();
  std::atomic<int> began{0}, ended{0};
  disk->on_wait([&](const std::string&, bool begins) { ++(begins ? began : ended); });
  disk->wait_until(INT64_MAX);
  auto options = options_for(folder.path());
  options.disk = disk;
  auto store = open_with_finance(options);
  ASSERT_TRUE(store);
  for (int round = 0; round < 2; ++round) {
    disk->is_full = true;
    std::thread makes_room([&] {
      while (!disk->waits()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      disk->is_full = false;
    });
    if (round == 0)
      commit(**store, {{line(1)}, {line(2)}});
    else
      EXPECT_TRUE((*store)->close(kReceived));  // signs, writes `heads`, seals
    makes_room.join();
    EXPECT_FALSE(disk->waits());
    EXPECT_EQ(began, round + 1);
    EXPECT_EQ(ended, round + 1);
  }
  store->reset();
  EXPECT_EQ(contradictions(folder.path()), "");
  EXPECT_EQ(open_store(folder.path())->committed_size(0), 2u);
}

TEST(FullDisk, IsNotWaitedForForEver) {
  Folder folder;
  auto disk = std::make_shared<FullDisk>();
  auto options = options_for(folder.path());
  options.disk = disk;
  {
    auto store = open_with_finance(options);
    ASSERT_TRUE(store);
    commit(**store, {{line(1)}});
    disk->wait_until(clock_ns(CLOCK_MONOTONIC) + 300'000'000);
    disk->is_full = true;
    auto commit = (*store)->begin();
    commit.append(prepared({{line(2)}}));
    auto finished = commit.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().code, Code::exhausted);
    // What RocksDB has in memory now is ahead of the disk.
    EXPECT_FALSE((*store)->view()->logs());
    disk->is_full = false;
    EXPECT_FALSE((*store)->sign_checkpoints(kReceived, 0));
  }
  expect_taken_up(folder.path(), 1, "after a full disk");
}

}  // namespace
}  // namespace yushi::storage::test
