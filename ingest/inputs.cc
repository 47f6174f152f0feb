#include "ingest/inputs.h"

#include "ingest/relp/relp.h"
#include "ingest/syslog/syslog.h"

namespace yushi::ingest {

std::vector<InputKind>& input_kinds() {
  static std::vector<InputKind> kinds = {
      {"syslog", read_syslog},
      {"relp", read_relp},
  };
  return kinds;
}

std::unique_ptr<InputConfig> read_input(Walk& walk, const YAML::Node& node) {
  if (!node.IsMap()) {
    walk.map(node, "inputs.", {});
    return nullptr;
  }
  std::string type;
  if (auto given = node["type"]) walk.text("inputs.type", type)(given);
  std::string known;
  for (auto& kind : input_kinds()) {
    if (kind.type == type) return kind.read(walk, node);
    known += (known.empty() ? "" : ", ") + std::string(kind.type);
  }
  if (!type.empty() || !node["type"])
    walk.problem(Walk::place(node, "type"),
                 "inputs.type: \"" + type + "\" is not in this version; use one of: " + known);
  return nullptr;
}

std::vector<std::shared_ptr<const InputConfig>> default_inputs() {
  std::vector<std::shared_ptr<const InputConfig>> out;
  for (auto transport : {Transport::tcp, Transport::udp}) {
    SyslogSettings settings;
    settings.transport = transport;
    settings.listen = "127.0.0.1:5514";
    auto config = syslog_config(settings);
    config->written_as = "default " + std::string(transport_name(transport));
    out.push_back(std::move(config));
  }
  return out;
}

}  // namespace yushi::ingest
