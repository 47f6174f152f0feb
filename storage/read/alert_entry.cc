#include "storage/read/alert_entry.h"

#include "core/base/bytes.h"

namespace yushi::storage {
namespace {

constexpr char kVersion = 1, kActVersion = 2;

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

AlertActEntry AlertActEntry::of(const AlertAct& act) {
  return {act.kind, act.index, act.usual_until_ns(), act.held_back, act.user, act.closed_as};
}

bool AlertActEntry::is_one(std::string_view bytes) { return !bytes.empty() && bytes[0] == kActVersion; }

std::string AlertActEntry::encode() const {
  std::string out;
  out.push_back(kActVersion);
  out.push_back(static_cast<char>(kind));
  put_varint(out, alert);
  put_signed(out, usual_until_ns);
  put_varint(out, held_back);
  put_text(out, by);
  put_text(out, closed_as);
  return out;
}

Result<AlertActEntry> AlertActEntry::decode(std::string_view bytes) {
  Reader in(bytes);
  const auto version = in.byte(), kind = in.byte();
  AlertActEntry entry;
  entry.alert = in.varint();
  entry.usual_until_ns = in.signed_varint();
  entry.held_back = in.varint();
  entry.by = in.text();
  entry.closed_as = in.text();
  if (!in.ok() || in.left() != 0 || version != kActVersion || kind > static_cast<uint8_t>(AlertAct::Kind::held_back))
    return fail(Code::corrupt, "its entry in the index of alerts is damaged");
  entry.kind = static_cast<AlertAct::Kind>(kind);
  return entry;
}

}  // namespace yushi::storage
