// Any bytes as a parser file, and any bytes as a message: the first 2 bytes say how many of the rest are the file.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/base/assert.h"
#include "parsers/authoring/check.h"
#include "parsers/parser_set.h"

namespace {

using namespace yushi;

// The extractors read outside bytes too, and need no luck to be reached.
const std::shared_ptr<const parsers::ParserSet>& extractors() {
  static const auto set = parsers::ParserSet::load({
      {"json.yaml", "json.yaml",
       "name: json\ngeneric: true\npatterns: [{name: o, extract: json}]\ntests: [{line: '{}', expect: {}}]"},
      {"kv.yaml", "kv.yaml",
       "name: kv\ngeneric: true\npatterns: [{name: p, extract: key-value}]\ntests: [{line: 'a=1 b=2', expect: {}}]"},
      {"line.yaml", "line.yaml",
       "name: line\nmatch: {any: true}\npatterns: [{name: l, grok: '%{DATA:line.a} %{IPORHOST:line.b} "
       "\"%{QUOTED:line.c}\" %{KEYVALUES}'}]\n"
       "tests: [{line: 'x 1.2.3.4 \"q\" a=b', expect: {}}]"},
  });
  YUSHI_ASSERT(set.has_value(), "%s", set ? "" : set.error().message.c_str());
  return *set;
}

void parse(parsers::ParserWorker& worker, std::string_view message) {
  Arena arena;
  std::vector<Capture> captures;
  Origin origin;
  Record record;
  record.raw = message;
  record.origin = &origin;
  record.message_length = static_cast<uint32_t>(message.size());
  worker.parse(record, *Zone::utc(), arena, captures);
  uint32_t at = 0;
  for (auto& capture : captures) {
    YUSHI_ASSERT(capture.begin >= at && capture.length > 0 && capture.end() <= message.size(), "capture at %u",
                 capture.begin);
    at = capture.end();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 8192) return 0;
  size_t file_bytes = std::min<size_t>(data[0] << 8 | data[1], size - 2);
  std::string file(reinterpret_cast<const char*>(data) + 2, file_bytes);
  std::string message(reinterpret_cast<const char*>(data) + 2 + file_bytes, size - 2 - file_bytes);
  static parsers::ParserWorker known(extractors());
  parse(known, message);
  YUSHI_ASSERT(parsers::compare_with_re2(*extractors(), message).empty(), "differs from RE2");
  auto set = parsers::ParserSet::load({{"fuzz.yaml", "fuzz.yaml", file}});
  if (!set) return 0;
  parsers::ParserWorker worker(*set);
  parse(worker, message);
  YUSHI_ASSERT(parsers::compare_with_re2(**set, message).empty(), "differs from RE2");
  return 0;
}
