#include "workflows/rule_check.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace canorun::workflows {
namespace {

std::optional<bool> constant(const model::Transition& rule) {
  const expr::Value* literal = rule.when ? rule.when->literal() : nullptr;
  if (literal == nullptr || !literal->is(expr::Kind::kBool)) return std::nullopt;
  return literal->as_bool();
}

// A `when` that is wrong holds nobody knows when.
bool holds_always(const RuleDef& def, const model::Transition& compiled) {
  return def.when == nullptr || constant(compiled) == true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// A path or a literal: what cannot give NaN, of which no comparison holds.
bool is_calm(std::string_view text) {
  constexpr std::string_view kCalm = "_.[]'\" ";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kCalm.find(c) != std::string_view::npos;
  });
}

// `x in y` is none: `!x in y` does not deny it.
bool is_flag(std::string_view text) { return is_calm(text) && text.find(' ') == std::string_view::npos; }

/// An expression that says at a glance when it holds, and what holds exactly when it does not.
struct Plain {
  std::string text;
  std::string opposite;
};

std::optional<Plain> plain(std::string_view text) {
  constexpr std::array<std::array<std::string_view, 2>, 6> kOpposites{
      {{"==", "!="}, {"!=", "=="}, {"<=", ">"}, {">=", "<"}, {"<", ">="}, {">", "<="}}};
  text = trimmed(text);
  const std::string_view denied = text.starts_with('!') ? trimmed(text.substr(1)) : std::string_view();
  if (is_flag(text)) return Plain{std::string(text), fmt::format("!{}", text)};
  if (is_flag(denied)) return Plain{fmt::format("!{}", denied), std::string(denied)};
  for (const auto& [op, other] : kOpposites) {
    const std::size_t at = text.find(op);
    if (at == std::string_view::npos) continue;
    const auto left = trimmed(text.substr(0, at));
    const auto right = trimmed(text.substr(at + op.size()));
    if (!is_calm(left) || !is_calm(right)) return std::nullopt;
    return Plain{fmt::format("{} {} {}", left, op, right), fmt::format("{} {} {}", left, other, right)};
  }
  return std::nullopt;
}

}  // namespace

void check_rules(Reader& reader, const RulesDef& def, const std::vector<model::Transition>& compiled) {
  const RuleDef* always = nullptr;
  std::unordered_map<std::string_view, const Node*> seen;
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    const RuleDef& rule = def.rules[i];
    const Node* const node = rule.when != nullptr ? rule.when : rule.to;
    if (node == nullptr) continue;
    if (always != nullptr) {
      reader.error(Code::kShadowedTransition, *node, "this rule is never looked at: the one before it always holds",
                   "put the rule without 'when' last");
      continue;
    }
    if (holds_always(rule, compiled[i])) {
      always = &rule;
    } else if (constant(compiled[i]) == false) {
      if (!reader.report.full()) {
        reader.report.warning(Code::kShadowedTransition, reader.document.span(*node), "this rule never holds", "delete it, or say when");
      }
    } else if (compiled[i].when) {
      const auto [first, is_new] = seen.emplace(trimmed(compiled[i].when->text()), node);
      if (is_new) continue;
      reader.error(Code::kShadowedTransition, *node, "this rule is never taken: one before it holds whenever it does",
                   fmt::format("the same stands in line {}", reader.document.line(*first->second)));
    }
  }
}

void check_last_rule(Reader& reader, const StateDef& def, const model::State& compiled) {
  if (def.next.rules.empty() || reader.report.full()) return;
  std::unordered_set<std::string> opposites;
  for (std::size_t i = 0; i < compiled.next.size(); ++i) {
    const auto& when = compiled.next[i].when;
    // A `when` that is wrong may have been meant to hold always.
    if (holds_always(def.next.rules[i], compiled.next[i]) || !when) return;
    auto rule = plain(when->text());
    if (!rule) continue;
    if (opposites.contains(rule->text)) return;
    opposites.insert(std::move(rule->opposite));
  }
  reader.report.warning(Code::kNoUnconditionalNext, reader.document.span(*def.next.rules.back().when),
                        fmt::format("state '{}' fails when none of its rules holds", def.text()),
                        "end the rules with one that has no 'when'");
}

void check_loops(Reader& reader, const Definition& flow, const Graph& graph, const model::Flow& compiled) {
  // Longer ways through routes are not looked at.
  constexpr int kMostRoutes = 50;
  // Where a state always goes, after its work or after its failure.
  const auto always = [&](model::StateId id, bool after_error) -> std::optional<model::StateId> {
    const auto& rules = after_error ? flow.states[id].on_error.rules : flow.states[id].next.rules;
    const auto& made = after_error ? compiled.states[id].on_error : compiled.states[id].next;
    const auto edge = std::ranges::find(graph.edges[id], after_error, &Edge::after_error);
    if (rules.empty() || !edge->certain || !holds_always(rules.front(), made.front())) return std::nullopt;
    return edge->to;
  };
  for (model::StateId id = 0; id < flow.states.size() && !reader.report.full(); ++id) {
    auto to = always(id, true);
    for (int routes = 0; to && to != id && routes < kMostRoutes; ++routes) {
      to = std::holds_alternative<RouteDef>(flow.states[*to].shape) ? always(*to, false) : std::nullopt;
    }
    if (to != id) continue;
    const StateDef& state = flow.states[id];
    reader.report.warning(Code::kUnguardedLoop, reader.document.span(*state.on_error.rules.front().to),
                          fmt::format("state '{}' begins again whenever it fails, until 'max_transitions' ends the run", state.text()),
                          fmt::format("use 'retry', or a rule: {{when: states.{}.visits < 3, to: …}}", state.text()));
  }
}

}  // namespace canorun::workflows
