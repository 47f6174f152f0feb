// TLS (1.2 and 1.3) under the inputs that take connections: certificates, who may connect, and a connection's bytes.
//
// A TlsServer is what one input has of files: certificate and key, and where clients must have certificates too the CAs
// that sign them and their lists of what is revoked. The files are read again when one has changed or somebody asks;
// connections that are there keep what they began with. What cannot be read leaves what was read before.
//
// Threads  TlsServer: any. TlsStream: one owner at a time.
// Errors   invalid names the setting and the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/byte_stream.h"
#include "core/base/mutex.h"
#include "core/base/result.h"
#include "core/config/walk.h"

namespace yushi::ingest {

struct TlsSettings {
  std::string cert;       // PEM: the server's, then those that lead to its CA
  std::string key;        // PEM
  std::string client_ca;  // PEM; empty: clients need no certificate, and are known by their addresses
  std::string crl;        // PEM, of those CAs; empty: nothing is revoked
};

// The keys of `tls`: cert, key, client_ca, crl.
void read_tls(Walk& walk, const YAML::Node& node, TlsSettings& out);

class TlsStream : public ByteStream {
 public:
  enum class Handshake { done, wants_read, wants_write, failed };
  // Goes on with it, as far as it can without waiting.
  virtual Handshake handshake() = 0;
  virtual std::string failure() const = 0;  // of a handshake, in words
  // Of the client's verified certificate: its common name, else its first DNS name; empty where it has none.
  virtual std::string peer_name() const = 0;
};

class TlsServer {
 public:
  static Result<std::shared_ptr<TlsServer>> open(const TlsSettings& settings);
  ~TlsServer();

  // Reads the files again where one has changed since, or `always`. Whether anything was read.
  Result<bool> reload(bool always) YUSHI_EXCLUDES(mutex_);
  int64_t expires_ns() const YUSHI_EXCLUDES(mutex_);  // Unix time, of the certificate
  const TlsSettings& settings() const { return settings_; }
  // The server's side of a connection that has just been accepted.
  std::unique_ptr<TlsStream> accept(int fd) YUSHI_EXCLUDES(mutex_);

 private:
  struct Loaded;
  explicit TlsServer(TlsSettings settings) : settings_(std::move(settings)) {}
  static Result<std::shared_ptr<const Loaded>> load(const TlsSettings& settings);

  const TlsSettings settings_;
  mutable Mutex mutex_;
  std::shared_ptr<const Loaded> loaded_ YUSHI_GUARDED_BY(mutex_);
  std::string refused_ YUSHI_GUARDED_BY(mutex_);  // what the files were when they could not be used: said once
};

}  // namespace yushi::ingest
