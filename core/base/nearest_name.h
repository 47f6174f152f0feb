// Of many names the one that a misspelt name was most likely meant to be: "did you mean user.name?".
//
// Compares by edit distance (a letter more, less, another or two swapped), in any case of letters. A name is near when
// a third of the misspelt one's letters would have to change at most; `user` is always near user.name.
//
// Threads  One owner.
// Cost     O(length²) a name that is offered, of names of like length only; names beyond 256 bytes are never near.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace yushi {

class NearestName {
 public:
  explicit NearestName(std::string_view misspelt);

  // Another name; the misspelt one itself does not count. Of names equally near, one that is `preferred` wins, then the
  // first of the alphabet.
  void offer(std::string_view name, bool preferred = false);

  const std::string& name() const { return best_; }  // empty: none is near
  std::string suggestion() const;                    // "; did you mean NAME?", empty when none is near

 private:
  const std::string misspelt_, folded_;
  std::string best_;
  size_t distance_max_;
  size_t distance_;
  bool preferred_ = false;
};

}  // namespace yushi
