#include "forward/message.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/ledger/sha256.h"
#include "core/record/ecs_json.h"
#include "record.pb.h"
#include "storage/tail/leaf.h"

namespace yushi::forward {
namespace {

void append_number(std::string& out, uint64_t value) {
  char digits[20];
  out.append(digits, static_cast<size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits));
}

// The record without its last bytes. Its captures that no longer stand in raw are gone.
struct Shortened {
  Record record;
  std::vector<Capture> captures;

  Shortened(const Record& whole, size_t raw_bytes) : record(whole) {
    record.raw = whole.raw.substr(0, raw_bytes);
    for (const auto& capture : whole.captures)
      if (capture.end() <= raw_bytes) captures.push_back(capture);
    record.captures = captures;
    record.message_begin = std::min<uint32_t>(whole.message_begin, static_cast<uint32_t>(raw_bytes));
    record.message_length =
        std::min<uint32_t>(whole.message_length, static_cast<uint32_t>(raw_bytes) - record.message_begin);
    record.marks |= kTruncated;
  }
};

// A proto3 string must be UTF-8: other languages' readers refuse the whole message otherwise.
void append_scrubbed(std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size();) {
    auto point = decode_utf8(text, at);
    if (point.length == 0)
      out += "\xef\xbf\xbd";
    else
      out.append(text.substr(at, point.length));
    at += std::max<size_t>(point.length, 1);
  }
}

}  // namespace

std::string_view format_name(ForwardFormat format) {
  switch (format) {
    case ForwardFormat::ecs_json:
      return "ecs-json";
    case ForwardFormat::raw:
      return "raw";
    case ForwardFormat::protobuf:
      return "protobuf";
  }
  return "";
}

void write_entry_head(const Record& record, std::string& out) { make_entry_head(storage::entry_head_of(record), out); }

std::string_view tenant_of_log(std::string_view log) { return log.substr(0, log.find_first_of(":@")); }

struct MessageMaker::State {
  EcsJsonWriter json;
  v1::Record proto;
  Scratch scratch;
  std::string entry;  // whole, of the record in hand
};

MessageMaker::MessageMaker(ForwardFormat format) : format_(format), state_(std::make_unique<State>()) {}
MessageMaker::~MessageMaker() = default;

void MessageMaker::make(const Record& record, size_t value_bytes_max, Message& message) {
  const Origin& origin = *record.origin;
  auto tenant = tenant_of_log(origin.log);
  message.tenant = tenant;
  message.id = origin.log;
  message.id += '/';
  append_number(message.id, record.index);

  write_entry_head(record, message.entry);
  // The digest is not stored, the leaf is recomputed from raw whenever it is wanted. Of a raw in which secrets are
  // hidden it is left out: it would let anybody try passwords until one fits. The store has it, and proves the record
  // by its id.
  state_->entry = message.entry;
  if (format_ == ForwardFormat::protobuf && !(record.marks & kMaskedSecrets))
    append_digest(sha256(record.raw), state_->entry);

  state_->scratch.clear();
  Value host;
  message.key = tenant;
  message.key += '/';
  if (first_value(record, ecs::host_name, state_->scratch, &host) && !host.text.empty())
    message.key += host.text;
  else
    message.key += origin.address;

  message.truncated = false;
  write_value(record, message.value);
  size_t raw_bytes = record.raw.size();
  while (message.value.size() > value_bytes_max && raw_bytes > 0) {
    // In proportion, and a little less: what stands around raw does not shrink with it.
    auto fitting = static_cast<double>(value_bytes_max) / static_cast<double>(message.value.size());
    raw_bytes = std::min(raw_bytes - 1, static_cast<size_t>(static_cast<double>(raw_bytes) * fitting * 0.9));
    write_value(Shortened(record, raw_bytes).record, message.value);
    message.truncated = true;
  }
  if (message.value.size() > value_bytes_max) write_stub(record, message);
}

// What is left when not even the fields fit: that there is a record, and which.
void MessageMaker::write_stub(const Record& record, Message& message) {
  message.truncated = true;
  message.value.clear();
  if (format_ == ForwardFormat::ecs_json) {
    message.value = "{\"event\":{\"id\":";
    append_json_string(message.value, message.id);
    message.value += "},\"yushi\":{\"truncated\":true}}";
  } else if (format_ == ForwardFormat::protobuf) {
    auto& proto = state_->proto;  // still holds the record
    proto.clear_raw();
    proto.clear_fields();
    auto* field = proto.add_fields();
    field->set_name("yushi.truncated");
    field->set_b(true);
    proto.set_index(record.index);
    proto.SerializeToString(&message.value);
  }
}

void MessageMaker::write_value(const Record& record, std::string& out) {
  out.clear();
  if (format_ == ForwardFormat::ecs_json) {
    state_->json.write(record, {}, out);
    return;
  }
  if (format_ == ForwardFormat::raw) {
    out.append(record.raw);
    return;
  }
  auto& proto = state_->proto;
  proto.Clear();
  const Origin& origin = *record.origin;
  proto.set_log(origin.log.data(), origin.log.size());
  proto.set_index(record.index);
  proto.set_entry(state_->entry);
  proto.set_raw(record.raw.data(), record.raw.size());
  if (record.kind != nullptr) proto.set_dataset(record.kind->dataset);
  state_->scratch.clear();
  for_each_field(record, state_->scratch, [&](const Field& name, const Value& value) {
    if (&name == ecs::event_original) return;  // that is raw
    auto* field = proto.add_fields();
    field->set_name(name.name.data(), name.name.size());
    switch (value.type) {
      case Value::Type::integer:
        field->set_i(value.integer);
        break;
      case Value::Type::real:
        field->set_d(value.real);
        break;
      case Value::Type::boolean:
        field->set_b(value.integer != 0);
        break;
      case Value::Type::date: {
        char time[40];
        field->set_s(time, format_utc(value.integer, time));
        break;
      }
      default:
        if (is_utf8(value.text))
          field->set_s(value.text.data(), value.text.size());
        else
          append_scrubbed(value.text, *field->mutable_s());
    }
  });
  proto.SerializeToString(&out);
}

}  // namespace yushi::forward
