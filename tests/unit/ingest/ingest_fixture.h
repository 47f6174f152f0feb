// Ingest threads, a sink that remembers, and plain client sockets, for the tests of inputs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "ingest/input.h"
#include "ingest/net/address.h"
#include "ingest/syslog/syslog.h"

namespace yushi::ingest {

struct Received {
  std::string raw, source, address;
  LogId log_id;
  Transport transport;
  int part, part_of, marks;
  int64_t received_ns;
  unsigned thread;
};

class RememberingSink : public BatchSink {
 public:
  void deliver(unsigned ingest_thread, std::unique_ptr<Batch> batch) override {
    std::unique_lock lock(mutex_);
    ++batches_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !blocked_; });
    for (const Record& r : batch->records) {
      // The padding is readable (AddressSanitizer looks).
      volatile char last = 0;
      if (!batch->buffers.empty()) last = r.raw.data()[r.raw.size() + kRawPaddingBytes - 1];
      (void)last;
      bytes_ += r.raw.size();
      if (keep_) {
        received_.push_back({std::string(r.raw), std::string(r.origin->source), std::string(r.origin->address),
                             r.origin->log_id, r.origin->transport, r.part, r.part_of, r.marks, r.origin->received_ns,
                             ingest_thread});
      } else {
        ++dropped_;
      }
    }
    if (batch->ack) acks_.push_back(std::move(batch->ack));
    for (const Note& note : batch->notes) notes_[{note.kind, std::string(note.source)}] += note.count;
    changed_.notify_all();
  }
  bool would_wait() const override { return full_; }
  // On the caller's thread, as the committer does it: what was delivered so far is safe.
  void acknowledge() {
    std::vector<std::function<void()>> acks;
    {
      std::lock_guard lock(mutex_);
      acks.swap(acks_);
    }
    for (auto& ack : acks) ack();
  }
  void say_full(bool on) { full_ = on; }
  void block(bool on) {
    std::lock_guard lock(mutex_);
    blocked_ = on;
    changed_.notify_all();
  }
  void keep(bool on) {
    std::lock_guard lock(mutex_);
    keep_ = on;
  }
  std::vector<Received> wait_for(size_t messages) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return received_.size() + dropped_ >= messages; });
    return received_;
  }
  uint64_t wait_for_note(Note::Kind kind, uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return sum(kind) >= count; });
    return sum(kind);
  }
  std::vector<Received> received() {
    std::lock_guard lock(mutex_);
    return received_;
  }
  uint64_t note(Note::Kind kind) {
    std::lock_guard lock(mutex_);
    return sum(kind);
  }
  uint64_t note(Note::Kind kind, const std::string& source) {
    std::lock_guard lock(mutex_);
    return notes_[{kind, source}];
  }
  size_t bytes() {
    std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  uint64_t sum(Note::Kind kind) {
    uint64_t total = 0;
    for (auto& [key, count] : notes_)
      if (key.first == kind) total += count;
    return total;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool blocked_ = false, keep_ = true;
  std::atomic<bool> full_{false};
  size_t batches_ = 0, dropped_ = 0, bytes_ = 0;
  std::vector<Received> received_;
  std::vector<std::function<void()>> acks_;
  std::map<std::pair<Note::Kind, std::string>, uint64_t> notes_;
};

class InputTest : public testing::Test {
 protected:
  static constexpr int kThreads = 2;

  InputTest() {
    for (auto& io : ios_) {
      context_.threads.push_back(&io);
      guards_.emplace_back(io.get_executor());
    }
    context_.sink = &sink_;
    for (auto& io : ios_) threads_.emplace_back([&io] { io.run(); });
  }
  ~InputTest() override {
    sink_.block(false);
    if (input_) input_->stop();
    input_.reset();
    guards_.clear();
    for (auto& thread : threads_) thread.join();
  }

  void bind(SyslogSettings settings) {
    if (settings.transport != Transport::unix_socket && settings.listen.empty()) settings.listen = "127.0.0.1:0";
    auto bound = bind_syslog(settings, kThreads);
    ASSERT_TRUE(bound) << bound.error().message;
    input_ = std::move(*bound);
  }
  void start(const SyslogSettings& settings) {
    bind(settings);
    ASSERT_TRUE(input_);
    input_->start(context_);
  }

  int connect_client(int type = SOCK_STREAM, const std::string& from = "127.0.0.1") {
    const int fd = ::socket(AF_INET, type, 0);
    auto own = parse_listen(from + ":0");
    EXPECT_EQ(::bind(fd, own->get(), own->length), 0) << strerror(errno);
    auto address = parse_listen("127.0.0.1:" + std::to_string(input_->port()));
    EXPECT_EQ(::connect(fd, address->get(), address->length), 0) << strerror(errno);
    return fd;
  }
  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0) << strerror(errno);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  static std::vector<std::string> raws(const std::vector<Received>& received) {
    std::vector<std::string> out;
    for (auto& r : received) out.push_back(r.raw);
    return out;
  }

  boost::asio::io_context ios_[kThreads];
  std::vector<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
  RememberingSink sink_;
  SharedByInputs context_;
  std::unique_ptr<Input> input_;
};

}  // namespace yushi::ingest
