// How stored messages were understood: all that their fields depend on beside their own bytes.
//
// A block's records were nearly always understood in one way. A reload in its midst makes it two, and the records at
// the border may change sides a few times: ingest threads take a reload one by one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace yushi::storage {

// What the fields of a message were made with. Stored, so that they can be made again and compared.
struct ParseContext {
  std::string parser_digest;  // of the parser files, 64 hex digits
  std::string timezone = "UTC";
  std::string charset = "utf-8";
  uint32_t engine = 0;  // version of the program's own part in it (parsers/engine_version.h)
  bool operator==(const ParseContext&) const = default;
};

constexpr size_t kParseContextsMax = 256;  // of one block

// From this record of the block on, counted from 0, until the next change.
struct ContextChange {
  uint32_t record;
  uint32_t context;  // position in ParseContexts::contexts
  bool operator==(const ContextChange&) const = default;
};

// Invariants  Contexts differ. The first one holds from record 0 on; changes ascend, and each is one.
struct ParseContexts {
  std::vector<ParseContext> contexts;
  std::vector<ContextChange> changes;

  bool full() const { return contexts.size() == kParseContextsMax; }

  // The records from number `record` on were understood so. `record` is not less than in the call before.
  void add(uint32_t record, const ParseContext& context) {
    auto now = changes.empty() ? 0 : changes.back().context;
    if (!contexts.empty() && contexts[now] == context) return;
    auto number = static_cast<uint32_t>(std::find(contexts.begin(), contexts.end(), context) - contexts.begin());
    if (number == contexts.size()) contexts.push_back(context);
    if (contexts.size() > 1) changes.push_back({record, number});
  }

  // visit(context, from, to) for each run of `records` records.
  template <class Visit>
  void for_each_run(uint32_t records, Visit&& visit) const {
    uint32_t from = 0, context = 0;
    for (auto& change : changes) {
      visit(contexts[context], from, change.record);
      from = change.record;
      context = change.context;
    }
    if (from < records) visit(contexts[context], from, records);
  }
};

}  // namespace yushi::storage
