#include "storage/read/cut_off.h"

#include "core/ledger/checkpoint.h"

namespace yushi::storage {

std::vector<std::string> cut_off(const std::string& heads_path, const Result<Heads>& heads, const StoreView& view) {
  if (!heads) return {"whether the store is whole cannot be told: " + heads.error().message};
  std::vector<std::string> out;
  for (auto& [log, note] : *heads) {
    auto signed_head = Checkpoint::parse_body(note);
    if (!signed_head) {
      out.push_back(heads_path + ": the line of log " + log + ": " + signed_head.error().message);
      continue;
    }
    auto head = view.head(log);
    auto size = head ? head->size : 0;
    if (size < signed_head->size)
      out.push_back("log " + log + ": records " + std::to_string(size) + " to " +
                    std::to_string(signed_head->size - 1) +
                    ", which were signed: the store's end was cut off, or it is older than its heads");
  }
  return out;
}

}  // namespace yushi::storage
