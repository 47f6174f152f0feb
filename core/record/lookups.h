// What is looked up when a record is shown, and is not of the record: the land of an address, the name of a browser.
//
// Writers of JSON (core/record/ecs_json.h) add it: the CLI's answers and Kafka have it, the store does not, and no
// filter, rule or pipe asks for it: a database of next month says something else of the same record. The
// implementations stand in enrich/.
//
// Threads  A Lookups is asked by many threads at once. use_lookups() may be called at any time; a writer takes what is
//          new with its next record.
#pragma once

#include <memory>
#include <vector>

#include "core/record/record.h"

namespace yushi {

class Lookups {
 public:
  struct Found {
    const Field* field;
    Value value;  // views into `scratch`, or into what lives as long as the Lookups
  };
  virtual ~Lookups() = default;
  // Appends what is known by one value of a field of a record.
  virtual void look_up(const Field& field, const Value& value, Scratch& scratch, std::vector<Found>& out) const = 0;
};

// For all writers of the process from now on; nullptr for none.
void use_lookups(std::shared_ptr<const Lookups> lookups);

// One writer's view: current() costs one relaxed load while nothing has changed.
class LookupsInUse {
 public:
  const Lookups* current();

 private:
  uint64_t seen_ = 0;
  std::shared_ptr<const Lookups> lookups_;
};

}  // namespace yushi
