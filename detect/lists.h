// What a site says of itself (`detect.lists`): who are its bastions, who has left, who is an administrator, when
// changes are made. Some findings rest on such a list, which is no habit: it holds from the first record on.
//
// A list stands in the config or in a file: YAML (.yaml, .yml), CSV with a head line (.csv), or an entry a line. An
// entry is a map of the list's fields, or in short form their values in order, with blanks between: `wang 2026-03-01`.
// A field with several values has commas between them, or is a YAML list. In a file `#` begins a comment; a line that
// begins with
// `{` is a map in JSON. Which lists there are, and the fields of each, stands in one table (lists.cc).
//
// Invariants  Immutable. Entries are compared in one written form: the same entries give the same digest, whether
// inline
//             or in a file. A detector names list, entry and digest in its finding's baseline, so that it can be
//             computed again without the file.
// Errors      Each problem as `file:line:column: LIST: FIELD: what is wrong`. A file with a problem is not taken at
// all. Memory      At most 100,000 entries a list; a file is a data file of at most 1 MiB (core/base/data_file.h).
// Threads     Any.
// Cost        Accounts are found by hash, addresses by a search in the networks of each length of prefix.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/base/time_text.h"
#include "core/config/walk.h"
#include "core/record/record.h"

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

// A time that may name no zone: then the tenant's counts.
struct Moment {
  int64_t ns = 0;
  bool is_local = false;
  int64_t at(const Zone& zone) const;
};

// Names with `*` and `?`, in any case. Of a host the first label is enough where the entry has no dot.
class NamePatterns {
 public:
  void add(std::string_view pattern);
  bool matches(std::string_view name) const;
  bool empty() const { return patterns_.empty(); }

 private:
  std::vector<std::string> patterns_;  // folded
};

class AddressList {
 public:
  struct Entry {
    std::string text, name;
    bool has_place = false;
    double latitude = 0, longitude = 0;
  };
  // An address or a network; false: it is neither.
  bool add(std::string_view network, Entry entry);
  const Entry* find(std::string_view address) const;  // of the smallest network
  bool touches(std::string_view network) const;       // whether one of them is part of it, or it of one
  bool empty() const { return by_length_.empty(); }

 private:
  using Address = std::array<uint8_t, 16>;
  struct Hash {
    size_t operator()(const Address& address) const;
  };
  std::map<unsigned, std::unordered_map<Address, Entry, Hash>, std::greater<>>
      by_length_;  // of the prefix, longest first
};

// Where somebody may come from: addresses, networks, names of hosts.
struct Origins {
  AddressList addresses;
  NamePatterns names;
  bool empty() const { return addresses.empty() && names.empty(); }
  bool has(std::string_view source) const { return addresses.find(source) || names.matches(source); }
};

class AccountList {
 public:
  struct Entry {
    std::string text;
    Moment since{INT64_MIN, false};
    Origins from;
    NamePatterns hosts;  // empty: all
    std::string group;   // of peers
  };
  void add(std::string_view account, std::shared_ptr<const Entry> entry);
  // By `wang`, also `EXAMPLE\wang` and `wang@example.com` are found; in any case of letters.
  const Entry* find(std::string_view account) const;
  bool empty() const { return exact_.empty() && patterns_.empty(); }

 private:
  const Entry* find_folded(const std::string& account) const;
  std::unordered_map<std::string, std::shared_ptr<const Entry>> exact_;
  std::vector<std::pair<std::string, std::shared_ptr<const Entry>>> patterns_;  // folded
};

class CommandList {
 public:
  void add(std::string_view pattern);
  const std::string* find(std::string_view command_line) const;  // the entry; nullptr: none
  bool empty() const { return patterns_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> patterns_;  // folded, and as written
};

// When changes are made, in the tenant's time.
struct ChangeWindow {
  std::string text;
  uint8_t weekdays = 0;                      // bit 0 is Sunday; of a window that names days
  int64_t first_day = 0, last_day = -1;      // days since 1970; of a window that names dates
  int from_minute = 0, until_minute = 1440;  // until <= from: it ends on the next day
  NamePatterns hosts;                        // empty: all
  NamePatterns tenants;                      // empty: all
  bool concerns(std::string_view tenant, std::string_view host) const;
  bool is_open(int64_t local_seconds) const;
};

// Leave to make a change.
struct Ticket {
  std::string id, account, requester, approver;
  std::string hosts;  // names with commas between; empty: all
  Moment from{INT64_MIN, false}, until{INT64_MAX, false};
  auto parts() { return std::tie(id, account, requester, approver, hosts); }
  bool is_self_approved() const;
  // Whoever approved it.
  bool covers(std::string_view account, std::string_view host, int64_t at_ns, const Zone& zone) const;
};
std::optional<Moment> read_moment(std::string_view text);

// In any case of letters, and without domains: `EXAMPLE\wang` and `wang@example.com` are `wang`.
bool is_same_account(std::string_view a, std::string_view b);

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
  bool has(std::string_view list) const { return digests_.find(list) != digests_.end(); }
  // For a finding's baseline: "list=leavers entry=… digest=0123456789abcdef".
  std::string baseline(std::string_view list, std::string_view entry) const;
  // For Sigma's |expand: by name, the first field of each entry of each list that there is.
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
};

// What is other in `now`, in words: "leavers: wang since 2026-03-01 is new; bastions: 10.0.0.9 is gone". Each is the
// text() of lists. Empty: nothing.
std::string tell_list_changes(std::string_view before, std::string_view now);
// The same to be read again, whole: a line an entry, `+LIST ENTRY` or `-LIST ENTRY`.
std::string list_changes(std::string_view before, std::string_view now);
// The text() that comes of `before` by them.
std::string with_list_changes(std::string_view before, std::string_view changes);

}  // namespace yushi::detect
