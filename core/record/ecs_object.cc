#include "core/record/ecs_object.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/base/time_text.h"

namespace yushi {
namespace {

constexpr size_t kPlans = 512;
constexpr size_t kPlanItemsMax = 96;
constexpr size_t kPlanBytesMax = 4096;
constexpr size_t kDepthMax = 32;

// A dot sorts before every other byte, so that the names under `a.` follow `a` at once, with nothing between.
int compare_paths(std::string_view a, std::string_view b) {
  auto [x, y] = std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  if (x == a.end() || y == b.end()) return a.size() < b.size() ? -1 : a.size() > b.size();
  auto rank = [](char c) { return c == '.' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  return rank(*x) - rank(*y);
}

bool is_under(std::string_view path, std::string_view parent) {
  return path.size() > parent.size() && path.starts_with(parent) && path[parent.size()] == '.';
}

void split(std::string_view path, std::vector<std::string_view>& names) {
  names.clear();
  while (names.size() + 1 < kDepthMax) {
    size_t dot = path.find('.');
    if (dot == path.npos) break;
    names.push_back(path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  names.push_back(path);
}

uint64_t mix(uint64_t hash, uint64_t value) { return ((hash ^ value) * 0x9e3779b97f4a7c15) ^ hash >> 29; }

uint64_t hash_name(std::string_view name) {
  uint64_t hash = name.size();
  while (name.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, name.data(), 8);
    hash = mix(hash, word);
    name.remove_prefix(8);
  }
  uint64_t word = 0;
  std::memcpy(&word, name.data(), name.size());
  return mix(hash, word);
}

// "2026-11-01T08:00:00.123Z" with zeros up to 6 or 9 digits, when the sender gave so many.
void append_date(std::string& out, int64_t unix_ns, uint8_t digits) {
  char text[48];
  size_t size = format_utc(unix_ns, text);
  out += '"';
  out.append(text, size);
  const char* dot = static_cast<const char*>(std::memchr(text, '.', size));
  size_t wanted = digits > 6 ? 9 : digits > 3 ? 6 : 3;
  size_t given = dot ? size - static_cast<size_t>(dot - text) - 2 : 0;
  if (dot && given < wanted) {
    out.pop_back();
    out.append(wanted - given, '0');
    out += 'Z';
  }
  out += '"';
}

void append_value(std::string& out, const EcsObject::Item& item) {
  const Value& value = item.value;
  char text[32];
  switch (value.type) {
    case Value::Type::string:
    case Value::Type::ip:
      append_json_string(out, value.text);
      break;
    case Value::Type::integer:
      out.append(text, std::to_chars(text, text + sizeof text, value.integer).ptr);
      break;
    case Value::Type::real:
      out.append(text, std::to_chars(text, text + sizeof text, value.real).ptr);
      break;
    case Value::Type::boolean:
      out += value.integer ? "true" : "false";
      break;
    case Value::Type::date:
      append_date(out, value.integer, item.date_digits);
      break;
  }
}

}  // namespace

// What stands between the values of one set of names, and in which order they are written.
struct EcsObject::Plan {
  struct Name {
    const Field* field;  // nullptr: a dynamic one, known by `name`
    std::string name;
  };
  struct Step {
    uint32_t item;
    uint32_t text_end;  // of what goes before the value; it begins where the step before ended
  };
  uint64_t hash = 0;
  std::vector<Name> names;
  std::vector<Step> steps;
  std::string text;  // the rest of it, after the last step, closes the object

  bool is_for(const std::vector<Item>& items) const {
    if (names.size() != items.size()) return false;
    for (size_t i = 0; i < items.size(); ++i) {
      const Field* field = items[i].field;
      if (field->id != kDynamicField ? names[i].field != field : names[i].field || names[i].name != field->name)
        return false;
    }
    return true;
  }
};

EcsObject::EcsObject() : plans_(kPlans), large_(std::make_unique<Plan>()) {}
EcsObject::~EcsObject() = default;
EcsObject::EcsObject(EcsObject&&) noexcept = default;
EcsObject& EcsObject::operator=(EcsObject&&) noexcept = default;

void EcsObject::build(const std::vector<Item>& items, Plan& plan) {
  plan.names.clear();
  plan.steps.clear();
  plan.text.clear();

  struct Leaf {
    std::string path;  // as it is written: two names that are written alike are one name
    bool list;
    std::vector<uint32_t> items;
  };
  std::vector<Leaf> leaves;
  {
    std::vector<Leaf> each;
    for (size_t i = 0; i < items.size(); ++i) {
      std::string json;
      append_json_string(json, items[i].field->name);
      each.push_back({json.substr(1, json.size() - 2), items[i].field->list, {static_cast<uint32_t>(i)}});
    }
    std::stable_sort(each.begin(), each.end(),
                     [](const Leaf& a, const Leaf& b) { return compare_paths(a.path, b.path) < 0; });
    for (Leaf& leaf : each) {
      if (!leaves.empty() && leaves.back().path == leaf.path) {
        leaves.back().items.push_back(leaf.items[0]);
        leaves.back().list = true;
      } else {
        leaves.push_back(std::move(leaf));
      }
    }
  }
  auto by_path = [](const Leaf& a, const Leaf& b) { return compare_paths(a.path, b.path) < 0; };
  auto is_taken = [&](const std::string& path) {
    auto at = std::lower_bound(leaves.begin(), leaves.end(), Leaf{path, false, {}}, by_path);
    return at != leaves.end() && (at->path == path || is_under(at->path, path));
  };
  std::vector<std::pair<size_t, std::string>> renamed;
  for (size_t i = 0; i + 1 < leaves.size(); ++i) {
    if (!is_under(leaves[i + 1].path, leaves[i].path)) continue;
    std::string path = leaves[i].path + ".value";
    while (is_taken(path)) path += '_';
    renamed.emplace_back(i, std::move(path));
  }
  for (auto& [i, path] : renamed) leaves[i].path = std::move(path);
  if (!renamed.empty()) std::sort(leaves.begin(), leaves.end(), by_path);

  std::string& text = plan.text;
  text += '{';
  std::vector<std::string_view> open, path;  // objects open now; the names down to the leaf
  bool is_first = true;
  for (const Leaf& leaf : leaves) {
    split(leaf.path, path);
    size_t same = 0;
    while (same < open.size() && same + 1 < path.size() && open[same] == path[same]) ++same;
    text.append(open.size() - same, '}');
    open.resize(same);
    if (!is_first) text += ',';
    is_first = false;
    for (; open.size() + 1 < path.size(); open.push_back(path[open.size()])) {
      text += '"';
      text += path[open.size()];
      text += "\":{";
    }
    text += '"';
    text += path.back();
    text += "\":";
    if (leaf.list) text += '[';
    for (size_t k = 0; k < leaf.items.size(); ++k) {
      if (k) text += ',';
      plan.steps.push_back({leaf.items[k], static_cast<uint32_t>(text.size())});
    }
    if (leaf.list) text += ']';
  }
  text.append(open.size() + 1, '}');
}

const EcsObject::Plan& EcsObject::plan() {
  uint64_t hash = items_.size();
  for (const Item& item : items_)
    hash = mix(hash, item.field->id != kDynamicField ? item.field->id : hash_name(item.field->name));
  // Two places for each: of two sets that are often written, neither throws out the other.
  const size_t place = (hash ^ hash >> 32) % kPlans & ~size_t{1};
  auto &slot = plans_[place], &second = plans_[place + 1];
  const auto is_it = [&](auto& plan) { return plan && plan->hash == hash && plan->is_for(items_); };
  if (is_it(slot)) [[likely]]
    return *slot;
  if (is_it(second)) return *second;

  build(items_, *large_);
  if (items_.size() > kPlanItemsMax || large_->text.size() > kPlanBytesMax) return *large_;
  large_->hash = hash;
  for (const Item& item : items_) {
    bool is_static = item.field->id != kDynamicField;
    large_->names.push_back(
        {is_static ? item.field : nullptr, is_static ? std::string() : std::string(item.field->name)});
  }
  second = std::move(slot);
  slot = std::move(large_);
  large_ = std::make_unique<Plan>();
  return *slot;
}

void EcsObject::write(std::string& out) {
  const Plan& by = plan();
  size_t at = 0;
  for (const Plan::Step& step : by.steps) {
    out.append(by.text, at, step.text_end - at);
    append_value(out, items_[step.item]);
    at = step.text_end;
  }
  out.append(by.text, at);
}

}  // namespace yushi
