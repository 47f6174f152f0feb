#include "core/base/units_text.h"

#include <cstdio>

namespace yushi {

std::string bytes_text(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < std::size(kUnits)) value /= 1024, ++unit;
  char text[32];
  const int length = std::snprintf(text, sizeof text, "%.1f %s", value, kUnits[unit]);
  return {text, static_cast<size_t>(length)};
}

std::string span_text(int64_t seconds) {
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
  if (seconds < 0) return "-" + span_text(-seconds);
  for (size_t i = 0; i + 1 < std::size(kUnits); ++i) {
    if (seconds < kUnits[i].seconds) continue;
    auto text = std::to_string(seconds / kUnits[i].seconds) + kUnits[i].name;
    if (auto rest = seconds % kUnits[i].seconds / kUnits[i + 1].seconds)
      text += " " + std::to_string(rest) + kUnits[i + 1].name;
    return text;
  }
  return std::to_string(seconds) + " s";
}

std::string count_text(uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

}  // namespace yushi
