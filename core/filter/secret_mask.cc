#include "core/filter/secret_mask.h"

#include <algorithm>
#include <cctype>

#include "core/base/bytes.h"
#include "core/record/value.h"

namespace yushi {
namespace {

const Field* arguments() {
  static const Field* const field = find_field("process.args");
  return field;
}

// Of `token=3 tokens used, next` the value is one word, as the line is read: what stands behind it is a sentence.
// Between quotes it is the whole.
std::string_view said_of_secret(const Record& record, const Capture& capture) {
  const auto value = record.text(capture);
  const char before = capture.begin > 0 ? record.raw[capture.begin - 1] : '\0';
  if (capture.escape != 0 || before == '"' || before == '\'') return value;
  auto word = value.substr(0, value.find_first_of(" \t"));
  while (word.ends_with(',') || word.ends_with(';')) word.remove_suffix(1);
  return word;
}

}  // namespace

const Record& SecretMask::mask(const Record& record) {
  if (!rules_) return record;
  spans_.clear();
  rules_->find(record.raw, record.charset, spans_);
  find_in_captures(record);
  if (!record.lines.empty() && !spans_.empty()) [[unlikely]]
    find_in_lines(record);
  if (spans_.empty()) [[likely]]
    return record;
  settle_spans();
  rewrite(record.raw);

  record_ = record;
  record_.raw = text_;
  record_.marks |= kMaskedSecrets;
  captures_.clear();
  for (Capture capture : record.captures) {
    const auto begin = moved(capture.begin, true), end = moved(capture.end(), false);
    // Of an escaped value that is masked as a whole nothing is left to decode.
    if (end - begin == kMasked.size() && text_.compare(begin, kMasked.size(), kMasked) == 0) capture.escape = 0;
    capture.begin = begin;
    capture.length = end - begin;
    captures_.push_back(capture);
  }
  record_.captures = captures_;
  record_.message_begin = moved(record.message_begin, true);
  record_.message_length = moved(record.message_begin + record.message_length, false) - record_.message_begin;
  return record_;
}

std::string_view SecretMask::mask(std::string_view text) {
  if (!rules_) return text;
  spans_.clear();
  rules_->find(text, Charset::utf8, spans_);
  if (spans_.empty()) return text;
  settle_spans();
  rewrite(text);
  return text_;
}

// What only the field tells: its name, or the value behind its escapes. The text was looked at as it stands.
void SecretMask::find_in_captures(const Record& record) {
  size_t args = 0;
  for (auto& capture : record.captures) {
    args += capture.field == arguments();
    if (is_secret_name(*capture.field)) [[unlikely]] {
      if (rules_->is_worth_hiding(said_of_secret(record, capture))) spans_.push_back({capture.begin, capture.end()});
      continue;
    }
    const auto escape = static_cast<Escape>(capture.escape);
    if (escape == Escape::none) [[likely]]
      continue;
    if (escape != Escape::hex && record.text(capture).find('\\') == std::string_view::npos) continue;
    scratch_.clear();
    joined_ = decode_escape(text_of(record, record.text(capture), scratch_), escape, scratch_);
    std::replace(joined_.begin(), joined_.end(), '\0', ' ');
    inner_.clear();
    rules_->find(joined_, Charset::utf8, inner_);
    if (!inner_.empty()) spans_.push_back({capture.begin, capture.end()});
  }
  if (args > 1) find_in_arguments(record);
}

// `-p` is one argument and the password another.
void SecretMask::find_in_arguments(const Record& record) {
  struct Part {
    const Capture* capture;
    size_t begin, end;
  };
  std::vector<Part> parts;
  joined_.clear();
  scratch_.clear();
  for (auto& capture : record.captures) {
    if (capture.field != arguments()) continue;
    if (!joined_.empty()) joined_.push_back(' ');
    const auto begin = joined_.size();
    joined_ +=
        decode_escape(text_of(record, record.text(capture), scratch_), static_cast<Escape>(capture.escape), scratch_);
    parts.push_back({&capture, begin, joined_.size()});
  }
  inner_.clear();
  rules_->find(joined_, Charset::utf8, inner_);
  for (auto& span : inner_)
    for (auto& part : parts) {
      if (span.begin >= part.end || span.end <= part.begin) continue;
      auto& capture = *part.capture;
      if (part.end - part.begin != capture.length) {  // decoded: the places inside are others
        spans_.push_back({capture.begin, capture.end()});
        continue;
      }
      const auto begin = span.begin > part.begin ? static_cast<uint32_t>(span.begin - part.begin) : 0;
      const auto end = static_cast<uint32_t>(std::min<size_t>(span.end, part.end) - part.begin);
      spans_.push_back({capture.begin + begin, capture.begin + end});
    }
}

// The words of an event stand behind its lines once more (parsers/joiner.h), whole and together, so that a secret among
// them was found there; it stands in the lines too, as auditd writes it: between quotes, or in hex.
void SecretMask::find_in_lines(const Record& event) {
  constexpr size_t kAloneMin = 6;  // bytes of what is hidden wherever it stands; a shorter one only between quotes
  const size_t end = event.message_begin + event.message_length;
  const auto lines = event.raw.substr(0, end);
  const auto hide = [&](std::string_view text) {
    for (auto at = lines.find(text); at != lines.npos; at = lines.find(text, at + text.size()))
      spans_.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + text.size())});
  };
  for (size_t i = 0, found = spans_.size(); i < found; ++i) {
    if (spans_[i].begin < end) continue;
    const std::string secret(event.raw.substr(spans_[i].begin, spans_[i].end - spans_[i].begin));
    hide(secret.size() < kAloneMin ? '"' + secret + '"' : secret);
    std::string hex = to_hex(secret);
    std::transform(hex.begin(), hex.end(), hex.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    hide(hex);
  }
}

bool SecretMask::is_secret_name(const Field& field) {
  if (field.id == kDynamicField) return rules_->is_secret_name(field.name);
  if (field.id >= names_.size()) names_.resize(field.id + size_t{256});
  auto& known = names_[field.id];
  if (known == 0) known = rules_->is_secret_name(field.name) ? 2 : 1;
  return known == 2;
}

// In order, and those that touch as one.
void SecretMask::settle_spans() {
  std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  size_t kept = 0;
  for (size_t i = 1; i < spans_.size(); ++i) {
    if (spans_[i].begin <= spans_[kept].end)
      spans_[kept].end = std::max(spans_[kept].end, spans_[i].end);
    else
      spans_[++kept] = spans_[i];
  }
  spans_.resize(kept + 1);
}

void SecretMask::rewrite(std::string_view text) {
  text_.clear();
  size_t at = 0;
  for (auto& span : spans_) {
    text_ += text.substr(at, span.begin - at);
    text_ += kMasked;
    at = span.end;
  }
  text_ += text.substr(at);
}

// Where a place of the old text is in the new one. Of what begins inside a secret, where the mask begins; of what ends
// there, where it ends.
uint32_t SecretMask::moved(uint32_t at, bool is_begin) const {
  int64_t shift = 0;
  for (auto& span : spans_) {
    if (at <= span.begin) break;
    shift += static_cast<int64_t>(kMasked.size()) - (span.end - span.begin);
    if (at < span.end)
      return static_cast<uint32_t>(span.end + shift - (is_begin ? static_cast<int64_t>(kMasked.size()) : 0));
  }
  return static_cast<uint32_t>(at + shift);
}

}  // namespace yushi
