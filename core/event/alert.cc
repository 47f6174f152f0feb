#include "core/event/alert.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <deque>
#include <nlohmann/json.hpp>

#include "core/base/time_text.h"
#include "core/event/attack.h"
#include "core/record/ecs_object.h"
#include "core/record/value.h"

namespace yushi {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < 36; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

class AlertObject {
 public:
  void put(std::string_view name, std::string_view text) {
    const Field* field = find_field(name);
    if (!field) field = &dynamic_.emplace_back(Field{name, FieldType::keyword, kDynamicField, false});
    Value value;
    // What is no value of its field's type is still something that a person wants to read.
    if (!read_value(text, field->type, &value)) {
      value = Value();
      value.text = text;
    }
    auto is_same = [&](const EcsObject::Item& item) { return item.field == field && item.value.text == text; };
    if (field->list && std::any_of(object_.items().begin(), object_.items().end(), is_same)) return;  // said already
    object_.items().push_back({field, value});
  }
  // A text that lives only here.
  void put_own(std::string_view name, std::string text) { put(name, texts_.emplace_back(std::move(text))); }
  void put_integer(std::string_view name, int64_t number) {
    Value value;
    value.type = Value::Type::integer;
    value.integer = number;
    object_.items().push_back({find_field(name), value});
  }
  void put_boolean(std::string_view name, bool flag) {
    Value value;
    value.type = Value::Type::boolean;
    value.integer = flag;
    object_.items().push_back({find_field(name), value});
  }
  void put_date(std::string_view name, int64_t unix_ns) {
    Value value;
    value.type = Value::Type::date;
    value.integer = unix_ns;
    object_.items().push_back({find_field(name), value});
  }
  bool has(std::string_view name) {
    return std::any_of(object_.items().begin(), object_.items().end(),
                       [&](const EcsObject::Item& item) { return item.field->name == name; });
  }
  size_t size() { return object_.items().size(); }
  void write(std::string& out) { object_.write(out); }

 private:
  EcsObject object_;
  std::deque<Field> dynamic_;
  std::deque<std::string> texts_;
};

// "attack.t1110.001" is a technique, "attack.credential-access" a tactic; groups (g0016) and software (s0005) stay
// tags.
void put_attack(AlertObject& object, std::string_view tag) {
  constexpr std::string_view kAttack = "attack.";
  if (!tag.starts_with(kAttack)) return;
  std::string_view what = tag.substr(kAttack.size());
  if (what.size() > 1 && (what[0] == 't' || what[0] == 'T')) {
    size_t dot = what.find('.');
    std::string_view number = what.substr(1, dot == what.npos ? dot : dot - 1);
    if (is_digits(number)) {
      object.put_own("threat.technique.id", "T" + std::string(number));
      if (dot != what.npos && is_digits(what.substr(dot + 1)))
        object.put_own("threat.technique.subtechnique.id", "T" + std::string(what.substr(1)));
      return;
    }
  }
  if (auto tactic = tactic_of_tag(tag)) {
    object.put("threat.tactic.id", tactic_at(*tactic).id);
    object.put("threat.tactic.name", tactic_at(*tactic).name);
  }
}

constexpr std::string_view kSeverities[] = {"informational", "low", "medium", "high", "critical"};

// All that the alert says itself.
void put_members(AlertObject& object, const Alert& alert) {
  object.put_date("@timestamp", alert.event_ns);
  object.put_date("event.created", alert.raised_ns);
  object.put("event.kind", "alert");
  object.put_integer("event.severity", static_cast<int64_t>(alert.severity) + 1);  // 1 informational … 5 critical
  object.put("event.reason", alert.reason);
  object.put("message", alert.reason);
  object.put("log.level", severity_text(alert.severity));
  object.put("rule.id", alert.rule_id);
  object.put("rule.name", alert.rule_name);
  if (is_uuid(alert.rule_id)) object.put("rule.uuid", alert.rule_id);
  if (!alert.tenant.empty()) object.put("organization.name", alert.tenant);
  bool has_attack = false;
  for (const auto& tag : alert.tags) {
    object.put("tags", tag);
    size_t before = object.size();
    put_attack(object, tag);
    has_attack |= object.size() != before;
  }
  if (has_attack) object.put("threat.framework", "MITRE ATT&CK");
  object.put("yushi.alert.id", alert.id);
  object.put("yushi.alert.severity", severity_text(alert.severity));
  object.put_integer("yushi.alert.score", alert.score);
  object.put("yushi.alert.reason", alert.reason);
  object.put_boolean("yushi.alert.learning", alert.learning);
  if (alert.folded > 0) object.put_integer("yushi.alert.folded", static_cast<int64_t>(alert.folded));
  if (alert.summary) object.put_boolean("yushi.alert.summary", true);
  if (!alert.rule_digest.empty()) object.put("yushi.alert.rule_digest", alert.rule_digest);
  if (alert.engine > 0) object.put_integer("yushi.alert.engine", alert.engine);
  if (!alert.key.empty()) object.put("yushi.alert.key", alert.key);
  if (!alert.baseline.empty()) object.put("yushi.alert.baseline", alert.baseline);
  if (!alert.rule_name_zh.empty()) object.put("yushi.alert.rule_name_zh", alert.rule_name_zh);
  if (!alert.reason_zh.empty()) object.put("yushi.alert.reason_zh", alert.reason_zh);
  if (!alert.actor.empty()) object.put("yushi.alert.actor", alert.actor);
  if (!alert.story.empty()) {
    object.put("yushi.alert.story.id", alert.story);
    object.put("yushi.alert.story.subject", alert.story_subject);
    object.put("yushi.alert.story.severity", severity_text(alert.story_severity));
    for (const auto& id : alert.story_joins) object.put("yushi.alert.story.joins", id);
  }
  for (const RecordId& id : alert.records)
    object.put_own("yushi.alert.records", id.log + '/' + std::to_string(id.index));
}

using SortedJson = nlohmann::json;

// What stands under each name, dots for each step down, in the order of the names; a list has its name again and again.
using Named = std::vector<std::pair<std::string, const SortedJson*>>;
void flatten(const SortedJson& json, const std::string& name, Named& out) {
  if (json.is_object()) {
    for (auto& [key, each] : json.items()) flatten(each, name.empty() ? key : name + '.' + key, out);
  } else if (json.is_array()) {
    for (auto& each : json) out.emplace_back(name, &each);
  } else {
    out.emplace_back(name, &json);
  }
}

std::string text_of(const SortedJson& json) {
  return json.is_string() ? json.get<std::string>() : json.dump(-1, ' ', false, SortedJson::error_handler_t::replace);
}

// By the name of a member in JSON.
class AlertMembers {
 public:
  explicit AlertMembers(const Named& named) : named_(named) {}

  template <class Visit>
  void each(std::string_view name, const Visit& visit) const {
    for (auto& [key, json] : named_)
      if (key == name) visit(*json);
  }
  std::string text(std::string_view name) const {
    std::string out;
    each(name, [&](const SortedJson& json) { out = json.is_string() ? json.get<std::string>() : out; });
    return out;
  }
  uint64_t number(std::string_view name) const {
    uint64_t out = 0;
    each(name, [&](const SortedJson& json) { out = json.is_number_unsigned() ? json.get<uint64_t>() : out; });
    return out;
  }
  bool flag(std::string_view name) const {
    bool out = false;
    each(name, [&](const SortedJson& json) { out = json.is_boolean() ? json.get<bool>() : out; });
    return out;
  }
  int64_t time_ns(std::string_view name) const {
    const auto time = parse_time(text(name), 0, *Zone::utc());
    return time ? time->unix_ns : 0;
  }

 private:
  const Named& named_;
};

}  // namespace

std::string_view severity_text(Severity severity) {
  auto at = static_cast<size_t>(severity);
  return at < std::size(kSeverities) ? kSeverities[at] : kSeverities[std::size(kSeverities) - 1];
}

std::optional<Severity> severity_of(std::string_view text) {
  const auto at = std::find(std::begin(kSeverities), std::end(kSeverities), text);
  if (at == std::end(kSeverities)) return std::nullopt;
  return static_cast<Severity>(at - std::begin(kSeverities));
}

std::optional<RecordId> record_id_of(std::string_view text) {
  const auto slash = text.rfind('/');
  if (slash == text.npos || slash == 0) return std::nullopt;
  const auto digits = text.substr(slash + 1);
  RecordId id{std::string(text.substr(0, slash)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.index);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return id;
}

std::string_view Alert::field(std::string_view name) const {
  const auto at = std::find_if(fields.begin(), fields.end(), [&](auto& each) { return each.first == name; });
  return at == fields.end() ? std::string_view() : std::string_view(at->second);
}

bool is_of_rule(const Alert& alert, std::string_view rule) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return alert.rule_id == rule ||
         std::search(alert.rule_name.begin(), alert.rule_name.end(), rule.begin(), rule.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != alert.rule_name.end();
}

std::string alert_to_json(const Alert& alert) {
  AlertObject object;
  put_members(object, alert);
  // The record's own fields do not take the place of what the alert says, or leaves unsaid; among themselves they may
  // repeat.
  std::vector<const std::pair<std::string, std::string>*> fields;
  for (const auto& field : alert.fields)
    if (!object.has(field.first) && field.first != "organization.name") fields.push_back(&field);
  for (const auto* field : fields) object.put(field->first, field->second);

  std::string out;
  object.write(out);
  return out;
}

std::optional<Alert> alert_of(std::string_view text) {
  const auto json = SortedJson::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Named named;
  flatten(json, "", named);
  const AlertMembers members(named);
  Alert out;
  out.id = members.text("yushi.alert.id");
  if (out.id.empty() || members.text("event.kind") != "alert") return std::nullopt;
  out.rule_id = members.text("rule.id");
  out.rule_name = members.text("rule.name");
  out.rule_digest = members.text("yushi.alert.rule_digest");
  out.engine = static_cast<uint32_t>(members.number("yushi.alert.engine"));
  if (auto severity = severity_of(members.text("yushi.alert.severity"))) out.severity = *severity;
  out.score = static_cast<uint32_t>(members.number("yushi.alert.score"));
  out.tenant = members.text("organization.name");
  out.key = members.text("yushi.alert.key");
  out.reason = members.text("yushi.alert.reason");
  out.baseline = members.text("yushi.alert.baseline");
  out.rule_name_zh = members.text("yushi.alert.rule_name_zh");
  out.reason_zh = members.text("yushi.alert.reason_zh");
  out.actor = members.text("yushi.alert.actor");
  out.story = members.text("yushi.alert.story.id");
  out.story_subject = members.text("yushi.alert.story.subject");
  if (auto severity = severity_of(members.text("yushi.alert.story.severity"))) out.story_severity = *severity;
  members.each("yushi.alert.story.joins", [&](const SortedJson& id) { out.story_joins.push_back(text_of(id)); });
  out.learning = members.flag("yushi.alert.learning");
  out.folded = members.number("yushi.alert.folded");
  out.summary = members.flag("yushi.alert.summary");
  out.event_ns = members.time_ns("@timestamp");
  out.raised_ns = members.time_ns("event.created");
  members.each("tags", [&](const SortedJson& tag) { out.tags.push_back(text_of(tag)); });
  members.each("yushi.alert.records", [&](const SortedJson& record) {
    if (auto id = record_id_of(text_of(record))) out.records.push_back(std::move(*id));
  });
  // What none of these would write is a field of the record.
  AlertObject own;
  put_members(own, out);
  for (auto& [name, each] : named)
    if (!own.has(name)) out.fields.emplace_back(name, text_of(*each));
  return out;
}

}  // namespace yushi
