#include "core/config/walk.h"

namespace yushi {

std::string with_unit(uint64_t value, const std::map<std::string, uint64_t>& units) {
  std::string name;
  uint64_t of = 1;
  for (auto& [candidate, size] : units) {
    if (value != 0 && value % size == 0 && size > of) name = candidate, of = size;
  }
  return std::to_string(value / of) + name;
}

}  // namespace yushi
