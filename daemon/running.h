// yushid as it runs: what its start-up steps make and its later ones use. Of daemon.cc (start-up, teardown) and
// reload.cc (what changes while it runs) alone.
//
// Threads  The main thread's, but for watched() and inputs(), which any may ask.
#pragma once

#include <signal.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/event/own_record.h"
#include "daemon/api_sources.h"
#include "daemon/config.h"
#include "daemon/forwarders.h"
#include "daemon/pipeline.h"
#include "daemon/watchdog.h"
#include "ingest/net/unix_listener.h"
#include "query/scan/parser_versions.h"

namespace yushi::daemon {

class Daemon {
 public:
  Daemon(const Config& config, std::string config_path) : config_(config), config_path_(std::move(config_path)) {}

  // The exit codes of run_daemon() and rotate_key() (daemon/daemon.h).
  int run();
  int rotate_key();

 private:
  // ------------------------------------------------------------------------------------------ start-up steps, teardown

  Result<void> load();
  // Before the store: an address that cannot be bound must not leave a store behind that nobody asked for.
  Result<void> bind_inputs();
  Result<std::shared_ptr<ingest::Input>> bind_input(const ingest::InputConfig& config);
  std::vector<std::shared_ptr<ingest::Input>> inputs() const;
  Result<void> bind_api();
  // Not before the group is right, so that never another one may open it.
  Result<void> give_to_group(const std::string& doing);
  Result<void> bind_api_listen();
  Result<void> open_store();
  // A list whose file is wrong has the entries by which this store was judged last, as at a reload.
  Result<void> keep_lists();
  Result<void> start_pipeline();
  Result<void> start_inputs();
  Result<void> start_forwarders();
  Result<void> start_api();
  Watched watched() const;
  void block_signals();
  // Connections and the store's files share one table: the store must never find it full.
  void raise_descriptor_limit();
  void wait_for_signals();
  void watch_stages();
  void feed_watchdog();
  int tear_down();

  // --------------------------------------------------------------------------------------------- changes while it runs

  // Lists and exceptions are wanted now: their files are taken as they change, without a signal.
  struct FileStates {
    std::string lists, exceptions;
    bool empty() const { return lists.empty() && exceptions.empty(); }
  };
  // Thirty, seven and one day before a certificate ends, and when it has: each once.
  void warn_of_certificates();
  FileStates files_now() const;
  void take_changed_files();
  void read_exceptions_again();
  // What the file says now; nullopt: it is wrong, and changes nothing.
  std::optional<Config> read_config_again();
  // What is changed and cannot change while we run, in words. It stays as it was at the start, and is named again at
  // each reload.
  std::string changed_later(const Config& fresh) const;
  // Those that stand there as they did are left alone, with their connections. What was done, in words.
  std::string change_inputs(const std::vector<std::shared_ptr<const ingest::InputConfig>>& wanted);
  // As at the start, a field that nothing can have is a mistake unless a parser was left out, whose field it may be.
  std::string change_forwarders(const forward::ForwarderConfigs& wanted);
  // The config file, parsers and rules, as one: a record goes where its tenant is, and is read as that one writes, by
  // what is loaded then; inputs that are new come last. The records before keep the fields that their version gave.
  void reload();
  void read_lists_again();
  // Whether tenants and relays are these now; the files are told.
  bool take_data_files(const Config& config);
  // Nothing rests on them: whoever relies on that must hear it.
  void tell_lists_left_out(const Loaded& loaded);
  // For `_audit`; with a `reason` it failed.
  static OwnRecord configuration_record(const char* action, const std::string& what, const std::string& reason);
  static OwnRecord load_record(const char* action, const Loaded& loaded);

  Config config_;  // as last loaded; what cannot change while we run is as it was at the start
  const std::string config_path_;
  std::string api_path_;
  sigset_t signals_{};
  const unsigned ingest_thread_count_ = std::max(1u, std::min(8u, std::thread::hardware_concurrency()));
  uint32_t connections_max_ = 0;
  std::shared_ptr<const Loaded> loaded_;
  std::shared_ptr<query::ParserVersions> versions_ = std::make_shared<query::ParserVersions>();
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<Pipeline> pipeline_;
  std::shared_ptr<ingest::SourceLimit> sources_;
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts_;
  std::vector<std::thread> ingest_threads_;
  const std::shared_ptr<ingest::Routing> routing_ = std::make_shared<ingest::Routing>();
  ingest::SharedByInputs context_;
  // Changed by reload() alone, on this thread; others see it by watched().
  struct Running {
    std::string written_as;
    std::shared_ptr<ingest::Input> input;
  };
  mutable Mutex inputs_mutex_;
  std::vector<Running> inputs_ YUSHI_GUARDED_BY(inputs_mutex_);
  std::unique_ptr<Forwarders> forwarders_;
  int64_t started_ns_ = 0;
  uint64_t parser_bytes_ = 0;                         // of the heap, for what load() loaded
  std::optional<ingest::UnixListener> api_listener_;  // moved into the API when it starts, as is the next
  ingest::OwnedFd api_metrics_;                       // of api.listen; may be none
  std::unique_ptr<serve::Api> api_;
  std::atomic<bool> failed_{false};
  Watchdog watchdog_;
  int hungry_beats_ = 0;
  FileStates files_;                                                  // as they were when they were read
  std::map<std::pair<std::string, int64_t>, int> certificates_told_;  // by input and end: the last step, and one
};

}  // namespace yushi::daemon
