// Where our own parsers and rules lie: $YUSHI_SHARE, the source tree that this binary was built in, or share/yushi
// beside the bin folder that it is installed in (/usr/share/yushi).
#pragma once

#include <string>

namespace yushi::parsers {

std::string share_directory(const std::string& what /* "parsers" or "rules" */);

}  // namespace yushi::parsers
