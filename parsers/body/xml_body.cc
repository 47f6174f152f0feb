#include "parsers/body/xml_body.h"

#include <algorithm>
#include <string_view>

namespace yushi::parsers {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_first(char c) { return is_name_byte(c) && c != '-' && c != '.' && !(c >= '0' && c <= '9'); }

// Without the prefix of a namespace.
std::string_view local(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace

bool XmlBody::read(std::string_view text, size_t begin, size_t end, BodyPairs& pairs) {
  text_ = text;
  at_ = begin;
  end_ = end;
  pairs_ = &pairs;
  pairs.begin(text);
  path_.clear();
  depth_ = 0;
  bool ok = false, is_first = true;
  for (;;) {
    while (depth_ == 0 && at_ < end_ && is_blank(text_[at_])) ++at_;
    if (at_ >= end_) break;
    ok = false;
    const auto rest = text_.substr(at_, end_ - at_);
    if (rest.starts_with("<?")) {
      ok = skip_to("?>");
    } else if (rest.starts_with("<!--")) {
      ok = skip_to("-->");
    } else if (rest.starts_with("<![CDATA[")) {
      const size_t from = at_ + 9;
      ok = depth_ > 0 && skip_to("]]>");
      if (ok && !open_[depth_ - 1].has_text && !open_[depth_ - 1].has_child) {
        open_[depth_ - 1].has_text = true;
        add(path_, from, at_ - 3, false);  // what looks like an entity is text there
      }
    } else if (rest.starts_with("<!")) {
      ok = is_first && skip_to(">");
    } else if (rest.starts_with("</")) {
      ok = close_element();
    } else if (rest[0] == '<') {
      ok = open_element();
      is_first = false;
    } else if (depth_ > 0) {
      size_t to = text_.substr(0, end_).find('<', at_);
      ok = to != std::string_view::npos;
      if (ok) text_until(to);
    }
    if (!ok) break;
  }
  ok = ok && depth_ == 0 && !is_first;
  if (!ok) pairs.fail();
  return ok;
}

bool XmlBody::skip_to(std::string_view mark) {
  const auto found = text_.substr(0, end_).find(mark, at_);
  if (found == std::string_view::npos) return false;
  at_ = found + mark.size();
  return true;
}

void XmlBody::add(std::string_view path, size_t from, size_t to, bool has_entities, bool is_exact) {
  while (!is_exact && from < to && is_blank(text_[from])) ++from;
  while (!is_exact && to > from && is_blank(text_[to - 1])) --to;
  BodyPair pair;
  pair.begin = static_cast<uint32_t>(from);
  pair.length = static_cast<uint32_t>(to - from);
  pair.escape =
      has_entities && text_.substr(from, to - from).find('&') != std::string_view::npos ? Escape::xml : Escape::none;
  const size_t before = pairs_->list().size();
  pairs_->add(path, pair);
  if (pairs_->list().size() == before) return;
  // An element that comes again is a list.
  auto& added = pairs_->list()[before];
  if (added.name->first == before) return;
  added.in_list = true;
  auto& first = pairs_->list()[added.name->first];
  first.is_first |= !first.in_list;
  first.in_list = true;
}

void XmlBody::text_until(size_t to) {
  size_t from = at_;
  at_ = to;
  const size_t begin = from;
  while (from < to && is_blank(text_[from])) ++from;
  Open& element = open_[depth_ - 1];
  // Of mixed content the first text counts.
  if (from == to || element.has_text || element.has_child) return;
  element.has_text = true;
  // A command line whose last argument is empty ends in a blank. In other elements blanks at the ends are layout.
  const bool is_exact =
      local(element.tag) == "Data" && text_.substr(begin, to - begin).find('\n') == std::string_view::npos;
  add(path_, is_exact ? begin : from, to, true, is_exact);
}

bool XmlBody::open_element() {
  if (depth_ == kDepthMax) return false;
  size_t to = at_ + 1;
  if (to >= end_ || !is_name_first(text_[to])) return false;
  while (to < end_ && is_name_byte(text_[to])) ++to;
  if (depth_ > 0) {
    // The outermost element's name stands before what is in it only when that is its text.
    if (depth_ == 1) path_.clear();
    open_[depth_ - 1].has_child = true;
  }
  Open& element = open_[depth_++];
  element = {text_.substr(at_ + 1, to - at_ - 1), depth_ == 1 ? 0 : path_.size()};
  if (!path_.empty()) path_ += '.';
  const auto name = local(element.tag);
  if (path_.size() + name.size() > BodyPairs::kNameBytesMax) return false;
  path_.append(name);
  at_ = to;
  bool is_closed = false;
  if (!attributes(element, &is_closed)) return false;
  if (is_closed) {
    add(path_, at_, at_);
    path_.resize(element.path_bytes);
    --depth_;
  }
  return true;
}

bool XmlBody::attributes(Open& element, bool* is_closed) {
  for (;;) {
    while (at_ < end_ && is_blank(text_[at_])) ++at_;
    if (at_ >= end_) return false;
    if (text_[at_] == '>') {
      ++at_;
      return true;
    }
    if (text_[at_] == '/') {
      *is_closed = true;
      if (++at_ >= end_ || text_[at_++] != '>') return false;
      return true;
    }
    const size_t name_begin = at_;
    if (!is_name_first(text_[at_])) return false;
    while (at_ < end_ && is_name_byte(text_[at_])) ++at_;
    const auto name = text_.substr(name_begin, at_ - name_begin);
    while (at_ < end_ && is_blank(text_[at_])) ++at_;
    if (at_ >= end_ || text_[at_++] != '=') return false;
    while (at_ < end_ && is_blank(text_[at_])) ++at_;
    if (at_ >= end_ || (text_[at_] != '"' && text_[at_] != '\'')) return false;
    const size_t from = at_ + 1, to = text_.substr(0, end_).find(text_[at_], from);
    if (to == std::string_view::npos) return false;
    at_ = to + 1;
    if (name.starts_with("xmlns")) continue;
    const auto value = text_.substr(from, to - from);
    if (name == "Name" && local(element.tag) == "Data" && !value.empty()) {
      path_.resize(element.path_bytes);
      if (!path_.empty()) path_ += '.';
      if (path_.size() + value.size() > BodyPairs::kNameBytesMax) return false;
      path_.append(value);
      continue;
    }
    const size_t before = path_.size();
    if (before + name.size() + 2 > BodyPairs::kNameBytesMax) return false;
    if (depth_ == 1) path_.clear();  // of the outermost element
    if (!path_.empty()) path_ += '.';
    path_ += '@';
    path_.append(local(name));
    add(path_, from, to);
    path_.resize(depth_ == 1 ? 0 : before);
    if (depth_ == 1) path_.append(local(element.tag));
  }
}

bool XmlBody::close_element() {
  if (depth_ == 0) return false;
  Open& element = open_[depth_ - 1];
  at_ += 2;
  if (text_.substr(at_, element.tag.size()) != element.tag) return false;
  at_ += element.tag.size();
  while (at_ < end_ && is_blank(text_[at_])) ++at_;
  if (at_ >= end_ || text_[at_++] != '>') return false;
  if (!element.has_text && !element.has_child) add(path_, at_, at_);
  path_.resize(std::min(element.path_bytes, path_.size()));
  --depth_;
  return true;
}

}  // namespace yushi::parsers
