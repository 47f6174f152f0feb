#include "daemon/listings.h"

#include "core/base/clock.h"
#include "query/listing.h"

namespace yushi::daemon {
namespace {

void add_left_out(const Loaded& loaded, std::string_view kind, std::vector<std::string>& lines) {
  for (size_t i = 0; i < loaded.left_out.size(); ++i)
    if (loaded.left_out_kinds[i] == kind) lines.push_back(query::left_out_line(loaded.left_out[i]));
}

}  // namespace

std::vector<std::string> rule_lines(const Pipeline& pipeline) {
  const auto loaded = pipeline.loaded();
  std::vector<std::string> out;
  for (auto& rule : loaded->rules->list()) {
    out.push_back(query::listed_line(query::ListedRule{rule.id, rule.title, rule.level, rule.path, rule.line},
                                     query::Seen{rule.hits, rule.last_ns, rule.cost_ns}));
  }
  if (loaded->exceptions) {
    for (auto& one : loaded->exceptions->all()) {
      const auto uses = loaded->exceptions->uses_of(one);
      out.push_back(query::listed_line(query::ListedException{one.rule, one.when, one.owner, one.until, one.reason,
                                                              one.place, one.until_ns <= realtime_ns()},
                                       query::Seen{uses.count, uses.last_ns, 0}));
    }
  }
  add_left_out(*loaded, "rule", out);
  for (auto& words : loaded->rules->unsupported()) out.push_back(query::left_out_line(words));
  add_left_out(*loaded, "exception", out);
  return out;
}

std::vector<std::string> parser_lines(const Pipeline& pipeline) {
  const auto loaded = pipeline.loaded();
  const auto records = pipeline.records_of_parsers();
  std::vector<std::string> out;
  for (auto& parser : parsers::list_parsers(*loaded->parsers)) {
    query::Seen seen{0, 0, parser.cost_ns};
    if (auto counted = records.find(parser.name); counted != records.end()) {
      seen.hits = counted->second.records;
      seen.last_ns = counted->second.last_ns;
    }
    out.push_back(query::listed_line(parser, seen));
  }
  add_left_out(*loaded, "parser", out);
  return out;
}

}  // namespace yushi::daemon
