#include "detect/behaviours/site.h"

#include <algorithm>

#include "detect/behaviours/accounts.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kNewAccount{"baseline.new-account", "First login of an account", 1, "attack.t1078",
                                  "账号首次登录",         "attack.initial-access"};
constexpr FindingKind kFromElsewhere{"baseline.host-from-elsewhere",
                                     "Host logged in to from where nobody comes",
                                     1,
                                     "attack.t1021",
                                     "从罕见来源登录主机",
                                     "attack.lateral-movement"};

}  // namespace

bool Site::add(Host& host, const std::string& network) {
  auto at =
      std::find_if(host.sources.begin(), host.sources.end(), [&](const Source& one) { return one.network == network; });
  const bool is_new = at == host.sources.end();
  if (is_new) {
    if (host.sources.size() == kSourcesMax) host.sources.erase(host.sources.begin());
    at = host.sources.insert(host.sources.end(), {network, 0});
  }
  ++at->logins;
  std::rotate(at, at + 1, host.sources.end());
  host.novelty.add(is_new);
  return is_new;
}

void Site::observe(const Event& event, std::vector<Finding>& findings) {
  if (!event.login || !event.login->success) return;
  const LoginEvent& login = *event.login;
  const std::string_view user = login.user.substr(0, kNameBytesMax);
  const std::string network = network_of(login.source.substr(0, kNameBytesMax));
  Log& log = by_log_.use(event.log, login.at_ns);
  const bool learning = is_young(event.log, login.at_ns);
  const auto* accounts = surroundings_.detectors.find<Accounts>();
  const bool is_new_account = accounts && !accounts->knows(event.log, user);
  const bool is_new_network = log.networks.peek(network) == nullptr;
  const std::string on = login.host.empty() ? "" : " on " + printable(login.host);
  const std::string on_zh = login.host.empty() ? "" : "（主机 " + printable(login.host) + "）";

  Host* host = login.host.empty() ? nullptr : &log.hosts.use(login.host.substr(0, kNameBytesMax));
  const Novelty before = host ? host->novelty : Novelty();
  const bool elsewhere = host && add(*host, network) && before.can_be_odd();

  Finding finding;
  finding.records = {login.index};
  if (!learning && is_new_account && (is_new_network || user == "root")) {
    finding.kind = &kNewAccount;
    const bool is_root_from_afar = is_new_network && user == "root";
    finding.severity = is_root_from_afar ? Severity::high : Severity::medium;
    finding.score = is_root_from_afar ? 75 : is_new_network ? 65 : 55;
    finding.key = printable(user);
    finding.reason = printable(user) + " logged in from " + printable(login.source) + on + ", and never has before" +
                     (is_new_network ? "; no account of this log has ever come from " + printable(network) : "");
    finding.reason_zh = "账号 " + printable(user) + " 首次登录，来自 " + printable(login.source) + on_zh +
                        (is_new_network ? "；该日志中从未有账号来自 " + printable(network) : "");
    finding.baseline = "new_network=" + std::to_string(is_new_network) +
                       " networks=" + std::to_string(log.networks.size()) + " since_ns=" + std::to_string(log.first_ns);
    findings.push_back(finding);
    // Of a network new to all the accounts tell, but of an account that has hardly come.
  } else if (login.at_ns - log.first_ns >= kWeekDays * kDay && elsewhere &&
             (!is_new_network || (accounts && accounts->hardly_knows(event.log, user)))) {
    std::vector<std::pair<std::string, uint64_t>> usual;
    for (const auto& source : host->sources)
      if (source.network != network) usual.emplace_back(source.network, source.logins);
    finding.kind = &kFromElsewhere;
    finding.score = 50;
    finding.key = printable(login.host) + " from " + printable(network);
    finding.reason = printable(user) + " logged in" + on + " from " + printable(login.source) +
                     ", from whose network nobody has come to this host; they come from " + counts_text(usual) +
                     ": was a bastion passed by?";
    finding.reason_zh = "账号 " + printable(user) + " 从 " + printable(login.source) + " 登录" + on_zh +
                        "，此前从未有人由该网段登录这台主机；通常来源为 " + counts_text(usual, Lang::zh) +
                        "，请核实是否绕过堡垒机";
    finding.baseline = "new_of_last=" + before.numbers() + " networks=" + std::to_string(usual.size());
    findings.push_back(finding);
  }
  ++log.networks.use(network);
}

bool Site::is_young(std::string_view log, int64_t at_ns) const {
  const Log* all = by_log_.find(log);
  return all && all->is_younger(kLearnDays, at_ns);
}

bool Site::comes_from(std::string_view log, std::string_view host,
                      const std::function<bool(std::string_view)>& is_it) const {
  const Log* all = by_log_.find(log);
  const Host* known = all ? all->hosts.peek(host.substr(0, kNameBytesMax)) : nullptr;
  return known && std::any_of(known->sources.begin(), known->sources.end(),
                              [&](const Source& source) { return is_it(source.network); });
}

void Site::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    save_entries(log.networks, out, [&out](uint64_t logins) { put_varint(out, logins); });
    save_entries(log.hosts, out, [&out](const Host& host) {
      host.novelty.save(out);
      save_list(host.sources, out, [&out](const Source& source) {
        put_text(out, source.network);
        put_varint(out, source.logins);
      });
    });
  });
}

bool Site::load(Reader& in) {
  const auto load_host = [&in](Host& host) {
    host.novelty.load(in);
    return load_list(host.sources, kSourcesMax, in, [&in](Source& source) {
      source.network = in.text();
      source.logins = in.varint();
    });
  };
  return load_logs(by_log_, in, [&](Log& log) {
    return load_entries(log.networks, in, [&in](uint64_t& logins) { logins = in.varint(); }) &&
           load_entries(log.hosts, in, load_host);
  });
}

}  // namespace yushi::detect
