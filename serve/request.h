// A request as a question: names and values from its target, and from the form that a POST brings.
#pragma once

#include <string>
#include <string_view>

#include "query/questions.h"

namespace yushi::serve {

struct Asked {
  query::Question question;
  std::string problem;  // the first one; what comes after it is not read
};
// "search?query=sshd&limit=2"; a path without `/api/v1/`.
Asked parse_target(std::string_view target);
// More parameters: application/x-www-form-urlencoded. What is given twice is a problem.
void add_form(std::string_view form, Asked& asked);

// Whether Host names a machine of the public DNS, and so not us.
bool is_foreign_host(std::string_view host);

unsigned status_of(Code code);
const char* code_name(Code code);

}  // namespace yushi::serve
