#include "cli/remembered.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
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
#include "core/base/clock.h"
#include "core/base/display.h"
#include "core/base/time_text.h"
#include "core/ledger/checkpoint.h"
#include "core/ledger/key_ring.h"
#include "core/ledger/merkle.h"

namespace yushi::cli {
namespace {

namespace fs = std::filesystem;

std::string node_of(const std::string& origin) { return origin.substr(0, origin.find('/')); }

// The first of `rotations` that lead to `key`; none where they do not.
std::string rotations_to(const std::string& key, const std::string& rotations, const std::string& node) {
  for (auto end = rotations.find('\n'); end != rotations.npos; end = rotations.find('\n', end + 1)) {
    auto first = rotations.substr(0, end + 1);
    if (KeyRing::make(node, key, first)) return first;
  }
  return {};
}

// One log as it was seen: by whose key, how the keys before handed over to it, and its checkpoints, the newest first.
struct Seen {
  struct Note {
    int64_t seen_s = 0;  // Unix time; 0: not known
    std::string note;
  };
  std::string origin, verifier, rotations;
  std::vector<Note> notes;

  // Which opens each of them, unless they are damaged.
  Result<KeyRing> keys() const { return KeyRing::make(node_of(origin), key_of_verifier(verifier), rotations); }
};

constexpr int64_t kHour = 3600, kDay = 24 * kHour;

// Of the last hour one a minute, of the last two days one an hour, of all before one a day: by them a copy is told that
// is only old.
void thin_out(std::vector<Seen::Note>& notes, int64_t now_s) {
  int64_t last = -1;
  size_t position = 0;
  std::erase_if(notes, [&](auto& each) {
    auto age = now_s - each.seen_s;
    auto every = age <= kHour ? 60 : age <= 2 * kDay ? kHour : kDay;
    auto slot = each.seen_s / every * every;
    bool again = position++ > 0 && slot == last;
    last = slot;
    return again;
  });
}

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
      auto seen = read(text.str());
      // A file that cannot be read still says which log was seen: its name does.
      auto name = entry.path().filename().string().substr(prefix.size());
      seen.origin = node + "/" + name;
      out[seen.origin] = std::move(seen);
    }
    return out;
  }

  Result<void> keep(const Seen& seen) const {
    auto path = path_of(seen.origin), part = path + ".new";
    auto text = seen.verifier + "\n";
    std::istringstream rotations(seen.rotations);
    for (std::string line; std::getline(rotations, line);) text += std::string(kRotated) + line + "\n";
    for (auto& each : seen.notes) text += std::string(kSeen) + std::to_string(each.seen_s) + "\n" + each.note;
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
  static constexpr std::string_view kSeen = "seen ", kRotated = "rotated ";

  // The verifier, the handovers that led to it, then each checkpoint behind the time at which it was seen. (An older
  // yushi wrote one, without.)
  static Seen read(std::string_view text) {
    Seen seen;
    auto line = [&] {
      auto end = std::min(text.find('\n'), text.size() - 1) + 1;
      auto out = text.substr(0, end);
      text.remove_prefix(end);
      return out;
    };
    if (text.empty()) return seen;
    seen.verifier = line();
    if (seen.verifier.ends_with('\n')) seen.verifier.pop_back();
    while (text.starts_with(kRotated)) seen.rotations += line().substr(kRotated.size());
    while (!text.empty()) {
      Seen::Note note;
      if (text.starts_with(kSeen)) note.seen_s = std::strtoll(std::string(line()).c_str() + 5, nullptr, 10);
      // A checkpoint ends with the line behind its empty one.
      bool is_body = true;
      while (!text.empty() && !text.starts_with(kSeen)) {
        auto next = line();
        note.note += next;
        if (!is_body) break;
        is_body = next != "\n";
      }
      seen.notes.push_back(std::move(note));
    }
    return seen;
  }

  fs::path folder_;
  int lock_ = -1;
};

const std::pair<const std::string, std::string> kBesideAnAnswer = {query::kProofOfAnswer, "1"};

struct Offered {
  std::string log, origin, note, verifier, rotations;
};

// The newest checkpoint of each log, as the store says it.
Result<AnswerEnd> fetch_checkpoints(Asker& asker, std::vector<Offered>& offered) {
  bool readable = true;
  auto end = YUSHI_TRY(asker.ask({"checkpoint", {kBesideAnAnswer}}, [&](std::string_view line) {
    auto parsed = nlohmann::json::parse(line, nullptr, false);
    auto text = [&](const char* name) {
      auto found = parsed.is_object() ? parsed.find(name) : parsed.end();
      return parsed.is_object() && found != parsed.end() && found->is_string() ? found->get<std::string>()
                                                                               : std::string();
    };
    offered.push_back({text("log"), text("origin"), text("note"), text("verifier"), text("rotations")});
    readable = readable && !offered.back().log.empty() && !offered.back().note.empty();
    return true;
  }));
  if (!end.complete() || !readable)
    return fail(Code::unavailable,
                "the checkpoints could not be fetched whole; the answer was not held to what was remembered");
  return end;
}

// Whether the key by which this copy signed had handed over, as was seen since: a copy may be from before that.
bool is_by_older_key(const Offered& offered, const Seen& seen) {
  return seen.verifier != offered.verifier &&
         KeyRing::leads(node_of(offered.origin), seen.rotations, key_of_verifier(offered.verifier),
                        key_of_verifier(seen.verifier));
}

// Records of the newest checkpoint.
uint64_t seen_size(const Seen& seen) {
  auto newest = seen.notes.empty() ? Result<Checkpoint>(fail(Code::not_found, ""))
                                   : Checkpoint::parse_body(seen.notes.front().note);
  return newest ? newest->size : 0;
}

Result<std::vector<Hash>> consistency_proof(Asker& asker, const std::string& log, uint64_t from, uint64_t to) {
  std::vector<Hash> hashes;
  bool readable = true;
  auto end = YUSHI_TRY(asker.ask(
      {"consistency", {{"log", log}, {"from", std::to_string(from)}, {"to", std::to_string(to)}, kBesideAnAnswer}},
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
      }));
  if (!end.complete() || !readable) return fail(Code::unavailable, "the proof for log " + log + " broke off");
  return hashes;
}

// What comparing with what is remembered has shown.
struct Compared {
  std::string contradicts;  // in words; empty: nothing
  std::string behind;       // of a copy: what was seen later than what it has, in words; empty: nothing
};

// `seen` is whole. An error when it could not be found out: corrupt when what the proof is made of is damaged.
// A copy may be older than what was seen: then it is held to the newest checkpoint that it still covers.
Result<Compared> compare(Asker& asker, const Offered& offered, const Seen* seen, bool is_copy) {
  if (offered.verifier.empty())
    return Compared{offered.origin + ": the store does not know the public key of its checkpoints", ""};
  const bool by_older_key = is_copy && seen && is_by_older_key(offered, *seen);
  if (seen && seen->verifier != offered.verifier && !by_older_key &&
      !KeyRing::leads(node_of(offered.origin), offered.rotations, key_of_verifier(seen->verifier),
                      key_of_verifier(offered.verifier))) {
    return Compared{
        offered.origin + ": the key changed: remembered is " + seen->verifier + ", now it is " + offered.verifier, ""};
  }
  auto now = open_note(offered.note, offered.verifier);
  if (!now) return Compared{now.error().message, ""};
  if (!seen) return Compared();
  Compared out;
  const auto keys = YUSHI_TRY(seen->keys());
  for (auto& each : seen->notes) {
    size_t by = 0;
    auto before = keys.open(each.note, seen->origin, &by);
    YUSHI_ASSERT(before, "%s: what is remembered is damaged", offered.origin.c_str());
    if (now->size < before->size) {
      if (!is_copy) {
        out.contradicts = offered.origin + ": the log has " + std::to_string(now->size) + " records, but " +
                          std::to_string(before->size) + " were there before: it was cut or rolled back to an old copy";
        return out;
      }
      out.behind = offered.origin + ": this copy has " + std::to_string(now->size) + " of the " +
                   std::to_string(seen_size(*seen)) + " records that were seen since";
      continue;
    }
    const auto offered_key = std::find(keys.keys().begin(), keys.keys().end(), key_of_verifier(offered.verifier));
    if (by_older_key && now->size > before->size && offered_key - keys.keys().begin() > static_cast<ptrdiff_t>(by)) {
      out.contradicts = offered.origin + ": " + std::to_string(now->size) +
                        " records are signed by a key that had handed over when it had " +
                        std::to_string(before->size) + ": somebody else has that key";
    } else if (now->size == before->size) {
      if (now->root != before->root)
        out.contradicts = offered.origin + ": two different roots were signed for its first " +
                          std::to_string(now->size) + " records: history was rewritten";
    } else if (before->size > 0) {
      auto proof = YUSHI_TRY(consistency_proof(asker, offered.log, before->size, now->size));
      if (!verify_consistency(before->size, now->size, proof, before->root, now->root))
        out.contradicts = offered.origin + ": its first " + std::to_string(before->size) +
                          " records are not those that were there before: history was rewritten";
    }
    if (!out.behind.empty() && each.seen_s > 0)
      out.behind +=
          "; it is complete to " + utc_text(each.seen_s * kSecond) + ", and nothing contradicts what was seen";
    return out;
  }
  if (!out.behind.empty()) out.behind += "; it is older than all that is remembered, so nothing could be compared";
  return out;
}

}  // namespace

int hold_to_remembered(Asker& asker, bool is_copy) {
  std::vector<Offered> offered;
  auto end = fetch_checkpoints(asker, offered);
  if (!end) return report(end.error());

  Memory memory;
  auto locked = memory.lock();
  if (!locked) say("checkpoints cannot be remembered: " + locked.error().message);
  auto seen = memory.of_node(end->node);
  const auto now_s = realtime_ns() / kSecond;
  std::vector<std::string> broken, damaged, damaged_files, behind;
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
    auto is_whole = [](const Seen& log_seen) {
      auto keys = log_seen.keys();
      return keys && !log_seen.notes.empty() &&
             std::all_of(log_seen.notes.begin(), log_seen.notes.end(),
                         [&](auto& each) { return keys->open(each.note, log_seen.origin).has_value(); });
    };
    if (is_remembered && !is_whole(known->second)) {
      bool is_empty = known->second.verifier.empty() && known->second.notes.empty();
      damaged_files.push_back(log.origin + ": " + memory.path_of(log.origin) +
                              (is_empty ? " is empty or cannot be read" : " holds no signed checkpoint any more"));
      seen.erase(known);
      continue;
    }
    auto compared = compare(asker, log, is_remembered ? &known->second : nullptr, is_copy);
    if (!compared && compared.error().code == Code::corrupt) {
      damaged.push_back(log.origin + ": " + compared.error().message);
    } else if (!compared) {
      code = report(compared.error());
    } else if (!compared->contradicts.empty()) {
      breaks(log.origin, compared->contradicts, is_remembered);
    } else if (!compared->behind.empty()) {
      behind.push_back(compared->behind);
    } else if (locked && (!is_remembered ||
                          (known->second.notes.front().note != log.note && !is_by_older_key(log, known->second)))) {
      if (!is_remembered && is_terminal(STDERR_FILENO)) say("first sight of " + log.verifier + "; remembered");
      Seen now{log.origin, log.verifier, rotations_to(key_of_verifier(log.verifier), log.rotations, end->node), {}};
      if (is_remembered) {
        now.notes = known->second.notes;
        if (known->second.verifier == log.verifier && now.rotations.empty()) now.rotations = known->second.rotations;
      }
      auto keys = now.keys();
      std::erase_if(now.notes, [&](auto& each) { return !keys || !keys->open(each.note, log.origin); });
      now.notes.insert(now.notes.begin(), {now_s, log.note});
      thin_out(now.notes, now_s);
      if (auto kept = memory.keep(now); !kept) {
        say("the checkpoint of " + log.origin + " cannot be remembered: " + kept.error().message);
      }
    }
    if (is_remembered) seen.erase(known);
  }
  for (auto& [origin, log_seen] : seen) {
    if (is_copy)
      behind.push_back(origin + ": this copy has none of the " + std::to_string(seen_size(log_seen)) +
                       " records that were seen since");
    else
      breaks(origin, origin + ": the log that was there before is gone", true);
  }
  if (!behind.empty()) {
    say("this copy is older than what was seen of the store since:");
    for (auto& words : behind) say("  " + words);
    code = kExitIncomplete;
  }
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

std::string remembered_notes(Asker& asker, const std::string& node, bool is_copy) {
  std::vector<Offered> offered;
  if (is_copy && !fetch_checkpoints(asker, offered)) offered.clear();  // `verify` tells why
  std::string out;
  for (auto& [origin, seen] : Memory().of_node(node)) {
    auto log =
        std::find_if(offered.begin(), offered.end(), [&name = origin](auto& each) { return each.origin == name; });
    const bool by_older_key = log != offered.end() && is_by_older_key(*log, seen);
    for (auto& each : seen.notes) {
      if (!by_older_key || open_note(each.note, log->verifier)) out += each.note + "\n";
      if (!is_copy) break;
    }
  }
  return out;
}

}  // namespace yushi::cli
