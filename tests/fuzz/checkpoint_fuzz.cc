// Any bytes as a note and as a verifier line: refused or opened, and what opens says the same when written again.
#include <cstdlib>

#include "core/ledger/checkpoint.h"
#include "core/ledger/merkle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const std::string line = yushi::make_verifier_line("node/log", std::string(32, 'k'));
  if (auto opened = yushi::open_note(bytes, line)) std::abort();  // nobody has that key
  (void)yushi::open_note("node/log\n1\n\n\n", bytes);
  if (auto body = yushi::Checkpoint::parse_body(bytes))
    if (!bytes.starts_with(body->body())) std::abort();
  if (auto range = yushi::CompactRange::decode(bytes))
    if (range->encode() != bytes) std::abort();
  return 0;
}
