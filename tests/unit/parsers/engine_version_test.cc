// Fields of stored records are compared with what today's engine gives; so whoever changes what it gives must raise its
// version. The fields of our case files' messages are pinned in tests/cases/engine.txt: one line a message, what goes
// in (message, zone, receipt, parser file without its tests) and what comes out, each as the begin of its SHA-256.
//
// New messages and parsers need no pin, so that a parser stays one file; YUSHI_REWRITE=1 pins all there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "core/ledger/sha256.h"
#include "parsers/check.h"
#include "parsers/engine_version.h"
#include "parsers/understand.h"

namespace yushi::parsers {
namespace {

const std::string kPins = YUSHI_SOURCE_DIR "/tests/cases/engine.txt";

std::string short_hash(std::string_view bytes) { return to_hex(as_bytes(sha256(bytes))).substr(0, 16); }

struct Message {
  std::string raw, zone = "UTC", dataset;
  int64_t received_ns = 1'793'520'005 * kSecond;
};

// All that `verify` compares.
std::string fields_of(const std::shared_ptr<const ParserSet>& set, const Message& message) {
  Batch batch;
  Origin origin;
  origin.received_ns = message.received_ns;
  Record record;
  auto* raw = batch.arena.allocate(message.raw.size() + 64, 1);
  std::memset(raw, 0, message.raw.size() + 64);
  message.raw.copy(raw, message.raw.size());
  record.raw = {raw, message.raw.size()};
  record.origin = &origin;
  batch.records.push_back(record);
  Understander(set).understand(batch, {*Zone::find(message.zone), Charset::utf8}, false, message.dataset);
  auto& r = batch.records[0];
  std::string out;
  auto number = [&](int64_t n) { out += std::to_string(n) + ' '; };
  auto field = [&](const Field* f) {
    put_text(out, f->name);
    number(static_cast<int64_t>(f->type));
    number(f->list);
  };
  for (int64_t n : {r.event_ns, int64_t{r.event_digits}, int64_t{r.time_inferred}, int64_t{r.priority},
                    int64_t{r.message_begin}, int64_t{r.message_length}})
    number(n);
  if (r.kind) {
    for (auto& text : {r.kind->parser, r.kind->pattern, r.kind->dataset}) put_text(out, text);
    for (auto& constant : r.kind->constants) {
      field(constant.field);
      put_text(out, constant.value);
    }
  }
  for (auto& capture : r.captures) {
    for (int64_t n : {int64_t{capture.begin}, int64_t{capture.length}, int64_t{capture.escape}}) number(n);
    field(capture.field);
  }
  return out;
}

struct Pinned {
  std::string fields;
  std::string shown;  // file and message, for people
};

class Pins {
 public:
  void add(const std::string& file, const std::string& parser, const std::shared_ptr<const ParserSet>& set,
           const Message& message) {
    std::string input;
    for (auto& text : {parser, message.raw, message.zone, message.dataset, std::to_string(message.received_ns)})
      put_text(input, text);
    all_[short_hash(input)] = {short_hash(fields_of(set, message)), file + ": " + message.raw};
  }
  const std::map<std::string, Pinned>& all() const { return all_; }

 private:
  std::map<std::string, Pinned> all_;
};

void add_header_cases(Pins& pins) {
  auto none = ParserSet::load({});
  ASSERT_TRUE(none);
  for (auto& entry : std::filesystem::directory_iterator(YUSHI_SOURCE_DIR "/tests/cases/header")) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      auto test = nlohmann::json::parse(line, nullptr, false);
      if (!test.is_object() || (!test.contains("raw") && !test.contains("raw_hex"))) continue;
      Message message;
      message.raw =
          test.contains("raw") ? test["raw"].get<std::string>() : from_hex(test["raw_hex"].get<std::string>()).value();
      message.zone = test.value("zone", "UTC");
      message.received_ns = parse_time(test.value("received", "2026-11-01T08:00:05Z"), 0, *Zone::utc())->unix_ns;
      pins.add(entry.path().filename(), "", *none, message);
    }
  }
}

// Each parser file alone: what one file's messages give must not depend on another file. A line stands for itself and
// behind a header, where its parser is found by the name of the program, and there with blanks around it.
void add_parser_tests(Pins& pins) {
  auto files = read_parser_directories({YUSHI_SOURCE_DIR "/parsers/library"});
  ASSERT_TRUE(files);
  const auto shared = shared_files(*files);
  std::string tables;
  for (auto& table : shared) tables += table.text;
  for (auto& file : *files) {
    if (is_shared_file(file)) continue;
    auto patterns = file.text.substr(0, file.text.find("\ntests:"));
    const bool has_tables = patterns.find("table: ") != std::string::npos,
               is_generic = patterns.find("\ngeneric: ") != std::string::npos;
    auto alone = has_tables || is_generic ? shared : std::vector<ParserFile>();
    alone.push_back(file);
    auto set = ParserSet::load(alone);
    ASSERT_TRUE(set) << set.error().message;
    if (has_tables) patterns += tables;
    for (auto& sample : parser_samples(**set)) {
      pins.add(file.name, patterns, *set, {sample.line, "UTC", sample.parser});
      pins.add(file.name, patterns, *set,
               {"<38>Nov  1 08:00:00 host " + sample.parser + "[7]: " + sample.line, "Asia/Shanghai", ""});
      pins.add(file.name, patterns, *set,
               {"<38>1 - host " + sample.parser + " 7 - -  \t" + sample.line + " \r", "UTC", ""});
    }
  }
}

TEST(ParserEngine, GivesTheFieldsThatItsVersionStandsFor) {
  Pins pins;
  ASSERT_NO_FATAL_FAILURE(add_header_cases(pins));
  ASSERT_NO_FATAL_FAILURE(add_parser_tests(pins));
  auto& now = pins.all();
  ASSERT_GT(now.size(), 300u);

  std::map<std::string, std::string> pinned;
  uint32_t engine = 0;
  std::ifstream in(kPins);
  std::string input, fields;
  in >> input >> engine;
  while (in >> input >> fields) pinned[input] = fields;

  size_t known = 0;
  std::vector<std::string> differ;
  for (auto& [key, what] : now) {
    auto it = pinned.find(key);
    if (it == pinned.end()) continue;
    ++known;
    if (it->second != what.fields) differ.push_back(what.shown);
  }
  bool rewrite = std::getenv("YUSHI_REWRITE") != nullptr;
  if (rewrite && (differ.empty() || kParserEngine > engine)) {
    std::ofstream out(kPins, std::ios::trunc);
    out << "engine " << kParserEngine << "\n";
    for (auto& [key, what] : now) out << key << " " << what.fields << "\n";
    return;
  }
  std::string examples;
  for (size_t i = 0; i < std::min<size_t>(differ.size(), 5); ++i) examples += "\n  " + differ[i];
  if (kParserEngine == engine) {
    EXPECT_TRUE(differ.empty()) << "With unchanged parser files the engine gives other fields for " << differ.size()
                                << " of " << known << " messages, and its version is still " << engine
                                << ". `verify` would call stored records of that version tampered"
                                << " with.\nIf the change is meant: raise kParserEngine in parsers/engine_version.h by "
                                   "one, then pin the new fields"
                                << " with YUSHI_REWRITE=1." << examples;
  } else {
    EXPECT_EQ(kParserEngine, engine + 1) << "versions go up by one; tests/cases/engine.txt is of " << engine;
    ADD_FAILURE() << "kParserEngine was raised: pin its fields with YUSHI_REWRITE=1 (" << differ.size() << " of "
                  << known << " messages differ)." << examples;
  }
  EXPECT_GE(known, now.size() * 3 / 4)
      << "many messages are new, or their parser files are: pin them with YUSHI_REWRITE=1";
}

}  // namespace
}  // namespace yushi::parsers
