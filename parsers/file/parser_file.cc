// Reads one parser file. Every problem is named with its place, and reading goes on after it.
#include <algorithm>
#include <initializer_list>
#include <set>

#include "core/base/name.h"
#include "parsers/file/yaml_reader.h"
#include "parsers/header/syslog_header.h"
#include "parsers/loaded_parsers.h"

namespace yushi::parsers {
namespace {

constexpr size_t kFilePatternsMax = 2000;
static_assert(BodyPairs::kPairsMax == kStructuredDataMax, "a capped message says one number");

// Without the tests, where they end the file: nothing below them begins at the margin but a list's dash or a comment.
std::string_view before_tests(std::string_view text) {
  constexpr std::string_view kTests = "\ntests:";
  const auto begin = text.find(kTests);
  for (auto at = begin; at != text.npos; at = text.find('\n', at + 1))
    if (at != begin && at + 1 < text.size() && std::string_view(" -#\r\n").find(text[at + 1]) == text.npos) return text;
  return text.substr(0, begin == text.npos ? begin : begin + 1);
}

class FileReader : YamlReader {
 public:
  FileReader(const ParserFile& file, const SharedParts& shared, Problems& problems, bool with_tests)
      : YamlReader(file, problems), shared_(shared), macros_(shared.macros) {
    out_->has_tests = with_tests;
    if (!with_tests) text_ = before_tests(text_);
  }

  std::unique_ptr<ParserDefinition> read() {
    with_root("a parser file is a map that begins with name:", [&](const YAML::Node& root) { read_root(root); });
    return std::move(out_);
  }

 private:
  using Fields = std::vector<ConstantField>;

  void read_root(const YAML::Node& root) {
    out_->path = file_.path;
    out_->position = place(root);
    if (root["name"] && root["name"].IsScalar()) out_->name = root["name"].Scalar();
    if (out_->name.empty()) {
      problem(root, "name: is missing");
      out_->name = "unnamed";
    }
    if (!is_parser_name(out_->name))
      problem(root["name"], "a parser's name has letters a-z, digits, '_', '-' and '.' only");
    out_->dataset = out_->name;
    if (root["of"]) text(root["of"], "of", &of_);
    // What patterns lean on comes first, wherever it stands in the file.
    if (root["types"]) read_types(root["types"]);
    if (root["macros"]) read_macros(root["macros"]);
    if (root["null_values"]) null_values_ = texts(root["null_values"], "null_values");
    if (root["fields"]) fields_ = read_fields(root["fields"]);
    if (root["event"]) event_ = read_event(root["event"], fields_);
    if (root["words"]) read_words(root["words"]);
    if (root["keys"]) keys_ = read_keys(root["keys"]);
    if (root["trusted"]) trusted_ = read_trusted(root["trusted"]);
    if (root["variants"]) variants_ = read_variants(root["variants"]);
    if (root["tables"]) tables_ = read_tables(root["tables"]);
    bool has_patterns = false, has_match = false;
    each(root, "the parser", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      static const std::set<std::string> kRead = {"name",  "of",    "types", "macros",  "null_values", "fields",
                                                  "event", "words", "keys",  "trusted", "variants",    "tables"};
      if (kRead.contains(key)) return;
      if (key == "aliases") {
        out_->aliases = texts(value, "aliases");
      } else if (key == "dataset") {
        text(value, "dataset", &out_->dataset);
      } else if (key == "format") {
        text(value, "format", &out_->format);
      } else if (key == "generic") {
        out_->generic = flag(value, "generic");
      } else if (key == "writers") {
        out_->writers = texts(value, "writers");
      } else if (key == "escapes") {
        out_->escapes = flag(value, "escapes");
      } else if (key == "repeated") {
        if (std::string name; text(value, "repeated", &name)) out_->repeated = field(name, value);
      } else if (key == "join") {
        out_->join = read_join(value);
      } else if (key == "match") {
        has_match = true;
        read_match(value);
      } else if (key == "patterns") {
        has_patterns = true;
        read_patterns(value);
      } else if (key == "tests") {
        read_tests(value);
      } else if (key == "about") {
        text(value, "about", &out_->about);
      } else {
        problem(at, "unknown key '" + key + "'");
      }
    });
    if (!has_patterns || out_->patterns.empty()) problem(root, "patterns: is missing");
    if (!has_match && !out_->generic) problem(root, "match: is missing (or generic: true)");
  }

  JoinRule read_join(const YAML::Node& node) {
    const auto expand = [&](const std::string& regex) -> Result<std::string> {
      auto expanded = YUSHI_TRY(expand_grok(regex, macros_));
      if (!expanded.captures.empty()) return fail(Code::invalid, "an expression of join captures nothing");
      return expanded.regex;
    };
    const auto tables = [&](const YAML::Node& value) {
      std::vector<std::shared_ptr<const ValueTable>> out;
      for (auto& one : read_tables(value)) out.push_back(std::move(one.table));
      return out;
    };
    return read_join_rule(node, {[&](const std::string& name, const YAML::Node& at) { return field(name, at); }, expand,
                                 tables, [&](const YAML::Node& at, const std::string& what) { problem(at, what); }});
  }

  void read_match(const YAML::Node& node) {
    auto& match = out_->match;
    each(node, "match", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "app")
        match.apps = texts(value, "app");
      else if (key == "tag")
        match.tags = texts(value, "tag");
      else if (key == "dataset")
        match.datasets = texts(value, "dataset");
      else if (key == "file")
        match.files = texts(value, "file");
      else if (key == "prefix")
        match.prefixes = texts(value, "prefix");
      else if (key == "prefix_app")
        match.prefix_apps = programs(value, "prefix_app");
      else if (key == "transport")
        read_transports(value);
      else if (key == "keys")
        match.keys = texts(value, "keys");
      else if (key == "keys_app")
        match.keys_apps = in_lower_case(programs(value, "keys_app"));
      else if (key == "any")
        match.any = flag(value, "any");
      else if (key == "any_app")
        match.any_apps = in_lower_case(programs(value, "any_app"));
      else if (key == "last")
        match.last = flag(value, "last");
      else
        problem(at, "unknown key '" + key +
                        "' in match; there are app, tag, dataset, file, prefix, prefix_app, keys, keys_app, transport, "
                        "any, any_app and last");
    });
    if (!match.keys_apps.empty() && match.keys.empty())
      problem(node, "keys_app: says from whom keys: count; there are none");
    if (!match.any_apps.empty() && !match.any) problem(node, "any_app: is said beside any: true");
  }

  // Names of programs, and lists of them: `%{shippers}`.
  std::vector<std::string> programs(const YAML::Node& node, const char* what) {
    std::vector<std::string> out;
    for (auto& name : texts(node, what)) {
      if (!name.starts_with("%{") || !name.ends_with('}')) {
        out.push_back(std::move(name));
        continue;
      }
      const auto list = name.substr(2, name.size() - 3);
      if (auto shared = shared_.programs.find(list); shared != shared_.programs.end())
        out.insert(out.end(), shared->second.begin(), shared->second.end());
      else
        problem(node, "there is no list of programs '" + list + "'; a file of its own has it, with programs: " + list +
                          " and of:");
    }
    return out;
  }

  static std::vector<std::string> in_lower_case(std::vector<std::string> names) {
    for (auto& name : names)
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return names;
  }

  void read_transports(const YAML::Node& node) {
    for (auto& name : texts(node, "transport")) {
      size_t at = 0;
      while (at < kTransports && transport_name(static_cast<Transport>(at)) != name) ++at;
      if (at == kTransports)
        problem(node,
                "'" + name +
                    "' is no transport; there are udp, tcp, tls, relp, unix, file, journald, http, kafka and internal");
      else
        out_->match.transports.push_back(static_cast<Transport>(at));
    }
  }

  void read_types(const YAML::Node& node) {
    each(node, "types", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      static const std::map<std::string, FieldType> kTypes = {
          {"keyword", FieldType::keyword}, {"text", FieldType::text},       {"integer", FieldType::integer},
          {"real", FieldType::real},       {"boolean", FieldType::boolean}, {"ip", FieldType::ip},
          {"date", FieldType::date}};
      // [keyword] is a list of them.
      bool list = value.IsSequence() && value.size() == 1 && value[0].IsScalar();
      auto type = list ? kTypes.find(value[0].Scalar()) : value.IsScalar() ? kTypes.find(value.Scalar()) : kTypes.end();
      if (type == kTypes.end())
        return problem(value, "a type is keyword, text, integer, real, boolean, ip or date, in [] for a list");
      if (!is_own(key))
        return problem(at, "types: '" + key + "' is not an own field; own ones begin with '" + out_->name + ".'");
      types_[key] = type->second;
      if (list) lists_.insert(key);
      field(key, at);
    });
  }

  void read_macros(const YAML::Node& node) {
    each(node, "macros", [&](const std::string& key, const YAML::Node&, const YAML::Node& value) {
      if (std::string body; text(value, "a macro", &body)) macros_[key] = body;
    });
  }

  void read_words(const YAML::Node& node) {
    each(node, "words", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      std::string name;
      if (!text(value, "a word's field", &name)) return;
      if (auto* to = field(name, at)) words_.emplace_back(key, to);
    });
  }

  bool is_own(const std::string& name) const {
    return name.starts_with(out_->name + ".") || (!of_.empty() && name.starts_with(of_ + "."));
  }

  const Field* field(const std::string& name, const YAML::Node& at) override {
    if (is_ours(name)) {
      problem(at, "'" + name +
                      "' is what we say of each record; the line's own is a field of your own, which begins with the "
                      "parser's name");
      return nullptr;
    }
    if (is_own(name)) {
      auto type = types_.contains(name) ? types_[name] : FieldType::keyword;
      auto declared = declare_field(name, type, lists_.contains(name));
      if (!declared) {
        problem(at, declared.error().message);
        return nullptr;
      }
      return *declared;
    }
    auto* known = find_field(name);
    // A name under another parser's is known by accident of load order: it does not count.
    if (known && !is_fixed_field(*known)) known = nullptr;
    if (!known) problem(at, "'" + name + "' is no ECS field; a field of your own begins with '" + out_->name + ".'");
    return known;
  }

  Fields read_fields(const YAML::Node& node) { return read_constants(node, "fields"); }

  std::vector<const Field*> read_trusted(const YAML::Node& node) {
    std::vector<const Field*> out;
    for (auto& name : texts(node, "trusted"))
      if (auto* one = field(name, node)) out.push_back(one);
    return out;
  }

  std::vector<KeyTarget> read_keys(const YAML::Node& node) {
    std::vector<KeyTarget> out;
    each(node, "keys", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      KeyTarget target;
      target.key = key;
      auto add_fields = [&](const YAML::Node& names) {
        for (auto& name : texts(names, "a key's field"))
          if (auto* to = field(name, at)) target.fields.push_back(to);
      };
      if (value.IsNull()) {
        // left out on purpose
      } else if (value.IsMap()) {
        each(value, "a key", [&](const std::string& what, const YAML::Node& what_at, const YAML::Node& inner) {
          if (what == "field")
            add_fields(inner);
          else if (what == "hex")
            target.hex = flag(inner, "hex");
          else if (what == "quoted_null")
            text(inner, "quoted_null", &target.quoted_null);
          else if (what == "grok")
            read_value_patterns(inner, macros_, target);
          else if (what == "lower")
            target.lower = flag(inner, "lower");
          else if (what == "split")
            read_split(inner, target);
          else
            problem(what_at, "unknown key '" + what + "'; a key has field, grok, hex, lower, split and quoted_null");
        });
      } else {
        add_fields(value);
      }
      out.push_back(std::move(target));
    });
    return out;
  }

  void read_split(const YAML::Node& node, KeyTarget& target) {
    std::string sign;
    if (!text(node, "split", &sign)) return;
    if (sign.size() != 1) return problem(node, "split: is one sign, such as ','");
    target.split = sign[0];
  }

  static Body body_named(std::string_view name) {
    static const std::map<std::string_view, Body> kBodies = {
        {"json", Body::json},   {"key-value", Body::key_values},
        {"cef", Body::cef},     {"leef", Body::leef},
        {"csv", Body::csv},     {"xml", Body::xml},
        {"names", Body::names}, {"structured-data", Body::structured_data}};
    const auto at = kBodies.find(name);
    return at == kBodies.end() ? Body::none : at->second;
  }

  void read_pairs(const YAML::Node& node, PairShape& pairs) {
    each(node, "pairs", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "between")
        text(value, "between", &pairs.between);
      else if (key == "equals")
        text(value, "equals", &pairs.equals);
      else
        problem(at, "unknown key '" + key + "' in pairs; there are between and equals");
    });
  }

  std::vector<BodyCondition> read_conditions(const YAML::Node& node) {
    std::vector<BodyCondition> out;
    each(node, "body", [&](const std::string& key, const YAML::Node&, const YAML::Node& value) {
      out.push_back({key, texts(value, "body")});
    });
    return out;
  }

  // Types of own fields count for keys that are not named, too.
  void add_typed_keys(const std::string& prefix, std::vector<KeyTarget>& keys) {
    for (auto& [name, type] : types_) {
      if (!name.starts_with(prefix)) continue;
      KeyTarget target;
      target.key = name.substr(prefix.size());
      if (std::any_of(keys.begin(), keys.end(), [&](auto& key) { return key.key == target.key; })) continue;
      if (auto declared = declare_field(name, type, lists_.contains(name))) target.fields.push_back(*declared);
      keys.push_back(std::move(target));
    }
  }

  std::vector<Variant> read_variants(const YAML::Node& node) {
    std::vector<Variant> out;
    if (!node.IsSequence()) {
      problem(node, "variants must be a list");
      return out;
    }
    for (const auto& item : node) {
      Variant variant;
      variant.position = place(item);
      each(item, "a variant", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "name") {
          text(value, "name", &variant.name);
        } else if (key == "when") {
          each(value, "when", [&](const std::string& name, const YAML::Node& name_at, const YAML::Node& globs) {
            const auto* of = field(name, name_at);
            if (globs.IsMap())
              each(globs, "when", [&](const std::string& word, const YAML::Node& word_at, const YAML::Node& none_of) {
                if (word != "not") return problem(word_at, "unknown key '" + word + "' of a value; there is not");
                if (of) variant.conditions.push_back({of, texts(none_of, "when"), true});
              });
            else if (of)
              variant.conditions.push_back({of, texts(globs, "when")});
          });
        } else if (key == "fields") {
          variant.fields = read_fields(value);
        } else if (key != "event") {
          problem(at, "unknown key '" + key + "' in a variant; there are name, when, event and fields");
        }
      });
      if (item.IsMap() && item["event"]) variant.event = read_event(item["event"], variant.fields);
      if (variant.name.empty()) problem(variant.position, "a variant needs a name");
      if (variant.conditions.empty()) problem(variant.position, "a variant needs when:");
      out.push_back(std::move(variant));
    }
    return out;
  }

  struct TableAt {
    std::shared_ptr<const ValueTable> table;
    FilePosition position;
    bool used = false;
  };

  std::vector<TableAt> read_tables(const YAML::Node& node) {
    std::vector<TableAt> out;
    if (!node.IsSequence()) {
      problem(node, "tables must be a list");
      return out;
    }
    for (const auto& item : node) {
      auto table = std::make_shared<ValueTable>();
      each(item, "a table", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "by") {
          for (auto& name : texts(value, "by"))
            if (auto* one = field(name, value)) table->by.push_back(one);
        } else if (key == "rows") {
          table->rows = read_rows(value);
        } else if (key == "table") {
          std::string name;
          if (!text(value, "table", &name)) return;
          if (auto shared = shared_.tables.find(name); shared != shared_.tables.end())
            table->rows = shared->second;
          else
            problem(value,
                    "there is no table '" + name + "'; a file of its own has it, with table: " + name + " and rows:");
        } else if (key == "else") {
          table->otherwise = read_row(value, "else");
        } else {
          problem(at, "unknown key '" + key + "' in a table; there are by, rows, table and else");
        }
      });
      if (item.IsMap() && static_cast<bool>(item["rows"]) == static_cast<bool>(item["table"]))
        problem(item, "a table needs either rows: or table: with the name of a shared one");
      if (item.IsMap() && !item["by"])
        problem(item, "a table needs by: with the field that decides, or a list of fields");
      if (!table->by.empty() && table->rows) out.push_back({std::move(table), place(item)});
    }
    return out;
  }

  // May a message of this pattern have the value? Of bodies nobody knows the keys.
  static bool may_give(const PatternDefinition& pattern, const Field* field) {
    if (pattern.extract != Body::none || is_of_header(*field)) return true;
    return std::any_of(pattern.captures.begin(), pattern.captures.end(),
                       [&](auto& to) { return !to.field || to.field == field; });
  }

  static bool is_of_header(const Field& field) {
    return field.name.starts_with("log.syslog.") || &field == ecs::host_name || &field == ecs::process_name ||
           &field == ecs::process_pid;
  }

  void add_tables(PatternDefinition& pattern, std::vector<TableAt> own) {
    auto decides = [&](const ValueTable& table) {
      return std::all_of(table.by.begin(), table.by.end(), [&](auto* field) { return may_give(pattern, field); });
    };
    for (auto& of_file : tables_)
      if (decides(*of_file.table)) {
        of_file.used = true;
        pattern.tables.push_back(of_file.table);
      }
    for (auto& one : own) {
      if (!decides(*one.table)) problem(one.position, "the pattern captures nothing for by:");
      pattern.tables.push_back(one.table);
    }
  }

  void read_patterns(const YAML::Node& node) {
    if (!node.IsSequence()) return problem(node, "patterns must be a list");
    if (node.size() > kFilePatternsMax) return problem(node, "more than 2,000 patterns in one file");
    std::set<std::string> names;
    for (const auto& item : node) {
      PatternDefinition pattern;
      pattern.position = place(item);
      pattern.variants = variants_;
      pattern.trusted = trusted_;
      std::vector<KeyTarget> keys = keys_;
      std::vector<TableAt> own_tables;
      Fields own_fields;
      bool has_grok = false, has_extract = false;
      each(item, "a pattern", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "name") {
          text(value, "name", &pattern.name);
        } else if (key == "grok") {
          has_grok = true;
          read_grok(value, pattern);
        } else if (key == "extract") {
          has_extract = true;
          pattern.extract = value.IsScalar() ? body_named(value.Scalar()) : Body::none;
          if (pattern.extract == Body::none)
            problem(value, "extract is json, key-value, cef, leef, csv, xml, names or structured-data");
        } else if (key == "columns") {
          pattern.shape.csv.columns = texts(value, "columns");
        } else if (key == "separator") {
          text(value, "separator", &pattern.shape.csv.separator);
        } else if (key == "pairs") {
          read_pairs(value, pattern.shape.pairs);
        } else if (key == "body") {
          pattern.conditions = read_conditions(value);
        } else if (key == "message_of") {
          for (auto& name : texts(value, "message_of"))
            if (auto* to = field(name, value)) pattern.message_of.push_back(to);
        } else if (key == "written_by") {
          read_written_by(value, pattern);
        } else if (key == "whole") {
          pattern.whole = flag(value, "whole");
        } else if (key == "fields") {
          own_fields = read_fields(value);
        } else if (key == "event") {
          // read below: it lies under the pattern's fields, wherever it stands
        } else if (key == "variants") {
          pattern.variants = read_variants(value);
        } else if (key == "tables") {
          own_tables = read_tables(value);
        } else if (key == "trusted") {
          auto own = read_trusted(value);
          pattern.trusted.insert(pattern.trusted.end(), own.begin(), own.end());
        } else if (key == "keys") {
          // The pattern's own keys take the place of the parser's.
          for (auto& own : read_keys(value)) {
            auto same = std::find_if(keys.begin(), keys.end(), [&](auto& other) { return other.key == own.key; });
            if (same == keys.end())
              keys.push_back(std::move(own));
            else
              *same = std::move(own);
          }
        } else {
          problem(at, "unknown key '" + key + "' in a pattern");
        }
      });
      if (item.IsMap() && item["event"]) pattern.event = read_event(item["event"], own_fields);
      if (pattern.name.empty()) problem(item, "a pattern needs a name");
      if (!names.insert(pattern.name).second) problem(item, "two patterns are named '" + pattern.name + "'");
      if (has_grok == has_extract) problem(item, "a pattern needs either grok or extract");
      const auto prefix = out_->name + ".";
      const bool has_keys =
          pattern.extract != Body::none ||
          std::any_of(pattern.captures.begin(), pattern.captures.end(), [](auto& to) { return !to.field; });
      if (has_keys) {
        declare_dynamic_prefix(prefix);
        add_typed_keys(prefix, keys);
      } else if (!pattern.conditions.empty()) {
        problem(item, "body: asks what stands in a body; the pattern '" + pattern.name + "' has none");
      }
      if (has_keys) pattern.keys = std::make_shared<KeyTable>(prefix, std::move(keys), null_values_, words_);
      if (!pattern.message_of.empty()) {
        pattern.inner_kinds = std::make_unique<InnerKinds>();
        const auto is_message = [](const Field* to) { return to == ecs::message; };
        const auto captured = [&](auto& to) { return is_message(to.field); };
        const auto keyed = [&](auto& to) {
          return std::any_of(to.fields.begin(), to.fields.end(), is_message) || to.cuts_out(is_message);
        };
        if (std::none_of(pattern.captures.begin(), pattern.captures.end(), captured) &&
            !(has_keys && std::any_of(pattern.keys->targets().begin(), pattern.keys->targets().end(), keyed)))
          problem(item, "message_of: says whose line the field message holds; the pattern '" + pattern.name +
                            "' captures none");
      }
      pattern.constants = merged(fields_, own_fields);
      add_tables(pattern, std::move(own_tables));
      check_events(pattern, has_keys);
      out_->patterns.push_back(std::move(pattern));
    }
    for (auto& of_file : tables_)
      if (!of_file.used) problem(of_file.position, "no pattern captures what by: names");
    make_kinds(node);
  }

  void make_kinds(const YAML::Node& patterns) {
    uint64_t all = 0;
    for (auto& pattern : out_->patterns) all += pattern.combinations();
    if (all > kCombinationsMax)
      return problem(patterns,
                     "the tables and variants of the patterns make " + std::to_string(all) +
                         " kinds of messages, and 65,536 is the most; give the tables to the patterns that need them");
    for (auto& pattern : out_->patterns)
      pattern.kinds = std::make_unique<PatternKinds>(static_cast<uint32_t>(pattern.combinations() * 4));
  }

  void read_written_by(const YAML::Node& node, PatternDefinition& pattern) {
    each(node, "written_by", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key != "program" && key != "id")
        return problem(at, "unknown key '" + key + "' in written_by; there are program and id");
      for (auto& name : texts(value, "written_by")) {
        const auto* one = field(name, value);
        if (!one) continue;
        if (key == "program")
          pattern.written_by.push_back(one);
        else
          pattern.written_by_id = one;
      }
    });
  }

  void read_grok(const YAML::Node& value, PatternDefinition& pattern) {
    std::string grok;
    if (!text(value, "grok", &grok)) return;
    auto expanded = expand_grok(grok, macros_);
    if (!expanded) return problem(value, expanded.error().message);
    for (auto& capture : expanded->captures) {
      const bool is_body = capture.body != Body::none;
      auto* to = is_body ? nullptr : field(capture.field, value);
      if (!to && !is_body) continue;
      pattern.captures.push_back({to, capture.escape, to && to->type == FieldType::ip, capture.body});
      pattern.expressions.push_back(std::move(capture.regex));
    }
    auto compiled = Pattern::compile(expanded->regex, &pattern.tree);
    if (!compiled) return problem(value, compiled.error().message);
    if (compiled->groups() != static_cast<int>(expanded->captures.size()))
      return problem(value, "the pattern has groups that are no captures");
    pattern.pattern = std::move(*compiled);
  }

  // A kind of event without what makes it one is a promise that no detector can lean on.
  void check_events(const PatternDefinition& pattern, bool has_keys) {
    check_event(pattern, has_keys, pattern.event ? pattern.event : event_, pattern.position, "", {});
    for (auto& variant : pattern.variants)
      check_event(pattern, has_keys, variant.event, variant.position, "/" + variant.name, variant.fields);
    for (auto& table : pattern.tables)
      for (uint32_t way = 1; way < table->ways(); ++way) {
        auto& constants = *table->constants(way);
        auto named =
            std::find_if(constants.begin(), constants.end(), [](auto& one) { return one.field == ecs::yushi_event; });
        if (named == constants.end()) continue;
        check_event(pattern, has_keys, find_event_kind(named->value), pattern.position,
                    " by " + std::string(table->by[0]->name), constants);
      }
  }

  // `constants` are those that stand over the pattern's; `where` says of what they are.
  void check_event(const PatternDefinition& pattern, bool has_keys, const EventKind* kind, FilePosition at,
                   const std::string& where, const Fields& constants) {
    if (!kind) return;
    const auto missing = missing_of(*kind, [&](std::string_view name) {
      const auto is_it = [&](const Field* field) { return field && field->name == name; };
      const auto gives = [&](const Fields& fields) {
        return std::any_of(fields.begin(), fields.end(), [&](auto& one) { return is_it(one.field); });
      };
      if (std::any_of(pattern.captures.begin(), pattern.captures.end(), [&](auto& to) { return is_it(to.field); }))
        return true;
      if (has_keys)
        for (auto& target : pattern.keys->targets())
          if (std::any_of(target.fields.begin(), target.fields.end(), is_it) || target.cuts_out(is_it)) return true;
      return gives(pattern.constants) || gives(constants);
    });
    if (missing.empty()) return;
    problem(at, "the kind '" + std::string(kind->name) + "' needs " +
                    (missing.find('|') == std::string::npos ? "" : "one of ") + missing + ", and '" + pattern.name +
                    where + "' neither captures nor gives it");
  }

  void read_tests(const YAML::Node& node) {
    if (!node.IsSequence()) return problem(node, "tests must be a list");
    for (const auto& item : node) {
      ParserTest test;
      test.position = place(item);
      test.received_ns = 1'793'491'200 * kSecond;  // 2026-11-01T00:00:00Z
      bool has_line = false, has_expect = false;
      each(item, "a test", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "line") {
          has_line = text(value, "line", &test.line);
        } else if (key == "lines") {
          has_line = test.is_event = true;
          for (auto& line : texts(value, "lines")) test.line += (test.line.empty() ? "" : "\n") + line;
        } else if (key == "header") {
          test.has_header = flag(value, "header");
        } else if (key == "received") {
          auto time = value.IsScalar() ? parse_time(value.Scalar(), test.received_ns, *Zone::utc()) : std::nullopt;
          if (time)
            test.received_ns = time->unix_ns;
          else
            problem(value, "received must be a time as in 2026-11-01T08:00:00Z");
        } else if (key == "expect") {
          has_expect = true;
          read_expect(value, test);
        } else {
          problem(at, "unknown key '" + key + "' in a test; there are line, lines, header, received and expect");
        }
      });
      if (!has_line) problem(item, "a test needs line: (or lines:)");
      if (!has_expect) problem(item, "a test needs expect: with fields, or none");
      out_->tests.push_back(std::move(test));
    }
  }

  void read_expect(const YAML::Node& value, ParserTest& test) {
    if (value.IsScalar() && value.Scalar() == "none") {
      test.none = true;
      return;
    }
    each(value, "expect", [&](const std::string& key, const YAML::Node& at, const YAML::Node& expected) {
      ParserTest::Expected one;
      one.name = key;
      one.position = place(at);
      bool dynamic = key.starts_with("json.") || key.starts_with("kv.") || key.starts_with(kStructuredDataPrefix);
      one.field = dynamic ? nullptr : find_field(key);
      if (!dynamic && !one.field && !is_own(key)) return problem(at, "'" + key + "' is neither ECS nor an own field");
      if (!expected.IsNull()) one.values = texts(expected, "an expected value");
      test.expected.push_back(std::move(one));
    });
  }

  const SharedParts& shared_;
  std::unique_ptr<ParserDefinition> out_ = std::make_unique<ParserDefinition>();
  Fields fields_;
  const EventKind* event_ = nullptr;
  GrokMacros macros_;
  std::string of_;  // another parser, whose own fields this one gives too: it tells of the same in other words
  std::map<std::string, FieldType> types_;
  std::set<std::string> lists_;
  std::vector<std::string> null_values_;
  std::vector<KeyTarget> keys_;
  std::vector<const Field*> trusted_;
  std::vector<Variant> variants_;
  std::vector<TableAt> tables_;
  std::vector<std::pair<std::string, const Field*>> words_;
};

class SharedReader : YamlReader {
 public:
  SharedReader(const ParserFile& file, SharedParts& shared, Problems& problems)
      : YamlReader(file, problems), shared_(shared) {}

  void read() {
    with_root("a shared file is a map that begins with table:, programs: or macros:", [&](const YAML::Node& root) {
      if (root["macros"]) return read_macros(root);
      if (root["programs"]) return read_programs(root);
      std::string name;
      std::shared_ptr<const RowTable> rows;
      each(root, "the table", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "table")
          text(value, "table", &name);
        else if (key == "of")
          text(value, "of", &parser_);
        else if (key == "rows")
          rows = read_rows(value);
        else if (key != "about")
          problem(at, "unknown key '" + key + "' in a shared table; there are table, about, of and rows");
      });
      if (!rows) return problem(root, "rows: is missing");
      if (!shared_.tables.emplace(name, std::move(rows)).second)
        problem(root, "another file has a table '" + name + "' too; give this one another name");
    });
  }

  // A macro that cannot stand in a pattern, told where it is and not where it is used.
  void check_macros() {
    with_root("", [&](const YAML::Node& root) {
      for (const auto& one : root["macros"]) {
        if (!one.second.IsScalar()) continue;
        auto expanded = expand_grok(one.second.Scalar(), shared_.macros);
        if (!expanded) return problem(one.second, expanded.error().message);
        if (auto compiled = Pattern::compile(expanded->regex); !compiled) problem(one.second, compiled.error().message);
      }
    });
  }

 private:
  void read_macros(const YAML::Node& root) {
    each(root, "the file", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "about") return;
      if (key != "macros") return problem(at, "unknown key '" + key + "' beside macros; there is about");
      each(value, "macros", [&](const std::string& name, const YAML::Node& name_at, const YAML::Node& body) {
        if (std::string regex; text(body, "a macro", &regex) && !shared_.macros.emplace(name, regex).second)
          problem(name_at, "another file has a macro '" + name + "' too; give this one another name");
      });
    });
  }

  // Lists of one name add up, so that a site names its own programs in a file of its own.
  void read_programs(const YAML::Node& root) {
    std::string list;
    std::vector<std::string> names;
    each(root, "the list of programs", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "programs")
        text(value, "programs", &list);
      else if (key == "of")
        names = texts(value, "of");
      else if (key != "about")
        problem(at, "unknown key '" + key + "' in a list of programs; there are programs, about and of");
    });
    if (names.empty()) return problem(root, "of: is missing, the names of the programs");
    auto& all = shared_.programs[list];
    all.insert(all.end(), names.begin(), names.end());
  }

  const Field* field(const std::string& name, const YAML::Node& at) override {
    if (is_ours(name)) {
      problem(at, "'" + name +
                      "' is what we say of each record; the line's own is a field of your own, which begins with the "
                      "parser's name");
      return nullptr;
    }
    auto* known = find_field(name);
    if (known && is_fixed_field(*known)) return known;
    if (!parser_.empty() && name.starts_with(parser_ + "."))
      if (auto declared = declare_field(name, FieldType::keyword)) return *declared;
    problem(at, "'" + name + "' is no ECS field" +
                    (parser_.empty() ? "; the rows of a shared table give no others"
                                     : " and none of the parser that of: names"));
    return nullptr;
  }

  std::string parser_;  // whose own fields the rows may give too; of: stands before rows:
  SharedParts& shared_;
};

}  // namespace

void read_shared_file(const ParserFile& file, SharedParts& shared, Problems& problems) {
  SharedReader(file, shared, problems).read();
}

void check_shared_macros(const std::vector<ParserFile>& files, const SharedParts& shared, Problems& problems) {
  auto of = shared;
  for (auto& file : files)
    if (is_macros_file(file)) SharedReader(file, of, problems).check_macros();
}

bool glob_matches(std::string_view glob, std::string_view text) {
  size_t star = std::string_view::npos, mark = 0, g = 0, t = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g, ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

ConstantField capped_message() {
  return {ecs::error_message, "more fields than are taken of one message (" + std::to_string(BodyPairs::kPairsMax) +
                                  ", 16 levels deep); the others stand in event.original only"};
}

std::unique_ptr<ParserDefinition> read_parser_file(const ParserFile& file, const SharedParts& shared,
                                                   Problems& problems, bool with_tests) {
  auto out = FileReader(file, shared, problems, with_tests).read();
  std::vector<std::span<const RegexNode>> trees;
  for (size_t i = 0; i < out->patterns.size(); ++i) {
    auto& pattern = out->patterns[i];
    pattern.is_generic = out->generic;
    if (pattern.whole) {  // asked for no line
      out->whole_patterns.push_back(static_cast<uint16_t>(i));
      pattern.tree.assign(1, PatternFilter::no_text());
    }
    trees.emplace_back(pattern.tree);
  }
  out->filter = PatternFilter(trees);
  return out;
}

}  // namespace yushi::parsers
