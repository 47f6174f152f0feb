#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/base/calendar.h"
#include "core/base/display.h"

namespace yushi::cli {

namespace {

// Of "CST-8" or "<+08>-8" the name that IANA has for it: both count hours west of Greenwich. Nothing for other forms,
// those with summer time among them.
std::string name_of_posix_zone(std::string_view text) {
  auto letters = text.starts_with("<") ? text.find('>') + 1 : text.find_first_of("+-0123456789");
  if (letters < 3 || letters >= text.size()) return {};
  if (text[0] != '<' && text.find_first_of(":/_") < letters) return {};
  text.remove_prefix(letters);
  char sign = '+';
  if (text[0] == '+' || text[0] == '-') {
    sign = text[0];
    text.remove_prefix(1);
  }
  int hours = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc() || hours < 0 || (!rest.empty() && rest != ":00")) return {};
  return hours == 0 ? "UTC" : std::string("Etc/GMT") + sign + std::to_string(hours);
}

}  // namespace

std::shared_ptr<const Zone> local_zone() {
  auto named = [](std::string_view name) -> std::shared_ptr<const Zone> {
    while (!name.empty() && name[0] == ':') name.remove_prefix(1);
    constexpr std::string_view kFolder = "zoneinfo/";
    if (auto at = name.rfind(kFolder); at != name.npos) name.remove_prefix(at + kFolder.size());
    if (name.empty()) return nullptr;
    auto zone = Zone::find(name);
    return zone ? *zone : nullptr;
  };
  // TZ=:/etc/localtime names no zone but the file that does.
  if (auto* variable = std::getenv("TZ");
      variable && *variable && !std::string_view(variable).ends_with("/etc/localtime")) {
    if (auto zone = named(variable)) return zone;
    if (auto zone = named(name_of_posix_zone(variable))) return zone;
    static bool said = false;
    if (!std::exchange(said, true)) {
      std::string text = "yushi: TZ=";
      append_printable(text, variable);
      text += " is no IANA zone name, as Asia/Shanghai is one; times are in UTC\n";
      std::fwrite(text.data(), 1, text.size(), stderr);
    }
    return Zone::utc();
  }
  std::error_code failed;
  auto link = std::filesystem::read_symlink("/etc/localtime", failed);
  if (!failed) {
    if (auto zone = named(link.string())) return zone;
  }
  std::ifstream file("/etc/timezone");
  std::string line;
  if (std::getline(file, line)) {
    if (auto zone = named(line)) return zone;
  }
  return Zone::utc();
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string local_time_text(int64_t unix_ns, const Zone& zone, bool with_milliseconds) {
  int64_t seconds = floor_div(unix_ns, kSecond);
  auto milliseconds = static_cast<int>((unix_ns - seconds * kSecond) / 1'000'000);
  int64_t local = seconds + zone.offset_seconds_at(seconds);
  int64_t days = floor_div(local, kDaySeconds);
  auto date = civil_from_days(days);
  auto second = static_cast<int>(local - days * kDaySeconds);
  char text[48];
  int bytes = std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", date.year, date.month, date.day,
                            second / 3600, second / 60 % 60, second % 60);
  std::string out(text, static_cast<size_t>(bytes));
  if (with_milliseconds) {
    bytes = std::snprintf(text, sizeof text, ".%03d", milliseconds);
    out.append(text, static_cast<size_t>(bytes));
  }
  return out;
}

std::string local_time_text(std::string_view rfc3339, const Zone& zone, bool with_milliseconds) {
  auto time = parse_time(rfc3339, 0, *Zone::utc());
  return time ? local_time_text(time->unix_ns, zone, with_milliseconds) : std::string(rfc3339);
}

}  // namespace yushi::cli
