// Pairs of a body -> captures, by a table of keys.
//
// A name that the table has goes to its field; any other is `<prefix><name>` with the type the body gives it. In bodies
// that no product's parser claims, a name that is ECS as it stands (source.ip) is that field, but names that we give
// ourselves (event.id, yushi.*, organization.* …) and those that the header has given (host.name, @timestamp …: they
// are in `captures` when map() is called) stay `<prefix><name>`: the text behind a header may be anybody's. Our own
// records say their names themselves: no prefix, no name held back.
// Of two equal names the first counts, since the second may be part of what a stranger wrote. The values of one list
// are all of one name; where a field holds one value only, two or more of a list stay under the prefix.
// A value that is none of its field's type (an address, a number) keeps its text under the prefix.
// With a dictionary the names that products have for ECS' fields are these fields, where the value fits and the field
// has none yet, and a name that stands a second time is told in yushi.repeated_name.
//
// Threads  Belongs to one thread.
// Cost     5 to 10 ns a pair; no allocation but for dynamic fields, in the arena.
#pragma once

#include <array>
#include <vector>

#include "core/base/arena.h"
#include "parsers/body/body_pairs.h"
#include "parsers/body/unescaped.h"
#include "parsers/file/dictionary.h"
#include "parsers/file/key_table.h"

namespace yushi::parsers {

// May the text be a value of the field's type? An address that is none has a field beside (address.h).
bool value_fits(std::string_view text, const Field* field);

class PairMapper {
 public:
  struct Naming {
    const KeyTable* keys = nullptr;
    bool has_ecs_names = false;
    bool is_ours = false;
    bool has_labels = false;  // CEF: cs1 is called what cs1Label says
    const Dictionary* dictionary = nullptr;
  };
  // Appends captures, ascending. Offsets are those of the pairs.
  void map(BodyPairs& pairs, const Naming& naming, Arena& arena, std::vector<Capture>& captures);

  // Of the last map(): names that the dictionary had, and what its words said (RowTable's outcomes; kNone: nothing).
  uint32_t inferred() const { return inferred_; }
  uint32_t word_outcome(size_t table) const { return table < outcomes_.size() ? outcomes_[table] : RowTable::kNone; }

  // The capture of @timestamp that map() made last and that is no time: its field becomes the one under the prefix.
  // False when map() made none there.
  bool keep_as_text(Capture& capture, Arena& arena);

 private:
  struct Depth {
    uint64_t mapping = 0;
    uint32_t least = 0;
  };
  uint32_t& times_of(const BodyPair& pair);  // how often its name stood in this body so far
  void take(BodyPair& pair);
  void take_by_ecs(BodyPair& pair);
  bool take_by_dictionary(BodyPair& pair);
  void look_up(BodyName& name) const;
  const DictionaryEntry* entry_of(const BodyPair& pair);
  bool may_take(const BodyPair& pair, const DictionaryEntry& entry);
  void find_depths();
  bool is_deeper(const std::vector<Depth>& least, size_t index, uint32_t depth) const;
  void tell_repeated(const BodyPair& pair);
  void take_target(BodyPair& pair, const KeyTarget& target, const Field* field);
  bool take_patterns(const BodyPair& pair, const KeyTarget& target);
  void take_parts(const BodyPair& pair, const KeyTarget& target, const Field* field);
  void take_dynamic(const BodyPair& pair);
  void push(const BodyPair& pair, const Field* field, Escape escape);
  bool fits(const BodyPair& pair, const Field* field) const { return value_fits(pairs_->value(pair), field); }
  const KeyTarget* target_of(const BodyPair& pair);
  const KeyTarget* target_by_label(const BodyPair& pair);
  const Field* dynamic_field(const BodyPair& pair);
  bool is_of_header(const Field* field) const;
  bool move_to_list(const BodyPair& pair, const Field* scalar);
  void settle_addresses();

  BodyPairs* pairs_ = nullptr;
  Naming naming_;
  Arena* arena_ = nullptr;
  std::vector<Capture>* captures_ = nullptr;
  size_t first_capture_ = 0;
  uint64_t header_ids_ = 0;  // a bit of each field that the header gave, by its id: most names are none of them
  uint64_t mapping_ = 0;
  bool has_address_ = false;
  BodyPair time_pair_;  // of the last @timestamp
  bool has_time_ = false;
  uint32_t inferred_ = 0;
  std::vector<uint32_t> outcomes_;  // of the dictionary's words
  // The least depth at which something says the field, or a word of the table: of one mapping. Only where names are
  // nested.
  std::vector<Depth> field_depths_, word_depths_;
  bool has_depths_ = false;
  std::vector<uint64_t> field_taken_;  // by the field's id: the mapping that gave it a value
  MatchStack stack_;
  Unescaped unescaped_;
  std::array<uint32_t, 2 * Pattern::kGroupsMax> spans_;
};

}  // namespace yushi::parsers
