#include "parsers/body/json_body.h"

#include "core/record/value.h"

namespace yushi::parsers {
namespace {

constexpr std::string_view kCee = "@cee:";  // rsyslog's and sudo's mark before a JSON object
constexpr size_t kSyntaxDepthMax = 200;     // deeper is not JSON to us: the recursion is bounded

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// `{"Records":[{` of AWS, `{"records":[{` of Azure: what carries events of theirs, one or many. Where the event begins;
// `begin` when the text is none such.
size_t behind_envelope(std::string_view text, size_t begin, size_t end) {
  size_t at = begin;
  const auto take = [&](std::string_view what) {
    while (at < end && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
    if (!text.substr(at, end - at).starts_with(what)) return false;
    at += what.size();
    return true;
  };
  if (!take("{") || !(take("\"Records\"") || take("\"records\"")) || !take(":") || !take("[") || !take("{"))
    return begin;
  return at - 1;
}

}  // namespace

bool JsonBody::read(std::string_view text, size_t begin, size_t end, BodyPairs& pairs) {
  text_ = text;
  end_ = end;
  pairs_ = &pairs;
  // One event alone in its envelope is that event; of several none speaks for the others.
  if (const size_t inner = behind_envelope(text, begin, end); inner != begin) {
    start(inner);
    if (object(0) && closes_envelope()) return true;
  }
  start(begin);
  if (text.substr(at_, end_ - at_).starts_with(kCee)) at_ += kCee.size();
  blanks();
  bool ok = at_ < end_ && (text_[at_] == '{' ? object(0) : text_[at_] == '[' && array(0) && !pairs.list().empty());
  if (ok) {
    blanks();
    ok = at_ == end_;
  }
  if (!ok) pairs.fail();
  return ok;
}

void JsonBody::start(size_t begin) {
  at_ = begin;
  pairs_->begin(text_);
  path_.clear();
  too_deep_ = false;
  arrays_ = further_ = 0;
}

bool JsonBody::closes_envelope() {
  for (char sign : {']', '}'}) {
    blanks();
    if (at_ == end_ || text_[at_] != sign) return false;
    ++at_;
  }
  blanks();
  return at_ == end_;
}

void JsonBody::blanks() {
  while (at_ < end_ && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

bool JsonBody::value(int depth) {
  if (at_ >= end_) return false;
  size_t from = at_;
  switch (text_[at_]) {
    case '{':
      return object(depth + 1);
    case '[':
      return array(depth + 1);
    case '"': {
      size_t begin, to;
      bool escaped;
      if (!string(&begin, &to, &escaped)) return false;
      add(begin, to, escaped ? Escape::json : Escape::none, FieldType::keyword);
      return true;
    }
    case 't':
      if (!word("true")) return false;
      add(from, at_, Escape::none, FieldType::boolean);
      return true;
    case 'f':
      if (!word("false")) return false;
      add(from, at_, Escape::none, FieldType::boolean);
      return true;
    case 'n':
      if (!word("null")) return false;
      add(at_, at_, Escape::none, FieldType::keyword);
      return true;
    default: {
      if (!number()) return false;
      bool whole = text_.substr(from, at_ - from).find_first_of(".eE") == std::string_view::npos && at_ - from <= 18;
      add(from, at_, Escape::none, whole ? FieldType::integer : FieldType::real);
      return true;
    }
  }
}

bool JsonBody::object(int depth) {
  if (static_cast<size_t>(depth) > kSyntaxDepthMax) return false;
  ++at_;
  if (!too_deep_ && !path_.empty()) pairs_->note(path_);
  blanks();
  if (at_ < end_ && text_[at_] == '}') {
    ++at_;
    return true;
  }
  size_t parent = path_.size();
  bool parent_too_deep = too_deep_;
  for (;;) {
    size_t from, to;
    bool escaped;
    if (at_ >= end_ || text_[at_] != '"' || !string(&from, &to, &escaped)) return false;
    if (parent > 0) path_ += '.';
    if (depth >= kDepthMax || path_.size() + (to - from) > BodyPairs::kNameBytesMax) {
      too_deep_ = true;
    } else if (escaped) [[unlikely]] {  // "us\u0065r" is the name user: no spelling hides it from a filter or a rule
      name_scratch_.clear();
      path_.append(decode_escape(text_.substr(from, to - from), Escape::json, name_scratch_));
    } else {
      path_.append(text_.substr(from, to - from));
    }
    name_begin_ = from;
    name_length_ = to - from;
    blanks();
    if (at_ >= end_ || text_[at_] != ':') return false;
    ++at_;
    blanks();
    if (!value(depth)) return false;
    path_.resize(parent);
    too_deep_ = parent_too_deep;
    blanks();
    if (at_ >= end_) return false;
    char c = text_[at_++];
    if (c == '}') return true;
    if (c != ',') return false;
    blanks();
  }
}

bool JsonBody::array(int depth) {
  if (static_cast<size_t>(depth) > kSyntaxDepthMax) return false;
  ++at_;
  if (!too_deep_ && !path_.empty()) pairs_->note(path_);
  blanks();
  if (at_ < end_ && text_[at_] == ']') {
    ++at_;
    return true;
  }
  ++arrays_;
  int values = 0;
  for (;;) {
    if (!value(depth)) return false;
    blanks();
    if (at_ >= end_) return false;
    char c = text_[at_++];
    if (c == ']') break;
    if (c != ',') return false;
    if (++values == 1) ++further_;
    blanks();
  }
  if (values > 0) --further_;
  --arrays_;
  return true;
}

bool JsonBody::string(size_t* from, size_t* to, bool* escaped) {
  *escaped = false;
  size_t at = ++at_;
  *from = at;
  for (;;) {
    while (at < end_ && text_[at] != '"' && text_[at] != '\\' && static_cast<unsigned char>(text_[at]) >= 0x20) ++at;
    if (at >= end_ || static_cast<unsigned char>(text_[at]) < 0x20) return false;
    if (text_[at] == '"') break;
    *escaped = true;
    if (++at >= end_) return false;
    switch (text_[at]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        ++at;
        break;
      case 'u':
        if (end_ - at < 5) return false;
        for (size_t i = 1; i <= 4; ++i)
          if (!is_hex_digit(text_[at + i])) return false;
        at += 5;
        break;
      default:
        return false;
    }
  }
  *to = at;
  at_ = at + 1;
  return true;
}

bool JsonBody::number() {
  auto digits = [&] {
    size_t begin = at_;
    while (at_ < end_ && is_digit(text_[at_])) ++at_;
    return at_ > begin;
  };
  if (text_[at_] == '-') ++at_;
  size_t first = at_;
  if (!digits()) return false;
  if (text_[first] == '0' && at_ - first > 1) return false;
  if (at_ < end_ && text_[at_] == '.') {
    ++at_;
    if (!digits()) return false;
  }
  if (at_ < end_ && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    if (at_ < end_ && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    if (!digits()) return false;
  }
  return true;
}

bool JsonBody::word(std::string_view text) {
  if (text_.substr(at_, text.size()) != text || end_ - at_ < text.size()) return false;
  at_ += text.size();
  return true;
}

void JsonBody::add(size_t from, size_t to, Escape escape, FieldType type) {
  if (too_deep_) {
    if (to > from) pairs_->set_capped();
    return;
  }
  BodyPair pair;
  pair.begin = static_cast<uint32_t>(from);
  pair.length = static_cast<uint32_t>(to - from);
  pair.name_begin = static_cast<uint32_t>(name_begin_);
  pair.name_length = static_cast<uint32_t>(name_length_);
  pair.escape = escape;
  pair.type = type;
  pair.in_list = arrays_ > 0;
  pair.is_first = further_ == 0;
  pairs_->add(path_, pair);
}

}  // namespace yushi::parsers
