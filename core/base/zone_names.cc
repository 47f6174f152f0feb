// The names of zones as logs write them behind a clock.
#include <algorithm>
#include <iterator>

#include "core/base/time_parts.h"

namespace yushi::time_parts {
namespace {

struct NamedZone {
  std::string_view name;
  int16_t minutes;
  // Several lands use the name: where the tenant lives in one of the others, it is that one. CST is China's at a
  // Chinese unit and North America's elsewhere.
  int16_t others[2] = {kNoOther, kNoOther};
  static constexpr int16_t kNoOther = 32'000;
};
constexpr NamedZone kZones[] = {
    // sorted
    {"ACDT", 630},
    {"ACST", 570},
    {"ADT", -180},
    {"AEDT", 660},
    {"AEST", 600},
    {"AFT", 270},
    {"AKDT", -480},
    {"AKST", -540},
    {"ALMT", 360},
    {"ART", -180},
    {"AST", -240, {180, NamedZone::kNoOther}},
    {"AWST", 480},
    {"AZT", 240},
    {"BDT", 360},
    {"BNT", 480},
    {"BRST", -120},
    {"BRT", -180},
    {"BST", 60, {360, NamedZone::kNoOther}},
    {"BTT", 360},
    {"CAT", 120},
    {"CDT", -300, {540, -240}},
    {"CEST", 120},
    {"CET", 60},
    {"CHST", 600},
    {"CLST", -180},
    {"CLT", -240},
    {"COT", -300},
    {"CST", -360, {480, -300}},
    {"EAT", 180},
    {"EDT", -240, {660, NamedZone::kNoOther}},
    {"EEST", 180},
    {"EET", 120},
    {"EST", -300, {600, NamedZone::kNoOther}},
    {"FET", 180},
    {"FJT", 720},
    {"GET", 240},
    {"GMT", 0},
    {"GST", 240},
    {"HDT", -540},
    {"HKT", 480},
    {"HST", -600},
    {"ICT", 420},
    {"IDT", 180},
    {"IRDT", 270},
    {"IRKT", 480},
    {"IRST", 210},
    {"IST", 330, {60, 120}},
    {"JST", 540},
    {"KGT", 360},
    {"KRAT", 420},
    {"KST", 540},
    {"MAGT", 660},
    {"MDT", -360},
    {"MEST", 120},
    {"MET", 60},
    {"MMT", 390},
    {"MSD", 240},
    {"MSK", 180},
    {"MST", -420, {480, NamedZone::kNoOther}},
    {"MUT", 240},
    {"MVT", 300},
    {"MYT", 480},
    {"NDT", -150},
    {"NOVT", 420},
    {"NPT", 345},
    {"NST", -210},
    {"NZDT", 780},
    {"NZST", 720},
    {"OMST", 360},
    {"PDT", -420},
    {"PET", -300},
    {"PETT", 720},
    {"PGT", 600},
    {"PHT", 480},
    {"PKT", 300},
    {"PST", -480, {480, NamedZone::kNoOther}},
    {"PYT", -240},
    {"SAMT", 240},
    {"SAST", 120},
    {"SGT", 480},
    {"SST", -660, {480, NamedZone::kNoOther}},
    {"TJT", 300},
    {"TMT", 300},
    {"TRT", 180},
    {"UCT", 0},
    {"UT", 0},
    {"UTC", 0},
    {"UYT", -180},
    {"UZT", 300},
    {"VET", -240},
    {"VLAT", 600},
    {"WAT", 60},
    {"WEST", 60},
    {"WET", 0},
    {"WIB", 420},
    {"WIT", 540},
    {"WITA", 480},
    {"YAKT", 540},
    {"YEKT", 300},
    {"Z", 0},
};
static_assert(std::is_sorted(std::begin(kZones), std::end(kZones), [](auto& a, auto& b) { return a.name < b.name; }));

// North America's clocks by one name over summer and winter.
constexpr std::pair<std::string_view, std::string_view> kAllYear[] = {{"AT", "America/Halifax"},
                                                                      {"CT", "America/Chicago"},
                                                                      {"ET", "America/New_York"},
                                                                      {"MT", "America/Denver"},
                                                                      {"PT", "America/Los_Angeles"}};

}  // namespace

std::optional<int> zone_name_minutes(std::string_view name, int64_t local_seconds, const Zone& own) {
  const auto* known = std::lower_bound(std::begin(kZones), std::end(kZones), name,
                                       [](const NamedZone& zone, std::string_view text) { return zone.name < text; });
  if (known != std::end(kZones) && known->name == name) {
    for (const int other : known->others)
      if (other != NamedZone::kNoOther && own.offset_seconds_at_local(local_seconds) == other * 60) return other;
    return known->minutes;
  }
  for (auto& [short_name, iana] : kAllYear)
    if (name == short_name) name = iana;
  if (name.find('/') == name.npos) return std::nullopt;
  const Zone* zone = Zone::known(name);
  if (!zone) return std::nullopt;
  return static_cast<int>(floor_div(zone->offset_seconds_at_local(local_seconds), 60));
}

const char* read_zone_name(const char* at, const char* end, const Zone& zone, Parts& parts, std::string_view* name) {
  if (end - at < 4 || *at != ' ' || at[1] < 'A' || at[1] > 'Z') return nullptr;
  const char* from = ++at;
  while (at < end && at - from < 5 && *at >= 'A' && *at <= 'Z') ++at;
  if (at - from < 3 || (at < end && (is_alnum(*at) || *at == '-' || *at == '.' || *at == '_' || *at == '/')))
    return nullptr;
  *name = {from, static_cast<size_t>(at - from)};
  const auto minutes = zone_name_minutes(*name, local_seconds(parts), zone);
  if (!minutes) return nullptr;
  parts.has_zone = true;
  parts.zone_minutes = *minutes;
  return at;
}

}  // namespace yushi::time_parts
