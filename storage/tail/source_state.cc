#include "storage/tail/source_state.h"

#include <algorithm>

#include "core/base/bytes.h"

namespace yushi::storage {

void SourceState::add(const Record& record) {
  auto& origin = *record.origin;
  if (next_seq == 0) first_received_ns = last_received_ns = origin.received_ns;
  next_seq = record.source_seq + 1;
  raw_bytes += record.raw.size();
  last_received_ns = std::max(last_received_ns, origin.received_ns);
  last_event_ns = record.event_ns;
  if (address != origin.address) address = origin.address;
  mark_seen_on(origin.transport);
}

std::string SourceState::encode() const {
  std::string out;
  put_varint(out, next_seq);
  put_varint(out, raw_bytes);
  put_signed(out, first_received_ns);
  put_signed(out, last_received_ns);
  put_signed(out, last_event_ns);
  put_text(out, address);
  put_varint(out, transports);
  losses.encode(out);
  return out;
}

Result<SourceState> SourceState::decode(std::string_view bytes) {
  Reader in(bytes);
  SourceState s;
  s.next_seq = in.varint();
  s.raw_bytes = in.varint();
  s.first_received_ns = in.signed_varint();
  s.last_received_ns = in.signed_varint();
  s.last_event_ns = in.signed_varint();
  s.address = in.text();
  auto transports = in.varint();
  auto losses = Losses::decode(in);
  if (!in.ok() || in.left() != 0 || !losses || transports >= 1u << kTransports) {
    return fail(Code::corrupt, "source counters are damaged");
  }
  s.transports = static_cast<uint16_t>(transports);
  s.losses = std::move(*losses);
  return s;
}

}  // namespace yushi::storage
