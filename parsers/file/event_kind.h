// What kind of event a pattern's line tells of: `event: login`. One word for what many products say in many ways, so
// that a detector or a question asks for the kind, and never for a product's dataset.
//
// A kind stands in parser files (of a file, a pattern, a variant). From it follow event.category, event.type and
// event.action, unless the file says otherwise, and yushi.event, its own name. docs/events.md is this table for people;
// a test holds the two equal.
//
// Threads  Constant.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/record.h"

namespace yushi::parsers {

struct EventKind {
  std::string_view name;
  std::string_view categories, types;  // ECS words, divided by blanks; empty: none
  // What the event is worth nothing without: fields divided by blanks; of those joined by `|` one is enough.
  std::string_view needs;
  bool has_action;  // event.action is the kind's name
  std::string_view about;
};

std::span<const EventKind> event_kinds();
const EventKind* find_event_kind(std::string_view name);   // nullptr: there is none
std::string event_kind_suggestion(std::string_view name);  // "; did you mean login?", or empty

// The constants that follow from the kind.
std::vector<ConstantField> constants_of(const EventKind& kind);

// The first thing the kind needs and `has` does not know, as `needs` writes it; empty when there is all.
std::string missing_of(const EventKind& kind, const std::function<bool(std::string_view field)>& has);

}  // namespace yushi::parsers
