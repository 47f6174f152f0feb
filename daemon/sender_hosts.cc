#include "daemon/sender_hosts.h"

#include <algorithm>
#include <array>

#include "core/base/bytes.h"
#include "core/record/value.h"
#include "ingest/net/source_limit.h"

namespace yushi::daemon {
namespace {

constexpr uint8_t kStateVersion = 1;
constexpr int64_t kClearInterval = int64_t{60} * 1'000'000'000;
constexpr size_t kHostBytesMax = 255;  // as the header reader has it

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool begins_alike(std::string_view text, std::string_view begin) {
  if (text.size() < begin.size()) return false;
  for (size_t i = 0; i < begin.size(); ++i)
    if (lower(text[i]) != lower(begin[i])) return false;
  return true;
}

// The same, or one is the other cut at a dot. An address has dots that cut nothing.
bool same_host(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  // Names of one site differ at their ends: most are told apart without a look at the rest.
  if (a.size() == b.size() ? lower(a.back()) != lower(b.back()) : a[b.size()] != '.') return false;
  if (!begins_alike(a, b)) return false;
  std::array<uint8_t, 16> address;
  return a.size() == b.size() || !parse_ip(a, &address);
}

// The names that systems give to themselves, and no more: whoever wants may call himself localhost.example.
bool is_localhost(std::string_view host) {
  if (lower(host[0]) != 'l') return false;
  for (std::string_view name :
       {"localhost", "localhost.localdomain", "localhost.localdomain4", "localhost.localdomain6", "localhost4",
        "localhost6", "localhost4.localdomain4", "localhost6.localdomain6"})
    if (host.size() == name.size() && begins_alike(host, name)) return true;
  return false;
}

// What was said last is what host.name is: a second header's host stands behind the first one's, a parser's behind
// both.
std::string_view host_of(const Record& record, Scratch& scratch) {
  for (size_t i = record.captures.size(); i-- > 0;) {
    const Capture& capture = record.captures[i];
    if (capture.field != ecs::host_name) continue;
    auto host = record.text(capture);
    if (capture.escape != 0) [[unlikely]]
      host = decode_escape(text_of(record, host, scratch), static_cast<Escape>(capture.escape), scratch);
    return host.substr(0, kHostBytesMax);
  }
  return {};
}

// Calls visit(from, to) for each run of records of one origin.
template <class Visit>
void for_each_origin(std::vector<Record>& records, Visit&& visit) {
  for (size_t from = 0, to; from < records.size(); from = to) {
    for (to = from + 1; to < records.size() && records[to].origin == records[from].origin;) ++to;
    visit(from, to);
  }
}

}  // namespace

void SenderHosts::mark_relays(Batch& batch, const ingest::OriginMap& relays) {
  if (relays.empty()) return;
  for_each_origin(batch.records, [&](size_t from, size_t to) {
    ingest::Address address;
    if (!parse_ip(batch.records[from].origin->address, &address) || relays.find(address) == 0) return;
    for (; from < to; ++from) batch.records[from].marks |= kByRelay;
  });
}

void SenderHosts::judge(Batch& batch) {
  uint64_t total = 0;
  for_each_origin(batch.records, [&](size_t from, size_t to) {
    auto& records = batch.records;
    const Origin& origin = *records[from].origin;
    if ((records[from].marks & kByRelay) || origin.transport == Transport::internal) return;
    const bool overflow = origin.source == ingest::SourceLimit::kOverflow;
    uint64_t marked = 0;
    Sender* sender = nullptr;
    bool looked_up = false;
    Scratch scratch;
    MutexLock lock(mutex_);
    for (; from < to; ++from) {
      const auto host = host_of(records[from], scratch);
      if (host.empty() || host == origin.address || is_localhost(host)) continue;
      if (!looked_up) {
        sender = overflow ? nullptr : find(origin.log_id, origin.source, host, origin.received_ns);
        looked_up = true;
      }
      if (sender && is_confirmed(*sender, host, origin.received_ns)) continue;
      records[from].marks |= kHostUnconfirmed;
      ++marked;
    }
    if (marked == 0) return;
    total += marked;
    batch.notes.push_back({Note::Kind::host_unconfirmed, origin.log_id, batch.arena.copy(origin.source), {}, marked});
  });
  if (total != 0) unconfirmed_.fetch_add(total, std::memory_order_relaxed);
}

// The sender, who is made known when it is new; nullptr when there is no room.
SenderHosts::Sender* SenderHosts::find(LogId log, std::string_view source, std::string_view host, int64_t now_ns) {
  auto& senders = logs_[log];
  auto& by_source = senders.by_source;
  if (auto it = by_source.find(source); it != by_source.end()) return &it->second;
  if (by_source.size() >= senders_max_) {
    if (now_ns - senders.cleared_ns < kClearInterval && now_ns >= senders.cleared_ns) return nullptr;
    senders.cleared_ns = now_ns;
    std::erase_if(by_source, [&](auto& each) { return now_ns - each.second.heard_ns > kRenamedAfter; });
    if (by_source.size() >= senders_max_) return nullptr;
  }
  changed_ = true;
  return &by_source.emplace(source, Sender{std::string(host), now_ns}).first->second;
}

bool SenderHosts::is_confirmed(Sender& sender, std::string_view host, int64_t now_ns) {
  if (sender.host != host) {
    const bool same = same_host(sender.host, host);
    if (!same && now_ns - sender.heard_ns <= kRenamedAfter) return false;
    // The longer name is the better one: "web1.example" must not pass for "web1.other.example".
    if (!same || host.size() > sender.host.size()) {
      sender.host = host;
      changed_ = true;
    }
  }
  sender.heard_ns = std::max(sender.heard_ns, now_ns);
  return true;
}

std::string SenderHosts::save(const storage::KnownLogs& logs) {
  std::string out;
  MutexLock lock(mutex_);
  if (!std::exchange(changed_, false)) return out;
  // A reload may have made a log, and an ingest thread judged records of it, since the caller asked which there are.
  const auto is_known = [&](auto& each) { return each.first < logs.size(); };
  const auto known = static_cast<size_t>(std::count_if(logs_.begin(), logs_.end(), is_known));
  changed_ = known < logs_.size();
  out.push_back(static_cast<char>(kStateVersion));
  put_varint(out, known);
  for (auto& [log, senders] : logs_) {
    if (log >= logs.size()) continue;
    put_text(out, logs[log]->name);
    put_varint(out, senders.by_source.size());
    for (auto& [source, sender] : senders.by_source) {
      put_text(out, source);
      put_text(out, sender.host);
    }
  }
  return out;
}

bool SenderHosts::load(std::string_view bytes, const storage::KnownLogs& logs, int64_t now_ns) {
  Reader in(bytes);
  std::unordered_map<LogId, Senders> read;
  bool ours = in.byte() == kStateVersion;
  const auto count = in.varint();
  for (uint64_t t = 0; t < count && in.ok(); ++t) {
    const auto name = in.text();
    const auto log = std::find_if(logs.begin(), logs.end(), [&](auto& known) { return known->name == name; });
    const auto senders = in.varint();
    for (uint64_t i = 0; i < senders && in.ok(); ++i) {
      std::string source(in.text());
      Sender sender{std::string(in.text()), now_ns};
      if (log == logs.end()) continue;
      auto& to = read[static_cast<LogId>(log - logs.begin())].by_source;
      if (to.size() < senders_max_) to.emplace(std::move(source), std::move(sender));
    }
  }
  if (!ours || !in.ok() || in.left() != 0) return false;
  MutexLock lock(mutex_);
  logs_ = std::move(read);
  return true;
}

}  // namespace yushi::daemon
