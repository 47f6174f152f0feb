// What the entries of a site's lists (detect/lists/lists.h) are, and what they are asked: names with wildcards,
// networks, accounts, commands, windows of changes and tickets.
//
// Threads     Any, for what is const.
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
#include <utility>
#include <vector>

#include "core/base/time_text.h"
#include "core/record/value.h"

namespace yushi::detect {

// A time that may name no zone: then the tenant's counts.
struct Moment {
  int64_t ns = 0;
  bool is_local = false;
  int64_t at(const Zone& zone) const;
};

// Whether the pattern is all of the text: `*` is any text, `?` any one byte.
bool glob(std::string_view pattern, std::string_view text);

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
  const Entry* find(std::string_view address) const;  // of the smallest network; nullptr: of none
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
  // By `wang`, also `EXAMPLE\wang` and `wang@example.com` are found; in any case of letters. nullptr: it is in no
  // entry.
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
  // Whether it speaks of changes on this host at all; then whether it is open.
  bool concerns(std::string_view host) const { return hosts.empty() || hosts.matches(host); }
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
std::optional<Moment> read_moment(std::string_view text);  // nullopt: it is no time

// In any case of letters, and without domains: `EXAMPLE\wang` and `wang@example.com` are `wang`.
bool is_same_account(std::string_view a, std::string_view b);

// ---------------------------------------------------------------------------------------------- as people write them

inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
std::string_view trimmed(std::string_view text);            // of blanks and CR at both ends
std::vector<std::string> parts_of(std::string_view text);   // of a field with several values: `a, b; c`
bool has_wildcard(std::string_view text);                   // `*` or `?`
bool looks_like_address(std::string_view text);             // or like a network; it need not be right
bool read_days(std::string_view text, ChangeWindow* out);   // `daily`, `Mon-Fri`, `2026-03-14..2026-03-16`
bool read_hours(std::string_view text, ChangeWindow* out);  // `22:00-02:00`; empty: the whole day

}  // namespace yushi::detect
