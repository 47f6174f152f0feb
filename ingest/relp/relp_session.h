// One RELP connection's frames (rsyslog's librelp, doc/relp.html):
//
//   frame = txnr SP command SP datalen [SP data] LF       txnr 1 to 999,999,999, in turn; 0 where no answer is wanted
//
// `open` and `close` are answered at once, `syslog` with `200 OK` when its message is committed, in the order in which
// they came. A frame that came before over the same connection is answered again and is no second record. What a sender
// gives again over a new connection, since the old one ended before its answers came, cannot be told from a message
// that is the same: it is kept, and counted as a possible double.
//
// Too long     Data over message_bytes_max become parts, given as they come. Of a frame that the connection's end cut
//              off nothing more is kept: its sender was told nothing, and gives it again.
// No frame     Bytes that are none end the connection: nothing of them is answered. They are counted as a resync.
// Memory       One frame's head and at most message_bytes_max are kept unfinished; RelpSenders is bounded.
// Threads      A session's ingest thread; RelpSenders by all.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/mutex.h"
#include "ingest/net/protocol.h"

namespace yushi::ingest {

// What the senders of one input gave last, over whichever connection.
class RelpSenders {
 public:
  static constexpr size_t kWindow = 1024;  // messages; librelp's is 128
  static constexpr size_t kSendersMax = 4096;
  void add(const std::string& sender, const std::vector<uint64_t>& digests) YUSHI_EXCLUDES(mutex_);
  std::unordered_multiset<uint64_t> of(const std::string& sender) YUSHI_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::map<std::string, std::deque<uint64_t>> last_ YUSHI_GUARDED_BY(mutex_);
  std::list<std::string> oldest_ YUSHI_GUARDED_BY(mutex_);
};

class RelpSession final : public Protocol {
 public:
  RelpSession(std::string sender, std::shared_ptr<RelpSenders> senders, size_t message_bytes_max);

  size_t feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;
  size_t release(std::string_view, const Origin*, std::vector<Record>&, FrameCounts&) override { return 0; }
  void finish(std::string_view rest, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) override;
  void take_replies(std::string& out) override;
  uint64_t given() const override { return given_; }
  void committed(uint64_t count) override;
  void close() override;
  bool is_done() const override { return done_; }

 private:
  struct Head {
    uint32_t txnr;
    std::string_view command;
    size_t data_bytes;
    size_t bytes;  // of the head itself, with the blank before the data
  };
  enum class Read { head, more, none };
  static Read read_head(std::string_view bytes, Head* head);
  void begin_message(const Head& head, FrameCounts& counts);
  void give(std::string_view text, bool last, const Origin* origin, std::vector<Record>& out, FrameCounts& counts);
  void answer(uint32_t txnr, std::string_view words);
  bool came_before(uint32_t txnr) const;

  const std::string sender_;
  const std::shared_ptr<RelpSenders> senders_;
  const size_t message_bytes_max_;
  std::string replies_;
  bool open_ = false, done_ = false;
  uint32_t last_txnr_ = 0;
  std::deque<uint32_t> waiting_;  // given, and not committed
  uint64_t given_ = 0, committed_ = 0;
  // Of a message whose data are coming.
  bool in_message_ = false;
  uint32_t txnr_ = 0;
  size_t left_ = 0;
  uint16_t part_ = 0, part_of_ = 0;
  uint64_t digest_ = 0;
  std::vector<uint64_t> fresh_;                    // digests of what was given in this call
  std::unordered_multiset<uint64_t> from_before_;  // over the connection before
  size_t compared_ = 0;
};

}  // namespace yushi::ingest
