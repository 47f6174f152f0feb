#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <simdjson.h>

#include "cli/terminal.h"
#include "core/base/bytes.h"
#include "core/base/display.h"

namespace yushi {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kRowsForWidths = 1000;
constexpr size_t kColumnWidthMax = 40;

int failure = 0;  // of stdout, which the process has one of

void append_csv(std::string& out, std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == cell.npos) {
    out.append(cell);
    return;
  }
  out.push_back('"');
  for (char c : cell) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

void append_padded(std::string& out, std::string_view text, size_t columns) {
  auto taken = append_printable(out, text);
  if (taken < columns) out.append(columns - taken, ' ');
}

std::string cell_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
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
  if (auto original = at(record, {"event", "original"}); original && original->get(text) == simdjson::SUCCESS) return std::string(text);
  return text_at(record, {"message"});
}

const char* severity_colour(std::string_view name) {
  if (name == "Emergency" || name == "Alert" || name == "Critical" || name == "Error") return "\x1b[31m";
  if (name == "Warning") return "\x1b[33m";
  return "";
}

}  // namespace

OutputKind output_kind(const std::string& name) {
  if (name == "table") return OutputKind::table;
  if (name == "raw") return OutputKind::raw;
  if (name == "json") return OutputKind::json;
  if (name == "csv") return OutputKind::csv;
  return is_terminal(STDOUT_FILENO) ? OutputKind::table : OutputKind::raw;
}

void Out::write(std::string_view bytes) {
  if (!good_) return;
  pending_.append(bytes);
  if (pending_.size() >= 64 << 10) flush();
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

LineSink object_lines(Out& out, OutputKind kind, std::function<void(const Json& said)> show) {
  return [&out, kind, show = std::move(show)](std::string_view line) {
    if (kind == OutputKind::json) {
      out.write(line);
      out.write("\n");
    } else if (auto said = Json::parse(line, nullptr, false); said.is_object()) {
      show(said);
    }
    return out.good();
  };
}

std::string json_line(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

RowPrinter::RowPrinter(Out& out, OutputKind kind, std::vector<std::string> columns)
    : out_(out), kind_(kind), columns_(std::move(columns)) {}

void RowPrinter::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  if (kind_ == OutputKind::table && !started_) {
    waiting_.push_back(std::move(cells));
    if (waiting_.size() >= kRowsForWidths) start();
    return;
  }
  if (!started_) start();
  write_row(cells);
}

void RowPrinter::finish() {
  if (kind_ == OutputKind::json) return;
  if (!started_ && (kind_ != OutputKind::table || !waiting_.empty())) start();
}

void RowPrinter::start() {
  started_ = true;
  widths_.assign(columns_.size(), 0);
  auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], std::min(kColumnWidthMax, display_columns(cells[i])));
  };
  widen(columns_);
  for (auto& cells : waiting_) widen(cells);
  if (kind_ != OutputKind::raw) write_row(columns_);
  for (auto& cells : waiting_) write_row(cells);
  waiting_.clear();
}

void RowPrinter::write_row(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    bool last = i + 1 == cells.size();
    if (kind_ == OutputKind::csv) {
      append_csv(line, cells[i]);
      if (!last) line.push_back(',');
    } else if (kind_ == OutputKind::table) {
      append_padded(line, cells[i], last ? 0 : widths_[i]);
      if (!last) line += "  ";
    } else {
      append_printable(line, cells[i]);  // a tab inside a cell would be a column
      if (!last) line.push_back('\t');
    }
  }
  line.push_back('\n');
  out_.write(line);
}

struct LinePrinter::State {
  Out& out;
  OutputKind kind;
  std::shared_ptr<const Zone> zone;
  State(Out& to, OutputKind as, std::shared_ptr<const Zone> in_zone) : out(to), kind(as), zone(std::move(in_zone)) {}

  bool colours = is_terminal(STDOUT_FILENO);
  simdjson::dom::parser parser;
  bool csv_begun = false;
  uint64_t lines = 0;
  std::vector<Json> rows;  // of a pipe, until their columns are known
  std::vector<std::string> columns, times;
  std::unique_ptr<RowPrinter> printer;

  std::string cell(const std::string& column, const Json& value) const {
    // bin(@timestamp, 1h), @timestamp and event.created are times; a table shows them in the caller's zone.
    bool time = column == "@timestamp" || column.starts_with("bin(") || column == "event.created" ||
                std::find(times.begin(), times.end(), column) != times.end();
    if (time && kind == OutputKind::table && value.is_string()) return local_time_text(value.get_ref<const std::string&>(), *zone);
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
    printer = std::make_unique<RowPrinter>(out, kind, columns);
    for (auto& row : rows) print_row(row);
    rows.clear();
  }

  void print_record(Element record) {
    if (kind == OutputKind::raw) {
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
    std::string line;
    if (kind == OutputKind::csv) {
      if (!csv_begun) line = "@timestamp,event.id,host.name,process.name,log.syslog.severity.name,message\n";
      csv_begun = true;
      for (auto cell : {time, text_at(record, {"event", "id"}), host, app, severity}) {
        append_csv(line, cell);
        line.push_back(',');
      }
      append_csv(line, message);
    } else {
      line = local_time_text(time, *zone) + "  ";
      append_padded(line, host, 16);
      line += "  ";
      append_padded(line, app, 12);
      line += "  ";
      const char* colour = colours ? severity_colour(severity) : "";
      line += colour;
      append_padded(line, severity.empty() ? "-" : severity, 13);
      if (*colour) line += "\x1b[0m";
      line += "  ";
      append_printable(line, message);
    }
    line.push_back('\n');
    out.write(line);
  }
};

LinePrinter::LinePrinter(Out& out, OutputKind kind, std::shared_ptr<const Zone> zone)
    : state_(new State(out, kind, std::move(zone))) {}
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
  if (s.kind == OutputKind::json) {
    s.out.write(json);
    s.out.write("\n");
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

}  // namespace yushi
