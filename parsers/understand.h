// RawMessage -> Record, whole: header, digest, parser. The one way to understand a message, for live ingest, for the
// tail read back from the store, for `verify` and for `yushi parse`.
//
// Threads  An Understander belongs to one thread.
#pragma once

#include <memory>
#include <vector>

#include "core/record/batch.h"
#include "parsers/parser_set.h"

namespace yushi {

class Understander {
 public:
  explicit Understander(std::shared_ptr<const ParserSet> set) : worker_(set), set_(std::move(set)) {}

  // Fills everything of each record that stands beyond RawMessage (but index and source_seq), captures in batch.arena.
  // `with_digest` false leaves Record::digest alone, for readers that do not hash; `dataset` as ParserWorker::parse has it.
  void understand(Batch& batch, const Zone& zone, bool with_digest = true, std::string_view dataset = {});
  // Live: a batch of datagrams may hold several tenants, each with its zone, by TenantId.
  void understand(Batch& batch, std::span<const std::shared_ptr<const Zone>> zone_of_tenant);
  const std::shared_ptr<const ParserSet>& set() const { return set_; }

 private:
  void understand_one(Record& record, Batch& batch, const Zone& zone, std::string_view dataset);

  ParserWorker worker_;
  std::shared_ptr<const ParserSet> set_;
  std::vector<Capture> captures_;  // reused from record to record
};

}  // namespace yushi
