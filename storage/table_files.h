// RocksDB's table files (SST) as they are opened: their properties are checked before RocksDB reads them.
//
// RocksDB 7.8 checks every block before it parses it, but one: the properties of a table are parsed first and checked
// after (table/meta_blocks.cc, ReadTablePropertiesHelper), so that one damaged byte there ends the process in an
// assertion, at a start as in `yushi verify`, instead of naming the file. All tables are opened with the store; this
// reads three small blocks of each. The whole file is checked by Database::verify_checksums().
#pragma once

namespace rocksdb {
class Env;
}

namespace yushi {

// The system's files, but a table whose properties are damaged does not open: Corruption, with the file's name. For tables
// of format version 5 with kxxHash64 (Database's options). One for the process; any thread.
rocksdb::Env* checked_tables();

}  // namespace yushi
