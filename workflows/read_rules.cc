#include <fmt/format.h>

#include "workflows/keys.h"
#include "workflows/read.h"

namespace canorun::workflows {
namespace {

constexpr std::array<Key<RuleDef>, 2> kRuleKeys{{
    {"when", [](Reader&, const Entry& e, RuleDef& d) { d.when = e.value; }},
    {"to",
     [](Reader& r, const Entry& e, RuleDef& d) {
       if (r.text(*e.value, "'to'")) d.to = e.value;
     },
     true},
}};

}  // namespace

RulesDef read_rules(Reader& reader, const Entry& entry) {
  RulesDef def{.node = entry.value, .rules = {}};
  const std::string what = fmt::format("'{}'", entry.key->text);
  const bool route = entry.key->text == "route";
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kList && !node.list.empty()) {
    for (const Node* element : node.list) {
      read_map(reader, *element, *element, fmt::format("a rule of {}", what), kRuleKeys, def.rules.emplace_back());
    }
  } else if (node.is_scalar() && node.kind != NodeKind::kNull && !route) {
    def.rules.push_back({.when = nullptr, .to = reader.text(node, what) ? &node : nullptr});
  } else if (node.kind == NodeKind::kList) {
    reader.error(Code::kBadValue, node, fmt::format("{} has no rules", what), "for example [{to: done}]");
  } else {
    reader.wrong_type(node, what, route ? "a list of rules" : "a state or a list of rules", "a rule is {when: …, to: …}");
  }
  return def;
}

}  // namespace canorun::workflows
