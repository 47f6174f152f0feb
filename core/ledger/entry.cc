#include "core/ledger/entry.h"

#include <array>
#include <charconv>
#include <cstring>

namespace yushi {

namespace {

void append_number(uint64_t number, std::string& out) {
  char text[20];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace

void make_entry_head(const EntryHead& head, std::string& out) {
  constexpr size_t kDigits = 20;
  out.resize(2 * kDigits + head.source.size() + head.transport.size() + 3);
  char* at = out.data();
  const auto text = [&at](std::string_view what) { at += what.copy(at, what.size()); };
  at = std::to_chars(at, at + kDigits, head.received_ns).ptr;
  *at++ = ' ';
  text(head.source);
  *at++ = ' ';
  at = std::to_chars(at, at + kDigits, head.source_seq).ptr;
  *at++ = ' ';
  text(head.transport);
  out.resize(static_cast<size_t>(at - out.data()));
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
  static constexpr auto kPairs = [] {
    std::array<std::array<char, 2>, 256> pairs{};
    for (size_t byte = 0; byte < pairs.size(); ++byte)
      pairs[byte] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    return pairs;
  }();
  char hex[1 + 2 * std::tuple_size_v<Hash>];
  hex[0] = ' ';
  for (size_t i = 0; i < raw_digest.size(); ++i) std::memcpy(hex + 1 + 2 * i, kPairs[raw_digest[i]].data(), 2);
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
