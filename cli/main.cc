// yushi: what auditors and administrators ask with. One file for each command; command.h has what they share.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/output.h"
#include "core/base/display.h"

namespace yushi::cli {
namespace {

// A closed stdin, stdout or stderr would give its number to the next file or socket that is opened, and what is printed
// would go there. These take the place, and fail as what is closed does.
void keep_places_of_closed_descriptors() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0) ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The words that nobody took, or nothing when the fault is another. CLI11 says of an unknown command that one is
// required.
std::string not_expected(const CLI::App& app) {
  auto* at = &app;
  std::string name = "yushi";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().back();
    name += " " + at->get_name();
  }
  auto left = at->remaining();
  if (left.empty()) return {};
  auto word = left.front();
  auto help = "; see `" + name + " --help`";
  if (word.starts_with("-")) return "there is no option " + word + help;
  std::string known;
  for (auto* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_name().empty()) known += (known.empty() ? "" : ", ") + command->get_name();
  }
  if (!known.empty()) return "`" + name + "` has no command `" + word + "`; it has " + known;
  return "`" + word + "` is one argument too many: one with blanks needs quotes" + help;
}

int run(int argc, char** argv) {
  CLI::App app{
      "yushi asks a yushid, or a store without one: search, alerts, proofs.\n\n"
      "Example: yushi search 'user.name: root and event.outcome: failure' --since 7d"};
  app.set_version_flag("--version", "yushi 0.1.0");
  app.require_subcommand(1);
  Chosen chosen;
  for (auto* add : {add_search, add_hist, add_alerts, add_stories, add_who, add_sources, add_status, add_verify,
                    add_checkpoint, add_backup, add_repair, add_parse, add_parsers, add_rules, add_others}) {
    add(app, chosen);
  }
  // For who packages it. Without a group they are not in the help.
  app.add_option_function<std::string>("--completion",
                                       [&](const std::string& shell) {
                                         Out().write(completion(app, shell));
                                         throw CLI::Success();
                                       })
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->group("");
  app.add_flag_callback("--reference",
                        [] {
                          Out().write(query::api_reference());
                          throw CLI::Success();
                        })
      ->group("");
  try {
    app.parse(argc, argv);
    return chosen ? chosen() : kExitError;
  } catch (const CLI::ParseError& error) {
    bool is_of_words = dynamic_cast<const CLI::RequiredError*>(&error) || dynamic_cast<const CLI::ExtrasError*>(&error);
    if (auto words = not_expected(app); is_of_words && !words.empty()) return report(Error{Code::invalid, words});
    std::ostringstream help, wrong;
    int code = app.exit(error, help, wrong) == 0 ? kExitFound : kExitError;
    Out().text(help.str());
    std::string shown;  // quotes the words of the call, which a script may have from elsewhere
    append_printable_lines(shown, wrong.str());
    std::fwrite(shown.data(), 1, shown.size(), stderr);
    return code;
  } catch (const std::exception& error) {
    return report(Error{Code::io, error.what()});
  }
}

}  // namespace
}  // namespace yushi::cli

int main(int argc, char** argv) {
  using namespace yushi;
  using namespace yushi::cli;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves ends the output, not the check of what was answered
  keep_places_of_closed_descriptors();
  int code = run(argc, argv);
  if (stdout_failure() == 0) return code;
  std::string why = std::strerror(stdout_failure());
  report(Error{Code::io, "writing to stdout: " + why + "; what was written is not all"});
  return code == kExitBroken ? code : kExitError;
}
