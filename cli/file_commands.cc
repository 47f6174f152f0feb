#include "cli/file_commands.h"

namespace yushi::cli {

CLI::App* add_file_commands(CLI::App& app, Chosen& chosen, const FileCommands& commands) {
  auto* command = app.add_subcommand(commands.name, commands.help);
  command->footer(commands.example);
  command->require_subcommand(1);
  auto options = std::make_shared<FilesOptions>();
  auto add = [&](const char* name, const FileCommand& one) {
    auto* sub = command->add_subcommand(name, one.help);
    sub->footer(one.example);
    sub->add_option("path", options->paths, "files or folders (default: our own)");
    if (commands.takes_parsers)
      sub->add_option("--parsers", options->parsers, "folders with parsers of your own, whose fields the rules name")
          ->type_name("DIR");
    sub->callback([options, &chosen, run = one.run] { chosen = [options, run] { return run(*options); }; });
    return sub;
  };
  add("list", commands.list)
      ->add_option("-o,--output", options->output, "table, raw, json or csv")
      ->check(CLI::IsMember({"table", "raw", "json", "csv"}));
  add("check", commands.check);
  auto* test = add("test", commands.test);
  if (commands.hostile_help) test->add_flag("--hostile", options->hostile, commands.hostile_help);
  return command;
}

}  // namespace yushi::cli
