#include "engine/expr/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/expr/checking.h"
#include "engine/expr/operators.h"

namespace canorun::expr {
namespace {

// A record that is not there yet is null: `states.a.output == null ? null : states.a.output`.
bool is_record_or_null(const Type& a, const Type& b) {
  return (a.is(TypeKind::kRecord) && b.is(TypeKind::kNull)) || (a.is(TypeKind::kNull) && b.is(TypeKind::kRecord));
}

bool is_key(const Type& type) {
  return type.is_dyn() || type.is(TypeKind::kVariable) || type.is(TypeKind::kBool) || type.is(TypeKind::kInt) ||
         type.is(TypeKind::kUint) || type.is(TypeKind::kString);
}

}  // namespace

Checked check(const Node& root, std::size_t locals, std::span<const Type> slots) {
  Checking checking(locals, slots);
  Type type = checking.infer(root);
  type = checking.finish(type);
  return {std::move(type), std::move(checking).problems()};
}

Type Checking::infer(const Node& node) {
  return std::visit([&](const auto& form) { return of(form, node.span); }, node.form);
}

Type Checking::problem(Span span, std::string message, std::string hint) {
  if (problems_.size() < kMostProblems)
    problems_.push_back({ProblemKind::kType, std::move(message), std::move(hint), span});
  return Type::dyn();
}

std::string Checking::described(const Type& type) {
  return type.is(TypeKind::kNull) ? "null" : "a value of type " + text(type);
}

Type Checking::of(const Literal& literal, Span) { return Type::of(literal.value.kind()); }

Type Checking::of(const Name& name, Span) {
  if (name.binding == Name::Binding::kSlot) return name.index < slots_.size() ? slots_[name.index] : Type::dyn();
  if (name.binding == Name::Binding::kLocal) return now(locals_[name.index]);
  if (name.binding == Name::Binding::kNone) return Type::dyn();
  return Type::type(Type::of(name.constant.as_type()));
}

Type Checking::part(const Node& node, bool optional) {
  const Type type = infer(node);
  if (!optional) return type;
  if (type.is_dyn()) return type;
  if (type.is(TypeKind::kOptional)) return type.parameters()[0];
  return problem(node.span, fmt::format("'?' needs an optional, not {}", text(type)));
}

Type Checking::join(const Type& before, const Type& next) {
  return unifier_.assignable(before, next) ? Unifier::most_general(before, next) : Type::dyn();
}

Type Checking::of(const ListNode& list, Span) {
  std::optional<Type> element;
  for (const auto& [node, optional] : list.elements) {
    const Type type = part(*node, optional);
    element = element ? join(*element, type) : type;
  }
  return Type::list(element ? now(*element) : unifier_.fresh());
}

Type Checking::of(const MapNode& map, Span) {
  std::optional<Type> key;
  std::optional<Type> value;
  for (const auto& entry : map.entries) {
    Type key_type = infer(*entry.key);
    if (!is_key(key_type)) {
      key_type = problem(entry.key->span, fmt::format("a map has no keys of type {}", text(key_type)));
    }
    const Type value_type = part(*entry.value, entry.optional);
    key = key ? join(*key, key_type) : key_type;
    value = value ? join(*value, value_type) : value_type;
  }
  return Type::map(key ? now(*key) : unifier_.fresh(), value ? now(*value) : unifier_.fresh());
}

Type Checking::of(const Unary& unary, Span) {
  const Type operand = infer(*unary.operand);
  if (!unary.negate) {
    if (unifier_.assignable(operand, Type::boolean())) return Type::boolean();
    return problem(unary.operand->span, fmt::format("'!' does not go with {}", text(operand)));
  }
  if (operand.is_dyn() || operand.is(TypeKind::kVariable)) return Type::dyn();
  if (operand.is(TypeKind::kInt) || operand.is(TypeKind::kDouble)) return operand;
  return problem(unary.operand->span, fmt::format("'-' does not go with {}", text(operand)),
                 operand.is(TypeKind::kUint) ? "convert with int()" : "");
}

Type Checking::of(const Chain& chain, Span) {
  Type left = infer(*chain.first);
  Span left_span = chain.first->span;
  for (const auto& link : chain.links) {
    left = apply(link, left, left_span, infer(*link.operand));
    left_span.end = link.operand->span.end;
  }
  return left;
}

Type Checking::of(const Logic& logic, Span) {
  for (const auto& term : logic.terms) condition(*term);
  return Type::boolean();
}

void Checking::condition(const Node& node) {
  const Type type = infer(node);
  if (unifier_.assignable(type, Type::boolean())) return;
  problem(node.span, fmt::format("a condition must be a bool, not {}", text(type)));
}

Type Checking::of(const Conditional& conditional, Span) {
  static const Overload kOneType = Signature("(A, A) -> A").overload();
  std::vector<Type> values;
  for (const auto& arm : conditional.arms) {
    condition(*arm.condition);
    values.push_back(infer(*arm.value));
  }
  Type type = infer(*conditional.otherwise);
  const Node* last = conditional.otherwise.get();
  for (std::size_t i = values.size(); i-- > 0; last = conditional.arms[i].value.get()) {
    if (is_record_or_null(now(values[i]), now(type))) {
      type = Type::dyn();
      continue;
    }
    if (const auto joined = unifier_.call(kOneType, std::array{values[i], type})) {
      type = *joined;
      continue;
    }
    type = problem(last->span,
                   fmt::format("both sides of ':' must have one type, not {} and {}", text(values[i]), text(type)),
                   "put dyn() around one of them");
  }
  return type;
}

Type Checking::of(const Bind& bind, Span) {
  locals_[bind.local.index] = infer(*bind.value);
  return infer(*bind.body);
}

Type Checking::of(const Path& path, Span) {
  Type current = infer(*path.base);
  for (const auto& step : path.steps) {
    current = std::visit([&](const auto& form) { return this->step(form, now(current), step.span); }, step.form);
  }
  return current;
}

}  // namespace canorun::expr
