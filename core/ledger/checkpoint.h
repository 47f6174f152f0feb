// A signed Merkle root: a C2SP signed note (tlog-checkpoint) with one Ed25519 signature.
//
// Go's golang.org/x/mod/sumdb/note.Open accepts the note and the verifier line unchanged.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/disk.h"
#include "core/base/result.h"
#include "core/ledger/sha256.h"

namespace yushi {

struct Checkpoint {
  std::string origin;  // "<node>/<log>"
  uint64_t size = 0;
  Hash root{};

  std::string body() const;                                     // the three signed lines
  static Result<Checkpoint> parse_body(std::string_view note);  // of a note or a body; does not check the signature
};

// The node's Ed25519 key. Threads: sign() is const and may be called by any thread.
class SigningKey {
 public:
  static Result<SigningKey> generate();
  // The file holds a PKCS#8 PEM, mode 0600. load: not_found, io, or corrupt with the path in the message.
  static Result<SigningKey> load(const std::string& path);
  Result<void> save(const std::string& path, Disk& disk) const;  // refuses to overwrite

  std::string public_bytes() const;                              // 32
  std::string verifier_line(std::string_view origin) const;      // "<origin>+<hash>+<base64>"
  Result<std::string> sign(const Checkpoint& checkpoint) const;  // the whole note
  Result<std::string> sign_text(std::string_view text) const;    // 64 bytes
  // A key of its own for another purpose, which tells nothing of this one: HMAC-SHA-256 of `purpose` under the seed.
  Hash derive(std::string_view purpose) const;

 private:
  std::shared_ptr<void> key_;  // EVP_PKEY
};

// The checkpoint of `note` if the signature by the key of `verifier_line` holds; corrupt otherwise, invalid if
// malformed.
Result<Checkpoint> open_note(std::string_view note, std::string_view verifier_line);
// Whether `signature` is that of `text` by the key of `public_bytes` (32).
bool verify_text(std::string_view public_bytes, std::string_view text, std::string_view signature);
std::string make_verifier_line(std::string_view origin, std::string_view public_bytes);

}  // namespace yushi
