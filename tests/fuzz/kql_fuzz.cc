// Any bytes as a query, over a record made of any bytes: no crash, no hang, and pruning never contradicts a match.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/filter/filter.h"
#include "core/filter/record_tokens.h"

// The first byte says where the query ends and the message begins.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string_view query = bytes.substr(0, bytes.size() * data[0] / 255);
  std::string_view message = bytes.substr(query.size());
  auto filter = Filter::parse_kql(query, QueryClock{});
  if (!filter) return 0;

  Record record;
  record.raw = message;
  record.message_length = static_cast<uint32_t>(message.size());
  Capture capture{};
  capture.begin = static_cast<uint32_t>(message.size() / 3);
  capture.length = static_cast<uint32_t>(message.size() / 3) & 0xffffff;
  capture.field = ecs::user_name;
  capture.escape = data[0] & 3;
  record.captures = {&capture, 1};
  Scratch scratch;
  bool matches = filter->matches(record, scratch);
  std::vector<uint64_t> tokens;
  gather_record_tokens(record, scratch, tokens);
  std::sort(tokens.begin(), tokens.end());
  bool may = filter->may_match([&](uint64_t hash) { return std::binary_search(tokens.begin(), tokens.end(), hash); });
  auto times = filter->times();
  if (matches && (!may || times.from_ns > record.event_ns || times.to_ns < record.event_ns)) {
    std::fprintf(stderr, "pruned, but it matches\n");
    std::abort();
  }
  return 0;
}
