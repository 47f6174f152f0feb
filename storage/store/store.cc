#include "storage/store/store.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "storage/db/keys.h"
#include "storage/store/sealer.h"

namespace yushi::storage {
Store::~Store() = default;

std::shared_ptr<const StoreView> Store::view() const {
  return StoreView::of(database_, open_tail_, options_.reparse, options_.node, options_.key_dir + "/node.pem");
}

Result<void> Store::tick(int64_t boottime_ns, int64_t wall_ns) {
  if (boottime_ns_ != 0 && boottime_ns > boottime_ns_) day_ran_ns_ += boottime_ns - boottime_ns_;
  boottime_ns_ = boottime_ns;
  bool turned = false;
  while (day_ran_ns_ >= kDay && store_day_ < static_cast<uint64_t>(wall_ns / kDay)) {
    day_ran_ns_ -= kDay;
    ++store_day_;
    turned = true;
  }
  if (day_ran_ns_ > kDay) day_ran_ns_ = kDay;  // the wall clock is behind: wait for it
  if (!turned && boottime_ns - day_saved_ns_ < kMinute) return {};
  day_saved_ns_ = boottime_ns;
  std::string day;
  put_varint(day, store_day_);
  put_varint(day, static_cast<uint64_t>(day_ran_ns_));
  Write write;
  write.put(database_->families().meta, "day", day);
  auto written = database_->write(write, "counting the store day");
  if (written) seal_day_ = store_day_;
  return written;
}

Result<void> Store::keep_parsers(const std::string& digest, std::string_view encoded_files) {
  auto there = YUSHI_TRY(database_->get(database_->families().meta, keys::parsers(digest)));
  if (there) return {};
  Write write;
  write.put(database_->families().meta, keys::parsers(digest), encoded_files);
  return database_->write(write, "keeping the parser files");
}

Result<void> Store::backup(const std::string& directory) const {
  std::error_code failed;
  if (std::filesystem::exists(directory, failed))
    return fail(Code::invalid, directory + " is there already; name a folder that is not");
  if (!std::filesystem::create_directory(directory, failed) || failed)
    return fail(Code::io, "making " + directory + ": " + failed.message());
  ::chmod(directory.c_str(), 0750);
  // First the heads: the store may have newer notes than its heads, never older ones.
  auto heads = YUSHI_TRY(read_heads(options_.data_dir + "/heads"));
  YUSHI_TRY(database_->copy_to(directory + "/store"));
  Disk other;  // the caller sees that it is full
  return write_heads(directory + "/heads", heads, other);
}

Result<void> Store::close(int64_t now_ns) {
  // Signing first: it adds a record, which is to be in the last block.
  YUSHI_TRY(sign_checkpoints(now_ns, 0));
  YUSHI_TRY(seal_due(now_ns, true));
  YUSHI_TRY(wait_sealed());
  day_saved_ns_ = 0;
  YUSHI_TRY(tick(boottime_ns_, now_ns));
  return database_->flush();
}

Result<LogId> Store::log(const std::string& name, uint32_t retention_days) {
  const uint32_t days = retention_days != 0 ? retention_days : options_.retention_days;
  YUSHI_TRY(check_retention(days));
  const auto number = know(name);
  (*logs())[number]->retention_days = days;
  return number;
}

Result<void> Store::check_retention(uint32_t days) {
  if (days >= kRetentionFloorDays) return {};
  return fail(Code::refused, "retention.days: " + std::to_string(days) + " is under the legal floor of " +
                                 std::to_string(kRetentionFloorDays) + "; remove the line or raise it");
}

LogId Store::know(const std::string& name) {
  MutexLock lock(known_mutex_);
  const auto found = std::find_if(known_->begin(), known_->end(), [&](auto& known) { return known->name == name; });
  const auto number = static_cast<LogId>(found - known_->begin());
  if (found != known_->end()) return number;
  auto more = std::make_shared<KnownLogs>(*known_);
  more->push_back(std::make_shared<KnownLog>(name));
  known_ = std::move(more);
  return number;
}

std::shared_ptr<const KnownLogs> Store::logs() const {
  MutexLock lock(known_mutex_);
  return known_;
}

// The committer's own of those that came to be known.
void Store::take_up_logs() {
  const auto known = logs();
  while (logs_.size() < known->size()) logs_.emplace_back((*known)[logs_.size()]);
}

void Store::for_each_source(const std::function<void(LogId, const std::string&, const SourceState&)>& visit) const {
  for (LogId log = 0; log < logs_.size(); ++log) {
    for (auto& [source, state] : logs_[log].sources) visit(log, source, state);
  }
}

// Who could change these unseen would make a forwarder pass over records, or the detectors forget.
Result<void> Store::load_states() {
  auto stored = YUSHI_TRY(database_->get(database_->families().state, keys::kKept));
  if (!stored && commit_ == 0) return {};
  MutexLock lock(states_mutex_);
  states_ = YUSHI_TRY(decode_kept(stored.value_or(""), key_));
  return {};
}

Result<std::string> Store::read_state(std::string_view name) const {
  MutexLock lock(states_mutex_);
  auto bytes = YUSHI_TRY(database_->get(database_->families().state, name));
  auto known = states_.find(name);
  if (!bytes && known == states_.end()) return fail(Code::not_found, "no state " + std::string(name));
  if (!bytes || known == states_.end() || sha256(*bytes) != known->second)
    return fail(Code::corrupt, "the state `" + std::string(name) +
                                   "` in the store is not what this node wrote: somebody changed, removed or put it "
                                   "back; not going on from it");
  return std::move(*bytes);
}

Result<void> Store::write_state(std::string_view name, std::string_view bytes) {
  MutexLock lock(states_mutex_);
  auto before = states_;
  states_[std::string(name)] = sha256(bytes);
  Write write;
  write.put(database_->families().state, name, bytes);
  write.put(database_->families().state, keys::kKept, encode_kept(states_, key_));
  auto written = database_->write(write, "storing " + std::string(name));
  if (!written) states_ = std::move(before);
  return written;
}

}  // namespace yushi::storage
