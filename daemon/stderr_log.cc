#include "daemon/stderr_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/display.h"

namespace yushi::daemon {
namespace {

// The text of a log line may quote strangers: it is shown, never obeyed. Lines after its first one are set in, so that
// none of them passes for a line of ours.
class PrintableText : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& said, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view left(said.payload.data(), said.payload.size());
    std::string text;
    for (bool more = true; more;) {
      auto end = left.find('\n');
      append_printable(text, left.substr(0, end));
      more = end < left.size() - 1;
      if (more) text += "\n  ";
      left.remove_prefix(more ? end + 1 : left.size());
    }
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<PrintableText>(); }
};

}  // namespace

void log_to_stderr() {
  // journald adds time and unit; on a terminal we add the time ourselves.
  auto logger = spdlog::stderr_color_mt("yushid");
  auto lines = std::make_unique<spdlog::pattern_formatter>();
  lines->add_flag<PrintableText>('*').set_pattern(std::getenv("JOURNAL_STREAM") ? "%l: %*"
                                                                                : "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %*");
  logger->set_formatter(std::move(lines));
  spdlog::set_default_logger(logger);
}

}  // namespace yushi::daemon
