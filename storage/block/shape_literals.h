// Which shapes of a block can hold a literal, told by their fixed texts and by what their columns hold: so a search for
// words, a substring or a regular expression puts together only the records of those.
//
// A literal is followed byte by byte through fixed texts and values as a set of how far it may have come (Shift-And;
// Baeza-Yates and Gonnet 1992), for all values of a column at once.
//
// Invariants  Errs towards "can": of bytes outside ASCII that fold into it, of values between two others, and once it
//             has taken as long as putting all records together takes.
// Memory      The different values of the columns that were asked for; of those that hardly repeat, all.
// Threads     One owner.
#pragma once

#include <bitset>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/block/column.h"
#include "storage/block/layout.h"

namespace yushi::storage {

class ShapeLiterals {
 public:
  ShapeLiterals(const BlockLayout& layout, SectionReader& sections)
      : layout_(layout), sections_(sections), steps_max_(kStepsMin + 8 * layout.counts.raw_bytes) {}

  // `literal` is in folded form when it folds; `in_message`: not in what stands around the message.
  bool may_hold(const ReadShape& shape, std::string_view literal, bool folds, bool in_message);
  // A column could not be read; what was said since does not count.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  using Bytes = std::bitset<256>;
  // What a slot can hold: one of some texts, or any text of some bytes.
  struct Values {
    ColumnReader texts;
    Bytes bytes;
  };
  // How far into the literal: bit k, its first k + 1 bytes are what stands before.
  using State = uint64_t;
  static constexpr size_t kLengthMax = 64;  // what is longer is looked for by its beginning
  struct Literal {
    State byte[256] = {};
    State kelvin_or_long_s = 0;  // the letters that a character outside ASCII folds into
    State whole = 0;
    bool folds = false;
    bool is_anywhere = false;  // it can stand everywhere, for all we know
    std::unordered_map<State, State> behind_times;
    std::unordered_map<uint32_t, std::unordered_map<State, State>> behind_columns;
  };
  Literal& known(std::string_view literal, bool folds);
  const Values* values(uint32_t column);
  static State step(const Literal& literal, State state, unsigned char byte);
  State over(const Literal& literal, State state, std::string_view text);
  static State over_any(const Literal& literal, State state, const Bytes& bytes);
  State over_time(Literal& literal, State state);
  State over_column(Literal& literal, State state, uint32_t column);

  const BlockLayout& layout_;
  SectionReader& sections_;
  static constexpr uint64_t kStepsMin = 1 << 20, kStepsOfCall = 64;
  const uint64_t steps_max_;  // bytes that may be followed; of a call, what else it costs
  uint64_t steps_ = 0;
  std::map<std::pair<std::string, bool>, Literal> literals_;
  std::map<uint32_t, std::unique_ptr<Values>> values_;
  std::optional<Error> failure_;
};

}  // namespace yushi::storage
