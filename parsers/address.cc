#include "parsers/address.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace yushi::parsers {
namespace {

// Where the text goes; nullptr: nowhere.
const Field* address_beside(const Field* ip) {
  static const std::vector<std::pair<const Field*, const Field*>> kAddresses = [] {
    std::vector<std::pair<const Field*, const Field*>> out;
    for (std::string name : {"source", "destination", "client", "server"})
      out.emplace_back(find_field(name + ".ip"), find_field(name + ".address"));
    return out;
  }();
  for (auto& [from, to] : kAddresses)
    if (from == ip) return to;
  return nullptr;
}

// IPv4 as it is nearly always written. What has a leading zero is octal to some and decimal to others.
bool is_plain_ipv4(std::string_view text) {
  char before = '.';
  for (size_t i = 0; i < text.size(); before = text[i++]) {
    const char c = text[i];
    if (c != '.' && (c < '0' || c > '9')) return false;
    if (before == '.' && c == '0' && i + 1 < text.size() && text[i + 1] != '.') return false;
  }
  return true;
}

}  // namespace

void settle_address(std::string_view text, Capture& capture) {
  constexpr std::string_view kMapped = "::ffff:";
  if (is_plain_ipv4(text)) [[likely]]
    return;
  std::array<uint8_t, 16> address;
  if (parse_ip(text, &address)) {
    if (!text.starts_with(kMapped) || text.find('.') == std::string_view::npos) return;
    capture.begin += kMapped.size();
    capture.length -= kMapped.size();
  } else if (const auto zone = text.find('%');
             zone != std::string_view::npos && parse_ip(text.substr(0, zone), &address)) {
    capture.length = static_cast<uint32_t>(zone) & 0xffffff;
  } else if (auto* to = address_beside(capture.field)) {
    capture.field = to;
  }
}

bool can_settle_address(std::string_view text, const Field* ip) {
  std::array<uint8_t, 16> address;
  return address_beside(ip) || parse_ip(text, &address) || parse_ip(text.substr(0, text.find('%')), &address);
}

}  // namespace yushi::parsers
