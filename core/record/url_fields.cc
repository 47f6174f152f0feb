#include "core/record/url_fields.h"

namespace yushi {
namespace {

// The text as captured, of a path too.
std::string_view url_as_captured(const Said& said, Scratch& scratch) {
  auto text = said_text(said, url_fields().original, scratch);
  if (text.empty()) text = said_text(said, url_fields().full, scratch);
  if (!text.empty()) return text;
  for (const Capture& capture : said.of.captures)
    if (capture.field == url_fields().path) {
      auto path =
          decode_escape(text_of(said.of, said.of.text(capture), scratch), static_cast<Escape>(capture.escape), scratch);
      return path.find("://") != path.npos ? path : std::string_view();
    }
  return {};
}

}  // namespace

std::span<const UrlPart> url_parts() {
  static const UrlFields& url = url_fields();
  static const UrlPart kParts[] = {{Derived::url_scheme, &url.scheme}, {Derived::url_domain, &url.domain},
                                   {Derived::url_port, &url.port},     {Derived::url_path, &url.path},
                                   {Derived::url_query, &url.query},   {Derived::url_extension, &url.extension}};
  return kParts;
}

std::string_view url_original(const Record& record, Scratch& scratch) {
  for (size_t i = 0; i < record.captures.size(); ++i) {
    const Capture& path = record.captures[i];
    const auto escape = static_cast<Escape>(path.escape);
    if (path.field != url_fields().path || (escape != Escape::none && escape != Escape::json) ||
        path.end() >= record.raw.size())
      continue;
    const auto given = [&](uint32_t end, Escape how) {
      return decode_escape(text_of(record, record.raw.substr(path.begin, end - path.begin), scratch), how, scratch);
    };
    char after = record.raw[path.end()];
    if (after == ' ' || after == '"')
      return given(path.end(), escape);  // `"`: of HTTP 0.9, without a version, and of JSON
    if (after != '?') return {};
    uint32_t end = path.end() + 1;
    auto how = escape;
    if (i + 1 < record.captures.size()) {
      const Capture& query = record.captures[i + 1];
      if (query.field == url_fields().query && query.begin == end) {
        end = query.end();
        if (query.escape != 0) how = static_cast<Escape>(query.escape);
      }
    }
    return given(end, how);
  }
  return {};
}

std::string_view whole_url(const Said& said, Scratch& scratch) {
  auto text = said_text(said, url_fields().original, scratch);
  if (!text.empty()) return text;
  text = url_original(said.of, scratch);
  if (text.empty()) text = said_text(said, url_fields().full, scratch);
  if (text.empty()) text = said_text(said, url_fields().path, scratch);
  if (text.empty() || text.find('?') != text.npos) return text;
  const auto query = said_text(said, url_fields().query, scratch);
  if (query.empty()) return text;
  char* to = scratch.allocate(text.size() + 1 + query.size());
  text.copy(to, text.size());
  to[text.size()] = '?';
  query.copy(to + text.size() + 1, query.size());
  return {to, text.size() + 1 + query.size()};
}

SplitUrl::SplitUrl(const Said& said, Scratch& scratch)
    : parts(split_url(url_as_captured(said, scratch))), path(said_text(said, url_fields().path, scratch)) {}

std::string_view url_part(const SplitUrl& of, Derived derived) {
  const auto& parts = of.parts;
  switch (derived) {
    case Derived::url_scheme:
      return parts.scheme;
    case Derived::url_domain:
      return parts.domain;
    case Derived::url_port:
      return parts.port;
    case Derived::url_path:
      return parts.path;
    case Derived::url_query:
      return parts.query;
    default:
      return of.path.empty() ? parts.extension() : UrlParts{{}, {}, {}, of.path, {}}.extension();
  }
}

void give_url_part(const SplitUrl& of, Derived derived, const Give& give) {
  const auto part = url_part(of, derived);
  Value value;
  if (!part.empty() && read_value(part, derived == Derived::url_port ? FieldType::integer : FieldType::keyword, &value))
    give(value);
}

}  // namespace yushi
