#include "core/base/nearest_name.h"

#include <algorithm>
#include <vector>

namespace yushi {
namespace {

constexpr size_t kNameBytesMax = 256;

std::string lowered(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

// Optimal string alignment: three rows of the table are enough.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

NearestName::NearestName(std::string_view misspelt)
    : misspelt_(misspelt.substr(0, kNameBytesMax + 1)),
      folded_(lowered(misspelt_)),
      distance_max_(misspelt.size() > kNameBytesMax ? 0 : std::max<size_t>(misspelt.size() / 3, misspelt.size() > 1)),
      distance_(distance_max_ + 1) {}

void NearestName::offer(std::string_view name, bool preferred) {
  // `user` and `host` are objects, and mean their names more than a word of like letters.
  constexpr std::string_view kName = ".name";
  if (name.size() == folded_.size() + kName.size() && name.starts_with(folded_) && name.ends_with(kName)) {
    best_ = name;
    distance_ = 0;
    preferred_ = true;
    return;
  }
  if (distance_max_ == 0 || name == misspelt_ || name.size() > misspelt_.size() + distance_max_ ||
      misspelt_.size() > name.size() + distance_max_)
    return;
  size_t apart = distance(folded_, lowered(name));
  if (apart > distance_max_ || apart > distance_) return;
  if (apart == distance_ && (preferred_ > preferred || (preferred_ == preferred && best_ <= name))) return;
  best_ = name;
  distance_ = apart;
  preferred_ = preferred;
}

std::string NearestName::suggestion() const { return best_.empty() ? "" : "; did you mean " + best_ + "?"; }

}  // namespace yushi
