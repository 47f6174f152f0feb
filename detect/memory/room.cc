#include "detect/memory/room.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/base/time_text.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

// The most that each may hold, so that all together hold no more than `bytes_max`.
uint64_t level_of(std::vector<uint64_t> holders, uint64_t bytes_max) {
  std::sort(holders.begin(), holders.end());
  for (size_t i = 0; i < holders.size(); ++i) {
    const uint64_t share = bytes_max / (holders.size() - i);
    if (holders[i] > share) return share;
    bytes_max -= holders[i];
  }
  return UINT64_MAX;
}

// Down to so many bytes together: the log that holds most gives up first, and of it its largest map.
void shrink(const Holdings& holdings, uint64_t bytes_max) {
  struct OfLog {
    uint64_t bytes = 0;
    std::vector<Remembering*> maps;
  };
  std::map<std::string_view, OfLog> logs;
  for (const auto& one : holdings) {
    auto& log = logs[one.log];
    log.bytes += one.map->bytes();
    log.maps.push_back(one.map);
  }
  std::vector<uint64_t> of_logs, of_maps;
  for (const auto& [name, log] : logs) of_logs.push_back(log.bytes);
  const uint64_t most = level_of(of_logs, bytes_max);
  for (auto& [name, log] : logs) {
    if (log.bytes <= most) continue;
    of_maps.clear();
    for (auto* map : log.maps) of_maps.push_back(map->bytes());
    const uint64_t most_of_map = level_of(of_maps, most);
    for (auto* map : log.maps)
      while (map->bytes() > most_of_map) map->forget_oldest();
  }
}

uint64_t bytes_of(const Holdings& holdings) {
  return std::accumulate(holdings.begin(), holdings.end(), uint64_t{0},
                         [](uint64_t sum, const Holding& one) { return sum + one.map->bytes(); });
}

}  // namespace

void Room::tick(const Holdings& all, uint64_t bytes_max, int64_t received_ns) {
  bytes_ = bytes_of(all);
  if (bytes_ > bytes_max) {
    Holdings passing, kept;
    for (const auto& one : all) (one.what == Kept::passing ? passing : kept).push_back(one);
    const uint64_t of_passing = bytes_of(passing), too_many = bytes_ - bytes_max;
    shrink(passing, std::max(bytes_max / kPassingPart, of_passing - std::min(of_passing, too_many)));
    shrink(kept, bytes_max - std::min(bytes_max, bytes_of(passing)));
    bytes_ = bytes_of(all);
  }
  count(all);
  for (auto& [name, log] : by_log_) {
    const bool is_due = received_ns / kDay != log.told_day;
    if (!is_due || std::accumulate(log.untold.begin(), log.untold.end(), uint64_t{0}) == 0) continue;
    log.told_day = received_ns / kDay;
    tell(name, log, bytes_max);
  }
}

void Room::count(const Holdings& all) {
  for (const auto& one : all) {
    const uint64_t gone = one.map->take_forgotten();
    if (gone == 0) continue;
    forgotten_ += gone;
    if (one.what != Kept::passing) by_log_.use(one.log).untold[static_cast<size_t>(one.what)] += gone;
  }
}

void Room::tell(const std::string& name, Log& log, uint64_t bytes_max) {
  struct Words {
    std::string_view one, many, zh;
  };
  constexpr std::array<Words, kTold> kWords = {{{"entry of accounts", "entries of accounts", " 项账号记录"},
                                                {"network", "networks", " 个网段"},
                                                {"entry of hosts", "entries of hosts", " 项主机记录"},
                                                {"habit", "habits", " 项习惯"}}};
  std::string en, zh;
  for (size_t i = 0; i < kTold; ++i) {
    const uint64_t count = std::exchange(log.untold[i], 0);
    if (count == 0) continue;
    en += (en.empty() ? "" : ", ") + number_text(count, kWords[i].one, kWords[i].many);
    zh += (zh.empty() ? "" : "、") + std::to_string(count) + std::string(kWords[i].zh);
  }
  const std::string held = std::to_string(bytes_ >> 20) + " of " + std::to_string(bytes_max >> 20) + " MiB are held",
                    held_zh = "检测器现占用 " + std::to_string(bytes_ >> 20) + " MiB，上限 " +
                              std::to_string(bytes_max >> 20) + " MiB";
  told_.push_back({name,
                   "detectors forgot " + en + " of log " + printable(name) +
                       ", those not seen for longest; what comes of them is judged as new. More came than is "
                       "remembered (" +
                       held + "): look for names that somebody makes up",
                   "检测器已遗忘日志 " + printable(name) + " 中最久未出现的 " + zh +
                       "，其后续活动将按首次出现判断；出现的名称数量超过可记忆的上限（" + held_zh +
                       "），请检查是否有人伪造大量名称"});
}

void Room::save(std::string& out) const {
  put_varint(out, forgotten_);
  save_logs(by_log_, out, [&out](const Log& log) {
    for (uint64_t count : log.untold) put_varint(out, count);
    put_signed(out, log.told_day);
  });
}

bool Room::load(Reader& in) {
  *this = Room();
  forgotten_ = in.varint();
  return load_logs(by_log_, in, [&in](Log& log) {
    for (uint64_t& count : log.untold) count = in.varint();
    log.told_day = in.signed_varint();
    return in.ok();
  });
}

}  // namespace yushi::detect
