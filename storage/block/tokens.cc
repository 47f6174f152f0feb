#include "storage/block/tokens.h"

#include <string>

#include "core/filter/filter.h"
#include "core/filter/record_tokens.h"
#include "core/record/value.h"

namespace yushi::storage {

void BlockTokens::value(std::string_view bytes, const Field* field, Escape escape) {
  text(bytes);
  auto meant = bytes;
  if (escape != Escape::none) {
    scratch_.clear();
    meant = decode_escape(bytes, escape, scratch_);
    if (meant != bytes) text(meant);
  }
  std::array<uint8_t, 16> address;
  if (field != nullptr && field->type == FieldType::ip && parse_ip(meant, &address)) gatherer_.add(ip_hash(address));
}

void BlockTokens::straddling(std::string_view raw, size_t at) {
  size_t begin = at, end = at;
  while (begin > 0 && is_word_byte(raw[begin - 1])) --begin;
  while (end < raw.size() && is_word_byte(raw[end])) ++end;
  text(raw.substr(begin, end - begin));
}

void BlockTokens::decoded(const Record& record) {
  scratch_.clear();
  hashes_.clear();
  gather_record_tokens(record, scratch_, hashes_);
  for (auto hash : hashes_) gatherer_.add(hash);
}

void BlockTokens::priority(uint16_t priority) {
  if (priority == Record::kNoPriority) return;
  text(std::to_string(priority));
  text(std::to_string(priority / 8));
  text(std::to_string(priority % 8));
  text(facility_name(priority / 8));
  text(severity_name(priority % 8));
}

}  // namespace yushi::storage
