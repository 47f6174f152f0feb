#include "parsers/body/body_reader.h"

#include "parsers/body/cef.h"
#include "parsers/body/key_values.h"
#include "parsers/file/key_table.h"

namespace yushi::parsers {

bool BodyReader::read(Body body, std::string_view text, size_t begin, size_t end, const KeyTable& keys,
                      const BodyShape& shape, size_t pairs_min) {
  // What the file says counts for columns, for pairs that it parts itself, and where bare words or hex have a meaning.
  const bool is_scanned = body == Body::key_values && (keys.has_words() || keys.has_hex());
  const void* how = is_scanned                                    ? static_cast<const void*>(&keys)
                    : body == Body::csv || shape.pairs.is_given() ? static_cast<const void*>(&shape)
                                                                  : nullptr;
  if (last_.body != body || last_.text != text.data() || last_.begin != begin || last_.end != end || last_.how != how) {
    last_ = {body, text.data(), begin, end, how};
    count_ = 0;
    last_ok_ = read_anew(body, text, begin, end, keys, shape);
  }
  return last_ok_ && count_ >= pairs_min;
}

bool BodyReader::read_anew(Body body, std::string_view text, size_t begin, size_t end, const KeyTable& keys,
                           const BodyShape& shape) {
  bool ok = false;
  is_whole_ = true;
  switch (body) {
    case Body::json:
      ok = json_.read(text, begin, end, pairs_);
      break;
    case Body::cef:
      ok = read_cef(text, begin, end, pairs_);
      break;
    case Body::leef:
      ok = read_leef(text, begin, end, pairs_);
      break;
    case Body::xml:
      ok = xml_.read(text, begin, end, pairs_);
      break;
    case Body::csv:
      count_ = read_csv(text, begin, end, shape.csv, pairs_);
      return true;
    case Body::names:
      count_ = read_pair_list(text, begin, end, shape.pairs, true, pairs_);
      return count_ > 0;
    case Body::key_values:
      if (!keys.has_words() && !keys.has_hex()) count_ = read_pair_list(text, begin, end, shape.pairs, false, pairs_);
      if (count_ == 0) {
        is_whole_ = false;
        count_ = read_key_values(text, begin, end, keys, pairs_);
      }
      return true;
    case Body::none:
    case Body::structured_data:
      break;
  }
  count_ = pairs_.list().size();
  if (ok) count_ = std::max<size_t>(count_, 2);  // the form itself says what it is
  return ok;
}

}  // namespace yushi::parsers
