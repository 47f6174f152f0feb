// The cases of go-syslog, syslog-ng and rsyslog: each gives the fields expected there, or stands with its reason in
// tests/cases/header/differences.jsonl. A case that stands there and agrees fails too.
//
// What is expected differs by source, so each has a function that lists the disagreements by name.
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "core/base/calendar.h"
#include "tests/unit/data_sets.h"
#include "tests/unit/parsers/header_case.h"

namespace yushi::parsers {
namespace {

using nlohmann::json;
using Disagreements = std::vector<std::string>;

// FNV-1a: names a case in our list without a copy of its text.
std::string case_key(const std::string& source, const std::string& raw) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string& part : {source, raw})
    for (char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string bytes;
  put_be64(bytes, hash);
  return to_hex(bytes);
}

// syslog-ng's tests run in this zone at this time; go-syslog's and rsyslog's do not depend on either.
constexpr int64_t kReceivedNs = 1'549'615'069'123'000'000;

struct Expectation {
  const ReadHeader& read;
  Disagreements disagreements;

  void same(const std::string& name, const std::string& ours, const std::string& theirs) {
    if (ours != theirs) disagreements.push_back(name + ": ours \"" + ours + "\", theirs \"" + theirs + "\"");
  }
  std::string text(const char* name) const { return read.text(name).value_or(""); }
  std::string procid() const { return read.text("process.pid").value_or(text("log.syslog.procid")); }
  // Cisco's tag as the others name a program: %SYS-5-CONFIG_I
  std::string program() const {
    const Capture *facility = read.find("log.syslog.appname"), *code = read.find("event.code");
    if (!facility || !code) return text("process.name");
    return read.raw().substr(facility->begin - 1, code->end() - facility->begin + 1);
  }
};

// `whole`: what is not named must not be there. Else (go-syslog's best effort) only what is named must be.
void expect_go(Expectation& e, const json& expect, bool whole) {
  const auto check = [&](const char* key, const std::string& ours) {
    if (expect.contains(key))
      e.same(key, ours, expect[key].is_string() ? expect[key].get<std::string>() : expect[key].dump());
    else if (whole)
      e.same(key, ours, "");
  };
  const uint16_t priority = e.read.record().priority;
  check("priority", priority == Record::kNoPriority ? "" : std::to_string(priority));
  if (expect.contains("facility")) check("facility", std::to_string(priority / 8));
  if (expect.contains("severity")) check("severity", std::to_string(priority % 8));
  check("version", e.text("log.syslog.version"));
  check("timestamp", e.text("@timestamp"));
  check("hostname", e.text("host.name"));
  check("appname", e.text("process.name"));
  check("procid", e.procid());
  check("msgid", e.text("log.syslog.msgid"));
  check("message", e.read.message());
  std::map<std::string, std::string> ours, theirs;
  for (const Capture& capture : e.read.captures())
    if (capture.field->name.starts_with(kStructuredDataPrefix))
      ours[std::string(capture.field->name.substr(kStructuredDataPrefix.size()))] = e.read.record().text(capture);
  if (expect.contains("structured_data")) {
    for (const auto& [id, parameters] : expect["structured_data"].items()) {
      if (parameters.empty()) theirs[id] = "";
      for (const auto& [name, value] : parameters.items()) theirs[id + "." + name] = value;
    }
    e.same("structured_data", json(ours).dump(), json(theirs).dump());
  } else if (whole) {
    e.same("structured_data", json(ours).dump(), json(theirs).dump());
  }
}

void expect_syslog_ng(Expectation& e, const json& expect) {
  const Record& record = e.read.record();
  for (const auto& [key, value] : expect.items()) {
    if (key == "sdata") {
      for (const auto& [name, text] : value.items()) {
        if (name == ".SDATA.timeQuality.isSynced" && !e.read.raw().empty() &&
            e.read.raw().find("isSynced") == std::string::npos)
          continue;  // made by syslog-ng of Cisco's mark before the time
        const std::string field = std::string(kStructuredDataPrefix) + name.substr(7);
        const Capture* capture = e.read.find(field);
        e.same(name, capture ? e.read.value(*capture) : "(none)", text);
      }
      continue;
    }
    const std::string theirs = value.get<std::string>();
    if (key == "host" || key == "HOST") e.same(key, e.text("host.name"), theirs);
    if (key == "program" || key == "PROGRAM") e.same(key, e.program(), theirs);
    if (key == "message" || key == "MSG") e.same(key, e.read.message(), theirs);
    if (key == "pid" || key == "PID") e.same(key, e.procid(), theirs);
    if (key == "msgid") e.same(key, e.text("log.syslog.msgid"), theirs);
    if (key == "pri")
      e.same(key, std::to_string(record.priority == Record::kNoPriority ? 13 : record.priority), theirs);
    if (key == "MSGFORMAT" && theirs == "rfc3164") e.same(key, e.text("log.syslog.version"), "");
    if (key == "sdata_str" && !theirs.empty() && e.read.raw().find(theirs) == std::string::npos)
      e.same(key, "", theirs);
    if (key == "stamp_sec") {
      const std::string ours = std::to_string(record.event_ns / kSecond);
      if (theirs == "0") {
        if (!(record.time_inferred & kAllInferred)) e.same(key, ours, "(receipt)");
      } else if (theirs == "1") {  // this year's, which the test could not write down
        if (!(record.time_inferred & kYearInferred)) e.same(key, ours, "(year inferred)");
      } else {
        e.same(key, ours, theirs);
        e.same("stamp_usec", std::to_string(record.event_ns % kSecond / 1000), expect["stamp_usec"]);
      }
    }
    if (key == "stamp_gmtoff" && expect["stamp_sec"] != "0") {
      if (const auto time = e.read.time()) e.same(key, std::to_string(time->zone_minutes * 60), theirs);
    }
  }
}

// ---- rsyslog: expectations are rendered templates

const char* const kFacilities[] = {"kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
                                   "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
                                   "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
const char* const kSeverities[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

std::string pad2(int64_t number) { return (number < 10 ? "0" : "") + std::to_string(number); }

std::string render_time(const Expectation& e, const std::string& options) {
  const auto time = e.read.time();
  if (!time) return "(no time)";
  const bool utc = options.find("date-utc") != std::string::npos;
  const int64_t unix_seconds = floor_div(time->unix_ns, kSecond);
  const int64_t local = unix_seconds + (utc ? 0 : time->zone_minutes * 60);
  const int64_t days = floor_div(local, kDaySeconds), of_day = local - days * kDaySeconds;
  const CivilDate date = civil_from_days(days);
  const std::string clock = pad2(of_day / 3600) + ":" + pad2(of_day / 60 % 60) + ":" + pad2(of_day % 60);
  std::string fraction = std::to_string(1'000'000'000 + time->unix_ns - unix_seconds * kSecond).substr(1);
  fraction.resize(time->digits < 6 ? time->digits : 6);  // rsyslog keeps microseconds
  const std::string month = std::string("JanFebMarAprMayJunJulAugSepOctNovDec").substr(3 * (date.month - 1), 3);
  if (options.find("date-rfc3339") != std::string::npos) {
    std::string out = std::to_string(date.year) + "-" + pad2(date.month) + "-" + pad2(date.day) + "T" + clock;
    if (!fraction.empty()) out += "." + fraction;
    const int minutes = utc ? 0 : time->zone_minutes;
    if (utc || minutes == 0) return out + (utc ? "+00:00" : "Z");
    return out + (minutes < 0 ? "-" : "+") + pad2(std::abs(minutes) / 60) + ":" + pad2(std::abs(minutes) % 60);
  }
  if (options.find("date-subseconds") != std::string::npos) return fraction.empty() ? "0" : fraction;
  if (options.find("date-iso-week") != std::string::npos) {
    const int64_t thursday = days - (weekday_from_days(days) + 6) % 7 + 3;
    const int year = civil_from_days(thursday).year;
    if (options.find("date-iso-week-year") != std::string::npos) return std::to_string(year);
    return pad2((thursday - days_from_civil(year, 1, 1)) / 7 + 1);
  }
  const bool zero = options.find("buggyday") != std::string::npos;
  const std::string day = zero || date.day > 9 ? pad2(date.day) : " " + std::to_string(date.day);
  return month + " " + day + " " + clock;
}

std::string syslog_tag(const Expectation& e) {
  const Capture* first = e.read.find("process.name");
  size_t from = first ? first->begin : std::string::npos;
  if (const Capture* facility = e.read.find("log.syslog.appname")) from = facility->begin - 1;
  if (from == std::string::npos) return "-";
  const std::string& raw = e.read.raw();
  const size_t to = raw.find_first_of(": ", from);
  return raw.substr(from, to == std::string::npos ? to : to - from + (raw[to] == ':'));
}

std::string render_property(const Expectation& e, const std::string& property) {
  std::vector<std::string> parts;  // name : from : to : options, of which R,ERE,… has colons of its own
  size_t at = 0;
  for (size_t colon; parts.size() < 3 && (colon = property.find(':', at)) != std::string::npos; at = colon + 1)
    parts.push_back(property.substr(at, colon - at));
  parts.push_back(property.substr(at));
  const std::string& name = parts[0];
  const std::string options = parts.size() > 3 ? parts[3] : "";
  const Record& record = e.read.record();
  const bool is_5424 = e.read.find("log.syslog.version") != nullptr;
  std::string out;
  if (name == "PRI") out = std::to_string(record.priority);
  if (name == "syslogfacility-text") out = kFacilities[record.priority / 8];
  if (name == "syslogseverity-text") out = kSeverities[record.priority % 8];
  if (name == "syslogseverity") out = std::to_string(record.priority % 8);
  if (name == "hostname") out = e.text("host.name");
  if (name == "programname") out = e.program();
  if (name == "rawmsg") out = e.read.raw();
  if (name == "syslogtag") out = syslog_tag(e);
  if (name == "timestamp" || name == "timereported") out = render_time(e, options);
  if (name == "msg") {
    out = e.read.message();  // of RFC 3164 rsyslog keeps the blank that we cut
    const uint32_t begin = record.message_begin;
    if (!is_5424 && begin > 0 && e.read.raw()[begin - 1] == ' ') out = " " + out;
  }
  if (parts.size() > 2 && parts[1] == "R,ERE,0,BLANK") {
    std::string pattern = parts[2] + (parts.size() > 3 ? ":" + parts[3] : "");
    pattern = pattern.substr(0, pattern.find("--end"));
    try {
      std::smatch match;
      const std::string tag = out;
      out = std::regex_search(tag, match, std::regex(pattern, std::regex::extended)) ? match[0].str() : "";
    } catch (const std::regex_error&) {
      out = "**NO MATCH** **BAD REGULAR EXPRESSION**";
      return out;
    }
  } else if (parts.size() > 2 && !parts[1].empty()) {
    const size_t from = std::stoul(parts[1]) - 1, to = std::stoul(parts[2]);
    out = from < out.size() ? out.substr(from, to - from) : "";
  }
  return property.find("csv") != std::string::npos ? '"' + out + '"' : out;
}

std::string render(const Expectation& e, const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t percent = text.find('%', at);
    if (percent == std::string::npos) return out + text.substr(at);
    out += text.substr(at, percent - at);
    const size_t to = text.find('%', percent + 1);
    out += render_property(e, text.substr(percent + 1, to - percent - 1));
    at = to + 1;
  }
  return out;
}

// Of rsyslog's tests those that test modules other than its two header parsers.
bool tests_a_module(const std::string& source) {
  const std::string name = source.substr(source.rfind('/') + 1);
  for (const char* prefix : {"mm", "omf", "pmlastmsg", "pmnormalize", "pmnull", "pmsnare"})
    if (name.starts_with(prefix)) return true;
  return false;
}

struct Entry {
  json fields;
  bool met = false;
};

void expect_agreement(const std::filesystem::path& data) {
  std::ifstream in(data / "syslog_cases/messages.jsonl");
  ASSERT_TRUE(in) << data;

  std::map<std::string, Entry> differences;
  std::ifstream list(YUSHI_SOURCE_DIR "/tests/cases/header/differences.jsonl");
  for (std::string line; std::getline(list, line);) {
    const json entry = json::parse(line);
    ASSERT_GT(entry["reason"].get<std::string>().size(), 20u) << line;
    ASSERT_TRUE(differences.emplace(entry["case"], Entry{entry}).second) << "twice: " << line;
  }

  const auto zone = *Zone::find("Europe/Budapest");
  std::map<std::string, int> held, differing, unjudged;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const json test = json::parse(line);
    const std::string source = test["src"];
    const std::string family = source.substr(0, source.find_first_of(" "));
    std::vector<std::string> inputs;
    if (test.contains("inputs_text"))
      inputs = test["inputs_text"].get<std::vector<std::string>>();
    else
      inputs.push_back(test["input_text"]);

    Disagreements found;
    std::set<std::string> rendered;
    bool judged = true;
    for (const std::string& raw : inputs) {
      SCOPED_TRACE("messages.jsonl:" + std::to_string(number) + " " + source);
      const ReadHeader read(raw, kReceivedNs, *zone);
      read.expect_whole();
      Expectation e{read, {}};
      if (test.contains("valid")) {
        if (test["valid"].get<bool>())
          expect_go(e, test["expect"], true);
        else if (!test["partial_ok"].is_null())
          expect_go(e, test["partial_ok"], false);
      } else if (test.contains("expect")) {
        expect_syslog_ng(e, test["expect"]);
      } else if (!test.contains("template") || tests_a_module(source)) {
        judged = false;
      } else {
        const std::string ours = render(e, test["template"]);
        rendered.insert(ours);
        if (test.contains("expect_rendered")) e.same("rendered", ours, test["expect_rendered"]);
      }
      found.insert(found.end(), e.disagreements.begin(), e.disagreements.end());
    }
    if (judged && test.contains("expect_rendered_all")) {
      std::istringstream lines(test["expect_rendered_all"].get<std::string>());
      for (std::string wanted; std::getline(lines, wanted);)
        if (!rendered.contains(wanted)) found.push_back("rendered: \"" + wanted + "\" is not among ours");
    }
    if (!judged) {
      ++unjudged[family];
      continue;
    }

    const std::string key = case_key(source, inputs[0]);
    const auto listed = differences.find(key);
    if (listed != differences.end()) listed->second.met = true;
    if (found.empty()) {
      ++held[family];
      EXPECT_TRUE(listed == differences.end()) << source << " agrees: take " << key << " out of differences.jsonl";
      continue;
    }
    ++differing[family];
    // The fields that differ must be those that the reason speaks of.
    std::set<std::string> names;
    for (const std::string& one : found) names.insert(one.substr(0, one.find(':')));
    const bool known = listed != differences.end() && listed->second.fields["fields"] == json(names);
    std::string all;
    for (const std::string& one : found) all += "\n  " + one;
    EXPECT_TRUE(known) << "messages.jsonl:" << number << " " << source << "\n{\"case\":\"" << key
                       << "\",\"fields\":" << json(names).dump() << "}" << all;
  }
  for (const auto& [key, entry] : differences)
    if (!entry.met && data != test::kOwnData) std::cout << "not in this data: " << entry.fields.dump() << "\n";
  for (const auto& [family, count] : held)
    std::cout << family << ": " << count << " agree, " << differing[family] << " differ with a reason, "
              << unjudged[family] << " test no headers\n";
}

TEST(HeaderReference, each_case_of_our_own_agrees) { expect_agreement(test::kOwnData); }

TEST(HeaderReference, each_published_case_agrees_or_stands_with_its_reason_in_our_list) {
  YUSHI_SKIP_WITHOUT_PUBLISHED_DATA();
  expect_agreement(test::published_data());
}

}  // namespace
}  // namespace yushi::parsers
