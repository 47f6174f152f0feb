#include "core/event/answer_end.h"

#include <nlohmann/json.hpp>

namespace yushi {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEnd = "yushi.end";
constexpr const char* kNotes = "yushi.notes";

// Both directions by one list. What only some answers have stands there when they have it.
template <class Proved, class Visit>
void for_each_part(Proved& it, const Visit& visit) {
  visit("logs", it.logs);
  visit("checkpoints", it.checkpoints);
  visit("alerts", it.alerts);
  visit("contradictions", it.contradictions);
  visit("unproved", it.unproved);
}

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// What stands under `name`, where the line has nothing else; most lines are none of these, and are not parsed.
std::optional<Json> content_of(std::string_view line, std::string_view name) {
  if (!line.starts_with("{\"") || !line.substr(2).starts_with(name) || !line.substr(2 + name.size()).starts_with("\":"))
    return std::nullopt;
  auto json = Json::parse(line, nullptr, false);
  if (!json.is_object() || json.size() != 1) return std::nullopt;
  return std::move(*json.begin());
}

}  // namespace

std::string to_json(const AnswerEnd& end) {
  Json line;
  auto& said = line[kEnd];
  said = {{"complete", end.complete()},
          {"records", end.records},
          {"blocks_read", end.blocks_read},
          {"blocks", end.blocks},
          {"missing", end.missing}};
  if (!end.reason.empty()) said["reason"] = end.reason;
  if (!end.notes.empty()) said["notes"] = end.notes;
  if (!end.node.empty()) said["node"] = end.node;
  if (!end.columns.empty()) said["columns"] = end.columns;
  if (end.lines) said["lines"] = *end.lines;
  if (end.proved) for_each_part(*end.proved, [&](const char* name, uint64_t number) { said[name] = number; });
  return line_of(line);
}

std::optional<AnswerEnd> answer_end_of(std::string_view line) {
  const auto said = content_of(line, kEnd);
  if (!said || !said->is_object()) return std::nullopt;
  try {
    AnswerEnd end;
    end.records = said->at("records").get<uint64_t>();
    end.blocks_read = said->value("blocks_read", uint64_t{0});
    end.blocks = said->value("blocks", uint64_t{0});
    end.missing = said->value("missing", std::vector<std::string>());
    end.reason = said->value("reason", std::string());
    end.notes = said->value("notes", std::vector<std::string>());
    end.node = said->value("node", std::string());
    end.columns = said->value("columns", std::vector<std::string>());
    if (said->contains("lines")) end.lines = said->at("lines").get<uint64_t>();
    if (said->contains("contradictions"))
      for_each_part(end.proved.emplace(),
                    [&](const char* name, uint64_t& number) { number = said->value(name, number); });
    if (!said->at("complete").get<bool>() && end.complete()) end.reason = "the answer is not whole";
    return end;
  } catch (const Json::exception&) {
    return std::nullopt;  // not as we know it: nothing that could be trusted
  }
}

std::string notes_to_json(const std::vector<std::string>& notes) { return line_of({{kNotes, notes}}); }

std::optional<std::vector<std::string>> notes_of(std::string_view line) {
  const auto said = content_of(line, kNotes);
  if (!said || !said->is_array()) return std::nullopt;
  std::vector<std::string> notes;
  for (auto& note : *said)
    if (note.is_string()) notes.push_back(note.get<std::string>());
  return notes;
}

}  // namespace yushi
