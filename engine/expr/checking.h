// One check of a tree: the state it carries, and a function per form of node.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/ast.h"
#include "engine/expr/problem.h"
#include "engine/expr/signature.h"
#include "engine/expr/type.h"
#include "engine/expr/unifier.h"

namespace canorun::expr {

/// Used once. Recursion is bounded by the parser's limit on nesting. A part with a problem is dyn, so
/// that nothing follows from it.
class Checking {
 public:
  Checking(std::size_t locals, std::span<const Type> slots) : slots_(slots), locals_(locals) {}

  Type infer(const Node& node);
  /// Without variables.
  Type finish(const Type& type) { return unifier_.finish(type); }
  std::vector<Problem> problems() && { return std::move(problems_); }

 private:
  Type of(const Literal& literal, Span span);
  Type of(const Name& name, Span span);
  Type of(const ListNode& list, Span span);
  Type of(const MapNode& map, Span span);
  Type of(const Unary& unary, Span span);
  Type of(const Chain& chain, Span span);
  Type of(const Logic& logic, Span span);
  Type of(const Conditional& conditional, Span span);
  Type of(const Call& call, Span span);
  Type of(const Bind& bind, Span span);
  Type of(const Path& path, Span span);

  Type step(const Field& field, const Type& target, Span span);
  Type step(const Index& index, const Type& target, Span span);
  Type step(const Call& call, const Type& target, Span span);
  Type step(const OrElse& form, const Type& target, Span span);
  Type step(const OptionalMap& form, const Type& target, Span span);
  Type step(const Comprehension& form, const Type& target, Span span);

  /// What is read from a map, without what `?` adds.
  Type field_of(const Type& map, std::string_view name, Span span);
  Type field_of(const std::shared_ptr<const Record>& record, std::string_view name, Span span);
  Type element_of(const Type& container, const Type& key, Span span);
  /// Gives the locals of a macro the types of what it goes over.
  void enter(const Comprehension& form, const Type& target, Span span);
  /// What is inside of an optional; nothing, and a problem, when it is none.
  std::optional<Type> inside_of(const Type& type, std::string_view who, Span span);

  Type apply(const Chain::Link& link, const Type& left, Span left_span, const Type& right);
  void condition(const Node& node);
  /// The type of an element or entry, without the optional it is in.
  Type part(const Node& node, bool optional);
  /// The one type of what stands side by side.
  Type join(const Type& before, const Type& next);

  Type invoke(const Call& call, const Type* receiver);
  std::optional<Type> resolve(std::span<const Overload> overloads, std::span<const Type> arguments);
  void check_literal(const Call& call);
  void refuse(const Call& call, std::span<const Overload> overloads, std::span<const Type> arguments);

  Type problem(Span span, std::string message, std::string hint = {});
  std::string text(const Type& type) { return unifier_.finish(type).text(); }
  /// "null", or "a value of type int".
  std::string described(const Type& type);
  /// What the overloads with so many parameters take at `place`; empty when `type` may stand there.
  std::string wanted(std::span<const Overload> overloads, std::size_t count, std::size_t place, const Type& type);
  /// The type as far as it is known now.
  Type now(const Type& type) { return unifier_.substitute(type); }

  std::span<const Type> slots_;
  std::vector<Type> locals_;
  Unifier unifier_;
  std::vector<Problem> problems_;
};

}  // namespace canorun::expr
