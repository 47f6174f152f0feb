#include "parsers/pattern.h"

#include <re2/re2.h>

namespace yushi {
namespace {

// A pattern's automata may take this much; design 5 counts it in the memory budget.
constexpr int64_t kRe2BytesMax = 1 << 20;

re2::RE2::Options options() {
  re2::RE2::Options out(re2::RE2::CannedOptions::Quiet);
  out.set_dot_nl(true);
  out.set_max_mem(kRe2BytesMax);
  return out;
}

}  // namespace

struct Pattern::Regex {
  explicit Regex(const std::string& pattern) : re(pattern, options()) {}
  re2::RE2 re;
};

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& regex) {
  Pattern out;
  out.regex_ = std::make_unique<Regex>(regex);
  if (!out.regex_->re.ok()) return fail(Code::invalid, "RE2 cannot run the pattern: " + out.regex_->re.error());
  if (out.groups() > kGroupsMax)
    return fail(Code::invalid, "the pattern has more than " + std::to_string(kGroupsMax) + " captures; split it");
  out.program_ = PatternProgram::compile(regex);
  if (out.program_ && out.program_->groups() != out.groups()) out.program_.reset();
  return out;
}

const std::string& Pattern::regex() const { return regex_->re.pattern(); }

int Pattern::groups() const { return regex_->re.NumberOfCapturingGroups(); }

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
  if (!regex_->re.Match(input, 0, text.size(), re2::RE2::ANCHOR_BOTH, found, groups() + 1)) return false;
  for (int i = 0; i < groups(); ++i) {
    const auto& group = found[i + 1];
    bool unset = group.data() == nullptr;
    spans[2 * i] = unset ? PatternProgram::kUnset : static_cast<uint32_t>(group.data() - text.data());
    spans[2 * i + 1] = unset ? PatternProgram::kUnset : spans[2 * i] + static_cast<uint32_t>(group.size());
  }
  return true;
}

}  // namespace yushi
