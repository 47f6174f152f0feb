#include "daemon/config.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "core/base/name.h"
#include "core/base/time_text.h"
#include "core/config/walk.h"
#include "ingest/net/address.h"
#include "ingest/net/origin_map.h"
#include "storage/store/store.h"

namespace yushi::daemon {
namespace {

Walk::Reader retention(Walk& walk, uint32_t& days) {
  return [&](const YAML::Node& node) {
    std::string preset;
    walk.map(
        node, "retention.",
        {{"preset",
          [&](const YAML::Node& n) {
            walk.text("retention.preset", preset, {"mlps", "cii"})(n);
            days = preset == "cii" ? 366 : storage::kRetentionFloorDays;
          }},
         {"days", walk.number("retention.days", days, {{"", 1}, {"d", 1}}, storage::kRetentionFloorDays, 36'500,
                              "; " + std::to_string(storage::kRetentionFloorDays) + " days are the legal floor")}});
    if (node.IsMap() && node["preset"] && node["days"]) {
      walk.problem(node["days"], "retention.days: the preset gives the days already; remove one of the two");
    }
  };
}

void read_input(Walk& walk, const YAML::Node& node, Config& config) {
  std::shared_ptr<ingest::InputConfig> input = ingest::read_input(walk, node);
  if (!input) return;
  const auto address = input->address();
  auto same = [&](auto& other) { return !address.empty() && other->address() == address; };
  if (std::any_of(config.inputs.begin(), config.inputs.end(), same)) {
    const char* key = node["path"] ? "path" : "listen";
    walk.problem(Walk::place(node, key),
                 "inputs." + std::string(key) + ": another input has the address " + address + " already; remove one");
    return;
  }
  input->written_as = YAML::Dump(node);
  config.inputs.push_back(std::move(input));
}

// Addresses and networks, each a network that OriginMap takes.
Walk::Reader networks(Walk& walk, std::string where, std::vector<std::string>& out) {
  return [&walk, where, &out](const YAML::Node& node) {
    walk.texts(where, out)(node);
    if (!node.IsSequence()) return;
    ingest::OriginMap map;
    for (auto item : node) {
      if (!item.IsScalar()) continue;
      if (auto added = map.add(item.Scalar(), 2); !added) walk.problem(item, where + ": " + added.error().message);
    }
  };
}

std::optional<ingest::Address> first_address(std::string_view cidr) {
  ingest::Address address;
  return parse_ip(cidr.substr(0, cidr.find('/')), &address) ? std::optional(address) : std::nullopt;
}

// `map` holds the networks of the tenants before, by their place in the config.
void read_tenant(Walk& walk, const YAML::Node& node, Config& config, ingest::OriginMap& map) {
  Tenant tenant;
  walk.map(node, "tenants.",
           {{"name", walk.text("tenants.name", tenant.name)},
            {"match",
             [&](const YAML::Node& match) {
               walk.map(match, "tenants.match.",
                        {{"cidr", networks(walk, "tenants.match.cidr", tenant.cidrs)},
                         {"cert_cn", [&](const YAML::Node& n) {
                            walk.texts("tenants.match.cert_cn", tenant.cert_names)(n);
                            ingest::OriginMap names;
                            for (auto& name : tenant.cert_names)
                              if (auto added = names.add_name(name, 2); !added)
                                walk.problem(n, "tenants.match.cert_cn: " + added.error().message);
                          }}});
             }},
            {"timezone",
             [&](const YAML::Node& n) {
               walk.text("tenants.timezone", tenant.timezone)(n);
               if (!Zone::find(tenant.timezone)) {
                 walk.problem(n, "tenants.timezone: no zone \"" + tenant.timezone +
                                     "\" in the system's tzdata, as in Asia/Shanghai");
               }
             }},
            {"charset", walk.text("tenants.charset", tenant.charset, {"utf-8", "gb18030"})},
            {"retention", retention(walk, tenant.retention_days)}});
  if (!node.IsMap() || (tenant.name.empty() && node["name"])) return;
  if (!is_tenant_name(tenant.name)) {
    return walk.problem(Walk::place(node, "name"), "tenants.name: \"" + tenant.name + "\" must match " + kNameRule +
                                                       "; \"default\" and names that begin with _ are yushid's own");
  }
  for (auto& other : config.tenants) {
    if (other.name == tenant.name)
      walk.problem(Walk::place(node, "name"), "tenants.name: " + tenant.name + " stands twice");
  }
  // The first network that matches gives the tenant: what others have taken whole never comes here.
  const auto& cidrs = tenant.cidrs;
  if (!cidrs.empty() && tenant.cert_names.empty() &&
      std::all_of(cidrs.begin(), cidrs.end(), [&](auto& cidr) { return map.covers(cidr); })) {
    std::set<std::string> owners;
    for (auto& cidr : cidrs)
      if (auto first = first_address(cidr)) owners.insert(config.tenants[map.find(*first)].name);
    std::string names;
    for (auto& name : owners) names += (names.empty() ? "" : ", ") + name;
    walk.problem(node["match"]["cidr"], "tenants.match.cidr: " + tenant.name +
                                            " never gets a record: networks of tenants before it, as of " + names +
                                            ", cover all of its own; move " + tenant.name + " up, or remove it");
  }
  for (auto& cidr : cidrs) (void)map.add(cidr, static_cast<uint32_t>(config.tenants.size()));
  config.tenants.push_back(std::move(tenant));
}

// What is answered there tells nothing of any log, but it is not encrypted, and nobody is asked who he is.
void read_api_listen(Walk& walk, const YAML::Node& node, Config& config) {
  walk.text("api.listen", config.api_listen)(node);
  if (config.api_listen.empty()) return;
  auto parsed = ingest::parse_listen(config.api_listen);
  if (!parsed) return walk.problem(node, "api.listen: " + parsed.error().message);
  const auto address = parsed->address();
  ingest::Address v6_loopback{};
  v6_loopback[15] = 1;
  const bool is_v4_loopback =
      std::all_of(address.begin(), address.begin() + 10, [](uint8_t byte) { return byte == 0; }) &&
      address[10] == 0xff && address[11] == 0xff && address[12] == 127;
  if (!is_v4_loopback && address != v6_loopback) {
    walk.problem(node, "api.listen: " + config.api_listen +
                           " is no loopback address: without TLS only this machine may ask; use 127.0.0.1 or [::1]");
  }
}

// One number for all of it; what is set beside it takes from the others.
void read_limits(Walk& walk, const YAML::Node& node, Config& config) {
  std::optional<uint64_t> in_flight, questions;
  const auto part = [&](const char* key, std::optional<uint64_t>& out, uint64_t least) {
    return [&walk, &out, where = "limits." + std::string(key), least](const YAML::Node& n) {
      uint64_t bytes = 0;
      walk.number(where, bytes, kSizes, least, 1ull << 40)(n);
      if (bytes > 0) out = bytes;
    };
  };
  walk.map(node, "limits.",
           {{"message_bytes", walk.number("limits.message_bytes", config.message_bytes, kSizes, 480, 8 << 20)},
            {"connections", walk.number("limits.connections", config.connections, {{"", 1}}, 1, 1'000'000)},
            {"connections_per_source",
             walk.number("limits.connections_per_source", config.connections_per_source, {{"", 1}}, 1, 1'000'000)},
            {"sources", walk.number("limits.sources", config.sources, {{"", 1}}, 1, 1'000'000)},
            {"memory", walk.number("limits.memory", config.memory_bytes, kSizes, kMemoryLeast, 1ull << 40)},
            {"query_bytes", part("query_bytes", questions, 8 << 20)},
            {"query_seconds", walk.number("limits.query_seconds", config.query_seconds, {{"", 1}}, 1, 86'400)},
            {"in_flight_bytes", part("in_flight_bytes", in_flight, 16 << 20)}});
  if (!node.IsMap()) return;
  if (auto shares = share_memory(config.memory_bytes, in_flight, questions)) {
    config.memory = *shares;
    return;
  }
  const char* larger = in_flight.value_or(0) >= questions.value_or(0) ? "in_flight_bytes" : "query_bytes";
  const uint64_t set = in_flight.value_or(0) + questions.value_or(0);
  constexpr uint64_t kMiB = 1 << 20;
  walk.problem(Walk::place(node, larger), "limits." + std::string(larger) + ": leaves too little of limits.memory, " +
                                              with_unit(config.memory_bytes, kSizes) + ", for all else, which needs " +
                                              with_unit(memory_needed(in_flight, questions) - set, kSizes) +
                                              "; lower it, or raise limits.memory to " +
                                              std::to_string((memory_needed(in_flight, questions) + kMiB - 1) / kMiB) +
                                              "MiB");
}

}  // namespace

Config default_config() {
  Config config;
  auto* state = std::getenv("STATE_DIRECTORY");
  config.data_dir = state && *state ? state : "yushi-data";
  config.inputs = ingest::default_inputs();
  return config;
}

Result<Config> load_config(const std::string& path) {
  Config config = default_config();
  config.inputs.clear();
  YAML::Node root;
  // A folder opens like a file and reads as nothing: that would be the defaults, in silence.
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    return fail(Code::io, path + ": is a folder; name a file with --config");
  }
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    return fail(Code::io, path + ": cannot be read; name another file with --config");
  } catch (const YAML::Exception& e) {
    return fail(Code::invalid, path + ":" + std::to_string(e.mark.line + 1) + ":" + std::to_string(e.mark.column + 1) +
                                   ": " + e.msg + "\n");
  }
  Walk walk(path);
  try {
    if (!root.IsNull()) {
      auto api = [&](const YAML::Node& node) {
        walk.map(node, "api.",
                 {{"socket", walk.path("api.socket", config.api_socket)},
                  {"group",
                   [&](const YAML::Node& n) {
                     walk.text("api.group", config.api_group)(n);
                     if (n.IsScalar() && !n.Scalar().empty() && ::getgrnam(n.Scalar().c_str()) == nullptr) {
                       walk.problem(n, "api.group: this system has no group \"" + n.Scalar() +
                                           "\"; make it with groupadd, or remove the line");
                     }
                   }},
                  {"secrets",
                   [&](const YAML::Node& n) {
                     walk.texts("api.secrets", config.api_secrets)(n);
                     for (auto& name : config.api_secrets)
                       if (::getpwnam(name.c_str()) == nullptr)
                         walk.problem(
                             n, "api.secrets: this system has no user \"" + name + "\"; make it or remove it here");
                   }},
                  {"mode",
                   [&](const YAML::Node& n) {
                     const auto text = n.IsScalar() ? n.Scalar() : "";
                     if (text == "0600" || text == "0660")
                       config.api_mode = text == "0660" ? 0660 : 0600;
                     else
                       walk.problem(n, "api.mode: \"" + text +
                                           "\" must be 0600 or 0660: whoever may open the socket may ask everything, "
                                           "so others never may");
                   }},
                  {"listen", [&](const YAML::Node& n) { read_api_listen(walk, n, config); }}});
      };
      walk.map(
          root, "",
          {{"node",
            [&](const YAML::Node& n) {
              walk.text("node", config.node)(n);
              if (n.IsScalar() && !n.Scalar().empty() && !is_name(config.node)) {
                walk.problem(n, "node: \"" + config.node + "\" must match " + kNameRule);
              }
            }},
           {"data_dir", walk.path("data_dir", config.data_dir)},
           {"inputs",
            [&](const YAML::Node& n) {
              walk.list(n, "inputs", [&](auto& i) { read_input(walk, i, config); });
              if (n.IsSequence() && n.size() == 0) {
                walk.problem(n, "inputs: none; name one, or remove the key for the defaults");
              }
            }},
           {"tenants",
            [&](const YAML::Node& n) {
              ingest::OriginMap map;
              walk.list(n, "tenants", [&](auto& i) { read_tenant(walk, i, config, map); });
            }},
           {"relays", networks(walk, "relays", config.relays)},
           {"parsers", walk.folders("parsers", config.parser_dirs)},
           {"geoip",
            [&](const YAML::Node& node) {
              walk.map(node, "geoip.",
                       {{"city", walk.path("geoip.city", config.lookups.city)},
                        {"asn", walk.path("geoip.asn", config.lookups.asn)}});
            }},
           {"user_agents", walk.path("user_agents", config.lookups.user_agents)},
           {"secrets", walk.folders("secrets", config.secret_dirs)},
           {"limits", [&](const YAML::Node& n) { read_limits(walk, n, config); }},
           {"commit",
            [&](const YAML::Node& node) {
              walk.map(node, "commit.",
                       {{"interval",
                         walk.number("commit.interval", config.commit_interval_ns, kTimes, 1'000'000, 10'000'000'000)},
                        {"bytes", walk.number("commit.bytes", config.commit_bytes, kSizes, 4096, 256 << 20)}});
            }},
           {"seal",
            [&](const YAML::Node& node) {
              walk.map(node, "seal.",
                       {{"quiet",
                         walk.number("seal.quiet", config.seal_quiet_ns, kTimes, 1'000'000'000, 86'400'000'000'000)}});
            }},
           {"keys",
            [&](const YAML::Node& node) {
              walk.map(node, "keys.", {{"dir", walk.path("keys.dir", config.key_dir)}});
            }},
           {"checkpoints",
            [&](const YAML::Node& node) {
              walk.map(node, "checkpoints.", {{"files", walk.files("checkpoints.files", config.witness_files)}});
            }},
           {"retention", retention(walk, config.retention_days)},
           {"forward", [&](const YAML::Node& n) { config.forwarders = forward::read_forwarders(walk, n); }},
           {"detect",
            [&](const YAML::Node& node) {
              walk.map(node, "detect.",
                       {{"rules", walk.folders("detect.rules", config.rule_dirs)},
                        {"exceptions", walk.files("detect.exceptions", config.exception_files)},
                        {"lists", [&](const YAML::Node& n) { detect::read_list_settings(walk, n, config.lists); }},
                        {"learning",
                         walk.number("detect.learning", config.learning_ns, kTimes, 0, 366ull * 86'400'000'000'000)}});
            }},
           {"api", api}});
    }
  } catch (const YAML::Exception& e) {
    walk.problem(e.mark, e.msg);
  }
  if (!walk.problems().empty()) return fail(Code::invalid, walk.problems());
  if (root.IsMap())
    for (auto pair : root) config.written[pair.first.as<std::string>("")] = YAML::Dump(pair.second);
  if (config.inputs.empty()) config.inputs = default_config().inputs;
  if (!config.api_group.empty() && !(root["api"]["mode"])) config.api_mode = 0660;
  return config;
}

}  // namespace yushi::daemon
