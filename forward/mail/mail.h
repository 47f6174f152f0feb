// `type: mail`: alerts as mail, given to a local command: `sendmail -t`, or any other that takes a message on its
// standard input and ends 0 when it has it.
//
// The message is RFC 5322, in ASCII throughout: a subject in UTF-8 is encoded (RFC 2047), the text is base64. An alert
// that is sent again has the same Message-ID.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forward/route/route.h"

namespace yushi::forward {

// A header line with UTF-8 in it, folded: encoded words of at most 75 bytes.
std::string mail_header(std::string_view name, std::string_view text);
std::string mail_message(const Letter& letter, const std::string& from, const std::vector<std::string>& to,
                         const std::string& node, int64_t now_ns);

std::unique_ptr<ForwarderConfig> read_mail(Walk& walk, const YAML::Node& node);

}  // namespace yushi::forward
