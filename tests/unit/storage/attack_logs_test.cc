// A log that is cut, rewritten, deleted or put in, with its checkpoints; a whole store that is an older one.
#include <algorithm>

#include "tests/unit/storage/attack.h"

namespace yushi::storage::test {
namespace {

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

TEST(Attack, ARemovedLedgerMinuteIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().tail, keys::record("_audit", kMinuteRecord));
  });
  EXPECT_NE(found.find("_audit/3"), std::string::npos) << found;
}

TEST(Attack, ARemovedCheckpointIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().state, keys::checkpoint("default", 500));
  });
  EXPECT_NE(found.find("does not hold the newest checkpoint"), std::string::npos) << found;
}

TEST(Attack, MissingHeadsAreToldOnce) {
  Folder folder;
  make_store(folder.path());
  fs::remove(folder.path() + "/heads");
  auto found = contradictions(folder.path());
  EXPECT_NE(found.find("/heads"), std::string::npos) << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
}

// Somebody who knows the format and has no key: takes a log out of a store, whole or from a record on.
void erase_log(Database& database, Write& batch, const std::string& log) {
  auto& families = database.families();
  auto last = keys::record(log, UINT64_MAX);
  batch.erase_range(families.tail, keys::of_log(log), last);
  for (auto& blocks : database.blocks_families()) {
    batch.erase_range(blocks.family, keys::of_log(log), last);
    batch.erase_range(families.filters, keys::summary(blocks.store_day, log, 0),
                      keys::summary(blocks.store_day, log, UINT64_MAX));
  }
  batch.erase_range(families.tree, keys::of_log(log), keys::tile(log, 127, 0));
  batch.erase(families.state, keys::log_state(log));
  batch.erase_range(families.state, keys::source(log, ""), keys::source(log, "\x7f"));
  batch.erase_range(families.state, keys::checkpoint(log, 0), keys::checkpoint(log, UINT64_MAX));
}

// … and writes one that fits in itself: chunk, tree, counters.
void write_log(Database& database, Write& batch, const std::string& log, const std::vector<Sent>& messages,
               uint64_t commit) {
  auto& families = database.families();
  auto forged = prepared(messages);
  auto& group = forged.groups[0];
  CompactRange tree;
  TreeTiles tiles;
  auto put = [&](int level, uint64_t tile, const std::string& hashes) {
    batch.put(families.tree, keys::tile(log, level, tile), hashes);
  };
  std::map<std::string, SourceState> sources;
  for (size_t i = 0; i < group.records.size(); ++i) {
    auto& record = *group.records[i];
    auto& source = sources[std::string(record.origin->source)];
    record.source_seq = source.next_seq;
    source.add(record);
    tree.append(leaf_of(record),
                [&](int level, uint64_t index, const Hash& hash) { tiles.add(level, index, hash, put); });
  }
  tiles.flush(put);
  batch.put(families.tail, keys::record(log, 0), finish_chunk(commit, group));
  batch.put(families.state, keys::log_state(log), tree.encode());
  for (auto& [name, state] : sources) batch.put(families.state, keys::source(log, name), state.encode());
}

TEST(Attack, ALogRewrittenWithItsCheckpointsTakenAwayIsNamedAndNotSigned) {
  auto seen = seen_after(
      [](Database& database, Write& batch) {
        erase_log(database, batch, "finance");
        write_log(database, batch, "finance", {{line(777), "10.0.0.9", kFinance}}, 5);
      },
      [](Heads& heads, auto&) { heads.erase("finance"); });
  EXPECT_NE(seen.by_verify.find("finance"), std::string::npos) << seen.by_verify;
  EXPECT_NE(seen.by_start.find("log finance was signed with 1 records"), std::string::npos) << seen.by_start;
}

TEST(Attack, ALogCutBackToItsOlderCheckpointIsNamedAndNotSigned) {
  auto seen = seen_after(
      [](Database& database, Write& batch) {
        erase_log(database, batch, "default");
        std::vector<Sent> messages;
        for (int i = 0; i < 500; ++i) messages.push_back({line(i), i < 300 && i % 2 == 0 ? "10.0.0.2" : "10.0.0.1"});
        write_log(database, batch, "default", messages, 4);
      },
      [](Heads& heads, const Heads& older) { heads["default"] = older.at("default"); });
  EXPECT_NE(seen.by_verify.find("binds all logs"), std::string::npos) << seen.by_verify;
  EXPECT_NE(seen.by_start, "");
}

TEST(Attack, ADeletedLogIsNamedAndNotSignedOver) {
  auto seen = seen_after([](Database& database, Write& batch) { erase_log(database, batch, "finance"); },
                         [](Heads& heads, auto&) { heads.erase("finance"); });
  EXPECT_NE(seen.by_verify.find("log finance | was born, as `_audit` says, and is gone"), std::string::npos)
      << seen.by_verify;
  EXPECT_NE(seen.by_start.find("log finance"), std::string::npos) << seen.by_start;
}

TEST(Attack, ALogThatNeverWasIsNamedAndNotSigned) {
  auto seen = seen_after([](Database& database, Write& batch) {
    write_log(database, batch, "ministry", {{line(1), "10.0.0.9"}, {line(2), "10.0.0.9"}}, 9);
  });
  EXPECT_NE(seen.by_verify.find("log ministry | has no record of its birth"), std::string::npos) << seen.by_verify;
  EXPECT_NE(seen.by_start.find("are not those that this node committed"), std::string::npos) << seen.by_start;
}

TEST(Attack, AnAuditLogThatIsCutRewrittenOrGoneIsNamedAndNotSigned) {
  auto rewritten = seen_after(
      [](Database& database, Write& batch) {
        erase_log(database, batch, "_audit");
        write_log(database, batch, "_audit", {{R"({"message":"nothing happened"})", "yushid", 1}}, 9);
      },
      [](Heads& heads, auto&) { heads.erase("_audit"); });
  EXPECT_NE(rewritten.by_verify.find("log _audit | has no signed checkpoint, but others have"), std::string::npos)
      << rewritten.by_verify;
  EXPECT_NE(rewritten.by_start.find("was signed, but not _audit"), std::string::npos) << rewritten.by_start;

  auto gone = seen_after([](Database& database, Write& batch) { erase_log(database, batch, "_audit"); },
                         [](Heads& heads, auto&) { heads.erase("_audit"); });
  EXPECT_NE(gone.by_verify.find("log _audit | is gone"), std::string::npos) << gone.by_verify;
  EXPECT_NE(gone.by_start, "");

  // Back to its older checkpoint, which fits in itself: the others' are newer than what it binds.
  auto cut = seen_after(
      [](Database& database, Write& batch) {
        std::vector<std::string> old;
        ASSERT_TRUE(database.scan(database.families().tail, keys::of_log("_audit"), [&](auto key, auto) {
          if (keys::index_of(key) >= kAuditSize) old.emplace_back(key);
          return true;
        }));
        for (auto& key : old) batch.erase(database.families().tail, key);
        ASSERT_TRUE(database.scan(database.families().state, "checkpoint/_audit", [&](auto key, auto) {
          if (keys::index_of(key) > kAuditSize) batch.erase(database.families().state, key);
          return true;
        }));
      },
      [](Heads& heads, const Heads& older) { heads["_audit"] = older.at("_audit"); });
  EXPECT_NE(cut.by_verify, "");
  EXPECT_NE(cut.by_start, "");
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
  auto store = open_with_finance(options_for(folder.path()));
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
  auto store = open_with_finance(options_for(folder.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::corrupt);
}

}  // namespace
}  // namespace yushi::storage::test
