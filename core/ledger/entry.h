// The leaf entry: what is hashed of a record (storage/FORMAT.md, section 9). A person checks one with printf and
// sha256sum:
//
//   received-ns SP source SP source-seq SP transport SP raw-sha256
//
// Behind the transport stand marks, each after a `+`, where there is something to say that decides the record's answer
// and stands neither in raw nor in the other parts. An ordinary record has none:
//
//   part=2@417, part=3/3@417   a part of an over-long message: its number, of how many where that is known, and the
//                              source-seq of the first part
//   truncated                  an unfinished last frame, or what the kernel cut
//   relay                      the sender may speak for other hosts
//   host-unconfirmed           the header names another host than its sender did before
//   from=203.0.113.5           the sender's address where it is not the source, encoded as a source is
// One text for one record: nothing here depends on locale, options or version, or old leaves would not come again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ledger/sha256.h"

namespace yushi {

// All of an entry but the digest. Views into the record, which must outlive it.
struct EntryHead {
  int64_t received_ns = 0;  // Unix time
  std::string_view source;  // encoded: as encode_source() gives it
  uint64_t source_seq = 0;
  std::string_view transport;      // its name, without marks
  uint16_t part = 0, part_of = 0;  // part from 1; 0: not in parts. part_of 0: how many is not known yet
  uint64_t first_seq = 0;          // source-seq of the message's first part
  bool truncated = false, by_relay = false, host_unconfirmed = false;
  std::string_view address;  // as it came, not encoded
};

// Writes the first four parts of an entry over `out`, whatever it held, as a Kafka message has them.
void make_entry_head(const EntryHead& head, std::string& out);

// Puts the fifth behind them: a blank and the SHA-256 of raw in lower-case hex. Then leaf_hash(out) is the leaf.
void append_digest(const Hash& raw_digest, std::string& out);

// Bytes outside '!'..'~' and '%' itself as %XX; IPv4-mapped IPv6 addresses as IPv4.
std::string encode_source(std::string_view source);

}  // namespace yushi
