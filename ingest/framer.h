// Cuts the byte stream of one connection into messages (RFC 6587), in place: what it gives are views, never copies.
//
// Give it what was read with feed(); it says how many bytes it is done with. The rest is given again, at the front of the
// next call, with more bytes behind it. At the end of the connection give the rest to finish().
//
// Octet-counted  "[1-9][0-9]{0,6} SP" and as many bytes, any bytes. A LF between frames is an empty line. What is no count
//                is one message up to the next LF (a resync); then counts are expected again. The connection stays open.
// Newline        A message ends with LF. A NUL ends one too on a connection that shows that it means so: its first
//                trailer is a NUL with the "<" of the next message, or the connection's end, behind it. On all other
//                connections NUL is a byte like others: a line with a NUL inside must neither lose it nor become two
//                records. The trailer is taken away, a CR before it is not. An empty line is no message.
// automatic      Octet-counted when the first bytes of the connection are "[1-9][0-9]{0,6} <", else newline, for good:
//                detection per message would let an embedded LF and "99999 <13>" swallow other people's records.
// Too long       A message of more than message_bytes_max bytes becomes parts of that size, numbered from 1, each a
//                record. `part_of` is known when the frame has a count or the line at most kPartsHeld parts; of a longer
//                line only the last part has it: 0 means "more follow". Of a message that had to be let go early
//                (release()) only what the last part says holds. A line without end is cut off after part 65,535 and
//                begins anew with part 1.
// Unfinished     What the connection's end cut off is kept, its last part with the mark kTruncated.
//
// Invariants  Messages, counts and trailers together are the input, byte for byte. However the input is cut into calls of
//             feed(), the messages are the same (calls of release() aside).
// Memory      Asks its caller to keep at most kPartsHeld * message_bytes_max + 1 bytes; has none of its own.
// Threads     One owner at a time.
// Cost        One memchr over the bytes, each byte once however slowly they come; bench/framer_bench.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi {

enum class Framing : uint8_t { automatic, octet_counted, newline };

// What was seen; added to, never reset.
struct FrameCounts {
  uint64_t messages = 0;  // records: each part is one
  uint64_t empty_lines = 0;
  uint64_t resyncs = 0;
  uint64_t over_long = 0;  // messages kept as parts
  uint64_t truncated = 0;
};

class Framer {
 public:
  static constexpr size_t kMessageBytesMin = 256;  // a count of seven digits then never has more than 65,535 parts
  static constexpr size_t kPartsHeld = 16;

  Framer(Framing framing, size_t message_bytes_max);

  // Appends the messages that are complete in `bytes` to `out`; returns how many bytes of `bytes` are done with.
  size_t feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts);

  // Gives most of an unfinished message as parts, because memory is short. `rest` is what feed() left. Returns how many
  // bytes of it are done with: all but one, or none.
  size_t release(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts);

  // The connection has ended and `rest` is what feed() left. Afterwards the framer is as new.
  void finish(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts);

  // Automatic until decided.
  Framing framing() const;

 private:
  enum class State : uint8_t { undecided, count, octets, resync, line };
  enum class Trailer : uint8_t { undecided, lf, lf_or_nul };
  struct Out {
    const Origin* origin;
    std::vector<Record>& records;
    FrameCounts& counts;
  };

  void begin();
  void decide(std::string_view bytes);
  const char* take_counts(const char* at, const char* end, Out& out);
  const char* take_octets(const char* at, const char* end, Out& out);
  const char* take_lines(const char* at, const char* end, Out& out);
  const char* find_trailer(const char* from, const char* end, const char** looked_until);
  void give_part(std::string_view text, bool last, Out& out, uint8_t marks = 0);
  void give_parts(std::string_view text, bool last, Out& out, uint8_t marks = 0);

  const Framing framing_;
  const size_t message_bytes_max_;
  State state_;
  Trailer trailer_;
  uint16_t part_;       // parts given of the message in hand
  uint16_t part_of_;    // 0: not known
  size_t remaining_;    // of a counted frame
  size_t searched_;     // bytes of the line in hand that hold no trailer
};

// A datagram is one message, whole; an empty one too. `marks`: kTruncated when the kernel cut it.
void frame_datagram(std::string_view datagram, size_t message_bytes_max, uint8_t marks, const Origin* origin,
                    std::vector<Record>& out, FrameCounts& counts);

}  // namespace yushi
