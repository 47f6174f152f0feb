// What the things may be called that a person names: nodes, tenants and parsers; and who signs a checkpoint.
//
// A tenant's name is its log's, before ':' and '@' (storage/db/keys.h), and "<node>/<log>" is the origin of the log's
// checkpoints. So a name stands in signed notes, in the keys of the store, in file names, in questions and in other
// people's tools, and is written the same in all of them: nothing to quote, nothing that differs in case alone.
#pragma once

#include <string_view>

namespace yushi {

// The logs of our own: what yushid says itself, whose records bind the other logs; and what no tenant sent.
constexpr const char* kAuditLog = "_audit";
constexpr const char* kDefaultLog = "default";

constexpr const char* kNameRule = "[a-z0-9_.-]{1,64}";  // as messages say it
bool is_name(std::string_view name);

// A parser's is of the same letters, and as long as its file says: it begins names of fields.
bool is_parser_name(std::string_view name);

// Whether a tenant may have it: it is neither kDefaultLog nor begins with `_`, as logs of our own do.
bool is_tenant_name(std::string_view name);

// Whether a signed note can have it as origin or as name of a key: a blank, a plus or a control byte would cut its
// lines elsewhere. Wider than our own names, for notes bear the signatures of others too (C2SP signed-note).
bool is_signer_name(std::string_view name);

}  // namespace yushi
