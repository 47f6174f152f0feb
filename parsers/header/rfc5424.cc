// RFC 5424 behind PRI and VERSION: TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG.
//
// Lenient where the meaning is plain: long names, bytes beyond ASCII in names, `]` unescaped inside quotes, a missing
// rest. At the first part that is none, what was understood stays and the rest is `message`.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <tuple>

#include "parsers/header/header_scan.h"

namespace yushi::parsers {
namespace {

// The end of a word that a blank or the message's end closes; nullptr when it is empty, too long or has control bytes.
inline const char* word_end(const char* at, const char* end) {
  const char* from = at;
  while (at < end && is_class(*at, kWordByte)) ++at;
  if (at == from || (at < end && *at != ' ') || static_cast<size_t>(at - from) > kHeaderWordMax) return nullptr;
  return at;
}

inline bool is_nil(const char* from, const char* to) { return to - from == 1 && *from == '-'; }

inline bool is_name_byte(char c) { return is_class(c, kWordByte) && c != '=' && c != ']' && c != '"'; }

inline const char* name_end(const char* at, const char* end) {
  const char* from = at;
  while (at < end && is_name_byte(*at)) ++at;
  return at == from || static_cast<size_t>(at - from) > kHeaderWordMax ? nullptr : at;
}

// log.syslog.structured_data.<id>[.<name>], in the arena.
const Field* make_field(Arena& arena, std::string_view id, std::string_view name) {
  const size_t bytes = kStructuredDataPrefix.size() + id.size() + (name.empty() ? 0 : 1 + name.size());
  char* text = arena.allocate(bytes, 1);
  char* at = text;
  const auto put = [&at](std::string_view part) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  };
  put(kStructuredDataPrefix);
  put(id);
  if (!name.empty()) {
    *at++ = '.';
    put(name);
  }
  return arena.make(Field{{text, bytes}, FieldType::keyword, kDynamicField, false});
}

// What was said twice is a list, as the addresses are in RFC 5424's own `[origin ip="…" ip="…"]`. `first`: the capture
// with which the structured data begins.
void make_lists(HeaderScan& scan, size_t first) {
  static_assert(kStructuredDataPrefix.size() >= sizeof(uint64_t));
  constexpr size_t kPairwiseMax = 64;
  const size_t count = scan.captures.size() - first;
  if (count < 2) return;
  // of the names, which all begin alike; one more for a broken element's
  std::array<uint64_t, kStructuredDataMax + 1> ends;
  const auto field = [&](size_t i) -> const Field*& { return scan.captures[first + i].field; };
  // Gives the later the field of the earlier, a list.
  const auto join = [&](size_t earlier, size_t later) {
    if (!field(earlier)->list) {
      Field list = *field(earlier);
      list.list = true;
      field(earlier) = scan.arena.make(list);
    }
    field(later) = field(earlier);
  };
  for (size_t i = 0; i < count; ++i) {
    const auto name = field(i)->name;
    std::memcpy(&ends[i], name.data() + name.size() - sizeof ends[i], sizeof ends[i]);
    if (count > kPairwiseMax) continue;
    for (size_t k = 0; k < i; ++k) {
      if (ends[k] != ends[i] || field(k)->name != name) continue;
      join(k, i);
      break;
    }
  }
  if (count <= kPairwiseMax) [[likely]]
    return;
  std::array<uint16_t, kStructuredDataMax + 1> order;
  std::iota(order.begin(), order.begin() + count, uint16_t{0});
  std::sort(order.begin(), order.begin() + count, [&](uint16_t a, uint16_t b) {
    return std::tie(ends[a], field(a)->name, a) < std::tie(ends[b], field(b)->name, b);
  });
  for (size_t i = 1; i < count; ++i)
    if (ends[order[i - 1]] == ends[order[i]] && field(order[i - 1])->name == field(order[i])->name)
      join(order[i - 1], order[i]);
}

// One "[id name="value" …]"; the byte after it, or nullptr when it is broken. Its parameters are then taken back: it
// will stand whole in the message. That it was structured data of this id is kept, once a `name="` has shown it.
const char* read_element(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  const size_t before = scan.captures.size();
  const char* const open = at;
  const char* id = ++at;
  at = name_end(at, end);
  if (!at) return nullptr;
  const std::string_view id_text(id, static_cast<size_t>(at - id));
  bool empty = true, shown = false;
  const auto broken = [&]() -> const char* {
    scan.captures.resize(before);
    if (shown) scan.capture(make_field(scan.arena, id_text, {}), open, open);
    return nullptr;
  };
  const auto takes_one = [&scan] {
    if (scan.parameters_left == 0) {
      scan.capped = true;
      return false;
    }
    --scan.parameters_left;
    return true;
  };
  for (;;) {
    if (at == end) return broken();
    if (*at == ']') {
      if (empty && takes_one()) scan.capture(make_field(scan.arena, id_text, {}), at, at);
      return at + 1;
    }
    if (*at != ' ') return broken();
    while (at < end && *at == ' ') ++at;
    if (at < end && *at == ']') continue;  // a blank too many
    const char* name = at;
    at = name_end(at, end);
    if (!at || end - at < 3 || at[0] != '=' || at[1] != '"') return broken();
    const std::string_view name_text(name, static_cast<size_t>(at - name));
    const char* value = at += 2;
    shown = true;
    auto escape = Escape::none;
    while (at < end && *at != '"') {
      if (*at == '\\') {
        escape = Escape::structured_data;
        if (++at == end) break;
      }
      ++at;
    }
    if (at >= end || at - value > 0xffffff) return broken();
    empty = false;
    if (takes_one()) scan.capture(make_field(scan.arena, id_text, name_text), value, at, escape);
    ++at;
  }
}

// Reads the time with the rules of a header; nullptr when what stands there is no time.
const char* read_timestamp(HeaderScan& scan, const char* at) {
  const auto read = read_time(scan.rest(at), scan.record.origin->received_ns, scan.zone);
  if (!read) return nullptr;
  const char* after = at + read->length;
  // "…T22:09:01A" is no time, but of "…T22:09:01Z+07:00" the part before `+` is certain.
  if (after < scan.end && *after != ' ' && (read->time.inferred & kZoneInferred)) return nullptr;
  scan.take_time(at, *read);
  return after;
}

// 1 … 999, and behind it what can only stand for the time of an RFC 5424 header, well written or not: the byte after
// the number.
const char* version_end(const char* at, const char* end) {
  if (at == end || *at < '1' || *at > '9') return nullptr;
  const char* from = at++;
  while (at < end && at - from < 3 && is_class(*at, kDigit)) ++at;
  const bool is_one = *from == '1' && at - from == 1;
  if (at == end) return is_one ? at : nullptr;
  if (*at != ' ') return nullptr;
  const char* time = at + 1;
  if (time == end || *time == '-') return at;
  const char* to = time;
  while (to < end && is_class(*to, kDigit)) ++to;
  if (end - to > 1 && to > time && *to == '-' && is_class(to[1], kDigit)) return at;  // 2026-11-01T…
  // Not of the RFC, but written so: "1 1563249630.774 MX84 urls", "1 Nov  1 08:00:00 host app:".
  if (!is_one) return nullptr;
  return to - time >= 10 || (end - time > 3 && is_class(*time, kLetter) && time[3] == ' ') ? at : nullptr;
}

void read_behind_version(HeaderScan& scan, const char* at) {
  const char* end = scan.end;
  if (at == end) return scan.take_message(at);

  if (*at == '-' && (end - at == 1 || at[1] == ' ')) {
    ++at;
  } else {
    const char* after = read_timestamp(scan, at);
    if (!after) return scan.take_message(at);
    const bool rfc3164_time = !is_class(*at, kDigit);
    const bool epoch = !rfc3164_time && end - at > 10 && is_class(at[4], kDigit);
    at = after;
    if (at < end && *at != ' ') return scan.take_message(at);
    // Meraki writes "1 1563249630.774247467 MX84 urls …", others "1 Nov  1 08:00:00 host app: …".
    if (rfc3164_time || epoch) return read_rfc3164_body(scan, at, false);
  }

  const Field* const fields[] = {ecs::host_name, ecs::process_name, nullptr, ecs::syslog_msgid};
  for (const Field* field : fields) {
    if (at == end) return scan.take_message(at);
    const char* from = ++at;  // behind the blank
    at = word_end(from, end);
    if (!at || ((*from == 'C' || *from == 'L') && is_event_format(scan.rest(from)))) return scan.take_message(from);
    if (is_nil(from, at)) continue;
    if (field)  // "PulseSecure: - - -": the colon of an old header's tag
      scan.capture(field, from, field == ecs::process_name && at[-1] == ':' && at - from > 1 ? at - 1 : at);
    else
      scan.take_procid(from, at);
  }

  if (at == end) return scan.take_message(at);
  ++at;
  if (at == end) return scan.take_message(at);
  if (*at == '-' && (end - at == 1 || at[1] == ' ')) {
    ++at;
  } else if (*at == '[') {
    const size_t first = scan.captures.size();
    const char* after;
    while (at < end && *at == '[' && (after = read_element(scan, at))) at = after;
    make_lists(scan, first);
    if (at < end && *at == '[') return scan.take_message(at);
  } else {
    return scan.take_message(at);
  }
  if (at < end && *at == ' ') ++at;
  if (!scan.has(ecs::process_name) && read_second_header(scan, at)) return;
  scan.take_message(at);
}

}  // namespace

bool read_rfc5424(HeaderScan& scan, const char* at) {
  const char* after = version_end(at, scan.end);
  if (!after) return false;
  const size_t before = scan.captures.size();
  scan.capture(ecs::syslog_version, at, after);
  read_behind_version(scan, after == scan.end ? after : after + 1);
  if (scan.end - after < 2 || !is_class(after[1], kLetter) || scan.has(ecs::timestamp)) return true;
  scan.captures.resize(before);  // a word of three letters and no month: the number was the text's
  return false;
}

}  // namespace yushi::parsers
