// What a site says of itself (`detect.lists`): who are its bastions, who has left, who is an administrator, when
// changes are made. Some findings rest on such a list, which is no habit: it holds from the first record on.
//
// A list stands in the config or in a file: YAML (.yaml, .yml), CSV with a head line (.csv), or an entry a line. An
// entry is a map of the list's fields, or in short form their values in order, with blanks between: `wang 2026-03-01`.
// A field with several values has commas between them, or is a YAML list. In a file `#` begins a comment; a line that
// begins with `{` is a map in JSON. An entry with `tenants` holds for the logs of these alone. Which lists there are, and
// the fields of each, stands in one table (lists.cc).
//
// Invariants  Immutable. Entries are compared in one written form: the same entries give the same digest, whether
//             inline or in a file. A detector names list, entry and digest in its finding's baseline, so that it can be
//             computed again without the file.
// Errors      Each problem as `file:line:column: LIST: FIELD: what is wrong`. A file with a problem is not taken at
//             all.
// Memory      At most 100,000 entries a list; a file is a data file of at most 1 MiB (core/base/data_file.h).
// Threads     Any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/mutex.h"
#include "core/config/walk.h"
#include "detect/lists/list_entries.h"

namespace yushi::detect {

// One entry as it is written.
struct WrittenEntry {
  struct Text {
    std::string text, place;
  };
  std::map<std::string, Text, std::less<>> fields;
  std::string place;
};

// What the config says of one list: a file, or its entries.
struct ListSetting {
  std::string path;
  std::vector<WrittenEntry> entries;
  std::string place;
};
using ListSettings = std::map<std::string, ListSetting, std::less<>>;

// `detect.lists`. Inline entries are checked as those of files are.
void read_list_settings(Walk& walk, const YAML::Node& node, ListSettings& out);

class Lists {
 public:
  struct Wrong {
    std::string why;     // each problem a line
    bool stays = false;  // the list of before does
  };
  // Reads the files. Of one that is wrong the list of `before` stays, where it came from the same file; else there is
  // none.
  static std::shared_ptr<const Lists> load(const ListSettings& settings, const Lists* before = nullptr,
                                           std::vector<Wrong>* wrong = nullptr);
  // The lists of files as the text() of an earlier run has them, for `before` where this run read none yet.
  static std::shared_ptr<const Lists> remembered(const ListSettings& settings, std::string_view text);
  // All lists of an earlier run, as its text() has them.
  static std::shared_ptr<const Lists> of_text(std::string_view text);
  static const std::shared_ptr<const Lists>& none();

  // Each entry in its one written form, `LIST ENTRY\n`, sorted.
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  // What holds for the records of this log. A list all of whose entries are of other tenants is none there.
  const Lists& of(std::string_view log) const YUSHI_EXCLUDES(of_tenants_mutex_);
  // Names in `tenants` of entries that are none of these tenants, in words.
  std::vector<std::string> unknown_tenants(const std::vector<std::string>& tenants) const;
  bool has(std::string_view list) const { return digests_.find(list) != digests_.end(); }
  // For a finding's baseline: "list=leavers entry=… digest=0123456789abcdef".
  std::string baseline(std::string_view list, std::string_view entry) const;
  // For Sigma's |expand: by name, the first field of each entry of each list that there is, whoever its tenants are:
  // rules are the same for all.
  std::map<std::string, std::vector<std::string>, std::less<>> placeholders() const;

  Origins bastions;
  AccountList leavers, service_accounts, provider_staff, admins, deny_accounts, allow_accounts, peer_groups;
  std::map<std::string, std::vector<std::string>, std::less<>> members;  // of peer groups, those without `*`
  AddressList networks, deny_addresses, allow_addresses;
  CommandList deny_commands, allow_commands;
  std::vector<ChangeWindow> change_windows;
  std::vector<Ticket> tickets;

 private:
  friend struct ListTable;
  struct Written {
    std::string path;
    std::vector<WrittenEntry> entries;
  };
  void take(const std::string& name, Written written);

  std::map<std::string, Written, std::less<>> written_;
  std::map<std::string, std::string, std::less<>> digests_;
  std::string text_;
  bool names_tenants_ = false;
  mutable Mutex of_tenants_mutex_;
  // What of() has made; they stay as long as this. The one that was asked for last takes no lock: a batch is of one log.
  using OfTenants = std::map<std::string, std::unique_ptr<const Lists>, std::less<>>;
  mutable OfTenants of_tenants_ YUSHI_GUARDED_BY(of_tenants_mutex_);
  mutable std::atomic<const OfTenants::value_type*> asked_last_{nullptr};
};

}  // namespace yushi::detect
