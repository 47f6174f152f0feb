#include "forward/forwarder.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "forward/cursor.h"

namespace yushi::forward {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kAlertsAtOnce = 1000;
constexpr uint32_t kSendsBetweenPolls = 256;
constexpr uint32_t kRecordsBetweenAlerts = 1024;  // some 10 ms: a block has seconds of records
constexpr auto kIdleWait = milliseconds(100);
constexpr auto kCommitEvery = milliseconds(500);
constexpr auto kAskEvery = milliseconds(2000);  // whether somebody is there, while that is in doubt
constexpr int kAnswerMilliseconds = 500;
constexpr auto kRestartWaitMin = milliseconds(100);
constexpr auto kRestartWaitMax = milliseconds(5000);
constexpr auto kAwayAfter = std::chrono::seconds(30);  // so long nobody answers, or nothing is acknowledged: an outage
constexpr int kCommitMilliseconds = 20;                // between two questions whether it is done

// What a client keeps around a queued message's key and value; measured for librdkafka ~ 600.
constexpr size_t kMessageOverheadBytes = 640;

// A token names a message in a delivery report: the stream above, the index below.
constexpr int kIndexBits = 48;
constexpr uint64_t kAlertStream = 0xffff;
constexpr uint64_t kNoteStream = 0xfffe;  // below it, a number for each note that was sent

// Never 0.
uint64_t draw_lot() {
  std::random_device dice;
  return (uint64_t{dice()} << 32 | dice()) | 1;
}

}  // namespace

struct Forwarder::State final : SinkListener {
  struct Stream {
    std::string log;
    uint64_t number;
    uint64_t size = 0;
    DeliveryWindow window;
  };

  const std::shared_ptr<const ForwarderConfig> config;
  const std::unique_ptr<Sink> sink;
  const std::unique_ptr<RecordSource> source;
  const ForwarderCalls calls;
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
  const Filter all = Filter::parse_kql("*", {}).value();
  Message message;
  Scratch scratch;
  bool has_begun = false;
  std::vector<std::unique_ptr<Stream>> streams;  // by number
  std::map<std::string, Stream*> stream_of_log;
  std::map<std::string, RecordSource::SignedNote> notes_to_send;  // by log
  std::map<uint64_t, RecordSource::SignedNote> notes_sent;        // by number: not acknowledged yet
  uint64_t next_note = 0;
  DeliveryWindow alerts{0};
  Cursor cursor;             // as committed and stored; a sink that keeps it has this one too
  bool is_stored = false;    // in the store
  bool uncommitted = false;  // something was sent since
  Clock::time_point committed_at{};
  size_t in_flight_bytes = 0;
  uint32_t looked_at = 0;                                // records
  std::unordered_map<uint64_t, size_t> value_bytes_max;  // by token: of what the sink found too large even alone
  bool failed = false;
  bool got_on_since_restart = false;
  bool in_doubt = true;  // nobody has answered since the start, or since all were away
  Clock::time_point asked_at{};
  Clock::time_point heard_at = Clock::now();         // when it was not in doubt
  Clock::time_point acknowledged_at = Clock::now();  // something, or when he owed nothing
  bool is_owed = false;  // something was sent and not acknowledged, before a new begin perhaps
  bool is_away = false;
  milliseconds restart_wait = kRestartWaitMin;

  State(std::shared_ptr<const ForwarderConfig> settings, std::unique_ptr<Sink> to, std::unique_ptr<RecordSource> from,
        ForwarderCalls asks)
      : config(std::move(settings)),
        sink(std::move(to)),
        source(std::move(from)),
        calls(std::move(asks)),
        maker(config->format) {}

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
    if (config->is_route) {
      const uint64_t delivered = metrics.alerts_delivered;
      return metrics.sent - std::min<uint64_t>(metrics.sent, delivered);
    }
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

  // ------------------------------------------------------------------------------------------------ what the sink says

  void on_error(std::string_view words, Trouble trouble) override {
    const bool fatal = trouble == Trouble::fatal;
    if (fatal && failed) return;  // all that was on its way reports the same
    note(words);
    failed |= fatal;
    in_doubt |= trouble == Trouble::all_away;
  }

  void on_report(uint64_t token, Outcome outcome, size_t key_bytes, size_t value_bytes) override {
    in_flight_bytes -= std::min(key_bytes + value_bytes + kMessageOverheadBytes, in_flight_bytes);
    switch (outcome) {
      case Outcome::delivered:
        on_delivered(token);
        break;
      case Outcome::too_large:
        cut(token, value_bytes);
        failed = true;
        break;
      case Outcome::failed:
        failed = true;
        break;
    }
  }

  // From the next time on; one that is too large again is no step forward.
  void cut(uint64_t token, size_t value_bytes) {
    got_on_since_restart |= value_bytes_max.insert_or_assign(token, value_bytes / 2).second;
  }

  void on_delivered(uint64_t token) {
    const uint64_t number = token >> kIndexBits, index = token & ((uint64_t{1} << kIndexBits) - 1);
    if (number == kNoteStream) {
      if (!sink->keeps_cursor()) notes_sent.erase(index);
    } else {
      (number == kAlertStream ? alerts : streams[number]->window).delivered(index);
      ++(number == kAlertStream ? metrics.alerts_delivered : metrics.delivered);
      if (!value_bytes_max.empty() && !sink->keeps_cursor()) value_bytes_max.erase(token);
      got_on_since_restart |= !sink->keeps_cursor();  // else nothing is before commit()
    }
    is_acknowledged();
  }

  void is_acknowledged() {
    in_doubt = false;
    is_owed = in_flight_bytes > 0;
    acknowledged_at = Clock::now();
  }

  // ----------------------------------------------------------------------------------------------------------- sending

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

  // Queues `message`; waits while the sink is behind. False when the forwarder must stop or restart first. What may be
  // too large is alone on its way: were it refused with others behind it, they might overtake it.
  bool send(Sink::What what, std::string_view format, uint64_t token) {
    if (message.value.size() < sink->alone_from_bytes() && !value_bytes_max.contains(token))
      return queue(what, format, token, false);
    return wait_delivered() && queue(what, format, token, true) && wait_delivered();
  }

  bool wait_delivered() {
    while (in_flight_bytes > 0)
      if (!serve(milliseconds(50))) return false;
    return true;
  }

  bool queue(Sink::What what, std::string_view format, uint64_t token, bool alone) {
    const size_t bytes = message.key.size() + message.value.size() + kMessageOverheadBytes;
    // commit() waits until all of it is there, and until then nobody sees any of it.
    const size_t most = sink->keeps_cursor() ? kInFlightBytesMax / 4 : kInFlightBytesMax;
    while (in_flight_bytes > 0 && in_flight_bytes + bytes > most) {
      if (!serve(milliseconds(50))) return false;
    }
    is_owed = true;
    in_flight_bytes += bytes;  // the report may come at once
    while (true) {
      const auto queued = sink->send(what, message, format, token, alone);
      if (queued == Sink::Queued::yes) break;
      const bool goes_on = queued == Sink::Queued::full && serve(milliseconds(50));
      if (goes_on) continue;
      if (queued == Sink::Queued::too_large) cut(token, message.value.size());
      if (queued != Sink::Queued::full) failed = true;
      in_flight_bytes -= bytes;
      return false;
    }
    uncommitted = true;
    if (++metrics.sent % kSendsBetweenPolls == 0) return serve(milliseconds(0));
    return true;
  }

  // Hears reports; false when there is reason to stop what one does.
  bool serve(milliseconds time) {
    sink->serve(static_cast<int>(time.count()));
    metrics.in_flight_bytes = in_flight_bytes;
    if (!sink->keeps_cursor()) commit_if_due();
    watch_sink();
    return !failed && !stop_asked();
  }

  // An idle connection says nothing of who is at its other end, so he is asked while it is in doubt whether he is
  // there. One who answers but acknowledges nothing is as good as away.
  void watch_sink() {
    const auto now = Clock::now();
    if (now - asked_at < kAskEvery) return;
    asked_at = now;
    if (in_doubt && sink->is_answered(kAnswerMilliseconds)) in_doubt = false;
    if (!in_doubt) heard_at = now;
    // He may owe nothing while there is a backlog: nothing of it is selected.
    if (!is_owed || (in_flight_bytes == 0 && lag() == 0) || sink->holds_back()) acknowledged_at = now;
    metrics.up = !in_doubt;
    const auto silent = now - std::min(heard_at, acknowledged_at);
    const bool away = silent >= kAwayAfter;
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
    if (away && calls.on_away) calls.on_away(before.last_error);
    if (!away && calls.on_back) calls.on_back(before.away_since_ns);
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
      if (++looked_at % kRecordsBetweenAlerts == 0) {
        forward_alerts();  // they wait for no records
        if (!failed && !stop_asked()) commit_if_due();
        if (failed || stop_asked()) return true;
      }
      if (record.index < from.window.end() || record.index >= from.size) continue;
      read = true;
      if (!from.window.take(record.index)) continue;
      scratch.clear();
      if (!config->select.matches(record, scratch)) {
        from.window.skipped(record.index);
        continue;
      }
      uint64_t token = from.number << kIndexBits | record.index;
      maker.make(mask.mask(record), limit_of(token), message);
      if (message.truncated) ++metrics.truncated;
      if (!send(Sink::What::record, format_name(config->format), token)) return true;
    }
    return read;
  }

  bool forward_alerts() {
    if (!config->sends_alerts) return false;
    auto found = source->alerts(alerts.end(), kAlertsAtOnce, config->is_route ? config->select : all);
    if (!found) {
      note(found.error().message);
      return false;
    }
    for (auto& [index, alert, raw, entry, is_selected] : *found) {
      if (index < alerts.end()) continue;
      if (!alerts.take(index)) continue;
      if (!is_selected || !config->wants(alert)) {
        alerts.skipped(index);
        continue;
      }
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
      if (!send(Sink::What::alert, format_name(ForwardFormat::ecs_json), token)) return true;
    }
    return !found->empty();
  }

  void forward_notes() {
    if (!config->sends_checkpoints) return;
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
      if (!send(Sink::What::checkpoint, "checkpoint", kNoteStream << kIndexBits | number)) return;
    }
  }

  bool forward_all() {
    if (!config->shows_secrets && calls.secrets)
      if (auto now = calls.secrets(); now != mask.rules()) mask = SecretMask(std::move(now));
    auto heads = config->is_route ? std::vector<RecordSource::Head>() : source->heads();
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
      commit_if_due();  // each time: what a sink keeps open for long, it gives up
    }
    read |= forward_alerts();
    if (!failed && !stop_asked()) forward_notes();
    if (!failed && !stop_asked()) commit_if_due();
    count_done();
    return read;
  }

  // What is delivered to a sink that keeps the cursor is there only when it is committed.
  void count_done() {
    uint64_t done = 0;
    if (sink->keeps_cursor())
      for (auto& [log, next] : cursor.next) done += next;
    else
      for (const auto& from : streams) done += from->window.prefix();
    metrics.done = done;
  }

  // ------------------------------------------------------------------------------------------------------- the cursor

  Cursor reached() const {
    Cursor out = cursor;
    for (const auto& from : streams) out.next[from->log] = from->window.prefix();
    out.next_alert = alerts.prefix();
    return out;
  }

  void commit_if_due() {
    if (Clock::now() - committed_at < kCommitEvery) return;
    if (!sink->keeps_cursor()) return store(reached());
    if (!wait_delivered()) return;
    while (!commit()) {
      if (!serve(milliseconds(kCommitMilliseconds))) return;
    }
  }

  // Of a sink that keeps the cursor; nothing is on its way. False when it is not done: ask again, unless it failed.
  bool commit() {
    const Cursor now = reached();
    if (uncommitted || now != cursor) {
      is_owed = true;
      if (auto done = sink->commit(now); !done) {
        if (done.error().code != Code::unavailable) on_error(done.error().message, Trouble::fatal);
        return false;
      }
      is_acknowledged();
      got_on_since_restart = true;
      uncommitted = false;
      notes_sent.clear();
      value_bytes_max.clear();
    }
    store(now);
    count_done();
    return true;
  }

  void store(Cursor now) {
    committed_at = Clock::now();
    is_stored = is_stored && now == cursor;
    cursor = std::move(now);
    if (is_stored) return;
    auto done = source->save_cursor(cursor.encode());
    if (!done) note(done.error().message);
    is_stored = done.has_value();
  }

  // False until it stands in the store how far we are: guessing would skip records or send a million twice.
  bool load_cursor() {
    auto bytes = source->load_cursor();
    const bool is_new = !bytes && bytes.error().code == Code::not_found;
    auto read = bytes    ? Cursor::decode(*bytes)
                : is_new ? Result<Cursor>(Cursor{})
                         : Result<Cursor>(tl::unexpected(bytes.error()));
    if (!read) {
      note(read.error().message);
      return false;
    }
    // Before a sink hears of it. By a sink that keeps no cursor anew each time: one that was kept before, and is found
    // again when the forwarder is exactly-once again, knows nothing of what is sent meanwhile.
    is_stored = read->store != 0 && sink->keeps_cursor();
    if (!is_stored) read->store = draw_lot();
    if (is_new && config->is_route) read->next_alert = source->next_alert();  // people want no news of last year
    store(*read);
    if (!is_stored) return false;
    for (auto& [log, next] : cursor.next) metrics.done += next;
    alerts = DeliveryWindow(cursor.next_alert);
    return true;
  }

  // ---------------------------------------------------------------------------------------------------------- the loop

  bool begin() {
    auto from = sink->begin(cursor, *this);
    if (!from) {
      if (from.error().code != Code::unavailable) note(from.error().message);
      is_owed = true;
      watch_sink();
      pause(from.error().code == Code::unavailable ? kRestartWaitMin : kRestartWaitMax);
      return false;
    }
    has_begun = true;
    failed = false;
    if (sink->keeps_cursor()) {
      if (from->store != cursor.store) from = cursor;  // of a store that this one has replaced
      // All else that was sent since is not there.
      for (auto& each : streams) each->window = DeliveryWindow(from->next[each->log]);
      alerts = DeliveryWindow(from->next_alert);
      store(*from);
      count_done();
      tell_if_store_is_behind();
    }
    return true;
  }

  // What is sent was durable before: only a store that was put back to an earlier state knows less than the sink.
  void tell_if_store_is_behind() {
    auto heads = source->heads();
    if (!heads) return note(heads.error().message);
    for (auto& head : *heads) {
      auto known = cursor.next.find(head.log);
      if (known == cursor.next.end() || known->second <= head.size) continue;
      note("log " + head.log + " has " + std::to_string(head.size) + " records, and " + std::to_string(known->second) +
           " were sent before: the store was put back to an earlier state, and what comes until then is not sent");
    }
  }

  void restart() {
    sink->end();
    has_begun = false;
    if (!sink->keeps_cursor()) {
      for (auto& from : streams) from->window.rewind();
      alerts.rewind();
      store(reached());
    }
    for (auto& [number, each] : std::exchange(notes_sent, {})) {
      auto& newest = notes_to_send[each.log];
      if (newest.size < each.size) newest = each;
    }
    in_flight_bytes = 0;
    metrics.in_flight_bytes = 0;
    uncommitted = false;
    restart_wait = got_on_since_restart ? kRestartWaitMin : std::min(restart_wait * 2, kRestartWaitMax);
    got_on_since_restart = false;
    pause(restart_wait);
  }

  void run() {
    while (!stop_asked() && !load_cursor()) pause(kRestartWaitMax);
    while (!stop_asked()) {
      if (!has_begun && !begin()) continue;
      bool read = forward_all();
      serve(milliseconds(0));
      if (failed)
        restart();
      else if (!read && in_flight_bytes > 0)
        serve(milliseconds(5));
      else if (!read)
        wait(kIdleWait);
    }
    if (has_begun) finish();
  }

  void finish() {
    Clock::time_point end;
    {
      MutexLock lock(mutex);
      end = stop_at;
    }
    while (in_flight_bytes > 0 && !failed && Clock::now() < end) sink->serve(kCommitMilliseconds);
    if (!sink->keeps_cursor())
      store(reached());
    else
      while (in_flight_bytes == 0 && !failed && !commit() && Clock::now() < end) sink->serve(kCommitMilliseconds);
    sink->end();
  }
};

Forwarder::Forwarder(std::shared_ptr<const ForwarderConfig> config, std::unique_ptr<Sink> sink,
                     std::unique_ptr<RecordSource> source, ForwarderCalls calls)
    : state_(std::make_unique<State>(std::move(config), std::move(sink), std::move(source), std::move(calls))) {}

Forwarder::~Forwarder() { stop(); }

void Forwarder::start() {
  YUSHI_ASSERT(!state_->thread.joinable(), "started twice");
  state_->thread = std::thread([this] { state_->run(); });
}

void Forwarder::stop(double seconds_max) {
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

void Forwarder::wake() {
  {
    MutexLock lock(state_->mutex);
    state_->woken = true;
  }
  state_->wakened.notify_one();
}

const ForwardMetrics& Forwarder::metrics() const { return state_->metrics; }

ForwardState Forwarder::state() const {
  MutexLock lock(state_->mutex);
  return state_->state;
}

uint64_t Forwarder::lag() const { return state_->lag(); }

std::string Forwarder::name() const { return state_->config->name(); }

bool Forwarder::is_route() const { return state_->config->is_route; }

}  // namespace yushi::forward
