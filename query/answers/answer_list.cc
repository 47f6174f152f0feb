// rules and parsers: what the daemon runs, and what of it had something to do.
#include <filesystem>

#include "core/base/time_text.h"
#include "query/answers/answer.h"
#include "query/listing.h"

namespace yushi::query {
namespace {

using Json = nlohmann::ordered_json;

// Milliseconds, to a thousandth.
std::string text_of(Json line, const std::optional<Seen>& seen) {
  if (seen) {
    line["hits"] = seen->hits;
    line["last_hit"] = seen->last_ns == 0 ? Json() : Json(utc_text(seen->last_ns));
    line["cost_ms"] = static_cast<double>(seen->cost_ns / 1'000) / 1'000;
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// library/<vendor>/sshd.yaml: the folder in which the file lies.
std::string vendor_of(const std::string& path) {
  auto folder = std::filesystem::absolute(path).parent_path().filename().string();
  return folder == "library" ? "" : folder;
}

Result<AnswerEnd> answer_listing(const Permit& permit, const Asked& asked, const std::function<Listing()>& list) {
  YUSHI_TRY(permit.see_all());  // hits are those of all tenants
  if (!list) return fail(Code::unavailable, "only a running daemon says this; without one, leave --store away");
  auto listing = list();
  for (auto& line : listing.lines)
    if (!asked.sink(line)) return asked.so_far();
  auto end = asked.so_far();
  end.notes.push_back("hits, last hits and costs are those since the daemon's start, " + utc_text(listing.since_ns));
  return end;
}

}  // namespace

std::string listed_line(const ListedRule& rule, const std::optional<Seen>& seen) {
  return text_of(
      {{"id", rule.id}, {"title", rule.title}, {"level", rule.level}, {"path", rule.path}, {"line", rule.line}}, seen);
}

std::string listed_line(const ListedException& exception, const Seen& seen) {
  Json line = {{"exception", exception.rule}, {"when", exception.when},   {"owner", exception.owner},
               {"until", exception.until},    {"ended", exception.ended}, {"reason", exception.reason},
               {"place", exception.place},    {"uses", seen.hits}};
  line["last_use"] = seen.last_ns == 0 ? Json() : Json(utc_text(seen.last_ns));
  return text_of(std::move(line), {});
}

std::string listed_line(const parsers::ParserListing& parser, const std::optional<Seen>& seen) {
  return text_of({{"parser", parser.name},
                  {"about", parser.about},
                  {"vendor", vendor_of(parser.path)},
                  {"dataset", parser.dataset},
                  {"aliases", parser.aliases},
                  {"apps", parser.apps},
                  {"kinds", parser.kinds},
                  {"patterns", parser.patterns},
                  {"tests", parser.tests},
                  {"generic", parser.generic},
                  {"path", parser.path}},
                 seen);
}

std::string left_out_line(std::string_view words) {
  const auto file = words.find(" file ");
  const auto begin = file == words.npos || words.find('/') < file ? 0 : file + 6;
  const auto end = std::min(words.find(": ", begin), words.size());
  const auto reason = words.substr(std::min(end + 2, words.size()));
  return text_of({{"left_out", std::string(words.substr(begin, end - begin))}, {"reason", std::string(reason)}}, {});
}

Result<AnswerEnd> answer_rules(const Permit& permit, const Asked& asked) {
  return answer_listing(permit, asked, asked.means.rules);
}
Result<AnswerEnd> answer_canaries(const Permit& permit, const Asked& asked) {
  YUSHI_TRY(permit.see_all());
  if (!asked.means.canaries)
    return fail(Code::unavailable, "a running daemon releases canaries; `rules test` is without");
  for (auto& line : YUSHI_TRY(asked.means.canaries()))
    if (!asked.sink(line)) break;
  return asked.so_far();
}
Result<AnswerEnd> answer_parsers(const Permit& permit, const Asked& asked) {
  return answer_listing(permit, asked, asked.means.parsers);
}

}  // namespace yushi::query
