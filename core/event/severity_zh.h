// Severities as who reads Chinese knows them.
#pragma once

#include <string_view>

#include "core/event/alert.h"

namespace yushi {

std::string_view severity_zh(Severity severity);

}  // namespace yushi
