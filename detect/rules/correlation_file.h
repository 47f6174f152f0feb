// The `correlation` of a rule file, read.
//
// Errors  As of rule_yaml.h.
#pragma once

#include "detect/rules/rule_file.h"
#include "detect/rules/rule_yaml.h"

namespace yushi::detect {

CorrelationRule read_correlation(const LogSources& sources, const YAML::Node& node, RuleHead head);

}  // namespace yushi::detect
