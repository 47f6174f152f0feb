// What `yushi parsers` and `yushi rules` share: check and test over files and folders, without a daemon; and list,
// which tells of files too, or asks the daemon what it runs.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command.h"
#include "core/base/data_file.h"
#include "core/base/result.h"
#include "parsers/parser_set.h"

namespace yushi::cli {

struct FilesOptions {
  std::vector<std::string> paths;
  std::vector<std::string> parsers;  // of rules: folders beside ours
  std::string output, server;        // of list
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

// Of what a daemon said, whatever it is: text as it stands, a list's words, else JSON; empty when it is not there.
std::string cell_of(const nlohmann::ordered_json& said, const char* name);
// How list shows its lines, which are those of query/listing.h.
struct ListShown {
  const char* question;              // to the daemon
  std::vector<std::string> columns;  // before what the daemon has seen, and the file
  std::function<std::vector<std::string>(const nlohmann::ordered_json&)> cells;  // of these, and the file last
};
// Asks the daemon where no files are named and there is one, else `of_files`, which writes lines to the sink or fails.
int list_lines(const FilesOptions& options, const ListShown& shown,
               const std::function<Result<void>(const query::LineSink&)>& of_files);

// Our parsers, and beside them those of these folders.
Result<std::shared_ptr<const parsers::ParserSet>> load_parsers(const std::vector<std::string>& folders);

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
