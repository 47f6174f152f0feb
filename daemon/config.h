// The config file as the daemon runs by it. config/yushi.yaml is the commented example.
//
// Errors  All problems at once, each as `file:line:column: what is wrong; what to do`. An unknown key is a problem.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/record.h"
#include "daemon/memory.h"
#include "detect/lists/lists.h"
#include "enrich/lookups.h"
#include "forward/sinks.h"
#include "ingest/inputs.h"

namespace yushi::daemon {

// A unit whose records this node keeps: what is its own, and the policy for its records.
struct Tenant {
  std::string name;
  std::vector<std::string> cidrs;
  std::vector<std::string> cert_names;  // of clients' certificates
  std::string timezone = "UTC";
  std::string charset = "utf-8";
  uint32_t retention_days = 0;  // 0: the node's
  bool operator==(const Tenant&) const = default;
};

struct Config {
  std::string node;  // empty: the store's own name, or the host's for a new store
  std::string data_dir;
  std::vector<std::shared_ptr<const ingest::InputConfig>> inputs;
  std::vector<Tenant> tenants;
  std::vector<std::string> relays;       // addresses and networks
  std::vector<std::string> parser_dirs;  // users'; ours come first
  std::vector<std::string> rule_dirs;
  std::vector<std::string> exception_files;
  enrich::LookupFiles lookups;
  std::vector<std::string> secret_dirs;  // files that say what a secret is; ours come first
  uint32_t message_bytes = 64 << 10;
  uint32_t connections = 10'000;
  uint32_t connections_per_source = 1000;
  uint32_t sources = 65'536;  // datagram sources of a log
  uint64_t memory_bytes = kMemoryDefault;
  MemoryShares memory = *share_memory(kMemoryDefault);  // of these
  uint32_t query_seconds = 300;
  int64_t commit_interval_ns = 50'000'000;
  uint64_t commit_bytes = 4 << 20;
  int64_t seal_quiet_ns = 10 * kMinute;    // a log that got nothing for so long is sealed
  std::string key_dir;                     // empty: data_dir/keys
  std::vector<std::string> witness_files;  // to which each signed checkpoint is appended
  uint32_t retention_days = 184;
  forward::ForwarderConfigs forwarders;
  detect::ListSettings lists;
  int64_t learning_ns = int64_t{14} * 86400 * 1'000'000'000;
  std::string api_socket;
  std::string api_group;                 // of the socket; empty: the daemon's own
  uint32_t api_mode = 0600;              // of the socket: 0600, or 0660 where there is a group
  std::vector<std::string> api_secrets;  // users who may ask to see secrets
  std::string api_listen;                // "127.0.0.1:9600", loopback only; empty: none
  // Each key of the file as it is written there, to tell what a reload changed.
  std::map<std::string, std::string> written;
};

// The embedded default: syslog on 127.0.0.1:5514 over TCP and UDP, no Kafka, data in $STATE_DIRECTORY or ./yushi-data.
Config default_config();

Result<Config> load_config(const std::string& path);

}  // namespace yushi::daemon
