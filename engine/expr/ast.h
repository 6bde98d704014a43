// The tree of an expression: made by the parser, its names bound by the resolver, then immutable.
//
// What CEL nests to one side without end (`1 + 1 + …`, `a.b.c…`, `x && y && …`, `x ? y : z ? …`) is flat here, so that
// the depth of the tree is what the parser bounds and whatever walks it may recurse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/source.h"
#include "engine/expr/signature.h"
#include "engine/expr/value.h"

namespace canorun::expr {

struct Function;
struct Node;
using NodePtr = std::unique_ptr<Node>;

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
};

struct Literal {
  Value value;
};

/// A name that stands alone.
struct Name {
  enum class Binding : std::uint8_t { kNone, kSlot, kLocal, kConstant };
  std::string text;
  bool absolute = false;  ///< `.name`: never a local
  Binding binding = Binding::kNone;
  std::size_t index = 0;  ///< of the slot or the local
  Value constant = {};    ///< a type
};

struct Element {
  NodePtr node;
  bool optional = false;  ///< `?x`: left out when it holds nothing
};
struct ListNode {
  std::vector<Element> elements;
};

struct EntryNode {
  NodePtr key;
  NodePtr value;
  bool optional = false;
};
struct MapNode {
  std::vector<EntryNode> entries;
};

/// `!` or `-`, `count` times.
struct Unary {
  bool negate = false;
  std::size_t count = 1;
  NodePtr operand;
};

/// Operators of one precedence, applied from left to right.
struct Chain {
  struct Link {
    Operator op;
    Span span;  ///< of the operator
    NodePtr operand;
  };
  NodePtr first;
  std::vector<Link> links;
};

/// All `&&`, or all `||`.
struct Logic {
  bool conjunction = false;
  std::vector<NodePtr> terms;
};

/// `a ? b : c ? d : e`.
struct Conditional {
  struct Arm {
    NodePtr condition;
    NodePtr value;
  };
  std::vector<Arm> arms;
  NodePtr otherwise;
};

/// `f(x)`, and `x.f(y)` as a step.
struct Call {
  std::string name;
  Span name_span;
  std::vector<NodePtr> arguments;
  std::span<const Function> functions = {};                    ///< its overloads; empty when it cannot be evaluated
  std::shared_ptr<const std::vector<Overload>> declared = {};  ///< its overloads when the host declared it
};

/// A name that a macro brings into scope.
struct Local {
  std::string name;
  Span span;
  std::size_t index = 0;
};

/// `cel.bind(x, value, body)`.
struct Bind {
  Local local;
  NodePtr value;
  NodePtr body;
};

struct Field {
  std::string name;
  bool optional = false;  ///< `.?name`
  bool test = false;      ///< the last step inside `has()`
};

struct Index {
  NodePtr key;
  bool optional = false;  ///< `[?key]`
};

/// Only the two-variable forms have two locals: index or key, then element or value.
struct Comprehension {
  enum class Macro : std::uint8_t { kAll, kExists, kExistsOne, kMap, kFilter, kTransformList, kTransformMap };
  Macro macro;
  std::vector<Local> locals;
  NodePtr filter;  ///< null when there is none
  NodePtr body;
};

/// `or(x)` and `orValue(x)`: `x` is evaluated only when the optional holds nothing.
struct OrElse {
  bool value = false;
  NodePtr fallback;
};

/// `optMap(x, body)` and `optFlatMap(x, body)`.
struct OptionalMap {
  bool flat = false;
  Local local;
  NodePtr body;
};

struct Step {
  Span span;  ///< of the field's name, of the brackets' inside, of the function's name
  std::variant<Field, Index, Call, Comprehension, OrElse, OptionalMap> form;
};

/// A value and what is read from it or called on it, from left to right.
struct Path {
  NodePtr base;
  std::vector<Step> steps;
};

struct Node {
  Span span;
  std::variant<Literal, Name, ListNode, MapNode, Unary, Chain, Logic, Conditional, Call, Bind, Path> form;
};

}  // namespace canorun::expr
