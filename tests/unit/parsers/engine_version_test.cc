// Fields of stored records are compared with what today's engine gives; so whoever changes what it gives must raise its
// version. The fields of our case files' messages are pinned in tests/cases/engine/, a file a vendor folder and one for
// the headers:
//
//   engine 5                                      of which version these are
//   file openssh/sshd.yaml                        whose tests these are
//   kind sshd/failed dataset=sshd …               what a pattern says of all its messages; of those below it
//   6bb2d05a2a4e sshd/failed message=0+71 user.name@20=root source.port:integer@44=4242
//     91c03f0e88d2 rfc3164 time=…/0/12 pri=38 message=33+71 host.name@-13=host …
//
// A line a message. The number is the begin of the SHA-256 of what goes in: message, zone, receipt, parser file without
// its tests. Then come the kind, what the message says of its time (time/digits of the fraction/TimeInferred) and its
// PRI, where the message stands in raw, and the captures in their order: name, type if it is no keyword, [] for a list,
// ~escape, place from the begin of the message on, text. A text over 48 bytes is cut, and its length stands behind its
// place. The same message behind a header follows indented; there … stands for the kind and the captures of the line
// above, and …+2 has them two bytes later.
//
// New messages and parsers need no pin, so that a parser stays one file; YUSHI_REWRITE=1 pins all there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/bytes.h"
#include "core/base/display.h"
#include "core/ledger/sha256.h"
#include "parsers/authoring/check.h"
#include "parsers/engine_version.h"
#include "parsers/understand.h"

namespace yushi::parsers {
namespace {

using Words = std::vector<std::string>;

const std::filesystem::path kPins = YUSHI_SOURCE_DIR "/tests/cases/engine";
constexpr size_t kTextShown = 48;
const std::string kAsAbove = "…";

std::string short_hash(std::string_view bytes) { return to_hex(as_bytes(sha256(bytes))).substr(0, 12); }

// One word of a line, whatever it holds: in quotes where it would else be several.
std::string quoted_word(std::string_view text, bool in_any_case = false) {
  std::string escaped, shown;
  for (char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  append_printable(shown, escaped);
  const bool plain = !in_any_case && !shown.empty() && shown == text && !shown.starts_with(kAsAbove) &&
                     shown.find(' ') == std::string::npos;
  return plain ? shown : '"' + shown + '"';
}

Words words_of(std::string_view line) {
  Words out(1);
  bool in_quotes = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ' && !in_quotes) {
      out.emplace_back();
      continue;
    }
    if (line[i] == '"') in_quotes = !in_quotes;
    out.back() += line[i];
    if (line[i] == '\\' && ++i < line.size()) out.back() += line[i];
  }
  return out;
}

std::string joined(const Words& words) {
  std::string out;
  for (auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string field_word(const Field& field) {
  static constexpr std::string_view kTypes[] = {"", ":text", ":integer", ":real", ":boolean", ":ip", ":date"};
  const bool has_marks = field.name.find_first_of("@=:[~", 1) != std::string_view::npos;
  return quoted_word(field.name, has_marks) + std::string(kTypes[static_cast<size_t>(field.type)]) +
         (field.list ? "[]" : "");
}

struct Message {
  std::string raw, zone = "UTC", dataset;
  int64_t received_ns = 1'793'520'005 * kSecond;
};

// A word of a capture: what stands before its place, the place, what stands behind.
struct CaptureWord {
  std::string name;
  int64_t place;
  std::string text;

  bool operator==(const CaptureWord&) const = default;
  CaptureWord moved(int64_t by) const { return {name, place + by, text}; }
  std::string word() const { return name + "@" + std::to_string(place) + text; }
};
using CaptureWords = std::vector<CaptureWord>;

// All that `verify` compares.
struct Fields {
  std::string kind_name;  // "sshd/failed"; empty where no parser knew it
  Words kind, head;       // head: time, PRI, message
  CaptureWords captures;
};

Fields fields_of(const std::shared_ptr<const ParserSet>& set, const Message& message) {
  static constexpr std::string_view kEscapes[] = {"",       "~json",      "~sd",     "~hex",
                                                  "~lower", "~backslash", "~quotes", "~xml"};
  Batch batch;
  Origin origin;
  origin.received_ns = message.received_ns;
  Record record;
  record.raw = batch.arena.copy_padded(message.raw);
  record.origin = &origin;
  batch.records.push_back(record);
  Understander(set).understand(batch, {*Zone::find(message.zone), Charset::utf8}, false, message.dataset);
  auto& r = batch.records[0];
  Fields out;
  if (r.event_ns != message.received_ns || r.event_digits != 9 || r.time_inferred != kAllInferred)
    out.head.push_back("time=" + utc_text(r.event_ns) + "/" + std::to_string(r.event_digits) + "/" +
                       std::to_string(r.time_inferred));
  if (r.priority != Record::kNoPriority) out.head.push_back("pri=" + std::to_string(r.priority));
  out.head.push_back("message=" + std::to_string(r.message_begin) + "+" + std::to_string(r.message_length));
  if (r.kind) {
    out.kind_name = quoted_word(r.kind->parser + "/" + r.kind->pattern);
    out.kind = {"kind=" + out.kind_name, "dataset=" + quoted_word(r.kind->dataset)};
    for (auto& constant : r.kind->constants)
      out.kind.push_back(field_word(*constant.field) + "=" + quoted_word(constant.value));
  }
  for (auto& capture : r.captures) {
    auto text = r.text(capture);
    CaptureWord word{field_word(*capture.field) + std::string(kEscapes[capture.escape]),
                     int64_t{capture.begin} - int64_t{r.message_begin}, ""};
    if (text.size() > kTextShown) {
      word.text += "+" + std::to_string(text.size());
      size_t cut = kTextShown;
      while (cut > kTextShown - 3 && (static_cast<uint8_t>(text[cut]) & 0xc0) == 0x80) --cut;
      text = text.substr(0, cut);
    }
    word.text += "=" + quoted_word(text);
    out.captures.push_back(word);
  }
  return out;
}

struct Pinned {
  Words fields;       // with all that the kind says
  std::string shown;  // file and message, for people
};

// What today's engine gives, and the text that pins it.
class Pins {
 public:
  void begin_file(const std::string& vendor, const std::string& file) {
    text_ = &texts_[vendor];
    *text_ += "file " + quoted_word(file) + "\n";
    file_ = file;
    kinds_.clear();
  }

  // `form`: of a message behind a header; it follows the message alone.
  void add(const std::string& parser, const std::shared_ptr<const ParserSet>& set, const Message& message,
           const std::string& form = "") {
    std::string input;
    for (auto& part : {parser, message.raw, message.zone, message.dataset, std::to_string(message.received_ns)})
      put_text(input, part);
    const auto key = short_hash(input);
    auto fields = fields_of(set, message);
    Words all = fields.head;
    all.insert(all.end(), fields.kind.begin(), fields.kind.end());
    for (auto& capture : fields.captures) all.push_back(capture.word());
    if (!all_.emplace(key, Pinned{all, file_ + ": " + message.raw}).second) return;

    Words line = {form.empty() ? key : "  " + key};
    if (!form.empty()) line.push_back(form);
    // Behind blanks the message's captures stand somewhat later.
    size_t begin = 0, same = 0;
    int64_t moved = 0;
    if (!form.empty() && !above_.captures.empty() && above_.kind == fields.kind)
      for (; begin < fields.captures.size() && !same; begin += !same) {
        moved = fields.captures[begin].place - above_.captures[0].place;
        auto is_same = [&](auto& a, auto& b) { return a.moved(moved) == b; };
        if (begin + above_.captures.size() <= fields.captures.size() &&
            std::equal(above_.captures.begin(), above_.captures.end(),
                       fields.captures.begin() + static_cast<int64_t>(begin), is_same))
          same = above_.captures.size();
      }
    if (!fields.kind.empty() && !same) line.push_back(kind_name(fields));
    line.insert(line.end(), fields.head.begin(), fields.head.end());
    for (size_t i = 0; i < fields.captures.size(); ++i) {
      if (same && i == begin) {
        line.push_back(kAsAbove + (moved ? "+" + std::to_string(moved) : ""));
        i += same - 1;
      } else {
        line.push_back(fields.captures[i].word());
      }
    }
    *text_ += joined(line) + "\n";
    if (form.empty()) above_ = fields;
  }

  const std::map<std::string, Pinned>& all() const { return all_; }
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  // A kind is told before the first line that has it; a second one of the same name is name#2.
  std::string kind_name(const Fields& fields) {
    auto& same_name = kinds_[fields.kind_name];
    auto at = std::find(same_name.begin(), same_name.end(), fields.kind);
    const auto number = at - same_name.begin() + 1;
    auto name = fields.kind_name + (number > 1 ? "#" + std::to_string(number) : "");
    if (at == same_name.end()) {
      same_name.push_back(fields.kind);
      *text_ += "kind " + name + " " + joined({fields.kind.begin() + 1, fields.kind.end()}) + "\n";
    }
    return name;
  }

  std::map<std::string, Pinned> all_;
  std::map<std::string, std::string> texts_;  // by vendor
  std::string* text_ = nullptr;
  std::string file_;
  std::map<std::string, std::vector<Words>> kinds_;  // of this file, by name
  Fields above_;
};

void add_header_cases(Pins& pins) {
  auto none = ParserSet::load({});
  ASSERT_TRUE(none);
  std::set<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator(YUSHI_SOURCE_DIR "/tests/cases/header"))
    if (entry.path().extension() == ".jsonl") paths.insert(entry.path());
  for (auto& path : paths) {
    pins.begin_file("header", path.filename());
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      auto test = nlohmann::json::parse(line, nullptr, false);
      if (!test.is_object() || (!test.contains("raw") && !test.contains("raw_hex"))) continue;
      Message message;
      message.raw =
          test.contains("raw") ? test["raw"].get<std::string>() : from_hex(test["raw_hex"].get<std::string>()).value();
      message.zone = test.value("zone", "UTC");
      message.received_ns = parse_time(test.value("received", "2026-11-01T08:00:05Z"), 0, *Zone::utc())->unix_ns;
      pins.add("", *none, message);
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
  std::vector<ParserFile> macros;  // and lists of programs
  for (auto& one : shared) {
    tables += one.text;
    if (!is_names_file(one) && one.text.find("\nrows:") == std::string::npos) macros.push_back(one);
  }
  for (auto& file : *files) {
    if (is_shared_file(file)) continue;
    auto patterns = file.text.substr(0, file.text.find("\ntests:"));
    const bool has_tables = patterns.find("table: ") != std::string::npos,
               is_generic = patterns.find("\ngeneric: ") != std::string::npos;
    auto alone = has_tables || is_generic ? shared : macros;
    alone.push_back(file);
    auto set = ParserSet::load(alone);
    ASSERT_TRUE(set) << set.error().message;
    if (has_tables) patterns += tables;
    // A shared macro's name, unlike those of lists, is in capitals.
    for (auto& one : macros)
      for (size_t at = 0; is_macros_file(one) && (at = one.text.find("\n  ", at)) != std::string::npos; ++at)
        if (const auto name = one.text.substr(at + 3, one.text.find(':', at) - at - 3);
            name[0] != '#' && patterns.find("%{" + name) != std::string::npos)
          patterns += one.text;
    const auto path = std::filesystem::relative(file.path, YUSHI_SOURCE_DIR "/parsers/library");
    pins.begin_file(*path.begin(), path);
    for (auto& sample : parser_samples(**set)) {
      pins.add(patterns, *set, {sample.line, "UTC", sample.parser});
      pins.add(patterns, *set,
               {"<38>Nov  1 08:00:00 host " + sample.parser + "[7]: " + sample.line, "Asia/Shanghai", ""}, "rfc3164");
      pins.add(patterns, *set, {"<38>1 - host " + sample.parser + " 7 - -  \t" + sample.line + " \r", "UTC", ""},
               "rfc5424");
    }
  }
}

struct PinnedFields {
  uint32_t engine = 0;
  std::map<std::string, Words> fields;  // by the number of what goes in; as Pinned::fields
};

// name@7="text" as name@9="text"; a name may be in quotes.
std::string moved_word(const std::string& word, int64_t by) {
  size_t at = 0;
  bool in_quotes = false;
  for (; at < word.size() && (in_quotes || word[at] != '@' || at == 0); ++at) {
    if (word[at] == '"') in_quotes = !in_quotes;
    if (word[at] == '\\') ++at;
  }
  size_t digits = 0;
  const auto place = std::stoll(word.substr(at + 1), &digits);
  return word.substr(0, at + 1) + std::to_string(place + by) + word.substr(at + 1 + digits);
}

// Lines say what a reader wants to see; here each is made whole again.
PinnedFields read_pins() {
  PinnedFields out;
  if (!std::filesystem::exists(kPins)) return out;
  for (auto& entry : std::filesystem::directory_iterator(kPins)) {
    std::ifstream in(entry.path());
    std::map<std::string, Words> kinds;
    Words kind_above, captures_above;
    for (std::string line; std::getline(in, line);) {
      const bool behind_header = line.starts_with("  ");
      auto words = words_of(std::string_view(line).substr(behind_header ? 2 : 0));
      if (words.size() < 2) continue;
      if (words[0] == "engine") {
        auto engine = static_cast<uint32_t>(std::stoul(words[1]));
        EXPECT_TRUE(!out.engine || out.engine == engine) << entry.path() << " is of another engine than its neighbours";
        out.engine = engine;
      } else if (words[0] == "file") {
        kinds.clear();
      } else if (words[0] == "kind") {
        auto name = words[1].substr(0, words[1].rfind('#'));
        kinds[words[1]] = {"kind=" + name};
        kinds[words[1]].insert(kinds[words[1]].end(), words.begin() + 2, words.end());
      } else {
        Words head, kind, captures;
        bool head_over = false;
        for (size_t i = behind_header ? 2 : 1; i < words.size(); ++i) {
          auto& word = words[i];
          if (!head_over && kinds.contains(word)) {
            kind = kinds[word];
          } else if (!head_over) {
            head.push_back(word);
            head_over = word.starts_with("message=");
          } else if (word.starts_with(kAsAbove)) {
            kind = kind_above;
            const int64_t moved = word == kAsAbove ? 0 : std::stoll(word.substr(kAsAbove.size()));
            for (auto& above : captures_above) captures.push_back(moved_word(above, moved));
          } else {
            captures.push_back(word);
          }
        }
        if (!behind_header) kind_above = kind, captures_above = captures;
        auto& fields = out.fields[words[0]] = head;
        fields.insert(fields.end(), kind.begin(), kind.end());
        fields.insert(fields.end(), captures.begin(), captures.end());
      }
    }
  }
  return out;
}

void write_pins(const Pins& pins) {
  std::filesystem::remove_all(kPins);
  std::filesystem::create_directories(kPins);
  for (auto& [vendor, text] : pins.texts()) {
    std::ofstream out(kPins / (vendor + ".txt"));
    out << "engine " << kParserEngine << "\n" << text;
  }
}

// Which words are of one side only.
std::string difference(const Words& pinned, const Words& now) {
  auto only = [](Words a, Words b, const std::string& sign) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    Words words;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(words));
    std::string out;
    for (auto& word : words) out += "\n    " + sign + word;
    return out;
  };
  auto out = only(pinned, now, "pinned: ") + only(now, pinned, "now:    ");
  return out.empty() ? "\n    the same fields in another order, now:\n    " + joined(now) : out;
}

TEST(ParserEngine, GivesTheFieldsThatItsVersionStandsFor) {
  Pins pins;
  ASSERT_NO_FATAL_FAILURE(add_header_cases(pins));
  ASSERT_NO_FATAL_FAILURE(add_parser_tests(pins));
  auto& now = pins.all();
  ASSERT_GT(now.size(), 300u);

  const auto pinned = read_pins();
  const auto engine = pinned.engine;
  size_t known = 0;
  std::vector<std::string> differ;
  for (auto& [key, what] : now) {
    auto it = pinned.fields.find(key);
    if (it == pinned.fields.end()) continue;
    ++known;
    if (it->second != what.fields) differ.push_back(what.shown + difference(it->second, what.fields));
  }
  if (std::getenv("YUSHI_REWRITE") && (differ.empty() || kParserEngine > engine)) {
    write_pins(pins);
    const auto again = read_pins();
    EXPECT_EQ(again.fields.size(), now.size());
    for (auto& [key, what] : now)
      EXPECT_EQ(joined(again.fields.at(key)), joined(what.fields)) << "the file does not say what it pins";
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
    EXPECT_EQ(kParserEngine, engine + 1) << "versions go up by one; tests/cases/engine is of " << engine;
    ADD_FAILURE() << "kParserEngine was raised: pin its fields with YUSHI_REWRITE=1 (" << differ.size() << " of "
                  << known << " messages differ)." << examples;
  }
  EXPECT_GE(known, now.size() * 3 / 4)
      << "many messages are new, or their parser files are: pin them with YUSHI_REWRITE=1";
}

}  // namespace
}  // namespace yushi::parsers
