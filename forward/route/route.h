// A route: a forwarder that brings alerts, and nothing else, to people and to systems that take messages one by one.
//
// What routes have in common stands here: which alerts they take, how many messages a minute, when they try again. Each
// kind (webhook/, mail/, syslog/) is a Courier beside it, which brings one letter of one or more alerts.
//
//   begin    A new route takes what is raised from then on. It is known by its `name`: where it sends to may change.
//   pace     Alerts go one a letter, until a minute's letters do not suffice for those that wait: then all of them go
//            in one, a digest, which takes what is left of the minute.
//   failure  The letter is tried again, after 1 s, 2 s … 1 min, or when somebody answers again; alerts that come
//            meanwhile join it.
//   refusal  Somebody who is there may refuse what one alert says (a wall that sees an attack in it). Letters get
//            smaller until it is alone, and then it says no more than which alert it is: nobody's words stop the rest.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/event/alert.h"
#include "forward/sinks.h"

namespace yushi::forward {

// Good until the courier has told what became of it.
struct Letter {
  struct Item {
    const Alert* alert;
    std::string_view json;  // as it stands in `_audit`, secrets hidden
  };
  std::vector<Item> items;  // in the order in which they were raised, at least one
  bool is_brief = false;    // one alert, whose words were refused
  bool in_chinese = false;  // what people read of it
};

class Courier {
 public:
  virtual ~Courier() = default;  // gives up what is under way

  // One letter is under way at a time: until serve() has told of it, or give_up().
  virtual void begin(const Letter& letter) = 0;
  struct Fate {
    enum class Kind : uint8_t {
      taken,
      refused,  // this letter; another one may be taken
      failed,   // somebody is there, and takes nothing now
      away,     // nobody is there
    } kind;
    std::string words;  // why not
  };
  // Goes on with it, and waits so long at most. What became of the letter, once.
  virtual std::optional<Fate> serve(int milliseconds) = 0;
  virtual void give_up() = 0;
  // Whether somebody is there; waits so long at most. Nothing is under way.
  virtual bool is_there(int milliseconds) = 0;
};

class RouteConfig : public ForwarderConfig {
 public:
  Result<std::unique_ptr<Sink>> make_sink(const std::string& node) const final;
  std::string name() const final { return kind + " " + name_; }
  std::vector<std::pair<const char*, std::string>> addresses() const final { return {{"name", name_}}; }

  virtual std::unique_ptr<Courier> make_courier(const std::string& node) const = 0;

  std::string name_;
  unsigned letters_a_minute = 10;  // 0: as many as there are
  bool in_chinese = false;

 protected:
  explicit RouteConfig(const char* kind_name) : kind(kind_name) { is_route = sends_alerts = true; }
  const std::string kind;
};

// Readers of the keys that each route has: type, name, severity, rules, select, secrets, lang, per_minute.
std::map<std::string, Walk::Reader> route_keys(Walk& walk, RouteConfig& config);
// `name` is there.
void check_route(Walk& walk, const YAML::Node& node);

constexpr size_t kLetterAlertsMax = 1000;      // and as many wait here, the rest in the store
constexpr size_t kLetterBytesMax = 512 << 10;  // of their JSON, but for one alone
std::unique_ptr<Sink> make_route_sink(std::unique_ptr<Courier> courier, unsigned letters_a_minute,
                                      bool in_chinese = false);

}  // namespace yushi::forward
