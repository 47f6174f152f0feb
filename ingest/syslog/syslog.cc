#include "ingest/syslog/syslog.h"

#include <filesystem>

#include "core/base/assert.h"
#include "ingest/net/stream_input.h"
#include "ingest/syslog/udp.h"
#include "ingest/syslog/unix.h"

namespace yushi::ingest {
namespace {

class SyslogConfig final : public InputConfig {
 public:
  explicit SyslogConfig(SyslogSettings settings) : settings_(std::move(settings)) {}

  Result<std::unique_ptr<Input>> bind(const BoundFor& bound_for) const override {
    auto settings = settings_;
    settings.message_bytes_max = bound_for.message_bytes_max;
    return bind_syslog(settings, bound_for.ingest_threads);
  }
  std::string address() const override {
    if (settings_.transport == Transport::unix_socket)
      return "unix " + std::filesystem::path(settings_.path).lexically_normal().native();
    auto parsed = parse_listen(settings_.listen);
    if (!parsed || parsed->port() == 0) return {};  // port 0 is another one each time
    return (settings_.transport == Transport::udp ? "udp " : "tcp ") + parsed->endpoint_text();
  }

 private:
  const SyslogSettings settings_;
};

}  // namespace

std::unique_ptr<InputConfig> syslog_config(SyslogSettings settings) {
  return std::make_unique<SyslogConfig>(std::move(settings));
}

std::unique_ptr<InputConfig> read_syslog(Walk& walk, const YAML::Node& node) {
  SyslogSettings settings;
  std::string type, transport, framing = "auto";
  walk.map(node, "inputs.",
           {{"type", walk.text("inputs.type", type)},
            {"transport", walk.text("inputs.transport", transport)},
            {"listen", walk.text("inputs.listen", settings.listen)},
            {"path", walk.path("inputs.path", settings.path)},
            {"framing", walk.text("inputs.framing", framing, {"auto", "octet-counted", "newline"})},
            {"tls", [&](const YAML::Node& n) { read_tls(walk, n, settings.tls); }}});
  if (transport == "udp")
    settings.transport = Transport::udp;
  else if (transport == "tcp")
    settings.transport = Transport::tcp;
  else if (transport == "tls")
    settings.transport = Transport::tls;
  else if (transport == "unix")
    settings.transport = Transport::unix_socket;
  else if (transport.empty() && node["transport"])
    return nullptr;  // said already
  else {
    walk.problem(Walk::place(node, "transport"),
                 "inputs.transport: \"" + transport + "\" is not in this version; use udp, tcp, tls or unix");
    return nullptr;
  }
  settings.framing = framing == "newline"         ? Framing::newline
                     : framing == "octet-counted" ? Framing::octet_counted
                                                  : Framing::automatic;
  const bool is_unix = settings.transport == Transport::unix_socket;
  const bool is_stream = settings.transport == Transport::tcp || settings.transport == Transport::tls;
  const char* address = is_unix ? "path" : "listen";
  const char* foreign = is_unix ? "listen" : "path";
  if (!node[address]) {
    walk.problem(node,
                 is_unix ? "inputs.path: missing for transport unix" : "inputs.listen: missing, as in \"0.0.0.0:514\"");
    return nullptr;
  }
  if (node[foreign]) {
    walk.problem(node[foreign],
                 "inputs." + std::string(foreign) + ": transport " + transport + " has a " + address + "; remove this");
  }
  if (node["framing"] && !is_stream) {
    walk.problem(node["framing"], "inputs.framing: only tcp and tls have one, each datagram is a message; remove it");
  }
  if (settings.transport != Transport::tls && node["tls"]) {
    walk.problem(node["tls"], "inputs.tls: transport " + transport + " has none; use transport tls, or remove it");
  }
  if (settings.transport == Transport::tls && !node["tls"]) {
    walk.problem(node, "inputs.tls: missing for transport tls, as in {cert: /etc/yushi/tls/cert.pem, key: …}");
    return nullptr;
  }
  if ((is_unix ? settings.path : settings.listen).empty()) return nullptr;
  if (!is_unix) {
    if (auto parsed = parse_listen(settings.listen); !parsed) {
      walk.problem(node["listen"], "inputs.listen: " + parsed.error().message);
      return nullptr;
    }
  }
  auto config = syslog_config(std::move(settings));
  config->place = walk.place_text(node[address].Mark()) + ": inputs." + address;
  return config;
}

Result<std::unique_ptr<Input>> bind_syslog(const SyslogSettings& settings, unsigned ingest_threads) {
  YUSHI_ASSERT(ingest_threads > 0, "an input needs a thread");
  if (settings.transport == Transport::udp) return bind_udp_input(settings, ingest_threads);
  if (settings.transport == Transport::unix_socket) return bind_unix_input(settings);
  StreamSettings stream;
  stream.transport = settings.transport;
  stream.name = settings.transport == Transport::tls ? "tls" : "tcp";
  stream.listen = settings.listen;
  stream.unfinished_bytes_max = settings.unfinished_bytes_max;
  stream.speak = [framing = settings.framing, bytes_max = settings.message_bytes_max](const std::string&) {
    return std::make_unique<Framer>(framing, bytes_max);
  };
  if (settings.transport == Transport::tls) stream.tls = YUSHI_TRY(TlsServer::open(settings.tls));
  return bind_stream(std::move(stream));
}

}  // namespace yushi::ingest
