// A record, its origin and marks, its fields or how it was understood, changed where it lies: in a block or in the
// tail.
#include "tests/unit/storage/attack.h"

namespace yushi::storage::test {
namespace {

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

TEST(Attack, AChangedEventTimeIsNamed) {
  auto found = after(rebuild_block([](auto& records, Batch&) { records[3].event_ns += 3600 * kSecond; }));
  EXPECT_NE(found.find("default/3 | field @timestamp"), std::string::npos) << found;
}

TEST(Attack, ACommitNumberThatGoesBackwardsInABlockIsNamed) {
  auto found = after(rebuild_block([](auto& records, Batch& batch) {
    auto origin = *records[17].origin;
    origin.commit += 5;
    records[17].origin = batch.arena.make(origin);
  }));
  EXPECT_NE(found.find("default/18 | is of commit"), std::string::npos) << found;
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
      auto view = open_view(folder.path(), understand_again);
      auto segment = (*view)->segment_at("default", 3);
      auto batch = (*view)->read(**segment);
      std::string entry;
      make_entry_head(entry_head_of((*batch)->records[3 - (*segment)->summary.first_index]), entry);
      EXPECT_TRUE(entry.ends_with(" tcp+part=3/3@0")) << entry;
    }
  }
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

}  // namespace
}  // namespace yushi::storage::test
