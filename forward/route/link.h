// One connection to a receiver, over TCP or TLS: nothing in it waits but serve().
//
// It lives from the connecting to its first trouble; then another is made in its place. The receiver's certificate is
// checked against the CAs and against the host's name.
//
// Threads  One owner.
#pragma once

#include <memory>
#include <string>

#include "core/config/walk.h"

namespace yushi::forward {

struct LinkSettings {
  std::string host, port;
  bool tls = false;
  std::string ca;         // PEM; empty: the system's
  std::string cert, key;  // PEM; empty: we show none
};

// The keys of `tls`: ca, cert, key. Each must be a file that can be read.
Walk::Reader link_tls(Walk& walk, LinkSettings& out);

class Link {
 public:
  explicit Link(const LinkSettings& settings);  // begins to connect
  ~Link();

  // Goes on, and waits so long at most for something to happen.
  void serve(int milliseconds);

  bool is_open() const;
  const std::string& trouble() const;  // in words, with the receiver's name; empty: none. It is of no more use.

  void write(std::string bytes);  // goes out as soon as it is open
  // All of it has come to the receiver's kernel. That somebody reads it there, only an answer tells.
  bool is_acknowledged() const;

  const std::string& received() const;  // since the last forget()
  void forget();
  bool has_ended() const;  // the receiver sends nothing any more

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether a connection opens within the time, which this waits for.
bool link_opens(const LinkSettings& settings, int milliseconds);

}  // namespace yushi::forward
