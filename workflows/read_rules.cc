#include <fmt/format.h>

#include "workflows/keys.h"

namespace canorun::workflows {
namespace {

constexpr std::array kRuleKeys{
    key<RuleDef>("when", "An expression, without ${{ }}. A rule without it always holds.", accept::Expression{},
                 [](RuleDef& d, const Node& when) { d.when = &when; }),
    key<RuleDef>(
        "to", "The state to go to when the rule holds.", accept::StateName{},
        [](RuleDef& d, const Node& to) { d.to = &to; }, kRequired),
};

}  // namespace

std::optional<RulesDef> read_value(Reader& reader, const Entry& entry, accept::Rules type) {
  RulesDef def{.node = entry.value, .rules = {}};
  const std::string what = quoted(entry);
  const Node& node = *entry.value;
  if (node.kind == NodeKind::kList && !node.list.empty()) {
    for (const Node* element : node.list) {
      read_map(reader, *element, *element, fmt::format("a rule of {}", what), kRuleKeys, def.rules.emplace_back());
    }
  } else if (node.is_scalar() && node.kind != NodeKind::kNull && !type.only_list) {
    def.rules.push_back({.when = nullptr, .to = reader.read(accept::StateName{}, node, what)});
  } else if (node.kind == NodeKind::kList) {
    reader.error(Code::kBadValue, node, fmt::format("{} has no rules", what), "for example [{to: done}]");
  } else {
    reader.wrong_type(node, what, type.only_list ? "a list of rules" : "a state or a list of rules",
                      "a rule is {when: …, to: …}");
  }
  return def;
}

std::vector<KeyInfo> rule_keys() { return infos(kRuleKeys); }

}  // namespace canorun::workflows
