// Signing: every log that grew gets a checkpoint.
#include "storage/db/keys.h"
#include "storage/store/store.h"

namespace yushi::storage {

Result<void> Store::sign_checkpoints(int64_t now_ns, int64_t at_least_ns) {
  Write write;
  bool any = false;
  std::vector<std::pair<LogState*, std::string>> notes;
  for (auto& log : logs_) {
    if (log.tree.size() == log.checkpoint_size) continue;
    // A checkpoint from the future is due: the clock was set back, and nothing must stay unsigned until it has caught
    // up.
    if (now_ns >= log.checkpoint_ns && now_ns - log.checkpoint_ns < at_least_ns) continue;
    Checkpoint checkpoint{options_.node + "/" + log.name, log.tree.size(), log.tree.root()};
    auto note = YUSHI_TRY(key_.sign(checkpoint));
    write.put(database_->families().state, keys::checkpoint(log.name, checkpoint.size), note);
    notes.emplace_back(&log, std::move(note));
    any = true;
  }
  if (!any) return {};
  auto written = database_->write(write, "storing checkpoints");
  if (!written) return written;
  for (auto& [log, note] : notes) {
    log->checkpoint_size = log->tree.size();
    log->checkpoint_ns = now_ns;
    heads_[log->name] = std::move(note);
  }
  return write_heads(options_.data_dir + "/heads", heads_);
}

}  // namespace yushi::storage
