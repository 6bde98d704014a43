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

bool either(const Type& a, const Type& b, TypeKind kind) { return a.is(kind) != b.is(kind); }

// How to make two operands go together.
std::string conversion_hint(Operator op, const Type& a, const Type& b) {
  if (either(a, b, TypeKind::kOptional)) return "take the value with orValue(…)";
  if (a.is_number() && b.is_number()) {
    return either(a, b, TypeKind::kDouble) ? "convert with double()" : "convert with int() or uint()";
  }
  if (either(a, b, TypeKind::kTimestamp)) return "convert with timestamp()";
  if (either(a, b, TypeKind::kDuration)) return "convert with duration()";
  if (!either(a, b, TypeKind::kString)) return "";
  const Type& other = a.is(TypeKind::kString) ? b : a;
  if (op == Operator::kAdd || !other.is_number()) return "convert with string()";
  return fmt::format("convert with string() or {}()", other.text());
}

// How to make an operand one that arithmetic takes.
std::string number_hint(Operator op, const Type& type) {
  return op < Operator::kEqual && type.is(TypeKind::kString) ? "convert with int() or double()" : "";
}

// "a, b or c"
std::string alternatives(std::span<const std::string> texts) {
  if (texts.size() == 1) return texts[0];
  return fmt::format("{} or {}", fmt::join(texts.first(texts.size() - 1), ", "), texts.back());
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

Type Checking::apply(const Chain::Link& link, const Type& left, Span left_span, const Type& right) {
  const bool equality = link.op == Operator::kEqual || link.op == Operator::kNotEqual;
  const auto rows = overloads(link.op);
  if (equality) {
    if (unifier_.comparable(left, right)) return Type::boolean();
  } else if (const auto result = resolve(rows, std::array{left, right})) {
    return *result;
  }
  const std::string_view name = symbol(link.op);
  if (!equality && !wanted(rows, 2, 0, left).empty()) {
    problem(left_span, fmt::format("'{}' does not go with {}", name, text(left)), number_hint(link.op, finish(left)));
  } else if (!equality && !wanted(rows, 2, 1, right).empty()) {
    problem(link.operand->span, fmt::format("'{}' does not go with {}", name, text(right)),
            number_hint(link.op, finish(right)));
  } else {
    problem(link.span, fmt::format("'{}' does not go with {} and {}", name, text(left), text(right)),
            conversion_hint(link.op, finish(left), finish(right)));
  }
  return link.op < Operator::kEqual ? Type::dyn() : Type::boolean();
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
  if (auto result = resolve(candidates, arguments)) {
    check_literal(call);
    return std::move(*result);
  }
  refuse(call, candidates, arguments);
  return Type::dyn();
}

// What a literal says can be known to be wrong before anything runs.
void Checking::check_literal(const Call& call) {
  if (call.functions.empty() || call.arguments.empty()) return;
  const bool pattern = call.name == "matches";
  if (!pattern && call.name != "duration" && call.name != "timestamp") return;
  const Node& argument = *call.arguments.back();
  const auto* literal = std::get_if<Literal>(&argument.form);
  if (literal == nullptr) return;
  std::vector<Value> values{literal->value};
  if (pattern) values.insert(values.begin(), Value::string(""));
  Budget budget;
  const Function& function = call.functions.front();
  if (auto made = function.run({function, values, budget}); !made) {
    problem(argument.span, std::move(made.error().message), std::move(made.error().hint));
  }
}

std::string Checking::wanted(std::span<const Overload> overloads, std::size_t count, std::size_t place,
                             const Type& type) {
  const Type known = finish(type);
  std::vector<std::string> texts;
  for (const Overload& overload : overloads) {
    if (overload.parameters.size() != count) continue;
    Unifier alone;
    alone.fresh(overload.variables);
    const Type& parameter = overload.parameters[place];
    if (alone.assignable(known, parameter)) return {};
    if (std::ranges::find(texts, parameter.text()) == texts.end()) texts.push_back(parameter.text());
  }
  return texts.empty() ? "" : alternatives(texts);
}

// The receiver, or the first argument, that no overload takes; when each has one that does, all of them.
void Checking::refuse(const Call& call, std::span<const Overload> overloads, std::span<const Type> arguments) {
  const std::size_t receiver = arguments.size() > call.arguments.size() ? 1 : 0;
  const auto takes = [&](std::size_t place) { return wanted(overloads, arguments.size(), place, arguments[place]); };
  if (receiver > 0) {
    if (const std::string types = takes(0); !types.empty()) {
      problem(call.name_span, fmt::format("{}() is for {}, not {}", call.name, types, text(arguments[0])));
      return;
    }
  }
  for (std::size_t i = receiver; i < arguments.size() && arguments.size() - receiver == call.arguments.size(); ++i) {
    const std::string types = takes(i);
    if (types.empty()) continue;
    const std::size_t number = i - receiver;
    const std::string which = call.arguments.size() == 1 ? "" : fmt::format(" as argument {}", number + 1);
    problem(call.arguments[number]->span,
            fmt::format("{}() takes {}{}, not {}", call.name, types, which, text(arguments[i])));
    return;
  }
  std::vector<std::string> types;
  for (const Type& argument : arguments.subspan(receiver)) types.push_back(text(argument));
  const std::string of = receiver > 0 ? fmt::format(" of {}", text(arguments[0])) : "";
  problem(call.name_span, fmt::format("{}(){} does not take ({})", call.name, of, fmt::join(types, ", ")));
}

}  // namespace canorun::expr
