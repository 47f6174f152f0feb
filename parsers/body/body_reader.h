// One reader for each form of a body, all giving pairs. The pairs of the body read last are kept: whoever asks for it
// again (another pattern, another product) does not read it again.
//
// Threads  Belongs to one thread.
#pragma once

#include <string>
#include <vector>

#include "parsers/body/body_pairs.h"
#include "parsers/body/csv.h"
#include "parsers/body/json_body.h"
#include "parsers/body/pair_list.h"
#include "parsers/body/xml_body.h"

namespace yushi::parsers {

// How the file says that a body is to be read.
struct BodyShape {
  PairShape pairs;
  CsvShape csv;
};

// A pattern's question about a body: this name is there, with a value that one of the globs fits.
struct BodyCondition {
  std::string path;
  std::vector<std::string> globs;
};

class BodyReader {
 public:
  // text[begin, end) as `body`; false when it is none. A list of pairs is one with at least `pairs_min`.
  bool read(Body body, std::string_view text, size_t begin, size_t end, const KeyTable& keys, const BodyShape& shape,
            size_t pairs_min);
  // The text is another one from here on, though it may stand at the same place.
  void forget() { last_.body = Body::none; }
  BodyPairs& pairs() { return pairs_; }
  // Is the body read last pairs as a whole, not pairs in prose?
  bool is_whole() const { return is_whole_; }

 private:
  bool read_anew(Body body, std::string_view text, size_t begin, size_t end, const KeyTable& keys,
                 const BodyShape& shape);

  struct {
    Body body = Body::none;
    const char* text = nullptr;
    size_t begin = 0, end = 0;
    const void* how = nullptr;  // what else the reading depended on
  } last_;
  bool last_ok_ = false;
  bool is_whole_ = false;
  size_t count_ = 0;  // of the pairs that stood there
  BodyPairs pairs_;
  JsonBody json_;
  XmlBody xml_;
};

}  // namespace yushi::parsers
