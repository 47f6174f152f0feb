#include "ingest/datagram_batch.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <utility>

#include "core/base/clock.h"
#include "core/ledger/entry.h"

namespace yushi {

void DatagramBatch::begin_read(std::unique_ptr<char[]> buffer, size_t bytes, size_t datagrams, int64_t received_ns) {
  Batch& batch = delivery_.batch();
  delivery_.own(std::move(buffer), bytes);
  // Doubling, or each of many small reads would move all records.
  if (batch.records.capacity() < batch.records.size() + datagrams) {
    batch.records.reserve(std::max(batch.records.size() + datagrams, 2 * batch.records.size()));
  }
  received_ns_ = received_ns;
}

Origin* DatagramBatch::make_origin(const DatagramSource& from, std::string_view address) {
  Arena& arena = delivery_.batch().arena;
  Origin origin;
  origin.received_ns = received_ns_;
  origin.source = arena.copy(from.source);
  origin.address = address == from.source ? origin.source : arena.copy(address);
  origin.transport = transport_;
  origin.tenant = from.tenant;
  return arena.make(origin);
}

void DatagramBatch::count_in(DatagramSource& from, size_t bytes) {
  if (from.counts.messages == 0) in_batch_.push_back(&from);
  from.bytes += bytes;
  bytes_ += bytes;
}

void DatagramBatch::append(DatagramSource& from, std::string_view datagram) {
  count_in(from, datagram.size());
  // The messages of one read share a receipt time, those of the next have their own.
  if (from.origin == nullptr || from.origin->received_ns != received_ns_) from.origin = make_origin(from, from.address);
  frame_datagram(datagram, message_bytes_max_, 0, from.origin, delivery_.batch().records, from.counts);
}

void DatagramBatch::append_overflow(DatagramSource& overflow, std::string_view address, std::string_view datagram) {
  count_in(overflow, datagram.size());
  frame_datagram(datagram, message_bytes_max_, 0, make_origin(overflow, address), delivery_.batch().records,
                 overflow.counts);
}

void DatagramBatch::deliver() {
  for (DatagramSource* source : in_batch_) {
    delivery_.note(Note::Kind::bytes, source->tenant, source->source, source->bytes);
    delivery_.note(source->counts, source->tenant, source->source);
    source->origin = nullptr;
    source->counts = {};
    source->bytes = 0;
  }
  in_batch_.clear();
  bytes_ = 0;
  delivery_.deliver();
}

void DatagramStage::offer(DatagramSource& from, std::string_view datagram, std::string address) {
  const size_t cost = datagram.size() + kEachBytes;
  if (from.staged_bytes + cost > bytes_max_ - bytes_) {
    if (from.dropped++ == 0) dropped_.push_back(&from);
    return;
  }
  from.staged_bytes += cost;
  bytes_ += cost;
  size_t number = 0;
  if (!address.empty()) {
    now_.addresses.push_back(std::move(address));
    number = now_.addresses.size();
  }
  now_.datagrams.push_back({&from, datagram, number});
}

void DatagramStage::end_read() {
  if (now_.datagrams.empty()) return;
  size_t bytes = 0;
  for (const Datagram& datagram : now_.datagrams) bytes += datagram.bytes.size();
  now_.buffer_bytes = bytes + kBufferPaddingBytes;
  now_.buffer.reset(new char[now_.buffer_bytes]);
  now_.received_ns = realtime_ns();
  char* at = now_.buffer.get();
  for (Datagram& datagram : now_.datagrams) {
    std::memcpy(at, datagram.bytes.data(), datagram.bytes.size());
    datagram.bytes = {at, datagram.bytes.size()};
    at += datagram.bytes.size();
  }
  reads_.push_back(std::move(now_));
  now_ = {};
}

void DatagramStage::take(size_t bytes, int reads, DatagramBatch& batch) {
  for (; reads > 0 && !reads_.empty() && batch.bytes() < bytes; --reads) {
    Read read = std::move(reads_.front());
    reads_.pop_front();
    batch.begin_read(std::move(read.buffer), read.buffer_bytes, read.datagrams.size(), read.received_ns);
    for (const Datagram& datagram : read.datagrams) {
      const size_t cost = datagram.bytes.size() + kEachBytes;
      datagram.from->staged_bytes -= cost;
      bytes_ -= cost;
      if (datagram.address == 0) {
        batch.append(*datagram.from, datagram.bytes);
      } else {
        batch.append_overflow(*datagram.from, read.addresses[datagram.address - 1], datagram.bytes);
      }
    }
  }
}

void DatagramStage::tell_drops(Delivery& delivery) {
  for (DatagramSource* source : dropped_)
    delivery.note_later(Note::Kind::source_drop, source->tenant, source->source, std::exchange(source->dropped, 0));
  dropped_.clear();
}

DatagramSource* DatagramSources::find(const SocketAddress& peer) {
  Key key;
  const Address address = peer.address();
  const uint32_t scope = peer.scope();
  std::memcpy(key.data(), address.data(), address.size());
  std::memcpy(key.data() + address.size(), &scope, sizeof scope);
  const auto found = by_address_.find(key);
  if (found != by_address_.end()) return &found->second;
  DatagramSource source;
  source.address = peer.address_text();
  source.source = encode_source(source.address);
  source.tenant = tenant(peer);
  if (!context_.sources->admit(source.tenant, source.source)) return nullptr;
  return &by_address_.emplace(key, std::move(source)).first->second;
}

DatagramSource& DatagramSources::overflow(TenantId tenant) {
  DatagramSource& source = overflow_[tenant];
  source.tenant = tenant;
  source.source = SourceLimit::kOverflow;
  return source;
}

void DatagramSources::trim() {
  if (by_address_.size() > kSourcesRememberedMax) by_address_.clear();
}

size_t set_receive_buffer(int fd, size_t bytes) {
  const int wanted = static_cast<int>(std::min<size_t>(bytes, 1 << 30));
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }
  int got = 0;
  socklen_t length = sizeof got;
  ::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length);
  return static_cast<size_t>(got);
}

uint32_t kernel_drops(int fd) {
  uint32_t info[SK_MEMINFO_VARS] = {};
  socklen_t length = sizeof info;
  if (::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

}  // namespace yushi
