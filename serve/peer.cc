#include "serve/peer.h"

#include <pwd.h>
#include <unistd.h>

#include <fstream>

#include "serve/asking.h"
#include "serve/request.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProofWait{1'000};  // for what belongs to the question before, whatever comes meanwhile
constexpr uint64_t kProofsMax = 64;        // in one record
// Of a POST on the socket: `remembered` of `verify` is some 1 KiB, encoded, for each log.
constexpr uint64_t kFormBytesMax = 1 << 20;

std::string name_of_user(uid_t uid) {
  passwd entry;
  passwd* found = nullptr;
  char buffer[4096];
  ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found);
  return found ? found->pw_name : std::to_string(uid);
}

// Whose login a process goes back to, whatever it became by su or sudo since; nullopt when it is nobody's, or not to be
// seen.
std::optional<uid_t> login_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/loginuid");
  uint32_t uid = 0;
  if (!(file >> uid) || uid == UINT32_MAX) return std::nullopt;
  return uid;
}

}  // namespace

Api::Peer::Peer(int socket, bool local)
    : fd(socket), is_local(local), http(fd, local ? kFormBytesMax : HttpConnection::kBodyBytesMax) {
  if (!is_local) return;
  socklen_t size = sizeof credentials;
  ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  login = login_of(credentials.pid);
}

Api::Peer::~Peer() { ::close(fd); }

void Api::Peer::serve(Api& api) {
  if (is_local) {
    user = name_of_user(credentials.uid);
    if (login) login_user = name_of_user(*login);
  }
  while (!api.stopping_) {
    {
      MutexLock lock(api.mutex_);
      seen(api).is_silent = true;
      seen(api).since = Clock::now();
    }
    if (told || !proofs.empty()) {
      const auto left = std::chrono::duration_cast<milliseconds>(told_at + kProofWait - Clock::now());
      if (left.count() <= 0 || !http.wait(left)) flush_told(api);
    }
    auto request = http.read();
    if (!request) break;
    {
      MutexLock lock(api.mutex_);
      seen(api).is_silent = false;
    }
    if (!answer_request(api, *request) || !request->keep_alive) break;
  }
}

bool Api::Peer::answer_request(Api& api, const HttpRequest& request) {
  const std::string_view target = request.target;
  auto say = [&](unsigned status, std::string body, const char* type = "text/plain") {
    return http.reply(request, {status, type, std::move(body)});
  };
  constexpr std::string_view kPrefix = "/api/v1/";
  const bool is_question = target.starts_with(kPrefix);
  if (is_question && !is_local) {
    return say(403, "questions are answered on the unix socket only; here are /metrics, /healthz and /readyz\n");
  }
  if (is_question && request.method != "GET" && request.method != "POST")
    return say(405, "only GET and POST are answered here\n");
  if (!is_question && request.method != "GET" && request.method != "HEAD")
    return say(405, "only GET is answered here\n");
  if (is_question) {
    if (is_foreign_host(request.host)) {
      return http.reply(
          request,
          error_reply(421, "refused", "Host names another machine; a question goes to `localhost`, or to an address"));
    }
    auto asked = parse_target(target.substr(kPrefix.size()));
    if (request.method == "POST") {
      if (!request.is_form) {
        return http.reply(request, error_reply(415, "invalid",
                                               "a question's parameters are posted as "
                                               "application/x-www-form-urlencoded"));
      }
      if (asked.problem.empty()) add_form(request.body, asked);
    }
    return Asking(api, *this, request, std::move(asked.question)).run(asked.problem);
  }
  auto [asked, problem] = parse_target(target);
  auto& path = asked.name;
  if (path != "/healthz" && path != "/readyz" && path != "/metrics") return say(404, "no such endpoint\n");
  if (problem.empty() && !asked.parameters.empty()) {
    problem = asked.parameters.begin()->first + ": unknown parameter; " + path + " has none";
  }
  if (!problem.empty()) return say(400, problem + "\n");
  if (path == "/healthz") return say(200, "ok\n");
  if (path == "/metrics") return say(200, api.sources_.metrics(api.queue_.counts()), "text/plain; version=0.0.4");
  bool full = api.sources_.is_full();
  return full ? say(503, "the disk is below its reserve\n") : say(200, "ready\n");
}

OwnRecord Api::Peer::record_of(std::string action, std::string message) const {
  auto out = own_record(std::move(action), std::move(message));
  out.succeeded = true;
  QuestionAsked asked;
  asked.user = user;
  asked.user_id = std::to_string(credentials.uid);
  if (login) {
    asked.login_id = std::to_string(*login);
    asked.login_user = login_user;
  }
  out.about = std::move(asked);
  return out;
}

void Api::Peer::tell(Api& api, OwnRecord record) {
  if (told) flush_told(api);
  told = std::move(record);
  told_at = Clock::now();
}

void Api::Peer::tell_proof(Api& api, const std::string& name) {
  if (!told && proofs.empty()) told_at = Clock::now();
  ++proofs[name];
  uint64_t count = 0;
  for (auto& [each, times] : proofs) count += times;
  if (count >= kProofsMax) flush_told(api);
}

void Api::Peer::flush_told(Api& api) {
  if (!told && proofs.empty()) return;
  if (!told) told = record_of("api-proofs", user + " asked for proofs");  // without a question
  std::get<QuestionAsked>(told->about).proofs = proofs;
  api.sources_.tell(std::move(*told));
  told.reset();
  proofs.clear();
}

}  // namespace yushi::serve
