#include "daemon/api.h"

#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

namespace yushi {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Socket = boost::asio::local::stream_protocol::socket;

constexpr size_t kConnectionsMax = 64;
constexpr size_t kLinesBytes = 64 << 10;  // of an answer sent at once
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{100};

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

struct Target {
  Question question;
  std::string problem;  // the first one; the rest of the target is not read
};

Target parse_target(std::string_view target) {
  Target parsed;
  const auto decode = [&](std::string_view text) {
    auto decoded = percent_decoded(text);
    if (!decoded) {
      parsed.problem = "\"" + std::string(text) + "\": % needs two hexadecimal digits behind it; write %25 for % itself";
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

http::status status_of(Code code) {
  switch (code) {
    case Code::invalid: return http::status::bad_request;
    case Code::not_found: return http::status::not_found;
    case Code::refused: return http::status::forbidden;
    case Code::exhausted:
    case Code::unavailable: return http::status::service_unavailable;
    case Code::corrupt:
    case Code::io: return http::status::internal_server_error;
  }
  return http::status::internal_server_error;
}

const char* code_name(Code code) {
  constexpr const char* kNames[] = {"invalid", "not_found", "refused", "corrupt", "exhausted", "unavailable", "io"};
  return kNames[static_cast<size_t>(code)];
}

}  // namespace

struct Api::Connection {
  Api& api;
  boost::asio::io_context context;
  Socket socket{context};
  std::string user;

  Connection(Api& owner, int fd) : api(owner) {
    socket.assign(boost::asio::local::stream_protocol(), fd);
    ucred credentials{};
    socklen_t size = sizeof credentials;
    ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    passwd entry;
    passwd* found = nullptr;
    char buffer[4096];
    ::getpwuid_r(credentials.uid, &entry, buffer, sizeof buffer, &found);
    user = found ? found->pw_name : std::to_string(credentials.uid);
  }

  void serve() {
    beast::flat_buffer buffer;
    beast::error_code error;
    while (!api.stopping_) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(64 << 10);
      parser.body_limit(1 << 20);
      http::read(socket, buffer, parser, error);
      if (error) return;
      api.requests_ += 1;
      auto request = parser.release();
      if (!answer_request(request) || !request.keep_alive()) return;
    }
  }

  bool reply(http::status status, std::string_view type, std::string body, bool keep_alive, bool without_body = false) {
    http::response<http::string_body> response(status, 11);
    response.set(http::field::content_type, type);
    if (status == http::status::method_not_allowed) response.set(http::field::allow, "GET");
    response.keep_alive(keep_alive);
    response.body() = std::move(body);
    response.prepare_payload();
    beast::error_code error;
    http::response_serializer<http::string_body> serializer(response);
    serializer.split(without_body);
    if (without_body) {
      http::write_header(socket, serializer, error);
    } else {
      http::write(socket, serializer, error);
    }
    return !error;
  }

  void audit(const Question& question, const std::string& outcome, const std::string& problem, uint64_t lines) {
    nlohmann::ordered_json record;
    record["message"] = user + " asked " + question.name;
    record["event"] = {{"kind", "event"}, {"category", {"database"}}, {"type", {"access"}}, {"provider", "yushid"},
                       {"action", "api-" + question.name.substr(0, question.name.find('/'))}, {"outcome", outcome}};
    record["user"]["name"] = user;
    if (auto tenant = question.parameters.find("tenant"); tenant != question.parameters.end()) {
      record["yushi"]["tenant"] = tenant->second;
    }
    record["yushi"]["question"] = question.name;
    for (auto& [name, value] : question.parameters) record["yushi"]["parameters"][name] = value;
    record["yushi"]["lines"] = lines;
    if (!problem.empty()) record["error"]["message"] = problem;
    api.sources_.pipeline->tell(record.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  }

  bool answer_request(const http::request<http::string_body>& request) {
    auto target = std::string_view(request.target().data(), request.target().size());
    bool keep = request.keep_alive();
    bool head = request.method() == http::verb::head;
    auto say = [&](http::status status, std::string body, std::string_view type = "text/plain") {
      return reply(status, type, std::move(body), keep, head);
    };
    if (!head && request.method() != http::verb::get) {
      return say(http::status::method_not_allowed, "only GET is answered here\n");
    }
    constexpr std::string_view kPrefix = "/api/v1/";
    if (target.starts_with(kPrefix)) {
      if (head) return say(http::status::method_not_allowed, "");
      return answer_question(parse_target(target.substr(kPrefix.size())), keep);
    }
    auto [asked, problem] = parse_target(target);
    auto& path = asked.name;
    if (path != "/healthz" && path != "/readyz" && path != "/metrics") {
      return say(http::status::not_found, "no such endpoint\n");
    }
    if (problem.empty() && !asked.parameters.empty()) {
      problem = asked.parameters.begin()->first + ": unknown parameter; " + path + " has none";
    }
    if (!problem.empty()) return say(http::status::bad_request, problem + "\n");
    if (path == "/healthz") return say(http::status::ok, "ok\n");
    if (path == "/metrics") return say(http::status::ok, api.sources_.metrics(), "text/plain; version=0.0.4");
    bool full = api.sources_.pipeline->counters().disk_full;
    return full ? say(http::status::service_unavailable, "the disk is below its reserve\n") : say(http::status::ok, "ready\n");
  }

  bool answer_question(Target target, bool keep) {
    auto& question = target.question;
    bool begun = false, gone = false;
    uint64_t lines = 0;
    std::string pending;
    std::atomic<bool> cancelled{false};
    auto send = [&](bool last) {
      beast::error_code error;
      if (!begun) {
        constexpr std::string_view kHead =
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
        boost::asio::write(socket, boost::asio::buffer(kHead.data(), kHead.size()), error);
        begun = true;
      }
      if (!error && !pending.empty()) boost::asio::write(socket, http::make_chunk(boost::asio::buffer(pending)), error);
      pending.clear();
      if (!error && last) boost::asio::write(socket, http::make_chunk_last(), error);
      gone = gone || error.failed();
    };
    bool follow = question.parameters.contains("follow");
    auto sink = [&](std::string_view line) {
      pending.append(line);
      pending.push_back('\n');
      ++lines;
      if (pending.size() >= kLinesBytes || follow) send(false);
      if (gone || api.stopping_) cancelled = true;
      return !cancelled;
    };
    Result<void> answered = fail(Code::invalid, target.problem);
    if (target.problem.empty()) answered = ask(question, sink, cancelled);
    audit(question, answered ? "success" : "failure", answered ? "" : answered.error().message, lines);
    if (!answered && !begun) {
      nlohmann::ordered_json problem;
      problem["error"] = {{"code", code_name(answered.error().code)}, {"message", answered.error().message}};
      return reply(status_of(answered.error().code), "application/json",
                   problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", keep);
    }
    if (!answered) return false;  // without its last line the answer is incomplete, and the asker sees it
    send(true);
    return !gone && keep;
  }

  Result<void> ask(Question& question, const LineSink& sink, std::atomic<bool>& cancelled) {
    auto& sources = api.sources_;
    // A search that reads much may need room for its answer and its audit record; what the operator needs stays.
    bool about_content = question.name == "search" || question.name == "hist" || question.name.starts_with("alerts");
    if (about_content && sources.pipeline->counters().disk_full) {
      return fail(Code::unavailable, "the disk is below its reserve: content is not searched until there is room again");
    }
    if (question.name == "status") {
      if (!sink(sources.status())) return {};
    }
    if (question.name == "verify") {
      std::shared_ptr<const StoreView> view;
      auto signed_all = sources.pipeline->sign_all([&] { view = StoreView::of(*sources.store); });
      if (!signed_all) return signed_all;
      if (!view) return fail(Code::unavailable, "the daemon is stopping");
      return answer(*view, question, sink, cancelled);
    }
    if (question.name == "checkpoint") {
      if (auto signed_now = sources.pipeline->sign_now(); !signed_now) return signed_now;
    }
    bool follow = question.parameters.contains("follow");
    // The end of a whole round is not that of the stream, which has none; one that misses something ends the stream.
    bool ended = false;
    const LineSink round_sink = [&](std::string_view line) {
      if (line.starts_with("{\"yushi.end\":{\"complete\":true")) return true;
      ended = line.starts_with("{\"yushi.end\":");
      return sink(line);
    };
    while (true) {
      // Before the view: what is committed between the two ends the wait below at once.
      auto commit = sources.pipeline->wait_commit(UINT64_MAX, 0);
      auto view = StoreView::of(*sources.store);
      auto answered = answer(*view, question, follow ? round_sink : sink, cancelled);
      if (!answered || !follow || cancelled || ended) return answered;
      // Following: the same question again over what has come since, in commit order.
      std::string from;
      auto logs = view->logs();
      if (!logs) return tl::unexpected(logs.error());
      for (auto& log : *logs) {
        if (auto head = view->head(log)) from += log + "=" + std::to_string(head->size) + ",";
      }
      question.parameters["after"] = from;
      question.parameters.erase("limit");
      while (!cancelled && sources.pipeline->wait_commit(commit, 200) <= commit) {
        char byte;
        auto n = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || api.stopping_) cancelled = true;  // the asker went away
      }
      if (cancelled) return {};
    }
  }
};

Api::Api(UnixListener listener, Sources sources) : sources_(std::move(sources)), listener_(std::move(listener)) {}

Api::~Api() { stop(); }

void Api::start() {
  thread_ = std::thread([this] { accept(); });
}

void Api::accept() {
  while (!stopping_) {
    pollfd waiting{listener_->fd(), POLLIN, 0};
    if (::poll(&waiting, 1, 200) <= 0) continue;
    int fd = ::accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {  // no descriptor to be had: the asker waits, and asking again at once would only burn the CPU
      std::this_thread::sleep_for(kPauseWithoutDescriptors);
      continue;
    }
    {
      std::lock_guard lock(mutex_);
      if (open_.size() >= kConnectionsMax) {
        ::close(fd);
        continue;
      }
      open_.insert(fd);
    }
    try {
      std::thread([this, fd] { serve(fd); }).detach();
    } catch (const std::system_error&) {  // no thread to be had: this asker goes, collecting goes on
      std::lock_guard lock(mutex_);
      open_.erase(fd);
      ::close(fd);
    }
  }
}

void Api::serve(int fd) {
  try {
    Connection connection(*this, fd);
    connection.serve();
    std::lock_guard lock(mutex_);  // before the descriptor is closed and may name another socket
    open_.erase(fd);
  } catch (const std::exception&) {
    // Asio throws when the socket is gone already: the asker has left.
    std::lock_guard lock(mutex_);
    open_.erase(fd);
  }
}

void Api::stop() {
  if (!listener_) return;
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  listener_.reset();
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (open_.empty()) return;
      for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace yushi
