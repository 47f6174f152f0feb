// Answers as people and programs want them: table, raw, json, csv.
//
// Strangers' text is made harmless where it goes to a table; raw gives the exact bytes, which is what it is for.
//
// Threads  One owner. Memory: rows wait until the widths of 1,000 are known.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "cli/asker.h"
#include "core/base/time_text.h"
#include "core/filter/kql.h"

namespace yushi {

enum class OutputKind { table, raw, json, csv };
// As named, or what suits stdout.
OutputKind output_kind(const std::string& name);

// Bytes to stdout. When the reader has left, or stdout fails, all else is dropped and good() is false.
class Out {
 public:
  ~Out() { flush(); }
  void write(std::string_view bytes);
  void flush();
  bool good() const { return good_; }

 private:
  std::string pending_;
  bool good_ = true;
};

// The errno of a write to stdout that failed, 0 when all is well. A reader that left is well: he has what he wanted.
int stdout_failure();

// A sink for an answer's lines: in json they are printed as they came, else each object is shown and all else passed over.
LineSink object_lines(Out& out, OutputKind kind, std::function<void(const nlohmann::ordered_json& said)> show);

// The object as JSON, with the end of its line.
std::string json_line(const nlohmann::ordered_json& object);

// Rows of cells under columns: aligned, tab-separated (raw) or comma-separated. In json it has nothing to say.
class RowPrinter {
 public:
  RowPrinter(Out& out, OutputKind kind, std::vector<std::string> columns);
  void row(std::vector<std::string> cells);
  void finish();

 private:
  void write_row(const std::vector<std::string>& cells);
  void start();
  Out& out_;
  OutputKind kind_;
  std::vector<std::string> columns_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> waiting_;
  bool started_ = false;
};

// Lines of `search`: records (nested ECS objects) or rows of a pipe (flat objects).
class LinePrinter {
 public:
  LinePrinter(Out& out, OutputKind kind, std::shared_ptr<const Zone> zone);
  ~LinePrinter();
  // Of the rows that come, in this order; without it they stand as they are met, and only some are known to be times.
  void columns(const std::vector<KqlColumn>& columns);
  bool line(std::string_view json);  // false when the reader has left
  void finish();
  uint64_t lines() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yushi
