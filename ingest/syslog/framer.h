// Cuts the byte stream of one connection into messages (RFC 6587), in place: what it gives are views, never copies.
//
// Give it what was read with feed(); it says how many bytes it is done with. The rest is given again, at the front of
// the next call, with more bytes behind it. At the end of the connection give the rest to finish().
//
// Octet-counted  "[1-9][0-9]{0,6} SP" and as many bytes, any bytes. A LF between frames is an empty line. What is no
//                count is one message up to the next LF (a resync); then counts are expected again. The connection
//                stays open.
// Newline        A message ends with LF. A NUL ends one too on a connection that shows that it means so: its first
//                trailer is a NUL with the "<" of the next message, or the connection's end, behind it. On all other
//                connections NUL is a byte like others: a line with a NUL inside must neither lose it nor become two
//                records. The trailer is taken away, a CR before it is not. An empty line is no message.
// automatic      Octet-counted when the connection begins with "[1-9][0-9]{0,6} <", else newline, for good: detection
//                per message would let an embedded LF and "99999 <13>" swallow other people's records. A line may begin
//                so too ("12 <13>…"): so the first frame must end before a LF or the next count, or, if it is broken,
//                the line behind it begin with one. It is held until then. A frame too long to be held is taken for
//                counted up to kCountMax; what the connection's end cuts off is a line when it ends with LF. Empty
//                lines before tell nothing, nor does a byte order mark before the "<". One before the first count, as
//                some stream writers put it, is a message of its own, and a resync.
// idle()         What only the next byte can tell is told by there being none for a while: a NUL at the end is a
//                trailer, a frame that is all there was counted.
// Too long       A message of more than message_bytes_max bytes becomes parts of that size, numbered from 1, each a
//                record. `part_of` is known when the frame has a count or the line at most kPartsHeld parts; of a
//                longer line only the last part has it: 0 means "more follow". Of a message that had to be let go early
//                (release()) only what the last part says holds. Parts behind the 65,535th of a line without end
//                are all numbered so: none begins anew as part 1, which would be read as a message of its own.
// Unfinished     What the connection's end cut off is kept, its last part with the mark kTruncated.
//
// Invariants  Messages, counts and trailers together are the input, byte for byte. However the input is cut into calls
//             of feed(), the messages are the same (calls of release() and idle() aside).
// Memory      Asks its caller to keep at most kPartsHeld * message_bytes_max + 1 bytes; has none of its own.
// Threads     One owner at a time.
// Cost        One memchr over the bytes, each byte once however slowly they come, but for a first message that has not
//             told the framing yet; bench/framer_bench.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/record/record.h"
#include "ingest/net/protocol.h"

namespace yushi::ingest {

enum class Framing : uint8_t { automatic, octet_counted, newline };

class Framer final : public Protocol {
 public:
  static constexpr size_t kMessageBytesMin = 256;  // a count of seven digits then never has more than 65,535 parts
  static constexpr size_t kPartsHeld = 16;
  static constexpr size_t kCountMax = 1 << 20;  // more in a first count, and more than is held, is the text of a line

  Framer(Framing framing, size_t message_bytes_max);

  // Appends the messages that are complete in `bytes` to `out`; returns how many bytes of `bytes` are done with.
  size_t feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;

  // Whether `rest`, which feed() left, waits for nothing but the next byte.
  bool waits(std::string_view rest) const override;

  // Nothing has come for a while and waits(rest): gives the message that is there. Returns how many bytes are done
  // with.
  size_t idle(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;

  // Gives most of an unfinished message as parts, because memory is short. `rest` is what feed() left. Returns how many
  // bytes of it are done with: all but one, or none.
  size_t release(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;

  // The connection has ended and `rest` is what feed() left. Afterwards the framer is as new.
  void finish(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;

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
  // What a connection's first bytes are.
  struct First {
    enum class Kind : uint8_t { unknown, line, counted };
    Kind kind;
    size_t frame = 0;  // unknown: bytes up to the end of the first frame; 0 when there may be none
  };
  First first_of(std::string_view bytes) const;
  First::Kind kind_without_more(std::string_view rest) const;
  const char* decide(const char* at, const char* end, Out& out);
  const char* begin_as(First::Kind kind, std::string_view rest, Out& out);
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
  bool nul_ended_;    // idle() took the NUL before for a trailer
  uint16_t part_;     // parts given of the message in hand
  uint16_t part_of_;  // 0: not known
  size_t remaining_;  // of a counted frame
  size_t searched_;   // bytes of the line in hand that hold no trailer
};

// A datagram is one message, whole; an empty one too. `marks`: kTruncated when the kernel cut it.
void frame_datagram(std::string_view datagram, size_t message_bytes_max, uint8_t marks, const Origin* origin,
                    std::vector<Record>& out, FrameCounts& counts);

}  // namespace yushi::ingest
