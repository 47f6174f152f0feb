#include "storage/read/alert_entry.h"

#include "core/base/bytes.h"

namespace yushi::storage {
namespace {

constexpr char kVersion = 1;

}  // namespace

std::string AlertEntry::encode() const {
  std::string out;
  out.push_back(kVersion);
  put_signed(out, raised_ns);
  out.push_back(static_cast<char>(severity));
  put_text(out, id);
  put_text(out, tenant);
  return out;
}

Result<AlertEntry> AlertEntry::decode(std::string_view bytes) {
  Reader in(bytes);
  const auto version = in.byte();
  AlertEntry entry;
  entry.raised_ns = in.signed_varint();
  const auto severity = in.byte();
  entry.id = in.text();
  entry.tenant = in.text();
  if (!in.ok() || in.left() != 0 || version != kVersion || severity > static_cast<uint8_t>(Severity::critical))
    return fail(Code::corrupt, "its entry in the index of alerts is damaged");
  entry.severity = static_cast<Severity>(severity);
  return entry;
}

}  // namespace yushi::storage
