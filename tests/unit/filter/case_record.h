// A Record for tests, said in a few words: a message, which parts of it were captured, what its parser adds.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/record/batch.h"

namespace yushi::test {

class CaseRecord {
 public:
  explicit CaseRecord(std::string line) {
    batch_.records.emplace_back();
    record().raw = batch_.arena.copy(line);
    record().message_length = static_cast<uint32_t>(line.size());
    origin_.log = "finance";
    origin_.node = "log-01";
    origin_.source = origin_.address = "192.0.2.7";
    record().origin = &origin_;
    record().kind = nullptr;
  }
  CaseRecord(const CaseRecord&) = delete;

  // The first occurrence of `text` after the captures made so far ends; its value is that of `field`.
  bool capture(std::string_view field, std::string_view text, Escape escape = Escape::none) {
    size_t from = 0;
    size_t at = std::string_view::npos;
    // Captures must not overlap: look for a place that is free.
    for (;; from = at + 1) {
      at = record().raw.find(text, from);
      if (at == std::string_view::npos) return false;
      bool taken = false;
      for (const Capture& other : captures_) taken |= at < other.end() && other.begin < at + text.size();
      if (!taken) break;
    }
    Capture capture{};
    capture.begin = static_cast<uint32_t>(at);
    capture.length = static_cast<uint32_t>(text.size()) & 0xffffff;
    capture.escape = static_cast<uint32_t>(escape) & 0xff;
    capture.field = find_field(field);
    if (!capture.field) {
      names_.emplace_back(field);
      fields_.push_back(Field{names_.back(), FieldType::keyword, kDynamicField, false});
      capture.field = &fields_.back();
    }
    captures_.push_back(capture);
    std::sort(captures_.begin(), captures_.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
    record().captures = captures_;
    return true;
  }

  void constant(std::string_view field, std::string value) {
    kind_.constants.push_back({find_field(field), std::move(value)});
    record().kind = &kind_;
  }
  MessageKind& kind() {
    record().kind = &kind_;
    return kind_;
  }
  Origin& origin() { return origin_; }
  Record& record() { return batch_.records[0]; }

 private:
  Batch batch_;
  Origin origin_;
  MessageKind kind_;
  std::vector<Capture> captures_;
  std::deque<std::string> names_;
  std::deque<Field> fields_;
};

}  // namespace yushi::test
