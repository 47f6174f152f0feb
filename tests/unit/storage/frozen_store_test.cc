// A store of format 3 as it was when the format came to stand: tests/data/store-3. Whatever a later version changes, it
// opens, reads and proves this one and goes on in it; or it has a converter, and this test calls it.
//
// Where YUSHI_FREEZE_STORE names a folder that is not there, the store is written into it first: so another one is made
// beside it when the format gets a new number. The one that is there stays as it is.
#include <cstdlib>

#include "tests/unit/storage/test_store.h"

namespace yushi::storage::test {
namespace {

constexpr int kSealed = 40, kRecords = 60;
const std::string kChinese = "\xb5\xc7\xc2\xbc\xca\xa7\xb0\xdc";  // 登录失败, as finance's senders write it

Alert alert_of_then() {
  Alert alert;
  alert.id = "00f0e1d2c3b4a596";
  alert.tenant = "default";
  alert.raised_ns = kReceived;
  alert.severity = Severity::high;
  return alert;
}

// Blocks and tail of three logs, an alert, kept states, two keys; ended as by a crash.
void freeze(const std::string& data_dir) {
  auto store = open_store(data_dir);
  ASSERT_TRUE(store);
  commit(*store, {{to_json(start_record(parsers::kParserEngine)), "yushid", 1}});
  std::vector<Sent> sealed, tail;
  for (int i = 0; i < kSealed; ++i) sealed.push_back({line(i), i % 2 ? "10.0.0.1" : "10.0.0.2"});
  for (int i = kSealed; i < kRecords; ++i) tail.push_back({line(i)});
  commit(*store, sealed);
  commit(*store, {{"<13>finance " + kChinese, "10.0.0.9", kFinance}});
  ASSERT_TRUE(store->seal_due(kReceived, true));
  ASSERT_TRUE(store->wait_sealed());
  ASSERT_TRUE(store->sign_checkpoints(kReceived, 0));
  ASSERT_TRUE(store->database()->flush());  // tables and a blob file, and behind them a WAL
  ASSERT_TRUE(store->rotate_key(kReceived + kMinute));
  commit(*store, tail);
  auto with_alert = store->begin();
  with_alert.put_state("cursor/kafka", "where it was");
  with_alert.add_alert(store->log_size(1), alert_of_then());
  with_alert.append(prepared({{alert_to_json(alert_of_then()), "yushid", 1}}));
  ASSERT_TRUE(with_alert.finish());
}

TEST(FrozenStore, OfFormat3IsOpenedReadProvedAndGoneOnIn) {
  const std::string kept = YUSHI_SOURCE_DIR "/tests/data/store-3";
  if (auto* folder = std::getenv("YUSHI_FREEZE_STORE")) {
    ASSERT_FALSE(std::filesystem::exists(folder));
    freeze(folder);
    if (HasFatalFailure()) return;
  }
  Folder folder;
  std::filesystem::copy(kept, folder.path(), std::filesystem::copy_options::recursive);
  EXPECT_EQ(contradictions(folder.path()), "");

  auto view = open_view(folder.path(), understand_again);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(*(*view)->logs(), (std::vector<std::string>{"_audit", "default", "finance"}));
  auto segments = (*view)->segments("default");
  ASSERT_TRUE(segments);
  int i = 0;
  for (auto& segment : *segments) {
    auto batch = (*view)->read(segment);
    ASSERT_TRUE(batch) << batch.error().message;
    for (auto& record : (*batch)->records) {
      EXPECT_EQ(record.raw, line(i));
      EXPECT_TRUE(record.kind && record.kind->pattern == "failed-password");
      ++i;
    }
  }
  EXPECT_EQ(i, kRecords);
  view = {};

  {
    auto store = open_store(folder.path());
    ASSERT_TRUE(store);
    EXPECT_EQ(store->findings(), std::vector<std::string>());
    EXPECT_EQ(store->committed_size(0), uint64_t{kRecords});
    EXPECT_EQ(*store->read_state("cursor/kafka"), "where it was");
    commit(*store, {{line(kRecords)}, {"<13>finance " + kChinese, "10.0.0.9", kFinance}});
    ASSERT_TRUE(store->close(kReceived + 2 * kMinute));
  }
  EXPECT_EQ(contradictions(folder.path()), "");
}

}  // namespace
}  // namespace yushi::storage::test
