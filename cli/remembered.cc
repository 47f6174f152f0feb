#include "cli/remembered.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <vector>

#include "cli/command.h"
#include "cli/terminal.h"
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/display.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/merkle.h"

namespace yushi::cli {
namespace {

namespace fs = std::filesystem;

// One log as it was seen.
struct Seen {
  std::string origin, verifier, note;
};

void say(std::string_view text) {
  std::string out = "yushi: ";
  append_printable(out, text);
  out.push_back('\n');
  std::fwrite(out.data(), 1, out.size(), stderr);
}

class Memory {
 public:
  Memory() {
    auto* state = std::getenv("XDG_STATE_HOME");
    auto* home = std::getenv("HOME");
    if (state && *state)
      folder_ = fs::path(state) / "yushi" / "checkpoints";
    else if (home && *home)
      folder_ = fs::path(home) / ".local" / "state" / "yushi" / "checkpoints";
  }

  // Two calls at once must not put an older checkpoint over a newer one: each holds the lock from reading to writing.
  Result<void> lock() {
    if (folder_.empty()) return fail(Code::io, "neither XDG_STATE_HOME nor HOME is set");
    std::error_code failed;
    fs::create_directories(folder_, failed);
    if (failed) return fail(Code::io, "making " + folder_.string() + ": " + failed.message());
    lock_ = ::open((folder_ / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0 || ::flock(lock_, LOCK_EX) != 0)
      return fail(Code::io, "locking " + folder_.string() + ": " + std::strerror(errno));
    return {};
  }
  ~Memory() {
    if (lock_ >= 0) ::close(lock_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::string path_of(std::string_view origin) const {
    std::string name;
    for (char c : origin) {
      bool plain =
          (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == ':' || c == '@';
      if (plain)
        name.push_back(c);
      else
        name += "%" + to_hex({&c, 1});
    }
    return (folder_ / name).string();
  }

  // By origin: all logs of a node.
  std::map<std::string, Seen> of_node(const std::string& node) const {
    std::map<std::string, Seen> out;
    if (node.empty() || folder_.empty()) return out;
    auto prefix = fs::path(path_of(node + "/")).filename().string();
    std::error_code failed;
    for (auto& entry : fs::directory_iterator(folder_, failed)) {
      if (!entry.path().filename().string().starts_with(prefix) || entry.path().extension() == ".new") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::stringstream text;
      text << file.rdbuf();
      Seen seen;
      auto all = text.str();
      auto end = all.find('\n');
      seen.verifier = all.substr(0, end);
      if (end != all.npos) seen.note = all.substr(end + 1);
      // A file that cannot be read still says which log was seen: its name does.
      auto name = entry.path().filename().string().substr(prefix.size());
      seen.origin = node + "/" + name;
      out[seen.origin] = std::move(seen);
    }
    return out;
  }

  Result<void> keep(const Seen& seen) const {
    auto path = path_of(seen.origin), part = path + ".new";
    auto text = seen.verifier + "\n" + seen.note;
    int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written || ::rename(part.c_str(), path.c_str()) != 0) {
      return fail(Code::io, "writing " + path + ": " + std::strerror(errno));
    }
    return {};
  }

 private:
  fs::path folder_;
  int lock_ = -1;
};

// Says that this belongs to the question beside it: the daemon counts it in that one's record.
const std::pair<const std::string, std::string> kProofOfAnswer = {"proof_of_answer", "1"};

struct Offered {
  std::string log, origin, note, verifier;
};

Result<std::vector<Hash>> consistency_proof(Asker& asker, const std::string& log, uint64_t from, uint64_t to) {
  std::vector<Hash> hashes;
  bool readable = true;
  auto end = asker.ask(
      {"consistency", {{"log", log}, {"from", std::to_string(from)}, {"to", std::to_string(to)}, kProofOfAnswer}},
      [&](std::string_view line) {
        auto parsed = nlohmann::json::parse(line, nullptr, false);
        auto list = parsed.is_object() ? parsed.value("hashes", nlohmann::json()) : nlohmann::json();
        readable = readable && list.is_array();
        for (auto& item : list) {
          auto bytes = item.is_string() ? from_base64(item.get_ref<const std::string&>()) : std::nullopt;
          if (!bytes || bytes->size() != sizeof(Hash)) {
            readable = false;
            break;
          }
          Hash hash;
          std::memcpy(hash.data(), bytes->data(), hash.size());
          hashes.push_back(hash);
        }
        return true;
      });
  if (!end) return tl::unexpected(end.error());
  if (!end->complete() || !readable) return fail(Code::unavailable, "the proof for log " + log + " broke off");
  return hashes;
}

// What contradicts, in words; nothing when all holds. `seen` is whole. An error when it could not be found out: corrupt
// when what the proof is made of is damaged.
Result<std::optional<std::string>> compare(Asker& asker, const Offered& offered, const Seen* seen) {
  using Words = std::optional<std::string>;
  if (offered.verifier.empty())
    return Words(offered.origin + ": the store does not know the public key of its checkpoints");
  if (seen && seen->verifier != offered.verifier) {
    return Words(offered.origin + ": the key changed: remembered is " + seen->verifier + ", now it is " +
                 offered.verifier);
  }
  auto now = open_note(offered.note, offered.verifier);
  if (!now) return Words(now.error().message);
  if (!seen) return Words();
  auto before = open_note(seen->note, seen->verifier);
  YUSHI_ASSERT(before, "%s: what is remembered is damaged", offered.origin.c_str());
  if (now->size < before->size) {
    return Words(offered.origin + ": the log has " + std::to_string(now->size) + " records, but " +
                 std::to_string(before->size) + " were there before: it was cut or rolled back to an old copy");
  }
  if (now->size == before->size) {
    if (now->root == before->root) return Words();
    return Words(offered.origin + ": two different roots were signed for its first " + std::to_string(now->size) +
                 " records: history was rewritten");
  }
  auto proof = YUSHI_TRY(consistency_proof(asker, offered.log, before->size, now->size));
  if (before->size == 0 || verify_consistency(before->size, now->size, proof, before->root, now->root)) return Words();
  return Words(offered.origin + ": its first " + std::to_string(before->size) +
               " records are not those that were there before: history was rewritten");
}

}  // namespace

int hold_to_remembered(Asker& asker) {
  std::vector<Offered> offered;
  bool readable = true;
  auto end = asker.ask({"checkpoint", {kProofOfAnswer}}, [&](std::string_view line) {
    auto parsed = nlohmann::json::parse(line, nullptr, false);
    auto text = [&](const char* name) {
      auto found = parsed.is_object() ? parsed.find(name) : parsed.end();
      return parsed.is_object() && found != parsed.end() && found->is_string() ? found->get<std::string>()
                                                                               : std::string();
    };
    offered.push_back({text("log"), text("origin"), text("note"), text("verifier")});
    readable = readable && !offered.back().log.empty() && !offered.back().note.empty();
    return true;
  });
  if (!end) return report(end.error());
  if (!end->complete() || !readable) {
    say("the checkpoints could not be fetched whole; the answer was not held to what was remembered");
    return kExitError;
  }

  Memory memory;
  auto locked = memory.lock();
  if (!locked) say("checkpoints cannot be remembered: " + locked.error().message);
  auto seen = memory.of_node(end->node);
  std::vector<std::string> broken, damaged, damaged_files;
  bool from_memory = false;
  auto breaks = [&](const std::string& origin, const std::string& words, bool is_remembered) {
    broken.push_back(words + (is_remembered ? "; remembered in " + memory.path_of(origin) : ""));
    from_memory |= is_remembered;
  };
  int code = kExitFound;
  for (auto& log : offered) {
    if (log.origin != end->node + "/" + log.log) {
      breaks(log.origin, "the checkpoint of log " + log.log + " of node " + end->node + " speaks of " + log.origin,
             false);
      continue;
    }
    auto known = seen.find(log.origin);
    bool is_remembered = known != seen.end();
    if (is_remembered && !open_note(known->second.note, known->second.verifier)) {
      bool is_empty = known->second.verifier.empty() && known->second.note.empty();
      damaged_files.push_back(log.origin + ": " + memory.path_of(log.origin) +
                              (is_empty ? " is empty or cannot be read" : " holds no signed checkpoint any more"));
      seen.erase(known);
      continue;
    }
    auto contradiction = compare(asker, log, is_remembered ? &known->second : nullptr);
    if (!contradiction && contradiction.error().code == Code::corrupt) {
      damaged.push_back(log.origin + ": " + contradiction.error().message);
    } else if (!contradiction) {
      code = report(contradiction.error());
    } else if (*contradiction) {
      breaks(log.origin, **contradiction, is_remembered);
    } else if (locked && (!is_remembered || known->second.note != log.note)) {
      if (!is_remembered && is_terminal(STDERR_FILENO)) say("first sight of " + log.verifier + "; remembered");
      if (auto kept = memory.keep({log.origin, log.verifier, log.note}); !kept) {
        say("the checkpoint of " + log.origin + " cannot be remembered: " + kept.error().message);
      }
    }
    if (is_remembered) seen.erase(known);
  }
  for (auto& [origin, unused] : seen) breaks(origin, origin + ": the log that was there before is gone", true);
  if (!damaged.empty()) {
    say("THE STORE IS DAMAGED: that it only grew since it was seen before cannot be proved");
    for (auto& words : damaged) say("  " + words);
    say("`yushi verify` shows all that is damaged; leave the store as it is, for it is evidence, and look to its disk");
    code = kExitBroken;
  }
  if (!damaged_files.empty()) {
    say("WHAT WAS REMEMBERED IS DAMAGED: that the store only grew since it was seen before cannot be proved");
    for (auto& words : damaged_files) say("  " + words);
    say("Nothing in the store contradicts it. Put the files back from a backup; or, if you know what damaged them, "
        "move them away: "
        "the next call remembers the store as it is then");
    code = kExitBroken;
  }
  if (broken.empty()) return code;
  say("INTEGRITY IS BROKEN: what this store signs contradicts what was seen of it before");
  for (auto& words : broken) say("  " + words);
  if (from_memory) {
    say("If somebody replaced this store knowingly, move these files away: the next call remembers the store as it is "
        "then. If not, "
        "leave the store and the files as they are, for both are evidence");
  }
  return kExitBroken;
}

std::string remembered_notes(const std::string& node) {
  std::string out;
  for (auto& [origin, seen] : Memory().of_node(node)) out += seen.note + "\n";
  return out;
}

}  // namespace yushi::cli
