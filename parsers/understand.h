// RawMessage -> Record, whole: header, digest, parser. The one way to understand a message, for live ingest, for the
// tail read back from the store, for `verify` and for `yushi parse`.
//
// Of an over-long message only the first part is a message with a header; the later ones are kept as text and read by
// nobody. They inherit the first one's host, program, pid, priority and time.
//
// A message in another charset than UTF-8 is decoded once; header and parser see text, and the captures go back to raw.
//
// Threads  An Understander belongs to one thread.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "core/record/batch.h"
#include "parsers/decoded_text.h"
#include "parsers/parser_set.h"

namespace yushi::parsers {

// How the messages of a tenant are to be read: times without a zone, and bytes that are not UTF-8.
struct Reading {
  std::shared_ptr<const Zone> zone = Zone::utc();
  Charset charset = Charset::utf8;
};

class Understander {
 public:
  explicit Understander(std::shared_ptr<const ParserSet> set) : worker_(set), set_(std::move(set)) {}

  // Fills everything of each record that stands beyond RawMessage (but index and source_seq), captures in batch.arena.
  // `with_digest` false leaves Record::digest alone, for readers that do not hash; `dataset` as ParserWorker::parse has
  // it.
  void understand(Batch& batch, const Reading& reading = {}, bool with_digest = true, std::string_view dataset = {});
  // Live: a batch of datagrams may hold those of several logs, each read in its way, by LogId.
  void understand(Batch& batch, std::span<const Reading> reading_of_log);
  // Takes up the messages whose later parts have not come yet.
  void go_on_from(Understander& before);
  void tell_asked(std::vector<AskedPattern>* asked) { worker_.tell_asked(asked); }
  uint64_t capped() const { return worker_.capped(); }
  uint64_t ambiguous() const { return worker_.ambiguous(); }
  const std::shared_ptr<const ParserSet>& set() const { return set_; }

 private:
  void understand_one(Record& record, Batch& batch, const Reading& reading, std::string_view dataset);
  static void leave_unread(Record& record);
  void take_head(Record& record, Batch& batch);
  void keep_head(const Record& record);
  void read(Record& record, Batch& batch, const Reading& reading, std::string_view dataset);

  ParserWorker worker_;
  std::shared_ptr<const ParserSet> set_;
  std::vector<Capture> captures_;  // reused from record to record
  DecodedText decoded_;
  struct FirstPart {
    std::unique_ptr<Arena> arena;
    PartHead head;
  };
  static constexpr size_t kFirstPartsMax = 16'384;
  std::unordered_map<uint64_t, FirstPart> first_parts_;  // by Origin::stream: of messages whose later parts may come
};

}  // namespace yushi::parsers
