// A line of `rules list` and `parsers list`: what the files say and, where a daemon answers, what it has seen since its
// start. The daemon and `yushi` make their lines here, so that they are the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parsers/authoring/check.h"

namespace yushi::query {

struct Seen {
  uint64_t hits = 0;
  int64_t last_ns = 0;   // when the last of what it knew was received; 0: nothing was
  uint64_t cost_ns = 0;  // of processor time, by samples
};
struct ListedRule {
  std::string id, title, level, path;
  int line = 0;
};

// An exception from a rule, and how often it held.
struct ListedException {
  std::string rule, when, owner, until, reason, place;
  bool ended = false;
};
std::string listed_line(const ListedException& exception, const Seen& seen);
std::string listed_line(const ListedRule& rule, const std::optional<Seen>& seen);
std::string listed_line(const parsers::ParserListing& parser, const std::optional<Seen>& seen);
// Of a file or a rule that is not there; `words` begin with its place and a colon, maybe behind "rule file ".
std::string left_out_line(std::string_view words);

}  // namespace yushi::query
