#include "parsers/required_literals.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <unordered_map>

namespace yushi {
namespace {

constexpr size_t kWordBytes = 3;
constexpr size_t kTextsMax = 24;       // of one pattern; more are not worth the pass
constexpr size_t kLiteralBytesMax = 24;  // of each; what is behind matching will see
constexpr int kBuckets = 10;           // bits of the hash that find the literals

using Kind = RegexNode::Kind;
using Texts = std::vector<std::string>;  // one of them must stand in the text

size_t shortest(const Texts& texts) {
  size_t out = kLiteralBytesMax;
  for (auto& text : texts) out = std::min(out, text.size());
  return out;
}

// Longer texts are rarer, and fewer are, too.
bool is_better(const Texts& one, const std::optional<Texts>& other) {
  if (!other) return true;
  const auto mine = shortest(one), theirs = shortest(*other);
  return mine != theirs ? mine > theirs : one.size() < other->size();
}

void flatten(const RegexNode& node, std::vector<const RegexNode*>& out) {
  if (node.kind != Kind::sequence && node.kind != Kind::capture) return out.push_back(&node);
  for (auto& child : node.children) flatten(child, out);
}

std::optional<Texts> texts_of(const RegexNode& node) {
  switch (node.kind) {
    case Kind::literal:
      if (node.text.size() < kWordBytes) return std::nullopt;
      return Texts{node.text.substr(0, kLiteralBytesMax)};
    case Kind::alternation: {
      Texts out;
      for (auto& child : node.children) {
        auto some = texts_of(child);
        if (!some) return std::nullopt;
        out.insert(out.end(), some->begin(), some->end());
        if (out.size() > kTextsMax) return std::nullopt;
      }
      return out;
    }
    case Kind::repeat: return node.min > 0 ? texts_of(node.children[0]) : std::nullopt;
    case Kind::sequence:
    case Kind::capture: {
      std::vector<const RegexNode*> parts;
      flatten(node, parts);
      std::optional<Texts> best;
      std::string run;  // literals side by side are one text
      const auto end_run = [&] {
        if (run.size() >= kWordBytes)
          if (Texts one{run.substr(0, kLiteralBytesMax)}; is_better(one, best)) best = std::move(one);
        run.clear();
      };
      for (auto* part : parts) {
        if (part->kind == Kind::literal) {
          run += part->text;
          continue;
        }
        end_run();
        if (auto some = texts_of(*part); some && is_better(*some, best)) best = std::move(some);
      }
      end_run();
      return best;
    }
    default: return std::nullopt;
  }
}

// Adds the bytes with which a text of this node can begin; true when it can be empty.
bool add_first(const RegexNode& node, ByteSet& out) {
  switch (node.kind) {
    case Kind::literal: out.set(static_cast<unsigned char>(node.text[0])); return false;
    case Kind::set: out |= node.set; return false;
    case Kind::sequence:
      return std::all_of(node.children.begin(), node.children.end(), [&](auto& child) { return add_first(child, out); });
    case Kind::alternation: {
      bool empty = false;
      for (auto& child : node.children) empty |= add_first(child, out);
      return empty;
    }
    case Kind::repeat: return add_first(node.children[0], out) || node.min == 0;
    case Kind::capture: return add_first(node.children[0], out);
    case Kind::boundary: return true;
  }
  return true;
}

uint32_t word_at(const char* at) {
  uint32_t out = 0;
  std::memcpy(&out, at, kWordBytes);
  return out;
}

}  // namespace

RequiredLiterals::RequiredLiterals(const std::vector<std::span<const RegexNode>>& trees) {
  const auto items = trees.size();
  always_.assign((items + 63) / 64, 0);
  std::map<std::string, std::vector<uint16_t>> wanting;
  for (size_t item = 0; item < items; ++item) {
    Texts all;
    bool is_always = trees[item].empty();
    for (auto& tree : trees[item]) {
      auto texts = texts_of(tree);
      is_always |= !texts;
      if (texts) all.insert(all.end(), texts->begin(), texts->end());
    }
    if (is_always) {
      always_[item / 64] |= uint64_t{1} << item % 64;
      continue;
    }
    for (auto& text : all) {
      auto& who = wanting[text];
      if (who.empty() || who.back() != item) who.push_back(static_cast<uint16_t>(item));
    }
  }
  note_beginnings(trees);
  if (wanting.empty()) return;

  std::unordered_map<uint32_t, size_t> uses;
  for (auto& [text, who] : wanting)
    for (size_t i = 0; i + kWordBytes <= text.size(); ++i) ++uses[word_at(text.data() + i)];
  wanted_.assign((size_t{1} << kBits) / 64, 0);
  for (auto& [text, who] : wanting) {
    size_t best = 0;
    for (size_t i = 1; i + kWordBytes <= text.size(); ++i)
      if (uses[word_at(text.data() + i)] <= uses[word_at(text.data() + best)]) best = i;
    const auto word = word_at(text.data() + best);
    literals_.push_back({word, static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(text.size()), static_cast<uint32_t>(best),
                         static_cast<uint32_t>(items_.size()), static_cast<uint32_t>(who.size())});
    texts_ += text;
    items_.insert(items_.end(), who.begin(), who.end());
    wanted_[hash(word) / 64] |= uint64_t{1} << hash(word) % 64;
  }
  std::stable_sort(literals_.begin(), literals_.end(), [](auto& a, auto& b) { return hash(a.word) < hash(b.word); });
  first_.assign((size_t{1} << kBuckets) + 1, static_cast<uint16_t>(literals_.size()));
  for (size_t i = literals_.size(); i-- > 0;) first_[hash(literals_[i].word) >> (kBits - kBuckets)] = static_cast<uint16_t>(i);
  for (size_t i = first_.size() - 1; i-- > 0;) first_[i] = std::min(first_[i], first_[i + 1]);
}

void RequiredLiterals::note_beginnings(const std::vector<std::span<const RegexNode>>& trees) {
  std::vector<std::vector<uint64_t>> rows(257, std::vector<uint64_t>(always_.size(), 0));
  for (size_t item = 0; item < trees.size(); ++item) {
    ByteSet first;
    bool empty = trees[item].empty();
    if (empty) first.set();
    for (auto& tree : trees[item]) empty |= add_first(tree, first);
    for (size_t byte = 0; byte <= 256; ++byte)
      if (byte == 256 ? empty : first.test(byte)) rows[byte][item / 64] |= uint64_t{1} << item % 64;
  }
  std::map<std::vector<uint64_t>, uint16_t> known;
  for (size_t byte = 0; byte <= 256; ++byte) {
    auto [at, is_new] = known.try_emplace(rows[byte], static_cast<uint16_t>(known.size()));
    rows_[byte] = at->second;
    if (is_new) begins_.insert(begins_.end(), rows[byte].begin(), rows[byte].end());
  }
}

void RequiredLiterals::search(std::string_view text, Found& found) const {
  found.bits_.assign(always_.begin(), always_.end());
  add_found(text, found);
  const auto* can_begin = begins_.data() + rows_[text.empty() ? 256 : static_cast<unsigned char>(text[0])] * always_.size();
  for (size_t i = 0; i < found.bits_.size(); ++i) found.bits_[i] &= can_begin[i];
}

void RequiredLiterals::add_found(std::string_view text, Found& found) const {
  if (wanted_.empty() || text.size() < kWordBytes) return;
  const char* const begin = text.data();
  const char* const end = begin + text.size() - kWordBytes;
  uint32_t word = word_at(begin) << 8;
  for (const char* at = begin; at <= end; ++at) {
    word = word >> 8 | static_cast<uint32_t>(static_cast<unsigned char>(at[kWordBytes - 1])) << 16;
    const auto by = hash(word);
    if ((wanted_[by / 64] >> by % 64 & 1) == 0) [[likely]] continue;
    const auto bucket = by >> (kBits - kBuckets);
    for (uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
      auto& literal = literals_[i];
      if (literal.word != word || static_cast<size_t>(at - begin) < literal.before) continue;
      const char* const from = at - literal.before;
      if (static_cast<size_t>(text.data() + text.size() - from) < literal.length) continue;
      if (std::memcmp(from, texts_.data() + literal.text, literal.length) != 0) continue;
      for (uint32_t k = 0; k < literal.count; ++k) {
        const auto item = items_[literal.items + k];
        found.bits_[item / 64] |= uint64_t{1} << item % 64;
      }
    }
  }
}

size_t RequiredLiterals::bytes() const {
  return wanted_.size() * sizeof wanted_[0] + literals_.size() * sizeof literals_[0] + first_.size() * sizeof first_[0] + texts_.size() +
         items_.size() * sizeof items_[0] + (always_.size() + begins_.size()) * sizeof always_[0];
}

}  // namespace yushi
