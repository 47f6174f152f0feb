#include "query/output.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/calendar.h"
#include "core/base/display.h"
#include "core/record/ecs_json.h"
#include "query/pipe/stats.h"

namespace yushi::query {
namespace {

constexpr size_t kBarColumns = 50;
constexpr size_t kBarLinesMax = 10'000;
constexpr uint64_t kEmptyLinesMax = 24;  // in a row; more are one line

std::string shown_text(const Cell& cell, const Zone& zone) {
  if (cell.empty()) return "-";
  std::string out;
  for (const Scalar& scalar : cell) {
    if (!out.empty()) out += ", ";
    if (auto* instant = std::get_if<Instant>(&scalar))
      out += time_in_zone(instant->unix_ns, zone);
    else
      append_printable(out, scalar_text(scalar));
  }
  return out;
}

void append_json(std::string& out, const Scalar& scalar) {
  if (auto* real = std::get_if<double>(&scalar); real && !std::isfinite(*real)) {
    out += "null";
  } else if (scalar.index() <= 2) {
    out += scalar_text(scalar);
  } else {
    append_json_string(out, scalar_text(scalar));
  }
}

}  // namespace

std::string grouped(uint64_t number) {
  auto text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string time_in_zone(int64_t unix_ns, const Zone& zone) {
  int64_t seconds = floor_div(unix_ns, kSecond);
  int64_t fraction = unix_ns - seconds * kSecond;
  int64_t offset = zone.offset_seconds_at(seconds);
  int64_t local = seconds + offset;
  int64_t days = floor_div(local, kDaySeconds);
  int64_t of_day = local - days * kDaySeconds;
  auto date = civil_from_days(days);
  char room[96];
  int written =
      std::snprintf(room, sizeof room, "%04d-%02u-%02u %02d:%02d:%02d", date.year, date.month, date.day,
                    static_cast<int>(of_day / 3600), static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  std::string out(room, static_cast<size_t>(written));
  if (fraction != 0) {
    std::snprintf(room, sizeof room, ".%09lld", static_cast<long long>(fraction));
    std::string digits = room;
    while (digits.ends_with("000")) digits.resize(digits.size() - 3);
    out += digits;
  }
  if (offset == 0) return out + "Z";
  std::snprintf(room, sizeof room, "%c%02d:%02d", offset < 0 ? '-' : '+', static_cast<int>(std::abs(offset) / 3600),
                static_cast<int>(std::abs(offset) / 60 % 60));
  return out + room;
}

std::string render_json_row(const Table& table, const Row& row) {
  std::string out = "{";
  for (size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
    const Cell& cell = row[i];
    if (cell.empty()) continue;
    if (out.size() > 1) out += ',';
    append_json_string(out, table.columns[i]);
    out += ':';
    if (cell.size() == 1) {
      append_json(out, cell[0]);
      continue;
    }
    out += '[';
    for (size_t k = 0; k < cell.size(); ++k) {
      if (k > 0) out += ',';
      append_json(out, cell[k]);
    }
    out += ']';
  }
  return out + "}";
}

std::string render_bars(const Table& table, int64_t every_ns, const TableStyle& style) {
  const size_t count_at = table.find("count()");
  int64_t most = 0;
  size_t name_width = 0;
  auto count_of = [&](const Row& row) {
    auto* count = count_at < row.size() && !row[count_at].empty() ? std::get_if<int64_t>(&row[count_at][0]) : nullptr;
    return count ? *count : 0;
  };
  auto name_of = [&](const Row& row) {
    std::string name;
    for (size_t i = 1; i < row.size(); ++i)
      if (i != count_at) name += "  " + shown_text(row[i], *style.zone);
    return name;
  };
  for (const Row& row : table.rows) {
    most = std::max(most, count_of(row));
    name_width = std::max(name_width, display_columns(name_of(row)));
  }
  size_t count_width = std::to_string(most).size();
  std::string out;
  size_t lines = 0;
  auto line = [&](const std::string& time, const std::string& name, int64_t count) {
    if (++lines > kBarLinesMax) return;
    std::string number = std::to_string(count);
    std::string shown = time + name + std::string(name_width - display_columns(name), ' ') + "  " +
                        std::string(count_width - std::min(count_width, number.size()), ' ') + number + " ";
    // The longest bar ends where the terminal does: bars that are cut cannot be compared.
    size_t taken = display_columns(shown);
    auto bar_columns = std::min<size_t>(kBarColumns, style.columns_max > taken + 1 ? style.columns_max - taken : 1);
    auto eighths = most == 0
                       ? 0
                       : static_cast<size_t>(
                             (static_cast<__int128>(count) * static_cast<int64_t>(bar_columns) * 8 + most - 1) / most);
    static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    for (size_t i = 0; i < eighths / 8; ++i) shown += "█";
    shown += kParts[eighths % 8];
    append_printable(out, shown, style.columns_max);
    out += '\n';
  };
  bool has_last = false;
  int64_t last = 0;
  for (const Row& row : table.rows) {
    auto* at = row.empty() || row[0].empty() ? nullptr : std::get_if<Instant>(&row[0][0]);
    if (at) {
      // Spans in which nothing was: half a span's slack, for days of 23 or 25 hours.
      const int64_t slack_ns = every_ns + every_ns / 2;
      auto gap_ns = has_last ? static_cast<__int128>(at->unix_ns) - last : 0;
      auto empty = gap_ns > slack_ns ? static_cast<uint64_t>((gap_ns - slack_ns + every_ns - 1) / every_ns) : 0;
      if (empty > kEmptyLinesMax) {
        // One wrong clock is years away from all else.
        out += "… " + grouped(empty) + " empty\n";
        ++lines;
      } else {
        for (; empty > 0; --empty) {
          last = bin_start(last + every_ns + every_ns / 2, every_ns, *style.zone);
          line(time_in_zone(last, *style.zone), "", 0);
        }
      }
      has_last = true;
      last = at->unix_ns;
    }
    line(row.empty() ? "-" : shown_text(row[0], *style.zone), name_of(row), count_of(row));
  }
  if (lines > kBarLinesMax) out += "… more than 10,000 lines; take a longer --every\n";
  return out;
}

}  // namespace yushi::query
