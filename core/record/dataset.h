// The names by which a rule can ask for the records of one parser: datasets, aliases, and the programs it reads.
//
// Known is what any parser set of this process has declared, as with fields (declare_field): a name is never taken
// back.
//
// Threads  Any.
#pragma once

#include <string>
#include <string_view>

namespace yushi {

void declare_dataset(std::string_view name);

// Always, as long as no parser was loaded: then nothing is known of any name.
bool may_be_dataset(std::string_view name);

// "; did you mean sshd?", or empty.
std::string dataset_suggestion(std::string_view name);

}  // namespace yushi
