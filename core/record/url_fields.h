// A URL in a record: its parts where its text was captured, its text where its parts were. Of core/record alone.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/base/url_text.h"
#include "core/record/derived.h"
#include "core/record/said.h"

namespace yushi {

struct UrlFields {
  const Field* original = find_field("url.original");
  const Field* full = find_field("url.full");
  const Field* scheme = find_field("url.scheme");
  const Field* domain = find_field("url.domain");
  const Field* port = find_field("url.port");
  const Field* path = find_field("url.path");
  const Field* query = find_field("url.query");
  const Field* extension = find_field("url.extension");
  const Field* decoded = find_field("yushi.url.decoded");
  const Field* referrer = find_field("http.request.referrer");
  const Field* agent = find_field("user_agent.original");
};
inline const UrlFields& url_fields() {
  static const UrlFields fields;
  return fields;
}

struct UrlPart {
  Derived derived;
  const Field* const* field;
};
std::span<const UrlPart> url_parts();

// A request's target as it was sent. Captures do not overlap, so a parser takes its two parts (they make the better
// columns), and the whole is the span over both. Empty when there is no path, or no such text around it.
std::string_view url_original(const Record& record, Scratch& scratch);

// What is decoded: the most that there is of it. IIS and some JSON have the query apart.
std::string_view whole_url(const Said& said, Scratch& scratch);

// The captured text split, and beside it the path that was captured by itself.
struct SplitUrl {
  UrlParts parts;
  std::string_view path;
  SplitUrl(const Said& said, Scratch& scratch);
};

// Empty: it has none.
std::string_view url_part(const SplitUrl& of, Derived derived);
void give_url_part(const SplitUrl& of, Derived derived, const Give& give);

}  // namespace yushi
