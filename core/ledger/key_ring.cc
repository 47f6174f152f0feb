#include "core/ledger/key_ring.h"

#include <algorithm>
#include <array>

#include "core/base/bytes.h"

namespace yushi {
namespace {

struct Rotation {
  std::string old_key, new_key;
};

std::string statement(std::string_view node, std::string_view old_key, std::string_view new_key) {
  return "yushi key rotation\n" + std::string(node) + "\n" + to_base64(old_key) + "\n" + to_base64(new_key) + "\n";
}

Result<std::vector<Rotation>> read(std::string_view node, std::string_view lines) {
  std::vector<Rotation> out;
  auto bad = [&] {
    return fail(Code::corrupt, "rotation " + std::to_string(out.size() + 1) + " of the node's key does not hold");
  };
  while (!lines.empty()) {
    auto end = lines.find('\n');
    if (end == lines.npos) return bad();
    auto line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    std::array<std::string, 4> parts;
    for (size_t i = 0; i < parts.size(); ++i) {
      auto blank = i + 1 < parts.size() ? line.find(' ') : line.size();
      auto bytes = blank == line.npos ? std::nullopt : from_base64(line.substr(0, blank));
      if (!bytes) return bad();
      parts[i] = std::move(*bytes);
      line.remove_prefix(std::min(blank + 1, line.size()));
    }
    auto text = statement(node, parts[0], parts[1]);
    if (parts[0].size() != 32 || parts[1].size() != 32 || !verify_text(parts[0], text, parts[2]) ||
        !verify_text(parts[1], text, parts[3]) || (!out.empty() && out.back().new_key != parts[0]))
      return bad();
    out.push_back({std::move(parts[0]), std::move(parts[1])});
  }
  return out;
}

}  // namespace

Result<std::string> make_rotation(std::string_view node, const SigningKey& old, const SigningKey& now) {
  auto text = statement(node, old.public_bytes(), now.public_bytes());
  auto by_old = YUSHI_TRY(old.sign_text(text));
  auto by_new = YUSHI_TRY(now.sign_text(text));
  return to_base64(old.public_bytes()) + " " + to_base64(now.public_bytes()) + " " + to_base64(by_old) + " " +
         to_base64(by_new) + "\n";
}

Result<KeyRing> KeyRing::make(std::string_view node, std::string_view newest, std::string_view rotations) {
  KeyRing out;
  if (newest.empty()) return out;
  auto read_ones = YUSHI_TRY(read(node, rotations));
  if (!read_ones.empty() && read_ones.back().new_key != newest)
    return fail(Code::corrupt, "the rotations of the node's key do not lead to the key that it has");
  out.keys_.emplace_back(newest);
  for (auto it = read_ones.rbegin(); it != read_ones.rend(); ++it) out.keys_.push_back(it->old_key);
  return out;
}

bool KeyRing::leads(std::string_view node, std::string_view rotations, std::string_view from, std::string_view to) {
  auto all = read(node, rotations);
  if (!all) return false;
  auto left = std::find_if(all->begin(), all->end(), [&](auto& each) { return each.old_key == from; });
  return std::any_of(left, all->end(), [&](auto& each) { return each.new_key == to; });
}

Result<Checkpoint> KeyRing::open(std::string_view note, std::string_view origin, size_t* by) const {
  Result<Checkpoint> first = fail(Code::corrupt, "the node's public key is not known");
  for (size_t i = 0; i < keys_.size(); ++i) {
    auto opened = open_note(note, make_verifier_line(origin, keys_[i]));
    if (opened && by) *by = i;
    if (opened) return opened;
    if (i == 0) first = std::move(opened);
  }
  return first;
}

std::string key_of_verifier(std::string_view verifier_line) {
  // The base64 of the key may hold a `+` itself: it is the last 44 characters.
  if (verifier_line.size() < 44) return {};
  auto key = from_base64(verifier_line.substr(verifier_line.size() - 44));
  return key && key->size() == 33 ? key->substr(1) : std::string();
}

}  // namespace yushi
