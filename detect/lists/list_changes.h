// What changed between two readings of a site's lists: each is the text() of lists (detect/lists/lists.h). A record of
// `_audit` carries it, in words for people, and whole, so that alerts can be judged by the lists of then
// (judge/recheck.h).
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace yushi::detect {

std::set<std::string_view> lines_of(std::string_view text);  // but empty ones; they point into `text`
// What is other in `now`, in words: "leavers: wang since 2026-03-01 is new; bastions: 10.0.0.9 is gone". Each is the
// text() of lists. Empty: nothing.
std::string tell_list_changes(std::string_view before, std::string_view now);
// The same to be read again, whole: a line an entry, `+LIST ENTRY` or `-LIST ENTRY`.
std::string list_changes(std::string_view before, std::string_view now);
// The text() that comes of `before` by them.
std::string with_list_changes(std::string_view before, std::string_view changes);

}  // namespace yushi::detect
