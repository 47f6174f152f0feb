// The compacted topic in which forwarders keep their cursors, as one of them reads it: made where it is missing, and
// read to its end of now.
//
// Threads  One owner.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "forward/kafka/kafka.h"

namespace yushi::forward {

class CursorTopic {
 public:
  CursorTopic(const KafkaSettings& settings, std::string key);
  ~CursorTopic();

  // The newest committed value under the key; nullopt: there is none. Ask when no transaction of the key is open any
  // more. unavailable: not yet, ask again, it goes on where it was.
  Result<std::optional<std::string>> newest(int milliseconds);
  void close();  // the next question begins anew

 private:
  struct Client;
  Result<void> open();
  const KafkaSettings settings_;
  const std::string key_;
  std::unique_ptr<Client> client_;
};

}  // namespace yushi::forward
