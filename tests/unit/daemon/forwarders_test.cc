// Forwarders as a reload changes them.
#include "daemon/forwarders.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <thread>

#include "parsers/engine_version.h"
#include "storage/db/keys.h"
#include "tests/unit/storage/test_store.h"

namespace yushi::daemon {
namespace {

class FullDisk : public Disk {
 public:
  int fault(Call call, const std::string&) override { return is_full && call == Call::write ? ENOSPC : 0; }
  std::atomic<bool> is_full{false};
};

class NoSink final : public forward::Sink {
 public:
  Result<forward::Cursor> begin(const forward::Cursor& stored, forward::SinkListener&) override { return stored; }
  Queued send(What, const forward::Message&, std::string_view, uint64_t, bool) override { return Queued::full; }
  void serve(int milliseconds) override { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }
  bool is_answered(int) override { return true; }
  bool keeps_cursor() const override { return false; }
  Result<void> commit(const forward::Cursor&) override { return {}; }
  void end() override {}
};

class NoSinkConfig final : public forward::ForwarderConfig {
 public:
  Result<std::unique_ptr<forward::Sink>> make_sink(const std::string&) const override {
    return std::make_unique<NoSink>();
  }
  std::string name() const override { return "nobody"; }
  std::vector<std::pair<const char*, std::string>> addresses() const override { return {}; }
};

TEST(Forwarders, NoneIsStoppedWhileTheDiskIsFull) {
  storage::test::Folder folder;
  auto parsers = parsers::ParserSet::load({});
  auto rules = detect::RuleSet::load({});
  ASSERT_TRUE(parsers && rules);
  auto loaded = std::make_shared<Loaded>();
  loaded->parsers = *parsers;
  loaded->rules = *rules;
  loaded->readings.resize(2);
  loaded->contexts.resize(2, std::make_shared<const storage::ParseContext>(
                                 storage::ParseContext{(*parsers)->digest(), "UTC", "utf-8", parsers::kParserEngine}));
  auto disk = std::make_shared<FullDisk>();
  auto options = storage::test::options_for(folder.path());
  options.disk = disk;
  auto store = storage::Store::open(std::move(options));
  ASSERT_TRUE(store) << store.error().message;
  Pipeline pipeline(**store, loaded, {});
  Forwarders forwarders(**store, pipeline);
  ASSERT_TRUE(forwarders.start({std::make_shared<NoSinkConfig>()}));
  while (!(*store)->read_state(storage::keys::cursor("nobody"))) std::this_thread::yield();

  disk->wait_until(INT64_MAX);
  disk->is_full = true;
  std::thread waits([&] { EXPECT_TRUE((*store)->write_state("other", "value")); });
  while (!disk->waits()) std::this_thread::yield();
  EXPECT_NE(forwarders.change({}).find("the disk is full"), std::string::npos);
  EXPECT_EQ(forwarders.running().size(), 1u);
  disk->is_full = false;
  waits.join();
  EXPECT_EQ(forwarders.change({}), "forwarding to nobody has ended");
  EXPECT_TRUE(forwarders.running().empty());
}

}  // namespace
}  // namespace yushi::daemon
