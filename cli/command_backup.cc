#include <unistd.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/output.h"

namespace yushi::cli {
namespace {

int backup(const Options& options) {
  auto asker = make_asker(options.server, "");
  if (!asker) return report(asker.error());
  std::error_code failed;
  auto directory = std::filesystem::absolute(options.text("dir"), failed).lexically_normal().string();
  if (directory.ends_with('/')) directory.pop_back();
  auto end = (*asker)->ask({"backup", {{"dir", directory}}}, [](std::string_view) { return true; });
  if (!end) return report(end.error());
  if (!end->complete()) return report(*end, kExitIncomplete);
  Out out;
  out.text(directory + " is a copy of " + std::to_string(end->records) + " records; `yushi verify --store " +
           directory + "` proves it\n");
  return kExitFound;
}

}  // namespace

void add_backup(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<Options>();
  auto* command = add_question(app, *options, "backup");
  command->footer(
      "Example: yushi backup /var/lib/yushi/backup-2026-11-28\n\nThe daemon writes it, so its user must be able to "
      "make "
      "the folder. On the store's own file\nsystem what is sealed is linked: it costs no room, and damage of a file is "
      "damage of both. So move\nit to another disk. Keep the key apart. `yushi repair` brings back from it what the "
      "store loses.");
  command->add_option("--server", options->server, "unix:PATH of the daemon's socket");
  command->callback([options, &chosen] { chosen = [options] { return backup(*options); }; });
}

}  // namespace yushi::cli
