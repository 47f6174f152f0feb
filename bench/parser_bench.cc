// ns a line for each parser, over the lines of the parsers' own tests, and over all of them in turn.
// `parser_bench --library 17 100 all`: what sets of so many parsers cost (parser_library.h).
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/parser_library.h"
#include "parsers/authoring/check.h"
#include "parsers/header/syslog_header.h"
#include "parsers/parser_set.h"

namespace {

using namespace yushi;

// From the root of the tree, or wherever YUSHI_PARSERS points.
std::string directory() {
  const char* given = std::getenv("YUSHI_PARSERS");
  return given ? given : "parsers/library";
}

std::shared_ptr<const parsers::ParserSet> parsers() {
  auto files = parsers::read_parser_directories({directory()});
  if (!files) return nullptr;
  auto set = parsers::ParserSet::load(*files);
  return set ? *set : nullptr;
}

void run(benchmark::State& state, const std::shared_ptr<const parsers::ParserSet>& set,
         const std::vector<parsers::ParserSample>& samples, bool with_header) {
  parsers::ParserWorker worker(set);
  Origin origin;
  origin.received_ns = 1'793'491'200 * kSecond;
  std::vector<Capture> captures;
  auto arena = std::make_unique<Arena>();
  auto zone = Zone::utc();
  size_t lines = 0, bytes = 0, known = 0;
  for (auto _ : state) {
    for (auto& sample : samples) {
      captures.clear();
      Record record;
      record.raw = sample.line;
      record.origin = &origin;
      record.message_length = static_cast<uint32_t>(sample.line.size());
      if (with_header) parsers::read_syslog_header(record, *zone, *arena, captures);
      worker.parse(record, *zone, *arena, captures, sample.parser);
      known += record.kind != nullptr;
      bytes += sample.line.size();
    }
    lines += samples.size();
    if (arena->bytes() > (8 << 20)) arena = std::make_unique<Arena>();
  }
  state.SetItemsProcessed(static_cast<int64_t>(lines));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.counters["ns/line"] =
      benchmark::Counter(static_cast<double>(lines), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["known"] = static_cast<double>(known) / static_cast<double>(lines);
}

bool register_all() {
  auto set = parsers();
  if (!set) {
    std::fprintf(
        stderr,
        "parser_bench: no parsers in ./parsers/library; run it from the root of the tree or set YUSHI_PARSERS\n");
    return false;
  }
  std::vector<parsers::ParserSample> all;
  for (auto& sample : parsers::parser_samples(*set))
    if (sample.known) all.push_back(sample);
  for (auto& parser : parsers::list_parsers(*set)) {
    std::vector<parsers::ParserSample> own;
    for (auto& sample : all)
      if (sample.parser == parser.name) own.push_back(sample);
    benchmark::RegisterBenchmark(("parse/" + parser.name).c_str(),
                                 [=](benchmark::State& state) { run(state, set, own, false); });
  }
  benchmark::RegisterBenchmark("parse/all", [=](benchmark::State& state) { run(state, set, all, false); });
  // A file of syslog lines: header and parser by app name, as in the daemon.
  if (const char* file = std::getenv("YUSHI_LINES")) {
    std::vector<parsers::ParserSample> lines;
    std::ifstream in(file, std::ios::binary);
    for (std::string line; std::getline(in, line) && lines.size() < 200'000;) lines.push_back({"", line, true});
    benchmark::RegisterBenchmark("header+parse/file", [=](benchmark::State& state) { run(state, set, lines, true); });
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--library") {
    bool ok = true;
    for (int i = 2; i < argc; ++i)
      ok &=
          print_library_costs(directory(), std::string_view(argv[i]) == "all" ? 0 : std::strtoul(argv[i], nullptr, 10));
    return ok ? 0 : 1;
  }
  if (!register_all()) return 1;
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
