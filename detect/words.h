// How alerts speak: durations, dates and senders' values as a person reads them.
//
// Errors  None: whatever a sender put into a value, what comes out is printable UTF-8 of bounded length.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yushi::detect {

// An alert says everything in both (Alert::reason, reason_zh): who reads it chooses, and what is recomputed is the same
// for all.
enum class Lang : uint8_t { en, zh };

// Control bytes and invalid UTF-8 become `?`; at most `bytes_max` bytes, cut at a character.
std::string printable(std::string_view value, size_t bytes_max = 256);

std::string hour_text(int hour);                              // 08:00; of -16 and 32, too
std::string date_text(int64_t unix_ns);                       // 2026-10-02
std::string time_text_utc(int64_t unix_ns);                   // 2026-10-02 08:05:01 UTC
std::string duration_text(int64_t ns, Lang lang = Lang::en);  // 10 min, 1 h, 14 d, 90 s; 10 分钟
// Within how long: never less than it was, since times are often whole seconds. One second, 3 s, 4 min.
std::string within_text(int64_t ns, Lang lang = Lang::en);
std::string number_text(uint64_t count, std::string_view one, std::string_view many);  // 1 login, 41 logins

// `10.0.0.5 (39), 10.0.0.7 (2) and 4 others (6)`: the most frequent three, then the rest together.
std::string counts_text(std::vector<std::pair<std::string, uint64_t>> counts, Lang lang = Lang::en);

// Sigma's time spans: 15s, 30m, 1h, 7d, 2w, 1M (30 d), 1y (365 d).
std::optional<int64_t> parse_timespan(std::string_view text);

}  // namespace yushi::detect
