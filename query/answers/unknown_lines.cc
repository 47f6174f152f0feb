#include "query/answers/unknown_lines.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "parsers/parser_set.h"

namespace yushi::query {

std::string unknown_filter() {
  std::string generic;
  for (auto name : parsers::generic_datasets()) generic += (generic.empty() ? "" : " or ") + std::string(name);
  return "not event.dataset: * or event.dataset: (" + generic + ")";
}

std::string_view unknown_dataset(const Record& record) {
  if (!record.kind || record.kind->dataset.empty()) return "none";
  const auto names = parsers::generic_datasets();
  auto at = std::find(names.begin(), names.end(), record.kind->dataset);
  return at == names.end() ? std::string_view() : *at;
}

void UnknownLines::add(const Record& record) {
  auto dataset = unknown_dataset(record);
  if (dataset.empty() || record.part > 1) return;  // the rest of an over-long message is read by nobody
  scratch_.clear();
  Value program, host;
  std::string group(dataset);
  group.push_back('\n');
  if (first_value(record, ecs::process_name, scratch_, &program)) group += program.text;
  const bool has_host = first_value(record, ecs::host_name, scratch_, &host);
  templates_.add(text_of(record, record.message(), scratch_), group,
                 has_host        ? host.text
                 : record.origin ? record.origin->address
                                 : std::string_view());
}

std::vector<nlohmann::ordered_json> UnknownLines::rows(size_t most) const {
  std::vector<nlohmann::ordered_json> out;
  for (auto* each : templates_.by_count()) {
    if (out.size() == most) break;
    const auto line_end = each->group.find('\n');
    out.push_back({{"count", each->count},
                   {"dataset", each->group.substr(0, line_end)},
                   {"program", each->group.substr(line_end + 1)},
                   {"host", each->host},
                   {"template", parsers::template_text(*each)},
                   {"example", each->example}});
  }
  return out;
}

}  // namespace yushi::query
