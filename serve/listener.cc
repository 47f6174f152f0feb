#include "serve/listener.h"

#include <pwd.h>
#include <sys/socket.h>

#include <cstdint>
#include <fstream>
#include <optional>

namespace yushi::serve {
namespace {

std::string name_of_user(uid_t uid) {
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
  return found ? found->pw_name : std::to_string(uid);
}

// Whose login a process goes back to; nullopt when it is nobody's, or not to be seen.
std::optional<uid_t> login_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/loginuid");
  uint32_t uid = 0;
  if (!(file >> uid) || uid == UINT32_MAX) return std::nullopt;
  return uid;
}

Accepted accept_local(int socket) {
  ucred credentials{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};  // nobody's, when the kernel does not say
  socklen_t size = sizeof credentials;
  ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  const auto login = login_of(credentials.pid);  // now: the process may end before its question is looked at
  return {plain_stream(socket), [uid = credentials.uid, login] {
            Asker asker{name_of_user(uid), std::to_string(uid), {}, {}};
            if (login) {
              asker.login_id = std::to_string(*login);
              asker.login_user = name_of_user(*login);
            }
            return asker;
          }};
}

Accepted accept_anybody(int socket) { return {plain_stream(socket), {}}; }

}  // namespace

Listener listener_of_questions(int fd, std::shared_ptr<void> owner) {
  return {fd, std::move(owner), 256, accept_local};
}

Listener listener_of_health(int fd, std::shared_ptr<void> owner) { return {fd, std::move(owner), 64, accept_anybody}; }

}  // namespace yushi::serve
