#include "parsers/inner_message.h"

#include <algorithm>

#include "core/record/value.h"

namespace yushi::parsers {
namespace {

bool is_time(const Field* field) { return field->id <= ecs::timestamp_zone->id; }

bool is_process(const Field* field) { return field == ecs::process_name || field == ecs::process_pid; }

// What the header of a syslog message says.
bool is_of_header(const Field* field) { return is_time(field) || field == ecs::host_name || is_process(field); }

// The last value among those from `before` on; empty: none.
std::string_view value_of(const Record& record, const std::vector<Capture>& captures, size_t before, const Field* field,
                          Scratch& scratch) {
  for (size_t i = captures.size(); i-- > before;)
    if (captures[i].field == field && captures[i].length > 0)
      return decode_escape(record.text(captures[i]), static_cast<Escape>(captures[i].escape), scratch);
  return {};
}

// Where no account but root puts programs.
bool is_of_the_system(std::string_view path) {
  static constexpr std::string_view kFolders[] = {"/usr/", "/bin/",       "/sbin/",      "/lib",
                                                  "/opt/", "/nix/store/", "/gnu/store/", "/snap/"};
  return std::any_of(std::begin(kFolders), std::end(kFolders), [&](auto folder) { return path.starts_with(folder); });
}

// `program`: a path, or the name that the kernel cuts to 15 bytes. `sudo` is also `sudo-rs`, `.sudo-wrapped` and `sudo
// (deleted)`, whose file an update has replaced; and not `sudoedit2`.
bool is_one_of(std::string_view program, const std::vector<std::string>& names) {
  constexpr size_t kCommBytes = 15;
  const bool is_path = program.starts_with('/');
  program.remove_prefix(program.rfind('/') + 1);
  if (program.starts_with('.') || program.starts_with('(')) program.remove_prefix(1);
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (!is_path) name = name.substr(0, kCommBytes);
    if (!program.starts_with(name)) return false;
    const auto rest = program.substr(name.size());
    return rest.empty() || rest[0] == '-' || rest[0] == ' ' || rest[0] == ')' || rest[0] == ':';
  });
}

// By root also what only calls itself so: of a script the file that runs is its interpreter. Anybody else may name a
// file of his `sudo`.
template <class Says>
bool is_written_by(const std::vector<std::string>& writers, const std::vector<const Field*>& fields, bool by_root,
                   const Says& says) {
  bool is_known = false;
  for (auto* field : fields) {
    const auto program = says(field);
    if (program.empty()) continue;
    if (is_one_of(program, writers) && (by_root || !program.starts_with('/') || is_of_the_system(program))) return true;
    is_known = true;
    if (!by_root) break;
  }
  return !is_known;
}

}  // namespace

bool InnerMessage::is_confirmed(const MatchJob& job, const PatternDefinition& pattern, size_t before,
                                const Known& known, const Record& inner, const std::vector<Capture>& said) {
  Scratch scratch;
  const auto carrier_says = [&](const Field* field) {
    return field ? value_of(job.record, job.captures, before, field, scratch) : std::string_view();
  };
  const auto id = carrier_says(pattern.written_by_id);
  if (known.writers && !is_written_by(*known.writers, pattern.written_by, id == "0", carrier_says)) return false;
  const auto is_hearsay = std::any_of(inner.kind->constants.begin(), inner.kind->constants.end(),
                                      [](auto& one) { return one.field == ecs::yushi_hearsay; });
  if (!is_hearsay || id.empty() || id == "0") return true;
  // What a shell tells its user tells, by himself: of root he knows nothing.
  static const Field *const kUserId = find_field("user.id"), *const kActsAs = find_field("user.effective.name");
  const auto told = [&](const Field* field) { return value_of(inner, said, 1, field, scratch); };
  const auto told_id = told(kUserId), acts_as = told(kActsAs);
  return (told_id.empty() || told_id == id) && (acts_as.empty() ? told(ecs::user_name) : acts_as) != "root";
}

const MessageKind* InnerMessage::kind_of(const PatternDefinition& pattern, const MessageKind& outer,
                                         const MessageKind& inner) {
  auto& kind = known_kinds_[{&outer, &inner}];
  if (!kind) kind = pattern.inner_kinds->get(outer, inner);
  return kind;
}

// From the inner text to raw.
void InnerMessage::put_back(Capture& capture, const Capture& message, uint32_t lead, bool is_escaped) const {
  uint32_t begin = capture.begin - lead, end = capture.end() - lead;
  if (is_escaped) {
    begin = unescaped_.written(begin), end = unescaped_.written(end);
    if (end - begin != capture.length) capture.escape = message.escape;
  }
  capture.begin = message.begin + begin;
  capture.length = (end - begin) & 0xffffff;
}

bool InnerMessage::take(MatchJob& job, const PatternDefinition& pattern, size_t before) {
  auto& record = job.record;
  auto& outer = job.captures;
  const auto found = std::find_if(outer.begin() + static_cast<ptrdiff_t>(before), outer.end(),
                                  [](auto& one) { return one.field == ecs::message; });
  if (found == outer.end()) return false;
  const Capture message = *found;
  const auto has = [&](const Field* field) {
    return std::any_of(outer.begin(), outer.end(), [&](auto& one) { return one.field == field; });
  };

  // A line of nobody in particular is not taken for one without a header, of which beginnings count that are a
  // program's.
  std::string_view program = pattern.name;
  Scratch scratch;
  for (auto* field : pattern.message_of)
    if (auto named =
            std::find_if(outer.rbegin(), outer.rend(), [&](auto& one) { return one.field == field && one.length > 0; });
        named != outer.rend()) {
      // As JSON may write it: `postfix\/smtpd`.
      program = decode_escape(record.text(*named), static_cast<Escape>(named->escape), scratch);
      break;
    }
  const auto written = record.text(message);
  const bool is_escaped = unescaped_.read(written, static_cast<Escape>(message.escape));
  const auto line = is_escaped ? unescaped_.text() : written;
  text_.assign(program).append(1, ' ').append(line);
  const auto lead = static_cast<uint32_t>(program.size()) + 1;

  Record inner = record;
  inner.raw = text_;
  inner.kind = nullptr;
  inner.message_begin = lead;
  inner.message_length = static_cast<uint32_t>(line.size());
  inner.priority = 0;  // so that it is not tried with its program before it
  captures_.assign(1, {0, lead - 1, static_cast<uint32_t>(Escape::none), ecs::process_name});
  const auto known = parse_(inner, job.zone, job.arena, captures_);
  // One of the same parser within is somebody's text: its fields would take the place of ours.
  const auto is_ours = [&](const ParserDefinition* parser) { return parser && parser->name == record.kind->parser; };
  if (!known.by || is_ours(known.by) || is_ours(known.disbelieved)) return false;
  if (!is_confirmed(job, pattern, before, known, inner, captures_)) {
    job.is_unconfirmed = true;
    return false;
  }
  const bool is_product = !known.by->generic;

  const auto inner_says = [&](const Field* field) {
    return std::any_of(captures_.begin() + 1, captures_.end(), [&](auto& one) { return one.field == field; }) ||
           std::any_of(inner.kind->constants.begin(), inner.kind->constants.end(),
                       [&](auto& one) { return one.field == field; });
  };
  const auto is_outers = [&](const Field* field) { return is_of_header(field) && !(is_product && is_process(field)); };
  merged_.clear();
  bool is_cut = false;
  for (size_t i = 0; i < outer.size(); ++i) {
    auto& capture = outer[i];
    if (i != static_cast<size_t>(found - outer.begin())) {
      const bool is_said_inside = i >= before && !capture.field->list && capture.field->id != kDynamicField &&
                                  !is_outers(capture.field) && inner_says(capture.field);
      if (!is_said_inside) merged_.push_back(capture);
      continue;
    }
    for (size_t k = 1; k < captures_.size(); ++k) {
      auto& part = captures_[k];
      if (part.begin < lead || is_time(part.field) || (is_outers(part.field) && has(part.field))) continue;
      put_back(part, message, lead, is_escaped);
      merged_.push_back(part);
      is_cut = true;
    }
    if (!is_cut) merged_.push_back(message);
  }
  // The line end that Docker keeps is none of the message.
  const auto text = written.ends_with("\\n") ? written.substr(0, written.size() - 2) : written;
  if (is_cut && !pattern.whole && text.find('\\') == std::string_view::npos) {
    record.message_begin = message.begin;
    record.message_length = static_cast<uint32_t>(text.size());
  }
  record.kind = kind_of(pattern, *record.kind, *inner.kind);
  outer.assign(merged_.begin(), merged_.end());
  return true;
}

}  // namespace yushi::parsers
