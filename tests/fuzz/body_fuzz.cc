// Any bytes as a body of any form: pairs ascend inside the text, and none overlaps another.
#include <string>

#include "core/base/assert.h"
#include "core/record/value.h"
#include "parsers/body/body_reader.h"
#include "parsers/body/body_shape.h"
#include "parsers/file/key_table.h"

namespace {

using namespace yushi;

void check(parsers::BodyReader& reader, parsers::Body form, std::string_view text, size_t begin, size_t end,
           const parsers::KeyTable& keys, const parsers::BodyShape& shape) {
  reader.forget();
  if (!reader.read(form, text, begin, end, keys, shape, 0)) {
    YUSHI_ASSERT(reader.pairs().list().empty(), "no body of form %d, but pairs", static_cast<int>(form));
    return;
  }
  static Scratch scratch;
  size_t at = begin;
  for (const parsers::BodyPair& pair : reader.pairs().list()) {
    YUSHI_ASSERT(pair.begin >= at && size_t{pair.begin} + pair.length <= end, "pair at %u, length %u, after %zu",
                 pair.begin, pair.length, at);
    YUSHI_ASSERT(
        !pair.name || (!pair.name->path.empty() && pair.name->path.size() <= parsers::BodyPairs::kNameBytesMax),
        "a name of a wrong length");
    scratch.clear();
    decode_escape(reader.pairs().value(pair), pair.escape, scratch);
    at = pair.begin + pair.length;
  }
  YUSHI_ASSERT(reader.pairs().list().size() <= parsers::BodyPairs::kPairsMax, "%zu pairs",
               reader.pairs().list().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const parsers::KeyTable kPlain("x.", {}, {}, {});
  static const parsers::KeyTable kHex("x.",
                                      [] {
                                        std::vector<parsers::KeyTarget> targets(1);
                                        targets[0].key = "comm";
                                        targets[0].hex = true;
                                        return targets;
                                      }(),
                                      {}, {});
  static parsers::BodyReader reader;
  if (size == 0) return 0;
  parsers::BodyShape shape;
  if (data[0] & 8) shape.pairs = {std::string(1, ";^,|"[data[0] >> 4 & 3]), data[0] & 64 ? ":" : "="};
  if (data[0] & 16) shape.csv = {{"a", "", "c"}, data[0] & 32 ? "||" : ""};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto form = static_cast<parsers::Body>((data[0] & 7) == 0 ? 1 : data[0] & 7);
  check(reader, form, text, 0, text.size(), data[0] & 128 ? kHex : kPlain, shape);
  const auto shaped = parsers::shape_of(text);
  YUSHI_ASSERT(shaped.form == parsers::Body::none || (shaped.begin <= shaped.end && shaped.end <= text.size()),
               "body from %zu to %zu of %zu", shaped.begin, shaped.end, text.size());
  if (shaped.form != parsers::Body::none) check(reader, shaped.form, text, shaped.begin, shaped.end, kPlain, {});
  return 0;
}
