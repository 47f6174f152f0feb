// What somebody with write access to the disk may do to a store, through RocksDB's own API or to its files, and that
// verify (or the next start) names it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>

#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "core/filter/token_filter.h"
#include "storage/db/checked_files.h"
#include "storage/db/keys.h"
#include "storage/read/alert_entry.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

namespace fs = std::filesystem;

Alert raised_alert() {
  Alert alert;
  alert.id = "0123456789abcdef";
  alert.severity = Severity::high;
  alert.tenant = "default";
  alert.raised_ns = kReceived + 5;
  return alert;
}

// A start, two ledger minutes and an alert in `_audit`; 300 records of `default` sealed in a block, 200 in the tail;
// signed.
void make_store(const std::string& path, bool clean_stop = false) {
  auto store = open_store(path);
  ASSERT_TRUE(store);
  std::vector<Sent> first, second;
  for (int i = 0; i < 300; ++i) first.push_back({line(i), i % 2 ? "10.0.0.1" : "10.0.0.2"});
  for (int i = 300; i < 500; ++i) second.push_back({line(i)});
  commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
  commit(*store, first);
  ASSERT_TRUE(store->seal_due(kReceived, true));
  ASSERT_TRUE(store->wait_sealed());
  commit(*store, {{R"({"message":"minute 1"})", "yushid", 1}, {R"({"message":"minute 2"})", "yushid", 1}});
  commit(*store, second);
  const Alert alert = raised_alert();
  auto commit = store->begin();
  commit.add_alert(store->log_size(1), alert);
  commit.append(prepared({{alert_to_json(alert), "yushid", 1}}));
  ASSERT_TRUE(commit.finish());
  if (clean_stop) {
    ASSERT_TRUE(store->close(kReceived));
  } else {
    ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  }
}

using Attack = std::function<void(Database&, Write&)>;

// Makes a store, lets the attacker write into it, and gives what verify says.
std::string after(const Attack& attack, bool clean_stop = false) {
  Folder folder;
  make_store(folder.path(), clean_stop);
  EXPECT_EQ(contradictions(folder.path()), "") << "before the attack";
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    EXPECT_TRUE(database) << database.error().message;
    Write batch;
    attack(**database, batch);
    EXPECT_TRUE((*database)->write(batch, "attacking"));
    EXPECT_TRUE((*database)->flush());
  }
  return contradictions(folder.path());
}

// Rewrites the first block of `default` as its builder would, from records that were tampered with.
Attack rebuild_block(const std::function<void(std::vector<Record>&, Batch&)>& tamper, bool summary_too = true,
                     uint32_t engine = parsers::kParserEngine) {
  return [=](Database& database, Write& batch) {
    auto family = database.blocks_families().at(0).family;
    auto bytes = database.get(family, keys::record("default", 0));
    ASSERT_TRUE(bytes && *bytes);
    auto block = read_block(**bytes);
    ASSERT_TRUE(block) << block.error().message;
    tamper(block->batch->records, *block->batch);
    std::vector<const Record*> records;
    for (auto& record : block->batch->records) records.push_back(&record);
    block->context.parsed.contexts[0].engine = engine;
    auto built = build_block(block->context, records);
    batch.put(family, keys::record("default", 0), built.bytes);
    if (!summary_too) return;
    std::string key;
    ASSERT_TRUE(database.scan(database.families().filters, "", [&](std::string_view k, std::string_view) {
      if (keys::log_of_filter(k) == "default") key = k;
      return true;
    }));
    batch.put(database.families().filters, key, built.summary.encode());
  };
}

Attack edit_summary(const std::function<void(BlockSummary&)>& edit) {
  return [=](Database& database, Write& batch) {
    ASSERT_TRUE(database.scan(database.families().filters, "", [&](std::string_view key, std::string_view value) {
      if (keys::log_of_filter(key) != "default") return true;
      auto summary = BlockSummary::decode(value);
      edit(*summary);
      batch.put(database.families().filters, key, summary->encode());
      return true;
    }));
  };
}

TEST(Attack, AChangedRecordInABlockIsNamed) {
  auto found = after(rebuild_block([](auto& records, Batch& batch) {
    std::string raw(records[17].raw);
    auto at = raw.find("user17");
    raw.replace(at, 6, "user71");
    records[17].raw = batch.arena.copy(raw);
  }));
  EXPECT_NE(found.find("signed root"), std::string::npos) << found;
}

TEST(Attack, TwoSwappedRecordsAreNamed) {
  auto found = after(rebuild_block([](auto& records, Batch&) {
    std::swap(records[10], records[20]);
    std::swap(records[10].index, records[20].index);
    std::swap(records[10].source_seq, records[20].source_seq);
  }));
  EXPECT_NE(found.find("signed root"), std::string::npos) << found;
}

TEST(Attack, AFieldTakenOutOfAColumnIsNamed) {
  // Raw is untouched, but a search for this user would no longer find record 5.
  auto found = after(rebuild_block([](auto& records, Batch& batch) {
    std::vector<Capture> captures(records[5].captures.begin(), records[5].captures.end());
    std::erase_if(captures, [](auto& c) { return c.field == ecs::user_name; });
    records[5].captures = batch.arena.copy(std::span<const Capture>(captures));
  }));
  EXPECT_NE(found.find("default/5 | field user.name"), std::string::npos) << found;
}

TEST(Attack, AFieldTakenOutUnderAnEngineThatNeverStartedHereIsNamed) {
  // "Not what this program's engine gives, but what another one gave" is believed only of engines that `_audit` names.
  auto found = after(rebuild_block(
      [](auto& records, Batch& batch) {
        std::vector<Capture> captures(records[5].captures.begin(), records[5].captures.end());
        std::erase_if(captures, [](auto& c) { return c.field == ecs::user_name; });
        records[5].captures = batch.arena.copy(std::span<const Capture>(captures));
      },
      true, parsers::kParserEngine + 1));
  EXPECT_NE(found.find("block default/0 | records default/0 to default/299"), std::string::npos) << found;
}

TEST(Attack, UnderAnyEngineAChangedRecordAndASearchThatWouldMissSomeAreNamed) {
  auto change = [](auto& records, Batch& batch) {
    std::string raw(records[17].raw);
    raw.replace(raw.find("user17"), 6, "user71");
    records[17].raw = batch.arena.copy(raw);
  };
  EXPECT_NE(after(rebuild_block(change, true, parsers::kParserEngine + 1)).find("signed root"), std::string::npos);
  EXPECT_NE(after(rebuild_block(change, false, parsers::kParserEngine + 1)).find("token filter"), std::string::npos);
}

TEST(Attack, AChangedEventTimeIsNamed) {
  auto found = after(rebuild_block([](auto& records, Batch&) { records[3].event_ns += 3600 * kSecond; }));
  EXPECT_NE(found.find("default/3 | field @timestamp"), std::string::npos) << found;
}

TEST(Attack, AnEmptiedTokenFilterIsNamed) {
  auto found = after(edit_summary([](BlockSummary& summary) {
    std::vector<uint64_t> none = {1};
    summary.token_filter = build_token_filter(none);
  }));
  EXPECT_NE(found.find("token filter"), std::string::npos) << found;
}

TEST(Attack, AMovedTimeRangeIsNamed) {
  auto found = after(edit_summary([](BlockSummary& summary) {
    for (auto& range : summary.event_times) range.from_ns -= 86400 * kSecond, range.to_ns -= 86400 * kSecond;
  }));
  EXPECT_NE(found.find("time ranges"), std::string::npos) << found;
}

TEST(Attack, ACutTailIsNamedEvenWithTheTreeCutToo) {
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().tail, keys::record("default", 300));
    auto view = StoreView::open(std::shared_ptr<const Database>(&database, [](auto*) {}), understand_again);
    ASSERT_TRUE(view);
    CompactRange tree;
    auto block = (*view)->read(**(*view)->segment_at("default", 0));
    ASSERT_TRUE(block);
    for (auto& record : (*block)->records) tree.append(leaf_of(record));
    batch.put(database.families().state, keys::log_state("default"), tree.encode());
  });
  EXPECT_NE(found.find("speaks of 500 records, the log has 300"), std::string::npos) << found;
}

TEST(Attack, AChangedRecordInTheTailIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    auto key = keys::record("default", 300);
    auto bytes = database.get(database.families().tail, key);
    ASSERT_TRUE(bytes && *bytes);
    auto head = ChunkHead::decode(300, **bytes);
    ASSERT_TRUE(head);
    auto read = read_chunk(*head, "default", "log-01");
    ASSERT_TRUE(read);
    std::vector<Sent> messages;
    for (auto& record : (*read)->records)
      messages.push_back({std::string(record.raw), std::string(record.origin->source)});
    messages[7].raw[messages[7].raw.size() - 1] = '1';
    auto forged = prepared(messages);
    forged.groups[0].sources[0].first_seq = head->sources[0].first_seq;
    batch.put(database.families().tail, key, finish_chunk(head->commit, forged.groups[0]));
  });
  EXPECT_NE(found.find("signed root"), std::string::npos) << found;
}

TEST(Attack, ARemovedLedgerMinuteIsNamed) {
  auto found =
      after([](Database& database, Write& batch) { batch.erase(database.families().tail, keys::record("_audit", 1)); });
  EXPECT_NE(found.find("_audit/1"), std::string::npos) << found;
}

TEST(Attack, AnAlertTakenOutOfTheIndexIsNamed) {
  auto found = after([](Database& database, Write& batch) { batch.erase(database.families().alerts, keys::alert(3)); });
  EXPECT_NE(found.find("_audit/3 | this alert is gone"), std::string::npos) << found;
}

TEST(Attack, AnEditedEntryOfTheIndexOfAlertsIsNamed) {
  const auto with = [](std::string value) {
    return after(
        [=](Database& database, Write& batch) { batch.put(database.families().alerts, keys::alert(3), value); });
  };
  const std::function<void(AlertEntry&)> edits[] = {
      [](AlertEntry& entry) { entry.tenant = "finance"; }, [](AlertEntry& entry) { entry.raised_ns -= kMinute; },
      [](AlertEntry& entry) { entry.severity = Severity::low; }, [](AlertEntry& entry) { entry.id.back() = '0'; }};
  for (auto& edit : edits) {
    auto entry = AlertEntry::of(raised_alert());
    edit(entry);
    auto found = with(entry.encode());
    EXPECT_NE(found.find("_audit/3 | the index of alerts says"), std::string::npos) << found;
  }
  for (auto damaged : {std::string(), std::string("{}"), AlertEntry::of(raised_alert()).encode() + "x"}) {
    auto found = with(damaged);
    EXPECT_NE(found.find("_audit/3 | its entry in the index of alerts is damaged"), std::string::npos) << found;
  }
}

TEST(Attack, AnEntryOfTheIndexThatNamesNoAlertIsNamed) {
  for (uint64_t index : {2, 4}) {  // a minute; behind the end
    auto found = after([&](Database& database, Write& batch) {
      batch.put(database.families().alerts, keys::alert(index), AlertEntry::of(raised_alert()).encode());
    });
    EXPECT_NE(found.find("_audit/" + std::to_string(index) + " | is in the index of alerts, but is no alert"),
              std::string::npos)
        << found;
  }
  auto found = after([](Database& database, Write& batch) { batch.put(database.families().alerts, "x", ""); });
  EXPECT_NE(found.find("index of alerts | "), std::string::npos) << found;
}

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
  for (uint64_t damaged : {0, 1}) {
    auto report = with_damaged_audit(damaged);
    auto contradicts = flaws(report, true), unproved = flaws(report, false);
    EXPECT_EQ(std::count(contradicts.begin(), contradicts.end(), '\n'), damaged ? 1 : 2) << contradicts;
    EXPECT_NE(contradicts.find("_audit | _audit/1 | "), std::string::npos) << contradicts;
    EXPECT_EQ(std::count(unproved.begin(), unproved.end(), '\n'), 1) << unproved;
    EXPECT_NE(unproved.find("not checked because the segment at _audit/" + std::to_string(damaged)), std::string::npos)
        << unproved;
  }
}

TEST(Attack, ADamagedBlockHidesNoOtherAttack) {
  auto cut = flaws(with_damaged_audit(1,
                                      [](Database& database, Write& batch) {
                                        for (uint64_t index = 10; index < 30; ++index)
                                          batch.erase(database.families().tail, keys::record("_audit", index));
                                      }),
                   true);
  EXPECT_NE(cut.find("speaks of 21 records, the log has 10"), std::string::npos) << cut;

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
                                 auto key = keys::record("_audit", 4);
                                 auto bytes = database.get(database.families().tail, key);
                                 ASSERT_TRUE(bytes && *bytes);
                                 auto head = ChunkHead::decode(4, **bytes);
                                 ASSERT_TRUE(head);
                                 auto forged = prepared({{R"({"message":"minute 3"})", "yushid", 1}});
                                 forged.groups[0].sources[0].first_seq = head->sources[0].first_seq + 1;
                                 batch.put(database.families().tail, key, finish_chunk(head->commit, forged.groups[0]));
                               }),
            true);
  EXPECT_NE(renumbered.find("_audit/4 | source-seq of yushid is 5, must be"), std::string::npos) << renumbered;
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

TEST(Attack, MissingHeadsAreToldOnce) {
  Folder folder;
  make_store(folder.path());
  fs::remove(folder.path() + "/heads");
  auto found = contradictions(folder.path());
  EXPECT_NE(found.find("/heads"), std::string::npos) << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
}

TEST(Attack, AnEditedSourceCounterIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    auto key = keys::source("default", "10.0.0.2");
    auto bytes = database.get(database.families().state, key);
    ASSERT_TRUE(bytes && *bytes);
    auto state = SourceState::decode(**bytes);
    state->next_seq -= 1;
    batch.put(database.families().state, key, state->encode());
  });
  EXPECT_NE(found.find("source 10.0.0.2 of log default"), std::string::npos) << found;
}

TEST(Attack, ARemovedCheckpointIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().state, keys::checkpoint("default", 500));
  });
  EXPECT_NE(found.find("does not hold the newest checkpoint"), std::string::npos) << found;
}

TEST(Attack, AStoreRolledBackToYesterdaysCopyIsRefusedAtStart) {
  Folder folder, copy;
  make_store(folder.path());
  fs::remove_all(copy.path());
  fs::copy(folder.path(), copy.path(), fs::copy_options::recursive);
  {
    auto store = open_store(folder.path());
    commit(*store, {{line(1000)}});
    ASSERT_TRUE(store->close(kReceived + kSecond));
  }
  fs::remove_all(folder.path() + "/store");
  fs::copy(copy.path() + "/store", folder.path() + "/store", fs::copy_options::recursive);
  auto store = Store::open(options_for(folder.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
  EXPECT_NE(contradictions(folder.path()), "");
}

TEST(Attack, ARolledBackCopyWithItsHeadsIsNamedByWhoRemembersACheckpoint) {
  Folder folder, copy;
  make_store(folder.path());
  fs::remove_all(copy.path());
  fs::copy(folder.path(), copy.path(), fs::copy_options::recursive);
  std::string remembered;
  {
    auto store = open_store(folder.path());
    commit(*store, {{line(1000)}});
    ASSERT_TRUE(store->close(kReceived + kSecond));
    auto view = StoreView::open(store->database(), understand_again);
    remembered = **(*view)->newest_checkpoint("default");
  }
  EXPECT_EQ(contradictions(copy.path()), "");
  EXPECT_NE(contradictions(copy.path(), {remembered}).find("speaks of 501 records"), std::string::npos);
}

TEST(Attack, ADeletedStoreBesideItsHeadsIsNotBegunAnew) {
  Folder folder;
  make_store(folder.path());
  fs::remove_all(folder.path() + "/store");
  auto store = Store::open(options_for(folder.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
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
    auto store = Store::open(options_for(folder.path()));
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
