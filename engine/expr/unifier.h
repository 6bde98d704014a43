// Finds out what the variables of types stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/expr/signature.h"
#include "engine/expr/type.h"

namespace canorun::expr {

/// One check's variables and what they were found to be. The rules are those of the reference
/// implementation, so that the same types are deduced.
class Unifier {
 public:
  Type fresh();
  /// So many fresh variables, one after the other; the first one's number.
  std::uint32_t fresh(std::uint32_t count);

  /// True when `from` may stand where `to` is wanted; what follows for variables is kept. Only what is known
  /// counts: dyn goes with everything, so false means that it surely does not fit. Numbers are not
  /// converted; null fits timestamps, durations and optionals; a record is a map(string, dyn). When false
  /// nothing is changed.
  bool assignable(const Type& from, const Type& to);
  bool assignable(std::span<const Type> from, std::span<const Type> to);
  /// As `assignable`, but numbers go with numbers and null with everything, also inside: what `==` compares.
  bool comparable(const Type& left, const Type& right);

  /// The result of a call, when the arguments fit; what follows for their variables is kept.
  std::optional<Type> call(const Overload& overload, std::span<const Type> arguments);

  /// The more general of two types that were found to be assignable.
  static Type most_general(const Type& a, const Type& b);

  /// `type` with every variable that is known replaced.
  Type substitute(const Type& type);
  /// The same, and variables of which nothing is known are dyn.
  Type finish(const Type& type);

 private:
  struct Change {
    std::uint32_t variable;
    std::optional<Type> before;
  };

  /// True once a call has looked at so much that it guesses instead.
  bool tired();
  bool unify(Type from, Type to);
  bool unify_known(const Type& from, const Type& to);
  bool unify_all(std::span<const Type> from, std::span<const Type> to);
  /// Whether variable `to` can stand for `type`. `had_one`: it already stood for something.
  bool bind(const Type& type, const Type& to, bool& had_one);
  bool occurs(std::uint32_t variable, const Type& inside);
  void set(std::uint32_t variable, Type type);
  void undo();
  /// Follows variables that stand for variables to the last one.
  Type last(const Type& type);
  Type replaced(const Type& type, bool finish);

  std::vector<std::optional<Type>> known_;
  std::vector<Change> changes_;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  bool loose_ = false;
};

}  // namespace canorun::expr
