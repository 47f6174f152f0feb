#include "forward/syslog/syslog.h"

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <chrono>

#include "core/base/time_text.h"
#include "forward/route/link.h"

namespace yushi::forward {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using Clock = std::chrono::steady_clock;

constexpr auto kAcknowledgedWithin = std::chrono::seconds(15);
constexpr auto kRefusedWithin = std::chrono::milliseconds(50);
constexpr size_t kDatagramBytesMax = 60'000;
constexpr unsigned kFacility = 13;

class StreamCourier final : public Courier {
 public:
  StreamCourier(const LinkSettings& settings, std::string node) : settings_(settings), node_(std::move(node)) {}

  void begin(const Letter& letter) override {
    if (link_) link_->serve(0);
    if (!link_ || !link_->trouble().empty() || link_->has_ended()) link_ = std::make_unique<Link>(settings_);
    std::string frames;
    for (auto& item : letter.items) {
      const auto message = syslog_message(item, letter.is_brief, node_);
      frames += std::to_string(message.size()) + " " + message;
    }
    link_->write(std::move(frames));
    until_ = Clock::now() + kAcknowledgedWithin;
  }

  std::optional<Fate> serve(int milliseconds) override {
    link_->serve(milliseconds);
    link_->forget();
    const auto kind = link_->is_open() ? Fate::Kind::failed : Fate::Kind::away;
    std::string words = link_->trouble();
    if (words.empty() && link_->has_ended()) words = settings_.host + " ended the connection";
    if (words.empty() && link_->is_acknowledged()) return Fate{Fate::Kind::taken, ""};
    if (words.empty() && Clock::now() >= until_) words = settings_.host + " acknowledged nothing within 15 s";
    if (words.empty()) return std::nullopt;
    link_.reset();
    return Fate{kind, words};
  }

  void give_up() override { link_.reset(); }
  bool is_there(int milliseconds) override {
    if (link_) link_->serve(0);
    return (link_ && link_->is_open() && link_->trouble().empty() && !link_->has_ended()) ||
           link_opens(settings_, milliseconds);
  }

 private:
  const LinkSettings settings_;
  const std::string node_;
  std::unique_ptr<Link> link_;
  Clock::time_point until_{};
};

class DatagramCourier final : public Courier {
 public:
  DatagramCourier(const LinkSettings& settings, std::string node) : settings_(settings), node_(std::move(node)) {}

  void begin(const Letter& letter) override {
    error_ = {};
    if (!socket_) open();
    for (auto& item : letter.items) {
      if (error_) break;
      const bool is_brief = letter.is_brief || item.json.size() > kDatagramBytesMax;
      socket_->send(asio::buffer(syslog_message(item, is_brief, node_)), 0, error_);
    }
    settled_ = Clock::now() + kRefusedWithin;
  }

  // A port that nobody listens at is told a moment later, if at all.
  std::optional<Fate> serve(int milliseconds) override {
    if (!error_ && Clock::now() < settled_) {
      timespec time{0, milliseconds * 1'000'000L};
      ::nanosleep(&time, nullptr);
      return std::nullopt;
    }
    if (!error_) {
      int pending = 0;
      socklen_t bytes = sizeof pending;
      ::getsockopt(socket_->native_handle(), SOL_SOCKET, SO_ERROR, &pending, &bytes);
      if (pending != 0) error_ = {pending, boost::system::system_category()};
    }
    if (!error_) return Fate{Fate::Kind::taken, ""};
    socket_.reset();
    return Fate{Fate::Kind::away, settings_.host + ":" + settings_.port + ": " + error_.message()};
  }

  void give_up() override { socket_.reset(); }
  bool is_there(int) override {
    error_ = {};
    if (!socket_) open();
    return !error_;
  }

 private:
  void open() {
    udp::resolver resolver(io_);
    const auto found = resolver.resolve(settings_.host, settings_.port, error_);
    if (error_) return;
    socket_.emplace(io_);
    socket_->connect(found.begin()->endpoint(), error_);
    if (error_) socket_.reset();
  }

  const LinkSettings settings_;
  const std::string node_;
  asio::io_context io_;
  std::optional<udp::socket> socket_;
  boost::system::error_code error_;
  Clock::time_point settled_{};
};

class SyslogConfig final : public RouteConfig {
 public:
  SyslogConfig() : RouteConfig("syslog") { letters_a_minute = 0; }
  std::unique_ptr<Courier> make_courier(const std::string& node) const override {
    if (is_udp) return std::make_unique<DatagramCourier>(link, node);
    return std::make_unique<StreamCourier>(link, node);
  }
  LinkSettings link;
  bool is_udp = false;
};

unsigned syslog_severity(Severity severity) {
  constexpr unsigned kOf[] = {6, 5, 4, 3, 2};  // informational, notice, warning, error, critical
  return kOf[static_cast<size_t>(severity)];
}

}  // namespace

std::string syslog_message(const Letter::Item& item, bool is_brief, const std::string& node) {
  std::string out = "<" + std::to_string(kFacility * 8 + syslog_severity(item.alert->severity)) + ">1 " +
                    utc_text(item.alert->raised_ns / 1000 * 1000) + " " + node + " yushid - alert - ";
  if (is_brief)
    out +=
        "{\"event\":{\"kind\":\"alert\"},\"yushi\":{\"alert\":{\"id\":\"" + item.alert->id + "\"},\"truncated\":true}}";
  else
    out += item.json;
  return out;
}

std::unique_ptr<ForwarderConfig> read_syslog(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<SyslogConfig>();
  std::string transport = "tcp";
  auto readers = route_keys(walk, *config);
  readers.erase("per_minute");  // whoever takes syslog takes all of it
  readers.erase("lang");        // an alert's JSON says all in both
  readers.merge(std::map<std::string, Walk::Reader>{
      {"address",
       [&](const YAML::Node& given) {
         std::string address;
         walk.text("forward.address", address)(given);
         const auto colon = address.rfind(':');
         auto host = address.substr(0, colon);
         if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
         const auto port = colon == address.npos ? "" : address.substr(colon + 1);
         const bool has_port = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
         if (host.empty() || !has_port)
           return walk.problem(given, "forward.address: must be host:port, as in \"siem.gov.example:6514\"");
         config->link.host = host;
         config->link.port = port;
       }},
      {"transport", walk.text("forward.transport", transport, {"tcp", "tls", "udp"})},
      {"tls", link_tls(walk, config->link)}});
  walk.map(node, "forward.", readers);
  check_route(walk, node);
  config->link.tls = transport == "tls";
  config->is_udp = transport == "udp";
  if (node["tls"] && transport != "tls")
    walk.problem(node["tls"], "forward.tls: is for transport: tls; set that, or remove the line");
  if (!node["address"]) walk.problem(node, "forward.address: missing, as in \"siem.gov.example:6514\"");
  return config;
}

}  // namespace yushi::forward
