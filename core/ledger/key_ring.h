// The keys of a node, one after the other: a new key takes over from an old one by a statement that both have signed,
// so that what the old one signed stays proved, and nobody takes over without it.
//
//   rotation = base64-old-key SP base64-new-key SP base64-signature-by-old SP base64-signature-by-new LF
//
// Both sign `yushi key rotation` LF node LF base64-old-key LF base64-new-key LF. The store keeps the lines in `meta`,
// and each stands in a record of `_audit`.
// Threads  Any; a ring does not change once it is made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/ledger/checkpoint.h"

namespace yushi {

// The line by which `now` takes over from `old`, with its LF. io: libcrypto refuses.
Result<std::string> make_rotation(std::string_view node, const SigningKey& old, const SigningKey& now);

class KeyRing {
 public:
  KeyRing() = default;
  // corrupt: a line that is none, does not hold, or does not lead to `newest` (32 bytes; empty: no key is known).
  static Result<KeyRing> make(std::string_view node, std::string_view newest, std::string_view rotations);
  // Whether `rotations` lead from `from` to `to` (both 32 bytes): who knew the one may trust the other.
  static bool leads(std::string_view node, std::string_view rotations, std::string_view from, std::string_view to);

  bool empty() const { return keys_.empty(); }
  const std::vector<std::string>& keys() const { return keys_; }  // newest first
  // As open_note(), by whichever of the keys; `by` is set to its place in keys(). Not for a caller to whom it matters
  // when the key still signed: an old one opens all that it ever signed. The error is that of the newest key.
  Result<Checkpoint> open(std::string_view note, std::string_view origin, size_t* by = nullptr) const;

 private:
  std::vector<std::string> keys_;
};

// Of a verifier line: the 32 bytes of its key; empty when it is none.
std::string key_of_verifier(std::string_view verifier_line);

}  // namespace yushi
