#include "workflows/changes.h"

#include <algorithm>
#include <memory>

#include "workflows/document.h"

namespace canorun::workflows {
namespace {

std::unique_ptr<const Document> parse(const std::string& text) {
  auto source = std::make_shared<const Source>("flow", text);
  Report report(source);
  return Document::parse(source, report);
}

// What the key has in a map; null: there is none.
const Node* at(const Node* map, std::string_view key) { return map != nullptr ? map->find(key) : nullptr; }

bool is_same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.list.size() != b.list.size() || a.map.size() != b.map.size()) {
    return false;
  }
  const auto same_element = [](const Node* x, const Node* y) { return is_same(*x, *y); };
  if (!std::ranges::equal(a.list, b.list, same_element)) return false;
  return std::ranges::all_of(a.map, [&](const Entry& entry) {
    const Node* const other = b.find(entry.key->text);
    return other != nullptr && is_same(*entry.value, *other);
  });
}

struct Difference {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> altered;
};

// Of the keys of two maps, either of which may be null.
Difference difference(const Node* before, const Node* after) {
  Difference found;
  if (before != nullptr) {
    for (const Entry& entry : before->map) {
      if (at(after, entry.key->text) == nullptr) found.removed.push_back(entry.key->text);
    }
  }
  if (after != nullptr) {
    for (const Entry& entry : after->map) {
      const Node* const earlier = at(before, entry.key->text);
      if (earlier == nullptr) {
        found.added.push_back(entry.key->text);
      } else if (!is_same(*earlier, *entry.value)) {
        found.altered.push_back(entry.key->text);
      }
    }
  }
  return found;
}

}  // namespace

Changes changes_between(const std::string& before, const std::string& after) {
  const auto earlier = parse(before);
  const auto later = parse(after);
  const Node* const from = earlier ? &earlier->root() : nullptr;
  const Node* const to = later ? &later->root() : nullptr;
  Difference states = difference(at(from, "states"), at(to, "states"));
  Changes changes{std::move(states.added), std::move(states.removed), std::move(states.altered), {}};
  const Difference keys = difference(from, to);
  for (const auto* names : {&keys.added, &keys.removed, &keys.altered}) {
    std::ranges::copy_if(*names, std::back_inserter(changes.others),
                         [](const std::string& name) { return name != "states" && name != "version"; });
  }
  return changes;
}

}  // namespace canorun::workflows
