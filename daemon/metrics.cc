#include "daemon/metrics.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "daemon/memory.h"
#include "daemon/verdict.h"
#include "query/answers/answer.h"

namespace yushi::daemon {
namespace {

class Exposition {
 public:
  void family(const char* name, const char* type, const char* help) {
    out_ += "# HELP " + std::string(name) + " " + help + "\n# TYPE " + name + " " + type + "\n";
    name_ = name;
  }
  template <class T>
  void value(T number, const std::string& labels = "") {
    out_ += name_ + (labels.empty() ? "" : "{" + labels + "}") + " " + std::to_string(number) + "\n";
  }
  template <class T>
  void one(const char* name, const char* type, const char* help, T number) {
    family(name, type, help);
    value(number);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_, name_;
};

}  // namespace

std::vector<std::pair<std::string_view, uint64_t>> memory_parts(const Watched& watched) {
  const auto tables = watched.store->database()->memory();
  const auto process = process_memory();
  return {{"in_flight", watched.pipeline->counters().in_flight_bytes.load()},
          {"open_blocks", watched.store->open_bytes()},
          {"memtables", tables.memtables},
          {"tables", tables.tables},
          {"cache", tables.cache},
          {"parsers", watched.parser_bytes},
          {"detectors", watched.pipeline->counters().detector_bytes.load()},
          {"questions", watched.question_bytes},
          {"heap_free", process.heap_free},
          {"resident", process.resident}};
}

uint64_t disk_free_bytes(const std::string& path) {
  struct statvfs disk;
  return ::statvfs(path.c_str(), &disk) == 0 ? disk.f_bavail * disk.f_frsize : 0;
}

std::string prometheus_text(const Watched& watched, const serve::QuestionQueue::Counts& questions) {
  auto& store = watched.store->counters();
  auto& pipeline = watched.pipeline->counters();
  Exposition e;
  e.one("yushi_records_committed_total", "counter", "Records durable in the store since start.", store.records.load());
  e.one("yushi_record_bytes_committed_total", "counter", "Raw bytes of those records.", store.raw_bytes.load());
  e.one("yushi_commits_total", "counter", "Synced atomic writes.", store.commits.load());
  e.one("yushi_commit_sync_seconds_total", "counter", "Time spent in them.",
        static_cast<double>(store.sync_ns.load()) / 1e9);
  e.one("yushi_blocks_sealed_total", "counter", "Columnar blocks sealed.", store.blocks_sealed.load());
  e.one("yushi_block_bytes_total", "counter", "Bytes of those blocks with their token filters.",
        store.block_bytes.load());
  e.one("yushi_memory_limit_bytes", "gauge", "limits.memory.", watched.memory_bytes);
  e.family("yushi_memory_bytes", "gauge",
           "What is held now: records that wait for the committer (in_flight) and for their block (open_blocks), "
           "RocksDB's memtables, tables and cache, what parsers and rules took when they were loaded, what detectors "
           "remember, what questions have leased, what the heap has free, and all that is resident.");
  for (auto& [part, bytes] : memory_parts(watched)) e.value(bytes, "part=\"" + std::string(part) + "\"");
  e.one("yushi_detect_forgotten_total", "counter",
        "Entries that detectors forgot for want of room, those not seen for longest, since the store is there.",
        pipeline.detectors_forgot.load());
  e.one("yushi_alerts_total", "counter", "Alerts raised since start.", pipeline.alerts.load());
  e.one("yushi_records_capped_total", "counter", "Records with more fields than are taken; error.message says so.",
        pipeline.fields_capped.load());
  e.one("yushi_joined_open", "gauge", "Events of several lines that wait for more of them.",
        pipeline.joined_open.load());
  e.one("yushi_joined_cut_total", "counter",
        "Events that met a bound of lines, bytes or open events and were judged as they were.",
        pipeline.joined_cut.load());
  e.one("yushi_parse_ambiguous_total", "counter",
        "Records that two parsers would have known and the order decided, estimated: one known record in 251 is "
        "offered to all.",
        pipeline.ambiguous.load());
  const auto datasets = watched.pipeline->records_of_datasets();
  e.family("yushi_parse_total", "counter", "Records by dataset; none: no parser understood them.");
  for (auto& [dataset, count] : datasets) e.value(count, "dataset=\"" + dataset + "\"");
  e.family("yushi_parse_unknown_total", "counter",
           "Records that no product's parser understood: none, or the generic parser that knew their form. `yushi "
           "parsers unknown` shows them.");
  for (auto& [dataset, count] : datasets) {
    const auto generic = parsers::generic_datasets();
    if (dataset == "none" || std::find(generic.begin(), generic.end(), dataset) != generic.end())
      e.value(count, "dataset=\"" + dataset + "\"");
  }
  e.one("yushi_hosts_unconfirmed_total", "counter",
        "Records whose header names another host than their sender did before.", watched.pipeline->hosts_unconfirmed());
  e.one("yushi_connections_open", "gauge", "Stream connections open.", pipeline.connections_open.load());
  e.one("yushi_disk_full", "gauge", "1 when the disk is below its reserve and inputs have stopped.",
        static_cast<int>(pipeline.disk_full.load()));
  e.one("yushi_disk_free_bytes", "gauge", "Free bytes of the data folder's disk.",
        disk_free_bytes(watched.store->options().data_dir));
  e.one("yushi_questions_running", "gauge", "Questions about content, and verifications, that are being answered.",
        questions.running);
  e.one("yushi_questions_waiting", "gauge", "Those that wait for their turn.", questions.waiting);
  e.one("yushi_questions_refused_total", "counter", "Those that were told to ask again later.", questions.refused);
  auto loaded = watched.pipeline->loaded();
  e.one("yushi_rules", "gauge", "Rules that run, correlations too.", loaded->rules->list().size());
  e.one("yushi_rules_that_cannot_run", "gauge", "Rules that are right and cannot run here.",
        loaded->rules->unsupported().size());
  e.one("yushi_data_files_left_out", "gauge", "Data files that are wrong, and exceptions that hold for nothing.",
        loaded->left_out.size());
  struct Column {
    const char *name, *help;
    uint64_t ingest::InputCounts::*field;
  };
  constexpr Column kColumns[] = {
      {"yushi_input_bytes_total", "Bytes read.", &ingest::InputCounts::bytes},
      {"yushi_input_messages_total", "Messages framed.", &ingest::InputCounts::messages},
      {"yushi_input_empty_lines_total", "Empty lines between newline frames.", &ingest::InputCounts::empty_lines},
      {"yushi_input_frame_resyncs_total", "Frames that did not fit, kept raw to the next LF.",
       &ingest::InputCounts::resyncs},
      {"yushi_input_over_long_total", "Messages over the size limit, kept as parts.", &ingest::InputCounts::over_long},
      {"yushi_input_truncated_total", "Unfinished last frames, kept.", &ingest::InputCounts::truncated},
      {"yushi_input_possible_doubles_total",
       "Messages that came again over a new connection, and may stand there already.",
       &ingest::InputCounts::possible_doubles},
      {"yushi_input_handshakes_failed_total", "Connections without a certificate that holds, or that did not go on.",
       &ingest::InputCounts::handshakes_failed},
      {"yushi_input_connections_opened_total", "Connections opened.", &ingest::InputCounts::connections_opened},
      {"yushi_input_connections_closed_total", "Connections closed.", &ingest::InputCounts::connections_closed},
      {"yushi_input_connections_refused_total",
       "Connections refused by limits.connections or limits.connections_per_source.",
       &ingest::InputCounts::connections_refused},
      {"yushi_input_connections_displaced_total", "Connections closed to make room for addresses that hold fewer.",
       &ingest::InputCounts::connections_displaced},
      {"yushi_input_kernel_drops_total", "Datagrams the kernel dropped before they could be read.",
       &ingest::InputCounts::kernel_drops},
      {"yushi_input_source_drops_total", "Datagrams of sources that had more than their share waiting.",
       &ingest::InputCounts::source_drops},
  };
  for (auto& column : kColumns) {
    e.family(column.name, "counter", column.help);
    for (auto& input : watched.inputs) e.value(input->counts().*column.field, "input=\"" + input->name() + "\"");
  }
  e.family("yushi_input_certificate_expiry_seconds", "gauge", "When the input's certificate ends, Unix time.");
  for (auto& input : watched.inputs)
    if (auto ends = input->expires_ns(); ends != 0)
      e.value(static_cast<uint64_t>(ends / kSecond), "input=\"" + input->name() + "\"");
  struct Forwarded {
    const char *name, *type, *help;
    std::atomic<uint64_t> forward::ForwardMetrics::*field;
  };
  constexpr Forwarded kForwarded[] = {
      {"yushi_forward_delivered_total", "counter", "Records that the receiver acknowledged.",
       &forward::ForwardMetrics::delivered},
      {"yushi_forward_alerts_delivered_total", "counter", "Alerts that the receiver acknowledged.",
       &forward::ForwardMetrics::alerts_delivered},
      {"yushi_forward_errors_total", "counter", "Errors of the receiver, the client or reading.",
       &forward::ForwardMetrics::errors},
      {"yushi_forward_up", "gauge", "1 while somebody answers.", &forward::ForwardMetrics::up},
      {"yushi_forward_in_flight_bytes", "gauge", "Bytes handed to the client and not yet acknowledged.",
       &forward::ForwardMetrics::in_flight_bytes},
  };
  for (auto& column : kForwarded) {
    if (watched.forwarders.empty()) break;
    e.family(column.name, column.type, column.help);
    for (auto& [number, forwarder] : watched.forwarders)
      e.value((forwarder->metrics().*column.field).load(), "forwarder=\"" + std::to_string(number) + "\"");
  }
  if (!watched.forwarders.empty())
    e.family("yushi_forward_lag_records", "gauge", "Records committed and not yet delivered; of a route, alerts.");
  for (auto& [number, forwarder] : watched.forwarders)
    e.value(forwarder->lag(), "forwarder=\"" + std::to_string(number) + "\"");
  return e.take();
}

std::string status_json(const Watched& watched) {
  auto& store = watched.store->counters();
  auto& pipeline = watched.pipeline->counters();
  nlohmann::ordered_json s;
  s["node"] = watched.store->options().node;
  const auto troubles = troubles_of(watched, realtime_ns());
  s["verdict"] = verdict_of(troubles);
  s["reasons"] = nlohmann::ordered_json::array();
  for (auto& trouble : troubles) s["reasons"].push_back(trouble.words);
  s["version"] = "0.1.0";
  s["roles"] = "single-user";
  s["data_dir"] = watched.store->options().data_dir;
  s["uptime_seconds"] = (realtime_ns() - watched.started_ns) / kSecond;
  s["committed"] = store.records.load();
  s["committed_bytes"] = store.raw_bytes.load();
  s["blocks_sealed"] = store.blocks_sealed.load();
  s["memory_limit_bytes"] = watched.memory_bytes;
  for (auto& [part, bytes] : memory_parts(watched)) s["memory"][std::string(part)] = bytes;
  s["alerts"] = pipeline.alerts.load();
  s["detectors_forgot"] = pipeline.detectors_forgot.load();
  s["disk_full"] = pipeline.disk_full.load();
  s["disk_free_bytes"] = disk_free_bytes(watched.store->options().data_dir);
  s["disk_reserve_bytes"] = watched.pipeline->disk_reserve_bytes();
  auto loaded = watched.pipeline->loaded();
  s["parser_files"] = loaded->parsers->files().size();
  s["rules"] = loaded->rules->list().size();
  s["left_out"] = loaded->left_out;  // in words, as all that follows
  s["cannot_run"] = loaded->cannot_run;
  for (auto& input : watched.inputs) {
    auto counts = input->counts();
    s["inputs"].push_back({{"name", input->name()},
                           {"port", input->port()},
                           {"messages", counts.messages},
                           {"bytes", counts.bytes},
                           {"kernel_drops", counts.kernel_drops},
                           {"source_drops", counts.source_drops}});
  }
  for (auto& [number, forwarder] : watched.forwarders) {
    auto& m = forwarder->metrics();
    auto state = forwarder->state();
    nlohmann::ordered_json said = {{"name", forwarder->name()},         {"up", m.up.load() != 0},
                                   {"delivered", m.delivered.load()},   {"alerts_delivered", m.alerts_delivered.load()},
                                   {"is_route", forwarder->is_route()}, {"lag", forwarder->lag()},
                                   {"errors", m.errors.load()}};
    if (state.away_since_ns != 0) said["away_since"] = utc_text(state.away_since_ns);
    said["last_error"] = state.last_error;
    if (!state.last_error.empty()) said["last_error_at"] = utc_text(state.last_error_ns);
    s["forwarders"].push_back(std::move(said));
  }
  return s.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace yushi::daemon
