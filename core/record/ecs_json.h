// A record as one line of nested ECS JSON: what the CLI prints, Kafka carries and HTTP answers.
//
// Threads  A writer is for one thread; reuse it, it keeps its buffers.
// Cost     About 3 µs a lifelike record of 1.5 kB, no allocation once warm; see bench/forward_bench.cc, json_bench.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi {

struct JsonOptions {
  bool event_id = true;  // `yushi parse` has none
  bool event_created = true;
  std::vector<const Field*> fields = {};  // these only, and nothing of lookups; none: all
};

class EcsJsonWriter {
 public:
  EcsJsonWriter();
  ~EcsJsonWriter();
  EcsJsonWriter(EcsJsonWriter&&) noexcept;
  EcsJsonWriter& operator=(EcsJsonWriter&&) noexcept;

  // Appends the object without a newline, with what use_lookups() adds. Always valid UTF-8; `yushi.raw_base64` is there
  // when event.original's bytes differ from raw. How dotted names nest, and what happens to `a` beside `a.b`:
  // core/record/ecs_object.h.
  void write(const Record& record, const JsonOptions& options, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends `text` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD, one for each maximal bad part.
void append_json_string(std::string& out, std::string_view text);

}  // namespace yushi
