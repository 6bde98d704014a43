#include "engine/expr/evaluator.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "engine/expr/access.h"
#include "engine/expr/evaluation.h"
#include "engine/expr/library.h"
#include "engine/expr/operators.h"

namespace canorun::expr {
namespace {

constexpr std::size_t kFewArguments = 4;
// A problem is made with a hint, which costs; `||` and `exists` may go over very many.
constexpr std::uint64_t kStepsPerProblem = 16;

bool is_key(const Value& value) {
  return value.is(Kind::kString) || value.is(Kind::kInt) || value.is(Kind::kUint) || value.is(Kind::kBool);
}

}  // namespace

std::unexpected<Fault> fault(Span span, std::string message, std::string hint) {
  return std::unexpected(
      std::make_unique<Problem>(Problem{ProblemKind::kEvaluation, std::move(message), std::move(hint), span}));
}

bool Fold::take(Outcome outcome, Span span) {
  if (outcome && !outcome->is(Kind::kBool)) {
    outcome = fault(span, fmt::format("a condition must be a bool, not {}", type_name(*outcome)));
  }
  if (!outcome) {
    if (!first_fault_) first_fault_ = std::move(outcome.error());
    return false;
  }
  settled_ = outcome->as_bool() != conjunction_;
  return settled_;
}

Outcome Fold::result() {
  if (settled_) return Value::boolean(!conjunction_);
  if (first_fault_) return std::unexpected(std::move(first_fault_));
  return Value::boolean(conjunction_);
}

Outcome Evaluation::evaluate(const Node& node) {
  if (!budget_.charge()) return spent(node.span);
  return std::visit([&](const auto& form) { return compute(form, node.span); }, node.form);
}

Outcome Evaluation::spent(Span span) const {
  return fault(span, "the expression takes too much work", "it works on too much data: let a command do it");
}

Outcome Evaluation::located(Result<Value> result, Span span) {
  if (!result) budget_.charge(kStepsPerProblem);
  if (budget_.spent()) return spent(span);
  if (result) return std::move(*result);
  return fault(span, std::move(result.error().message), std::move(result.error().hint));
}

Outcome Evaluation::compute(const Literal& literal, Span) { return literal.value; }

Outcome Evaluation::compute(const Name& name, Span span) {
  switch (name.binding) {
    case Name::Binding::kSlot: return slots_[name.index];
    case Name::Binding::kLocal: return locals_[name.index];
    case Name::Binding::kConstant: return name.constant;
    case Name::Binding::kNone: break;
  }
  return fault(span, fmt::format("unknown name '{}'", name.text));
}

std::expected<std::optional<Value>, Fault> Evaluation::part(const Node& node, bool optional) {
  Outcome value = evaluate(node);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!optional) return std::move(*value);
  if (!value->is(Kind::kOptional)) {
    return fault(node.span, fmt::format("'?' needs an optional, not {}", type_name(*value)));
  }
  if (value->as_optional() == nullptr) return std::nullopt;
  return *value->as_optional();
}

Outcome Evaluation::compute(const ListNode& list, Span) {
  std::vector<Value> elements;
  elements.reserve(list.elements.size());
  for (const auto& element : list.elements) {
    auto value = part(*element.node, element.optional);
    if (!value) return std::unexpected(std::move(value.error()));
    if (*value) elements.push_back(std::move(**value));
  }
  return Value::list(std::move(elements));
}

Outcome Evaluation::compute(const MapNode& map, Span span) {
  std::vector<Value::Entry> entries;
  entries.reserve(map.entries.size());
  for (const auto& entry : map.entries) {
    Outcome key = evaluate(*entry.key);
    if (!key) return key;
    if (!is_key(*key)) return fault(entry.key->span, fmt::format("a map has no keys of type {}", type_name(*key)));
    auto value = part(*entry.value, entry.optional);
    if (!value) return std::unexpected(std::move(value.error()));
    if (*value) entries.emplace_back(std::move(*key), std::move(**value));
  }
  auto made = Value::map(std::move(entries));
  if (!made) return fault(span, "a key stands twice in the map");
  return std::move(*made);
}

Outcome Evaluation::compute(const Unary& unary, Span span) {
  Outcome operand = evaluate(*unary.operand);
  if (!operand) return operand;
  const bool odd = unary.count % 2 == 1;
  if (!unary.negate) {
    if (!operand->is(Kind::kBool)) return fault(span, fmt::format("'!' does not go with {}", type_name(*operand)));
    return Value::boolean(operand->as_bool() != odd);
  }
  Outcome negated = located(negate(*operand), span);
  if (!negated || odd) return negated;
  return operand;
}

Outcome Evaluation::compute(const Chain& chain, Span) {
  Outcome left = evaluate(*chain.first);
  for (const auto& link : chain.links) {
    if (!left) return left;
    Outcome right = evaluate(*link.operand);
    if (!right) return right;
    left = located(apply(link.op, *left, *right, budget_), link.span);
  }
  return left;
}

Outcome Evaluation::compute(const Logic& logic, Span) {
  Fold fold(logic.conjunction);
  for (const auto& term : logic.terms) {
    if (fold.take(evaluate(*term), term->span)) break;
  }
  return fold.result();
}

Outcome Evaluation::condition(const Node& node) {
  Outcome value = evaluate(node);
  if (value && !value->is(Kind::kBool)) {
    return fault(node.span, fmt::format("a condition must be a bool, not {}", type_name(*value)));
  }
  return value;
}

Outcome Evaluation::compute(const Conditional& conditional, Span) {
  for (const auto& arm : conditional.arms) {
    Outcome holds = condition(*arm.condition);
    if (!holds) return holds;
    if (holds->as_bool()) return evaluate(*arm.value);
  }
  return evaluate(*conditional.otherwise);
}

Outcome Evaluation::compute(const Call& call, Span) { return invoke(call, nullptr); }

Outcome Evaluation::compute(const Bind& bind, Span) {
  Outcome value = evaluate(*bind.value);
  if (!value) return value;
  locals_[bind.local.index] = std::move(*value);
  return evaluate(*bind.body);
}

Outcome Evaluation::compute(const Path& path, Span) {
  Outcome current = evaluate(*path.base);
  for (const auto& step : path.steps) {
    if (!current) return current;
    if (!budget_.charge()) return spent(step.span);
    current = std::visit([&](const auto& form) { return take(form, *current, step.span); }, step.form);
    // A step may add a level, and steps are not bounded: what is too deep could not even be destroyed.
    if (current && current->depth() > kMaxJsonDepth) {
      return fault(step.span, fmt::format("the value is nested deeper than {} levels", kMaxJsonDepth));
    }
  }
  return current;
}

Outcome Evaluation::take(const Field& field, const Value& target, Span span) {
  return located(read_field(target, field, budget_), span);
}

Outcome Evaluation::take(const Index& index, const Value& target, Span span) {
  Outcome key = evaluate(*index.key);
  if (!key) return key;
  return located(read_index(target, *key, index.optional, budget_), span);
}

Outcome Evaluation::take(const Call& call, const Value& target, Span) { return invoke(call, &target); }

Outcome Evaluation::take(const OrElse& form, const Value& target, Span span) {
  const std::string_view name = form.value ? "orValue" : "or";
  if (!target.is(Kind::kOptional)) {
    return fault(span, fmt::format("{}() needs an optional, not {}", name, type_name(target)),
                 "an optional comes from '.?field' or '[?key]'");
  }
  if (target.as_optional() != nullptr) return form.value ? *target.as_optional() : target;
  Outcome fallback = evaluate(*form.fallback);
  if (fallback && !form.value && !fallback->is(Kind::kOptional)) {
    return fault(form.fallback->span, fmt::format("or() takes an optional, not {}", type_name(*fallback)));
  }
  return fallback;
}

Outcome Evaluation::take(const OptionalMap& form, const Value& target, Span span) {
  const std::string_view name = form.flat ? "optFlatMap" : "optMap";
  if (!target.is(Kind::kOptional)) {
    return fault(span, fmt::format("{}() needs an optional, not {}", name, type_name(target)));
  }
  if (target.as_optional() == nullptr) return target;
  locals_[form.local.index] = *target.as_optional();
  Outcome result = evaluate(*form.body);
  if (!result) return result;
  if (!form.flat) return Value::optional(std::move(*result));
  if (result->is(Kind::kOptional)) return result;
  return fault(form.body->span, fmt::format("optFlatMap() takes an optional, not {}", type_name(*result)));
}

Outcome Evaluation::invoke(const Call& call, const Value* receiver) {
  if (call.functions.empty()) return fault(call.name_span, fmt::format("{}() cannot be called so", call.name));
  const std::size_t count = call.arguments.size() + (receiver != nullptr ? 1 : 0);
  std::array<Value, kFewArguments> few;
  std::vector<Value> many(count > few.size() ? count : 0);
  const std::span<Value> arguments(many.empty() ? few.data() : many.data(), count);
  std::size_t next = 0;
  if (receiver != nullptr) arguments[next++] = *receiver;
  for (const auto& argument : call.arguments) {
    Outcome value = evaluate(*argument);
    if (!value) return value;
    arguments[next++] = std::move(*value);
  }
  return located(call.functions.front().run({call.functions.front(), arguments, budget_}), call.name_span);
}

std::expected<Value, Problem> evaluate(const Node& root, std::size_t locals, std::span<const Value> slots) {
  Outcome outcome = Evaluation(locals, slots).evaluate(root);
  if (outcome) return std::move(*outcome);
  return std::unexpected(std::move(*outcome.error()));
}

}  // namespace canorun::expr
