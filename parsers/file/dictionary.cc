#include "parsers/file/dictionary.h"

#include <algorithm>

#include "parsers/file/yaml_reader.h"

namespace yushi::parsers {

std::string Dictionary::folded(std::string_view name) {
  std::string out;
  // H3C and DPtech number their names: SrcIPAddr(1003).
  if (const auto open = name.rfind('('); name.ends_with(')') && open != std::string_view::npos && open > 0 &&
                                         name.find_first_not_of("0123456789", open + 1) == name.size() - 1) {
    name = name.substr(0, open);
  }
  for (char c : name) {
    if (c == '_' || c == '-' || c == '.' || c == ' ') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

Dictionary::Found Dictionary::find(std::string_view path) const {
  if (path.size() > kNameBytesMax) return {};
  if (auto whole = by_name_.find(folded(path)); whole != by_name_.end()) return {whole->second, 0};
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return {};
  const auto part = by_name_.find(folded(path.substr(dot + 1)));
  if (part == by_name_.end()) return {};
  uint32_t depth = 0;
  for (size_t at = 0; at < dot; ++depth) {
    const auto end = path.find('.', at);
    if (!part->second->is_from_outside && outside_.contains(folded(path.substr(at, end - at)))) return {};
    at = end + 1;
  }
  return {part->second, depth};
}

bool Dictionary::is_null(std::string_view value) const {
  return std::find(null_values_.begin(), null_values_.end(), value) != null_values_.end();
}

class DictionaryReader : YamlReader {
 public:
  DictionaryReader(const ParserFile& file, Problems& problems) : YamlReader(file, problems) {}

  std::shared_ptr<const Dictionary> read() {
    with_root("a dictionary is a map that begins with names:", [&](const YAML::Node& root) {
      if (root["macros"])
        each(root["macros"], "macros", [&](const std::string& key, const YAML::Node&, const YAML::Node& value) {
          if (std::string body; text(value, "a macro", &body)) macros_[key] = body;
        });
      each(root, "the dictionary", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "names")
          read_names(value);
        else if (key == "words")
          read_words(value);
        else if (key == "null_values")
          out_->null_values_ = texts(value, "null_values");
        else if (key == "outside")
          for (auto& name : texts(value, "outside")) out_->outside_.insert(Dictionary::folded(name));
        else if (key != "about" && key != "macros")
          problem(at, "unknown key '" + key + "'; there are names, words, null_values, outside, macros and about");
      });
    });
    return std::move(out_);
  }

 private:
  // `source.ip: [srcip, 源IP]`, or with options beside the names.
  void read_names(const YAML::Node& node) {
    each(node, "names", [&](const std::string& name, const YAML::Node& at, const YAML::Node& value) {
      auto* to = field(name, at);
      if (!to) return;
      DictionaryEntry entry;
      entry.target.fields.push_back(to);
      entry.target.has_address = to->type == FieldType::ip;
      std::vector<std::string> names;
      if (value.IsMap())
        each(value, "a field's names",
             [&](const std::string& what, const YAML::Node& what_at, const YAML::Node& inner) {
               if (what == "names")
                 names = texts(inner, "names");
               else if (what == "text")
                 entry.is_text = flag(inner, "text");
               else if (what == "lower")
                 entry.target.lower = flag(inner, "lower");
               else if (what == "grok")
                 read_value_patterns(inner, macros_, entry.target);
               else
                 problem(what_at, "unknown key '" + what + "'; a field has names, text, lower and grok");
             });
      else
        names = texts(value, "a field's names");
      for (auto& one : names) {
        auto* made = entry_of(one, value);
        if (!made) continue;
        if (!made->target.fields.empty()) {
          if (made->target.fields[0] != to)
            problem(value, "'" + one + "' is a name of " + std::string(made->target.fields[0]->name) +
                               " too; case, '_', '-' and blanks do not count");
          continue;
        }
        made->target = entry.target;
        made->target.key = one;
        made->is_text = entry.is_text;
        made->is_from_outside =
            to->name.starts_with("user_agent.") || to->name.starts_with("url.") || to->name.starts_with("http.");
      }
    });
  }

  // A list of {names, rows}: the values of these names that say something.
  void read_words(const YAML::Node& node) {
    if (!node.IsSequence()) return problem(node, "words must be a list");
    for (const auto& item : node) {
      std::vector<std::string> names;
      std::shared_ptr<const RowTable> rows;
      each(item, "words", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "names")
          names = texts(value, "names");
        else if (key == "rows")
          rows = read_rows(value);
        else
          problem(at, "unknown key '" + key + "' in words; there are names and rows");
      });
      if (names.empty() || !rows) {
        problem(item, "words need names: and rows:");
        continue;
      }
      out_->words_.push_back(rows);
      for (auto& one : names)
        if (auto* made = entry_of(one, item)) made->words.push_back(static_cast<uint32_t>(out_->words_.size() - 1));
    }
  }

  DictionaryEntry* entry_of(const std::string& name, const YAML::Node& at) {
    auto key = Dictionary::folded(name);
    if (key.empty() || key.size() > Dictionary::kNameBytesMax) {
      problem(at, "'" + name + "' is no name");
      return nullptr;
    }
    auto [place, is_new] = out_->by_name_.try_emplace(std::move(key));
    if (is_new) place->second = &out_->entries_.emplace_back();
    return place->second;
  }

  const Field* field(const std::string& name, const YAML::Node& at) override {
    if (is_ours(name)) {
      problem(at, "'" + name + "' is what we say of each record");
      return nullptr;
    }
    auto* known = find_field(name);
    if (known && is_fixed_field(*known)) return known;
    problem(at, "'" + name + "' is no ECS field");
    return nullptr;
  }

  GrokMacros macros_;
  std::shared_ptr<Dictionary> out_ = std::make_shared<Dictionary>();
};

std::shared_ptr<const Dictionary> read_names_file(const ParserFile& file, Problems& problems) {
  return DictionaryReader(file, problems).read();
}

}  // namespace yushi::parsers
