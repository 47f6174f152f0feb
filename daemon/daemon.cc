#include "daemon/daemon.h"

#include <grp.h>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>

#include "core/base/clock.h"
#include "core/base/units_text.h"
#include "daemon/data_files.h"
#include "daemon/geo_places.h"
#include "daemon/metrics.h"
#include "daemon/running.h"
#include "daemon/stderr_log.h"
#include "daemon/tenants.h"
#include "enrich/lookups.h"
#include "parsers/engine_version.h"

namespace yushi::daemon {
namespace {

constexpr int kBeatsPerWatchdog = 8;
constexpr int64_t kStopWaitNs = 10 * kSecond;  // for room on a full disk
constexpr detect::FindingKind kNotKept{"yushid.checkpoint-not-kept", "A checkpoint could not be kept elsewhere", 1, "",
                                       "检查点未能另处保存"};
constexpr detect::FindingKind kInputTrouble{"yushid.input-trouble", "An input cannot use what it was given", 1, "",
                                            "输入无法使用所提供的内容"};
constexpr int kWrongConfig = 2, kStoreUnopened = 3, kFailedLater = 1;

std::string host_name() {
  char name[65] = "localhost";
  ::gethostname(name, sizeof name - 1);
  std::string out;
  for (char c : std::string_view(name)) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    out.push_back(allowed ? c : '-');
  }
  return out;
}

bool is_under(const std::string& path, const std::string& folder) {
  std::error_code ignored;  // binding will say it
  auto relative = std::filesystem::weakly_canonical(path, ignored)
                      .lexically_relative(std::filesystem::weakly_canonical(folder, ignored));
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

int Daemon::run() {
  ::umask(0077);  // what we make holds everybody's logs; sockets get the mode that they are to have
  block_signals();
  raise_descriptor_limit();
  struct Step {
    const char* name;
    Result<void> (Daemon::*run)();
    int exit_code;
  };
  constexpr Step kSteps[] = {
      {"loading parsers and rules", &Daemon::load, kWrongConfig},
      {"binding the inputs", &Daemon::bind_inputs, kWrongConfig},
      {"binding the API's socket", &Daemon::bind_api, kWrongConfig},
      {"binding api.listen", &Daemon::bind_api_listen, kWrongConfig},
      {"opening the store", &Daemon::open_store, kStoreUnopened},
      {"starting the pipeline", &Daemon::start_pipeline, kStoreUnopened},
      {"starting the inputs", &Daemon::start_inputs, kWrongConfig},
      {"starting the forwarders", &Daemon::start_forwarders, kWrongConfig},
      {"starting the API", &Daemon::start_api, kWrongConfig},
  };
  for (auto& step : kSteps) {
    if (auto done = (this->*step.run)(); !done) {
      spdlog::error("{}: {}", step.name, done.error().message);
      tear_down();
      return step.exit_code;
    }
  }
  spdlog::info("ready: node {}, data in {}, API on {}", store_->options().node, config_.data_dir, api_path_);
  for (auto& input : inputs()) spdlog::info("listening on {}", input->name());
  ::sd_notify(0, "READY=1");
  wait_for_signals();
  spdlog::info("stopping: taking what is readable, then committing and sealing");
  ::sd_notify(0, "STOPPING=1");
  return tear_down();
}

int Daemon::rotate_key() {
  auto done = load();
  if (done) done = open_store();
  if (done) done = store_->rotate_key(realtime_ns());
  if (done) done = store_->close(realtime_ns());
  if (!done) {
    spdlog::error("rotating the key: {}", done.error().message);
    return kStoreUnopened;
  }
  spdlog::info("node {} signs with a new key; back it up, apart from the store", store_->options().node);
  return 0;
}

Result<void> Daemon::load() {
  const auto before = heap_bytes_in_use();
  files_ = files_now();
  auto loaded = YUSHI_TRY(load_data_files(config_, nullptr));
  loaded_ = loaded;
  ::malloc_trim(0);  // what reading the files took
  parser_bytes_ = heap_bytes_in_use() - before;
  auto lookups = YUSHI_TRY(enrich::open_lookups(config_.lookups));
  use_lookups(std::move(lookups));
  for (size_t i = 0; i < loaded_->left_out.size(); ++i)
    if (loaded_->left_out_kinds[i] != "list")
      spdlog::warn("{}", loaded_->left_out[i]);  // of lists the store knows more
  // A checkout of rules has other files too, often as many: a word for all of them.
  if (auto& others = loaded_->rules->passed_over(); !others.empty())
    spdlog::info("{}; in all {} documents of the rule folders are no rules", others.front(), others.size());
  for (auto& what : loaded_->cannot_run) spdlog::info("{}", what);
  auto unknown = forward::unknown_select_fields(config_.forwarders);
  // The field may be of a parser that was left out.
  if (!unknown.empty() && loaded_->left_out.empty()) return fail(Code::invalid, unknown.front());
  for (auto& what : unknown) spdlog::warn("{}", what);
  spdlog::info("loaded {} parser files and {} rule files, {} rules run", loaded_->parsers->files().size(),
               loaded_->rules->files().size(), loaded_->rules->list().size());
  return {};
}

Result<void> Daemon::bind_inputs() {
  for (auto& input : config_.inputs) YUSHI_TRY(bind_input(*input));
  return {};
}

Result<std::shared_ptr<ingest::Input>> Daemon::bind_input(const ingest::InputConfig& config) {
  auto bound = config.bind({ingest_thread_count_, config_.message_bytes});
  if (!bound)
    return fail(bound.error().code, (config.place.empty() ? "" : config.place + ": ") + bound.error().message);
  std::shared_ptr<ingest::Input> input = std::move(*bound);
  MutexLock lock(inputs_mutex_);
  inputs_.push_back({config.written_as, input});
  return input;
}

std::vector<std::shared_ptr<ingest::Input>> Daemon::inputs() const {
  MutexLock lock(inputs_mutex_);
  std::vector<std::shared_ptr<ingest::Input>> out;
  for (auto& running : inputs_) out.push_back(running.input);
  return out;
}

Result<void> Daemon::bind_api() {
  auto* runtime = std::getenv("RUNTIME_DIRECTORY");
  api_path_ = !config_.api_socket.empty() ? config_.api_socket
              : runtime && *runtime       ? std::string(runtime) + "/yushi.sock"
                                          : config_.data_dir + "/yushi.sock";
  // In data_dir, where it is by default, only after the store, which makes that folder.
  if (!store_ && is_under(api_path_, config_.data_dir)) return {};
  auto doing = "api.socket " + api_path_;
  auto listener = YUSHI_TRY(ingest::UnixListener::bind(doing, api_path_, SOCK_STREAM, 0600));
  YUSHI_TRY(give_to_group(doing));
  if (::listen(listener.fd(), SOMAXCONN) != 0) return ingest::fail_errno(doing, errno);
  api_listener_.emplace(std::move(listener));
  return {};
}

Result<void> Daemon::give_to_group(const std::string& doing) {
  if (!config_.api_group.empty()) {
    auto* group = ::getgrnam(config_.api_group.c_str());
    if (!group) return fail(Code::invalid, doing + ": there is no group " + config_.api_group);
    struct stat there;
    const bool has_it = ::stat(api_path_.c_str(), &there) == 0 && there.st_gid == group->gr_gid;
    if (!has_it && ::chown(api_path_.c_str(), static_cast<uid_t>(-1), group->gr_gid) != 0) {
      return ingest::fail_errno(doing + ": giving it to group " + config_.api_group, errno,
                                "the daemon's user must be a member of that group, and under systemd may use chown "
                                "only as yushid.service says");
    }
  }
  if (::chmod(api_path_.c_str(), config_.api_mode) != 0) return ingest::fail_errno(doing, errno);
  return {};
}

Result<void> Daemon::bind_api_listen() {
  if (config_.api_listen.empty()) return {};
  auto address = YUSHI_TRY(ingest::parse_listen(config_.api_listen));
  const std::string doing = "api.listen " + config_.api_listen;
  ingest::OwnedFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return ingest::fail_bind(doing, errno, address);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), address.get(), address.length) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    return ingest::fail_bind(doing, errno, address);
  }
  api_metrics_ = std::move(fd);
  return {};
}

Result<void> Daemon::open_store() {
  versions_->add(loaded_->parsers);
  storage::StoreOptions options;
  options.data_dir = config_.data_dir;
  options.key_dir = config_.key_dir;
  options.witness_files = config_.witness_files;
  options.on_witness_failure = [this, told = false](const Error& error) mutable {
    spdlog::error("a checkpoint could not be kept elsewhere: {}", error.message);
    if (!std::exchange(told, true) && pipeline_)
      pipeline_->tell_trouble(kNotKept, {error.message}, Severity::medium, 50);
  };
  options.node = config_.node;
  options.fallback_node = host_name();
  options.retention_days = config_.retention_days;
  options.open_bytes_max = config_.memory.open_blocks;
  options.quiet_ns = config_.seal_quiet_ns;
  options.memtable_bytes = config_.memory.memtables;
  options.reparse = versions_->as_function();
  options.own_context = loaded_->contexts.at(storage::kAuditLogId);
  options.opened = [this](const std::shared_ptr<storage::Database>& database) { versions_->read_from(database); };
  auto store = YUSHI_TRY(storage::Store::open(std::move(options)));
  store_ = std::move(store);
  for (auto& what : store_->findings()) spdlog::warn("{}", what);
  YUSHI_TRY(store_->keep_parsers(loaded_->parsers->digest(), query::encode_parser_files(*loaded_->parsers)));
  YUSHI_TRY(keep_lists());
  auto tenancy = YUSHI_TRY(give_logs(config_, *store_, *loaded_, nullptr));
  loaded_ = tenancy.loaded;
  routing_->take(std::move(tenancy.log_of));
  store_->options().disk->wait_until(INT64_MAX);
  return {};
}

Result<void> Daemon::keep_lists() {
  const auto has_wrong_list = [](const Loaded& loaded) {
    auto& kinds = loaded.left_out_kinds;
    return std::find(kinds.begin(), kinds.end(), "list") != kinds.end();
  };
  if (!has_wrong_list(*loaded_)) return {};
  Loaded before = *loaded_;
  before.lists = detect::Lists::remembered(config_.lists, Pipeline::remembered_lists(*store_));
  if (rules_ask_for_lists(config_, before))
    loaded_ = YUSHI_TRY(load_data_files(config_, &before));
  else
    loaded_ = with_lists(config_, before);
  for (size_t i = 0; i < loaded_->left_out.size(); ++i)
    if (loaded_->left_out_kinds[i] == "list") spdlog::error("{}", loaded_->left_out[i]);
  return {};
}

Result<void> Daemon::start_pipeline() {
  PipelineOptions options;
  options.ingest_threads = ingest_thread_count_;
  options.in_flight_bytes = config_.memory.in_flight;
  options.commit_interval_ns = config_.commit_interval_ns;
  options.commit_bytes = config_.commit_bytes;
  options.senders_max = config_.sources;
  options.detect.learning_ns = config_.learning_ns;
  options.detect.place_of = place_by_geoip;
  options.detect.memory_bytes = config_.memory.detectors;
  options.detect.counts = true;
  pipeline_ = std::make_unique<Pipeline>(*store_, loaded_, options);
  pipeline_->on_failure = [this](const Error& error) {
    spdlog::critical("{}; stopping: what was not committed was not acknowledged", error.message);
    failed_ = true;
    ::kill(::getpid(), SIGTERM);
  };
  // Before anything else is committed: `verify` asks `_audit` which engines there were.
  pipeline_->tell(start_record(parsers::kParserEngine));
  for (auto& what : store_->findings()) pipeline_->tell(own_record("store-opened", what));
  for (auto& tail : store_->other_engines()) {
    auto what = "records " + tail.log + "/" + std::to_string(tail.first_index) + " to " +
                std::to_string(tail.first_index + tail.records - 1) +
                " were left unsealed by a crash and parser engine " + std::to_string(tail.engine) +
                ", which gave their fields; engine " + std::to_string(parsers::kParserEngine) + " gives them anew";
    spdlog::warn("{}", what);
    pipeline_->tell(own_record("fields-anew", what));
  }
  if (!loaded_->left_out.empty() || !loaded_->cannot_run.empty()) pipeline_->tell(load_record("load", *loaded_));
  tell_lists_left_out(*loaded_);
  sources_ = std::make_shared<ingest::SourceLimit>(config_.sources);
  store_->for_each_source([&](LogId log, const std::string& source, const storage::SourceState& state) {
    bool datagrams = state.seen_on(Transport::udp) || state.seen_on(Transport::unix_socket);
    if (datagrams) (void)sources_->admit(log, source);
  });
  return pipeline_->start();
}

Result<void> Daemon::start_inputs() {
  auto& context = context_;
  for (unsigned i = 0; i < ingest_thread_count_; ++i) {
    contexts_.push_back(std::make_unique<boost::asio::io_context>(1));
    context.threads.push_back(contexts_.back().get());
  }
  context.sink = pipeline_.get();
  context.routing = routing_;
  context.connections = std::make_shared<ingest::Connections>(connections_max_, config_.connections_per_source);
  context.sources = sources_;
  context.position = [this](std::string_view input) { return pipeline_->position(input); };
  context.trouble = [this](const std::string& what) {
    spdlog::error("{}", what);
    pipeline_->tell_trouble(kInputTrouble, {what}, Severity::high, 70);
  };
  for (unsigned i = 0; i < ingest_thread_count_; ++i) {
    auto& pulse = pipeline_->ingest_pulse(i);
    ingest_threads_.emplace_back([&io = *contexts_[i], &pulse] {
      ::pthread_setname_np(::pthread_self(), "ingest");
      pulse.step();
      auto work = boost::asio::make_work_guard(io);
      io.run();
    });
  }
  for (auto& input : inputs()) input->start(context);
  return {};
}

Result<void> Daemon::start_forwarders() {
  forwarders_ = std::make_unique<Forwarders>(*store_, *pipeline_);
  YUSHI_TRY(forwarders_->start(config_.forwarders));
  pipeline_->call_on_commit([this] { forwarders_->wake(); });
  return {};
}

Result<void> Daemon::start_api() {
  if (!api_listener_) {
    YUSHI_TRY(bind_api());
  }
  started_ns_ = realtime_ns();
  auto local = std::make_shared<ingest::UnixListener>(std::move(*api_listener_));
  std::vector<serve::Listener> listeners = {serve::listener_of_questions(local->fd(), local)};
  if (api_metrics_) {
    auto metrics = std::make_shared<ingest::OwnedFd>(std::move(api_metrics_));
    listeners.push_back(serve::listener_of_health(metrics->get(), metrics));
  }
  local.reset();
  api_ = std::make_unique<serve::Api>(
      std::move(listeners), api_sources(*store_, *pipeline_, [this] { return watched(); }),
      serve::Api::Limits{config_.memory.questions, std::chrono::seconds(config_.query_seconds)}, config_.api_secrets);
  api_->start();
  return {};
}

Watched Daemon::watched() const {
  Watched out{store_.get(), pipeline_.get(), {}, {}, started_ns_, config_.memory_bytes, parser_bytes_, 0};
  if (api_) out.question_bytes = api_->leased_bytes();
  if (forwarders_) out.forwarders = forwarders_->running();
  for (auto& input : inputs()) out.inputs.push_back(input);
  return out;
}

void Daemon::block_signals() {
  sigemptyset(&signals_);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, s);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void Daemon::raise_descriptor_limit() {
  constexpr rlim_t kReserved = 512;
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  auto room = limit.rlim_cur > 2 * kReserved ? limit.rlim_cur - kReserved : limit.rlim_cur / 2;
  connections_max_ = static_cast<uint32_t>(std::min<rlim_t>(config_.connections, room));
  if (connections_max_ < config_.connections) {
    spdlog::warn("limits.connections: only {} of {} fit the limit of open files ({}); raise LimitNOFILE",
                 connections_max_, config_.connections, limit.rlim_cur);
  }
}

void Daemon::wait_for_signals() {
  uint64_t watchdog_us = 0;
  ::sd_watchdog_enabled(0, &watchdog_us);
  // Often enough that a stage has nearly all of the time to make its next step.
  auto beat_us =
      static_cast<int64_t>(watchdog_us ? std::max<uint64_t>(watchdog_us / kBeatsPerWatchdog, 1) : 3'600'000'000);
  timespec wait{beat_us / 1'000'000, beat_us % 1'000'000 * 1000};
  if (watchdog_us) watch_stages();
  auto fed_ns = clock_ns(CLOCK_MONOTONIC);
  while (true) {
    warn_of_certificates();
    const timespec soon{1, 0};  // files that are taken as they change have no signal of their own
    const bool looks = !files_.empty() && beat_us > 1'000'000;
    int got = ::sigtimedwait(&signals_, nullptr, looks ? &soon : &wait);
    if (got == SIGTERM || got == SIGINT) return;
    if (got == SIGHUP) reload();
    take_changed_files();
    const auto now_ns = clock_ns(CLOCK_MONOTONIC);
    if (!watchdog_us || (looks && now_ns - fed_ns < beat_us * 1000)) continue;
    fed_ns = now_ns;
    feed_watchdog();
  }
}

void Daemon::watch_stages() {
  watchdog_.watch("the committer", store_->pulse());
  watchdog_.watch("the sealer", store_->sealer_pulse());
  for (unsigned i = 0; i < contexts_.size(); ++i) {
    watchdog_.watch("ingest thread " + std::to_string(i), pipeline_->ingest_pulse(i));
  }
}

void Daemon::feed_watchdog() {
  // What waits for room on the disk hangs on nothing that a new start would mend.
  auto stuck = store_->options().disk->waits() ? std::string() : watchdog_.stuck();
  if (stuck.empty()) {
    hungry_beats_ = 0;
    ::sd_notify(0, "WATCHDOG=1");
  } else if (++hungry_beats_ == kBeatsPerWatchdog / 2) {
    spdlog::critical("{} has work and has not moved; the watchdog is not fed, and systemd will start yushid again",
                     stuck);
  }
  // An ingest thread without work answers this before the next beat. One at rest waits for the committer: it cannot.
  for (unsigned i = 0; i < contexts_.size(); ++i) {
    auto& pulse = pipeline_->ingest_pulse(i);
    if (!pulse.rests()) boost::asio::post(*contexts_[i], [&pulse] { pulse.step(); });
  }
}

int Daemon::tear_down() {
  if (store_) store_->options().disk->wait_until(clock_ns(CLOCK_MONOTONIC) + kStopWaitNs);
  if (api_) api_->stop();
  for (auto& input : inputs()) input->stop();
  int code = failed_ ? kFailedLater : 0;
  if (pipeline_) {
    if (auto stopped = pipeline_->stop(); !stopped) {
      spdlog::error("stopping: {}", stopped.error().message);
      code = kFailedLater;
    }
  }
  if (forwarders_) forwarders_->stop();
  if (store_ && code == 0) {
    if (auto closed = store_->close(realtime_ns()); !closed) {
      spdlog::error("closing the store: {}", closed.error().message);
      code = kFailedLater;
    }
  }
  for (auto& io : contexts_) io->stop();
  for (auto& thread : ingest_threads_) thread.join();
  {
    MutexLock lock(inputs_mutex_);
    inputs_.clear();
  }
  if (store_ && code == 0) spdlog::info("stopped: {} records committed since start", store_->counters().records.load());
  return code;
}

int run_daemon(const Config& config, const std::string& config_path) {
  log_to_stderr();
  return Daemon(config, config_path).run();
}

int rotate_key(const Config& config) {
  log_to_stderr();
  return Daemon(config, "").rotate_key();
}

}  // namespace yushi::daemon
