#include "forward/route/route.h"

#include "core/base/name.h"

namespace yushi::forward {

std::map<std::string, Walk::Reader> route_keys(Walk& walk, RouteConfig& config) {
  auto readers = common_keys(walk, config);
  readers.erase("format");
  readers.merge(std::map<std::string, Walk::Reader>{
      {"name",
       [&](const YAML::Node& node) {
         walk.text("forward.name", config.name_)(node);
         if (!is_name(config.name_)) walk.problem(node, std::string("forward.name: must match ") + kNameRule);
       }},
      {"severity",
       [&](const YAML::Node& node) {
         std::string least;
         walk.text("forward.severity", least, {"informational", "low", "medium", "high", "critical"})(node);
         for (auto each : {Severity::low, Severity::medium, Severity::high, Severity::critical})
           if (severity_text(each) == least) config.least = each;
       }},
      {"rules", walk.texts("forward.rules", config.rules)},
      {"lang",
       [&](const YAML::Node& node) {
         std::string lang;
         walk.text("forward.lang", lang, {"en", "zh"})(node);
         config.in_chinese = lang == "zh";
       }},
      {"per_minute", walk.number("forward.per_minute", config.letters_a_minute, {{"", 1}}, 1, 600)}});
  return readers;
}

void check_route(Walk& walk, const YAML::Node& node) {
  if (node.IsMap() && !node["name"])
    walk.problem(node, "forward.name: missing, as in \"on-call\"; by it the place up to which was sent is known");
}

Result<std::unique_ptr<Sink>> RouteConfig::make_sink(const std::string& node) const {
  return make_route_sink(make_courier(node), letters_a_minute, in_chinese);
}

}  // namespace yushi::forward
