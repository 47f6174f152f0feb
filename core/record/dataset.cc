#include "core/record/dataset.h"

#include <set>

#include "core/base/mutex.h"
#include "core/base/nearest_name.h"

namespace yushi {
namespace {

struct Known {
  Mutex mutex;
  std::set<std::string, std::less<>> names YUSHI_GUARDED_BY(mutex);
};
Known& known() {
  static Known all;
  return all;
}

}  // namespace

void declare_dataset(std::string_view name) {
  MutexLock lock(known().mutex);
  known().names.emplace(name);
}

bool may_be_dataset(std::string_view name) {
  MutexLock lock(known().mutex);
  return known().names.empty() || known().names.contains(name);
}

std::string dataset_suggestion(std::string_view name) {
  NearestName nearest(name);
  MutexLock lock(known().mutex);
  for (const std::string& each : known().names) nearest.offer(each);
  return nearest.suggestion();
}

}  // namespace yushi
