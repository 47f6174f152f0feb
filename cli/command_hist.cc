#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/filter/when.h"
#include "query/output.h"
#include "query/pipe/query.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

// The rows as query/ has them, for its bars: times are instants, the rest is as JSON gives it.
query::Cell cell_of(const std::string& column, const Json& value) {
  if (value.is_array()) {
    query::Cell cell;
    for (auto& item : value) {
      auto one = cell_of(column, item);
      cell.insert(cell.end(), one.begin(), one.end());
    }
    return cell;
  }
  if (value.is_string()) {
    auto& text = value.get_ref<const std::string&>();
    if (column == "@timestamp" || column.starts_with("bin(")) {
      if (auto time = parse_time(text, 0, *Zone::utc())) return {query::Instant{time->unix_ns}};
    }
    return {text};
  }
  if (value.is_number_integer()) return {value.get<int64_t>()};
  if (value.is_number()) return {value.get<double>()};
  if (value.is_boolean()) return {value.get<bool>()};
  return {};
}

int hist(const Options& options) {
  auto zone = zone_of(options);
  const auto every = options.flag("every") ? options.text("every") : "1h";
  auto every_ns = parse_duration(every);
  if (!every_ns) return report(Error{Code::invalid, "--every: " + every_ns.error().message});
  auto question = question_of("hist", options);
  question.parameters["every"] = every;
  auto kind = output_kind(options.output, OutputKind::columns);
  Out out;
  LinePrinter printer(out, kind, kind, zone);
  if (auto query = query::Query::histogram(options.text("query"), every, options.text("by"), {0, zone}))
    printer.columns(query->columns);
  std::vector<Json> rows;
  return ask_store(
      options, question,
      [&](std::string_view line) {
        if (kind != OutputKind::table) return printer.line(line);
        auto row = Json::parse(line, nullptr, false);
        if (row.is_object()) rows.push_back(std::move(row));
        return true;
      },
      [&](const AnswerEnd& end) {
        if (kind == OutputKind::table && !rows.empty()) {
          query::Table table;
          table.columns = end.columns;
          for (auto& row : rows) {
            query::Row cells;
            for (auto& column : table.columns)
              cells.push_back(row.contains(column) ? cell_of(column, row[column]) : query::Cell{});
            table.rows.push_back(std::move(cells));
          }
          query::TableStyle style;
          style.zone = zone;
          if (out.to_terminal()) style.columns_max = terminal_columns();
          out.write(query::render_bars(table, *every_ns, style));
        }
        printer.finish();
        return end.records > 0 ? kExitFound : kExitNothing;
      });
}

}  // namespace

void add_hist(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "hist");
  command->footer("Example: yushi hist 'event.outcome: failure' --every 1h --by user.name --since 7d");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return hist(*options); }; });
}

}  // namespace yushi::cli
