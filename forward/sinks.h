// The kinds of sinks: a folder each, and a line in the table (sinks.cc).
//
// A kind reads its own settings from the config and makes a Sink by them; what all forwarders have in common is read
// here.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/walk.h"
#include "core/event/alert.h"
#include "core/filter/filter.h"
#include "forward/message.h"
#include "forward/sink.h"

namespace yushi::forward {

// One forwarder as the config has it.
class ForwarderConfig {
 public:
  virtual ~ForwarderConfig() = default;
  // `node` sends. invalid: a setting that only the sink's own library could judge. Connects to nobody.
  virtual Result<std::unique_ptr<Sink>> make_sink(const std::string& node) const = 0;
  // Also of its cursor: a forwarder of another name begins at the beginning.
  virtual std::string name() const = 0;
  // What no two forwarders may have, with the key that says it: {"topic", "yushi.records of k1:9092"}.
  virtual std::vector<std::pair<const char*, std::string>> addresses() const = 0;

  ForwardFormat format = ForwardFormat::ecs_json;
  Filter select = Filter::parse_kql("*", {}).value();
  bool shows_secrets = false;  // sends passwords, tokens and keys as they are
  // When no forwarder says that it sends them, the first one does.
  bool sends_alerts = false, sends_checkpoints = false;
  // A route (route/route.h) sends alerts alone: those that `select`, and these two, name.
  bool is_route = false;
  Severity least = Severity::informational;
  std::vector<std::string> rules;  // ids, or parts of names; empty: all
  bool wants(const Alert& alert) const;
  // That `select` names, each with its place: "yushi.yaml:9:13".
  std::vector<std::pair<std::string, std::string>> select_fields;
  std::string written_as;  // to tell whether a reload changed it
};

using ForwarderConfigs = std::vector<std::shared_ptr<const ForwarderConfig>>;

struct SinkKind {
  std::string_view type;  // as `type` of an entry of `forward`
  // nullptr: the walk has problems of it.
  std::unique_ptr<ForwarderConfig> (*read)(Walk& walk, const YAML::Node& node);
};

// Ours; a program may add to it before it reads a config.
std::vector<SinkKind>& sink_kinds();

// Readers of the keys that each kind has: type, format, select, secrets. A kind adds its own to them.
std::map<std::string, Walk::Reader> common_keys(Walk& walk, ForwarderConfig& config);

// `forward`, all of it; the walk has its problems.
ForwarderConfigs read_forwarders(Walk& walk, const YAML::Node& list);

// What `select` asks and no record can have, as problems; ask when the parsers are loaded, since a field may be theirs.
std::vector<std::string> unknown_select_fields(const ForwarderConfigs& configs);

}  // namespace yushi::forward
