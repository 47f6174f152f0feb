#include "ingest/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "core/base/time_text.h"

namespace yushi::ingest {
namespace {

std::string openssl_words() {
  std::string out;
  while (auto code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (reason && out.empty()) out = reason;
  }
  return out.empty() ? "no reason given" : out;
}

tl::unexpected<Error> bad(const char* setting, const std::string& path) {
  std::string why = openssl_words();
  struct stat there;
  if (::stat(path.c_str(), &there) != 0) why = std::strerror(errno);
  return fail(Code::invalid, "inputs.tls." + std::string(setting) + ": " + path + ": " + why);
}

// Changes with the file's content, or with which file it is.
std::string stamp_of(const TlsSettings& settings) {
  std::string out;
  for (auto* path : {&settings.cert, &settings.key, &settings.client_ca, &settings.crl}) {
    struct stat there {};
    if (!path->empty()) (void)::stat(path->c_str(), &there);
    out += std::to_string(there.st_ino) + " " + std::to_string(there.st_size) + " " +
           std::to_string(there.st_mtim.tv_sec) + "." + std::to_string(there.st_mtim.tv_nsec) + "\n";
  }
  return out;
}

// The first DNS name, or the common name.
std::string name_of(X509* certificate) {
  char name[256] = "";
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int length = X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name);
  if (length > 0 && std::strlen(name) == static_cast<size_t>(length)) return name;
  std::string out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && out.empty(); ++i) {
    auto* each = sk_GENERAL_NAME_value(names, i);
    if (each->type != GEN_DNS) continue;
    out.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(each->d.dNSName)),
               static_cast<size_t>(ASN1_STRING_length(each->d.dNSName)));
    if (out.find('\0') != out.npos) out.clear();
  }
  GENERAL_NAMES_free(names);
  return out;
}

class OpenSslStream final : public TlsStream {
 public:
  OpenSslStream(SSL* ssl, int fd, std::shared_ptr<const void> keep) : ssl_(ssl), fd_(fd), keep_(std::move(keep)) {
    SSL_set_fd(ssl_, fd);
    SSL_set_accept_state(ssl_);
  }
  ~OpenSslStream() override { SSL_free(ssl_); }

  Handshake handshake() override {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_);
    if (done == 1) return Handshake::done;
    const int error = SSL_get_error(ssl_, done);
    if (error == SSL_ERROR_WANT_READ) return Handshake::wants_read;
    if (error == SSL_ERROR_WANT_WRITE) return Handshake::wants_write;
    const long verified = SSL_get_verify_result(ssl_);
    failure_ = verified != X509_V_OK        ? X509_verify_cert_error_string(verified)
               : error == SSL_ERROR_SYSCALL ? "the connection ended"
                                            : openssl_words();
    ERR_clear_error();
    return Handshake::failed;
  }
  std::string failure() const override { return failure_; }

  std::string peer_name() const override {
    X509* certificate = SSL_get0_peer_certificate(ssl_);
    return certificate && SSL_get_verify_result(ssl_) == X509_V_OK ? name_of(certificate) : std::string();
  }

  // Until the room is full or there is nothing more: what OpenSSL holds is not seen by who waits for the socket.
  Outcome read(char* to, size_t room, size_t* got) override {
    *got = 0;
    while (*got < room) {
      size_t n = 0;
      ERR_clear_error();
      const int read = SSL_read_ex(ssl_, to + *got, room - *got, &n);
      if (read == 1) {
        *got += n;
        continue;
      }
      const int error = SSL_get_error(ssl_, read);
      const bool for_later = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
      if (*got > 0) return Outcome::some;  // an end comes again at the next read
      return for_later ? Outcome::nothing : Outcome::ended;
    }
    return Outcome::some;
  }

  Outcome write(std::string_view bytes, size_t* taken) override {
    *taken = 0;
    ERR_clear_error();
    const int written = SSL_write_ex(ssl_, bytes.data(), bytes.size(), taken);
    if (written == 1) return Outcome::some;
    const int error = SSL_get_error(ssl_, written);
    return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? Outcome::nothing : Outcome::ended;
  }

  void shut() override {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_);
  }

  size_t readable() const override {
    int bytes = 0;
    const bool asked = ::ioctl(fd_, FIONREAD, &bytes) == 0 && bytes > 0;
    return static_cast<size_t>(SSL_pending(ssl_)) + (asked ? static_cast<size_t>(bytes) : 0);
  }

 private:
  SSL* const ssl_;
  const int fd_;
  const std::shared_ptr<const void> keep_;
  std::string failure_;
};

}  // namespace

struct TlsServer::Loaded {
  SSL_CTX* context = nullptr;
  std::string stamp;
  int64_t expires_ns = 0;
  ~Loaded() { SSL_CTX_free(context); }
};

void read_tls(Walk& walk, const YAML::Node& node, TlsSettings& out) {
  walk.map(node, "inputs.tls.",
           {{"cert", walk.path("inputs.tls.cert", out.cert)},
            {"key", walk.path("inputs.tls.key", out.key)},
            {"client_ca", walk.path("inputs.tls.client_ca", out.client_ca)},
            {"crl", walk.path("inputs.tls.crl", out.crl)}});
  if (!node.IsMap()) return;
  for (const char* needed : {"cert", "key"})
    if (!node[needed]) walk.problem(node, "inputs.tls." + std::string(needed) + ": missing; name a file in PEM");
  if (node["crl"] && !node["client_ca"])
    walk.problem(node["crl"], "inputs.tls.crl: without client_ca no certificate is asked for; name client_ca too");
}

Result<std::shared_ptr<const TlsServer::Loaded>> TlsServer::load(const TlsSettings& settings) {
  auto loaded = std::make_shared<Loaded>();
  loaded->stamp = stamp_of(settings);  // before the files are read: a change meanwhile is seen the next time
  ERR_clear_error();
  auto* context = loaded->context = SSL_CTX_new(TLS_server_method());
  if (!context) return fail(Code::exhausted, "TLS: " + openssl_words());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context, 0);  // a sender that does not read would never take them
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, settings.cert.c_str()) != 1) return bad("cert", settings.cert);
  if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_error()) != X509_R_KEY_VALUES_MISMATCH) return bad("key", settings.key);
    ERR_clear_error();
    return fail(Code::invalid, "inputs.tls.key: " + settings.key + " is not the key of " + settings.cert);
  }
  std::tm until{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &until) == 1)
    loaded->expires_ns = int64_t{::timegm(&until)} * kSecond;
  if (!settings.client_ca.empty()) {
    auto* names = SSL_load_client_CA_file(settings.client_ca.c_str());
    if (!names || SSL_CTX_load_verify_file(context, settings.client_ca.c_str()) != 1) {
      sk_X509_NAME_pop_free(names, X509_NAME_free);
      return bad("client_ca", settings.client_ca);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (!settings.crl.empty()) {
    auto* store = SSL_CTX_get_cert_store(context);
    auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup || X509_load_crl_file(lookup, settings.crl.c_str(), X509_FILETYPE_PEM) < 1)
      return bad("crl", settings.crl);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  return std::shared_ptr<const Loaded>(std::move(loaded));
}

Result<std::shared_ptr<TlsServer>> TlsServer::open(const TlsSettings& settings) {
  std::shared_ptr<TlsServer> server(new TlsServer(settings));
  auto loaded = YUSHI_TRY(load(settings));
  MutexLock lock(server->mutex_);
  server->loaded_ = std::move(loaded);
  return server;
}

TlsServer::~TlsServer() = default;

Result<bool> TlsServer::reload(bool always) {
  {
    MutexLock lock(mutex_);
    const auto stamp = stamp_of(settings_);
    if (!always && (stamp == loaded_->stamp || stamp == refused_)) return false;
  }
  auto loaded = load(settings_);
  MutexLock lock(mutex_);
  if (!loaded) {
    refused_ = stamp_of(settings_);
    return tl::unexpected(loaded.error());
  }
  loaded_ = std::move(*loaded);
  return true;
}

int64_t TlsServer::expires_ns() const {
  MutexLock lock(mutex_);
  return loaded_->expires_ns;
}

std::unique_ptr<TlsStream> TlsServer::accept(int fd) {
  std::shared_ptr<const Loaded> loaded;
  {
    MutexLock lock(mutex_);
    loaded = loaded_;
  }
  auto* ssl = SSL_new(loaded->context);
  return ssl ? std::make_unique<OpenSslStream>(ssl, fd, loaded) : nullptr;
}

}  // namespace yushi::ingest
