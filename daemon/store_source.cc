#include "daemon/store_source.h"

#include <nlohmann/json.hpp>

#include "daemon/pipeline.h"
#include "forward/message.h"
#include "storage/db/keys.h"
#include "storage/read/view.h"

namespace yushi::daemon {
namespace {

class StoreSource : public forward::RecordSource {
 public:
  StoreSource(storage::Store& store, const std::string& name) : store_(store), cursor_(storage::keys::cursor(name)) {}

  Result<std::vector<Head>> heads() override {
    std::vector<Head> out;
    auto& logs = store_.options().logs;
    for (size_t i = 0; i < logs.size(); ++i) {
      if (i == kAuditTenant) continue;
      out.push_back({logs[i], store_.committed_size(static_cast<TenantId>(i))});
    }
    return out;
  }

  Result<std::unique_ptr<Batch>> read(const std::string& log, uint64_t index) override {
    auto view = store_.view();
    auto segment = YUSHI_TRY(view->segment_at(log, index));
    if (!segment) return fail(Code::corrupt, "record " + log + "/" + std::to_string(index) + " is gone");
    return view->read(*segment);
  }

  Result<std::vector<StoredAlert>> alerts(uint64_t from_audit_index, size_t limit) override {
    auto view = store_.view();
    auto stored = YUSHI_TRY(view->alerts(from_audit_index, limit));
    std::vector<StoredAlert> out;
    std::unique_ptr<Batch> audit;  // many alerts lie in one chunk or block of it
    for (auto& alert : stored) {
      auto json = nlohmann::json::parse(alert.json, nullptr, /*allow_exceptions=*/false);
      auto text = [&](const char* pointer) {
        nlohmann::json::json_pointer at(pointer);
        return json.contains(at) && json[at].is_string() ? json[at].get<std::string>() : std::string();
      };
      StoredAlert each{alert.audit_index, text("/organization/name"), text("/host/name"), "", alert.json};
      if (each.host.empty()) each.host = text("/log/source/address");
      if (!audit || audit->records.back().index < alert.audit_index) {
        auto read = YUSHI_TRY(this->read("_audit", alert.audit_index));
        audit = std::move(read);
      }
      auto& record = audit->records[alert.audit_index - audit->records.front().index];
      forward::write_entry_head(record, each.entry);
      out.push_back(std::move(each));
    }
    return out;
  }

  Result<std::string> load_cursor() override { return store_.read_state(cursor_); }
  Result<void> save_cursor(const std::string& bytes) override { return store_.write_state(cursor_, bytes); }

 private:
  storage::Store& store_;
  const std::string cursor_;
};

}  // namespace

std::unique_ptr<forward::RecordSource> make_store_source(storage::Store& store, const std::string& name) {
  return std::make_unique<StoreSource>(store, name);
}

}  // namespace yushi::daemon
