// An input of connections: one acceptor deals them to the ingest threads in turn, each speaks the protocol it is made
// with, over plain bytes or TLS.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ingest/input.h"
#include "ingest/net/protocol.h"
#include "ingest/net/tls.h"

namespace yushi::ingest {

struct StreamSettings {
  std::string name = "tcp";  // of the input, before its address
  Transport transport = Transport::tcp;
  std::string listen;  // "127.0.0.1:5514", "[::]:514"; port 0 takes a free one
  // One for each connection; `address` is the sender's.
  std::function<std::unique_ptr<Protocol>(const std::string& address)> speak;
  std::shared_ptr<TlsServer> tls;          // none: plain
  size_t unfinished_bytes_max = 64 << 20;  // of all connections; beyond, long unfinished messages go as parts
};

Result<std::unique_ptr<Input>> bind_stream(StreamSettings settings);

}  // namespace yushi::ingest
