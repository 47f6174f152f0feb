// Datagrams between the socket and the pipeline: those that were read ahead, and those of the batch in the making.
//
// While the pipeline is busy a socket's buffer in the kernel fills up, and then the kernel drops whatever comes next,
// whose ever it is. So all of it is read, ahead of the pipeline, into the stage, and it is the stage that drops: a
// datagram is taken while what its source holds there is less than what is free. A source that floods comes to hold
// half of the stage (of n that flood each 1 in n + 1); one that trickles always finds room. What was dropped is counted
// for its source.
//
// Threads  The stage and the senders are used under their socket's lock, the batch by its ingest thread without it: a
//          sender's names are read there, and stay as they are as long as it is remembered.
// Memory   The stage has a bound; one buffer a read, as large as what was taken. Sources are remembered, at most
//          kSourcesRememberedMax of them.
// Cost     A hash lookup and a copy for each datagram; an allocation only for a sender not seen lately.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/net/address.h"
#include "ingest/net/delivery.h"

namespace yushi::ingest {

// A sender, with what it has in the stage and in the batch in the making.
struct DatagramSource {
  std::string source, address;
  LogId log_id = 0;
  // The stage's.
  size_t staged_bytes = 0;
  uint64_t dropped = 0;  // not told yet
  // The batch's.
  Origin* origin = nullptr;  // null: not in this batch yet
  FrameCounts counts;
  uint64_t bytes = 0;
};

class DatagramStage {
 public:
  struct Datagram {
    DatagramSource* from;
    std::string_view bytes;  // in the socket's room until end_read()
    size_t address = 0;      // number in Read::addresses, from 1; 0: its source's own
  };
  struct Read {
    std::unique_ptr<char[]> buffer;
    size_t bytes = 0;  // without the padding
    int64_t received_ns = 0;
    std::vector<Datagram> datagrams;
    std::vector<std::string> addresses;
  };

  // Nothing is dropped without a bound.
  explicit DatagramStage(size_t bytes_max = SIZE_MAX) : bytes_max_(bytes_max) {}

  // A read: each of its datagrams is offered, then end_read() copies those that were taken. `address` is for overflow
  // only.
  void offer(DatagramSource& from, std::string_view datagram, std::string address = {});
  void end_read();
  // What was read first: some `bytes` of it, and no more than `reads`.
  std::vector<Read> take(size_t bytes, int reads);
  // What was dropped since the last call goes into `delivery` as notes.
  void tell_drops(Delivery& delivery);

  bool empty() const { return reads_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  // what a datagram costs here beside its own bytes, also when it is all of its read
  static constexpr size_t kEachBytes = 256;

  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<Read> reads_;
  Read now_;
  std::vector<DatagramSource*> dropped_;
};

class DatagramBatch {
 public:
  DatagramBatch(Delivery& delivery, Transport transport, size_t message_bytes_max)
      : delivery_(delivery), transport_(transport), message_bytes_max_(message_bytes_max) {}

  // The datagrams of one read share a receipt time.
  void append(DatagramStage::Read read);
  void deliver();

 private:
  Origin* make_origin(const DatagramSource& from, std::string_view address, int64_t received_ns);

  Delivery& delivery_;
  const Transport transport_;
  const size_t message_bytes_max_;
  std::vector<DatagramSource*> in_batch_;
};

// The senders of one UDP socket by address.
class DatagramSources {
 public:
  explicit DatagramSources(const SharedByInputs& context) : context_(context) {}

  // Null: beyond SourceLimit; then overflow() is the one that counts.
  DatagramSource* find(const SocketAddress& peer);
  DatagramSource& overflow(LogId log);
  LogId log_of(const SocketAddress& peer) const { return context_.routing->find(peer.address()); }

  // When none of them is in stage or batch: forgets what another routing gave, and all when there are too many.
  void trim();

 private:
  static constexpr size_t kSourcesRememberedMax = 65536;
  using Key = std::array<uint8_t, 20>;  // address and scope
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size()});
    }
  };

  using ByAddress = std::unordered_map<Key, DatagramSource, KeyHash>;

  const SharedByInputs& context_;
  ByAddress by_address_;
  uint64_t routed_ = 0;            // by which version of the routing
  std::vector<ByAddress> before_;  // by those before; what was read may still name them
  std::unordered_map<LogId, DatagramSource> overflow_;
};

// Asks for a large receive buffer, beyond net.core.rmem_max when we may. Returns what the kernel gave.
size_t set_receive_buffer(int fd, size_t bytes);

// Datagrams that the kernel has dropped on this socket since it was made.
uint32_t kernel_drops(int fd);

}  // namespace yushi::ingest
