#include "core/ledger/entry.h"

#include <charconv>

namespace yushi {

namespace {

void append_number(uint64_t number, std::string& out) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace

void make_entry_head(const EntryHead& head, std::string& out) {
  char number[24];
  out.assign(number, std::to_chars(number, number + sizeof number, head.received_ns).ptr);
  out += ' ';
  out += head.source;
  out += ' ';
  append_number(head.source_seq, out);
  out += ' ';
  out += head.transport;
  if (head.part != 0) [[unlikely]] {
    out += "+part=";
    append_number(head.part, out);
    if (head.part_of != 0) append_number(head.part_of, out += '/');
    append_number(head.first_seq, out += '@');
  }
  if (head.truncated) out += "+truncated";
  if (head.by_relay) out += "+relay";
  if (head.host_unconfirmed) out += "+host-unconfirmed";
  if (head.address != head.source) {
    if (auto encoded = encode_source(head.address); encoded != head.source) out.append("+from=").append(encoded);
  }
}

void append_digest(const Hash& raw_digest, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  char hex[1 + 64] = {' '};
  for (size_t i = 0; i < raw_digest.size(); ++i) {
    hex[1 + 2 * i] = kDigits[raw_digest[i] >> 4];
    hex[2 + 2 * i] = kDigits[raw_digest[i] & 15];
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
