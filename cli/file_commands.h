// What `yushi parsers` and `yushi rules` share: list, check and test over files and folders, without a daemon.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command.h"
#include "core/base/data_file.h"
#include "core/base/result.h"

namespace yushi::cli {

struct FilesOptions {
  std::vector<std::string> paths;
  std::vector<std::string> parsers;  // of rules: folders beside ours
  std::string output;                // of list
  bool hostile = false;              // of test, where it has that
};

struct FileCommand {
  const char *help, *example;
  int (*run)(const FilesOptions&);
};

struct FileCommands {
  const char *name, *help, *example;
  FileCommand list, check, test;
  const char* hostile_help = nullptr;  // of test's --hostile; nullptr: it has none
  bool takes_parsers = false;
};
// The command, for more beside those.
CLI::App* add_file_commands(CLI::App& app, Chosen& chosen, const FileCommands& commands);

// The files that `paths` name, and those of the folders among them. File has a name, a path and a text.
template <class File>
Result<std::vector<File>> read_paths(const std::vector<std::string>& paths,
                                     Result<std::vector<File>> (*read_directories)(const std::vector<std::string>&,
                                                                                   std::vector<FileLeftOut>*)) {
  std::vector<File> files;
  for (auto& path : paths) {
    if (std::filesystem::is_directory(path)) {
      auto some = YUSHI_TRY(read_directories({path}, nullptr));
      files.insert(files.end(), some.begin(), some.end());
      continue;
    }
    auto text = YUSHI_TRY(read_data_file(path));
    files.push_back({std::filesystem::path(path).filename().string(), path, std::move(text)});
  }
  return files;
}

}  // namespace yushi::cli
