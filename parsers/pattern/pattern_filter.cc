#include "parsers/pattern/pattern_filter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace yushi::parsers {
namespace {

constexpr size_t kWordBytes = 3;
constexpr size_t kTextsMax = 24;         // of one pattern; more are not worth the pass
constexpr size_t kLiteralBytesMax = 24;  // of each; what is behind matching will see
constexpr size_t kBitsOfLiteral = 16;    // of the bitmap: so few of the words that nobody wants pass it

constexpr size_t kBytesOfRefusal = 32;  // a pass over so many bytes costs as much as a pattern that refuses

// Those that the fewest messages have first. Of the others most messages have one.
constexpr std::string_view kRareBytes = "|^~#@$&*!?;<>{}%+\\`'=\"()[]/";

using Kind = RegexNode::Kind;
using Texts = std::vector<std::string>;  // one of them must stand in the text

// Which bytes can stand at each of the first places of the texts that a tree matches. A set of places is a number's
// bits.
template <size_t kPlaces>
class PlacesOf {
 public:
  std::array<ByteSet, kPlaces> bytes;
  uint64_t ends = 0;  // the places where a text can end

  void add(const RegexNode& tree) { ends |= behind(tree, 1); }

 private:
  // Notes the node's bytes where it can begin at the places `at`; the places behind it.
  uint64_t behind(const RegexNode& node, uint64_t at) {
    if (at == 0) return 0;
    switch (node.kind) {
      case Kind::literal:
        for (char c : node.text) {
          note_byte(static_cast<unsigned char>(c), at);
          at <<= 1;
        }
        return at;
      case Kind::set:
        return behind_set(node.set, at);
      case Kind::sequence:
        for (auto& child : node.children) at = behind(child, at);
        return at;
      case Kind::alternation: {
        uint64_t out = 0;
        for (auto& child : node.children) out |= behind(child, at);
        return out;
      }
      case Kind::capture:
        return behind(node.children[0], at);
      case Kind::repeat: {
        for (int i = 0; i < node.min && at != 0; ++i) {
          const auto next = behind(node.children[0], at);
          if (next == at) break;
          at = next;
        }
        auto all = at;
        for (int i = node.min; at != 0 && (node.max == RegexNode::kUnbounded || i < node.max); ++i) {
          at = behind(node.children[0], at) & ~all;  // from the places that are new
          all |= at;
        }
        return all;
      }
      case Kind::boundary:
        return at;
    }
    return at;
  }

  uint64_t behind_set(const ByteSet& set, uint64_t at) {
    note(set, at);
    if (!set.test(0x80)) return at << 1;
    // A whole character of up to four bytes.
    static const ByteSet rest = [] {
      ByteSet out;
      for (size_t c = 0x80; c < 0xc0; ++c) out.set(c);
      return out;
    }();
    note(rest, at << 1 | at << 2 | at << 3);
    return at << 1 | at << 2 | at << 3 | at << 4;
  }

  void note(const ByteSet& set, uint64_t at) {
    for (at &= (uint64_t{1} << kPlaces) - 1; at != 0; at &= at - 1)
      bytes[static_cast<size_t>(std::countr_zero(at))] |= set;
  }
  void note_byte(unsigned char byte, uint64_t at) {
    for (at &= (uint64_t{1} << kPlaces) - 1; at != 0; at &= at - 1)
      bytes[static_cast<size_t>(std::countr_zero(at))].set(byte);
  }
};

size_t shortest(const Texts& texts) {
  size_t out = kLiteralBytesMax;
  for (auto& text : texts) out = std::min(out, text.size());
  return out;
}

// Longer texts are rarer, and fewer are, too.
bool is_rarer(const Texts& one, const Texts& other) {
  const auto mine = shortest(one), theirs = shortest(other);
  return mine != theirs ? mine > theirs : one.size() < other.size();
}

void flatten(const RegexNode& node, std::vector<const RegexNode*>& out) {
  if (node.kind != Kind::sequence && node.kind != Kind::capture) return out.push_back(&node);
  for (auto& child : node.children) flatten(child, out);
}

// All that must stand in a text of this node, each by itself enough.
std::vector<Texts> texts_of(const RegexNode& node) {
  std::vector<Texts> out;
  std::string run;  // literals side by side are one text
  const auto end_run = [&] {
    if (run.size() >= kWordBytes) out.push_back({run.substr(0, kLiteralBytesMax)});
    run.clear();
  };
  std::vector<const RegexNode*> parts;
  flatten(node, parts);
  for (auto* part : parts) {
    if (part->kind == Kind::literal) {
      run += part->text;
      continue;
    }
    end_run();
    if (part->kind == Kind::repeat && part->min > 0) {
      auto inner = texts_of(part->children[0]);
      out.insert(out.end(), inner.begin(), inner.end());
    } else if (part->kind == Kind::alternation) {
      Texts of_each;
      bool is_for_all = !part->children.empty();
      for (auto& child : part->children) {
        const auto some = texts_of(child);
        const auto best = std::min_element(some.begin(), some.end(), is_rarer);
        is_for_all &= best != some.end() && of_each.size() <= kTextsMax;
        if (!is_for_all) break;
        of_each.insert(of_each.end(), best->begin(), best->end());
      }
      if (is_for_all && of_each.size() <= kTextsMax) out.push_back(std::move(of_each));
    }
  }
  end_run();
  return out;
}

// The bytes that all stand in any text of this node.
ByteSet bytes_of(const RegexNode& node) {
  ByteSet out;
  switch (node.kind) {
    case Kind::literal:
      for (char c : node.text) out.set(static_cast<unsigned char>(c));
      break;
    case Kind::set:
      if (node.set.count() == 1) out = node.set;
      break;
    case Kind::sequence:
    case Kind::capture:
      for (auto& child : node.children) out |= bytes_of(child);
      break;
    case Kind::alternation:
      out.set();
      for (auto& child : node.children) out &= bytes_of(child);
      break;
    case Kind::repeat:
      if (node.min > 0) out = bytes_of(node.children[0]);
      break;
    case Kind::boundary:
      break;
  }
  return out;
}

uint32_t word_at(const char* at) {
  uint32_t out = 0;
  std::memcpy(&out, at, kWordBytes);
  return out;
}

size_t count_of(const std::vector<uint64_t>& row) {
  size_t count = 0;
  for (const auto word : row) count += static_cast<size_t>(std::popcount(word));
  return count;
}

void set_bit(uint64_t* row, size_t item) { row[item / 64] |= uint64_t{1} << item % 64; }

}  // namespace

RegexNode PatternFilter::no_text() {
  RegexNode node;
  node.kind = Kind::alternation;  // of nothing
  return node;
}

PatternFilter::PatternFilter(const std::vector<std::span<const RegexNode>>& trees) {
  words_ = (trees.size() + 63) / 64;
  all_.assign(words_, 0);
  const auto is_never = [](auto& tree) { return tree.kind == Kind::alternation && tree.children.empty(); };
  for (size_t item = 0; item < trees.size(); ++item)
    if (trees[item].empty() || !std::all_of(trees[item].begin(), trees[item].end(), is_never))
      set_bit(all_.data(), item);
  if (count_of(all_) <= kFew) return;
  note_places(trees);
  note_literals(trees);
  note_bytes(trees);
}

void PatternFilter::note_places(const std::vector<std::span<const RegexNode>>& trees) {
  std::vector<PlacesOf<kPlaces>> of(trees.size());
  std::unordered_set<ByteSet> sets;
  for (size_t item = 0; item < trees.size(); ++item) {
    for (auto& tree : trees[item]) of[item].add(tree);
    sets.insert(of[item].bytes.begin(), of[item].bytes.end());
  }
  // Bytes that stand in the same sets are one class.
  std::array<size_t, 256> classes{};
  size_t count = 1;
  for (auto& set : sets) {
    std::map<std::pair<size_t, bool>, size_t> parts;
    for (size_t byte = 0; byte < 256; ++byte)
      classes[byte] = parts.try_emplace({classes[byte], set.test(byte)}, parts.size()).first->second;
    count = parts.size();
  }
  for (size_t byte = 0; byte < 256; ++byte) class_[byte] = static_cast<uint8_t>(classes[byte]);
  classes_ = count + 1;
  std::vector<size_t> byte_of(count);
  for (size_t byte = 0; byte < 256; ++byte) byte_of[classes[byte]] = byte;

  row_of_.assign((kPlaces + 1) * classes_, 0);
  std::map<std::vector<uint64_t>, uint16_t> known;
  std::vector<uint64_t> row;
  for (size_t place = 0; place < kPlaces; ++place)
    for (size_t number = 0; number < classes_; ++number) {
      row.assign(words_, 0);
      for (size_t item = 0; item < trees.size(); ++item)
        if (trees[item].empty() ||
            (number == count ? (of[item].ends >> place & 1) != 0 : of[item].bytes[place].test(byte_of[number])))
          set_bit(row.data(), item);
      auto [at, is_new] = known.try_emplace(row, static_cast<uint16_t>(known.size()));
      row_of_[place * classes_ + number] = at->second;
      if (is_new) rows_.insert(rows_.end(), row.begin(), row.end());
      if (row != all_) places_ = place + 1;
    }
  row_of_.resize(places_ * classes_);
}

void PatternFilter::note_literals(const std::vector<std::span<const RegexNode>>& trees) {
  unlettered_.assign(words_, 0);
  // A text that many have tells little: of each tree's the rarest counts.
  std::vector<std::vector<std::vector<Texts>>> choices(trees.size());
  std::unordered_map<std::string, size_t> havers;
  for (size_t item = 0; item < trees.size(); ++item)
    for (auto& tree : trees[item]) {
      choices[item].push_back(texts_of(tree));
      for (auto& texts : choices[item].back())
        for (auto& text : texts) ++havers[text];
    }
  const auto havers_of = [&](const Texts& texts) {
    size_t out = 0;
    for (auto& text : texts) out += havers[text];
    return out;
  };
  std::map<std::string, std::vector<uint16_t>> wanting;
  for (size_t item = 0; item < trees.size(); ++item) {
    Texts all;
    bool has_none = trees[item].empty();
    for (auto& choice : choices[item]) {
      const auto best = std::min_element(choice.begin(), choice.end(), [&](auto& one, auto& other) {
        const auto mine = havers_of(one), theirs = havers_of(other);
        return mine != theirs ? mine < theirs : is_rarer(one, other);
      });
      has_none |= best == choice.end();
      if (best != choice.end()) all.insert(all.end(), best->begin(), best->end());
    }
    if (has_none) {
      set_bit(unlettered_.data(), item);
      continue;
    }
    for (auto& text : all) {
      auto& who = wanting[text];
      if (who.empty() || who.back() != item) who.push_back(static_cast<uint16_t>(item));
    }
  }
  if (wanting.empty()) return;

  std::unordered_map<uint32_t, size_t> uses;
  for (auto& [text, who] : wanting)
    for (size_t i = 0; i + kWordBytes <= text.size(); ++i) ++uses[word_at(text.data() + i)];
  const auto bits = std::bit_width(std::max<size_t>(64, wanting.size() * kBitsOfLiteral) - 1);
  const auto buckets = std::bit_width(wanting.size());
  wanted_shift_ = 32 - static_cast<int>(bits);
  first_shift_ = 32 - static_cast<int>(buckets);
  wanted_.assign((size_t{1} << bits) / 64, 0);
  for (auto& [text, who] : wanting) {
    size_t best = 0;
    for (size_t i = 1; i + kWordBytes <= text.size(); ++i)
      if (uses[word_at(text.data() + i)] <= uses[word_at(text.data() + best)]) best = i;
    const auto word = word_at(text.data() + best);
    literals_.push_back({word, static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(text.size()),
                         static_cast<uint32_t>(best), static_cast<uint32_t>(items_.size()),
                         static_cast<uint32_t>(who.size())});
    texts_ += text;
    items_.insert(items_.end(), who.begin(), who.end());
    set_bit(wanted_.data(), hash(word) >> wanted_shift_);
  }
  std::stable_sort(literals_.begin(), literals_.end(), [](auto& a, auto& b) { return hash(a.word) < hash(b.word); });
  first_.assign((size_t{1} << buckets) + 1, static_cast<uint16_t>(literals_.size()));
  for (size_t i = literals_.size(); i-- > 0;)
    first_[hash(literals_[i].word) >> first_shift_] = static_cast<uint16_t>(i);
  for (size_t i = first_.size() - 1; i-- > 0;) first_[i] = std::min(first_[i], first_[i + 1]);
}

void PatternFilter::note_bytes(const std::vector<std::span<const RegexNode>>& trees) {
  needed_.assign(trees.size(), 0);
  for (size_t item = 0; item < trees.size(); ++item) {
    ByteSet bytes;
    if (!trees[item].empty()) bytes.set();
    for (auto& tree : trees[item]) bytes &= bytes_of(tree);
    for (const char c : kRareBytes)
      if (bytes.test(static_cast<unsigned char>(c))) {
        needed_[item] = c;
        break;
      }
  }
}

void PatternFilter::search(std::string_view text, Found& found) const {
  found.bits_.assign(all_.begin(), all_.end());
  if (places_ == 0 && wanted_.empty()) return;
  const auto left = keep_by_places(text, found);
  if (!wanted_.empty() && left > kFew + text.size() / kBytesOfRefusal) keep_by_literals(text, found);
  if (left > 2) keep_by_byte(text, found);
}

void PatternFilter::keep_by_byte(std::string_view text, Found& found) const {
  found.any_of([&](uint16_t item) {
    if (needed_[item] != 0 && text.find(needed_[item]) == std::string_view::npos)
      found.bits_[item / 64] &= ~(uint64_t{1} << item % 64);
    return false;
  });
}

// How many are left; at least, when it ends before the last place.
size_t PatternFilter::keep_by_places(std::string_view text, Found& found) const {
  auto& bits = found.bits_;
  const auto row = [&](size_t place, size_t number) {
    return rows_.data() + row_of_[place * classes_ + number] * words_;
  };
  const auto class_at = [&](size_t place) { return class_[static_cast<unsigned char>(text[place])]; };
  const auto places = std::min(text.size(), places_);
  if (words_ == 1) {
    auto left = bits[0];
    for (size_t place = 0; place < places && (left & (left - 1)) != 0; ++place) left &= *row(place, class_at(place));
    if (text.size() < places_) left &= *row(text.size(), classes_ - 1);
    bits[0] = left;
    return static_cast<size_t>(std::popcount(left));
  }
  // The first bytes leave few words.
  auto& words = found.words_;
  words.resize(words_);
  for (uint32_t i = 0; i < words_; ++i) words[i] = i;
  size_t left = 0;
  const auto put_together = [&](const uint64_t* can) {
    for (const auto i : words) bits[i] &= can[i];
  };
  const auto count = [&] {
    left = 0;
    std::erase_if(words, [&](uint32_t i) {
      left += static_cast<size_t>(std::popcount(bits[i]));
      return bits[i] == 0;
    });
  };
  for (size_t place = 0; place < places; ++place) {
    put_together(row(place, class_at(place)));
    if (place != 1 && place % 8 != 7) continue;
    count();
    if (left <= kFew) return left;
  }
  if (text.size() < places_) put_together(row(text.size(), classes_ - 1));
  count();
  return left;
}

void PatternFilter::keep_by_literals(std::string_view text, Found& found) const {
  auto& there = found.literals_;
  there.assign(unlettered_.begin(), unlettered_.end());
  if (text.size() >= kWordBytes) {
    const char* const begin = text.data();
    const char* const end = begin + text.size() - kWordBytes;
    uint32_t word = word_at(begin) << 8;
    for (const char* at = begin; at <= end; ++at) {
      word = word >> 8 | static_cast<uint32_t>(static_cast<unsigned char>(at[kWordBytes - 1])) << 16;
      const auto hashed = hash(word), by = hashed >> wanted_shift_;
      if ((wanted_[by / 64] >> by % 64 & 1) == 0) [[likely]]
        continue;
      const auto bucket = hashed >> first_shift_;
      for (uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
        auto& literal = literals_[i];
        if (literal.word != word || static_cast<size_t>(at - begin) < literal.before) continue;
        const char* const from = at - literal.before;
        if (static_cast<size_t>(text.data() + text.size() - from) < literal.length) continue;
        if (std::memcmp(from, texts_.data() + literal.text, literal.length) != 0) continue;
        for (uint32_t k = 0; k < literal.count; ++k) set_bit(there.data(), items_[literal.items + k]);
      }
    }
  }
  for (size_t i = 0; i < words_; ++i) found.bits_[i] &= there[i];
}

size_t PatternFilter::bytes() const {
  return sizeof *this + (all_.size() + rows_.size() + wanted_.size() + unlettered_.size()) * sizeof(uint64_t) +
         (row_of_.size() + first_.size() + items_.size()) * sizeof(uint16_t) + literals_.size() * sizeof(Literal) +
         texts_.size() + needed_.size();
}

}  // namespace yushi::parsers
