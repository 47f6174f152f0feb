#include "storage/tail/losses.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace yushi::storage {
namespace {

constexpr uint32_t kWindow = 64;      // bits of Run::missing
constexpr uint32_t kBehind = 1024;    // so little behind a run a number is late: it begins no run, and none jumps to it
constexpr uint8_t kSettled = 8;       // numbers after which a run may make a jump
constexpr size_t kNetworkHead = 128;  // bytes behind the count in which `%FACILITY` must begin

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

uint64_t hash_of(std::string_view host) { return XXH3_64bits(host.data(), host.size()); }

// All of it digits, 1 .. kSequenceMax.
std::optional<uint32_t> number_of(std::string_view digits) {
  if (digits.empty() || digits.size() > 10) return std::nullopt;
  uint64_t value = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value == 0 || value > SequenceNumber::kSequenceMax) return std::nullopt;
  return static_cast<uint32_t>(value);
}

// Behind "<PRI>1 ": TIMESTAMP HOSTNAME APP-NAME PROCID MSGID, then `meta sequenceId="…"` in the structured data.
std::optional<SequenceNumber> read_rfc5424(std::string_view rest) {
  std::string_view host;
  const char* at = rest.data();
  const char* const end = at + rest.size();
  for (int words = 0; words < 5; ++words) {
    auto* blank = at == end ? nullptr : static_cast<const char*>(std::memchr(at, ' ', static_cast<size_t>(end - at)));
    if (blank == nullptr || blank == at) return std::nullopt;
    if (words == 1) host = {at, static_cast<size_t>(blank - at)};
    at = blank + 1;
  }
  while (at < end && *at == '[') {
    const char* from = ++at;
    while (at < end && *at != ' ' && *at != ']') ++at;
    const bool meta = std::string_view(from, static_cast<size_t>(at - from)) == "meta";
    while (at < end && *at == ' ') {
      while (at < end && *at == ' ') ++at;
      if (at < end && *at == ']') break;
      from = at;
      while (at < end && *at != '=' && *at != ' ' && *at != ']') ++at;
      const std::string_view name(from, static_cast<size_t>(at - from));
      if (end - at < 3 || at[0] != '=' || at[1] != '"') return std::nullopt;
      from = at += 2;
      for (; at < end && *at != '"'; ++at) {
        if (*at == '\\' && end - at > 1) ++at;
      }
      if (at == end) return std::nullopt;
      if (meta && name == "sequenceId") {
        auto number = number_of({from, static_cast<size_t>(at - from)});
        if (!number) return std::nullopt;
        return SequenceNumber{hash_of(host), *number};
      }
      ++at;
    }
    if (at == end || *at != ']') return std::nullopt;
    ++at;
  }
  return std::nullopt;
}

// Behind "<PRI>": `7433: edge1: 007439: 2y10w: %SYS-5-CONFIG_I: …`. The first number counts what is sent to us; the
// second, and a first one with leading zeros, counts all that the device logs, also what it was told not to send.
std::optional<SequenceNumber> read_ios(std::string_view rest) {
  size_t digits = 0;
  while (digits < rest.size() && digits < 11 && is_digit(rest[digits])) ++digits;
  if (digits + 1 >= rest.size() || rest[0] == '0' || rest[digits] != ':' || rest[digits + 1] != ' ')
    return std::nullopt;
  auto number = number_of(rest.substr(0, digits));
  if (!number) return std::nullopt;
  rest = rest.substr(digits + 2, kNetworkHead);
  auto tag = rest.find('%');
  if (tag == rest.npos || tag + 1 >= rest.size() || rest[tag + 1] < 'A' || rest[tag + 1] > 'Z') return std::nullopt;
  size_t label = 0;
  bool letter = false;
  for (; label < rest.size() && (is_digit(rest[label]) || is_letter(rest[label]) || rest[label] == '.' ||
                                 rest[label] == '_' || rest[label] == '-');
       ++label) {
    letter |= !is_digit(rest[label]);
  }
  const bool host = letter && rest.substr(label).starts_with(": ");
  return SequenceNumber{hash_of(rest.substr(0, host ? label : 0)), *number};
}

}  // namespace

std::optional<SequenceNumber> sequence_number(const RawMessage& message) {
  auto raw = message.raw;
  if (raw.size() < 8 || raw[0] != '<' || message.part > 1) return std::nullopt;
  size_t at = 1;
  while (at < 4 && is_digit(raw[at])) ++at;
  if (at == 1 || raw[at] != '>' || !is_digit(raw[at + 1])) return std::nullopt;
  raw.remove_prefix(at + 1);
  return raw.starts_with("1 ") ? read_rfc5424(raw.substr(2)) : read_ios(raw);
}

// The place of a run to begin; nullptr when other hosts use them all.
Losses::Run* Losses::room(uint64_t host) {
  if (runs_.size() < kRunsMax) return &runs_.emplace_back();
  Run* oldest = nullptr;
  Run* own = nullptr;
  for (auto& run : runs_) {
    if (!oldest || run.used < oldest->used) oldest = &run;
    if (run.host == host && (!own || run.used < own->used)) own = &run;
  }
  return numbered_ - oldest->used >= kRestMin ? oldest : own;
}

// `number` goes on with a run left behind, `ahead` of its newest: so many are no part of the jump's charge any more.
void Losses::go_on(Run& left_behind, uint32_t number, uint32_t ahead) {
  for (auto& run : runs_) {
    if (!run.charged || run.from != left_behind.newest || run.host != left_behind.host) continue;
    auto moved = std::min(run.charged, ahead);
    give_back(moved);
    run.charged -= moved;
    run.from = number;
    if (++run.late == kWindow) {
      give_back(std::exchange(run.charged, 0));
      if (run.age < kWindow - 1) run.missing &= (uint64_t{2} << run.age) - 1;
    }
    if (run.charged) return;
    run.forget_jump();
    break;
  }
  left_behind.left_behind = false;
}

void Losses::take(const SequenceNumber& number) {
  constexpr uint32_t kMax = SequenceNumber::kSequenceMax;
  ++numbered_;
  Run* nearest = nullptr;
  uint32_t distance = 0;
  bool is_late = false, again = false, passed = false, too_late = false;
  for (auto& run : runs_) {
    if (run.host != number.host) continue;
    const uint32_t ahead =
        number.number >= run.newest ? number.number - run.newest : number.number + (kMax - run.newest);
    const uint32_t behind = kMax - ahead;
    const bool late = behind < kWindow && (run.missing >> behind & 1);
    again |= ahead == 0;
    too_late |= behind >= kWindow && behind < kBehind && number.number != 1;
    passed |= behind < kBehind;
    if (!late &&
        (ahead == 0 || ahead > kJumpMax + 1 || (ahead >= kWindow && (run.left_behind || run.taken < kSettled)))) {
      continue;
    }
    const uint32_t run_distance = late ? behind : ahead;
    if (nearest && (run_distance > distance || (run_distance == distance && run.used < nearest->used))) continue;
    nearest = &run;
    distance = run_distance;
    is_late = late;
  }

  if (nearest && is_late) {
    nearest->missing &= ~(uint64_t{1} << distance);
    nearest->used = numbered_;
    if (nearest->charged && distance > nearest->age && --nearest->charged == 0) nearest->forget_jump();
    give_back(1);
    return;
  }
  if (nearest && distance < kWindow) {
    if (nearest->left_behind) go_on(*nearest, number.number, distance);
    lost_ += distance - 1;
    nearest->missing = nearest->missing << distance | ((uint64_t{1} << distance) - 2);
    nearest->newest = number.number;
    nearest->used = numbered_;
    if (nearest->taken < kSettled) ++nearest->taken;
    if (nearest->charged) nearest->age = static_cast<uint8_t>(std::min(kWindow, nearest->age + distance));
    return;
  }
  if (passed) nearest = nullptr;
  if (!nearest && (again || too_late)) return;
  Run begun{.host = number.host, .used = numbered_, .newest = number.number};
  if (nearest) {
    lost_ += distance - 1;
    nearest->left_behind = true;
    begun.missing = ~uint64_t{1};
    begun.charged = distance - 1;
    begun.from = nearest->newest;
    begun.taken = kSettled;
  }
  if (auto* place = room(number.host)) *place = begun;
}

void Losses::encode(std::string& out) const {
  if (!known()) return;
  put_varint(out, numbered_);
  put_varint(out, lost_);
  put_varint(out, runs_.size());
  for (auto& run : runs_) {
    put_be64(out, run.host);
    put_varint(out, numbered_ - run.used);
    put_varint(out, run.newest);
    put_varint(out, run.missing);
    put_varint(out, uint64_t{run.charged} << 5 | static_cast<unsigned>(run.taken << 1) | run.left_behind);
    if (!run.charged) continue;
    put_varint(out, run.from);
    put_varint(out, run.age);
    put_varint(out, run.late);
  }
}

std::optional<Losses> Losses::decode(Reader& in) {
  Losses losses;
  if (in.left() == 0) return losses;
  bool fits = true;
  auto number = [&](uint64_t max) {
    auto value = in.varint();
    fits &= value <= max;
    return value;
  };
  losses.numbered_ = in.varint();
  losses.lost_ = in.varint();
  auto runs = number(kRunsMax);
  if (!in.ok() || !fits || losses.numbered_ == 0) return std::nullopt;
  for (uint64_t i = 0; i < runs; ++i) {
    Run run;
    run.host = in.be64();
    run.used = losses.numbered_ - number(losses.numbered_ - 1);
    run.newest = static_cast<uint32_t>(number(SequenceNumber::kSequenceMax));
    run.missing = in.varint();
    auto charged = number(uint64_t{kJumpMax} << 5 | 31);
    run.charged = static_cast<uint32_t>(charged >> 5);
    run.taken = charged >> 1 & 15;
    run.left_behind = charged & 1;
    if (run.charged) {
      run.from = static_cast<uint32_t>(number(SequenceNumber::kSequenceMax));
      run.age = static_cast<uint8_t>(number(kWindow));
      run.late = static_cast<uint8_t>(number(kWindow - 1));
    }
    fits &= run.newest != 0 && run.taken <= kSettled && !(run.missing & 1);
    losses.runs_.push_back(run);
  }
  if (!in.ok() || !fits) return std::nullopt;
  return losses;
}

}  // namespace yushi::storage
