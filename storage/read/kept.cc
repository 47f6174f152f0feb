#include "storage/read/kept.h"

#include <algorithm>

#include "core/base/bytes.h"

namespace yushi::storage {

std::string encode_kept(const KeptStates& states, const SigningKey& key) {
  std::string list;
  put_varint(list, states.size());
  for (auto& [name, digest] : states) {
    put_text(list, name);
    list += as_bytes(digest);
  }
  return std::string(as_bytes(key.derive("yushi kept states\n" + list))) + list;
}

Result<KeptStates> decode_kept(std::string_view bytes, const SigningKey& key) {
  KeptStates states;
  Reader in(bytes.substr(std::min(bytes.size(), sizeof(Hash))));
  auto count = in.varint();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    std::string name(in.text());
    auto digest = in.take(sizeof(Hash));
    if (in.ok()) std::copy(digest.begin(), digest.end(), reinterpret_cast<char*>(states[name].data()));
  }
  if (!in.ok() || in.left() != 0 || encode_kept(states, key) != bytes)
    return fail(
        Code::corrupt,
        "what this node keeps between runs (`kept` in `state`) is not what it wrote: somebody changed or removed "
        "it; not going on from it");
  return states;
}

}  // namespace yushi::storage
