// What no checkpoint covers: records behind the newest one, states kept between runs, the key that is to come.
#include "tests/unit/storage/attack.h"

namespace yushi::storage::test {
namespace {

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
    auto store = open_with_finance(options_for(folder.path()));
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
  EXPECT_FALSE(open_with_finance(options_for(folder.path())));
  EXPECT_EQ(SigningKey::load(path)->public_bytes(), own) << "the key is lost";
}

}  // namespace
}  // namespace yushi::storage::test
