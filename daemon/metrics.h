// What the daemon counts, as Prometheus text and as the JSON of `yushi status`.
//
// Threads  Any: everything read here is atomic.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/forwarders.h"
#include "daemon/pipeline.h"
#include "ingest/input.h"
#include "serve/question_queue.h"
#include "storage/store/store.h"

namespace yushi::daemon {

struct Watched {
  const storage::Store* store;
  const Pipeline* pipeline;
  std::vector<std::shared_ptr<const ingest::Input>> inputs;
  std::vector<Forwarders::Running> forwarders;
  int64_t started_ns;
  uint64_t memory_bytes = 0;    // limits.memory
  uint64_t parser_bytes = 0;    // of the heap, that parsers and rules took when they were loaded
  uint64_t question_bytes = 0;  // leased
};

// The parts of what is held now, and `resident`, which is all of it.
std::vector<std::pair<std::string_view, uint64_t>> memory_parts(const Watched& watched);
uint64_t disk_free_bytes(const std::string& path);
std::string prometheus_text(const Watched& watched, const serve::QuestionQueue::Counts& questions);
std::string status_json(const Watched& watched);

}  // namespace yushi::daemon
