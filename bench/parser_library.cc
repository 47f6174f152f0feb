#include "bench/parser_library.h"

#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <vector>

#include "bench/flood/mix.h"
#include "parsers/header/syslog_header.h"
#include "parsers/loaded_parsers.h"

namespace {

using namespace yushi;

// Of this thread's own work: others use the machine too.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double resident_mib() {
  malloc_trim(0);
  long pages = 0, resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

std::string name_of(const parsers::ParserFile& file) {
  std::smatch found;
  return std::regex_search(file.text, found, std::regex("(^|\n)name: *([a-z0-9_.-]+)")) ? found[2].str()
                                                                                        : std::string();
}

// The same parser for another program whose messages begin with a word of their own, so that no line is of both.
parsers::ParserFile copy_of(const parsers::ParserFile& file, size_t number) {
  const auto mark = "c" + std::to_string(number), name = name_of(file), copied = name + "_" + mark;
  auto text = file.text;
  const auto replace = [&](const std::string& what, const std::string& with) {
    text = std::regex_replace(text, std::regex(what), with);
  };
  replace("([ {\\[:'])" + name + "\\.([a-z])", "$1" + copied + ".$2");
  replace("(^|\n)name: *" + name, "$1name: " + copied);
  replace("\naliases:[^\n]*", "");
  replace("\n(dataset|format):[^\n]*", "");
  replace("grok: '", "grok: '" + mark + " ");
  replace("grok: \"", "grok: \"" + mark + " ");
  replace("line: '", "line: '" + mark + " ");
  replace("line: \"", "line: \"" + mark + " ");
  // In match: the names of programs and the beginnings.
  if (const auto begin = text.find("\nmatch:"); begin != text.npos) {
    auto end = begin + 1;
    do end = std::min(text.find('\n', end), text.size() - 1) + 1;
    while (end < text.size() && (text[end] == ' ' || text[end] == '#'));
    auto match = text.substr(begin, end - begin);
    match = std::regex_replace(match, std::regex("(app: *\\[?)"), "$1" + mark);
    match = std::regex_replace(match, std::regex(", *([a-z][a-z0-9_.-]*[\\],])"), ", " + mark + "$1");
    match = std::regex_replace(match, std::regex("prefix: *\\[?(['\"]?)"), "$&" + mark + " ");
    text = text.substr(0, begin) + match + text.substr(end);
  }
  return {mark + "_" + file.name, mark + "_" + file.name, text};
}

struct Line {
  std::string raw, parser;
};

// Each known line of each parser behind a header with its program's name; bare, when it names no program.
std::vector<Line> lines_of(const parsers::LoadedParsers& set) {
  std::vector<Line> out;
  for (auto& parser : set.parsers())
    for (auto& test : parser->tests) {
      if (test.none || !parser->match.transports.empty()) continue;
      const auto& apps = parser->match.apps;
      if (apps.empty() && !parser->match.tags.empty()) continue;  // its lines begin with a device's header of their own
      out.push_back(
          {apps.empty() ? test.line : "<38>Nov  1 08:00:00 web1 " + apps[0] + "[4711]: " + test.line, parser->name});
    }
  std::shuffle(out.begin(), out.end(), std::mt19937(1));
  return out;
}

// bench/flood's mix: what hosts, web servers, databases and a cluster send.
std::vector<Line> mixed_lines() {
  constexpr size_t kLines = 20'000;
  std::vector<Line> out;
  flood::Mix mix({.seed = 1});
  std::string text;
  std::vector<flood::Mix::Line> places;
  while (out.size() < kLines) {
    text.clear();
    places.clear();
    mix.next_event(text, places);
    for (auto& at : places) out.push_back({text.substr(at.begin, at.length), {}});
  }
  return out;
}

struct Costs {
  double ns = 0, known = 0;
};

// The best of several rounds.
template <class Each>
Costs measure(const std::vector<Line>& lines, Each&& each) {
  Costs out{1e9, 0};
  std::vector<Capture> captures;
  Origin origin;
  origin.received_ns = 1'793'491'200 * kSecond;
  auto arena = std::make_unique<Arena>();
  const size_t rounds = std::max<size_t>(1, 200'000 / lines.size());
  for (int turn = 0; turn < 7; ++turn) {
    const auto begin = cpu_seconds();
    size_t known = 0;
    for (size_t round = 0; round < rounds; ++round) {
      for (auto& line : lines) {
        captures.clear();
        Record record;
        record.raw = line.raw;
        record.origin = &origin;
        record.message_length = static_cast<uint32_t>(line.raw.size());
        each(record, *arena, captures, line);
        known += record.kind != nullptr;
      }
      if (arena->bytes() > (8 << 20)) arena = std::make_unique<Arena>();
    }
    const auto count = static_cast<double>(rounds * lines.size());
    out.ns = std::min(out.ns, (cpu_seconds() - begin) * 1e9 / count);
    out.known = static_cast<double>(known) / count;
  }
  return out;
}

struct LineCosts {
  Costs header, all;
  double named_ns = 0;  // when each line's parser is told
};

LineCosts costs_of(const std::shared_ptr<const parsers::LoadedParsers>& set, const std::vector<Line>& lines) {
  const auto zone = Zone::utc();
  parsers::ParserWorker worker(set);
  LineCosts out;
  out.header = measure(lines, [&](Record& record, Arena& arena, std::vector<Capture>& captures, const Line&) {
    parsers::read_syslog_header(record, *zone, arena, captures);
  });
  out.named_ns = measure(lines, [&](Record& record, Arena& arena, std::vector<Capture>& captures, const Line& line) {
                   parsers::read_syslog_header(record, *zone, arena, captures);
                   worker.parse(record, *zone, arena, captures, line.parser);
                 }).ns;
  out.all = measure(lines, [&](Record& record, Arena& arena, std::vector<Capture>& captures, const Line&) {
    parsers::read_syslog_header(record, *zone, arena, captures);
    worker.parse(record, *zone, arena, captures);
  });
  return out;
}

// Tells each line its parser, and which of `files` know them.
std::set<std::string> find_parsers(const std::vector<parsers::ParserFile>& files, std::vector<Line>& lines) {
  std::set<std::string> out;
  parsers::Problems problems;
  const auto set = parsers::load_parsers(files, problems);
  if (!set) return out;
  parsers::ParserWorker worker(set);
  std::vector<parsers::AskedPattern> asked;
  worker.tell_asked(&asked);
  std::vector<Capture> captures;
  Origin origin;
  origin.received_ns = 1'793'491'200 * kSecond;
  Arena arena;
  for (auto& line : lines) {
    captures.clear();
    asked.clear();
    Record record;
    record.raw = line.raw;
    record.origin = &origin;
    record.message_length = static_cast<uint32_t>(line.raw.size());
    parsers::read_syslog_header(record, *Zone::utc(), arena, captures);
    worker.parse(record, *Zone::utc(), arena, captures);
    for (auto& one : asked)
      if (one.matched) line.parser = one.parser->name;
    out.insert(line.parser);
  }
  return out;
}

void print_costs(const char* what, size_t lines, const LineCosts& costs) {
  std::printf(
      "     %-28s %6zu lines: header %4.0f ns + choice %4.0f + match and fields %4.0f = %4.0f ns/line  (known %.3f)\n",
      what, lines, costs.header.ns, costs.all.ns - costs.named_ns, costs.named_ns - costs.header.ns, costs.all.ns,
      costs.all.known);
}

}  // namespace

bool print_library_costs(const std::string& directory, size_t parsers) {
  auto files = parsers::read_parser_directories({directory});
  if (!files) return std::fprintf(stderr, "parser_bench: %s\n", files.error().message.c_str()), false;
  const auto ours = *files;
  const auto is_copied = [](const parsers::ParserFile& file) {
    return !parsers::is_shared_file(file) && file.text.find("extract:") == file.text.npos &&
           file.text.find("transport:") == file.text.npos;
  };
  // What a copy by replacing words does not make right is not copied.
  const auto shared = parsers::shared_files(ours);
  const auto can_be_copied = [&](const parsers::ParserFile& file) {
    if (!is_copied(file)) return false;
    auto alone = shared;
    alone.push_back(copy_of(file, 1));
    parsers::Problems problems;
    return parsers::load_parsers(alone, problems) != nullptr;
  };
  // First the parsers that the mix's lines need, so that sets of all sizes are given the same lines.
  auto mixed = mixed_lines();
  const auto needed = find_parsers(ours, mixed);
  std::stable_partition(files->begin(), files->end(),
                        [&](auto& file) { return parsers::is_shared_file(file) || needed.contains(name_of(file)); });
  std::vector<const parsers::ParserFile*> copied;
  for (auto& file : ours)
    if (parsers > 0 && can_be_copied(file)) copied.push_back(&file);
  auto count = static_cast<size_t>(
      std::count_if(ours.begin(), ours.end(), [](auto& file) { return !parsers::is_shared_file(file); }));
  for (size_t number = 1; count < parsers && !copied.empty(); ++number)
    for (auto* file : copied)
      if (count < parsers) {
        files->push_back(copy_of(*file, number));
        ++count;
      }
  while (parsers != 0 && count > parsers) {
    const auto last =
        std::find_if(files->rbegin(), files->rend(), [](auto& file) { return !parsers::is_shared_file(file); });
    files->erase(std::next(last).base());
    --count;
  }

  const double before_mib = resident_mib();
  const auto begin = cpu_seconds();
  parsers::Problems problems;
  auto set = parsers::load_parsers(*files, problems);
  const double load_seconds = (cpu_seconds() - begin);
  if (!set) return std::fprintf(stderr, "parser_bench: %s\n", problems.list[0].c_str()), false;
  const double mib = resident_mib() - before_mib;
  size_t patterns = 0;
  for (auto& parser : set->parsers()) patterns += parser->patterns.size();

  std::printf("%4zu parsers %5zu patterns, loaded in %.3f s, %.1f MiB\n", count, patterns, load_seconds, mib);
  print_costs("the mix of bench/flood", mixed.size(), costs_of(set, mixed));
  const auto lines = lines_of(*set);
  print_costs("each line of the parsers once", lines.size(), costs_of(set, lines));
  return true;
}
