// ATT&CK's tactics in the order of its matrix, in English and Chinese; and how bad steps of several of them are
// together.
//
// Threads  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/alert.h"

namespace yushi {

struct Tactic {
  std::string_view tag, id, name, name_zh;  // "credential-access", "TA0006", "Credential Access", "凭据访问"
};
constexpr size_t kTactics = 14;
const Tactic& tactic_at(size_t place);  // of the matrix, from 0

// Of "attack.credential-access", also as older rules write it, with an underline.
std::optional<size_t> tactic_of_tag(std::string_view tag);
// The step that an alert is: the first tactic among its tags.
std::optional<size_t> tactic_of(const std::vector<std::string>& tags);

// Of an incident, by its worst step and the set of tactics that its steps are of (a bit each, by place): three tactics
// raise it by one level, four and more by two, since few do by chance what only together leads somewhere.
Severity severity_of_steps(Severity worst, uint32_t tactics);

}  // namespace yushi
