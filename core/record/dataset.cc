#include "core/record/dataset.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/mutex.h"
#include "core/base/nearest_name.h"
#include "core/base/text.h"
#include "core/record/record.h"

namespace yushi {
namespace {

using Names = std::set<std::string, std::less<>>;

struct Known {
  Mutex mutex;
  Names names YUSHI_GUARDED_BY(mutex);
  std::map<std::string, Names, std::less<>> fields YUSHI_GUARDED_BY(mutex);   // by dataset
  std::map<std::string, Names, std::less<>> carried YUSHI_GUARDED_BY(mutex);  // by parser
  std::map<std::string, Names, std::less<>> keys YUSHI_GUARDED_BY(mutex);     // by parser, blank and key
};
Known& known() {
  static Known all;
  return all;
}

// Of a record by its header and its receipt alone.
bool is_told_of_all(std::string_view name) {
  for (std::string_view given : {"host.name", "process.name", "process.pid"})
    if (name == given) return true;
  if (name.starts_with("log.")) return true;
  const Field* field = find_field(name);
  return field && is_derived_field(*field) && !name.starts_with("url.") && name != "yushi.url.decoded";
}

bool has(const Names& names, std::string_view name) {
  if (names.contains(name)) return true;
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
    if (names.contains(name.substr(0, dot + 1))) return true;
  return false;
}

}  // namespace

void declare_dataset_field(std::string_view dataset, std::string_view name_or_prefix) {
  MutexLock lock(known().mutex);
  auto& fields = known().fields;
  auto at = fields.find(dataset);
  if (at == fields.end()) at = fields.emplace(dataset, Names()).first;
  at->second.emplace(name_or_prefix);
}

void declare_carrier_field(std::string_view parser, std::string_view name_or_prefix) {
  MutexLock lock(known().mutex);
  known().carried[std::string(parser)].emplace(name_or_prefix);
}

void declare_parser_key(std::string_view parser, std::string_view key, const std::vector<std::string>& fields) {
  MutexLock lock(known().mutex);
  auto& of_key = known().keys[std::string(parser) + " " + folded(key)];
  of_key.insert(fields.begin(), fields.end());
}

std::vector<std::string> fields_of_key(std::string_view parser, std::string_view key) {
  MutexLock lock(known().mutex);
  const auto at = known().keys.find(std::string(parser) + " " + folded(key));
  if (at == known().keys.end()) return {std::string(parser) + "." + std::string(key)};
  return {at->second.begin(), at->second.end()};
}

bool may_have_field(std::string_view dataset, std::string_view field) {
  if (is_told_of_all(field)) return true;
  // What the generic parsers read is judged as what no parser knew.
  if (dataset.empty()) return field.starts_with("kv.") || field.starts_with("json.");
  MutexLock lock(known().mutex);
  const auto at = known().fields.find(dataset);
  if (at == known().fields.end() || at->second.contains("*") || has(at->second, field)) return true;
  // What stands where an address should and is none.
  if (field.ends_with(".address") &&
      has(at->second, std::string(field.substr(0, field.size() - std::string_view("address").size())) + "ip"))
    return true;
  // Parts of a URL are derived of the others.
  const auto is_of_url = [](const std::string& name) { return name.starts_with("url."); };
  return (field.starts_with("url.") || field == "yushi.url.decoded") &&
         std::any_of(at->second.begin(), at->second.end(), is_of_url);
}

bool may_have_field(const MessageKind& kind, std::string_view field) {
  if (may_have_field(kind.dataset, field)) return true;
  // What the header says of itself: the tags of network devices (`%SYS-5-CONFIG_I`).
  for (std::string_view given : {"event.code", "event.severity", "event.sequence"})
    if (field == given) return true;
  MutexLock lock(known().mutex);
  const auto at = known().carried.find(kind.parser);
  return at != known().carried.end() && has(at->second, field);
}

void declare_dataset(std::string_view name) {
  MutexLock lock(known().mutex);
  known().names.emplace(name);
}

bool may_be_dataset(std::string_view name) {
  MutexLock lock(known().mutex);
  return known().names.empty() || known().names.contains(name);
}

std::string dataset_suggestion(std::string_view name) {
  NearestName nearest(name);
  MutexLock lock(known().mutex);
  for (const std::string& each : known().names) nearest.offer(each);
  return nearest.suggestion();
}

}  // namespace yushi
