#include "ingest/net/datagram_batch.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <utility>

#include "core/base/clock.h"
#include "core/ledger/entry.h"
#include "ingest/syslog/framer.h"

namespace yushi::ingest {

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
  for (const Datagram& datagram : now_.datagrams) now_.bytes += datagram.bytes.size();
  now_.buffer.reset(new char[now_.bytes + kRawPaddingBytes]);
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

std::vector<DatagramStage::Read> DatagramStage::take(size_t bytes, int reads) {
  std::vector<Read> out;
  for (size_t taken = 0; reads > 0 && !reads_.empty() && taken < bytes; --reads) {
    for (const Datagram& datagram : reads_.front().datagrams)
      datagram.from->staged_bytes -= datagram.bytes.size() + kEachBytes;
    bytes_ -= reads_.front().bytes + reads_.front().datagrams.size() * kEachBytes;
    taken += reads_.front().bytes;
    out.push_back(std::move(reads_.front()));
    reads_.pop_front();
  }
  return out;
}

void DatagramStage::tell_drops(Delivery& delivery) {
  for (DatagramSource* source : dropped_)
    delivery.note_later(Note::Kind::source_drop, source->log_id, source->source, std::exchange(source->dropped, 0));
  dropped_.clear();
}

Origin* DatagramBatch::make_origin(const DatagramSource& from, std::string_view address, int64_t received_ns) {
  Arena& arena = delivery_.batch().arena;
  Origin origin;
  origin.received_ns = received_ns;
  origin.source = arena.copy(from.source);
  origin.address = address == from.source ? origin.source : arena.copy(address);
  origin.transport = transport_;
  origin.log_id = from.log_id;
  return arena.make(origin);
}

void DatagramBatch::append(DatagramStage::Read read) {
  delivery_.own(std::move(read.buffer), read.bytes + kRawPaddingBytes);
  auto& records = delivery_.batch().records;
  // Doubling, or each of many small reads would move all records.
  if (records.capacity() < records.size() + read.datagrams.size()) {
    records.reserve(std::max(records.size() + read.datagrams.size(), 2 * records.size()));
  }
  for (const auto& datagram : read.datagrams) {
    DatagramSource& from = *datagram.from;
    if (from.counts.messages == 0) in_batch_.push_back(&from);
    from.bytes += datagram.bytes.size();
    Origin* origin;
    if (datagram.address > 0) {  // beyond SourceLimit: the overflow counts, the address stays with the record
      origin = make_origin(from, read.addresses[datagram.address - 1], read.received_ns);
    } else {
      if (from.origin == nullptr || from.origin->received_ns != read.received_ns)
        from.origin = make_origin(from, from.address, read.received_ns);
      origin = from.origin;
    }
    frame_datagram(datagram.bytes, message_bytes_max_, 0, origin, records, from.counts);
  }
}

void DatagramBatch::deliver() {
  for (DatagramSource* source : in_batch_) {
    delivery_.note(Note::Kind::bytes, source->log_id, source->source, source->bytes);
    delivery_.note(source->counts, source->log_id, source->source);
    source->origin = nullptr;
    source->counts = {};
    source->bytes = 0;
  }
  in_batch_.clear();
  delivery_.deliver();
}

DatagramSource* DatagramSources::find(const SocketAddress& peer) {
  if (const auto version = context_.routing->version(); version != routed_) [[unlikely]] {
    routed_ = version;
    if (!by_address_.empty()) before_.push_back(std::exchange(by_address_, {}));
  }
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
  source.log_id = log_of(peer);
  if (!context_.sources->admit(source.log_id, source.source)) return nullptr;
  return &by_address_.emplace(key, std::move(source)).first->second;
}

DatagramSource& DatagramSources::overflow(LogId log) {
  auto [at, is_new] = overflow_.try_emplace(log);
  DatagramSource& source = at->second;
  if (is_new) {
    source.log_id = log;
    source.source = SourceLimit::kOverflow;
  }
  return source;
}

void DatagramSources::trim() {
  before_.clear();
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

}  // namespace yushi::ingest
