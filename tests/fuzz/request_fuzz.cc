// Any bytes as a request: decoded within their room to UTF-8, and judged without a crash or a hang; what is told of the
// bytes of a record that holds them is what its fields say.
#include <cstdint>
#include <string>

#include "core/base/assert.h"
#include "core/base/text.h"
#include "core/record/record.h"
#include "core/web/command_check.h"
#include "core/web/request_text.h"
#include "core/web/script_check.h"
#include "core/web/sql_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string decoded(request_bytes_max(size), '\0');
  decoded.resize(decode_request(text, true, decoded.data()));
  YUSHI_ASSERT(is_utf8(decoded), "decoded to no UTF-8");
  std::string plain(decoded.size(), '\0');
  plain.resize(plain_request(decoded, plain.data()));
  for (const auto& each : {text, decoded, plain}) {
    (void)is_sql_injection(each);
    (void)is_script_injection(each);
    (void)is_command_injection(each);
    (void)is_odd_header(each);
  }

  Record record;
  record.raw = text;
  record.message_length = static_cast<uint32_t>(size);
  static const Field* const kOriginal = find_field("url.original");
  static const Field* const kAgent = find_field("user_agent.original");
  const auto half = static_cast<uint32_t>(size / 2);
  Capture captures[] = {{0, half & 0xffffff, 0, kOriginal},
                        {half, (static_cast<uint32_t>(size) - half) & 0xffffff, 0, kAgent}};
  record.captures = captures;
  Scratch scratch;
  bool any = false;
  const auto found = judge_request(
      record, scratch, [](void* context, std::string_view) { *static_cast<bool*>(context) = true; }, &any);
  YUSHI_ASSERT(!any || may_have_odd_request(record), "odd parts in a request that is none");
  for (const auto& [name, has] :
       {std::pair("yushi.request.plain", any), std::pair("yushi.request.sql", found.sql),
        std::pair("yushi.request.script", found.script), std::pair("yushi.request.command", found.command)}) {
    Value value;
    YUSHI_ASSERT(first_value(record, find_field(name), scratch, &value) == has, "%s", name);
  }
  return 0;
}
