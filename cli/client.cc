#include "cli/client.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>

namespace yushi::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kErrorBytesMax = 1 << 20;
constexpr size_t kTargetBytesMax = 16 << 10;

void append_encoded(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                 c == '.' || c == '~' || c == '/';
    if (plain) {
      out.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
}

// A target for what is short; a form for what may be longer than a target.
http::request<http::string_body> request_of(const query::Question& question) {
  std::string target = "/api/v1/", form;
  append_encoded(target, question.name);
  for (auto& [name, value] : question.parameters) {
    if (!form.empty()) form.push_back('&');
    append_encoded(form, name);
    form.push_back('=');
    append_encoded(form, value);
  }
  const auto* kind = query::find_kind(question.name);
  const bool posts = form.size() > kTargetBytesMax || (kind && kind->acts);
  if (!posts && !form.empty()) target += "?" + form;
  http::request<http::string_body> request(posts ? http::verb::post : http::verb::get, target, 11);
  request.set(http::field::host, "yushi");
  if (posts) {
    request.set(http::field::content_type, "application/x-www-form-urlencoded");
    request.body() = std::move(form);
    request.prepare_payload();
  }
  return request;
}

Code code_of(std::string_view name) {
  constexpr std::string_view kNames[] = {"invalid",   "not_found",   "refused", "corrupt",
                                         "exhausted", "unavailable", "io"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<Code>(i);
  }
  return Code::io;
}

// Hands on the lines of an answer, and keeps its end.
class AnswerReader {
 public:
  explicit AnswerReader(const query::LineSink& sink) : sink_(sink) {}

  bool take(std::string_view line) {
    if (line.empty() || stopped_) return !stopped_;
    if (auto end = answer_end_of(line)) {
      end_ = std::move(end);
      return true;
    }
    stopped_ = !sink_(line);
    return !stopped_;
  }

  AnswerEnd finish() {
    if (end_ || stopped_) return std::move(end_).value_or(AnswerEnd());  // who stopped listening himself misses nothing
    AnswerEnd end;
    end.reason =
        "the answer broke off before its end: the daemon is gone, or it let go of a reader that took nothing for a "
        "while";
    return end;
  }

 private:
  const query::LineSink& sink_;
  std::optional<AnswerEnd> end_;
  bool stopped_ = false;
};

class Client : public Asker {
 public:
  explicit Client(std::string path) : path_(std::move(path)) {}

  Result<void> connect() {
    beast::error_code error;
    socket_.emplace(context_);
    buffer_.clear();
    if (path_.size() > 107) return fail(Code::invalid, "--server unix:" + path_ + ": longer than a socket path may be");
    socket_->connect(asio::local::stream_protocol::endpoint(path_), error);
    if (!error) return {};
    socket_.reset();
    const bool forbidden = error == asio::error::access_denied;
    return fail(Code::unavailable,
                "asking the daemon at " + path_ + ": " + error.message() +
                    (forbidden ? "; ask as the user of yushid, or as a member of its config's api.group"
                               : "; does yushid run there?"));
  }

  Result<AnswerEnd> ask(const query::Question& question, const query::LineSink& sink) override {
    bool reused = socket_.has_value();
    if (!reused) {
      YUSHI_TRY(connect());
    }
    const auto request = request_of(question);
    beast::error_code error;
    http::response_parser<http::buffer_body> parser;
    auto send = [&] {
      http::write(*socket_, request, error);
      if (!error) http::read_header(*socket_, buffer_, parser, error);
    };
    parser.body_limit(boost::none);
    send();
    if (error && reused) return ask_again(question, sink);
    if (error) {
      socket_.reset();
      return fail(Code::unavailable, "asking the daemon at " + path_ + ": " + error.message());
    }
    bool good = parser.get().result() == http::status::ok;
    AnswerReader reader(sink);
    std::string pending, problem;
    bool listening = true;
    std::array<char, kReadBytes> bytes;
    while (!parser.is_done() && listening) {
      parser.get().body().data = bytes.data();
      parser.get().body().size = bytes.size();
      parser.get().body().more = true;
      http::read_some(*socket_, buffer_, parser, error);
      if (error == http::error::need_buffer) error = {};
      std::string_view got(bytes.data(), bytes.size() - parser.get().body().size);
      if (good) {
        listening = take_lines(got, pending, reader);
      } else {
        problem.append(got.substr(0, kErrorBytesMax - std::min(kErrorBytesMax, problem.size())));
      }
      if (error) break;
    }
    if (error || !listening || !parser.get().keep_alive()) socket_.reset();
    if (good) return reader.finish();
    return tl::unexpected(read_problem(problem));
  }

 private:
  // The daemon closes connections that were idle while it stopped, or restarted.
  Result<AnswerEnd> ask_again(const query::Question& question, const query::LineSink& sink) {
    socket_.reset();
    return ask(question, sink);
  }

  static bool take_lines(std::string_view got, std::string& pending, AnswerReader& reader) {
    while (!got.empty()) {
      auto end = got.find('\n');
      if (end == got.npos) {
        pending.append(got);
        return true;
      }
      bool wanted;
      if (pending.empty()) {
        wanted = reader.take(got.substr(0, end));
      } else {
        pending.append(got.substr(0, end));
        wanted = reader.take(pending);
        pending.clear();
      }
      if (!wanted) return false;
      got.remove_prefix(end + 1);
    }
    return true;
  }

  Error read_problem(const std::string& body) const {
    auto parsed = nlohmann::json::parse(body, nullptr, false);
    if (parsed.is_object() && parsed.contains("error") && parsed["error"].is_object()) {
      auto& said = parsed["error"];
      auto code = said.find("code"), message = said.find("message");
      if (code != said.end() && code->is_string() && message != said.end() && message->is_string()) {
        return {code_of(code->get<std::string>()), message->get<std::string>()};
      }
    }
    return {Code::io, "the daemon at " + path_ + " answered what is no answer; is it yushid?"};
  }

  const std::string path_;
  asio::io_context context_{1};
  std::optional<asio::local::stream_protocol::socket> socket_;
  beast::flat_buffer buffer_;
};

}  // namespace

Result<std::unique_ptr<Asker>> make_client(const std::string& socket_path) {
  auto client = std::make_unique<Client>(socket_path);
  YUSHI_TRY(client->connect());
  return std::unique_ptr<Asker>(std::move(client));
}

}  // namespace yushi::cli
