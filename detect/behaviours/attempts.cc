#include "detect/behaviours/attempts.h"

#include <algorithm>
#include <map>
#include <set>

#include "detect/behaviours/accounts.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kBruteForce{
    "bruteforce.success",   "Brute force that ends in a success", 3, "attack.t1110", "暴力破解成功",
    "attack.initial-access"};
constexpr uint64_t kHashOfWay = 0x7fffffff;

// The tries that `counts` says yes to, of the way that most of them were told in.
template <class Try, class Counts>
std::vector<Try> most_told(const std::vector<Try>& tries, Counts&& counts) {
  std::map<uint64_t, uint32_t> by_way;
  uint64_t way = 0;
  uint32_t most = 0;
  for (const auto& attempt : tries)
    if (counts(attempt)) ++by_way[attempt.way];
  for (const auto& [one, count] : by_way)
    if (count > most) way = one, most = count;
  std::vector<Try> out;
  for (const auto& attempt : tries)
    if (counts(attempt) && attempt.way == way) out.push_back(attempt);
  return out;
}

template <class Try>
std::set<uint64_t> others_of(const std::vector<Try>& tries) {
  std::set<uint64_t> out;
  for (const auto& attempt : tries) out.insert(attempt.other);
  return out;
}

}  // namespace

bool Attempts::Key::give_up(bool) {
  if (tries.size() <= kTriesMin) return false;
  // The way that is told most counts: of the others first.
  std::map<uint32_t, size_t> by_way;
  for (const auto& attempt : tries) ++by_way[attempt.way];
  const uint32_t least = std::min_element(by_way.begin(), by_way.end(), [](const auto& a, const auto& b) {
                           return a.second < b.second;
                         })->first;
  tries.erase(std::find_if(tries.begin(), tries.end(), [&](const Try& attempt) { return attempt.way == least; }));
  return true;
}

int32_t Attempts::Key::place(uint64_t index) {
  // From the oldest that is left on, as after loading.
  if (const int64_t gone = tries.empty() ? 0 : tries.front().since_first; gone != 0) {
    first_index += static_cast<uint64_t>(gone);
    for (auto& attempt : tries) attempt.since_first = static_cast<int32_t>(attempt.since_first - gone);
  }
  const auto since_first = static_cast<int64_t>(index - first_index);
  if (!tries.empty() && since_first == static_cast<int32_t>(since_first)) return static_cast<int32_t>(since_first);
  tries.clear();
  first_index = index;
  return 0;
}

void Attempts::add(Key& key, const LoginEvent& login, std::string_view other) {
  auto old = [&login](const Try& attempt) { return login.at_ns - attempt.at_ns > kWindowNs; };
  key.tries.erase(std::remove_if(key.tries.begin(), key.tries.end(), old), key.tries.end());
  Try attempt;
  attempt.at_ns = login.at_ns;
  attempt.since_first = key.place(login.index);
  attempt.other = sure_hash_of(other);
  attempt.way = hash_of(login.way) & kHashOfWay;
  attempt.of_receipt = login.of_receipt;
  size_t times = std::min<size_t>(login.times, kTriesMax);
  if (key.tries.size() + times > kTriesMax)
    key.tries.erase(key.tries.begin(), key.tries.end() - static_cast<ptrdiff_t>(kTriesMax - times));
  key.tries.insert(key.tries.end(), times, attempt);
}

void Attempts::observe(const Event& event, std::vector<Finding>& findings) {
  if (!event.login) return;
  const LoginEvent& login = *event.login;
  if (!login.success) return failed(event.log, login);
  const auto* accounts = surroundings_.detectors.find<Accounts>();
  succeeded(event.log, login, !accounts || accounts->is_new_source(event.log, login.user, login.source), findings);
}

void Attempts::failed(std::string_view log, const LoginEvent& login) {
  if (login.source.empty()) return;
  Log& known = by_log_.use(log);
  const ShortName user(login.user), source(login.source);
  add(known.by_source.use(source), login, user);
  if (!login.user.empty()) add(accounts_.use(log, user, known.strangers), login, source);
}

void Attempts::succeeded(std::string_view log, const LoginEvent& login, bool new_source,
                         std::vector<Finding>& findings) {
  if (login.source.empty()) return;
  Log* const known = by_log_.find(log);
  if (!known) return;
  const ShortName user(login.user), source(login.source);
  const uint64_t user_hash = sure_hash_of(user), source_hash = sure_hash_of(source);
  auto before = [&login](const Try& attempt) {
    return attempt.at_ns <= login.at_ns && login.at_ns - attempt.at_ns <= kWindowNs;
  };
  Finding finding;
  finding.kind = &kBruteForce;
  // Who has root has the host, and no person can be named.
  const bool is_root = login.user == "root";
  finding.severity = is_root ? Severity::critical : Severity::high;
  // Part of the key: a break-in on a second host is not a repetition of the first.
  std::string on_host = login.host.empty() ? "" : " on " + printable(login.host);
  auto tell = [&](const Key& key, const std::vector<Try>& tries, const std::string& words, const std::string& words_zh,
                  const std::string& numbers) {
    int64_t first = login.at_ns;
    bool of_receipt = login.of_receipt;
    for (const auto& attempt : tries) {
      of_receipt &= attempt.of_receipt;
      // Attempts that one line tells of stand side by side.
      const uint64_t index = key.index_of(attempt);
      if (finding.records.empty() || finding.records.back() != index) finding.records.push_back(index);
      first = std::min(first, attempt.at_ns);
    }
    finding.records.push_back(login.index);
    finding.reason = printable(login.user) + " logged in from " + printable(login.source) + on_host + " after " +
                     words + (of_receipt ? " received since " : " since ") + time_text_utc(first);
    finding.reason_zh = "账号 " + printable(login.user) + " 从 " + printable(login.source) + " 登录成功" +
                        (login.host.empty() ? "" : "（主机 " + printable(login.host) + "）") + "，此前自 " +
                        time_text_utc(first) + (of_receipt ? "（接收时间）" : "") + " 起" + words_zh;
    finding.baseline =
        numbers + " window_s=" + std::to_string(kWindowNs / kSecond) + " first_ns=" + std::to_string(first);
  };

  Key* from = known->by_source.find(source);
  Key* account = accounts_.find(log, user, known->strangers);
  if (from) {
    auto same = most_told(from->tries, [&](const Try& t) { return before(t) && t.other == user_hash; });
    auto any = most_told(from->tries, before);
    if (same.size() >= kSameAccountMin || any.size() >= kSourceMin) {
      size_t accounts = others_of(any).size();
      finding.score = is_root ? 95 : 90;
      finding.key = printable(login.source) + " as " + printable(login.user) + on_host;
      // Words for the larger of the two: what was tried from there.
      const auto& shown = any.size() > same.size() ? any : same;
      std::string words = number_text(shown.size(), "failed attempt", "failed attempts");
      std::string words_zh = "该地址";
      if (&shown == &any && accounts > 1) {
        words_zh += "对 " + std::to_string(accounts) + " 个账号登录失败 " + std::to_string(shown.size()) +
                    " 次，其中本账号 " + std::to_string(same.size()) + " 次";
        words += " on " + std::to_string(accounts) + " accounts from that address (" + std::to_string(same.size()) +
                 " on this one)";
      } else {
        words_zh += "对本账号登录失败 " + std::to_string(shown.size()) + " 次";
        words += " on this account from that address";
      }
      tell(*from, shown, words, words_zh,
           "failures_same_account=" + std::to_string(same.size()) + " failures_source=" + std::to_string(any.size()) +
               " accounts=" + std::to_string(accounts));
    }
  }
  if (finding.records.empty() && account && new_source) {
    auto elsewhere = most_told(account->tries, [&](const Try& t) { return before(t) && t.other != source_hash; });
    size_t sources = others_of(elsewhere).size();
    if (elsewhere.size() >= kDistributedMin && sources >= kSourcesMin) {
      finding.score = is_root ? 95 : 80;
      finding.key = printable(login.user) + " from many addresses" + on_host;
      tell(*account, elsewhere,
           number_text(elsewhere.size(), "failed attempt", "failed attempts") + " on this account from " +
               std::to_string(sources) + " other addresses, and it has never logged in from this one,",
           "另有 " + std::to_string(sources) + " 个地址对本账号登录失败 " + std::to_string(elsewhere.size()) +
               " 次，且本账号从未由该地址登录",
           "failures_account=" + std::to_string(elsewhere.size()) + " sources=" + std::to_string(sources));
    }
  }
  // Those who get in had their typing errors; they do not count against the next login.
  auto forget = [](Key* key, uint64_t other, bool all) {
    if (!key) return;
    auto gone = [&](const Try& attempt) { return all || attempt.other == other; };
    key->tries.erase(std::remove_if(key->tries.begin(), key->tries.end(), gone), key->tries.end());
  };
  bool found = !finding.records.empty();
  forget(from, user_hash, found);
  forget(account, source_hash, found);
  if (found) findings.push_back(std::move(finding));
}

void Attempts::save_key(const Key& key, std::string& out) {
  save_list(key.tries, out, [&](const Try& attempt) {
    put_signed(out, attempt.at_ns);
    put_varint(out, key.index_of(attempt));
    put_be64(out, attempt.other);
    put_be64(out, attempt.way);
    put_varint(out, attempt.of_receipt);
  });
}

bool Attempts::load_key(Key& key, Reader& in) {
  return load_list(key.tries, kTriesMax, in, [&](Try& attempt) {
    attempt.at_ns = load_time(in);
    attempt.since_first = key.place(in.varint());
    attempt.other = in.be64();
    attempt.way = in.be64() & kHashOfWay;
    attempt.of_receipt = in.varint() != 0;
  });
}

void Attempts::save(std::string& out) const {
  const auto save_one = [&out](const Key& key) { save_key(key, out); };
  save_logs(by_log_, out, [&](const Log& log) {
    save_entries(log.by_source, out, save_one);
    save_entries(log.strangers, out, save_one);
  });
  accounts_.save(out, save_one);
}

bool Attempts::load(Reader& in) {
  const auto load_one = [&in](Key& key) { return load_key(key, in); };
  return load_logs(by_log_, in,
                   [&](Log& log) {
                     return load_entries(log.by_source, in, load_one) && load_entries(log.strangers, in, load_one);
                   }) &&
         accounts_.load(in, load_one);
}

}  // namespace yushi::detect
