// What a source's own numbers tell of losses, as the store counts it and `verify` counts it again.
#include "storage/tail/losses.h"
#include "core/event/own_record.h"

#include <algorithm>
#include <numeric>

#include "storage/db/keys.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

std::string numbered(uint64_t number, const std::string& host = "web1") {
  return "<38>1 2026-11-01T08:00:00Z " + host +
         " app 77 - [origin ip=\"10.9.8.7\"][meta sysUpTime=\"5\" sequenceId=\"" + std::to_string(number) + "\"] said";
}

std::vector<uint64_t> range(uint64_t from, uint64_t to) {
  std::vector<uint64_t> out(to - from + 1);
  std::iota(out.begin(), out.end(), from);
  return out;
}

std::vector<uint64_t> operator+(std::vector<uint64_t> a, const std::vector<uint64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

SourceState state_of(const StoreView& view, const std::string& source = "10.0.0.1",
                     const std::string& log = "default") {
  auto sources = view.sources(log);
  EXPECT_TRUE(sources) << sources.error().message;
  for (auto& [name, state] : *sources) {
    if (name == source) return state;
  }
  ADD_FAILURE() << "no source " << source;
  return {};
}

SourceState state_of(const std::string& data_dir, const std::string& source = "10.0.0.1",
                     const std::string& log = "default") {
  auto view = open_view(data_dir, understand_again);
  EXPECT_TRUE(view) << view.error().message;
  return state_of(**view, source, log);
}

// Some commits, a clean stop; then `verify` must count the same.
SourceState after(const std::vector<std::string>& raws) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    const size_t each = std::max<size_t>(7, raws.size() / 20);
    for (size_t at = 0; at < raws.size(); at += each) {
      std::vector<Sent> messages;
      for (size_t i = at; i < std::min(at + each, raws.size()); ++i) messages.push_back({raws[i]});
      commit(*store, messages);
    }
    EXPECT_TRUE(store->close(kReceived));
  }
  EXPECT_EQ(contradictions(folder.path()), "");
  return state_of(folder.path());
}

uint64_t lost_of(const std::vector<std::string>& raws) {
  auto state = after(raws);
  EXPECT_TRUE(state.losses.known());
  return state.losses.lost();
}

uint64_t lost_of(const std::vector<uint64_t>& numbers) {
  std::vector<std::string> raws;
  for (auto number : numbers) raws.push_back(numbered(number));
  return lost_of(raws);
}

TEST(Losses, OfASourceThatNumbersNothingNothingIsKnown) {
  auto state =
      after({line(1), line(2), "<38>1 - web1 app - - [meta sysUpTime=\"5\"] sequenceId=\"9\"", "<13>7: seven"});
  EXPECT_FALSE(state.losses.known());
}

TEST(Losses, AGapIsCounted) {
  EXPECT_EQ(lost_of(range(1, 100)), 0u);
  EXPECT_EQ(lost_of(range(1, 10) + range(14, 20)), 3u);
  EXPECT_EQ(lost_of(range(1, 10) + range(5011, 5020) + range(5022, 5030)), 5001u);
  EXPECT_EQ(lost_of(range(700, 710)), 0u) << "what came before we listened is not told";
}

TEST(Losses, AfterTheHighestNumberComesOne) {
  EXPECT_EQ(lost_of(range(2147483640, 2147483647) + range(1, 10)), 0u);
  EXPECT_EQ(lost_of(range(2147483640, 2147483645) + range(3, 10)), 4u);
}

TEST(Losses, CountingThatBeginsAnewIsNoLoss) {
  EXPECT_EQ(lost_of(range(1, 1000) + range(1, 2000)), 0u);
  EXPECT_EQ(lost_of(range(1, 1000) + range(5, 900)), 0u);
  EXPECT_EQ(lost_of(range(1, 3) + range(1, 3) + range(1, 9)), 0u);
  EXPECT_EQ(lost_of(range(1, 10) + range(14, 20) + range(1, 30)), 3u)
      << "the second life does not fill the holes of the first";
  EXPECT_EQ(lost_of(range(1, 10) + range(2'000'000, 2'000'010)), 0u) << "a million and more is another count";
  EXPECT_EQ(lost_of(range(1, 10) + range(1'000'011, 1'000'020)), 1'000'000u);
}

TEST(Losses, DatagramsThatOvertakeEachOtherAreNoLoss) {
  std::vector<uint64_t> swapped;
  for (uint64_t n = 1; n <= 200; n += 2) swapped.insert(swapped.end(), {n + 1, n});
  EXPECT_EQ(lost_of(swapped), 0u);
  auto late = range(1, 10) + range(12, 70) + std::vector<uint64_t>{11} + range(71, 80);
  EXPECT_EQ(lost_of(late), 0u);
  EXPECT_EQ(lost_of(late + std::vector<uint64_t>{11, 11} + range(81, 90)), 0u) << "nor is one that comes twice a gain";
  EXPECT_EQ(lost_of(range(1, 10) + range(13, 20) + std::vector<uint64_t>{12} + range(21, 30)), 1u);
}

TEST(Losses, ALateOneTakesOneBackAlsoWhenManyAreLostBehindIt) {
  EXPECT_EQ(lost_of(range(1, 999) + std::vector<uint64_t>{5001, 1002, 1000} + range(5002, 5100)), 3999u);
}

struct Arrivals {
  std::vector<uint64_t> numbers;
  uint64_t lost = 0, late = 0;
};

// What comes through a line that loses single messages and thousands, and lets some wait behind up to `delay` later
// ones.
Arrivals through_a_bad_line(uint64_t seed, uint64_t delay) {
  uint64_t random = seed;
  auto below = [&random](uint64_t bound) {
    return (random = random * 6364136223846793005u + 1442695040888963407u, random >> 33) % bound;
  };
  Arrivals out;
  std::vector<std::pair<uint64_t, uint64_t>> arrivals;  // when, number
  uint64_t number = 1;
  for (uint64_t i = 0; i < 5000; ++i, ++number) {
    if (i != 0 && below(40) == 0) {
      auto gap = below(3) == 0 ? 1 + below(20'000) : 1 + below(15);
      out.lost += gap;
      number += gap;
    }
    bool late = i != 0 && below(10) == 0;
    out.late += late;
    arrivals.emplace_back(i * 2 + (late ? below(2 * delay) : 0), number);
  }
  arrivals.emplace_back(UINT64_MAX, number);
  std::stable_sort(arrivals.begin(), arrivals.end());
  for (auto& [when, arrived] : arrivals) out.numbers.push_back(arrived);
  return out;
}

TEST(Losses, OfABadLineAreCountedToTheMessage) {
  for (uint64_t seed : {1, 2, 3}) {
    auto came = through_a_bad_line(seed, 8);
    auto counted = lost_of(came.numbers);
    EXPECT_GE(counted, came.lost) << seed;
    // With seed 2 one comes late that stands alone between two great gaps: of it nobody can say whose it is.
    EXPECT_LE(counted, came.lost + (seed == 2)) << seed;
  }
}

TEST(Losses, OnlyWhatIsLateByMoreThanTheWindowMayBeCountedTooMuch) {
  for (uint64_t delay : {50, 200, 3000}) {
    auto came = through_a_bad_line(1, delay);
    EXPECT_LE(lost_of(came.numbers), came.lost + came.late) << delay;
  }
}

TEST(Losses, AMessageThatIsSaidTwiceIsNoLoss) {
  std::vector<uint64_t> twice;
  for (uint64_t n = 1; n <= 50; ++n) twice.insert(twice.end(), {n, n});
  EXPECT_EQ(lost_of(twice), 0u);
  EXPECT_EQ(lost_of(range(1, 100) + range(50, 120)), 0u) << "a sender that repeats what was not acknowledged";
}

TEST(Losses, TwoHostsBehindOneRelayAreCountedApart) {
  std::vector<std::string> raws;
  for (uint64_t n = 1; n <= 100; ++n) {
    raws.push_back(numbered(n, "web1"));
    if (n != 50 && n != 51) raws.push_back(numbered(n + 30, "web2"));
  }
  EXPECT_EQ(lost_of(raws), 2u);
}

TEST(Losses, TwoCountersOfOneHostAreCountedApart) {
  for (uint64_t apart : {1, 20, 63, 64, 4000, 900'000, 5'000'000}) {
    std::vector<uint64_t> whole, holed;
    for (uint64_t n = 1; n <= 300; ++n) {
      whole.insert(whole.end(), {n, n + apart});
      holed.push_back(n);
      if (n < 100 || n > 104) holed.push_back(n + apart);
    }
    EXPECT_EQ(lost_of(whole), 0u) << apart;
    if (apart < 64) continue;  // they fill each other's holes
    EXPECT_EQ(lost_of(holed), 5u) << apart;
  }
}

TEST(Losses, ManyShortLivedCountersOfOneHostAreNoLoss) {
  std::vector<uint64_t> numbers;
  for (uint64_t life = 0; life < 300; ++life) numbers = std::move(numbers) + range(1, 1 + life * 37 % 101);
  EXPECT_EQ(lost_of(numbers), 0u);
}

TEST(Losses, AHostBeyondTheBoundIsNotJudgedAndTakesNoOthersPlace) {
  std::vector<std::string> raws;
  for (uint64_t n = 1; n <= 30; ++n) {
    for (int host = 0; host < 100; ++host) {
      if (n == 20 && host % 50 == 3) continue;  // hosts 3 and 53 are among the 64, both
      if (n == 21 && host == 90) continue;
      raws.push_back(numbered(n, "h" + std::to_string(host)));
    }
  }
  auto state = after(raws);
  EXPECT_EQ(state.losses.lost(), 2u);
  EXPECT_LT(state.encode().size(), 64u * 24);
}

TEST(Losses, AHostThatRestedLongMakesRoom) {
  std::vector<std::string> raws;
  for (int host = 0; host < 64; ++host) raws.push_back(numbered(1, "h" + std::to_string(host)));
  for (uint64_t n = 2; n < 5000; ++n) raws.push_back(numbered(n, "h0"));
  for (uint64_t n : {1, 2, 5}) raws.push_back(numbered(n, "new"));
  EXPECT_EQ(lost_of(raws), 2u);
}

TEST(Losses, NumbersThatAreNoneAreNotJudged) {
  std::vector<std::string> raws;
  for (auto* number : {"0", "2147483648", "99999999999999999999", "-1", "1a", "", "1\\\"2"}) {
    raws.push_back("<38>1 - web1 app - - [meta sequenceId=\"" + std::string(number) + "\"] x");
  }
  raws.insert(raws.end(),
              {"<38>1 - web1 app - - [meta@1 sequenceId=\"1\"] x", "<38>1 - web1 app - - [meta id=\"] sequenceId=\"7\"",
               "<38>1 - web1 app - - [meta sequenceId=\"7", "<38>1 - web1 app - - [meta sequenceId=7] x",
               "<38>1 - web1", "<38>1 - web1 app - - ", "<38>1", "<38>1 [meta sequenceId=\"7\"]",
               "38>1 - web1 app - - [meta sequenceId=\"7\"]"});
  EXPECT_FALSE(after(raws).losses.known());
}

TEST(Losses, TheMessageCountOfIosIsJudgedAndNotWhatItDoesNotSend) {
  auto ios = [](uint64_t count, uint64_t own) {
    auto digits = std::to_string(own);
    return "<165>" + std::to_string(count) + ": ASR920: " + std::string(6 - digits.size(), '0') + digits +
           ": 2y10w: %SYS-5-CONFIG_I: Configured from console";
  };
  EXPECT_EQ(lost_of(std::vector<std::string>{ios(7, 13), ios(8, 19), ios(9, 20), ios(12, 40)}), 2u);
  auto alone = [](const char* count) {
    return std::string("<189>") + count + ": *Mar  1 18:46:11.123: %SYS-5-RESTART: System restarted";
  };
  EXPECT_EQ(lost_of({alone("98"), alone("99"), alone("101")}), 1u);
  EXPECT_FALSE(after({alone("000098"), alone("000099"), alone("000104")}).losses.known())
      << "it counts what is not sent too";
  EXPECT_FALSE(after({"<13>2024: was a year", "<13>2026: is one: 100% of it"}).losses.known());
}

TEST(Losses, PartsOfAMessageAfterTheFirstHaveNoNumber) {
  auto raw = numbered(7);
  RawMessage message;
  message.raw = raw;
  EXPECT_TRUE(sequence_number(message));
  message.part = 1;
  message.part_of = 2;
  EXPECT_TRUE(sequence_number(message));
  message.part = 2;
  EXPECT_FALSE(sequence_number(message));
}

TEST(Losses, GoOnAfterAStopAndAfterACrash) {
  for (bool crash : {false, true}) {
    Folder folder;
    for (uint64_t round = 0; round < 4; ++round) {
      auto store = open_store(folder.path());
      std::vector<Sent> messages;
      // 9 and 10 of each ten are lost
      for (uint64_t n = 1; n <= 8; ++n) messages.push_back({numbered(round * 10 + n)});
      commit(*store, messages);
      if (crash) continue;
      ASSERT_TRUE(store->close(kReceived));
    }
    EXPECT_EQ(state_of(folder.path()).losses.lost(), 6u);
    // One of them comes after all.
    commit(*open_store(folder.path()), {{numbered(30)}});
    EXPECT_EQ(state_of(folder.path()).losses.lost(), 5u);
    EXPECT_EQ(contradictions(folder.path()), "");
  }
}

TEST(Losses, OfSourcesAndLogsAreApart) {
  Folder folder;
  auto store = open_store(folder.path());
  commit(*store,
         {{numbered(1)}, {numbered(1), "10.0.0.2"}, {numbered(1), "10.0.0.1", kFinance}, {line(3), "10.0.0.3"}});
  commit(*store, {{numbered(5)}, {numbered(2), "10.0.0.2"}, {numbered(4), "10.0.0.1", kFinance}});
  ASSERT_TRUE(store->close(kReceived));
  EXPECT_EQ(state_of(folder.path()).losses.lost(), 3u);
  EXPECT_EQ(state_of(folder.path(), "10.0.0.2").losses.lost(), 0u);
  EXPECT_EQ(state_of(folder.path(), "10.0.0.1", "finance").losses.lost(), 2u);
  EXPECT_FALSE(state_of(folder.path(), "10.0.0.3").losses.known());
  store.reset();
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Losses, VerifyCountsTheSameUnderAnotherEngine) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
    commit(*store, {{numbered(1)}, {numbered(5)}});
    ASSERT_TRUE(store->close(kReceived));
  }
  auto newer = understand_again;
  newer.engine = parsers::kParserEngine + 1;
  EXPECT_EQ(flaws(verify(folder.path(), {}, newer), true), "");
}

TEST(Losses, AStateSurvivesItsBytesAndDamagedOnesAreRefused) {
  auto state = after({numbered(1), numbered(5), numbered(9000), numbered(3, "web2")});
  auto bytes = state.encode();
  auto again = SourceState::decode(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, state);
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    auto shorter = SourceState::decode(std::string_view(bytes).substr(0, bytes.size() - cut));
    EXPECT_TRUE(!shorter || !shorter->losses.known()) << cut;
  }
  EXPECT_FALSE(SourceState::decode(bytes + '\0'));
}

void edit(const std::string& data_dir, const SourceState& state) {
  auto database = Database::open(data_dir + "/store", Database::Mode::read_write);
  ASSERT_TRUE(database) << database.error().message;
  Write batch;
  batch.put((*database)->families().state, keys::source("default", "10.0.0.1"), state.encode());
  ASSERT_TRUE((*database)->write(batch, "attacking"));
}

TEST(Losses, AnEditedCounterIsNamed) {
  Folder folder, other;
  for (auto* at : {&folder, &other}) {
    auto store = open_store(at->path());
    commit(*store, {{numbered(1)}, {at == &folder ? numbered(5) : numbered(2)}});
    ASSERT_TRUE(store->close(kReceived));
  }
  auto state = state_of(folder.path());
  auto hidden = state;
  hidden.losses = state_of(other.path()).losses;
  ASSERT_EQ(hidden.losses.lost(), 0u);
  edit(folder.path(), hidden);
  auto found = contradictions(folder.path());
  EXPECT_NE(
      found.find(
          "source 10.0.0.1 of log default | counters say that 0 messages were lost; its records' numbers tell of 3"),
      std::string::npos)
      << found;
  hidden = state;
  hidden.losses = {};
  edit(folder.path(), hidden);
  EXPECT_NE(contradictions(folder.path()).find("tell of 3"), std::string::npos);
  hidden = state;
  hidden.mark_seen_on(Transport::tls);
  edit(folder.path(), hidden);
  EXPECT_NE(contradictions(folder.path()).find("transports"), std::string::npos);
  edit(folder.path(), state);
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Sources, KeepAllTransportsThatTheyWereSeenOn) {
  Folder folder;
  {
    auto store = open_store(folder.path());
    auto from = [](Transport transport) {
      auto batch = prepared({{line(1)}});
      const_cast<Origin*>(batch.batch->records[0].origin)->transport = transport;
      batch.groups[0].sources[0].transport = transport;
      return batch;
    };
    for (auto transport : {Transport::tcp, Transport::udp, Transport::tcp, Transport::journald}) {
      auto commit = store->begin();
      commit.append(from(transport));
      ASSERT_TRUE(commit.finish());
    }
    ASSERT_TRUE(store->close(kReceived));
  }
  SourceState expected;
  for (auto transport : {Transport::udp, Transport::tcp, Transport::journald}) expected.mark_seen_on(transport);
  EXPECT_EQ(state_of(folder.path()).transports, expected.transports);
  EXPECT_EQ(contradictions(folder.path()), "");
}

TEST(Store, RefusesAStoreOfAnotherFormatByName) {
  Folder folder;
  open_store(folder.path()).reset();
  {
    auto database = Database::open(folder.path() + "/store", Database::Mode::read_write);
    Write batch;
    batch.put((*database)->families().meta, "format", "1");
    ASSERT_TRUE((*database)->write(batch, "making it old"));
  }
  auto store = open_with_finance(options_for(folder.path()));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::refused);
  EXPECT_NE(store.error().message.find("format 1"), std::string::npos);
}

}  // namespace
}  // namespace yushi::storage::test
