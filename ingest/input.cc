#include "ingest/input.h"

#include "core/base/assert.h"
#include "ingest/tcp.h"
#include "ingest/udp.h"
#include "ingest/unix.h"

namespace yushi::ingest {

Result<std::unique_ptr<Input>> bind_input(const InputSettings& settings, unsigned ingest_threads) {
  YUSHI_ASSERT(ingest_threads > 0, "an input needs a thread");
  switch (settings.transport) {
    case Transport::tcp:
      return bind_tcp_input(settings);
    case Transport::udp:
      return bind_udp_input(settings, ingest_threads);
    case Transport::unix_socket:
      return bind_unix_input(settings);
    default:
      break;
  }
  YUSHI_ASSERT(false, "no input of transport %d", static_cast<int>(settings.transport));
}

}  // namespace yushi::ingest
