// The leaf entry: what is hashed of a record (design: leaf entries). A person checks one with printf and sha256sum:
//
//   received-ns SP source SP source-seq SP transport SP raw-sha256
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ledger/sha256.h"

namespace yushi {

// Writes the first four parts of an entry over `out`, as a Kafka message has them.
void make_entry_head(int64_t received_ns, std::string_view source, uint64_t source_seq, std::string_view transport,
                     std::string& out);

// Writes the entry over `out`, reusing its memory.
void make_entry(int64_t received_ns, std::string_view source, uint64_t source_seq, std::string_view transport,
                const Hash& raw_digest, std::string& out);

// Bytes outside '!'..'~' and '%' itself as %XX; IPv4-mapped IPv6 addresses as IPv4.
std::string encode_source(std::string_view source);

}  // namespace yushi
