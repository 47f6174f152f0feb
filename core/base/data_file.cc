#include "core/base/data_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace yushi {
namespace {

Result<std::string> read_open(int fd, const std::string& path) {
  auto failed = [&] { return fail(Code::io, path + ": cannot be read: " + std::strerror(errno)); };
  struct stat is {};
  if (::fstat(fd, &is) != 0) return failed();
  if (!S_ISREG(is.st_mode)) return fail(Code::invalid, path + ": is no regular file");
  std::string text;
  char chunk[16 << 10];
  while (true) {
    auto got = ::read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) return text;
    text.append(chunk, static_cast<size_t>(got));
    if (text.size() > kDataFileBytesMax) return fail(Code::invalid, path + ": has more than 1 MiB");
  }
}

}  // namespace

Result<std::string> read_data_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fail(Code::io, path + ": cannot be read: " + std::strerror(errno));
  auto text = read_open(fd, path);
  ::close(fd);
  return text;
}

std::string data_files_state(const std::vector<std::string>& paths) {
  std::string out;
  for (const auto& path : paths) {
    struct stat there {};
    if (::stat(path.c_str(), &there) != 0) there = {};
    out += path + " " + std::to_string(there.st_ino) + " " + std::to_string(there.st_size) + " " +
           std::to_string(there.st_mtim.tv_sec) + "." + std::to_string(there.st_mtim.tv_nsec) + "\n";
  }
  return out;
}

bool is_data_file_name(const std::string& path, bool takes_yml, std::vector<FileLeftOut>& misnamed) {
  std::string extension = std::filesystem::path(path).extension();
  if (extension == ".yaml" || (takes_yml && extension == ".yml")) return true;
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (extension == ".yaml" || extension == ".yml")
    misnamed.push_back({path, path + ": is not taken; let its name end in .yaml" + (takes_yml ? " or .yml" : "")});
  return false;
}

}  // namespace yushi
