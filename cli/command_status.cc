// status, sources and checkpoint: what is there.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "core/base/units_text.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A number of the daemon's, for people: by what its name says it is.
std::string for_people(std::string_view name, const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_number_unsigned())
    return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto number = value.get<uint64_t>();
  if (name.ends_with("bytes")) return bytes_text(number);
  if (name.ends_with("seconds")) return span_text(static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)));
  return count_text(number);
}

// "disk_free_bytes" -> "disk free"
std::string title_of(std::string_view name) {
  for (std::string_view unit : {"_bytes", "_seconds"}) {
    if (name.ends_with(unit)) name.remove_suffix(unit.size());
  }
  std::string title(name);
  std::replace(title.begin(), title.end(), '_', ' ');
  return title;
}

// The verdict first, then what the daemon does.
void write_daemon(Out& out, const Json& said) {
  std::string head = text(said, "verdict");
  auto line = [&](const std::string& words) {
    append_printable(head, words);
    head.push_back('\n');
  };
  auto list = [&](const char* name) {
    auto found = said.find(name);
    return found == said.end() || !found->is_array() ? Json::array() : *found;
  };
  auto reasons = list("reasons");
  if (reasons.empty()) head.push_back('\n');
  for (auto& reason : reasons)
    line((reason == reasons.front() ? ": " : "  ") + (reason.is_string() ? reason.get<std::string>() : ""));
  for (auto& [name, value] : said.items()) {
    if (name == "verdict" || value.is_array()) continue;
    if (!value.is_object()) {
      line(title_of(name) + ": " + for_people(name, value));
      continue;
    }
    std::string parts;  // of memory
    for (auto& [part, bytes] : value.items())
      parts += (parts.empty() ? "" : ", ") + title_of(part) + " " + for_people("bytes", bytes);
    line(title_of(name) + ": " + parts);
  }
  for (auto& folder : list("cannot_run")) line(folder.is_string() ? folder.get<std::string>() : "");
  auto of = [](const Json& object, const char* name) {
    auto found = object.find(name);
    return found == object.end() ? std::string("?") : for_people(name, *found);
  };
  for (auto& input : list("inputs")) {
    if (!input.is_object()) continue;
    line("input " + of(input, "name") + ": " + of(input, "messages") + " messages, " + of(input, "bytes") + ", " +
         of(input, "kernel_drops") + " dropped by the kernel");
  }
  for (auto& forwarder : list("forwarders")) {
    if (!forwarder.is_object()) continue;
    line("forwarder " + of(forwarder, "name") + ": " +
         (forwarder.contains("away_since") ? "not answered since " + text(forwarder, "away_since")
          : forwarder.value("up", false)   ? "up"
                                           : "connecting") +
         ", " +
         (forwarder.value("is_route", false) ? of(forwarder, "alerts_delivered") + " alerts delivered, "
                                             : of(forwarder, "delivered") + " records delivered, ") +
         of(forwarder, "lag") + " to go" +
         (text(forwarder, "last_error").empty()
              ? ""
              : ", last error at " + text(forwarder, "last_error_at") + ": " + text(forwarder, "last_error")));
  }
  out.write(head + "\n");
}

// Three digits or more, never an exponent.
std::string plain_rate(double rate) {
  if (rate > 0 && rate < 0.0001) return "<0.0001";
  char text[64];
  int bytes = std::snprintf(text, sizeof text, "%.*f", rate >= 100 ? 0 : rate >= 1 ? 2 : 4, std::min(rate, 1e15));
  return {text, static_cast<size_t>(bytes)};
}

int status(const Options& options) {
  auto kind = output_kind(options.output);
  Out out;
  RowPrinter rows(out, kind, {"log", "records", "blocks", "tail records", "raw bytes"});
  bool is_well = true;  // of a store that is read here nothing else can be said
  const bool for_programs = kind == OutputKind::json || kind == OutputKind::csv;
  const auto show = object_lines(out, kind, [&](const Json& said) {
    if (said.contains("log")) {
      std::vector<std::string> row = {text(said, "log")};
      for (auto* name : {"records", "blocks", "tail_records", "raw_bytes"}) {
        auto value = said.find(name);
        row.push_back(for_programs || value == said.end() ? text(said, name) : for_people(name, *value));
      }
      rows.row(std::move(row));
    } else if (said.contains("verdict") && !for_programs) {
      write_daemon(out, said);
    }
  });
  return ask_store(
      options, question_of("status", options),
      [&](std::string_view line) {
        if (auto said = Json::parse(line, nullptr, false); said.is_object() && said.contains("verdict")) {
          is_well = text(said, "verdict") == "OK";
        }
        return show(line);
      },
      [&](const AnswerEnd&) {
        rows.finish();
        return is_well ? kExitFound : kExitNothing;
      });
}

int sources(const Options& options) {
  auto kind = output_kind(options.output, OutputKind::columns);
  auto zone = zone_of(options);
  auto time = [&](const Json& said, const char* name) {
    return kind == OutputKind::table ? local_time_text(text(said, name), *zone, false) : text(said, name);
  };
  Out out;
  RowPrinter rows(out, kind,
                  {"tenant", "source", "transports", "first seen", "last seen", "silent", "records", "bytes", "per s",
                   "clock skew s", "losses"});
  return ask_store(
      options, question_of("sources", options),
      object_lines(out, kind,
                   [&](const Json& said) {
                     auto rate = said.find("records_per_second");
                     auto rate_text =
                         rate != said.end() && rate->is_number() ? plain_rate(rate->get<double>()) : std::string();
                     auto silent = said.find("silent_seconds");
                     auto silence = silent != said.end() && silent->is_number_integer()
                                        ? span_text(silent->get<int64_t>())
                                        : std::string();
                     std::string transports;
                     for (auto& transport : said.value("transports", Json::array())) {
                       if (!transports.empty()) transports.push_back(',');
                       if (transport.is_string()) transports += transport.get<std::string>();
                     }
                     rows.row({text(said, "tenant"), text(said, "source"), transports, time(said, "first_seen"),
                               time(said, "last_seen"), silence, text(said, "records"), text(said, "bytes"), rate_text,
                               text(said, "clock_skew_seconds"), text(said, "losses")});
                   }),
      [&](const AnswerEnd& end) {
        rows.finish();
        return end.records > 0 ? kExitFound : kExitNothing;
      });
}

int checkpoint(const Options& options) {
  bool json = options.output == "json";
  bool first = true;
  Out out;
  return ask_store(options, question_of("checkpoint", options),
                   object_lines(out, json ? OutputKind::json : OutputKind::raw,
                                [&](const Json& said) {
                                  if (!first) out.write("\n");
                                  first = false;
                                  // The note as it was signed; names in it match [a-z0-9_.-], but the answer may not be
                                  // a daemon's of ours.
                                  out.text(text(said, "note"));
                                }),
                   [&](const AnswerEnd& end) {
                     out.flush();
                     return end.records > 0 ? kExitFound : kExitNothing;
                   });
}

}  // namespace

void add_status(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "status");
  command->footer("Example: yushi status -o json");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return status(*options); }; });
}

void add_sources(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "sources");
  command->footer("Example: yushi sources --tenant finance");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return sources(*options); }; });
}

void add_checkpoint(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "checkpoint");
  command->footer("Example: yushi checkpoint default > default.checkpoint");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return checkpoint(*options); }; });
}

}  // namespace yushi::cli
