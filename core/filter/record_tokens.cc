#include "core/filter/record_tokens.h"

#include "core/base/text.h"
#include "core/filter/expression.h"
#include "core/filter/filter.h"
#include "core/filter/token_filter.h"

namespace yushi {

void gather_record_tokens(const Record& record, Scratch& scratch, std::vector<uint64_t>& hashes) {
  auto words = [&](std::string_view text) {
    for_each_token(text, [&](std::string_view token) {
      if (is_in_token_filter(token)) hashes.push_back(token_hash(token));
    });
  };
  words(text_of(record, record.raw, scratch));
  for_each_field(record, scratch, [&](const Field& field, const Value& value) {
    if (is_outside_token_filter(field.name)) return;
    if (value.type == Value::Type::ip) hashes.push_back(ip_hash(value.address));
    // Of an address the words that were written: filters of blocks hold these, whatever form we show. It is found by
    // ip_hash.
    words(value.written.empty() ? value.text : value.written);
  });
}

}  // namespace yushi
