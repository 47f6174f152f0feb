// Answers as people and programs want them: table, raw, json, csv.
//
// Strangers' text is made harmless wherever it goes (core/base/display.h): on a terminal in every form, in a pipe in
// tables and JSON, while CSV keeps each cell as it is but for formulas. Raw gives the exact bytes, which is what it is
// for.
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

namespace yushi::cli {

enum class OutputKind {
  table,  // for eyes: times in the caller's zone, bars
  // the rows of a table in a pipe when no kind was named: for eyes and programs, times in UTC as RFC 3339 has them
  columns,
  raw,
  json,
  csv
};
// As named, or a table on a terminal and else what suits a pipe.
OutputKind output_kind(const std::string& name, OutputKind in_pipe = OutputKind::table);
inline bool for_eyes(OutputKind kind) { return kind == OutputKind::table || kind == OutputKind::columns; }

// Bytes to stdout. When the reader has left, or stdout fails, all else is dropped and good() is false.
class Out {
 public:
  Out();
  ~Out() { flush(); }
  void write(std::string_view bytes);
  void text(std::string_view lines);                // as append_printable_lines() shows them
  void json(std::string_view line);                 // as append_printable_json() shows it, and the end of the line
  void csv(const std::vector<std::string>& cells);  // one line; a cell that a spreadsheet would compute begins with '
  void flush();
  bool good() const { return good_; }
  bool to_terminal() const { return to_terminal_; }

 private:
  std::string pending_;
  bool good_ = true;
  bool to_terminal_;
};

// The errno of a write to stdout that failed, 0 when all is well. A reader that left is well: he has what he wanted.
int stdout_failure();

// A sink for an answer's lines: in json they are printed as they came, else each object is shown and all else passed
// over.
query::LineSink object_lines(Out& out, OutputKind kind, std::function<void(const nlohmann::ordered_json& said)> show);

// The object as JSON, for Out::json().
std::string json_of(const nlohmann::ordered_json& object);

// Rows of cells under columns: aligned under their names (table, columns), tab-separated without names (raw) or
// comma-separated. `columns` ends each column but the last with a tab, at a place where tabs stop: straight to look at,
// and `cut -f` takes it apart. In json it has nothing to say.
class RowPrinter {
 public:
  RowPrinter(Out& out, OutputKind kind, std::vector<std::string> columns);
  void row(std::vector<std::string> cells);
  void finish();

 private:
  bool is_aligned() const { return for_eyes(kind_); }
  void write_row(const std::vector<std::string>& cells);
  void start();
  Out& out_;
  OutputKind kind_;
  std::vector<std::string> columns_;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> waiting_;
  bool started_ = false;
};

// Lines of `search`: records (nested ECS objects) or rows of a pipe (flat objects), each in a kind of its own.
class LinePrinter {
 public:
  LinePrinter(Out& out, OutputKind records, OutputKind rows, std::shared_ptr<const Zone> zone);
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

// A line `NAME    value`: the value begins behind so many columns of a terminal, and is shown, never obeyed.
void append_named(std::string& out, std::string_view name, std::string_view value, size_t columns);

}  // namespace yushi::cli
