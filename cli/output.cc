#include "cli/output.h"

#include <unistd.h>

#include <simdjson.h>
#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/terminal.h"
#include "core/base/bytes.h"
#include "core/base/display.h"
#include "query/output.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRowsForWidths = 1000;
constexpr size_t kColumnWidthMax = 40;
constexpr size_t kTabStop = 8;

int failure = 0;  // of stdout, which the process has one of

// -5 and 1.5e+9, as JSON has them.
bool is_number(std::string_view text) {
  auto digits = [&] {
    auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end > 0;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!digits()) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!digits()) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (!digits()) return false;
  }
  return text.empty();
}

// Whether a spreadsheet would take the cell for a formula. Some look behind blanks and what is not seen, some
// take the wide forms.
bool is_formula(std::string_view cell) {
  if (cell == "@timestamp" || is_number(cell)) return false;  // our column's name, which programs look for
  if (cell.starts_with('\t') || cell.starts_with('\r') || cell.starts_with('\n')) return true;
  while (size_t unseen = leading_unseen(cell)) cell.remove_prefix(unseen);
  for (std::string_view sign : {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}) {
    if (cell.starts_with(sign)) return true;
  }
  return false;
}

void append_padded(std::string& out, std::string_view text, size_t columns) {
  auto taken = append_printable(out, text);
  if (taken < columns) out.append(columns - taken, ' ');
}

std::string cell_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return json_of(value);
  std::string out;
  for (auto& item : value) out += (out.empty() ? "" : ", ") + cell_of(item);
  return out;
}

// Records come by the million: simdjson reads them, and a value is found by its path of names.
using Element = simdjson::dom::element;

std::optional<Element> at(Element object, std::initializer_list<std::string_view> names) {
  for (auto name : names) {
    Element next;
    if (!object.is_object() || object[name].get(next) != simdjson::SUCCESS) return std::nullopt;
    object = next;
  }
  return object;
}

std::string text_at(Element object, std::initializer_list<std::string_view> names) {
  auto value = at(object, names);
  std::string_view text;
  if (!value) return {};
  if (value->get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(*value);
}

std::string raw_of(Element record) {
  std::string_view text;
  if (auto base64 = at(record, {"yushi", "raw_base64"}); base64 && base64->get(text) == simdjson::SUCCESS) {
    if (auto bytes = from_base64(text)) return std::move(*bytes);
  }
  if (auto original = at(record, {"event", "original"}); original && original->get(text) == simdjson::SUCCESS)
    return std::string(text);
  return text_at(record, {"message"});
}

const char* severity_colour(std::string_view name) {
  if (name == "Emergency" || name == "Alert" || name == "Critical" || name == "Error") return "\x1b[31m";
  if (name == "Warning") return "\x1b[33m";
  return "";
}

}  // namespace

OutputKind output_kind(const std::string& name, OutputKind in_pipe) {
  if (name == "table") return OutputKind::table;
  if (name == "raw") return OutputKind::raw;
  if (name == "json") return OutputKind::json;
  if (name == "csv") return OutputKind::csv;
  return is_terminal(STDOUT_FILENO) ? OutputKind::table : in_pipe;
}

Out::Out() : to_terminal_(is_terminal(STDOUT_FILENO)) {}

void Out::write(std::string_view bytes) {
  if (!good_) return;
  pending_.append(bytes);
  if (pending_.size() >= 64 << 10) flush();
}

void Out::text(std::string_view lines) {
  std::string shown;
  append_printable_lines(shown, lines);
  write(shown);
}

void Out::json(std::string_view line) {
  if (!good_) return;
  append_printable_json(pending_, line);
  write("\n");
}

void Out::csv(const std::vector<std::string>& cells) {
  std::string line, cell;
  for (auto& text : cells) {
    cell = is_formula(text) ? "'" : "";
    if (to_terminal_)
      append_printable(cell, text);
    else
      cell += text;
    if (&text != &cells.front()) line.push_back(',');
    if (cell.find_first_of(",;\"\r\n") == cell.npos) {
      line += cell;
      continue;
    }
    line.push_back('"');
    for (char c : cell) {
      if (c == '"') line.push_back('"');
      line.push_back(c);
    }
    line.push_back('"');
  }
  line.push_back('\n');
  write(line);
}

void Out::flush() {
  std::string_view left = pending_;
  while (good_ && !left.empty()) {
    auto n = ::write(STDOUT_FILENO, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) {
      left.remove_prefix(static_cast<size_t>(n));
      continue;
    }
    good_ = false;
    if (n == 0 || errno != EPIPE) failure = n == 0 ? EIO : errno;
  }
  pending_.clear();
}

int stdout_failure() { return failure; }

query::LineSink object_lines(Out& out, OutputKind kind, std::function<void(const Json& said)> show) {
  return [&out, kind, show = std::move(show)](std::string_view line) {
    if (kind == OutputKind::json) {
      out.json(line);
    } else if (auto said = Json::parse(line, nullptr, false); said.is_object()) {
      show(said);
    }
    return out.good();
  };
}

std::string json_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

RowPrinter::RowPrinter(Out& out, OutputKind kind, std::vector<std::string> columns)
    : out_(out), kind_(kind), columns_(std::move(columns)) {}

void RowPrinter::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  if (is_aligned() && !started_) {
    waiting_.push_back(std::move(cells));
    if (waiting_.size() >= kRowsForWidths) start();
    return;
  }
  if (!started_) start();
  write_row(cells);
}

void RowPrinter::finish() {
  if (kind_ == OutputKind::json) return;
  if (!started_ && (!is_aligned() || !waiting_.empty())) start();
}

void RowPrinter::start() {
  started_ = true;
  widths_.assign(columns_.size(), 0);
  auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i)
      widths_[i] = std::max(widths_[i], std::min(kColumnWidthMax, display_columns(cells[i])));
  };
  widen(columns_);
  for (auto& cells : waiting_) widen(cells);
  if (kind_ == OutputKind::columns) {
    // a blank at least, then the tab
    for (auto& width : widths_) width = (width + 1) / kTabStop * kTabStop + kTabStop - 1;
  }
  if (kind_ != OutputKind::raw) write_row(columns_);
  for (auto& cells : waiting_) write_row(cells);
  waiting_.clear();
}

void RowPrinter::write_row(const std::vector<std::string>& cells) {
  if (kind_ == OutputKind::csv) return out_.csv(cells);
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    bool last = i + 1 == cells.size();
    append_padded(line, cells[i], is_aligned() && !last ? widths_[i] : 0);  // a tab inside a cell would be a column
    if (!last) line += kind_ == OutputKind::table ? "  " : "\t";
  }
  line.push_back('\n');
  out_.write(line);
}

struct LinePrinter::State {
  Out& out;
  OutputKind of_records, of_rows;
  std::shared_ptr<const Zone> zone;
  State(Out& to, OutputKind records, OutputKind rows_as, std::shared_ptr<const Zone> in_zone)
      : out(to), of_records(records), of_rows(rows_as), zone(std::move(in_zone)) {}

  simdjson::dom::parser parser;
  uint64_t lines = 0;
  std::vector<Json> rows;  // of a pipe, until their columns are known
  std::vector<std::string> columns, times;
  std::unique_ptr<RowPrinter> printer;

  std::string cell(const std::string& column, const Json& value) const {
    // bin(@timestamp, 1h), @timestamp and event.created are times; a table shows them in the caller's zone.
    bool time = column == "@timestamp" || column.starts_with("bin(") || column == "event.created" ||
                std::find(times.begin(), times.end(), column) != times.end();
    if (time && of_rows == OutputKind::table && value.is_string()) {
      // With its offset: when clocks are put back, an hour comes twice.
      if (auto instant = parse_time(value.get_ref<const std::string&>(), 0, *Zone::utc()))
        return query::time_in_zone(instant->unix_ns, *zone);
    }
    return cell_of(value);
  }

  void print_row(const Json& object) {
    std::vector<std::string> cells;
    for (auto& column : columns) {
      auto found = object.find(column);
      cells.push_back(found == object.end() ? std::string() : cell(column, *found));
    }
    printer->row(std::move(cells));
  }

  // A column that no row of the first thousand has is still in `-o json`.
  void start_rows() {
    for (auto& row : rows) {
      for (auto& [name, value] : row.items()) {
        if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
      }
    }
    printer = std::make_unique<RowPrinter>(out, of_rows, columns);
    for (auto& row : rows) print_row(row);
    rows.clear();
  }

  void print_record(Element record) {
    if (of_records == OutputKind::raw) {
      out.write(raw_of(record));
      out.write("\n");
      return;
    }
    auto time = text_at(record, {"@timestamp"});
    auto app = text_at(record, {"process", "name"});
    if (app.empty()) app = text_at(record, {"event", "dataset"});
    auto host = text_at(record, {"host", "name"});
    if (host.empty()) host = text_at(record, {"log", "source", "address"});
    auto severity = text_at(record, {"log", "syslog", "severity", "name"});
    auto message = text_at(record, {"message"});
    if (of_records == OutputKind::csv) {
      if (lines == 1)
        out.csv({"@timestamp", "event.id", "host.name", "process.name", "log.syslog.severity.name", "message"});
      return out.csv({time, text_at(record, {"event", "id"}), host, app, severity, message});
    }
    std::string line = local_time_text(time, *zone) + "  ";
    append_padded(line, host, 16);
    line += "  ";
    append_padded(line, app, 12);
    line += "  ";
    const char* colour = out.to_terminal() ? severity_colour(severity) : "";
    line += colour;
    append_padded(line, severity.empty() ? "-" : severity, 13);
    if (*colour) line += "\x1b[0m";
    line += "  ";
    append_printable(line, message);
    line.push_back('\n');
    out.write(line);
  }
};

LinePrinter::LinePrinter(Out& out, OutputKind records, OutputKind rows, std::shared_ptr<const Zone> zone)
    : state_(new State(out, records, rows, std::move(zone))) {}
LinePrinter::~LinePrinter() = default;

void LinePrinter::columns(const std::vector<KqlColumn>& columns) {
  for (auto& column : columns) {
    state_->columns.push_back(column.name);
    if (column.type == FieldType::date) state_->times.push_back(column.name);
  }
}

bool LinePrinter::line(std::string_view json) {
  auto& s = *state_;
  ++s.lines;
  if (s.of_rows == OutputKind::json) {
    s.out.json(json);
    return s.out.good();
  }
  // A row of a pipe is flat; a record has its event.
  Element element;
  if (s.parser.parse(json.data(), json.size()).get(element) == simdjson::SUCCESS) {
    if (auto event = at(element, {"event"}); event && event->is_object()) {
      s.print_record(element);
      return s.out.good();
    }
  }
  auto object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return s.out.good();
  if (s.printer) {
    s.print_row(object);
  } else {
    s.rows.push_back(std::move(object));
    if (s.rows.size() >= kRowsForWidths) s.start_rows();
  }
  return s.out.good();
}

uint64_t LinePrinter::lines() const { return state_->lines; }

void LinePrinter::finish() {
  auto& s = *state_;
  if (!s.rows.empty()) s.start_rows();
  if (s.printer) s.printer->finish();
  s.out.flush();
}

void append_named(std::string& out, std::string_view name, std::string_view value, size_t columns) {
  const size_t taken = display_columns(name);
  out += name;
  out.append(taken < columns ? columns - taken : 1, ' ');
  append_printable(out, value);
  out += '\n';
}

}  // namespace yushi::cli
