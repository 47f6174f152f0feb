// Any bytes as a request: decoded within their room to UTF-8, and judged without a crash or a hang; what is told of the
// bytes of a record that holds them is what its fields say.
#include <cstdint>
#include <string>
#include <vector>

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
  OddRequest request;
  judge_request(record, scratch, &request);
  YUSHI_ASSERT(request.parts.empty() || may_have_odd_request(record), "odd parts in a request that is none");
  const auto values = [&](const char* name) {
    std::vector<std::string> out;
    scratch.clear();
    visit_field(
        record, find_field(name), name, scratch,
        [](void* context, const Value& value) {
          static_cast<std::vector<std::string>*>(context)->emplace_back(value.text);
        },
        &out);
    return out;
  };
  for (const char* name : {"yushi.url.plain", "yushi.request.plain", "yushi.request.sql", "yushi.request.script",
                           "yushi.request.command"}) {
    scratch.odd_request = nullptr;
    const auto anew = values(name);
    scratch.odd_request = &request;
    YUSHI_ASSERT(values(name) == anew, "%s is another when it is kept", name);
  }
  return 0;
}
