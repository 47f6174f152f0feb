#include "detect/behaviours/service_accounts.h"

#include <bit>

#include "core/base/calendar.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kPerson{
    "account.service-logs-in", "Somebody logs in as a service's account", 1, "attack.t1078", "人员以服务账号登录",
    "attack.initial-access"};
constexpr uint32_t kAllDays = 0x7f;

}  // namespace

bool is_machine_account(std::string_view user) {
  return user.ends_with('$') || user.starts_with("system:") || user.ends_with(".gserviceaccount.com");
}

bool is_typed(std::string_view method, std::string_view logon_type) {
  return method == "password" || method.starts_with("keyboard-interactive") || logon_type == "2" || logon_type == "10";
}

void ServiceAccounts::Days::add(int64_t day) {
  if (count > 0 && day <= last) return;
  ++count;
  last = static_cast<int32_t>(day);
}

void ServiceAccounts::observe(const Event& event, std::vector<Finding>& findings) {
  Scratch scratch;
  Value value;
  const int64_t second = floor_div(event.counted.at_ns, kSecond), day = floor_div(second, kDaySeconds);
  if (event.kind.name == "job-run") {
    if (first_value(event.record, ecs::user_name, scratch, &value) && value.text != "root")
      accounts_.use(event.log, value.text).with_jobs.add(day);
    return;
  }
  if (!event.login || !event.login->success) return;
  const LoginEvent& login = *event.login;
  const std::string method(first_text(event.record, event.kind.method, scratch)),
      type(first_text(event.record, event.kind.logon_type, scratch));
  if (method.empty() && type.empty()) return;  // another word of a login that is told with its method
  Account& account = accounts_.use(event.log, login.user);
  const bool typed = is_typed(method, type);
  const uint64_t logins = uint64_t{account.by_key} + account.otherwise;
  const bool is_regular = account.otherwise == 0 && account.with_logins.count >= kDaysMin &&
                          account.weekdays == kAllDays && std::popcount(account.hours) <= kHoursMax;
  const bool runs_jobs = logins == 0 && account.with_jobs.count >= kJobDaysMin;
  if ((is_regular && typed) || runs_jobs) {
    Finding finding;
    finding.kind = &kPerson;
    finding.severity = typed ? Severity::high : Severity::medium;
    finding.score = typed ? 70 : 55;
    finding.key = printable(login.user);
    finding.reason =
        printable(login.user) + " logged in from " + printable(login.source) +
        (login.host.empty() ? "" : " on " + printable(login.host)) + (typed ? " with a typed password" : "") +
        (runs_jobs
             ? ", and never has before: it only ran jobs, on " + number_text(account.with_jobs.count, "day", "days")
             : "; its " + number_text(logins, "login", "logins") + " before, on " +
                   number_text(account.with_logins.count, "day", "days") +
                   ", were all by key and at the same hours, as a program's are");
    finding.reason_zh =
        "账号 " + printable(login.user) + " 从 " + printable(login.source) +
        (login.host.empty() ? " " : " 在主机 " + printable(login.host) + " 上") +
        (typed ? "以手工输入的口令登录；" : "登录；") +
        (runs_jobs ? "该账号此前从未登录，仅在 " + std::to_string(account.with_jobs.count) + " 天中运行过计划任务"
                   : "此前 " + std::to_string(account.with_logins.count) + " 天中的 " + std::to_string(logins) +
                         " 次登录均使用密钥且时段固定，符合程序的规律");
    finding.baseline = "by_key=" + std::to_string(account.by_key) + " otherwise=" + std::to_string(account.otherwise) +
                       " days=" + std::to_string(account.with_logins.count) +
                       " hours=" + std::to_string(account.hours) +
                       " job_days=" + std::to_string(account.with_jobs.count);
    finding.records = {login.index};
    findings.push_back(std::move(finding));
  }
  ++(typed ? account.otherwise : account.by_key);
  account.hours |= uint32_t{1} << ((second - day * kDaySeconds) / 3600);
  account.weekdays |= uint32_t{1} << (day - floor_div(day, 7) * 7);
  account.with_logins.add(day);
}

void ServiceAccounts::save(std::string& out) const {
  accounts_.save(out, [&out](const Account& account) {
    for (const auto* days : {&account.with_logins, &account.with_jobs}) {
      put_varint(out, days->count);
      put_signed(out, days->last);
    }
    put_varint(out, account.hours);
    put_varint(out, account.weekdays);
    put_varint(out, account.by_key);
    put_varint(out, account.otherwise);
  });
}

bool ServiceAccounts::load(Reader& in) {
  return accounts_.load(in, [&in](Account& account) {
    for (auto* days : {&account.with_logins, &account.with_jobs}) {
      days->count = load_number<uint32_t>(in);
      days->last = load_day(in);
    }
    account.hours = load_number<uint32_t>(in);
    account.weekdays = load_number<uint32_t>(in);
    account.by_key = load_number<uint32_t>(in);
    account.otherwise = load_number<uint32_t>(in);
  });
}

}  // namespace yushi::detect
