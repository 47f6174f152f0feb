// The names by which a rule can ask for the records of one parser: datasets, aliases, and the programs it reads; and
// which fields the records of a dataset can have.
//
// Known is what any parser set of this process has declared, as with fields (declare_field): a name is never taken
// back.
//
// Threads  Any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yushi {

struct MessageKind;

void declare_dataset(std::string_view name);

// Always, as long as no parser was loaded: then nothing is known of any name.
bool may_be_dataset(std::string_view name);

// What records of the dataset can have beside what the header says and what is derived: fields by name, and of bodies'
// unknown keys the names that begin with `prefix.`, which ends in the dot; `*`: any. Several parsers may give one
// dataset.
void declare_dataset_field(std::string_view dataset, std::string_view name_or_prefix);

// Whether a record of the dataset can have the field; of no dataset (empty) that no parser knew. Always for a dataset
// of which nothing is declared.
bool may_have_field(std::string_view dataset, std::string_view field);

// What a parser of messages that carry others adds to theirs, named as above.
void declare_carrier_field(std::string_view parser, std::string_view name_or_prefix);

// Of a record of this kind, which a carrier may have brought.
bool may_have_field(const MessageKind& kind, std::string_view field);

// Where the parser of this name puts the values of a key of its messages' bodies: `eventName` -> event.action. Of a key
// of which nothing is declared, in any case of letters, it is the name behind the parser's own,
// `aws.cloudtrail.eventID`.
void declare_parser_key(std::string_view parser, std::string_view key, const std::vector<std::string>& fields);
std::vector<std::string> fields_of_key(std::string_view parser, std::string_view key);

// "; did you mean sshd?", or empty.
std::string dataset_suggestion(std::string_view name);

}  // namespace yushi
