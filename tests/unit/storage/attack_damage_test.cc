// Wrong bytes, wherever they lie: what they leave undecided is told once, and they hide nothing else.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "storage/db/checked_files.h"
#include "storage/read/alert_entry.h"
#include "tests/unit/storage/attack.h"

namespace yushi::storage::test {
namespace {

// The store of make_store(), in `_audit` a second block, then a tail; then every block of `_audit` from `damaged` on
// gets a wrong byte, and the attacker does the rest.
Result<VerifyReport> with_damaged_audit(
    uint64_t damaged, const Attack& attack = [](auto&, auto&) {}, const Reparse& understand = understand_again) {
  Folder folder;
  make_store(folder.path());
  {
    auto store = open_store(folder.path());
    EXPECT_TRUE(store->seal_due(kReceived, true));
    EXPECT_TRUE(store->wait_sealed());
    for (int i = 3; i < 20; ++i) {
      commit(*store, {{R"({"message":"minute )" + std::to_string(i) + "\"}", "yushid", 1}, {line(1000 + i)}});
      EXPECT_TRUE(store->sign_checkpoints(kReceived + i * kSecond, 0));
    }
  }
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    EXPECT_TRUE(database) << database.error().message;
    Write batch;
    int blocks = 0;
    for (auto& [day, days, family] : (*database)->blocks_families()) {
      for (uint64_t index = damaged; index < 10; ++index) {
        auto bytes = (*database)->get(family, keys::record("_audit", index));
        if (!bytes || !*bytes) continue;
        (**bytes)[(**bytes).size() / 2] ^= 1;
        batch.put(family, keys::record("_audit", index), **bytes);
        ++blocks;
      }
    }
    EXPECT_GT(blocks, 0);
    attack(**database, batch);
    EXPECT_TRUE((*database)->write(batch, "attacking"));
    EXPECT_TRUE((*database)->flush());
  }
  return verify(folder.path(), {}, understand);
}

TEST(Attack, WhatADamagedBlockLeavesUndecidedIsOneFlaw) {
  for (uint64_t damaged : {uint64_t{0}, kMinuteRecord}) {
    auto report = with_damaged_audit(damaged);
    auto contradicts = flaws(report, true), unproved = flaws(report, false);
    EXPECT_EQ(std::count(contradicts.begin(), contradicts.end(), '\n'), damaged ? 1 : 2) << contradicts;
    EXPECT_NE(contradicts.find("_audit | _audit/3 | "), std::string::npos) << contradicts;
    EXPECT_EQ(std::count(unproved.begin(), unproved.end(), '\n'), 1) << unproved;
    EXPECT_NE(unproved.find("not checked because the segment at _audit/" + std::to_string(damaged)), std::string::npos)
        << unproved;
  }
}

TEST(Attack, ADamagedBlockHidesNoOtherAttack) {
  auto cut = flaws(with_damaged_audit(1,
                                      [](Database& database, Write& batch) {
                                        for (uint64_t index = 10; index < 100; ++index)
                                          batch.erase(database.families().tail, keys::record("_audit", index));
                                      }),
                   true);
  EXPECT_NE(cut.find("speaks of 42 records, the log has 10"), std::string::npos) << cut;

  auto counter = flaws(
      with_damaged_audit(1,
                         [](Database& database, Write& batch) {
                           auto bytes = database.get(database.families().state, keys::source("_audit", "yushid"));
                           ASSERT_TRUE(bytes && *bytes);
                           auto state = SourceState::decode(**bytes);
                           state->next_seq -= 1;
                           batch.put(database.families().state, keys::source("_audit", "yushid"), state->encode());
                         }),
      true);
  EXPECT_NE(counter.find("source yushid of log _audit"), std::string::npos) << counter;

  auto alert = flaws(with_damaged_audit(1,
                                        [](Database& database, Write& batch) {
                                          batch.put(database.families().alerts, keys::alert(12),
                                                    AlertEntry::of(raised_alert()).encode());
                                        }),
                     true);
  EXPECT_NE(alert.find("_audit/12 | is in the index of alerts, but is no alert"), std::string::npos) << alert;

  auto renumbered =
      flaws(with_damaged_audit(1,
                               [](Database& database, Write& batch) {
                                 auto key = keys::record("_audit", 10);
                                 auto bytes = database.get(database.families().tail, key);
                                 ASSERT_TRUE(bytes && *bytes);
                                 auto head = ChunkHead::decode(10, **bytes);
                                 ASSERT_TRUE(head);
                                 auto forged = prepared({{R"({"message":"minute 3"})", "yushid", 1}});
                                 forged.groups[0].sources[0].first_seq = head->sources[0].first_seq + 1;
                                 batch.put(database.families().tail, key, finish_chunk(head->commit, forged.groups[0]));
                               }),
            true);
  EXPECT_NE(renumbered.find("_audit/10 | source-seq of yushid is 11, must be"), std::string::npos) << renumbered;
}

TEST(Attack, WithoutAReadableAuditNoEngineIsCalledUnknown) {
  auto newer = understand_again;
  newer.engine = parsers::kParserEngine + 1;
  auto report = with_damaged_audit(
      0, [](auto&, auto&) {}, newer);
  EXPECT_EQ(flaws(report, true).find("ever started here"), std::string::npos) << flaws(report, true);
  EXPECT_NE(flaws(report, false).find("was not checked because the segment at _audit/0"), std::string::npos)
      << flaws(report, false);
}

TEST(Attack, AWalThatWasDeletedOrCutBelowTheCheckpointIsRefusedAtStart) {
  for (bool cut : {false, true}) {
    Folder folder;
    make_store(folder.path());
    for (auto& file : fs::directory_iterator(folder.path() + "/store")) {
      if (file.path().extension() != ".log") continue;
      if (cut) {
        fs::resize_file(file.path(), file.file_size() / 2);
      } else {
        fs::remove(file.path());
      }
    }
    auto store = open_with_finance(options_for(folder.path()));
    ASSERT_FALSE(store) << (cut ? "cut" : "deleted");
  }
}

// Where the bytes of a file end and what RocksDB preallocated begins.
uint64_t used_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  auto last = bytes.find_last_not_of('\0');
  return last == std::string::npos ? 0 : last + 1;
}

// A file under attack, byte by byte.
class Bytes {
 public:
  explicit Bytes(const fs::path& path) : file_(path, std::ios::binary | std::ios::in | std::ios::out) {}

  void flip(uint64_t at, char bits) {
    file_.seekg(static_cast<std::streamoff>(at));
    auto byte = static_cast<char>(file_.get());
    file_.seekp(static_cast<std::streamoff>(at));
    file_.put(static_cast<char>(byte ^ bits));
    file_.flush();
    ASSERT_TRUE(file_.good());
  }

 private:
  std::fstream file_;
};

constexpr uint64_t kFlipsPerFile = 50;

// RocksDB parses the properties of a table, near its end, before it checks them: some of these bytes ended the process.
TEST(Attack, ADamagedTableIsNamed) {
  Folder folder;
  make_store(folder.path(), true);
  fs::path table;
  for (auto& entry : fs::directory_iterator(folder.path() + "/store")) {
    if (entry.path().extension() != ".sst") continue;
    if (table.empty() || entry.file_size() < fs::file_size(table)) table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  auto size = fs::file_size(table);
  Bytes file(table);
  uint64_t named = 0;
  for (uint64_t at = 0; at < size; ++at) {
    file.flip(at, '\x80');
    if (auto database = Database::open(folder.path() + "/store", Database::Mode::read_only); !database) {
      EXPECT_EQ(database.error().code, Code::corrupt) << database.error().message;
      named += database.error().message.find(table.filename()) != std::string::npos;
    }
    file.flip(at, '\x80');
  }
  EXPECT_GT(named, size / 2);  // an open does not look at the data before them, nor at the padding behind
  EXPECT_EQ(contradictions(folder.path()), "") << "put back";
}

// Left to RocksDB, a wrong length or kind ends a log in silence, and what comes after is not read.
TEST(Attack, EveryFlippedBitOfALogIsFoundAndNoCutByACrash) {
  Folder original;
  make_store(original.path());
  uint64_t flips = 0;
  for (auto& entry : fs::directory_iterator(original.path() + "/store")) {
    auto name = entry.path().filename().string();
    if (entry.path().extension() != ".log" && !name.starts_with("MANIFEST")) continue;
    Folder folder;
    fs::path copy = folder.path() + "/" + name;
    fs::copy(entry.path(), copy);
    auto size = used_bytes(copy);
    fs::resize_file(copy, size);
    Bytes file(copy);
    for (uint64_t at = 0; at < size; ++at) {
      if (at == 600 && size > 1200) at = size - 600;
      for (int bit = 0; bit < 8; ++bit, ++flips) {
        file.flip(at, static_cast<char>(1 << bit));
        auto checked = check_logs(folder.path());
        ASSERT_FALSE(checked) << name << " byte " << at << " bit " << bit;
        EXPECT_EQ(checked.error().code, Code::corrupt);
        EXPECT_NE(checked.error().message.find(name), std::string::npos) << checked.error().message;
        file.flip(at, static_cast<char>(1 << bit));
      }
    }
    // Where the store is opened, too: here the kind of the first record, which ends the log at once.
    Bytes in_place(entry.path());
    in_place.flip(6, 4);
    auto database = Database::open(original.path() + "/store", Database::Mode::read_only);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Code::corrupt);
    EXPECT_NE(database.error().message.find(name), std::string::npos) << database.error().message;
    in_place.flip(6, 4);
    for (auto cut = size; cut > 0; cut -= std::min<uint64_t>(cut, 37)) {
      fs::resize_file(copy, cut);
      EXPECT_TRUE(check_logs(folder.path())) << name << " cut to " << cut;
    }
  }
  EXPECT_GT(flips, 10'000u);
}

TEST(Attack, AFlippedByteInAnyFileIsFound) {
  auto* wanted = std::getenv("YUSHI_SEED");  // to look at the places of an earlier run
  uint32_t seed = wanted ? static_cast<uint32_t>(std::strtoul(wanted, nullptr, 10)) : std::random_device()();
  std::printf("YUSHI_SEED=%u\n", seed);
  std::mt19937 random(seed);
  for (bool clean_stop : {false, true}) {
    Folder original;
    make_store(original.path(), clean_stop);
    uint64_t flips = 0;
    for (auto& entry : fs::recursive_directory_iterator(original.path())) {
      if (!entry.is_regular_file()) continue;
      auto name = entry.path().filename().string();
      if (name.starts_with("LOG") || name.starts_with("OPTIONS") || name == "LOCK" || name == "IDENTITY") continue;
      auto size = used_bytes(entry.path());
      Folder copy;  // verify only reads, so that one serves for all bytes of the file
      fs::copy(original.path(), copy.path(), fs::copy_options::recursive);
      Bytes file(copy.path() / fs::relative(entry.path(), original.path()));
      // Of a small file (the key, heads) every byte.
      bool all = size <= 4 * kFlipsPerFile;
      for (uint64_t k = 0; k < (all ? size : kFlipsPerFile); ++k, ++flips) {
        auto at = all ? k : std::uniform_int_distribution<uint64_t>(0, size - 1)(random);
        auto bit = static_cast<char>(1 << k % 8);
        file.flip(at, bit);
        EXPECT_NE(contradictions(copy.path()), "")
            << name << " byte " << at << " bit " << k % 8 << (clean_stop ? " after a clean stop" : " after a crash");
        file.flip(at, bit);
      }
      EXPECT_EQ(contradictions(copy.path()), "") << name << " put back";
    }
    EXPECT_GE(flips, 5 * kFlipsPerFile);
  }
}

}  // namespace
}  // namespace yushi::storage::test
