// What changes while yushid runs: the config by SIGHUP, files that are taken as they change, certificates that end.
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/units_text.h"
#include "daemon/data_files.h"
#include "daemon/running.h"
#include "daemon/tenants.h"
#include "detect/words.h"
#include "enrich/lookups.h"

namespace yushi::daemon {
namespace {

constexpr detect::FindingKind kCertificateEnds{"yushid.certificate-ends", "A certificate ends", 1, "", "证书即将到期"};
constexpr detect::FindingKind kListLeftOut{"yushid.list-left-out", "A list of the site is not there to judge by", 1, "",
                                           "名单未生效"};

}  // namespace

void Daemon::warn_of_certificates() {
  const auto now = realtime_ns();
  for (auto& input : inputs()) {
    const auto left = input->expires_ns() - now;
    if (input->expires_ns() == 0 || left > 30 * kDay) continue;
    const int step = left <= 0 ? 0 : left <= kDay ? 1 : left <= 7 * kDay ? 7 : 30;
    auto& told = certificates_told_[{input->name(), input->expires_ns()}];
    if (told != 0 && told <= step + 1) continue;
    told = step + 1;
    auto what = input->name() + ": its certificate " +
                (step == 0 ? "has ended: senders refuse it"
                           : "ends in " + span_text(left / kSecond) + ": put a new one in its place in time") +
                " (" + utc_text(input->expires_ns()) + ")";
    auto what_zh = input->name() + " 的证书" +
                   (step == 0 ? "已过期，发送方将拒绝连接"
                              : "将在 " + detect::duration_text(left, detect::Lang::zh) + "后到期，请及时更换") +
                   "（" + utc_text(input->expires_ns()) + "）";
    spdlog::warn("{}", what);
    pipeline_->tell_trouble(kCertificateEnds, {what, std::move(what_zh)}, step <= 1 ? Severity::high : Severity::medium,
                            step <= 1 ? 80 : 50);
  }
}

Daemon::FileStates Daemon::files_now() const {
  std::vector<std::string> lists;
  for (auto& [name, setting] : config_.lists)
    if (!setting.path.empty()) lists.push_back(setting.path);
  return {data_files_state(lists), data_files_state(config_.exception_files)};
}

void Daemon::take_changed_files() {
  const auto before = std::exchange(files_, files_now());
  if (files_.lists != before.lists) read_lists_again();
  if (files_.exceptions != before.exceptions) read_exceptions_again();
}

void Daemon::read_exceptions_again() {
  const auto running = pipeline_->loaded();
  auto loaded = with_exceptions_anew(config_, *running);
  if (!loaded) return spdlog::error("exceptions: {}; those of before stay", loaded.error().message);
  if ((*loaded)->exceptions == running->exceptions && (*loaded)->left_out == running->left_out) return;
  for (size_t i = 0; i < (*loaded)->left_out.size(); ++i)
    if ((*loaded)->left_out_kinds[i] == "exception") spdlog::warn("exceptions: {}", (*loaded)->left_out[i]);
  pipeline_->reload(*loaded);
  const auto what = "exceptions were read again: " + std::to_string((*loaded)->exceptions->all().size());
  spdlog::info("{}", what);
  pipeline_->tell(load_record("reload", **loaded));
}

std::optional<Config> Daemon::read_config_again() {
  if (config_path_.empty()) return {};
  auto fresh = load_config(config_path_);
  if (fresh) return std::move(*fresh);
  auto what = config_path_ + " is wrong, so nothing of it is taken: " + fresh.error().message;
  while (what.ends_with('\n')) what.pop_back();
  spdlog::error("reload: {}", what);
  pipeline_->tell(configuration_record("reload", what, fresh.error().message));
  return {};
}

std::string Daemon::changed_later(const Config& fresh) const {
  constexpr std::string_view kTakenOver[] = {"inputs",  "forward", "tenants",     "relays", "parsers",
                                             "secrets", "geoip",   "user_agents", "detect"};
  std::string later;
  const auto name = [&](std::string_view key) { later += (later.empty() ? "" : ", ") + std::string(key); };
  auto keys = fresh.written;
  keys.insert(config_.written.begin(), config_.written.end());
  for (auto& [key, unused] : keys) {
    auto before = config_.written.find(key), now = fresh.written.find(key);
    const bool same = before != config_.written.end() && now != fresh.written.end() && before->second == now->second;
    if (!same && std::find(std::begin(kTakenOver), std::end(kTakenOver), key) == std::end(kTakenOver)) name(key);
  }
  if (config_.learning_ns != fresh.learning_ns) name("detect.learning");
  return later.empty() ? later : "changed in " + config_path_ + ", and taken at the next start: " + later;
}

std::string Daemon::change_inputs(const std::vector<std::shared_ptr<const ingest::InputConfig>>& wanted) {
  std::string told;
  const auto say = [&](const std::string& what) { told += (told.empty() ? "" : "; ") + what; };
  std::vector<Running> gone;
  {
    MutexLock lock(inputs_mutex_);
    std::erase_if(inputs_, [&](auto& running) {
      const bool stays = std::any_of(wanted.begin(), wanted.end(),
                                     [&](auto& config) { return config->written_as == running.written_as; });
      if (!stays) gone.push_back(running);
      return !stays;
    });
  }
  for (auto& running : gone) {
    running.input->stop();
    say(running.input->name() + " is closed");
  }
  for (auto& config : wanted) {
    {
      MutexLock lock(inputs_mutex_);
      if (std::any_of(inputs_.begin(), inputs_.end(),
                      [&](auto& running) { return running.written_as == config->written_as; }))
        continue;
    }
    auto bound = bind_input(*config);
    if (!bound) {
      spdlog::error("reload: {}", bound.error().message);
      say("not listening: " + bound.error().message);
      continue;
    }
    (*bound)->start(context_);
    say("listening on " + (*bound)->name());
  }
  return told;
}

std::string Daemon::change_forwarders(const forward::ForwarderConfigs& wanted) {
  auto unknown = forward::unknown_select_fields(wanted);
  if (!unknown.empty() && pipeline_->loaded()->left_out.empty()) {
    auto what = unknown.front() + "; the forwarders stay as they are";
    spdlog::error("reload: {}", what);
    pipeline_->tell(configuration_record("reload", what, unknown.front()));
    return "";
  }
  for (auto& what : unknown) spdlog::warn("{}", what);
  return forwarders_->change(wanted);
}

void Daemon::reload() {
  ::sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(clock_ns(CLOCK_MONOTONIC) / 1000));
  const auto fresh = read_config_again();
  if (fresh) {
    config_.parser_dirs = fresh->parser_dirs;
    config_.rule_dirs = fresh->rule_dirs;
    config_.secret_dirs = fresh->secret_dirs;
    config_.exception_files = fresh->exception_files;
    config_.lookups = fresh->lookups;
    config_.lists = fresh->lists;
  }
  files_ = files_now();
  const bool routed = take_data_files(fresh ? *fresh : config_);
  // The databases of before serve on where the new ones cannot be read.
  if (auto lookups = enrich::open_lookups(config_.lookups))
    use_lookups(std::move(*lookups));
  else
    spdlog::error("reload: {}; what was read before stays", lookups.error().message);
  if (fresh) {
    std::string told;
    const auto say = [&](const std::string& what) { told += (told.empty() || what.empty() ? "" : "; ") + what; };
    if (routed) {
      say(tell_changes(config_, *fresh));
      config_.tenants = fresh->tenants;
      config_.relays = fresh->relays;
    }
    say(change_inputs(fresh->inputs));
    say(change_forwarders(fresh->forwarders));
    say(changed_later(*fresh));
    if (!told.empty()) {
      spdlog::info("reload: {}", told);
      pipeline_->tell(configuration_record("reload", told, ""));
    }
  }
  for (auto& input : inputs()) input->reload();
  ::sd_notify(0, "READY=1");
}

void Daemon::read_lists_again() {
  const auto running = pipeline_->loaded();
  if (rules_ask_for_lists(config_, *running)) {
    (void)take_data_files(config_);
    return;
  }
  auto loaded = with_lists(config_, *running);
  pipeline_->reload(loaded);
  for (size_t i = 0; i < loaded->left_out.size(); ++i) {
    if (loaded->left_out_kinds[i] != "list") continue;
    spdlog::error("reload: {}", loaded->left_out[i]);
    pipeline_->tell(configuration_record("reload", loaded->left_out[i], loaded->left_out[i]));
  }
  tell_lists_left_out(*loaded);
  spdlog::info("lists were read again");
}

bool Daemon::take_data_files(const Config& config) {
  const auto running = pipeline_->loaded();
  auto loaded = load_data_files(config, running.get());
  // This thread must not wait for room: it is the one that hears the signal to stop.
  if (loaded && store_->options().disk->waits())
    loaded = fail(Code::unavailable, "the disk is full, and the store keeps each version of the parsers");
  if (loaded) {
    versions_->add((*loaded)->parsers);
    if (auto kept = store_->keep_parsers((*loaded)->parsers->digest(), query::encode_parser_files(*(*loaded)->parsers));
        !kept) {
      loaded = tl::unexpected(kept.error());
    }
  }
  auto tenancy = give_logs(config, *store_, loaded ? **loaded : *running, running.get());
  if (!tenancy) loaded = tl::unexpected(tenancy.error());
  if (tenancy) {
    pipeline_->reload(tenancy->loaded);  // first: nothing goes to a log of which nobody knows how it is read
    routing_->take(std::move(tenancy->log_of));
  }
  if (loaded) {
    for (auto& what : (*loaded)->left_out) spdlog::error("reload: {}", what);
    for (auto& what : (*loaded)->cannot_run) spdlog::info("reload: {}", what);
    pipeline_->tell(load_record("reload", **loaded));
    tell_lists_left_out(**loaded);
    spdlog::info("reloaded {} parser files and {} rule files, {} rules run", (*loaded)->parsers->files().size(),
                 (*loaded)->rules->files().size(), (*loaded)->rules->list().size());
  } else {
    auto what = "reload refused, the old parsers and rules stay: " + loaded.error().message;
    spdlog::error("{}", what);
    pipeline_->tell(configuration_record("reload", what, loaded.error().message));
  }
  return tenancy.has_value();
}

void Daemon::tell_lists_left_out(const Loaded& loaded) {
  for (auto& what : loaded.lists_left_out)
    pipeline_->tell_trouble(kListLeftOut,
                            {what, "名单文件有误，也没有可沿用的旧内容，基于该名单的检测均未生效：" + what},
                            Severity::high, 75);
}

OwnRecord Daemon::configuration_record(const char* action, const std::string& what, const std::string& reason) {
  auto out = own_record(action, what);
  out.reason = reason;
  out.succeeded = reason.empty();
  return out;
}

OwnRecord Daemon::load_record(const char* action, const Loaded& loaded) {
  std::string what = std::string("parsers and rules were ") + action + "ed", reason;
  for (auto& each : loaded.left_out) {
    if (reason.size() > 16 << 10) {  // `status` has the others
      reason += "\n…";
      break;
    }
    reason += (reason.empty() ? "" : "\n") + each;
  }
  if (!reason.empty()) what += ", but for " + std::to_string(loaded.left_out.size()) + ": " + loaded.left_out.front();
  for (auto& each : loaded.cannot_run) what += "; " + each;
  return configuration_record(action, what, reason);
}

}  // namespace yushi::daemon
