// Records are counted by dataset, and a reload's new kinds are not taken for those of before.
#include "daemon/dataset_counts.h"

#include <gtest/gtest.h>

namespace yushi::daemon {
namespace {

TEST(DatasetCounts, CountsByDatasetAndNone) {
  std::vector<MessageKind> kinds(600);
  for (size_t i = 0; i < kinds.size(); ++i) kinds[i].dataset = i % 2 ? "sshd" : "sudo";
  kinds[0].dataset.clear();
  DatasetCounts counts;
  Batch batch;
  for (auto& kind : kinds) {
    batch.records.emplace_back();
    batch.records.back().kind = &kind;
  }
  batch.records.emplace_back();
  counts.add(batch);
  counts.add(batch);
  std::map<std::string, uint64_t> read;
  counts.read(read);
  EXPECT_EQ(read, (std::map<std::string, uint64_t>{{"none", 4}, {"sshd", 600}, {"sudo", 598}}));
  for (auto& kind : kinds) kind.dataset = "other.one";
  counts.forget();
  counts.add(batch);
  read.clear();
  counts.read(read);
  EXPECT_EQ(read["other.one"], 600u);
  EXPECT_EQ(read["sshd"], 600u);
}

TEST(DatasetCounts, ManyDatasetsAreOne) {
  std::vector<MessageKind> kinds(3000);
  Batch batch;
  for (size_t i = 0; i < kinds.size(); ++i) {
    kinds[i].dataset = "d" + std::to_string(i);
    batch.records.emplace_back();
    batch.records.back().kind = &kinds[i];
  }
  DatasetCounts counts;
  counts.add(batch);
  std::map<std::string, uint64_t> read;
  counts.read(read);
  EXPECT_LE(read.size(), 1025u);
  EXPECT_EQ(read["other"], 3000u - 1024u);
}

}  // namespace
}  // namespace yushi::daemon
