// status, sources and checkpoint: what is there.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/display.h"

namespace yushi {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : found->dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string span(int64_t seconds) {
  if (seconds >= 2 * 86400) return std::to_string(seconds / 86400) + " d";
  if (seconds >= 2 * 3600) return std::to_string(seconds / 3600) + " h";
  if (seconds >= 120) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds) + " s";
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
  return ask_store(
      options, question_of("status", options),
      object_lines(out, kind, [&](const Json& said) {
        if (said.contains("log")) {
          rows.row({text(said, "log"), text(said, "records"), text(said, "blocks"), text(said, "tail_records"), text(said, "raw_bytes")});
        } else if (kind == OutputKind::table) {
          std::string head;
          for (auto& [name, value] : said.items()) {
            if (name == "inputs" && value.is_array()) continue;
            append_printable(head, name + ": " + text(said, name.c_str()));
            head.push_back('\n');
          }
          auto inputs = said.find("inputs");
          for (auto& input : inputs == said.end() || !inputs->is_array() ? Json::array() : *inputs) {
            if (!input.is_object()) continue;
            append_printable(head, "input " + text(input, "name") + ": " + text(input, "messages") + " messages, " +
                                       text(input, "bytes") + " bytes, " + text(input, "kernel_drops") + " dropped by the kernel");
            head.push_back('\n');
          }
          out.write(head + "\n");
        }
      }),
      [&](const Ending&) {
        rows.finish();
        return kExitFound;
      });
}

int sources(const Options& options) {
  auto kind = output_kind(options.output, OutputKind::columns);
  auto zone = zone_of(options);
  auto time = [&](const Json& said, const char* name) {
    return kind == OutputKind::table ? local_time_text(text(said, name), *zone, false) : text(said, name);
  };
  Out out;
  RowPrinter rows(out, kind, {"tenant", "source", "transports", "first seen", "last seen", "silent", "records", "bytes",
                              "per s", "clock skew s", "losses"});
  return ask_store(
      options, question_of("sources", options),
      object_lines(out, kind, [&](const Json& said) {
        auto rate = said.find("records_per_second");
        auto rate_text = rate != said.end() && rate->is_number() ? plain_rate(rate->get<double>()) : std::string();
        auto silent = said.find("silent_seconds");
        auto silence = silent != said.end() && silent->is_number_integer() ? span(silent->get<int64_t>()) : std::string();
        std::string transports;
        for (auto& transport : said.value("transports", Json::array())) {
          if (!transports.empty()) transports.push_back(',');
          if (transport.is_string()) transports += transport.get<std::string>();
        }
        rows.row({text(said, "tenant"), text(said, "source"), transports, time(said, "first_seen"),
                  time(said, "last_seen"), silence, text(said, "records"), text(said, "bytes"), rate_text,
                  text(said, "clock_skew_seconds"), text(said, "losses")});
      }),
      [&](const Ending& ending) {
        rows.finish();
        return ending.records > 0 ? kExitFound : kExitNothing;
      });
}

struct CheckpointOptions : Options {
  std::string log;
};

int checkpoint(const CheckpointOptions& options) {
  auto question = question_of("checkpoint", options);
  if (!options.log.empty()) question.parameters["log"] = options.log;
  bool json = options.output == "json";
  bool first = true;
  Out out;
  return ask_store(
      options, question,
      object_lines(out, json ? OutputKind::json : OutputKind::raw, [&](const Json& said) {
        if (!first) out.write("\n");
        first = false;
        // The note as it was signed; names in it match [a-z0-9_.-], but the answer may not be a daemon's of ours.
        out.text(text(said, "note"));
      }),
      [&](const Ending& ending) {
        out.flush();
        return ending.records > 0 ? kExitFound : kExitNothing;
      });
}

}  // namespace

void add_status(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("status", "what the daemon does now, and what each log holds");
  command->footer("Example: yushi status -o json");
  auto options = std::make_shared<Options>();
  add_tenant_option(*command, *options);
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return status(*options); }; });
}

void add_sources(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("sources", "every source: first and last seen, rate, silence, clock skew, losses");
  command->footer("Example: yushi sources --tenant finance");
  auto options = std::make_shared<Options>();
  add_tenant_option(*command, *options);
  add_output_option(*command, *options);
  command->add_flag("--utc", options->utc, "times in UTC");
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return sources(*options); }; });
}

void add_checkpoint(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("checkpoint", "the newest signed checkpoint of each log");
  command->footer("Example: yushi checkpoint default > default.checkpoint");
  auto options = std::make_shared<CheckpointOptions>();
  command->add_option("log", options->log, "this log only");
  add_tenant_option(*command, *options);
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return checkpoint(*options); }; });
}

}  // namespace yushi
