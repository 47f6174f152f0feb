#include "detect/behaviours/serials.h"

#include <algorithm>
#include <charconv>

#include "core/base/calendar.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr FindingKind kGap{"sequence.events-missing", "Numbered events are missing", 2, "attack.t1562.006",
                           "事件编号不连续",          "attack.defense-evasion"};

size_t day_slot(int64_t day) { return static_cast<size_t>(day - floor_div(day, Serials::kDays) * Serials::kDays); }

}  // namespace

void Serials::observe(const Event& event, std::vector<Finding>& findings) {
  Scratch scratch;
  Value value;
  if (!first_value(event.record, event.kind.serial, scratch, &value)) return;
  auto number = static_cast<uint64_t>(std::max<int64_t>(value.integer, 0));
  if (number == 0) std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  if (number == 0 || event.host.empty()) return;
  const std::string_view host = event.host.substr(0, kNameBytesMax);
  std::string key(host);
  key += '\n';
  key += event.kind.message->dataset;
  if (event.kind.counted_in)
    key.append("\n").append(first_text(event.record, event.kind.counted_in, scratch, kNameBytesMax));
  Teller& teller = by_log_.use(event.log, kTellersMax).use(key);

  const uint64_t before = teller.last, before_index = teller.last_index;
  if (number <= before && before - number < kStepMax && number > before / 2) return;  // late, or another line of it
  // An event that waited for its last line is judged behind later ones, and may be of before a restart. Where the
  // numbers go on as they are wont to, the clock was set back.
  const bool goes_on = number > before &&
                       (number - before <= kMissingMin ||
                        (number - before) / kTimes <= *std::max_element(teller.largest.begin(), teller.largest.end()));
  if (event.counted.at_ns < teller.last_ns && !goes_on) return;
  teller.last_ns = event.counted.at_ns;
  teller.last = number;
  teller.last_index = event.record.index;
  if (before == 0 || number < before || number - before > kStepMax) return;
  const auto step = static_cast<uint32_t>(number - before);
  const int64_t day = std::max(floor_div(event.counted.at_ns, kDay), teller.day);
  for (int64_t gone = std::max(teller.day + 1, day - kDays + 1); gone <= day; ++gone)
    teller.largest[day_slot(gone)] = 0;
  teller.day = day;
  const uint32_t usual = *std::max_element(teller.largest.begin(), teller.largest.end());
  const bool told = teller.known >= (usual > 1 ? kKnownMin : kWholeMin) && step > kMissingMin && step / kTimes > usual;
  teller.largest[day_slot(day)] = std::max(teller.largest[day_slot(day)], step);
  if (teller.known < kKnownMin) ++teller.known;
  if (!told) return;
  Finding finding;
  finding.kind = &kGap;
  finding.score = 55;
  finding.key = printable(host);
  finding.reason = std::to_string(step - 1) + " events of " + event.kind.message->dataset + " on " + printable(host) +
                   " between number " + std::to_string(before) + " and " + std::to_string(number) +
                   " never came; in the " + std::to_string(kDays) + " days before no more than " +
                   std::to_string(usual > 0 ? usual - 1 : 0) + " were missing at once";
  finding.reason_zh = "主机 " + printable(host) + " 的 " + event.kind.message->dataset + " 事件在编号 " +
                      std::to_string(before) + " 与 " + std::to_string(number) + " 之间缺失 " +
                      std::to_string(step - 1) + " 条，从未收到；此前 " + std::to_string(kDays) + " 天内一次最多缺失 " +
                      std::to_string(usual > 0 ? usual - 1 : 0) + " 条";
  finding.baseline = "missing=" + std::to_string(step - 1) + " usual=" + std::to_string(usual > 0 ? usual - 1 : 0);
  finding.records = {before_index, event.record.index};
  if (before_index >= event.record.index) finding.records.erase(finding.records.begin());
  findings.push_back(std::move(finding));
}

void Serials::save(std::string& out) const {
  save_by_log(by_log_, out, [&out](const Teller& teller) {
    put_varint(out, teller.last);
    put_varint(out, teller.last_index);
    put_signed(out, teller.last_ns);
    put_varint(out, teller.known);
    put_signed(out, teller.day);
    for (auto largest : teller.largest) put_varint(out, largest);
  });
}

bool Serials::load(Reader& in) {
  return load_by_log(by_log_, kTellersMax, in, [&in](Teller& teller) {
    teller.last = in.varint();
    teller.last_index = in.varint();
    teller.last_ns = load_time(in);
    teller.known = std::min(load_number<uint32_t>(in), kKnownMin);
    teller.day = load_day(in);
    for (auto& largest : teller.largest) largest = static_cast<uint32_t>(std::min(in.varint(), kStepMax));
  });
}

}  // namespace yushi::detect
