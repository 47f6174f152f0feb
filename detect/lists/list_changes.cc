#include "detect/lists/list_changes.h"

namespace yushi::detect {
namespace {

constexpr size_t kTold = 50;

}  // namespace

std::set<std::string_view> lines_of(std::string_view text) {
  std::set<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string list_changes(std::string_view before, std::string_view now) {
  const auto old = lines_of(before), fresh = lines_of(now);
  std::string out;
  for (auto line : fresh)
    if (!old.contains(line)) out.append("+").append(line).append("\n");
  for (auto line : old)
    if (!fresh.contains(line)) out.append("-").append(line).append("\n");
  return out;
}

std::string with_list_changes(std::string_view before, std::string_view changes) {
  auto lines = lines_of(before);
  for (auto change : lines_of(changes)) {
    if (change.starts_with('+')) lines.insert(change.substr(1));
    if (change.starts_with('-')) lines.erase(change.substr(1));
  }
  std::string out;
  for (auto line : lines) out.append(line).append("\n");
  return out;
}

std::string tell_list_changes(std::string_view before, std::string_view now) {
  const auto old = lines_of(before), fresh = lines_of(now);
  std::string out;
  size_t told = 0;
  const auto say = [&](std::string_view line, const char* what) {
    if (++told > kTold) return;
    const size_t blank = line.find(' ');
    out += (out.empty() ? "" : "; ") + std::string(line.substr(0, blank)) + ": " +
           (blank == line.npos ? "" : std::string(line.substr(blank + 1))) + what;
  };
  for (auto line : fresh)
    if (!old.contains(line)) say(line, " is new");
  for (auto line : old)
    if (!fresh.contains(line)) say(line, " is gone");
  if (told > kTold) out += "; and " + std::to_string(told - kTold) + " more";
  return out;
}

}  // namespace yushi::detect
