// Signing: once a minute, or when somebody asks, all logs together (commit.cc); then the file `heads`.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/base/bytes.h"
#include "core/base/name.h"
#include "storage/db/keys.h"
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

Result<void> Store::rotate_key(int64_t now_ns) {
  auto path = options_.key_dir + "/node.pem";
  std::error_code ignored;
  std::filesystem::remove(next_key_path(path), ignored);  // of a rotation that did not get far
  auto next = YUSHI_TRY(SigningKey::generate());
  YUSHI_TRY(next.save(next_key_path(path), *options_.disk));
  auto rotation = YUSHI_TRY(make_rotation(options_.node, key_, next));
  auto tell = [&](std::string message) -> Result<void> {
    auto record = own_record("key-rotated", std::move(message));
    record.about = KeyRotated{rotation};
    Commit commit(*this);
    commit.append_own(record);
    return commit.finish();
  };
  YUSHI_TRY(tell("a new key takes over from here on, signed by both"));
  YUSHI_TRY(sign_checkpoints(now_ns, 0));
  // From this write on the new key is the node's. The chain begins anew with it, behind the same signature.
  CommitChain chain(next);
  chain.begin(heads_.at(kAuditLog));
  auto& families = database_->families();
  auto rotations = YUSHI_TRY(database_->get(families.meta, keys::kRotations)).value_or("") + rotation;
  Write write;
  write.put(families.meta, "public_key", next.public_bytes());
  write.put(families.meta, keys::kRotations, rotations);
  write.put(families.state, keys::kChain, as_bytes(chain.code()));
  {
    MutexLock lock(states_mutex_);
    write.put(families.state, keys::kKept, encode_kept(states_, next));
    YUSHI_TRY(database_->write(write, "handing over to a new key"));
  }
  if (int error = options_.disk->rename(next_key_path(path), path); error != 0)
    return fail(Code::io,
                "putting the new key in its place, " + path + ": " + std::strerror(error) + "; the next start does it");
  YUSHI_TRY(load_key(path));
  chain_ = chain;
  YUSHI_TRY(tell("the new key has taken over"));
  return sign_checkpoints(now_ns, 0);
}

}  // namespace yushi::storage
