#include "core/event/severity_zh.h"

namespace yushi {

std::string_view severity_zh(Severity severity) {
  constexpr std::string_view kWords[] = {"提示", "低", "中", "高", "严重"};
  return kWords[static_cast<size_t>(severity)];
}

}  // namespace yushi
