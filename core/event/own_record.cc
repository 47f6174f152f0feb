#include "core/event/own_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/time_text.h"

namespace yushi {
namespace {

using Json = nlohmann::ordered_json;

struct Action {
  std::string_view name;  // a `*` at its end stands for anything
  std::string_view kind, category, type;
};
constexpr Action kActions[] = {
    {"start", "event", "process", "start"},
    {"load", "event", "configuration", ""},
    {"reload", "event", "configuration", ""},
    {"fields-anew", "event", "configuration", "change"},
    {"lists-read", "event", "configuration", "change"},
    {"log-context", "event", "configuration", ""},
    {"log-roots", "state", "database", ""},
    {"key-rotated", "event", "configuration", "change"},
    {"ledger-*", "metric", "host", ""},
    {"api-*", "event", "database", "access"},
    {"alert-*", "event", "process", "change"},
    {"exception-*", "event", "configuration", ""},
    {"*", "event", "host", ""},  // the state of the daemon and of what it needs: disk-full, forwarder-away
};

const Action& action_of(std::string_view name) {
  return *std::find_if(std::begin(kActions), std::end(kActions), [&](const Action& action) {
    return action.name.ends_with('*') ? name.starts_with(action.name.substr(0, action.name.size() - 1))
                                      : name == action.name;
  });
}

// The members of each struct by their names, a dot for each step down: what both directions go by.
template <class Visit>
void for_each_member(EngineStarted& it, Visit& visit) {
  visit("engine", it.engine);
}
template <class Visit>
void for_each_member(LogContext& it, Visit& visit) {
  visit("log", it.log);
  visit("first", it.first);
  visit("parsers", it.parsers);
  visit("timezone", it.timezone);
  visit("charset", it.charset);
  visit("engine", it.engine);
}
template <class Visit>
void for_each_member(LogContexts& it, Visit& visit) {
  visit("contexts", it.contexts);
}
template <class Visit>
void for_each_member(MovedLog& it, Visit& visit) {
  visit("log", it.log);
  visit("size", it.size);
  visit("root", it.root);
}
template <class Visit>
void for_each_member(LogRoots& it, Visit& visit) {
  visit("roots.root", it.root);
  visit("roots.logs", it.logs);
  visit("roots.more", it.more, false);
  visit("roots.moved", it.moved);
}
template <class Visit>
void for_each_member(KeyRotated& it, Visit& visit) {
  visit("key_rotation", it.rotation);
}
template <class Visit>
void for_each_member(NodeMinute& it, Visit& visit) {
  visit("ledger.commit", it.commit);
  visit("ledger.committed", it.committed);
  visit("ledger.connections_open", it.connections_open);
  visit("ledger.inputs_up", it.inputs_up);
  visit("ledger.inputs", it.inputs);
  visit("ledger.gap_seconds", it.gap_seconds, 0u);
  visit("ledger.committed_before_crash", it.committed_before_crash, 0u);
}
template <class Visit>
void for_each_member(SourceMinute& it, Visit& visit) {
  visit("source", it.source);
  visit("committed", it.committed);
  visit("committed_bytes", it.committed_bytes);
  visit.here(it.counts);
}
template <class Visit>
void for_each_member(SourcesMinute& it, Visit& visit) {
  visit("tenant", it.tenant);
  visit("ledger.before_crash", it.before_crash, false);
  visit("ledger.sources", it.sources);
}
template <class Visit>
void for_each_member(QuestionAsked& it, Visit& visit) {
  visit("tenant", it.tenant, "");
  visit("question", it.question, "");
  visit("parameters", it.parameters);
  visit("lines", it.lines);
  visit("proofs", it.proofs);
}
template <class Visit>
void for_each_member(AlertAct& it, Visit& visit) {
  visit("tenant", it.tenant, "");
  visit("alert.id", it.id);
  visit("alert.index", it.index);
  visit("alert.closed_as", it.closed_as, "");
  visit("alert.note", it.note, "");
  visit("alert.usual_until", it.usual_until, "");
  visit("alert.log", it.log, "");
  visit("alert.rule", it.rule, "");
  visit("alert.key", it.key, "");
  visit("alert.account", it.account, "");
  visit("alert.host", it.host, "");
  visit("alert.address", it.address, "");
  visit("alert.held_back", it.held_back, 0u);
}
template <class Visit>
void for_each_member(ExceptionUse& it, Visit& visit) {
  visit("exception.rule", it.rule);
  visit("exception.when", it.when, "");
  visit("exception.owner", it.owner);
  visit("exception.until", it.until);
  visit("exception.reason", it.reason, "");
  visit("exception.place", it.place);
  visit("exception.uses", it.uses, 0u);
  visit("exception.uses_in_all", it.uses_in_all, 0u);
}
template <class Visit>
void for_each_member(ListsRead& it, Visit& visit) {
  visit("lists.changes", it.changes);
}
template <class Visit>
void visit_asker(auto& it, Visit& visit) {
  visit("user.name", it.user, "");
  visit("user.id", it.user_id, "");
  visit("user.audit.id", it.login_id, "");
  visit("user.audit.name", it.login_user, "");
}
// Of all records; what is `yushi.` alone stands above.
template <class Visit>
void for_each_member(OwnRecord& it, Visit& visit) {
  visit("event.reason", it.reason, "");
  if (auto* asked = std::get_if<QuestionAsked>(&it.about)) {
    visit_asker(*asked, visit);
    visit("error.message", asked->error, "");
  }
  if (auto* act = std::get_if<AlertAct>(&it.about)) visit_asker(*act, visit);
}

template <class T>
void put(Json& json, const T& value);
template <class T>
bool take(const Json& json, T& value);

void put_counts(Json& json, const Counts& counts) {
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0) json[std::string(kCountNames[i])] = counts[i];
}
void take_counts(const Json& json, Counts& counts) {
  for (size_t i = 0; i < counts.size(); ++i)
    if (auto at = json.find(kCountNames[i]); at != json.end()) take(*at, counts[i]);
}

class Encoder {
 public:
  explicit Encoder(Json& json) : json_(json) {}

  template <class T>
  void operator()(std::string_view name, const T& value) {
    put(at(name), value);
  }
  // Not said when it is `unsaid`.
  template <class T, class U>
  void operator()(std::string_view name, const T& value, const U& unsaid) {
    if (value != unsaid) put(at(name), value);
  }
  template <class T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) put(at(name), *value);
  }
  template <class T>
  void operator()(std::string_view name, const std::map<std::string, T>& values) {
    for (auto& [key, value] : values) put(at(name)[key], value);
  }
  void here(const Counts& counts) { put_counts(json_, counts); }

 private:
  Json& at(std::string_view name) {
    Json* json = &json_;
    for (size_t dot; (dot = name.find('.')) != name.npos; name.remove_prefix(dot + 1))
      json = &(*json)[std::string(name.substr(0, dot))];
    return (*json)[std::string(name)];
  }
  Json& json_;
};

class Decoder {
 public:
  explicit Decoder(const Json& json) : json_(json) {}

  template <class T, class... Unsaid>
  void operator()(std::string_view name, T& value, const Unsaid&...) {
    if (const auto* json = at(name)) take(*json, value);
  }
  void here(Counts& counts) { take_counts(json_, counts); }

 private:
  const Json* at(std::string_view name) const {
    const Json* json = &json_;
    while (json->is_object()) {
      const auto dot = std::min(name.find('.'), name.size());
      const auto found = json->find(name.substr(0, dot));
      if (found == json->end()) return nullptr;
      json = &*found;
      if (dot == name.size()) return json;
      name.remove_prefix(dot + 1);
    }
    return nullptr;
  }
  const Json& json_;
};

template <class T>
concept HasMembers = requires(T& it, Encoder& encoder) {
  for_each_member(it, encoder);
};

template <class T>
void put(Json& json, const T& value) {
  if constexpr (std::is_same_v<T, Counts>) {
    put_counts(json, value);
  } else if constexpr (HasMembers<T>) {
    Encoder encoder(json);
    for_each_member(const_cast<T&>(value), encoder);  // which only reads
  } else if constexpr (requires { typename T::value_type; } && !std::is_same_v<T, std::string>) {
    json = Json::array();
    for (auto& each : value) put(json.emplace_back(), each);
  } else {
    json = value;
  }
}

template <class T>
bool take(const Json& json, T& value) {
  if constexpr (std::is_same_v<T, Counts>) {
    if (json.is_object()) take_counts(json, value);
  } else if constexpr (HasMembers<T>) {
    Decoder decoder(json);
    for_each_member(value, decoder);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return false;
    value = json.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) return false;
    value = json.get<T>();
  } else if constexpr (requires { typename T::mapped_type; }) {
    if (!json.is_object()) return false;
    for (auto& [key, each] : json.items()) take(each, value[key]);
  } else if constexpr (requires { value.has_value(); }) {
    typename T::value_type inner{};
    if (take(json, inner)) value = std::move(inner);
  } else {
    if (!json.is_array()) return false;
    for (auto& each : json) take(each, value.emplace_back());
  }
  return true;
}

void take_time(const Json& event, const char* name, int64_t& unix_ns) {
  const auto at = event.find(name);
  if (at == event.end() || !at->is_string()) return;
  if (const auto time = parse_time(at->get_ref<const std::string&>(), 0, *Zone::utc())) unix_ns = time->unix_ns;
}

}  // namespace

std::string_view AlertAct::action(Kind kind) {
  constexpr std::string_view kNames[] = {"alert-taken", "alert-closed", "alert-acknowledged", "alert-held-back"};
  return kNames[static_cast<size_t>(kind)];
}

int64_t AlertAct::usual_until_ns() const {
  const auto time = parse_time(usual_until, 0, *Zone::utc());
  return time ? time->unix_ns : 0;
}

std::optional<AlertAct::Kind> alert_act_of(std::string_view action) {
  using Kind = AlertAct::Kind;
  for (auto kind : {Kind::taken, Kind::closed, Kind::acknowledged, Kind::held_back})
    if (action == AlertAct::action(kind)) return kind;
  return std::nullopt;
}

OwnRecord own_record(std::string action, std::string message) {
  OwnRecord out;
  out.action = std::move(action);
  out.message = std::move(message);
  return out;
}

OwnRecord start_record(uint32_t engine) {
  auto out = own_record("start", "yushid started with parser engine " + std::to_string(engine));
  out.succeeded = true;
  out.about = EngineStarted{engine};
  return out;
}

void take_contexts(const LogContexts& contexts, ToldContexts& told) {
  for (auto& context : contexts.contexts) {
    auto& of_log = told[context.log];
    std::erase_if(of_log, [&](auto& known) { return known.first >= context.first; });
    of_log.push_back(context);
  }
}

std::string to_json(const OwnRecord& record) {
  Json json;
  if (record.to_ns != 0) json["@timestamp"] = utc_text(record.to_ns);
  json["message"] = record.message;
  auto& action = action_of(record.action);
  auto& event = json["event"];
  event = {{"kind", action.kind}, {"category", {action.category}}};
  std::vector<std::string> types = record.more_types;
  if (!action.type.empty()) types.insert(types.begin(), std::string(action.type));
  if (!types.empty()) event["type"] = types;
  event["action"] = record.action;
  if (record.succeeded) event["outcome"] = *record.succeeded ? "success" : "failure";
  event["provider"] = "yushid";
  if (record.from_ns != 0) event["start"] = utc_text(record.from_ns);
  if (record.to_ns != 0) event["end"] = utc_text(record.to_ns);
  Encoder encoder(json);
  for_each_member(const_cast<OwnRecord&>(record), encoder);  // which only reads
  std::visit(
      [&](auto& about) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(about)>, std::monostate>) put(json["yushi"], about);
      },
      record.about);
  // As it is written, without escapes: the message is read where it stands.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<OwnRecord> own_record_of(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto event = json.find("event");
  if (event == json.end() || !event->is_object() || event->value("provider", Json()) != "yushid") return std::nullopt;
  OwnRecord out;
  Decoder top(json);
  top("event.action", out.action);
  top("message", out.message);
  std::string outcome;
  top("event.outcome", outcome);
  if (!outcome.empty()) out.succeeded = outcome == "success";
  top("event.type", out.more_types);
  if (auto& type = action_of(out.action).type; !type.empty() && !out.more_types.empty() && out.more_types[0] == type)
    out.more_types.erase(out.more_types.begin());
  take_time(*event, "start", out.from_ns);
  take_time(*event, "end", out.to_ns);
  if (out.action == "start") out.about = EngineStarted();
  if (out.action == "log-context") out.about = LogContexts();
  if (out.action == "log-roots") out.about = LogRoots();
  if (out.action == "key-rotated") out.about = KeyRotated();
  if (out.action == "ledger-node") out.about = NodeMinute();
  if (out.action == "ledger-sources") out.about = SourcesMinute();
  if (out.action.starts_with("api-")) out.about = QuestionAsked();
  if (const auto kind = alert_act_of(out.action)) out.about.emplace<AlertAct>().kind = *kind;
  if (out.action.starts_with("exception-")) out.about = ExceptionUse();
  if (out.action == "lists-read") out.about = ListsRead();
  for_each_member(out, top);
  if (const auto ours = json.find("yushi"); ours != json.end())
    std::visit(
        [&](auto& about) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(about)>, std::monostate>) take(*ours, about);
        },
        out.about);
  return out;
}

}  // namespace yushi
