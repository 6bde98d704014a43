// One evaluation of a tree: the state it carries, and a function per form of node.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/expr/ast.h"
#include "engine/expr/budget.h"
#include "engine/expr/problem.h"
#include "engine/expr/value.h"

namespace canorun::expr {

/// Behind a pointer: what is returned at every node stays small.
using Fault = std::unique_ptr<Problem>;
using Outcome = std::expected<Value, Fault>;

std::unexpected<Fault> fault(Span span, std::string message, std::string hint = {});

/// Joins bools by `&&` or `||`: the first one that settles it wins over errors before it.
class Fold {
 public:
  explicit Fold(bool conjunction) : conjunction_(conjunction) {}

  /// True when nothing that follows can change the result.
  bool take(Outcome outcome, Span span);
  Outcome result();

 private:
  bool conjunction_;
  bool settled_ = false;
  Fault first_fault_;
};

/// Used once. Recursion is bounded by the parser's limit on nesting.
class Evaluation {
 public:
  Evaluation(std::size_t locals, std::span<const Value> slots) : slots_(slots), locals_(locals) {}

  Outcome evaluate(const Node& node);

 private:
  Outcome compute(const Literal& literal, Span span);
  Outcome compute(const Name& name, Span span);
  Outcome compute(const ListNode& list, Span span);
  Outcome compute(const MapNode& map, Span span);
  Outcome compute(const Unary& unary, Span span);
  Outcome compute(const Chain& chain, Span span);
  Outcome compute(const Logic& logic, Span span);
  Outcome compute(const Conditional& conditional, Span span);
  Outcome compute(const Call& call, Span span);
  Outcome compute(const Bind& bind, Span span);
  Outcome compute(const Path& path, Span span);

  Outcome take(const Field& field, const Value& target, Span span);
  Outcome take(const Index& index, const Value& target, Span span);
  Outcome take(const Call& call, const Value& target, Span span);
  Outcome take(const OrElse& form, const Value& target, Span span);
  Outcome take(const OptionalMap& form, const Value& target, Span span);
  Outcome take(const Comprehension& form, const Value& target, Span span);

  Outcome invoke(const Call& call, const Value* receiver);
  /// What an element or entry adds: nothing when it is an optional that is empty.
  std::expected<std::optional<Value>, Fault> part(const Node& node, bool optional);
  Outcome condition(const Node& node);
  Outcome test_all(const Comprehension& form, const Value& target);
  Outcome count_one(const Comprehension& form, const Value& target);
  Outcome collect(const Comprehension& form, const Value& target);
  Outcome collect_map(const Comprehension& form, const Value& target);
  /// Puts what the `index`th round is about into the locals: an element of a list, or `key` of a map.
  void enter(const Comprehension& form, const Value& target, const Value* key, std::size_t index);
  /// True when there is no filter or it holds.
  std::expected<bool, Fault> passes(const Comprehension& form);

  Outcome spent(Span span) const;
  Outcome located(Result<Value> result, Span span);

  std::span<const Value> slots_;
  std::vector<Value> locals_;
  Budget budget_;
};

}  // namespace canorun::expr
