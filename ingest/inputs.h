// The kinds of inputs: a folder each, and a line in the table (inputs.cc).
//
// A kind reads its own settings from the config, and binds an Input by them. What is common to all stands in input.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/walk.h"
#include "core/record/record.h"
#include "ingest/input.h"

namespace yushi::ingest {

// One input as the config has it.
class InputConfig {
 public:
  virtual ~InputConfig() = default;
  // Binds: when it returns, senders can connect. The error says which address, why, and what to do.
  virtual Result<std::unique_ptr<Input>> bind(const BoundFor& bound_for) const = 0;
  // What no two inputs may have, as "tcp 127.0.0.1:514"; empty: anything goes.
  virtual std::string address() const = 0;

  std::string place;       // of its address in the config, "yushi.yaml:4:43: inputs.listen"; empty for a default
  std::string written_as;  // the entry as it stands there, to tell whether a reload changed it
};

struct InputKind {
  std::string_view type;  // as `type` of an entry of `inputs`
  // nullptr: the walk has problems of it.
  std::unique_ptr<InputConfig> (*read)(Walk& walk, const YAML::Node& node);
};

// Ours; a program may add to it before it reads a config.
std::vector<InputKind>& input_kinds();

// One entry of `inputs`, by its `type`; nullptr: the walk has problems of it.
std::unique_ptr<InputConfig> read_input(Walk& walk, const YAML::Node& node);

// Syslog on 127.0.0.1:5514, over TCP and UDP.
std::vector<std::shared_ptr<const InputConfig>> default_inputs();

}  // namespace yushi::ingest
