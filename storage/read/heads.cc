#include "storage/read/heads.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/base/bytes.h"
#include "core/ledger/checkpoint.h"

namespace yushi::storage {
namespace {

std::string signature_of(const std::string& note) {
  auto end = note.find_last_not_of('\n');
  auto blank = note.rfind(' ', end);
  return note.substr(blank + 1, end - blank);
}

}  // namespace

Result<void> write_heads(const std::string& path, const Heads& heads, Disk& disk) {
  std::string text;
  for (auto& [log, note] : heads) {
    auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(note));
    text += checkpoint.origin + " " + std::to_string(checkpoint.size) + " " + to_base64(as_bytes(checkpoint.root)) +
            " " + signature_of(note) + "\n";
  }
  auto part = path + ".new";
  int fd = -1;
  int error = disk.open(part, O_WRONLY | O_CREAT | O_TRUNC, 0640, fd);
  if (!error) error = disk.write(fd, text, part);
  if (!error) error = disk.sync(fd, part);
  if (fd >= 0) ::close(fd);
  if (!error) error = disk.rename(part, path);
  if (!error) error = disk.sync_folder_of(path);
  if (error) {
    auto code = error == ENOSPC || error == EDQUOT ? Code::exhausted : Code::io;
    return fail(code, "writing " + path + ": " + std::strerror(error));
  }
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
