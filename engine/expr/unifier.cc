#include "engine/expr/unifier.h"

#include <algorithm>
#include <utility>

namespace canorun::expr {
namespace {

// Variables may stand for types with variables, and so on: no honest expression needs as much.
constexpr std::size_t kMostDepth = 200;
constexpr std::size_t kMostSteps = 10'000;

bool takes_null(const Type& type) {
  return type.is(TypeKind::kNull) || type.is(TypeKind::kTimestamp) || type.is(TypeKind::kDuration) ||
         type.is(TypeKind::kOptional) || type.is(TypeKind::kAbstract);
}

bool same_constructor(const Type& a, const Type& b) {
  if (a.is_map() && b.is_map()) return true;
  if (a.kind() != b.kind()) return false;
  return !a.is(TypeKind::kAbstract) || a.name() == b.name();
}

// `a` tells no more than `b`.
bool less_specific(const Type& a, const Type& b) {
  if (a.is_dyn() || a.is(TypeKind::kVariable)) return true;
  if (b.is_dyn() || b.is(TypeKind::kVariable)) return false;
  if (!same_constructor(a, b)) return b.is(TypeKind::kNull);
  if (a.is(TypeKind::kType)) return true;
  return std::ranges::equal(a.parameters(), b.parameters(), less_specific);
}

// `type` with a record only where `other` has the same one, or nothing that is known.
Type without_strangers(const Type& type, const Type& other) {
  if (type.is(TypeKind::kRecord)) return other.is_map() && type != other ? Type::map() : type;
  if (type.parameters().empty() || !same_constructor(type, other)) return type;
  std::vector<Type> parameters(type.parameters().begin(), type.parameters().end());
  for (std::size_t i = 0; i < parameters.size() && i < other.parameters().size(); ++i) {
    parameters[i] = without_strangers(parameters[i], other.parameters()[i]);
  }
  return type.with(std::move(parameters));
}

// With the variables of a signature, which count from 0, counted from `first`.
Type renumbered(const Type& type, std::uint32_t first) {
  if (type.is(TypeKind::kVariable)) return Type::variable(first + type.variable());
  if (!type.has_variables()) return type;
  std::vector<Type> parameters;
  for (const Type& part : type.parameters()) parameters.push_back(renumbered(part, first));
  return type.with(std::move(parameters));
}

}  // namespace

Type Unifier::fresh() { return Type::variable(fresh(1)); }

std::uint32_t Unifier::fresh(std::uint32_t count) {
  const auto first = static_cast<std::uint32_t>(known_.size());
  known_.resize(known_.size() + count);
  return first;
}

bool Unifier::assignable(const Type& from, const Type& to) { return assignable({&from, 1}, {&to, 1}); }

bool Unifier::assignable(std::span<const Type> from, std::span<const Type> to) {
  steps_ = 0;
  changes_.clear();
  const bool fits = unify_all(from, to);
  if (!fits) undo();
  return fits;
}

bool Unifier::comparable(const Type& left, const Type& right) {
  loose_ = true;
  const bool fits = assignable(left, right);
  loose_ = false;
  return fits;
}

std::optional<Type> Unifier::call(const Overload& overload, std::span<const Type> arguments) {
  if (overload.variables == 0) {
    return assignable(arguments, overload.parameters) ? std::optional(overload.result) : std::nullopt;
  }
  const std::uint32_t first = fresh(overload.variables);
  std::vector<Type> parameters;
  for (const Type& parameter : overload.parameters) parameters.push_back(renumbered(parameter, first));
  if (assignable(arguments, parameters)) return substitute(renumbered(overload.result, first));
  known_.resize(first);
  return std::nullopt;
}

Type Unifier::most_general(const Type& a, const Type& b) {
  if (a == b) return a;
  return less_specific(a, b) ? without_strangers(a, b) : without_strangers(b, a);
}

Type Unifier::substitute(const Type& type) {
  steps_ = 0;
  return replaced(type, false);
}

Type Unifier::finish(const Type& type) {
  steps_ = 0;
  return replaced(type, true);
}

bool Unifier::tired() { return depth_ >= kMostDepth || ++steps_ > kMostSteps; }

bool Unifier::unify_all(std::span<const Type> from, std::span<const Type> to) {
  return std::ranges::equal(from, to, [this](const Type& a, const Type& b) { return unify(a, b); });
}

bool Unifier::unify(Type from, Type to) {
  if (tired()) return true;
  ++depth_;
  const bool fits = unify_known(last(from), last(to));
  --depth_;
  return fits;
}

bool Unifier::unify_known(const Type& from, const Type& to) {
  if (to.is(TypeKind::kVariable)) {
    bool had_one = false;
    if (bind(from, to, had_one)) return true;
    if (had_one) return false;
  }
  if (from.is(TypeKind::kVariable)) {
    bool had_one = false;
    return bind(to, from, had_one);
  }
  if (from.is_dyn() || to.is_dyn()) return true;
  if (loose_ && (from.is(TypeKind::kNull) || to.is(TypeKind::kNull))) return true;
  if (from.is(TypeKind::kNull)) return takes_null(to);
  if (to.is(TypeKind::kNull)) return takes_null(from);
  if (loose_ && from.is_number() && to.is_number()) return true;
  if (!same_constructor(from, to)) return false;
  return from.is(TypeKind::kType) || unify_all(from.parameters(), to.parameters());
}

bool Unifier::bind(const Type& type, const Type& to, bool& had_one) {
  if (type == to) return true;
  if (const std::optional<Type> standing = known_[to.variable()]) {
    had_one = true;
    if (type == *standing) return true;
    if (!unify(type, *standing)) return false;
    Type general = most_general(type, *standing);
    if (!occurs(to.variable(), general)) set(to.variable(), std::move(general));
    return true;
  }
  if (occurs(to.variable(), type)) return false;
  set(to.variable(), type);
  return true;
}

bool Unifier::occurs(std::uint32_t variable, const Type& inside) {
  const Type type = last(inside);
  if (type.is(TypeKind::kVariable)) {
    if (type.variable() == variable) return true;
    const std::optional<Type> standing = known_[type.variable()];
    if (!standing) return false;
    if (tired()) return true;
    ++depth_;
    const bool found = occurs(variable, *standing);
    --depth_;
    return found;
  }
  return type.has_variables() &&
         std::ranges::any_of(type.parameters(), [&](const Type& part) { return occurs(variable, part); });
}

void Unifier::set(std::uint32_t variable, Type type) {
  changes_.push_back({variable, std::move(known_[variable])});
  known_[variable] = std::move(type);
}

void Unifier::undo() {
  for (; !changes_.empty(); changes_.pop_back()) {
    known_[changes_.back().variable] = std::move(changes_.back().before);
  }
}

Type Unifier::last(const Type& type) {
  Type end = type;
  const auto next = [&](const Type& from) -> const Type* {
    if (!from.is(TypeKind::kVariable)) return nullptr;
    const auto& standing = known_[from.variable()];
    return standing && standing->is(TypeKind::kVariable) ? &*standing : nullptr;
  };
  std::size_t length = 0;
  for (; const Type* found = next(end); ++length) end = *found;
  // A long way is made short, once.
  for (Type at = type; length > 1; --length) {
    const Type following = *known_[at.variable()];
    set(at.variable(), end);
    at = following;
  }
  return end;
}

Type Unifier::replaced(const Type& type, bool finish) {
  const Type end = last(type);
  if (end.is(TypeKind::kVariable)) {
    const std::optional<Type> standing = known_[end.variable()];
    if (!standing) return finish ? Type::dyn() : end;
    if (tired()) return Type::dyn();
    ++depth_;
    Type found = replaced(*standing, finish);
    --depth_;
    return found;
  }
  if (!end.has_variables()) return end;
  std::vector<Type> parameters;
  for (const Type& part : end.parameters()) parameters.push_back(replaced(part, finish));
  return end.with(std::move(parameters));
}

}  // namespace canorun::expr
