#include "parsers/pattern/pattern_program.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/base/mutex.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace yushi::parsers {
namespace {

constexpr size_t kInstructionsMax = 4000;
constexpr uint8_t kNoStops = 3;  // stop_bytes of a run of any bytes
constexpr size_t kEnd = 256;     // a table's entry for the end of the text

using Kind = RegexNode::Kind;

// What a way through the program can begin with.
struct First {
  ByteSet bytes;
  bool end = false;  // it can succeed at the end of the text

  bool meets(const First& other) const { return (bytes & other.bytes).any() || (end && other.end); }
};

bool nullable(const RegexNode& node) {
  switch (node.kind) {
    case Kind::literal:
    case Kind::set:
      return false;
    case Kind::sequence:
      return std::all_of(node.children.begin(), node.children.end(), nullable);
    case Kind::alternation:
      return std::any_of(node.children.begin(), node.children.end(), nullable);
    case Kind::repeat:
      return node.min == 0 || nullable(node.children[0]);
    case Kind::capture:
      return nullable(node.children[0]);
    case Kind::boundary:
      return true;
  }
  return true;
}

bool has_capture(const RegexNode& node) {
  return node.kind == Kind::capture || std::any_of(node.children.begin(), node.children.end(), has_capture);
}

ByteSet first_bytes(const RegexNode& node) {
  ByteSet out;
  switch (node.kind) {
    case Kind::literal:
      out.set(static_cast<unsigned char>(node.text[0]));
      break;
    case Kind::set:
      out = node.set;
      break;
    case Kind::sequence:
      for (auto& child : node.children) {
        out |= first_bytes(child);
        if (!nullable(child)) break;
      }
      break;
    default:
      for (auto& child : node.children) out |= first_bytes(child);
  }
  return out;
}

bool is_wide(const ByteSet& set) { return set.test(0x80); }

}  // namespace

// Right to left, so that what follows a choice is known when the choice is compiled.
class ProgramCompiler {
 public:
  std::unique_ptr<PatternProgram> compile(const RegexNode& root) {
    auto match = add(of(Op::match), First{{}, true});
    auto start = node(root, match);
    if (!start) return nullptr;
    program_->start_ = *start;
    program_->code_.shrink_to_fit();
    program_->tables_.shrink_to_fit();
    return std::move(program_);
  }

 private:
  using Op = PatternProgram::Op;
  using Instruction = PatternProgram::Instruction;
  using Table = PatternProgram::Table;

  static Instruction of(Op op, uint32_t next = 0, uint32_t other = 0) {
    Instruction out;
    out.op = op;
    out.next = next;
    out.other = other;
    return out;
  }

  std::optional<uint32_t> node(const RegexNode& what, uint32_t next) {
    if (program_->code_.size() > kInstructionsMax) return std::nullopt;
    switch (what.kind) {
      case Kind::literal:
        return literal(what.text, next);
      case Kind::set:
        return one_of(what.set, next);
      case Kind::sequence: {
        for (auto child = what.children.rbegin(); child != what.children.rend(); ++child) {
          auto begin = node(*child, next);
          if (!begin) return std::nullopt;
          next = *begin;
        }
        return next;
      }
      case Kind::alternation: {
        std::optional<uint32_t> rest;
        for (auto child = what.children.rbegin(); child != what.children.rend(); ++child) {
          auto begin = node(*child, next);
          if (!begin) return std::nullopt;
          rest = rest ? split(*begin, *rest) : *begin;
        }
        return rest;
      }
      case Kind::capture:
        return capture(what, next);
      case Kind::repeat:
        return repeat(what, next);
      case Kind::boundary:
        return add(of(Op::boundary, next, what.negated), first_[next]);
    }
    return std::nullopt;
  }

  uint32_t literal(const std::string& text, uint32_t next) {
    First first;
    first.bytes.set(static_cast<unsigned char>(text[0]));
    Instruction out = of(Op::literal, next);
    out.word = 0;
    if (text.size() <= sizeof out.word) {
      out.word_bytes = static_cast<uint8_t>(text.size());
      std::memcpy(&out.word, text.data(), text.size());
    } else {
      out.text = program_->literals_.size();
      out.other = static_cast<uint32_t>(text.size());
      program_->literals_ += text;
    }
    return add(out, first);
  }

  uint32_t one_of(const ByteSet& set, uint32_t next) {
    Instruction out = of(Op::set, next);
    out.wide = is_wide(set);
    out.table = table(set, false, {});
    return add(out, First{set, false});
  }

  std::optional<uint32_t> capture(const RegexNode& what, uint32_t next) {
    auto slot = static_cast<uint32_t>(what.group - 1) * 2;
    program_->groups_ = std::max(program_->groups_, what.group);
    auto end = add(of(Op::save, next, slot + 1), first_[next]);
    auto begin = node(what.children[0], end);
    if (!begin) return std::nullopt;
    // The commonest case in one step: a run that only its own end can end.
    if (auto& run = program_->code_[*begin]; run.op == Op::span && run.next == end) {
      Instruction whole = run;
      whole.op = Op::captured_span;
      whole.next = next;
      whole.other = slot;
      return add(whole, first_[*begin]);
    }
    return add(of(Op::save, *begin, slot), first_[*begin]);
  }

  std::optional<uint32_t> repeat(const RegexNode& what, uint32_t next) {
    const RegexNode& body = what.children[0];
    if (what.min == 0 && what.max == 1) {
      auto begin = node(body, next);
      if (!begin) return std::nullopt;
      return what.greedy ? split(*begin, next) : split(next, *begin);
    }
    if (has_capture(body)) return std::nullopt;
    bool single_byte = body.kind == Kind::literal && body.text.size() == 1;
    if (body.kind == Kind::set || single_byte) {
      ByteSet set = body.set;
      if (single_byte) set.set(static_cast<unsigned char>(body.text[0]));
      if (is_wide(set) && (what.max != RegexNode::kUnbounded || what.min > 1)) return std::nullopt;
      return run_of(set, what, next);
    }
    if (nullable(body)) return std::nullopt;
    if (what.max == RegexNode::kUnbounded) {
      auto loop = add(of(Op::split), {});  // its table follows, when both ways are known
      First first = first_[next];
      first.bytes |= first_bytes(body);
      first_[loop] = first;
      auto begin = node(body, loop);
      if (!begin) return std::nullopt;
      fill_split(loop, what.greedy ? *begin : next, what.greedy ? next : *begin);
      next = loop;
    } else {
      uint32_t rest = next;
      for (int i = what.min; i < what.max; ++i) {
        // x{0,3} is (x(x(x)?)?)?: each copy may be followed by the next one or by what follows all of them.
        auto begin = node(body, rest);
        if (!begin) return std::nullopt;
        rest = what.greedy ? split(*begin, next) : split(next, *begin);
      }
      next = rest;
    }
    for (int i = 0; i < what.min; ++i) {
      auto begin = node(body, next);
      if (!begin) return std::nullopt;
      next = *begin;
    }
    return next;
  }

  uint32_t run_of(const ByteSet& set, const RegexNode& what, uint32_t next) {
    First after = first_[next];
    First first{set, false};
    if (what.min == 0) {
      first.bytes |= after.bytes;
      first.end = after.end;
    }
    // When what follows cannot begin with a member, the run ends where its members end, greedy or not.
    bool certain = (set & after.bytes).none();
    Instruction run = of(certain ? Op::span : what.greedy ? Op::greedy : Op::lazy, next);
    run.wide = is_wide(set);
    run.min = static_cast<uint32_t>(what.min);
    run.max = what.max == RegexNode::kUnbounded ? PatternProgram::kUnset : static_cast<uint32_t>(what.max);
    run.table = table(set, true, after);
    ByteSet stops = ~set;
    if (stops.none()) {
      run.stop_bytes = kNoStops;
    } else if (stops.count() <= 2) {
      run.stop_bytes = static_cast<uint8_t>(stops.count());
      for (int c = 0, n = 0; c < 256; ++c)
        if (stops.test(c)) run.stops[n++] = static_cast<unsigned char>(c);
      if (run.stop_bytes == 1) run.stops[1] = run.stops[0];
    }
    return add(run, first);
  }

  uint32_t split(uint32_t first_way, uint32_t second_way) {
    auto at = add(of(Op::split), {});
    First first = first_[first_way];
    first.bytes |= first_[second_way].bytes;
    first.end |= first_[second_way].end;
    first_[at] = first;
    fill_split(at, first_way, second_way);
    return at;
  }

  void fill_split(uint32_t at, uint32_t first_way, uint32_t second_way) {
    Table ways{};
    for (size_t c = 0; c < 256; ++c)
      ways[c] = static_cast<uint8_t>(first_[first_way].bytes.test(c) | first_[second_way].bytes.test(c) << 1);
    ways[kEnd] = static_cast<uint8_t>(first_[first_way].end | first_[second_way].end << 1);
    auto& code = program_->code_[at];
    code.next = first_way;
    code.other = second_way;
    code.table = intern(ways);
  }

  const Table* table(const ByteSet& set, bool with_after, const First& after) {
    Table out{};
    for (size_t c = 0; c < 256; ++c)
      out[c] = static_cast<uint8_t>(set.test(c) | (with_after && after.bytes.test(c)) << 1);
    out[kEnd] = static_cast<uint8_t>((with_after && after.end) << 1);
    return intern(out);
  }

  const Table* intern(const Table& what) {
    auto table = shared_table(what);
    auto& mine = program_->tables_;
    if (std::find(mine.begin(), mine.end(), table) == mine.end()) mine.push_back(table);
    return table.get();
  }

  // The tables of all living programs, each once. Under a lock: patterns are compiled at a load, not on the way of a
  // record.
  class TablePool {
   public:
    std::shared_ptr<const Table> one(const Table& what) {
      MutexLock lock(mutex_);
      if (auto at = tables_.find(bytes(what)); at != tables_.end()) {
        if (auto table = at->second.lock()) return table;
        tables_.erase(at);  // its last owner is about to forget it
      }
      std::shared_ptr<const Table> made(new Table(what), [this](const Table* table) { forget(table); });
      tables_.emplace(bytes(*made), made);
      return made;
    }

   private:
    static std::string_view bytes(const Table& table) {
      return {reinterpret_cast<const char*>(table.data()), table.size()};
    }
    void forget(const Table* table) {
      MutexLock lock(mutex_);
      const auto at = tables_.find(bytes(*table));
      if (at != tables_.end() && at->first.data() == bytes(*table).data()) tables_.erase(at);
      delete table;
    }

    Mutex mutex_;
    // The keys lie in the tables.
    std::unordered_map<std::string_view, std::weak_ptr<const Table>> tables_ YUSHI_GUARDED_BY(mutex_);
  };

  static std::shared_ptr<const Table> shared_table(const Table& what) {
    static auto& pool = *new TablePool;  // for ever: sets may be of static life
    return pool.one(what);
  }

  uint32_t add(const Instruction& instruction, const First& first) {
    program_->code_.push_back(instruction);
    first_.push_back(first);
    return static_cast<uint32_t>(program_->code_.size() - 1);
  }

  std::unique_ptr<PatternProgram> program_{new PatternProgram};
  std::vector<First> first_;  // by instruction
};

std::unique_ptr<PatternProgram> PatternProgram::compile(const RegexNode& tree) {
  return ProgramCompiler().compile(tree);
}

namespace {

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// The first of two bytes at or after `at`; `end` when there is none.
const char* find_either(const char* at, const char* end, unsigned char one, unsigned char two) {
#if defined(__SSE2__)
  const __m128i first = _mm_set1_epi8(static_cast<char>(one)), second = _mm_set1_epi8(static_cast<char>(two));
  for (; end - at >= 16; at += 16) {
    __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    int hit = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, first), _mm_cmpeq_epi8(block, second)));
    if (hit != 0) return at + __builtin_ctz(static_cast<unsigned>(hit));
  }
#endif
  for (; at != end; ++at)
    if (static_cast<unsigned char>(*at) == one || static_cast<unsigned char>(*at) == two) return at;
  return end;
}

}  // namespace

PatternProgram::Answer PatternProgram::match(std::string_view text, uint32_t* spans, MatchStack& stack) const {
  for (int i = 0; i < groups_ * 2; ++i) spans[i] = kUnset;
  const char* const base = text.data();
  const char* const end = base + text.size();
  const char* at = base;
  const Instruction* const code = code_.data();
  const Instruction* now = code + start_;
  auto& frames = stack.frames;
  size_t depth = 0;
  // Linear in the text: beyond this RE2 is the cheaper one, and certainly linear.
  int64_t budget = 4096 + static_cast<int64_t>(text.size()) * 16;

  auto entry = [&](const Table& table, const char* where) {
    return where == end ? table[kEnd] : table[static_cast<unsigned char>(*where)];
  };
  auto run_end = [&](const Instruction& run, const char* from) {
    const char* limit = run.max < static_cast<size_t>(end - from) ? from + run.max : end;
    if (run.stop_bytes == kNoStops) return limit;
    if (run.stop_bytes != 0) return find_either(from, limit, run.stops[0], run.stops[1]);
    const uint8_t* members = run.table->data();
    while (limit - from >= 4) {
      if (!(members[static_cast<unsigned char>(from[0])] & 1)) return from;
      if (!(members[static_cast<unsigned char>(from[1])] & 1)) return from + 1;
      if (!(members[static_cast<unsigned char>(from[2])] & 1)) return from + 2;
      if (!(members[static_cast<unsigned char>(from[3])] & 1)) return from + 3;
      from += 4;
    }
    while (from != limit && (members[static_cast<unsigned char>(*from)] & 1)) ++from;
    return from;
  };

  const char* upper = nullptr;  // greedy, coming back: the greatest position still to try
  const char* low = nullptr;    // greedy: the least; lazy: the greatest
  for (;;) {
    switch (now->op) {
      case Op::match:
        if (at == end) return Answer::yes;
        goto back;

      case Op::literal: {
        const size_t bytes = now->word_bytes;
        if (bytes != 0 && end - at >= 8) {
          uint64_t here;
          std::memcpy(&here, at, sizeof here);
          if ((here ^ now->word) << (64 - 8 * bytes) != 0) goto back;  // the first bytes are the low ones
          at += bytes;
          now = code + now->next;
          continue;
        }
        const size_t length = bytes != 0 ? bytes : now->other;
        if (static_cast<size_t>(end - at) < length) goto back;
        const void* text_of = bytes != 0 ? static_cast<const void*>(&now->word) : literals_.data() + now->text;
        if (std::memcmp(at, text_of, length) != 0) goto back;
        at += length;
        now = code + now->next;
        continue;
      }

      case Op::set: {
        if (at == end || !((*now->table)[static_cast<unsigned char>(*at)] & 1)) goto back;
        ++at;
        if (now->wide)
          while (at != end && is_continuation(*at)) ++at;
        now = code + now->next;
        continue;
      }

      case Op::captured_span: {
        const char* stop = run_end(*now, at);
        if (stop - at < static_cast<ptrdiff_t>(now->min)) goto back;
        for (uint32_t slot : {now->other, now->other + 1}) {
          if (depth != 0) {
            if (depth == frames.size()) return Answer::unsure;
            frames[depth++] = {MatchStack::kRestore | slot, spans[slot], 0};
          }
          spans[slot] = static_cast<uint32_t>((slot == now->other ? at : stop) - base);
        }
        budget -= stop - at;
        at = stop;
        now = code + now->next;
        continue;
      }

      case Op::span: {
        const char* stop = run_end(*now, at);
        if (stop - at < static_cast<ptrdiff_t>(now->min)) goto back;
        budget -= stop - at;
        at = stop;
        now = code + now->next;
        continue;
      }

      case Op::greedy: {
        upper = run_end(*now, at);
        low = at + now->min;
        budget -= upper - at;
        if (upper < low) goto back;
      }
      again_greedy : {
        const Table& table = *now->table;
        const char* from = upper;
        while (upper >= low && (!(entry(table, upper) & 2) || (now->wide && upper != end && is_continuation(*upper))))
          --upper;
        budget -= from - upper + 1;
        if (upper < low) goto back;
        if (upper > low) {
          if (depth == frames.size()) return Answer::unsure;
          frames[depth++] = {static_cast<uint32_t>(now - code), static_cast<uint32_t>(upper - 1 - base),
                             static_cast<uint32_t>(low - base)};
        }
        at = upper;
        now = code + now->next;
        continue;
      }

      case Op::lazy: {
        const Table& table = *now->table;
        low = now->max < static_cast<size_t>(end - at) ? at + now->max : end;
        uint32_t need = now->min;
        for (; need != 0 && at != end && (table[static_cast<unsigned char>(*at)] & 1); --need) {
          ++at;
          if (now->wide)
            while (at != end && is_continuation(*at)) ++at;
        }
        if (need != 0) goto back;
      }
      again_lazy : {
        const Table& table = *now->table;
        const char* from = at;
        for (;;) {
          uint8_t ways = entry(table, at);
          if ((ways & 2) && !(now->wide && at != end && is_continuation(*at))) break;
          if (!(ways & 1) || at >= low) {
            at = nullptr;
            break;
          }
          ++at;
        }
        if (at == nullptr) {
          budget -= 1;
          goto back;
        }
        budget -= at - from + 1;
        if (at < low && (entry(table, at) & 1)) {
          if (depth == frames.size()) return Answer::unsure;
          frames[depth++] = {static_cast<uint32_t>(now - code), static_cast<uint32_t>(at + 1 - base),
                             static_cast<uint32_t>(low - base)};
        }
        now = code + now->next;
        continue;
      }

      case Op::split: {
        uint8_t ways = entry(*now->table, at);
        if (ways == 1) {
          now = code + now->next;
        } else if (ways == 2) {
          now = code + now->other;
        } else if (ways == 0) {
          goto back;
        } else {
          if (depth == frames.size() || --budget < 0) return Answer::unsure;
          frames[depth++] = {now->other, static_cast<uint32_t>(at - base), kUnset};
          now = code + now->next;
        }
        continue;
      }

      case Op::boundary: {
        const bool divides = (at != base && is_word(at[-1])) != (at != end && is_word(*at));
        if (divides == (now->other != 0)) goto back;
        now = code + now->next;
        continue;
      }

      case Op::save: {
        if (depth != 0) {
          if (depth == frames.size()) return Answer::unsure;
          frames[depth++] = {MatchStack::kRestore | now->other, spans[now->other], 0};
        }
        spans[now->other] = static_cast<uint32_t>(at - base);
        now = code + now->next;
        continue;
      }
    }

  back:
    for (;;) {
      if (depth == 0) return Answer::no;
      if (--budget < 0) return Answer::unsure;
      const auto& frame = frames[--depth];
      if (frame.instruction & MatchStack::kRestore) {
        spans[frame.instruction & ~MatchStack::kRestore] = frame.at;
        continue;
      }
      now = code + frame.instruction;
      at = base + frame.at;
      if (frame.low == kUnset) break;  // the second way of a split
      low = base + frame.low;
      if (now->op == Op::greedy) {
        upper = at;
        goto again_greedy;
      }
      goto again_lazy;
    }
  }
}

}  // namespace yushi::parsers
