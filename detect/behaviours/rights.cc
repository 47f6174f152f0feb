#include "detect/behaviours/rights.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <set>

#include "core/base/calendar.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/site.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kGrowth{
    "rights.slow-growth",         "Account gets one right after the other", 2, "attack.t1098", "账号权限逐步累积",
    "attack.privilege-escalation"};
constexpr FindingKind kPassword{
    "rights.password-of-another", "Password of another set", 2, "attack.t1098", "设置他人口令", "attack.persistence"};
constexpr int kDaysRemembered = 64;
constexpr std::string_view kGroup = "group ";  // of a right

// What says which right it is, the first that is there.
constexpr const char* kRightFields[] = {"group.name", "user.target.roles", "user.roles", "orchestrator.resource.name"};

std::vector<std::string_view> words_of(std::string_view line, std::string_view blanks) {
  std::vector<std::string_view> out;
  while (out.size() < 32) {
    const auto begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(line.find_first_of(blanks, begin), line.size());
    out.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return out;
}

bool is_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == y;
         });
}

struct Grant {
  std::string_view account;
  std::string right;
};

// GRANT what TO whom, of a statement wherever it stands in the text.
std::vector<Grant> of_statement(std::string_view text) {
  const auto words = words_of(text, " \t\r\n");
  size_t begin = words.size(), to = words.size();
  for (size_t i = 0; i < words.size(); ++i) {
    auto word = words[i];
    if (auto cut = word.find_last_of("'\"`(,:"); cut != std::string_view::npos && begin == words.size())
      word.remove_prefix(cut + 1);
    if (begin == words.size() && is_word(word, "grant")) begin = i;
    if (begin < i && is_word(words[i], "to")) {
      to = i;
      break;
    }
  }
  if (to + 1 >= words.size()) return {};
  std::string right;
  for (size_t i = begin + 1; i < to; ++i) right.append(right.empty() ? "" : " ").append(words[i]);
  auto account = words[to + 1];
  account.remove_prefix(std::min(account.find_first_not_of("\\'\"`"), account.size()));
  account = account.substr(0, account.find_first_of("\\'\"`@;,"));
  return {{account, std::move(right)}};
}

// usermod -aG a,b who; gpasswd -a who group; adduser who group; a line or a file of sudoers.
std::vector<Grant> of_command(std::string_view line) {
  std::vector<Grant> out;
  const auto words = words_of(line, " \t'\"");
  for (size_t i = 0; i < words.size(); ++i) {
    const auto name = words[i].substr(words[i].rfind('/') + 1);
    if (name == "usermod" && i + 3 < words.size()) {
      for (size_t k = i + 1; k + 1 < words.size(); ++k) {
        const bool groups = words[k] == "--groups" ||
                            (words[k].starts_with('-') && !words[k].starts_with("--") && words[k].ends_with('G'));
        if (!groups) continue;
        for (auto group : words_of(words[k + 1], ","))
          out.push_back({words.back(), std::string(kGroup) + std::string(group)});
      }
      return out;
    }
    if (name == "gpasswd" && i + 3 < words.size() && (words[i + 1] == "-a" || words[i + 1] == "--add"))
      return {{words[i + 2], std::string(kGroup) + std::string(words[i + 3])}};
    if ((name == "adduser" || name == "addgroup") && i + 2 < words.size() && !words[i + 1].starts_with('-') &&
        !words[i + 2].starts_with('-'))
      return {{words[i + 1], std::string(kGroup) + std::string(words[i + 2])}};
    // `lin ALL=(ALL) NOPASSWD: /usr/bin/x`
    if (i > 0 && (words[i].starts_with("ALL=") || words[i] == "ALL")) {
      std::string right = "sudoers";
      for (size_t k = i; k < words.size() && words[k] != ">>" && words[k] != ">" && words[k] != "|"; ++k)
        right.append(" ").append(words[k]);
      return {{words[i - 1], std::move(right)}};
    }
  }
  return out;
}

// The account whose file of sudoers this is, by its name.
std::vector<Grant> of_file(std::string_view path) {
  constexpr std::string_view kFolder = "/etc/sudoers.d/";
  const auto at = path.find(kFolder);
  if (at == std::string_view::npos) return {};
  auto name = path.substr(at + kFolder.size());
  name = name.substr(0, name.find_first_of(" /'\";|&"));
  if (name.empty()) return {};
  return {{name, "sudoers.d/" + std::string(name)}};
}

}  // namespace

bool Rights::wants(const EventKind& kind) const {
  for (std::string_view name :
       {"privilege-granted", "command", "process-started", "password-changed", "file-changed", "file-created"})
    if (kind.name == name) return true;
  return false;
}

void Rights::observe(const Event& event, std::vector<Finding>& findings) {
  const Record& record = event.record;
  const std::string_view kind = event.kind.name;
  if (event.kind.outcome == "failure") return;
  std::vector<Grant> grants;
  std::string text, group, right;
  if (kind == "command" || kind == "process-started") {
    static const Field* const kCommandLine = find_field("process.command_line");
    Scratch scratch;
    Value value;
    if (!first_value(record, kCommandLine, scratch, &value)) return;
    const auto has = [&](std::string_view part) { return value.text.find(part) != std::string_view::npos; };
    const bool grant = has("GRANT ") || has("grant "), sudoers = has("/etc/sudoers");
    if (!grant && !sudoers && !has("usermod") && !has("gpasswd") && !has("add")) return;
    text = value.text.substr(0, 4096);
    grants = of_command(text);
    if (grants.empty() && grant) grants = of_statement(text);
    // What only reads it gives nothing.
    if (grants.empty() && sudoers && !has("cat ") && !has("ls ") && !has("less ") && !has("grep ") && !has("rm "))
      grants = of_file(text);
  } else if (kind == "file-changed" || kind == "file-created") {
    static const Field* const kPath = find_field("file.path");
    text = kept_text(record, kPath);
    grants = of_file(text);
  } else if (kind == "password-changed") {
    password_set(event, findings);
    return;
  } else {
    static const Field* const kTarget = find_field("user.target.name");
    for (auto* name : kRightFields)
      if (right.empty()) right = kept_text(record, find_field(name), kTextBytesMax);
    text = kept_text(record, kTarget);
    group = kept_text(record, find_field("group.name"));
    if (text.empty() && !group.empty()) text = kept_text(record, ecs::user_name);
    if (!group.empty()) right = std::string(kGroup) + group;
    if (!text.empty() && !right.empty()) {
      grants.push_back({text, right});
    } else {
      text = kept_text(record, ecs::message, 4096);
      grants = of_statement(text);
    }
  }
  for (auto& grant : grants)
    if (!grant.account.empty() && !grant.right.empty()) granted(event, grant.account, grant.right, findings);
}

bool Rights::Account::give_up(bool) {
  if (rights.size() <= kRightsMin) return false;
  rights.erase(rights.begin());
  return true;
}

void Rights::granted(const Event& event, std::string_view account, std::string_view right,
                     std::vector<Finding>& findings) {
  auto& rights = accounts_.use(event.log, account).rights;
  const auto day = static_cast<int32_t>(floor_div(event.counted.at_ns, kDay));
  std::erase_if(rights, [&](auto& one) { return day - one.day > kDays; });
  const std::string text(right.substr(0, kTextBytesMax));
  if (std::any_of(rights.begin(), rights.end(), [&](auto& one) { return one.text == text; })) return;
  if (rights.size() == kRightsMax) rights.erase(rights.begin());
  rights.push_back({text, event.record.index, day});
  std::set<int64_t> days;
  for (auto& one : rights) days.insert(one.day);
  if (rights.size() < kRightsMin || days.size() < kDaysMin || *days.rbegin() - *days.begin() < kSpanDays) return;

  Finding finding;
  finding.kind = &kGrowth;
  finding.score = 55;
  finding.key = printable(account);
  finding.fold_ns = kDay;
  finding.reason = printable(account) + " got " + std::to_string(rights.size()) + " rights on " +
                   std::to_string(days.size()) + " days since " + date_text(*days.begin() * kDay) +
                   ", one after the other: ";
  finding.reason_zh = "账号 " + printable(account) + " 自 " + date_text(*days.begin() * kDay) + " 以来分 " +
                      std::to_string(days.size()) + " 天陆续获得 " + std::to_string(rights.size()) + " 项权限：";
  for (size_t i = 0; i < rights.size(); ++i) {
    const std::string name = printable(rights[i].text, kTextBytesMax), date = date_text(rights[i].day * kDay);
    finding.reason += (i == 0 ? "" : ", ") + name + " (" + date + ")";
    finding.reason_zh += (i == 0 ? "" : "、") + (name.starts_with(kGroup) ? "组 " + name.substr(kGroup.size()) : name) +
                         "（" + date + "）";
    finding.records.push_back(rights[i].index);
  }
  finding.baseline = "rights=" + std::to_string(rights.size()) + " days=" + std::to_string(days.size());
  findings.push_back(std::move(finding));
}

// Whose password it is stands in the record, who sets it is known where the audit system tells of the login.
void Rights::password_set(const Event& event, std::vector<Finding>& findings) {
  const auto* actors = surroundings_.detectors.find<Actors>();
  if (!actors) return;
  const std::string& actor = actors->of(event);
  static const Field* const kTarget = find_field("user.target.name");
  std::string owner = kept_text(event.record, kTarget);
  if (owner.empty()) owner = kept_text(event.record, ecs::user_name);
  if (actor.empty() || owner.empty() || actor == owner || actor.starts_with("uid ")) return;
  Account& account = accounts_.use(event.log, actor);
  const auto day = static_cast<int32_t>(floor_div(event.counted.at_ns, kDay)), gone = day - account.password_day;
  if (gone > 0) {
    for (uint64_t* days : {&account.password_days, &account.root_password_days})
      *days = gone < kDaysRemembered ? *days << gone : 0;
    account.password_day = day;
  }
  // Who helps users who forgot theirs is not wont to set root's by that.
  uint64_t& days = owner == "root" ? account.root_password_days : account.password_days;
  const int other_days = std::popcount(days & ~uint64_t{1});
  days |= 1;
  const auto* site = surroundings_.detectors.find<Site>();
  if (other_days >= kUsualDays || (site && site->is_young(event.log, event.counted.at_ns))) return;
  Finding finding;
  finding.kind = &kPassword;
  finding.score = 55;
  finding.key = printable(actor) + " " + printable(owner);
  finding.fold_ns = kDay;
  finding.reason = printable(actor) + " set the password of " + printable(owner) + " on " + printable(event.host) +
                   "; it did so on " + std::to_string(other_days) + " other days of the last " +
                   std::to_string(kDaysRemembered);
  finding.reason_zh = "账号 " + printable(actor) + " 在主机 " + printable(event.host) + " 上设置了账号 " +
                      printable(owner) + " 的口令；最近 " + std::to_string(kDaysRemembered) + " 天中另有 " +
                      std::to_string(other_days) + " 天设置过他人口令";
  finding.baseline = "days=" + std::to_string(other_days);
  finding.records = {event.record.index};
  findings.push_back(std::move(finding));
}

void Rights::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    save_list(account.rights, out, [&out](const Right& right) {
      put_text(out, right.text);
      put_signed(out, right.day);
      put_varint(out, right.index);
    });
    put_signed(out, account.password_day);
    put_varint(out, account.password_days);
    put_varint(out, account.root_password_days);
  });
}

bool Rights::load(Reader& in) {
  const auto load_right = [&in](Right& right) {
    right.text = in.text();
    right.day = load_day(in);
    right.index = in.varint();
  };
  return accounts_.load(in, [&](Account& account) {
    if (!load_list(account.rights, kRightsMax, in, load_right)) return false;
    account.password_day = load_day(in);
    account.password_days = in.varint();
    account.root_password_days = in.varint();
    return true;
  });
}

}  // namespace yushi::detect
