#include "core/web/sql_check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/web/word_set.h"

namespace yushi {
namespace {

enum class Kind : uint8_t {
  end,
  number,
  string,
  open_string,  // whose end the server's own statement is
  name,
  function,  // a name before `(`
  variable,  // @a, @@version
  compares,  // = < > != like …
  joins,     // and or xor && ||
  other_sign,
  open,
  close,
  comma,
  semicolon,
  colons,  // PostgreSQL's ::
  brace,
  comment,  // to the end
};

struct Token {
  Kind kind = Kind::end;
  bool touches = false;  // no blank before it
  std::string_view text;
  bool is(std::string_view word) const { return text == word; }
};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_byte(char c) { return is_letter(c) || is_digit(c) || c == '$' || c == '.'; }
bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text), last_comment_end_(text.rfind("*/")) {}

  Token next() {
    const size_t before = at_;
    skip_blanks();
    Token token = read();
    token.touches = before == begun_;
    return token;
  }

 private:
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool has(std::string_view sign) const { return text_.substr(at_, sign.size()) == sign; }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else if (has("\xc2\xa0") || has("\xef\xbf\xbd")) {  // a blank to MySQL, and what such a byte was decoded to
        at_ += has("\xc2\xa0") ? 2 : 3;
      } else if (has("*/")) {
        at_ += 2;
      } else if (has("/*!")) {  // MySQL runs what is between, from the version on that the number says
        at_ += 3;
        while (is_digit(at(at_))) ++at_;
      } else if (has("/*") && last_comment_end_ != text_.npos && at_ + 2 <= last_comment_end_) {
        at_ = text_.find("*/", at_ + 2) + 2;
      } else {
        return;
      }
    }
  }

  Token take(Kind kind, size_t bytes) {
    bytes = std::min(bytes, text_.size() - at_);
    Token token{kind, false, text_.substr(at_, bytes)};
    at_ += bytes;
    return token;
  }

  Token read() {
    begun_ = at_;
    if (at_ >= text_.size()) return {};
    const char c = text_[at_], then = at(at_ + 1);
    if (c == '#' || has("/*") || has(";%00") || (c == '-' && then == '-')) return take(Kind::comment, text_.size());
    if (is_digit(c) || (c == '.' && is_digit(then))) return number();
    if (is_letter(c)) return name();
    if (c == '-' && then == '>') return take(Kind::compares, at(at_ + 2) == '>' ? 3 : 2);  // of JSON
    switch (c) {
      case '\'':
      case '"':
        return string(c);
      case '`': {
        const size_t to = text_.find('`', at_ + 1);
        return take(Kind::name, to == text_.npos ? 1 : to + 1 - at_);
      }
      case '(':
        return take(Kind::open, 1);
      case ')':
        return take(Kind::close, 1);
      case ',':
        return take(Kind::comma, 1);
      case ';':
        return take(Kind::semicolon, 1);
      case '{':
      case '}':
        return take(Kind::brace, 1);
      case ':':
        return has("::") ? take(Kind::colons, 2) : take(Kind::other_sign, 1);
      case '@': {
        size_t to = at_ + 1;
        while (is_name_byte(at(to)) || at(to) == '@') ++to;
        return to > at_ + 1 && is_letter(text_[to - 1]) ? take(Kind::variable, to - at_) : take(Kind::other_sign, 1);
      }
      case '&':
      case '|':
        return then == c ? take(Kind::joins, 2) : take(Kind::other_sign, 1);
      case '=':
      case '<':
      case '>':
      case '!': {
        size_t to = at_ + 1;
        while (to < text_.size() && to < at_ + 3 && (text_[to] == '=' || text_[to] == '>' || text_[to] == '<')) ++to;
        return take(Kind::compares, to - at_);
      }
      default:
        return take(Kind::other_sign, 1);
    }
  }

  Token number() {
    size_t to = at_;
    if (text_[to] == '0' && at(to + 1) == 'x') to += 2;
    while (is_digit(at(to)) || at(to) == '.' ||
           (to > at_ + 1 && text_[at_ + 1] == 'x' && at(to) >= 'a' && at(to) <= 'f'))
      ++to;
    if (at(to) == 'e' && (is_digit(at(to + 1)) || (at(to + 1) == '-' && is_digit(at(to + 2)))))
      for (to += 2; is_digit(at(to));) ++to;
    if (!is_letter(at(to))) return take(Kind::number, to - at_);
    while (is_name_byte(at(to))) ++to;  // 71ee30ae
    return take(Kind::name, to - at_);
  }

  Token name() {
    static constexpr WordSet kJoins({"and", "or", "xor", "div", "having", "where"});
    static constexpr WordSet kCompares({"like", "rlike", "regexp", "ilike", "between", "in", "is", "sounds"});
    size_t to = at_;
    // A byte that is no character, as MySQL's blank A0, ends a name.
    while (is_name_byte(at(to)) && text_.substr(to, 3) != "\xef\xbf\xbd" && text_.substr(to, 2) != "\xc2\xa0") ++to;
    const auto word = text_.substr(at_, to - at_);
    if (kJoins.has(word) && !(word == "div" && at(to) == '(')) return take(Kind::joins, word.size());
    if (kCompares.has(word)) return take(Kind::compares, word.size());
    if (at(to) == '\'' && (word == "x" || word == "n" || word == "b" || word == "u" || word == "e")) {
      at_ = to;
      return string('\'');
    }
    size_t behind = to;
    while (behind < text_.size() && is_blank(text_[behind])) ++behind;
    // `sleep/**/(5)`
    while (text_.substr(behind, 2) == "/*" && last_comment_end_ != text_.npos && behind + 2 <= last_comment_end_)
      behind = text_.find("*/", behind + 2) + 2;
    return take(at(behind) == '(' ? Kind::function : Kind::name, word.size());
  }

  Token string(char quote) {
    size_t to = at_ + 1;
    for (; to < text_.size(); ++to) {
      if (text_[to] == '\\') {
        ++to;
      } else if (text_[to] == quote) {
        if (at(to + 1) != quote) return take(Kind::string, to + 1 - at_);
        ++to;
      }
    }
    return take(Kind::open_string, text_.size());
  }

  std::string_view text_;
  size_t last_comment_end_;
  size_t at_ = 0, begun_ = 0;
};

// How the text stands in the server's statement.
enum class Place : uint8_t {
  bare,    // nobody knows: beside a name or a number
  behind,  // it left a string, or began with a number
};

// Nobody calls these but to spy, to wait or to make an error.
constexpr WordSet kHostileFunctions({"sleep",
                                     "benchmark",
                                     "pg_sleep",
                                     "extractvalue",
                                     "updatexml",
                                     "load_file",
                                     "xp_cmdshell",
                                     "sys_eval",
                                     "sys_exec",
                                     "lo_import",
                                     "lo_export",
                                     "lo_get",
                                     "pg_read_file",
                                     "pg_ls_dir",
                                     "query_to_xml",
                                     "database_to_xml",
                                     "randomblob",
                                     "load_extension",
                                     "xmltype",
                                     "openrowset",
                                     "opendatasource",
                                     "utl_http.request",
                                     "utl_inaddr.get_host_address",
                                     "utl_inaddr.get_host_name",
                                     "dbms_pipe.receive_message",
                                     "dbms_lock.sleep",
                                     "ctxsys.drithsx.sn",
                                     "geometrycollection",
                                     "polygon",
                                     "multipoint",
                                     "linestring",
                                     "multilinestring",
                                     "multipolygon",
                                     "gtid_subset",
                                     "gtid_subtract",
                                     "st_latfromgeohash",
                                     "exp(~",
                                     "make_set",
                                     "elt",
                                     "name_const",
                                     "procedure",
                                     "master..xp_dirtree",
                                     "xp_dirtree",
                                     "xp_regread",
                                     "sqlite_version",
                                     "group_concat",
                                     "string_agg",
                                     "has_dbaccess",
                                     "fn_virtualfilestats",
                                     "unistr",
                                     "json_extract",
                                     "json_keys"});
// These mean something else elsewhere: asked where they stand in an expression.
constexpr WordSet kFunctions(
    {"ascii",       "ord",     "substring", "substr",      "mid",        "left",         "right",
     "length",      "len",     "char",      "chr",         "concat",     "concat_ws",    "count",
     "cast",        "convert", "database",  "user",        "version",    "current_user", "session_user",
     "system_user", "schema",  "if",        "ifnull",      "iif",        "nullif",       "coalesce",
     "hex",         "unhex",   "md5",       "sha1",        "rand",       "floor",        "row",
     "exists",      "not",     "select",    "case",        "bin",        "lower",        "upper",
     "min",         "max",     "sum",       "avg",         "db_name",    "host_name",    "is_srvrolemember",
     "rpad",        "lpad",    "repeat",    "reverse",     "replace",    "round",        "abs",
     "power",       "sqrt",    "instr",     "locate",      "position",   "strcmp",       "greatest",
     "least",       "to_char", "decode",    "json_object", "json_array", "overlay",      "unicode",
     "nchar",       "all",     "any",       "some",        "ascii2",     "crc32",        "sign",
     "pi",          "exp",     "ln",        "log",         "now",        "getdate",      "sysdate"});
constexpr WordSet kHostileNames({"xp_cmdshell",
                                 "sysobjects",
                                 "syscolumns",
                                 "sqlite_master",
                                 "sqlite_schema",
                                 "pg_catalog",
                                 "pg_user",
                                 "pg_shadow",
                                 "all_tables",
                                 "user_tables",
                                 "msysaccessobjects",
                                 "msysobjects",
                                 "sys.tables",
                                 "sys.objects",
                                 "sys.databases",
                                 "mysql.user",
                                 "v$version",
                                 "master..sysdatabases",
                                 "syscat.tables",
                                 "pg_sleep",
                                 "msdasql",
                                 "sqloledb",
                                 "db_name",
                                 "mysql.db",
                                 "performance_schema",
                                 "sys.user_objects"});
constexpr WordSet kTypes({"int",      "integer", "bigint",  "text",  "bool",  "boolean", "json", "jsonb",
                          "varchar",  "double",  "numeric", "char",  "float", "real",    "date", "timestamp",
                          "regclass", "name",    "xml",     "bytea", "uuid",  "smallint"});

// Asks what begins at `t`; behind it stand kAhead tokens, the last ones `end`.
constexpr size_t kAhead = 24;

bool is_operand(const Token& t) {
  switch (t.kind) {
    case Kind::number:
    case Kind::string:
    case Kind::open_string:
    case Kind::function:
    case Kind::variable:
    case Kind::name:
      return true;
    default:
      return false;
  }
}
bool is_value(const Token& t) {
  return t.kind == Kind::number || t.kind == Kind::string || t.kind == Kind::open_string || t.kind == Kind::variable ||
         (t.kind == Kind::function && (kFunctions.has(t.text) || kHostileFunctions.has(t.text)));
}
bool ends(const Token& t) { return t.kind == Kind::end || t.kind == Kind::comment || t.kind == Kind::semicolon; }
bool is_sign(const Token& t) { return t.kind == Kind::other_sign && t.text.find_first_of("+-~*/%^&|") != t.text.npos; }

const Token* behind_opens(const Token* t, size_t most = 4) {
  while (most-- > 0 && (t->kind == Kind::open || t->kind == Kind::brace || is_sign(*t) || t->is("not") || t->is("!")))
    ++t;
  return t;
}

bool is_union(const Token* t) {
  if (!t->is("union") && !t->is("intersect") && !t->is("except") && !t->is("minus")) return false;
  const bool sure = t->is("union");
  ++t;
  if (t->is("all") || t->is("distinct") || t->is("distinctrow")) ++t;
  for (int i = 0; i < 3 && t->kind == Kind::open; ++i) ++t;
  if (!t->is("select") && !t->is("values")) return false;
  const bool call = t->kind == Kind::function;  // select(1)
  ++t;
  if (call || is_value(*t) || t->kind == Kind::open || is_sign(*t) || ends(*t)) return true;
  if (t->is("null") || t->is("top") || t->is("distinct") || t->is("all") || t->is("case")) return true;
  return sure && (t->kind == Kind::name || t->kind == Kind::function) &&
         (t[1].kind == Kind::comma || t[1].is("from") || ends(t[1]) || t[1].kind == Kind::close ||
          t[1].kind == Kind::open);
}

// `at_start`: a statement or a subquery can begin here.
bool is_select(const Token* t, bool at_start, bool surely_begins) {
  if (!t->is("select") || !at_start) return false;
  if (t->kind == Kind::function) return surely_begins || is_value(t[2]) || t[2].kind == Kind::close;
  ++t;
  if (t->is("distinct") || t->is("all") || t->is("top")) ++t;
  if (is_sign(*t) && t->is("*")) return t[1].is("from") || surely_begins || ends(t[1]);
  if (t->is("case") && t[1].is("when")) return true;
  if (t->kind == Kind::function && (is_value(*t) || surely_begins)) return true;
  if (t->kind == Kind::name && (t->is("pg_sleep") || t->is("null"))) return true;
  if (t->kind == Kind::variable || t->kind == Kind::string) return true;
  if (t->kind == Kind::number)
    return surely_begins || t[1].kind == Kind::comma || t[1].is("from") || t[1].kind == Kind::comment;
  if (t->kind != Kind::name) return surely_begins && t->kind == Kind::open;
  // a list of columns, then where from
  bool list = false;
  for (int i = 0; i < 6 && t[1].kind == Kind::comma && is_operand(t[2]); ++i) {
    t += 2;
    list = true;
  }
  if (!t[1].is("from")) return !list && (t[1].is("group") || t[1].is("into")) && (t[2].is("by") || t[1].is("into"));
  const Token* behind = t + 3;
  if (t[2].kind == Kind::open) return true;
  return t[2].kind == Kind::name && (surely_begins || list || ends(*behind)
                                         ? surely_begins || list || behind->kind != Kind::end
                                         : behind->kind == Kind::joins || behind->is("limit") || behind->is("group") ||
                                               behind->is("order") || behind->is("union"));
}

// A second statement, or the first words of one.
bool is_statement(const Token* t, bool behind_semicolon) {
  const auto named = [](const Token& a) { return a.kind == Kind::name || a.kind == Kind::function; };
  if (t->is("insert") && t[1].is("into"))
    return named(t[2]) && (behind_semicolon || t[2].kind == Kind::function || t[3].is("values") || t[3].is("select") ||
                           t[3].is("set"));
  if (t->is("replace") && named(t[1]))
    return t[1].is("into") ? named(t[2]) && (behind_semicolon || t[2].kind == Kind::function)
                           : behind_semicolon && (t[1].kind == Kind::function || t[2].is("values"));
  if (t->is("delete") && t[1].is("from"))
    return named(t[2]) &&
           (behind_semicolon || t[3].is("where") || t[3].kind == Kind::comment || t[3].kind == Kind::semicolon);
  if (t->is("update") && named(t[1])) return t[2].is("set") && named(t[3]) && t[4].is("=");
  static constexpr WordSet kThings(
      {"table", "database", "view", "function", "procedure", "user", "trigger", "schema", "index", "login", "role"});
  if (t->is("drop") || t->is("alter") || t->is("create")) {
    const Token* thing = t + 1;
    if (thing->is("or") && thing[1].is("replace")) thing += 2;
    if (kThings.has(thing->text) && named(thing[1]))
      return behind_semicolon || thing[1].kind == Kind::function || ends(thing[2])
                 ? thing[2].kind != Kind::end || behind_semicolon
                 : thing[2].is("as") || thing[2].is("add");
    return t->is("drop") && named(*thing) && thing[1].kind == Kind::semicolon && thing[2].kind == Kind::comment;
  }
  if (t->is("truncate")) return behind_semicolon || (t[1].is("table") && named(t[2]));
  if (t->is("exec") || t->is("execute"))
    return t->kind == Kind::function
               ? behind_semicolon
               : t[1].text.starts_with("xp_") || t[1].text.starts_with("sp_") || t[1].text.starts_with("master.") ||
                     t[1].is("immediate") || (behind_semicolon && t[1].kind == Kind::variable);
  if (t->is("declare")) return t[1].kind == Kind::variable;
  if (t->is("waitfor")) return t[1].is("delay") || t[1].is("time");
  if (t->is("shutdown")) return behind_semicolon && (ends(t[1]) || t[1].is("with"));
  if (t->is("grant")) return t[1].is("all") && (t[2].is("on") || t[2].is("privileges"));
  if (t->is("copy")) return named(t[1]) && (t[2].is("from") || t[2].is("to")) && t[3].is("program");
  if (t->is("load")) return t[1].is("data") && (t[2].is("infile") || t[2].is("local"));
  if (t->is("handler")) return named(t[1]) && t[2].is("open");
  return behind_semicolon && ((t->is("if") && t->kind == Kind::function) || t->is("begin") || t->is("call")) &&
         !ends(t[1]);
}

// and 1=1, or 'a' like 'a', || sleep(5). `first`: what stands before it ended a value: a string, a number, a bracket.
bool is_condition(const Token* t, bool first, bool begins) {
  if (t->kind != Kind::joins) return false;
  const Token* a = behind_opens(t + 1);
  const bool bracket = a != t + 1;
  if (a->is("exists") || (a->is("case") && a[1].is("when")) || (a->is("select") && bracket))
    return a[1].kind != Kind::end;
  if (!is_operand(*a)) return false;
  if (a->kind == Kind::function) {
    if (kHostileFunctions.has(a->text)) return true;
    if (kFunctions.has(a->text))
      return begins || is_value(a[2]) || a[2].kind == Kind::open ||
             (a[2].kind == Kind::close && (a[3].kind == Kind::compares || ends(a[3])));
    return begins && a[1].touches;
  }
  const Token* compares = a + 1;
  if (compares->is("not")) ++compares;
  while (compares->kind == Kind::colons || kTypes.has(compares->text)) ++compares;
  if (compares->kind == Kind::close) ++compares;
  const bool goes_on = is_value(compares[1]) || compares[1].kind == Kind::open || compares[1].kind == Kind::colons;
  const bool tests = (compares->kind == Kind::compares && !compares->is("===")) ||
                     (compares->kind == Kind::other_sign && goes_on &&
                      compares->text.find_first_of("?@^*/-+|&%#") != compares->text.npos);
  const bool is_word = compares->kind == Kind::compares && is_letter(compares->text[0]);
  if (a->kind == Kind::name) {
    if (a->is("true") || a->is("false") || a->is("null")) return first || tests;
    // names are words elsewhere: "cats and dogs = fun"
    return first && tests && !is_word && (compares[1].kind != Kind::name || compares[1].touches);
  }
  if (tests && (!is_word || (first && goes_on))) return a->kind != Kind::open_string;
  if (a->kind == Kind::variable) return true;
  if (!first) return false;
  if (a->kind == Kind::open_string) return true;  // ' or '1
  return a[1].kind == Kind::comment || (begins && a[1].kind == Kind::comma) ||
         (t->text[0] == '|' && a->kind == Kind::string) ||
         (a->kind == Kind::number && a[1].kind == Kind::end && bracket);
}

bool is_order(const Token* t, bool first) {
  if (!(t->is("order") || t->is("group")) || !t[1].is("by")) return false;
  const Token* a = behind_opens(t + 2, 2);
  if (a->kind == Kind::number) return first || a[1].kind == Kind::comment || a[1].kind == Kind::comma;
  if (a->kind == Kind::function && is_value(*a)) return true;
  if (a->is("select")) return true;
  return a->kind == Kind::name && (a[1].is("having") || (first && ends(a[1]) && a[1].kind != Kind::end));
}

// What begins at t, whatever stood before.
bool is_hostile_word(const Token* t) {
  if (t->kind == Kind::function) {
    if (kHostileFunctions.has(t->text)) {
      // "sleep (well)" is none
      static constexpr WordSet kAlsoEnglish({"sleep", "benchmark", "polygon", "procedure", "elt", "linestring"});
      if (kAlsoEnglish.has(t->text))
        return t->is("sleep") ? t[2].kind == Kind::number || t[2].kind == Kind::open || t[2].kind == Kind::string
                              : t[2].kind != Kind::name || t[3].kind == Kind::comma || t->is("polygon");
      return true;
    }
    if ((t->is("char") || t->is("chr") || t->is("nchar")) && t[2].kind == Kind::number && t[3].kind == Kind::close)
      return is_sign(t[4]) || t[4].kind == Kind::joins || t[4].kind == Kind::comma;
    if (t->is("char") && t[2].kind == Kind::number && t[3].kind == Kind::comma) return true;
    if (t->is("concat") && (t[2].text.starts_with("0x") || t[2].is("char") || t[2].is("md5"))) return true;
    if (t->is("md5") && t[2].kind == Kind::number && t[3].kind == Kind::close) return true;
    if ((t->is("cast") || t->is("convert")) && (t[2].kind == Kind::open || t[2].is("select"))) return true;
    if (t->is("if") && (t[2].kind == Kind::number || t[2].kind == Kind::function || t[2].kind == Kind::open) &&
        (t[3].kind == Kind::compares || is_value(t[2]) || t[2].kind == Kind::open) && t[2].kind != Kind::open)
      return t[3].kind == Kind::compares || kFunctions.has(t[2].text);
    if (t->is("div") && t[2].kind == Kind::number) return t[3].kind == Kind::comma || t[4].kind == Kind::comma;
    if (t->is("overlay") && t[3].is("placing")) return true;
    return false;
  }
  if (t->kind == Kind::variable) return t->text.starts_with("@@") && t->text.size() > 4;
  if (t->kind == Kind::colons) return kTypes.has(t[1].text);
  if (t->kind != Kind::name) return false;
  if (t->text.starts_with("information_schema") || kHostileNames.has(t->text)) return true;
  if (t->is("into")) return t[1].is("outfile") || t[1].is("dumpfile");
  if (t->is("case")) {
    if (!t[1].is("when")) return false;
    for (int i = 2; i < 12; ++i)
      if (t[i].is("then")) return true;
    return t[2].kind == Kind::open || t[2].kind == Kind::number;
  }
  if (t->is("procedure")) return t[1].is("analyse");
  if (t->is("limit"))
    return t[1].kind == Kind::number && t[2].kind == Kind::comma && t[3].kind == Kind::number &&
           (t[4].is("union") || t[4].is("into") || t[4].is("procedure"));
  if (t->is("if") && t[1].is("length")) return true;
  return false;
}

// The names with which something hostile can begin.
constexpr WordSet kBegins({"union",   "intersect", "except", "minus",     "select",   "insert",  "replace", "delete",
                           "update",  "drop",      "alter",  "create",    "truncate", "exec",    "execute", "declare",
                           "waitfor", "shutdown",  "grant",  "copy",      "load",     "handler", "begin",   "call",
                           "if",      "into",      "case",   "procedure", "limit",    "order",   "group"});
bool may_begin(std::string_view name) {
  return kBegins.has(name) || kHostileNames.has(name) || name.starts_with("information_schema");
}

// Whether what is asked begins at token `number`, before which stand `before`.
bool is_hostile(const Token* t, const Token& before, size_t number, Place place, bool left_string) {
  if (t->kind == Kind::name && !may_begin(t->text)) return false;
  const bool begins = number == 0, opens = before.kind == Kind::open && number > 0;
  const bool first =
      (begins && place == Place::behind) || (number > 0 &&
                                             (before.kind == Kind::number || before.kind == Kind::string ||
                                              before.kind == Kind::close || before.kind == Kind::semicolon) &&
                                             (number <= 3 || before.kind != Kind::number));
  if (is_hostile_word(t) || is_union(t)) return true;
  if (is_select(t, begins || opens || before.kind == Kind::semicolon || before.kind == Kind::joins,
                opens || before.kind == Kind::semicolon || (begins && left_string)))
    return true;
  if (is_statement(t, before.kind == Kind::semicolon) && (begins || first || before.kind == Kind::semicolon))
    return true;
  if (is_condition(t, first, first && (begins || (left_string && number <= 3)))) return true;
  if (is_order(t, first)) return true;
  // 5 like 5, 1 is not 2: a condition of its own
  if (begins && t->kind == Kind::number && t[1].kind == Kind::compares) {
    const Token* b = t[2].is("not") ? t + 3 : t + 2;
    if (b->kind == Kind::number && ends(b[1]) && b->text != t->text &&
        (t[1].is("!=") || t[1].is("<>") || t[1].is("is")))
      return true;
  }
  // (select, 1) like (
  if (t->kind == Kind::close && t[1].kind == Kind::compares && is_letter(t[1].text[0]) && t[2].kind == Kind::open)
    return true;
  if (t->is("like") && (t[1].kind == Kind::open_string || (t[1].is("null") && ends(t[2])))) return true;
  if (!left_string) return false;
  // What follows the string that the text has left.
  if (begins) {
    const Token* a = t;
    for (int i = 0; i < 6 && a->kind == Kind::close; ++i) ++a;
    // `'--no-options'` and `"#chapter"` are written by people
    const auto is_comment = [](const Token& c) {
      const size_t sign = c.kind == Kind::comment && c.text[0] == '#' ? 1 : 2;
      return c.kind == Kind::comment && (c.text[0] == '/' || c.text.size() <= sign || is_blank(c.text[sign]) ||
                                         c.text[sign] == '-' || c.text[sign] == '+');
    };
    if (is_comment(*a)) return true;
    if (a->kind == Kind::semicolon && is_comment(a[1])) return true;
    if ((a->is("+") || a->is("||")) && (a[1].kind == Kind::open || is_value(a[1])))
      return a[1].kind != Kind::number && (a[1].kind != Kind::open_string || a->is("||"));
    if (a->kind == Kind::compares && !is_letter(a->text[0]))
      return (a[1].kind == Kind::open_string && a[1].text.size() > 1 && !is_blank(a[1].text[1]) &&
              (a->is("!=") || a->is("<>") || a->is("<=>"))) ||
             a[1].kind == Kind::comment || (a[1].kind == Kind::number && ends(a[2]) && !a->is(">"));
    if (a->kind == Kind::compares && is_letter(a->text[0])) return a[1].kind == Kind::open || is_value(a[1]);
  }
  return false;
}

bool is_sql(std::string_view text, Place place, bool left_string) {
  Lexer lexer(text);
  std::array<Token, 8 * kAhead> tokens;
  size_t have = 0, number = 0;
  bool ended = false;
  Token before;
  while (true) {
    while (!ended && have < tokens.size() - kAhead) {
      tokens[have++] = lexer.next();
      ended = tokens[have - 1].kind == Kind::end;
    }
    if (ended)  // what lies behind the end is the end
      for (size_t i = have; i < have + kAhead && i < tokens.size(); ++i) tokens[i] = Token();
    const size_t ask = ended ? have : have - kAhead;
    for (size_t i = 0; i < ask; ++i, ++number) {
      if (is_hostile(&tokens[i], before, number, place, left_string)) return true;
      before = tokens[i];
    }
    if (ended) return false;
    std::copy(tokens.begin() + static_cast<ptrdiff_t>(ask), tokens.begin() + static_cast<ptrdiff_t>(have),
              tokens.begin());
    have -= ask;
  }
}

}  // namespace

bool is_sql_injection(std::string_view lowered) {
  size_t begin = 0;
  while (begin < lowered.size() && (is_blank(lowered[begin]) || lowered[begin] == '-')) ++begin;
  const bool number = begin < lowered.size() && is_digit(lowered[begin]);
  if (is_sql(lowered, number ? Place::behind : Place::bare, false)) return true;
  for (char quote : {'\'', '"'})
    if (const auto at = lowered.find(quote); at != lowered.npos && is_sql(lowered.substr(at + 1), Place::behind, true))
      return true;
  return false;
}

}  // namespace yushi
