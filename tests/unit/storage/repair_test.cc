// A damaged store and a copy of it: what the copy has is brought back and proved, and a daemon starts on the result.
#include "audit/repair.h"

#include <fstream>
#include <set>

#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

namespace fs = std::filesystem;
using audit::repair_store;
using audit::RepairOptions;
using audit::RepairReport;

constexpr int kCopied = 600, kLater = 300, kInTail = 100, kUnsigned = 150;
constexpr int kAll = kCopied + kLater + kInTail + kUnsigned;

void send(Store& store, int from, int count) {
  for (int i = from; i < from + count; i += 50) {
    std::vector<Sent> messages;
    for (int k = i; k < std::min(i + 50, from + count); ++k) messages.push_back({line(k)});
    messages.push_back({line(i), "10.0.0.2", kFinance});
    commit(store, messages);
  }
}

// Blocks, a copy of them, more blocks, a tail in the WAL that is signed, and a few that are not, as a kill leaves it.
struct Damaged {
  Folder folder;
  std::string store = folder.path() + "/store-of-it", copy = folder.path() + "/copy";

  Damaged() {
    {
      auto store_now = open_store(store);
      send(*store_now, 0, kCopied);
      EXPECT_TRUE(store_now->close(kReceived));
    }
    {
      auto store_now = open_store(store);
      auto keeps = store_now->begin();
      keeps.put_state("cursor/siem", "7");
      EXPECT_TRUE(keeps.finish());
      EXPECT_TRUE(store_now->sign_checkpoints(kReceived + 1, 0));
      // On another disk: a copy on the same one shares its sealed files, and their damage.
      EXPECT_TRUE(store_now->backup(copy + "-linked"));
      fs::copy(copy + "-linked", copy, fs::copy_options::recursive);
      send(*store_now, kCopied, kLater);
      EXPECT_TRUE(store_now->close(kReceived + 2));
    }
    auto store_now = open_store(store);
    send(*store_now, kCopied + kLater, kInTail);
    EXPECT_TRUE(store_now->sign_checkpoints(kReceived + 3, 0));
    for (int i = kCopied + kLater + kInTail; i < kAll; i += 50) {
      wal_sizes.push_back(fs::file_size(files(".log").back()));
      send(*store_now, i, 50);
    }
    wal_sizes.push_back(fs::file_size(files(".log").back()));
  }

  std::vector<uintmax_t> wal_sizes;  // before and behind each unsigned commit

  std::vector<fs::path> files(std::string_view end) const {
    std::vector<fs::path> out;
    for (auto& file : fs::directory_iterator(store + "/store"))
      if (file.path().native().ends_with(end)) out.push_back(file.path());
    std::sort(out.begin(), out.end());
    return out;
  }

  Result<RepairReport> repair() const {
    RepairOptions options;
    options.data_dir = store;
    options.copy_dir = copy;
    options.key_path = store + "/keys/node.pem";
    options.reparse = [](auto&) { return understand_again; };
    return repair_store(options);
  }

  std::set<std::string> raws() const {
    std::set<std::string> out;
    auto view = open_view(store, understand_again);
    EXPECT_TRUE(view) << view.error().message;
    if (!view) return out;
    auto segments = (*view)->segments("default");
    EXPECT_TRUE(segments) << segments.error().message;
    if (!segments) return out;
    for (auto& segment : *segments) {
      auto batch = (*view)->read(segment);
      EXPECT_TRUE(batch) << batch.error().message;
      if (batch)
        for (auto& record : (*batch)->records) out.insert(std::string(record.raw));
    }
    return out;
  }
};

void flip(const fs::path& path, double where) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto at = static_cast<std::streamoff>(where * static_cast<double>(fs::file_size(path)));
  file.seekg(at);
  char c = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(c);
}

std::string words(const Result<RepairReport>& report) {
  if (!report) return report.error().message;
  std::string out;
  for (auto& what : report->missing) out += what + "\n";
  return out;
}

// That it is whole, that it is proved, and that a daemon goes on with it.
void expect_whole(const Damaged& damaged, size_t records) {
  EXPECT_EQ(contradictions(damaged.store), "");
  EXPECT_EQ(damaged.raws().size(), records);
  {
    auto store = open_with_finance(options_for(damaged.store));
    ASSERT_TRUE(store) << store.error().message;
    auto cursor = (*store)->read_state("cursor/siem");
    EXPECT_EQ(cursor ? *cursor : cursor.error().message, "7");
    send(**store, kAll, 10);
    ASSERT_TRUE((*store)->close(kReceived + 4));
  }
  EXPECT_EQ(contradictions(damaged.store), "");
  EXPECT_EQ(damaged.raws().size(), records + 10);
}

TEST(Repair, PutsADamagedBlockBackInItsPlace) {
  Damaged damaged;
  auto blobs = damaged.files(".blob");
  ASSERT_FALSE(blobs.empty());
  auto whole = damaged.raws().size();
  flip(blobs.front(), 0.3);
  EXPECT_NE(contradictions(damaged.store), "");
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_EQ(words(report), "");
  EXPECT_EQ(report->set_aside, "");
  EXPECT_GE(report->segments, 1u);
  expect_whole(damaged, whole);
}

TEST(Repair, NamesWhatTheCopyIsTooOldFor) {
  Damaged damaged;
  auto blobs = damaged.files(".blob");
  ASSERT_GE(blobs.size(), 2u);
  flip(blobs.back(), 0.3);
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_NE(words(report).find("before this block"), std::string::npos) << words(report);
  EXPECT_EQ(report->segments, 0u);
}

TEST(Repair, ChangesNothingOfAStoreThatIsWhole) {
  Damaged damaged;
  auto whole = damaged.raws().size();
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_EQ(report->records, 0u);
  EXPECT_EQ(report->set_aside, "");
  expect_whole(damaged, whole);
}

TEST(Repair, MakesAStoreAnewWhoseManifestOrCurrentIsGone) {
  for (const char* gone : {"CURRENT", "MANIFEST"}) {
    Damaged damaged;
    for (auto& file : fs::directory_iterator(damaged.store + "/store"))
      if (file.path().filename().native().starts_with(gone)) fs::remove(file.path());
    auto report = damaged.repair();
    ASSERT_TRUE(report) << gone << ": " << words(report);
    EXPECT_EQ(words(report), "") << gone;
    EXPECT_TRUE(fs::exists(report->set_aside)) << gone;
    expect_whole(damaged, kAll);
  }
}

TEST(Repair, MakesAStoreAnewWhicheverTableIsGoneCutOrChanged) {
  const Damaged original;
  int how = 0;
  for (auto& table : original.files(".sst")) {
    how = (how + 1) % 3;
    Damaged damaged;
    fs::remove_all(damaged.store);
    fs::copy(original.store, damaged.store, fs::copy_options::recursive);
    fs::remove_all(damaged.copy);
    fs::copy(original.copy, damaged.copy, fs::copy_options::recursive);
    auto path = fs::path(damaged.store) / "store" / table.filename();
    if (how == 0) fs::remove(path);
    if (how == 1) fs::resize_file(path, fs::file_size(path) / 2);
    if (how == 2) flip(path, 0.5);
    auto report = damaged.repair();
    ASSERT_TRUE(report) << path << " " << how << ": " << words(report);
    expect_whole(damaged, kAll);
  }
}

TEST(Repair, LeavesOutWhatNothingProvesBehindALostCommit) {
  Damaged damaged;
  const auto wal = damaged.files(".log").back();
  const auto& sizes = damaged.wal_sizes;
  flip(wal, static_cast<double>(sizes[1] + sizes[2]) / 2 / static_cast<double>(fs::file_size(wal)));
  ASSERT_FALSE(open_with_finance(options_for(damaged.store)));
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_NE(words(report).find("behind the newest checkpoint"), std::string::npos) << words(report);
  EXPECT_NE(words(report).find(wal.filename()), std::string::npos) << words(report);
  expect_whole(damaged, kAll - kUnsigned);
}

TEST(Repair, NamesTheLogWhoseEndIsLost) {
  Damaged damaged;
  const auto wal = damaged.files(".log").back();
  const auto& sizes = damaged.wal_sizes;
  fs::resize_file(wal, (sizes[2] + sizes[3]) / 2);
  fs::remove(damaged.store + "/store/CURRENT");
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_NE(words(report).find(wal.filename()), std::string::npos) << words(report);
  expect_whole(damaged, kAll - 50);  // what the chain of codes proves is taken
}

TEST(Repair, RefusesACopyWhoseRecordsAreOthers) {
  Damaged damaged;
  // Another store of a node of that name: its records are as many, and others.
  fs::remove_all(damaged.copy);
  {
    auto store = open_store(damaged.copy);
    send(*store, 5000, kCopied);
    ASSERT_TRUE(store->close(kReceived));
  }
  flip(damaged.files(".blob").front(), 0.3);
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_EQ(report->records, 0u);
  EXPECT_NE(words(report).find("not the ones that were signed"), std::string::npos) << words(report);
}

TEST(Repair, RefusesWhatIsSignedAndInNeither) {
  Damaged damaged;
  flip(damaged.files(".blob").back(), 0.3);
  for (auto& file : fs::directory_iterator(damaged.store + "/store"))
    if (file.path().filename() == "CURRENT") fs::remove(file.path());
  auto report = damaged.repair();
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("in neither"), std::string::npos) << report.error().message;
  EXPECT_TRUE(fs::exists(damaged.store + "/store"));
  EXPECT_FALSE(fs::exists(damaged.store + "/repair"));
}

TEST(Repair, TakesASignedEndThatWasCutOffFromACopyThatHasIt) {
  Damaged damaged;
  fs::remove_all(damaged.copy);
  fs::copy(damaged.store, damaged.copy, fs::copy_options::recursive);
  fs::remove(damaged.files(".log").back());
  auto report = damaged.repair();
  ASSERT_TRUE(report) << words(report);
  EXPECT_GE(report->records, static_cast<uint64_t>(kInTail));
  expect_whole(damaged, kAll - kUnsigned);
}

TEST(Repair, IsNotMadeOfAStoreThatIsInUse) {
  Damaged damaged;
  auto store = open_store(damaged.store);
  auto report = damaged.repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::unavailable);
}

}  // namespace
}  // namespace yushi::storage::test
