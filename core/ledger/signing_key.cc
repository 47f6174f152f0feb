// The key file: making, reading and keeping it. What is signed with it stands in checkpoint.cc.
#include "core/ledger/checkpoint.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

namespace yushi {
namespace {

constexpr size_t kFileBytesMax = 16 << 10;

std::string words(int error) { return std::strerror(error); }

std::shared_ptr<void> own(EVP_PKEY* key) {
  return {static_cast<void*>(key), [](void* each) { EVP_PKEY_free(static_cast<EVP_PKEY*>(each)); }};
}

// As save() writes it; empty when libcrypto refuses. The caller cleanses it.
std::string pem_of(EVP_PKEY* key) {
  std::string out;
  auto* bio = BIO_new(BIO_s_mem());
  if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr) == 1) {
    char* pem = nullptr;
    auto bytes = BIO_get_mem_data(bio, &pem);
    out.assign(pem, static_cast<size_t>(bytes));
    OPENSSL_cleanse(pem, out.size());
  }
  BIO_free(bio);
  return out;
}

// Writes and syncs all of `text` to a new file that only we may read.
int write_new(const std::string& path, std::string_view text, Disk& disk) {
  int fd = -1;
  int error = disk.open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, fd);
  if (error) return error;
  if (::fchmod(fd, 0600) != 0) error = errno;  // whatever the umask says
  if (!error) error = disk.write(fd, text, path);
  if (!error) error = disk.sync(fd, path);
  ::close(fd);
  return error;
}

}  // namespace

Result<SigningKey> SigningKey::generate() {
  EVP_PKEY* key = nullptr;
  auto* context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr);
  bool is_made = context && EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_keygen(context, &key) == 1;
  EVP_PKEY_CTX_free(context);
  if (!is_made) return fail(Code::io, "making an Ed25519 key: libcrypto refused; check its setup");
  SigningKey out;
  out.key_ = own(key);
  return out;
}

Result<SigningKey> SigningKey::load(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return fail(Code::not_found, "reading the signing key " + path + ": there is no such file");
    return fail(Code::io, "reading the signing key " + path + ": " + words(errno) + "; check its owner and mode");
  }
  std::string text(kFileBytesMax, '\0');
  size_t used = 0;
  int error = 0;
  while (used < text.size()) {
    ssize_t n = ::read(fd, text.data() + used, text.size() - used);
    if (n == 0) break;
    if (n > 0)
      used += static_cast<size_t>(n);
    else if (errno != EINTR) {
      error = errno;
      break;
    }
  }
  ::close(fd);
  if (error) return fail(Code::io, "reading the signing key " + path + ": " + words(error));
  auto* bio = BIO_new_mem_buf(text.data(), static_cast<int>(used));
  // The callback says that there is no pass phrase, or OpenSSL would ask on the terminal.
  EVP_PKEY* key = bio ? PEM_read_bio_PrivateKey(
                            bio, nullptr, [](char*, int, int, void*) { return -1; }, nullptr)
                      : nullptr;
  BIO_free(bio);
  // OpenSSL reads over what stands around the key: a byte changed there would not be seen.
  auto written = key ? pem_of(key) : std::string();
  bool as_written = written == std::string_view(text).substr(0, used);
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(written.data(), written.size());
  if (!key || EVP_PKEY_id(key) != EVP_PKEY_ED25519) {
    EVP_PKEY_free(key);
    ERR_clear_error();
    return fail(Code::corrupt, "reading the signing key " + path +
                                   ": it is no Ed25519 key in PKCS#8 PEM; bring it back from the backup of the keys");
  }
  SigningKey out;
  out.key_ = own(key);
  if (!as_written)
    return fail(Code::corrupt,
                "reading the signing key " + path +
                    ": it is not as it was written, a byte was changed or added; bring it back from the backup "
                    "of the keys, or write it anew with `openssl pkey -in FILE`");
  return out;
}

Result<void> SigningKey::save(const std::string& path, Disk& disk) const {
  auto pem = pem_of(static_cast<EVP_PKEY*>(key_.get()));
  // A new name first, so that a crash leaves either no key or a whole one; link() refuses to overwrite.
  const std::string fresh = path + ".new";
  int error = pem.empty() ? EIO : 0;
  if (!error) {
    ::unlink(fresh.c_str());
    error = write_new(fresh, pem, disk);
  }
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!error && ::link(fresh.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(fresh.c_str());
  if (error == EEXIST)
    return fail(Code::refused,
                "saving the signing key " + path + ": the file is there; move it away if you mean to replace it");
  if (!error) error = disk.sync_folder_of(path);
  if (error) return fail(Code::io, "saving the signing key " + path + ": " + words(error) + "; check the directory");
  return {};
}

Hash SigningKey::derive(std::string_view purpose) const {
  std::array<unsigned char, 32> seed{};
  size_t size = seed.size();
  EVP_PKEY_get_raw_private_key(static_cast<EVP_PKEY*>(key_.get()), seed.data(), &size);
  Hash out{};
  HMAC(EVP_sha256(), seed.data(), static_cast<int>(size), reinterpret_cast<const unsigned char*>(purpose.data()),
       purpose.size(), out.data(), nullptr);
  OPENSSL_cleanse(seed.data(), seed.size());
  return out;
}

std::string SigningKey::public_bytes() const {
  std::string out(32, '\0');
  size_t bytes = out.size();
  EVP_PKEY_get_raw_public_key(static_cast<EVP_PKEY*>(key_.get()), reinterpret_cast<unsigned char*>(out.data()), &bytes);
  return out;
}

std::string SigningKey::verifier_line(std::string_view origin) const {
  return make_verifier_line(origin, public_bytes());
}

}  // namespace yushi
