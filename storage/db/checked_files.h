// RocksDB's files as it opens them, checked where one damaged byte would end the process or go unseen. Database opens
// every store through this.
//
//   tables (SST)       All blocks are checked before they are parsed, but one: the properties are parsed first and
//                      checked after (table/meta_blocks.cc, ReadTablePropertiesHelper), and a wrong count in them ends
//                      the process in an assertion. All tables are opened with the store; this reads three small blocks
//                      of each.
//   WAL and MANIFEST   A record that seems to reach past the end of its file is taken for the last one of a crash, and
//                      a record of a recycled file for the end: all from there on is dropped, synced or not, without a
//                      word (db/log_reader.cc). One damaged byte in a length or a kind makes either of an intact
//                      record.
//
// As seen in RocksDB 7.8. Whole tables and blobs are checked by Database::verify_checksums().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace yushi::storage {

// The files of `target`, but a damaged one does not open: Corruption, with its name. For tables of format version 5
// with kxxHash64 and for files that are not recycled (Database's options). Any thread.
std::shared_ptr<rocksdb::FileSystem> checked_files(std::shared_ptr<rocksdb::FileSystem> target);

// Reads the WALs and MANIFESTs of a store folder. corrupt: the file and the byte of a record that does not fit its
// checksum. A last record that a crash cut off is none; nor is what the running store is writing at an end.
Result<void> check_logs(const std::string& directory);

// Each whole record of one WAL or MANIFEST, in order; what is damaged is passed over. corrupt: something was.
Result<void> each_log_record(const std::string& path, const std::function<void(std::string_view record)>& visit);

// CRC-32C as RocksDB stores it beside the data.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace yushi::storage
