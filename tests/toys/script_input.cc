// A toy input, to show what it takes to add one and to try what inputs are promised: `{type: script, path: FILE}` reads
// the lines of a file, gives each batch the place up to which it has read, and writes down of which places it was told
// that they are safe.
#include <fstream>
#include <future>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/base/clock.h"
#include "ingest/inputs.h"
#include "ingest/net/delivery.h"

namespace yushi::ingest {
namespace {

class ScriptInput final : public Input {
 public:
  explicit ScriptInput(std::string path) : path_(std::move(path)) {}

  void start(const SharedByInputs& context) override {
    context_ = context;
    delivery_.emplace(0, *context.sink, tally_);
    delivery_->set_input(name());
    delivery_->note_later(Note::Kind::input_up, 0, {}, 1);
    timer_.emplace(*context.threads[0]);
    if (auto at = context.position(name()); !at.empty()) place_ = std::stoll(at);
    boost::asio::post(*context.threads[0], [this] { read(); });
  }
  void stop() override {
    if (!timer_) return;
    std::promise<void> stopped;
    boost::asio::post(*context_.threads[0], [&] {
      timer_.reset();
      delivery_->flush();
      stopped.set_value();
    });
    stopped.get_future().wait();
  }
  std::string name() const override { return "script " + path_; }
  uint16_t port() const override { return 0; }
  InputCounts counts() const override { return tally_.read(); }

 private:
  void read() {
    if (!timer_) return;
    std::ifstream file(path_);
    file.seekg(place_);
    auto& batch = delivery_->batch();
    Origin origin;
    origin.received_ns = realtime_ns();
    origin.source = origin.address = batch.arena.copy("script:" + path_);
    origin.transport = Transport::file;
    auto* shared = batch.arena.make(origin);
    std::string line;
    for (int i = 0; i < 20 && std::getline(file, line) && !file.eof(); ++i) {
      Record record;
      record.raw = batch.arena.copy_padded(line);
      record.origin = shared;
      batch.records.push_back(record);
      place_ += static_cast<int64_t>(line.size()) + 1;
    }
    if (!batch.records.empty()) {
      delivery_->note(Note::Kind::messages, 0, origin.source, batch.records.size());
      batch.position = Position{name(), std::to_string(place_)};
      // As any input would: over to the thread that brought it.
      batch.ack = [this, place = place_] {
        boost::asio::post(*context_.threads[0],
                          [this, place] { std::ofstream(path_ + ".safe", std::ios::app) << place << std::endl; });
      };
      delivery_->deliver();
    }
    timer_->expires_after(std::chrono::milliseconds(2));
    timer_->async_wait([this](const boost::system::error_code& error) {
      if (!error) read();
    });
  }

  const std::string path_;
  SharedByInputs context_;
  AtomicCounts tally_;
  std::optional<Delivery> delivery_;
  std::optional<boost::asio::steady_timer> timer_;
  int64_t place_ = 0;
};

class ScriptConfig final : public InputConfig {
 public:
  std::string path;
  Result<std::unique_ptr<Input>> bind(const BoundFor&) const override { return std::make_unique<ScriptInput>(path); }
  std::string address() const override { return "script " + path; }
};

std::unique_ptr<InputConfig> read_script(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<ScriptConfig>();
  std::string type;
  walk.map(node, "inputs.",
           {{"type", walk.text("inputs.type", type)}, {"path", walk.path("inputs.path", config->path)}});
  return config;
}

[[maybe_unused]] const bool added = (input_kinds().push_back({"script", read_script}), true);

}  // namespace
}  // namespace yushi::ingest
