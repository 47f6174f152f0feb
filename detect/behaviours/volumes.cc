#include "detect/behaviours/volumes.h"

#include <algorithm>

#include "core/base/calendar.h"
#include "detect/behaviours/actors.h"
#include "detect/memory/places.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr int64_t kHoursADay = 24;

struct Way {
  FindingKind kind;
  std::string_view did, what;
  std::string_view did_zh, what_zh;
  uint32_t least;
  size_t number;  // of Account::uses
};
constexpr Way kRead{{"volume.read", "Many more files read or fetched than usual", 3, "attack.t1005",
                     "读取或下载的文件数量远超平时", "attack.collection"},
                    "read or fetched",
                    "files",
                    "读取或下载了",
                    "个不同的文件",
                    Volumes::kLeast,
                    0};
constexpr Way kDeleted{{"volume.deleted", "Many more files deleted than usual", 3, "attack.t1485",
                        "删除的文件数量远超平时", "attack.impact"},
                       "deleted",
                       "files",
                       "删除了",
                       "个不同的文件",
                       Volumes::kLeast,
                       1};
constexpr Way kResources{{"volume.resources-deleted", "Many more resources deleted than usual", 3, "attack.t1485",
                          "删除的资源数量远超平时", "attack.impact"},
                         "deleted",
                         "machines, disks or other resources",
                         "删除了",
                         "个不同的主机、磁盘或其他资源",
                         Volumes::kLeastResources,
                         2};

const Way* way_of(const EventKind& kind) {
  if (kind.name == "file-read" || kind.name == "transfer" || kind.name == "request") return &kRead;
  if (kind.name == "file-deleted") return &kDeleted;
  if (kind.name == "resource-deleted") return &kResources;
  return nullptr;
}

// The document that a request by name fetched; empty: it is a page, or nobody's.
std::string document_of(const Record& record) {
  static const Field* const kUrlPath = find_field("url.path");
  if (kept_text(record, ecs::user_name).empty()) return {};
  std::string path = kept_text(record, kUrlPath);
  const auto dot = path.rfind('.');
  if (dot == path.npos) return {};
  std::string ending = path.substr(dot + 1);
  for (char& c : ending) c = static_cast<char>(c | 0x20);
  for (std::string_view one : {"pdf", "ofd", "doc", "docx", "wps", "xls", "xlsx", "et",  "ppt", "pptx",
                               "csv", "zip", "rar", "7z",   "tar", "gz",  "tgz",  "sql", "dmp", "bak"})
    if (ending == one) return path;
  return {};
}

std::string process_of(const Event& event) {
  static const Field* const kPid = find_field("process.pid");
  Scratch scratch;
  std::string out(event.host.substr(0, kNameBytesMax));
  out += ' ';
  return out += first_text(event.record, kPid, scratch, kNameBytesMax);
}

}  // namespace

bool Volumes::wants(const EventKind& kind) const {
  return way_of(kind) || kind.name == "session-opened" || kind.name == "session-closed";
}

std::string Volumes::account_of(Log& log, const Event& event) const {
  const auto* actors = surroundings_.detectors.find<Actors>();
  if (actors && !actors->of(event).empty()) return actors->of(event);
  if (const auto* name = log.sessions.find(process_of(event))) return *name;
  return {};
}

void Volumes::begin_hour(Account& account, int64_t hour) {
  const auto place_of = [](int64_t day) { return static_cast<size_t>(day % kDays + kDays) % kDays; };
  const int64_t before = floor_div(account.hour, kHoursADay), day = floor_div(hour, kHoursADay);
  for (Use& use : account.uses) {
    auto& fullest = use.fullest[place_of(before)];
    fullest = std::max(fullest, use.count);
    for (int64_t gone = std::max(before + 1, day - kDays + 1); gone <= day; ++gone) use.fullest[place_of(gone)] = 0;
    use.count = 0;
    use.told = false;
  }
  account.hour = static_cast<int32_t>(hour);
  account.seen = {};
}

void Volumes::observe(const Event& event, std::vector<Finding>& findings) {
  std::string document;
  if (event.kind.name == "request" && (document = document_of(event.record)).empty()) return;
  Log& log = by_log_.use(event.log, event.counted.at_ns);
  const Way* way = way_of(event.kind);
  if (!way) {
    if (event.kind.name == "session-closed")
      log.sessions.erase(process_of(event));  // its number may be another's next
    else if (auto name = kept_text(event.record, ecs::user_name); !name.empty())
      log.sessions.use(process_of(event)) = name;
    return;
  }
  if (event.kind.outcome == "failure" || kept_text(event.record, ecs::event_outcome) == "failure") return;
  const std::string account = account_of(log, event);
  if (account.empty()) return;

  Account& known = accounts_.use(event.log, account);
  const int64_t at_ns = event.counted.at_ns, hour = floor_div(at_ns, kHour);
  if (known.hour == 0) known.hour = static_cast<int32_t>(hour);
  if (hour > known.hour) begin_hour(known, hour);
  Use& use = known.uses[way->number];
  static const Field* const kPath = find_field("file.path");
  static const Field* const kResource = find_field("orchestrator.resource.name");
  std::string path = kept_text(event.record, kPath);
  if (path.empty()) path = kept_text(event.record, kResource);
  if (path.empty()) path = document;
  if (!path.empty()) {
    const uint64_t whole = hash_of(path) + way->number, hash = (whole ^ whole >> 29) % (known.seen.size() * 64);
    auto& word = known.seen[hash / 64];
    if (word >> hash % 64 & 1) return;
    word |= uint64_t{1} << hash % 64;
  }
  if (use.count == 0) use.first_index = event.record.index;
  if (use.count < UINT16_MAX) ++use.count;

  const uint32_t fullest = *std::max_element(use.fullest.begin(), use.fullest.end());
  const bool young = log.is_younger(kYoungDays, at_ns);
  const uint32_t bound = std::max(way->least * (young ? 4 : 1), fullest * kTimes);
  if (use.told || use.count < bound) return;
  use.told = true;
  Finding finding;
  finding.kind = &way->kind;
  finding.score = 60;
  finding.key = printable(account);
  finding.fold_ns = kDay;
  finding.reason = printable(account) + " " + std::string(way->did) + " " + std::to_string(use.count) + " different " +
                   std::string(way->what) + " within an hour, the last on " +
                   printable(event.host.substr(0, kNameBytesMax)) + (path.empty() ? "" : " " + printable(path)) +
                   "; in the fullest hour of the last " + std::to_string(kDays) + " days it was " +
                   std::to_string(fullest);
  finding.reason_zh = "账号 " + printable(account) + " 在 1 小时内" + std::string(way->did_zh) + " " +
                      std::to_string(use.count) + " " + std::string(way->what_zh) + "，最近一个在主机 " +
                      printable(event.host.substr(0, kNameBytesMax)) + " 上" +
                      (path.empty() ? "" : "（" + printable(path) + "）") + "；最近 " + std::to_string(kDays) +
                      " 天中最多的 1 小时为 " + std::to_string(fullest) + " 个";
  finding.fields = {{"user.name", printable(account)}};  // of sftp the session says it, not the record
  finding.baseline = "count=" + std::to_string(use.count) + " fullest=" + std::to_string(fullest) +
                     " since_ns=" + std::to_string(log.first_ns);
  finding.records = {use.first_index, event.record.index};
  if (use.first_index >= event.record.index) finding.records.erase(finding.records.begin());
  findings.push_back(std::move(finding));
}

void Volumes::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    save_entries(log.sessions, out, [&out](const std::string& account) { put_text(out, account); });
  });
  accounts_.save(out, [&out](const Account& account) {
    put_signed(out, account.hour);
    for (const Use& use : account.uses) {
      put_varint(out, use.first_index);
      put_varint(out, use.count);
      put_varint(out, use.told);
      for (auto fullest : use.fullest) put_varint(out, fullest);
    }
    for (auto seen : account.seen) put_varint(out, seen);
  });
}

bool Volumes::load(Reader& in) {
  const auto load_log = [&in](Log& log) {
    return load_entries(log.sessions, in, [&in](std::string& account) { account = in.text(); });
  };
  return load_logs(by_log_, in, load_log) && accounts_.load(in, [&in](Account& account) {
    account.hour = load_hour(in);
    for (Use& use : account.uses) {
      use.first_index = in.varint();
      use.count = load_number<uint16_t>(in);
      use.told = in.varint() != 0;
      for (auto& fullest : use.fullest) fullest = load_number<uint16_t>(in);
    }
    for (auto& seen : account.seen) seen = in.varint();
  });
}

}  // namespace yushi::detect
