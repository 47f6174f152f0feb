#include "ingest/relp/relp_session.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace yushi::ingest {
namespace {

constexpr size_t kHeadMax = 9 + 1 + 32 + 1 + 9 + 1;
constexpr size_t kOtherMax = 16 << 10;  // bytes of a command that is not `syslog`
constexpr uint32_t kResentMax = 100'000;
constexpr size_t kDataMax = 128 << 20;

uint64_t digest_of(uint64_t before, std::string_view text) {
  return std::hash<std::string_view>()(text) ^ (before * 0x9E3779B97F4A7C15 + 1);
}

}  // namespace

// ----------------------------------------------------------------------------------------------------------- senders

void RelpSenders::add(const std::string& sender, const std::vector<uint64_t>& digests) {
  MutexLock lock(mutex_);
  auto [at, is_new] = last_.try_emplace(sender);
  auto& last = at->second;
  last.insert(last.end(), digests.begin(), digests.end());
  if (last.size() > kWindow) last.erase(last.begin(), last.end() - kWindow);
  if (!is_new) return;
  oldest_.push_back(sender);
  if (oldest_.size() <= kSendersMax) return;
  last_.erase(oldest_.front());
  oldest_.pop_front();
}

std::unordered_multiset<uint64_t> RelpSenders::of(const std::string& sender) {
  MutexLock lock(mutex_);
  auto at = last_.find(sender);
  if (at == last_.end()) return {};
  return {at->second.begin(), at->second.end()};
}

// ----------------------------------------------------------------------------------------------------------- session

RelpSession::RelpSession(std::string sender, std::shared_ptr<RelpSenders> senders, size_t message_bytes_max)
    : sender_(std::move(sender)), senders_(std::move(senders)), message_bytes_max_(message_bytes_max) {}

RelpSession::Read RelpSession::read_head(std::string_view bytes, Head* head) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  const auto number = [&](auto* value) {
    const char* from = at;
    const auto [to, error] = std::from_chars(at, std::min(end, at + 9), *value);
    at = to;
    return error == std::errc() && at > from;
  };
  const auto incomplete = [&] { return bytes.size() < kHeadMax ? Read::more : Read::none; };
  if (at == end) return Read::more;
  if (!number(&head->txnr)) return Read::none;
  if (at == end) return incomplete();
  if (*at++ != ' ') return Read::none;
  const char* command = at;
  while (at < end && *at >= 'a' && *at <= 'z' && at - command <= 32) ++at;
  if (at == end) return incomplete();
  head->command = {command, static_cast<size_t>(at - command)};
  if (head->command.empty() || *at++ != ' ') return Read::none;
  if (at == end) return incomplete();
  uint32_t data_bytes = 0;
  if (!number(&data_bytes)) return Read::none;
  head->data_bytes = data_bytes;
  if (at == end) return incomplete();  // another digit may come
  if (data_bytes > 0 && *at++ != ' ') return Read::none;
  if (data_bytes > kDataMax) return Read::none;
  head->bytes = static_cast<size_t>(at - bytes.data());
  return Read::head;
}

// Numbers begin anew behind the greatest: what is far behind is a new one.
bool RelpSession::came_before(uint32_t txnr) const { return txnr <= last_txnr_ && last_txnr_ - txnr < kResentMax; }

size_t RelpSession::feed(std::string_view bytes, const Origin* origin, std::vector<Record>& out, FrameCounts& counts) {
  const size_t all = bytes.size();
  while (!done_ && !bytes.empty()) {
    if (!in_message_) {
      Head head{};
      const auto read = read_head(bytes, &head);
      if (read == Read::more) break;
      const bool is_syslog = read == Read::head && head.command == "syslog";
      if (read == Read::none || (!is_syslog && head.data_bytes > kOtherMax) || (is_syslog && !open_)) {
        ++counts.resyncs;
        done_ = true;
        break;
      }
      if (!is_syslog) {
        if (bytes.size() < head.bytes + head.data_bytes + 1) break;
        if (bytes[head.bytes + head.data_bytes] != '\n') {
          ++counts.resyncs;
          done_ = true;
          break;
        }
        if (head.command == "open") {
          open_ = true;
          from_before_ = senders_->of(sender_);
          answer(head.txnr, "200 OK\nrelp_version=0\nrelp_software=yushid\ncommands=syslog\n");
        } else if (head.command == "close") {
          answer(head.txnr, "");
          close();
        } else {
          answer(head.txnr, "500 unknown command");
        }
        last_txnr_ = head.txnr;
        bytes.remove_prefix(head.bytes + head.data_bytes + 1);
        continue;
      }
      begin_message(head, counts);
      bytes.remove_prefix(head.bytes);
    }
    if (left_ > message_bytes_max_) {
      if (bytes.size() < message_bytes_max_) break;
      give(bytes.substr(0, message_bytes_max_), false, origin, out, counts);
      bytes.remove_prefix(message_bytes_max_);
      left_ -= message_bytes_max_;
      continue;
    }
    if (bytes.size() < left_ + 1) break;
    if (bytes[left_] != '\n') {
      ++counts.resyncs;
      done_ = true;
      break;
    }
    give(bytes.substr(0, left_), true, origin, out, counts);
    bytes.remove_prefix(left_ + 1);
    in_message_ = false;
  }
  if (!fresh_.empty()) senders_->add(sender_, fresh_);
  fresh_.clear();
  return done_ ? all : all - bytes.size();
}

void RelpSession::begin_message(const Head& head, FrameCounts& counts) {
  in_message_ = true;
  txnr_ = head.txnr;
  left_ = head.data_bytes;
  part_ = 0;
  digest_ = 0;
  const auto parts = (left_ + message_bytes_max_ - 1) / message_bytes_max_;
  part_of_ = static_cast<uint16_t>(std::min<size_t>(parts, 0xffff));
  if (parts > 1 && !came_before(txnr_)) ++counts.over_long;
}

void RelpSession::give(std::string_view text, bool last, const Origin* origin, std::vector<Record>& out,
                       FrameCounts& counts) {
  const bool again = came_before(txnr_);
  digest_ = digest_of(digest_, text);
  if (!again) {
    Record record;
    record.raw = text;
    record.origin = origin;
    if (part_of_ > 1) {
      if (part_ < 0xffff) ++part_;
      record.part = part_;
      record.part_of = part_of_;
    }
    out.push_back(record);
    ++counts.messages;
  }
  if (!last) return;
  if (again) {
    // One that is not committed yet is answered when it is.
    if (std::find(waiting_.begin(), waiting_.end(), txnr_) == waiting_.end()) answer(txnr_, "200 OK");
    return;
  }
  last_txnr_ = txnr_;
  waiting_.push_back(txnr_);
  ++given_;
  if (compared_ < RelpSenders::kWindow && !from_before_.empty()) {
    ++compared_;
    if (auto known = from_before_.find(digest_); known != from_before_.end()) {
      from_before_.erase(known);
      ++counts.possible_doubles;
    }
  }
  fresh_.push_back(digest_);
}

void RelpSession::finish(std::string_view rest, const Origin*, std::vector<Record>&, FrameCounts& counts) {
  if (in_message_ || !rest.empty()) ++counts.truncated;
  in_message_ = false;
  done_ = true;
}

void RelpSession::answer(uint32_t txnr, std::string_view words) {
  replies_ += std::to_string(txnr) + " rsp " + std::to_string(words.size());
  if (!words.empty()) {
    replies_ += ' ';
    replies_ += words;
  }
  replies_ += '\n';
}

void RelpSession::committed(uint64_t count) {
  for (; committed_ < count && !waiting_.empty(); ++committed_) {
    answer(waiting_.front(), "200 OK");
    waiting_.pop_front();
  }
}

void RelpSession::close() {
  if (done_) return;
  replies_ += "0 serverclose 0\n";
  done_ = true;
}

void RelpSession::take_replies(std::string& out) {
  out += replies_;
  replies_.clear();
}

}  // namespace yushi::ingest
