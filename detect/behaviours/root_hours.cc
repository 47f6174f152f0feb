#include "detect/behaviours/root_hours.h"

#include <algorithm>
#include <numeric>

#include "core/base/calendar.h"
#include "detect/behaviours/accounts.h"
#include "detect/behaviours/actors.h"
#include "detect/behaviours/service_accounts.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kOddHour{"baseline.root-at-unusual-hour", "Root at an unusual hour",    2, "attack.t1078",
                               "非常用时段使用 root",           "attack.privilege-escalation"};
constexpr FindingKind kOddChange{
    "baseline.change-at-unusual-hour", "Change at an unusual hour", 1, "attack.t1078", "非常用时段变更配置",
    "attack.privilege-escalation"};
constexpr size_t kCommandBytesMax = 200;
constexpr int64_t kFoldNs = 12 * kHour;

// Somebody at a terminal acts as root. What the audit system says was started without one a job did.
bool is_root_at_a_terminal(const Event& event, Scratch& scratch) {
  static const Field* const kAs = find_field("user.effective.name");
  static const Field* const kNumber = find_field("user.id");
  if (first_text(event.record, event.kind.login_number, scratch).empty())
    return first_text(event.record, kAs, scratch) == "root";
  if (first_text(event.record, kNumber, scratch) != "0") return false;
  const std::string_view terminal = first_text(event.record, event.kind.terminal, scratch);
  return !terminal.empty() && terminal != "(none)" && terminal != "?";
}

// What a device, a bastion or a service says that somebody configured, or typed there.
bool is_change(const Event& event, Scratch& scratch) {
  static const Field* const kAs = find_field("user.effective.name");
  if (event.kind.name == "config-changed") return true;
  return event.kind.name == "command" && !event.kind.login_number && !event.kind.terminal &&
         first_text(event.record, kAs, scratch).empty();
}

}  // namespace

uint32_t RootHours::Account::known() const { return std::accumulate(hours.begin(), hours.end(), uint32_t{0}); }

bool RootHours::wants(const EventKind& kind) const {
  return kind.is_command() || kind.name == "privilege-used" || kind.name == "config-changed";
}

void RootHours::observe(const Event& event, std::vector<Finding>& findings) {
  Scratch scratch;
  const auto* actors = surroundings_.detectors.find<Actors>();
  if (event.kind.outcome == "failure" || !actors) return;
  const bool as_root = event.kind.name != "config-changed" && is_root_at_a_terminal(event, scratch);
  if (!as_root && !is_change(event, scratch)) return;
  const std::string& actor = actors->of(event);
  if (actor.empty() || actor == "root" || is_machine_account(actor)) return;
  const auto zone = surroundings_.options.zone_of(event.log);
  const auto [seconds, day, hour] = local_time(event.counted.at_ns, *zone);
  const auto now = static_cast<int32_t>(floor_div(seconds, 3600));

  Account& account = accounts_.use(event.log, actor);
  if (account.days > 0 && now == account.last_hour) return;
  uint32_t near = 0;
  for (int by = -kHoursAround; by <= kHoursAround; ++by)
    near += account.hours[static_cast<size_t>((hour + by + 24) % 24)];
  const uint32_t known = account.known(), days = account.days;
  const auto before = account.hours;
  // What comes late, as an event of several lines may, is judged and not counted.
  if (account.days == 0 || now > account.last_hour) {
    if (account.days == 0) account.first_ns = event.counted.at_ns;
    if (account.days == 0 || day > floor_div(account.last_hour, 24)) ++account.days;
    account.last_hour = now;
    auto& days_at = account.hours[static_cast<size_t>(hour)];
    if (days_at < UINT16_MAX) ++days_at;
  }
  if (near > 0 || known < kKnownMin || days < kDaysMin) return;
  const auto* accounts = surroundings_.detectors.find<Accounts>();
  if (accounts && (accounts->has_logged_in(event.log, actor, event.counted.at_ns - kLoginNs, event.counted.at_ns) ||
                   accounts->is_common_hour(event.log, actor, hour)))
    return;

  static const Field* const kCommand = find_field("process.command_line");
  const std::string_view host = event.host;
  const std::string command(first_text(event.record, kCommand, scratch, kCommandBytesMax));
  const std::string from = hour_text(hour - kHoursAround), to = hour_text(hour + kHoursAround + 1);
  Finding finding;
  finding.kind = as_root ? &kOddHour : &kOddChange;
  finding.severity = Severity::low;
  finding.score = 45;
  finding.key = printable(actor);
  finding.fold_ns = kFoldNs;
  finding.learning = event.counted.at_ns - account.first_ns < surroundings_.options.learning_ns;
  finding.reason = printable(actor) + (as_root ? " acted as root" : " changed the configuration") +
                   (host.empty() ? "" : " on " + printable(host)) + " at " + hour_text(hour) + " " +
                   std::string(zone->name()) + (command.empty() ? "" : " (" + printable(command) + ")") + "; in " +
                   number_text(days, "day", "days") + " with such acts since " + date_text(account.first_ns) +
                   " it never did between " + from + " and " + to;
  finding.reason_zh =
      "账号 " + printable(actor) + " 于 " + hour_text(hour) + "（" + std::string(zone->name()) + "）" +
      (host.empty() ? "" : "在主机 " + printable(host) + " 上") + (as_root ? "以 root 身份操作" : "变更配置") +
      (command.empty() ? "" : "（" + printable(command) + "）") + "；自 " + date_text(account.first_ns) +
      " 以来有此类操作的 " + std::to_string(days) + " 天中，从未在 " + from + " 至 " + to + " 之间出现";
  finding.baseline = "days=" + std::to_string(days) + " known=" + std::to_string(known) + " hours=";
  for (size_t h = 0; h < before.size(); ++h) finding.baseline += (h ? "," : "") + std::to_string(before[h]);
  finding.records = {event.record.index};
  findings.push_back(std::move(finding));
}

void RootHours::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    put_signed(out, account.first_ns);
    put_signed(out, account.last_hour);
    put_varint(out, account.days);
    for (auto days : account.hours) put_varint(out, days);
  });
}

bool RootHours::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) {
    account.first_ns = load_time(in);
    account.last_hour = load_hour(in);
    account.days = load_number<uint32_t>(in);
    for (auto& days : account.hours) days = load_number<uint16_t>(in);
  });
}

}  // namespace yushi::detect
