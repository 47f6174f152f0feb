// English or Chinese, for who reads: alerts say everything in both, and `--lang`, or the locale, chooses.
//
// Names of columns in CSV and JSON are for programs, and stay.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace yushi::cli {

void add_lang_option(CLI::App& command, Options& options);
// As --lang says, else LC_ALL, LC_MESSAGES or LANG, the first of them that is set.
bool is_chinese(const Options& options);

// The text at this place in the object, in the reader's language where it is there: that of `…_zh` for Chinese.
std::string said_at(const nlohmann::ordered_json& object, const char* pointer, bool zh);
// "high", 高
std::string severity_word(const std::string& severity, bool zh);

}  // namespace yushi::cli
