#include "workflows/rule_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <compare>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "engine/base/blanks.h"

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

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// A path or a literal: what cannot give NaN, of which no comparison holds.
bool is_calm(std::string_view text) {
  constexpr std::string_view kCalm = ".[]'\" ";
  return !text.empty() && std::ranges::all_of(text, [&](char c) { return is_word(c) || kCalm.contains(c); });
}

// Behind the text in quotes or brackets that begins at `at`, or behind that character.
std::size_t skipped(std::string_view text, std::size_t at) {
  int depth = 0;
  char quote = 0;
  do {
    const char c = text[at++];
    if (quote != 0) {
      if (c == '\\') ++at;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (std::string_view("([{").contains(c)) {
      ++depth;
    } else if (std::string_view(")]}").contains(c)) {
      --depth;
    }
  } while (at < text.size() && (depth > 0 || quote != 0));
  return std::min(at, text.size());
}

// Without the blanks that separate no words.
std::string packed(std::string_view text) {
  std::string packed;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find_first_not_of(kBlanks, at), text.size());
    const bool separates =
        next > at && next < text.size() && !packed.empty() && is_word(packed.back()) && is_word(text[next]);
    if (separates) packed += ' ';
    if (next == text.size()) break;
    const bool quoted = text[next] == '"' || text[next] == '\'';
    at = quoted ? skipped(text, next) : next + 1;
    packed += text.substr(next, at - next);
  }
  return packed;
}

// What a `!` before it denies as a whole: a path with its calls and indexes, or something in brackets.
bool is_operand(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); at = skipped(text, at)) {
    if (!is_word(text[at]) && !std::string_view(".'\"([{").contains(text[at])) return false;
  }
  return !text.empty();
}

/// What a condition says, or denies: two of which one denies what the other says are opposites.
struct Saying {
  std::string what;
  bool denied = false;
  auto operator<=>(const Saying&) const = default;
};

// `a == b` or `a < b`, which may be denied, of a comparison of calm operands.
std::optional<Saying> comparison(std::string_view text) {
  struct Form {
    std::string_view op, base;
    bool turned, denied;
  };
  constexpr std::array<Form, 6> kForms{{{"==", "==", false, false},
                                        {"!=", "==", false, true},
                                        {"<=", "<", true, true},
                                        {">=", "<", false, true},
                                        {"<", "<", false, false},
                                        {">", "<", true, false}}};
  for (const Form& form : kForms) {
    const std::size_t at = text.find(form.op);
    if (at == std::string_view::npos) continue;
    std::string_view left = text.substr(0, at);
    std::string_view right = text.substr(at + form.op.size());
    if (!is_calm(left) || !is_calm(right)) return std::nullopt;
    if (form.turned || (form.base == "==" && left > right)) std::swap(left, right);
    return Saying{fmt::format("{}{}{}", left, form.base, right), form.denied};
  }
  return std::nullopt;
}

Saying saying(std::string_view condition) {
  const std::string whole = packed(condition);
  std::string_view text = whole;
  bool denied = false;
  for (;;) {
    if (text.starts_with('(') && skipped(text, 0) == text.size()) {
      text = text.substr(1, text.size() - 2);
    } else if (text.starts_with('!') && is_operand(text.substr(1))) {
      text.remove_prefix(1);
      denied = !denied;
    } else {
      break;
    }
  }
  if (const auto compared = comparison(text)) return {compared->what, compared->denied != denied};
  return {std::string(text), denied};
}

}  // namespace

bool never_holds(const model::Transition& rule) { return constant(rule) == false; }

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
    } else if (never_holds(compiled[i])) {
      if (!reader.report.full()) {
        reader.report.warning(Code::kShadowedTransition, reader.document.span(*node), "this rule never holds",
                              "delete it, or say when");
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
  std::set<Saying> said;
  for (std::size_t i = 0; i < compiled.next.size(); ++i) {
    const auto& when = compiled.next[i].when;
    // A `when` that is wrong may have been meant to hold always.
    if (holds_always(def.next.rules[i], compiled.next[i]) || !when) return;
    Saying rule = saying(when->text());
    if (said.contains({rule.what, !rule.denied})) return;
    said.insert(std::move(rule));
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
    reader.report.warning(
        Code::kUnguardedLoop, reader.document.span(*state.on_error.rules.front().to),
        fmt::format("state '{}' begins again whenever it fails, until 'max_transitions' ends the run", state.text()),
        fmt::format("use 'retry', or a rule: {{when: states.{}.visits < 3, to: …}}", state.text()));
  }
}

}  // namespace canorun::workflows
