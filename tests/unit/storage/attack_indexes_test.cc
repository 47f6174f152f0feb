// What is derived of records and decides what a question finds: filters, time ranges, the index of alerts, counters.
#include "core/filter/token_filter.h"
#include "storage/read/alert_entry.h"
#include "tests/unit/storage/attack.h"

namespace yushi::storage::test {
namespace {

Attack edit_summary(const std::function<void(BlockSummary&)>& edit) {
  return [=](Database& database, Write& batch) {
    auto day = database.blocks_families().at(0).store_day;
    auto filters = database.families().filters;
    auto head = database.get(filters, keys::summary(day, "default", 0));
    auto words = database.get(filters, keys::words(day, "default", 0));
    ASSERT_TRUE(head && *head && words && *words);
    auto summary = BlockSummary::decode(**head);
    ASSERT_TRUE(summary && summary->decode_words(**words));
    edit(*summary);
    put_summary(batch, database, day, "default", *summary);
  };
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

TEST(Attack, AMovedTimeRangeOfADayIsNamed) {
  auto found = after([](Database& database, Write& batch) {
    auto key = keys::day_head("default", database.blocks_families().at(0).store_day);
    auto bytes = database.get(database.families().filters, key);
    ASSERT_TRUE(bytes && *bytes);
    auto head = DayHead::decode(**bytes);
    ASSERT_TRUE(head);
    for (auto& range : head->event_times) range.from_ns -= 86400 * kSecond, range.to_ns -= 86400 * kSecond;
    batch.put(database.families().filters, key, head->encode());
  });
  EXPECT_NE(found.find("a search would miss some"), std::string::npos) << found;
}

TEST(Attack, WordsThatAreGoneAreNamed) {
  auto found = after([](Database& database, Write& batch) {
    batch.erase(database.families().filters, keys::words(database.blocks_families().at(0).store_day, "default", 0));
  });
  EXPECT_NE(found.find("token filter"), std::string::npos) << found;
}

TEST(Attack, AMovedTimeRangeOfAChunkIsNamed) {
  auto found = after(edit_chunk([](ChunkHead&, ChunkGroup& group) { group.event_from_ns += kSecond; }));
  EXPECT_NE(found.find("chunk default/300 | the stored time range"), std::string::npos) << found;
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

// An alert that is to look as if somebody had closed it, and one that is to look open again.
TEST(Attack, AStateThatNobodyGaveIsNamed) {
  AlertAct act;
  act.kind = AlertAct::Kind::closed;
  act.index = kAlertRecord;
  act.closed_as = "false-alarm";
  for (uint64_t index : {kMinuteRecord, kAuditSize}) {
    auto found = after([&](Database& database, Write& batch) {
      batch.put(database.families().alerts, keys::alert(index), AlertActEntry::of(act).encode());
    });
    EXPECT_NE(found.find("_audit/" + std::to_string(index) +
                         " | is in the index of alerts, but is nothing that was done to one"),
              std::string::npos)
        << found;
  }
  Folder folder;
  make_store(folder.path());
  act.id = raised_alert().id;
  act.user = "li.wei";
  auto record = own_record("alert-closed", "li.wei closed it");
  record.about = act;
  uint64_t place = 0;
  {
    auto store = open_store(folder.path());
    place = store->log_size(1);
    auto commit = store->begin();
    commit.add_alert_act(place, act);
    commit.append(prepared({{to_json(record), "yushid", 1}}));
    ASSERT_TRUE(commit.finish());
    ASSERT_TRUE(store->sign_checkpoints(kReceived + kMinute, 0));
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  const auto attacked = [&](const Attack& attack) {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    Write batch;
    attack(**database, batch);
    EXPECT_TRUE((*database)->write(batch, "attacking"));
    database->reset();
    return contradictions(folder.path());
  };
  auto other = AlertActEntry::of(act);
  other.closed_as = "true";
  auto found = attacked([&](Database& database, Write& batch) {
    batch.put(database.families().alerts, keys::alert(place), other.encode());
  });
  EXPECT_NE(found.find("the index of alerts says another state"), std::string::npos) << found;
  found =
      attacked([&](Database& database, Write& batch) { batch.erase(database.families().alerts, keys::alert(place)); });
  EXPECT_NE(found.find("was done to an alert is gone"), std::string::npos) << found;
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

}  // namespace
}  // namespace yushi::storage::test
