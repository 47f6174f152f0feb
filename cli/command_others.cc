// Questions that need no words of their own: their lines are shown as they come.
#include "cli/command.h"
#include "cli/output.h"

namespace yushi::cli {
namespace {

int ask(const Options& options, const std::string& name) {
  Out out;
  const auto kind = output_kind(options.output, OutputKind::json);
  LinePrinter printer(out, kind, kind, zone_of(options));
  return ask_store(
      options, question_of(name, options), [&](std::string_view line) { return printer.line(line); },
      [&](const AnswerEnd& end) {
        printer.finish();
        return end.records > 0 ? kExitFound : kExitNothing;
      });
}

bool has_command(const CLI::App& app, const std::string& name) {
  return !app.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; }).empty();
}

}  // namespace

void add_others(CLI::App& app, Chosen& chosen) {
  for (auto& kind : query::question_kinds()) {
    const std::string command(kind.command), name(kind.name);
    if (command.empty() || command.find(' ') != command.npos || has_command(app, command)) continue;
    auto options = std::make_shared<Options>();
    auto* added = add_question(app, *options, kind.name);
    add_output_option(*added, *options);
    add_place_options(*added, *options);
    added->callback([options, name, &chosen] { chosen = [options, name] { return ask(*options, name); }; });
  }
}

}  // namespace yushi::cli
