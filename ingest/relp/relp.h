// RELP, rsyslog's reliable protocol, plain and over TLS: `type: relp` in the config. Each message is acknowledged once
// the commit that holds it is on the disk.
#pragma once

#include <memory>
#include <string>

#include "ingest/inputs.h"
#include "ingest/net/tls.h"

namespace yushi::ingest {

struct RelpSettings {
  std::string listen;
  bool has_tls = false;
  TlsSettings tls;
  size_t message_bytes_max = 64 << 10;  // longer ones become parts
};

// As InputKind::read and InputConfig::bind() (ingest/inputs.h).
std::unique_ptr<InputConfig> read_relp(Walk& walk, const YAML::Node& node);
Result<std::unique_ptr<Input>> bind_relp(const RelpSettings& settings);

}  // namespace yushi::ingest
