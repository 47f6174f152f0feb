#include "forward/kafka.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "forward/cursor.h"
#include "forward/producer.h"

namespace yushi::forward {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kAlertsAtOnce = 1000;
constexpr uint32_t kSendsBetweenPolls = 256;
constexpr auto kIdleWait = milliseconds(100);
constexpr auto kSaveEvery = milliseconds(1000);
constexpr auto kAskEvery = milliseconds(2000);  // whether a broker is there, while that is in doubt
constexpr int kAskMilliseconds = 500;
constexpr auto kRestartWaitMin = milliseconds(100);
constexpr auto kRestartWaitMax = milliseconds(5000);

// A token names a message in a delivery report: the stream above, the index below.
constexpr int kIndexBits = 48;
constexpr uint64_t kAlertStream = 0xffff;
constexpr uint64_t kNoteStream = 0xfffe;  // below it, a number for each note that was sent

}  // namespace

struct KafkaForwarder::State {
  struct Stream {
    std::string log;
    uint64_t number;
    uint64_t size = 0;
    DeliveryWindow window;
  };

  KafkaSettings settings;
  std::unique_ptr<RecordSource> source;
  ForwardMetrics metrics;

  // Shared with callers.
  mutable Mutex mutex;
  CondVar wakened;
  bool woken YUSHI_GUARDED_BY(mutex) = false;
  bool stopping YUSHI_GUARDED_BY(mutex) = false;
  Clock::time_point stop_at YUSHI_GUARDED_BY(mutex);
  ForwardState state YUSHI_GUARDED_BY(mutex);
  std::thread thread;

  // Of the forwarder's thread alone, from here on.
  MessageMaker maker;
  SecretMask mask{nullptr};
  Message message;
  Scratch scratch;
  std::unique_ptr<KafkaProducer> producer;
  std::vector<std::unique_ptr<Stream>> streams;  // by number
  std::map<std::string, Stream*> stream_of_log;
  std::map<std::string, RecordSource::SignedNote> notes_to_send;  // by log
  std::map<uint64_t, RecordSource::SignedNote> notes_sent;        // by number: not acknowledged yet
  uint64_t next_note = 0;
  DeliveryWindow alerts{0};
  Cursor cursor, saved;
  Clock::time_point saved_at{};
  size_t in_flight_bytes = 0;
  size_t batch_bytes = kBatchBytes;
  size_t next_batch_bytes = kBatchBytes;                 // of the next producer, when this one's batches were too large
  std::unordered_map<uint64_t, size_t> value_bytes_max;  // by token: of what the broker found too large even alone
  bool failed = false;
  bool delivered_since_restart = false;
  bool in_doubt = true;  // nobody has answered since the start, or since all brokers were away
  Clock::time_point asked_at{};
  Clock::time_point heard_at = Clock::now();         // when it was not in doubt
  Clock::time_point acknowledged_at = Clock::now();  // something, or when he owed nothing
  bool is_owed = false;  // something was sent and not acknowledged, by a producer that is gone perhaps
  bool is_away = false;
  milliseconds restart_wait = kRestartWaitMin;

  State(KafkaSettings s, std::unique_ptr<RecordSource> from)
      : settings(std::move(s)), source(std::move(from)), maker(settings.format) {}

  void note(std::string_view words) YUSHI_EXCLUDES(mutex) {
    ++metrics.errors;
    MutexLock lock(mutex);
    state.last_error = words;
    state.last_error_ns = realtime_ns();
  }

  bool stop_asked() const YUSHI_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    return stopping;
  }

  // Any thread.
  uint64_t lag() const {
    auto heads = source->heads();
    uint64_t committed = 0;
    if (heads) {
      for (auto& head : *heads) committed += head.size;
    }
    return committed - std::min<uint64_t>(committed, metrics.done);
  }

  void wait(milliseconds most) YUSHI_EXCLUDES(mutex) {
    const auto end = Clock::now() + most;
    MutexLock lock(mutex);
    while (!woken && !stopping && wakened.wait_until(lock, end)) {
    }
    woken = false;
  }
  // After trouble: new commits are no reason to try sooner.
  void pause(milliseconds time) YUSHI_EXCLUDES(mutex) {
    const auto end = Clock::now() + time;
    MutexLock lock(mutex);
    while (!stopping && wakened.wait_until(lock, end)) {
    }
  }

  Result<void> make_producer() {
    KafkaProducer::Listener listener{
        this,
        [](void* self, uint64_t token, KafkaProducer::Outcome outcome, size_t value_bytes, size_t bytes) {
          static_cast<State*>(self)->on_report(token, outcome, value_bytes, bytes);
        },
        [](void* self, std::string_view words, KafkaProducer::Trouble trouble) {
          auto& forwarder = *static_cast<State*>(self);
          const bool fatal = trouble == KafkaProducer::Trouble::fatal;
          if (fatal && forwarder.failed) return;  // all that was on its way reports the same
          forwarder.note(words);
          forwarder.failed |= fatal;
          forwarder.in_doubt |= trouble == KafkaProducer::Trouble::all_away;
        }};
    auto made = YUSHI_TRY(KafkaProducer::make(settings, batch_bytes, listener));
    producer = std::move(made);
    return {};
  }

  DeliveryWindow& window_of(uint64_t token) {
    uint64_t number = token >> kIndexBits;
    return number == kAlertStream ? alerts : streams[number]->window;
  }

  void on_report(uint64_t token, KafkaProducer::Outcome outcome, size_t value_bytes, size_t bytes) {
    in_flight_bytes -= std::min(bytes, in_flight_bytes);
    if (token >> kIndexBits == kNoteStream) return on_note(token & ((uint64_t{1} << kIndexBits) - 1), outcome);
    switch (outcome) {
      case KafkaProducer::Outcome::delivered:
        window_of(token).delivered(token & ((uint64_t{1} << kIndexBits) - 1));
        ++(token >> kIndexBits == kAlertStream ? metrics.alerts_delivered : metrics.delivered);
        if (!value_bytes_max.empty()) value_bytes_max.erase(token);
        delivered_since_restart = true;
        in_doubt = false;
        is_owed = in_flight_bytes > 0;
        acknowledged_at = Clock::now();
        break;
      case KafkaProducer::Outcome::too_large:
        // What was not alone may have been refused for its neighbours: first the batches get smaller, and only what is
        // refused alone is cut.
        if (!failed) note("a message or batch is too large for the broker");
        if (goes_alone(token, value_bytes) || batch_bytes == 1)
          value_bytes_max[token] = value_bytes / 2;
        else
          next_batch_bytes = std::max<size_t>(batch_bytes / 8, 1);
        failed = true;
        break;
      case KafkaProducer::Outcome::failed:
        failed = true;
        break;
      case KafkaProducer::Outcome::purged:
        break;
    }
  }

  void on_note(uint64_t number, KafkaProducer::Outcome outcome) {
    if (outcome == KafkaProducer::Outcome::delivered) {
      notes_sent.erase(number);
      in_doubt = false;
      is_owed = in_flight_bytes > 0;
      acknowledged_at = Clock::now();
    } else if (outcome != KafkaProducer::Outcome::purged) {
      failed = true;
    }
  }

  Stream& stream(const RecordSource::Head& head) {
    auto [at, is_new] = stream_of_log.try_emplace(head.log, nullptr);
    if (is_new) {
      YUSHI_ASSERT(streams.size() < kNoteStream, "%zu logs", streams.size());
      auto known = cursor.next.find(head.log);
      streams.push_back(std::make_unique<Stream>(
          Stream{head.log, streams.size(), 0, DeliveryWindow(known == cursor.next.end() ? 0 : known->second)}));
      at->second = streams.back().get();
    }
    at->second->size = head.size;
    return *at->second;
  }

  // What fills a batch, or was refused before, may be too large. A new producer's first batch can be refused and the
  // next one taken all the same, so nothing else is on its way together with such a message: it keeps its place.
  bool goes_alone(uint64_t token, size_t value_bytes) const {
    return value_bytes >= batch_bytes || value_bytes_max.contains(token);
  }

  // Queues `message`; waits while the broker is behind. False when the forwarder must stop or restart first.
  bool send(KafkaProducer::Topic topic, std::string_view format, uint64_t token) {
    if (!goes_alone(token, message.value.size())) return queue(topic, format, token);
    return wait_delivered() && queue(topic, format, token) && wait_delivered();
  }

  bool wait_delivered() {
    while (in_flight_bytes > 0)
      if (!serve(milliseconds(50))) return false;
    return true;
  }

  bool queue(KafkaProducer::Topic topic, std::string_view format, uint64_t token) {
    size_t bytes = KafkaProducer::message_bytes(message);
    while (in_flight_bytes > 0 && in_flight_bytes + bytes > settings.in_flight_bytes) {
      if (!serve(milliseconds(50))) return false;
    }
    is_owed = true;
    while (true) {
      switch (producer->send(topic, message, format, token)) {
        case KafkaProducer::Queued::yes:
          in_flight_bytes += bytes;
          if (++metrics.sent % kSendsBetweenPolls == 0) return serve(milliseconds(0));
          return true;
        case KafkaProducer::Queued::full:
          if (!serve(milliseconds(50))) return false;
          break;
        case KafkaProducer::Queued::too_large:
          value_bytes_max[token] = message.value.size() / 2;
          failed = true;
          return false;
        case KafkaProducer::Queued::failed:
          failed = true;
          return false;
      }
    }
  }

  // Hears reports; false when there is reason to stop what one does.
  bool serve(milliseconds time) {
    producer->poll(static_cast<int>(time.count()));
    metrics.in_flight_bytes = in_flight_bytes;
    save_cursor(false);
    watch_broker();
    return !failed && !stop_asked();
  }

  // An idle connection says nothing of its broker, so he is asked while it is in doubt whether he is there. One who
  // answers but acknowledges nothing is as good as away.
  void watch_broker() {
    const auto now = Clock::now();
    if (now - asked_at < kAskEvery) return;
    asked_at = now;
    if (in_doubt && producer->is_answered(kAskMilliseconds)) in_doubt = false;
    if (!in_doubt) heard_at = now;
    // He may owe nothing while there is a backlog: nothing of it is selected.
    if (!is_owed || (in_flight_bytes == 0 && lag() == 0)) acknowledged_at = now;
    metrics.up = !in_doubt;
    const auto silent = now - std::min(heard_at, acknowledged_at);
    const bool away = silent >= settings.away_after;
    if (away == is_away) return;
    is_away = away;
    ForwardState before;
    {
      MutexLock lock(mutex);
      before = state;
      if (away)
        state.away_since_ns = realtime_ns() - std::chrono::nanoseconds(silent).count();
      else
        state = {};
    }
    if (away && settings.on_away) settings.on_away(before.last_error);
    if (!away && settings.on_back) settings.on_back(before.away_since_ns);
  }

  size_t limit_of(uint64_t token) const {
    if (value_bytes_max.empty()) return SIZE_MAX;
    auto at = value_bytes_max.find(token);
    return at == value_bytes_max.end() ? SIZE_MAX : at->second;
  }

  // True when something was read.
  bool forward_records(Stream& from) {
    auto batch = source->read(from.log, from.window.end());
    if (!batch) {
      note(batch.error().message);
      return false;
    }
    if (*batch == nullptr) return false;
    bool read = false;
    for (const Record& record : (*batch)->records) {
      if (record.index < from.window.end() || record.index >= from.size) continue;
      read = true;
      if (!from.window.take(record.index)) continue;
      scratch.clear();
      if (!settings.select.matches(record, scratch)) {
        from.window.skipped(record.index);
        continue;
      }
      uint64_t token = from.number << kIndexBits | record.index;
      maker.make(mask.mask(record), limit_of(token), message);
      if (message.truncated) ++metrics.truncated;
      if (!send(KafkaProducer::Topic::records, format_name(settings.format), token)) return true;
    }
    return read;
  }

  bool forward_alerts() {
    if (settings.alerts_topic.empty()) return false;
    auto found = source->alerts(alerts.end(), kAlertsAtOnce);
    if (!found) {
      note(found.error().message);
      return false;
    }
    for (auto& [index, alert, raw, entry] : *found) {
      if (index < alerts.end()) continue;
      if (!alerts.take(index)) continue;
      uint64_t token = kAlertStream << kIndexBits | index;
      auto host = alert.field("host.name");
      if (host.empty()) host = alert.field("log.source.address");
      message.tenant = alert.tenant;
      message.key = alert.tenant + "/";
      message.key += host;
      message.id = "_audit/" + std::to_string(index);
      message.entry = entry;
      message.truncated = raw.size() > limit_of(token);
      message.value = message.truncated
                          ? R"({"event":{"kind":"alert","id":")" + message.id + R"("},"yushi":{"truncated":true}})"
                          : std::string(mask.mask(raw));
      if (!send(KafkaProducer::Topic::alerts, format_name(ForwardFormat::ecs_json), token)) return true;
    }
    return !found->empty();
  }

  void forward_notes() {
    if (settings.checkpoints_topic.empty()) return;
    auto found = source->notes();
    if (!found) return note(found.error().message);
    for (auto& each : *found) notes_to_send[each.log] = std::move(each);
    while (!notes_to_send.empty()) {
      auto each = std::move(notes_to_send.extract(notes_to_send.begin()).mapped());
      auto number = next_note++;
      message.tenant = tenant_of_log(each.log);
      message.key = message.tenant + "/" + each.log;
      message.id = each.log + "/" + std::to_string(each.size);
      message.entry.clear();
      message.truncated = false;
      message.value = each.text;
      notes_sent[number] = std::move(each);
      if (!send(KafkaProducer::Topic::checkpoints, "checkpoint", kNoteStream << kIndexBits | number)) return;
    }
  }

  bool forward_all() {
    if (settings.secrets)
      if (auto now = settings.secrets(); now != mask.rules()) mask = SecretMask(std::move(now));
    auto heads = source->heads();
    if (!heads) {
      note(heads.error().message);
      return false;
    }
    bool read = false;
    for (const auto& head : *heads) {
      Stream& from = stream(head);
      if (from.window.end() >= from.size) continue;
      read |= forward_records(from);
      if (failed || stop_asked()) return true;
    }
    read |= forward_alerts();
    if (!failed && !stop_asked()) forward_notes();
    uint64_t done = 0;
    for (const auto& from : streams) done += from->window.prefix();
    metrics.done = done;
    return read;
  }

  void save_cursor(bool now) {
    if (!now && Clock::now() - saved_at < kSaveEvery) return;
    saved_at = Clock::now();
    for (const auto& from : streams) cursor.next[from->log] = from->window.prefix();
    cursor.next_alert = alerts.prefix();
    if (cursor == saved) return;
    if (auto done = source->save_cursor(cursor.encode()); !done)
      note(done.error().message);
    else
      saved = cursor;
  }

  // False until it stands in the store how far we are: guessing would skip records or send a million twice.
  bool load_cursor() {
    auto bytes = source->load_cursor();
    if (!bytes && bytes.error().code == Code::not_found) return true;
    auto read = bytes ? Cursor::decode(*bytes) : Result<Cursor>(tl::unexpected(bytes.error()));
    if (!read) {
      note(read.error().message);
      return false;
    }
    cursor = saved = *read;
    for (auto& [log, next] : cursor.next) metrics.done += next;
    alerts = DeliveryWindow(cursor.next_alert);
    return true;
  }

  void restart() {
    producer->purge();
    producer.reset();
    for (auto& from : streams) from->window.rewind();
    alerts.rewind();
    for (auto& [number, each] : std::exchange(notes_sent, {})) {
      auto& newest = notes_to_send[each.log];
      if (newest.size < each.size) newest = each;
    }
    in_flight_bytes = 0;
    metrics.in_flight_bytes = 0;
    batch_bytes = next_batch_bytes;
    save_cursor(true);
    restart_wait = delivered_since_restart ? kRestartWaitMin : std::min(restart_wait * 2, kRestartWaitMax);
    delivered_since_restart = false;
    failed = false;
    pause(restart_wait);
  }

  void run() {
    while (!stop_asked() && !load_cursor()) pause(kRestartWaitMax);
    while (!stop_asked()) {
      if (producer == nullptr) {
        if (auto made = make_producer(); !made) {
          note(made.error().message);
          pause(kRestartWaitMax);
          continue;
        }
      }
      bool read = forward_all();
      serve(milliseconds(0));
      if (failed)
        restart();
      else if (!read && in_flight_bytes > 0)
        serve(milliseconds(5));
      else if (!read)
        wait(kIdleWait);
    }
    Clock::time_point end;
    {
      MutexLock lock(mutex);
      end = stop_at;
    }
    while (producer != nullptr && in_flight_bytes > 0 && !failed && Clock::now() < end) {
      producer->poll(20);
    }
    if (producer != nullptr) producer->purge();
    save_cursor(true);
    producer.reset();
  }
};

KafkaForwarder::KafkaForwarder(KafkaSettings settings, std::unique_ptr<RecordSource> source)
    : state_(std::make_unique<State>(std::move(settings), std::move(source))) {}

KafkaForwarder::~KafkaForwarder() { stop(); }

Result<void> KafkaForwarder::start() {
  YUSHI_ASSERT(!state_->thread.joinable(), "started twice");
  YUSHI_TRY(state_->make_producer());
  state_->thread = std::thread([this] { state_->run(); });
  return {};
}

void KafkaForwarder::stop(double seconds_max) {
  if (!state_->thread.joinable()) return;
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->stop_at =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_max));
  }
  state_->wakened.notify_all();
  state_->thread.join();
}

void KafkaForwarder::wake() {
  {
    MutexLock lock(state_->mutex);
    state_->woken = true;
  }
  state_->wakened.notify_one();
}

const ForwardMetrics& KafkaForwarder::metrics() const { return state_->metrics; }

ForwardState KafkaForwarder::state() const {
  MutexLock lock(state_->mutex);
  return state_->state;
}

uint64_t KafkaForwarder::lag() const { return state_->lag(); }

std::string KafkaForwarder::name() const { return state_->settings.brokers + "/" + state_->settings.topic; }

}  // namespace yushi::forward
