// A parser or rule file as it lies in a folder: who reads a folder takes what anybody put there.
//
// Threads  Any.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace yushi {

constexpr size_t kDataFileBytesMax = 1 << 20;

// A file that is not taken, and why, in words that begin with its path.
struct FileLeftOut {
  std::string path, why;
};

// The text of a regular file; links are followed. Never waits for a writer, as opening a FIFO would. io: it cannot be
// opened or read; invalid: it is no regular file, or more than kDataFileBytesMax.
Result<std::string> read_data_file(const std::string& path);

// What tells that one of these files was changed: inode, size and time of change of each, also of one that is not
// there.
std::string data_files_state(const std::vector<std::string>& paths);

// Whether the file is one by its name, which ends in .yaml, or where `takes_yml` in .yml. One that misses this by
// little (.YML) goes to `misnamed`, for nobody means it to be overlooked.
bool is_data_file_name(const std::string& path, bool takes_yml, std::vector<FileLeftOut>& misnamed);

}  // namespace yushi
