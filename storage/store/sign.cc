// Signing: once a minute, or when somebody asks, all logs together (commit.cc); then the file `heads`.
#include <algorithm>

#include "storage/store/store.h"

namespace yushi::storage {

Result<void> Store::sign_checkpoints(int64_t now_ns, int64_t at_least_ns) {
  // A log that was signed twice must stand in `heads`: what could not be written there comes first.
  YUSHI_TRY(write_heads_if_due());
  const bool grew =
      std::any_of(logs_.begin(), logs_.end(), [](auto& log) { return log.tree.size() != log.checkpoint_size; });
  // Whoever asks for a log that was never signed gets its checkpoint at once.
  const bool is_new = at_least_ns <= kSecond && std::any_of(logs_.begin(), logs_.end(), [](auto& log) {
                        return log.checkpoint_size == 0 && log.tree.size() > 0;
                      });
  // A checkpoint from the future is due: the clock was set back, and nothing must stay unsigned until it has caught up.
  if (grew && (is_new || now_ns < signed_ns_ || now_ns - signed_ns_ >= at_least_ns)) {
    YUSHI_TRY(Commit(*this).sign(now_ns));
    heads_written_ = false;
    counters_.signings += 1;
    Disk other;  // not waited for: the next signature comes again
    for (auto& file : options_.witness_files)
      if (auto kept = append_heads(file, heads_, witnessed_, other); !kept && options_.on_witness_failure)
        options_.on_witness_failure(kept.error());
    witnessed_ = heads_;
  }
  return write_heads_if_due();
}

Result<void> Store::write_heads_if_due() {
  if (heads_written_) return {};
  YUSHI_TRY(write_heads(options_.data_dir + "/heads", heads_, *options_.disk));
  heads_written_ = true;
  return {};
}

}  // namespace yushi::storage
