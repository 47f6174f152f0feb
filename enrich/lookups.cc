#include "enrich/lookups.h"

#include <utility>

#include "enrich/geoip.h"
#include "enrich/user_agents.h"

namespace yushi::enrich {
namespace {

class AllLookups final : public Lookups {
 public:
  explicit AllLookups(std::vector<std::unique_ptr<const Lookups>> each) : each_(std::move(each)) {}
  void look_up(const Field& field, const Value& value, Scratch& scratch, std::vector<Found>& out) const override {
    for (auto& one : each_) one->look_up(field, value, scratch, out);
  }

 private:
  std::vector<std::unique_ptr<const Lookups>> each_;
};

}  // namespace

Result<std::shared_ptr<const Lookups>> open_lookups(const LookupFiles& files) {
  std::vector<std::unique_ptr<const Lookups>> each;
  for (auto& path : {files.city, files.asn}) {
    if (path.empty()) continue;
    auto opened = YUSHI_TRY(open_geoip(path));
    each.push_back(std::move(opened));
  }
  if (!files.user_agents.empty()) {
    auto opened = YUSHI_TRY(open_user_agents(files.user_agents));
    each.push_back(std::move(opened));
  }
  if (each.empty()) return std::shared_ptr<const Lookups>();
  return std::shared_ptr<const Lookups>(std::make_shared<AllLookups>(std::move(each)));
}

}  // namespace yushi::enrich
