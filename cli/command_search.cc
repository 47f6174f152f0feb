#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/output.h"
#include "core/base/display.h"
#include "query/pipe/query.h"

namespace yushi::cli {
namespace {

int search(const Options& options) {
  const bool follows = options.flag("follow");
  auto zone = zone_of(options);
  auto question = question_of("search", options);
  if (follows) {
    // As tail -f: what was there before is context, not the matter.
    if (!options.flag("limit") && options.text("since").empty()) question.parameters["limit"] = "10";
  }
  Out out;
  const auto records = output_kind(options.output, OutputKind::raw);
  LinePrinter printer(out, records, output_kind(options.output, OutputKind::columns), zone);
  // Who is wrong in his question is told by whoever answers it.
  auto query = query::Query::parse(options.text("query"), {0, zone});
  if (query && !query->is_plain())
    printer.columns(query->columns);
  else if (query && records == OutputKind::raw)  // one that only the daemon understands may have a pipe
    question.parameters["fields"] = "event.original,yushi.raw_base64";
  return ask_store(
      options, question,
      [&](std::string_view line) {
        if (auto notes = follows ? notes_of(line) : std::nullopt) {
          say_notes(*notes);
          return true;
        }
        bool wanted = printer.line(line);
        if (follows) out.flush();
        return wanted;
      },
      [&](const AnswerEnd& end) {
        printer.finish();
        if (options.flag("explain")) {
          std::fprintf(stderr, "%llu of %llu blocks read, %llu found\n",
                       static_cast<unsigned long long>(end.blocks_read), static_cast<unsigned long long>(end.blocks),
                       static_cast<unsigned long long>(end.records));
        }
        return printer.lines() > 0 ? kExitFound : kExitNothing;
      });
}

}  // namespace

void add_search(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "search");
  command->footer(
      "Examples: yushi search 'sshd and \"failed password\"' --since 7d -n 100\n"
      "          yushi search 'user.name: root | stats count() by source.ip | sort count() desc | head 10'");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return search(*options); }; });
}

}  // namespace yushi::cli
