#include "detect/known_kinds.h"

#include <algorithm>

#include "detect/alerts/stories.h"

namespace yushi::detect {
namespace {

bool is_same_kind(const MessageKind& a, const MessageKind& b) {
  return a.pattern == b.pattern && a.dataset == b.dataset &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    [](const ConstantField& one, const ConstantField& other) {
                      return one.field == other.field && one.value == other.value;
                    });
}

}  // namespace

const KnownKinds::Known& KnownKinds::of(const MessageKind& kind) {
  const size_t place = reinterpret_cast<uintptr_t>(&kind) / alignof(MessageKind) * 0x9e3779b97f4a7c15u >> 56;
  static_assert(kKindsMax == 1u << 8);
  Known& out = known_[place];
  if (is_known_[place] == &kind) return out;
  is_known_[place] = &kind;
  if (out.kind.message && is_same_kind(out.message, kind)) return out;
  out.message = kind;
  out.kind = event_kind_of(out.message);
  out.wanted_by = detectors_.wanted_by(out.kind);
  out.is_followed = Stories::wants(out.kind);
  return out;
}

}  // namespace yushi::detect
