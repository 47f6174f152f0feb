#include "ingest/input.h"

#include "core/base/assert.h"
#include "ingest/tcp.h"
#include "ingest/udp.h"
#include "ingest/unix.h"

namespace yushi {

std::unique_ptr<Input> make_input(const InputSettings& settings, const InputContext& context) {
  YUSHI_ASSERT(!context.threads.empty() && context.sink, "an input needs a thread and a sink");
  switch (settings.transport) {
    case Transport::tcp: return make_tcp_input(settings, context);
    case Transport::udp: return make_udp_input(settings, context);
    case Transport::unix_socket: return make_unix_input(settings, context);
    default: break;
  }
  YUSHI_ASSERT(false, "no input of transport %d", static_cast<int>(settings.transport));
}

}  // namespace yushi
