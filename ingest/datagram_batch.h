// What one read of a datagram socket gives: datagrams of several senders, packed behind each other.
//
// Threads  Its ingest thread only.
// Memory   One buffer a read, as large as what was read. Sources are remembered, at most kSourcesRememberedMax of them.
// Cost     A hash lookup and a copy for each datagram; an allocation only for a sender not seen lately.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/address.h"
#include "ingest/delivery.h"

namespace yushi {

// A sender, with what it sent in the batch in the making.
struct DatagramSource {
  std::string source, address;
  TenantId tenant = 0;
  Origin* origin = nullptr;  // null: not in this batch yet
  FrameCounts counts;
  uint64_t bytes = 0;
};

class DatagramBatch {
 public:
  DatagramBatch(Delivery& delivery, Transport transport, size_t message_bytes_max)
      : delivery_(delivery), transport_(transport), message_bytes_max_(message_bytes_max) {}

  // Room for one read; `bytes` is what append() will get together.
  void begin_read(size_t bytes, size_t datagrams);
  void append(DatagramSource& from, std::string_view datagram, uint8_t marks = 0);
  // From a sender beyond SourceLimit: `overflow` counts, the address stays with the record.
  void append_overflow(DatagramSource& overflow, std::string_view address, std::string_view datagram);

  size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0 && in_batch_.empty(); }
  void deliver();

 private:
  Origin* make_origin(const DatagramSource& from, std::string_view address);
  std::string_view store(std::string_view datagram);
  void count_in(DatagramSource& from, size_t bytes);

  Delivery& delivery_;
  const Transport transport_;
  const size_t message_bytes_max_;
  std::vector<DatagramSource*> in_batch_;
  char* at_ = nullptr;
  size_t left_ = 0;
  size_t bytes_ = 0;
  int64_t received_ns_ = 0;
};

// The senders of one UDP socket by address.
class DatagramSources {
 public:
  DatagramSources(const InputContext& context) : context_(context) {}

  // Null: beyond SourceLimit; then overflow() is the one that counts.
  DatagramSource* find(const SocketAddress& peer);
  DatagramSource& overflow(TenantId tenant);
  TenantId tenant(const SocketAddress& peer) const { return context_.tenants->find(peer.address()); }

  // Between batches: forgets all when there are too many.
  void trim();

 private:
  static constexpr size_t kSourcesRememberedMax = 65536;
  using Key = std::array<uint8_t, 20>;  // address and scope
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size()});
    }
  };

  const InputContext& context_;
  std::unordered_map<Key, DatagramSource, KeyHash> by_address_;
  std::unordered_map<TenantId, DatagramSource> overflow_;
};

// Asks for a large receive buffer, beyond net.core.rmem_max when we may. Returns what the kernel gave.
size_t set_receive_buffer(int fd, size_t bytes);

// Datagrams that the kernel has dropped on this socket since it was made.
uint32_t kernel_drops(int fd);

}  // namespace yushi
