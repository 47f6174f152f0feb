#include "judge/event_judge.h"

namespace yushi::judge {
namespace {

detect::DetectOptions with_zones(detect::DetectOptions options, ZoneOfLog zone_of) {
  options.zone_of = std::move(zone_of);
  return options;
}

}  // namespace

EventJudge::EventJudge(std::shared_ptr<const parsers::ParserSet> parsers, std::shared_ptr<const detect::RuleSet> rules,
                       detect::DetectOptions options, ZoneOfLog zone_of)
    : parsers_(parsers),
      rules_(rules),
      zone_of_(std::move(zone_of)),
      counts_(options.counts),
      engine_(rules, with_zones(std::move(options), [this](std::string_view log) { return zone_of_(log); })),
      joiner_(std::make_unique<parsers::Joiner>(std::move(parsers))),
      matcher_(rules->matcher(counts_)) {}

void EventJudge::observe(const Batch& batch, size_t begin, size_t end, std::vector<Alert>& alerts) {
  joiner_->begin();
  const Origin* origin = nullptr;
  std::shared_ptr<const Zone> zone;
  size_t shown = begin;
  for (size_t i = begin; i < end; ++i) {
    const Record& record = batch.records[i];
    if (record.origin != origin) {
      origin = record.origin;
      zone = zone_of_(origin->log);
    }
    const bool is_line = joiner_->add(record, zone);
    if (!is_line && joiner_->closed().empty()) [[likely]]
      continue;
    engine_.observe(batch, shown, i, alerts);
    judge_closed(alerts);
    shown = is_line ? i + 1 : i;
  }
  engine_.observe(batch, shown, end, alerts);
}

void EventJudge::judge_closed(std::vector<Alert>& alerts) {
  if (joiner_->closed().empty()) return;
  for (auto& event : joiner_->closed()) {
    events_.records.push_back(event.record);
    events_.keep.push_back(std::move(event.owner));
  }
  joiner_->closed().clear();
  events_.keep.push_back(rules_);
  matcher_->match(events_, scratch_, events_.hits);
  engine_.observe(events_, alerts);
  events_.hits.clear();
  events_.records.clear();
  events_.keep.clear();
}

void EventJudge::tick(uint64_t commit, int64_t received_ns, std::vector<Alert>& alerts) {
  joiner_->advance(received_ns);
  judge_closed(alerts);
  engine_.tick(commit, received_ns, alerts);
}

void EventJudge::reload(std::shared_ptr<const parsers::ParserSet> parsers, std::shared_ptr<const detect::RuleSet> rules,
                        ZoneOfLog zone_of, std::vector<Alert>& alerts) {
  joiner_->close_all();
  judge_closed(alerts);
  cut_before_ += joiner_->cut();
  engine_.reload(rules);
  rules_ = std::move(rules);
  matcher_ = rules_->matcher(counts_);
  zone_of_ = std::move(zone_of);
  parsers_ = parsers;
  joiner_ = std::make_unique<parsers::Joiner>(std::move(parsers));
}

std::string EventJudge::save() const {
  std::string out;
  put_text(out, engine_.save());
  joiner_->save(out);
  return out;
}

std::vector<std::string> EventJudge::load(Reader& in) {
  auto loaded = engine_.load(in.text());
  auto begin_anew = loaded ? std::move(*loaded) : std::vector<std::string>{loaded.error().message};
  if (!joiner_->load(in)) {
    joiner_ = std::make_unique<parsers::Joiner>(parsers_);
    begin_anew.push_back("events of several lines: not ours or damaged");
  }
  return begin_anew;
}

}  // namespace yushi::judge
