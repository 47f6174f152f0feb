// Sends prepared traffic to a daemon on loopback and counts what went out.
//
// The traffic is framed before the clock starts (or read straight from a mapped file), so that sending costs little
// beside the kernel's copy: on a two-core machine the generator must not take what the daemon is measured with.
//
// Threads  One: all connections are served in turn by poll().
// Errors   Result; an address that is not 127.0.0.0/8 is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace yushi::flood {

enum class Framing : uint8_t { octet_counted, newline };

struct SendOptions {
  enum class Transport : uint8_t { tcp, udp, unix_datagram } transport = Transport::tcp;
  std::string host = "127.0.0.1";
  uint16_t port = 5514;
  std::string unix_path;
  uint32_t connections = 8;
  uint32_t tenants = 20;
  Framing framing = Framing::octet_counted;
  bool tls = false;   // tcp: any certificate will do
  bool relp = false;  // tcp: RELP's frames, at most 1,024 that are not answered
  double rate = 0;    // messages a second over all connections; 0: as fast as it goes
  uint32_t seconds_max = 120;
};

// What one connection sends: lines, each with its newline; framed once more for octet counting.
struct Lane {
  std::vector<std::string_view> pieces;  // whole messages each; the views live in Traffic
  uint64_t messages = 0;
  uint64_t wire_bytes = 0;
};

// Memory  Owns the bytes (or the mapping) behind its lanes.
class Traffic {
 public:
  Traffic(uint32_t lanes, Framing framing) : lanes_(lanes), buffers_(lanes), framing_(framing) {}
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  void add(uint32_t lane, std::string_view message);  // a copy, framed
  // Maps a file of lines. With newline framing it is sent as it lies, in pieces of whole lines dealt to the lanes in
  // turn; with octet counting its lines are framed into memory. An empty line is no message.
  Result<void> add_file(const std::string& path);
  void finish();  // after the last add

  const std::vector<Lane>& lanes() const { return lanes_; }
  Framing framing() const { return framing_; }
  uint64_t messages() const { return messages_; }
  uint64_t message_bytes() const { return message_bytes_; }  // without framing

 private:
  std::vector<Lane> lanes_;
  std::vector<std::vector<std::string>> buffers_;
  Framing framing_;
  uint64_t messages_ = 0, message_bytes_ = 0;
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
};

struct Sent {
  uint64_t messages = 0;  // handed to the kernel whole
  uint64_t wire_bytes = 0;
  double seconds = 0;          // first byte to last
  double drained_seconds = 0;  // until the daemon had read all and closed; TCP only
  double cpu_seconds = 0;      // our own, while sending
  bool complete = false;       // all that was prepared went out
  std::string trouble;         // why not, if it did not
};

Result<Sent> send(const Traffic& traffic, const SendOptions& options);
// Over TLS, RELP or both (secure_sender.cc). `connect` gives a blocking socket.
Result<Sent> send_secure(const Traffic& traffic, const SendOptions& options,
                         const std::function<Result<int>(uint32_t connection)>& connect);

}  // namespace yushi::flood
