#include <unistd.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/remembered.h"
#include "cli/terminal.h"
#include "core/base/display.h"
#include "core/ledger/checkpoint.h"
#include "storage/read/heads.h"

namespace yushi::cli {
namespace {

using Json = nlohmann::ordered_json;

struct VerifyOptions : Options {
  std::string notes;  // a file that checkpoints were kept in
};

// Of a file like `heads` to which a daemon appends. Of a log that grew, its newest note says it all; but of one that
// was rolled back the older and longer one does. `all`: to compare with a copy that may be older than the newest.
Result<std::string> notes_of(const std::string& path, bool all) {
  std::vector<int> unreadable;
  auto notes = YUSHI_TRY(storage::read_appended_heads(path, unreadable));
  std::vector<std::string> said;
  for (auto number : unreadable)
    said.push_back(path + ":" + std::to_string(number) + ": not a line of origin, size, root, signature; passed over");
  say_notes(said);
  std::map<std::string, std::pair<uint64_t, std::string>> newest;  // by origin
  std::string out;
  for (auto& note : notes) {
    auto checkpoint = YUSHI_TRY(Checkpoint::parse_body(note));
    auto& before = newest[checkpoint.origin];
    if (note == before.second) continue;
    if (!before.second.empty() && (all || checkpoint.size <= before.first)) out += before.second + "\n";
    before = {checkpoint.size, std::move(note)};
  }
  for (auto& [origin, last] : newest) out += last.second + "\n";
  return out;
}

int verify(const VerifyOptions& options) {
  // The node's name first: what is remembered goes by it.
  auto asker = make_asker(options.server, options.store);
  if (!asker) return report(asker.error());
  auto status = (*asker)->ask({"status", {}}, [](std::string_view) { return true; });
  if (!status) return report(status.error());
  auto notes = remembered_notes(**asker, status->node, !options.store.empty());
  asker->reset();

  query::Question question{"verify", {}};
  if (!options.notes.empty()) {
    auto kept = notes_of(options.notes, !options.store.empty());
    if (!kept) return report(kept.error());
    notes += *kept;
  }
  if (!notes.empty()) question.parameters["remembered"] = notes;
  bool json = options.output == "json";
  bool shows_progress = is_terminal(STDERR_FILENO);
  bool contradicted = false, unproved = false;
  Out out;
  return ask_store(
      options, question,
      [&](std::string_view line) {
        auto said = Json::parse(line, nullptr, false);
        if (!said.is_object()) return out.good();
        if (said.contains("yushi.progress")) {
          auto& progress = said["yushi.progress"];
          if (shows_progress && progress.is_object()) {
            std::fprintf(stderr, "\r\x1b[K%s of %s", progress.value("done", Json(0)).dump(-1, ' ', true).c_str(),
                         progress.value("size", Json(0)).dump(-1, ' ', true).c_str());
          }
          return true;
        }
        auto text = [&](const char* name) {
          return said.contains(name) && said[name].is_string() ? said[name].get<std::string>() : std::string();
        };
        bool contradiction = text("kind") != "unproved";
        contradicted = contradicted || contradiction;
        unproved = unproved || !contradiction;
        if (json) {
          out.json(line);
          return out.good();
        }
        std::string shown = contradiction ? "CONTRADICTION  " : "not proved     ";
        append_printable(shown, text("place").empty() ? text("log") : text("place"));
        shown += ": ";
        append_printable(shown, text("what"));
        out.write(shown + "\n");
        return out.good();
      },
      [&](const AnswerEnd& end) {
        if (shows_progress) std::fprintf(stderr, "\r\x1b[K");
        const auto proved = end.proved.value_or(ProofCounts());
        contradicted = contradicted || proved.contradictions > 0;
        unproved = unproved || proved.unproved > 0;
        if (json) {
          out.json(to_json(end));
        } else {
          out.write(std::to_string(proved.logs) + " logs, " + std::to_string(end.records) + " records, " +
                    std::to_string(end.blocks) + " blocks, " + std::to_string(proved.checkpoints) + " checkpoints, " +
                    std::to_string(proved.alerts) + " alerts: " +
                    (contradicted ? "INTEGRITY IS BROKEN"
                     : unproved   ? "not all could be proved"
                                  : "all proved") +
                    "\n");
        }
        out.flush();
        return contradicted ? kExitBroken : unproved ? kExitNothing : kExitFound;
      });
}

}  // namespace

void add_verify(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<VerifyOptions>();
  auto* command = add_question(app, *options, "verify");
  command->footer(
      "Example: yushi verify\n\nEnds 0 when all is proved, 4 when something contradicts, 1 when something could not be "
      "proved; 3 when nothing contradicts, but a copy (--store) is older than what was seen since.");
  command
      ->add_option("--notes", options->notes,
                   "checkpoints kept elsewhere (checkpoints.files): hold the store to them too")
      ->type_name("FILE");
  add_output_option(*command, *options);
  add_place_options(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return verify(*options); }; });
}

}  // namespace yushi::cli
