// The parser and rule files that the daemon runs with: ours and the users', of which a wrong one is left out loudly.
//
// A wrong yushi.yaml refuses the start, since nobody knows then what was meant. A wrong parser or rule file does not:
// without it the rest still collects, understands and watches, and without the daemon nothing does. What is left out is
// named in `left_out`, for the log, `_audit` and `yushi status`. At a reload the version of a file that was good before
// stays in the place of a wrong one. Our own files have no such grace: where they are wrong the package is broken.
//
// Errors   invalid or io: one of our own files cannot be used.
// Threads  One at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "daemon/config.h"
#include "daemon/pipeline.h"

namespace yushi::daemon {

// `before` is what ran until now; nullptr at the start.
Result<std::shared_ptr<const Loaded>> load_data_files(const Config& config, const Loaded* before);

// What runs, with the exceptions that their files have now.
Result<std::shared_ptr<const Loaded>> with_exceptions_anew(const Config& config, const Loaded& running);

// As `left_out` and `status` tell it.
std::string exception_ended_words(const detect::Exception& exception);

// Of each of these folders that has some: how many of its rules are right and cannot run here. That is no mistake: a
// checkout of rules is about more than any site's logs.
std::vector<std::string> cannot_run_words(const detect::RuleSet& rules, const std::vector<std::string>& folders);

// With the lists as their files are now, and all else as before. Where a rule asks for a list by name (`%bastions%`)
// that is not enough.
std::shared_ptr<const Loaded> with_lists(const Config& config, const Loaded& before);
bool rules_ask_for_lists(const Config& config, const Loaded& loaded);

// Everything that is wrong with the data files and with what the config asks of them, for `yushid --check`: there each
// is an error. What is no mistake, as rules that cannot run here, goes to `told`.
std::vector<std::string> check_data_files(const Config& config, std::vector<std::string>* told = nullptr);

}  // namespace yushi::daemon
