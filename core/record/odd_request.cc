#include "core/record/odd_request.h"

#include <algorithm>

#include "core/base/url_text.h"
#include "core/record/url_fields.h"
#include "core/web/command_check.h"
#include "core/web/request_text.h"
#include "core/web/script_check.h"
#include "core/web/sql_check.h"

namespace yushi {
namespace {

// Of a parser's own: ECS has none.
bool is_cookie(const Field& field) { return !is_fixed_field(field) && field.name.ends_with("cookie"); }

// What a client sent, part by part, if it is odd: path, parameters, the same of the referrer, agent, cookies. Calls
// visit(decoded, value, of_target), where `value` is the end of `decoded` behind a parameter's name, and `of_target`
// says that it is of the path or parameters of what was asked for.
template <class Visit>
class OddParts {
 public:
  OddParts(Scratch& scratch, Visit visit) : scratch_(scratch), visit_(visit) {}

  void request_target(std::string_view text) {
    of_target_ = true;
    target(text);
    of_target_ = false;
  }
  void target(std::string_view text) {
    if (!is_odd_target(text)) return;
    const auto parts = split_url(text);
    if (is_odd_target(parts.path)) part({}, parts.path, false);
    for (auto rest = parts.query; !rest.empty();) {
      const auto one = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      if (!is_odd_target(one, true)) continue;
      // `'or'1'='1` is no name
      const auto equals = one.find('=');
      if (equals == one.npos || is_odd_target(one.substr(0, equals), true))
        part({}, one, true);
      else
        part(one.substr(0, equals + 1), one.substr(equals + 1), true);
    }
  }
  void header(std::string_view text) {
    if (is_odd_header(text)) part({}, text, false);
  }

 private:
  void part(std::string_view name, std::string_view value, bool plus) {
    char* to = scratch_.allocate(name.size() + request_bytes_max(value.size()));
    name.copy(to, name.size());
    const size_t size = decode_request(value, plus, to + name.size());
    visit_(std::string_view(to, name.size() + size), std::string_view(to + name.size(), size), of_target_);
  }

  bool of_target_ = false;
  Scratch& scratch_;
  Visit visit_;
};

template <class Visit>
void for_each_odd_part(const Record& record, Scratch& scratch, Visit&& visit) {
  const Said said(record);
  OddParts parts(scratch, visit);
  parts.request_target(whole_url(said, scratch));
  Value value;
  for (size_t i = 0; i < said.size(); ++i) {
    const Field* field = said.field(i);
    const bool referrer = field == url_fields().referrer;
    if (!referrer && field != url_fields().agent && !is_cookie(*field)) continue;
    if (!said.value(i, scratch, &value)) continue;
    if (referrer)
      parts.target(value.text);
    else
      parts.header(value.text);
  }
}

std::string_view lowered(std::string_view text, Scratch& scratch) {
  char* to = scratch.allocate(text.size());
  std::transform(text.begin(), text.end(), to,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return {to, text.size()};
}

}  // namespace

void derive_of_request(const Record& record, Derived derived, Scratch& scratch, const Give& give) {
  if (const auto* known = scratch.odd_request; known && known->record == &record) {
    for (const auto& part : known->parts) {
      if (derived == Derived::url_plain ? part.of_target : derived == Derived::request_plain)
        give(text_value(part.plain));
      if (derived == Derived::request_sql       ? part.sql
          : derived == Derived::request_script  ? part.script
          : derived == Derived::request_command ? part.command
                                                : false)
        give(text_value(part.decoded));
    }
    return;
  }
  if (derived == Derived::url_plain || derived == Derived::request_plain)
    return for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view, bool of_target) {
      if (derived == Derived::url_plain && !of_target) return;
      char* to = scratch.allocate(decoded.size());
      give(text_value({to, plain_request(decoded, to)}));
    });
  const auto is_attack = derived == Derived::request_sql      ? is_sql_injection
                         : derived == Derived::request_script ? is_script_injection
                                                              : is_command_injection;
  for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view value, bool) {
    if (is_attack(lowered(value, scratch))) give(text_value(decoded));
  });
}

bool may_have_odd_request(const Record& record) {
  const UrlFields& of_url = url_fields();
  for (const Capture& capture : record.captures) {
    const Field* field = capture.field;
    const auto text = record.text(capture);
    bool odd = false;
    if (capture.escape == static_cast<uint8_t>(Escape::xml) && text.find('&') != text.npos)
      odd = true;
    else if (field == of_url.query)
      odd = is_odd_target(text, true);
    else if (field == of_url.path || field == of_url.original || field == of_url.full || field == of_url.referrer)
      odd = is_odd_target(text);
    else if (field == of_url.agent || is_cookie(*field))
      odd = is_odd_header(text);
    if (odd) return true;
  }
  return false;
}

void judge_request(const Record& record, Scratch& scratch, OddRequest* out) {
  out->record = &record;
  out->parts.clear();
  for_each_odd_part(record, scratch, [&](std::string_view decoded, std::string_view value, bool of_target) {
    OddRequest::Part part;
    const auto text = lowered(value, scratch);
    part.decoded = decoded;
    part.plain.resize(decoded.size());
    part.plain.resize(plain_request(decoded, part.plain.data()));
    part.of_target = of_target;
    part.sql = is_sql_injection(text);
    part.script = is_script_injection(text);
    part.command = is_command_injection(text);
    out->parts.push_back(std::move(part));
  });
}

}  // namespace yushi
