// parse: the parsers over lines of a file, as the daemon would run them.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>

#include "cli/command.h"
#include "cli/file_commands.h"
#include "cli/output.h"
#include "core/base/clock.h"
#include "core/base/display.h"
#include "core/filter/when.h"
#include "core/record/ecs_json.h"
#include "parsers/authoring/check.h"
#include "parsers/authoring/explain.h"
#include "parsers/file/share_directory.h"
#include "parsers/header/syslog_header.h"
#include "parsers/joiner.h"
#include "parsers/loaded_parsers.h"
#include "parsers/understand.h"

namespace yushi::cli {
namespace {

constexpr size_t kBatchLines = 1024;
constexpr size_t kBatchBytes = 4 << 20;
constexpr size_t kLineBytesMax = (16 << 20) - 1;  // a capture's length has 24 bits
constexpr size_t kPaddingBytes = 64;              // simdjson reads beyond the text it parses

struct ParseOptions {
  std::string dataset, received, timezone, charset = "utf-8", file;
  std::vector<std::string> parsers;
  bool stats = false, explain = false, events = false;
};

// What matched, by dataset and pattern.
struct ParsedCounts {
  std::map<std::pair<std::string, std::string>, uint64_t> patterns;
  uint64_t lines = 0, not_understood = 0;
};

class LineParser {
 public:
  LineParser(const ParseOptions& options, std::shared_ptr<const parsers::ParserSet> set, parsers::Reading reading,
             int64_t received_ns)
      : options_(options), reading_(std::move(reading)), received_ns_(received_ns), understander_(set) {
    if (options.events) joiner_.emplace(std::move(set), parsers::JoinerOptions::of_file());
  }

  bool add(std::string_view line) {
    const size_t lines_max = options_.explain ? 1 : kBatchLines;  // what was asked belongs to its line
    if (batch_bytes_ + line.size() > kBatchBytes || lines_.size() >= lines_max) {
      if (!flush()) return false;
    }
    lines_.emplace_back(text_.size(), line.size());
    text_.append(line.substr(0, kLineBytesMax));
    if (line.size() > kLineBytesMax) lines_.back().second = kLineBytesMax;
    batch_bytes_ += line.size();
    return true;
  }

  bool flush() {
    if (lines_.empty()) return out_.good();
    Batch batch;
    auto& bytes = batch.buffers.emplace_back(new char[text_.size() + kPaddingBytes]());
    std::copy(text_.begin(), text_.end(), bytes.get());
    Origin origin;
    origin.received_ns = received_ns_;
    origin.transport = Transport::file;
    auto* shared = batch.arena.make(origin);
    for (auto [at, length] : lines_) {
      Record record;
      record.raw = {bytes.get() + at, length};
      record.origin = shared;
      record.marks = kByRelay;  // whoever asks knows where the lines come from
      if (length == kLineBytesMax) record.marks |= kTruncated;
      batch.records.push_back(record);
    }
    asked_.clear();
    understander_.tell_asked(options_.explain ? &asked_ : nullptr);
    understander_.understand(batch, reading_, false, options_.dataset);
    if (joiner_) joiner_->begin();
    for (auto& record : batch.records) {
      if (!joiner_) {
        print(record);
        continue;
      }
      record.index = ++line_number_;
      if (joiner_->add(record, reading_.zone)) {
        hold_closed();
      } else {
        hold_closed();
        const uint64_t only[] = {record.index};
        record.lines = only;
        hold(record);
      }
    }
    give_held();
    lines_.clear();
    text_.clear();
    batch_bytes_ = 0;
    return out_.good();
  }

  int finish() {
    flush();
    if (joiner_) {
      joiner_->close_all();
      hold_closed();
      give_held();
    }
    if (options_.stats) print_stats();
    out_.flush();
    return kExitFound;  // also when no line was understood: that is an answer
  }

 private:
  // Events close in another order than they begin: each waits for those that began before it.
  void hold_closed() {
    for (auto& event : joiner_->closed()) hold(event.record);
    joiner_->closed().clear();
  }
  void hold(Record record) {
    const uint64_t lines[] = {record.lines.front(), record.lines.back()};
    record.lines = lines;
    count(record);
    if (!options_.stats) write_json(record, held_[lines[0]]);
  }
  void give_held() {
    const auto open = joiner_ ? joiner_->oldest_open() : 0;
    while (!held_.empty() && held_.begin()->first < open) {
      out_.json(held_.begin()->second);
      held_.erase(held_.begin());
    }
  }

  void count(const Record& record) {
    ++counts_.lines;
    if (record.kind && !record.kind->dataset.empty())
      ++counts_.patterns[{record.kind->dataset, record.kind->pattern}];
    else
      ++counts_.not_understood;
  }

  void write_json(const Record& record, std::string& out) {
    JsonOptions json;
    json.event_id = false;
    json.event_created = !options_.received.empty();
    writer_.write(record, json, out);
  }

  void print(const Record& record) {
    count(record);
    if (options_.stats) return;
    line_.clear();
    if (options_.explain) {
      explain(record);
      return out_.write(line_);
    }
    write_json(record, line_);
    out_.json(line_);
  }

  void explain(const Record& record) {
    scratch_.clear();
    append_printable(line_, text_of(record, record.raw, scratch_));
    line_ += "\n  charset  " + std::string(charset_name(record.charset));
    if (record.charset == Charset::utf8 && !is_utf8(record.raw))
      line_ += ", with bytes that are none: is it gb18030? (--charset)";
    line_ += "\n  header   ";
    // What the header alone gives; the parser's captures stand behind.
    Arena arena;
    std::vector<Capture> of_header;
    Record alone = record;
    parsers::read_syslog_header(alone, *reading_.zone, arena, of_header);
    line_ += dialect_of(alone, of_header);
    if (!of_header.empty()) line_ += ": ";
    for (auto& capture : of_header) say_capture(record, capture);
    char time[32];
    line_ += "\n  time     " + std::string(time, format_utc(record.event_ns, time));
    if (record.time_inferred & kAllInferred)
      line_ += " (of receipt: the line has none)";
    else if (record.time_inferred)
      line_ += std::string(" (inferred:") + (record.time_inferred & kYearInferred ? " year" : "") +
               (record.time_inferred & kZoneInferred ? " zone" : "") +
               (record.time_inferred & kDateInferred ? " date" : "") +
               (record.time_inferred & kClockInferred ? " clock" : "") + ")";
    line_ += "\n  message  ";
    append_printable(line_, text_of(record, record.message(), scratch_), 120);
    line_ += "\n" + parsers::explain_asked(record, asked_);
    if (!record.kind) {
      line_ += "  parser   none knew it\n";
      return;
    }
    line_ +=
        "  parser   " + record.kind->parser + ", pattern " + record.kind->pattern + ", dataset " + record.kind->dataset;
    line_ += "\n  captures ";
    for (auto& capture : record.captures) {
      bool from_header = false;
      for (auto& known : of_header)
        from_header = from_header || (known.begin == capture.begin && known.field == capture.field);
      if (!from_header) say_capture(record, capture);
    }
    line_ += "\n  says     ";
    for (auto& constant : record.kind->constants) {
      line_ += std::string(constant.field->name) + "=";
      append_printable(line_, constant.value);
      line_.push_back(' ');
    }
    line_.push_back('\n');
  }

  static std::string dialect_of(const Record& record, const std::vector<Capture>& captures) {
    for (auto& capture : captures)
      if (capture.field == ecs::syslog_version) return "RFC 5424";
    if (captures.empty()) return record.message_begin > 0 ? "a time of the line's own" : "none";
    return record.priority != Record::kNoPriority ? "RFC 3164 or a dialect of it" : "a log file's, without a priority";
  }

  void say_capture(const Record& record, const Capture& capture) {
    append_printable(line_, capture.field->name);
    line_.push_back('=');
    append_printable(line_, text_of(record, record.text(capture), scratch_), 80);
    line_ += "[" + std::to_string(capture.begin) + "," + std::to_string(capture.end()) + ") ";
  }

  void print_stats() {
    RowPrinter rows(out_, OutputKind::table, {options_.events ? "events" : "lines", "dataset", "pattern"});
    std::vector<std::pair<uint64_t, std::pair<std::string, std::string>>> sorted;
    for (auto& [pattern, count] : counts_.patterns) sorted.emplace_back(count, pattern);
    std::sort(sorted.begin(), sorted.end(),
              [](auto& a, auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    for (auto& [count, pattern] : sorted) rows.row({std::to_string(count), pattern.first, pattern.second});
    if (counts_.not_understood) rows.row({std::to_string(counts_.not_understood), "-", "(no parser knew it)"});
    rows.finish();
    auto understood = counts_.lines - counts_.not_understood;
    out_.write(std::to_string(understood) + " of " + std::to_string(counts_.lines) + " " +
               (options_.events ? "events" : "lines") + " understood\n");
  }

  const ParseOptions& options_;
  parsers::Reading reading_;
  int64_t received_ns_;
  parsers::Understander understander_;
  std::vector<parsers::AskedPattern> asked_;  // of the line at hand, with --explain
  EcsJsonWriter writer_;
  Scratch scratch_;
  Out out_;
  ParsedCounts counts_;
  std::string text_, line_;
  std::optional<parsers::Joiner> joiner_;  // of --events
  std::map<uint64_t, std::string> held_;   // events that wait for earlier ones, by their first line
  uint64_t line_number_ = 0;
  std::vector<std::pair<size_t, size_t>> lines_;  // offset in text_, length
  size_t batch_bytes_ = 0;
};

int parse(const ParseOptions& options) {
  if (options.events && options.explain)
    return report(Error{Code::invalid, "--explain goes through lines; leave --events out"});
  auto zone = Zone::find(options.timezone.empty() ? "UTC" : options.timezone);
  if (!zone) return report(Error{Code::invalid, "--timezone: " + zone.error().message});
  auto charset = find_charset(options.charset);
  if (!charset) {
    return report(Error{Code::invalid, "--charset: `" + options.charset +
                                           "` is none of utf-8, gb18030 (which takes in gbk and gb2312)"});
  }
  QueryClock clock;
  clock.zone = *zone;
  clock.now_ns = realtime_ns();
  int64_t received_ns = clock.now_ns;
  if (!options.received.empty()) {
    auto when = parse_when(options.received, clock);
    if (!when) return report(Error{Code::invalid, "--received: " + when.error().message});
    received_ns = when->from_ns;
  }
  auto set = load_parsers(options.parsers);
  if (!set) return report(set.error());
  if (!options.dataset.empty() && !static_cast<const parsers::LoadedParsers&>(**set).by_dataset(options.dataset)) {
    std::set<std::string> known;
    for (auto& parser : parsers::list_parsers(**set)) known.insert(parser.dataset);
    std::string words = "--dataset " + options.dataset + ": no parser has this dataset; there are";
    for (auto& name : known) words += " " + name;
    return report(Error{Code::invalid, words + "; without --dataset each line is recognised by what it is"});
  }

  std::ifstream file;
  if (!options.file.empty() && options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file) return report(Error{Code::io, "opening " + options.file + ": " + std::strerror(errno)});
  }
  std::istream& in = file.is_open() ? static_cast<std::istream&>(file) : std::cin;
  std::ios::sync_with_stdio(false);
  LineParser parser(options, *set, {*zone, *charset}, received_ns);
  std::string line;
  while (std::getline(in, line)) {
    if (!parser.add(line)) return kExitFound;  // the reader has left
  }
  if (in.bad())
    return report(
        Error{Code::io, "reading " + (options.file.empty() ? std::string("stdin") : options.file) + " failed"});
  return parser.finish();
}

}  // namespace

void add_parse(CLI::App& app, Chosen& chosen) {
  auto* command = app.add_subcommand("parse", "runs the parsers over lines: one ECS JSON object for each");
  command->footer("Example: yushi parse --timezone Asia/Shanghai /var/log/auth.log");
  auto options = std::make_shared<ParseOptions>();
  command->add_option("file", options->file, "lines to parse (default: stdin)");
  command->add_option("--dataset", options->dataset, "the kind of log, when it is not to be recognised: nginx.access");
  command->add_option("--received", options->received, "when the lines were received: infers a missing year");
  command->add_option("--timezone", options->timezone, "of times without a zone (default UTC)");
  command->add_option("--charset", options->charset, "of lines that are not UTF-8: utf-8 or gb18030 (default utf-8)");
  command->add_option("--parsers", options->parsers, "folder of more parsers; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  command->add_flag("--events", options->events,
                    "one object for each event, joined of its lines; yushi.lines has the first and the last");
  command->add_flag("--stats", options->stats, "say what matched, in place of the objects");
  command->add_flag("--explain", options->explain, "show each stage that a line passed, in place of the objects");
  command->callback([options, &chosen] { chosen = [options] { return parse(*options); }; });
}

}  // namespace yushi::cli
