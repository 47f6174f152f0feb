#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "audit/repair.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "query/scan/parser_versions.h"

namespace yushi::cli {
namespace {

struct RepairOptions : Options {
  std::string copy, key;
};

int repair(const RepairOptions& options) {
  audit::RepairOptions how;
  how.data_dir = options.store;
  how.copy_dir = options.copy;
  how.key_path = options.key.empty() ? options.store + "/keys/node.pem" : options.key;
  how.reparse = [](const std::shared_ptr<storage::Database>& database) {
    auto versions = std::make_shared<query::ParserVersions>();
    versions->read_from(database);
    return versions->as_function();
  };
  const bool shows_progress = is_terminal(STDERR_FILENO);
  how.progress = [&](std::string_view log, uint64_t done, uint64_t) {
    if (shows_progress)
      std::fprintf(stderr, "\r\x1b[K%.*s/%llu", static_cast<int>(log.size()), log.data(),
                   static_cast<unsigned long long>(done));
    return true;
  };
  auto repaired = audit::repair_store(how);
  if (shows_progress) std::fprintf(stderr, "\r\x1b[K");
  if (!repaired) return report(repaired.error());
  for (auto& what : repaired->missing) std::fprintf(stderr, "yushi: not brought back: %s\n", what.c_str());
  Out out;
  out.text(std::to_string(repaired->records) + " records in " + std::to_string(repaired->segments) +
           " blocks came from the copy" +
           (repaired->set_aside.empty()
                ? std::string()
                : "; the store was made anew, and the damaged one lies in " + repaired->set_aside) +
           "; `yushi verify --store " + options.store + "` proves it\n");
  return repaired->missing.empty() ? kExitFound : kExitIncomplete;
}

}  // namespace

void add_repair(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand(
      "repair", "bring back from a copy what a store has lost, each record proved before it goes in");
  command->footer(
      "Example: yushi repair --store /var/lib/yushi --from /backup/yushi-2026-11-28\n\nStop the daemon first. Run as "
      "its "
      "user, who may read the key. A store that does not open is\nmade anew beside the damaged one, which is kept: "
      "there "
      "must be room for both. Ends 0 when all\nis back, 3 when something is missing still, which is named, 4 when what "
      "is left is not what was\nsigned; then nothing is changed.");
  auto options = std::make_shared<RepairOptions>();
  command->add_option("--store", options->store, "the data folder that is damaged")->required()->type_name("DIR");
  command->add_option("--from", options->copy, "a copy of it: made by `yushi backup`, or the folder as it was")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--key", options->key,
                   "the node's key, for a store that does not open; default: keys/node.pem in it")
      ->type_name("FILE");
  command->callback([options, &chosen] { chosen = [options] { return repair(*options); }; });
}

}  // namespace yushi::cli
