#include "detect/behaviours/called_addresses.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/record/record.h"
#include "detect/behaviours/change_words.h"

namespace yushi::detect {
namespace {

constexpr size_t kAddressesMax = 32;
constexpr int kDepthMax = 8;  // of commands in commands

using CallWords = std::span<const std::string_view>;

// Which of its words a program calls; one that is in no row calls all.
enum class Calls : uint8_t {
  none,
  behind_at,      // @198.51.100.9
  second,         // the second word that is no option: the first is what it is asked about
  option,         // the value of an option
  url,            // scheme://198.51.100.9/
  of_subcommand,  // all, behind one of these
};
struct CallingProgram {
  std::string_view name;  // `*` at its end: or begins so
  Calls calls = Calls::none;
  std::string_view words = {};  // those options, those that take the next word, or the subcommands
};
constexpr CallingProgram kPrograms[] = {
    {"iptables*"},
    {"ip6tables*"},
    {"nft"},
    {"ipset"},
    {"firewall-cmd"},
    {"ufw"},
    {"csf"},
    {"fail2ban-client"},
    {"route"},
    {"ip"},
    {"pfctl"},
    {"conntrack"},
    {"grep"},
    {"egrep"},
    {"fgrep"},
    {"zgrep"},
    {"rg"},
    {"awk"},
    {"gawk"},
    {"sed"},
    {"cat"},
    {"less"},
    {"more"},
    {"tail"},
    {"head"},
    {"cut"},
    {"sort"},
    {"echo"},
    {"printf"},
    {"getent"},
    {"ipcalc"},
    {"geoiplookup"},
    {"mmdblookup"},
    {"journalctl"},
    {"ausearch"},
    {"aureport"},
    {"last"},
    {"lastb"},
    {"ss"},
    {"netstat"},
    {"lsof"},
    {"tcpdump"},
    {"tshark"},
    {"yushi"},
    {"vi", Calls::url},
    {"vim", Calls::url},
    {"nvim", Calls::url},
    {"view", Calls::url},
    {"nano", Calls::url},
    {"emacs", Calls::url},
    {"dig", Calls::behind_at},
    {"kdig", Calls::behind_at},
    {"delv", Calls::behind_at},
    {"drill", Calls::behind_at},
    {"nslookup", Calls::second},
    {"host", Calls::second, " -t -c -W -R -N -m -p "},
    {"whois", Calls::option, " -h --host "},
    {"logger", Calls::option, " -n --server "},
    {"git", Calls::of_subcommand, " clone fetch pull push ls-remote remote submodule archive "},
};
// What a shell, or awk, opens itself, whatever the program is told to do with it.
constexpr std::string_view kOpened[] = {"/dev/tcp/",  "/dev/udp/",   "/inet/tcp/",
                                        "/inet/udp/", "/inet4/tcp/", "/inet6/tcp/"};

// What is run with another command behind it.
struct CallingWrapper {
  std::string_view name, subcommands = {};  // one of which stands behind it
  std::string_view with_value = {};         // options that take the next word
  size_t arguments = 0;                     // before the command
  std::string_view command_behind = {};     // the word behind which it stands; without it there is none
};
constexpr std::string_view kOfContainers =
    " -u --user -e --env -w --workdir --env-file -n --namespace -c --container "
    "--context --cluster --kubeconfig -H --host --index -p ";
constexpr CallingWrapper kWrappers[] = {
    {"sudo", {}, " -u -g -h -p -C -r -t -T -U -D -R --user --group "},
    {"doas", {}, " -u -C "},
    {"env", {}, " -u -C --unset --chdir "},
    {"nohup"},
    {"nice", {}, " -n --adjustment "},
    {"ionice", {}, " -c -n -p "},
    {"time", {}, " -f -o "},
    {"timeout", {}, " -s -k --signal --kill-after ", 1},
    {"setsid"},
    {"command"},
    {"exec", {}, " -a "},
    {"stdbuf", {}, " -i -o -e "},
    {"xargs", {}, " -I -n -P -L -d -a -E -s --max-args --max-procs --delimiter "},
    {"watch", {}, " -n --interval "},
    {"flock", {}, " -w -E ", 1},
    {"chroot", {}, {}, 1},
    {"busybox"},
    {"sshpass", {}, " -f -d -P -p "},
    {"docker", " exec ", kOfContainers, 1},
    {"podman", " exec ", kOfContainers, 1},
    {"nerdctl", " exec ", kOfContainers, 1},
    {"crictl", " exec ", kOfContainers, 1},
    {"kubectl", " exec ", kOfContainers, 1},
    {"oc", " exec rsh ", kOfContainers, 1},
    {"lxc", " exec ", {}, 1},
    {"ip", " netns ", " -n ", 2},  // ip netns exec NAME
    {"nsenter", {}, " -t --target ", 0},
    {"ssh", {}, " -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w ", 1},
    {"sh", {}, {}, 0, "-*c"},
    {"bash", {}, {}, 0, "-*c"},
    {"dash", {}, {}, 0, "-*c"},
    {"ksh", {}, {}, 0, "-*c"},
    {"zsh", {}, {}, 0, "-*c"},
    {"su", {}, {}, 0, "-*c"},
    {"runuser", {}, {}, 0, "-*c"},
    {"ansible", {}, {}, 0, "-*a"},
};
// Whose own words call too: `ssh 198.51.100.9 uptime`, `ansible -i 198.51.100.9, …`, `docker -H tcp://198.51.100.9 …`.
constexpr std::string_view kWrappersThatCall = " ssh ansible docker podman kubectl oc ";

bool is_among(std::string_view word, std::string_view all) {
  return !word.empty() && all.find(" " + std::string(word) + " ") != all.npos;
}

// Without quotes, and what opens another command.
std::string_view bare(std::string_view word) {
  const size_t begin = std::min(word.find_first_not_of("\"'$(`{"), word.size());
  word.remove_prefix(begin);
  return word.substr(0, word.find_last_not_of("\"')`}") + 1);
}
std::string_view name_of_call(std::string_view word) { return program_name(bare(word)); }

// Each stretch of letters of addresses that stands by itself, without what is behind it: a port, a full stop.
void add_addresses(std::string_view text, std::vector<std::string>& out) {
  const auto is_of_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto each = [&](std::string_view letters, auto&& is_one) {
    for (size_t at = text.find_first_of(letters); at != text.npos; at = text.find_first_of(letters, at)) {
      const size_t end = std::min(text.find_first_not_of(letters, at), text.size());
      auto one = text.substr(at, end - at);
      if ((at == 0 || !is_of_word(text[at - 1])) && (end == text.size() || !is_of_word(text[end])) && is_one(one)) {
        while (!one.empty() && (one.back() == '.' || one.back() == ':')) one.remove_suffix(1);
        std::array<uint8_t, 16> unused;
        if (out.size() < kAddressesMax && parse_ip(one, &unused) && std::find(out.begin(), out.end(), one) == out.end())
          out.emplace_back(one);
      }
      at = end;
    }
  };
  each("0123456789.", [](auto) { return true; });
  each("0123456789abcdefABCDEF:", [](auto one) { return std::count(one.begin(), one.end(), ':') >= 2; });
}

const CallingProgram* row_of(std::string_view name) {
  for (const CallingProgram& one : kPrograms)
    if (one.name.ends_with('*') ? name.starts_with(one.name.substr(0, one.name.size() - 1)) : name == one.name)
      return &one;
  return nullptr;
}

bool is_setting(std::string_view word) {
  word = bare(word);
  const size_t end = word.find('=');
  return end != word.npos && end > 0 && word.substr(0, end).find_first_of("-/.\"'") == word.npos;
}
bool is_option_word(std::string_view word) { return word.starts_with('-') && word.size() > 1; }

// Where the command begins that is run by this one; words.size(): there is none.
size_t begin_of_inner(const CallingWrapper& wrapper, CallWords words) {
  size_t i = 1;
  if (!wrapper.command_behind.empty()) {
    const char last = wrapper.command_behind.back();
    while (i < words.size() && !(is_option_word(words[i]) && words[i][1] != '-' && words[i].ends_with(last))) ++i;
    return std::min(i + 1, words.size());
  }
  bool has_subcommand = wrapper.subcommands.empty();
  size_t left = wrapper.arguments;
  for (; i < words.size(); ++i) {
    if (words[i] == "--" && has_subcommand) return i + 1;
    if (is_option_word(words[i])) {
      i += is_among(words[i], wrapper.with_value);
    } else if (!has_subcommand) {
      if (!is_among(words[i], wrapper.subcommands)) return words.size();
      has_subcommand = true;
    } else if (left > 0) {
      --left;
    } else {
      return i;
    }
  }
  return words.size();
}

void add_all(CallWords words, std::vector<std::string>& out) {
  for (const auto word : words) add_addresses(word, out);
}

// False: the command is one that only speaks.
bool add_called(CallWords words, std::vector<std::string>& out, int depth = 0) {
  for (const auto word : words)
    for (const auto opened : kOpened)
      if (word.find(opened) != word.npos) return add_all(words, out), true;
  while (!words.empty() && bare(words.front()).empty()) words = words.subspan(1);
  if (words.empty()) return false;
  // `http_proxy=http://198.51.100.9 curl …`
  if (is_setting(words.front())) {
    const bool is_last = words.size() == 1;  // all that a module of ansible is told: url=http://198.51.100.9/
    const bool calls = is_last ? depth > 0 : add_called(words.subspan(1), out, depth);
    if (calls) add_addresses(words.front(), out);
    return calls;
  }
  const auto name = name_of_call(words.front());
  // What begins with a number is no command, but what stood behind a `|` in somebody's pattern.
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const CallingWrapper& wrapper : kWrappers) {
    if (name != wrapper.name) continue;
    const size_t begin = begin_of_inner(wrapper, words);
    const bool calls = is_among(name, kWrappersThatCall);
    if (calls) add_all(words.subspan(0, begin), out);
    if (begin < words.size()) return depth < kDepthMax && (add_called(words.subspan(begin), out, depth + 1) || calls);
    if (calls) return true;
    break;
  }
  const CallingProgram* program = row_of(name);
  const CallWords rest = words.subspan(1);
  if (!program) return add_all(rest, out), true;
  switch (program->calls) {
    case Calls::none:
      return false;
    case Calls::behind_at:
      for (const auto word : rest)
        if (bare(word).starts_with('@')) add_addresses(bare(word).substr(1), out);
      return true;
    case Calls::second: {
      size_t seen = 0;
      for (size_t i = 0; i < rest.size(); ++i)
        if (is_option_word(rest[i]))
          i += is_among(rest[i], program->words);
        else if (++seen > 1)
          add_addresses(rest[i], out);
      return true;
    }
    case Calls::option:
      for (size_t i = 0; i < rest.size(); ++i) {
        const auto word = rest[i];
        if (!is_option_word(word)) continue;
        const auto option = word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
        if (!is_among(option, program->words)) continue;
        if (option.size() < word.size())
          add_addresses(word.substr(option.size()), out);  // -n198.51.100.9, --server=198.51.100.9
        else if (i + 1 < rest.size())
          add_addresses(rest[i + 1], out);
      }
      return true;
    case Calls::url:
      for (const auto word : rest)
        if (word.find("://") != word.npos) add_addresses(word, out);
      return true;
    case Calls::of_subcommand: {
      size_t at = 0;
      while (at < rest.size() && is_option_word(rest[at])) at += is_among(rest[at], " -C -c ") ? 2 : 1;
      const bool calls = at < rest.size() && is_among(rest[at], program->words);
      if (calls) add_all(rest.subspan(at), out);
      return calls;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> addresses_called_by(std::string_view command_line) {
  std::vector<std::string> out;
  std::vector<std::string_view> said;  // by `echo`, to the command that stands behind a `|`
  while (!command_line.empty()) {
    const size_t end = std::min(command_line.find_first_of(";|&\n`"), command_line.size());
    const auto words = command_words(command_line.substr(0, end));
    const bool goes_on = end < command_line.size() && command_line[end] == '|';
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
    const bool calls = add_called(words, out);
    if (!said.empty() && !words.empty()) {
      const auto name = name_of_call(words.front() == "sudo" && words.size() > 1 ? words[1] : words.front());
      if (name == "xargs" && calls) add_all(said, out);
      if (name == "sh" || name == "bash") add_called(said, out);
    }
    said.clear();
    if (goes_on && words.size() > 1 &&
        (name_of_call(words.front()) == "echo" || name_of_call(words.front()) == "printf"))
      said.assign(words.begin() + 1, words.end());
  }
  return out;
}

}  // namespace yushi::detect
