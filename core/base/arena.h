// A bump allocator: bytes that live exactly as long as the Batch that owns them.
//
// Memory   Blocks that double from 1 KiB to 256 KiB, so that a batch of one message stays small; all freed together,
//          nothing singly, and no destructor runs.
// Threads  One owner at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace yushi {

// Bytes that may be read behind the last one of a record's raw: the scanner of JSON looks so far beyond the text. Who
// makes room for raws makes room for these, too.
constexpr size_t kRawPaddingBytes = 64;

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // Uninitialised bytes, aligned to `align` (a power of two, at most 16).
  char* allocate(size_t bytes, size_t align = 8) {
    auto at = (used_ + align - 1) & ~(align - 1);
    if (blocks_.empty() || at + bytes > capacity_) {
      grow(bytes);
      at = 0;
    }
    used_ = at + bytes;
    return blocks_.back().get() + at;
  }

  // A copy of `text` that lives as long as the arena.
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = allocate(text.size(), 1);
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  // The same with the padding of a raw behind it, zeroed.
  std::string_view copy_padded(std::string_view text) {
    char* to = allocate(text.size() + kRawPaddingBytes, 1);
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    std::memset(to + text.size(), 0, kRawPaddingBytes);
    return {to, text.size()};
  }

  template <class T>
  std::span<T> copy(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (items.empty()) return {};
    auto* to = reinterpret_cast<T*>(allocate(items.size_bytes(), alignof(T)));
    std::memcpy(static_cast<void*>(to), items.data(), items.size_bytes());
    return {to, items.size()};
  }

  template <class T>
  T* make(const T& value) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T(value);
  }

  size_t bytes() const { return total_; }

  // All that was allocated is gone. The last block stays for what comes, when it is of `keep_max` bytes at most.
  void clear(size_t keep_max) {
    if (!blocks_.empty()) blocks_.erase(blocks_.begin(), blocks_.end() - (capacity_ <= keep_max ? 1 : 0));
    if (blocks_.empty()) {
      next_block_bytes_ = 512;
      capacity_ = 0;
    }
    used_ = 0;
    total_ = capacity_;
  }

 private:
  void grow(size_t at_least) {
    next_block_bytes_ = next_block_bytes_ < kBlockBytesMax ? next_block_bytes_ * 2 : kBlockBytesMax;
    capacity_ = at_least > next_block_bytes_ ? at_least : next_block_bytes_;
    blocks_.push_back(std::unique_ptr<char[]>(new char[capacity_]));
    total_ += capacity_;
  }

  static constexpr size_t kBlockBytesMax = 256 << 10;
  size_t next_block_bytes_ = 512;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t capacity_ = 0;
  size_t used_ = 0;
  size_t total_ = 0;
};

}  // namespace yushi
