// Understands stored messages with the parser version that they were committed with, which the store keeps by digest.
//
// Threads  Any; compiled sets are shared, each thread's working state is its own.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/base/mutex.h"
#include "parsers/parser_set.h"
#include "storage/read/view.h"
#include "storage/store/store.h"

namespace yushi::query {

std::string encode_parser_files(const parsers::ParserSet& set);
Result<std::vector<parsers::ParserFile>> decode_parser_files(std::string_view bytes);

class ParserVersions : public std::enable_shared_from_this<ParserVersions> {
 public:
  // A set that is compiled already (the running one) need not be compiled again.
  void add(std::shared_ptr<const parsers::ParserSet> set);
  // Where the files of other versions are read; the database must outlive the use of parse().
  void read_from(std::weak_ptr<const storage::Database> database);
  // Parses a batch again under its context. corrupt when the store does not hold the version.
  Result<void> parse(Batch& batch, const storage::ParseContext& context);
  storage::Reparse as_function();
  // The files by which the newest record of the store was read; what a daemon over it would join lines by, had it not
  // others.
  Result<std::shared_ptr<const parsers::ParserSet>> newest(const storage::StoreView& view);

 private:
  Result<std::shared_ptr<const parsers::ParserSet>> find(const std::string& digest) YUSHI_EXCLUDES(mutex_);

  Mutex mutex_;
  std::map<std::string, std::shared_ptr<const parsers::ParserSet>> sets_ YUSHI_GUARDED_BY(mutex_);
  std::weak_ptr<const storage::Database> database_ YUSHI_GUARDED_BY(mutex_);
};

}  // namespace yushi::query
