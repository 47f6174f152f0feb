// What a command or a cloud's call does, as far as its words tell: whether it changes a machine, what it does to a
// virtual one, whether it disables an account.
//
// Threads  Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yushi::detect {

// The words of a command line, by blanks, at most 256; views into it. And a program's name without its folder.
std::vector<std::string_view> command_words(std::string_view command_line);
std::string_view program_name(std::string_view path);

// A command that changes a machine: its services, packages, accounts, firewall, files outside homes and /tmp. What only
// looks is none.
bool changes_a_machine(std::string_view command_line);

enum class VirtualAct : uint8_t { none, deletes, copies, copies_out, enters };
// Of event.action and its like, or a command line of one of the tools for them.
VirtualAct virtual_act_of(std::string_view words);
bool is_tool_for_machines(std::string_view command_line);

// `usermod -L wang`, `passwd -l wang`, `chage -E 0 wang`, `userdel wang`: the account, and whether it is disabled or
// enabled.
struct AccountSwitch {
  std::string account;  // empty: it is none of these
  bool disables = false;
};
AccountSwitch account_switch_of(std::string_view command_line);
// `useradd -m wang`, `userdel -r wang`, on a device `local-user wang class manage`, `no username wang`; of Windows
// `net user wang /delete`: the account; empty: it is none of these.
std::string account_made_by(std::string_view command_line);
std::string account_deleted_by(std::string_view command_line);
// The account that one of these, or `passwd wang`, is about.
std::string account_named_by(std::string_view command_line);
// `CREATE USER 'wang'@'%'`, `DROP ROLE IF EXISTS wang` in a text that holds a statement: the account, in small letters;
// empty: none.
std::string account_of_statement(std::string_view text, bool makes);

}  // namespace yushi::detect
