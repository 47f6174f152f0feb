// A JSON object -> pairs: {"a":{"b":5}} gives a.b = 5, with JSON's types.
//
// Values are spans of the text; strings with escapes are marked Escape::json. A list's values have the list's name.
// Null and empty strings are pairs without a value. A name is the text that its escapes stand for: "us\u0065r" is the
// name user, and no spelling hides it from a filter or a rule. One event in the envelope that clouds send theirs in
// ({"Records":[{…}]}) is read as if it came alone.
//
// Cost   One pass.
#pragma once

#include <string>

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

class JsonBody {
 public:
  static constexpr int kDepthMax = 16;  // values below are checked but make no pairs

  // text[begin, end) must be one whole valid object, or a list with objects in it; blanks and rsyslog's `@cee:` before
  // it allowed: else false.
  bool read(std::string_view text, size_t begin, size_t end, BodyPairs& pairs);

 private:
  void start(size_t begin);
  bool closes_envelope();
  bool value(int depth);
  bool object(int depth);
  bool array(int depth);
  bool string(size_t* from, size_t* to, bool* escaped);
  bool number();
  bool word(std::string_view text);
  void blanks();
  void add(size_t from, size_t to, Escape escape, FieldType type);

  std::string_view text_;
  size_t at_ = 0, end_ = 0;
  BodyPairs* pairs_ = nullptr;
  Scratch name_scratch_;                     // of a key with escapes
  std::string path_;                         // the keys so far
  size_t name_begin_ = 0, name_length_ = 0;  // the last key
  int arrays_ = 0;                           // that are open around the value: it is one of a list
  int further_ = 0;                          // of these, those that are behind their first value
  bool too_deep_ = false;                    // the path is longer than we name
};

}  // namespace yushi::parsers
