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

Result<std::string> line_of(const std::string& note) {
  auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(note));
  return checkpoint.origin + " " + std::to_string(checkpoint.size) + " " + to_base64(as_bytes(checkpoint.root)) + " " +
         signature_of(note) + "\n";
}

Result<void> written(int error, const std::string& path) {
  if (error == 0) return {};
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(full ? Code::exhausted : Code::io, "writing " + path + ": " + std::strerror(error) +
                                                     (full ? "; free space on the disk" : "; look at the disk"));
}

int write_file(const std::string& path, int flags, std::string_view text, Disk& disk) {
  int fd = -1;
  int error = disk.open(path, O_WRONLY | O_CREAT | flags, 0640, fd);
  if (!error) error = disk.write(fd, text, path);
  if (!error) error = disk.sync(fd, path);
  if (fd >= 0) ::close(fd);
  return error;
}

// `visit(number, log, note)`; a line that is not whole has no log.
template <class Visit>
Result<void> each_line(const std::string& path, Visit&& visit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(errno == ENOENT ? Code::not_found : Code::io, "reading " + path + ": " + std::strerror(errno));
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string origin, size, root, signature, more;
    words >> origin >> size >> root >> signature;
    auto slash = origin.find('/');
    const bool whole = !signature.empty() && !(words >> more) && slash != std::string::npos && !in.eof();
    YUSHI_TRY(visit(number, whole ? origin.substr(slash + 1) : std::string(),
                    origin + "\n" + size + "\n" + root + "\n\n\xe2\x80\x94 " + origin + " " + signature + "\n"));
  }
  return {};
}

bool ends_within_a_line(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char last = '\n';
  return in.seekg(-1, std::ios::end) && in.get(last) && last != '\n';
}

}  // namespace

Result<void> append_heads(const std::string& path, const Heads& heads, const Heads& before, Disk& disk) {
  std::string text;
  if (ends_within_a_line(path)) text = "\n";
  for (auto& [log, note] : heads) {
    auto known = before.find(log);
    if (known == before.end() || known->second != note) text += YUSHI_TRY(line_of(note));
  }
  return written(write_file(path, O_APPEND, text, disk), path);
}

Result<void> write_heads(const std::string& path, const Heads& heads, Disk& disk) {
  std::string text;
  for (auto& [log, note] : heads) text += YUSHI_TRY(line_of(note));
  auto part = path + ".new";
  int error = write_file(part, O_TRUNC, text, disk);
  if (!error) error = disk.rename(part, path);
  if (!error) error = disk.sync_folder_of(path);
  return written(error, path);
}

Result<Heads> read_heads(const std::string& path) {
  Heads heads;
  YUSHI_TRY(each_line(path, [&](int number, const std::string& log, std::string note) -> Result<void> {
    if (log.empty())
      return fail(Code::corrupt, path + ":" + std::to_string(number) + ": not a line of origin, size, root, signature");
    heads[log] = std::move(note);
    return {};
  }));
  return heads;
}

Result<std::vector<std::string>> read_appended_heads(const std::string& path, std::vector<int>& unreadable) {
  std::vector<std::string> notes;
  YUSHI_TRY(each_line(path, [&](int number, const std::string& log, std::string note) -> Result<void> {
    if (log.empty())
      unreadable.push_back(number);
    else
      notes.push_back(std::move(note));
    return {};
  }));
  return notes;
}

}  // namespace yushi::storage
