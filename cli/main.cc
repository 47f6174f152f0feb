// yushi: what auditors and administrators ask with. One file for each command; command.h has what they share.
#include <csignal>

#include "cli/command.h"

int main(int argc, char** argv) {
  using namespace yushi;
  std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves ends the output, not the check of what was answered
  CLI::App app{"yushi asks a yushid, or a store without one: search, alerts, proofs.\n\n"
               "Example: yushi search 'user.name: root and event.outcome: failure' --since 7d"};
  app.set_version_flag("--version", "yushi 0.1.0");
  app.require_subcommand(1);
  Chosen chosen;
  for (auto* add : {add_search, add_hist, add_alerts, add_sources, add_status, add_verify, add_checkpoint, add_parse,
                    add_parsers, add_rules}) {
    add(app, chosen);
  }
  try {
    app.parse(argc, argv);
    return chosen ? chosen() : kExitError;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitFound : kExitError;
  } catch (const std::exception& error) {
    return report(Error{Code::io, error.what()});
  }
}
