#include "detect/behaviours/unusual_commands.h"

#include <algorithm>

#include "core/record/record.h"
#include "detect/behaviours/actors.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kUnusualCommands{"baseline.unusual-commands",
                                       "Commands that are not the account's usual ones",
                                       2,
                                       "attack.t1078",
                                       "账号的命令与其习惯不符",
                                       "attack.execution"};

constexpr int64_t kLookEachNs = kMinute;
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

// Of several the one that has learned least; of two only where much is asked for, and its seldom commands before it.
bool UnusualCommands::Account::give_up(bool much) {
  const auto least = std::min_element(streams.begin(), streams.end(), [](const Stream& a, const Stream& b) {
    return a.habit.blocks() < b.habit.blocks();
  });
  if (much && least != streams.end() && least->habit.give_up()) return true;
  if (streams.size() <= (much ? 1u : 2u)) return false;
  streams.erase(least);
  return true;
}

UnusualCommands::Stream& UnusualCommands::Account::use(const std::string& dataset) {
  const auto at = std::find_if(streams.begin(), streams.end(), [&](auto& one) { return one.dataset == dataset; });
  if (at != streams.end()) return *at;
  if (streams.size() == kStreamsMax) give_up(false);
  Stream& out = streams.emplace_back();
  out.dataset = dataset;
  return out;
}

Finding UnusualCommands::finding_of(std::string_view account, const Stream& stream, const CommandJudgement& judged) {
  const std::string who = printable(account);
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
  out.key = who + " by " + stream.dataset;
  out.reason = number_text(stream.block.size(), "command", "commands") + " of " + who + " within " +
               within_text(std::max<int64_t>(stream.block_last_ns - stream.block_first_ns, 0)) +
               " are more like those of others, by " + bits_text(judged.score) + " bits each";
  if (!never.empty()) out.reason += "; never before: " + names_text(never, Lang::en);
  if (!seldom.empty()) out.reason += "; seldom before: " + names_text(seldom, Lang::en);
  out.reason += "; " + std::to_string(judged.new_pairs) + " of " +
                number_text(judged.pairs, "pair in a row is", "pairs in a row are") +
                " new; what is usual was learned from " + number_text(stream.habit.blocks(), "stretch", "stretches") +
                " of up to 100 commands since " + date_text(stream.first_ns);
  out.reason_zh = "账号 " + who + " 在 " +
                  within_text(std::max<int64_t>(stream.block_last_ns - stream.block_first_ns, 0), Lang::zh) + "内的 " +
                  std::to_string(stream.block.size()) + " 条命令更像他人所为（每条相差 " + bits_text(judged.score) +
                  " 比特）";
  if (!never.empty()) out.reason_zh += "；从未用过：" + names_text(never, Lang::zh);
  if (!seldom.empty()) out.reason_zh += "；很少使用：" + names_text(seldom, Lang::zh);
  out.reason_zh += "；" + std::to_string(judged.pairs) + " 组相邻命令中有 " + std::to_string(judged.new_pairs) +
                   " 组为首次出现；其习惯学自 " + date_text(stream.first_ns) + " 以来的 " +
                   std::to_string(stream.habit.blocks()) + " 段命令（每段至多 100 条）";
  out.fields = {{"user.name", who}};
  out.baseline = "score=" + std::to_string(judged.score) + " odd_from=" + std::to_string(CommandHabit::kOddScore) +
                 " commands=" + std::to_string(stream.block.size()) + " pairs=" + std::to_string(judged.pairs) +
                 " new_pairs=" + std::to_string(judged.new_pairs) +
                 " stretches=" + std::to_string(stream.habit.blocks()) +
                 " since_ns=" + std::to_string(stream.first_ns) + " odd=" + numbers;
  return out;
}

// The first of each command that is named, and the last of all.
std::vector<uint64_t> UnusualCommands::records_of(const Stream& stream) {
  std::vector<uint64_t> out;
  for (const auto& command : stream.block.commands())
    if (!command.name.empty()) out.push_back(stream.first_index + static_cast<uint64_t>(int64_t{command.mark}));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase(out, stream.last_index);
  out.push_back(stream.last_index);
  return out;
}

void UnusualCommands::close(std::string_view log, std::string_view account, Stream& stream,
                            std::vector<Finding>& findings) {
  SiteCommands& site = by_log_.use(log, kDatasetsMax).use(stream.dataset);
  bool learns = true;
  if (stream.habit.blocks() >= kBlocksMin) {
    const CommandJudgement judged = stream.habit.judge(stream.block, site);
    const bool is_odd = judged.score >= CommandHabit::kOddScore;
    if (is_odd) {
      Finding finding = finding_of(account, stream, judged);
      finding.learning = stream.block_last_ns - stream.first_ns < surroundings_.options.learning_ns;
      finding.log = log;
      finding.records = records_of(stream);
      findings.push_back(std::move(finding));
    }
    stream.odd_in_a_row = is_odd ? stream.odd_in_a_row + 1 : 0;
    learns = !is_odd || stream.odd_in_a_row > kOddInARowMax;
  }
  if (learns) {
    stream.habit.learn(stream.block);
    site.learn(stream.block);
  }
  stream.block.clear();
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
  Stream& stream = accounts_.use(event.log, who).use(event.kind.message->dataset);
  if (stream.habit.blocks() == 0 && stream.block.size() == 0) stream.first_ns = event.counted.at_ns;
  if (stream.block.size() == 0) {
    stream.first_index = event.record.index;
    stream.block_first_ns = event.counted.at_ns;
  }
  // What may be odd is named. Joined events may come in another order than their first lines.
  const bool may_be_odd = stream.habit.blocks() >= kBlocksMin && !stream.habit.is_usual(command);
  const auto from_first = static_cast<int64_t>(event.record.index - stream.first_index);
  const auto mark = static_cast<int32_t>(from_first);
  stream.block.add(command, may_be_odd, mark == from_first ? mark : 0);
  stream.block_last_ns = event.counted.at_ns;
  stream.last_received_ns = bounded_time(event.record.origin->received_ns);
  stream.last_index = event.record.index;
  if (stream.block.full()) close(event.log, ShortName(who), stream, findings);
}

void UnusualCommands::tick(const Tick& tick, std::vector<Finding>& findings) {
  const int64_t now = bounded_time(tick.received_ns);
  if (now - looked_ns_ < kLookEachNs) return;
  looked_ns_ = now;
  accounts_.change_each([&](std::string_view log, std::string_view name, Account& account) {
    bool changed = false;
    for (Stream& stream : account.streams) {
      if (stream.block.size() < kSessionCommandsMin || now - stream.last_received_ns < kStillNs) continue;
      close(log, name, stream, findings);
      changed = true;
    }
    return changed;
  });
}

void UnusualCommands::save(std::string& out) const {
  put_signed(out, looked_ns_);
  save_by_log(by_log_, out, [&out](const SiteCommands& site) { site.save(out); });
  const auto save_stream = [&out](const Stream& stream) {
    put_text(out, stream.dataset);
    stream.habit.save(out);
    put_signed(out, stream.first_ns);
    put_varint(out, stream.odd_in_a_row);
    stream.block.save(out);
    put_signed(out, stream.block_first_ns);
    put_signed(out, stream.block_last_ns);
    put_signed(out, stream.last_received_ns);
    put_varint(out, stream.first_index);
    put_varint(out, stream.last_index);
  };
  accounts_.save(out, [&](const Account& account) { save_list(account.streams, out, save_stream); });
}

bool UnusualCommands::load(Reader& in) {
  const auto load_stream = [&in](Stream& stream) {
    stream.dataset = in.text();
    if (!stream.habit.load(in)) return false;
    stream.first_ns = load_time(in);
    stream.odd_in_a_row = load_number<uint32_t>(in);
    if (!stream.block.load(in) || stream.block.full()) return false;
    stream.block_first_ns = load_time(in);
    stream.block_last_ns = load_time(in);
    stream.last_received_ns = load_time(in);
    stream.first_index = in.varint();
    stream.last_index = in.varint();
    return true;
  };
  looked_ns_ = load_time(in);
  return load_by_log(by_log_, kDatasetsMax, in, [&in](SiteCommands& site) { return site.load(in); }) &&
         accounts_.load(in, [&](Account& account) { return load_list(account.streams, kStreamsMax, in, load_stream); });
}

}  // namespace yushi::detect
