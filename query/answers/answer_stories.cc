// Stories, and one of them with its records: put together of the alerts that say which one they belong to.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/base/name.h"
#include "core/record/ecs_json.h"
#include "query/answers/alert_reading.h"
#include "query/answers/alert_states.h"
#include "query/answers/answer.h"
#include "query/answers/stories.h"

namespace yushi::query {
namespace {

// As detect/alerts/stories.h has them; and longer than a story lasts, so that what is shown of one is all of it.
constexpr int64_t kQuietNs = kDay, kLongestNs = 7 * kDay, kStoryNs = 8 * kDay;

// All that were raised in these times.
Result<StoryBook> read_stories(const Permit& permit, const Asked& asked, int64_t from_ns, int64_t to_ns,
                               AnswerEnd& end) {
  StoryBook book;
  storage::RecordReader reader(asked.view);
  SecretMask mask(asked.secrets);
  const auto tenant = asked.parameters.text("tenant");
  const auto miss = [&](std::string what) {
    if (end.missing.size() < kAlertsMissingMax) end.missing.push_back(std::move(what));
  };
  bool full = false;
  YUSHI_TRY(asked.view.each_alert(first_index_of(asked.view, from_ns), false, [&](uint64_t index, auto& entry) {
    if (!entry) {
      miss("alert _audit/" + std::to_string(index) + ": " + entry.error().message);
      return !asked.cancelled;
    }
    if (entry->raised_ns < from_ns || entry->raised_ns > to_ns || !permit.sees_tenant(entry->tenant) ||
        (!tenant.empty() && entry->tenant != tenant))
      return !asked.cancelled;
    std::string_view raw;
    if (auto read = read_alert(reader, index, &raw); !read) {
      miss(read.error().message);
    } else if (read->story.empty() && read->rule_id.starts_with("yushid.")) {
      return !asked.cancelled;  // what yushid says of itself is nobody's deed
    } else if (const auto masked = mask.mask(raw); masked.data() == raw.data()) {
      full |= !book.add(*read);
    } else if (const auto alert = alert_of(masked)) {
      full |= !book.add(*alert);
    }
    return !asked.cancelled;
  }));
  if (full)
    miss("stories beyond " + std::to_string(StoryBook::kStoriesMax) + ": ask for less time with --since and --until");
  end.blocks = end.blocks_read = reader.blocks_read();
  return book;
}

int64_t before(int64_t ns, int64_t by) { return ns < std::numeric_limits<int64_t>::min() + by ? ns : ns - by; }
int64_t after(int64_t ns, int64_t by) { return ns > std::numeric_limits<int64_t>::max() - by ? ns : ns + by; }

// Whether another step may still come to it: detect/alerts/stories.h counts by event time.
bool is_open(const Story& story, int64_t now_ns) {
  return after(std::min(story.raised_ns, story.last_ns), kQuietNs) > now_ns &&
         after(story.first_ns, kLongestNs) > now_ns;
}

}  // namespace

Result<AnswerEnd> answer_stories(const Permit& permit, const Asked& asked) {
  const auto& parameters = asked.parameters;
  const auto clock = YUSHI_TRY(parameters.clock());
  const auto times = YUSHI_TRY(parameters.times(clock));
  const auto limit = YUSHI_TRY(parameters.number("limit"));
  const auto reverse = YUSHI_TRY(parameters.flag("reverse"));
  const auto least = YUSHI_TRY(least_severity(parameters));
  const auto about = parameters.text("about");
  if (const auto tenant = parameters.text("tenant"); !tenant.empty()) YUSHI_TRY(permit.see_tenant(tenant));

  AnswerEnd end;
  const auto book = YUSHI_TRY(read_stories(permit, asked, before(times.from_ns, kStoryNs), times.to_ns, end));
  if (asked.cancelled) return asked.so_far();
  std::vector<const Story*> wanted;
  for (const auto& [id, story] : book.stories())
    if (story.raised_ns >= times.from_ns && story.severity() >= least && (about.empty() || story.is_about(about)))
      wanted.push_back(&story);
  std::sort(wanted.begin(), wanted.end(), [](const Story* a, const Story* b) {
    return std::tuple(a->raised_ns, a->last_ns, std::string_view(a->id)) <
           std::tuple(b->raised_ns, b->last_ns, std::string_view(b->id));
  });
  if (limit && wanted.size() > *limit) wanted.erase(wanted.begin(), wanted.end() - static_cast<ptrdiff_t>(*limit));
  if (reverse) std::reverse(wanted.begin(), wanted.end());
  for (const Story* story : wanted) {
    if (!asked.say(story_json(*story, is_open(*story, clock.now_ns)))) return asked.so_far();
    ++end.records;
  }
  if (wanted.empty() && !parameters.text("tenant").empty()) YUSHI_TRY(parameters.logs(permit, asked.view, true));
  return end;
}

Result<AnswerEnd> answer_story(const Permit& permit, const Asked& asked) {
  const auto clock = YUSHI_TRY(asked.parameters.clock());
  const auto alert = YUSHI_TRY(find_alert(permit, asked)).alert;
  storage::RecordReader reader(asked.view);
  AnswerEnd end;
  const auto book =
      YUSHI_TRY(read_stories(permit, asked, before(alert.raised_ns, kStoryNs), after(alert.raised_ns, kStoryNs), end));
  if (asked.cancelled) return asked.so_far();
  const Story* story = book.find(alert.story.empty() ? alert.id : alert.story);
  if (!story) return fail(Code::not_found, "no story of alert " + alert.id);
  if (!asked.say(story_json(*story, is_open(*story, clock.now_ns)))) return asked.so_far();
  ++end.records;
  // In the order in which it happened, whatever the order in which alerts named it.
  std::vector<std::tuple<int64_t, std::string_view, uint64_t, std::string>> evidence;
  SecretMask mask(asked.secrets);
  EcsJsonWriter writer;
  for (const auto& [log, index] : story->records) {
    if (asked.cancelled) return asked.so_far();
    if (!permit.sees_log(log)) continue;
    auto record = reader.read(log, index);
    if (!record) {
      end.missing.push_back(record.error().message);
      continue;
    }
    std::string line;
    writer.write(mask.mask(**record), JsonOptions{}, line);
    evidence.emplace_back((*record)->event_ns, log, index, std::move(line));
  }
  std::sort(evidence.begin(), evidence.end());
  for (const auto& [at_ns, log, index, line] : evidence) {
    if (asked.cancelled || !asked.sink(line)) return asked.so_far();
    ++end.records;
  }
  return end;
}

}  // namespace yushi::query
