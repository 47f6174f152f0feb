#include "query/scan/waiting_hits.h"

#include <lz4.h>

#include <algorithm>

#include "core/base/assert.h"

namespace yushi::query {
namespace {

std::tuple<int64_t, std::string_view, uint64_t> view(const RecordKey& key) {
  return {key.event_ns, key.log, key.index};
}

template <class View>
RecordKey copy(const View& key) {
  return {std::get<0>(key), std::string(std::get<1>(key)), std::get<2>(key)};
}

}  // namespace

WaitingHits::Run WaitingHits::pack(const std::vector<ScanHit>& hits) {
  Run run;
  run.log_ = hits.front().key.log;
  run.keys_.reserve(hits.size());
  for (const ScanHit& hit : hits) {
    run.texts_ += hit.rendered;
    YUSHI_ASSERT(run.texts_.size() <= LZ4_MAX_INPUT_SIZE, "a run of %zu bytes", run.texts_.size());
    run.keys_.push_back({hit.key.event_ns, hit.key.index, static_cast<uint32_t>(run.texts_.size())});
  }
  run.pack();
  return run;
}

void WaitingHits::Run::pack() {
  const int size = static_cast<int>(texts_.size());
  thread_local std::string packed;
  packed.resize(static_cast<size_t>(LZ4_compressBound(size)));
  const int packed_size = LZ4_compress_default(texts_.data(), packed.data(), size, static_cast<int>(packed.size()));
  texts_bytes_ = texts_.size();
  is_packed_ = packed_size > 0 && packed_size < size;
  if (is_packed_)
    texts_ = std::string(packed, 0, static_cast<size_t>(packed_size));
  else
    texts_.shrink_to_fit();
}

void WaitingHits::Run::unpack() {
  std::string plain(texts_bytes_, '\0');
  const int size = static_cast<int>(texts_bytes_);
  const int unpacked = LZ4_decompress_safe(texts_.data(), plain.data(), static_cast<int>(texts_.size()), size);
  YUSHI_ASSERT(unpacked == size, "LZ4 unpacks %d bytes of %d", unpacked, size);
  texts_ = std::move(plain);
  is_packed_ = false;
}

void WaitingHits::Run::cut(size_t end) {
  const bool was_packed = is_packed_;
  if (was_packed) unpack();
  keys_.resize(end);
  keys_.shrink_to_fit();
  texts_.resize(keys_.back().end);
  if (was_packed)
    pack();
  else
    texts_.shrink_to_fit();
}

size_t WaitingHits::Run::bytes() const {
  return sizeof(Run) + log_.size() + keys_.capacity() * sizeof(Key) + texts_.size();
}

void WaitingHits::add(Run&& run) {
  size_ += run.keys_.size();
  bytes_ += run.bytes();
  runs_.push_back(std::move(run));
  std::push_heap(runs_.begin(), runs_.end(), later());
}

RecordKey WaitingHits::front() const { return copy(runs_.front().key(runs_.front().next_)); }

ScanHit WaitingHits::take() {
  std::pop_heap(runs_.begin(), runs_.end(), later());
  Run& run = runs_.back();
  bytes_ -= run.bytes();
  if (run.is_packed_) run.unpack();
  const size_t begin = run.next_ == 0 ? 0 : run.keys_[run.next_ - 1].end;
  ScanHit hit{copy(run.key(run.next_)), run.texts_.substr(begin, run.keys_[run.next_].end - begin)};
  --size_;
  if (++run.next_ == run.keys_.size()) {
    runs_.pop_back();
  } else {
    bytes_ += run.bytes();
    std::push_heap(runs_.begin(), runs_.end(), later());
  }
  return hit;
}

size_t WaitingHits::place_of(const Run& run, const RecordKey& key) const {
  const KeyView wanted = view(key);
  size_t from = run.next_, to = run.keys_.size();
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    if (comes_before(run.key(middle), wanted))
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

size_t WaitingHits::count_before(const RecordKey& key) const {
  size_t count = 0;
  for (const Run& run : runs_) count += place_of(run, key) - run.next_;
  return count;
}

RecordKey WaitingHits::key_at(size_t number) const {
  std::vector<std::pair<const Run*, size_t>> all;
  all.reserve(size_);
  for (const Run& run : runs_)
    for (size_t place = run.next_; place < run.keys_.size(); ++place) all.emplace_back(&run, place);
  const auto at = all.begin() + static_cast<ptrdiff_t>(number);
  std::nth_element(all.begin(), at, all.end(),
                   [this](auto& a, auto& b) { return comes_before(a.first->key(a.second), b.first->key(b.second)); });
  return copy(at->first->key(at->second));
}

void WaitingHits::drop_from(const RecordKey& key) {
  std::erase_if(runs_, [&](Run& run) {
    const size_t end = place_of(run, key);
    if (end > run.next_ && end < run.keys_.size()) run.cut(end);
    return end == run.next_;
  });
  std::make_heap(runs_.begin(), runs_.end(), later());
  size_ = bytes_ = 0;
  for (const Run& run : runs_) {
    size_ += run.keys_.size() - run.next_;
    bytes_ += run.bytes();
  }
}

}  // namespace yushi::query
