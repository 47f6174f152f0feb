// What a forwarder reads: the store's records and alerts in order, and the place where its cursor is kept.
//
// The store is the queue; a forwarder is one of its readers. This is the seam between them, so that the forwarder can
// be tested without a store.
//
// Threads  A source is used by its forwarder's thread only.
// Errors   Any error is retried from the cursor after a moment; nothing is skipped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/event/alert.h"
#include "core/filter/filter.h"
#include "core/record/batch.h"

namespace yushi::forward {

class RecordSource {
 public:
  virtual ~RecordSource() = default;

  struct Head {
    std::string log;
    uint64_t size = 0;  // records committed: indexes 0 … size - 1 can be read
  };
  // Every log that is to be forwarded, as of now. Asked many times a second, by any thread: must be cheap.
  virtual Result<std::vector<Head>> heads() = 0;

  // Records of one log from `index` on, understood, ascending and without a gap, as many as lie together (a tail chunk,
  // a block). May begin before `index`. When the records there are gone (retention), the first that are left.
  virtual Result<std::unique_ptr<Batch>> read(const std::string& log, uint64_t index) = 0;

  // An alert with its own record in `_audit`.
  struct AlertRecord {
    uint64_t index = 0;
    Alert alert;
    std::string raw;    // its JSON, byte for byte
    std::string entry;  // the first four parts of its leaf entry
    bool is_selected = true;
  };
  // Ascending, from this index in `_audit` on, each held to `select`; empty when there are no more. Asked as often as
  // heads().
  virtual Result<std::vector<AlertRecord>> alerts(uint64_t from_audit_index, size_t limit, const Filter& select) = 0;
  // The index in `_audit` of what is raised from now on.
  virtual uint64_t next_alert() = 0;

  struct SignedNote {
    std::string log;
    uint64_t size = 0;
    std::string text;  // a signed checkpoint (C2SP)
  };
  // The newest checkpoint of each log, if something was signed since the call before; else none.
  virtual Result<std::vector<SignedNote>> notes() = 0;

  virtual Result<std::string> load_cursor() = 0;  // not_found: begin at the beginning
  virtual Result<void> save_cursor(const std::string& bytes) = 0;
};

}  // namespace yushi::forward
