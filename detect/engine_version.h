// The version of the program's own part in what an alert says.
//
// An alert depends on its rule's file or its detector's version, whose digest it names, and on the code around them:
// how a hit is weighed by habit, peers and hearsay, how words are put. Each alert names this number, so that after an
// upgrade `yushi alerts verify` says of an old alert that comes out otherwise "judged by another version", and accuses
// nobody.
//
// RAISE IT BY ONE with every change after which the same records and the same rule file may give an alert with another
// word or weight, or none; and whenever parsers/engine_version.h is raised (judge/recheck.cc holds you to that).
#pragma once

#include <cstdint>

namespace yushi::detect {

constexpr uint32_t kDetectEngine = 2;

}  // namespace yushi::detect
