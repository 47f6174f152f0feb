// Dotted names and values -> one nested JSON object: {"source.ip": …, "source.port": …} as
// {"source":{"ip":…,"port":…}}.
//
// Keys come sorted. A name that is both a value and the beginning of other names (`a` and `a.b`, from key=value or JSON
// messages) is no JSON: its value is then written as `a.value` (or `a.value_`, if that is taken). Values of the same
// name become a list, and a list field is a list also with one value. Names nest 32 deep, deeper dots stay in the last
// key.
//
// Memory   Remembers how the last 512 sets of names nest (at most some 8 KiB each).
// Threads  One owner.
// Cost     For a set of names seen before: a comparison of the names, and then one append per name and one per value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi {

// Appends `text` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD, one for each maximal bad part.
void append_json_string(std::string& out, std::string_view text);

class EcsObject {
 public:
  struct Item {
    const Field* field;
    Value value;
    uint8_t date_digits = 0;  // at least so many digits of a date's fraction
  };

  EcsObject();
  ~EcsObject();
  EcsObject(EcsObject&&) noexcept;
  EcsObject& operator=(EcsObject&&) noexcept;

  std::vector<Item>& items() { return items_; }  // fill anew for each object
  void write(std::string& out);                  // appends, without a newline

 private:
  struct Plan;
  const Plan& plan();
  static void build(const std::vector<Item>& items, Plan& plan);

  std::vector<Item> items_;
  std::vector<std::unique_ptr<Plan>> plans_;  // by hash of the names
  std::unique_ptr<Plan> large_;               // of an object that is too large to be remembered
};

}  // namespace yushi
