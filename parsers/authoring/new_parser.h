// `yushi parsers new`: a parser file made of sample lines, for a person to go on with.
//
// The lines' forms (parsers/authoring/line_templates.h) become patterns, what varies becomes captures, named by ECS
// where the text before says what it is ("from 192.0.2.1 port 22", "user bob", "uid=0"). A body that is JSON or
// key=value as a whole becomes a list of keys. The tests are the sample's own lines with what the file gives of them,
// so that it passes `parsers check` and `parsers test` as it is.
//
// Errors  invalid: a name that no parser may have, or a sample of which nothing is left to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "parsers/parser_set.h"

namespace yushi::parsers {

struct NewParser {
  std::string yaml;
  std::vector<std::string> notes;  // what was left out, and why
};

// `known` are the parsers beside which it will stand: lines that one of them knows by more than their form are left
// out.
Result<NewParser> make_parser(const std::string& name, const std::vector<std::string>& lines,
                              const std::vector<ParserFile>& known);

}  // namespace yushi::parsers
