#include "cli/asker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "audit/answer_verify.h"
#include "cli/client.h"
#include "judge/recheck.h"
#include "parsers/file/share_directory.h"
#include "query/scan/parser_versions.h"
#include "storage/read/cut_off.h"
#include "storage/read/salvage.h"

namespace yushi::cli {
namespace {

constexpr size_t kLocalBytes = 512 << 20;  // of a question to a store that is read here

class LocalStore : public Asker {
 public:
  static Result<std::unique_ptr<Asker>> open(const std::string& directory) {
    std::unique_ptr<LocalStore> local(new LocalStore);
    YUSHI_TRY(check_folder(directory));
    local->heads_ = storage::read_heads(directory + "/heads");  // before the store: a daemon may be writing both
    auto database = YUSHI_TRY(storage::open_or_salvage(directory + "/store"));
    auto files = YUSHI_TRY(read_secret_directories({parsers::share_directory("secrets")}));
    auto rules = YUSHI_TRY(SecretRules::load(std::move(files)));
    local->secrets_ = std::move(rules);
    local->database_ = std::move(database);
    local->versions_->read_from(local->database_);
    auto view = YUSHI_TRY(storage::StoreView::open(local->database_, local->versions_->as_function()));
    local->view_ = std::move(view);
    local->cut_off_ = storage::cut_off(directory + "/heads", local->heads_, *local->view_);
    return std::unique_ptr<Asker>(std::move(local));
  }

  Result<AnswerEnd> ask(const query::Question& question, const query::LineSink& sink) override {
    if (question.parameters.contains("follow")) {
      return fail(Code::invalid, "-f follows a running daemon; a store opened with --store does not grow");
    }
    query::QueryPool pool(kLocalBytes, std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
    query::Budget budget(pool);
    const auto* kind = query::find_kind(question.name);
    const bool proves = kind && kind->right == query::Right::proof;
    if (proves && !is_whole())
      return fail(Code::corrupt, database_->damage().front() + "; nothing of it is proved, but what is whole is found");
    query::Means means;
    means.secrets = secrets_;
    means.events = [&] { return event_reading(); };
    means.prove = [&](auto& store, auto remembered, auto& say) {
      return audit::answer_verify(store, heads_, remembered, true, say);
    };
    means.recheck = [&](auto& store, auto& alert, uint64_t audit_index, auto& over) {
      return recheck(store, alert, audit_index, over);
    };
    // Who can read the folder has all of it anyway.
    auto end = YUSHI_TRY(query::answer(query::Permit(), *view_, question, means, sink, budget));
    // `verify` names it itself; what is fetched beside an answer, to prove it, is no answer.
    const bool is_beside = question.parameters.contains(query::kProofOfAnswer);
    if (question.name != "verify" && !is_beside)
      end.missing.insert(end.missing.end(), cut_off_.begin(), cut_off_.end());
    if (!is_whole()) {
      auto& damage = database_->damage();
      end.missing.insert(end.missing.begin(), damage.begin(), damage.end());
    }
    return end;
  }

  bool is_whole() const override { return !database_->is_salvaged(); }

 private:
  LocalStore() = default;

  // The zones of tenants stand in the daemon's config.
  Result<query::EventReading> event_reading() {
    auto parsers = YUSHI_TRY(versions_->newest(*view_));
    return query::EventReading{parsers, [](std::string_view) { return Zone::utc(); }};
  }

  // By our rules and those of $YUSHI_RULES, and by the parsers and the zone that the log was read with last.
  Result<AlertCheck> recheck(const storage::StoreView& store, const Alert& alert, uint64_t audit_index,
                             const std::atomic<bool>& over) {
    judge::Judging by;
    by.parsers = YUSHI_TRY(versions_->newest(store));
    std::vector<std::string> folders = {parsers::share_directory("rules")};
    if (auto* more = std::getenv("YUSHI_RULES"); more && *more) folders.emplace_back(more);
    auto source_files = YUSHI_TRY(detect::read_rule_directories({parsers::share_directory("sigma")}));
    auto sources = YUSHI_TRY(detect::LogSources::load(std::move(source_files)));
    auto rule_files = YUSHI_TRY(detect::read_rule_directories(folders));
    by.rules = YUSHI_TRY(detect::RuleSet::load(std::move(rule_files), *sources));
    std::string zone_name = "UTC";
    if (!alert.records.empty()) {
      const auto& [log, index] = alert.records.front();
      if (auto segment = YUSHI_TRY(store.segment_at(log, index)); segment && segment->sealed) {
        auto block = YUSHI_TRY(store.read_whole(*segment));
        block.context.parsed.for_each_run(static_cast<uint32_t>(block.batch->records.size()),
                                          [&](auto& how, uint32_t, uint32_t) { zone_name = how.timezone; });
      }
    }
    auto zone = YUSHI_TRY(Zone::find(zone_name));
    by.zone_of = [zone](std::string_view) { return zone; };
    return judge::recheck(store, alert, audit_index, by, over);
  }

  // What is no data folder of ours is said in our words, not in RocksDB's; what cannot be looked at is left to it.
  static Result<void> check_folder(const std::string& directory) {
    namespace fs = std::filesystem;
    std::error_code failed;
    if (fs::exists(fs::path(directory) / "store" / "CURRENT", failed) || failed) return {};
    for (fs::directory_iterator file(fs::path(directory) / "store", failed), end; !failed && file != end;) {
      auto extension = file->path().extension();
      if (extension == ".sst" || extension == ".blob" || extension == ".log") return {};
      file.increment(failed);
    }
    std::string hint = "; give the folder that `data_dir` in yushi.yaml names, or a copy of it";
    auto folder = fs::absolute(directory, failed).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    if (folder.filename() == "store" && fs::exists(folder / "CURRENT", failed)) {
      hint = ": it is the database in one; give --store " + folder.parent_path().string();
    }
    return fail(Code::invalid, "--store " + directory + ": this is no data folder of yushid" + hint);
  }

  std::shared_ptr<storage::Database> database_;
  std::shared_ptr<query::ParserVersions> versions_ = std::make_shared<query::ParserVersions>();
  std::shared_ptr<const storage::StoreView> view_;
  Result<storage::Heads> heads_;
  std::vector<std::string> cut_off_;  // what the file `heads` has and the store has not, in words
  std::shared_ptr<const SecretRules> secrets_;
};

}  // namespace

Result<std::unique_ptr<Asker>> make_asker(const std::string& server, const std::string& store) {
  if (!store.empty()) {
    if (!server.empty()) return fail(Code::invalid, "--server and --store exclude each other: give one");
    return LocalStore::open(store);
  }
  std::string place = server;
  if (place.empty()) {
    if (auto* named = std::getenv("YUSHI_SERVER"); named && *named) place = named;
  }
  constexpr const char* kDefaults[] = {"/run/yushi/yushi.sock", "./yushi-data/yushi.sock"};
  for (auto* path : kDefaults) {
    if (place.empty() && ::access(path, F_OK) == 0) place = std::string("unix:") + path;
  }
  if (place.empty()) {
    return fail(Code::unavailable,
                std::string("no daemon found at ") + kDefaults[0] + " or " + kDefaults[1] +
                    "; start yushid, name its socket with --server unix:PATH, or read a store with --store DIR");
  }
  if (!place.starts_with("unix:")) {
    return fail(Code::invalid, "--server " + place + ": this version speaks over unix sockets only; give unix:PATH");
  }
  return make_client(place.substr(5));
}

}  // namespace yushi::cli
