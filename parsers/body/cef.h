// ArcSight's CEF and IBM's LEEF -> pairs.
//
// `CEF:0|vendor|product|version|class|name|severity|src=10.0.0.1 msg=…` gives cef.version, cef.vendor, cef.product,
// cef.product_version, cef.class, cef.name, cef.severity, and the extension's keys by their own names. A value of the
// extension runs to the next ` key=`; `\=`, `\|`, `\\` and `\n` are its escapes (Escape::backslash).
// `LEEF:2.0|vendor|product|version|event|^|src=…^dst=…` gives leef.version, leef.vendor, leef.product,
// leef.product_version, leef.event_id; its pairs are parted by tab, or by the sign that 2.0 names (`^`, `x09`, `0x09`).
// A LEEF 1.0 body without a tab in it is read as blanks parting them, as senders that lose tabs write it.
//
// Sources  "Implementing ArcSight Common Event Format", version 26; IBM QRadar "Log Event Extended Format", version 2.
// Cost     One pass.
#pragma once

#include "parsers/body/body_pairs.h"

namespace yushi::parsers {

// False when the text does not begin so. Offsets count from text's beginning.
bool read_cef(std::string_view text, size_t begin, size_t end, BodyPairs& pairs);
bool read_leef(std::string_view text, size_t begin, size_t end, BodyPairs& pairs);

}  // namespace yushi::parsers
