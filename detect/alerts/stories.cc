#include "detect/alerts/stories.h"

#include <algorithm>
#include <vector>

#include "core/event/attack.h"
#include "detect/finding.h"
#include "detect/memory/places.h"

namespace yushi::detect {
namespace {

constexpr int kJoinsMax = 16;
constexpr std::string_view kDatabase = "database";

bool is_root(std::string_view account) { return account == "root" || account.starts_with("uid "); }

std::string named(std::string_view kind, std::string_view name) {
  return std::string(kind) + " " + std::string(name.substr(0, kNameBytesMax));
}
std::string account_name(std::string_view account, std::string_view host, bool of_database) {
  std::string out = named("account", account);
  if (is_root(account))
    out += (of_database ? " of the database on " : " on ") + std::string(host.substr(0, kNameBytesMax));
  return out;
}
std::string address_name(std::string_view address) { return named("address", address); }
std::string network_name(std::string_view network) { return named("network", network); }
std::string host_name(std::string_view host) { return named("host", host); }
std::string fold_name(const Alert& alert, std::string_view key) {
  return named("fold", alert.rule_id + " " + std::string(key));
}

// Of `name=value name=value`, what correlations group by, where no record says it.
std::string_view in_key(const Alert& alert, std::string_view name) {
  const std::string_view key = alert.key;
  for (size_t at = key.find(name); at != key.npos; at = key.find(name, at + 1)) {
    const size_t value = at + name.size() + 1;
    if ((at > 0 && key[at - 1] != ' ') || value > key.size() || key[value - 1] != '=') continue;
    return key.substr(value, key.find(' ', value) - value);
  }
  return {};
}
std::string_view said(const Alert& alert, std::string_view field) {
  const auto value = alert.field(field);
  return value.empty() ? in_key(alert, field) : value;
}

// Whom an alert is about, and by which names the story of that one is known.
struct About {
  std::vector<std::string> own;    // it is his
  std::vector<std::string> under;  // it may be of a story that is known by these
  std::string_view subject;
  std::string_view account;  // that acts: not one that is tried
};

About about(const Alert& alert, const Stories::Circumstances& circumstances) {
  About out;
  const auto name_of = [&](std::string_view account, std::string_view host) {
    return account_name(account, host, circumstances.of_database);
  };
  const bool is_attackers = !circumstances.from_bastion && !circumstances.from_usual_place;
  const auto address = said(alert, "source.ip"), host = said(alert, "host.name");
  std::string_view account = alert.actor;
  if (account.empty()) account = in_key(alert, "actor");
  if (account.empty()) account = said(alert, "user.name");
  if (alert.rule_id == "guessing.account") {
    out.own = {name_of(alert.key, host)};
    out.subject = alert.key;
  } else if (alert.rule_id == "guessing.address") {
    const bool is_network = alert.key.find('/') != std::string::npos;
    out.own = {is_network ? network_name(alert.key) : address_name(alert.key)};
    out.under = {network_name(is_network ? alert.key : network_of(alert.key))};
    out.subject = alert.key;
  } else if (alert.rule_id == "bruteforce.success" && !circumstances.from_bastion) {
    out.own = {address_name(address), name_of(account, host)};
    out.under = {network_name(network_of(address))};
    out.subject = address;
    out.account = account;
  } else if (!address.empty() && (account.empty() || (is_attackers && alert.field("event.outcome") == "failure"))) {
    out.own = {address_name(address)};
    out.under = {network_name(network_of(address))};
    out.subject = address;
  } else if (!account.empty()) {
    out.own = {name_of(account, host)};
    out.subject = out.account = account;
  } else if (!host.empty()) {
    out.own = {host_name(host)};
    out.subject = host;
  } else {
    out.subject = alert.key.empty() ? std::string_view(alert.rule_name) : alert.key;
  }
  out.own.push_back(fold_name(alert, alert.key));
  return out;
}

}  // namespace

bool Stories::wants(const EventKind& kind) {
  if (kind.outcome == "failure") return false;  // nobody became another
  return kind.login != EventKind::Login::none || kind.name == "privilege-used" || kind.name == "command" ||
         kind.name == "account-created";
}

bool Stories::is_open(std::string_view log, int64_t at_ns) const {
  const Log* known = by_log_.find(log);
  return known && at_ns - known->newest_ns <= kQuietNs;
}

Stories::Found Stories::find(Log& log, const std::string& name, int64_t at_ns) {
  const Link* link = log.names.find(name);
  if (!link) return {};
  const bool is_late = at_ns < link->from_ns && at_ns <= link->before_until_ns;
  if (!is_late && at_ns > link->until_ns) return {};
  std::string id = is_late ? link->before : link->story;
  for (int joins = 0; joins < kJoinsMax; ++joins) {
    Story* story = log.stories.find(id);
    if (!story) return {};
    if (!story->into.empty()) {
      id = story->into;
      continue;
    }
    if (at_ns - story->last_ns > kQuietNs || story->first_ns - at_ns > kQuietNs || at_ns - story->first_ns > kLongestNs)
      return {};
    return {id, story};
  }
  return {};
}

void Stories::link(Log& log, const std::string& name, const std::string& story, int64_t at_ns, int64_t for_ns) {
  Link& known = log.names.use(name);
  if (known.story == story)
    known.until_ns = std::max(known.until_ns, at_ns + for_ns);
  else if (known.story.empty())
    known = {story, at_ns, at_ns + for_ns, {}, -kTimeMaxNs};
  else if (at_ns < known.from_ns)  // late: who is there now stays
    known.before = story, known.before_until_ns = at_ns + for_ns;
  else
    known = {story, at_ns, at_ns + for_ns, known.story, known.until_ns};
}

void Stories::follow(const Event& event, FieldTexts& fields, bool comes_anew) {
  Log& log = by_log_.use(event.log);
  const bool of_database = event.kind.has_category(kDatabase);  // who is in it is not on its host
  const int64_t at_ns = event.counted.at_ns;
  if (event.login) {
    const LoginEvent& login = *event.login;
    if (!login.success) return;
    const std::string account = account_name(login.user, login.host, of_database);
    Found of = find(log, account, at_ns);
    if (!of.story && comes_anew) {
      of = find(log, address_name(login.source), at_ns);
      if (!of.story) of = find(log, network_name(network_of(login.source)), at_ns);
      if (of.story) link(log, account, of.id, at_ns, kQuietNs);
    }
    if (of.story && !login.host.empty() && !of_database) link(log, host_name(login.host), of.id, at_ns, kNearNs);
    return;
  }
  std::string actor, host, other;
  fields.first(event.record, "host.name", &host);
  const bool has_actor = fields.first(event.record, kActor, &actor);
  if (event.kind.name == "account-created") {
    // Where nobody is told to have made it, user.name is the account itself.
    const bool by_another = fields.first(event.record, "user.target.name", &other);
    if (!by_another && !fields.first(event.record, "user.name", &other)) return;
    Found of;
    if (has_actor && actor != other) of = find(log, account_name(actor, host, of_database), at_ns);
    if (!of.story && !host.empty() && !of_database) of = find(log, host_name(host), at_ns);
    if (of.story) link(log, account_name(other, host, of_database), of.id, at_ns, kQuietNs);
    return;
  }
  std::string outcome;
  if (!has_actor || !fields.first(event.record, "user.effective.name", &other) || other == actor) return;
  if (fields.first(event.record, "event.outcome", &outcome) && outcome == "failure") return;
  const Found of = find(log, account_name(actor, host, of_database), at_ns);
  if (!of.story) return;
  if (!host.empty() && !of_database) link(log, host_name(host), of.id, at_ns, kNearNs);
  const std::string name = account_name(other, host, of_database);
  if (!find(log, name, at_ns).story) link(log, name, of.id, at_ns, kNearNs);
}

void Stories::step(Log& log, const Found& in, Alert& alert, int64_t at_ns) {
  Story& story = *in.story;
  story.first_ns = std::min(story.first_ns, at_ns);
  story.last_ns = std::max(story.last_ns, at_ns);
  log.newest_ns = std::max(log.newest_ns, at_ns);
  if (!alert.learning && !alert.summary && alert.severity > Severity::informational) {
    story.worst = std::max(story.worst, alert.severity);
    if (auto tactic = tactic_of(alert.tags)) story.tactics |= 1u << *tactic;
  }
  alert.story = in.id;
  alert.story_subject = story.subject;
  alert.story_severity = severity_of_steps(story.worst, story.tactics);
}

void Stories::add(Alert& alert, const Circumstances& circumstances) {
  Log& log = by_log_.use(alert.records.empty() ? std::string_view(alert.tenant) : alert.records.front().log);
  const int64_t at_ns = bounded_time(alert.event_ns);
  if (alert.summary) {
    constexpr std::string_view kMoreOf = "more of ";
    std::string_view key = alert.key;
    if (!key.starts_with(kMoreOf)) return;
    if (const Found of = find(log, fold_name(alert, key.substr(kMoreOf.size())), at_ns); of.story)
      step(log, of, alert, at_ns);
    return;
  }
  const About who = about(alert, circumstances);
  std::vector<Found> found;
  const auto look_at = [&](const std::string& name) {
    const Found one = find(log, name, at_ns);
    if (one.story && std::none_of(found.begin(), found.end(), [&](const Found& each) { return each.id == one.id; }))
      found.push_back(one);
  };
  for (const auto* names : {&who.own, &who.under})
    for (const auto& name : *names) look_at(name);
  if (alert.rule_id == "guessing.address" && who.own[0] == who.under[0]) {
    // Addresses that turn out to come together.
    const std::string any_address = address_name("");
    std::vector<std::string> together;
    log.names.for_each([&](std::string_view name, const Link&) {
      if (name.starts_with(any_address) && network_of(name.substr(any_address.size())) == alert.key)
        together.emplace_back(name);
    });
    for (const auto& name : together) look_at(name);
  }
  const auto oldest = std::min_element(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return std::pair(a.story->first_ns, std::string_view(a.id)) < std::pair(b.story->first_ns, std::string_view(b.id));
  });
  Found into;
  if (oldest != found.end()) {
    into = *oldest;
    for (const auto& other : found) {
      if (other.id == into.id) continue;
      other.story->into = into.id;
      into.story->last_ns = std::max(into.story->last_ns, other.story->last_ns);
      into.story->worst = std::max(into.story->worst, other.story->worst);
      into.story->tactics |= other.story->tactics;
      alert.story_joins.push_back(other.id);
    }
  } else {
    into = {alert.id, &log.stories.use(alert.id)};
    *into.story = {at_ns, at_ns, Severity::informational, 0, std::string(who.subject.substr(0, kNameBytesMax)), {}};
  }
  step(log, into, alert, at_ns);
  for (const auto& name : who.own) link(log, name, into.id, at_ns, kQuietNs);
  const auto host = said(alert, "host.name");
  if (!who.account.empty() && !host.empty() && !circumstances.of_database)
    link(log, host_name(host), into.id, at_ns, kNearNs);
}

void Stories::save(std::string& out) const {
  save_logs(by_log_, out, [&out](const Log& log) {
    put_signed(out, log.newest_ns);
    save_entries(log.stories, out, [&out](const Story& story) {
      put_signed(out, story.first_ns);
      put_signed(out, story.last_ns);
      put_varint(out, static_cast<uint64_t>(story.worst));
      put_varint(out, story.tactics);
      put_text(out, story.subject);
      put_text(out, story.into);
    });
    save_entries(log.names, out, [&out](const Link& link) {
      put_text(out, link.story);
      put_signed(out, link.from_ns);
      put_signed(out, link.until_ns);
      put_text(out, link.before);
      put_signed(out, link.before_until_ns);
    });
  });
}

bool Stories::load(Reader& in) {
  return load_logs(by_log_, in, [&in](Log& log) {
    log.newest_ns = load_time(in);
    const auto load_story = [&in](Story& story) {
      story.first_ns = load_time(in);
      story.last_ns = load_time(in);
      story.worst = static_cast<Severity>(std::min<uint64_t>(in.varint(), static_cast<uint64_t>(Severity::critical)));
      story.tactics = load_number<uint32_t>(in) & ((1u << kTactics) - 1);
      story.subject = in.text();
      story.into = in.text();
    };
    return load_entries(log.stories, in, load_story) && load_entries(log.names, in, [&in](Link& link) {
             link.story = in.text();
             link.from_ns = load_time(in);
             link.until_ns = load_time(in);
             link.before = in.text();
             link.before_until_ns = load_time(in);
           });
  });
}

}  // namespace yushi::detect
