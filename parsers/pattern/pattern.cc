#include "parsers/pattern/pattern.h"

#include <algorithm>
#include <mutex>

#include <re2/re2.h>

#include "core/base/text.h"

namespace yushi::parsers {
namespace {

// A pattern's automata may take this much; design 5 counts it in the memory budget.
constexpr int64_t kRe2BytesMax = 1 << 20;

re2::RE2::Options options() {
  re2::RE2::Options out(re2::RE2::CannedOptions::Quiet);
  out.set_dot_nl(true);
  out.set_max_mem(kRe2BytesMax);
  return out;
}

// Instructions that RE2 makes of a tree, at most. It refuses a pattern of more than 10,900 in kRe2BytesMax, and one
// whose nested counts multiply to more than 1,000; a tree far below both it takes.
constexpr int64_t kSurelyTaken = 4000;
constexpr int64_t kCountsTaken = 500;

int64_t instructions_of(const RegexNode& node) {
  using Kind = RegexNode::Kind;
  int64_t inner = 0;
  for (auto& child : node.children) inner = std::min(inner + instructions_of(child) + 1, kSurelyTaken + 1);
  switch (node.kind) {
    case Kind::literal:
      return static_cast<int64_t>(node.text.size());
    case Kind::set:
      return 40;  // a range an instruction; 30 for all of UTF-8
    case Kind::repeat:
      return std::min(inner * std::max(node.max, node.min + 1) + 2, kSurelyTaken + 1);
    default:
      return inner + 2;
  }
}

int64_t counts_of(const RegexNode& node) {
  int64_t out = 1;
  for (auto& child : node.children) out = std::max(out, counts_of(child));
  return node.kind == RegexNode::Kind::repeat ? std::min(out * std::max({node.min, node.max, 1}), kCountsTaken + 1)
                                              : out;
}

bool is_surely_taken(const RegexNode& tree) {
  return instructions_of(tree) <= kSurelyTaken && counts_of(tree) <= kCountsTaken;
}

}  // namespace

struct Pattern::Regex {
  std::once_flag once;
  std::unique_ptr<re2::RE2> re;
};

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& regex, std::vector<RegexNode>* tree_out) {
  Pattern out;
  out.text_ = regex;
  out.regex_ = std::make_unique<Regex>();
  auto tree = read_regex(regex);
  if (tree) out.program_ = PatternProgram::compile(*tree);
  if (out.program_) out.groups_ = out.program_->groups();
  if (!out.program_ || !is_surely_taken(*tree) || !is_utf8(regex)) {
    auto& re = *out.made().re;
    if (!re.ok()) return fail(Code::invalid, "RE2 cannot run the pattern: " + re.error());
    out.groups_ = re.NumberOfCapturingGroups();
    if (out.program_ && out.program_->groups() != out.groups_) out.program_.reset();
  }
  if (out.groups_ > kGroupsMax)
    return fail(Code::invalid, "the pattern has more than " + std::to_string(kGroupsMax) + " captures; split it");
  if (tree_out && tree) tree_out->push_back(std::move(*tree));
  return out;
}

Pattern::Regex& Pattern::made() const {
  std::call_once(regex_->once, [&] { regex_->re = std::make_unique<re2::RE2>(text_, options()); });
  return *regex_;
}

std::string Pattern::re2_problem() const { return made().re->ok() ? std::string() : made().re->error(); }

bool Pattern::match(std::string_view text, uint32_t* spans, MatchStack& stack) const {
  if (program_) {
    auto answer = program_->match(text, spans, stack);
    if (answer != PatternProgram::Answer::unsure) return answer == PatternProgram::Answer::yes;
  }
  return match_by_re2(text, spans);
}

bool Pattern::match_by_re2(std::string_view text, uint32_t* spans) const {
  re2::StringPiece found[kGroupsMax + 1];
  re2::StringPiece input(text.data(), text.size());
  if (!made().re->Match(input, 0, text.size(), re2::RE2::ANCHOR_BOTH, found, groups() + 1)) return false;
  for (int i = 0; i < groups(); ++i) {
    const auto& group = found[i + 1];
    bool unset = group.data() == nullptr;
    spans[2 * i] = unset ? PatternProgram::kUnset : static_cast<uint32_t>(group.data() - text.data());
    spans[2 * i + 1] = unset ? PatternProgram::kUnset : spans[2 * i] + static_cast<uint32_t>(group.size());
  }
  return true;
}

}  // namespace yushi::parsers
