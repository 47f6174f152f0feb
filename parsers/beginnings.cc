#include "parsers/beginnings.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

namespace yushi {
namespace {

constexpr size_t kCandidatesWanted = 2;  // so few are asked in turn
constexpr int kDepth = 64;             // bytes of a text that are looked at
constexpr size_t kStatesMax = 4000;    // of the automaton
constexpr size_t kStepsMax = 1 << 19;  // of making it: some ms
constexpr size_t kNodesMax = 60'000;   // of the trees' own states

using Kind = RegexNode::Kind;

// The least number of bytes that a node takes; beyond kDepth it does not matter how many.
int least_bytes(const RegexNode& node) {
  int64_t out = 0;
  switch (node.kind) {
    case Kind::literal: out = static_cast<int64_t>(node.text.size()); break;
    case Kind::set: out = 1; break;
    case Kind::sequence:
      for (auto& child : node.children) out += least_bytes(child);
      break;
    case Kind::alternation:
      out = kDepth;
      for (auto& child : node.children) out = std::min<int64_t>(out, least_bytes(child));
      break;
    case Kind::repeat: out = int64_t{node.min} * least_bytes(node.children[0]); break;
    case Kind::capture: out = least_bytes(node.children[0]); break;
    case Kind::boundary: break;
  }
  return static_cast<int>(std::min<int64_t>(out, kDepth));
}

}  // namespace

class BeginningsBuilder {
 public:
  BeginningsBuilder(Beginnings& out, const std::vector<std::span<const RegexNode>>& trees) : out_(out) {
    for (size_t item = 0; item < trees.size(); ++item) {
      item_ = static_cast<uint16_t>(item);
      const auto open = add({.op = Op::open});
      const auto done = add({.op = Op::done});
      open_.push_back(open);
      if (trees[item].empty() || nodes_.size() > kNodesMax) starts_.push_back(open);
      for (auto& tree : trees[item]) starts_.push_back(node(tree, done, 0));
    }
    divide_bytes();
    walk();
    cut();
    write();
  }

 private:
  enum class Op : uint8_t {
    open,   // the item stays a candidate whatever comes
    never,  // nothing comes that far
    done,   // the end of the item's tree: only the end of the text may come
    bytes,  // one of a set, then `next`
    rest,   // bytes of a character behind its first, as many as there are, and `next`
    either  // `next` or `other`, without a byte
  };
  struct Node {
    Op op;
    uint16_t item = 0;
    uint16_t set = 0;
    uint32_t next = 0, other = 0;
  };

  uint32_t add(Node node) {
    node.item = item_;
    nodes_.push_back(node);
    return static_cast<uint32_t>(nodes_.size() - 1);
  }

  uint16_t set_of(const ByteSet& set) {
    auto [at, is_new] = set_numbers_.try_emplace(set, static_cast<uint16_t>(sets_.size()));
    if (is_new) sets_.push_back(set);
    return at->second;
  }

  // The node's states before `next`, given the least number of bytes before it. Beyond kDepth and kNodesMax nothing is told apart.
  uint32_t node(const RegexNode& what, uint32_t next, int before) {
    if (before >= kDepth || nodes_.size() > kNodesMax) return open_.back();
    switch (what.kind) {
      case Kind::literal: {
        for (size_t i = what.text.size(); i-- > 0;) {
          ByteSet one;
          one.set(static_cast<unsigned char>(what.text[i]));
          next = add({.op = Op::bytes, .set = set_of(one), .next = next});
        }
        return next;
      }
      case Kind::set: return one_of(what.set, next);
      case Kind::sequence: {
        std::vector<int> starts;
        for (auto& child : what.children) {
          starts.push_back(before);
          before = std::min(before + least_bytes(child), kDepth);
        }
        for (size_t i = what.children.size(); i-- > 0;) next = node(what.children[i], next, starts[i]);
        return next;
      }
      case Kind::alternation: {
        if (what.children.empty()) return add({.op = Op::never});
        uint32_t rest = node(what.children.back(), next, before);
        for (size_t i = what.children.size() - 1; i-- > 0;)
          rest = add({.op = Op::either, .next = node(what.children[i], next, before), .other = rest});
        return rest;
      }
      case Kind::capture: return node(what.children[0], next, before);
      case Kind::repeat: return repeat(what, next, before);
      case Kind::boundary: return next;  // towards more candidates
    }
    return open_.back();
  }

  uint32_t one_of(const ByteSet& set, uint32_t next) {
    if (!set.test(0x80)) return add({.op = Op::bytes, .set = set_of(set), .next = next});
    ByteSet plain = set;
    for (size_t c = 0x80; c < 256; ++c) plain.reset(c);
    const auto rest = add({.op = Op::rest, .set = set_of(continuation()), .next = next});
    const auto wide = add({.op = Op::bytes, .set = set_of(set & ~plain), .next = rest});
    return plain.none() ? wide : add({.op = Op::either, .next = add({.op = Op::bytes, .set = set_of(plain), .next = next}), .other = wide});
  }

  uint32_t repeat(const RegexNode& what, uint32_t next, int before) {
    auto& body = what.children[0];
    // A run of any bytes tells nothing of what comes after it, and would have the automaton look for it everywhere.
    if (what.max == RegexNode::kUnbounded && body.kind == Kind::set && body.set.all()) return open_.back();
    const int each = least_bytes(body);
    const int must = std::min(what.min, kDepth);
    uint32_t out;
    if (what.max == RegexNode::kUnbounded) {
      const auto loop = add({.op = Op::either, .other = next});
      const auto inner = node(body, loop, std::min(before + must * each, kDepth));
      nodes_[loop].next = inner;
      out = loop;
    } else {
      out = next;
      const int more = std::min(what.max - what.min, kDepth);
      // Cut: after kDepth more of them anything may come.
      if (what.max - what.min > kDepth) out = open_.back();
      for (int i = more; i-- > 0;) out = add({.op = Op::either, .next = node(body, out, std::min(before + (must + i) * each, kDepth)), .other = next});
    }
    if (what.min > kDepth) out = open_.back();
    for (int i = must; i-- > 0;) out = node(body, out, std::min(before + i * each, kDepth));
    return out;
  }

  static ByteSet continuation() {
    ByteSet out;
    for (size_t c = 0x80; c < 0xc0; ++c) out.set(c);
    return out;
  }

  // Classes of bytes that are in the same sets.
  void divide_bytes() {
    std::array<uint16_t, 256> classes{};
    size_t count = 1;
    for (auto& set : sets_) {
      std::map<std::pair<uint16_t, bool>, uint16_t> parts;
      std::array<uint16_t, 256> divided{};
      for (size_t c = 0; c < 256; ++c)
        divided[c] = parts.try_emplace({classes[c], set.test(c)}, static_cast<uint16_t>(parts.size())).first->second;
      classes = divided;
      count = parts.size();
      if (count == 256) break;
    }
    class_count_ = count;
    for (size_t c = 0; c < 256; ++c) out_.classes_[c] = static_cast<uint8_t>(classes[c]);
    for (auto& set : sets_) {
      auto& of_set = set_classes_.emplace_back();
      for (size_t c = 0; c < 256; ++c)
        if (set.test(c)) of_set.push_back(out_.classes_[c]);
      std::sort(of_set.begin(), of_set.end());
      of_set.erase(std::unique(of_set.begin(), of_set.end()), of_set.end());
    }
  }

  using Members = std::vector<uint32_t>;  // nodes that take a byte, open ones and done ones; ascending

  void close(uint32_t node, Members& out) {
    std::vector<uint32_t> todo{node};
    while (!todo.empty()) {
      const auto at = todo.back();
      todo.pop_back();
      if (seen_[at] == mark_) continue;
      seen_[at] = mark_;
      ++steps_;
      auto& what = nodes_[at];
      if (what.op == Op::never) continue;
      if (what.op == Op::either) {
        todo.push_back(what.other);
        todo.push_back(what.next);
        continue;
      }
      out.push_back(at);
      if (what.op == Op::rest) todo.push_back(what.next);
    }
  }

  // An item that is open needs no other state to be a candidate.
  void settle(Members& members) {
    std::sort(members.begin(), members.end());
    std::vector<uint16_t> open;
    for (auto at : members)
      if (nodes_[at].op == Op::open) open.push_back(nodes_[at].item);
    if (open.empty()) return;
    std::sort(open.begin(), open.end());
    std::erase_if(members, [&](uint32_t at) {
      return nodes_[at].op != Op::open && std::binary_search(open.begin(), open.end(), nodes_[at].item);
    });
  }

  struct HashMembers {
    size_t operator()(const Members& members) const {
      uint64_t out = members.size();
      for (auto at : members) out = (out ^ at) * 0x9e3779b97f4a7c15u ^ out >> 29;
      return out;
    }
  };

  uint16_t state_of(Members members, int depth) {
    settle(members);
    auto [at, is_new] = numbers_.try_emplace(std::move(members), static_cast<uint16_t>(made_.size()));
    if (is_new) {
      made_.push_back({&at->first, depth});
      auto& items = items_.emplace_back();
      auto& ending = ending_.emplace_back();
      for (auto node : at->first) {
        items.push_back(nodes_[node].item);
        if (nodes_[node].op == Op::open || nodes_[node].op == Op::done) ending.push_back(nodes_[node].item);
      }
      keep_once(items);
      keep_once(ending);
    }
    return at->second;
  }

  static void keep_once(std::vector<uint16_t>& items) {
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
  }

  // Breadth first, so that a bound cuts the far ends of all and not one pattern's way.
  void walk() {
    seen_.assign(nodes_.size(), 0);
    ++mark_;
    Members first;
    for (auto start : starts_) close(start, first);
    state_of(std::move(first), 0);
    for (size_t now = 0; now < made_.size(); ++now) {
      rows_.emplace_back();
      nothing_.push_back(0);
      const auto [members, depth] = made_[now];
      if (items_[now].size() <= kCandidatesWanted || depth >= kDepth || made_.size() + class_count_ > kStatesMax || steps_ > kStepsMax) continue;
      std::vector<std::pair<uint8_t, uint32_t>> moves;
      Members open;
      for (auto at : *members) {
        auto& what = nodes_[at];
        if (what.op == Op::open) open.push_back(at);
        if (what.op != Op::bytes && what.op != Op::rest) continue;
        for (auto to : set_classes_[what.set]) moves.emplace_back(to, what.op == Op::rest ? at : what.next);
      }
      if (moves.empty()) continue;
      std::sort(moves.begin(), moves.end());
      nothing_[now] = state_of(open, depth + 1);
      std::vector<uint16_t> row(class_count_, nothing_[now]);
      for (size_t i = 0; i < moves.size();) {
        const auto to = moves[i].first;
        Members target = open;
        ++mark_;
        for (; i < moves.size() && moves[i].first == to; ++i) close(moves[i].second, target);
        row[to] = state_of(std::move(target), depth + 1);
      }
      rows_[now] = std::move(row);
    }
  }

  // A state from which no way leads to fewer candidates, but to none that needs a byte, is an end.
  void cut() {
    std::vector<size_t> least;
    for (auto& items : items_) least.push_back(items.size());
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t now = rows_.size(); now-- > 0;)
        for (auto to : rows_[now])
          if (to != nothing_[now] && least[to] < least[now]) {
            least[now] = least[to];
            changed = true;
          }
    }
    for (size_t now = 0; now < rows_.size(); ++now)
      if (least[now] == items_[now].size()) rows_[now].clear();
  }

  // The one state that all bytes lead to that lead anywhere, when it has the same candidates and is no end; else nothing.
  std::optional<uint16_t> only_way(uint16_t now) const {
    std::optional<uint16_t> only;
    for (auto to : rows_[now]) {
      if (to == nothing_[now]) continue;
      if (to == now || (only && *only != to) || items_[to].size() != items_[now].size() || rows_[to].empty()) return std::nullopt;
      only = to;
    }
    return only;
  }

  void write() {
    std::vector<uint16_t> todo{0};
    std::unordered_map<uint16_t, uint16_t> numbers{{0, 0}};
    std::map<std::vector<uint16_t>, uint32_t> lists, rows;
    for (size_t i = 0; i < todo.size(); ++i) {
      auto now = todo[i];
      auto& state = out_.states_.emplace_back();
      state.items = place(lists, items_[now], out_.items_);
      state.count = static_cast<uint16_t>(items_[now].size());
      if (rows_[now].empty()) continue;
      auto ending = ending_[now];
      for (auto only = only_way(now); only && state.skip < kDepth; only = only_way(now)) {
        now = *only;
        ++state.skip;
        ending.insert(ending.end(), ending_[now].begin(), ending_[now].end());
      }
      keep_once(ending);
      state.ending_items = place(lists, ending, out_.items_);
      state.ending = static_cast<uint16_t>(ending.size());
      std::vector<uint16_t> row;
      for (auto to : rows_[now]) {
        auto [at, is_new] = numbers.try_emplace(to, static_cast<uint16_t>(todo.size()));
        if (is_new) todo.push_back(to);
        row.push_back(at->second);
      }
      state.row = place(rows, row, out_.next_);
    }
    out_.states_.shrink_to_fit();
    out_.next_.shrink_to_fit();
    out_.items_.shrink_to_fit();
  }

  // Where `list` stands in `all`; each is there once.
  static uint32_t place(std::map<std::vector<uint16_t>, uint32_t>& known, const std::vector<uint16_t>& list, std::vector<uint16_t>& all) {
    auto [at, is_new] = known.try_emplace(list, static_cast<uint32_t>(all.size()));
    if (is_new) all.insert(all.end(), list.begin(), list.end());
    return at->second;
  }

  Beginnings& out_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> open_;    // by item
  std::vector<uint32_t> starts_;
  uint16_t item_ = 0;
  std::vector<ByteSet> sets_;
  std::unordered_map<ByteSet, uint16_t> set_numbers_;
  std::vector<std::vector<uint8_t>> set_classes_;
  size_t class_count_ = 1;
  std::unordered_map<Members, uint16_t, HashMembers> numbers_;
  struct Made {
    const Members* members;
    int depth;
  };
  std::vector<Made> made_;
  // By state.
  std::vector<std::vector<uint16_t>> items_, ending_, rows_;  // a row is empty where the walk ends
  std::vector<uint16_t> nothing_;                    // where a byte leads that no item takes
  std::vector<uint32_t> seen_;
  uint32_t mark_ = 0;
  size_t steps_ = 0;
};

RegexNode Beginnings::no_text() {
  RegexNode out;
  out.kind = Kind::alternation;  // of nothing
  return out;
}

Beginnings::Beginnings(const std::vector<std::span<const RegexNode>>& trees) { BeginningsBuilder(*this, trees); }

}  // namespace yushi
