// What a detector remembers of each log, and how it stands in the state (Engine::save()).
//
// One shape for all: the logs by name; of one that has an age when it began; then its maps and lists, each with how
// many entries it has. What is fixed is the order in which a detector saves and loads them, and its version
// (DetectorRow::version).
//
// Invariants  What is loaded and saved again is the same bytes. Times and counts are loaded within their bounds,
//             whatever the bytes say.
// Threads     One owner.
// Errors      A load_…() that answers false, and a Reader that is not ok(), say that the bytes are none of ours or
//             damaged: what was loaded until then is thrown away by the caller.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "detect/memory/lru.h"

namespace yushi::detect {

// Event times are kept within years 1843 to 2096, so that the difference of any two fits.
constexpr int64_t kTimeMaxNs = 4'000'000'000'000'000'000;
inline int64_t bounded_time(int64_t ns) { return std::clamp(ns, -kTimeMaxNs, kTimeMaxNs); }

// A log that knows when it began: what is usual there can be said after a while only.
struct AgedLog {
  explicit AgedLog(int64_t at_ns = 0) : first_ns(at_ns) {}
  bool is_younger(int64_t days, int64_t at_ns) const { return at_ns - first_ns < days * kDay; }

  int64_t first_ns;  // event time
};

// What a detector remembers is kept for each log by itself: a struct with its maps, or one map.
template <class Log>
class ByLog {
 public:
  ByLog() = default;
  ByLog(ByLog&& other) noexcept : logs_(std::move(other.logs_)) { other.asked_ = nullptr; }
  ByLog& operator=(ByLog&& other) noexcept {
    logs_ = std::move(other.logs_);
    asked_ = other.asked_ = nullptr;
    return *this;
  }
  ~ByLog() = default;

  // That of this log; nullptr when there is none.
  const Log* find(std::string_view name) const {
    if (asked_ && asked_->first == name) return &asked_->second;  // a batch is of one log
    const auto at = logs_.find(name);
    if (at == logs_.end()) return nullptr;
    asked_ = &*at;
    return &at->second;
  }
  Log* find(std::string_view name) { return const_cast<Log*>(std::as_const(*this).find(name)); }
  // Made of `arguments` when there was none.
  template <class... Arguments>
  Log& use(std::string_view name, const Arguments&... arguments) {
    if (Log* log = find(name)) return *log;
    return logs_.try_emplace(std::string(name), arguments...).first->second;
  }

  auto begin() { return logs_.begin(); }
  auto end() { return logs_.end(); }
  auto begin() const { return logs_.begin(); }
  auto end() const { return logs_.end(); }
  size_t size() const { return logs_.size(); }
  void clear() {
    asked_ = nullptr;
    logs_.clear();
  }

 private:
  std::map<std::string, Log, std::less<>> logs_;
  mutable const std::pair<const std::string, Log>* asked_ = nullptr;  // the one that was asked for last
};

// ----------------------------------------------------------------------------------------------------- numbers, lists

inline int64_t load_time(Reader& in) { return bounded_time(in.signed_varint()); }
// Days and hours since 1970-01-01.
inline int32_t load_day(Reader& in) {
  return static_cast<int32_t>(std::clamp<int64_t>(in.signed_varint(), -kTimeMaxNs / kDay, kTimeMaxNs / kDay));
}
inline int32_t load_hour(Reader& in) {
  return static_cast<int32_t>(std::clamp<int64_t>(in.signed_varint(), -kTimeMaxNs / kHour, kTimeMaxNs / kHour));
}
template <class Number>
Number load_number(Reader& in) {
  return static_cast<Number>(std::min<uint64_t>(in.varint(), std::numeric_limits<Number>::max()));
}

// Each value as `save_value(value)` writes it and `load_value(value)` reads it, which may answer false.
template <class Value, class LoadValue>
bool load_value_with(LoadValue&& load_value, Value& value) {
  if constexpr (std::is_void_v<decltype(load_value(value))>) {
    load_value(value);
    return true;
  } else {
    return load_value(value);
  }
}
template <class Value, class SaveValue>
void save_list(const std::vector<Value>& list, std::string& out, SaveValue&& save_value) {
  put_varint(out, list.size());
  for (const Value& value : list) save_value(value);
}
// False when there are more than `most`.
template <class Value, class LoadValue>
bool load_list(std::vector<Value>& list, size_t most, Reader& in, LoadValue&& load_value) {
  list.clear();
  uint64_t left = in.varint();
  if (left > most) return false;
  for (; left > 0 && in.ok(); --left) {
    Value value{};
    if (!load_value_with(load_value, value)) return false;
    list.push_back(std::move(value));
  }
  return in.ok();
}

// --------------------------------------------------------------------------------------------------------- maps, logs

// In the order of use.
template <class Value, class SaveValue>
void save_entries(const LruMap<Value>& entries, std::string& out, SaveValue&& save_value) {
  put_varint(out, entries.size());
  entries.for_each([&](std::string_view key, const Value& value) {
    put_text(out, key);
    save_value(value);
  });
}
template <class Value, class LoadValue>
bool load_entries(LruMap<Value>& entries, Reader& in, LoadValue&& load_value) {
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left)
    if (!load_value_with(load_value, entries.use(in.text()))) return false;
  return in.ok();
}

// Each log by what `save_log(log)` writes behind its name, and its age where it has one, and `load_log(log)` reads.
template <class Log, class SaveLog>
void save_logs(const ByLog<Log>& by_log, std::string& out, SaveLog&& save_log) {
  put_varint(out, by_log.size());
  for (const auto& [name, log] : by_log) {
    put_text(out, name);
    if constexpr (std::derived_from<Log, AgedLog>) put_signed(out, log.first_ns);
    save_log(log);
  }
}
// Each made of `arguments`.
template <class Log, class LoadLog, class... Arguments>
bool load_logs(ByLog<Log>& by_log, Reader& in, LoadLog&& load_log, const Arguments&... arguments) {
  by_log.clear();
  for (uint64_t logs = in.varint(); logs > 0 && in.ok(); --logs) {
    Log& log = by_log.use(in.text(), arguments...);
    if constexpr (std::derived_from<Log, AgedLog>) log.first_ns = load_time(in);
    if (!load_log(log)) return false;
  }
  return in.ok();
}

// The same where a log is one map.
template <class Value, class SaveValue>
void save_by_log(const ByLog<LruMap<Value>>& by_log, std::string& out, SaveValue&& save_value) {
  save_logs(by_log, out, [&](const LruMap<Value>& entries) { save_entries(entries, out, save_value); });
}
template <class Value, class LoadValue>
bool load_by_log(ByLog<LruMap<Value>>& by_log, size_t entries_max, Reader& in, LoadValue&& load_value) {
  return load_logs(
      by_log, in, [&](LruMap<Value>& entries) { return load_entries(entries, in, load_value); }, entries_max);
}

}  // namespace yushi::detect
