#include "parsers/inner_message.h"

#include <algorithm>

#include "core/record/value.h"

namespace yushi::parsers {
namespace {

bool is_time(const Field* field) { return field->id <= ecs::timestamp_zone->id; }

bool is_process(const Field* field) { return field == ecs::process_name || field == ecs::process_pid; }

// What the header of a syslog message says.
bool is_of_header(const Field* field) { return is_time(field) || field == ecs::host_name || is_process(field); }

}  // namespace

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
  const bool is_product = parse_(inner, job.zone, job.arena, captures_);
  // One of the same parser within is somebody's text: its fields would take the place of ours.
  if (!inner.kind || inner.kind->parser == record.kind->parser) return false;

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
