// A JSON object -> captures: {"a":{"b":5}} gives json.a.b = 5, and a name that is ECS as it stands (source.ip) that field.
//
// Values are spans of the text; strings with escapes are marked Escape::json. An array of values is a list; where the ECS
// field of that name holds one value only, two or more stay under json.* (json.source.ip). Null and empty strings give
// nothing. Of two equal keys ("a.b" and {"a":{"b":…}} too) the first counts. Names that we give ourselves (event.id, yushi.*,
// organization.* …) stay under json.*: a sender cannot speak for us. So do names that the header has given (host.name,
// process.name, @timestamp …): they are in `captures` when read() is called, and the text behind a header may be anybody's. Our
// own records (`is_ours`) say their names themselves: no prefix, no name held back.
//
// Cost   One pass; no allocation but for dynamic fields, in the arena.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/record/record.h"

namespace yushi {

class JsonFields {
 public:
  static constexpr int kDepthMax = 16;
  static constexpr size_t kFieldsMax = 1024;
  static constexpr size_t kNameBytesMax = 256;

  JsonFields();

  // text[begin, end) must be one whole valid object, blanks around it allowed: else false, and `captures` is as it was.
  // Beyond the bounds above values are checked but not captured, and is_capped() says so. Offsets count from text's beginning.
  bool read(std::string_view text, size_t begin, size_t end, Arena& arena, std::vector<Capture>& captures,
            bool is_ours = false);
  bool is_capped() const { return capped_; }  // of the last read()

 private:
  struct Known {
    std::string path;
    const Field* field = nullptr;  // the ECS field of this name; nullptr: none
    uint64_t read = 0;             // the last read that met the name
    bool in_array = false;         // it did so in an array
  };
  bool value(int depth);
  bool object(int depth);
  bool array(int depth);
  bool string(size_t* from, size_t* to, bool* escaped);
  bool number();
  bool word(std::string_view text);
  void blanks();
  void capture(size_t from, size_t to, Escape escape, FieldType type);
  Known& find_known();
  bool is_of_header(const Field* field) const;
  bool move_to_list(const Field* scalar);
  void settle_addresses();

  std::string_view text_;
  size_t at_ = 0, end_ = 0;
  Arena* arena_ = nullptr;
  std::vector<Capture>* captures_ = nullptr;
  size_t first_capture_ = 0;
  Scratch name_scratch_;  // of a key with escapes
  std::string path_;      // the prefix and the keys so far
  size_t prefix_bytes_ = 0;  // of "json.", or 0 in our own records
  int arrays_ = 0;        // that are open around the value: it is one of a list
  bool too_deep_ = false; // the path is longer than we name
  bool capped_ = false;
  bool has_address_ = false;
  const Field* last_field_ = nullptr;  // of the last capture: values of one array share their field
  uint64_t header_ids_ = 0;         // a bit of each field that the header gave, by its id: most names are none of them
  uint64_t reads_ = 0;              // that were begun, this one too
  std::unique_ptr<Known[]> known_;  // by hash: names of messages come again and again
};

}  // namespace yushi
