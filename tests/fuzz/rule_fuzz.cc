// Rule files from anywhere: read, loaded and asked about a record, never a crash, hang or growth without bound; and a
// detector state of any bytes is loaded or refused.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/assert.h"
#include "core/ledger/sha256.h"
#include "detect/engine.h"
#include "detect/rules/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  std::string text(reinterpret_cast<const char*>(data), size);
  detect::RuleFile file{"fuzz.yml", "fuzz.yml", text};
  auto check = detect::check_rule_files({file}, {});
  auto rules = detect::RuleSet::load({file});
  // What check() calls right must load, and the other way round.
  YUSHI_ASSERT(check.ok() == rules.has_value(), "check and load do not agree on %zu bytes", size);
  if (rules) {
    auto nothing_known = [](Batch& batch) {
      for (auto& record : batch.records) {
        record.message_length = static_cast<uint32_t>(record.raw.size());
        record.event_ns = record.origin->received_ns;
      }
    };
    (void)detect::alerts_of_lines(*rules, {}, "", {text, "Accepted password for root from 203.0.113.9"}, nothing_known);
  }
  (void)detect::LogSources::load({file});
  auto none = detect::RuleSet::load({});
  detect::Engine engine(*none, {});
  std::string state = "yushi-detect-5\n" + text;
  state.append(as_bytes(sha256(state)).substr(0, 8));
  if (engine.load(state)) (void)engine.save();
  return 0;
}
