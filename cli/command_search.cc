#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/output.h"
#include "core/base/display.h"
#include "query/query.h"

namespace yushi::cli {
namespace {

struct SearchOptions : Options {
  std::string query;
  bool follow = false, reverse = false, explain = false, events = false;
};

int search(const SearchOptions& options) {
  auto zone = zone_of(options);
  auto question = question_of("search", options);
  question.parameters["query"] = options.query;
  question.parameters["zone"] = std::string(zone->name());
  if (options.reverse) question.parameters["reverse"] = "1";
  if (options.events) question.parameters["events"] = "1";
  if (options.explain) question.parameters["explain"] = "1";
  if (options.follow) {
    question.parameters["follow"] = "1";
    // As tail -f: what was there before is context, not the matter.
    if (!options.limit && options.since.empty()) question.parameters["limit"] = "10";
  }
  Out out;
  LinePrinter printer(out, output_kind(options.output, OutputKind::raw),
                      output_kind(options.output, OutputKind::columns), zone);
  // Who is wrong in his question is told by whoever answers it.
  if (auto query = query::Query::parse(options.query, {0, zone}); query && !query->is_plain())
    printer.columns(query->columns);
  return ask_store(
      options, question,
      [&](std::string_view line) {
        if (auto notes = options.follow ? notes_of(line) : std::nullopt) {
          say_notes(*notes);
          return true;
        }
        bool wanted = printer.line(line);
        if (options.follow) out.flush();
        return wanted;
      },
      [&](const AnswerEnd& end) {
        printer.finish();
        if (options.explain) {
          std::fprintf(stderr, "%llu of %llu blocks read, %llu found\n",
                       static_cast<unsigned long long>(end.blocks_read), static_cast<unsigned long long>(end.blocks),
                       static_cast<unsigned long long>(end.records));
        }
        return printer.lines() > 0 ? kExitFound : kExitNothing;
      });
}

}  // namespace

void add_search(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("search", "records that match, newest last");
  command->footer(
      "Examples: yushi search 'sshd and \"failed password\"' --since 7d -n 100\n"
      "          yushi search 'user.name: root | stats count() by source.ip | sort count() desc | head 10'");
  auto options = std::make_shared<SearchOptions>();
  command->add_option("query", options->query, "KQL, and pipes after a |; * matches all")->required();
  command->add_flag("-f,--follow", options->follow,
                    "first the newest 10, or what -n or --since names, then what comes, in the order it comes");
  command->add_flag("--events", options->events,
                    "events joined of their lines, and not the lines; yushi.lines has the index of each");
  command->add_flag("--reverse", options->reverse, "newest first");
  command->add_flag("--explain", options->explain, "say on stderr how many blocks were read");
  add_limit_option(*command, *options);
  add_time_options(*command, *options);
  add_tenant_option(*command, *options);
  add_secrets_option(*command, *options);
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return search(*options); }; });
}

}  // namespace yushi::cli
