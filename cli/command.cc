#include "cli/command.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>

#include "cli/lang.h"
#include "cli/remembered.h"
#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/base/display.h"

namespace yushi::cli {
namespace {

volatile std::sig_atomic_t code_of_interrupted = kExitFound;

}  // namespace

void add_place_options(CLI::App& command, Options& options) {
  command.add_option(
      "--server", options.server,
      "unix:PATH of the daemon's socket (default $YUSHI_SERVER, /run/yushi/yushi.sock, ./yushi-data/yushi.sock)");
  command.add_option("--store", options.store, "read the data folder DIR without a daemon: a backup, a seized disk")
      ->type_name("DIR");
}

void add_output_option(CLI::App& command, Options& options) {
  command
      .add_option("-o,--output", options.output,
                  "table, raw, json or csv (default: table; records of search in a pipe: raw)")
      ->check(CLI::IsMember({"table", "raw", "json", "csv"}));
}

namespace {

// Looked at as text: to CLI11 -5 is a number without a sign, of twenty digits.
std::string why_no_count(const std::string& text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return {};
  return "`" + text + "` is no number of records";
}

}  // namespace

void add_question_options(CLI::App& command, Options& options, std::string_view question) {
  const auto* kind = query::find_kind(question);
  YUSHI_ASSERT(kind, "no question %.*s", static_cast<int>(question.size()), question.data());
  for (auto& parameter : kind->parameters) {
    if (parameter.option.empty()) continue;
    const std::string option(parameter.option), words(parameter.words);
    auto take = [&options, name = std::string(parameter.name)](const std::string& value) {
      options.given[name] = value;
    };
    switch (parameter.kind) {
      case query::ParameterKind::zone:
        command.add_flag(option, options.utc, words);
        continue;
      case query::ParameterKind::flag:
        command.add_flag_callback(
            option, [take] { take("1"); }, words);
        continue;
      default:
        break;
    }
    auto* added = command.add_option_function<std::string>(option, take, words);
    if (parameter.kind == query::ParameterKind::number) added->type_name("N")->check(CLI::Validator(why_no_count, ""));
    if (parameter.kind == query::ParameterKind::name) {
      added->check(CLI::Validator(
          [](const std::string& name) { return std::string(name.empty() ? "the name is missing" : ""); }, ""));
    }
    added->required(parameter.is_required);
  }
}

CLI::App* add_question(CLI::App& to, Options& options, std::string_view question) {
  const auto* kind = query::find_kind(question);
  YUSHI_ASSERT(kind, "no question %.*s", static_cast<int>(question.size()), question.data());
  const auto name = kind->command.substr(kind->command.find_last_of(' ') + 1);
  auto* command = to.add_subcommand(std::string(name), std::string(kind->words));
  add_question_options(*command, options, question);
  return command;
}

void add_shown_options(CLI::App& command, Options& options) {
  add_lang_option(command, options);
  add_output_option(command, options);
  add_place_options(command, options);
}

void add_listing(CLI::App& command, Options& options, std::string_view question, const char* footer) {
  auto* list = add_question(command, options, question);
  list->footer(footer);
  add_shown_options(*list, options);
  add_question_options(command, options, question);
  add_shown_options(command, options);
  command.require_subcommand(0, 1);
}

std::string Options::text(std::string_view parameter) const {
  auto found = given.find(parameter);
  return found == given.end() ? std::string() : found->second;
}

std::shared_ptr<const Zone> zone_of(const Options& options) { return options.utc ? Zone::utc() : local_zone(); }

query::Question question_of(std::string name, const Options& options) {
  query::Question question{std::move(name), {options.given.begin(), options.given.end()}};
  std::erase_if(question.parameters,
                [](auto& parameter) { return parameter.first != "query" && parameter.second.empty(); });
  if (const auto* kind = query::find_kind(question.name); kind && kind->parameter("zone"))
    question.parameters["zone"] = std::string(zone_of(options)->name());
  return question;
}

int report(const Error& error) {
  // Messages may quote strangers' text; their own line breaks (the caret under a query) stay.
  std::string text;
  append_printable_lines(text, "yushi: " + error.message);
  std::fwrite(text.data(), 1, text.size(), stderr);
  if (error.code == Code::not_found) return kExitNothing;
  return error.code == Code::corrupt ? kExitBroken : kExitError;
}

void say_notes(const std::vector<std::string>& notes) {
  std::string text;
  for (auto& note : notes) {
    text += "yushi: ";
    append_printable(text, note);
    text += "\n";
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int report(const AnswerEnd& end, int code) {
  say_notes(end.notes);
  if (end.complete()) return code;
  std::string text = "yushi: the answer is incomplete";
  if (!end.reason.empty()) {
    text += ": ";
    append_printable(text, end.reason);
  }
  for (auto& what : end.missing) {
    text += "\n  missing: ";
    append_printable(text, what);
  }
  text += "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  return kExitIncomplete;
}

int ask_store(const Options& options, const query::Question& question, const query::LineSink& sink,
              const std::function<int(const AnswerEnd&)>& answered) {
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  bool follows = question.parameters.contains("follow");
  // What never ends is held to the checkpoints first; all else after, so that the answer's records are covered.
  int held = follows ? hold_to_remembered(**asker, !options.store.empty()) : kExitFound;
  if (follows) {  // Ctrl-C is how its user ends it; what was shown is flushed line by line
    code_of_interrupted = held;
    std::signal(SIGINT, [](int) { ::_exit(code_of_interrupted); });
  }
  auto end = (*asker)->ask(question, sink);
  int code = end ? kExitIncomplete : report(end.error());
  if (end) {
    if (end->complete() || end->proved) code = answered(*end);
    const int said = report(*end, code);
    if (code != kExitBroken) code = said;
  }
  if (!end && end.error().code == Code::unavailable) return code;
  if (!follows && (*asker)->is_whole()) held = hold_to_remembered(**asker, !options.store.empty());
  if (held == kExitBroken || code == kExitBroken) return kExitBroken;
  return held == kExitFound || code == kExitIncomplete ? code : held;
}

}  // namespace yushi::cli
