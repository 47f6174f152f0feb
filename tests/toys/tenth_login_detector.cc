// A detector of a stranger: tells each tenth login of an account.
#include <map>

#include "core/base/bytes.h"
#include "detect/behaviours/detectors.h"

namespace yushi::detect {
namespace {

class TenthLogin final : public Detector {
 public:
  bool wants(const EventKind& kind) const override { return kind.name == "login"; }

  void observe(const Event& event, std::vector<Finding>& findings) override {
    static constexpr FindingKind kKind{"toy.tenth-login", "A tenth login", 1, "attack.t1078"};
    if (!event.login || !event.login->success) return;
    const auto logins = ++logins_[std::string(event.login->user)];
    if (logins % 10 != 0) return;
    Finding finding;
    finding.kind = &kKind;
    finding.key = event.login->user;
    finding.reason = finding.key + " logged in for the " + std::to_string(logins) + "th time";
    finding.records = {event.record.index};
    findings.push_back(std::move(finding));
  }

  void save(std::string& out) const override {
    put_varint(out, logins_.size());
    for (const auto& [user, logins] : logins_) {
      put_text(out, user);
      put_varint(out, logins);
    }
  }
  bool load(Reader& in) override {
    for (auto left = in.varint(); left > 0 && in.ok(); --left) {
      std::string user(in.text());
      logins_[std::move(user)] = in.varint();
    }
    return in.ok();
  }

 private:
  std::map<std::string, uint64_t> logins_;
};

const AddDetector kTenthLogin{
    {"tenth-login", "Each tenth login", 1,
     [](const Surroundings&) -> std::unique_ptr<Detector> { return std::make_unique<TenthLogin>(); }}};

}  // namespace
}  // namespace yushi::detect
