// The search for all rules' literals, beside vectorscan's literal matcher where libvectorscan-dev is installed: 60
// bytes of each message of bench/flood, as of a request's target, or three quarters of it, and the literals of our
// rules, or of so many times as many under other words.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>
#ifdef YUSHI_VECTORSCAN
#include <hs/hs.h>
#endif

#include "bench/flood/mix.h"
#include "core/filter/sigma.h"
#include "detect/rules/literal_search.h"
#include "detect/rules/rules.h"
#include "parsers/understand.h"

namespace yushi {
namespace {

// Of all rules, each once; copies of it have their number in the middle, as rules of other products would.
const std::vector<std::string>& own_literals() {
  static const std::vector<std::string> kLiterals = [] {
    auto files = parsers::read_parser_directories({"parsers/library"});
    auto parsers = files ? parsers::ParserSet::load(std::move(*files)) : tl::unexpected(files.error());
    auto rule_files = detect::read_rule_directories({"config/rules"});
    auto source_files = detect::read_rule_directories({"config/sigma"});
    auto sources = source_files ? detect::LogSources::load(*source_files) : tl::unexpected(source_files.error());
    if (!parsers || !rule_files || !sources) std::abort();
    auto rules = detect::LoadedRules::load(std::move(*rule_files), **sources);
    if (!rules) std::abort();  // run it from the root of the tree
    std::set<std::string> texts;
    for (const auto& rule : static_cast<const detect::LoadedRules&>(**rules).rules())
      for (const auto& set : required_literals(rule.filter))
        for (const auto& literal : set)
          if (detect::LiteralSearch::can_search(literal.text)) texts.insert(literal.text);
    return std::vector<std::string>(texts.begin(), texts.end());
  }();
  return kLiterals;
}

std::vector<std::string> literals(int64_t times) {
  std::vector<std::string> out = own_literals();
  const size_t own = out.size();
  for (int64_t round = 1; round < times; ++round)
    for (size_t i = 0; i < own; ++i) {
      std::string text = out[i];
      if (text.size() < 5) continue;
      out.push_back(text.insert(text.size() / 2, std::to_string(round)));
    }
  return out;
}

const std::vector<std::string>& messages() {
  static const std::vector<std::string> kMessages = [] {
    flood::Mix mix{{}};
    std::vector<std::string> out;
    std::string text;
    std::vector<flood::Mix::Line> lines;
    while (out.size() < 20'000) {
      text.clear();
      lines.clear();
      mix.next_event(text, lines);
      for (const auto& line : lines) out.push_back(text.substr(line.begin, line.length));
    }
    return out;
  }();
  return kMessages;
}

void literal_search(benchmark::State& state) {
  const auto texts = literals(state.range(0));
  detect::LiteralSearch search;
  for (size_t i = 0; i < texts.size(); ++i) search.add(static_cast<uint32_t>(i), texts[i]);
  search.build();
  std::vector<uint64_t> found(texts.size() / 64 + 1);
  for (auto _ : state)
    for (const auto& message : messages())
      search.search(std::string_view(message).substr(message.size() / 4, static_cast<size_t>(state.range(1))),
                    found.data());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(messages().size()));
  state.counters["literals"] = static_cast<double>(texts.size());
}
BENCHMARK(literal_search)->ArgsProduct({{1, 5, 25}, {60, 10'000}})->Unit(benchmark::kMillisecond);

#ifdef YUSHI_VECTORSCAN
void vectorscan(benchmark::State& state) {
  const auto texts = literals(state.range(0));
  std::vector<const char*> begins;
  std::vector<unsigned> flags, ids;
  std::vector<size_t> lengths;
  for (const auto& text : texts) {
    ids.push_back(static_cast<unsigned>(ids.size()));
    begins.push_back(text.data());
    lengths.push_back(text.size());
    flags.push_back(HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH);
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  hs_scratch_t* scratch = nullptr;
  if (hs_compile_lit_multi(begins.data(), flags.data(), ids.data(), lengths.data(), static_cast<unsigned>(texts.size()),
                           HS_MODE_BLOCK, nullptr, &database, &error) != HS_SUCCESS ||
      hs_alloc_scratch(database, &scratch) != HS_SUCCESS)
    std::abort();
  std::vector<uint64_t> found(texts.size() / 64 + 1);
  const auto mark = [](unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
    static_cast<uint64_t*>(context)[id / 64] |= uint64_t{1} << (id % 64);
    return 0;
  };
  for (auto _ : state)
    for (const auto& message : messages())
      hs_scan(database, message.data() + message.size() / 4,
              static_cast<unsigned>(std::min(message.size() - message.size() / 4, static_cast<size_t>(state.range(1)))),
              0, scratch, mark, found.data());
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(messages().size()));
  state.counters["literals"] = static_cast<double>(texts.size());
  hs_free_scratch(scratch);
  hs_free_database(database);
}
BENCHMARK(vectorscan)->ArgsProduct({{1, 5, 25}, {60, 10'000}})->Unit(benchmark::kMillisecond);
#endif

}  // namespace
}  // namespace yushi
