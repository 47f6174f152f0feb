#include "ingest/relp/relp.h"

#include "ingest/net/address.h"
#include "ingest/net/stream_input.h"
#include "ingest/relp/relp_session.h"

namespace yushi::ingest {
namespace {

class RelpConfig final : public InputConfig {
 public:
  explicit RelpConfig(RelpSettings settings) : settings_(std::move(settings)) {}

  Result<std::unique_ptr<Input>> bind(const BoundFor& bound_for) const override {
    auto settings = settings_;
    settings.message_bytes_max = bound_for.message_bytes_max;
    return bind_relp(settings);
  }
  std::string address() const override {
    auto parsed = parse_listen(settings_.listen);
    return parsed && parsed->port() != 0 ? "tcp " + parsed->endpoint_text() : std::string();
  }

 private:
  const RelpSettings settings_;
};

}  // namespace

std::unique_ptr<InputConfig> read_relp(Walk& walk, const YAML::Node& node) {
  RelpSettings settings;
  std::string type;
  walk.map(node, "inputs.",
           {{"type", walk.text("inputs.type", type)},
            {"listen", walk.text("inputs.listen", settings.listen)},
            {"tls", [&](const YAML::Node& n) {
               settings.has_tls = true;
               read_tls(walk, n, settings.tls);
             }}});
  if (!node["listen"]) {
    walk.problem(node, "inputs.listen: missing, as in \"0.0.0.0:2514\"");
    return nullptr;
  }
  if (settings.listen.empty()) return nullptr;
  if (auto parsed = parse_listen(settings.listen); !parsed) {
    walk.problem(node["listen"], "inputs.listen: " + parsed.error().message);
    return nullptr;
  }
  auto config = std::make_unique<RelpConfig>(std::move(settings));
  config->place = walk.place_text(node["listen"].Mark()) + ": inputs.listen";
  return config;
}

Result<std::unique_ptr<Input>> bind_relp(const RelpSettings& settings) {
  StreamSettings stream;
  stream.name = settings.has_tls ? "relp-tls" : "relp";
  stream.transport = Transport::relp;
  stream.listen = settings.listen;
  stream.speak = [senders = std::make_shared<RelpSenders>(), bytes_max = settings.message_bytes_max](
                     const std::string& sender) { return std::make_unique<RelpSession>(sender, senders, bytes_max); };
  if (settings.has_tls) stream.tls = YUSHI_TRY(TlsServer::open(settings.tls));
  return bind_stream(std::move(stream));
}

}  // namespace yushi::ingest
