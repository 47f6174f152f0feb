// A store, and what somebody with write access to the disk may do to it, through RocksDB's own API or to its files.
// verify, or the next start, must name each of it: attack_*_test.cc, by kind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/event/alert.h"
#include "core/event/own_record.h"
#include "storage/db/keys.h"
#include "storage/read/summaries.h"
#include "storage/store/log_state.h"
#include "storage/tail/leaf.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {

namespace fs = std::filesystem;

// Where in `_audit` what make_store() commits stands. Between are the records that say how the logs are understood, and
// at the end stands what binds them.
constexpr uint64_t kMinuteRecord = 3, kAlertRecord = 5, kAuditSize = 7;

inline Alert raised_alert() {
  Alert alert;
  alert.id = "0123456789abcdef";
  alert.severity = Severity::high;
  alert.tenant = "default";
  alert.raised_ns = kReceived + 5;
  return alert;
}

// A start, two ledger minutes and an alert in `_audit`; 300 records of `default` sealed in a block, 200 in the tail;
// signed.
inline void make_store(const std::string& path, bool clean_stop = false) {
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
  ASSERT_EQ(store->log_size(1), kAlertRecord);
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
inline std::string after(const Attack& attack, bool clean_stop = false) {
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
inline Attack rebuild_block(const std::function<void(std::vector<Record>&, Batch&)>& tamper, bool summary_too = true,
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
    put_summary(batch, database, database.blocks_families().at(0).store_day, "default", built.summary);
  };
}

// The chunk of `default` that make_store() leaves in the tail, as the attacker writes it.
inline Attack edit_chunk(const std::function<void(ChunkHead&, ChunkGroup&)>& edit) {
  return [=](Database& database, Write& batch) {
    auto key = keys::record("default", 300);
    auto bytes = database.get(database.families().tail, key);
    ASSERT_TRUE(bytes && *bytes);
    auto head = ChunkHead::decode(300, **bytes);
    ASSERT_TRUE(head);
    std::vector<Sent> messages;
    for (int i = 300; i < 500; ++i) messages.push_back({line(i)});
    auto again = prepared(messages);
    auto& group = again.groups[0];
    group.sources[0].first_seq = head->sources[0].first_seq;
    edit(*head, group);
    batch.put(database.families().tail, key, finish_chunk(head->commit, group));
  };
}

inline Attack edit_context(const std::function<void(ParseContext&)>& edit) {
  return edit_chunk([=](ChunkHead&, ChunkGroup& group) {
    auto context = *group.context;
    edit(context);
    group.context = std::make_shared<const ParseContext>(context);
  });
}

// In `heads` too.
inline void edit_heads(const std::string& data_dir, const std::function<void(Heads&)>& edit) {
  auto heads = read_heads(data_dir + "/heads");
  ASSERT_TRUE(heads);
  edit(*heads);
  Disk disk;
  ASSERT_TRUE(write_heads(data_dir + "/heads", *heads, disk));
}

struct Seen {
  std::string by_verify;  // contradictions
  std::string by_start;   // why it refused; empty: it started
};

// What is seen after `attack` on a store that was signed twice, with records that came after that; `heads` as edited.
inline Seen seen_after(const Attack& attack, const std::function<void(Heads&, const Heads& older)>& heads = {}) {
  Folder folder;
  make_store(folder.path());
  auto older = *read_heads(folder.path() + "/heads");
  {
    auto store = open_store(folder.path());
    commit(*store, {{line(500)}, {line(501), "10.0.0.9", kFinance}});
    EXPECT_TRUE(store->sign_checkpoints(kReceived + kMinute, 0));
    commit(*store, {{line(502)}, {R"({"message":"minute 9"})", "yushid", 1}});
  }
  EXPECT_EQ(contradictions(folder.path()), "") << "before the attack";
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    EXPECT_TRUE(database);
    Write batch;
    attack(**database, batch);
    EXPECT_TRUE((*database)->write(batch, "attacking"));
    EXPECT_TRUE((*database)->flush());
  }
  if (heads) edit_heads(folder.path(), [&](Heads& now) { heads(now, older); });
  Seen seen{contradictions(folder.path()), ""};
  auto store = open_with_finance(options_for(folder.path()));
  if (!store) seen.by_start = store.error().message;
  return seen;
}

}  // namespace yushi::storage::test
