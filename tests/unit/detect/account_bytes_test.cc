// What all detectors together hold of one account, of which everything there is to remember happened: docs/detection.md
// says it.
#include <gtest/gtest.h>

#include "detect/detectors.h"
#include "detect/lists.h"
#include "detect/places.h"
#include "detect/silence.h"
#include "events.h"

namespace yushi::detect {
namespace {

const int64_t kStart = at("2026-10-02T09:00:00Z");

class OneAccount : public testing::Test {
 protected:
  OneAccount() {
    Walk walk("yushi.yaml");
    ListSettings settings;
    read_list_settings(walk, YAML::Load("networks: ['2001:db8::/32 somewhere 39.9 116.4']"), settings);
    options_.lists = Lists::load(settings);
  }

  void show(std::vector<Line> lines) {
    batches_.push_back(committer_.batch(lines));
    std::vector<Finding> findings;
    Scratch scratch;
    for (const auto& record : batches_.back()->records) {
      const auto kind = event_kind_of(*record.kind);
      Scratch of_host;
      Event event{record, kind, record.origin->log, counted_time(record), host_of(record, of_host)};
      std::optional<LoginEvent> login;
      if (kind.login != EventKind::Login::none) login = login_of(event, scratch);
      if (login) event.login = &*login;
      detectors_.observe(event, detectors_.wanted_by(kind), findings);
    }
  }
  Line of_kind(std::string kind, std::vector<std::pair<std::string, std::string>> values) {
    Line line;
    line.at_ns = now_ += kMinute;
    line.dataset = "bastion";
    line.pattern = kind;
    line.constants = {{"yushi.event", std::move(kind)}};
    line.values = std::move(values);
    return line;
  }

  uint64_t held(const std::string& account) {
    uint64_t out = 0;
    Holdings all;
    detectors_.hold(all);
    for (const auto& one : all) out += one.map->bytes_of(ShortName(account));
    return out;
  }

  int64_t now_ = kStart;
  DetectOptions options_;
  Silence silence_;
  Detectors detectors_{options_, silence_};
  Committer committer_;
  std::vector<std::unique_ptr<Batch>> batches_;
};

std::string address(int i) {
  char text[64];
  std::snprintf(text, sizeof text, "2001:db8:aaaa:%04x:bbbb:cccc:dddd:%04x", i, 0xe000 + i);
  return text;
}
std::string long_name(const std::string& of, int i) { return of + std::to_string(i) + std::string(60, 'x'); }

TEST_F(OneAccount, that_did_everything_is_held_within_what_the_documents_say) {
  const std::string who = "somebody-with-quite-a-long-name-" + std::string(60, 'y') + "@example.com";
  std::vector<Line> lines;
  for (int i = 0; i < 200; ++i) {
    lines.push_back(login(now_ += kHour, who, address(i), long_name("host", i)));
    for (const auto* way : {"failed", "pam", "invalid"})
      lines.push_back(failed_login(now_ += kSecond, who, address(i), way));
  }
  for (int i = 0; i < 100; ++i)
    for (const auto* way : {"failed", "pam", "invalid"})
      lines.push_back(failed_login(now_ += kSecond, who, address(i), way));
  for (int i = 0; i < 100; ++i) {
    for (const auto* kind : {"file-read", "file-deleted", "resource-deleted"})
      lines.push_back(of_kind(kind, {{"user.name", who}, {"file.path", long_name("/srv/", i)}}));
    lines.push_back(of_kind("privilege-granted", {{"user.target.name", who}, {"group.name", long_name("group", i)}}));
    lines.push_back(of_kind("password-changed", {{"user.name", who}, {"user.target.name", long_name("other", i)}}));
    lines.push_back(of_kind("job-run", {{"user.name", who}}));
  }
  for (int i = 0; i < 2'099; ++i)
    lines.push_back(of_kind("command", {{"user.name", who}, {"process.command_line", long_name("program", i)}}));
  lines.push_back(of_kind("account-locked", {{"user.target.name", who}, {"host.name", long_name("host", 1)}}));
  show(lines);
  EXPECT_LE(held(who), 11u << 10);
  EXPECT_GE(held(who), 8u << 10) << "not everything was done";
}

TEST_F(OneAccount, of_an_administrator_is_held_within_what_the_documents_say) {
  std::vector<Line> lines;
  const char* const programs[] = {"ls", "cat", "vim", "systemctl", "journalctl", "ssh", "grep", "less", "tail", "df"};
  for (int day = 0; day < 60; ++day) {
    now_ = kStart + day * kDay;
    lines.push_back(login(now_, "lin", "10.0.0." + std::to_string(day % 3), "web-0" + std::to_string(day % 4)));
    if (day % 5 == 0) lines.push_back(failed_login(now_ - kMinute, "lin", "10.0.0.1"));
    for (int i = 0; i < 30; ++i)
      lines.push_back(of_kind(
          "command",
          {{"user.name", "lin"}, {"process.command_line", programs[(day * 7 + i * i) % 10]}, {"host.name", "web-01"}}));
  }
  show(lines);
  EXPECT_LE(held("lin"), 3u << 10);
  EXPECT_GE(held("lin"), 2u << 10);
}

TEST_F(OneAccount, that_only_logs_in_takes_little) {
  std::vector<Line> lines;
  for (int day = 0; day < 60; ++day)
    lines.push_back(login(kStart + day * kDay, "lin", "10.0.0." + std::to_string(day % 3), "web-01"));
  show(lines);
  EXPECT_LE(held("lin"), 1u << 10);
}

// Names that differ only behind what is kept are two all the same.
TEST_F(OneAccount, of_long_names_none_is_taken_for_another) {
  const std::string one = long_name("arn:aws:sts::123456789012:assumed-role/", 1),
                    other = one.substr(0, one.size() - 1) + "2";
  EXPECT_NE(std::string_view(ShortName(one)), std::string_view(ShortName(other)));
  EXPECT_EQ(std::string_view(ShortName(one)).size(), ShortName::kBytesMax);
  EXPECT_EQ(std::string_view(ShortName("lin")), "lin");
}

}  // namespace
}  // namespace yushi::detect
