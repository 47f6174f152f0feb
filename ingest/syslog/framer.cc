#include "ingest/syslog/framer.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"

namespace yushi::ingest {
namespace {

constexpr size_t kCountDigitsMax = 7;
constexpr uint16_t kPartMax = 0xffff;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

enum class Known : uint8_t { no, not_yet, yes };

// "[1-9][0-9]{0,6} "
Known begins_with_count(std::string_view bytes) {
  size_t digits = 0;
  while (digits < bytes.size() && digits < kCountDigitsMax && is_digit(bytes[digits])) ++digits;
  if (digits == bytes.size()) return digits > 0 && bytes[0] == '0' ? Known::no : Known::not_yet;
  return digits > 0 && bytes[0] != '0' && bytes[digits] == ' ' ? Known::yes : Known::no;
}

uint16_t parts_of(size_t bytes, size_t part_bytes) {
  return static_cast<uint16_t>((bytes + part_bytes - 1) / part_bytes);
}

void give(std::string_view text, const Origin* origin, std::vector<Record>& records, FrameCounts& counts,
          uint8_t marks = 0) {
  Record& record = records.emplace_back();
  record.raw = text;
  record.origin = origin;
  record.marks = marks;
  ++counts.messages;
  if (marks & kTruncated) ++counts.truncated;
}

}  // namespace

Framer::Framer(Framing framing, size_t message_bytes_max) : framing_(framing), message_bytes_max_(message_bytes_max) {
  YUSHI_ASSERT(message_bytes_max >= kMessageBytesMin, "message_bytes_max is %zu", message_bytes_max);
  begin();
}

void Framer::begin() {
  state_ = framing_ == Framing::automatic       ? State::undecided
           : framing_ == Framing::octet_counted ? State::count
                                                : State::line;
  trailer_ = Trailer::undecided;
  part_ = part_of_ = 0;
  remaining_ = searched_ = 0;
  nul_ended_ = false;
}

Framing Framer::framing() const {
  if (state_ == State::undecided) return Framing::automatic;
  return state_ == State::line ? Framing::newline : Framing::octet_counted;
}

// `bytes` begin with what is no empty line. What they tell may become known with more bytes, and then stays.
Framer::First Framer::first_of(std::string_view bytes) const {
  using Kind = First::Kind;
  size_t mark = 0;
  if (bytes.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(bytes)) return {Kind::unknown};
  if (bytes.starts_with(kByteOrderMark)) mark = kByteOrderMark.size();
  bytes.remove_prefix(mark);
  size_t digits = 0, count = 0;
  while (digits < bytes.size() && digits < kCountDigitsMax && is_digit(bytes[digits]))
    count = count * 10 + static_cast<size_t>(bytes[digits++] - '0');
  if (bytes.empty()) return {Kind::unknown};
  if (digits == 0 || bytes[0] == '0') return {Kind::line};
  if (bytes.size() == digits) return {Kind::unknown};
  if (bytes[digits] != ' ') return {Kind::line};
  const size_t head = digits + 1;
  auto text = bytes.substr(head);
  if (text.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(text)) return {Kind::unknown};
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (text.empty()) return {Kind::unknown};
  if (text[0] != '<') return {Kind::line};

  const size_t frame = head + count, held_max = kPartsHeld * message_bytes_max_ - mark;
  if (frame > held_max) return {count <= kCountMax ? Kind::counted : Kind::line};
  // No more than may be held decides, and in doubt the count.
  const bool is_all = bytes.size() > held_max;
  bytes = bytes.substr(0, held_max + 1);
  const First unknown{is_all ? Kind::counted : Kind::unknown, mark + frame};
  if (bytes.size() <= frame) return unknown;
  // A whole frame, and behind it a LF or the next count; or what is none, up to a LF, and then a count: a broken frame.
  if (bytes[frame] == '\n') return {Kind::counted};
  switch (begins_with_count(bytes.substr(frame))) {
    case Known::yes:
      return {Kind::counted};
    case Known::not_yet:
      return unknown;
    case Known::no:
      break;
  }
  const auto broken = bytes.substr(frame, message_bytes_max_);
  const size_t lf = broken.find('\n');
  if (lf == broken.npos) return broken.size() == message_bytes_max_ ? First{Kind::counted} : unknown;
  switch (begins_with_count(bytes.substr(frame + lf + 1))) {
    case Known::yes:
      return {Kind::counted};
    case Known::not_yet:
      return unknown;
    case Known::no:
      break;
  }
  return {Kind::line};
}

// Past empty lines, which tell nothing. The state stays undecided when more must be seen.
const char* Framer::decide(const char* at, const char* end, Out& out) {
  for (; at < end && *at == '\n'; ++at) ++out.counts.empty_lines;
  const std::string_view rest(at, static_cast<size_t>(end - at));
  const First first = first_of(rest);
  if (first.kind == First::Kind::unknown) return at;
  return begin_as(first.kind, rest, out);
}

const char* Framer::begin_as(First::Kind kind, std::string_view rest, Out& out) {
  state_ = kind == First::Kind::counted ? State::count : State::line;
  if (state_ == State::line || !rest.starts_with(kByteOrderMark)) return rest.data();
  give(rest.substr(0, kByteOrderMark.size()), out.origin, out.records, out.counts);
  ++out.counts.resyncs;
  return rest.data() + kByteOrderMark.size();
}

// What the first bytes are when no more come.
Framer::First::Kind Framer::kind_without_more(std::string_view rest) const {
  const First first = first_of(rest);
  if (first.kind != First::Kind::unknown) return first.kind;
  const bool whole_line = !rest.empty() && rest.back() == '\n';
  return first.frame != 0 && (rest.size() == first.frame || !whole_line) ? First::Kind::counted : First::Kind::line;
}

size_t Framer::feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) {
  Out to{origin, out, counts};
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  if (nul_ended_ && at < end) {
    nul_ended_ = false;
    if (*at == '<') trailer_ = Trailer::lf_or_nul;
  }
  if (state_ == State::undecided) at = decide(at, end, to);
  while (at < end) {
    const char* before = at;
    const State state = state_;
    switch (state) {
      case State::undecided:
        return static_cast<size_t>(at - bytes.data());
      case State::count:
        at = take_counts(at, end, to);
        break;
      case State::octets:
        at = take_octets(at, end, to);
        break;
      case State::resync:
      case State::line:
        at = take_lines(at, end, to);
        break;
    }
    if (at == before && state_ == state) break;
  }
  return static_cast<size_t>(at - bytes.data());
}

const char* Framer::take_counts(const char* at, const char* end, Out& out) {
  while (at < end) {
    if (*at == '\n') {
      ++at;
      ++out.counts.empty_lines;
      continue;
    }
    const char* p = at;
    size_t count = 0;
    if (*at != '0') {
      const char* const digits_end = at + std::min<size_t>(kCountDigitsMax, static_cast<size_t>(end - at));
      while (p < digits_end && is_digit(*p)) count = count * 10 + static_cast<size_t>(*p++ - '0');
    }
    if (p == end) return at;
    if (p == at || *p != ' ') {
      state_ = State::resync;
      searched_ = 0;
      ++out.counts.resyncs;
      return at;
    }
    ++p;
    if (p == end) return at;  // a count with nothing behind it is still whole when the connection ends here
    if (count <= message_bytes_max_ && static_cast<size_t>(end - p) >= count) {
      give({p, count}, out.origin, out.records, out.counts);
      at = p + count;
      continue;
    }
    remaining_ = count;
    part_of_ = count > message_bytes_max_ ? parts_of(count, message_bytes_max_) : 0;
    state_ = State::octets;
    return p;
  }
  return at;
}

const char* Framer::take_octets(const char* at, const char* end, Out& out) {
  while (remaining_ > 0) {
    const size_t wanted = std::min(remaining_, message_bytes_max_);
    if (static_cast<size_t>(end - at) < wanted) return at;
    remaining_ -= wanted;
    if (part_ == 0 && remaining_ == 0) {
      give({at, wanted}, out.origin, out.records, out.counts);
    } else {
      give_part({at, wanted}, remaining_ == 0, out);
    }
    at += wanted;
  }
  state_ = State::count;
  part_ = part_of_ = 0;
  return at;
}

// The first trailer in [from, end), or null; then the line goes on at least until *looked_until.
const char* Framer::find_trailer(const char* from, const char* end, const char** looked_until) {
  *looked_until = end;
  if (from == end) return nullptr;
  if (trailer_ == Trailer::lf || state_ == State::resync) {
    return static_cast<const char*>(std::memchr(from, '\n', static_cast<size_t>(end - from)));
  }
  for (const char* p = from; p < end; ++p) {
    if (*p == '\n') {
      if (trailer_ == Trailer::undecided) trailer_ = Trailer::lf;
      return p;
    }
    if (*p != '\0') continue;
    if (trailer_ == Trailer::lf_or_nul) return p;
    if (p + 1 == end) {
      *looked_until = p;
      return nullptr;
    }
    if (p[1] == '<') {
      trailer_ = Trailer::lf_or_nul;
      return p;
    }
  }
  return nullptr;
}

const char* Framer::take_lines(const char* at, const char* end, Out& out) {
  const size_t held_max = kPartsHeld * message_bytes_max_;
  while (at < end) {
    const char* looked_until;
    const char* trailer = find_trailer(at + searched_, end, &looked_until);
    if (trailer == nullptr) {
      searched_ = static_cast<size_t>(looked_until - at);
      if (part_ == 0 && searched_ <= held_max) return at;
      // One byte more than the part must be there: the last part of a message is never empty.
      for (; searched_ > message_bytes_max_; searched_ -= message_bytes_max_, at += message_bytes_max_) {
        give_part({at, message_bytes_max_}, false, out);
      }
      return at;
    }
    const auto length = static_cast<size_t>(trailer - at);
    if (part_ == 0 && length <= message_bytes_max_) {
      if (length == 0) {
        ++out.counts.empty_lines;
      } else {
        give({at, length}, out.origin, out.records, out.counts);
      }
    } else {
      if (part_ == 0 && length <= held_max) part_of_ = parts_of(length, message_bytes_max_);
      give_parts({at, length}, true, out);
    }
    at = trailer + 1;
    searched_ = 0;
    part_ = part_of_ = 0;
    if (state_ == State::resync) {
      state_ = State::count;
      break;
    }
  }
  return at;
}

void Framer::give_part(std::string_view text, bool last, Out& out, uint8_t marks) {
  if (part_ < kPartMax && ++part_ == 1) ++out.counts.over_long;
  give(text, out.origin, out.records, out.counts, marks);
  Record& record = out.records.back();
  record.part = part_;
  record.part_of = part_of_ != 0 ? part_of_ : last ? part_ : 0;
}

void Framer::give_parts(std::string_view text, bool last, Out& out, uint8_t marks) {
  while (text.size() > message_bytes_max_) {
    give_part(text.substr(0, message_bytes_max_), false, out);
    text.remove_prefix(message_bytes_max_);
  }
  give_part(text, last, out, marks);
}

bool Framer::waits(std::string_view rest) const {
  if (rest.empty()) return false;
  if (state_ == State::line) return trailer_ == Trailer::undecided && rest.back() == '\0';
  if (state_ != State::undecided) return false;
  const First first = first_of(rest);
  return first.frame != 0 && (rest.size() == first.frame || (rest.size() > first.frame && rest.back() == '\n'));
}

size_t Framer::idle(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) {
  Out to{origin, out, counts};
  if (state_ == State::undecided) {
    const char* at = begin_as(kind_without_more(rest), rest, to);
    const auto mark = static_cast<size_t>(at - rest.data());
    return mark + feed(rest.substr(mark), origin, out, counts);
  }
  const auto text = rest.substr(0, rest.size() - 1);
  if (part_ > 0 || text.size() > message_bytes_max_) {
    if (part_ == 0) part_of_ = parts_of(text.size(), message_bytes_max_);
    give_parts(text, true, to);
  } else if (text.empty()) {
    ++counts.empty_lines;
  } else {
    give(text, origin, out, counts);
  }
  searched_ = 0;
  part_ = part_of_ = 0;
  nul_ended_ = true;
  return rest.size();
}

size_t Framer::release(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) {
  Out to{origin, out, counts};
  size_t begun = 0;
  if (state_ == State::undecided && first_of(rest).frame != 0) {
    begun = static_cast<size_t>(begin_as(First::Kind::counted, rest, to) - rest.data());
    begun += feed(rest.substr(begun), origin, out, counts);
    rest.remove_prefix(begun);
  }
  if (rest.size() < 2 || state_ == State::undecided || state_ == State::count) return begun;
  rest.remove_suffix(1);  // the last part of a message is never empty
  part_of_ = 0;
  if (state_ == State::octets) {
    remaining_ -= rest.size();
  } else {
    searched_ = 0;
  }
  give_parts(rest, false, to);
  return begun + rest.size();
}

void Framer::finish(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) {
  Out to{origin, out, counts};
  if (state_ == State::undecided) {
    const char* at = begin_as(kind_without_more(rest), rest, to);
    rest.remove_prefix(static_cast<size_t>(at - rest.data()));
    rest.remove_prefix(feed(rest, origin, out, counts));
  }
  uint8_t marks = kTruncated;
  const bool is_line = state_ == State::line;
  if (is_line && trailer_ != Trailer::lf && !rest.empty() && rest.back() == '\0') {
    rest.remove_suffix(1);
    marks = 0;
    if (rest.empty() && part_ == 0) ++counts.empty_lines;
  }
  if (part_ > 0) {
    // All parts of a counted frame so far may have been whole: the empty one then says that the rest never came.
    if (state_ != State::octets && rest.empty()) {
      marks = 0;
    }
    give_parts(rest, true, to, marks);
  } else if (rest.size() > message_bytes_max_) {
    if (state_ != State::octets) part_of_ = parts_of(rest.size(), message_bytes_max_);
    give_parts(rest, true, to, marks);
  } else if (!rest.empty()) {
    give(rest, origin, out, counts, marks);
  }
  begin();
}

void frame_datagram(std::string_view datagram, size_t message_bytes_max, uint8_t marks, const Origin* origin,
                    std::vector<Record>& out, FrameCounts& counts) {
  if (datagram.size() <= message_bytes_max) {
    give(datagram, origin, out, counts, marks);
    return;
  }
  ++counts.over_long;
  const uint16_t part_of = parts_of(datagram.size(), message_bytes_max);
  for (uint16_t part = 1; part <= part_of; ++part) {
    give(datagram.substr(0, message_bytes_max), origin, out, counts, part == part_of ? marks : uint8_t{0});
    out.back().part = part;
    out.back().part_of = part_of;
    datagram.remove_prefix(std::min(message_bytes_max, datagram.size()));
  }
}

}  // namespace yushi::ingest
