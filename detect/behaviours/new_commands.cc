#include "detect/behaviours/new_commands.h"

#include <algorithm>

#include "detect/behaviours/actors.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kNew{"baseline.commands-of-nobody",
                           "Programs that nobody here has ever run",
                           2,
                           "attack.t1059",
                           "运行从未有人用过的程序",
                           "attack.execution"};

// The name of the program, without its folder.
std::string program_of(const Record& record) {
  static const Field* const kFields[] = {find_field("process.command_line"), find_field("process.args"),
                                         find_field("process.executable")};
  Scratch scratch;
  Value value;
  for (const Field* field : kFields) {
    scratch.clear();
    if (!first_value(record, field, scratch, &value)) continue;
    auto name = value.text.substr(0, value.text.find_first_of(" \t"));
    name = name.substr(name.rfind('/') + 1);
    // A shell's own words and values are no programs.
    if (name.empty() || name.find_first_of("=$(){}<>;|&\"'`") != std::string_view::npos) return {};
    return std::string(name.substr(0, NewCommands::kNameBytesMax));
  }
  return {};
}

}  // namespace

bool NewCommands::wants(const EventKind& kind) const {
  return kind.name == "command" || kind.name == "process-started";
}

void NewCommands::observe(const Event& event, std::vector<Finding>& findings) {
  const auto* actors = surroundings_.detectors.find<Actors>();
  if (event.kind.outcome == "failure" || !actors) return;
  const std::string& actor = actors->of(event);
  if (actor.empty()) return;
  const std::string program = program_of(event.record);
  if (program.empty()) return;
  const int64_t at_ns = event.counted.at_ns;
  Log& log = by_log_.use(event.log, at_ns);
  Account& account = accounts_.use(event.log, actor);
  ++account.commands;
  const bool is_new = log.programs.peek(program) == nullptr;
  log.programs.use(program) = true;
  if (!is_new || log.is_younger(kLearnDays, at_ns) || account.commands <= kCommandsMin) return;
  if (account.names.empty() || at_ns - account.since_ns > kWindowNs) {
    account.names.clear();
    account.indexes.clear();
    account.since_ns = at_ns;
  }
  if (account.names.size() < kNewMin) {
    account.names.push_back(program);
    account.indexes.push_back(event.record.index);
  }
  if (account.names.size() < kNewMin) return;
  Finding finding;
  finding.kind = &kNew;
  finding.severity = Severity::low;
  finding.score = 40;
  finding.key = printable(actor);
  finding.fold_ns = kDay;
  finding.reason = printable(actor) + " ran " + std::to_string(kNewMin) +
                   " programs within an hour that no account of this log has run since " + date_text(log.first_ns) +
                   ":";
  finding.reason_zh = "账号 " + printable(actor) + " 在 1 小时内运行了 " + std::to_string(kNewMin) + " 个自 " +
                      date_text(log.first_ns) + " 以来该日志中无任何账号用过的程序：";
  for (auto& name : account.names) {
    finding.reason += " " + printable(name);
    finding.reason_zh += (&name == &account.names.front() ? "" : "、") + printable(name);
  }
  finding.baseline =
      "programs=" + std::to_string(log.programs.size()) + " commands=" + std::to_string(account.commands);
  finding.records = account.indexes;
  account.names.clear();
  account.indexes.clear();
  findings.push_back(std::move(finding));
}

void NewCommands::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) { save_entries(log.programs, out, [](bool) {}); });
  accounts_.save(out, [&out](const Account& account) {
    put_varint(out, account.commands);
    put_signed(out, account.since_ns);
    put_varint(out, account.names.size());
    for (size_t i = 0; i < account.names.size(); ++i) {
      put_text(out, account.names[i]);
      put_varint(out, account.indexes[i]);
    }
  });
}

bool NewCommands::load(Reader& in) {
  const auto load_log = [&in](Log& log) { return load_entries(log.programs, in, [](bool& known) { known = true; }); };
  return load_logs(by_log_, in, load_log) && accounts_.load(in, [&in](Account& account) {
    account.commands = load_number<uint32_t>(in);
    account.since_ns = load_time(in);
    uint64_t names = in.varint();
    if (names >= kNewMin) return false;
    for (; names > 0 && in.ok(); --names) {
      account.names.emplace_back(in.text());
      account.indexes.push_back(in.varint());
    }
    return true;
  });
}

}  // namespace yushi::detect
