#include "cli/completion.h"

#include <compare>
#include <map>
#include <set>
#include <vector>

namespace yushi::cli {
namespace {

struct Offer {
  std::string word, help;
};

// The values of an option: words to choose from, or `files` and `folders`; else nothing is known of them.
struct Values {
  std::string choice;  // "table raw json csv"
  bool files = false, folders = false;
  auto operator<=>(const Values&) const = default;
};

struct Offers {
  std::map<std::string, std::vector<Offer>> of_command;  // by its path: "", " alerts", " alerts list"
  std::map<Values, std::set<std::string>> of_option;     // the options that take them
};

Values values_of(const CLI::Option& option) {
  Values out;
  const auto type = option.get_type_name();
  out.files = type == "FILE";
  out.folders = type == "DIR";
  if (auto open = type.find('{'), close = type.find('}'); open != type.npos && close != type.npos) {
    out.choice = type.substr(open + 1, close - open - 1);
    for (auto& c : out.choice)
      if (c == ',') c = ' ';
  }
  return out;
}

void gather(const CLI::App& app, const std::string& path, Offers& out) {
  auto& offers = out.of_command[path];
  for (auto* command : app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); })) {
    offers.push_back({command->get_name(), command->get_description()});
    gather(*command, path + " " + command->get_name(), out);
  }
  for (auto* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    std::vector<std::string> names;
    for (auto& name : option->get_snames()) names.push_back("-" + name);
    for (auto& name : option->get_lnames()) names.push_back("--" + name);
    for (auto& name : names) {
      offers.push_back({name, option->get_description()});
      if (option->get_items_expected_max() > 0) out.of_option[values_of(*option)].insert(name);
    }
  }
}

std::string pattern(const std::set<std::string>& options) {
  std::string out;
  for (auto& option : options) out += (out.empty() ? "" : "|") + option;
  return out;
}

// Of the words before the cursor those that name the command.
std::string path_patterns(const Offers& offers) {
  std::string out;
  for (auto& [path, unused] : offers.of_command)
    if (!path.empty()) out += (out.empty() ? "\"" : "|\"") + path + "\"";
  return out;
}

std::string for_bash(const Offers& offers) {
  std::string out =
      "# Made by `yushi --completion bash`.\n"
      "_yushi() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" at= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$at ${COMP_WORDS[i]}\" in\n"
      "      " +
      path_patterns(offers) +
      ") at+=\" ${COMP_WORDS[i]}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n";
  for (auto& [values, options] : offers.of_option) {
    out += "    " + pattern(options) + ") ";
    if (!values.choice.empty()) out += "COMPREPLY=($(compgen -W \"" + values.choice + "\" -- \"$word\")); ";
    if (values.folders) out += "COMPREPLY=($(compgen -d -- \"$word\")); ";
    if (values.files) out += "COMPREPLY=($(compgen -f -- \"$word\")); ";
    out += "return ;;\n";
  }
  out += "  esac\n  case \"$at\" in\n";
  for (auto& [path, words] : offers.of_command) {
    out += "    \"" + path + "\") COMPREPLY=($(compgen -W \"";
    for (auto& offer : words) out += (&offer == words.data() ? "" : " ") + offer.word;
    out += "\" -- \"$word\")) ;;\n";
  }
  return out + "  esac\n}\ncomplete -o default -F _yushi yushi\n";
}

// For _describe: a colon ends the word, and a quote the text.
std::string described(const Offer& offer) {
  std::string out = offer.word + ":";
  for (char c : offer.help) {
    if (c == '\'')
      out += "'\\''";
    else if (c == ':' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
  return "'" + out + "'";
}

std::string for_zsh(const Offers& offers) {
  std::string out =
      "#compdef yushi\n"
      "# Made by `yushi --completion zsh`.\n"
      "_yushi() {\n"
      "  local at= i\n"
      "  local -a offers\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$at $words[i]\" in\n"
      "      (" +
      path_patterns(offers) +
      ") at+=\" $words[i]\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$words[CURRENT-1]\" in\n";
  for (auto& [values, options] : offers.of_option) {
    out += "    (" + pattern(options) + ") ";
    if (!values.choice.empty()) out += "compadd -- " + values.choice + "; ";
    if (values.folders) out += "_files -/; ";
    if (values.files) out += "_files; ";
    out += "return ;;\n";
  }
  out += "  esac\n  case \"$at\" in\n";
  for (auto& [path, words] : offers.of_command) {
    out += "    (\"" + path + "\") offers=(\n";
    for (auto& offer : words) out += "      " + described(offer) + "\n";
    out += "    ) ;;\n";
  }
  return out + "  esac\n  _describe yushi offers || _files\n}\n_yushi \"$@\"\n";
}

}  // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  Offers offers;
  gather(app, "", offers);
  // Where one command takes a folder and another a file by the same name, a folder is a file too.
  for (auto& file : offers.of_option[{"", true, false}]) offers.of_option[{"", false, true}].erase(file);
  return shell == "zsh" ? for_zsh(offers) : for_bash(offers);
}

}  // namespace yushi::cli
