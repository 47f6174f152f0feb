#include "forward/mail/mail.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>

#include "core/base/clock.h"
#include "core/base/display.h"
#include "core/base/text.h"
#include "forward/route/words.h"

namespace yushi::forward {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kCommandMax = std::chrono::seconds(60);
constexpr size_t kTextBytesMax = 64 << 10;
constexpr size_t kWordBytesMax = 45;  // 60 of base64, and 12 around them
constexpr size_t kLineBytes = 57;     // 76 of base64

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](size_t i) { return at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u; };
    const uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t i = 0; i < 4; ++i) out += at + i > bytes.size() ? '=' : kDigits[three >> (18 - 6 * i) & 63];
  }
  return out;
}

// "Mon, 23 Nov 2026 02:33:11 +0000", whatever the locale.
std::string mail_date(int64_t unix_ns) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = static_cast<time_t>(unix_ns / 1'000'000'000);
  tm utc{};
  ::gmtime_r(&seconds, &utc);
  char out[64];
  ::snprintf(out, sizeof out, "%s, %02d %s %d %02d:%02d:%02d +0000", kDays[utc.tm_wday], utc.tm_mday,
             kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return out;
}

// A file in memory: a command reads its standard input from it, so nobody has to feed a pipe.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("mail", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  MemoryFile(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(fd_, bytes.data(), bytes.size());
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return ::lseek(fd_, 0, SEEK_SET) == 0;
  }
  std::string beginning() const {
    char bytes[400];
    const auto got = ::pread(fd_, bytes, sizeof bytes, 0);
    std::string out;
    append_printable(out, std::string_view(bytes, static_cast<size_t>(std::max<ssize_t>(got, 0))), 200);
    return out;
  }

 private:
  const int fd_;
};

struct MailSettings {
  std::vector<std::string> command;
  std::string from;
  std::vector<std::string> to;
};

class Mail final : public Courier {
 public:
  Mail(const MailSettings& settings, std::string node) : settings_(settings), node_(std::move(node)) {}
  ~Mail() override { give_up(); }

  void begin(const Letter& letter) override {
    give_up();
    trouble_.clear();
    said_ = std::make_unique<MemoryFile>();
    MemoryFile message;
    const auto from = settings_.from.empty() ? "yushi@" + node_ : settings_.from;
    if (!message.write(mail_message(letter, from, settings_.to, node_, realtime_ns())) || said_->fd() < 0)
      return void(trouble_ = std::string("no memory for the message: ") + std::strerror(errno));
    spawn(message.fd());
    until_ = Clock::now() + kCommandMax;
  }

  std::optional<Fate> serve(int milliseconds) override {
    if (!trouble_.empty()) return Fate{Fate::Kind::away, trouble_};
    int status = 0;
    const auto ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == 0 && Clock::now() < until_) {
      ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
      return std::nullopt;
    }
    if (ended == 0) {
      give_up();
      return Fate{Fate::Kind::failed, settings_.command[0] + " did not end within 60 s"};
    }
    pid_ = 0;
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return Fate{Fate::Kind::taken, ""};
    const auto said = said_->beginning();
    return Fate{Fate::Kind::failed,
                settings_.command[0] +
                    (WIFEXITED(status) ? " ended " + std::to_string(WEXITSTATUS(status))
                                       : " was killed by signal " + std::to_string(WTERMSIG(status))) +
                    (said.empty() ? "" : ": " + said)};
  }

  // With what it has started itself.
  void give_up() override {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

  bool is_there(int) override { return ::access(settings_.command[0].c_str(), X_OK) == 0; }

 private:
  // It has nothing of ours: no open file, no environment, no signal that we hold back.
  void spawn(int input) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&files, input, 0);
    ::posix_spawn_file_actions_adddup2(&files, said_->fd(), 1);
    ::posix_spawn_file_actions_adddup2(&files, said_->fd(), 2);
    ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments;
    auto command = settings_.command;
    for (auto& each : command) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
    char* environment[] = {path, locale, nullptr};
    const int error = ::posix_spawn(&pid_, command[0].c_str(), &files, &attributes, arguments.data(), environment);
    if (error != 0) pid_ = 0, trouble_ = command[0] + ": " + std::strerror(error);
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }

  const MailSettings settings_;
  const std::string node_;
  pid_t pid_ = 0;  // 0: nothing is under way
  std::unique_ptr<MemoryFile> said_;
  std::string trouble_;
  Clock::time_point until_{};
};

class MailConfig final : public RouteConfig {
 public:
  MailConfig() : RouteConfig("mail") {}
  std::unique_ptr<Courier> make_courier(const std::string& node) const override {
    return std::make_unique<Mail>(settings, node);
  }
  MailSettings settings;
};

// "a@b" or "Name <a@b>": what can stand in a header as it is.
bool is_mail_address(const std::string& text) {
  return text.find('@') != text.npos && text.find(',') == text.npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::string mail_header(std::string_view name, std::string_view text) {
  std::string out(name);
  out += ':';
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }) &&
      name.size() + text.size() < 76 && text.find("=?") == text.npos) {
    out += ' ';
    out += text;
    return out + "\n";
  }
  for (size_t at = 0; at < text.size();) {
    size_t bytes = 0;
    while (at + bytes < text.size()) {
      const size_t next = std::max<size_t>(decode_utf8(text, at + bytes).length, 1);
      if (bytes + next > kWordBytesMax) break;
      bytes += next;
    }
    out += (at == 0 ? " =?UTF-8?B?" : "\n =?UTF-8?B?") + base64(text.substr(at, bytes)) + "?=";
    at += bytes;
  }
  return out + "\n";
}

std::string mail_message(const Letter& letter, const std::string& from, const std::vector<std::string>& to,
                         const std::string& node, int64_t now_ns) {
  std::string out = "From: " + from + "\n";
  for (auto& each : to) out += (&each == &to.front() ? "To: " : ",\n ") + each;
  out += "\n" + mail_header("Subject", subject_of(letter));
  out += "Date: " + mail_date(now_ns) + "\n";
  out +=
      "Message-ID: <" + letter.items.front().alert->id + "." + std::to_string(letter.items.size()) + "@" + node + ">\n";
  out +=
      "Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
      "Content-Transfer-Encoding: base64\n\n";
  const auto text = text_of(letter, kTextBytesMax);
  for (size_t at = 0; at < text.size(); at += kLineBytes)
    out += base64(std::string_view(text).substr(at, kLineBytes)) + "\n";
  return out;
}

std::unique_ptr<ForwarderConfig> read_mail(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<MailConfig>();
  auto& settings = config->settings;
  auto readers = route_keys(walk, *config);
  readers.merge(std::map<std::string, Walk::Reader>{
      {"command",
       [&](const YAML::Node& given) {
         walk.texts("forward.command", settings.command)(given);
         if (!settings.command.empty() && !settings.command[0].starts_with('/'))
           walk.problem(given[0], "forward.command: \"" + settings.command[0] + "\" must be an absolute path");
       }},
      {"from",
       [&](const YAML::Node& given) {
         walk.text("forward.from", settings.from)(given);
         if (!settings.from.empty() && !is_mail_address(settings.from))
           walk.problem(given, "forward.from: must be one address in ASCII, as in \"yushi@gov.example\"");
       }},
      {"to", [&](const YAML::Node& given) {
         walk.texts("forward.to", settings.to)(given);
         for (size_t i = 0; i < settings.to.size(); ++i)
           if (!is_mail_address(settings.to[i]))
             walk.problem(given[i], "forward.to: must be addresses in ASCII, each an item of the list");
       }}});
  walk.map(node, "forward.", readers);
  check_route(walk, node);
  if (settings.command.empty())
    walk.problem(node, "forward.command: missing, as in [/usr/sbin/sendmail, -t]: a program and its arguments");
  if (settings.to.empty()) walk.problem(node, "forward.to: missing, as in [auditors@gov.example]");
  return config;
}

}  // namespace yushi::forward
