// A tenant that writes GB 18030: its records in tail and block, what a search may leave out, and what verify says.
#include <algorithm>
#include <random>

#include "core/filter/filter.h"
#include "core/filter/record_tokens.h"
#include "core/filter/token_filter.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

// GB 18030: 登录失败, 張億東 (whose trails are 88 7C 7C), 用户.
const std::string kLoginFailed = "\xb5\xc7\xc2\xbc\xca\xa7\xb0\xdc", kName = "\x8f\x88\x83\x7c\x96\x7c",
                  kUser = "\xd3\xc3\xbb\xa7";

std::string header(int i) {
  return "<38>1 2026-11-01T08:00:" + std::to_string(10 + i % 50) + "Z host" + std::to_string(i % 7) + " sshd 77 - - ";
}

// Of every sort: understood, not understood, lossy, ASCII, UTF-8, with words that only one record has.
std::vector<Sent> messages(int count) {
  std::vector<Sent> out;
  for (int i = 0; i < count; ++i) {
    auto n = std::to_string(i);
    static const std::string kWords[] = {"\xd4\xcb\xce\xac", "\xd6\xf7\xbb\xfa", "\x95\x32\x82\x36", "A" + kUser,
                                         "\xa1\xe3"};
    switch (i % 6) {
      case 0:
        out.push_back({header(i) + kLoginFailed + " for " + kName + n + " from 10.0.0.9 port " + n + " ssh2"});
        break;
      case 1:
        out.push_back({header(i) + kUser + kWords[i % 5] + n + "|" + kWords[i % 3] + "=" + kName});
        break;
      case 2:
        out.push_back({header(i) + kLoginFailed + " for " + kName + "\xff" + n + " from 10.0.0.8 port 1 ssh2"});
        break;
      case 3:
        out.push_back({line(i)});
        break;
      case 4:
        out.push_back({header(i) + "登录失败 for 王" + n + " from 10.0.0.7 port 5 ssh2"});
        break;
      default:
        out.push_back({"\x81" + kWords[i % 5] + "\xb5 " + n + kUser});
    }
    out.back().log_id = kFinance;
  }
  return out;
}

std::vector<std::string> texts_of(const Record& record) {
  std::vector<std::string> out;
  Scratch scratch;
  for_each_field(record, scratch, [&](const Field& field, const Value& value) {
    out.push_back(std::string(field.name) + "=" + std::string(value.text));
  });
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Gb18030Store, TailAndBlockGiveTheSameRawsAndTextsAndVerifyHolds) {
  Folder folder;
  auto sent = messages(240);
  auto read_all = [&] {
    auto view = open_view(folder.path(), understand_again);
    EXPECT_TRUE(view);
    std::vector<std::vector<std::string>> texts;
    bool sealed = false;
    auto segments = *(*view)->segments("finance");
    for (auto& segment : segments) {
      sealed |= segment.sealed;
      auto batch = (*view)->read(segment);
      EXPECT_TRUE(batch) << batch.error().message;
      for (auto& record : (*batch)->records) {
        EXPECT_EQ(record.raw, sent[texts.size()].raw);
        texts.push_back(texts_of(record));
      }
    }
    EXPECT_EQ(texts.size(), sent.size());
    return std::pair(sealed, texts);
  };
  {
    auto store = open_store(folder.path());
    commit(*store, sent);
    ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  }
  auto [in_block, tail] = read_all();
  EXPECT_FALSE(in_block);
  EXPECT_EQ(contradictions(folder.path()), "");
  auto has = [&tail = tail](size_t i, const std::string& text) {
    return std::find(tail[i].begin(), tail[i].end(), text) != tail[i].end();
  };
  EXPECT_TRUE(has(0, "user.name=張億東0"));
  EXPECT_TRUE(has(2, "user.name=張億東\ufffd2"));
  EXPECT_TRUE(has(4, "user.name=王4"));
  {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store->seal_due(kReceived, true));
    ASSERT_TRUE(store->wait_sealed());
    ASSERT_TRUE(store->close(kReceived));
  }
  auto [sealed, block] = read_all();
  EXPECT_TRUE(sealed);
  EXPECT_EQ(block, tail);
  EXPECT_EQ(contradictions(folder.path()), "");
}

// Everything that a filter may ask for is in the block's filter, and what no record says is not.
TEST(Gb18030Store, TheTokenFilterOfABlockHoldsTheWordsOfTheText) {
  for (int count : {1, 6, 500}) {
    auto batch = prepared(messages(count)).batch;
    std::vector<const Record*> records;
    for (auto& record : batch->records) {
      record.index = records.size();
      records.push_back(&record);
    }
    auto sealed = build_block(
        {"finance", "log-01", {{{small_parsers()->digest(), "UTC", "gb18030", parsers::kParserEngine}}, {}}}, records);
    TokenFilter filter(sealed.summary.token_filter);
    auto again = read_block(sealed.bytes);
    ASSERT_TRUE(again) << again.error().message;
    Scratch scratch;
    for (size_t i = 0; i < records.size(); ++i) {
      auto& record = again->batch->records[i];
      ASSERT_EQ(record.raw, records[i]->raw);
      ASSERT_EQ(record.charset, records[i]->charset);
      std::vector<uint64_t> hashes;
      gather_record_tokens(record, scratch, hashes);
      for (auto hash : hashes) ASSERT_TRUE(filter.may_contain(hash)) << i;
    }
    auto may_match = [&](const char* query) {
      return Filter::parse_kql(query, {})->may_match([&](uint64_t hash) { return filter.may_contain(hash); });
    };
    for (auto* query : {"登录失败", "user.name: 張億東0", "message: \"失败 for\"", "張 and 東"})
      EXPECT_TRUE(may_match(query)) << query;
    size_t pruned = 0;
    for (auto* query : {"磁", "盘", "已", "满", "user.name: 李四", "警", "告"}) pruned += !may_match(query);
    EXPECT_GE(pruned, 5u);
  }
}

// Captures and message of a message that decodes lossily are those that it was committed with.
TEST(Gb18030Store, ABlockOfLossyMessagesAloneComesBack) {
  std::vector<Sent> lossy;
  std::mt19937 random(5);
  for (int i = 0; i < 50; ++i) {
    std::string noise;
    for (int k = 0; k < 20; ++k) noise += static_cast<char>(random());
    lossy.push_back({header(i) + noise + "\xff", "10.0.0.1", kFinance});
  }
  auto batch = prepared(lossy).batch;
  std::vector<const Record*> records;
  for (auto& record : batch->records) {
    record.index = records.size();
    records.push_back(&record);
  }
  auto sealed = build_block(
      {"finance", "log-01", {{{small_parsers()->digest(), "UTC", "gb18030", parsers::kParserEngine}}, {}}}, records);
  auto again = read_block(sealed.bytes);
  ASSERT_TRUE(again) << again.error().message;
  for (size_t i = 0; i < records.size(); ++i) {
    auto& record = again->batch->records[i];
    EXPECT_EQ(record.raw, lossy[i].raw);
    EXPECT_EQ(record.message(), records[i]->message());
    ASSERT_EQ(record.captures.size(), records[i]->captures.size());
    for (size_t c = 0; c < record.captures.size(); ++c) {
      EXPECT_EQ(record.text(record.captures[c]), records[i]->text(records[i]->captures[c]));
      EXPECT_EQ(record.captures[c].field->name, records[i]->captures[c].field->name);
    }
  }
}

}  // namespace
}  // namespace yushi::storage::test
