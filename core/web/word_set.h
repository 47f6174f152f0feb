// A fixed set of words, grouped by their first byte when it is compiled: asking for one costs a few comparisons.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace yushi {

template <size_t N>
class WordSet {
 public:
  constexpr WordSet(const std::string_view (&words)[N]) {
    for (auto word : words) ++begin_[first(word) + 1];
    for (size_t i = 1; i < begin_.size(); ++i) begin_[i] = static_cast<uint16_t>(begin_[i] + begin_[i - 1]);
    auto next = begin_;
    for (auto word : words) words_[next[first(word)]++] = word;
  }

  constexpr bool has(std::string_view text) const {
    if (text.empty()) return false;
    for (size_t i = begin_[first(text)]; i < begin_[first(text) + 1]; ++i)
      if (words_[i] == text) return true;
    return false;
  }

  // Whether the text begins with one.
  constexpr bool begins(std::string_view text) const {
    if (text.empty()) return false;
    for (size_t i = begin_[first(text)]; i < begin_[first(text) + 1]; ++i)
      if (text.starts_with(words_[i])) return true;
    return false;
  }

 private:
  static constexpr size_t first(std::string_view word) { return static_cast<unsigned char>(word[0]); }

  std::array<std::string_view, N> words_{};
  std::array<uint16_t, 257> begin_{};
};

}  // namespace yushi
