#include "parsers/authoring/template_pattern.h"

#include <map>
#include <set>

namespace yushi::parsers {
namespace {

bool is_only(uint16_t kinds, std::initializer_list<ValueKind> of) {
  uint16_t mask = 0;
  for (auto kind : of) mask |= static_cast<uint16_t>(kind);
  return (kinds & ~mask) == 0;
}
bool has(uint16_t kinds, ValueKind kind) { return kinds & static_cast<uint16_t>(kind); }

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\.*+?()[]{}|^$").find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

enum class Role {
  other,
  source,
  destination,
  user,
  group,
  process,
  identity,
  user_id,
  group_id,
  port,
  source_port,
  destination_port,
  path
};

// What the word before a value says of it.
Role role_of(const std::string& word) {
  static const std::map<std::string, Role, std::less<>> kRoles = {
      {"from", Role::source},
      {"rhost", Role::source},
      {"src", Role::source},
      {"srcip", Role::source},
      {"source", Role::source},
      {"client", Role::source},
      {"peer", Role::source},
      {"saddr", Role::source},
      {"remote", Role::source},
      {"addr", Role::source},
      {"\xe6\xba\x90ip", Role::source},
      {"\xe6\x9d\xa5\xe8\x87\xaa", Role::source},
      {"\xe4\xbb\x8e", Role::source},
      {"\xe6\xba\x90\xe5\x9c\xb0\xe5\x9d\x80", Role::source},
      {"to", Role::destination},
      {"dst", Role::destination},
      {"dstip", Role::destination},
      {"dest", Role::destination},
      {"destination", Role::destination},
      {"daddr", Role::destination},
      {"server", Role::destination},
      {"\xe7\x9b\xae\xe7\x9a\x84ip", Role::destination},
      {"\xe7\x9b\xae\xe7\x9a\x84\xe5\x9c\xb0\xe5\x9d\x80", Role::destination},
      {"user", Role::user},
      {"username", Role::user},
      {"user_name", Role::user},
      {"account", Role::user},
      {"acct", Role::user},
      {"logname", Role::user},
      {"uname", Role::user},
      {"\xe7\x94\xa8\xe6\x88\xb7", Role::user},
      {"\xe7\x94\xa8\xe6\x88\xb7\xe5\x90\x8d", Role::user},
      {"\xe8\xb4\xa6\xe5\x8f\xb7", Role::user},
      {"group", Role::group},
      {"pid", Role::process},
      {"uid", Role::user_id},
      {"auid", Role::user_id},
      {"userid", Role::user_id},
      {"gid", Role::group_id},
      {"port", Role::port},
      {"\xe7\xab\xaf\xe5\x8f\xa3", Role::port},
      {"spt", Role::source_port},
      {"sport", Role::source_port},
      {"dpt", Role::destination_port},
      {"dport", Role::destination_port},
      {"file", Role::path},
      {"path", Role::path},
      {"open", Role::path},
      {"opened", Role::path},
      {"read", Role::path},
      {"wrote", Role::path},
      {"deleted", Role::path},
      {"created", Role::path},
  };
  auto at = kRoles.find(word);
  return at == kRoles.end() ? Role::other : at->second;
}

constexpr auto kWordLike = {ValueKind::word, ValueKind::integer};
constexpr auto kNameLike = {ValueKind::word, ValueKind::integer, ValueKind::name, ValueKind::decimal, ValueKind::uuid};

class PatternMaker {
 public:
  PatternMaker(const std::string& parser, const LineTemplate& of) : parser_(parser), of_(of) {}

  // nullopt: nothing in it is fixed.
  std::optional<TemplatePattern> make() {
    size_t words = 0, signs = 0, values = 0;
    for (auto& piece : of_.pieces) {
      words += piece.is_word;
      signs += piece.kinds == 0 && !piece.is_word && piece.text[0] != ' ';
      values += piece.kinds != 0;
    }
    if (words == 0 && signs < 4) return std::nullopt;
    // One text may be greedy, where all else is strict: what stands behind it is then the program's own (docs).
    may_be_greedy_ = values > 0;
    for (size_t i = 0; i < of_.pieces.size(); ++i) add(i);
    return std::move(out_);
  }

 private:
  static bool is_from_outside(uint16_t kinds) {
    return has(kinds, ValueKind::text) || has(kinds, ValueKind::quoted) || has(kinds, ValueKind::url) ||
           has(kinds, ValueKind::path);
  }

  void add(size_t i) {
    auto& piece = of_.pieces[i];
    if (piece.kinds == 0) {
      out_.grok += escaped(piece.text);
      return;
    }
    auto [field, type] = field_for(i);
    auto macro = macro_for(i, field);
    // A text that is not of the field's type would be left out.
    if (field == "source.ip" || field == "destination.ip") last_address_ = field;
    used_.insert(field);
    if (field.starts_with(parser_ + ".")) out_.own.emplace_back(field, type);
    out_.grok += "%{" + macro + ":" + field + "}";
  }

  std::string macro_for(size_t i, const std::string& field) {
    auto kinds = of_.pieces[i].kinds;
    const bool is_last = i + 1 == of_.pieces.size();
    const bool is_user = field == "user.name" || field == "user.target.name";
    if ((is_user || (is_last && is_from_outside(kinds))) && may_be_greedy_ && !is_between_quotes(i)) {
      may_be_greedy_ = false;
      return "GREEDYDATA";
    }
    if (is_only(kinds, {ValueKind::integer})) return "INT";
    if (is_only(kinds, {ValueKind::integer, ValueKind::decimal})) return "NUMBER";
    if (is_only(kinds, {ValueKind::address})) return "IP";
    if (is_only(kinds, {ValueKind::mac})) return "MAC";
    if (is_only(kinds, {ValueKind::uuid})) return "UUID";
    if (is_only(kinds, {ValueKind::iso_time})) return "TIMESTAMP_ISO8601";
    if (is_only(kinds, {ValueKind::syslog_time})) return "SYSLOGTIMESTAMP";
    if (is_only(kinds, {ValueKind::http_time})) return "HTTPDATE";
    if (is_only(kinds, {ValueKind::clock_time})) return "TIME";
    if (is_only(kinds, {ValueKind::hex})) return "HEX";
    if (is_only(kinds, {ValueKind::path})) return "PATH";
    if (is_only(kinds, kWordLike)) return "WORD";
    if (is_only(kinds, kNameLike)) return "HOSTNAME";
    if (has(kinds, ValueKind::quoted))
      return is_between_quotes(i) && of_.pieces[i - 1].text == "\"" ? "QUOTED" : "DATA";
    if (is_last && of_.pieces[i].text.find(' ') != std::string::npos) return "DATA";
    return "NOTSPACE";
  }

  bool is_between_quotes(size_t i) const {
    return i > 0 && i + 1 < of_.pieces.size() && (of_.pieces[i - 1].text == "\"" || of_.pieces[i - 1].text == "'");
  }

  std::pair<std::string, FieldType> field_for(size_t i) {
    auto kinds = of_.pieces[i].kinds;
    auto word = word_before(of_.pieces, i);
    auto role = role_of(word);
    auto once = [&](const char* name) { return !used_.contains(name); };
    const bool is_integer = is_only(kinds, {ValueKind::integer});
    if (is_only(kinds, {ValueKind::iso_time, ValueKind::syslog_time, ValueKind::http_time}) && once("@timestamp") &&
        i < 3)
      return {"@timestamp", FieldType::date};
    if (is_only(kinds, {ValueKind::address})) {
      if (role == Role::destination && once("destination.ip")) return {"destination.ip", FieldType::ip};
      if (role == Role::source && once("source.ip")) return {"source.ip", FieldType::ip};
      return {own(word, "address"), FieldType::ip};
    }
    if (is_integer) {
      const bool behind_address =
          i > 1 && of_.pieces[i - 1].text == ":" && has(of_.pieces[i - 2].kinds, ValueKind::address);
      if (role == Role::port || behind_address) {
        auto port = last_address_ == "destination.ip" ? "destination.port" : "source.port";
        if (!last_address_.empty() && once(port)) return {port, FieldType::integer};
      }
      if (role == Role::source_port && once("source.port")) return {"source.port", FieldType::integer};
      if (role == Role::destination_port && once("destination.port")) return {"destination.port", FieldType::integer};
      if (role == Role::process && once("process.pid")) return {"process.pid", FieldType::integer};
      if (role == Role::user_id && once("user.id")) return {"user.id", FieldType::keyword};
      if (role == Role::group_id && once("group.id")) return {"group.id", FieldType::keyword};
      return {own(word, "number"), FieldType::integer};
    }
    if (role == Role::user && once("user.name")) return {"user.name", FieldType::keyword};
    if (role == Role::group && once("group.name")) return {"group.name", FieldType::keyword};
    if (is_only(kinds, {ValueKind::path}) && role == Role::path && once("file.path"))
      return {"file.path", FieldType::keyword};
    if (is_only(kinds, {ValueKind::url}) && once("url.original")) return {"url.original", FieldType::keyword};
    if (is_only(kinds, {ValueKind::integer, ValueKind::decimal})) return {own(word, "number"), FieldType::real};
    return {own(word, has(kinds, ValueKind::path)     ? "path"
                      : has(kinds, ValueKind::quoted) ? "text"
                                                      : "value"),
            FieldType::keyword};
  }

  std::string own(const std::string& word, const char* otherwise) {
    auto part = slug(word, '_', 24);
    if (part.empty() || (part[0] >= '0' && part[0] <= '9')) part = otherwise;
    auto name = parser_ + "." + part;
    for (int n = 2; used_.contains(name); ++n) name = parser_ + "." + part + "_" + std::to_string(n);
    return name;
  }

  const std::string& parser_;
  const LineTemplate& of_;
  TemplatePattern out_;
  std::set<std::string> used_;
  std::string last_address_;
  bool may_be_greedy_ = false;
};

}  // namespace

std::string slug(std::string_view text, char between, size_t most) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (fits)
      out.push_back(c);
    else if (!out.empty() && out.back() != between)
      out.push_back(between);
    if (out.size() >= most) break;
  }
  while (!out.empty() && out.back() == between) out.pop_back();
  return out;
}

std::optional<TemplatePattern> pattern_of(const std::string& parser, const LineTemplate& of) {
  return PatternMaker(parser, of).make();
}

std::string ecs_field_of_key(const std::string& key, const std::string& value) {
  auto pieces = cut_line(value);
  const auto kinds = pieces.size() == 1 ? pieces[0].kinds : 0;
  std::string word;
  for (char c : key.substr(key.rfind('.') + 1)) word.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  const auto role = role_of(word);
  const bool is_address = is_only(kinds, {ValueKind::address}) && kinds,
             is_integer = is_only(kinds, {ValueKind::integer}) && kinds;
  if (role == Role::source && is_address) return "source.ip";
  if (role == Role::destination && is_address) return "destination.ip";
  if (role == Role::user && !value.empty()) return "user.name";
  if (role == Role::group && !value.empty()) return "group.name";
  if (role == Role::source_port && is_integer) return "source.port";
  if (role == Role::destination_port && is_integer) return "destination.port";
  if (role == Role::process && is_integer) return "process.pid";
  if (role == Role::user_id && is_integer) return "user.id";
  if (role == Role::group_id && is_integer) return "group.id";
  return {};
}

}  // namespace yushi::parsers
