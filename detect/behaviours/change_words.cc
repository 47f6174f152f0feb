#include "detect/behaviours/change_words.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "core/base/text.h"

namespace yushi::detect {

std::vector<std::string_view> command_words(std::string_view text) {
  constexpr size_t kWordsMax = 256;
  std::vector<std::string_view> out;
  while (!text.empty() && out.size() < kWordsMax) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view program_name(std::string_view program) { return program.substr(program.rfind('/') + 1); }

namespace {

using Words = std::vector<std::string_view>;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}
bool has_one_of(const Words& words, std::initializer_list<std::string_view> all) {
  return std::any_of(words.begin() + 1, words.end(), [&](std::string_view word) { return is_one_of(word, all); });
}
bool contains_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::any_of(all.begin(), all.end(), [&](std::string_view one) { return text.find(one) != text.npos; });
}

// Without what only says how the rest is run.
void drop_wrappers(Words& words) {
  while (words.size() > 1) {
    const auto name = program_name(words.front());
    if (!is_one_of(name, {"sudo", "env", "nohup", "nice", "ionice", "time", "setsid", "command", "doas"})) return;
    words.erase(words.begin());
    while (words.size() > 1 && (words.front().starts_with('-') || words.front().find('=') != words.front().npos)) {
      if (is_one_of(words.front(), {"-u", "-g", "-h", "-n", "-c"}) && words.size() > 2) words.erase(words.begin());
      words.erase(words.begin());
    }
  }
}

bool is_of_the_system(std::string_view path) {
  return path.starts_with('/') && !contains_one_of(path, {"/tmp/", "/home/", "/dev/"}) && path != "/tmp";
}

// These change something whatever their arguments.
constexpr std::string_view kAlways[] = {"useradd",
                                        "usermod",
                                        "userdel",
                                        "groupadd",
                                        "groupmod",
                                        "groupdel",
                                        "gpasswd",
                                        "adduser",
                                        "deluser",
                                        "passwd",
                                        "chpasswd",
                                        "chage",
                                        "visudo",
                                        "vipw",
                                        "vigr",
                                        "reboot",
                                        "shutdown",
                                        "poweroff",
                                        "halt",
                                        "mkfs",
                                        "fdisk",
                                        "parted",
                                        "lvcreate",
                                        "lvextend",
                                        "lvremove",
                                        "vgcreate",
                                        "insmod",
                                        "modprobe",
                                        "rmmod",
                                        "grub-install",
                                        "setenforce",
                                        "alternatives",
                                        "update-alternatives",
                                        "dpkg-reconfigure"};

}  // namespace

bool changes_a_machine(std::string_view command_line) {
  Words words = command_words(command_line);
  drop_wrappers(words);
  if (words.empty()) return false;
  const auto name = program_name(words.front());
  if (std::find(std::begin(kAlways), std::end(kAlways), name) != std::end(kAlways) || name.starts_with("mkfs."))
    return !has_one_of(words, {"--help", "--version", "-S", "--status", "--list"});
  if (is_one_of(name, {"systemctl", "service", "rc-service", "initctl", "supervisorctl"}))
    return has_one_of(
        words, {"start", "stop", "restart", "reload", "try-restart", "reload-or-restart", "enable", "disable", "mask",
                "unmask", "edit", "daemon-reload", "set-property", "isolate", "kill", "revert", "set-default"});
  if (is_one_of(name, {"apt", "apt-get", "aptitude", "yum", "dnf", "zypper", "snap", "pip", "pip3", "npm", "apk"})) {
    if (is_one_of(name, {"yum", "dnf", "zypper"}) && has_one_of(words, {"update"})) return true;
    return has_one_of(words,
                      {"install", "remove", "purge", "erase", "upgrade", "dist-upgrade", "full-upgrade", "autoremove",
                       "reinstall", "downgrade", "uninstall", "localinstall", "groupinstall", "add", "del", "refresh"});
  }
  if (is_one_of(name, {"rpm", "dpkg"}))
    return std::any_of(words.begin() + 1, words.end(), [](std::string_view word) {
      return is_one_of(word, {"--install", "--erase", "--upgrade", "--remove", "--purge", "--unpack"}) ||
             (word.size() > 1 && word[0] == '-' && word[1] != '-' &&
              is_one_of(word.substr(1, 1), {"i", "e", "U", "F", "r", "P"}));
    });
  if (is_one_of(name, {"iptables", "ip6tables", "ebtables", "arptables", "ipset"}))
    return has_one_of(words, {"-A", "-I", "-D", "-F", "-X", "-P", "-R", "-N", "--append", "--insert", "--delete",
                              "--flush", "--policy", "add", "del", "flush", "destroy"});
  if (is_one_of(name, {"nft", "ufw", "firewall-cmd", "ip", "nmcli", "tc", "route"}))
    return has_one_of(words, {"add", "delete", "del", "flush", "insert", "replace", "set", "allow", "deny", "reject",
                              "enable", "disable", "reset", "--reload", "modify", "up", "down"}) ||
           contains_one_of(command_line, {"--add-", "--remove-", "--set-"});
  if (is_one_of(name, {"mount", "umount"})) return words.size() > 1;
  if (is_one_of(name, {"sysctl"}))
    return has_one_of(words, {"-w", "-p", "--system"}) || command_line.find('=') != command_line.npos;
  if (is_one_of(name, {"crontab"})) return !has_one_of(words, {"-l"});
  if (is_one_of(name, {"hostnamectl", "timedatectl", "localectl"}))
    return contains_one_of(command_line, {" set-", " hostname "});
  if (is_one_of(name, {"date"})) return has_one_of(words, {"-s"}) || command_line.find("--set") != command_line.npos;
  if (is_one_of(name, {"docker", "podman", "nerdctl", "kubectl", "oc", "helm"}))
    return has_one_of(words, {"run",    "rm",       "rmi",     "stop",    "kill",      "start",    "restart", "create",
                              "apply",  "delete",   "edit",    "patch",   "replace",   "scale",    "rollout", "drain",
                              "cordon", "uncordon", "install", "upgrade", "uninstall", "rollback", "set",     "prune"});
  if (is_one_of(name, {"sed", "perl"}) && std::none_of(words.begin() + 1, words.end(), [](auto word) {
        return word.starts_with("-i") || word.starts_with("-pi") || word == "--in-place";
      }))
    return false;
  if (is_one_of(name,
                {"vi",      "vim",   "nano",  "emacs",  "ed",      "tee",    "cp",       "mv", "rm",       "ln",
                 "install", "chmod", "chown", "chgrp",  "sed",     "perl",   "rsync",    "dd", "truncate", "touch",
                 "mkdir",   "rmdir", "patch", "chattr", "setfacl", "unlink", "sudoedit", "scp"}))
    return std::any_of(words.begin() + 1, words.end(), [](std::string_view word) {
      return is_of_the_system(word.starts_with("of=") ? word.substr(3) : word);
    });
  return false;
}

VirtualAct virtual_act_of(std::string_view text) {
  const std::string words = folded(text);
  const auto has = [&](std::initializer_list<std::string_view> all) { return contains_one_of(words, all); };
  if (has({"vnc",
           "spice",
           "serialconsole",
           "serial-console",
           "serial_console",
           "remoteconsole",
           "remote_console",
           "remote console",
           "mksticket",
           "acquiredticket",
           "acquireticket",
           "termproxy",
           "virsh console",
           "console url",
           "console-url",
           "get-console",
           "startsession",
           "sendcommand",
           "runcommand",
           "invokecommand",
           "sendsshpublickey",
           "sendserialconsolesshpublickey"}))
    return VirtualAct::enters;
  const bool is_kept = has({"volume", "vol-", "disk", "snapshot", "image", "backup", "ovf"});
  if (!is_kept && !has({"instance", "server", "vm", "machine", "bucket", "database", "cluster", "datastore",
                        "qmdestroy", "vzdestroy", "domain", "virsh", " qm ", "guest", "glance"}))
    return VirtualAct::none;
  if (is_kept && has({"export", "copy", "share", "download", "setiampolicy", "snapshotattribute", "imageattribute",
                      "upload_image", "upload-image", "image save", "qemu-img convert", "vol-download", "addmember"}))
    return VirtualAct::copies_out;
  if (has({"describe", "list", "tag", "publicaccess", "policy", "rule"})) return VirtualAct::none;
  if (has({"delete", "terminate", "destroy", "remove", "purge", "deregister", "undefine"})) return VirtualAct::deletes;
  if (has({"export", "clone", "glanceaddmember"})) return VirtualAct::copies_out;
  if (has({"createsnapshot", "create_snapshot", "create-snapshot", "snapshot create", "snapshot.create",
           "snapshots/write", "snapshots.insert", "createimage", "create_image", "create-image", "image create",
           "images.insert", "images/write", "qmsnapshot", "vzdump", "snapshot-create", "createsnapshot_task",
           "createbackup"}))
    return VirtualAct::copies;
  return VirtualAct::none;
}

bool is_tool_for_machines(std::string_view command_line) {
  Words words = command_words(command_line);
  drop_wrappers(words);
  return !words.empty() && is_one_of(program_name(words.front()),
                                     {"virsh",  "qm",     "pct",      "xe",     "xl",      "govc", "openstack",
                                      "nova",   "cinder", "glance",   "aws",    "aliyun",  "az",   "gcloud",
                                      "hcloud", "tccli",  "qemu-img", "esxcli", "vim-cmd", "rbd",  "VBoxManage"});
}

namespace {
std::string last_argument_of(std::string_view command_line, std::initializer_list<std::string_view> programs) {
  if (command_line.find("user") == command_line.npos) return {};
  Words words = command_words(command_line);
  drop_wrappers(words);
  if (words.size() < 2 || words.back().starts_with('-') || !is_one_of(program_name(words.front()), programs)) return {};
  return std::string(words.back());
}

// On a switch, router or firewall: what stands behind one of the beginnings, of which the longest counts.
std::string account_of_device(std::string_view command_line, std::initializer_list<std::string_view> beginnings) {
  while (command_line.starts_with(' ')) command_line.remove_prefix(1);
  for (const std::string_view beginning : beginnings)
    if (command_line.starts_with(beginning)) {
      const auto rest = command_line.substr(beginning.size());
      return std::string(rest.substr(0, rest.find_first_of(" \t;")));
    }
  return {};
}

// `net user wang secret /add /domain`
std::string account_of_net(const Words& words, std::string_view act) {
  if (words.size() < 4 ||
      !(is_one_of(words[0], {"net1", "net1.exe"}) || words[0].ends_with("net.exe") || words[0] == "net") ||
      folded(words[1]) != "user")
    return {};
  return std::any_of(words.begin() + 3, words.end(), [&](auto word) { return folded(word).starts_with(act); })
             ? std::string(words[2])
             : std::string();
}
}  // namespace

std::string account_made_by(std::string_view command_line) {
  if (command_line.find("user") == command_line.npos) return {};
  if (auto made = account_of_device(command_line, {"local-user ", "username ", "set system login user "});
      !made.empty())
    return made;
  // `adduser wang sudo` puts one into a group.
  Words words = command_words(command_line);
  drop_wrappers(words);
  const auto names = std::count_if(words.begin(), words.end(), [](std::string_view word) { return word[0] != '-'; });
  if (!words.empty() && program_name(words.front()) == "adduser" && names != 2) return {};
  if (auto made = account_of_net(words, "/add"); !made.empty()) return made;
  return last_argument_of(command_line, {"useradd", "adduser"});
}
std::string account_deleted_by(std::string_view command_line) {
  if (command_line.find("user") == command_line.npos) return {};
  if (auto gone = account_of_device(command_line, {"undo local-user ", "no username ", "delete system login user "});
      !gone.empty())
    return gone;
  if (auto gone = account_of_net(command_words(command_line), "/del"); !gone.empty()) return gone;
  return last_argument_of(command_line, {"userdel", "deluser"});
}

std::string account_named_by(std::string_view command_line) {
  if (auto made = account_made_by(command_line); !made.empty()) return made;
  if (auto gone = account_deleted_by(command_line); !gone.empty()) return gone;
  Words words = command_words(command_line);
  drop_wrappers(words);
  const bool is_password =
      words.size() > 1 && program_name(words.front()) == "passwd" && !words.back().starts_with('-');
  return is_password ? std::string(words.back()) : std::string();
}

std::string account_of_statement(std::string_view text, bool makes) {
  const std::string statement = folded(text);
  for (const std::string_view kind : {" user ", " login ", " role "}) {
    const size_t at = statement.find((makes ? "create" : "drop") + std::string(kind));
    if (at == statement.npos) continue;
    std::string_view rest = std::string_view(statement).substr(at + (makes ? 6 : 4) + kind.size());
    for (const std::string_view skipped : {"if not exists ", "if exists "})
      if (rest.starts_with(skipped)) rest.remove_prefix(skipped.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \\'\"`["), rest.size()));
    return std::string(rest.substr(0, rest.find_first_of(" \\'\"`]@;,()\t")));
  }
  return {};
}

AccountSwitch account_switch_of(std::string_view command_line) {
  if (!contains_one_of(command_line, {"user", "passwd", "chage"})) return {};
  Words words = command_words(command_line);
  drop_wrappers(words);
  if (words.size() < 2 || words.back().starts_with('-')) return {};
  const auto name = program_name(words.front());
  const std::string account(words.back());
  const auto after = [&](std::initializer_list<std::string_view> options) -> std::string_view {
    for (size_t i = 1; i + 1 < words.size(); ++i)
      if (is_one_of(words[i], options)) return words[i + 1];
    return {};
  };
  const auto is_past = [](std::string_view date) {
    return date == "0" || date == "1" || date.starts_with("19") || date.starts_with("200");
  };
  if (is_one_of(name, {"userdel", "deluser"})) return {account, true};
  if (name == "usermod") {
    const auto shell = after({"-s", "--shell"});
    if (has_one_of(words, {"-L", "--lock"}) || is_past(after({"-e", "--expiredate"})) || shell.ends_with("nologin") ||
        shell.ends_with("/false"))
      return {account, true};
    if (has_one_of(words, {"-U", "--unlock"})) return {account, false};
  }
  if (name == "passwd") {
    if (has_one_of(words, {"-l", "--lock"})) return {account, true};
    if (has_one_of(words, {"-u", "--unlock"})) return {account, false};
  }
  if (name == "chage") {
    const auto date = after({"-E", "--expiredate"});
    if (is_past(date)) return {account, true};
    if (!date.empty()) return {account, false};
  }
  return {};
}

}  // namespace yushi::detect
