#include "parsers/file/share_directory.h"

#include <cstdlib>
#include <filesystem>

namespace yushi::parsers {

std::string share_directory(const std::string& what) {
  if (auto* share = std::getenv("YUSHI_SHARE"); share && *share) return std::string(share) + "/" + what;
  std::error_code ignored;
  auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (auto up = here; up.has_relative_path(); up = up.parent_path()) {
    // A binary in its build folder: the tree it was built from.
    if (std::filesystem::exists(up / "parsers" / "library", ignored)) {
      return (up / (what == "parsers" ? std::string("parsers/library") : "config/" + what)).string();
    }
  }
  return (here.parent_path() / "share" / "yushi" / what).string();
}

}  // namespace yushi::parsers
