// What a shell offers at Tab: the commands and options of `yushi`, as they were added to it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

namespace yushi::cli {

// A script for `bash` or `zsh`.
std::string completion(const CLI::App& app, std::string_view shell);

}  // namespace yushi::cli
