// `yushi.request.*` and `yushi.url.plain`: what a client sent in a request, where it is odd (core/web/). Of core/record
// alone; who asks uses may_have_odd_request() and judge_request() (core/record/record.h).
#pragma once

#include "core/record/derived.h"

namespace yushi {

void derive_of_request(const Record& record, Derived derived, Scratch& scratch, const Give& give);

}  // namespace yushi
