#include "storage/read/heads.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/bytes.h"
#include "core/ledger/checkpoint.h"

namespace yushi::storage {
namespace {

Result<void> system_failed(const std::string& doing) { return fail(Code::io, doing + ": " + std::strerror(errno)); }

std::string signature_of(const std::string& note) {
  auto end = note.find_last_not_of('\n');
  auto blank = note.rfind(' ', end);
  return note.substr(blank + 1, end - blank);
}

Result<std::string> line_of(const std::string& note) {
  auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(note));
  return checkpoint.origin + " " + std::to_string(checkpoint.size) + " " + to_base64(as_bytes(checkpoint.root)) + " " +
         signature_of(note) + "\n";
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failed("writing " + path);
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

}  // namespace

Result<void> append_heads(const std::string& path, const Heads& heads, const Heads& before) {
  std::string text;
  for (auto& [log, note] : heads) {
    auto known = before.find(log);
    if (known == before.end() || known->second != note) text += YUSHI_TRY(line_of(note));
  }
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return system_failed("writing " + path);
  auto written = write_all(fd, text, path);
  if (written && ::fsync(fd) != 0) written = system_failed("syncing " + path);
  ::close(fd);
  return written;
}

Result<void> write_heads(const std::string& path, const Heads& heads) {
  std::string text;
  for (auto& [log, note] : heads) text += YUSHI_TRY(line_of(note));
  auto part = path + ".new";
  int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return system_failed("writing " + part);
  if (auto written = write_all(fd, text, part); !written) {
    ::close(fd);
    return written;
  }
  bool synced = ::fsync(fd) == 0;
  ::close(fd);
  if (!synced || ::rename(part.c_str(), path.c_str()) != 0) return system_failed("writing " + path);
  auto parent = std::filesystem::path(path).parent_path().string();
  int directory = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return system_failed("syncing the folder of " + path);
  synced = ::fsync(directory) == 0;
  ::close(directory);
  if (!synced) return system_failed("syncing the folder of " + path);
  return {};
}

Result<Heads> read_heads(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(errno == ENOENT ? Code::not_found : Code::io, "reading " + path + ": " + std::strerror(errno));
  Heads heads;
  std::string line;
  int number = 0;
  while (std::getline(in, line)) {
    ++number;
    std::istringstream words(line);
    std::string origin, size, root, signature, more;
    words >> origin >> size >> root >> signature;
    auto slash = origin.find('/');
    if (signature.empty() || words >> more || slash == std::string::npos || in.eof()) {
      return fail(Code::corrupt, path + ":" + std::to_string(number) + ": not a line of origin, size, root, signature");
    }
    heads[origin.substr(slash + 1)] =
        origin + "\n" + size + "\n" + root + "\n\n\xe2\x80\x94 " + origin + " " + signature + "\n";
  }
  return heads;
}

}  // namespace yushi::storage
