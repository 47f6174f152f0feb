// A store of which a file is damaged: what is whole of it is read, and a daemon goes on where its tree allows.
#include "storage/read/salvage.h"

#include <fstream>
#include <set>

#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

namespace fs = std::filesystem;

constexpr int kSealed = 600, kInTail = 100;

// Blocks from a clean stop, and behind them a tail in the WAL, as a kill leaves it; all of it signed.
void make_store(const std::string& data_dir) {
  {
    auto store = open_store(data_dir);
    std::vector<Sent> messages;
    for (int i = 0; i < kSealed; ++i) messages.push_back({line(i)});
    commit(*store, messages);
    ASSERT_TRUE(store->close(kReceived));
  }
  auto store = open_store(data_dir);
  std::vector<Sent> messages;
  for (int i = kSealed; i < kSealed + kInTail; ++i) messages.push_back({line(i)});
  commit(*store, messages);
  ASSERT_TRUE(store->sign_checkpoints(kReceived + 1, 0));
}

std::vector<fs::path> files_of(const std::string& data_dir, std::string_view end) {
  std::vector<fs::path> out;
  for (auto& file : fs::directory_iterator(data_dir + "/store"))
    if (file.path().native().ends_with(end)) out.push_back(file.path());
  std::sort(out.begin(), out.end());
  return out;
}

struct Read {
  std::set<std::string> raws;
  std::vector<std::string> damage;
};

Read read_all(const std::string& data_dir) {
  Read out;
  auto database = open_or_salvage(data_dir + "/store");
  EXPECT_TRUE(database) << database.error().message;
  if (!database) return out;
  if ((*database)->is_salvaged()) out.damage = (*database)->damage();
  auto view = StoreView::open(*database, understand_again);
  EXPECT_TRUE(view) << view.error().message;
  if (!view) return out;
  EXPECT_EQ((*view)->node(), "log-01");
  EXPECT_TRUE((*view)->head("default"));
  auto segments = (*view)->segments("default");
  EXPECT_TRUE(segments) << segments.error().message;
  if (!segments) return out;
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    if (!batch) {
      out.damage.push_back(batch.error().message);
      continue;
    }
    for (auto& record : (*batch)->records) out.raws.insert(std::string(record.raw));
  }
  return out;
}

void flip_middle(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  auto at = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(at);
  char c = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(c);
}

TEST(Salvage, ReadsAllWithoutManifestOrCurrent) {
  for (const char* gone : {"CURRENT", "MANIFEST"}) {
    Folder folder;
    make_store(folder.path());
    for (auto& file : fs::directory_iterator(folder.path() + "/store"))
      if (file.path().filename().native().starts_with(gone)) fs::remove(file.path());
    auto read = read_all(folder.path());
    EXPECT_EQ(read.raws.size(), static_cast<size_t>(kSealed + kInTail)) << gone;
    EXPECT_FALSE(read.damage.empty());
    auto store = open_with_finance(options_for(folder.path()));
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("copy"), std::string::npos) << store.error().message;
  }
}

TEST(Salvage, ReadsTheBlocksWhicheverTableIsGoneCutOrChanged) {
  Folder original;
  make_store(original.path());
  auto tables = files_of(original.path(), ".sst");
  ASSERT_GE(tables.size(), 5u);
  for (auto& table : tables) {
    for (int how = 0; how < 3; ++how) {
      Folder folder;
      fs::copy(original.path(), folder.path(), fs::copy_options::recursive);
      auto path = fs::path(folder.path()) / "store" / table.filename();
      if (how == 0) fs::remove(path);
      if (how == 1) fs::resize_file(path, fs::file_size(path) / 2);
      if (how == 2) flip_middle(path);
      auto read = read_all(folder.path());
      EXPECT_EQ(read.raws.size(), static_cast<size_t>(kSealed + kInTail)) << path << " " << how;
    }
  }
}

// A table that rots beneath an open store: the block is found all the same.
TEST(Salvage, OpensABlockWhoseTableChangesUnderneath) {
  for (std::streamoff at : {1, 8, 20, 44}) {  // of the entry that says where the block stands
    Folder folder;
    make_store(folder.path());
    auto database = open_or_salvage(folder.path() + "/store");
    ASSERT_TRUE(database) << database.error().message;
    auto view = StoreView::open(*database, understand_again);
    ASSERT_TRUE(view) << view.error().message;
    auto segments = (*view)->segments("default");
    ASSERT_TRUE(segments) << segments.error().message;
    for (auto& table : files_of(folder.path(), ".sst")) {
      std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      if (bytes.find("blocks.") == bytes.npos) continue;  // the name of its family
      file.seekp(at);
      file.put(static_cast<char>(bytes[static_cast<size_t>(at)] ^ 1));
    }
    auto reader = (*view)->open_block(segments->front());
    ASSERT_TRUE(reader) << "byte " << at << ": " << reader.error().message;
    EXPECT_EQ((*reader)->records(), static_cast<uint32_t>(kSealed));
  }
}

TEST(Salvage, OfADamagedLogReadsWhatStandsOutsideTheDamage) {
  Folder folder;
  make_store(folder.path());
  auto logs = files_of(folder.path(), ".log");
  ASSERT_FALSE(logs.empty());
  flip_middle(logs.back());
  auto read = read_all(folder.path());
  EXPECT_GE(read.raws.size(), static_cast<size_t>(kSealed));
  ASSERT_FALSE(read.damage.empty());
  EXPECT_NE(read.damage.back().find(logs.back().filename()), std::string::npos) << read.damage.back();
}

TEST(Salvage, OfABlobFileWithADamagedEndEachWholeBlockIsRead) {
  Folder folder;
  make_store(folder.path());
  auto blobs = files_of(folder.path(), ".blob");
  ASSERT_FALSE(blobs.empty());
  for (auto& blob : blobs) fs::resize_file(blob, fs::file_size(blob) - 5);
  EXPECT_EQ(read_all(folder.path()).raws.size(), static_cast<size_t>(kSealed + kInTail));
  EXPECT_NE(contradictions(folder.path()), "") << "it is damaged nonetheless";
}

TEST(Salvage, IsNotTriedWhereNoRecordIs) {
  Folder folder;
  fs::create_directory(folder.path() + "/store");
  EXPECT_FALSE(open_or_salvage(folder.path() + "/store"));
}

TEST(Salvage, AStoreGoesOnBehindADamagedNewestBlock) {
  for (bool removed : {false, true}) {
    Folder folder;
    uint64_t size = 0;
    {
      auto store = open_store(folder.path());
      for (int i = 0; i < 30; ++i) commit(*store, {{line(i)}});
      ASSERT_TRUE(store->close(kReceived));
      size = store->committed_size(0);
    }
    auto blobs = files_of(folder.path(), ".blob");
    ASSERT_FALSE(blobs.empty());
    for (auto& blob : blobs) removed ? (void)fs::remove(blob) : fs::resize_file(blob, fs::file_size(blob) / 10);
    auto store = open_with_finance(options_for(folder.path()));
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->committed_size(0), size);
    EXPECT_FALSE((*store)->findings().empty());
    commit(**store, {{line(30)}});
    EXPECT_TRUE((*store)->sign_checkpoints(kReceived + 1, 0));
    store->reset();
    // Neither hidden nor mended by that.
    EXPECT_NE(contradictions(folder.path()), "");
  }
}

TEST(Salvage, AFirstStartThatWasCutShortIsBegunAnew) {
  Folder folder;
  ASSERT_TRUE(open_with_finance(options_for(folder.path())));
  fs::remove(folder.path() + "/heads");
  fs::remove(folder.path() + "/store/CURRENT");
  // The store has its name in the WAL: that could be records.
  EXPECT_FALSE(open_with_finance(options_for(folder.path())));
  for (auto& log : files_of(folder.path(), ".log")) fs::resize_file(log, 0);
  for (auto& table : files_of(folder.path(), ".sst")) fs::resize_file(table, 0);
  auto store = open_with_finance(options_for(folder.path()));
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_EQ((*store)->findings().size(), 1u);
  commit(**store, {{line(1)}});
}

}  // namespace
}  // namespace yushi::storage::test
