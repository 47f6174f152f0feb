#include "forward/cursor.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/bytes.h"

namespace yushi::forward {
namespace {

constexpr uint8_t kVersion = 2;  // 1 had no `store`

}  // namespace

std::string Cursor::encode() const {
  std::string out(1, static_cast<char>(kVersion));
  put_varint(out, store);
  put_varint(out, next_alert);
  put_varint(out, next.size());
  for (const auto& [log, index] : next) {
    put_text(out, log);
    put_varint(out, index);
  }
  return out;
}

Result<Cursor> Cursor::decode(std::string_view bytes) {
  Reader reader(bytes);
  const auto version = reader.byte();
  if (version != 1 && version != kVersion)
    return fail(Code::corrupt, "the forwarder's cursor has a version that this yushid does not know");
  Cursor cursor;
  if (version > 1) cursor.store = reader.varint();
  cursor.next_alert = reader.varint();
  for (uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    std::string log(reader.text());
    cursor.next[log] = reader.varint();
  }
  if (!reader.ok() || reader.left() != 0) return fail(Code::corrupt, "the forwarder's cursor is damaged");
  return cursor;
}

bool DeliveryWindow::take(uint64_t index) {
  YUSHI_ASSERT(index >= end_, "record %lu taken again, the window ends at %lu", index, end_);
  for (uint64_t gone = end_; gone < index; ++gone) delivered(gone);
  end_ = std::max(index + 1, prefix_);
  if (index < prefix_) return false;  // delivered before a rewind, and nothing was missing before it but what is gone
  auto at = index - prefix_;
  if (at < done_.size()) return !done_[at];
  done_.push_back(false);
  return true;
}

void DeliveryWindow::delivered(uint64_t index) {
  if (index < prefix_) return;
  auto at = index - prefix_;
  if (at >= done_.size()) done_.resize(at + 1, false);
  done_[at] = true;
  advance();
}

void DeliveryWindow::advance() {
  while (!done_.empty() && done_.front()) {
    done_.pop_front();
    ++prefix_;
  }
  if (end_ < prefix_) end_ = prefix_;
}

}  // namespace yushi::forward
