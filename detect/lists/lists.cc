#include "detect/lists/lists.h"

#include <algorithm>
#include <set>

#include "core/base/bytes.h"
#include "core/base/data_file.h"
#include "core/base/nearest_name.h"
#include "core/base/text.h"
#include "core/ledger/sha256.h"
#include "detect/lists/list_changes.h"
#include "detect/words.h"

namespace yushi::detect {
namespace {

constexpr size_t kEntriesMax = 100'000;
constexpr size_t kProblemsTold = 20;
constexpr size_t kDigestLetters = 16;
constexpr size_t kPatternBytesMax = 1024;

}  // namespace

// ------------------------------------------------------------------------------------------------------------- table

// What each list is: its fields in the order of the short form, the first of which must be there, and who takes an
// entry.
struct ListTable {
  struct Problem {
    std::string field, what;
  };
  using Values = std::map<std::string, std::string, std::less<>>;
  struct Row {
    std::string_view name;
    std::vector<std::string_view> fields;
    bool is_whole_line;  // of the short form: blanks belong to the one field
    std::optional<Problem> (*take)(Lists& into, const Values& values, const std::string& text);
    size_t in_short_form = 0;  // of the fields, the first ones
  };
  static constexpr std::string_view kTenants = "tenants";  // a field of all lists
  static const std::vector<Row>& rows();
  static const Row* find(std::string_view name) {
    for (const auto& row : rows())
      if (row.name == name) return &row;
    return nullptr;
  }

  static std::string_view value(const Values& values, std::string_view field) {
    auto at = values.find(field);
    return at == values.end() ? std::string_view() : std::string_view(at->second);
  }

  static std::optional<Problem> take_origin(Origins& into, std::string_view field, std::string_view one,
                                            const std::string& text) {
    if (into.addresses.add(one, {text, "", false, 0, 0})) return {};
    if (looks_like_address(one))
      return Problem{std::string(field),
                     "\"" + std::string(one) + "\" is no address and no network, or bits are set behind its prefix"};
    into.names.add(one);
    return {};
  }

  template <AccountList Lists::*kList>
  static std::optional<Problem> take_account(Lists& into, const Values& values, const std::string& text) {
    auto entry = std::make_shared<AccountList::Entry>();
    entry->text = text;
    if (auto since = value(values, "since"); !since.empty()) {
      auto moment = read_moment(since);
      if (!moment)
        return Problem{"since",
                       "\"" + std::string(since) + "\" is no time; write 2026-03-01 or 2026-03-01T18:00:00+08:00"};
      entry->since = *moment;
    }
    for (const auto& one : parts_of(value(values, "from")))
      if (auto problem = take_origin(entry->from, "from", one, text)) return problem;
    for (const auto& one : parts_of(value(values, "hosts"))) entry->hosts.add(one);
    (into.*kList).add(value(values, "account"), std::move(entry));
    return {};
  }

  static std::optional<Problem> take_peer(Lists& into, const Values& values, const std::string& text) {
    const auto account = value(values, "account"), group = value(values, "group");
    if (group.empty()) return Problem{"group", "is missing: who are its peers?"};
    auto entry = std::make_shared<AccountList::Entry>();
    entry->text = text;
    entry->group = group;
    into.peer_groups.add(account, std::move(entry));
    if (!has_wildcard(account)) into.members[std::string(group)].emplace_back(account);
    return {};
  }

  template <AddressList Lists::*kList>
  static std::optional<Problem> take_address(Lists& into, const Values& values, const std::string& text) {
    const auto address = value(values, "address");
    if ((into.*kList).add(address, {text, "", false, 0, 0})) return {};
    return Problem{"address", "\"" + std::string(address) +
                                  "\" is no address and no network, or bits are set behind its prefix; names of hosts "
                                  "are not looked up: write their addresses"};
  }

  template <CommandList Lists::*kList>
  static std::optional<Problem> take_command(Lists& into, const Values& values, const std::string&) {
    (into.*kList).add(value(values, "command"));
    return {};
  }

  static std::optional<Problem> take_bastion(Lists& into, const Values& values, const std::string& text) {
    if (auto address = value(values, "address"); !address.empty()) {
      for (const auto& one : parts_of(address))
        if (!into.bastions.addresses.add(one, {text, "", false, 0, 0}))
          return Problem{"address", "\"" + one + "\" is no address and no network, or bits are set behind its prefix"};
    }
    return take_origin(into.bastions, "host", value(values, "host"), text);
  }

  static std::optional<Problem> take_network(Lists& into, const Values& values, const std::string& text) {
    AddressList::Entry entry{text, std::string(value(values, "name")), false, 0, 0};
    const auto latitude = value(values, "latitude"), longitude = value(values, "longitude");
    const auto read = [](std::string_view number, double limit, double* out) {
      auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), *out);
      return error == std::errc() && end == number.data() + number.size() && *out >= -limit && *out <= limit;
    };
    if (!latitude.empty() || !longitude.empty()) {
      if (!read(latitude, 90, &entry.latitude))
        return Problem{"latitude", "\"" + std::string(latitude) + "\" must be a number of degrees from -90 to 90"};
      if (!read(longitude, 180, &entry.longitude))
        return Problem{"longitude", "\"" + std::string(longitude) + "\" must be a number of degrees from -180 to 180"};
      entry.has_place = true;
    }
    const auto network = value(values, "network");
    if (into.networks.add(network, std::move(entry))) return {};
    return Problem{"network",
                   "\"" + std::string(network) + "\" is no address and no network, or bits are set behind its prefix"};
  }

  static std::optional<Problem> take_window(Lists& into, const Values& values, const std::string& text) {
    ChangeWindow window;
    window.text = text;
    const auto days = value(values, "days"), hours = value(values, "hours");
    if (!read_days(days, &window))
      return Problem{"days", "\"" + std::string(days) +
                                 "\" must be daily, weekdays as Mon-Fri or Sat,Sun, a date as 2026-03-14, or dates as "
                                 "2026-03-14..2026-03-16"};
    if (!read_hours(hours, &window))
      return Problem{"hours", "\"" + std::string(hours) + "\" must be a span as 22:00-02:00"};
    for (const auto& one : parts_of(value(values, "hosts"))) window.hosts.add(one);
    into.change_windows.push_back(std::move(window));
    return {};
  }

  static std::optional<Problem> take_ticket(Lists& into, const Values& values, const std::string&) {
    Ticket ticket;
    ticket.id = value(values, "id");
    ticket.account = value(values, "account");
    ticket.hosts = value(values, "hosts");
    ticket.requester = value(values, "requester");
    ticket.approver = value(values, "approver");
    if (ticket.account.empty() && ticket.requester.empty())
      return Problem{"account", "is missing: whose ticket is it?"};
    for (auto [field, moment] : {std::pair("from", &ticket.from), std::pair("until", &ticket.until)}) {
      const auto text = value(values, field);
      if (text.empty()) continue;
      auto read = read_moment(text);
      if (!read)
        return Problem{field,
                       "\"" + std::string(text) + "\" is no time; write 2026-03-01 18:00 or 2026-03-01T18:00:00+08:00"};
      *moment = *read;
    }
    into.tickets.push_back(std::move(ticket));
    return {};
  }
};

const std::vector<ListTable::Row>& ListTable::rows() {
  static std::vector<Row> rows = {
      {"bastions", {"host", "address"}, false, take_bastion},
      {"leavers", {"account", "since"}, false, take_account<&Lists::leavers>},
      {"service_accounts", {"account", "from", "hosts"}, false, take_account<&Lists::service_accounts>},
      {"provider_staff", {"account"}, false, take_account<&Lists::provider_staff>},
      {"admins", {"account", "from", "hosts"}, false, take_account<&Lists::admins>},
      {"peer_groups", {"account", "group"}, false, take_peer},
      {"change_windows", {"days", "hours", "hosts", "tenants"}, false, take_window},
      {"tickets", {"id", "account", "from", "until", "hosts", "requester", "approver"}, false, take_ticket},
      {"networks", {"network", "name", "latitude", "longitude"}, false, take_network},
      {"deny_addresses", {"address"}, false, take_address<&Lists::deny_addresses>},
      {"deny_accounts", {"account"}, false, take_account<&Lists::deny_accounts>},
      {"deny_commands", {"command"}, true, take_command<&Lists::deny_commands>},
      {"allow_addresses", {"address"}, false, take_address<&Lists::allow_addresses>},
      {"allow_accounts", {"account"}, false, take_account<&Lists::allow_accounts>},
      {"allow_commands", {"command"}, true, take_command<&Lists::allow_commands>},
  };
  static const bool kHaveTenants = [] {
    for (auto& row : rows) {
      row.in_short_form = row.fields.size();
      if (row.fields.back() != kTenants) row.fields.push_back(kTenants);
    }
    return true;
  }();
  (void)kHaveTenants;
  return rows;
}

// ----------------------------------------------------------------------------------------------------------- reading

namespace {

using Row = ListTable::Row;

std::string known_fields(const Row& row) {
  std::string out;
  for (auto field : row.fields) out += (out.empty() ? "" : ", ") + std::string(field);
  return out;
}

// One list's entries, from YAML, CSV or lines. `problem` gets place and words.
class EntryReader {
 public:
  EntryReader(const Row& row, std::string path) : row_(row), path_(std::move(path)) {}

  std::vector<WrittenEntry> entries;
  std::vector<std::pair<std::string, std::string>> problems;  // place, what

  std::string place(int line, int column) const {
    return path_ + ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1);
  }
  std::string place(const YAML::Mark& mark) const { return place(mark.line, mark.column); }
  void problem(std::string at, std::string what) {
    problems.emplace_back(std::move(at), std::string(row_.name) + ": " + what);
  }

  void yaml(const YAML::Node& node, int line = 0) {
    if (!node.IsSequence())
      return problem(place(node.Mark().line + line, node.Mark().column), "must be a list of entries");
    for (const auto& item : node) entry(item, line);
  }

  // `line`: where the text that was read as YAML begins.
  void entry(const YAML::Node& item, int line = 0) {
    const auto at = place(item.Mark().line + line, item.Mark().column);
    if (item.IsScalar()) return words(item.Scalar(), item.Mark().line + line, item.Mark().column);
    if (!item.IsMap()) return problem(at, "an entry is a text, or a map of " + known_fields(row_));
    WrittenEntry out{{}, at};
    for (const auto& pair : item) {
      const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
      const auto where = place(pair.second.Mark().line + line, pair.second.Mark().column);
      std::string text;
      if (pair.second.IsScalar()) {
        text = pair.second.Scalar();
      } else if (pair.second.IsSequence()) {
        for (const auto& one : pair.second) text += (text.empty() ? "" : ",") + (one.IsScalar() ? one.Scalar() : "");
      } else if (!pair.second.IsNull()) {
        problem(where, key + ": must be a text or a list of texts");
      }
      if (!is_field(key))
        problem(place(pair.first.Mark().line + line, pair.first.Mark().column),
                key + ": unknown field; known here: " + known_fields(row_));
      out.fields[key] = {std::move(text), where};
    }
    take(std::move(out));
  }

  // The short form.
  void words(std::string_view text, int line, int column) {
    WrittenEntry out{{}, place(line, column)};
    size_t at = 0;
    for (size_t i = 0; at < text.size(); ++i) {
      while (at < text.size() && is_blank(text[at])) ++at;
      if (at >= text.size()) break;
      size_t end = row_.is_whole_line ? text.size() : std::min(text.find_first_of(" \t", at), text.size());
      if (i == row_.in_short_form)
        return problem(place(line, column + static_cast<int>(at)),
                       "\"" + std::string(text.substr(at, end - at)) +
                           "\" is one value too many; a map may have the fields: " + known_fields(row_));
      out.fields[std::string(row_.fields[i])] = {std::string(trimmed(text.substr(at, end - at))),
                                                 place(line, column + static_cast<int>(at))};
      at = end;
    }
    take(std::move(out));
  }

  // The first line names the fields.
  void csv(std::string_view text) {
    std::vector<std::string> head;
    int number = -1;
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      const auto line = trimmed(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      ++number;
      if (line.empty() || line.front() == '#') continue;
      auto cells = cells_of(line);
      if (head.empty()) {
        for (auto& [cell, at] : cells) {
          if (!is_field(cell))
            problem(place(number, at), "\"" + cell + "\": unknown field; known here: " + known_fields(row_));
          head.push_back(cell);
        }
        continue;
      }
      WrittenEntry out{{}, place(number, 0)};
      for (size_t i = 0; i < cells.size(); ++i) {
        if (i >= head.size()) {
          problem(place(number, cells[i].second), "more values than the head line has fields");
          break;
        }
        out.fields[head[i]] = {cells[i].first, place(number, cells[i].second)};
      }
      take(std::move(out));
    }
  }

  void lines(std::string_view text) {
    for (int number = 0; !text.empty(); ++number) {
      const size_t end = std::min(text.find('\n'), text.size());
      auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const size_t first = line.find_first_not_of(" \t\r");
      if (first == line.npos || line[first] == '#') continue;
      if (line[first] == '{') {
        try {
          entry(YAML::Load(std::string(line)), number);
        } catch (const YAML::Exception& e) {
          problem(place(number, e.mark.column), e.msg);
        }
        continue;
      }
      for (size_t hash = line.find('#'); hash != line.npos; hash = line.find('#', hash + 1))
        if (is_blank(line[hash - 1])) line = line.substr(0, hash);
      words(trimmed(line), number, static_cast<int>(first));
    }
  }

 private:
  bool is_field(std::string_view key) const {
    return std::find(row_.fields.begin(), row_.fields.end(), key) != row_.fields.end();
  }

  void take(WrittenEntry out) {
    std::erase_if(out.fields, [](const auto& field) { return field.second.text.empty(); });
    const auto first = out.fields.find(row_.fields.front());
    if (first == out.fields.end()) return problem(out.place, std::string(row_.fields.front()) + ": is missing");
    for (const auto& [name, value] : out.fields)
      if (value.text.size() > kPatternBytesMax || value.text.find('\n') != value.text.npos)
        return problem(value.place,
                       name + ": must be one line of at most " + std::to_string(kPatternBytesMax) + " bytes");
    if (entries.size() == kEntriesMax)
      return problem(out.place, "more than " + std::to_string(kEntriesMax) + " entries");
    if (entries.size() < kEntriesMax) entries.push_back(std::move(out));
  }

  // Cells and their columns; a cell in double quotes may hold commas, and "" for a quote.
  static std::vector<std::pair<std::string, int>> cells_of(std::string_view line) {
    std::vector<std::pair<std::string, int>> out;
    for (size_t at = 0; at <= line.size();) {
      std::string cell;
      const auto column = static_cast<int>(at);
      while (at < line.size() && is_blank(line[at])) ++at;
      if (at < line.size() && line[at] == '"') {
        for (++at; at < line.size(); ++at) {
          if (line[at] != '"')
            cell += line[at];
          else if (at + 1 < line.size() && line[at + 1] == '"')
            cell += line[at++];
          else
            break;
        }
        at = std::min(line.find(',', at), line.size());
      } else {
        const size_t end = std::min(line.find(',', at), line.size());
        cell = trimmed(line.substr(at, end - at));
        at = end;
      }
      out.emplace_back(std::move(cell), column);
      ++at;
    }
    return out;
  }

  const Row& row_;
  std::string path_;
};

ListTable::Values values_of(const WrittenEntry& entry) {
  ListTable::Values out;
  for (const auto& [name, value] : entry.fields) out[name] = value.text;
  return out;
}

// In the order of the list's fields: "wang since=2026-03-01".
std::string text_of(const Row& row, const WrittenEntry& entry) {
  std::string out;
  for (auto field : row.fields) {
    auto at = entry.fields.find(field);
    if (at == entry.fields.end()) continue;
    out += out.empty() ? at->second.text : " " + std::string(field) + "=" + at->second.text;
  }
  return out;
}

// The entry that text_of() gave this text.
WrittenEntry entry_of(const Row& row, std::string_view text) {
  WrittenEntry out;
  auto field = row.fields.front();
  for (auto next : row.fields) {
    const std::string mark = " " + std::string(next) + "=";
    const size_t at = next == row.fields.front() ? text.npos : text.find(mark);
    if (at == text.npos) continue;
    out.fields[std::string(field)] = {std::string(text.substr(0, at)), ""};
    text.remove_prefix(at + mark.size());
    field = next;
  }
  out.fields[std::string(field)] = {std::string(text), ""};
  return out;
}

// Tries every entry, so that all problems are told at once.
void check(const Row& row, EntryReader& reader) {
  Lists unused;
  for (const auto& entry : reader.entries) {
    auto problem = row.take(unused, values_of(entry), "");
    if (!problem) continue;
    auto field = entry.fields.find(problem->field);
    reader.problem(field == entry.fields.end() ? entry.place : field->second.place,
                   problem->field + ": " + problem->what);
  }
}

// The whole file, or what is wrong with it.
Result<std::vector<WrittenEntry>> read_file(const Row& row, const std::string& path) {
  auto read = read_data_file(path);
  if (!read)
    return fail(read.error().code, read.error().message + "; detect.lists." + std::string(row.name) + " names it");
  std::string text = std::move(*read);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  EntryReader reader(row, path);
  if (path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json")) {
    try {
      if (auto root = YAML::Load(text); !root.IsNull()) reader.yaml(root);
    } catch (const YAML::Exception& e) {
      reader.problem(reader.place(e.mark), e.msg);
    }
  } else if (path.ends_with(".csv")) {
    reader.csv(text);
  } else {
    reader.lines(text);
  }
  check(row, reader);
  if (reader.problems.empty()) return std::move(reader.entries);
  std::string all;
  for (size_t i = 0; i < reader.problems.size() && i < kProblemsTold; ++i)
    all += (all.empty() ? "" : "\n") + reader.problems[i].first + ": " + reader.problems[i].second;
  if (reader.problems.size() > kProblemsTold)
    all += "\n(and " + std::to_string(reader.problems.size() - kProblemsTold) + " more)";
  return fail(Code::invalid, all);
}

}  // namespace

void read_list_settings(Walk& walk, const YAML::Node& node, ListSettings& out) {
  std::map<std::string, Walk::Reader> readers;
  for (const auto& row : ListTable::rows()) {
    const std::string where = "detect.lists." + std::string(row.name);
    readers[std::string(row.name)] = [&walk, &out, &row, where](const YAML::Node& n) {
      ListSetting setting;
      setting.place = walk.place_text(n.Mark());
      if (n.IsScalar()) {
        walk.path(where, setting.path)(n);
        if (!setting.path.empty() && !setting.path.starts_with('/'))
          walk.problem(n, where + ": \"" + setting.path + "\" must be the absolute path of a file, or a list");
      } else {
        EntryReader reader(row, "");
        reader.yaml(n);
        check(row, reader);
        // Places of the config's own: the walk knows its path.
        for (const auto& [place, what] : reader.problems) {
          YAML::Mark mark = n.Mark();
          std::sscanf(place.c_str(), ":%d:%d", &mark.line, &mark.column);
          --mark.line, --mark.column;
          walk.problem(mark, "detect.lists." + what);
        }
        setting.entries = std::move(reader.entries);
      }
      out[std::string(row.name)] = std::move(setting);
    };
  }
  walk.map(node, "detect.lists.", readers);
}

const std::shared_ptr<const Lists>& Lists::none() {
  static const std::shared_ptr<const Lists> kNone = std::make_shared<const Lists>();
  return kNone;
}

std::shared_ptr<const Lists> Lists::load(const ListSettings& settings, const Lists* before, std::vector<Wrong>* wrong) {
  auto out = std::make_shared<Lists>();
  for (const auto& [name, setting] : settings) {
    const Row* row = ListTable::find(name);
    if (!row) continue;
    Written written{setting.path, setting.entries};
    if (!setting.path.empty()) {
      auto read = read_file(*row, setting.path);
      if (read) {
        written.entries = std::move(*read);
      } else {
        const auto old =
            before ? before->written_.find(name) : std::map<std::string, Written, std::less<>>::const_iterator();
        const bool stays = before && old != before->written_.end() && old->second.path == setting.path;
        if (wrong) {
          auto& why = read.error().message;
          wrong->push_back({(why.starts_with(setting.path) ? "" : "list " + name + ": ") + why, stays});
        }
        if (!stays) continue;
        written = old->second;
      }
    }
    out->take(name, std::move(written));
  }
  return out;
}

void Lists::take(const std::string& name, Written written) {
  const Row* row = ListTable::find(name);
  std::set<std::string> lines;
  for (const auto& entry : written.entries) {
    std::string text = text_of(*row, entry);
    (void)row->take(*this, values_of(entry), text);
    lines.insert(std::move(text));
    names_tenants_ |= entry.fields.contains(ListTable::kTenants);
  }
  std::string all;
  for (const auto& line : lines) all += name + " " + line + "\n";
  digests_[name] = to_hex(as_bytes(sha256(all))).substr(0, kDigestLetters);
  text_ += all;
  written_[name] = std::move(written);
}

const Lists& Lists::of(std::string_view log) const {
  if (!names_tenants_) return *this;
  const auto tenant = log.substr(0, log.find_first_of("@:"));
  if (const auto* last = asked_last_.load(std::memory_order_acquire); last && last->first == tenant)
    return *last->second;
  MutexLock lock(of_tenants_mutex_);
  if (const auto known = of_tenants_.find(tenant); known != of_tenants_.end()) {
    asked_last_.store(&*known, std::memory_order_release);
    return *known->second;
  }
  auto out = std::make_unique<Lists>();
  for (const auto& [name, written] : written_) {
    Written theirs{written.path, {}};
    for (const auto& entry : written.entries) {
      const auto tenants = entry.fields.find(ListTable::kTenants);
      bool holds = tenants == entry.fields.end();
      if (!holds)
        for (const auto& one : parts_of(tenants->second.text)) holds |= glob(one, tenant);
      if (holds) theirs.entries.push_back(entry);
    }
    if (theirs.entries.empty() && !written.entries.empty()) continue;
    out->take(name, std::move(theirs));
    out->digests_[name] = digests_.find(name)->second;  // of the whole list, as it is written
  }
  out->names_tenants_ = false;
  const auto& made = *of_tenants_.emplace(tenant, std::move(out)).first;
  asked_last_.store(&made, std::memory_order_release);
  return *made.second;
}

std::vector<std::string> Lists::unknown_tenants(const std::vector<std::string>& tenants) const {
  std::set<std::string> out;
  for (const auto& [name, written] : written_)
    for (const auto& entry : written.entries) {
      const auto named = entry.fields.find(ListTable::kTenants);
      if (named == entry.fields.end()) continue;
      for (const auto& one : parts_of(named->second.text)) {
        if (std::any_of(tenants.begin(), tenants.end(), [&](const auto& tenant) { return glob(one, tenant); }))
          continue;
        NearestName nearest(one);
        for (const auto& tenant : tenants) nearest.offer(tenant);
        out.insert("list " + name + ": tenants: no tenant is called " + printable(one) + nearest.suggestion() +
                   "; for it the list holds nowhere");
      }
    }
  return {out.begin(), out.end()};
}

std::shared_ptr<const Lists> Lists::of_text(std::string_view text) {
  std::map<std::string, Written, std::less<>> written;
  for (auto line : lines_of(text)) {
    const size_t blank = line.find(' ');
    const Row* row = blank == line.npos ? nullptr : ListTable::find(line.substr(0, blank));
    if (row) written[std::string(row->name)].entries.push_back(entry_of(*row, line.substr(blank + 1)));
  }
  auto out = std::make_shared<Lists>();
  for (auto& [name, one] : written) out->take(name, std::move(one));
  return out;
}

std::shared_ptr<const Lists> Lists::remembered(const ListSettings& settings, std::string_view text) {
  auto out = std::make_shared<Lists>();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t blank = line.find(' ');
    const auto setting = settings.find(line.substr(0, blank));
    const Row* row = setting == settings.end() ? nullptr : ListTable::find(setting->first);
    if (!row || setting->second.path.empty() || blank == line.npos) continue;
    auto& written = out->written_[setting->first];
    written.path = setting->second.path;
    written.entries.push_back(entry_of(*row, line.substr(blank + 1)));
  }
  return out;
}

std::string Lists::baseline(std::string_view list, std::string_view entry) const {
  auto digest = digests_.find(list);
  return "list=" + std::string(list) + (entry.empty() ? "" : " entry=\"" + std::string(entry) + "\"") +
         " digest=" + (digest == digests_.end() ? "" : digest->second);
}

std::map<std::string, std::vector<std::string>, std::less<>> Lists::placeholders() const {
  std::map<std::string, std::vector<std::string>, std::less<>> out;
  for (const auto& [name, written] : written_) {
    auto& values = out[name];
    for (const auto& entry : written.entries)
      values.push_back(entry.fields.find(ListTable::find(name)->fields.front())->second.text);
  }
  return out;
}

}  // namespace yushi::detect
