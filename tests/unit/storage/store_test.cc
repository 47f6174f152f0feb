#include "storage/store/store.h"

#include <map>
#include <set>

#include "core/event/own_record.h"
#include "core/ledger/entry.h"
#include "storage/db/keys.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

std::vector<std::string> all_raws(const std::string& data_dir, const std::string& log) {
  auto view = open_view(data_dir, understand_again);
  EXPECT_TRUE(view) << view.error().message;
  std::vector<std::string> out;
  auto segments = (*view)->segments(log);
  EXPECT_TRUE(segments) << segments.error().message;
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    EXPECT_TRUE(batch) << batch.error().message;
    for (auto& record : (*batch)->records) {
      EXPECT_EQ(record.index, out.size());
      out.emplace_back(record.raw);
    }
  }
  return out;
}

TEST(Store, GivesBackWhatWasCommittedByteForByteFromTheTailAndFromBlocks) {
  Folder folder;
  std::vector<std::string> sent;
  {
    auto store = open_store(folder.path());
    std::vector<Sent> first, second;
    for (int i = 0; i < 500; ++i) first.push_back({line(i)});
    first.push_back({std::string("\0\xff\xfe GB18030 \xd6\xd0\xce\xc4 \r\n nul\0", 24)});
    first.push_back({""});
    commit(*store, first);
    for (int i = 500; i < 600; ++i) second.push_back({line(i), "10.0.0.2"});
    commit(*store, second);
    for (auto& s : first) sent.push_back(s.raw);
    for (auto& s : second) sent.push_back(s.raw);
    EXPECT_EQ(all_raws(folder.path(), "default"), sent);
    auto closed = store->close(kReceived);
    ASSERT_TRUE(closed) << closed.error().message;
  }
  EXPECT_EQ(all_raws(folder.path(), "default"), sent);
  EXPECT_EQ(contradictions(folder.path()), "");
}

// What a running store reads of the tail is what its chunks say; what is sealed is let go.
TEST(Store, ReadsTheOpenTailAsItsChunksAre) {
  Folder folder;
  Scratch scratch;
  const auto say = [&](const Batch& batch) {
    std::vector<std::string> out;
    for (auto& record : batch.records) {
      auto& origin = *record.origin;
      auto& text = out.emplace_back(std::to_string(record.index) + " " + std::to_string(record.source_seq) + " " +
                                    std::to_string(record.event_ns) + " " + std::to_string(origin.received_ns) + " " +
                                    std::to_string(origin.commit) + " " + std::string(origin.source));
      std::set<std::string> fields;
      for_each_field(record, scratch, [&](const Field& field, const Value& value) {
        fields.insert(std::string(field.name) + "=" + std::string(value.text) + std::to_string(value.integer));
      });
      for (auto& field : fields) text += " " + field;
    }
    return out;
  };
  size_t chunks = 0;
  const auto compare = [&](Store& store) {
    auto view = store.view();
    const auto logs = *view->logs();
    for (auto& log : logs) {
      const auto segments = *view->segments(log);
      for (auto& segment : segments) {
        auto read = view->read(segment);
        auto whole = view->read_whole(segment);
        ASSERT_TRUE(read && whole);
        EXPECT_EQ(say(**read), say(*whole->batch));
        auto open = store.open_tail().read(log, segment.summary.first_index + segment.summary.records - 1);
        ASSERT_EQ(open != nullptr, !segment.sealed);
        if (open) {
          EXPECT_EQ(say(*open), say(*whole->batch));
        }
        chunks += !segment.sealed;
      }
    }
  };
  for (int round = 0; round < 2; ++round) {
    auto store = open_store(folder.path());  // the second one takes up what the first left
    compare(*store);
    for (int i = 0; i < 3; ++i) {
      std::vector<Sent> messages;
      for (int k = 0; k < 40; ++k)
        messages.push_back({line(round * 120 + i * 40 + k), k % 3 ? "10.0.0.1" : "10.0.0.2"});
      commit(*store, messages);
    }
    compare(*store);
    if (round == 0) continue;
    auto view = store->view();
    auto before = *view->segments("default");
    ASSERT_TRUE(store->seal_due(kReceived, true));
    ASSERT_TRUE(store->wait_sealed());
    EXPECT_EQ(store->open_tail().read("default", 0), nullptr);
    for (auto& segment : before) EXPECT_TRUE(view->read(segment));  // as the view has them
    compare(*store);
  }
  EXPECT_GE(chunks, 3u + 3 + 6);
}

TEST(Store, GoesOnAfterACrashWithoutGapOrDouble) {
  Folder folder;
  std::vector<std::string> sent;
  for (int round = 0; round < 5; ++round) {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    std::vector<Sent> messages;
    for (int i = 0; i < 300; ++i) messages.push_back({line(round * 300 + i), i % 3 ? "10.0.0.1" : "10.0.0.2"});
    commit(*store, messages);
    for (auto& m : messages) sent.push_back(m.raw);
    if (round == 2) {
      ASSERT_TRUE(store->seal_due(kReceived, true));
      ASSERT_TRUE(store->wait_sealed());
    }
    ASSERT_TRUE(store->sign_checkpoints(kReceived + round, 0));
    // No close(): the destructor leaves what a crash leaves, since every commit is synced.
  }
  EXPECT_EQ(all_raws(folder.path(), "default"), sent);
  EXPECT_EQ(contradictions(folder.path()), "");
}

// Another version of the same parser: one pattern says more, another is new.
Version other_version() {
  std::string text = kParser;
  text.replace(text.find("event.outcome: failure"), 22, "event.outcome: failure, event.action: second-version");
  text.replace(text.find("tests:"), 6, R"(  - name: hello
    grok: 'hello %{WORD:user.name}'
tests:
  - line: 'hello there'
    expect: {user.name: there})");
  auto set = parsers::ParserSet::load({{"sshd.yaml", "sshd.yaml", text}});
  EXPECT_TRUE(set) << set.error().message;
  return {*set, {(*set)->digest(), "Asia/Shanghai", "gb18030", parsers::kParserEngine}};
}

// Parses with the version that a context names.
Reparse understand_by_version(std::vector<Version> versions, uint32_t engine = parsers::kParserEngine) {
  return {engine, [versions](Batch& batch, const ParseContext& context) -> Result<void> {
            for (auto& version : versions) {
              if (version.context.parser_digest != context.parser_digest) continue;
              parsers::Understander(version.parsers)
                  .understand(batch, {*Zone::find(context.timezone), *find_charset(context.charset)}, false);
              batch.keep.push_back(version.parsers);
              return {};
            }
            return fail(Code::corrupt, "no version " + context.parser_digest);
          }};
}

// The value of event.action of each record, and the charset of its text.
std::vector<std::string> actions(const std::string& data_dir, const Reparse& understand) {
  auto view = open_view(data_dir, understand);
  EXPECT_TRUE(view) << view.error().message;
  std::vector<std::string> out;
  Scratch scratch;
  auto segments = (*view)->segments("default");
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    EXPECT_TRUE(batch) << batch.error().message;
    for (auto& record : (*batch)->records) {
      out.emplace_back("-");
      for_each_field(record, scratch, [&](const Field& field, const Value& value) {
        if (field.name == "event.action") out.back() = value.text;
      });
      out.back() += " " + std::string(charset_name(record.charset));
    }
  }
  return out;
}

TEST(Store, AReloadSealsNothingAndEachRecordKeepsTheFieldsOfItsTimeAlsoAfterACrash) {
  Folder folder;
  Version first, second = other_version();
  auto understand = understand_by_version({first, second});
  auto options = options_for(folder.path());
  options.reparse = understand;
  // No year in these times, and no zone: what they mean depends on the tenant's zone.
  std::vector<Sent> messages = {
      {"<38>Nov  1 08:00:01 host sshd[7]: Failed password for root from 10.0.0.1 port 4242 ssh2"},
      {"<38>Nov  1 08:00:01 host sshd[7]: hello there"},
      {"no parser knows \xd5\xe2"}};  // this, in GB 18030
  std::vector<std::string> expected;
  auto send = [&](Store& store, const Version& version) {
    commit(store, messages, kReceived, version);
    for (size_t i = 0; i < messages.size(); ++i)
      expected.push_back((i == 0 && &version == &second ? "second-version " : "- ") +
                         (i == 2 ? version.context.charset : "utf-8"));
  };
  {
    auto store = open_with_finance(options);
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < 3; ++i) {
      send(**store, first);
      send(**store, second);
      send(**store, second);
      ASSERT_TRUE((*store)->seal_due(kReceived));
    }
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived, 0));
    EXPECT_EQ((*store)->counters().blocks_sealed, 0u);
  }
  EXPECT_EQ(actions(folder.path(), understand), expected);
  {
    auto store = open_with_finance(options);  // after what a crash leaves
    ASSERT_TRUE(store) << store.error().message;
    send(**store, first);
    EXPECT_EQ((*store)->counters().blocks_sealed, 0u);
    ASSERT_TRUE((*store)->close(kReceived));
    EXPECT_EQ((*store)->counters().blocks_sealed, 2u);  // of `default` and `_audit`
  }
  EXPECT_EQ(actions(folder.path(), understand), expected);
  auto report = verify(folder.path(), {}, understand);
  EXPECT_EQ(flaws(report, true) + flaws(report, false), "");

  auto view = open_view(folder.path(), understand);
  auto segments = (*view)->segments("default");
  ASSERT_EQ(segments->size(), 1u);
  auto block = (*view)->read_whole(segments->front());
  ASSERT_TRUE(block);
  EXPECT_EQ(block->context.parsed.contexts, (std::vector<ParseContext>{first.context, second.context}));
  EXPECT_EQ(block->context.parsed.changes,
            (std::vector<ContextChange>{{3, 1}, {9, 0}, {12, 1}, {18, 0}, {21, 1}, {27, 0}}));
}

TEST(Store, ABlockTakesNoMoreVersionsThanItsReadersDoAndIsNotSealedBeforeItsCommit) {
  Folder folder;
  auto store = open_store(folder.path());
  Version version;
  auto commit = store->begin();
  for (size_t i = 0; i < 2 * kParseContextsMax + 1; ++i) {
    version.context.parser_digest = std::string(60, '0') + std::to_string(1000 + i);
    commit.append(prepared({{line(static_cast<int>(i))}}, kReceived, version));
  }
  // A block must not be durable before the commit of its records is: a crash in between would leave records without a
  // leaf.
  ASSERT_TRUE(store->wait_sealed());
  EXPECT_EQ(store->counters().blocks_sealed, 0u);
  ASSERT_TRUE(commit.finish());
  ASSERT_TRUE(store->close(kReceived));
  EXPECT_EQ(store->counters().blocks_sealed, 4u);  // one is of `_audit`
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Store, FieldsOfAnotherEngineAreNotCalledAContradictionAndSaidNotToBeCompared) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
    commit(*store, {{line(1)}, {line(2)}});
    ASSERT_TRUE(store->seal_due(kReceived, true));
    commit(*store, {{line(3)}});
    ASSERT_TRUE(store->close(kReceived));
  }
  auto newer = understand_again;
  newer.engine = parsers::kParserEngine + 1;
  newer.parse = [](Batch& batch, const ParseContext&) -> Result<void> {
    for (auto& record : batch.records) record.event_ns = 1;  // reads every time otherwise
    return {};
  };
  auto report = verify(folder.path(), {}, newer);
  EXPECT_EQ(flaws(report, true), "");
  auto unproved = flaws(report, false);
  auto engine = "parser engine " + std::to_string(parsers::kParserEngine) + " ";
  EXPECT_NE(unproved.find("default | block default/0 to block default/2 | records default/0 to default/2: " + engine),
            std::string::npos)
      << unproved;
  EXPECT_NE(unproved.find("_audit | block _audit/0 to block _audit/3 | "), std::string::npos) << unproved;
  EXPECT_NE(unproved.find("NOT compared"), std::string::npos) << unproved;
  // The program that gave the fields still proves them.
  report = verify(folder.path());
  EXPECT_EQ(flaws(report, true) + flaws(report, false), "");
}

TEST(Store, ATailThatACrashLeftToAnotherEngineIsNamedAndSealedWithTheFieldsThatItIsGivenNow) {
  Folder folder;
  std::vector<Sent> messages;
  for (int i = 0; i < 20; ++i) messages.push_back({line(i)});
  {
    auto store = open_store(folder.path());
    commit(*store, messages);
    commit(*store, messages);
    ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  }
  auto options = options_for(folder.path());
  options.reparse.engine = parsers::kParserEngine + 1;
  options.own_context = std::make_shared<const ParseContext>(
      ParseContext{small_parsers()->digest(), "UTC", "utf-8", options.reparse.engine});
  {
    auto store = open_with_finance(options);
    ASSERT_TRUE(store) << store.error().message;
    auto& tails = (*store)->other_engines();
    ASSERT_EQ(tails.size(), 2u);
    EXPECT_EQ(tails[1].log, "_audit");
    EXPECT_EQ(tails[0].log, "default");
    EXPECT_EQ(tails[0].engine, parsers::kParserEngine);
    EXPECT_EQ(tails[0].first_index, 0u);
    EXPECT_EQ(tails[0].records, 40u);
    ASSERT_TRUE((*store)->seal_due(kReceived));
    ASSERT_TRUE((*store)->wait_sealed());
    EXPECT_EQ((*store)->counters().blocks_sealed, 2u);
    // And goes on as ever.
    Version now;
    now.context.engine = parsers::kParserEngine + 1;
    commit(**store, messages, kReceived, now);
    ASSERT_TRUE((*store)->seal_due(kReceived));
    ASSERT_TRUE((*store)->close(kReceived));
    EXPECT_EQ((*store)->counters().blocks_sealed, 4u);
  }
  auto report = verify(folder.path(), {}, options.reparse);
  EXPECT_EQ(flaws(report, true) + flaws(report, false), "");
  auto again = open_with_finance(options);
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)->other_engines().empty());
}

TEST(Store, CountsEachSourceOfEachLogFromZeroWithoutAGap) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    for (int round = 0; round < 4; ++round) {
      std::vector<Sent> messages;
      for (int i = 0; i < 40; ++i) {
        messages.push_back({line(i), "10.0.0." + std::to_string(i % 3), static_cast<LogId>(i % 2 ? 0 : 2)});
      }
      commit(*store, messages);
    }
    ASSERT_TRUE(store->close(kReceived));
  }
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view);
  for (std::string log : {"default", "finance"}) {
    std::map<std::string, uint64_t> next;
    auto segments = (*view)->segments(log);
    ASSERT_TRUE(segments);
    for (auto& segment : *segments) {
      auto batch = (*view)->read(segment);
      ASSERT_TRUE(batch);
      for (auto& record : (*batch)->records) EXPECT_EQ(record.source_seq, next[std::string(record.origin->source)]++);
    }
    EXPECT_EQ(next.size(), 3u);
    auto counted = (*view)->sources(log);
    ASSERT_TRUE(counted);
    for (auto& [source, state] : *counted) EXPECT_EQ(state.next_seq, next[source]);
  }
}

TEST(Store, RefusesARetentionUnderTheLegalFloor) {
  Folder folder;
  auto options = options_for(folder.path());
  options.retention_days = kRetentionFloorDays - 1;
  auto store = open_with_finance(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::refused);
}

TEST(Store, KeepsATenantsBlocksAsLongAsItsOwnRetentionSays) {
  Folder folder;
  auto options = options_for(folder.path());
  auto store = open_with_finance(options, 400);
  ASSERT_TRUE(store) << store.error().message;
  commit(**store, {{line(1)}, {line(2), "10.0.0.1", 2}});
  ASSERT_TRUE((*store)->close(kReceived));
  std::vector<uint32_t> days;
  for (auto& blocks : (*store)->database()->blocks_families()) days.push_back(blocks.days);
  EXPECT_EQ(days, (std::vector<uint32_t>{184, 400}));
  auto refused = (*store)->log("finance", 30);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::refused);
}

// A tenant was taken out of the config: its log is there, its tail unsealed, its newest records unsigned.
TEST(Store, TakesUpALogWhoseTenantIsNoLongerNamed) {
  Folder folder;
  auto options = options_for(folder.path());
  {
    auto store = open_with_finance(options, 400);
    ASSERT_TRUE(store) << store.error().message;
    commit(**store, {{line(1)}, {line(2), "10.0.0.1", 2}});
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived, 0));
    commit(**store, {{line(3), "10.0.0.1", 2}});
  }  // as if killed
  for (int starts = 0; starts < 2; ++starts) {
    auto store = Store::open(options);
    ASSERT_TRUE(store) << store.error().message;
    const auto logs = (*store)->logs();
    ASSERT_EQ(logs->size(), 3u);
    EXPECT_EQ(logs->at(2)->name, "finance");
    EXPECT_EQ(logs->at(2)->records, 2u);
    ASSERT_TRUE((*store)->log("hr", 400));
    commit(**store, {{line(4 + starts)}});
    ASSERT_TRUE((*store)->close(kReceived + starts + 1));
  }
  auto report = verify(folder.path());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->flaws.empty());
  auto heads = read_heads(folder.path() + "/heads");
  ASSERT_TRUE(heads);
  EXPECT_TRUE(heads->contains("finance"));
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view);
  auto segments = (*view)->segments("finance");
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_TRUE(segments->front().sealed);
  for (auto& blocks : (*view)->database().blocks_families()) {
    auto block = (*view)->database().get(blocks.family, keys::record("finance", 0));
    ASSERT_TRUE(block);
    EXPECT_EQ(block->has_value(), blocks.days == 400) << blocks.days;
  }
  auto again = open_with_finance(options);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ((*again)->log_size(2), 2u);
}

// A tenant that a reload brings: its log is there from its first record on, and as long as it wants.
TEST(Store, GivesALogItsNumberWhileRecordsComeIn) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    commit(*store, {{line(1)}, {line(2), "10.0.0.1", 2}});
    const auto before = store->logs();
    const auto finance = store->log("finance", 400), late = store->log("zoo", 0), again = store->log("zoo", 500);
    ASSERT_TRUE(finance && late && again);
    EXPECT_EQ(*finance, 2u);
    EXPECT_EQ(*late, 3u);
    EXPECT_EQ(*again, 3u);
    EXPECT_EQ(before->size(), 3u);  // whoever has it goes on with it
    EXPECT_EQ(store->log_size(*late), 0u);
    auto one = prepared({{line(3)}});
    one.groups[0].log_id = *late;
    auto commit = store->begin();
    commit.append(std::move(one));
    ASSERT_TRUE(commit.finish());
    EXPECT_EQ(store->committed_size(*late), 1u);
    ASSERT_TRUE(store->close(kReceived));
    std::vector<uint32_t> days;
    for (auto& blocks : store->database()->blocks_families()) days.push_back(blocks.days);
    EXPECT_EQ(days, (std::vector<uint32_t>{184, 400, 500}));
  }
  auto report = verify(folder.path());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->flaws.empty());
  EXPECT_EQ(report->logs, 4u);
  auto store = open_store(folder.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(store->logs()->at(3)->name, "zoo");
  EXPECT_EQ(store->committed_size(3), 1u);
}

// Notes are stored before `heads` is written, and a crash may come between, more than once.
TEST(Store, OpensHoweverOftenItWasKilledBetweenACheckpointAndItsLineInHeads) {
  Folder folder;
  auto path = folder.path() + "/heads";
  for (int kills = 0; kills < 3; ++kills) {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    auto before = read_heads(path);
    ASSERT_TRUE(before);
    EXPECT_EQ(before->contains("default"), kills > 0);
    commit(*store, {{line(kills)}});
    ASSERT_TRUE(store->sign_checkpoints(kReceived + kills, 0));
    store.reset();
    Disk disk;
    ASSERT_TRUE(write_heads(path, *before, disk));
  }
  EXPECT_TRUE(open_store(folder.path()));
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Store, RefusesAnotherNodeName) {
  Folder folder;
  { auto store = open_store(folder.path()); }
  auto options = options_for(folder.path());
  options.node = "log-02";
  auto store = open_with_finance(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::invalid);
}

TEST(Store, ProvesEveryRecordAgainstTheSignedRoot) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    std::vector<Sent> messages;
    for (int i = 0; i < 700; ++i) messages.push_back({line(i)});
    commit(*store, messages);
    ASSERT_TRUE(store->close(kReceived));
  }
  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view);
  auto note = (*view)->newest_checkpoint("default");
  ASSERT_TRUE(note && *note);
  auto checkpoint = Checkpoint::parse_body(**note);
  ASSERT_TRUE(checkpoint);
  ASSERT_EQ(checkpoint->size, 700u);
  auto subtree = [&](int level, uint64_t index) { return (*view)->subtree("default", level, index); };
  auto batch = (*view)->read(**(*view)->segment_at("default", 0));
  ASSERT_TRUE(batch);
  for (uint64_t index : {0, 1, 255, 256, 511, 698, 699}) {
    auto proof = prove_inclusion(index, 700, subtree);
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_TRUE(verify_inclusion(index, 700, leaf_of((*batch)->records[index]), *proof, checkpoint->root));
    EXPECT_FALSE(verify_inclusion(index, 700, leaf_of((*batch)->records[(index + 1) % 700]), *proof, checkpoint->root));
  }
}

TEST(Store, KeepsTheOldestStoreDayUntilTheNodeHasRunADay) {
  Folder folder;
  auto store = open_store(folder.path());
  constexpr int64_t kYear = int64_t{365} * 86400 * kSecond;
  // The wall clock jumps a year ahead: the store day does not.
  ASSERT_TRUE(store->tick(1000 * kSecond, kReceived));
  ASSERT_TRUE(store->tick(1060 * kSecond, kReceived + kYear));
  commit(*store, {{line(1)}}, kReceived + kYear);
  ASSERT_TRUE(store->seal_due(kReceived + kYear, true));
  ASSERT_TRUE(store->wait_sealed());
  auto families = store->database()->blocks_families();
  EXPECT_EQ(families.size(), 1u);
}

// What is signed each minute says the root over all logs, and lists those that moved; the whole list comes once a day.
TEST(Store, ADayOfSignaturesOverAThousandQuietLogsTakesLessThanAMegabyte) {
  constexpr int kLogs = 1000, kMinutes = 24, kMinutesOfADay = 24 * 60;
  Folder folder;
  auto options = options_for(folder.path());
  uint64_t whole_list = 0;
  {
    auto store = open_with_finance(options);
    ASSERT_TRUE(store) << store.error().message;
    std::vector<LogId> logs;
    for (int i = 0; i < kLogs; ++i) logs.push_back((*store)->log("tenant-" + std::to_string(i), 0).value());
    auto commit_all = (*store)->begin();
    for (int i = 0; i < kLogs; ++i) {
      auto one = prepared({{line(i)}});
      one.groups[0].log_id = logs[static_cast<size_t>(i)];
      commit_all.append(std::move(one));
    }
    ASSERT_TRUE(commit_all.finish());
    ASSERT_TRUE((*store)->sign_checkpoints(kReceived, 0));
    whole_list = (*store)->log_size(1);
    for (int minute = 1; minute <= kMinutes; ++minute) {
      commit(**store, {{R"({"message":"a minute's book"})", "yushid", 1}});
      ASSERT_TRUE((*store)->sign_checkpoints(kReceived + minute * kMinute, 0));
    }
  }
  uint64_t once = 0, each_minute = 0, index = 0;
  for (auto& raw : all_raws(folder.path(), "_audit")) {
    const bool is_whole = index++ < whole_list;
    if (raw.find("\"log-roots\"") != raw.npos) (is_whole ? once : each_minute) += raw.size();
  }
  auto view = open_view(folder.path(), understand_again);
  auto notes = (*view)->checkpoints("_audit");
  ASSERT_TRUE(notes);
  ASSERT_EQ(notes->size(), size_t{kMinutes} + 1);
  for (size_t i = 1; i < notes->size(); ++i) each_minute += (*notes)[i].size();
  EXPECT_GT(once, uint64_t{kLogs} * 32);
  EXPECT_LT(once + each_minute / kMinutes * kMinutesOfADay, 1'000'000u);
}

}  // namespace
}  // namespace yushi::storage::test
