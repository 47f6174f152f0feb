// A signed Merkle root: a C2SP signed note (tlog-checkpoint) with one Ed25519 signature.
//
//   note      = origin LF size LF base64-root LF LF "— " origin SP base64(key-hash signature) LF
//   verifier  = origin "+" hex(key-hash) "+" base64(01 public-key)       what an auditor keeps to check notes
//
// The key-hash is the first 4 bytes of SHA-256(origin LF 01 public-key). Go's golang.org/x/mod/sumdb/note.Open accepts
// the note and the verifier line unchanged. One tree has one text: leading zeros and unknown lines are refused.
//
// Threads  Any; all is const once it is made.
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
  uint64_t size = 0;   // records
  Hash root{};

  std::string body() const;  // the three lines that are signed
  // Of a note or a body; believes it: open_note() checks the signature. invalid, with what is wrong.
  static Result<Checkpoint> parse_body(std::string_view note);
};

// The node's Ed25519 key: both halves. Copies share one key in memory, which is wiped with the last of them. One that
// was made by its constructor holds none, and is only there to be replaced.
class SigningKey {
 public:
  // io: libcrypto refuses.
  static Result<SigningKey> generate();
  // The file holds a PKCS#8 PEM, mode 0600, byte for byte as save() writes it. not_found; io; corrupt for anything else
  // in it, one changed byte too. Each message has the path.
  static Result<SigningKey> load(const std::string& path);
  // Synced, and whole or not at all. refused: a file is there, and stays; io.
  Result<void> save(const std::string& path, Disk& disk) const;

  std::string public_bytes() const;  // 32
  std::string verifier_line(std::string_view origin) const;
  // The whole note. invalid: an origin with a blank, a plus or a control character; io: libcrypto refuses.
  Result<std::string> sign(const Checkpoint& checkpoint) const;
  // The 64 bytes of a signature alone. The caller's text must be unlike that of any other purpose: it begins "yushi …".
  Result<std::string> sign_text(std::string_view text) const;
  // A key of its own for another purpose, which tells nothing of this one: HMAC-SHA-256 of `purpose` under the seed.
  Hash derive(std::string_view purpose) const;

 private:
  std::shared_ptr<void> key_;  // EVP_PKEY
};

// The checkpoint of `note`, if the key of `verifier_line` signed it and both are of one origin; signatures by others
// are passed over. corrupt: changed after signing, or signed by somebody else; invalid: note or line is none.
Result<Checkpoint> open_note(std::string_view note, std::string_view verifier_line);
// Whether `signature` is that of `text` by the key of `public_bytes` (32). false for a key or signature that is none.
bool verify_text(std::string_view public_bytes, std::string_view text, std::string_view signature);
std::string make_verifier_line(std::string_view origin, std::string_view public_bytes);

}  // namespace yushi
