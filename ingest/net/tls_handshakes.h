// The handshakes of one TLS input, on a thread of their own: what they cost, and who begins one and does not go on,
// stops no connection that speaks.
//
// Also looks every few seconds whether the certificate's files have changed, and reads them again.
//
// Threads  begin(), reload() and stop(): any. `done` is called on the handshakes' thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ingest/net/address.h"
#include "ingest/net/tls.h"

namespace yushi::ingest {

class TlsHandshakes {
 public:
  TlsHandshakes(std::shared_ptr<TlsServer> server, std::string input, std::function<void(const std::string&)> trouble);
  ~TlsHandshakes();

  // With the socket and its stream once the client has come through, within kHandshakeMax; without both when it has
  // not.
  using Done = std::function<void(OwnedFd fd, std::unique_ptr<TlsStream> stream)>;
  void begin(OwnedFd fd, Done done);
  void reload();
  void stop();  // those that are under way have failed

 private:
  class Under;
  void read_again(bool always);
  void watch_files();

  const std::shared_ptr<TlsServer> server_;
  const std::string input_;
  const std::function<void(const std::string&)> trouble_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::thread thread_;
};

}  // namespace yushi::ingest
