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
#include "storage/store/log_state.h"
#include "storage/tail/leaf.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

namespace fs = std::filesystem;

// Where in `_audit` what make_store() commits stands. Between are the records that say how the logs are understood, and
// at the end stands what binds them.
constexpr uint64_t kMinuteRecord = 3, kAlertRecord = 5, kAuditSize = 7;
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
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().tail, keys::record("_audit", kMinuteRecord));
  });
  EXPECT_NE(found.find("_audit/3"), std::string::npos) << found;
}

TEST(Attack, AnAlertTakenOutOfTheIndexIsNamed) {
  auto found = after(
      [](Database& database, Write& batch) { batch.erase(database.families().alerts, keys::alert(kAlertRecord)); });
  EXPECT_NE(found.find("_audit/5 | this alert is gone"), std::string::npos) << found;
}

TEST(Attack, AnEditedEntryOfTheIndexOfAlertsIsNamed) {
  const auto with = [](std::string value) {
    return after([=](Database& database, Write& batch) {
      batch.put(database.families().alerts, keys::alert(kAlertRecord), value);
    });
  };
  const std::function<void(AlertEntry&)> edits[] = {
      [](AlertEntry& entry) { entry.tenant = "finance"; }, [](AlertEntry& entry) { entry.raised_ns -= kMinute; },
      [](AlertEntry& entry) { entry.severity = Severity::low; }, [](AlertEntry& entry) { entry.id.back() = '0'; }};
  for (auto& edit : edits) {
    auto entry = AlertEntry::of(raised_alert());
    edit(entry);
    auto found = with(entry.encode());
    EXPECT_NE(found.find("_audit/5 | the index of alerts says"), std::string::npos) << found;
  }
  for (auto damaged : {std::string(), std::string("{}"), AlertEntry::of(raised_alert()).encode() + "x"}) {
    auto found = with(damaged);
    EXPECT_NE(found.find("_audit/5 | its entry in the index of alerts is damaged"), std::string::npos) << found;
  }
}

TEST(Attack, AnEntryOfTheIndexThatNamesNoAlertIsNamed) {
  for (uint64_t index : {kMinuteRecord, kAuditSize}) {  // a minute; behind the end
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

// ---------------------------------------------------------------- what decides the answer, and stands in no record

// The chunk of `default` that make_store() leaves in the tail, as the attacker writes it.
Attack edit_chunk(const std::function<void(ChunkHead&, ChunkGroup&)>& edit) {
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

Attack edit_context(const std::function<void(ParseContext&)>& edit) {
  return edit_chunk([=](ChunkHead&, ChunkGroup& group) {
    auto context = *group.context;
    edit(context);
    group.context = std::make_shared<const ParseContext>(context);
  });
}

Attack edit_block_context(const std::function<void(ParseContext&)>& edit) {
  return [=](Database& database, Write& batch) {
    auto family = database.blocks_families().at(0).family;
    auto bytes = database.get(family, keys::record("default", 0));
    ASSERT_TRUE(bytes && *bytes);
    auto block = read_block(**bytes);
    ASSERT_TRUE(block);
    edit(block->context.parsed.contexts[0]);
    std::vector<const Record*> records;
    for (auto& record : block->batch->records) records.push_back(&record);
    batch.put(family, keys::record("default", 0), build_block(block->context, records).bytes);
  };
}

TEST(Attack, AnotherContextThanTheOneOfTheCommitIsNamed) {
  const std::function<void(ParseContext&)> edits[] = {
      [](auto& c) { c.parser_digest = std::string(64, 'a'); },
      [](auto& c) { c.timezone = "Asia/Shanghai"; },
      [](auto& c) { c.charset = "gb18030"; },
      [](auto& c) { c.engine += 1; },
  };
  for (auto& edit : edits) {
    auto tail = after(edit_context(edit));
    EXPECT_NE(tail.find("chunk default/300 | says that its records from default/300 on were understood with"),
              std::string::npos)
        << tail;
    auto block = after(edit_block_context(edit));
    EXPECT_NE(block.find("block default/0 | says that its records from default/0 on were understood with"),
              std::string::npos)
        << block;
  }
}

TEST(Attack, AnotherOriginOrMarkIsNamed) {
  const std::function<void(Record&, Batch&)> edits[] = {
      [](auto& r, Batch& b) {
        auto origin = *r.origin;
        origin.address = "198.51.100.9";
        r.origin = b.arena.make(origin);
      },
      [](auto& r, Batch&) { r.marks |= kTruncated; },
      [](auto& r, Batch&) { r.marks |= kByRelay; },
      [](auto& r, Batch&) { r.marks |= kHostUnconfirmed; },
      [](auto& r, Batch&) { r.part = r.part_of = 1; },
  };
  for (auto& edit : edits) {
    auto block = after(rebuild_block([&](auto& records, Batch& batch) { edit(records[17], batch); }));
    EXPECT_NE(block.find("signed root"), std::string::npos) << block;
  }
  auto address = after(edit_chunk([](ChunkHead&, ChunkGroup& group) { group.sources[0].address = "198.51.100.9"; }));
  EXPECT_NE(address.find("signed root"), std::string::npos) << address;
  auto transport =
      after(edit_chunk([](ChunkHead&, ChunkGroup& group) { group.sources[0].transport = Transport::tls; }));
  EXPECT_NE(transport.find("signed root"), std::string::npos) << transport;
}

// A message in three parts, which come in two commits; sealed or in the tail.
TEST(Attack, WhatALaterPartInheritsIsHeldToItsFirstPart) {
  const auto parts = [](std::vector<std::pair<std::string, uint16_t>> given) {
    std::vector<Sent> messages;
    for (auto& [raw, part] : given) messages.push_back({raw});
    auto out = prepared(messages);
    // As an ingest thread makes them, in an understander that saw the first part.
    auto batch = out.batch;
    for (size_t i = 0; i < given.size(); ++i) {
      auto& record = batch->records[i];
      record.part = given[i].second;
      record.part_of = record.part == 3 ? 3 : 0;
      const_cast<Origin*>(record.origin)->stream = 9;
      if (record.part == 1) continue;
      record.captures = {};
      record.message_begin = 0;
      record.message_length = static_cast<uint32_t>(record.raw.size());
      record.kind = nullptr;
      PartHead head{0, "db-01", "backup", "77", kReceived - kSecond, 0, 0, 86};
      record.part_head = batch->arena.make(head);
      record.event_ns = head.event_ns;
      record.event_digits = head.event_digits;
      record.time_inferred = head.time_inferred;
      record.priority = head.priority;
    }
    std::vector<std::shared_ptr<const ParseContext>> contexts(3, std::make_shared<ParseContext>(Version().context));
    return prepare(batch, contexts);
  };
  const auto first = "<86>1 " + utc_text(kReceived - kSecond).substr(0, 19) + "Z db-01 backup 77 - - a long one";
  for (bool sealed : {false, true}) {
    for (bool forged : {false, true}) {
      Folder folder;
      {
        auto store = open_store(folder.path());
        auto one = store->begin();
        one.append(parts({{first, 1}, {"more of it", 2}}));
        ASSERT_TRUE(one.finish());
        commit(*store, {{line(1)}});
        auto two = store->begin();
        auto last = parts({{"the end", 3}});
        if (forged) const_cast<PartHead*>(last.batch->records[0].part_head)->host = "db-02";
        if (forged) last = prepare(last.batch, std::vector(3, std::make_shared<const ParseContext>(Version().context)));
        two.append(std::move(last));
        ASSERT_TRUE(two.finish());
        ASSERT_TRUE(sealed ? store->close(kReceived) : store->sign_checkpoints(kReceived, 0));
      }
      auto found = contradictions(folder.path());
      EXPECT_EQ(found.find("default/3 | what this part says of its message") != std::string::npos, forged) << found;
      EXPECT_EQ(found.empty(), !forged) << found;
      auto view = StoreView::open_read_only(folder.path(), understand_again);
      auto segment = (*view)->segment_at("default", 3);
      auto batch = (*view)->read(**segment);
      std::string entry;
      make_entry_head(entry_head_of((*batch)->records[3 - (*segment)->summary.first_index]), entry);
      EXPECT_TRUE(entry.ends_with(" tcp+part=3/3@0")) << entry;
    }
  }
}

TEST(Attack, AMovedTimeRangeOfAChunkIsNamed) {
  auto found = after(edit_chunk([](ChunkHead&, ChunkGroup& group) { group.event_from_ns += kSecond; }));
  EXPECT_NE(found.find("chunk default/300 | the stored time range"), std::string::npos) << found;
}

TEST(Attack, EveryEditedColumnOfASourceIsNamed) {
  const std::pair<const char*, std::function<void(SourceState&)>> edits[] = {
      {"first receipt", [](auto& s) { s.first_received_ns -= kSecond; }},
      {"last receipt", [](auto& s) { s.last_received_ns += kSecond; }},
      {"last event time", [](auto& s) { s.last_event_ns += kSecond; }},
      {"address", [](auto& s) { s.address = "198.51.100.9"; }},
      {"transports", [](auto& s) { s.transports |= 1; }},
      {"counters say", [](auto& s) { s.raw_bytes += 1; }},
  };
  for (auto& [what, edit] : edits) {
    auto found = after([&, edit = edit](Database& database, Write& batch) {
      auto key = keys::source("default", "10.0.0.2");
      auto bytes = database.get(database.families().state, key);
      ASSERT_TRUE(bytes && *bytes);
      auto state = SourceState::decode(**bytes);
      edit(*state);
      batch.put(database.families().state, key, state->encode());
    });
    EXPECT_NE(found.find("source 10.0.0.2 of log default"), std::string::npos) << found;
    EXPECT_NE(found.find(what), std::string::npos) << found;
  }
}

// ------------------------------------------------------------------------------------------ logs, one without another

// Somebody who knows the format and has no key: takes a log out of a store, whole or from a record on.
void erase_log(Database& database, Write& batch, const std::string& log) {
  auto& families = database.families();
  auto last = keys::record(log, UINT64_MAX);
  batch.erase_range(families.tail, keys::of_log(log), last);
  for (auto& blocks : database.blocks_families()) {
    batch.erase_range(blocks.family, keys::of_log(log), last);
    batch.erase_range(families.filters, keys::filter(blocks.store_day, log, 0),
                      keys::filter(blocks.store_day, log, UINT64_MAX));
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

// In `heads` too.
void edit_heads(const std::string& data_dir, const std::function<void(Heads&)>& edit) {
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
Seen seen_after(const Attack& attack, const std::function<void(Heads&, const Heads& older)>& heads = {}) {
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
  auto store = Store::open(options_for(folder.path()));
  if (!store) seen.by_start = store.error().message;
  return seen;
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

// The minute that is not signed yet.
TEST(Attack, ARecordPutBehindTheNewestCheckpointIsNotSigned) {
  auto forged = [](Database& database, Write& batch, uint64_t commit) {
    auto& families = database.families();
    auto state = database.get(families.state, keys::log_state("finance"));
    ASSERT_TRUE(state && *state);
    auto tree = CompactRange::decode(**state);
    auto one = prepared({{line(888), "10.0.0.9", kFinance}});
    auto& group = one.groups[0];
    group.sources[0].first_seq = group.records[0]->source_seq = 1;
    tree->append(leaf_of(*group.records[0]));
    batch.put(families.tail, keys::record("finance", 1), finish_chunk(commit, group));
    batch.put(families.state, keys::log_state("finance"), tree->encode());
    auto key = keys::source("finance", "10.0.0.9");
    auto source = SourceState::decode(**database.get(families.state, key));
    source->add(*group.records[0]);
    batch.put(families.state, key, source->encode());
  };
  for (uint64_t commit : {8, 9, 10}) {
    auto seen = seen_after([&](Database& database, Write& batch) { forged(database, batch, commit); });
    EXPECT_EQ(seen.by_verify, "") << "who has no key can only say: not signed yet";
    EXPECT_NE(seen.by_start.find("are not those that this node committed"), std::string::npos) << seen.by_start;
  }
}

TEST(Attack, ARecordTakenFromBehindTheNewestCheckpointIsNotSigned) {
  auto seen = seen_after([](Database& database, Write& batch) {
    auto key = keys::record("default", 501);
    auto bytes = database.get(database.families().tail, key);
    ASSERT_TRUE(bytes && *bytes);
    auto forged = prepared({{line(999)}});
    auto& group = forged.groups[0];
    auto head = ChunkHead::decode(501, **bytes);
    group.sources[0].first_seq = head->sources[0].first_seq;
    group.records[0]->source_seq = head->sources[0].first_seq;
    batch.put(database.families().tail, key, finish_chunk(head->commit, group));
  });
  EXPECT_NE(seen.by_verify + seen.by_start, "");
  EXPECT_NE(seen.by_start, "");
}

// Without the newest number and the code a store looks as if nothing had ever been committed.
TEST(Attack, ARecordPutBehindTheNewestCheckpointIsNotSignedWithoutAChainEither) {
  auto seen = seen_after([](Database& database, Write& batch) {
    auto& families = database.families();
    auto tree = CompactRange::decode(**database.get(families.state, keys::log_state("finance")));
    auto one = prepared({{line(888), "10.0.0.9", kFinance}});
    auto& group = one.groups[0];
    group.sources[0].first_seq = group.records[0]->source_seq = 1;
    tree->append(leaf_of(*group.records[0]));
    batch.put(families.tail, keys::record("finance", 1), finish_chunk(9, group));
    batch.put(families.state, keys::log_state("finance"), tree->encode());
    batch.erase(families.state, keys::kChain);
    batch.erase(families.state, "commit");
  });
  EXPECT_NE(seen.by_start, "");
  auto removed =
      seen_after([](Database& database, Write& batch) { batch.erase(database.families().state, keys::kChain); });
  EXPECT_NE(removed.by_start.find("are not those that this node committed"), std::string::npos) << removed.by_start;
}

// What the daemon keeps between runs: a cursor ahead would make a forwarder pass over records.
TEST(Attack, AKeptStateThatIsChangedRemovedOrPutInIsRefused) {
  const std::pair<const char*, Attack> attacks[] = {
      {"changed", [](Database& d, Write& w) { w.put(d.families().state, "cursor/kafka", "99"); }},
      {"removed", [](Database& d, Write& w) { w.erase(d.families().state, "cursor/kafka"); }},
      {"put in", [](Database& d, Write& w) { w.put(d.families().state, "cursor/other", "99"); }},
      {"code removed", [](Database& d, Write& w) { w.erase(d.families().state, keys::kKept); }},
  };
  for (auto& [what, attack] : attacks) {
    SCOPED_TRACE(what);
    Folder folder;
    {
      auto store = open_store(folder.path());
      commit(*store, {{line(1)}});
      ASSERT_TRUE(store->write_state("cursor/kafka", "7"));
      auto one = store->begin();
      one.append(prepared({{line(2)}}));
      one.put_state("books", "8");
      ASSERT_TRUE(one.finish());
    }
    {
      auto store = open_store(folder.path());
      EXPECT_EQ(store->read_state("cursor/kafka").value(), "7");
      EXPECT_EQ(store->read_state("books").value(), "8");
      EXPECT_EQ(store->read_state("cursor/other").error().code, Code::not_found);
    }
    {
      auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
      Write batch;
      attack(**database, batch);
      ASSERT_TRUE((*database)->write(batch, "attacking"));
    }
    auto store = Store::open(options_for(folder.path()));
    auto refused = [&](const char* name) {
      auto read = (*store)->read_state(name);
      return !read && read.error().code == Code::corrupt;
    };
    if (store) {
      EXPECT_NE(refused("cursor/kafka"), refused("cursor/other"));
    } else {
      EXPECT_NE(store.error().message.find("kept"), std::string::npos) << store.error().message;
    }
  }
}

// The numbers would come again, and the next crash would look like a forgery.
TEST(Attack, ACommitNumberThatWasPutBackIsRefusedAtStart) {
  for (uint64_t by : {1, 2, 5, 100}) {
    auto seen = seen_after([&](Database& database, Write& batch) {
      auto now = database.get(database.families().state, "commit");
      ASSERT_TRUE(now && *now);
      std::string number;
      put_varint(number, Reader(**now).varint() - std::min(Reader(**now).varint(), by));
      batch.put(database.families().state, "commit", number);
    });
    EXPECT_NE(seen.by_start.find("was put back"), std::string::npos) << by << ": " << seen.by_start;
  }
}

// A start gives the fields of another engine's tail anew, and tells in `_audit` how. Not in the attacker's way.
TEST(Attack, AnotherContextUnderAnotherEngineInTheTailIsNotTold) {
  const std::function<void(ParseContext&)> edits[] = {
      [](auto& c) { c.parser_digest = std::string(64, 'a'); },
      [](auto& c) { c.timezone = "Asia/Shanghai"; },
      [](auto& c) { c.charset = "gb18030"; },
  };
  for (auto& edit : edits) {
    auto seen = seen_after(edit_context([&](ParseContext& context) {
      context.engine += 1;
      edit(context);
    }));
    EXPECT_NE(seen.by_verify.find("chunk default/300 | says"), std::string::npos) << seen.by_verify;
    EXPECT_NE(seen.by_start.find("in another way than `_audit` says"), std::string::npos) << seen.by_start;
  }
}

TEST(Attack, AKeyThatWasPutInAsTheNextOneTakesNoPlace) {
  Folder folder;
  make_store(folder.path());
  auto path = folder.path() + "/keys/node.pem";
  auto own = SigningKey::load(path)->public_bytes();
  auto other = *SigningKey::generate();
  Disk disk;
  ASSERT_TRUE(other.save(path + ".next", disk));
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    ASSERT_TRUE(database);
    Write batch;
    batch.put((*database)->families().meta, "public_key", other.public_bytes());
    ASSERT_TRUE((*database)->write(batch, "attacking"));
  }
  EXPECT_NE(contradictions(folder.path()).find("is not the key"), std::string::npos);
  EXPECT_FALSE(Store::open(options_for(folder.path())));
  EXPECT_EQ(SigningKey::load(path)->public_bytes(), own) << "the key is lost";
}

TEST(Attack, AFieldOfAnotherFormIsNamed) {
  // As a list in JSON, or of another type: both decide what a search finds and how it is shown.
  auto other = [](const Field& field, Batch& batch) {
    auto form = field;
    form.list = !form.list;
    form.id = kDynamicField;
    return batch.arena.make(form);
  };
  auto captured = after(rebuild_block([&](auto& records, Batch& batch) {
    std::vector<Capture> captures(records[5].captures.begin(), records[5].captures.end());
    for (auto& capture : captures)
      if (capture.field == ecs::user_name) capture.field = other(*capture.field, batch);
    records[5].captures = batch.arena.copy(std::span<const Capture>(captures));
  }));
  EXPECT_NE(captured.find("default/5 | field user.name"), std::string::npos) << captured;
  MessageKind kind;
  auto constant = after(rebuild_block([&](auto& records, Batch& batch) {
    kind = *records[5].kind;
    for (auto& each : kind.constants)
      if (each.field->name == "event.category") each.field = other(*each.field, batch);
    records[5].kind = &kind;
  }));
  EXPECT_NE(constant.find("default/5 | field event.category"), std::string::npos) << constant;
}

TEST(Attack, ACommitNumberThatGoesBackwardsInABlockIsNamed) {
  auto found = after(rebuild_block([](auto& records, Batch& batch) {
    auto origin = *records[17].origin;
    origin.commit += 5;
    records[17].origin = batch.arena.make(origin);
  }));
  EXPECT_NE(found.find("default/18 | is of commit"), std::string::npos) << found;
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
