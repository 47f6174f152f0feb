// Any bytes as a message, as a source's state, and as the numbers of some hosts: what is counted survives its bytes.
#include "core/base/assert.h"
#include "storage/store/log_state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace yushi;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  RawMessage message;
  message.raw = bytes;
  if (auto found = storage::sequence_number(message)) {
    YUSHI_ASSERT(found->number > 0 && found->number <= storage::SequenceNumber::kSequenceMax, "number %u",
                 found->number);
  }
  if (auto state = storage::SourceState::decode(bytes)) {
    auto again = storage::SourceState::decode(state->encode());
    YUSHI_ASSERT(again && *again == *state, "a state of %zu bytes does not come back", size);
    state->losses.take({1, 1});
  }

  // Each byte pair is a step of one of four hosts' numbers: mostly small, sometimes far, to both sides.
  storage::Losses losses;
  uint32_t newest[4] = {1, storage::SequenceNumber::kSequenceMax - 3, 1000, 500'000};
  uint64_t taken = 0;
  for (size_t i = 0; i + 1 < size; i += 2, ++taken) {
    auto& number = newest[data[i] & 3];
    int64_t step = static_cast<int8_t>(data[i + 1]);
    if (data[i] & 4) step *= 257;
    if ((data[i] & 24) == 24) step *= 65537;
    auto to = (static_cast<int64_t>(number) + step) % storage::SequenceNumber::kSequenceMax;
    number = static_cast<uint32_t>(to > 0 ? to : to + storage::SequenceNumber::kSequenceMax);
    losses.take({data[i] & 3u, number});
    YUSHI_ASSERT(losses.lost() <= (taken + 1) * storage::Losses::kJumpMax, "%llu lost after %llu numbers",
                 static_cast<unsigned long long>(losses.lost()), static_cast<unsigned long long>(taken));
  }
  std::string encoded;
  losses.encode(encoded);
  Reader in(encoded);
  auto again = storage::Losses::decode(in);
  YUSHI_ASSERT(again && *again == losses && in.left() == 0, "%zu bytes of losses do not come back", encoded.size());
  return 0;
}
