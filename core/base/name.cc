#include "core/base/name.h"

#include <algorithm>

namespace yushi {

bool is_name(std::string_view name) { return name.size() <= 64 && is_parser_name(name); }

bool is_parser_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == name.npos;
}

bool is_tenant_name(std::string_view name) { return is_name(name) && name[0] != '_' && name != kDefaultLog; }

bool is_signer_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '+' && c != 0x7f;
  });
}

}  // namespace yushi
