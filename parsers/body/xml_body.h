// An XML text -> pairs, the names being elements joined by dots: <A><B x="1">v</B></A> gives B and B.@x.
//
// The outermost element is no part of a name unless the text stands in it: `<User>li</User><Ip>10.0.0.1</Ip>` gives
// User and Ip. Windows' <Data Name="X">v</Data> gives X in the place of Data. Prefixes of namespaces and xmlns stay
// out; of comments, instructions and DOCTYPE nothing is read: no entity is looked up but the five of XML and characters
// by number (Escape::xml). CDATA is text. Blanks at the ends of a text are layout, but for those of a <Data> of one
// line. An element without text is a pair without a value.
//
// Sources  XML 1.0, 2.10, 4.1; Windows' event schema.
// Cost     One pass.
#pragma once

#include <string>

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

class XmlBody {
 public:
  static constexpr size_t kDepthMax = 16;

  // text[begin, end) must begin with an element and close what it opens: else false.
  bool read(std::string_view text, size_t begin, size_t end, BodyPairs& pairs);

 private:
  struct Open {
    std::string_view tag;
    size_t path_bytes;  // of path_ before it
    bool has_child = false;
    bool has_text = false;
  };
  bool open_element();
  bool close_element();
  bool attributes(Open& element, bool* is_closed);
  void text_until(size_t to);
  bool skip_to(std::string_view mark);
  void add(std::string_view path, size_t from, size_t to, bool has_entities = true, bool is_exact = false);

  std::string_view text_;
  size_t at_ = 0, end_ = 0;
  BodyPairs* pairs_ = nullptr;
  std::string path_;
  Open open_[kDepthMax];
  size_t depth_ = 0;
};

}  // namespace yushi::parsers
