#include "core/web/command_check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/web/word_set.h"

namespace yushi {
namespace {

constexpr size_t kWordBytesMax = 256;

// Names that nobody writes but to run them …
constexpr WordSet kPrograms(
    {"wget", "curl", "bash", "sh", "zsh", "ksh", "csh", "tcsh", "dash", "ash", "fish", "nc", "ncat", "netcat", "socat",
     "whoami", "uname", "ifconfig", "ipconfig", "passwd", "chmod", "chown", "chattr", "sudo", "su", "python", "python2",
     "python3", "perl", "ruby", "php", "lua", "nslookup", "traceroute", "tracert", "ls", "ll", "dir", "awk", "gawk",
     "mawk", "sed", "grep", "egrep", "fgrep", "zgrep", "xargs", "base64", "base32", "xxd", "od", "echo", "printf", "id",
     "ps", "pkill", "killall", "netstat", "ss", "arp", "umount", "df", "du", "env", "printenv", "unset", "eval",
     "nohup", "crontab", "systemctl", "useradd", "adduser", "usermod", "userdel", "rm", "rmdir", "mkdir", "mv", "cp",
     "ln", "tar", "bsdtar", "gzip", "gunzip", "bzip2", "unzip", "apt", "apt-get", "aptitude", "yum", "dnf", "pacman",
     "rpm", "dpkg", "apk", "pip", "pip3", "npm", "npx", "gem", "svn", "scp", "ssh", "sftp", "tftp", "rsync",
     "lwp-download", "lwp-request", "busybox", "openssl", "gcc", "strace", "gdb", "tcpdump", "nmap", "zstdcat", "zcat",
     "bzcat", "xzcat", "tac", "nl", "vi", "vim", "nano", "w", "lsof", "dmesg", "uptime", "hostname", "docker",
     "kubectl", "ftp", "telnet", "ping", "ping6", "cat", "dig", "mysql", "psql", "sqlite3", "tclsh", "expr", "sendmail",
     "mkfifo", "mknod", "iptables", "getent", "groupadd", "lsb_release", "lscpu", "rc",
     // Windows
     "cmd", "cmd.exe", "powershell", "powershell.exe", "pwsh", "xcopy", "net", "net1", "netsh", "reg", "regedit",
     "regsvr32", "rundll32", "schtasks", "tasklist", "taskkill", "wmic", "certutil", "bitsadmin", "mshta", "cscript",
     "wscript", "msiexec", "bcdboot", "bcdedit", "attrib", "cacls", "icacls", "systeminfo", "vssadmin", "forfiles",
     "findstr", "nltest", "dsquery", "iex", "invoke-expression", "invoke-webrequest", "invoke-command", "start-process",
     "new-object", "installutil", "msbuild", "cmstp", "hh", "pcalua"});
// … and such that are words, too.
constexpr WordSet kWords({"at",    "time",     "who",    "more",   "less",    "find",   "sort",    "file",    "watch",
                          "date",  "last",     "head",   "tail",   "make",    "test",   "kill",    "cut",     "which",
                          "set",   "start",    "type",   "copy",   "move",    "expect", "service", "mail",    "host",
                          "route", "ip",       "mount",  "export", "exec",    "source", "command", "touch",   "zip",
                          "git",   "screen",   "locate", "stat",   "diff",    "split",  "join",    "fold",    "tee",
                          "tr",    "rev",      "uniq",   "wall",   "write",   "cd",     "pwd",     "history", "jobs",
                          "sleep", "cc",       "go",     "node",   "java",    "ver",    "del",     "erase",   "ren",
                          "sc",    "shutdown", "reboot", "halt",   "timeout", "man",    "info",    "top",     "true",
                          "yes",   "ed",       "ex",     "dd",     "if",      "for",    "while",   "alias",   "trap",
                          "read",  "groups",   "users",  "finger", "look",    "column", "paste",   "nice"});
// What runs the command behind it.
constexpr WordSet kBefore({"time", "sudo", "nohup", "exec", "env", "xargs", "busybox", "eval", "command", "nice",
                           "timeout", "watch", "then", "do", "else"});
// Whole commands that tell who and where one is.
constexpr WordSet kAlone({"whoami", "ifconfig", "ipconfig", "systeminfo", "netstat", "tasklist", "phpinfo"});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_byte(char c) { return is_letter(c) || is_digit(c); }
bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20; }
bool ends_word(char c) {
  return is_blank(c) || c == ';' || c == '|' || c == '&' || c == '<' || c == '>' || c == ')' || c == '(' || c == '}' ||
         c == '{' || c == ',' || c == '`' || c == '#';
}

// A word as the shell would see it.
struct Word {
  std::array<char, kWordBytesMax> bytes;
  size_t size = 0;
  size_t end = 0;       // in the text, behind it
  bool hidden = false;  // something that means nothing stood within it
  bool quoted = false;  // wholly in quotes

  std::string_view text() const { return {bytes.data(), size}; }
  // Of a path the program.
  std::string_view program() const {
    const auto all = text();
    auto name = all.substr(all.find_last_of("/\\") == all.npos ? 0 : all.find_last_of("/\\") + 1);
    if (name.ends_with(".exe")) name.remove_suffix(4);
    // python3.10
    if (const auto version = name.find_first_of("0123456789");
        version != name.npos && version > 2 && name.find_first_not_of("0123456789.", version) == name.npos)
      if (const auto bare = name.substr(0, version);
          bare == "python" || bare == "php" || bare == "perl" || bare == "ruby" || bare == "lua")
        name = bare;
    return name;
  }
};

// Expansions that are empty: `$@`, `$*`, `$!`, `$_`, `$1`, `${x}`, `$()`, `<()`, "``"; $IFS is a blank.
size_t empty_expansion(std::string_view text, size_t at, bool* blank) {
  const auto rest = text.substr(at);
  if (rest.starts_with("``") || rest.starts_with("''") || rest.starts_with("\"\"")) return 2;
  if (rest.starts_with("$()") || rest.starts_with("<()") || rest.starts_with(">()")) return 3;
  if (!rest.starts_with("$") || rest.size() < 2) return 0;
  if (rest.starts_with("${ifs") || rest.starts_with("$ifs")) {
    *blank = true;
    if (rest[1] == '{') return std::min(rest.size(), rest.substr(0, 32).find('}') + 1);  // none: npos + 1 is 0
    return rest.substr(4).starts_with("$9") ? 6 : 4;
  }
  if (std::string_view("@*!?-_$#").find(rest[1]) != std::string_view::npos || is_digit(rest[1])) return 2;
  if (rest[1] == '{') {
    size_t to = 2;
    while (to < rest.size() && to < 32 &&
           (is_word_byte(rest[to]) || rest[to] == '@' || rest[to] == '*' || rest[to] == '#'))
      ++to;
    return to < rest.size() && rest[to] == '}' ? to + 1 : 0;
  }
  if (rest.starts_with("$(echo)")) return 7;
  // $xx before the end of the word
  size_t to = 1;
  while (to < rest.size() && to < 16 && is_letter(rest[to])) ++to;
  return to > 1 && (to == rest.size() || is_blank(rest[to])) ? to : 0;
}

Word read_word(std::string_view text, size_t at) {
  Word word;
  size_t quotes = 0;
  const size_t begin = at;
  while (at < text.size() && at - begin < kWordBytesMax) {
    const char c = text[at];
    bool blank = false;
    if (const auto empty = empty_expansion(text, at, &blank)) {
      if (blank) break;
      word.hidden = true;
      at += empty;
      continue;
    }
    if (ends_word(c)) break;
    if ((c == '\\' || c == '^') && at + 1 < text.size() && is_letter(text[at + 1]) &&
        (c == '^' || word.size > 0 || at == begin)) {
      word.hidden |= word.size > 0 && is_letter(word.bytes[word.size - 1]);
      ++at;
      continue;
    }
    if (c == '\'' || c == '"') {
      ++quotes;
      ++at;
      continue;
    }
    word.bytes[word.size++] = c;
    ++at;
  }
  word.end = at;
  if (quotes >= 2 && word.size > 0) {
    const char first = text[begin], last = text[at - 1];
    word.quoted = (first == '\'' || first == '"') && last == first && quotes == 2;
    word.hidden |= !word.quoted;
  }
  return word;
}

bool is_program(std::string_view name) { return kPrograms.has(name); }
bool is_known(std::string_view name) { return is_program(name) || kWords.has(name); }

// An argument that no sentence has: an option, a path, an address, an expansion, a quoted text.
bool is_technical(std::string_view text, size_t at, bool strict) {
  while (at < text.size() && is_blank(text[at])) ++at;
  if (at >= text.size()) return false;
  const auto rest = text.substr(at, 128);
  const char c = rest[0], then = rest.size() > 1 ? rest[1] : '\0';
  if (c == '-') return is_letter(then) || then == '-';
  if (c == '/') return is_letter(then) || then == '[' || then == '?' || then == '.' || then == '*';
  if (c == '$' || c == '`' || c == '~') return is_letter(then) || then == '(' || then == '{' || then == '/';
  const auto word = rest.substr(0, rest.find_first_of(" \t\r\n;|&"));
  if (word.find("://") != word.npos || word.starts_with("./") || word.starts_with("../") || word.starts_with("c:\\"))
    return true;
  if (strict) return false;
  if (is_digit(c)) return std::count(word.begin(), word.end(), '.') == 3;  // an address
  const auto dot = word.rfind('.');
  return c == '"' || c == '\'' || c == '>' || c == '<' || c == '.' || c == '%' || c == '*' ||
         word.find('/') != word.npos ||
         (dot != word.npos && dot > 0 && dot + 1 < word.size() && is_letter(word[dot + 1]));
}

enum class Before : uint8_t { nothing, line_end, separator, expansion };

// Whether a command begins at `at`.
bool is_command(std::string_view text, size_t at, Before before) {
  const bool touches = at < text.size() && !is_blank(text[at]);
  for (int depth = 0; depth < 4; ++depth) {
    while (at < text.size() &&
           (is_blank(text[at]) || text[at] == '(' || text[at] == '{' || text[at] == ',' || text[at] == '@'))
      ++at;
    if (at >= text.size()) return false;
    const Word word = read_word(text, at);
    if (word.size == 0) {
      // $a cat: an empty expansion before it
      if (!word.hidden || word.end >= text.size() || !is_blank(text[word.end])) return false;
      at = word.end;
      continue;
    }
    // A=1 command; $a cat
    const auto all = word.text();
    if (all.find('=') != all.npos && is_letter(all[0]) && before != Before::nothing) {
      at = word.end;
      if (at >= text.size() || !is_blank(text[at])) return false;
      continue;
    }
    const auto name = word.program();
    const bool behind_path = name.size() != all.size();
    if (!is_known(name)) {
      return false;
    }
    if (word.hidden && name.size() > 1 && (is_program(name) || before != Before::nothing)) return true;
    const size_t end = word.end;
    const char behind = end < text.size() ? text[end] : '\0';
    if (text.substr(end).starts_with("$ifs") || text.substr(end).starts_with("${ifs")) return true;
    if (behind_path &&
        (all.find("/bin/") != all.npos || all.find("/sbin/") != all.npos || all.find("system32") != all.npos))
      return true;
    const bool strong = is_program(name) && name.size() > 1;
    if (before == Before::expansion && (strong || is_technical(text, end, false) || behind == ')' || behind == '`'))
      return true;
    if (before == Before::separator) {
      if (strong && (end >= text.size() || (ends_word(behind) && behind != ','))) return true;
      if (!strong && (end >= text.size() ? touches && name.size() > 1
                                         : behind == '|' || behind == ';' || is_technical(text, end, false)))
        return true;
      if (!strong && is_blank(behind) && end + 1 < text.size() && text[end + 1] == '(') return true;
    }
    if (before == Before::line_end && strong && (end >= text.size() || is_technical(text, end, false))) return true;
    if (before == Before::nothing) {
      if (end >= text.size()) return kAlone.has(name);
      if (is_blank(behind) && is_technical(text, end, true)) return true;
      if (strong && (behind == ';' || behind == '|') && kAlone.has(name)) return true;
      if (word.quoted && is_known(read_word(text, std::min(end + 1, text.size())).program())) return true;
      if (name == "pip" || name == "npm" || name == "apt-get" || name == "yum" || name == "apt" || name == "gem")
        return read_word(text, std::min(end + 1, text.size())).text() == "install";
      if (name.starts_with("invoke-") || name == "iex") return true;
    }
    if (!kBefore.has(name) || end >= text.size() || !is_blank(behind)) return false;
    // "time who": only of programs that are no words
    const Word then = read_word(text, end + 1);
    if (before == Before::nothing && (then.text() == "who" || then.text() == "sh" || then.text() == "bsdtar"))
      return true;
    at = end + 1;
  }
  return false;
}

// `/bi[n]/ba?h`: a name of the system's with signs for any byte, between slashes.
bool glob_matches(std::string_view glob, std::string_view name) {
  size_t g = 0, n = 0, star = glob.npos, retry = 0;
  const auto step = [&](size_t* behind) {  // whether glob[g] takes name[n]
    if (glob[g] == '[') {
      const auto close = glob.find(']', g + 2);
      if (close == glob.npos) return false;
      *behind = close + 1;
      const auto set = glob.substr(g + 1, close - g - 1);
      if (set[0] == '!' || set[0] == '^') return set.find(name[n], 1) == set.npos;
      if (set.size() == 3 && set[1] == '-') return name[n] >= set[0] && name[n] <= set[2];
      return set == "?" || set.find(name[n]) != set.npos;
    }
    *behind = g + 1;
    return glob[g] == '?' || glob[g] == name[n];
  };
  while (n < name.size()) {
    size_t behind = 0;
    if (g < glob.size() && glob[g] == '*') {
      star = ++g;
      retry = n;
    } else if (g < glob.size() && step(&behind)) {
      g = behind;
      ++n;
    } else if (star != glob.npos) {
      g = star;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

constexpr std::string_view kPlaces[] = {"bin",   "sbin",   "etc",     "usr",   "tmp",    "dev", "passwd", "shadow",
                                        "cat",   "bash",   "sh",      "uname", "whoami", "nc",  "ncat",   "wget",
                                        "curl",  "python", "python3", "perl",  "php",    "id",  "ls",     "hosts",
                                        "group", "local",  "var",     "home",  "root",   "proc"};

bool has_globbed_path(std::string_view text) {
  for (size_t at = text.find('/'); at != text.npos; at = text.find('/', at + 1)) {
    // a segment; a slash in brackets does not end it
    size_t to = at + 1, letters = 0, wild = 0;
    bool bracket = false;
    while (to < text.size() && to - at < 64) {
      const char c = text[to];
      if (bracket) {
        bracket = c != ']';
      } else if (c == '[') {
        bracket = true;
        ++wild;
      } else if (c == '?' || c == '*') {
        ++wild;
      } else if (is_word_byte(c)) {
        ++letters;
      } else {
        break;
      }
      ++to;
    }
    if (wild == 0 || letters == 0 || bracket) continue;
    auto segment = text.substr(at + 1, to - at - 1);
    std::array<char, 64> short_form;
    size_t size = 0;
    // "[e///]tc" is "[e]tc"
    for (char c : segment)
      if (c != '/') short_form[size++] = c;
    const std::string_view glob(short_form.data(), size);
    const bool in_brackets = glob.find('[') != glob.npos;
    for (auto name : kPlaces)
      if ((name.size() > 2 || in_brackets) && (letters > 1 || in_brackets || name.size() == 3) &&
          glob_matches(glob, name))
        return true;
    // /a[a//]c
    if (in_brackets && glob.size() < 12 && text.substr(at, to - at).find("//") != text.npos) return true;
  }
  return false;
}

// ${x#y}, ${x/a/b}, ${!x}, $((1+1)), $[1]: what only a shell works out.
bool is_expansion(std::string_view text, size_t at) {
  const auto rest = text.substr(at, 64);
  if (rest.starts_with("$((") || rest.starts_with("$[")) return true;
  if (rest.starts_with("$(")) {
    const char c = rest.size() > 2 ? rest[2] : '\0';
    // jQuery
    return c != '\0' && c != '\'' && c != '"' && c != '#' && c != '.' && c != ')' &&
           !rest.substr(2).starts_with("document") && !rest.substr(2).starts_with("this") &&
           !rest.substr(2).starts_with("window");
  }
  if (!rest.starts_with("${")) return false;
  if (rest.size() > 2 && (rest[2] == '`' || rest[2] == '!' || rest[2] == '@')) return true;
  size_t to = 2;
  while (to < rest.size() && is_word_byte(rest[to])) ++to;
  return to > 2 && to + 1 < rest.size() && std::string_view("#%/^,").find(rest[to]) != std::string_view::npos &&
         rest[to + 1] != ' ';
}

// What a mail or web server takes for a command or a header of its own, behind a line's end.
bool is_protocol(std::string_view line) {
  for (std::string_view word :
       {"mail from:", "rcpt to:",    "ehlo ",     "helo ",         "retr ",           "list ",   "top ",
        "auth ",      "apop ",       "dele ",     "uidl ",         "vrfy ",           "expn ",   "bcc:",
        "cc:",        "set-cookie:", "location:", "content-type:", "content-length:", "http/1.", "x-forwarded-"}) {
    if (!line.starts_with(word)) continue;
    if (word == "list " || word == "top " || word == "retr " || word == "dele ")
      return line.size() > word.size() && is_digit(line[word.size()]);
    return true;
  }
  return false;
}

}  // namespace

bool is_command_injection(std::string_view text) {
  size_t begin = 0;
  while (begin < text.size() && (is_blank(text[begin]) || text[begin] == '"' || text[begin] == '\'')) ++begin;
  if (begin > 0 && begin < text.size() && text[begin - 1] != ' ' && is_command(text, begin - 1, Before::nothing))
    return true;
  if (is_command(text, begin, Before::nothing)) return true;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at], then = at + 1 < text.size() ? text[at + 1] : '\0';
    switch (c) {
      case ';':
      case '|':
      case '&':
        if (is_command(text, at + 1, Before::separator)) return true;
        // \n.shell, to sqlite's own shell
        if (c == ';') {
          const auto rest = text.substr(at + 1, 32);
          const auto dot = rest.find('.');
          if (dot != rest.npos && rest.substr(0, dot).find_first_not_of("\\n \t\r\n") == rest.npos)
            for (auto word : {"shell",  "system", "databases", "sh",      "load", "import", "open",
                              "output", "once",   "read",      "restore", "save", "tables", "schema",
                              "dump",   "backup", "excel",     "clone",   "log",  "trace",  "archive"}) {
              auto behind = rest.substr(dot + 1);
              while (behind.starts_with(' ')) behind.remove_prefix(1);
              const std::string_view wanted(word);
              if (behind.starts_with(wanted) &&
                  (behind.size() == wanted.size() || !is_word_byte(behind[wanted.size()])))
                return true;
            }
        }
        break;
      case '\n':
      case '\r':
        if (is_protocol(text.substr(at + 1, 64))) return true;
        if (is_command(text, at + 1, Before::line_end)) return true;
        break;
      case '`':
        // people set `names` so, too
        if (at == 0 || std::string_view(" :(`").find(text[at - 1]) == std::string_view::npos
                ? is_command(text, at + 1, Before::expansion)
                : text.back() == '`' && at + 1 < text.size() && is_command(text, at + 1, Before::expansion))
          return true;
        break;
      case '<':
      case '>':
        if (then == '(' && is_command(text, at + 2, Before::expansion)) return true;
        break;
      case '$':
        if (is_expansion(text, at)) return true;
        break;
      case '{':
        // {cat,/etc/passwd}, {,echo,x}
        if (then == ',' && at + 2 < text.size() &&
            (is_letter(text[at + 2]) || text[at + 2] == '$' || text[at + 2] == '/'))
          return true;
        if (is_letter(then)) {
          const Word word = read_word(text, at + 1);
          if (word.end < text.size() && text[word.end] == ',' && word.end + 1 < text.size() &&
              !is_blank(text[word.end + 1]) && is_program(word.program()) && word.size > 1)
            return true;
        }
        break;
      default:
        break;
    }
  }
  // A hidden name anywhere: c'a't, wh$@oami
  if (text.find_first_of("'\"\\$`^<>") != text.npos)
    for (size_t at = 0; at < text.size();) {
      if (ends_word(text[at]) || text[at] == '=') {
        ++at;
        continue;
      }
      const Word word = read_word(text, at);
      if (word.hidden && word.program().size() > 1 && is_program(word.program())) return true;
      at = std::max(word.end, at + 1);
    }
  return has_globbed_path(text);
}

}  // namespace yushi
