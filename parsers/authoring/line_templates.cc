#include "parsers/authoring/line_templates.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/record/record.h"

namespace yushi::parsers {
namespace {

constexpr size_t kPiecesMax = 192;
constexpr size_t kPieceBytesMax = 4096;
constexpr size_t kExampleBytesMax = 1024;
constexpr double kSimilar = 0.6;  // of the words of two lines so many are equal, or they are two templates

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_wide(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_of_word(char c) { return is_digit(c) || is_letter(c) || c == '_'; }
bool is_of_name(char c) { return is_of_word(c) || std::strchr(".@\\$+-", c); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Bytes at the front of `text` that look like `form`: 9 a digit, A a letter, all else itself. 0: they do not.
size_t looks_like(std::string_view text, std::string_view form) {
  if (text.size() < form.size()) return 0;
  for (size_t i = 0; i < form.size(); ++i) {
    bool fits = form[i] == '9' ? is_digit(text[i]) : form[i] == 'A' ? is_letter(text[i]) : text[i] == form[i];
    if (!fits) return 0;
  }
  return form.size();
}

size_t with_fraction(std::string_view text, size_t end) {
  if (end + 1 < text.size() && (text[end] == '.' || text[end] == ',') && is_digit(text[end + 1]))
    for (++end; end < text.size() && is_digit(text[end]);) ++end;
  return end;
}

size_t with_zone(std::string_view text, size_t end) {
  if (end < text.size() && text[end] == 'Z') return end + 1;
  for (std::string_view form : {"+99:99", "-99:99", "+9999", "-9999"})
    if (auto n = looks_like(text.substr(end), form)) return end + n;
  return end;
}

struct Found {
  size_t bytes = 0;
  ValueKind kind = ValueKind::none;
};

Found find_time(std::string_view text) {
  for (std::string_view form : {"9999-99-99T99:99:99", "9999-99-99 99:99:99"})
    if (auto n = looks_like(text, form)) return {with_zone(text, with_fraction(text, n)), ValueKind::iso_time};
  for (std::string_view form : {"AAA 99 99:99:99", "AAA  9 99:99:99", "AAA 9 99:99:99"})
    if (auto n = looks_like(text, form)) return {with_fraction(text, n), ValueKind::syslog_time};
  for (std::string_view form : {"99/AAA/9999:99:99:99 +9999", "99/AAA/9999:99:99:99 -9999"})
    if (auto n = looks_like(text, form)) return {n, ValueKind::http_time};
  if (auto n = looks_like(text, "99:99:99")) {
    n = with_fraction(text, n);
    if (n == text.size() || (!is_of_name(text[n]) && text[n] != ':')) return {n, ValueKind::clock_time};
  }
  return {};
}

// Addresses and MACs with colons, which are signs elsewhere.
Found find_colons(std::string_view text) {
  size_t end = 0, colons = 0;
  while (end < text.size() && (is_hex(text[end]) || text[end] == ':' || text[end] == '.')) colons += text[end++] == ':';
  while (end > 0 && (text[end - 1] == '.' || (text[end - 1] == ':' && (end < 2 || text[end - 2] != ':'))))
    colons -= text[--end] == ':';
  if (colons < 2 || (end < text.size() && is_of_word(text[end]))) return {};
  std::array<uint8_t, 16> address;
  if (end == 17 && colons == 5) return {end, ValueKind::mac};
  if (parse_ip(text.substr(0, end), &address)) return {end, ValueKind::address};
  return {};
}

ValueKind kind_of(std::string_view chunk) {
  size_t digits = 0, hexes = 0, dots = 0, others = 0;
  for (char c : chunk) {
    digits += is_digit(c);
    hexes += is_hex(c);
    dots += c == '.';
    others += !is_of_word(c) && c != '.' && c != '-';
  }
  const size_t sign = chunk[0] == '-' || chunk[0] == '+';
  if (digits && digits == chunk.size() - sign) return ValueKind::integer;
  if (digits && dots == 1 && digits == chunk.size() - sign - 1 && is_digit(chunk.back()) && is_digit(chunk[sign]))
    return ValueKind::decimal;
  std::array<uint8_t, 16> address;
  if (dots == 3 && digits + dots == chunk.size() && parse_ip(chunk, &address)) return ValueKind::address;
  if (chunk.size() == 36 && hexes == 32 && chunk[8] == '-' && chunk[13] == '-' && chunk[18] == '-' && chunk[23] == '-')
    return ValueKind::uuid;
  if (chunk.size() == 17 && hexes == 12 && chunk[2] == '-' && chunk[5] == '-' && chunk[14] == '-')
    return ValueKind::mac;
  if (digits && hexes == chunk.size() && chunk.size() >= 6) return ValueKind::hex;
  if (digits && (chunk.starts_with("0x") || chunk.starts_with("0X")) && hexes + 1 == chunk.size())
    return ValueKind::hex;
  if (!digits && chunk.find('@') == chunk.npos && chunk.find('\\') == chunk.npos && chunk.find('$') == chunk.npos)
    return ValueKind::none;
  if (others) return ValueKind::text;
  return chunk.find_first_of(".-") == chunk.npos ? ValueKind::word : ValueKind::name;
}

// What a fixed word would be as a value.
ValueKind kind_of_word(std::string_view word) {
  bool plain = true;
  for (char c : word) {
    if (!is_of_word(c) && c != '.' && c != '-') return ValueKind::text;
    plain = plain && is_of_word(c);
  }
  return plain ? ValueKind::word : ValueKind::name;
}

size_t wide_sign_bytes(std::string_view text) {  // 、。（）：，；＝ and their like
  return text.starts_with("\xe3\x80") || text.starts_with("\xef\xbc") ? std::min<size_t>(3, text.size()) : 0;
}

// Whether the word tells what happened: lines that differ in it are of different events.
bool tells_event(std::string_view word) {
  auto w = lower(word);
  if (w.size() > 3 && (w.ends_with("ed") || w.ends_with("ing"))) return true;
  static constexpr std::string_view kWords[] = {
      "accept", "allow",   "block", "close",  "connect", "create",  "delete",  "denied", "deny",   "disconnect",
      "down",   "drop",    "error", "fail",   "failure", "in",      "invalid", "login",  "logout", "modify",
      "not",    "off",     "on",    "open",   "out",     "pass",    "permit",  "read",   "reject", "start",
      "stop",   "success", "up",    "update", "valid",   "warning", "write",   "info",   "debug"};
  if (std::find(std::begin(kWords), std::end(kWords), w) != std::end(kWords)) return true;
  return !w.empty() && is_wide(w[0]);
}

// Words behind which a value stands, also one of letters alone.
bool names_value(std::string_view word) {
  static constexpr std::string_view kWords[] = {
      "user",   "username",  "account",   "acct",  "logname", "ruser", "rhost",  "uname", "host", "hostname",
      "client", "user_name", "interface", "iface", "domain",  "用户",  "用户名", "账号",  "帐号"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}
bool is_stop_word(const std::string& word) {
  static constexpr std::string_view kWords[] = {"unknown",
                                                "is",
                                                "was",
                                                "has",
                                                "not",
                                                "from",
                                                "for",
                                                "logged",
                                                "login",
                                                "name",
                                                "by",
                                                "with",
                                                "and",
                                                "to",
                                                "in",
                                                "on",
                                                "at",
                                                "of",
                                                "a",
                                                "the",
                                                "does",
                                                "no",
                                                "authentication",
                                                "authorization",
                                                "key",
                                                "session",
                                                "request",
                                                "disconnected"};
  return tells_event(word) || std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

class Cutter {
 public:
  explicit Cutter(std::string_view line) : line_(line) {}

  std::vector<TemplatePiece> cut() {
    while (at_ < line_.size()) {
      if (out_.size() == kPiecesMax) {
        put(line_.size() - at_, ValueKind::text);
        break;
      }
      step();
    }
    name_values();
    return std::move(out_);
  }

 private:
  void put(size_t bytes, ValueKind kind, bool is_word = false) {
    out_.push_back(
        {static_cast<uint16_t>(kind), is_word, std::string(line_.substr(at_, std::min(bytes, kPieceBytesMax)))});
    if (bytes > kPieceBytesMax) out_.back().kinds = static_cast<uint16_t>(ValueKind::text);
    at_ += bytes;
  }

  bool follows_word() const { return at_ > 0 && (is_of_name(line_[at_ - 1]) || is_wide(line_[at_ - 1])); }

  void step() {
    auto rest = line_.substr(at_);
    char c = rest[0];
    if (is_blank(c)) {
      size_t n = 1;
      while (n < rest.size() && is_blank(rest[n])) ++n;
      return put(n, ValueKind::none);
    }
    if (auto n = wide_sign_bytes(rest)) return put(n, ValueKind::none);
    if (!follows_word()) {
      if (is_digit(c) || is_letter(c))
        if (auto time = find_time(rest); time.bytes) return put(time.bytes, time.kind);
      if (is_hex(c) || rest.starts_with("::"))
        if (auto found = find_colons(rest); found.bytes) return put(found.bytes, found.kind);
      if ((c == '"' || c == '\'') && quoted(rest)) return;
      const bool is_drive = rest.size() > 2 && is_letter(c) && rest[1] == ':' && rest[2] == '\\';
      if ((c == '/' && rest.size() > 1 && !is_blank(rest[1])) || is_drive) {
        size_t n = std::min(rest.find_first_of(" \t\r\n\"'<>,;()[]{}|"), rest.size());
        while (n > 1 && (rest[n - 1] == ':' || rest[n - 1] == '.')) --n;
        return put(n, ValueKind::path);
      }
    }
    if (is_wide(c)) {
      size_t n = 1;
      while (n < rest.size() && is_wide(rest[n]) && !wide_sign_bytes(rest.substr(n))) ++n;
      return put(n, ValueKind::none, true);
    }
    const bool is_signed = (c == '-' || c == '+') && rest.size() > 1 && is_digit(rest[1]);
    if (!is_of_word(c) && !is_signed) return put(1, ValueKind::none);
    size_t n = 1;
    while (n < rest.size() && is_of_name(rest[n])) ++n;
    while (n > 1 && (rest[n - 1] == '.' || rest[n - 1] == '-')) --n;
    if (rest.substr(n).starts_with("://"))
      return put(std::min(rest.find_first_of(" \t\r\n\"'<>"), rest.size()), ValueKind::url);
    auto kind = kind_of(rest.substr(0, n));
    put(n, kind, kind == ValueKind::none);
  }

  // Takes the quotes and what stands between them.
  bool quoted(std::string_view rest) {
    size_t end = 1;
    while (end < rest.size() && rest[end] != rest[0]) end += rest[end] == '\\' && rest[0] == '"' ? 2 : 1;
    if (end >= rest.size() || (end + 1 < rest.size() && is_of_word(rest[end + 1]))) return false;  // an apostrophe
    put(1, ValueKind::none);
    if (end > 1) put(end - 1, ValueKind::quoted);
    put(1, ValueKind::none);
    return true;
  }

  // `user bob`, `proto=tcp`: a value by what stands before it.
  void name_values() {
    for (size_t i = 1; i < out_.size(); ++i) {
      auto& piece = out_[i];
      if (!piece.is_word) continue;
      const bool behind_equals = out_[i - 1].text == "=";
      if (!behind_equals) {
        auto word = word_before(out_, i);
        if (word.empty() || !names_value(word) || is_stop_word(lower(piece.text))) continue;
      }
      piece.kinds = static_cast<uint16_t>(kind_of_word(piece.text));
      piece.is_word = false;
    }
  }

  std::string_view line_;
  size_t at_ = 0;
  std::vector<TemplatePiece> out_;
};

// Signs and blanks as they stand, and where words and values are.
std::string shape_of(std::string_view group, const std::vector<TemplatePiece>& pieces) {
  std::string out(group);
  for (auto& piece : pieces) {
    out.push_back('\0');
    if (piece.kinds == 0 && !piece.is_word)
      out += piece.text;
    else
      out.push_back('x');
  }
  return out;
}

// How many of the words are equal, of those that one of the two has; negative when they tell different events.
double similarity(const std::vector<TemplatePiece>& a, const std::vector<TemplatePiece>& b) {
  size_t equal = 0, words = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].is_word && !b[i].is_word) continue;
    ++words;
    if (a[i].is_word && b[i].is_word && a[i].text == b[i].text) {
      ++equal;
    } else if ((a[i].is_word && tells_event(a[i].text)) || (b[i].is_word && tells_event(b[i].text))) {
      return -1;
    }
  }
  return words == 0 ? 1 : static_cast<double>(equal) / static_cast<double>(words);
}

std::string_view shown_kind(uint16_t kinds) {
  switch (static_cast<ValueKind>(kinds)) {
    case ValueKind::integer:
      return "integer";
    case ValueKind::decimal:
      return "number";
    case ValueKind::address:
      return "address";
    case ValueKind::mac:
      return "mac";
    case ValueKind::uuid:
      return "uuid";
    case ValueKind::iso_time:
    case ValueKind::syslog_time:
    case ValueKind::http_time:
    case ValueKind::clock_time:
      return "time";
    case ValueKind::hex:
      return "hex";
    case ValueKind::path:
      return "path";
    case ValueKind::url:
      return "url";
    case ValueKind::quoted:
      return "text";
    case ValueKind::word:
    case ValueKind::name:
      return "name";
    default:
      return "*";
  }
}

}  // namespace

std::vector<TemplatePiece> cut_line(std::string_view line) { return Cutter(line).cut(); }

std::string word_before(const std::vector<TemplatePiece>& pieces, size_t at) {
  for (size_t i = at, signs = 0; i-- > 0 && signs < 4;) {
    auto& piece = pieces[i];
    if (piece.is_word) return lower(piece.text);
    if (piece.kinds != 0) return {};
    // another part of the line
    if (std::string_view(",;|)]}").find(piece.text[0]) != std::string_view::npos) return {};
    ++signs;
  }
  return {};
}

std::string template_text(const LineTemplate& of) {
  std::string out;
  for (auto& piece : of.pieces) {
    if (piece.kinds == 0)
      out += piece.text;
    else
      out.append("<").append(shown_kind(piece.kinds)).append(">");
  }
  return out;
}

void LineTemplates::add(std::string_view line, std::string_view group, std::string_view host) {
  ++lines_;
  auto pieces = cut_line(line);
  auto shape = shape_of(group, pieces);
  LineTemplate* best = nullptr;
  double most = kSimilar;
  auto& alike = by_shape_[shape];
  for (auto number : alike) {
    auto& known = templates_[number];
    if (auto s = similarity(known.pieces, pieces); s >= most && (!best || s > most)) best = &known, most = s;
  }
  if (best) {
    ++best->count;
    for (size_t i = 0; i < pieces.size(); ++i) {
      auto &piece = best->pieces[i], &seen = pieces[i];
      if (piece.is_word && seen.is_word && piece.text == seen.text) continue;
      if (piece.is_word) piece.kinds = static_cast<uint16_t>(kind_of_word(piece.text));
      if (piece.kinds || seen.kinds)
        piece.kinds |= seen.is_word ? static_cast<uint16_t>(kind_of_word(seen.text)) : seen.kinds;
      piece.is_word = false;
    }
    return;
  }
  alike.push_back(static_cast<uint32_t>(templates_.size()));
  templates_.push_back(
      {std::string(group), std::move(pieces), 1, std::string(line.substr(0, kExampleBytesMax)), std::string(host)});
  if (templates_.size() > templates_max_) drop_rare();
}

void LineTemplates::drop_rare() {
  std::stable_sort(templates_.begin(), templates_.end(), [](auto& a, auto& b) { return a.count > b.count; });
  while (templates_.size() > templates_max_ / 2) {
    others_ += templates_.back().count;
    templates_.pop_back();
  }
  by_shape_.clear();
  for (uint32_t i = 0; i < templates_.size(); ++i)
    by_shape_[shape_of(templates_[i].group, templates_[i].pieces)].push_back(i);
}

std::vector<const LineTemplate*> LineTemplates::by_count() const {
  std::vector<const LineTemplate*> out;
  for (auto& each : templates_) out.push_back(&each);
  std::stable_sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->count > b->count; });
  return out;
}

}  // namespace yushi::parsers
