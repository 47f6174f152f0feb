#include "core/filter/secrets.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include "core/filter/literal_scan.h"

namespace yushi {
namespace {

constexpr size_t kBlanksMax = 8;
constexpr size_t kOptionMax = 32;  // what is looked at before a key to tell an option
constexpr size_t kFindsMax = 256;  // of one pattern in one text
constexpr size_t kCommandMax = 16 << 10;
constexpr int64_t kRe2BytesMax = 4 << 20;

// What is done with a password, where an event is named so: `changed-password`. Not `encrypted-password x` of a device.
constexpr std::string_view kDone[] = {"changed", "updated", "modified", "expired",  "failed",
                                      "deleted", "removed", "accepted", "rejected", "requested"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n' || c == '\0'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_wide(char c) { return static_cast<unsigned char>(c) >= 0x80; }
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = is_upper(c) ? static_cast<char>(c + 32) : c;
  return out;
}

// A text of Chinese in GB18030, as far as its characters have two bytes there.
std::string in_gb18030(std::string_view utf8) {
  static const std::map<uint32_t, std::string> kTwoBytes = [] {
    std::map<uint32_t, std::string> out;
    for (int lead = 0x81; lead < 0xff; ++lead)
      for (int trail = 0x40; trail < 0xff; ++trail) {
        std::string bytes{static_cast<char>(lead), static_cast<char>(trail)};
        if (auto point = decode(Charset::gb18030, bytes, 0); point.length == 2)
          out.emplace(static_cast<uint32_t>(point.code), bytes);
      }
    return out;
  }();
  std::string out;
  for (size_t at = 0; at < utf8.size();) {
    auto point = decode_utf8(utf8, at);
    if (point.length == 0) return {};
    auto found = kTwoBytes.find(static_cast<uint32_t>(point.code));
    if (point.code < 0x80)
      out.push_back(static_cast<char>(point.code));
    else if (found == kTwoBytes.end())
      return {};
    else
      out += found->second;
    at += point.length;
  }
  return out;
}

struct Quote {
  char sign = 0;
  size_t escapes = 0;  // backslashes before it: JSON in a JSON string
};

size_t slashes_before(std::string_view text, size_t at) {
  size_t n = 0;
  while (n < at && text[at - n - 1] == '\\') ++n;
  return n;
}

// Of the quote that opened with so many backslashes: the first alike from `at` on, with no more of them.
size_t end_of_quoted(std::string_view text, size_t at, Quote quote) {
  for (size_t i = at; i < text.size(); ++i) {
    if (text[i] != quote.sign) continue;
    const size_t slashes = std::min(slashes_before(text, i), i - at);
    if (quote.escapes == 0 ? slashes % 2 == 0 : slashes <= quote.escapes) return i - std::min(slashes, quote.escapes);
  }
  return text.size();
}

// Whether a sign stands there at which a sentence goes on. No command has one outside of quotes.
bool is_sign_of_sentence(std::string_view text, size_t at, Charset charset) {
  if (!is_wide(text[at])) return false;
  constexpr std::string_view kUtf8[] = {"（", "）", "，", "。", "；", "、", "”", "」", "！", "？", "】", "》"};
  constexpr std::string_view kGb18030[] = {"\xa3\xa8", "\xa3\xa9", "\xa3\xac", "\xa1\xa3", "\xa3\xbb", "\xa1\xa2",
                                           "\xa1\xb1", "\xa1\xb9", "\xa3\xa1", "\xa3\xbf", "\xa1\xbf", "\xa1\xb7"};
  for (std::string_view sign : charset == Charset::gb18030 ? kGb18030 : kUtf8)
    if (text.substr(at).starts_with(sign)) return true;
  return false;
}

// Where the command ends that goes on at `from`: at a sign that parts commands, but in quotes, and where no blank is
// behind it, as in `-pa;b`.
size_t end_of_command(std::string_view text, size_t from) {
  const auto line = text.substr(0, std::min(text.substr(0, from + kCommandMax).find('\n', from), from + kCommandMax));
  for (size_t i = from; i < line.size(); ++i) {
    const char c = line[i];
    if (is_quote(c)) {
      if (const size_t close = line.find(c, i + 1); close != line.npos) i = close;
      continue;
    }
    if (i + 1 == line.size()) break;
    const char next = line[i + 1];
    if ((c == ';' && is_space(next)) || (c == '|' && (is_space(next) || next == '|')) ||
        (c == '&' && (is_space(next) || next == '&')))
      return i;
  }
  return line.size();
}

// Where a secret ends that a pattern found at [begin, end), in what matched from `match` on: in quotes that were opened
// there at the one that closes them; else where the sentence goes on that tells of it, as in `(mysql -px); then`.
size_t end_of_found(std::string_view text, Charset charset, size_t match, size_t begin, size_t end) {
  size_t open = begin;
  while (open > match && !is_space(text[open - 1]) && !is_quote(text[open - 1])) --open;
  if (open > match && is_quote(text[open - 1])) {
    const Quote quote{text[open - 1], slashes_before(text, open - 1)};
    const size_t close = end_of_quoted(text, end, quote);
    // What closes nowhere, or in another string of JSON, was none.
    const auto more = text.substr(end, close - end);
    return close == text.size() || more.find('\n') != more.npos || more.find('"') != more.npos ? end : close;
  }
  for (size_t i = begin; i < end; ++i) {
    if (i > begin && is_sign_of_sentence(text, i, charset)) end = i;
    if (charset == Charset::gb18030 && is_wide(text[i])) ++i;
  }
  const size_t sign = std::min(text.find_first_not_of(";,", end), text.size());
  const bool goes_on = sign < text.size() && (is_space(text[sign]) || is_sign_of_sentence(text, end, charset));
  const bool in_brackets = (goes_on || end == text.size()) && text.substr(0, begin).find('(') != text.npos;
  size_t last = end;
  while (last > begin &&
         ((in_brackets && text[last - 1] == ')') || (goes_on && (text[last - 1] == ';' || text[last - 1] == ','))))
    --last;
  return last > begin ? last : end;
}

// Reads a value behind a key: where it begins, where it ends.
class ValueReader {
 public:
  ValueReader(std::string_view text, Charset charset) : text_(text), charset_(charset) {}

  // The key stands at [begin, end). False: no value is named there.
  bool read(size_t begin, size_t end, const std::vector<std::string>& schemes, SecretRules::Span* out) {
    at_ = end;
    const bool is_option = is_option_of(begin);
    const bool is_element = begin > 0 && end < text_.size() && text_[end] == '>' && has_tag_before(begin);
    if (is_element) {
      at_ = end + 1;
      const auto close = std::min(text_.find('<', at_), text_.size());
      if (text_.substr(close, 2) == "</") return give(at_, close, out);
      // Without its end it is cut, or a word that stands for a secret, as in MySQL's `IDENTIFIED BY <secret>", "user":
      // …`.
      return give(at_, std::min(text_.find_first_of("\"'\\ <", at_), text_.size()), out);
    }
    if (!skip_separator(is_option)) return false;
    skip_blanks();
    while (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '(') && !starts("[masked]") &&
           is_value_behind_bracket())
      ++at_;
    const auto quote = take_quote();
    for (auto& scheme : schemes) {
      if (text_.size() - at_ <= scheme.size() || lower(text_.substr(at_, scheme.size())) != scheme ||
          !is_blank(text_[at_ + scheme.size()]))
        continue;
      at_ += scheme.size();
      skip_blanks();
      break;
    }
    return give(at_, quote.sign ? end_of_quoted(text_, at_, quote) : end_of_bare(), out);
  }

 private:
  bool give(size_t begin, size_t end, SecretRules::Span* out) const {
    if (end <= begin) return false;
    *out = {static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    return true;
  }

  std::string_view rest() const { return text_.substr(at_); }
  bool starts(std::string_view what) const { return rest().starts_with(what); }
  bool take(std::string_view what) {
    if (!starts(what)) return false;
    at_ += what.size();
    return true;
  }
  void skip_blanks() {
    for (size_t n = 0; n < kBlanksMax && at_ < text_.size() && is_space(text_[at_]); ++n) ++at_;
  }

  // `--password`, `/password`, and what devices are told (`admin-password`); not what was done (`changed-password`),
  // nor a path (`/etc/passwd`).
  bool is_option_of(size_t begin) const {
    if (begin == 0 || (text_[begin - 1] != '-' && text_[begin - 1] != '/')) return false;
    const char sign = text_[begin - 1];
    size_t word = begin - 1;
    while (word > 0 && begin - word < kOptionMax &&
           (is_alnum(text_[word - 1]) || text_[word - 1] == '_' || text_[word - 1] == '-' || text_[word - 1] == '.' ||
            text_[word - 1] == '/'))
      --word;
    if (sign == '/') return word + 1 == begin;
    const auto before = lower(text_.substr(word, begin - 1 - word));
    return std::find(std::begin(kDone), std::end(kDone), before) == std::end(kDone);
  }

  // `<password>`, `<ns:password>`, `<userPassword>`
  bool has_tag_before(size_t begin) const {
    while (begin > 0 && (is_alnum(text_[begin - 1]) || text_[begin - 1] == '_' || text_[begin - 1] == '-' ||
                         text_[begin - 1] == ':'))
      --begin;
    return begin > 0 && text_[begin - 1] == '<';
  }

  bool is_value_behind_bracket() const {
    return at_ + 1 < text_.size() && !is_space(text_[at_ + 1]) && text_[at_ + 1] != ']' && text_[at_ + 1] != ')';
  }

  bool skip_separator(bool is_option) {
    const size_t from = at_;
    size_t slashes = 0;
    while (at_ < text_.size() && text_[at_] == '\\') ++at_, ++slashes;
    const bool closed = at_ < text_.size() && is_quote(text_[at_]);
    if (closed)
      ++at_;
    else if (slashes)
      return at_ = from, false;
    else
      take("%22");
    if (take("]")) {
    }  // user[password]=x
    const size_t behind = at_;
    skip_blanks();
    if (take("%3D") || take("%3d") || take("%3A") || take("%3a")) return true;
    if (take("=") || take(":")) {
      take(">") || take("=");  // => and :=
      return true;
    }
    for (std::string_view sign : separators())
      if (take(sign)) return true;
    // `--password x`, and as a list has it: "--password", "x"; a1="--password" a2="x"
    if (is_option && at_ > behind) {
      if (closed && starts("a")) take_argument_name();
      return at_ < text_.size() && text_[at_] != '-';
    }
    if (is_option && closed && take(",")) return true;
    return at_ = from, false;
  }

  void take_argument_name() {
    size_t n = 1;
    while (at_ + n < text_.size() && text_[at_ + n] >= '0' && text_[at_ + n] <= '9') ++n;
    if (n > 1 && at_ + n < text_.size() && text_[at_ + n] == '=') at_ += n + 1;
  }

  std::vector<std::string_view> separators() const {
    if (charset_ == Charset::gb18030) return {"\xa3\xba", "\xa3\xbd", "\xce\xaa", "\xca\xc7"};
    return {"\xef\xbc\x9a", "\xef\xbc\x9d", "\xe4\xb8\xba", "\xe6\x98\xaf"};  // ： ＝ 为 是
  }

  Quote take_quote() {
    size_t slashes = 0;
    while (at_ + slashes < text_.size() && text_[at_ + slashes] == '\\') ++slashes;
    if (at_ + slashes >= text_.size() || !is_quote(text_[at_ + slashes])) {
      if (take("%22")) {
      }
      return {};
    }
    at_ += slashes + 1;
    return {text_[at_ - 1], slashes};
  }

  bool ends_at(size_t i) const {
    return i >= text_.size() || is_space(text_[i]) || is_quote(text_[i]) || text_[i] == '<' || text_[i] == '\\';
  }

  // A name with an `=` or `:` behind it, or nothing more.
  bool is_next_part(size_t i) const {
    if (ends_at(i)) return true;
    const size_t begin = i;
    while (i < text_.size() &&
           (is_alnum(text_[i]) || text_[i] == '_' || text_[i] == '-' || text_[i] == '.' || is_wide(text_[i])))
      ++i;
    return i > begin && i < text_.size() && (text_[i] == '=' || text_[i] == ':');
  }

  size_t end_of_bare() const {
    for (size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (is_wide(c) && is_sign_of_sentence(text_, i, charset_)) return i;
      if (is_wide(c) && charset_ == Charset::gb18030) {
        ++i;  // the second byte of a character may look like a sign
        continue;
      }
      if (is_space(c) || c == '<') return i;
      if (text_.substr(i).starts_with("%26") || text_.substr(i).starts_with("%22")) return i;
      if ((c == ',' || c == ';' || c == '&' || c == '|') && is_next_part(i + 1)) return i;
      if ((c == ')' || c == ']' || c == '}' || c == '>') &&
          (ends_at(i + 1) || std::string_view(",;&|)]}>").find(text_[i + 1]) != std::string_view::npos))
        return i;
      if (is_quote(c) &&
          (ends_at(i + 1) || std::string_view(",;&|)]}>").find(text_[i + 1]) != std::string_view::npos)) {
        size_t end = i;
        while (end > at_ && text_[end - 1] == '\\') --end;
        return end;
      }
    }
    return text_.size();
  }

  std::string_view text_;
  Charset charset_;
  size_t at_ = 0;
};

}  // namespace

struct SecretRules::State {
  struct Pattern {
    std::string name;
    std::unique_ptr<re2::RE2> find;
    std::string with;            // stands somewhere too, or the pattern is not asked
    bool is_of_program = false;  // it is looked for in what stands behind a program's name, to the end of its command
    bool is_each = false;        // each one there, and not the first alone
  };
  struct Literal {
    int pattern = -1;  // -1: a key
    std::string key;
    bool is_program = false;
  };
  std::vector<SecretFile> files;
  std::vector<std::string> keys, schemes;
  std::set<std::string> plain;
  std::vector<Pattern> patterns;
  std::vector<Literal> literals;  // as numbered in scan
  LiteralScan scan;

  void add_literal(const std::string& text, int pattern) {
    scan.add(text);
    literals.push_back({pattern, text, false});
  }

  // By itself, or at the end of a path, in quotes or not: not `mysqld`, nor `my-mysql`.
  static bool is_program(std::string_view text, size_t begin, size_t end) {
    const auto is_of_name = [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; };
    // A line's end may stand before it as JSON (`\n`) or syslog (`#012`) writes it.
    const auto before = text.substr(0, begin);
    const bool is_line = before.ends_with("\\n") || before.ends_with("\\t") || before.ends_with("\\r") ||
                         before.ends_with("#012") || before.ends_with("#011") || before.ends_with("#015");
    if (begin > 0 && is_of_name(text[begin - 1]) && !is_line) return false;
    if (text.substr(end).starts_with(".exe")) end += 4;
    while (end < text.size() && (is_quote(text[end]) || text[end] == '\\')) ++end;
    return end < text.size() && (is_space(text[end]) || text[end] == ',');
  }

  // A key is one by itself, behind a sign, or as a new word of a camelCase name; longer keys may also follow letters
  // (dbpassword), which shorter ones do in ordinary words (bypass).
  static bool begins_key(std::string_view text, size_t at, std::string_view key) {
    if (at == 0 || key.size() > 4 || !is_alnum(text[at - 1])) return true;
    return is_upper(text[at]) && !is_upper(text[at - 1]);
  }
};

SecretRules::SecretRules() : state_(std::make_unique<State>()) {}
SecretRules::~SecretRules() = default;
const std::vector<SecretFile>& SecretRules::files() const { return state_->files; }

Result<std::vector<SecretFile>> read_secret_directories(const std::vector<std::string>& directories,
                                                        std::vector<FileLeftOut>* left_out) {
  namespace fs = std::filesystem;
  std::map<std::string, SecretFile> by_name;
  std::vector<FileLeftOut> away;
  for (auto& directory : directories) {
    std::error_code error;
    fs::directory_iterator at(directory, error), end;
    for (; !error && at != end; at.increment(error)) {
      auto path = at->path().string(), name = at->path().filename().string();
      if (!is_data_file_name(path, false, away)) continue;
      auto text = read_data_file(path);
      if (text)
        by_name[name] = {name, path, std::move(*text)};
      else
        away.push_back({path, text.error().message});
    }
    if (error) return fail(Code::io, "reading the secrets' files of " + directory + ": " + error.message());
  }
  if (!away.empty() && !left_out) return fail(Code::io, away.front().why);
  if (left_out) left_out->insert(left_out->end(), away.begin(), away.end());
  std::vector<SecretFile> out;
  for (auto& [name, file] : by_name) out.push_back(std::move(file));
  return out;
}

Result<std::shared_ptr<const SecretRules>> SecretRules::load(std::vector<SecretFile> files) {
  std::map<std::string, SecretFile> by_name;  // of two the later counts
  for (auto& file : files) by_name[file.name] = std::move(file);
  files.clear();
  for (auto& [name, file] : by_name) files.push_back(std::move(file));
  std::shared_ptr<SecretRules> rules(new SecretRules);
  auto& state = *rules->state_;
  std::string problems;
  for (auto& file : files) {
    auto problem = [&](const YAML::Mark& mark, const std::string& what) {
      problems += (problems.empty() ? "" : "\n") + file.path + ":" + std::to_string(std::max(mark.line, 0) + 1) + ":" +
                  std::to_string(std::max(mark.column, 0) + 1) + ": " + what;
    };
    auto texts = [&](const YAML::Node& node, const char* what) {
      std::vector<std::string> out;
      if (!node.IsSequence())
        problem(node.Mark(), std::string(what) + " must be a list of texts");
      else
        for (const auto& item : node) {
          if (item.IsScalar())
            out.push_back(lower(item.Scalar()));
          else
            problem(item.Mark(), std::string(what) + " must be a list of texts");
        }
      return out;
    };
    auto literal = [&](const YAML::Node& at, const std::string& text, int pattern) {
      if (text.size() < 3) return problem(at.Mark(), "`" + text + "` is too short: 3 bytes or more");
      state.add_literal(text, pattern);
      if (auto encoded = in_gb18030(text); !encoded.empty() && encoded != text) state.add_literal(encoded, pattern);
    };
    try {
      auto root = YAML::Load(file.text);
      if (!root.IsMap()) {
        problem(root.Mark(), "a secrets' file is a map with keys, schemes, plain, macros and patterns");
        continue;
      }
      std::vector<std::pair<std::string, std::string>> macros;
      if (auto node = root["macros"]; node && node.IsMap())
        for (const auto& entry : node) {
          macros.emplace_back("%{" + entry.first.Scalar() + "}", entry.second.Scalar());
          if (entry.second.Scalar().find("%{") != std::string::npos)
            problem(entry.second.Mark(), "a macro cannot hold another one"), macros.pop_back();
        }
      for (const auto& entry : root) {
        const auto& key = entry.first.Scalar();
        const auto& value = entry.second;
        if (key == "keys") {
          for (auto& name : texts(value, "keys")) {
            literal(value, name, -1);
            state.keys.push_back(name);
          }
        } else if (key == "schemes") {
          for (auto& name : texts(value, "schemes")) state.schemes.push_back(name);
        } else if (key == "plain") {
          for (auto& name : texts(value, "plain")) state.plain.insert(name);
        } else if (key == "patterns" && value.IsSequence()) {
          for (const auto& item : value) {
            if (!item.IsMap() || !item["name"] || !item["near"] == !item["programs"] || !item["find"] ||
                !item["find"].IsScalar()) {
              problem(item.Mark(), "a pattern has name, near or programs, and find");
              continue;
            }
            for (const auto& part : item)
              if (auto& name = part.first.Scalar(); name != "name" && name != "near" && name != "find" &&
                                                    name != "with" && name != "programs" && name != "each")
                problem(part.first.Mark(),
                        "unknown key '" + name + "' in a pattern; there are name, near, with, programs, each and find");
            auto find = item["find"].Scalar();
            for (auto& [name, body] : macros)
              for (size_t at; (at = find.find(name)) != find.npos;) find.replace(at, name.size(), body);
            re2::RE2::Options options(re2::RE2::CannedOptions::Quiet);
            options.set_max_mem(kRe2BytesMax);
            // any byte is a character: messages come in all charsets
            options.set_encoding(re2::RE2::Options::EncodingLatin1);
            State::Pattern pattern{item["name"].Scalar(), std::make_unique<re2::RE2>(find, options),
                                   item["with"] ? item["with"].Scalar() : "", bool(item["programs"]),
                                   item["each"] && item["each"].as<bool>(false)};
            if (!pattern.find->ok())
              problem(item["find"].Mark(), "RE2 cannot run it: " + pattern.find->error());
            else if (pattern.find->NumberOfCapturingGroups() != 1)
              problem(item["find"].Mark(), "it needs one group (…), around the secret; others are (?:…)");
            const char* const where = pattern.is_of_program ? "programs" : "near";
            for (auto& near : texts(item[where], where))
              literal(item[where], near, static_cast<int>(state.patterns.size()));
            if (pattern.is_of_program)
              for (auto& one : state.literals) one.is_program |= one.pattern == static_cast<int>(state.patterns.size());
            state.patterns.push_back(std::move(pattern));
          }
        } else if (key != "macros") {
          problem(entry.first.Mark(),
                  "unknown key '" + key + "', or no list; there are keys, schemes, plain, macros and patterns");
        }
      }
    } catch (const YAML::Exception& error) {
      problem(error.mark, error.msg);
    }
  }
  if (state.literals.size() > UINT16_MAX) problems += "more than 65,535 keys and texts";
  if (!problems.empty()) return fail(Code::invalid, problems);
  state.scan.build();
  state.files = std::move(files);
  return rules;
}

void SecretRules::find(std::string_view text, Charset charset, std::vector<Span>& out) const {
  auto& state = *state_;
  const size_t before = out.size();
  uint64_t asked[8] = {};  // patterns; those beyond are asked always
  bool any = false;
  struct Place {
    int pattern;
    size_t behind;
  };
  std::vector<Place> programs;
  size_t covered = 0;  // by the last value: what stands inside is hidden with it, and not read again
  state.scan.each(text, [&](size_t number, size_t at) {
    auto& literal = state.literals[number];
    if (literal.pattern >= 0) {
      if (literal.is_program) {
        const size_t behind = at + literal.key.size() - (literal.key.back() == ' ');
        if (State::is_program(text, at, behind)) programs.push_back({literal.pattern, behind});
        return true;
      }
      any = true;
      if (literal.pattern < 512) asked[literal.pattern / 64] |= uint64_t{1} << (literal.pattern % 64);
      return true;
    }
    const size_t end = at + literal.key.size();
    if (at < covered) return true;
    if (end < text.size() && (is_alnum(text[end]) || text[end] == '_')) return true;  // the key is the end of its word
    if (!State::begins_key(text, at, literal.key)) return true;
    Span span;
    if (!ValueReader(text, charset).read(at, end, state.schemes, &span)) return true;
    covered = span.end;
    if (is_worth_hiding(text.substr(span.begin, span.end - span.begin))) out.push_back(span);
    return true;
  });
  if (out.size() == before && !any && programs.empty()) return;
  // Appends what the pattern finds in [at, end), up to `most` times, and says where it came to.
  const auto find_in = [&](const State::Pattern& pattern, size_t at, size_t end_of_all, size_t most) {
    re2::StringPiece input(text.data(), end_of_all), found[2];
    size_t n = 0;
    for (; n < most && at <= end_of_all && pattern.find->Match(input, at, end_of_all, re2::RE2::UNANCHORED, found, 2);
         ++n) {
      const auto match = static_cast<size_t>(found[0].data() - text.data());
      if (!found[1].data() || found[1].empty()) {
        at = std::max(match + found[0].size(), at + 1);
        continue;
      }
      const auto begin = static_cast<size_t>(found[1].data() - text.data());
      const auto end = end_of_found(text, charset, match, begin, begin + found[1].size());
      if (is_worth_hiding(text.substr(begin, end - begin)))
        out.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
      // From inside the secret on: the next may begin with what ended this one, and where no blank parts two commands
      // the name of the second was taken for a part of it.
      at = begin + 1;
    }
    return n < most ? end_of_all : at;
  };
  const auto hide_rest = [&](size_t at) {
    if (at < text.size()) out.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(text.size())});
  };
  for (size_t i = 0; any && i < state.patterns.size(); ++i) {
    auto& pattern = state.patterns[i];
    if (pattern.is_of_program || (i < 512 && !(asked[i / 64] >> (i % 64) & 1))) continue;
    if (!pattern.with.empty() && text.find(pattern.with) == text.npos) continue;
    hide_rest(find_in(pattern, 0, text.size(), kFindsMax));
  }
  for (size_t i = 0; i < programs.size(); ++i) {
    const auto& [number, behind] = programs[i];
    auto& pattern = state.patterns[static_cast<size_t>(number)];
    if (i + 1 == kFindsMax) {  // whoever names so many: all that stands behind, be it of whichever
      for (auto& other : state.patterns)
        if (other.is_of_program) hide_rest(find_in(other, behind, text.size(), kFindsMax));
      break;
    }
    find_in(pattern, behind, end_of_command(text, behind), pattern.is_each ? kFindsMax : 1);
  }
  // No escape is cut in two.
  for (size_t i = before; i < out.size(); ++i) {
    if (out[i].begin > 0 && slashes_before(text, out[i].begin) % 2 == 1) --out[i].begin;
    if (out[i].end < text.size() && slashes_before(text, out[i].end) % 2 == 1) ++out[i].end;
  }
}

bool SecretRules::is_secret_name(std::string_view field) const {
  const auto part = field.substr(field.rfind('.') == field.npos ? 0 : field.rfind('.') + 1);
  if (part.size() < 3) return false;
  const auto name = lower(part);
  for (auto& key : state_->keys) {
    if (!name.ends_with(key)) continue;
    const auto at = name.size() - key.size();
    if (at == 0 || !is_alnum(part[at - 1]) || (is_upper(part[at]) && !is_upper(part[at - 1])) || key.size() > 5)
      return true;
  }
  return false;
}

bool SecretRules::is_worth_hiding(std::string_view value) const {
  if (value.empty()) return false;
  if (value.find_first_not_of("*") == value.npos || value.starts_with("[masked")) return false;
  return value.size() > 16 || !state_->plain.contains(lower(value));
}

}  // namespace yushi
