// Any bytes as one message: captures ascend inside raw, and no byte is lost between them and the message.
#include <vector>

#include "core/base/assert.h"
#include "parsers/header/syslog_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  static const auto kZone = Zone::utc();
  static std::vector<Capture> captures;
  captures.clear();
  Arena arena;
  Origin origin;
  origin.received_ns = 1'793'520'000 * kSecond;
  Record record;
  record.raw = {reinterpret_cast<const char*>(data), size};
  record.origin = &origin;
  record.marks = size % 2 ? kByRelay : 0;
  parsers::read_syslog_header(record, *kZone, arena, captures);

  uint32_t last = 0;
  for (const Capture& capture : captures) {
    YUSHI_ASSERT(capture.field != nullptr, "capture at %u", capture.begin);
    YUSHI_ASSERT(capture.begin >= last && capture.end() <= size, "capture at %u, length %u, after %u", capture.begin,
                 static_cast<unsigned>(capture.length), last);
    last = capture.end();
  }
  size_t end = size;
  if (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\0')) --end;
  if (end > 0 && data[end - 1] == '\r') --end;
  YUSHI_ASSERT(record.message_begin >= last, "message at %u before the captures' end %u", record.message_begin, last);
  YUSHI_ASSERT(record.message_begin + record.message_length == end, "message does not reach the end");
  YUSHI_ASSERT(record.priority <= 191 || record.priority == Record::kNoPriority, "priority %u", record.priority);
  YUSHI_ASSERT(arena.bytes() <= (64 << 10) + parsers::kStructuredDataMax * 1024, "arena of %zu bytes", arena.bytes());
  return 0;
}
