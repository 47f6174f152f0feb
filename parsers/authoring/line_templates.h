// Lines of one form put together: what `parsers unknown` counts and `parsers new` makes patterns of.
//
// As Drain does it (He et al., ICWS 2017), with finer pieces: a line is cut into blanks, signs, words and values
// (numbers, addresses, times, paths, quoted text, whatever has a digit). Lines whose signs stand alike are compared
// word by word; where most words are equal they are one template, and a word in which they differ becomes a value.
// Words that tell what happened ("accepted", "closed", "failed") are never put together.
//
// Memory   Bounded: of more than `templates_max` templates the rarer half goes, and others() counts its lines. A line's
//          pieces behind the 192nd are one, and an example keeps its first KiB.
// Threads  One owner.
// Cost     Some µs a line; for people who ask, not for the path of a record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace yushi::parsers {

// What a value was seen as; a template's piece has a bit for each.
enum class ValueKind : uint16_t {
  none = 0,  // no value: text that is the same in all lines
  integer = 1,
  decimal = 2,
  address = 4,
  mac = 8,
  uuid = 16,
  iso_time = 32,     // 2026-11-01T08:00:00.123Z, 2026-11-01 08:00:00,123
  syslog_time = 64,  // Nov  1 08:00:00
  http_time = 128,   // 01/Nov/2026:08:00:00 +0800
  clock_time = 256,  // 08:00:00
  hex = 512,
  path = 1024,
  url = 2048,
  quoted = 4096,  // what stands between quotes; they are pieces of their own
  word = 8192,    // letters, digits, _
  name = 16384,   // . and - too
  text = 32768,   // anything without a blank; of the last piece of a long line, anything
};

struct TemplatePiece {
  uint16_t kinds = 0;    // bits of ValueKind; 0: fixed
  bool is_word = false;  // of a fixed one: no blank and no sign
  std::string text;      // as the first line has it
};

struct LineTemplate {
  std::string group;  // as add() was given it
  std::vector<TemplatePiece> pieces;
  uint64_t count = 0;
  std::string example;  // the first line
  std::string host;
};

// The pieces of one line, each a value or fixed. Joined they are the line.
std::vector<TemplatePiece> cut_line(std::string_view line);

// The last word before the piece `at` that nothing but blanks and signs parts from it, in lower case: `port` of
// "port 22", `uid` of "uid=0". Empty when there is none.
std::string word_before(const std::vector<TemplatePiece>& pieces, size_t at);

// "Failed password for <word> from <address> port <integer>": for people.
std::string template_text(const LineTemplate& of);

class LineTemplates {
 public:
  static constexpr size_t kTemplatesMax = 2048;
  explicit LineTemplates(size_t templates_max = kTemplatesMax) : templates_max_(templates_max) {}

  // Lines of different groups (program, dataset) are never one template.
  void add(std::string_view line, std::string_view group = {}, std::string_view host = {});
  uint64_t lines() const { return lines_; }
  uint64_t others() const { return others_; }  // lines of templates that went
  // Most frequent first.
  std::vector<const LineTemplate*> by_count() const;

 private:
  void drop_rare();

  size_t templates_max_;
  uint64_t lines_ = 0, others_ = 0;
  std::vector<LineTemplate> templates_;
  std::unordered_map<std::string, std::vector<uint32_t>> by_shape_;
};

}  // namespace yushi::parsers
