// The part of a check that finds the overload of a call or an operator.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/expr/checking.h"
#include "engine/expr/library.h"
#include "engine/expr/operators.h"

namespace canorun::expr {
namespace {

std::string conversion_hint(const Type& left, const Type& right) {
  if (left.is_number() && right.is_number()) {
    const bool floating = left.is(TypeKind::kDouble) || right.is(TypeKind::kDouble);
    return floating ? "convert with double()" : "convert with int() or uint()";
  }
  return left.is(TypeKind::kString) != right.is(TypeKind::kString) ? "convert with string()" : "";
}

}  // namespace

std::optional<Type> Checking::resolve(std::span<const Overload> overloads, std::span<const Type> arguments) {
  std::optional<Type> result;
  for (const Overload& overload : overloads) {
    if (overload.parameters.size() != arguments.size()) continue;
    auto found = unifier_.call(overload, arguments);
    if (!found) continue;
    if (!result) {
      result = std::move(found);
    } else if (*result != *found) {
      result = Type::dyn();
    }
  }
  return result;
}

Type Checking::apply(const Chain::Link& link, const Type& left, const Type& right) {
  if (link.op == Operator::kEqual || link.op == Operator::kNotEqual) {
    if (unifier_.comparable(left, right)) return Type::boolean();
  } else if (const auto result = resolve(overloads(link.op), std::array{left, right})) {
    return *result;
  }
  problem(link.span, fmt::format("'{}' does not go with {} and {}", symbol(link.op), text(left), text(right)),
          conversion_hint(left, right));
  const bool arithmetic = link.op < Operator::kEqual;
  return arithmetic ? Type::dyn() : Type::boolean();
}

Type Checking::of(const Call& call, Span) { return invoke(call, nullptr); }

Type Checking::step(const Call& call, const Type& target, Span) { return invoke(call, &target); }

Type Checking::invoke(const Call& call, const Type* receiver) {
  std::vector<Type> arguments;
  if (receiver != nullptr) arguments.push_back(*receiver);
  for (const auto& argument : call.arguments) arguments.push_back(infer(*argument));
  if (call.functions.empty() && call.declared == nullptr) return Type::dyn();
  const auto candidates = call.declared != nullptr ? std::span(*call.declared) : overloads(call.functions);
  if (call.declared == nullptr && call.functions.front().style == Style::kVariadic && arguments.size() > 2) {
    Type all = arguments[0];
    for (const Type& argument : std::span(arguments).subspan(1)) all = join(all, argument);
    arguments = {Type::list(now(all))};
  }
  if (auto result = resolve(candidates, arguments)) return std::move(*result);
  refuse(call, candidates, arguments, receiver != nullptr);
  return Type::dyn();
}

void Checking::refuse(const Call& call, std::span<const Overload> overloads, std::span<const Type> arguments,
                      bool method) {
  std::vector<std::string> types;
  for (const Type& argument : arguments.subspan(method ? 1 : 0)) types.push_back(text(argument));
  const std::string of = method ? fmt::format(" of {}", text(arguments[0])) : "";
  problem(call.name_span, fmt::format("{}(){} does not take ({})", call.name, of, fmt::join(types, ", ")));
  (void)overloads;
}

}  // namespace canorun::expr
