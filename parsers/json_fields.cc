#include "parsers/json_fields.h"

#include <cstring>
#include <functional>

#include "core/record/value.h"
#include "parsers/address.h"

namespace yushi {
namespace {

constexpr std::string_view kPrefix = "json.";
constexpr size_t kKnownSlots = 4096;
constexpr size_t kSyntaxDepthMax = 200;  // deeper is not JSON to us: the recursion is bounded

bool is_held_back(std::string_view path) {
  for (std::string_view prefix : {"yushi.", "organization.", "observer.", "log.", "json.", "kv."})
    if (path.starts_with(prefix)) return true;
  for (std::string_view name : {"message", "event.id", "event.original", "event.created", "event.ingested",
                                "event.dataset", "event.kind", "error.message", "event.module"})
    if (path == name) return true;
  return false;
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

JsonFields::JsonFields() : known_(new Known[kKnownSlots]) {}

bool JsonFields::read(std::string_view text, size_t begin, size_t end, Arena& arena, std::vector<Capture>& captures,
                      bool is_ours) {
  text_ = text;
  at_ = begin;
  end_ = end;
  arena_ = &arena;
  captures_ = &captures;
  first_capture_ = captures.size();
  path_ = is_ours ? std::string_view() : kPrefix;
  prefix_bytes_ = path_.size();
  too_deep_ = capped_ = has_address_ = false;
  arrays_ = 0;
  last_field_ = nullptr;
  ++reads_;
  header_ids_ = 0;
  if (!is_ours)
    for (const Capture& of_header : captures) header_ids_ |= uint64_t{1} << of_header.field->id % 64;
  blanks();
  bool ok = at_ < end_ && text_[at_] == '{' && object(0);
  if (ok) {
    blanks();
    ok = at_ == end_;
  }
  if (!ok) captures.resize(first_capture_);
  if (ok && has_address_) settle_addresses();
  return ok;
}

void JsonFields::blanks() {
  while (at_ < end_ && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
}

bool JsonFields::value(int depth) {
  if (at_ >= end_) return false;
  size_t from = at_;
  switch (text_[at_]) {
    case '{': return object(depth + 1);
    case '[': return array(depth + 1);
    case '"': {
      size_t begin, to;
      bool escaped;
      if (!string(&begin, &to, &escaped)) return false;
      capture(begin, to, escaped ? Escape::json : Escape::none, FieldType::keyword);
      return true;
    }
    case 't':
      if (!word("true")) return false;
      capture(from, at_, Escape::none, FieldType::boolean);
      return true;
    case 'f':
      if (!word("false")) return false;
      capture(from, at_, Escape::none, FieldType::boolean);
      return true;
    case 'n': return word("null");
    default: {
      if (!number()) return false;
      bool whole = text_.substr(from, at_ - from).find_first_of(".eE") == std::string_view::npos && at_ - from <= 18;
      capture(from, at_, Escape::none, whole ? FieldType::integer : FieldType::real);
      return true;
    }
  }
}

bool JsonFields::object(int depth) {
  if (static_cast<size_t>(depth) > kSyntaxDepthMax) return false;
  ++at_;
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
    if (parent > prefix_bytes_) path_ += '.';
    if (depth >= kDepthMax || path_.size() + (to - from) > kNameBytesMax) {
      too_deep_ = true;
    } else if (escaped) [[unlikely]] {  // "us\u0065r" is the name user: no spelling hides it from a filter or a rule
      name_scratch_.clear();
      path_.append(decode_escape(text_.substr(from, to - from), Escape::json, name_scratch_));
    } else {
      path_.append(text_.substr(from, to - from));
    }
    last_field_ = nullptr;
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
    if (c == '}') {
      last_field_ = nullptr;  // what follows in an array around it has the array's name
      return true;
    }
    if (c != ',') return false;
    blanks();
  }
}

bool JsonFields::array(int depth) {
  if (static_cast<size_t>(depth) > kSyntaxDepthMax) return false;
  ++at_;
  blanks();
  if (at_ < end_ && text_[at_] == ']') {
    ++at_;
    return true;
  }
  ++arrays_;
  for (;;) {
    if (!value(depth)) return false;
    blanks();
    if (at_ >= end_) return false;
    char c = text_[at_++];
    if (c == ']') break;
    if (c != ',') return false;
    blanks();
  }
  --arrays_;
  return true;
}

bool JsonFields::string(size_t* from, size_t* to, bool* escaped) {
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
      case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't': ++at; break;
      case 'u':
        if (end_ - at < 5) return false;
        for (size_t i = 1; i <= 4; ++i)
          if (!is_hex_digit(text_[at + i])) return false;
        at += 5;
        break;
      default: return false;
    }
  }
  *to = at;
  at_ = at + 1;
  return true;
}

bool JsonFields::number() {
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

bool JsonFields::word(std::string_view text) {
  if (text_.substr(at_, text.size()) != text || end_ - at_ < text.size()) return false;
  at_ += text.size();
  return true;
}

void JsonFields::capture(size_t from, size_t to, Escape escape, FieldType type) {
  if (from == to) return;
  if (too_deep_ || captures_->size() - first_capture_ >= kFieldsMax) {
    capped_ = true;
    return;
  }
  if (path_.size() == prefix_bytes_) return;  // an empty key
  if (!last_field_ || (last_field_->id == kDynamicField && last_field_->type != type)) {
    Known& known = find_known();
    // Of two equal keys the first counts; the values of one array are all of one key.
    if (known.read == reads_ && (arrays_ == 0 || !known.in_array)) return;
    known.read = reads_;
    known.in_array = arrays_ > 0;
    last_field_ = known.field && !is_of_header(known.field) ? known.field : nullptr;
    if (!last_field_) last_field_ = arena_->make(Field{arena_->copy(path_), type, kDynamicField, arrays_ > 0});
  }
  if (arrays_ > 0 && !last_field_->list && prefix_bytes_ != 0 && move_to_list(last_field_))
    last_field_ = arena_->make(Field{arena_->copy(path_), type, kDynamicField, true});
  captures_->push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to - from), static_cast<uint32_t>(escape), last_field_});
  has_address_ |= last_field_->type == FieldType::ip;
}

// At the end, when it is known which of them are lists.
void JsonFields::settle_addresses() {
  for (size_t i = first_capture_; i < captures_->size(); ++i) {
    auto& capture = (*captures_)[i];
    if (capture.field->type == FieldType::ip) settle_address(text_.substr(capture.begin, capture.length), capture);
  }
}

// A further value of an array for a field of one value: the first goes where this one will go, under json.*.
bool JsonFields::move_to_list(const Field* scalar) {
  bool is_further = false;
  for (size_t i = first_capture_; i < captures_->size(); ++i) {
    auto& before = (*captures_)[i];
    if (before.field == scalar) before.field = arena_->make(Field{arena_->copy(path_), FieldType::keyword, kDynamicField, true});
    is_further |= before.field->id == kDynamicField && before.field->name == path_;
  }
  return is_further;
}

// What the header gave the sender's own program cannot say otherwise: a line that is anybody's text would rename its host,
// its program or its time. Our own records have no header but what we gave them.
bool JsonFields::is_of_header(const Field* field) const {
  if (!(header_ids_ >> field->id % 64 & 1)) return false;
  for (size_t i = 0; i < first_capture_; ++i)
    if ((*captures_)[i].field == field) return true;
  return false;
}

// The place of path_. A name of this message keeps its own until the message is read: two that meet there lie side by side.
JsonFields::Known& JsonFields::find_known() {
  static_assert(kKnownSlots >= 4 * kFieldsMax);
  size_t at = std::hash<std::string_view>()(path_) % kKnownSlots;
  while (known_[at].read == reads_ && known_[at].path != path_) at = (at + 1) % kKnownSlots;
  Known& slot = known_[at];
  if (slot.path != path_) {
    const auto name = std::string_view(path_).substr(prefix_bytes_);
    slot.path = path_;
    slot.field = prefix_bytes_ != 0 && is_held_back(name) ? nullptr : find_field(name);
    // Declared fields are a parser's own, and which there are depends on what is loaded.
    if (slot.field && !is_fixed_field(*slot.field)) slot.field = nullptr;
  }
  return slot;
}

}  // namespace yushi
