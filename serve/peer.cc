#include "serve/peer.h"

#include "serve/asking.h"
#include "serve/request.h"

namespace yushi::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kProofWait{1'000};  // for what belongs to the question before, whatever comes meanwhile
constexpr uint64_t kProofsMax = 64;        // in one record
// Of a POST of a question: `remembered` of `verify` is some 1 KiB, encoded, for each log.
constexpr uint64_t kFormBytesMax = 1 << 20;
constexpr std::string_view kPrefix = "/api/v1/";

}  // namespace

Api::Peer::Peer(Api& api, const Listener& at, int socket, Accepted accepted)
    : listener(&at),
      find_asker(std::move(accepted.asker)),
      http(std::make_shared<HttpConnection>(api.io_, socket, std::move(accepted.stream),
                                            find_asker ? kFormBytesMax : HttpConnection::kBodyBytesMax)) {}

void Api::Peer::take(Api& api, HttpRequest request) {
  auto say = [&](const HttpReply& reply) {
    http->reply(request, reply);
    http->answered(request.keep_alive);
  };
  const std::string_view target = request.target;
  if (!target.starts_with(kPrefix)) {
    auto reply = answer_at_once(api, request);
    return say(reply);
  }
  if (!find_asker) {
    return say({403, "text/plain",
                "questions are answered on the unix socket only; here are /metrics, /healthz and /readyz\n"});
  }
  if (request.method != "GET" && request.method != "POST")
    return say({405, "text/plain", "only GET and POST are answered here\n"});
  if (is_foreign_host(request.host)) {
    return say(
        error_reply(421, "refused", "Host names another machine; a question goes to `localhost`, or to an address"));
  }
  auto asked = parse_target(target.substr(kPrefix.size()));
  if (request.method == "POST") {
    if (!request.is_form) {
      return say(
          error_reply(415, "invalid", "a question's parameters are posted as application/x-www-form-urlencoded"));
    }
    if (asked.problem.empty()) add_form(request.body, asked);
  }
  if (const auto* kind = query::find_kind(asked.question.name); kind && kind->acts && request.method != "POST")
    return say(error_reply(405, "invalid", asked.question.name + " changes something: post it"));
  asking = std::make_shared<Asking>(api, *this, std::move(request), std::move(asked));
  asking->begin();
}

// It waits for nothing, so that it is answered while all else is busy.
HttpReply Api::Peer::answer_at_once(Api& api, const HttpRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") return {405, "text/plain", "only GET is answered here\n"};
  auto [asked, problem] = parse_target(request.target);
  auto& path = asked.name;
  if (path != "/healthz" && path != "/readyz" && path != "/metrics") return {404, "text/plain", "no such endpoint\n"};
  if (problem.empty() && !asked.parameters.empty()) {
    problem = asked.parameters.begin()->first + ": unknown parameter; " + path + " has none";
  }
  if (!problem.empty()) return {400, "text/plain", problem + "\n"};
  if (path == "/healthz") return {200, "text/plain", "ok\n"};
  if (path == "/metrics") return {200, "text/plain; version=0.0.4", api.sources_.metrics(api.queue_.counts())};
  if (api.sources_.is_full()) return {503, "text/plain", "the disk is below its reserve\n"};
  return {200, "text/plain", "ready\n"};
}

void Api::Peer::take_finished() {
  if (!asking || !asking->is_finished) return;
  const auto finished = std::move(asking);
  asking = {};
  http->answered(finished->is_usable);
}

void Api::Peer::tick(Api& api, Clock::time_point now) {
  if (auto asked = asking; asked && !asked->is_finished) asked->tick(now);
  take_finished();
  http->tick(now);
  if (!asking && (told || !proofs.empty()) && (http->is_closed() || now > told_at + kProofWait)) flush_told(api);
}

OwnRecord Api::Peer::record_of(std::string action, std::string message) const {
  auto out = own_record(std::move(action), std::move(message));
  out.succeeded = true;
  QuestionAsked asked;
  asked.user = asker.value().user;
  asked.user_id = asker->user_id;
  asked.login_id = asker->login_id;
  asked.login_user = asker->login_user;
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
  if (!told) told = record_of("api-proofs", asker.value().user + " asked for proofs");  // without a question
  std::get<QuestionAsked>(told->about).proofs = proofs;
  api.sources_.tell(std::move(*told));
  told.reset();
  proofs.clear();
}

}  // namespace yushi::serve
