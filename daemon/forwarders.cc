#include "daemon/forwarders.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/units_text.h"
#include "daemon/store_source.h"
#include "detect/words.h"

namespace yushi::daemon {
namespace {

constexpr detect::FindingKind kAway{"yushid.forwarder-away", "A forwarder is not answered", 1, "", "转发目标无应答"};
constexpr detect::FindingKind kBack{"yushid.forwarder-back", "A forwarder is answered again", 1, "", "转发目标已恢复"};

}  // namespace

Result<void> Forwarders::start(const forward::ForwarderConfigs& wanted) {
  for (auto& config : wanted) YUSHI_TRY(start_one(config));
  return {};
}

Result<void> Forwarders::start_one(const std::shared_ptr<const forward::ForwarderConfig>& config) {
  const auto name = config->name();
  forward::ForwarderCalls calls;
  calls.secrets = [this] { return pipeline_.loaded()->secrets; };
  calls.on_away = [this, name](const std::string& why) {
    auto what = "forwarder " + name + " has not been answered for a while" + (why.empty() ? "" : " (" + why + ")") +
                "; what it sends waits in the store, nothing is lost";
    auto what_zh = "转发 " + name + " 已有一段时间未得到应答" + (why.empty() ? "" : "（" + why + "）") +
                   "；待发送内容保留在存储中，不会丢失";
    spdlog::error("{}", what);
    pipeline_.tell_trouble(kAway, {what, std::move(what_zh)}, Severity::high, 70);
  };
  calls.on_back = [this, name](int64_t since_ns) {
    const auto away_ns = realtime_ns() - since_ns;
    auto what = "forwarder " + name + " is answered again, after " + span_text(away_ns / kSecond) +
                "; what waited is being sent";
    auto what_zh =
        "转发 " + name + " 在 " + detect::duration_text(away_ns, detect::Lang::zh) + "后恢复应答；正在补发积压内容";
    spdlog::info("{}", what);
    pipeline_.tell_trouble(kBack, {what, std::move(what_zh)}, Severity::informational, 10);
  };
  auto sink = YUSHI_TRY(config->make_sink(store_.options().node));
  auto forwarder =
      std::make_shared<forward::Forwarder>(config, std::move(sink), make_store_source(store_, name), std::move(calls));
  forwarder->start();
  MutexLock lock(mutex_);
  unsigned number = 0;
  while (std::any_of(known_.begin(), known_.end(), [&](auto& known) { return known.running.number == number; }))
    ++number;
  known_.push_back({config, {number, std::move(forwarder)}});
  return {};
}

std::string Forwarders::change(const forward::ForwarderConfigs& wanted) {
  std::string told;
  const auto say = [&](const std::string& what) { told += (told.empty() ? "" : "; ") + what; };
  std::vector<Known> gone;
  const auto stays = [&](auto& known) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](auto& config) { return config->written_as == known.config->written_as; });
  };
  {
    MutexLock lock(mutex_);
    // One that ends saves its cursor first, and waits for room: the caller, who hears the signals, must not.
    if (store_.options().disk->waits() && !std::all_of(known_.begin(), known_.end(), stays)) {
      const std::string what = "the disk is full, and the forwarders stay as they are: reload again when it has room";
      spdlog::error("reload: {}", what);
      return what;
    }
    std::erase_if(known_, [&](auto& known) {
      if (!stays(known)) gone.push_back(known);
      return !stays(known);
    });
  }
  for (auto& known : gone) known.running.forwarder->stop();  // before another of its name takes up its cursor
  for (auto& config : wanted) {
    {
      MutexLock lock(mutex_);
      if (std::any_of(known_.begin(), known_.end(),
                      [&](auto& known) { return known.config->written_as == config->written_as; }))
        continue;
    }
    const auto before =
        std::find_if(gone.begin(), gone.end(), [&](auto& known) { return known.config->name() == config->name(); });
    if (auto started = start_one(config); !started) {
      spdlog::error("reload: forwarder {}: {}", config->name(), started.error().message);
      say("not forwarding to " + config->name() + ": " + started.error().message);
    } else if (before != gone.end()) {
      say("forwarding to " + config->name() + " is changed");
    } else {
      say("forwarding to " + config->name());
    }
    if (before != gone.end()) gone.erase(before);
  }
  for (auto& known : gone) say("forwarding to " + known.config->name() + " has ended");
  return told;
}

void Forwarders::wake() {
  MutexLock lock(mutex_);
  for (auto& known : known_) known.running.forwarder->wake();
}

std::vector<Forwarders::Running> Forwarders::running() const {
  MutexLock lock(mutex_);
  std::vector<Running> out;
  for (auto& known : known_) out.push_back(known.running);
  return out;
}

void Forwarders::stop() {
  for (auto& running : running()) running.forwarder->stop();
}

}  // namespace yushi::daemon
