// yushid: the daemon.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <thread>

#include "core/base/display.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/data_files.h"

int main(int argc, char** argv) {
  // Read buffers of 256 KiB come and go by the thousand: by default each would be mapped, cleared and unmapped anew.
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  // What is free at the end of a thread's heap goes back from here on, and malloc_trim() does not do it: without a
  // bound the heaps of threads that worked for questions kept 600 MiB after twenty of them.
  ::mallopt(M_TRIM_THRESHOLD, 24 << 20);
  // A heap for each of the busy threads and no more: by default there are eight times as many as cores, each keeps what
  // it once needed, and at full rate that was 60 MiB on two cores.
  ::mallopt(M_ARENA_MAX, static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 8u)) + 2);

  CLI::App app{
      "yushid collects syslog, keeps it tamper-evidently, forwards it and watches the administrators.\n\n"
      "Example: yushid --config /etc/yushi/yushi.yaml"};
  std::string path;
  bool check = false;
  app.add_option("--config", path, "config file; without one /etc/yushi/yushi.yaml if it is there, else safe defaults");
  app.add_flag("--check", check,
               "print every problem of the config, the parsers and the rules as file:line:column: message, and end");
  bool rotate = false;
  app.add_flag("--rotate-key", rotate,
               "make a new signing key, to which the old one hands over, and end; no yushid may run on the store");
  app.set_version_flag("--version", "yushid 0.1.0");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  constexpr const char* kDefaultPath = "/etc/yushi/yushi.yaml";
  std::error_code unseen;
  if (path.empty() && std::filesystem::exists(kDefaultPath, unseen)) path = kDefaultPath;
  if (unseen) {
    std::cerr << kDefaultPath << ": " << unseen.message()
              << "; let the user of yushid into that folder, or name another file with --config\n";
    return 2;
  }
  auto config = path.empty() ? yushi::Result<yushi::daemon::Config>(yushi::daemon::default_config())
                             : yushi::daemon::load_config(path);
  if (!config) {
    std::string problems;
    yushi::append_printable_lines(problems, config.error().message);
    std::cerr << problems;
    return 2;
  }
  if (check) {
    // The start is more lenient with data files: it leaves them out. Whoever asks wants to know.
    std::vector<std::string> told;
    auto problems = yushi::daemon::check_data_files(*config, &told);
    for (auto& what : told) std::cout << what << '\n';
    for (auto& problem : problems) std::cerr << problem << '\n';
    if (!problems.empty()) return 2;
    std::cout << (path.empty() ? "built-in defaults" : path) << ": ok\n";
    return 0;
  }
  if (rotate) return yushi::daemon::rotate_key(*config);
  return yushi::daemon::run_daemon(*config, path);
}
