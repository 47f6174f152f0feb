#include "core/ledger/entry.h"

#include <charconv>

namespace yushi {

void make_entry_head(int64_t received_ns, std::string_view source, uint64_t source_seq, std::string_view transport,
                     std::string& out) {
  char number[24];
  out.clear();
  out.append(number, std::to_chars(number, number + sizeof number, received_ns).ptr);
  out += ' ';
  out += source;
  out += ' ';
  out.append(number, std::to_chars(number, number + sizeof number, source_seq).ptr);
  out += ' ';
  out += transport;
}

void make_entry(int64_t received_ns, std::string_view source, uint64_t source_seq, std::string_view transport,
                const Hash& raw_digest, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  make_entry_head(received_ns, source, source_seq, transport, out);
  out += ' ';
  char hex[64];
  for (size_t i = 0; i < raw_digest.size(); ++i) {
    hex[2 * i] = kDigits[raw_digest[i] >> 4];
    hex[2 * i + 1] = kDigits[raw_digest[i] & 15];
  }
  out.append(hex, sizeof hex);
}

std::string encode_source(std::string_view source) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  // A socket that is bound to [::] calls IPv4 senders ::ffff:a.b.c.d; they are the same senders.
  constexpr std::string_view kMapped = "::ffff:";
  if (source.starts_with(kMapped) || source.starts_with("::FFFF:")) {
    auto rest = source.substr(kMapped.size());
    if (rest.find('.') != rest.npos && rest.find_first_not_of("0123456789.") == rest.npos) source = rest;
  }
  std::string out;
  out.reserve(source.size());
  for (char c : source) {
    if (c >= '!' && c <= '~' && c != '%') {
      out += c;
    } else {
      auto b = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[b >> 4];
      out += kDigits[b & 15];
    }
  }
  return out;
}

}  // namespace yushi
