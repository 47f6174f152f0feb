#include "daemon/data_files.h"

#include <algorithm>
#include <functional>
#include <map>

#include "core/base/clock.h"
#include "detect/alerts/exceptions.h"
#include "detect/engine.h"
#include "detect/words.h"
#include "parsers/engine_version.h"
#include "parsers/file/share_directory.h"
#include "parsers/parser_set.h"

namespace yushi::daemon {
namespace {

// The first problem of several, in one line. A line that is indented belongs to the problem above it.
std::string first_line(const std::string& problems) {
  size_t more = 0, end = problems.find('\n');
  for (size_t at = end; at != problems.npos; at = problems.find('\n', at + 1))
    more += at + 1 < problems.size() && problems[at + 1] != ' ';
  std::string out = problems.substr(0, end);
  if (more > 0) out += " (and " + std::to_string(more) + " more; `yushid --check` names all)";
  return out;
}

template <class File>
const File* find_path(const std::vector<File>& files, const std::string& path) {
  auto at = std::find_if(files.begin(), files.end(), [&](auto& file) { return file.path == path; });
  return at == files.end() ? nullptr : &*at;
}

template <class File>
bool same_files(const std::vector<File>& a, const std::vector<File>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& one, auto& other) {
    return one.name == other.name && one.path == other.path && one.text == other.text;
  });
}

Result<std::shared_ptr<const parsers::ParserSet>> load_parsers(std::vector<parsers::ParserFile> files) {
  return parsers::ParserSet::load(std::move(files), parsers::ReadTests::of_site);
}

template <class Set, class File>
class Loading {
 public:
  using Read = Result<std::vector<File>> (*)(const std::vector<std::string>&, std::vector<FileLeftOut>*);
  using Load = std::function<Result<std::shared_ptr<const Set>>(std::vector<File>)>;

  Loading(const char* kind, Read read, const Set* before, std::vector<std::string>& left_out, Load load = Set::load)
      : kind_(kind), read_(read), before_(before), left_out_(left_out), load_(std::move(load)) {}

  Result<std::shared_ptr<const Set>> load(const std::string& our_folder, const std::vector<std::string>& folders) {
    auto ours = YUSHI_TRY(read_({our_folder}, nullptr));
    std::vector<File> users;
    for (auto& folder : folders) read_folder(folder, users);
    // A file of theirs takes the place of ours of the same name, so both are given, ours first.
    if (auto all = load_(joined(ours, users)); all) return all;
    auto base = YUSHI_TRY(load_(ours));

    // A parser leans on shared tables: it is alone beside those, theirs where they are right.
    std::vector<File> right, shared;
    if constexpr (std::is_same_v<File, parsers::ParserFile>) {
      shared = parsers::shared_files(ours);
      std::stable_partition(users.begin(), users.end(), parsers::is_shared_file);
    }
    for (auto& file : users) {
      auto alone = load_(joined(shared, {file}));
      const auto before = right.size();
      if (alone)
        right.push_back(std::move(file));
      else
        leave_out(file.path, first_line(alone.error().message), &right);
      if constexpr (std::is_same_v<File, parsers::ParserFile>) {
        if (right.size() > before && is_shared_file(right.back())) shared.push_back(right.back());
      }
    }
    if (auto all = load_(joined(ours, right)); all) return all;
    // Each is right alone and some are not beside others, as two of one name or id: they are taken one by one.
    std::vector<File> taken;
    for (auto& file : right) {
      taken.push_back(file);
      auto with_it = load_(joined(ours, taken));
      if (with_it) continue;
      taken.pop_back();
      const File* old = before_ ? find_path(before_->files(), file.path) : nullptr;
      if (old && old->text != file.text) {
        taken.push_back(*old);
        if (load_(joined(ours, taken))) {
          say(first_line(with_it.error().message), file.path, kStays);
          continue;
        }
        taken.pop_back();
      }
      say(first_line(with_it.error().message), file.path, kIsLeftOut);
    }
    return load_(joined(ours, taken));
  }

 private:
  static constexpr const char* kIsLeftOut = "the file is left out";
  static constexpr const char* kStays = "its version of before stays";

  static std::vector<File> joined(std::vector<File> ours, const std::vector<File>& users) {
    ours.insert(ours.end(), users.begin(), users.end());
    return ours;
  }

  void read_folder(const std::string& folder, std::vector<File>& users) {
    std::vector<FileLeftOut> away;
    auto files = read_({folder}, &away);
    if (files) {
      users.insert(users.end(), files->begin(), files->end());
      for (auto& file : away) leave_out(file.path, file.why, &users);
      return;
    }
    // The whole folder is away for now: what ran of it goes on.
    bool any = false;
    for (auto& file : before_ ? before_->files() : std::vector<File>()) {
      if (!file.path.starts_with(folder + "/")) continue;
      users.push_back(file);
      any = true;
    }
    left_out_.push_back(files.error().message + (any ? "; its files of before stay" : "; its files are left out"));
  }

  // Or takes its version of before.
  void leave_out(const std::string& path, const std::string& why, std::vector<File>* files) {
    const File* old = before_ ? find_path(before_->files(), path) : nullptr;
    if (old) files->push_back(*old);
    say(why, path, old ? kStays : kIsLeftOut);
  }

  // A problem between two files may be told at the other one's place.
  void say(const std::string& why, const std::string& path, const char* what) {
    left_out_.push_back((why.starts_with(path) ? "" : std::string(kind_) + " file " + path + ": ") + why + "; " + what);
  }

  const char* kind_;
  Read read_;
  const Set* before_;
  std::vector<std::string>& left_out_;
  const Load load_;
};

// Where Sigma rules look, and the lists that they may name.
Result<std::shared_ptr<const detect::LogSources>> load_log_sources(const detect::Lists& lists) {
  return detect::LogSources::load(YUSHI_TRY(detect::read_rule_directories({parsers::share_directory("sigma")})),
                                  lists.placeholders());
}

std::vector<std::string> unknown_tenants(const Config& config, const detect::Lists& lists) {
  std::vector<std::string> names = {"default"};
  for (auto& tenant : config.tenants) names.push_back(tenant.name);
  return lists.unknown_tenants(names);
}

void load_lists(const Config& config, const Loaded* before, Loaded& loaded) {
  std::vector<detect::Lists::Wrong> wrong;
  loaded.lists = detect::Lists::load(config.lists, before ? before->lists.get() : nullptr, &wrong);
  loaded.lists_left_out.clear();
  for (auto& [why, stays] : wrong) {
    loaded.left_out.push_back(first_line(why) + (stays ? "; its entries of before stay" : "; the list is left out"));
    if (!stays) loaded.lists_left_out.push_back(loaded.left_out.back());
  }
  for (auto& what : unknown_tenants(config, *loaded.lists)) loaded.left_out.push_back(std::move(what));
  loaded.left_out_kinds.resize(loaded.left_out.size(), "list");
}

constexpr std::string_view kExceptionKind = "exception";

// Those that hold for nothing: their time is over, nothing has that name, or it raises nothing by itself.
std::vector<std::string> idle_exceptions(const detect::ExceptionSet& exceptions, const detect::RuleSet& rules,
                                         int64_t now_ns) {
  if (exceptions.all().empty()) return {};
  std::vector<std::string> ids;
  std::map<std::string, std::string> used_by;
  for (auto& rule : rules.list()) {
    ids.push_back(rule.id);
    if (!rule.used_by.empty()) used_by[rule.id] = rule.used_by;
  }
  auto out = exceptions.unknown(ids);
  for (auto& one : exceptions.all()) {
    if (one.until_ns <= now_ns) out.push_back(exception_ended_words(one));
    if (auto used = used_by.find(one.rule); used != used_by.end())
      out.push_back(one.place + ": rule: " + one.rule + " raises nothing by itself, but through the correlation " +
                    used->second + ": except that one; the exception holds for nothing");
  }
  return out;
}

// After the rules. The same object, where nothing changed.
Result<void> load_exceptions(const Config& config, const Loaded* before, Loaded& loaded) {
  const auto* running = before ? before->exceptions.get() : nullptr;
  loaded.exceptions = YUSHI_TRY(Loading<detect::ExceptionSet, detect::ExceptionFile>(
                                    "exception", detect::read_exception_files, running, loaded.left_out)
                                    .load("", config.exception_files));
  if (running && same_files(running->files(), loaded.exceptions->files())) loaded.exceptions = before->exceptions;
  if (running && loaded.exceptions.get() != running) loaded.exceptions->count_on_from(*running);
  for (auto& what : idle_exceptions(*loaded.exceptions, *loaded.rules, realtime_ns()))
    loaded.left_out.push_back(std::move(what));
  loaded.left_out_kinds.resize(loaded.left_out.size(), kExceptionKind);
  return {};
}

}  // namespace

Result<std::shared_ptr<const Loaded>> with_exceptions_anew(const Config& config, const Loaded& running) {
  auto loaded = std::make_shared<Loaded>(running);
  loaded->left_out.clear();
  loaded->left_out_kinds.clear();
  for (size_t i = 0; i < running.left_out.size(); ++i) {
    if (running.left_out_kinds[i] == kExceptionKind) continue;
    loaded->left_out.push_back(running.left_out[i]);
    loaded->left_out_kinds.push_back(running.left_out_kinds[i]);
  }
  YUSHI_TRY(load_exceptions(config, &running, *loaded));
  return loaded;
}

std::string exception_ended_words(const detect::Exception& exception) {
  return exception.place + ": until: the exception of " + exception.owner + " for " + exception.rule + " ended, " +
         exception.until + "; it counts no more, remove it or give it a new end";
}

std::vector<std::string> cannot_run_words(const detect::RuleSet& rules, const std::vector<std::string>& folders) {
  std::map<std::string, size_t> counts;
  for (std::string_view words : rules.unsupported()) {
    const auto of = std::find_if(folders.begin(), folders.end(),
                                 [&](const std::string& folder) { return words.starts_with(folder + "/"); });
    if (of != folders.end()) ++counts[*of];
  }
  std::vector<std::string> out;
  for (auto& [folder, count] : counts)
    out.push_back(detect::number_text(count, "rule", "rules") + " in " + folder +
                  " cannot run here: `yushi rules list` says why, without a daemon `yushi rules check " + folder + "`");
  return out;
}

Result<std::shared_ptr<const Loaded>> load_data_files(const Config& config, const Loaded* before) {
  auto loaded = std::make_shared<Loaded>();
  loaded->parsers = YUSHI_TRY(Loading<parsers::ParserSet, parsers::ParserFile>(
                                  "parser", parsers::read_parser_directories, before ? before->parsers.get() : nullptr,
                                  loaded->left_out, load_parsers)
                                  .load(parsers::share_directory("parsers"), config.parser_dirs));
  // The same object, where nothing changed: records that wait to be sealed, for a day perhaps, keep what they were read
  // by, which is some 30 MB.
  if (before && same_files(before->parsers->files(), loaded->parsers->files())) loaded->parsers = before->parsers;
  const auto are_of = [&](std::string_view kind) { loaded->left_out_kinds.resize(loaded->left_out.size(), kind); };
  are_of("parser");
  load_lists(config, before, *loaded);
  // After the parsers: rules name their fields.
  auto sources = YUSHI_TRY(load_log_sources(*loaded->lists));
  auto load_rules = [&](std::vector<detect::RuleFile> files) {
    return detect::RuleSet::load(std::move(files), *sources);
  };
  loaded->rules = YUSHI_TRY(Loading<detect::RuleSet, detect::RuleFile>("rule", detect::read_rule_directories,
                                                                       before ? before->rules.get() : nullptr,
                                                                       loaded->left_out, load_rules)
                                .load(parsers::share_directory("rules"), config.rule_dirs));
  are_of("rule");
  loaded->secrets =
      YUSHI_TRY(Loading<SecretRules, SecretFile>("secrets", read_secret_directories,
                                                 before ? before->secrets.get() : nullptr, loaded->left_out)
                    .load(parsers::share_directory("secrets"), config.secret_dirs));
  are_of("secrets");
  loaded->cannot_run = cannot_run_words(*loaded->rules, config.rule_dirs);
  YUSHI_TRY(load_exceptions(config, before, *loaded));
  if (before) {
    if (loaded->parsers != before->parsers) loaded->parsers->count_on_from(*before->parsers);
    loaded->rules->count_on_from(*before->rules);
  }

  // Of `default` and `_audit`; those of the tenants come with their logs (daemon/tenants.h).
  loaded->readings.resize(storage::kAuditLogId + 1);
  loaded->contexts.resize(storage::kAuditLogId + 1,
                          std::make_shared<const storage::ParseContext>(storage::ParseContext{
                              loaded->parsers->digest(), "UTC", "utf-8", parsers::kParserEngine}));
  return loaded;
}

bool rules_ask_for_lists(const Config& config, const Loaded& loaded) {
  auto& files = loaded.rules->files();
  return std::any_of(config.lists.begin(), config.lists.end(), [&](auto& list) {
    return std::any_of(files.begin(), files.end(),
                       [&](auto& file) { return file.text.find("%" + list.first + "%") != std::string::npos; });
  });
}

std::shared_ptr<const Loaded> with_lists(const Config& config, const Loaded& before) {
  auto loaded = std::make_shared<Loaded>(before);
  loaded->left_out.clear();
  loaded->left_out_kinds.clear();
  for (size_t i = 0; i < before.left_out.size(); ++i) {
    if (before.left_out_kinds[i] == "list") continue;
    loaded->left_out.push_back(before.left_out[i]);
    loaded->left_out_kinds.push_back(before.left_out_kinds[i]);
  }
  load_lists(config, &before, *loaded);
  return loaded;
}

std::vector<std::string> check_data_files(const Config& config, std::vector<std::string>* told) {
  std::vector<std::string> out;
  // All problems of all files, not only the first that a load meets.
  auto add_lines = [&](const std::string& problems) {
    for (size_t at = 0; at < problems.size();) {
      auto end = std::min(problems.find('\n', at), problems.size());
      out.push_back(problems.substr(at, end - at));
      at = end + 1;
    }
  };
  // In the order of a load, ours first: what is wrong between two files is told of the user's.
  auto read_all = [&](auto read, const std::string& our_folder, const std::vector<std::string>& folders) {
    std::vector<FileLeftOut> away;
    auto all = read({our_folder}, &away);
    if (!all) add_lines(all.error().message), all.emplace();
    for (auto& folder : folders) {
      auto some = read({folder}, &away);
      if (!some)
        add_lines(some.error().message);
      else
        all->insert(all->end(), some->begin(), some->end());
    }
    for (auto& file : away) out.push_back(file.why);
    return std::move(*all);
  };
  if (auto set = load_parsers(
          read_all(parsers::read_parser_directories, parsers::share_directory("parsers"), config.parser_dirs));
      !set) {
    add_lines(set.error().message);
  }
  std::vector<detect::Lists::Wrong> wrong_lists;
  const auto lists = detect::Lists::load(config.lists, nullptr, &wrong_lists);
  for (auto& list : wrong_lists) add_lines(list.why);
  for (auto& what : unknown_tenants(config, *lists)) out.push_back(what);
  auto sources = load_log_sources(*lists);
  if (!sources) add_lines(sources.error().message), sources = std::make_shared<const detect::LogSources>();
  const auto rules = detect::RuleSet::load(
      read_all(detect::read_rule_directories, parsers::share_directory("rules"), config.rule_dirs), **sources);
  if (!rules) {
    add_lines(rules.error().message);
  } else if (told) {
    *told = cannot_run_words(**rules, config.rule_dirs);
  }
  if (auto set =
          SecretRules::load(read_all(read_secret_directories, parsers::share_directory("secrets"), config.secret_dirs));
      !set) {
    add_lines(set.error().message);
  }
  std::vector<FileLeftOut> away;
  if (auto files = detect::read_exception_files(config.exception_files, &away)) {
    std::string wrong;
    const auto set = detect::ExceptionSet::right_ones(std::move(*files), wrong);
    add_lines(wrong);
    if (rules)
      for (auto& problem : idle_exceptions(*set, **rules, realtime_ns())) out.push_back(problem);
  }
  for (auto& file : away) out.push_back(file.why);
  for (auto& problem : forward::unknown_select_fields(config.forwarders)) out.push_back(problem);
  if (auto lookups = enrich::open_lookups(config.lookups); !lookups) add_lines(lookups.error().message);
  return out;
}

}  // namespace yushi::daemon
