// docs/api.md: the table of questions, for who asks without `yushi`.
#include "query/questions.h"

namespace yushi::query {
namespace {

std::string_view words_of(Right right) {
  constexpr std::string_view kWords[] = {
      "what there is",           "what was logged", "secrets", "proofs", "a copy, as root or the daemon's user",
      "what becomes of an alert"};
  return kWords[static_cast<size_t>(right)];
}

std::string_view words_of(Effort effort) {
  switch (effort) {
    case Effort::little:
      return "It is answered at once.";
    case Effort::scan:
      return "It waits for its turn, ends after `limits.query_seconds`, and is refused while the disk is full.";
    case Effort::whole:
      return "It waits for its turn, and takes as long as the store is large.";
  }
  return {};
}

// A | would end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

}  // namespace

std::string api_reference() {
  std::string out =
      "# Questions over HTTP\n\n"
      "Made by `yushi --reference` of the table of questions (`query/questions.cc`); edit that.\n\n"
      "A question is a GET of `/api/v1/NAME?PARAMETER=VALUE&…` on the daemon's unix socket, or a POST whose body is "
      "the\n"
      "same parameters as `application/x-www-form-urlencoded`, at most 1 MiB:\n\n"
      "```\ncurl --unix-socket /run/yushi/yushi.sock -d 'query=sshd' -d since=today "
      "http://localhost/api/v1/search\n```\n\n"
      "The answer is a JSON object a line; the last, `yushi.end`, says whether it is complete and what is missing. "
      "What\n"
      "is refused is `{\"error\":{\"code\":…,\"message\":…}}`: 400 a parameter is wrong, unknown or missing, 403 you "
      "may\n"
      "not, 404 there is no such thing, 503 ask again later. Each question is a record in `_audit`. A parameter in "
      "bold\n"
      "is required. A flag is given as `1`; a name, of a tenant or a log, is of `[a-z0-9_.-]`.\n";
  for (auto& kind : question_kinds()) {
    out += "\n## " + std::string(kind.name) + "\n" + std::string(kind.words) +
           ". Right: " + std::string(words_of(kind.right)) + ". " + std::string(words_of(kind.effort));
    if (kind.acts) out += " It is a POST, which changes something.";
    if (!kind.command.empty()) out += " `yushi " + std::string(kind.command) + "` asks it.";
    out += "\n";
    if (kind.parameters.empty()) continue;
    out += "\n| parameter | kind | what it says | option |\n|---|---|---|---|\n";
    for (auto& parameter : kind.parameters) {
      const auto mark = parameter.is_required ? "**" : "";
      const std::string words(parameter.kind == ParameterKind::zone ? "the zone of times that have none: Asia/Shanghai"
                                                                    : parameter.words);
      out += "| " + std::string(mark) + "`" + std::string(parameter.name) + "`" + mark + " | " +
             std::string(name_of(parameter.kind)) + " | " + cell(words) + " | " +
             (parameter.option.empty() ? "" : "`" + std::string(parameter.option) + "`") + " |\n";
    }
  }
  return out;
}

}  // namespace yushi::query
