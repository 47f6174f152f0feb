// A record as a Kafka message: key, headers and value.
//
//   key      <tenant>/<host.name, else log.source.address>
//   headers  id (<log>/<index>), tenant, format, entry (the leaf entry's first four parts)
//   value    ECS JSON, the raw bytes, or proto/yushi/v1/record.proto
//
// Threads  A MessageMaker is for one thread; it keeps its buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/record/record.h"

namespace yushi::forward {

enum class ForwardFormat : uint8_t { ecs_json, raw, protobuf };
std::string_view format_name(ForwardFormat format);

struct Message {
  std::string key, value;
  std::string id, tenant, entry;
  bool truncated = false;
};

// The leaf entry's first four parts: received-ns, source, source-seq, transport.
void write_entry_head(const Record& record, std::string& out);

// "finance" of "finance", "finance@2" and "finance:topic:3".
std::string_view tenant_of_log(std::string_view log);

class MessageMaker {
 public:
  explicit MessageMaker(ForwardFormat format);
  ~MessageMaker();

  // Writes over `message`, reusing its memory. A value over `value_bytes_max` is made of the record with the end of its
  // raw cut off and `yushi.truncated` set; its id stays, so that the whole can be fetched from the store.
  void make(const Record& record, size_t value_bytes_max, Message& message);

 private:
  struct State;
  void write_value(const Record& record, std::string& out);
  void write_stub(const Record& record, Message& message);
  ForwardFormat format_;
  std::unique_ptr<State> state_;
};

}  // namespace yushi::forward
