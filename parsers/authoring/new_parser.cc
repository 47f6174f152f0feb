#include "parsers/authoring/new_parser.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/clock.h"
#include "core/base/name.h"
#include "core/base/text.h"
#include "core/record/batch.h"
#include "parsers/authoring/check.h"
#include "parsers/authoring/sample_body.h"
#include "parsers/authoring/template_pattern.h"
#include "parsers/loaded_parsers.h"
#include "parsers/understand.h"

namespace yushi::parsers {
namespace {

constexpr size_t kPatternsMax = 60;  // the most frequent forms: more is no skeleton but a heap
constexpr size_t kTestsOfBodyMax = 5;
constexpr size_t kAppsMax = 16;

std::string yaml_text(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

// A line of a sample that YAML's '…' can hold as it is.
bool is_plain_line(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; }) && is_utf8(line);
}

// What the sample's lines are once their headers are off.
struct Sample {
  std::vector<std::string> messages;
  std::vector<std::string> apps;
  std::map<std::string, size_t> known;  // by parser: lines that it knows already
  size_t odd = 0;                       // lines with control characters, or in another charset
};

Sample read_sample(const std::vector<std::string>& lines, const std::shared_ptr<const ParserSet>& set) {
  Sample out;
  std::map<std::string, size_t> apps;
  std::set<std::string> generic;
  for (auto& parser : static_cast<const LoadedParsers&>(*set).parsers())
    if (parser->generic) generic.insert(parser->name);
  Understander understander(set);
  for (auto& line : lines) {
    if (line.empty()) continue;
    Batch batch;
    Origin origin;
    origin.received_ns = realtime_ns();
    origin.transport = Transport::file;
    Record record;
    record.raw = batch.arena.copy_padded(line);
    record.origin = &origin;
    record.marks = kByRelay;
    batch.records.push_back(record);
    understander.understand(batch, {}, false);
    auto& read = batch.records[0];
    if (read.kind && !read.kind->dataset.empty() && !generic.contains(read.kind->parser)) {
      ++out.known[read.kind->parser];
      continue;
    }
    std::string app;
    for (auto& capture : read.captures)
      if (capture.field == ecs::process_name && capture.end() <= read.message_begin) app = read.text(capture);
    std::string message(matched_text(app.empty() && read.priority == Record::kNoPriority ? line : read.message()));
    if (!is_plain_line(message)) {
      ++out.odd;
      continue;
    }
    if (message.empty()) continue;
    out.messages.push_back(std::move(message));
    if (auto slash = app.rfind('/'); slash != app.npos) app.erase(0, slash + 1);
    if (!app.empty()) ++apps[app];
  }
  std::vector<std::pair<size_t, std::string>> sorted;
  for (auto& [app, count] : apps) sorted.emplace_back(count, app);
  std::sort(sorted.rbegin(), sorted.rend());
  for (auto& [count, app] : sorted)
    if (out.apps.size() < kAppsMax) out.apps.push_back(app);
  return out;
}

// A parser file in the making: patterns that do not stand the checks go, until what is left does.
class Maker {
 public:
  Maker(const std::string& name, Sample sample, const std::vector<ParserFile>& known)
      : name_(name), file_(name + ".yaml"), sample_(std::move(sample)), known_(known) {}

  Result<NewParser> make() {
    for (auto& [parser, lines] : sample_.known) note(lines, "the parser " + parser + " knows already");
    if (sample_.odd) note(sample_.odd, "hold control characters or another charset than UTF-8");
    body_ = body_of(sample_.messages);
    if (body_) {
      add_body();
    } else {
      add_templates();
    }
    return settle();
  }

 private:
  void note(size_t lines, const std::string& what) {
    notes_.push_back("left out: " + std::to_string(lines) + (lines == 1 ? " line, " : " lines, ") + what);
  }

  void add_templates() {
    LineTemplates templates;
    for (auto& message : sample_.messages) templates.add(message);
    std::set<std::string> names;
    size_t left_out = templates.others(), too_open = 0;
    for (auto* each : templates.by_count()) {
      auto pattern = patterns_.size() < kPatternsMax ? pattern_of(name_, *each) : std::nullopt;
      if (!pattern) {
        (patterns_.size() < kPatternsMax ? too_open : left_out) += each->count;
        continue;
      }
      pattern->name = name_of(*each, names);
      pattern->count = each->count;
      pattern->lines = {each->example};
      patterns_.push_back(std::move(*pattern));
    }
    if (left_out) note(left_out, "of rarer forms than the " + std::to_string(kPatternsMax) + " that became patterns");
    if (too_open) note(too_open, "without a fixed word that a pattern could hold on to");
  }

  void add_body() {
    TemplatePattern pattern;
    pattern.name = "record";
    pattern.count = sample_.messages.size();
    for (auto& message : sample_.messages)
      if (pattern.lines.size() < kTestsOfBodyMax) pattern.lines.push_back(message);
    patterns_.push_back(std::move(pattern));
  }

  static std::string name_of(const LineTemplate& of, std::set<std::string>& names) {
    std::string words;
    size_t count = 0;
    for (auto& piece : of.pieces)
      if (piece.is_word && count < 3 && !slug(piece.text, '-', 24).empty()) words += (count++ ? " " : "") + piece.text;
    auto base = slug(words, '-', 40);
    if (base.empty()) base = "form";
    auto name = base;
    for (int n = 2; !names.insert(name).second; ++n) name = base + "-" + std::to_string(n);
    return name;
  }

  static std::string list(const std::vector<std::string>& items) {
    std::string out;
    for (auto& item : items) out += (out.empty() ? "" : ", ") + yaml_text(item);
    return "[" + out + "]";
  }

  std::string head() const {
    std::string out = "name: " + name_ + "\nabout: " + name_ + "\n";
    if (!sample_.apps.empty()) return out + "match: {app: " + list(sample_.apps) + "}\n";
    if (body_ && !body_->always.empty() && body_->kind != SampleBody::Kind::csv)
      return out + "match: {keys: " + list(body_->always) + "}\n";
    // So many signs many lines of other products have too.
    if (body_ && body_->kind == SampleBody::Kind::csv) return out + "match: {file: ['*/" + name_ + "*']}\n";
    return out + "# Asked for every line that no program's parser knew. Of a file's lines, better: match: {file: ['*/" +
           name_ + ".log']}\n" + "match: {any: true}\n";
  }

  std::string types() const {
    std::map<std::string, FieldType> types;
    for (auto& pattern : patterns_)
      for (auto& [field, type] : pattern.own)
        if (auto [at, is_new] = types.emplace(field, type); !is_new && at->second != type)
          at->second = FieldType::keyword;
    std::string out;
    for (auto& [field, type] : types) {
      const char* name = type == FieldType::integer ? "integer"
                         : type == FieldType::real  ? "real"
                         : type == FieldType::ip    ? "ip"
                                                    : nullptr;
      if (name) out += "  " + field + ": " + name + "\n";
    }
    return out.empty() ? out : "types:\n" + out;
  }

  // The keys that have a place in ECS get it; the others are `<name>.<key>` unless they are named.
  std::string body_pattern() const {
    using Kind = SampleBody::Kind;
    std::string out = std::string("    extract: ") +
                      (body_->kind == Kind::json  ? "json"
                       : body_->kind == Kind::csv ? "csv"
                                                  : "key-value") +
                      "\n";
    if (body_->kind == Kind::csv) {
      std::vector<std::string> names;
      for (auto& [key, value] : body_->keys) names.push_back(key);
      out += "    columns: " + list(names) +
             "\n    separator: " + (body_->separator == '\t' ? "\"\\t\"" : yaml_text({&body_->separator, 1})) + "\n";
    }
    out += "    keys:\n";
    std::set<std::string> used;
    for (auto& [key, value] : body_->keys) {
      auto field = ecs_field_of_key(key, value);
      if (field.empty() || !used.insert(field).second) {
        auto part = slug(key, '_', 40);
        field = name_ + "." + (part.empty() ? "key" : part);
        for (int n = 2; !used.insert(field).second; ++n)
          field = name_ + "." + (part.empty() ? "key" : part) + "_" + std::to_string(n);
      }
      out += "      " + yaml_text(key) + ": " + field + "\n";
    }
    return out;
  }

  // With what each test's line gives, as `set` reads it; nullptr: without.
  std::string text(const std::shared_ptr<const ParserSet>& set) const {
    std::string out = head() +
                      "# What a line tells of, where its pattern names nothing better (`event: login`, "
                      "docs/events.md).\nevent: message\n" +
                      types() + "patterns:\n";
    for (auto& pattern : patterns_)
      out += "  - name: " + pattern.name + "   # " + std::to_string(pattern.count) +
             (pattern.count == 1 ? " line" : " lines") + "\n" +
             (body_ ? body_pattern() : "    grok: " + yaml_text(pattern.grok) + "\n");
    out +=
        "# The sample's own lines: put other names, addresses and numbers into them before the file goes to "
        "anybody.\ntests:\n";
    for (auto& pattern : patterns_)
      for (auto& line : pattern.lines) {
        out += "  - line: " + yaml_text(line) + "\n";
        auto parsed = set ? parse_test_line(set, name_, line) : std::nullopt;
        std::string expected = "yushi.event: message";
        if (parsed)
          for (auto& [field, values] : parsed->fields) {
            if (!std::all_of(values.begin(), values.end(), is_plain_line)) continue;
            expected += ", " + field + ": " + (values.size() == 1 ? yaml_text(values[0]) : list(values));
          }
        out += "    expect: {" + expected + "}\n";
      }
    return out + "  - {line: 'a line that looks nearly alike and must stay unknown', expect: none}\n";
  }

  Result<std::shared_ptr<const ParserSet>> load(const std::string& yaml) const {
    auto files = known_;
    std::erase_if(files, [&](const ParserFile& file) { return file.name == file_; });
    files.push_back({file_, file_, yaml});
    return ParserSet::load(std::move(files));
  }

  bool drop(const std::string& name, const std::string& why) {
    for (auto& pattern : patterns_)
      if (pattern.name == name) {
        note(pattern.count, why + ": " + pattern.grok);
        std::erase_if(patterns_, [name](const TemplatePattern& one) { return one.name == name; });
        return true;
      }
    return false;
  }

  // What stands behind `before` up to the next quote.
  static std::string quoted_after(const std::string& text, const std::string& before) {
    auto at = text.find(before);
    if (at == text.npos) return {};
    at += before.size();
    return text.substr(at, text.find('\'', at) - at);
  }

  bool drop_untested(const std::string& problems) {
    bool any = false;
    const std::string words = "no test reaches the pattern '";
    for (auto at = problems.find(words); at != problems.npos; at = problems.find(words, at + 1))
      any |= drop(quoted_after(problems.substr(at), words), "known by an earlier pattern too");
    return any;
  }

  bool drop_disputed(const ParserTestReport& tested) {
    bool any = false;
    for (auto& failure : tested.failures)
      if (quoted_after(failure, "the parser '") == name_)
        any |= drop(quoted_after(failure, "(pattern '"), "since the pattern would take lines of another parser (" +
                                                             failure.substr(0, failure.find(':')) + ")");
    if (any) return true;
    // Cases stand in the order of the file's tests.
    std::vector<std::string> names;
    for (auto& pattern : patterns_)
      for (size_t i = 0; i < pattern.lines.size(); ++i) names.push_back(pattern.name);
    for (size_t i = 0; i < tested.cases.size() && i < names.size(); ++i)
      if (auto other = quoted_after(tested.cases[i].outcome, "the parser '"); tested.cases[i].failed && !other.empty())
        any |= drop(names[i], "the parser " + other + " knows already");
    return any;
  }

  Result<NewParser> settle() {
    while (!patterns_.empty()) {
      auto set = load(text(nullptr));
      if (!set && drop_untested(set.error().message)) continue;
      if (!set && body_) {  // a body that no reader of ours takes is lines like others
        notes_.push_back("the lines look like one body, but: " +
                         set.error().message.substr(0, set.error().message.find('\n')));
        body_.reset();
        patterns_.clear();
        add_templates();
        continue;
      }
      if (!set) return tl::unexpected(set.error());
      // The whole library is loaded once a round: what the tests expect is what this set gives.
      auto tested = run_parser_tests(*set, {file_});
      if (drop_disputed(tested)) continue;
      auto yaml = text(*set);
      if (auto problems = check_parser_files({{file_, file_, yaml}}); !problems.empty())
        return fail(Code::invalid, problems.front());
      for (auto& failure : tested.failures) notes_.push_back("does not hold yet: " + failure);
      return NewParser{std::move(yaml), std::move(notes_)};
    }
    std::string why = "nothing of the sample is left to make patterns of";
    for (auto& each : notes_) why += "\n  " + each;
    return fail(Code::invalid, why);
  }

  const std::string name_, file_;
  Sample sample_;
  const std::vector<ParserFile>& known_;
  std::optional<SampleBody> body_;
  std::vector<TemplatePattern> patterns_;
  std::vector<std::string> notes_;
};

}  // namespace

Result<NewParser> make_parser(const std::string& name, const std::vector<std::string>& lines,
                              const std::vector<ParserFile>& known) {
  if (!is_parser_name(name))
    return fail(Code::invalid,
                "`" + name + "` cannot be a parser's name: it has letters a-z, digits, '_', '-' and '.' only");
  auto set = YUSHI_TRY(ParserSet::load(known));
  return Maker(name, read_sample(lines, set), known).make();
}

}  // namespace yushi::parsers
