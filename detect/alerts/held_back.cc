#include "detect/alerts/held_back.h"

#include <algorithm>

#include "core/base/time_text.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr size_t kPartBytesMax = 1024;

std::string usual_name(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (auto part : parts) put_text(out, part.substr(0, kPartBytesMax));
  return out;
}

}  // namespace

bool HeldBack::Count::is_due(int64_t received_ns) const { return untold > 0 && received_ns / kHour != told_hour; }

void HeldBack::teach(const AlertAct& act) {
  if (act.usual_until.empty()) {
    for (auto at = usual_.begin(); at != usual_.end();) {
      if (at->second.alert != act.id) {
        ++at;
        continue;
      }
      tell(at->second, true);
      at = usual_.erase(at);
    }
    return;
  }
  const auto name = usual_name({act.log, act.rule, act.key, act.account, act.host, act.address});
  auto known = usual_.find(name);
  if (known == usual_.end() && usual_.size() >= kUsualMax) {
    auto first = std::min_element(usual_.begin(), usual_.end(),
                                  [](auto& a, auto& b) { return a.second.until_ns < b.second.until_ns; });
    tell(first->second, true);
    usual_.erase(first);
  }
  if (known == usual_.end()) known = usual_.try_emplace(name).first;
  if (known->second.count.untold > 0) tell(known->second, false);
  known->second = Usual{act.id, act.tenant, act.index, act.usual_until_ns(), {}};
}

bool HeldBack::knows(std::string_view log, std::string_view rule, std::string_view key) const {
  if (usual_.empty()) return false;
  const auto begin = usual_name({log, rule, key});
  const auto at = usual_.lower_bound(begin);
  return at != usual_.end() && at->first.starts_with(begin);
}

bool HeldBack::is_usual(std::string_view log, const Alert& alert, int64_t received_ns, bool of_single_records) {
  auto name = usual_name({log, alert.rule_id, alert.key});
  if (of_single_records)
    name += usual_name({alert.field("user.name"), alert.field("host.name"), alert.field("source.ip")});
  for (auto at = usual_.lower_bound(name); at != usual_.end() && at->first.starts_with(name); ++at) {
    auto& usual = at->second;
    if (received_ns >= usual.until_ns) continue;
    ++usual.count.untold;
    ++usual.count.all;
    return true;
  }
  return false;
}

void HeldBack::count(const Exception& exception) {
  auto& excepted = excepted_[exception.digest];
  excepted.use = {
      exception.rule, exception.when, exception.owner, exception.until, exception.reason, exception.place, 0, 0};
  ++excepted.count.untold;
  ++excepted.count.all;
}

void HeldBack::tell(const Usual& usual, bool ends) {
  AlertAct act;
  act.kind = AlertAct::Kind::held_back;
  act.tenant = usual.tenant;
  act.id = usual.alert;
  act.index = usual.index;
  act.held_back = usual.count.all;
  auto record =
      own_record(std::string(AlertAct::action(act.kind)),
                 "what was acknowledged as usual with alert " + usual.alert + (ends ? " is news again; " : ": ") +
                     (usual.count.untold > 0 ? std::to_string(usual.count.untold) + " more were held back, " : "") +
                     std::to_string(usual.count.all) + " in all");
  record.about = std::move(act);
  told_.push_back(std::move(record));
}

void HeldBack::tell(Excepted& excepted, int64_t received_ns) {
  auto& count = excepted.count;
  auto use = excepted.use;
  use.uses = std::exchange(count.untold, 0);
  use.uses_in_all = count.all;
  count.told_hour = received_ns / kHour;
  auto record = own_record("exception-used", "the exception of " + use.owner + " for " + use.rule + " (" + use.place +
                                                 ") kept " + number_text(use.uses, "hit", "hits") +
                                                 " from being raised, " + std::to_string(use.uses_in_all) + " in all");
  record.about = std::move(use);
  told_.push_back(std::move(record));
}

void HeldBack::tick(int64_t received_ns, const ExceptionSet* exceptions) {
  for (auto at = usual_.begin(); at != usual_.end();) {
    auto& [name, usual] = *at;
    const bool ends = received_ns >= usual.until_ns;
    if (ends || usual.count.is_due(received_ns)) {
      tell(usual, ends);
      usual.count.untold = 0;
      usual.count.told_hour = received_ns / kHour;
    }
    at = ends ? usual_.erase(at) : std::next(at);
  }
  for (auto at = excepted_.begin(); at != excepted_.end();) {
    auto& [digest, excepted] = *at;
    const auto* stands = exceptions ? exceptions->find(digest) : nullptr;
    const bool ends = !stands || received_ns >= stands->until_ns;
    if (excepted.count.is_due(received_ns) || (ends && excepted.count.untold > 0)) tell(excepted, received_ns);
    at = ends ? excepted_.erase(at) : std::next(at);
  }
  if (exceptions && ticked_ns_ != 0) {
    for (const auto& one : exceptions->all()) {
      if (one.until_ns <= ticked_ns_ || one.until_ns > received_ns) continue;
      auto record = own_record("exception-ended", one.words() + " ended; it counts no more");
      record.about = ExceptionUse{one.rule, one.when, one.owner, one.until, one.reason, one.place, 0, 0};
      told_.push_back(std::move(record));
    }
  }
  ticked_ns_ = std::max(ticked_ns_, received_ns);
}

void HeldBack::save(std::string& out) const {
  const auto put_count = [&out](const Count& count) {
    put_varint(out, count.untold);
    put_varint(out, count.all);
    put_signed(out, count.told_hour);
  };
  put_signed(out, ticked_ns_);
  put_varint(out, usual_.size());
  for (const auto& [name, usual] : usual_) {
    put_text(out, name);
    put_text(out, usual.alert);
    put_text(out, usual.tenant);
    put_varint(out, usual.index);
    put_signed(out, usual.until_ns);
    put_count(usual.count);
  }
  put_varint(out, excepted_.size());
  for (const auto& [digest, excepted] : excepted_) {
    put_text(out, digest);
    const auto& use = excepted.use;
    for (const auto* text : {&use.rule, &use.when, &use.owner, &use.until, &use.reason, &use.place})
      put_text(out, *text);
    put_count(excepted.count);
  }
}

bool HeldBack::load(Reader& in) {
  *this = HeldBack();
  const auto read_count = [&in] {
    Count count;
    count.untold = in.varint();
    count.all = in.varint();
    count.told_hour = in.signed_varint();
    return count;
  };
  ticked_ns_ = in.signed_varint();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    if (usual_.size() >= kUsualMax) return false;
    auto& usual = usual_[std::string(in.text())];
    usual.alert = in.text();
    usual.tenant = in.text();
    usual.index = in.varint();
    usual.until_ns = in.signed_varint();
    usual.count = read_count();
  }
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    if (excepted_.size() >= ExceptionSet::kExceptionsMax) return false;
    auto& excepted = excepted_[std::string(in.text())];
    auto& use = excepted.use;
    for (auto* text : {&use.rule, &use.when, &use.owner, &use.until, &use.reason, &use.place}) *text = in.text();
    excepted.count = read_count();
  }
  return in.ok();
}

}  // namespace yushi::detect
