// Any bytes as a time: what is read is within the text, and what its form promises to write back is the same bytes.
// The tail of the input as a TimeText of a damaged block: format_time() stays inside its 48 bytes.
#include <cstring>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/time_any.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  static const auto kZone = *Zone::find("Asia/Shanghai");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  char out[64];
  if (const auto read = read_time(text, 1'793'520'000 * kSecond, *kZone)) {
    YUSHI_ASSERT(read->length <= size && read->length >= 10, "length %zu of %zu", read->length, size);
    if (read->time.form == TimeForm::none) return 0;  // a year that 64 bits of ns cannot hold
    YUSHI_ASSERT(read->time.digits <= 9, "digits");
    const size_t length = format_time(read->time, out);
    YUSHI_ASSERT(length <= 48, "wrote %zu bytes", length);
    if (read->time.form != TimeForm::other) {
      const std::string_view written(out, length);
      YUSHI_ASSERT(written == text.substr(0, read->length), "wrote %.*s", static_cast<int>(length), out);
      const auto again = parse_time(written, 1'793'520'000 * kSecond, *kZone);
      YUSHI_ASSERT(again && again->unix_ns == read->time.unix_ns, "%.*s is not read again", static_cast<int>(length),
                   out);
    }
  }
  if (const auto found = find_leading_time(text, 1'793'520'000 * kSecond, *kZone)) {
    YUSHI_ASSERT(found->begin + found->length <= size, "at %u of %zu", found->begin, size);
    // What was sure without a parser's word is a time with it.
    YUSHI_ASSERT(parse_any_time(text.substr(found->begin, found->length), 1'793'520'000 * kSecond, *kZone),
                 "not read again");
  }
  parse_any_time(text, 1'793'520'000 * kSecond, *kZone);
  parse_time_parts(text.substr(0, size / 2), text.substr(size / 2), text.substr(size / 3), 1'793'520'000 * kSecond,
                   *kZone);
  if (size >= 13) {
    TimeText time;
    std::memcpy(&time.unix_ns, data, 8);
    time.form = static_cast<TimeForm>(data[8]);
    time.digits = data[9];
    time.style = data[10];
    std::memcpy(&time.zone_minutes, data + 11, 2);
    YUSHI_ASSERT(format_time(time, out) <= 48, "a damaged time is too long");
    YUSHI_ASSERT(format_utc(time.unix_ns, out) <= 32, "UTC is too long");
  }
  return 0;
}
