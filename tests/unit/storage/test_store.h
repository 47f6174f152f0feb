// A real Store in a folder of its own, with a small parser set, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "audit/verify.h"
#include "core/base/time_text.h"
#include "parsers/engine_version.h"
#include "parsers/understand.h"
#include "storage/db/keys.h"
#include "storage/read/view.h"
#include "storage/store/store.h"

namespace yushi::storage::test {

using audit::VerifyOptions;
using audit::VerifyReport;

constexpr const char* kParser = R"(
name: sshd
match: {app: [sshd]}
fields: {event.category: [authentication]}
patterns:
  - name: failed-password
    grok: '(?:Failed password|登录失败) for %{NOTSPACE:user.name} from %{IP:source.ip} port %{INT:source.port} ssh2'
    fields: {event.outcome: failure}
tests:
  - line: 'Failed password for root from 10.0.0.1 port 4242 ssh2'
    expect: {user.name: root}
  - {line: 'Failed passwords seen', expect: none}
)";

inline std::shared_ptr<const parsers::ParserSet> small_parsers() {
  static const auto set = [] {
    auto loaded = parsers::ParserSet::load({{"sshd.yaml", "sshd.yaml", kParser}});
    if (!loaded) {
      ADD_FAILURE() << loaded.error().message;
      abort();
    }
    return *loaded;
  }();
  return set;
}

inline const Reparse understand_again{
    parsers::kParserEngine, [](Batch& batch, const ParseContext& context) -> Result<void> {
      parsers::Understander(small_parsers()).understand(batch, {Zone::utc(), *find_charset(context.charset)}, false);
      return {};
    }};

class Folder {
 public:
  explicit Folder(const std::string& below = "/tmp") : path_(below + "/yushi-store-test.XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline StoreOptions options_for(const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.node = "log-01";
  options.reparse = understand_again;
  options.own_context = std::make_shared<const ParseContext>(
      ParseContext{small_parsers()->digest(), "UTC", "utf-8", parsers::kParserEngine});
  return options;
}

// As a daemon does it: finance is a tenant.
inline Result<std::unique_ptr<Store>> open_with_finance(StoreOptions options, uint32_t retention_days = 0) {
  auto store = YUSHI_TRY(Store::open(std::move(options)));
  YUSHI_TRY(store->log("finance", retention_days));
  return store;
}

struct Sent {
  std::string raw;
  std::string source = "10.0.0.1";
  LogId log_id = 0;
};
constexpr LogId kFinance = 2;  // its senders write GB 18030

inline std::string line(int i) {
  return "<38>1 2026-11-01T08:00:" + std::to_string(10 + i % 50) + ".000123Z host" + std::to_string(i % 7) + " sshd " +
         std::to_string(1000 + i) + " - - Failed password for user" + std::to_string(i) + " from 10.0." +
         std::to_string(i % 250) + "." + std::to_string(i % 200 + 1) + " port " + std::to_string(20000 + i) + " ssh2";
}

constexpr int64_t kReceived = 1'793'520'000'000'000'000;

// What ingest threads have loaded.
struct Version {
  std::shared_ptr<const parsers::ParserSet> parsers = small_parsers();
  ParseContext context{parsers->digest(), "UTC", "utf-8", parsers::kParserEngine};
};

// Understood and prepared as the ingest threads do it.
inline PreparedBatch prepared(const std::vector<Sent>& messages, int64_t received_ns = kReceived,
                              const Version& version = {}) {
  std::vector<parsers::Reading> readings(
      3, {*Zone::find(version.context.timezone), *find_charset(version.context.charset)});
  readings[2].charset = Charset::gb18030;
  std::vector<std::shared_ptr<const ParseContext>> contexts;
  for (auto& reading : readings) {
    auto context = version.context;
    context.charset = charset_name(reading.charset);
    contexts.push_back(std::make_shared<const ParseContext>(std::move(context)));
  }
  auto batch = std::make_shared<Batch>();
  for (auto& message : messages) {
    Origin origin;
    origin.received_ns = received_ns;
    origin.source = origin.address = batch->arena.copy(message.source);
    origin.transport = message.log_id == kAuditLogId ? Transport::internal : Transport::tcp;
    origin.log_id = message.log_id;
    Record record;
    record.raw = batch->arena.copy_padded(message.raw);
    record.origin = batch->arena.make(origin);
    batch->records.push_back(record);
  }
  parsers::Understander(version.parsers).understand(*batch, readings);
  batch->keep.push_back(version.parsers);
  return prepare(batch, contexts);
}

inline void commit(Store& store, const std::vector<Sent>& messages, int64_t received_ns = kReceived,
                   const Version& version = {}) {
  auto commit = store.begin();
  commit.append(prepared(messages, received_ns, version));
  auto finished = commit.finish();
  ASSERT_TRUE(finished) << finished.error().message;
}

inline std::unique_ptr<Store> open_store(const std::string& data_dir) {
  auto store = open_with_finance(options_for(data_dir));
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

// As it lies in its folder, without its daemon. What does not open is an error: nothing is salvaged.
inline Result<std::shared_ptr<const StoreView>> open_view(const std::string& data_dir, const Reparse& reparse) {
  auto database = YUSHI_TRY(Database::open(data_dir + "/store", Database::Mode::read_only));
  return StoreView::open(std::shared_ptr<const Database>(std::move(database)), reparse);
}

inline Result<VerifyReport> verify(const std::string& data_dir, std::vector<std::string> remembered = {},
                                   const Reparse& understand = understand_again) {
  auto view = open_view(data_dir, understand);
  if (!view) return tl::unexpected(view.error());
  auto key = (*view)->database().get((*view)->database().families().meta, "public_key");
  if (!key) return tl::unexpected(key.error());
  VerifyOptions options;
  options.public_key = key->value_or("");
  auto rotations = (*view)->database().get((*view)->database().families().meta, keys::kRotations);
  if (!rotations) return tl::unexpected(rotations.error());
  options.key_rotations = rotations->value_or("");
  options.key_path = (*view)->key_path();
  options.heads_path = data_dir + "/heads";
  options.remembered = std::move(remembered);
  return audit::verify_store(**view, options, [](auto, auto, auto) { return true; });
}

inline std::string flaws(const Result<VerifyReport>& report, bool contradiction) {
  if (!report) return "error: " + report.error().message;
  std::string out;
  for (auto& flaw : report->flaws) {
    if (flaw.contradiction == contradiction) out += flaw.log + " | " + flaw.place + " | " + flaw.what + "\n";
  }
  return out;
}

// What contradicts, as text; "" when all holds. An error of opening or reading counts: it names the damage too.
inline std::string contradictions(const std::string& data_dir, std::vector<std::string> remembered = {}) {
  return flaws(verify(data_dir, std::move(remembered)), true);
}

}  // namespace yushi::storage::test
