#include "serve/request.h"

#include <charconv>

namespace yushi::serve {
namespace {

// nullopt: a percent sign without two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    uint8_t value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

std::string undecodable(std::string_view text) {
  return "\"" + std::string(text) + "\": % needs two hexadecimal digits behind it; write %25 for % itself";
}

}  // namespace

Asked parse_target(std::string_view target) {
  Asked asked;
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  if (auto name = percent_decoded(path))
    asked.question.name = std::move(*name);
  else
    asked.problem = undecodable(path);
  if (mark != target.npos) add_form(target.substr(mark + 1), asked);
  return asked;
}

void add_form(std::string_view form, Asked& asked) {
  auto decode = [&](std::string_view text) {
    auto decoded = percent_decoded(text);
    if (!decoded) asked.problem = undecodable(text);
    return decoded.value_or("");
  };
  while (!form.empty() && asked.problem.empty()) {
    const auto end = form.find('&');
    const auto pair = form.substr(0, end);
    form.remove_prefix(end == form.npos ? form.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    auto value = decode(equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
    if (!asked.problem.empty()) break;
    if (!asked.question.parameters.emplace(name, value).second) asked.problem = name + ": given twice; remove one";
  }
}

// A web page reaches a port that somebody forwarded to our socket by a name that it made point there; only Host tells.
// Such a name is of the public DNS and has a dot. An address, `localhost` and a bare name are what tools of ours write.
bool is_foreign_host(std::string_view host) {
  if (host.starts_with('[')) return false;
  host = host.substr(0, host.find(':'));
  while (host.ends_with('.')) host.remove_suffix(1);
  const bool is_address = host.find_first_not_of("0123456789.") == host.npos;
  return host.find('.') != host.npos && !is_address;
}

unsigned status_of(Code code) {
  switch (code) {
    case Code::invalid:
      return 400;
    case Code::not_found:
      return 404;
    case Code::refused:
      return 403;
    case Code::exhausted:
    case Code::unavailable:
      return 503;
    case Code::corrupt:
    case Code::io:
      return 500;
  }
  return 500;
}

const char* code_name(Code code) {
  constexpr const char* kNames[] = {"invalid", "not_found", "refused", "corrupt", "exhausted", "unavailable", "io"};
  return kNames[static_cast<size_t>(code)];
}

}  // namespace yushi::serve
