#include "daemon/store_source.h"

#include <map>
#include <optional>
#include <utility>

#include "daemon/pipeline.h"
#include "forward/message.h"
#include "storage/db/keys.h"
#include "storage/read/record_reader.h"

namespace yushi::daemon {
namespace {

class StoreSource : public forward::RecordSource {
 public:
  StoreSource(storage::Store& store, const std::string& name) : store_(store), cursor_(storage::keys::cursor(name)) {}

  Result<std::vector<Head>> heads() override {
    std::vector<Head> out;
    const auto logs = store_.logs();
    for (auto& log : *logs)
      if (log->name != kAuditLog) out.push_back({log->name, log->records});
    return out;
  }

  Result<std::unique_ptr<Batch>> read(const std::string& log, uint64_t index) override {
    if (auto batch = store_.open_tail().read(log, index)) return batch;
    auto view = store_.view();
    auto segment = YUSHI_TRY(view->segment_at(log, index));
    if (!segment) return fail(Code::corrupt, "record " + log + "/" + std::to_string(index) + " is gone");
    return view->read(*segment);
  }

  Result<std::vector<AlertRecord>> alerts(uint64_t from_audit_index, size_t limit, const Filter& select) override {
    std::vector<AlertRecord> out;
    const uint64_t audited = next_alert();
    if (from_audit_index == alerts_read_to_ && audited == audited_then_) return out;  // nothing has come since
    auto view = store_.view();
    storage::RecordReader reader(*view);
    std::optional<Error> failed;
    YUSHI_TRY(view->each_alert(from_audit_index, false, [&](uint64_t index, auto&) {
      if (out.size() == limit) return false;
      auto record = reader.read(kAuditLog, index);
      if (!record && record.error().code != Code::not_found) failed = record.error();
      if (failed) return false;
      auto alert = record ? alert_of((*record)->raw) : std::nullopt;
      if (!alert) return true;  // an entry that names no alert: `verify` tells of it, and there is nothing to send
      auto& each = out.emplace_back(AlertRecord{index, std::move(*alert), std::string((*record)->raw), ""});
      forward::write_entry_head(**record, each.entry);
      scratch_.clear();
      each.is_selected = select.matches(**record, scratch_);
      return true;
    }));
    if (failed && out.empty()) return tl::unexpected(std::move(*failed));
    if (out.empty()) alerts_read_to_ = from_audit_index, audited_then_ = audited;
    return out;
  }

  uint64_t next_alert() override {
    const auto logs = store_.logs();
    return (*logs)[storage::kAuditLogId]->records;
  }

  Result<std::vector<SignedNote>> notes() override {
    std::vector<SignedNote> out;
    auto signings = store_.counters().signings.load();
    if (signings == seen_signings_) return out;
    auto view = store_.view();
    for (auto& log : YUSHI_TRY(view->logs())) {
      auto note = YUSHI_TRY(view->newest_checkpoint(log));
      if (!note) continue;
      auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(*note));
      if (std::exchange(noted_[log], checkpoint.size) != checkpoint.size)
        out.push_back({log, checkpoint.size, std::move(*note)});
    }
    seen_signings_ = signings;
    return out;
  }

  Result<std::string> load_cursor() override { return store_.read_state(cursor_); }
  Result<void> save_cursor(const std::string& bytes) override { return store_.write_state(cursor_, bytes); }

 private:
  storage::Store& store_;
  const std::string cursor_;
  Scratch scratch_;
  uint64_t alerts_read_to_ = 0, audited_then_ = 0;  // where there were no more, and how long `_audit` was then
  uint64_t seen_signings_ = 0;
  std::map<std::string, uint64_t> noted_;
};

}  // namespace

std::unique_ptr<forward::RecordSource> make_store_source(storage::Store& store, const std::string& name) {
  return std::make_unique<StoreSource>(store, name);
}

}  // namespace yushi::daemon
