#include "storage/log_state.h"

#include "core/base/bytes.h"

namespace yushi {

std::string SourceState::encode() const {
  std::string out;
  put_varint(out, next_seq);
  put_varint(out, raw_bytes);
  put_signed(out, first_received_ns);
  put_signed(out, last_received_ns);
  put_signed(out, last_event_ns);
  put_text(out, address);
  out.push_back(static_cast<char>(transport));
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
  s.transport = static_cast<Transport>(in.byte());
  if (!in.ok() || in.left() != 0) return fail(Code::corrupt, "source counters are damaged");
  return s;
}

void TreeTiles::restore(int level, uint64_t index, std::string hashes) {
  auto at = static_cast<size_t>(level - 1);
  if (levels_.size() <= at) levels_.resize(at + 1);
  levels_[at] = {index, std::move(hashes), false};
}

}  // namespace yushi
