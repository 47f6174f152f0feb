#include "cli/lang.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/event/severity_zh.h"

namespace yushi::cli {

void add_lang_option(CLI::App& command, Options& options) {
  command.add_option("--lang", options.lang, "zh or en: in which language alerts are shown (default: the locale's)")
      ->check(CLI::IsMember({"zh", "en"}));
}

bool is_chinese(const Options& options) {
  std::string_view lang = options.lang;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = lang.empty() ? std::getenv(name) : nullptr;
    if (value) lang = value;
  }
  return lang.starts_with("zh");
}

std::string said_at(const nlohmann::ordered_json& object, const char* pointer, bool zh) {
  const auto text = [&](const std::string& place) -> std::string {
    const auto path = nlohmann::ordered_json::json_pointer(place);
    if (!object.is_object() || !object.contains(path)) return {};
    const auto& value = object.at(path);
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  if (zh)
    if (auto chinese = text(std::string(pointer) + "_zh"); !chinese.empty()) return chinese;
  return text(pointer);
}

std::string severity_word(const std::string& severity, bool zh) {
  const auto known = zh ? severity_of(severity) : std::nullopt;
  return known ? std::string(severity_zh(*known)) : severity;
}

}  // namespace yushi::cli
