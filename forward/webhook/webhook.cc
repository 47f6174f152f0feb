#include "forward/webhook/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/display.h"
#include "core/record/ecs_object.h"
#include "forward/route/words.h"

namespace yushi::forward {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr auto kAnswerMax = std::chrono::seconds(15);
constexpr size_t kSecretBytesMax = 8 << 10;
constexpr std::string_view kText = "{text}";

const WebhookFormat kFormats[] = {
    {"json", "", "", ""},
    {"dingtalk", R"({"msgtype":"text","text":{"content":)", "}}", "errcode"},
    {"wecom", R"({"msgtype":"text","text":{"content":)", "}}", "errcode", 2048},
    {"feishu", R"({"msg_type":"text","content":{"text":)", "}}", "code"},
    {"slack", R"({"text":)", "}", ""},
};

std::string hmac_base64(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest, &size);
  unsigned char out[2 * EVP_MAX_MD_SIZE];
  return {reinterpret_cast<char*>(out), static_cast<size_t>(EVP_EncodeBlock(out, digest, static_cast<int>(size)))};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Chats read commands in a text, as Slack's <!channel> and Feishu's <at user_id="all">: a stranger's log line gives
// none.
std::string tamed(std::string text, std::string_view format) {
  if (format == "slack") return replaced(replaced(replaced(std::move(text), "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
  if (format == "feishu") return replaced(std::move(text), "<", "＜");
  return text;
}

std::string json_of(const Letter& letter, const std::string& node) {
  std::string out = "{\"node\":";
  append_json_string(out, node);
  out += ",\"alerts\":[";
  for (auto& [alert, json] : letter.items) {
    if (out.back() != '[') out += ',';
    if (!letter.is_brief) {
      out += json;
      continue;
    }
    out += R"({"event":{"kind":"alert"},"yushi":{"alert":{"id":)";
    append_json_string(out, alert->id);
    out += R"(,"severity":)";
    append_json_string(out, severity_text(alert->severity));
    out += R"(},"truncated":true}})";
  }
  return out + "]}";
}

// The first line of a small file.
Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string out(kSecretBytesMax, '\0');
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (file.bad() || out.empty()) return fail(Code::invalid, path + " cannot be read, or is empty");
  out.resize(std::min(out.find_first_of("\r\n"), out.size()));
  const bool is_printable = std::all_of(out.begin(), out.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (out.empty() || !is_printable)
    return fail(Code::invalid, path + ": its first line must be printable ASCII without blanks");
  return out;
}

struct WebhookSettings {
  std::string name;
  std::string url, url_file, token_file, secret_file;
  LinkSettings tls;
  WebhookFormat format = kFormats[0];
};

class Webhook final : public Courier {
 public:
  Webhook(const WebhookSettings& settings, std::string node) : settings_(settings), node_(std::move(node)) {}

  void begin(const Letter& letter) override {
    give_up();
    answer_.emplace();
    answer_->eager(true);
    answer_->body_limit(64 << 10);
    answer_->header_limit(16 << 10);
    until_ = Clock::now() + kAnswerMax;
    auto target = target_now();
    if (!target) return void(trouble_ = target.error().message);
    std::string token, secret;
    for (auto [path, out] : {std::pair{&settings_.token_file, &token}, {&settings_.secret_file, &secret}}) {
      if (path->empty()) continue;
      auto read = read_secret(*path);
      if (!read) return void(trouble_ = read.error().message);
      *out = std::move(*read);
    }
    auto request = webhook_request(settings_.format, target->target, secret, letter, node_, realtime_ns());
    link_ = std::make_unique<Link>(target->link);
    link_->write("POST " + request.target + " HTTP/1.1\r\nHost: " + target->host +
                 "\r\nUser-Agent: yushid\r\nAccept: */*\r\nConnection: close\r\nContent-Type: application/json; "
                 "charset=utf-8\r\nContent-Length: " +
                 std::to_string(request.body.size()) + (token.empty() ? "" : "\r\nAuthorization: Bearer " + token) +
                 "\r\n\r\n" + request.body);
  }

  std::optional<Fate> serve(int milliseconds) override {
    auto fate = go_on(milliseconds);
    if (fate) give_up();
    return fate;
  }

  void give_up() override {
    link_.reset();
    answer_.reset();
    unread_.clear();
    trouble_.clear();
  }

  bool is_there(int milliseconds) override {
    auto target = target_now();
    return target && link_opens(target->link, milliseconds);
  }

 private:
  // The file is read each time: a token may be changed.
  Result<WebhookTarget> target_now() const {
    if (settings_.url_file.empty()) return webhook_target(settings_.url, settings_.tls);
    auto url = YUSHI_TRY(read_secret(settings_.url_file));
    return webhook_target(url, settings_.tls);
  }

  std::optional<Fate> go_on(int milliseconds) {
    if (!trouble_.empty()) return Fate{Fate::Kind::failed, trouble_};
    link_->serve(milliseconds);
    unread_ += link_->received();
    link_->forget();
    boost::system::error_code error;
    while (!answer_->is_done() && !unread_.empty()) {
      const size_t used = answer_->put(boost::asio::buffer(unread_), error);
      unread_.erase(0, used);
      if (error == http::error::need_more) error = {};
      if (error) return Fate{Fate::Kind::failed, "the answer is no HTTP: " + error.message()};
      if (used == 0) break;
    }
    if (!answer_->is_done() && link_->has_ended() && answer_->is_header_done()) answer_->put_eof(error);
    if (answer_->is_done() && !error) {
      auto& said = answer_->get();
      const unsigned status = said.result_int();
      auto words = webhook_refusal(settings_.format, status, said.body());
      if (words.empty()) return Fate{Fate::Kind::taken, ""};
      // It may be this letter's fault: a wall that sees an attack in it answers 403, a chat 200 and a code.
      const bool refused =
          status < 300 || status == 400 || status == 403 || status == 406 || status == 413 || status == 422;
      return Fate{refused ? Fate::Kind::refused : Fate::Kind::failed, words};
    }
    if (!link_->trouble().empty())
      return Fate{link_->is_open() ? Fate::Kind::failed : Fate::Kind::away, link_->trouble()};
    if (link_->has_ended()) return Fate{Fate::Kind::failed, "the connection ended without an answer"};
    if (Clock::now() >= until_)
      return Fate{link_->is_open() ? Fate::Kind::failed : Fate::Kind::away, "no answer within 15 s"};
    return std::nullopt;
  }

  const WebhookSettings settings_;
  const std::string node_;
  std::unique_ptr<Link> link_;
  std::optional<http::response_parser<http::string_body>> answer_;
  std::string unread_;   // of the answer
  std::string trouble_;  // why there is no link
  Clock::time_point until_{};
};

class WebhookConfig final : public RouteConfig {
 public:
  WebhookConfig() : RouteConfig("webhook") {}
  std::unique_ptr<Courier> make_courier(const std::string& node) const override {
    return std::make_unique<Webhook>(settings, node);
  }
  WebhookSettings settings;
};

Walk::Reader secret_file(Walk& walk, std::string where, std::string& out) {
  return [&walk, where, &out](const YAML::Node& node) {
    walk.path(where, out)(node);
    if (out.empty()) return;
    if (auto read = read_secret(out); !read) walk.problem(node, where + ": " + read.error().message);
  };
}

}  // namespace

Result<WebhookTarget> webhook_target(std::string_view url, const LinkSettings& tls) {
  WebhookTarget out;
  out.link = tls;
  const bool is_https = url.starts_with("https://");
  // What it is stands in no message: a chat's URL is its password.
  if (!is_https && !url.starts_with("http://")) return fail(Code::invalid, "it must begin with https:// or http://");
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c <= '~'; }))
    return fail(Code::invalid, "it must be printable ASCII without blanks");
  url.remove_prefix(url.find("//") + 2);
  url = url.substr(0, url.find('#'));
  const auto authority = url.substr(0, url.find_first_of("/?"));
  out.target = url.substr(authority.size());
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  out.host = authority;
  out.link.tls = is_https;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && (bracket == authority.npos || colon > bracket);
  auto host = authority.substr(0, has_port ? colon : authority.npos);
  out.link.port = has_port ? authority.substr(colon + 1) : is_https ? "443" : "80";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  out.link.host = host;
  const bool has_digits = !out.link.port.empty() && out.link.port.size() <= 5 &&
                          out.link.port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || host.find('@') != host.npos || !has_digits)
    return fail(Code::invalid, "its host must be a name or an address, with a port perhaps");
  return out;
}

const WebhookFormat* webhook_format(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](auto& each) { return each.name == name; });
  return found == std::end(kFormats) ? nullptr : found;
}

WebhookRequest webhook_request(const WebhookFormat& format, std::string_view target, std::string_view secret,
                               const Letter& letter, const std::string& node, int64_t now_ns) {
  WebhookRequest out{std::string(target), ""};
  if (format.before.empty()) {
    out.body = json_of(letter, node);
    return out;
  }
  out.body = format.before;
  append_json_string(out.body, tamed(text_of(letter, format.text_bytes_max), format.name));
  out.body += format.after;
  if (secret.empty()) return out;
  const bool is_dingtalk = format.name == "dingtalk";
  const auto time = std::to_string(now_ns / (is_dingtalk ? 1'000'000 : 1'000'000'000));
  const auto signed_text = time + "\n" + std::string(secret);
  if (is_dingtalk)
    out.target += (out.target.find('?') == std::string::npos ? "?timestamp=" : "&timestamp=") + time +
                  "&sign=" + percent_encoded(hmac_base64(secret, signed_text));
  else
    out.body.insert(1, "\"timestamp\":\"" + time + "\",\"sign\":\"" + hmac_base64(signed_text, "") + "\",");
  return out;
}

std::string webhook_refusal(const WebhookFormat& format, unsigned status, std::string_view body) {
  std::string said;
  append_printable(said, body.substr(0, 400), 200);
  if (status < 200 || status > 299) return "answered " + std::to_string(status) + (said.empty() ? "" : ": " + said);
  if (format.code.empty()) return "";
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto code = json.is_object() ? json.find(format.code) : json.end();
  // An older Feishu says StatusCode.
  const auto old_code = json.is_object() && format.name == "feishu" ? json.find("StatusCode") : json.end();
  const bool taken =
      json.is_object() && ((code != json.end() && *code == 0) || (old_code != json.end() && *old_code == 0));
  return taken ? "" : "answered " + said;
}

std::unique_ptr<ForwarderConfig> read_webhook(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<WebhookConfig>();
  auto& settings = config->settings;
  auto readers = route_keys(walk, *config);
  std::string format;
  readers.merge(std::map<std::string, Walk::Reader>{
      {"url",
       [&](const YAML::Node& given) {
         walk.text("forward.url", settings.url)(given);
         if (settings.url.empty()) return;
         if (auto target = webhook_target(settings.url, {}); !target)
           walk.problem(given, "forward.url: " + target.error().message);
       }},
      {"url_file",
       [&](const YAML::Node& given) {
         secret_file(walk, "forward.url_file", settings.url_file)(given);
         auto url = read_secret(settings.url_file);
         if (!url) return;  // told already
         if (auto target = webhook_target(*url, {}); !target)
           walk.problem(given, "forward.url_file: what stands in it: " + target.error().message);
       }},
      {"token_file", secret_file(walk, "forward.token_file", settings.token_file)},
      {"secret_file", secret_file(walk, "forward.secret_file", settings.secret_file)},
      {"tls", link_tls(walk, settings.tls)},
      {"format",
       [&](const YAML::Node& given) {
         std::set<std::string> known;
         for (auto& each : kFormats) known.emplace(each.name);
         walk.text("forward.format", format, known)(given);
         if (auto* found = webhook_format(format)) settings.format = *found;
       }},
      {"template", [&](const YAML::Node& given) {
         std::string text;
         walk.text("forward.template", text)(given);
         const auto at = text.find(kText);
         if (at == text.npos || !nlohmann::json::accept(replaced(text, kText, "\"\"")))
           return walk.problem(given,
                               "forward.template: must be JSON in which {text} stands for a text, without quotes "
                               "of its own, as in {\"message\": {text}}");
         settings.format = {"template", text.substr(0, at), text.substr(at + kText.size()), ""};
       }}});
  walk.map(node, "forward.", readers);
  check_route(walk, node);
  if (node.IsMap() && node["url"].IsDefined() == node["url_file"].IsDefined())
    walk.problem(node, "forward.url: give url, or url_file with the URL in its first line");
  if (node.IsMap() && node["template"].IsDefined() && !format.empty())
    walk.problem(node["template"], "forward.template: is for what no format fits; remove format or template");
  if (!settings.secret_file.empty() && format != "dingtalk" && format != "feishu")
    walk.problem(node["secret_file"], "forward.secret_file: only the formats dingtalk and feishu sign with it");
  return config;
}

}  // namespace yushi::forward
