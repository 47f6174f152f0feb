#include "storage/read/record_reader.h"

namespace yushi::storage {
namespace {

bool holds(const Segment& segment, const std::string& log, uint64_t index) {
  const auto first = segment.summary.first_index;
  return segment.log == log && index >= first && index - first < segment.summary.records;
}

}  // namespace

Result<const Record*> RecordReader::read(const std::string& log, uint64_t index) {
  const auto name = log + "/" + std::to_string(index);
  if (!segment_ || !holds(*segment_, log, index)) {
    auto found = YUSHI_TRY(view_.segment_at(log, index));
    if (!found) return fail(Code::not_found, "record " + name + " is not in the store");
    segment_ = std::move(found);
    batch_ = view_.read(*segment_);
    blocks_read_ += batch_ && segment_->sealed;
  }
  if (!batch_) return fail(batch_.error().code, "record " + name + ": " + batch_.error().message);
  const auto& records = (*batch_)->records;
  const auto place = index - segment_->summary.first_index;
  if (place >= records.size()) return fail(Code::corrupt, "record " + name + " is not in its segment");
  return &records[place];
}

}  // namespace yushi::storage
