// A toy sink, to show what it takes to add one and to try what sinks are promised: `{type: book, path: FILE}` writes
// what is forwarded into a file, a line each, and behind them a line with the cursor. Lines without a cursor behind
// them count for nothing, and the next begin takes them out.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "forward/sinks.h"

namespace yushi::forward {
namespace {

class BookSink final : public Sink {
 public:
  explicit BookSink(std::string path) : path_(std::move(path)) {}

  Result<Cursor> begin(const Cursor& stored, SinkListener& listener) override {
    listener_ = &listener;
    Cursor cursor = stored;
    std::uintmax_t end = 0, at = 0;
    {
      std::ifstream book(path_, std::ios::binary);
      for (std::string line; std::getline(book, line) && !book.eof();) {
        at += line.size() + 1;
        if (!line.starts_with("cursor ")) continue;
        cursor = YUSHI_TRY(Cursor::decode(from_hex(line.substr(7))));
        end = at;
      }
    }
    if (std::filesystem::exists(path_)) std::filesystem::resize_file(path_, end);
    book_.open(path_, std::ios::binary | std::ios::app);
    return cursor;
  }
  Queued send(What what, const Message& message, std::string_view, uint64_t token, bool) override {
    constexpr const char* kNames[] = {"record", "alert", "checkpoint"};
    if (what != What::checkpoint)  // those have lines of their own
      book_ << kNames[static_cast<size_t>(what)] << " " << message.id << " " << message.value << "\n" << std::flush;
    listener_->on_report(token, SinkListener::Outcome::delivered, message.key.size(), message.value.size());
    return Queued::yes;
  }
  void serve(int milliseconds) override { ::usleep(static_cast<useconds_t>(milliseconds) * 100); }
  bool is_answered(int) override { return book_.good(); }
  bool keeps_cursor() const override { return true; }
  Result<void> commit(const Cursor& cursor) override {
    book_ << "cursor " << to_hex(cursor.encode()) << "\n" << std::flush;
    return book_.good() ? Result<void>() : fail(Code::io, "cannot write to " + path_);
  }
  void end() override { book_.close(); }

 private:
  static std::string to_hex(const std::string& bytes) {
    std::string out;
    for (unsigned char byte : bytes) {
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
    }
    return out;
  }
  static std::string from_hex(const std::string& text) {
    std::string out;
    for (size_t i = 0; i + 1 < text.size(); i += 2) out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return out;
  }

  const std::string path_;
  std::ofstream book_;
  SinkListener* listener_ = nullptr;
};

class BookConfig final : public ForwarderConfig {
 public:
  Result<std::unique_ptr<Sink>> make_sink(const std::string&) const override {
    return std::make_unique<BookSink>(path);
  }
  std::string name() const override { return "book " + path; }
  std::vector<std::pair<const char*, std::string>> addresses() const override { return {{"path", path}}; }
  std::string path;
};

std::unique_ptr<ForwarderConfig> read_book(Walk& walk, const YAML::Node& node) {
  auto config = std::make_unique<BookConfig>();
  auto readers = common_keys(walk, *config);
  readers["path"] = walk.path("forward.path", config->path);
  walk.map(node, "forward.", readers);
  return config;
}

[[maybe_unused]] const bool added = (sink_kinds().push_back({"book", read_book}), true);

}  // namespace
}  // namespace yushi::forward
