// What the commands of `yushi` share: common options, exit codes, and how an answer ends.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "cli/asker.h"
#include "core/base/time_text.h"

namespace yushi::cli {

// As grep has them, and on.
constexpr int kExitFound = 0;       // found, holds
constexpr int kExitNothing = 1;     // nothing found, does not hold
constexpr int kExitError = 2;       // of use or of the system
constexpr int kExitIncomplete = 3;  // what is missing is named
constexpr int kExitBroken = 4;      // integrity is broken

struct Options {
  std::string server, store, output, lang;
  std::map<std::string, std::string, std::less<>> given;  // the question's parameters, by their names
  bool utc = false;

  std::string text(std::string_view parameter) const;  // empty when it is not given
  bool flag(std::string_view parameter) const { return given.contains(parameter); }
};

// The command that was given, to be run once the line is read.
using Chosen = std::function<int()>;

// A command under `to` for a question, with the words and the options that the table has for it (query/questions.h).
CLI::App* add_question(CLI::App& to, Options& options, std::string_view question);
void add_question_options(CLI::App& command, Options& options, std::string_view question);
void add_place_options(CLI::App& command, Options& options);  // --server, --store
void add_output_option(CLI::App& command, Options& options);
void add_shown_options(CLI::App& command, Options& options);  // --lang, --output, --server, --store
// `command list`, which is also meant where `command` stands alone.
void add_listing(CLI::App& command, Options& options, std::string_view question, const char* footer);

// The caller's zone, or UTC with --utc.
std::shared_ptr<const Zone> zone_of(const Options& options);
// With what is given, and the zone where it knows one.
query::Question question_of(std::string name, const Options& options);

int report(const Error& error);                         // to stderr; the exit code
void say_notes(const std::vector<std::string>& notes);  // to stderr
// Its notes and what is missing, to stderr; kExitIncomplete when something is, else `code`.
int report(const AnswerEnd& end, int code);

// Asks one question of the store that the options name, and holds it to the checkpoints remembered here.
// `answered` gives the exit code of a complete answer.
int ask_store(const Options& options, const query::Question& question, const query::LineSink& sink,
              const std::function<int(const AnswerEnd&)>& answered);

// One for each command.
void add_search(CLI::App& app, Chosen& chosen);
void add_hist(CLI::App& app, Chosen& chosen);
void add_alerts(CLI::App& app, Chosen& chosen);
void add_stories(CLI::App& app, Chosen& chosen);
void add_who(CLI::App& app, Chosen& chosen);
void add_sources(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);
void add_backup(CLI::App& app, Chosen& chosen);
void add_repair(CLI::App& app, Chosen& chosen);
void add_checkpoint(CLI::App& app, Chosen& chosen);
void add_parse(CLI::App& app, Chosen& chosen);
void add_parsers(CLI::App& app, Chosen& chosen);
void add_unknown(CLI::App& parsers, Chosen& chosen);  // `parsers unknown`
void add_rules(CLI::App& app, Chosen& chosen);
void add_others(CLI::App& app, Chosen& chosen);  // for each question that has a command and none of these is it

}  // namespace yushi::cli
