#include "forward/sinks.h"

#include <algorithm>

#include "core/config/yaml_place.h"
#include "core/filter/expression.h"
#include "core/record/field.h"
#include "forward/kafka/kafka.h"
#include "forward/mail/mail.h"
#include "forward/syslog/syslog.h"
#include "forward/webhook/webhook.h"

namespace yushi::forward {
namespace {

// The fields that a `select` names, each with its place. They are looked at when the parsers are loaded.
void gather_fields(const Walk& walk, const YAML::Node& node, const Expression& expression,
                   std::vector<std::pair<std::string, std::string>>& out) {
  for (const Expression& child : expression.children) gather_fields(walk, node, child, out);
  const std::string& name = expression.name;
  auto is_this = [&](auto& known) { return known.first == name; };
  if (expression.kind != Expression::Kind::test || std::any_of(out.begin(), out.end(), is_this)) return;
  const std::string& text = node.Scalar();
  auto is_end = [&](size_t at) {
    return at >= text.size() || std::string_view(" \t\n\":<>~").find(text[at]) != std::string_view::npos;
  };
  size_t at = text.find(name);
  while (at != text.npos && !((at == 0 || std::string_view(" \t\n\"(").find(text[at - 1]) != std::string_view::npos) &&
                              is_end(at + name.size())))
    at = text.find(name, at + 1);
  out.emplace_back(name, walk.place_text(place_within(node, at == text.npos ? 0 : at)));
}

std::unique_ptr<ForwarderConfig> read_forwarder(Walk& walk, const YAML::Node& node) {
  if (!node.IsMap()) {
    walk.map(node, "forward.", {});
    return nullptr;
  }
  std::string type(sink_kinds().front().type);
  if (auto given = node["type"]) walk.text("forward.type", type)(given);
  std::string known;
  for (auto& kind : sink_kinds()) {
    if (kind.type == type) return kind.read(walk, node);
    known += (known.empty() ? "" : ", ") + std::string(kind.type);
  }
  if (!type.empty())
    walk.problem(node["type"], "forward.type: \"" + type + "\" is not in this version; use one of: " + known);
  return nullptr;
}

}  // namespace

std::vector<SinkKind>& sink_kinds() {
  static std::vector<SinkKind> kinds = {
      {"kafka", read_kafka},
      {"mail", read_mail},
      {"syslog", read_syslog},
      {"webhook", read_webhook},
  };
  return kinds;
}

bool ForwarderConfig::wants(const Alert& alert) const {
  return alert.severity >= least && (rules.empty() || std::any_of(rules.begin(), rules.end(),
                                                                  [&](auto& rule) { return is_of_rule(alert, rule); }));
}

std::map<std::string, Walk::Reader> common_keys(Walk& walk, ForwarderConfig& config) {
  return {{"type", [](const YAML::Node&) {}},  // by which the kind was found
          {"format",
           [&](const YAML::Node& node) {
             std::string name;
             walk.text("forward.format", name, {"ecs-json", "raw", "protobuf"})(node);
             for (auto format : {ForwardFormat::ecs_json, ForwardFormat::raw, ForwardFormat::protobuf})
               if (format_name(format) == name) config.format = format;
           }},
          {"secrets",
           [&](const YAML::Node& node) {
             std::string how;
             walk.text("forward.secrets", how, {"masked", "shown"})(node);
             config.shows_secrets = how == "shown";
           }},
          {"select", [&](const YAML::Node& node) {
             std::string text;
             walk.text("forward.select", text)(node);
             auto filter = Filter::parse_kql(text, {});
             if (!filter) {
               auto& why = filter.error().message;  // the lines after the first show the place with a caret
               return walk.problem(node, "forward.select: " + why.substr(0, why.find('\n')));
             }
             gather_fields(walk, node, filter->expression(), config.select_fields);
             config.select = std::move(*filter);
           }}};
}

ForwarderConfigs read_forwarders(Walk& walk, const YAML::Node& list) {
  std::vector<std::shared_ptr<ForwarderConfig>> read;
  std::map<std::pair<std::string, std::string>, bool> taken;
  walk.list(list, "forward", [&](const YAML::Node& node) {
    std::shared_ptr<ForwarderConfig> config = read_forwarder(walk, node);
    if (!config) return;
    for (auto& [key, address] : config->addresses())
      if (std::exchange(taken[{key, address}], true))
        walk.problem(Walk::place(node, key), "forward." + std::string(key) + ": another forwarder sends to " + address +
                                                 " already; name another, or remove one");
    config->written_as = YAML::Dump(node);
    read.push_back(std::move(config));
  });
  for (bool ForwarderConfig::*sends : {&ForwarderConfig::sends_alerts, &ForwarderConfig::sends_checkpoints}) {
    const auto says = [&](auto& config) { return !config->is_route && (*config).*sends; };
    const auto first = std::find_if(read.begin(), read.end(), [](auto& config) { return !config->is_route; });
    if (first != read.end() && std::none_of(read.begin(), read.end(), says)) (**first).*sends = true;
  }
  for (auto& config : read) {  // one may be the first now and not have been before
    if (config->sends_alerts) config->written_as += "\nalerts";
    if (config->sends_checkpoints) config->written_as += "\ncheckpoints";
  }
  return {read.begin(), read.end()};
}

std::vector<std::string> unknown_select_fields(const ForwarderConfigs& configs) {
  std::vector<std::string> out;
  for (auto& config : configs) {
    for (auto& [name, place] : config->select_fields) {
      if (may_be_field(name)) continue;
      out.push_back(place + ": forward.select: " + name +
                    " is a field neither of ECS nor of a parser, so nothing can have it" + field_suggestion(name));
    }
  }
  return out;
}

}  // namespace yushi::forward
