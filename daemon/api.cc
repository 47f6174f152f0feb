#include "daemon/api.h"

#include <malloc.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>

#include "audit/answer_verify.h"
#include "daemon/http.h"

namespace yushi::daemon {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kLocalConnectionsMax = 256, kTcpConnectionsMax = 64;
constexpr size_t kLinesBytes = 64 << 10;  // of an answer sent at once
constexpr milliseconds kWatch{100};       // between two looks at those who ask
constexpr milliseconds kPauseWithoutDescriptors{100};
constexpr milliseconds kTrimEvery{2'000};
constexpr milliseconds kProofWait{1'000};  // for what belongs to the question before, whatever comes meanwhile
constexpr uint64_t kProofsMax = 64;        // in one record
// of one whose reader has stopped: a pager, Ctrl-S. It holds next to nothing
constexpr milliseconds kFollowerWait{600'000};
constexpr milliseconds kEndWait{2'000};   // for the last line of an answer to be taken
constexpr milliseconds kStopWait{5'000};  // for all last lines at the stop

// nullopt: a percent sign without two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    uint8_t value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

// Why an answer is not whole; empty when it is.
std::string reason_of(const AnswerEnd& end) {
  if (end.complete() || !end.reason.empty()) return end.reason;
  auto words = "missing: " + end.missing.front();
  if (end.missing.size() > 1) words += " (and " + std::to_string(end.missing.size() - 1) + " more)";
  return words;
}

struct Target {
  query::Question question;
  std::string problem;  // the first one; the rest of the target is not read
};

Target parse_target(std::string_view target) {
  Target parsed;
  const auto decode = [&](std::string_view text) {
    auto decoded = percent_decoded(text);
    if (!decoded) {
      parsed.problem =
          "\"" + std::string(text) + "\": % needs two hexadecimal digits behind it; write %25 for % itself";
    }
    return decoded.value_or("");
  };
  auto mark = target.find('?');
  parsed.question.name = decode(target.substr(0, mark));
  while (mark != std::string_view::npos && parsed.problem.empty()) {
    auto from = mark + 1;
    mark = target.find('&', from);
    auto pair = target.substr(from, mark == std::string_view::npos ? mark : mark - from);
    auto equals = pair.find('=');
    if (pair.empty()) continue;
    auto name = decode(pair.substr(0, equals));
    auto value = decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!parsed.problem.empty()) break;
    if (!parsed.question.parameters.emplace(name, value).second) parsed.problem = name + ": given twice; remove one";
  }
  return parsed;
}

unsigned status_of(Code code) {
  switch (code) {
    case Code::invalid:
      return 400;
    case Code::not_found:
      return 404;
    case Code::refused:
      return 403;
    case Code::exhausted:
    case Code::unavailable:
      return 503;
    case Code::corrupt:
    case Code::io:
      return 500;
  }
  return 500;
}

const char* code_name(Code code) {
  constexpr const char* kNames[] = {"invalid", "not_found", "refused", "corrupt", "exhausted", "unavailable", "io"};
  return kNames[static_cast<size_t>(code)];
}

// A web page reaches a port that somebody forwarded to our socket by a name that it made point there; only Host tells.
// Such a name is of the public DNS and has a dot. An address, `localhost` and a bare name are what tools of ours write.
bool is_foreign_host(std::string_view host) {
  if (host.starts_with('[')) return false;
  host = host.substr(0, host.find(':'));
  while (host.ends_with('.')) host.remove_suffix(1);
  const bool is_address = host.find_first_not_of("0123456789.") == host.npos;
  return host.find('.') != host.npos && !is_address;
}

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

// Collecting goes first: what works for a question has what the others leave, beside two busy threads a few percent. By
// nice, even 19, it took 20 to 30 % of the ingest rate from a machine of two cores. Threads made later inherit it.
void lower_priority() {
  const sched_param none{};
  (void)::sched_setscheduler(0, SCHED_IDLE, &none);
}

const HttpReply& too_many_connections() {
  static const HttpReply reply = error_reply(503, "exhausted", "too many connections are open here; ask again later");
  return reply;
}

}  // namespace

// A connection, and who is at its other end.
struct Api::Peer {
  ingest::OwnedFd fd;
  const bool is_local;
  HttpConnection http;
  ucred credentials{};
  std::optional<uid_t> login;
  std::string user, login_user;
  std::thread thread;
  std::atomic<bool> done{false};
  // What the thread that accepts and watches sees of it, too.
  struct Seen {
    bool is_silent = true;  // no request of it is being answered
    bool is_let_go = false;
    Clock::time_point since = Clock::now();
    query::Budget* asking = nullptr;  // of the question that is being answered
    std::optional<Clock::time_point> deadline;
  };
  Seen& seen([[maybe_unused]] Api& api) YUSHI_REQUIRES(api.mutex_) { return seen_; }

  // A question's record that waits for the proofs which belong to it, or proofs that wait for their question. The
  // connection's own.
  std::optional<OwnRecord> told;
  std::map<std::string, uint64_t> proofs;
  Clock::time_point told_at;  // the question, or the first of the proofs

  Peer(ingest::OwnedFd&& socket, bool local) : fd(std::move(socket)), is_local(local), http(fd.get()) {
    if (!is_local) return;
    socklen_t size = sizeof credentials;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    login = login_of(credentials.pid);
  }

  void serve(Api& api);
  bool answer_request(Api& api, const HttpRequest& request);
  // A record of what the peer asked, but for the question.
  OwnRecord record_of(std::string action, std::string message) const;
  void tell(Api& api, OwnRecord record);
  void tell_proof(Api& api, const std::string& name);
  void flush_told(Api& api);

 private:
  Seen seen_;
};

// One question, from its request to its record.
struct Api::Asking {
  Api& api;
  Peer& peer;
  const HttpRequest& request;
  query::Question question;
  const query::QuestionKind* const kind = query::find_kind(question.name);  // nullptr: there is no such question
  const query::Permit permit;
  const query::Means means;
  query::Budget budget{api.pool_};
  QuestionQueue::Turn turn;
  const bool follows = question.parameters.contains("follow");
  bool is_proof = false;
  bool begun = false, gone = false;
  uint64_t lines = 0;
  std::string pending;
  std::string incomplete;        // why the answer is not whole
  Result<storage::Heads> heads;  // of `verify`: as they were before its view was made

  Asking(Api& of, Peer& by, const HttpRequest& with, query::Question what)
      : api(of),
        peer(by),
        request(with),
        question(std::move(what)),
        permit(peer.user, [this](query::Right right) { return refusal_of(right); }),
        means{api.sources_.pipeline->loaded()->secrets, [this] { return event_reading(); },
              [this](auto& store, auto remembered, auto& say) {
                return audit::answer_verify(store, heads, remembered, false, say);
              },
              api.sources_.status, [this](const std::string& folder) { return back_up(folder); }} {}
  ~Asking() { unhand(); }

  bool run(const std::string& problem);
  void unhand();
  Result<AnswerEnd> attempt();
  bool finish(const Result<AnswerEnd>& answered);
  Result<AnswerEnd> ask();
  Result<uint64_t> back_up(const std::string& folder);
  Result<AnswerEnd> answer_following();
  Result<std::shared_ptr<const storage::StoreView>> view();
  Result<query::EventReading> event_reading();  // the parsers of now, and the zone of each tenant
  std::string refusal_of(query::Right right) const;
  bool take(std::string_view line);
  void send(bool last);
  bool keep_turn();
  bool stalled(milliseconds waited);
  bool takes(query::Effort effort) const { return kind && kind->effort == effort; }
  // Those wait for each other, and run at a low priority.
  bool is_queued() const { return takes(query::Effort::scan) || takes(query::Effort::whole); }
  void tell(const char* type, const Result<AnswerEnd>& answered);
};

// --------------------------------------------------------------------------------------------- a connection's thread

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
  const bool head = request.method == "HEAD";
  auto say = [&](unsigned status, std::string body, const char* type = "text/plain") {
    return http.reply(request, {status, type, std::move(body)});
  };
  constexpr std::string_view kPrefix = "/api/v1/";
  const bool is_question = target.starts_with(kPrefix);
  if (is_question && !is_local) {
    return say(403, "questions are answered on the unix socket only; here are /metrics, /healthz and /readyz\n");
  }
  if (request.method != "GET" && (!head || is_question)) return say(405, "only GET is answered here\n");
  if (is_question) {
    if (is_foreign_host(request.host)) {
      return http.reply(
          request,
          error_reply(421, "refused", "Host names another machine; a question goes to `localhost`, or to an address"));
    }
    auto [question, problem] = parse_target(target.substr(kPrefix.size()));
    return Asking(api, *this, request, std::move(question)).run(problem);
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
  bool full = api.sources_.pipeline->counters().disk_full;
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
  api.sources_.pipeline->tell(std::move(*told));
  told.reset();
  proofs.clear();
}

// -------------------------------------------------------------------------------------------------------- a question

// Whether the connection may be used again.
bool Api::Asking::run(const std::string& problem) {
  // Beside a question the CLI asks for proofs of its answer: no look at anybody's records, and counted with the
  // question.
  is_proof = kind && kind->parameter(query::kProofOfAnswer) && question.parameters.contains(query::kProofOfAnswer);
  if (!is_proof && peer.told) peer.flush_told(api);  // the answer to this one may take long
  {
    MutexLock lock(api.mutex_);
    peer.seen(api).asking = &budget;
    if (!takes(query::Effort::whole)) peer.seen(api).deadline = Clock::now() + api.limits_.query_time;
  }
  if (api.stopping_) budget.end("the daemon is stopping");
  peer.http.on_stall = [this](milliseconds waited) { return stalled(waited); };
  Result<AnswerEnd> answered = fail(Code::invalid, problem);
  if (problem.empty() && !is_queued()) {
    answered = attempt();
  } else if (problem.empty()) {
    // In a thread of its own: what it lowers stays lowered, and the connection's next question may be what an operator
    // needs from a machine that is busy.
    try {
      std::thread([&] {
        lower_priority();
        answered = attempt();
      }).join();
    } catch (const std::system_error&) {
      answered = fail(Code::exhausted, "the system has no thread for this question; ask again later");
    }
  }
  budget.on_stall = {};
  turn.leave();
  bool usable = false;
  try {
    usable = finish(answered);
  } catch (const std::bad_alloc&) {
    budget.end("there was no memory for the end of the answer");
  }
  unhand();
  tell(follows && begun ? "end" : "", answered);
  return usable;
}

Result<AnswerEnd> Api::Asking::attempt() {
  try {
    return ask();
  } catch (const std::exception& error) {  // std::bad_alloc, say
    return fail(Code::exhausted, std::string("answering failed: ") + error.what());
  }
}

// What the connection and the threads that watch it know of this question, they know no longer.
void Api::Asking::unhand() {
  peer.http.on_stall = {};
  MutexLock lock(api.mutex_);
  peer.seen(api).asking = nullptr;
  peer.seen(api).deadline.reset();
}

// Whether the connection may be used again.
bool Api::Asking::finish(const Result<AnswerEnd>& answered) {
  if (!answered && !begun && !budget.over()) {
    return peer.http.reply(request, error_reply(status_of(answered.error().code), code_name(answered.error().code),
                                                answered.error().message));
  }
  AnswerEnd end;
  if (answered) {
    end = *answered;
  } else {
    end.records = lines;
    end.reason = answered.error().message;
  }
  incomplete = reason_of(end);
  if (!gone) take(to_json(end));
  send(true);
  return !gone && request.takes_chunks;
}

bool Api::Asking::take(std::string_view line) {
  pending.append(line);
  pending.push_back('\n');
  ++lines;
  if (pending.size() >= kLinesBytes || follows) send(false);
  return !gone;
}

void Api::Asking::send(bool last) {
  if (!std::exchange(begun, true)) gone = !peer.http.begin(request, "application/x-ndjson");
  if (!gone && !pending.empty()) gone = !peer.http.send(request, pending);
  pending.clear();
  if (!gone && last) gone = !peer.http.end(request);
  if (gone) budget.end("the asker went away");
}

// Of a follower whose reader stopped, and reads again: it waits for its turn before it reads on.
bool Api::Asking::keep_turn() {
  if (turn.is_held()) return true;
  auto entered = api.queue_.enter_again(budget.over());
  if (entered) turn = std::move(*entered);
  return entered.has_value();
}

// Its reader takes nothing: what can be had again is let go; after a while so is the reader.
bool Api::Asking::stalled(milliseconds waited) {
  if (budget.over()) return waited < kEndWait;
  if (budget.on_stall) budget.on_stall();
  if (follows) turn.leave();
  const auto most = follows ? kFollowerWait : HttpConnection::kWriteWait;
  if (waited < most) return true;
  budget.end("its reader took nothing for " + std::to_string(most.count() / 1000) + " s");
  return false;
}

Result<AnswerEnd> Api::Asking::ask() {
  auto& pipeline = *api.sources_.pipeline;
  // A search that reads much may need room for its answer and its audit record; what the operator needs stays.
  if (takes(query::Effort::scan) && pipeline.counters().disk_full) {
    return fail(Code::unavailable, "the disk is below its reserve: content is not searched until there is room again");
  }
  if (is_queued()) {
    auto entered = api.queue_.enter(budget.over());
    if (!entered && budget.over()) return fail(Code::exhausted, budget.why() + "; it still waited for its turn");
    if (!entered) return tl::unexpected(entered.error());
    turn = std::move(*entered);
  }
  if (follows) return answer_following();
  auto seen = YUSHI_TRY(view());
  return query::answer(
      permit, *seen, question, means, [this](std::string_view line) { return take(line); }, budget);
}

// On the committer's thread, so that all of the copy is signed: what is committed meanwhile waits.
Result<uint64_t> Api::Asking::back_up(const std::string& folder) {
  std::optional<Result<void>> made;
  YUSHI_TRY(api.sources_.pipeline->sign_all([&] { made = api.sources_.store->backup(folder); }));
  if (!made) return fail(Code::unavailable, "the daemon is stopping");
  YUSHI_TRY(*made);
  uint64_t records = 0;
  auto view = api.sources_.store->view();
  for (auto& log : YUSHI_TRY(view->logs()))
    if (auto head = view->head(log)) records += head->size;
  return records;
}

// Whoever may open the socket may ask all, but for these.
std::string Api::Asking::refusal_of(query::Right right) const {
  auto& may = api.may_see_secrets_;
  if (right == query::Right::secrets && std::find(may.begin(), may.end(), peer.user) == may.end())
    return peer.user + " may not see secrets; `api.secrets` in yushi.yaml names who may";
  // It is written as the daemon's user.
  if (right == query::Right::copy && peer.credentials.uid != 0 && peer.credentials.uid != ::geteuid())
    return "a backup is made for root and for the daemon's own user; you are " + peer.user;
  return {};
}

Result<std::shared_ptr<const storage::StoreView>> Api::Asking::view() {
  auto& sources = api.sources_;
  std::shared_ptr<const storage::StoreView> view;
  const auto signs = kind ? kind->signs : query::Signs::nothing;
  if (signs == query::Signs::together) {
    YUSHI_TRY(sources.pipeline->sign_all([&] {
      heads = storage::read_heads(sources.store->options().data_dir + "/heads");
      view = sources.store->view();
    }));
    if (!view) return fail(Code::unavailable, "the daemon is stopping");
    return view;
  }
  if (signs == query::Signs::newly) {
    YUSHI_TRY(sources.pipeline->sign_now());
  }
  return sources.store->view();
}

Result<query::EventReading> Api::Asking::event_reading() {
  auto loaded = api.sources_.pipeline->loaded();
  return query::EventReading{
      loaded->parsers, [loaded, &logs = api.sources_.store->options().logs](std::string_view log) {
        const auto at = static_cast<size_t>(std::find(logs.begin(), logs.end(), log) - logs.begin());
        return at < loaded->readings.size() ? loaded->readings[at].zone : Zone::utc();
      }};
}

// The same question again and again, over what has come since, in commit order.
Result<AnswerEnd> Api::Asking::answer_following() {
  query::Question next = question;
  const query::LineSink sink = [&](std::string_view line) { return take(line) && keep_turn(); };
  for (bool first = true;; first = false) {
    // Before the view: what is committed between the two ends the wait below at once.
    const auto commit = api.sources_.pipeline->wait_commit(UINT64_MAX, 0);
    auto view = api.sources_.store->view();
    auto answered = query::answer(permit, *view, next, means, sink, budget);
    // The end of a whole round is not that of the stream, which has none; one that misses something ends the stream.
    if (!answered || !answered->complete() || gone) return answered;
    // A misspelt field is told now, or never.
    if (first && !answered->notes.empty()) take(notes_to_json(answered->notes));
    turn.leave();
    auto logs = YUSHI_TRY(view->logs());
    std::string from;
    for (auto& log : logs) {
      if (auto head = view->head(log)) from += log + "=" + std::to_string(head->size) + ",";
    }
    view.reset();
    if (first) {
      send(false);
      tell("start", {});
      MutexLock lock(api.mutex_);
      peer.seen(api).deadline.reset();  // what follows has no end, and holds nothing while it waits
    }
    next.parameters["after"] = from;
    next.parameters.erase("limit");
    while (!budget.over() && api.sources_.pipeline->wait_commit(commit, 200) <= commit) {
    }
    keep_turn();
  }
}

void Api::Asking::tell(const char* type, const Result<AnswerEnd>& answered) {
  if (is_proof && answered) {
    peer.tell_proof(api, question.name);
    return;
  }
  auto record =
      peer.record_of("api-" + question.name.substr(0, question.name.find('/')), peer.user + " asked " + question.name);
  record.succeeded = answered.has_value();
  record.reason = !budget.why().empty() ? budget.why() : incomplete;
  if (*type) record.more_types.push_back(type);
  auto& asked = std::get<QuestionAsked>(record.about);
  if (auto tenant = question.parameters.find("tenant"); tenant != question.parameters.end())
    asked.tenant = tenant->second;
  asked.question = question.name;
  asked.parameters = {question.parameters.begin(), question.parameters.end()};
  asked.lines = lines;
  if (!answered) asked.error = answered.error().message;
  peer.tell(api, std::move(record));
  if (follows) peer.flush_told(api);  // its proofs came before it; what comes next may be days away
}

// ------------------------------------------------------------------------------------------- the thread that accepts

Api::Api(ingest::UnixListener listener, ingest::OwnedFd metrics, Sources sources, Limits limits,
         std::vector<std::string> may_see_secrets)
    : sources_(std::move(sources)),
      limits_(limits),
      may_see_secrets_(std::move(may_see_secrets)),
      pool_(limits.query_bytes, std::clamp(std::thread::hardware_concurrency(), 1u, 4u)),
      queue_({query::QueryPool::kQuestionsMax, kLocalConnectionsMax / 2}),
      listener_(std::move(listener)),
      metrics_(std::move(metrics)) {}

Api::~Api() { stop(); }

void Api::start() {
  thread_ = std::thread([this] { run(); });
}

void Api::run() {
  // Decoded blocks leave holes in the heap which ingest does not fill: they are given back when the last question has
  // gone.
  bool asked = false;
  auto trimmed = Clock::now();
  while (!stopping_) {
    std::vector<pollfd> waiting = {{listener_->fd(), POLLIN, 0}};
    if (metrics_) waiting.push_back({metrics_.get(), POLLIN, 0});
    const auto listeners = waiting.size();
    {
      MutexLock lock(mutex_);
      for (auto& peer : peers_) {
        const query::Budget* asking = peer->seen(*this).asking;
        if (asking && !asking->over()) waiting.push_back({peer->fd.get(), 0, 0});  // tells when it hangs up
      }
    }
    ::poll(waiting.data(), waiting.size(), static_cast<int>(kWatch.count()));
    reap();
    watch();
    const auto counts = queue_.counts();
    asked = asked || counts.running > 0;
    if (asked && counts.running + counts.waiting == 0 && Clock::now() - trimmed > kTrimEvery) {
      ::malloc_trim(0);
      asked = false;
      trimmed = Clock::now();
    }
    if (waiting[0].revents) accept(waiting[0].fd, true);
    if (listeners > 1 && waiting[1].revents) accept(waiting[1].fd, false);
  }
}

// Questions whose asker has gone, or whose time is over, end. A peer that only ended its own writing still reads.
void Api::watch() {
  MutexLock lock(mutex_);
  for (auto& peer : peers_) {
    const Peer::Seen& seen = peer->seen(*this);
    if (!seen.asking || seen.asking->over()) continue;
    pollfd hung_up{peer->fd.get(), 0, 0};
    if (::poll(&hung_up, 1, 0) > 0) seen.asking->end("the asker went away");
    if (seen.deadline && Clock::now() > *seen.deadline) {
      seen.asking->end("it took longer than limits.query_seconds allows, which is " +
                       std::to_string(limits_.query_time.count()) + " s");
    }
  }
}

void Api::accept(int listener, bool is_local) {
  int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {  // no descriptor to be had: the asker waits, and asking again at once would only burn the CPU
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) std::this_thread::sleep_for(kPauseWithoutDescriptors);
    return;
  }
  ingest::OwnedFd refused(fd);
  MutexLock lock(mutex_);
  size_t open = 0;
  Peer* silent = nullptr;
  for (auto& peer : peers_) {
    const Peer::Seen& seen = peer->seen(*this);
    if (peer->is_local != is_local || peer->done || seen.is_let_go) continue;
    ++open;
    if (seen.is_silent && (!silent || seen.since < silent->seen(*this).since)) silent = peer.get();
  }
  const bool full = open >= (is_local ? kLocalConnectionsMax : kTcpConnectionsMax);
  try {
    if (full && silent) {
      silent->seen(*this).is_let_go = true;
      silent->http.let_go("too many connections are open here, and this one has been silent for longest; ask again");
    }
    if (!full || silent) {
      auto& peer = *peers_.emplace_back(std::make_unique<Peer>(std::move(refused), is_local));
      try {
        peer.thread = std::thread([this, &peer] {
          try {
            peer.serve(*this);
          } catch (const std::exception&) {
            // No memory for this one.
          }
          try {
            peer.flush_told(*this);
          } catch (const std::exception&) {
          }
          ::shutdown(peer.fd.get(), SHUT_RDWR);
          peer.done = true;
        });
        return;
      } catch (const std::system_error&) {  // no thread to be had: this asker goes, collecting goes on
        refused = std::move(peer.fd);
        peers_.pop_back();
      }
    }
  } catch (const std::bad_alloc&) {
  }
  if (refused) HttpConnection(refused.get()).reply({}, too_many_connections());
}

void Api::reap() {
  std::list<std::unique_ptr<Peer>> over;
  {
    MutexLock lock(mutex_);
    for (auto peer = peers_.begin(); peer != peers_.end();) {
      auto next = std::next(peer);
      if ((*peer)->done) over.splice(over.end(), peers_, peer);
      peer = next;
    }
  }
  for (auto& peer : over) peer->thread.join();
}

void Api::stop() {
  if (!listener_) return;
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  listener_.reset();
  metrics_ = ingest::OwnedFd();
  const auto until = Clock::now() + kStopWait;
  for (bool left = true; left;) {
    reap();
    {
      MutexLock lock(mutex_);
      left = !peers_.empty();
      for (auto& peer : peers_) {
        if (auto* asking = peer->seen(*this).asking) asking->end("the daemon is stopping");
        ::shutdown(peer->fd.get(), Clock::now() < until ? SHUT_RD : SHUT_RDWR);
      }
    }
    if (left) std::this_thread::sleep_for(milliseconds(10));
  }
}

}  // namespace yushi::daemon
