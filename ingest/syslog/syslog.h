// Syslog (RFC 5424, RFC 3164 and what passes for them) over TCP (RFC 6587), TLS (RFC 5425), UDP (RFC 5426) and unix
// datagram sockets: `type: syslog` in the config.
#pragma once

#include <memory>
#include <string>

#include "ingest/inputs.h"
#include "ingest/net/datagram_socket.h"
#include "ingest/net/tls.h"
#include "ingest/syslog/framer.h"

namespace yushi::ingest {

struct SyslogSettings : DatagramSettings {
  SyslogSettings() { transport = Transport::tcp; }
  Framing framing = Framing::automatic;    // tcp, tls
  size_t unfinished_bytes_max = 64 << 20;  // tcp, tls: StreamSettings has it
  TlsSettings tls;                         // tls
};

// As InputKind::read and InputConfig::bind() (ingest/inputs.h); syslog_config() is of settings that are no file's.
std::unique_ptr<InputConfig> read_syslog(Walk& walk, const YAML::Node& node);
std::unique_ptr<InputConfig> syslog_config(SyslogSettings settings);
Result<std::unique_ptr<Input>> bind_syslog(const SyslogSettings& settings, unsigned ingest_threads);

}  // namespace yushi::ingest
