#include "detect/unusual_commands.h"

#include <algorithm>

#include "core/record/record.h"
#include "detect/actors.h"
#include "detect/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kUnusualCommands{"baseline.unusual-commands",
                                       "Commands that are not the account's usual ones",
                                       1,
                                       "attack.t1078",
                                       "账号的命令与其习惯不符",
                                       "attack.execution"};

constexpr int64_t kLookEachNs = 60 * kSecond;
constexpr size_t kNamedMax = 5;
// From where on it is more than a quiet hint: two bits a command.
constexpr int32_t kLoudScore = 2 * CommandHabit::kOddScore;

// A command's name without its folder and arguments; empty: none.
std::string_view program_of(std::string_view line) {
  line = line.substr(0, line.find_first_of(" \t"));
  if (const size_t slash = line.find_last_of('/'); slash != line.npos) line.remove_prefix(slash + 1);
  return line;
}
// Of what a person typed the executable may be the program that told it (sudo); of a process it is surer than its
// words.
std::string_view command_of(const Event& event, Scratch& scratch) {
  static const Field* const kExecutable = find_field("process.executable");
  static const Field* const kWords[] = {find_field("process.command_line"), find_field("process.args"),
                                        find_field("process.title")};
  Value value;
  const auto told_by = [&](const Field* field) {
    return first_value(event.record, field, scratch, &value) ? program_of(value.text) : std::string_view();
  };
  std::string_view name;
  if (event.kind.name == "process-started") name = told_by(kExecutable);
  for (const Field* field : kWords)
    if (name.empty()) name = told_by(field);
  return name.empty() ? told_by(kExecutable) : name;
}

std::string bits_text(int32_t score) {  // 1.3
  const int32_t tenths = score * 10 / 256;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string names_text(const std::vector<const OddCommand*>& commands, Lang lang) {
  const bool zh = lang == Lang::zh;
  std::string out;
  for (size_t i = 0; i < commands.size() && i < kNamedMax; ++i) {
    const OddCommand& one = *commands[i];
    out += out.empty() ? "" : zh ? "、" : ", ";
    out += !one.name.empty() ? printable(one.name) : zh ? "（名称未保留）" : "(no name kept)";
    if (one.times > 1) out += " (" + std::to_string(one.times) + ")";
  }
  if (commands.size() > kNamedMax) {
    const std::string more = std::to_string(commands.size() - kNamedMax);
    out += zh ? "，另有 " + more + " 条" : " and " + more + " more";
  }
  return out;
}

}  // namespace

Finding UnusualCommands::finding_of(std::string_view key, const Account& account, const CommandJudgement& judged) {
  const size_t cut = key.find('\n');
  const std::string dataset(key.substr(0, cut)), who = printable(key.substr(cut + 1));
  std::vector<const OddCommand*> never, seldom;
  std::string numbers;
  for (const auto& odd : judged.odd) {
    (odd.blocks == 0 ? never : seldom).push_back(&odd);
    if (numbers.size() < 1024)
      numbers += (numbers.empty() ? "" : ",") + printable(odd.name) + "=" + std::to_string(odd.times) + "/" +
                 std::to_string(odd.blocks) + "/" + std::to_string(odd.score);
  }
  Finding out;
  out.kind = &kUnusualCommands;
  out.severity = judged.score >= kLoudScore ? Severity::medium : Severity::low;
  out.score = judged.score >= kLoudScore ? 60 : 40;
  out.key = who + " by " + dataset;
  out.reason = number_text(account.block.size(), "command", "commands") + " of " + who + " within " +
               within_text(std::max<int64_t>(account.block_last_ns - account.block_first_ns, 0)) +
               " are more like those of others, by " + bits_text(judged.score) + " bits each";
  if (!never.empty()) out.reason += "; never before: " + names_text(never, Lang::en);
  if (!seldom.empty()) out.reason += "; seldom before: " + names_text(seldom, Lang::en);
  out.reason += "; " + std::to_string(judged.new_pairs) + " of " +
                number_text(judged.pairs, "pair in a row is", "pairs in a row are") +
                " new; what is usual was learned from " + number_text(account.habit.blocks(), "stretch", "stretches") +
                " of up to 100 commands since " + date_text(account.first_ns);
  out.reason_zh = "账号 " + who + " 在 " +
                  within_text(std::max<int64_t>(account.block_last_ns - account.block_first_ns, 0), Lang::zh) +
                  "内的 " + std::to_string(account.block.size()) + " 条命令更像他人所为（每条相差 " +
                  bits_text(judged.score) + " 比特）";
  if (!never.empty()) out.reason_zh += "；从未用过：" + names_text(never, Lang::zh);
  if (!seldom.empty()) out.reason_zh += "；很少使用：" + names_text(seldom, Lang::zh);
  out.reason_zh += "；" + std::to_string(judged.pairs) + " 组相邻命令中有 " + std::to_string(judged.new_pairs) +
                   " 组为首次出现；其习惯学自 " + date_text(account.first_ns) + " 以来的 " +
                   std::to_string(account.habit.blocks()) + " 段命令（每段至多 100 条）";
  out.fields = {{"user.name", who}};
  out.baseline = "score=" + std::to_string(judged.score) + " odd_from=" + std::to_string(CommandHabit::kOddScore) +
                 " commands=" + std::to_string(account.block.size()) + " pairs=" + std::to_string(judged.pairs) +
                 " new_pairs=" + std::to_string(judged.new_pairs) +
                 " stretches=" + std::to_string(account.habit.blocks()) +
                 " since_ns=" + std::to_string(account.first_ns) + " odd=" + numbers;
  return out;
}

// The first of each different command, and the last of all.
std::vector<uint64_t> UnusualCommands::records_of(const Account& account) {
  std::vector<uint64_t> out;
  for (int32_t use : account.first_uses)
    if (const uint64_t index = account.first_index + static_cast<uint64_t>(int64_t{use}); index != account.last_index)
      out.push_back(index);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  out.push_back(account.last_index);
  return out;
}

void UnusualCommands::close(std::string_view log, Log& of, std::string_view key, Account& account,
                            std::vector<Finding>& findings) {
  SiteCommands& site = of.sites.use(key.substr(0, key.find('\n')));
  bool learns = true;
  if (account.habit.blocks() >= kBlocksMin) {
    const CommandJudgement judged = account.habit.judge(account.block, site);
    const bool is_odd = judged.score >= CommandHabit::kOddScore;
    if (is_odd) {
      Finding finding = finding_of(key, account, judged);
      finding.learning = account.block_last_ns - account.first_ns < surroundings_.options.learning_ns;
      finding.log = log;
      finding.records = records_of(account);
      findings.push_back(std::move(finding));
    }
    account.odd_in_a_row = is_odd ? account.odd_in_a_row + 1 : 0;
    learns = !is_odd || account.odd_in_a_row > kOddInARowMax;
  }
  if (learns) {
    account.habit.learn(account.block);
    site.learn(account.block);
  }
  account.block.clear();
  account.first_uses.clear();
}

void UnusualCommands::observe(const Event& event, std::vector<Finding>& findings) {
  Scratch scratch;
  // Whose login session it was, where the log tells that, since `root` is many people; of a process nobody else.
  const auto* actors = surroundings_.detectors.find<Actors>();
  if (!actors || (event.kind.name != "command" && !actors->is_of_login(event))) return;
  const std::string& who = actors->of(event);
  if (who.empty()) return;
  const std::string_view command = command_of(event, scratch);
  if (command.empty()) return;
  Log& of = by_log_.use(event.log);
  const std::string key = event.kind.message->dataset + "\n" + std::string(ShortName(who));
  Account& account = of.accounts.use(key);
  if (account.habit.blocks() == 0 && account.block.size() == 0) account.first_ns = event.counted.at_ns;
  if (account.block.size() == 0) {
    account.first_index = event.record.index;
    account.block_first_ns = event.counted.at_ns;
  }
  // What may be odd is named.
  const bool may_be_odd = account.habit.blocks() >= kBlocksMin && !account.habit.is_usual(command);
  if (account.block.add(command, may_be_odd)) {
    // Joined events may come in another order than their first lines.
    const auto from_first = static_cast<int64_t>(event.record.index - account.first_index);
    const auto offset = static_cast<int32_t>(from_first);
    account.first_uses.push_back(offset == from_first ? offset : 0);
  }
  account.block_last_ns = event.counted.at_ns;
  account.last_received_ns = bounded_time(event.record.origin->received_ns);
  account.last_index = event.record.index;
  if (account.block.full()) close(event.log, of, key, account, findings);
}

void UnusualCommands::tick(const Tick& tick, std::vector<Finding>& findings) {
  const int64_t now = bounded_time(tick.received_ns);
  if (now - looked_ns_ < kLookEachNs) return;
  looked_ns_ = now;
  for (auto& [log, of] : by_log_) {
    of.accounts.change_each([&, &log = log, &of = of](std::string_view key, Account& account) {
      if (account.block.size() < kSessionCommandsMin || now - account.last_received_ns < kStillNs) return false;
      close(log, of, key, account, findings);
      return true;
    });
  }
}

void UnusualCommands::save(std::string& out) const {
  put_signed(out, looked_ns_);
  save_logs(by_log_, out, [&out](const Log& of) {
    save_entries(of.sites, out, [&out](const SiteCommands& site) { site.save(out); });
    save_entries(of.accounts, out, [&out](const Account& account) {
      account.habit.save(out);
      put_signed(out, account.first_ns);
      put_varint(out, account.odd_in_a_row);
      account.block.save(out);
      put_signed(out, account.block_first_ns);
      put_signed(out, account.block_last_ns);
      put_signed(out, account.last_received_ns);
      put_varint(out, account.first_index);
      put_varint(out, account.last_index);
      put_varint(out, account.first_uses.size());
      for (int32_t use : account.first_uses) put_signed(out, use);
    });
  });
}

bool UnusualCommands::load_account(Account& account, Reader& in) {
  account = Account();
  if (!account.habit.load(in)) return false;
  account.first_ns = bounded_time(in.signed_varint());
  account.odd_in_a_row = static_cast<uint32_t>(in.varint());
  if (!account.block.load(in) || account.block.full()) return false;
  account.block_first_ns = bounded_time(in.signed_varint());
  account.block_last_ns = bounded_time(in.signed_varint());
  account.last_received_ns = bounded_time(in.signed_varint());
  account.first_index = in.varint();
  account.last_index = in.varint();
  uint64_t left = in.varint();
  if (left > CommandBlock::kCommandsMax) return false;
  for (; left > 0 && in.ok(); --left) account.first_uses.push_back(static_cast<int32_t>(in.signed_varint()));
  return in.ok();
}

bool UnusualCommands::load(Reader& in) {
  looked_ns_ = bounded_time(in.signed_varint());
  return load_logs(by_log_, in, [&in](Log& of) {
    return load_entries(of.sites, in, [&in](SiteCommands& site) { return site.load(in); }) &&
           load_entries(of.accounts, in, [&in](Account& account) { return load_account(account, in); });
  });
}

}  // namespace yushi::detect
