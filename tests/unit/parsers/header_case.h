// What the header tests share: one message read, and its fields as text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parsers/header/syslog_header.h"

namespace yushi::parsers {

class ReadHeader {
 public:
  ReadHeader(std::string raw, int64_t received_ns, const Zone& zone, uint8_t marks = 0)
      : raw_(std::move(raw)), copy_(raw_), zone_(zone) {
    origin_.received_ns = received_ns;
    record_.raw = raw_;
    record_.origin = &origin_;
    record_.marks = marks;
    is_capped_ = read_syslog_header(record_, zone, arena_, captures_);
  }
  ReadHeader(const ReadHeader&) = delete;
  ReadHeader& operator=(const ReadHeader&) = delete;

  const Record& record() const { return record_; }
  const std::vector<Capture>& captures() const { return captures_; }
  bool is_capped() const { return is_capped_; }
  const std::string& raw() const { return raw_; }
  std::string message() const { return std::string(record_.message()); }

  const Capture* find(std::string_view name) const {
    for (const Capture& capture : captures_)
      if (capture.field->name == name) return &capture;
    return nullptr;
  }
  // As it stands in raw.
  std::optional<std::string> text(std::string_view name) const {
    const Capture* capture = find(name);
    if (!capture) return std::nullopt;
    return std::string(record_.text(*capture));
  }
  // Structured data's escapes undone.
  std::string value(const Capture& capture) const {
    std::string out(record_.text(capture));
    if (static_cast<Escape>(capture.escape) != Escape::structured_data) return out;
    std::string plain;
    for (size_t i = 0; i < out.size(); ++i) {
      if (out[i] == '\\' && i + 1 < out.size() && (out[i + 1] == '\\' || out[i + 1] == '"' || out[i + 1] == ']')) ++i;
      plain += out[i];
    }
    return plain;
  }
  std::optional<TimeText> time() const {
    const auto written = text("@timestamp");
    return written ? parse_time(*written, origin_.received_ns, zone_) : std::nullopt;
  }

  // No byte may be lost: raw is as it was, captures ascend inside it, and the message is its end, but for one LF or
  // NUL, which rsyslog and syslog-ng put behind an octet-counted message, and one CR before it.
  void expect_whole() const {
    EXPECT_EQ(raw_, copy_);
    uint32_t last = 0;
    for (const Capture& capture : captures_) {
      EXPECT_GE(capture.begin, last) << capture.field->name;
      EXPECT_LE(capture.end(), raw_.size());
      last = capture.end();
    }
    size_t end = raw_.size();
    if (end > 0 && (raw_[end - 1] == '\n' || raw_[end - 1] == '\0')) --end;
    if (end > 0 && raw_[end - 1] == '\r') --end;
    EXPECT_EQ(record_.message_begin + record_.message_length, end);
    EXPECT_GE(record_.message_begin, last);
  }

 private:
  std::string raw_, copy_;
  const Zone& zone_;
  Origin origin_;
  Arena arena_;
  Record record_;
  bool is_capped_ = false;
  std::vector<Capture> captures_;
};

}  // namespace yushi::parsers
