// What a store keeps for others between runs (cursors, detectors, books, hosts), under a code that only its node can
// make. FORMAT.md, section 9.
//
//   kept = code list          code: HMAC-SHA-256(the node key's seed, "yushi kept states" LF list)
//   list = states:varint [name:text SHA-256 of its value: 32 bytes; states]
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/sha256.h"

namespace yushi::storage {

using KeptStates = std::map<std::string, Hash, std::less<>>;  // name -> SHA-256 of its value

std::string encode_kept(const KeptStates& states, const SigningKey& key);
// corrupt: not what this node wrote.
Result<KeptStates> decode_kept(std::string_view bytes, const SigningKey& key);

}  // namespace yushi::storage
